# %% [markdown]
# # Lesson 6: Where it fails
#
# {{ badge }}
#
# In this lesson you look at the images that the trained network gets wrong, find out what makes it
# fail, and repair a part of it.
#
# **You will learn**
#
# - how to look at a network's mistakes, and whether it is as sure as it should be;
# - which mistakes a person would make too, and which not;
# - how to disturb images with DeepTrack, and how far a network can be trusted beyond the images
#   that it learned from;
# - what retraining with disturbed images repairs and what it costs, measured with a control.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than half a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Where we are
#
# Until now, the test images were there to measure the result, and we changed nothing because of any
# one of them. In this lesson we study mistakes one by one. Images that have been studied are no
# longer new to *us*: whatever we change because of what we see suits these images in particular.
# So we study the *validation images*, the same 10,000 of the training images as in
# [lesson 5](05_optimizers.ipynb), and leave the test images closed until the end.

# %% tags=["check-output"]
import numpy as np

from helpers.data import load_mnist

all_images, all_digits = load_mnist("train")
order = np.random.default_rng(seed=0).permutation(60_000)
all_images, all_digits = all_images[order], all_digits[order]
train_images, train_digits = all_images[:50_000], all_digits[:50_000]
# Copies, since later other images take their place in `all_images`.
validation_images, validation_digits = all_images[50_000:].copy(), all_digits[50_000:].copy()

print(f"{len(train_images):,} images to learn from, {len(validation_images):,} to study")

# %% tags=["check-output"]
import deeplay as dl
from torch.nn import MSELoss, ReLU, Softmax
from torch.optim import RMSprop

from helpers.config import Config

with_rmsprop = (
    Config()
    .model(dl.MultiLayerPerceptron)
    .model.in_features(28 * 28)
    .model.hidden_dims([32, 32])
    .model.out_features(10)
    .model.blocks.activation(ReLU)
    .model.out_activation(Softmax, dim=1)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(RMSprop, lr=0.001)
)
print(with_rmsprop)

# %% [markdown]
# The network that lesson 5 saved has learned from all 60,000 images, so it would know those that we
# want to study. We train its recipe anew on 50,000 of them, three times, from three seeds. We look
# into network 0, and ask the other two whether what we find holds for them.

# %%
from lightning import seed_everything

from helpers.training import Classifier, Trainer, make_dataloader

train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
networks = []
for seed in range(3):
    seed_everything(seed, verbose=False)
    network = with_rmsprop.create(Classifier)
    Trainer(max_epochs=10, enable_progress_bar=False).fit(network, train_dataloader)
    networks.append(network)

# %%
from helpers.training import predict


def outputs_for(network, images, digits=validation_digits):
    """Return the ten outputs of a network for each image, as a NumPy array."""
    outputs, _ = predict(network, make_dataloader(images, digits, batch_size=1000))
    return outputs.numpy()


outputs_of_all = [outputs_for(network, validation_images) for network in networks]
outputs = outputs_of_all[0]
predictions = outputs.argmax(axis=1)

# %% [markdown]
# ## The mistakes
#
# A mistake is an image where the prediction is not the digit. Let us collect the mistakes of
# network 0 by hand, image by image.

# %%
mistakes = []
for i in range(len(validation_digits)):
    if predictions[i] != validation_digits[i]:
        mistakes.append(i)

print(f"{len(mistakes)} mistakes in {len(validation_digits):,} validation images")

# %% [markdown]
# NumPy does the same in one line: `flatnonzero` returns the places where a condition holds.

# %%
by_hand, mistakes = mistakes, np.flatnonzero(predictions != validation_digits)
print("the same mistakes:", mistakes.tolist() == by_hand)

for number, its_outputs in enumerate(outputs_of_all):
    wrong = its_outputs.argmax(axis=1) != validation_digits
    print(f"network {number}: {wrong.sum()} mistakes, {wrong[mistakes].sum()} of them network 0's")

# %% tags=["check"]
for its_outputs in outputs_of_all[1:]:
    also_wrong = its_outputs.argmax(axis=1)[mistakes] != validation_digits[mistakes]
    assert 0.4 < also_wrong.mean() < 0.75

# %% [markdown]
# Each of the other two makes about half of network 0's mistakes again, or a little more. If networks
# made their mistakes at random places, it would be about one in twenty-five, as many as of all images.
# So much of the difficulty lies in the images, for networks of this recipe, and not in one network.

# %% [markdown]
# ## Would you have read it?
#
# Before you see the network's answers, be the classifier yourself. Here are twelve of its mistakes,
# picked at random. Write down what you read, before you go on to the next cell.

