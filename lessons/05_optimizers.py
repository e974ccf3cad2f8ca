# %% [markdown]
# # Lesson 5: Optimizers
#
# {{ badge }}
#
# In this lesson you compare four ways to walk down the same loss, each with several learning rates,
# choose one of them without looking at the test images, and train the network that you keep.
#
# **You will learn**
#
# - how SGD, momentum, RMSprop and Adam turn a slope into a step;
# - why an optimizer and its learning rate are chosen together, and how;
# - how to read learning curves, and what overfitting looks like;
# - how to test once, at the end, and how to save a trained network.
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
# Each lesson runs alone, so here are the digits once more, and the recipe so far: the network of
# [lesson 2](02_first_network.ipynb), with the softmax outputs and the ReLU of
# [lesson 3](03_softmax_and_relu.ipynb).

# %% tags=["check-output"]
from helpers.data import load_mnist

all_images, all_digits = load_mnist("train")
print(f"{len(all_images):,} training images")

# %%
from torch.nn import ReLU, Softmax

from helpers.config import Config

mlp_config = (
    Config()
    .in_features(28 * 28)
    .hidden_dims([32, 32])
    .out_features(10)
    .blocks.activation(ReLU)
    .out_activation(Softmax, dim=1)
)

# %% tags=["check-output"]
import deeplay as dl
from torch.nn import MSELoss
from torch.optim import SGD

with_relu = (
    Config()
    .model(dl.MultiLayerPerceptron, mlp_config)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(SGD, lr=0.1)
)
print(with_relu)

# %% [markdown]
# We keep the batches of 16 images from [lesson 4](04_mini_batches.ipynb). The rule that this
# lesson changes is the last one: `optimizer`.

# %% [markdown]
# ## Images to choose with
#
# We are about to try several optimizers and keep one. If we compared them on the test images, we
# would pick whichever happens to suit these 10,000 images, and its test accuracy would be a little
# too good to be true.
#
# So we compare them on the *validation images*, as in lesson 4: the same 10,000 of the training images,
# from which the network does not learn either. The one that we pick will look a little too good on
# these. But the test images have no part in the choice, so they can tell in the end.

# %% tags=["check-output"]
import numpy as np

from helpers.training import make_dataloader

order = np.random.default_rng(seed=0).permutation(60_000)
all_images, all_digits = all_images[order], all_digits[order]
train_images, train_digits = all_images[:50_000], all_digits[:50_000]
validation_images, validation_digits = all_images[50_000:], all_digits[50_000:]

train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
validation_dataloader = make_dataloader(validation_images, validation_digits, batch_size=1000)
print(f"{len(train_images):,} images to train with, in {len(train_dataloader):,} batches")
print(f"{len(validation_images):,} images to choose with")

# %% [markdown]
# `permutation` shuffles the numbers from 0 to 59,999, so that the two parts do not differ in any
# way but chance.

# %% tags=["check"]
assert max(range(60_000)) == 59_999

# %% [markdown]
# ## From a slope to a step
#
# For each batch and each parameter, the computer works out how the loss would change if you nudged
# this parameter a little: the *slope* of the loss. The slopes for all 26,506 parameters together
# are the *gradient* (you met it in lesson 3). It says which way is uphill and how steep it is
# there. It does not say how far to go.
#
# How far to move each weight is the optimizer's decision, and with it which way all of them go
# together. At the same point, all four optimizers below get the same slopes; they differ only in what
# they make of them.
#
# In the formulas, $w$ is a weight or a bias, $g$ its slope for the present batch (its own part of
# the gradient, which we call its gradient for short), and $\eta$ (eta) the learning rate. The
# arrow $\leftarrow$ means "becomes".

# %% [markdown]
# ### SGD
#
# Plain SGD goes downhill, and takes a long step where it is steep and a short one where it is
# nearly level. It remembers nothing: each batch is a fresh start.
#
# $$ w \leftarrow w - \eta\, g $$

# %% [markdown]
# ### Momentum
#
# SGD with [*momentum*](glossary.ipynb) moves like a heavy ball: it keeps a running sum $m$ of the
# gradients, in which older ones fade. Where the gradients of many batches agree, the steps grow;
# where they contradict each other, they cancel.
#
# $$ m \leftarrow \mu\, m + g \qquad\quad w \leftarrow w - \eta\, m $$
#
# $\mu$ (mu) says how much of the sum survives each step; 0.9 is the usual choice.

