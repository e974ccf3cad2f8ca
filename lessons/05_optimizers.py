# %% [markdown]
# # Lesson 5: Optimizers
#
# {{ badge }}
#
# In this lesson you compare four ways to walk down the same loss, choose one of them without
# looking at the test images, and train the network that the rest of the series uses.
#
# **You will learn**
#
# - how SGD, momentum, RMSprop and Adam turn a slope into a step;
# - why a learning rate that suits one optimizer ruins another;
# - how to choose between recipes with validation images, and how to read learning curves;
# - how to test once, at the end, and how to save a trained network.
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
# Each lesson runs alone, so here are the digits once more, and the recipe so far: the network of
# [lesson 2](02_first_network.ipynb), with the softmax outputs and the ReLU of
# [lesson 3](03_softmax_and_relu.ipynb).

# %% tags=["check-output"]
from helpers.data import load_mnist

train_images, train_digits = load_mnist("train")
test_images, test_digits = load_mnist("test")

print(f"{len(train_images):,} training images, {len(test_images):,} test images")

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
# So we compare them on the *validation images*, as in lesson 4: 10,000 of the training images,
# from which the network does not learn either, and at which we may look as often as we like. They
# are the same 10,000 as there.
#
# One name differs: here `train_images` goes on meaning all 60,000, because the last network of this
# lesson learns from all of them.

# %% tags=["check-output"]
import numpy as np

from helpers.training import make_dataloader

order = np.random.default_rng(0).permutation(60_000)
for_training, for_validation = order[:50_000], order[50_000:]

train_dataloader = make_dataloader(
    train_images[for_training], train_digits[for_training], batch_size=16, shuffle=True
)
validation_dataloader = make_dataloader(
    train_images[for_validation], train_digits[for_validation], batch_size=1000
)
print(f"{len(for_training):,} images to train with, in {len(train_dataloader):,} batches")
print(f"{len(for_validation):,} images to choose with")

# %% [markdown]
# `permutation` shuffles the numbers from 0 to 59,999, so that the two parts do not differ in any
# way but chance.

# %% [markdown]
# ## From a slope to a step
#
# For each batch and each parameter, the computer works out how the loss would change if you nudged
# this parameter a little: the *slope* of the loss. The slopes for all 26,506 parameters together
# are the *gradient* (you met it in lesson 3). It says which way is uphill and how steep it is
# there. It does not say how far to go.
#
# How far to go is the optimizer's decision. All four optimizers below get the same slopes, and
# differ only in what they make of them.
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

# %% [markdown]
# (RMSprop and Adam also add a very small number to the root, so that they never divide by zero.)

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

from helpers.plotting import plot_optimizer_paths

paths = {
    "SGD": walk(SGD, lr=0.9),
    "momentum": walk(SGD, lr=0.3, momentum=0.8),
    "RMSprop": walk(RMSprop, lr=0.2),
    "Adam": walk(Adam, lr=0.6),
}
plot_optimizer_paths(paths, valley)

# %% [markdown]
# Each gray line joins points of equal loss; the loss is lowest in the middle of the innermost one.
#
# - **SGD** jumps from wall to wall, because across the valley the slope is steep. Along the
#   valley, where it should go, the slope is small and so are its steps. A larger learning rate
#   does not help: above 1, each jump would end higher up the wall than the one before.
# - **Momentum** adds up the small gradients along the valley, so it gets on there. Across, the
#   gradient changes sign from wall to wall and cancels, bit by bit. Until then, the path swings
#   like a heavy ball in a bowl.
# - **RMSprop** makes both directions equal: its first step goes as far along as across (it looks
#   steeper because the picture is stretched upward). That step is long because the average $v$
#   has only begun to fill.
# - **Adam** starts out in the same diagonal direction, without the long first step, and then
#   swings, as momentum does.
#
# Do not rank the four by this picture. Another valley or other learning rates give another
# ranking.

# %% [markdown]
# ## Four recipes
#
# In the recipe, one rule changes. Here are the three new recipes, and what `difference` says of
# one.

# %% tags=["check-output"]
from helpers.config import difference

with_momentum = with_relu.optimizer(SGD, lr=0.1, momentum=0.9)
with_rmsprop = with_relu.optimizer(RMSprop, lr=0.001)
with_adam = with_relu.optimizer(Adam, lr=0.001)

print(difference(with_relu, with_rmsprop))

# %% [markdown]
# Why is the learning rate a hundred times smaller? SGD's step is the learning rate *times the
# gradient*, and our gradients are small. RMSprop and Adam move each weight by about the learning
# rate itself, however small its gradient is. 0.001 is a common value to begin with.

# %% [markdown]
# ## Four trainings
#
# Each recipe is trained for three epochs, from the same first weights and with the images in the
# same order. As in lesson 4, we give the trainer the validation images too: it measures loss and
# accuracy on them after each epoch, and does not learn from them.

# %%
from lightning import seed_everything