# %%
from helpers.plotting import plot_images

chosen = np.random.default_rng(6).choice(mistakes, size=12, replace=False)
plot_images(validation_images[chosen], captions=[f"image {n}" for n in range(1, 13)])

# %% [markdown]
# Done? These are the digits that the writers meant, according to MNIST:

# %%
for n, i in enumerate(chosen, start=1):
    print(f"image {n:2}: {validation_digits[i]}   (the network read {predictions[i]})")

# %% [markdown]
# Count three kinds of images:
#
# - **You were right.** These the network ought to get right too. Here is room for improvement.
# - **You made the network's mistake.** Perhaps the image alone does not tell, and then no
#   classifier can be blamed.
# - **You would not accept MNIST's answer.** This happens as well. Northcutt, Athalye and Mueller
#   (*Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks*, 2021) let people
#   look at doubtful test images and found about 15 of MNIST's 10,000 test digits to be wrong.
#
# So the last few mistakes cannot be removed by any honest means, and 100% is not the goal.

# %% [markdown]
# ## Digit by digit
#
# Here are the first mistakes of each digit, up to ten. The number below an image is what the network
# said.

# %%
from helpers.plotting import plot_mistakes

plot_mistakes(validation_images, validation_digits, predictions)

# %% [markdown]
# Take a minute for this figure. It says more than the accuracy does.
#
# - Some images are hard for anybody: open loops, missing strokes, a blot.
# - Others look perfectly clear to you, and you wonder what the network saw. It has never heard of
#   strokes and loops. It adds up pixels, and any slant or width that it met too rarely can mislead
#   it.
# - Look at the counts on the left. Some digits are misread far more often than others.

# %% [markdown]
# ## How sure was it?
#
# The ten outputs come out of a softmax, so they add up to 1. We call the highest of them the
# network's [*confidence*](glossary.ipynb) in its answer.

# %%
confidence = outputs.max(axis=1)
right = predictions == validation_digits

for number, its_outputs in enumerate(outputs_of_all):
    sure, good = its_outputs.max(axis=1), its_outputs.argmax(axis=1) == validation_digits
    print(f"network {number}: mean confidence {sure[good].mean():.1%} when right, ", end="")
    print(f"{sure[~good].mean():.1%} when wrong")

# %% tags=["check"]
for its_outputs in outputs_of_all:
    sure, good = its_outputs.max(axis=1), its_outputs.argmax(axis=1) == validation_digits
    assert sure[good].mean() > sure[~good].mean() + 0.05
    assert (1 - sure).sum() < 0.9 * (~good).sum()
assert (confidence >= 0.9).mean() > 0.8
assert 0 < confidence[confidence >= 0.9].mean() - right[confidence >= 0.9].mean() < 0.02

# %% [markdown]
# It is less sure when it is wrong, which is good news: its doubts mean something.
#
# But is it as sure as it should be? A network is [*calibrated*](glossary.ipynb) if, of all images
# that it reads with a confidence of 0.9, it reads nine in ten right. Take those with a confidence
# from 0.90 to 0.95. How many of them does it read right?
#
# - **a**: about as many as it promises, 0.90 to 0.95 of them;
# - **b**: fewer;
# - **c**: more.

# %%
from helpers.guesses import guess, reveal

guess("calibration", ...)  # your letter, in quotes, in place of the dots

# %%
sure_of_all = np.concatenate([its_outputs.max(axis=1) for its_outputs in outputs_of_all])
right_of_all = np.concatenate(
    [its_outputs.argmax(axis=1) == validation_digits for its_outputs in outputs_of_all]
)
held = {}
for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.01)):  # 1 included
    of_bin = (sure_of_all >= low) & (sure_of_all < high)
    held[low] = right_of_all[of_bin].mean()
    promised = sure_of_all[of_bin].mean()
    print(f"{of_bin.sum():6,} answers of confidence {promised:.3f}: {held[low]:.3f} right")

reveal("calibration", a=0.9 <= held[0.9] <= 0.95, b=held[0.9] < 0.9, c=held[0.9] > 0.95)

# %% [markdown]
# Those are the answers of all three networks together, without the few whose confidence is below
# 0.5. Such a table can be drawn: a [*reliability diagram*](glossary.ipynb) has the confidence
# across and the share read right up. Here it is for network 0 alone. Its answers are sorted into ten
# ranges of confidence, each a tenth wide, so the last dot stands for all from 0.9 up.

# %%
from helpers.plotting import plot_reliability

plot_reliability(outputs, validation_digits)