# %% [markdown]
# ### Exercise 1: predict
#
# A weight's gradient is 1 in every batch: always the same slope, always the same way. The
# learning rate is 0.1. Plain SGD moves the weight by 0.1 a step, forever. With momentum and
# $\mu = 0.9$, the steps grow. How long do they become in the end? Work it out on paper; the formula
# is above. Write your answer in place of the dots, and run both cells.

# %% tags=["exercise"]
### BEGIN SOLUTION
# In the end m no longer changes: m = 0.9 m + 1, so m = 10.
longest_step = 0.1 * 10
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_momentum_step

check_momentum_step(longest_step)

# %% [markdown]
# ### RMSprop
#
# [*RMSprop*](glossary.ipynb) keeps a running average $v$ of the *squared* gradient of each weight,
# and divides the gradient by the root of this average. A weight whose gradients are always large
# and a weight whose gradients are always small then take steps of about the same length, which is
# about $\eta$.
#
# $$ v \leftarrow \alpha\, v + (1 - \alpha)\, g^2 \qquad\quad
# w \leftarrow w - \eta\, \frac{g}{\sqrt{v}} $$
#
# $\alpha$ (alpha) is 0.99 in PyTorch, so $v$ remembers roughly the last hundred batches. The name
# stands for *root mean square propagation*: the root of the mean of the squares is what it
# divides by.

# %% [markdown]
# ### Exercise 2: build
#
# Write RMSprop's step for one weight: a function that takes the weight $w$, its gradient $g$, the
# average $v$ so far and the learning rate, and returns the new weight and the new average, in this
# order. Use $\alpha = 0.99$.


# %% tags=["exercise"]
### BEGIN SOLUTION
def rmsprop_step(weight, gradient, average, lr):
    """Return the weight and the average of squared gradients after one step of RMSprop."""
    average = 0.99 * average + 0.01 * gradient**2
    weight = weight - lr * gradient / average**0.5
    return weight, average


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_rmsprop_step

check_rmsprop_step(rmsprop_step)

# %% [markdown]
# ### Adam
#
# [*Adam*](glossary.ipynb) does both: it collects the gradients of many batches in $m$, as momentum
# does (as an average now, not as a sum), and divides by the root of the average square, as RMSprop
# does. Both averages begin at zero and would be too small at first, so Adam scales them up in the
# early steps.
#
# $$ m \leftarrow \beta_1 m + (1 - \beta_1)\, g \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2
# \qquad w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)}} $$
#
# $\beta_1$ and $\beta_2$ (beta) are 0.9 and 0.999 in PyTorch, and $t$ counts the steps. For large
# $t$ the two corrections in brackets come close to 1 and drop out.
#
# (RMSprop and Adam also add a very small number to the root, so that they never divide by zero.)

# %% tags=["check"]
import inspect

from torch.optim import Adam

assert inspect.signature(Adam).parameters["betas"].default == (0.9, 0.999)

# %% [markdown]
# ## Four walks down one valley
#
# Our network's loss depends on 26,506 parameters, which nobody can draw. So let us take a loss of
# two weights that has the shape that makes trouble: a narrow valley, steep across and nearly
# level along.

# %%
import torch


def valley(x, y):
    return 0.02 * x**2 + y**2


def walk(optimizer, **settings):
    """Return the 31 positions of a walk of 30 steps down the valley."""
    position = torch.tensor([-9.0, 1.6], requires_grad=True)
    optimizer = optimizer([position], **settings)
    path = [position.tolist()]
    for _ in range(30):
        optimizer.zero_grad()  # forget the last gradient
        valley(*position).backward()  # compute the gradient here
        optimizer.step()  # move
        path.append(position.tolist())
    return path


# %% [markdown]
# The three lines with a comment are what a trainer does for each batch. (`requires_grad=True` tells
# PyTorch that we want gradients for this tensor.)
#
# Now walk with each optimizer, at a learning rate that suits it.

# %%
from torch.optim import Adam, RMSprop

from helpers import live

paths = {
    "SGD": walk(SGD, lr=0.9),
    "momentum": walk(SGD, lr=0.3, momentum=0.8),
    "RMSprop": walk(RMSprop, lr=0.2),
    "Adam": walk(Adam, lr=0.6),
}
live.Valley(paths)