from helpers.training import Classifier, Trainer


def train_and_validate(recipe):
    """Train a new classifier for three epochs; return the history."""
    seed_everything(0, verbose=False)
    trainer = Trainer(max_epochs=3, accelerator="auto")
    trainer.fit(recipe.create(Classifier), train_dataloader, validation_dataloader)
    return trainer.history


histories = {"SGD": train_and_validate(with_relu)}

# %%
histories["momentum"] = train_and_validate(with_momentum)

# %%
histories["RMSprop"] = train_and_validate(with_rmsprop)

# %%
histories["Adam"] = train_and_validate(with_adam)

# %% [markdown]
# ## Learning curves
#
# A [*learning curve*](glossary.ipynb) shows loss or accuracy epoch by epoch.

# %%
from helpers.plotting import plot_learning_curves

the_others = {name: histories[name] for name in ("momentum", "RMSprop", "Adam")}
plot_learning_curves(the_others | {"SGD": histories["SGD"]})

# %% [markdown]
# Three things to notice:
#
# - **SGD lags behind.** [Lesson 4](04_mini_batches.ipynb) showed why: with batches of 16 it makes
#   3,125 steps an epoch instead of 50,000, with the same learning rate, and does not get as far.
# - **The other three end close together,** so close that this figure cannot tell them apart.
# - **In the first epoch, the solid curve is better than the dashed one.** The network seems to
#   read new images better than those it learns from! As in lesson 4, it does not: the training
#   accuracy is averaged over the whole epoch, its clumsy beginning included, and the validation
#   accuracy is measured at the end.
#
# Here are the three once more, without SGD.

# %%
plot_learning_curves(the_others)

# %% [markdown]
# Compare the solid curves: they end within a few percent of one another. They may cross, and may
# even turn down for an epoch, because after each step the network is a slightly different one, and
# steps as long as these keep it jittering. Another seed can give another order.

# %%
reached = {name: history["validation_accuracy"][-1] for name, history in histories.items()}
for name, accuracy in reached.items():
    print(f"{name:10} {accuracy:.1%} of the validation images")

# %% tags=["check"]
assert min(reached[name] for name in the_others) > reached["SGD"] + 0.01
assert max(reached.values()) - min(reached[name] for name in the_others) < 0.03

# %% [markdown]
# ## Were we fair to SGD?
#
# Not quite. Its 0.1 goes back to lesson 2, where each step followed a single image. The average
# over 16 images is far less noisy, and allows longer steps, as exercise 2 of lesson 4 found. Let
# us give SGD ten times the learning rate.

# %%
histories["SGD, lr=1"] = train_and_validate(with_relu.optimizer(SGD, lr=1.0))
reached_by_fast_sgd = histories["SGD, lr=1"]["validation_accuracy"][-1]

print(f"SGD with lr=0.1: {reached['SGD']:.1%}, with lr=1: {reached_by_fast_sgd:.1%}")

# %% tags=["check"]
assert reached_by_fast_sgd > reached["SGD"] + 0.01
assert max(reached.values()) < reached_by_fast_sgd + 0.03

# %% [markdown]
# Most of the distance is gone. So what sets SGD apart here is mainly its learning rate: an
# optimizer and its learning rate have to be chosen together, and a comparison with a badly chosen
# one proves little.
#
# What RMSprop and Adam give you is comfort. Their steps do not depend on how large the gradients
# happen to be, so the same 0.001 is a good first guess for many networks and many losses. With SGD
# you search anew each time.

# %% [markdown]
# ## The choice
#
# Momentum, RMSprop, Adam, and SGD with a better learning rate end within a few percent of each
# other, and a difference this small is partly luck. We take **RMSprop with a learning rate of
# 0.001**: it is among the good ones, on its first try, and has one thing less to set than Adam. If
# you take Adam instead, you will do about as well.

# %% [markdown]
# ## Ten epochs, all images
#
# The choice is made, so the validation images have done their work and go back to the others: the
# final network learns from all 60,000, for ten epochs as in lesson 4.

# %%
seed_everything(0, verbose=False)
classifier = with_rmsprop.create(Classifier)
all_images_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
trainer = Trainer(max_epochs=10, accelerator="auto")
trainer.fit(classifier, all_images_dataloader)

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% [markdown]
# The first epochs bring most of the gain and the later ones less and less. Ten epochs are where we
# stop, not where it ends: the accuracy is still creeping up.
#
# Creeping up on the *training* images is no merit by itself. When a network goes on improving on
# those and no longer on new ones, it learns them by heart; this is called
# [*overfitting*](glossary.ipynb). Its sign is a validation accuracy that has stopped rising, or
# falls, while the training accuracy goes on rising for several epochs.

# %% [markdown]
# ## Tested once
#
# Now, and only now, the 10,000 test images. No choice in this lesson has depended on them.

# %%
from helpers.results import record

test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)
test_result = trainer.test(classifier, test_dataloader)
record("rmsprop", test_result["test_accuracy"])