# %% [markdown]
# On the dashed line, a network would be as sure as it should be. Most dots lie below it: this
# network is right less often than its confidence promises. The last dot stands for most of the images,
# and lies so little below the line that you can hardly see it; the 0.90 to 0.95 of the question is a
# small part of it. Where few images stand behind a dot, its vertical line is long: with so few, chance
# alone may have moved the dot that far.
#
# One can also add up what is missing to full confidence, over all images. A calibrated network
# would make about as many mistakes as that.

# %%
for number, its_outputs in enumerate(outputs_of_all):
    expected = (1 - its_outputs.max(axis=1)).sum()
    made = (its_outputs.argmax(axis=1) != validation_digits).sum()
    print(f"network {number}: {expected:.0f} mistakes expected by its confidence, {made} made")

# %% [markdown]
# Each of the three makes more mistakes than it admits. Networks are often too sure of themselves in
# this way (C. Guo and others, [On calibration of modern neural
# networks](https://arxiv.org/abs/1706.04599), 2017).

# %% [markdown]
# ### Exercise 1: build
#
# The usual cure is a [*temperature*](glossary.ipynb) $T$: divide the ten sums before the softmax by a
# number above 1, and the outputs become more alike: the highest falls, and the others have more. From
# the outputs $p_0, \dots, p_9$ you reach the same by raising each to the power $1/T$ and dividing by
# their sum, so that they add up to 1 again:
#
# $$ p_i' = \frac{p_i^{1/T}}{p_0^{1/T} + \dots + p_9^{1/T}} $$
#
# Write `with_temperature(outputs, temperature)`, for outputs of shape (N, 10). Then draw the
# reliability diagram of `with_temperature(outputs, 1.3)`: does it lie closer to the dashed line?


# %% tags=["exercise"]
### BEGIN SOLUTION
def with_temperature(outputs, temperature):
    """Return outputs (N, 10) as they would be if the sums had been divided by a temperature."""
    powers = outputs ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_with_temperature

check_with_temperature(with_temperature)

# %% [markdown]
# A temperature changes no answer: the highest output stays the highest. It only says more honestly
# how sure the network is. It would be chosen on validation images, like any other choice.

# %% [markdown]
# ### Sure, and wrong
#
# Here are the mistakes of which network 0 was surest. (The confidence is rounded down: however sure
# a network is, softmax leaves something to the other digits.)

# %%
surest = mistakes[np.argsort(-confidence[mistakes])][:18]
at_least = np.minimum(np.floor(100_000 * confidence[surest]) / 1000, 99.999)
captions = [
    f"{validation_digits[i]} as {predictions[i]}\n{percent:.3f}%"
    for i, percent in zip(surest, at_least, strict=True)
]
plot_images(validation_images[surest], captions, title="True digit, read as, confidence")

# %% [markdown]
# These are the mistakes that hurt, because nothing in the output warns you of them. Some are digits
# that you would misread yourself. The others show that even the highest confidence is no promise.
# What a confidence is worth has to be measured, as we did above.
#
# How many mistakes would be left if the network were allowed to say "I don't know"?

# %% [markdown]
# ### Exercise 2: build
#
# A network that may say "I don't know" answers only for those images of which it is surest. Write
# a function `accuracy_of_surest(outputs, digits, share)`: it takes two NumPy arrays, the outputs
# (N, 10) and the digits (N,), and a share between 0 and 1. It keeps that share of the images, those
# with the highest confidence (`round` makes a whole number of images), and returns the accuracy on
# them. Then try it with `outputs`, `validation_digits` and a share of 0.9.


# %% tags=["exercise"]
### BEGIN SOLUTION
def accuracy_of_surest(outputs, digits, share):
    """Return the accuracy on the images with the highest confidence."""
    kept = np.argsort(-outputs.max(axis=1))[: round(share * len(digits))]
    return (outputs[kept].argmax(axis=1) == digits[kept]).mean()


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_accuracy_of_surest

check_accuracy_of_surest(accuracy_of_surest)

# %% [markdown]
# ## The pairs confused most
#
# Which digit does it take for which other? First the confusion matrix without its diagonal, so that
# the colors are there for the mistakes alone; then the ten commonest pairs.

# %%
import torch
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confused_pairs, plot_confusion_matrix

confusion_matrix = multiclass_confusion_matrix(
    torch.tensor(predictions), torch.tensor(validation_digits), num_classes=10
)
plot_confusion_matrix(confusion_matrix, mistakes_only=True)

# %%
plot_confused_pairs(confusion_matrix)