# %% [markdown]
# Each gray line joins points of equal loss; the loss is lowest in the middle of the innermost one.
# (In a running notebook and on the website the figure shows one walk at a time: choose the
# optimizer, its learning rate, the momentum of SGD and the start. Elsewhere it is a picture of all
# four.)
#
# - **SGD** jumps from wall to wall, because across the valley the slope is steep. Along the
#   valley, where it should go, the slope is small and so are its steps. A larger learning rate than
#   our 0.9 hardly helps, and above 1 each jump would end higher up the wall than the one before.
# - **Momentum** adds up the small gradients along the valley, so it gets on there. Across, the
#   gradient changes sign from wall to wall and cancels, bit by bit. Until then, the path swings
#   like a heavy ball in a bowl.
# - **RMSprop** makes both directions equal: its first step goes as far along as across (it looks
#   steeper because the picture is stretched upward). That step is long because the average $v$
#   has only begun to fill.
# - **Adam** starts out in the same diagonal direction, without the long first step, and then
#   swings, as momentum does.
#
# Do not rank the four by this picture. Another valley or other learning rates give another ranking.

# %% [markdown]
# ## A fair comparison
#
# Which of the four suits our network? In lesson 4 you saw that a comparison at one learning rate
# proves little: it may suit one recipe and ruin the other. So we try several learning rates with
# each optimizer, each about three times the one before. This is called a [*sweep*](glossary.ipynb).
#
# `compare` trains each recipe with three seeds, and measures it on the validation images after the
# training. With the same seed, all recipes see the same images in the same order. To keep it quick,
# each training is one epoch of 12,000 images.

# %%
from helpers.experiments import compare

small_dataloader = make_dataloader(
    train_images[:12_000], train_digits[:12_000], batch_size=16, shuffle=True
)


# %%
def sweep(learning_rates, optimizer, **settings):
    """Train the recipe with one optimizer at several learning rates, three seeds each."""
    recipes = {rate: with_relu.optimizer(optimizer, lr=rate, **settings) for rate in learning_rates}
    return compare(recipes, small_dataloader, validation_dataloader)


sweeps = {"SGD": sweep([0.1, 0.3, 1, 3, 10, 30], SGD)}
print(sweeps["SGD"])

# %% [markdown]
# Our 0.1 goes back to lesson 2, where each step followed a single image. With batches of 16 there
# are 16 times fewer steps in an epoch, and 0.1 is far too small to get anywhere in one short epoch.
# Ten times as much does much better, and at some point the steps become too long.
#
# Now momentum, with $\mu = 0.9$. Before you look: what does it read at the same learning rate, 0.1?
#
# - **a**: about as much as SGD: the slopes are the same;
# - **b**: less than SGD: the heavy ball overshoots;
# - **c**: more than twice as much as SGD.

# %%
from helpers.guesses import guess, reveal

guess("momentum at 0.1", ...)  # your letter, in quotes, in place of the dots

# %%
sweeps["momentum"] = sweep([0.01, 0.03, 0.1, 0.3, 1, 3], SGD, momentum=0.9)
print(sweeps["momentum"])

# %%
at_same_rate = sweeps["momentum"].of(0.1).mean() / sweeps["SGD"].of(0.1).mean()
reveal("momentum at 0.1", a=0.9 <= at_same_rate <= 1.1, b=at_same_rate < 0.9, c=at_same_rate > 2)

# %%
from helpers.plotting import plot_sweep

plot_sweep({name: sweeps[name] for name in ("SGD", "momentum")}, "learning rate")

# %% [markdown]
# Each mark is one training, and each line joins the means. (Marks of the same rate stand side by
# side, and the lines go with them: the two look a little closer than they are.) What to notice:
#
# - **Both lines have the same shape:** with too small a rate the network does not get far in so
#   short a training, with too large a rate the steps overshoot, and in between is a broad top.
# - **Momentum's line is SGD's, moved to the left by about a factor of ten.** Exercise 1 tells why.
#   As long as the gradients agree, momentum's steps grow to $\eta / (1 - \mu)$ times the gradient:
#   ten times as long, for $\mu = 0.9$. This is its [*effective learning rate*](glossary.ipynb).
#
# So let us set the two side by side at the same effective learning rate.

# %%
for rate in (0.01, 0.03, 0.1, 0.3):
    momentum, sgd = sweeps["momentum"].of(rate), sweeps["SGD"].of(round(10 * rate, 1))
    print(f"momentum at {rate}: {momentum.mean():.1%}, SGD at {10 * rate:.1f}: {sgd.mean():.1%}")

# %% tags=["check"]
assert 2 * sweeps["SGD"].of(0.1).mean() < sweeps["momentum"].of(0.1).mean()
for small, large in ((0.01, 0.1), (0.03, 0.3), (0.1, 1)):
    gap = sweeps["momentum"].of(small).mean() - sweeps["SGD"].of(large).mean()
    assert abs(gap) < 0.04

