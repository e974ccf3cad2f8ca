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
# - how to look at a network's mistakes, and how sure it was of them;
# - which mistakes a person would make too, and which not;
# - how to disturb images with DeepTrack, and how far a network can be trusted beyond the images
#   that it learned from;
# - what retraining with disturbed images repairs, and what it costs.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Where we are
#
# Each lesson runs alone, so here are the digits and the recipe of
# [lesson 5](05_optimizers.ipynb) once more.

# %% tags=["check-output"]
from helpers.data import load_mnist

train_images, train_digits = load_mnist("train")
test_images, test_digits = load_mnist("test")

print(f"{len(train_images):,} training images, {len(test_images):,} test images")

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
# If you have run lesson 5, its trained network waits in `saved/rmsprop.pt`. If not, the next cell
# trains it now, which takes up to a minute.

# %%
from pathlib import Path

from lightning import seed_everything

from helpers.training import Classifier, Trainer, load_classifier, make_dataloader, save_classifier

if Path("saved/rmsprop.pt").exists():
    print("Lesson 5's network is there.")
else:
    print("There is no saved network yet: training one, as lesson 5 does.")
    seed_everything(0, verbose=False)
    classifier = with_rmsprop.create(Classifier)
    train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
    Trainer(max_epochs=10, accelerator="auto").fit(classifier, train_dataloader)
    save_classifier(classifier, with_rmsprop, "saved/rmsprop.pt")

classifier = load_classifier(with_rmsprop, "saved/rmsprop.pt")

# %% [markdown]
# What does it say about the test images?

# %%
from helpers.results import record
from helpers.training import predict

test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)
outputs, _ = predict(classifier, test_dataloader)
outputs = outputs.numpy()
predictions = outputs.argmax(axis=1)

record("rmsprop", (predictions == test_digits).mean())

# %% [markdown]
# ## A word of warning
#
# Until now, the test images were there to measure the result, and we changed nothing because of
# any one of them. From here on, we study them one by one. After that, they are no longer new to
# *us*: whatever we change because of what we see here suits these images in particular, and the
# accuracy on them flatters us. In a project of your own, look at the mistakes on the validation
# images, and keep the test images closed.

# %% [markdown]
# ## The mistakes
#
# A mistake is an image where the prediction is not the digit.

# %%
import numpy as np

mistakes = np.flatnonzero(predictions != test_digits)
print(f"{len(mistakes)} mistakes in {len(test_digits):,} test images")

# %% [markdown]
# Here are up to ten of each digit. The number below an image is what the network said.

# %%
from helpers.plotting import plot_mistakes

plot_mistakes(test_images, test_digits, predictions)

# %% [markdown]
# Take a minute for this figure. It says more than the accuracy does.
#
# - Some images are hard for anybody: open loops, missing strokes, a blot.
# - Others look perfectly clear to you, and you wonder what the network saw. It has never heard of
#   strokes and loops. It adds up pixels, and any slant or width that it met too rarely can mislead
#   it.
# - Look at the counts on the left. Some digits are misread several times as often as others.

# %% [markdown]
# ## How sure was it?
#
# The ten outputs come out of a softmax, so they add up to 1. We call the highest of them the
# network's [*confidence*](glossary.ipynb) in its answer.

# %%
confidence = outputs.max(axis=1)
right = predictions == test_digits

print(f"mean confidence when right: {confidence[right].mean():.0%}")
print(f"mean confidence when wrong: {confidence[~right].mean():.0%}")

# %% tags=["check"]
assert confidence[right].mean() > confidence[~right].mean() + 0.05

# %% [markdown]
# It is less sure when it is wrong, which is good news: its doubts mean something.
#
# But is it as sure as it should be? If a confidence of 90% meant "right in nine cases out of ten",
# one could add up the missing parts, here 10%, over all images, and would get about the number of
# mistakes.

# %%
mistakes_by_confidence = (1 - confidence).sum()

print(f"mistakes that its confidence lets you expect: {mistakes_by_confidence:.0f}")
print(f"mistakes that it makes: {len(mistakes)}")

# %% tags=["check"]
assert mistakes_by_confidence < 0.9 * len(mistakes)

# %% [markdown]
# It makes more mistakes than it admits. Networks are often too sure of themselves in this way.
#
# Here are the mistakes of which it was surest. (The percentages are rounded.)

# %%
from helpers.plotting import plot_images

surest = mistakes[np.argsort(-confidence[mistakes])][:18]
captions = [f"{test_digits[i]} as {predictions[i]}: {confidence[i]:.0%}" for i in surest]
plot_images(test_images[surest], captions, title="True digit, read as, confidence")