# %% [markdown]
# There are 90 ways to take one digit for another. Ten pairs that somebody picked beforehand would
# hold one mistake in nine, if all were equally likely. But we picked the *commonest* ten,
# afterwards, and by chance alone some pairs are commoner than others. How much would ten so chosen
# hold? We throw as many mistakes at random on 90 pairs, a thousand times.

# %%
thrown = np.random.default_rng(0).multinomial(len(mistakes), np.full(90, 1 / 90), size=1000)
by_chance = np.sort(thrown, axis=1)[:, -10:].sum(axis=1).mean() / len(mistakes)
print(f"the commonest ten of 90 equally likely pairs hold {by_chance:.1%} of the mistakes")

shares_of_ten = []
for number, its_outputs in enumerate(outputs_of_all):
    pairs = 10 * validation_digits + its_outputs.argmax(axis=1)  # 49: a 4 read as 9
    counts = np.bincount(pairs[its_outputs.argmax(axis=1) != validation_digits], minlength=100)
    shares_of_ten.append(np.sort(counts)[-10:].sum() / counts.sum())
    print(f"those of network {number} hold {shares_of_ten[-1]:.1%}")

# %% tags=["check"]
assert min(shares_of_ten) > by_chance + 0.05

# %% [markdown]
# So the pairs are not equally likely, in any of the three networks. Why are some so common? Some of
# these digits look alike: close the top of a 4, and you have a 9. But likeness works both ways, and
# the matrix does not. Pick a digit, and compare its column (what was wrongly taken for it) with its
# row (what it was wrongly taken for). A column that is darker than its row belongs to a digit that
# the network names too readily.
#
# Let us see the pair at the top, up to twelve of its images.

# %%
pairs = confusion_matrix.clone().fill_diagonal_(0)
true_digit, read_as = divmod(int(pairs.argmax()), 10)
of_this_pair = (validation_digits == true_digit) & (predictions == read_as)

plot_images(
    validation_images[of_this_pair][:12],
    title=f"{true_digit} read as {read_as}: {pairs.max()} times",
)

# %% [markdown]
# Is there something that many of these images share, and that other images of this digit do not
# have? Such an observation is what a *failure analysis*, a close look at the mistakes, is for: it
# tells you which images the training needs more of.

# %% [markdown]
# ## Images that are a little different
#
# All of MNIST's digits are centered, more or less upright, and clean. Yours may not be. What
# happens to the accuracy when the images are shifted, turned or noisy?
#
# To find out, we disturb images with the library
# [DeepTrack](https://github.com/DeepTrackAI/DeepTrack2). You describe what is to happen in a
# [*pipeline*](glossary.ipynb): one operation, or a chain of them joined by `>>`.

# %%
from math import radians
from random import choice

import deeptrack as dt