# %% [markdown]
# As long as the steps are short, each pair is nearly the same; in the last pair, where the steps
# are long, three seeds do not prove much. On this network, momentum mostly *is* a longer step. What
# it adds, the swinging that cancels, hardly shows as long as the steps are short enough.
#
# Now the two that divide by the size of the gradients. SGD's step is the learning rate times a
# gradient, which is mostly small; theirs is about as long as the learning rate itself. So their
# learning rates are far smaller.

# %%
sweeps["RMSprop"] = sweep([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03], RMSprop)
print(sweeps["RMSprop"])

# %%
sweeps["Adam"] = sweep([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03], Adam)
print(sweeps["Adam"])

# %%
plot_sweep({name: sweeps[name] for name in ("RMSprop", "Adam")}, "learning rate")

# %% [markdown]
# Again there is a broad top and a fall on each side. Compare where it lies with the figure of SGD and
# momentum: SGD's best rates would stand far to the right of this one, beyond the rates at which
# RMSprop only guesses and Adam has begun to fall. This is why a learning rate means nothing without
# its optimizer.
#
# Look how far RMSprop's marks lie apart at 0.01. There the seed decides, and a single run could
# have misled you badly.

# %%
best = {}
for name, swept in sweeps.items():
    best[name] = max(swept.names, key=lambda rate: swept.of(rate).mean())
    print(f"{name:9} is best at {best[name]:6}: {swept.of(best[name]).mean():.1%} on average")

# %% tags=["check"]
tops = [sweeps[name].of(best[name]).mean() for name in sweeps]
assert max(tops) - min(tops) < 0.08
assert best["SGD"] >= 1
assert best["momentum"] in (0.1, 0.3)
assert best["RMSprop"] in (0.001, 0.003)
assert best["Adam"] in (0.001, 0.003)

# %% [markdown]
# With a rate that suits each, all four optimizers come close to each other, and far from where SGD
# was with 0.1. RMSprop and Adam are somewhat ahead in this short training. (Each number is the best
# of six, so it is perhaps a little too good.)
#
# What they are valued for beside that is comfort. If all gradients were ten times as large, their
# steps would hardly change, so 0.001 is a common first try for many networks and many losses. It is
# only a first try: RMSprop's top here is no broader than SGD's, though Adam's is.

# %% [markdown]
# ### Exercise 3: change and explain
#
# SGD did well with a learning rate of 1. Give RMSprop a learning rate of 0.1: train a new
# classifier for one epoch on the first 6,000 training images, in batches of 16, and put
# its accuracy on the validation images into `fast_accuracy` (`trainer.test` measures it on any
# dataloader). Give the new dataloader a name of its own: the lesson needs `train_dataloader` again.
# Then say why it comes out as it does, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: RMSprop's steps are about as long as the learning rate, however small the gradients are,
#   so each of them overshoots;
# - **b**: 6,000 images are too few for any optimizer;
# - **c**: the network learned its training images by heart.

# %%
from lightning import seed_everything

from helpers.training import Classifier, Trainer

# %% tags=["exercise"]
### BEGIN SOLUTION
seed_everything(0, verbose=False)
fast_classifier = with_relu.optimizer(RMSprop, lr=0.1).create(Classifier)
few_images = make_dataloader(train_images[:6000], train_digits[:6000], batch_size=16, shuffle=True)
fast_trainer = Trainer(max_epochs=1)
fast_trainer.fit(fast_classifier, few_images)
fast_accuracy = fast_trainer.test(fast_classifier, validation_dataloader)["test_accuracy"]
reason = "a"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_fast_rmsprop

check_fast_rmsprop(fast_accuracy, reason)

# %% [markdown]
# ## The choice
#
# The sweep was short, and a short training likes long steps: there is little time to get anywhere. We
# mean to train for much longer. So four recipes meet once more, in three epochs of 50,000 images,
# again with three seeds each. Each optimizer comes with the rate that was best for it, and RMSprop
# with 0.001 too, to see whether its longer steps stay ahead; so it has one try more than the others.
# (Momentum sits out: with short steps it
# did what SGD does with ten times the rate. That is a shortcut and not quite fair, since its best
# mean was a little above SGD's.)