# %% [markdown]
# These are the mistakes that hurt, because nothing in the output warns you of them. Some are
# digits that you would misread yourself. For the others, remember that a high output is no
# probability that anybody has checked. It is what ten neurons computed.
#
# How many mistakes would be left if the network were allowed to say "I don't know"? Exercise 3
# finds out.

# %% [markdown]
# ## The pairs confused most
#
# Which digit does it take for which other? The bars show the ten commonest cases, counted by the
# confusion matrix.

# %%
import torch
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confused_pairs

confusion_matrix = multiclass_confusion_matrix(
    torch.tensor(predictions), torch.tensor(test_digits), num_classes=10
)
plot_confused_pairs(confusion_matrix)

# %% [markdown]
# There are 90 ways to take one digit for another. If all were equally likely, ten of them would
# hold about one mistake in nine; the title says how many they really hold. The network does not
# fail at random: it mixes up digits that look alike. Close the top of a 4, and you have a 9.
#
# Let us see the pair at the top, up to twelve of its images.

# %%
pairs = confusion_matrix.clone().fill_diagonal_(0)
true_digit, read_as = divmod(int(pairs.argmax()), 10)
of_this_pair = (test_digits == true_digit) & (predictions == read_as)

plot_images(
    test_images[of_this_pair][:12],
    title=f"{true_digit} read as {read_as}: {pairs.max()} times",
)

# %% [markdown]
# Is there something that many of these images share, and that other images of this digit do not
# have? Such an observation is what a *failure analysis*, a close look at the mistakes, is for: it
# tells you which images the training needs more of.

# %% [markdown]
# ## Would you have read it?
#
# Now you are the classifier. Here are twelve of the network's mistakes, without the answer. Write
# down what you read, before you go on to the next cell.

# %%
chosen = np.random.default_rng(6).choice(mistakes, size=12, replace=False)
plot_images(test_images[chosen], captions=[f"image {n}" for n in range(1, 13)])

# %% [markdown]
# Done? These are the digits that the writers meant, according to MNIST:

# %%
for n, i in enumerate(chosen, start=1):
    print(f"image {n:2}: {test_digits[i]}   (the network read {predictions[i]})")

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
few_images = test_images[:9]
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
# matter.

# %% [markdown]
# ## How far does it hold?
#
# We take every fifth test image, 2,000 in all, and disturb them more and more: at five levels for
# each kind of disturbance, of which the first, 0, changes nothing.

# %%
levels = {
    "shift (pixels)": [0, 1, 2, 3, 4],
    "turn (degrees)": [0, 15, 30, 45, 60],
    "noise (sigma)": [0, 0.1, 0.2, 0.3, 0.4],
}
pipelines = {"shift (pixels)": shift, "turn (degrees)": turn, "noise (sigma)": noise}

seed_everything(0, verbose=False)
some_images, some_digits = test_images[::5], test_digits[::5]
disturbed_images = {
    kind: [disturb(some_images, pipelines[kind](level)) for level in levels[kind]]
    for kind in levels
}


# %%
def accuracies(classifier):
    """Return the accuracy on the disturbed images: for each kind, one for each level."""
    result = {}
    for kind, images_of_levels in disturbed_images.items():
        result[kind] = []
        for images in images_of_levels:
            outputs, digits = predict(classifier, make_dataloader(images, some_digits))
            result[kind].append(float((outputs.argmax(dim=1) == digits).float().mean()))
    return result


before = accuracies(classifier)

# %%
from helpers.plotting import plot_robustness

plot_robustness(
    {kind: {"levels": levels[kind], "accuracies": {"lesson 5": before[kind]}} for kind in levels}
)

# %% [markdown]
# Each curve begins near the accuracy that we know, and falls. How well a network holds against such
# changes is called its [*robustness*](glossary.ipynb), and ours is poor:
#
# - A shift by one pixel, which you would not even notice, already costs something. At four pixels
#   the network reads fewer than half of the images.
# - Most digits turned by 15 degrees are still read. People write at different slants, so the
#   training images held such digits. At 60 degrees most are lost.
# - Noise leaves every stroke in its place. You read the noisy row above as well as the clean one,
#   and most likely one with twice the noise; the network does not.
#
# The test accuracy did not warn us of any of this. The test images come from the same source as the
# training images, and share their neatness. **A test accuracy holds for images like the test
# images.**

# %%
record("shifted", before["shift (pixels)"][3])

for kind, curve in before.items():
    print(f"{kind:15} {curve[0]:.0%} falls to {curve[-1]:.0%}")

# %% tags=["check"]
assert all(curve[-1] < curve[0] - 0.2 for curve in before.values())
assert before["shift (pixels)"][1] < before["shift (pixels)"][0]
assert before["shift (pixels)"][4] < 0.5
assert before["turn (degrees)"][1] > 0.8
assert before["turn (degrees)"][4] < 0.5
assert before["noise (sigma)"][3] < before["noise (sigma)"][0] - 0.1