def shift(pixels):
    """Shift by so many pixels: to the right, left, bottom or top."""
    sides = [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
    return dt.Affine(translate=lambda: choice(sides), mode="constant")


def turn(degrees):
    """Turn by so many degrees, clockwise or counterclockwise."""
    return dt.Affine(rotate=lambda: radians(choice([-degrees, degrees])), mode="constant")


def noise(sigma):
    """Add a random number to each pixel, then cut off what is below 0 or above 1."""
    return dt.Gaussian(sigma=sigma) >> dt.Clip(0, 1)


# %% [markdown]
# - `dt.Affine` moves an image like a sheet of paper; with `mode="constant"`, what comes in at the
#   edges is empty (0).
# - A `lambda` is a function without a name. DeepTrack calls it anew for each image, so each image
#   gets its own draw.
# - `dt.Gaussian` adds *noise* to the image: to each pixel a random number, positive or negative, in
#   most cases smaller than `sigma` and hardly ever larger than three times that.
#
# `update()` makes the draw, and calling the pipeline applies it to the image.


# %%
def disturb(images, pipeline):
    """Return each image as the pipeline changes it, with a new draw for each."""
    changed = [pipeline.update()(image) for image in images]
    return np.array(changed, dtype=np.float32)


# %%
from helpers.plotting import plot_image_rows

seed_everything(0, verbose=False)
few_images = validation_images[:9]
plot_image_rows(
    {
        "as they are": few_images,
        "3 pixels": disturb(few_images, shift(3)),
        "30 degrees": disturb(few_images, turn(30)),
        "noise 0.2": disturb(few_images, noise(0.2)),
    }
)

# %% [markdown]
# You can still read rows two to four. Notice that each image got a draw of its own: they are not
# all shifted to the same side, nor all turned the same way.
#
# To the network, each image is 784 numbers, and a shift by three pixels changes most of those that
# matter. Try it: shift, turn and disturb one of these images yourself, and see where the answer of
# network 0 flips. (It runs in a running notebook and on the website; elsewhere you see the images
# as they are.)

# %%
from helpers import live

live.Disturb(validation_images, validation_digits, networks[0])

# %% [markdown]
# ## How far does it hold?
#
# We take the first 1,000 validation images, and disturb them more and more: at five levels for each
# kind of disturbance, of which the first, 0, changes nothing. Before you look: how many of the
# images that are shifted by three pixels will the networks read?
#
# - **a**: fewer than two in three;
# - **b**: two in three to nine in ten;
# - **c**: more than nine in ten.

# %%
guess("three pixels", ...)  # your letter, in quotes, in place of the dots

# %%
levels = {
    "shift (pixels)": [0, 1, 2, 3, 4],
    "turn (degrees)": [0, 15, 30, 45, 60],
    "noise (sigma)": [0, 0.1, 0.2, 0.3, 0.4],
}
pipelines = {"shift (pixels)": shift, "turn (degrees)": turn, "noise (sigma)": noise}

seed_everything(0, verbose=False)
some_images, some_digits = validation_images[:1000], validation_digits[:1000]
disturbed_images = {
    kind: [disturb(some_images, pipelines[kind](level)) for level in levels[kind]]
    for kind in levels
}


# %%
def accuracies(networks):
    """Return the accuracies on the disturbed images: kind to an array (networks, levels)."""
    result = {}
    for kind, images_of_levels in disturbed_images.items():
        rows = [
            [
                (outputs_for(network, images, some_digits).argmax(axis=1) == some_digits).mean()
                for images in images_of_levels
            ]
            for network in networks
        ]
        result[kind] = np.array(rows)
    return result


measured = {"as trained": accuracies(networks)}


# %%
from helpers.plotting import plot_robustness


def plot_all(measured):
    """Draw the mean over the networks, for all that has been measured."""
    plot_robustness(
        {
            kind: {
                "levels": levels[kind],
                "accuracies": {name: found[kind].mean(axis=0) for name, found in measured.items()},
            }
            for kind in levels
        }
    )


plot_all(measured)

# %%
before = measured["as trained"]
at_three = before["shift (pixels)"][:, 3].mean()
reveal("three pixels", a=at_three < 2 / 3, b=2 / 3 <= at_three <= 0.9, c=at_three > 0.9)

# %% [markdown]
# Each curve is the mean of the three networks. It begins near the accuracy that we know, and falls.
# How well a network holds against such changes is called its [*robustness*](glossary.ipynb), and
# that of ours is poor:
#
# - A shift by one pixel, which you would not even notice, already costs something. At four pixels
#   the network reads fewer than half of the images.
# - Most digits turned by 15 degrees are still read. People write at different slants, so the
#   training images held such digits. At 60 degrees most are lost.
# - Noise leaves every stroke in its place. You read the noisy row above as well as the clean one,
#   and most likely one with twice the noise; the network does not.
#
# The accuracy on the validation images did not warn us of any of this, and that on the test images
# would not have either. Both come from the same source as the training images, and share their
# neatness. **An accuracy holds for images like those that it was measured on.**

# %%
from helpers.results import record

record("shifted", at_three)

for kind, rows in before.items():
    each = ", ".join(f"{row[0]:.0%} to {row[-1]:.0%}" for row in rows)
    print(f"{kind:15} network by network: {each}")

# %% tags=["check"]
for rows in before.values():
    assert (rows[:, -1] < rows[:, 0] - 0.2).all()
shifts, turns, noises = before.values()
assert (shifts[:, 1] < shifts[:, 0]).all()
assert (shifts[:, 4] < 0.5).all()
assert (turns[:, 1] > 0.8).all()
assert (turns[:, 4] < 0.5).all()
assert (noises[:, 3] < noises[:, 0] - 0.1).all()

# %% [markdown]
# ## No digit at all
#
# Here are 1,000 images on which every pixel is a random number between 0 and 1. There is no digit on
# any of them. What do the networks say? Decide first.
#
# - **a**: the ten outputs are all about 0.1, because no digit fits;
# - **b**: they name a digit, and are usually quite sure of it;
# - **c**: all outputs are about 0, because no digit fits.

# %%
guess("no digit", ...)  # your letter, in quotes, in place of the dots

# %%
random_images = np.random.default_rng(0).random((1000, 28, 28), dtype=np.float32)
any_digits = np.zeros(1000, dtype=int)  # a dataloader needs some beside the images
random_dataloader = make_dataloader(random_images, any_digits, batch_size=1000)

sure = []
for seed, network in enumerate(networks):
    random_outputs, _ = predict(network, random_dataloader)
    sure.append(float(random_outputs.max(dim=1).values.mean()))
    print(f"network {seed}: mean confidence {sure[-1]:.0%}")
reveal("no digit", a=max(sure) < 0.2, b=min(sure) > 0.5, c=max(sure) < 0.05)

# %% tags=["check"]
assert min(sure) > 0.5

# %% [markdown]
# Softmax always shares out 1 among the ten, so it cannot be c. It could have been a, with 0.1 for
# each; but no training image was without a digit, so nothing ever taught the network to share out
# equally. Its confidence compares the ten digits with each other. It does not say whether there is
# a digit.

# %% [markdown]
# ### Exercise 3: change and explain
#
# In our images, 1 is ink and 0 is paper. Somebody hands over images in which it is the other way
# round: `1 - validation_images`. Put network 0's accuracy on these images into `inverted_accuracy`.
# Then say why it is what it is, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: an inverted image holds less information;
# - **b**: the network's weights were fitted to strokes of 1 among zeros, and it never met anything
#   else;
# - **c**: the network is too small to be trained on such images.

# %% tags=["exercise"]
### BEGIN SOLUTION
inverted_dataloader = make_dataloader(1 - validation_images, validation_digits, batch_size=1000)
inverted_accuracy = Trainer().test(networks[0], inverted_dataloader)["test_accuracy"]
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_inverted

check_inverted(inverted_accuracy, reason)

# %% [markdown]
# ## Repairing it
#
# The networks read shifted digits badly, and a likely reason is that they never met any. So let
# them meet some: we take copies of 10,000 of the training images, disturb them, once, and add them
# to the 50,000. Making new training images out of those that one has is called
# [*data augmentation*](glossary.ipynb).
#
# Each copy is turned by up to 30 degrees and shifted by up to 3 pixels. `uniform(-30, 30)` draws
# any number in between. A second set of copies gets noise on top.

# %%
from random import uniform

turn_and_shift = dt.Affine(
    rotate=lambda: radians(uniform(-30, 30)),
    translate=lambda: (uniform(-3, 3), uniform(-3, 3)),
    mode="constant",
)
some_noise = dt.Gaussian(sigma=lambda: uniform(0, 0.3)) >> dt.Clip(0, 1)

seed_everything(0, verbose=False)
extra_images = disturb(train_images[:10_000], turn_and_shift)
noisy_images = disturb(extra_images, some_noise)

# %%
plot_image_rows({"turned, shifted": extra_images[:9], "also noisy": noisy_images[:9]})

# %% [markdown]
# Some lean and some are off the center. But they are still the same digits, so we know what each of
# them shows without asking anybody. That is what makes augmentation so cheap.
#
# The networks need not begin anew: a copy of each goes on from where it stopped, for two more
# epochs.
#
# But then two things change at once, the images and the longer training. So we need a
# [*control*](glossary.ipynb): networks that train on just as long, with the same 10,000 images
# added undisturbed. What is better than the control is better because of the disturbed images. So
# there will be three groups of three networks: `control`; `turned, shifted`; and `also noisy`, whose
# extra images are turned, shifted and noisy.
#
# Before you look: what becomes of the accuracy of the second group, which meets no noise, on
# *noisy* images, compared with the control?
#
# - **a**: it rises: whoever has seen disturbed images is prepared for others;
# - **b**: it stays about the same: turning and noise have nothing to do with each other;
# - **c**: it falls.

# %%
guess("noise", ...)  # your letter, in quotes, in place of the dots

# %%
import copy


def retrained(extra):
    """Return copies of the networks, each trained on for two epochs with extra images."""
    # Extra images go where the validation images were: a second array would take 190 MB more.
    all_images[50_000:], all_digits[50_000:] = extra, train_digits[:10_000]
    dataloader = make_dataloader(all_images, all_digits, batch_size=16, shuffle=True)
    result = []
    for seed, network in enumerate(networks):
        seed_everything(seed, verbose=False)
        result.append(copy.deepcopy(network))
        Trainer(max_epochs=2, enable_progress_bar=False).fit(result[-1], dataloader)
    return result


# %%
groups = {
    "control": retrained(train_images[:10_000]),
    "turned, shifted": retrained(extra_images),
    "also noisy": retrained(noisy_images),
}
for name, group in groups.items():
    measured[name] = accuracies(group)
plot_all({name: measured[name] for name in groups})

# %%
record("shifted_retrained", measured["turned, shifted"]["shift (pixels)"][:, 3].mean())


def compared(kind, level, name):
    """Print by how much a group is better than the control at one level."""
    gain = (measured[name][kind] - measured["control"][kind])[:, level]
    each = ", ".join(f"{100 * points:+.1f}" for points in gain)
    print(f"{kind} {levels[kind][level]}, {name}: {each} percentage points")
    return gain


gains = {
    (kind, name): compared(kind, level, name)
    for kind, level in (("shift (pixels)", 3), ("turn (degrees)", 2), ("noise (sigma)", 3))
    for name in ("turned, shifted", "also noisy")
}

# %%
on_noise = gains["noise (sigma)", "turned, shifted"].mean()
reveal("noise", a=on_noise > 0.02, b=abs(on_noise) <= 0.02, c=on_noise < -0.02)

# %% tags=["check"]
assert (gains["shift (pixels)", "turned, shifted"] > 0.1).all()
assert (gains["turn (degrees)", "turned, shifted"] > 0.02).all()
assert (gains["noise (sigma)", "turned, shifted"] < 0).all()
assert (gains["noise (sigma)", "also noisy"] > 0.1).all()
assert (gains["shift (pixels)", "also noisy"] > 0.1).all()

# %% [markdown]
# The lines are means over the three networks, and the numbers are their gains over the control,
# network by network. Three findings:
#
# - **Shifts: much better.** Even images shifted by four pixels are read better, though the extra
#   images moved by three at most in each direction.
# - **Turns: a little better** at 30 degrees, with each network. As the control trained just as
#   long, it is the images that make the difference.
# - **Noise: worse,** unless there was noise in the extra images. Nobody asked for that, and nobody
#   would have noticed without measuring it.
#
# Of images shifted by three pixels, we expect a network to read {{ shifted }} before, and
# {{ shifted_retrained }} with turned and shifted images; the mean of three lies well within. Your own
# numbers stand above.
#
# Why do they read noisy images worse? We have not shown it. One thing is certain: it is no fate.
# The third group met noise too, and reads noisy images far better than the control. A network
# becomes robust against what it is shown, and may become more fragile against what it is not.

# %% [markdown]
# What does it cost on clean images? Again on all 10,000 validation images, network by network.

# %%
clean = {}
for name, group in ({"as trained": networks} | groups).items():
    read = [outputs_for(network, validation_images).argmax(axis=1) for network in group]
    clean[name] = np.array([(answers == validation_digits).mean() for answers in read])
    print(f"{name:16}", ", ".join(f"{share:.1%}" for share in clean[name]))

# %% tags=["check"]
for name in groups:
    assert (np.abs(clean[name] - clean["control"]) < 0.025).all()

# %% [markdown]
# Compare with the control, network by network. The networks that met turned and shifted images read
# a few tenths of a percentage point less here, each of the three. That is the price; with noise
# added, hardly any difference is left. If your users write in the middle of the page, there was
# nothing to repair, and even a small price is too high. If they do not, the accuracy on clean
# images would never have told you. Which of the networks is better is a question about where you
# will use it.

# %% [markdown]
# ## Tested once
#
# Our choice is made: the third group. It reads shifted images nearly as well as the second, noisy
# ones far better, and loses hardly anything on clean ones. Now, once, the test images: as they are,
# and every fifth of them shifted by three pixels.

# %%
test_images, test_digits = load_mnist("test")
seed_everything(0, verbose=False)
shifted_images = disturb(test_images[::5], shift(3))
tests = {
    "as they are": (test_images, test_digits),
    "shifted": (shifted_images, test_digits[::5]),
}
for name in ("control", "also noisy"):
    for kind, (seen, true) in tests.items():
        read = [outputs_for(network, seen, true).argmax(axis=1) for network in groups[name]]
        shares = ", ".join(f"{(answers == true).mean():.1%}" for answers in read)
        print(f"{name:10} test images {kind:12} {shares}")

# %% [markdown]
# On the test images too, each of the three networks reads far more of the shifted images than its
# control, and about as many of the clean ones. Turns and noise we did not test again.

# %% [markdown]
# ## Draw a digit yourself
#
# Draw a digit with the mouse or a finger, and watch the ten outputs. MNIST's makers scaled each
# digit to a box of 20 × 20 pixels and put the center of mass of its ink in the middle of the image.
# The canvas does the same with your drawing, as long as "center and scale as in MNIST" is ticked.
# Untick it, draw in a corner, and see what the robustness curves mean. (Where nothing can be drawn,
# you see a 7 that was drawn in advance.)

# %%
live.DrawDigit(networks[0])

# %% [markdown]
# And this is a 7 drawn in advance, small and off the center: first centered and scaled, then as it
# was drawn.

# %%
from helpers.drawing import center_and_scale, example_drawing, shrink
from helpers.plotting import plot_outputs

drawing = example_drawing()
drawn_images = np.stack([center_and_scale(drawing), shrink(drawing)])
drawn_outputs, _ = predict(networks[0], make_dataloader(drawn_images, np.array([7, 7])))

for image, ten_outputs in zip(drawn_images, drawn_outputs, strict=True):
    plot_outputs(image, ten_outputs, digit=7)

# %% tags=["check"]
assert drawn_outputs[0].argmax() == 7
assert drawn_outputs[1, 7] < drawn_outputs[0, 7] - 0.1

# %% [markdown]
# The same drawing and the same network; but where it was nearly certain, it now doubts, or names
# another digit. Preparing images the way that the training images were prepared is part of reading
# them.

# %% [markdown]
# ## Where to go from here
#
# The network that you have built is a small one of the simplest kind. Each of these is a next step:
#
# - **Convolutional networks.** Ours does not know that pixels have neighbors. A
#   [*convolutional network*](glossary.ipynb) slides *filters*, small patterns of weights, over the
#   image, so that a stroke is recognized wherever it stands. LeNet-5 (LeCun, Bottou, Bengio and
#   Haffner, 1998) reads more than 99% of the test images. deeplay has such networks too. They want
#   images with one dimension more, the *channel* (a single one, for gray): (N, 1, 28, 28). And what
#   they put out are ten small images, which must become ten numbers:
#   `nn.Sequential(nn.Unflatten(1, (1, 28)), dl.ConvolutionalNeuralNetwork(1, [8, 16], 10).build(),
#   nn.AdaptiveAvgPool2d(1), nn.Flatten())`, with `from torch import nn`, is a network for
#   `Classifier(network, num_classes=10).create()`.
# - **More augmentation.** Turn, shift, stretch and add noise, with new draws in every epoch. A larger
#   network may gain more from it, since it has less need to trade one thing for another.
# - **Ensembles.** Train several networks from different seeds and let them vote, as an *ensemble*:
#   they do not all make the same mistakes. Cireşan, Meier and Schmidhuber (*Multi-column deep
#   neural networks for image classification*, 2012) reached 99.77% with 35 convolutional networks.
# - **A network that may refuse.** Where a mistake is expensive, let it answer only when it is
#   sure, and hand the rest to a person.
# - **Other losses.** The mean squared error is easy to understand. For classification, the
#   *cross-entropy* (lesson 3) is usual: it punishes an answer that is sure and wrong far more.

# %% [markdown]
# ## The journey
#
# Here is what the methods of the series read of the test images. (From ReLU to the last line, three
# things change: the batches, the optimizer and the number of epochs.) The bar is the range to
# expect, the dot is what you reached, for the lessons that you have run in this folder. (Lesson 4
# is not in it, because it measured on validation images.)

# %%
from helpers.plotting import plot_journey
from helpers.results import journey

plot_journey(journey())

# %% [markdown]
# The first network lost to ten mean images. You then changed its output and its activation, one at
# a time, and chose its batches and its optimizer on validation images. None of these changes made
# the network any larger.
#
# One line keeps us modest: the nearest neighbor, for which nothing was trained, reads about as much
# as our best network. (It was asked for a thousand of the test images only, so this comparison is not
# fair; [lesson 7](07_inside_the_network.ipynb) makes a fair one.) But it keeps all 60,000 images and
# goes through them for every answer. The network keeps 26,506 numbers.
#
# The method is what you take with you: start simple, change one thing, measure on images that
# nothing was fitted to, look at the mistakes, and ask what your number does not tell.

# %% [markdown]
# ## What you learned
#
# - Look at the mistakes before you try to lower their number.
# - A high output is no proof: some mistakes are made with nearly full confidence, and a reliability
#   diagram shows whether confidence holds what it promises.
# - A few pairs of digits account for many of the mistakes, and some mistakes are a person's too.
# - An accuracy holds for images like those it was measured on; shift them by a few pixels and it
#   falls.
# - Data augmentation repairs what the extra images show, and may damage something else. Measure
#   both, against a control that differs in one thing only.

# %% [markdown]
# ## Next
#
# [Lesson 7: Inside the network](07_inside_the_network.ipynb) opens the network and looks at what
# each of its neurons does.