# %%
finalists = {
    "SGD at 1": with_relu.optimizer(SGD, lr=1),
    "RMSprop at 0.001": with_relu.optimizer(RMSprop, lr=0.001),
    "RMSprop at 0.003": with_relu.optimizer(RMSprop, lr=0.003),
    "Adam at 0.001": with_relu.optimizer(Adam, lr=0.001),
}
final = compare(finalists, train_dataloader, validation_dataloader, epochs=3)

# %%
from helpers.plotting import plot_comparison

plot_comparison(final)
print(final.difference("RMSprop at 0.001", "RMSprop at 0.003"))
print(final.difference("RMSprop at 0.001", "Adam at 0.001"))

# %% tags=["check"]
assert all(final.of(name).mean() > 0.92 for name in finalists)
assert abs(final.difference("RMSprop at 0.001", "Adam at 0.001").mean) < 0.01
assert final.difference("RMSprop at 0.001", "RMSprop at 0.003").mean > -0.005

# %% [markdown]
# In the longer training all means have come closer together, and RMSprop's longer steps have lost
# what they had ahead in the short one. There is no clear winner. RMSprop and Adam with 0.001 differ
# by less than three seeds can show. SGD's mean is a little lower, but its trainings lie so far
# apart that it may be as good. Something has to be taken: we take **RMSprop with a learning rate of
# 0.001**, which is among the best and has one thing less to set than Adam. Here is what
# `difference` says of the new recipe.

# %% tags=["check-output"]
from helpers.config import difference

with_rmsprop = with_relu.optimizer(RMSprop, lr=0.001)
print(difference(with_relu, with_rmsprop))

# %% [markdown]
# ## Learning by heart
#
# Before the long training, a warning. More epochs bring more accuracy on the *training* images, but
# that is no merit by itself. When a network goes on improving on those and no longer on new ones,
# it learns them by heart; this is called [*overfitting*](glossary.ipynb).
#
# To see it, we let the chosen recipe learn from 1,000 images only, for thirty epochs, and measure
# on the validation images after each. Before you look: what becomes of the accuracy on the
# validation images?
#
# - **a**: it stops rising early, while that on the training images goes on to nearly all;
# - **b**: it goes up together with that on the training images, to nearly all;
# - **c**: it rises, and then falls back to less than half of the images.

# %%
guess("1,000 images", ...)  # your letter, in quotes, in place of the dots

# %%
thousand = make_dataloader(train_images[:1000], train_digits[:1000], batch_size=16, shuffle=True)
histories = {}
for seed in range(3):
    seed_everything(seed, verbose=False)
    trainer = Trainer(max_epochs=30, enable_progress_bar=False)
    trainer.fit(with_rmsprop.create(Classifier), thousand, validation_dataloader)
    histories[f"seed {seed}"] = trainer.history

# %%
from helpers.plotting import plot_learning_curves

plot_learning_curves(histories)

# %%
for name, history in histories.items():
    read, known = history["validation_accuracy"], history["train_accuracy"]
    print(
        f"{name}: after 10 epochs {known[9]:.1%} of the 1,000 and {read[9]:.1%} of the others, "
        f"after 30 {known[29]:.1%} and {read[29]:.1%}"
    )
reveal("1,000 images", a=read[29] < known[29] - 0.05, b=read[29] > 0.95, c=read[29] < 0.5)

# %% tags=["check"]
for history in histories.values():
    read, known = history["validation_accuracy"], history["train_accuracy"]
    assert known[29] > known[9] + 0.01
    assert abs(read[29] - read[9]) < 0.03
    assert known[29] > 0.97
    assert 0.8 < read[29] < 0.92

# %% [markdown]
# A figure such as this shows [*learning curves*](glossary.ipynb): loss and accuracy, epoch by epoch.
# Look at the right panel. At first the dashed and the solid curves rise together. Then they part.
# From about the tenth epoch on, the network still improves on its 1,000 images (dashed: an average
# over each epoch), while on the others it goes up and down by a few percentage points, with no trend
# that the three seeds share. That is the sign of overfitting.
#
# The surest cure is more images. A network of 26,506 parameters can learn 1,000 images
# by heart; let us see what it does with 60,000.

# %% [markdown]
# ## Ten epochs, all images
#
# The choice is made, so the validation images have done their work and go back to the others: the
# final network learns from all 60,000, for ten epochs as in lesson 4.