# %% [markdown]
# ## Repairing it
#
# The network reads shifted digits badly because it never met any. So let it meet some: we take
# copies of 20,000 training images, disturb them, once, and add them to the 60,000 that we have.
# Making new training images out of those that one has is called
# [*data augmentation*](glossary.ipynb).
#
# Each image is turned by up to 30 degrees and shifted by up to 3 pixels. `uniform(-30, 30)` draws
# any number in between.

# %%
from random import uniform

turn_and_shift = dt.Affine(
    rotate=lambda: radians(uniform(-30, 30)),
    translate=lambda: (uniform(-3, 3), uniform(-3, 3)),
    mode="constant",
)
seed_everything(0, verbose=False)
extra_images = disturb(train_images[:20_000], turn_and_shift)
extra_digits = train_digits[:20_000]

# %%
plot_images(extra_images[:12], captions=extra_digits[:12])

# %% [markdown]
# Some lean and some are off the center. But they are still the same digits, so we know what each of
# them shows without asking anybody. That is what makes augmentation so cheap.
#
# The network need not begin anew: a second copy of it goes on from where lesson 5 stopped, for
# three more epochs.

# %%
more_images = np.concatenate([train_images, extra_images])
more_digits = np.concatenate([train_digits, extra_digits])
more_dataloader = make_dataloader(more_images, more_digits, batch_size=16, shuffle=True)

seed_everything(0, verbose=False)
retrained = load_classifier(with_rmsprop, "saved/rmsprop.pt")
retrained.train()  # load_classifier made it ready to predict, and now it is to learn again
trainer = Trainer(max_epochs=3, accelerator="auto")
trainer.fit(retrained, more_dataloader)

# %%
after = accuracies(retrained)
plot_robustness(
    {
        kind: {
            "levels": levels[kind],
            "accuracies": {"lesson 5": before[kind], "retrained": after[kind]},
        }
        for kind in levels
    }
)

# %% [markdown]
# Three panels, three findings:
#
# - **Shifts: much better.** Even images shifted by four pixels are read better, though the extra
#   images moved by three at most in each direction.
# - **Turns: better at 30 degrees; beyond, the gain shrinks.** The network learned what it was
#   shown.
# - **Noise: worse.** Nobody asked for that.

# %%
record("shifted_retrained", after["shift (pixels)"][3])

for kind in ("turn (degrees)", "noise (sigma)"):
    print(f"{kind} {levels[kind][2]}: {before[kind][2]:.0%} → {after[kind][2]:.0%}")

# %% tags=["check"]
assert after["turn (degrees)"][2] > before["turn (degrees)"][2]
assert after["noise (sigma)"][2] < before["noise (sigma)"][2]

# %% [markdown]
# Of the images shifted by three pixels, the network read {{ shifted }} correctly before, and reads
# {{ shifted_retrained }} now.
#
# Why does it read noisy images worse? A likely reason: a network this small has only 26,506
# parameters to spend. To tell shifted and turned digits apart, it comes to depend on finer
# differences between pixels, and those are what noise destroys. What makes a network robust against
# one thing can make it more fragile against another, and you only see it if you measure it.

# %% [markdown]
# What about the clean images, all 10,000?

# %%
clean_before = trainer.test(classifier, test_dataloader)["test_accuracy"]
clean_after = trainer.test(retrained, test_dataloader)["test_accuracy"]

print(f"clean test images: {clean_before:.1%} → {clean_after:.1%}")

# %% tags=["check"]
assert abs(clean_after - clean_before) < 0.02

# %% [markdown]
# On clean images it stays within two percent of what it was. If your users write in the middle
# of the page, there was nothing to repair. If they do not, the accuracy on the clean test images
# would never have told you. Which of the two networks is better is a question about where you
# will use it.

# %% [markdown]
# ## Draw a digit yourself
#
# Draw a digit with the mouse or a finger, and watch the ten outputs. MNIST's makers scaled each
# digit to a box of 20 × 20 pixels and put the center of mass of its ink in the middle of the image.
# The canvas does the same with your drawing, as long as "center and scale as in MNIST" is ticked.
# Untick it, draw in a corner, and see what the robustness curves mean.

# %%
from helpers import live

live.DrawDigit(classifier)

# %% [markdown]
# And this is a 7 drawn in advance, small and off the center: first centered and scaled, then as it
# was drawn.

# %%
from helpers.drawing import center_and_scale, example_drawing, shrink
from helpers.plotting import plot_outputs