# %%
train_accuracy = trainer.history["train_accuracy"][-1]
print(f"training images, last epoch: {train_accuracy:.1%}")
print(f"test images:                 {test_result['test_accuracy']:.1%}")

# %% tags=["check"]
assert abs(train_accuracy - test_result["test_accuracy"]) < 0.03

# %% [markdown]
# The network reads new images nearly as well as those that it learned from, so it overfits little:
# with 26,506 parameters and ten epochs, it has not learned 60,000 images by heart.
#
# We began at {{ sigmoid }} in lesson 2 and are at {{ rmsprop }}. The network has kept its size;
# all that changed is what its neurons compute and how it is trained.

# %% [markdown]
# ## The confusion matrix

# %%
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confusion_matrix
from helpers.training import predict

outputs, digits = predict(classifier, test_dataloader)
confusion_matrix = multiclass_confusion_matrix(outputs.argmax(dim=1), digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

# %% [markdown]
# Rows are the true digits, columns what the network said. The diagonal now holds more than nine
# images in ten of every digit: each *recall* is above nine tenths. Look for the darkest cells
# beside it: which two digits does the network mix up most? Does it mix them up in both directions?

# %%
recall = confusion_matrix.diagonal() / confusion_matrix.sum(dim=1)
print(f"easiest digit: {int(recall.argmax())}, hardest digit: {int(recall.argmin())}")

# %% tags=["check"]
assert recall.min() > 0.9

# %% [markdown]
# ## Saving the network
#
# A trained network is its recipe and its parameters. Both go into one file, from which
# [lesson 6](06_failure_analysis.ipynb) takes the network up again. (`load_classifier` makes the
# network from the recipe that you give it, and refuses if the file was saved with another one.)

# %%
from helpers.training import load_classifier, save_classifier

save_classifier(classifier, with_rmsprop, "saved/rmsprop.pt")

loaded = load_classifier(with_rmsprop, "saved/rmsprop.pt")
loaded_outputs, _ = predict(loaded, test_dataloader)
print("saved as saved/rmsprop.pt; the loaded network says exactly the same")

# %% tags=["check"]
assert torch.equal(loaded_outputs, outputs)

# %% [markdown]
# ## What you learned
#
# - The gradient says which way is uphill and how steep; the optimizer decides how far to go.
# - Momentum adds up gradients that agree. RMSprop makes the steps of all weights about equally
#   long. Adam does both.
# - A learning rate belongs to its optimizer: compare recipes only with a sensible one for each.
# - Choices are made on validation images; the test images are for the end, once.
# - Training accuracy far above validation accuracy means overfitting.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots and run the cell: it tells you at once how it went.

# %% [markdown]
# ### Exercise 1: predict
#
# A weight's gradient is 1 in every batch: always the same slope, always the same way. The
# learning rate is 0.1. Plain SGD moves the weight by 0.1 a step, forever. With momentum and
# $\mu = 0.9$, the steps grow. How long do they become in the end? Work it out on paper; the formula
# is above.

# %% tags=["exercise"]
### BEGIN SOLUTION
# In the end m no longer changes: m = 0.9 m + 1, so m = 10.
longest_step = 0.1 * 10
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_momentum_step

check_momentum_step(longest_step)

# %% [markdown]
# ### Exercise 2: change and explain
#
# SGD did well with a learning rate of 1. Give RMSprop a learning rate of 0.1: train a new
# classifier for one epoch on the first 6,000 images of `for_training`, in batches of 16, and put its
# accuracy on the validation images into `fast_accuracy` (`trainer.test` measures it on any
# dataloader). Then say why it comes out as it does, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: RMSprop's steps are about as long as the learning rate, however small the gradients are,
#   so each of them overshoots;
# - **b**: 6,000 images are too few for any optimizer;
# - **c**: the network overfits.

# %% tags=["exercise"]
### BEGIN SOLUTION
seed_everything(0, verbose=False)
fast_classifier = with_relu.optimizer(RMSprop, lr=0.1).create(Classifier)
few = for_training[:6000]
few_images = make_dataloader(train_images[few], train_digits[few], batch_size=16, shuffle=True)
fast_trainer = Trainer(max_epochs=1)
fast_trainer.fit(fast_classifier, few_images)
fast_accuracy = fast_trainer.test(fast_classifier, validation_dataloader)["test_accuracy"]
reason = "a"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_fast_rmsprop

check_fast_rmsprop(fast_accuracy, reason)

# %% [markdown]
# ### Exercise 3: build
#
# Write RMSprop's step for one weight: a function that takes the weight $w$, its gradient $g$, the
# average $v$ so far and the learning rate, and returns the new weight and the new average, in this
# order. Use $\alpha = 0.99$, and leave the very small number out.


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
# ## Next
#
# [Lesson 6: Where it fails](06_failure_analysis.ipynb) looks at the images that this network gets
# wrong, and at what makes it fail more often.