# %%
seed_everything(0, verbose=False)
classifier = with_rmsprop.create(Classifier)
all_images_dataloader = make_dataloader(all_images, all_digits, batch_size=16, shuffle=True)
trainer = Trainer(max_epochs=10, accelerator="auto")
trainer.fit(classifier, all_images_dataloader)

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% [markdown]
# The first epochs bring most of the gain and the later ones less and less. The accuracy on the
# training images is still creeping up when we stop. Whether that on new images is too, this figure
# cannot tell.

# %% [markdown]
# ## Tested once
#
# Now, and only now, the 10,000 test images. No choice in this lesson has depended on them.

# %%
from helpers.results import record

test_images, test_digits = load_mnist("test")
test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)
test_result = trainer.test(classifier, test_dataloader)
record("rmsprop", test_result["test_accuracy"])

# %% [markdown]
# How much better does it read what it learned from? Set the training images beside the test images.
# But beware: the training accuracy of the last epoch is an average over that epoch, measured batch
# by batch while the network was still changing. To compare, we read all training images once more
# with the trained network.

# %%
from helpers.training import predict

outputs, digits = predict(classifier, make_dataloader(all_images, all_digits, batch_size=1000))
train_accuracy = float((outputs.argmax(dim=1) == digits).float().mean())

print(f"training images, average of the last epoch: {trainer.history['train_accuracy'][-1]:.1%}")
print(f"training images, after the training:        {train_accuracy:.1%}")
print(f"test images, after the training:            {test_result['test_accuracy']:.1%}")

# %% tags=["check"]
assert 0 < train_accuracy - test_result["test_accuracy"] < 0.025

# %% [markdown]
# It reads the images that it learned from a little better than new ones. Compare the gap with that
# of the 1,000 images: it has nearly closed. A small gap is normal, and no proof of overfitting; for
# that we would have to measure on new images after every epoch, and the test images are not for
# that.
#
# We began at {{ sigmoid }} in lesson 2 and are at {{ rmsprop }}. The network has kept its size;
# all that changed is what its neurons compute and how it is trained.

# %% [markdown]
# ## The confusion matrix

# %%
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confusion_matrix

outputs, digits = predict(classifier, test_dataloader)
confusion_matrix = multiclass_confusion_matrix(outputs.argmax(dim=1), digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

# %% [markdown]
# Rows are the true digits, columns what the network said. The diagonal holds more than nine
# images in ten of every digit: each *recall* is above nine tenths. Beside so full a diagonal, the
# mistakes all look alike. So here they are alone, with colors of their own.

# %%
plot_confusion_matrix(confusion_matrix, mistakes_only=True)

# %% [markdown]
# Look for the darkest cells: which digits does the network mix up most? Does it mix them up in both
# directions, or only in one?

# %%
recall = confusion_matrix.diagonal() / confusion_matrix.sum(dim=1)
easiest, *_, harder, hardest = recall.argsort(descending=True).tolist()
print(f"easiest digit: {easiest} ({recall[easiest]:.1%})")
print(f"hardest digits: {hardest} ({recall[hardest]:.1%}) and {harder} ({recall[harder]:.1%})")

# %% tags=["check"]
assert recall.min() > 0.9

# %% [markdown]
# ## Saving the network
#
# A trained network is its recipe and its parameters. Both go into one file, from which you can take
# the network up again whenever you like. (`load_classifier` makes the network from the recipe that
# you give it, and refuses if the file was saved with another one.)

# %%
from helpers.training import load_classifier, save_classifier

save_classifier(classifier, with_rmsprop, "saved/rmsprop.pt")

loaded = load_classifier(with_rmsprop, "saved/rmsprop.pt")
loaded_outputs, _ = predict(loaded, test_dataloader)
print(f"the loaded network says exactly the same: {torch.equal(loaded_outputs, outputs)}")

# %% tags=["check"]
assert torch.equal(loaded_outputs, outputs)

# %% [markdown]
# ## What you learned
#
# - The gradient says which way is uphill and how steep; the optimizer decides how far each weight
#   goes.
# - Momentum adds up gradients that agree. RMSprop makes the steps of all weights about equally
#   long. Adam does both.
# - A learning rate belongs to its optimizer: sweep it for each, with several seeds, and then
#   compare those that do best.
# - With momentum, the effective learning rate is $\eta / (1 - \mu)$.
# - Choices are made on validation images; the test images are for the end, once.
# - Training accuracy that goes on rising while validation accuracy does not means overfitting. To
#   compare two numbers at the end, measure both with the finished network.

# %% [markdown]
# ## Next
#
# [Lesson 6: Where it fails](06_failure_analysis.ipynb) looks at the images that this network gets
# wrong, and at what makes it fail more often.