drawing = example_drawing()
drawn_images = np.stack([center_and_scale(drawing), shrink(drawing)])
drawn_outputs, _ = predict(classifier, make_dataloader(drawn_images, np.array([7, 7])))

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
# The network that you have built is a small one of the simplest kind. Each of these is a next
# step:
#
# - **Convolutional networks.** Ours does not know that pixels have neighbors. A
#   [*convolutional network*](glossary.ipynb) slides *filters*, small patterns of weights, over the
#   image, so that a stroke is recognized wherever it stands. LeNet-5 (LeCun, Bottou, Bengio and
#   Haffner, 1998) reads more than 99% of the test images. deeplay has such networks too. They want
#   images with a channel, (N, 1, 28, 28), and their ten maps must become ten numbers:
#   `nn.Sequential(nn.Unflatten(1, (1, 28)), dl.ConvolutionalNeuralNetwork(1, [8, 16], 10).build(),
#   nn.AdaptiveAvgPool2d(1), nn.Flatten())`, with `from torch import nn`, is a network for
#   `Classifier(network, num_classes=10).create()`.
# - **More augmentation.** Turn, shift, stretch and add noise, with new draws in every epoch. It
#   helps a larger network more, which has less need to trade one thing for another.
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
# Here is what every change in the series has brought. The bar is the range to expect, the dot is
# what you reached, for the lessons that you have run in this folder. (Lesson 4 is not in it,
# because it measured on validation images.)

# %%
from helpers.plotting import plot_journey
from helpers.results import journey

plot_journey(journey())

# %% [markdown]
# The first network lost to ten mean images. You then changed its output, its activation, its
# batches and its optimizer, one at a time, and measured each change. None of these changes made the
# network any larger.
#
# The method is what you take with you: start simple, change one thing, measure on images that
# nothing was fitted to, look at the mistakes, and ask what your number does not tell.

# %% [markdown]
# ## What you learned
#
# - Look at the mistakes before you try to lower their number.
# - A high output is no proof: some mistakes are made with nearly full confidence.
# - A few similar pairs of digits account for many of the mistakes, and some mistakes are a
#   person's too.
# - The test accuracy holds for images like the test images; shift them by a few pixels and it
#   falls.
# - Data augmentation repairs what the extra images show, and may damage something else. Measure
#   both.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots and run the cell: it tells you at once how it went.

# %% [markdown]
# ### Exercise 1: predict
#
# Imagine 1,000 images on which every pixel is a random number between 0 and 1. There is no digit
# on any of them. What does the network say? Decide first, and put your letter into `answer`:
#
# - **a**: the ten outputs are all about 0.1, because no digit fits;
# - **b**: it names a digit, and is usually quite sure of it;
# - **c**: all outputs are about 0, because no digit fits.
#
# Then try it: `np.random.rand(1000, 28, 28)` makes such images. `predict` takes a dataloader, and
# `make_dataloader` needs digits beside the images, any digits, such as `np.zeros(1000, dtype=int)`.

# %% tags=["exercise"]
### BEGIN SOLUTION
random_images = np.random.rand(1000, 28, 28)
no_digits = np.zeros(1000, dtype=int)
random_outputs, _ = predict(classifier, make_dataloader(random_images, no_digits, batch_size=1000))
print(f"mean confidence: {random_outputs.max(dim=1).values.mean():.0%}")
answer = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_no_digit

check_no_digit(answer)

# %% [markdown]
# ### Exercise 2: change and explain
#
# In our images, 1 is ink and 0 is paper. Somebody hands over images in which it is the other way
# round: `1 - test_images`. Put the network's accuracy on these images into `inverted_accuracy`.
# Then say why it is what it is, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: an inverted image holds less information;
# - **b**: the network's weights were fitted to strokes of 1 among zeros, and it never met anything
#   else;
# - **c**: the network is too small to be trained on such images.

# %% tags=["exercise"]
### BEGIN SOLUTION
inverted_dataloader = make_dataloader(1 - test_images, test_digits, batch_size=1000)
inverted_accuracy = Trainer().test(classifier, inverted_dataloader)["test_accuracy"]
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_inverted

check_inverted(inverted_accuracy, reason)

# %% [markdown]
# ### Exercise 3: build
#
# A network that may say "I don't know" answers only for those images of which it is surest. Write
# a function `accuracy_of_surest(outputs, digits, share)`: it takes two NumPy arrays, the outputs
# (N, 10) and the digits (N,), and a share between 0 and 1. It keeps that share of the images, those
# with the highest confidence (`round` makes a whole number of images), and returns the accuracy on
# them. Then try it with `outputs`, `test_digits` and a share of 0.9.


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
# ## Next
#
# [Lesson 7: Inside the network](07_inside_the_network.ipynb) opens the network and looks at what
# each of its neurons does.
