# %% [markdown]
# # Lesson 4: Mini-batches
#
# {{ badge }}
#
# So far the network took a step after every single image. In this lesson it looks at several images
# before each step. You measure what that saves and what it costs, and choose.
#
# **You will learn**
#
# - what a batch is, and what shape it has;
# - why a bigger batch is quicker per image, and why it makes fewer steps;
# - how noisy the loss of a step is, and how a batch calms it;
# - how to choose a batch size with validation images, and a rule of thumb to begin with.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Recap: images to choose with
#
# This lesson chooses between batch sizes. As [lesson 1](01_data.ipynb) said, one chooses with images
# that are neither learned from nor tested on: 10,000 of the training images become validation images.
# The other 50,000 are left to learn from, and from now on these are our `train_images`. The test
# images are not even loaded today.

# %% tags=["check-output"]
import numpy as np

from helpers.data import load_mnist

all_images, all_digits = load_mnist("train")
shuffled = np.random.default_rng(seed=0).permutation(len(all_images))
train, validation = shuffled[:50_000], shuffled[50_000:]

train_images, train_digits = all_images[train], all_digits[train]
validation_images, validation_digits = all_images[validation], all_digits[validation]

print(f"{len(train_images):,} images to learn from")
print(f"{len(validation_images):,} images to choose with")

# %% [markdown]
# And here is the recipe that [lesson 3](03_softmax_and_relu.ipynb) arrived at: ReLU in the hidden
# layers, softmax at the outputs. It stays the same through the whole lesson.

# %% tags=["check-output"]
import deeplay as dl
from torch.nn import MSELoss, ReLU, Softmax
from torch.optim import SGD

from helpers.config import Config

classifier_config = (
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
    .optimizer(SGD, lr=0.1)
)
print(classifier_config)

# %% [markdown]
# ## What a batch is
#
# A [*batch*](glossary.ipynb), or *mini-batch*, is a handful of images that the network looks at
# together before it takes one step. The dataloader puts them together. So far its `batch_size` was
# 1, so we used batches all the time, of one image each. Let us ask for 16.

# %% tags=["check-output"]
from lightning import seed_everything

from helpers.training import make_dataloader

seed_everything(0, verbose=False)
train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
batch_images, batch_digits = next(iter(train_dataloader))

print(f"images {tuple(batch_images.shape)}, digits {tuple(batch_digits.shape)}")

# %%
from helpers.plotting import plot_batch

plot_batch(batch_images, batch_digits)

# %% [markdown]
# A batch of images is one array with three dimensions: 16 images of 28 × 28 pixels. With it come 16
# digits. The images are drawn at random, so some digits appear more than once, and others perhaps not
# at all.
#
# The network takes the whole array and gives ten outputs for each image.

# %% tags=["check-output"]
from helpers.training import Classifier

seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
outputs = classifier(batch_images)

print(f"outputs {tuple(outputs.shape)}")

# %% [markdown]
# The loss is then the mean over the 16 images. So a batch has one loss, one gradient, and makes one
# step: a step that suits 16 images on average, where it used to suit one.
#
# Fewer, bigger batches mean fewer steps in an epoch. Here is how many for the sizes that we are
# about to compare.

# %% tags=["check-output"]
batch_sizes = (1, 16, 64, 256)

for batch_size in batch_sizes:
    train_dataloader = make_dataloader(train_images, train_digits, batch_size, shuffle=True)
    print(f"batch size {batch_size:3}: {len(train_dataloader):6,} steps an epoch")

# %% [markdown]
# (50,000 divided by 64 is 781.25: after 781 full batches, 16 images are left over, and they make a
# last, smaller batch.)
#
# The batch size is a [*hyperparameter*](glossary.ipynb): a number that you choose and that training
# does not change. The learning rate is another, and so are the sizes of the layers.

# %% [markdown]
# ## Four batch sizes, one epoch each
#
# Guess before you run it: which batch size is the quickest? And which gives the best network?
#
# The loop trains a new network with each batch size, from the same recipe and the same seed. A
# trainer that is given a second dataloader measures the accuracy on its images, here the validation
# images, at the end of each epoch.

# %%
import time

from helpers.training import Trainer

validation_dataloader = make_dataloader(validation_images, validation_digits, batch_size=1000)
results, step_losses, classifiers = {}, {}, {}

for batch_size in batch_sizes:
    print(f"batch size {batch_size}")
    train_dataloader = make_dataloader(train_images, train_digits, batch_size, shuffle=True)
    seed_everything(0, verbose=False)
    classifiers[batch_size] = classifier_config.create(Classifier)
    trainer = Trainer(max_epochs=1)
    start = time.perf_counter()
    trainer.fit(classifiers[batch_size], train_dataloader, validation_dataloader)
    seconds = time.perf_counter() - start
    accuracy = trainer.history["validation_accuracy"][-1]
    step_losses[batch_size] = trainer.history["step_losses"]
    steps = len(step_losses[batch_size])
    results[batch_size] = {"seconds": seconds, "accuracy": accuracy, "steps": steps}

# %%
from helpers.plotting import plot_batch_sizes

plot_batch_sizes(results)

# %% [markdown]
# The network trained with single images takes by far the longest, and it is by far the best. The
# bigger batches are quicker, and their networks are worse. Let us take one after the other.

# %% [markdown]
# ## Why a bigger batch is quicker
#
# All four networks saw the same 50,000 images. But each step has costs that do not depend on how
# many images it looks at: Python calls one function after another, and the optimizer changes all
# 26,506 parameters. With batches of 16, sixteen images share these costs.
#
# The computing itself gains too. A processor multiplies 16 images by the weights in far less than 16
# times the time that it needs for one. (On a graphics card this is even more so: it computes
# hundreds of images about as fast as one.)

# %%
for batch_size in (16, 64, 256):
    ratio = results[1]["seconds"] / results[batch_size]["seconds"]
    print(f"batch size {batch_size:3}: {ratio:.0f} times quicker than single images")

# %% tags=["check"]
assert results[1]["seconds"] > 2 * results[16]["seconds"]
assert results[1]["seconds"] > 3 * results[256]["seconds"]

# %% [markdown]
# Notice that the gain does not keep up with the batch size. Batches of 16 are several times quicker
# than single images, but batches of 256 are far from 16 times quicker than batches of 16. By then
# the costs of a step are shared among so many images that they hardly count. What is left are the
# sums themselves, and the start of the trainer and the validation, which are the same for all.

# %% [markdown]
# ## Why the network gets worse
#
# It did not see fewer images. It took fewer steps. With batches of 256 it took 196 of them, and a
# step has a length: learning rate times gradient. 196 steps of this length do not lead far, however
# well each of them is aimed.

# %%
for batch_size, result in results.items():
    print(f"batch size {batch_size:3}: {result['steps']:6,} steps, {result['accuracy']:.0%} right")

# %% tags=["check"]
assert results[1]["accuracy"] > results[16]["accuracy"] + 0.05
assert results[16]["accuracy"] > results[256]["accuracy"] + 0.1
assert results[256]["accuracy"] < 0.3

# %% [markdown]
# With single images the network already reads most of the validation images. With batches of 16 it
# is part of the way there, and with batches of 256 it reads hardly more of them than by guessing,
# which is right about once in ten.
#
# To see where each network stands, we draw the loss against the number of images seen.

# %%
from helpers.plotting import plot_step_losses

plot_step_losses(step_losses)

# %% [markdown]
# Follow the thick lines first. All begin at 0.09, the loss of the fair guess. With single images the
# loss falls early on; with batches of 16 it begins to fall much later; with 64 and 256 the epoch is
# over before the fall has really begun. They are all on the same road, and some have not come far.
#
# Now look at the thin lines, the losses of the single steps. At batch size 1 they fill the panel:
# one image is easy and has a loss near 0, the next is hard, and its loss is high. The bigger the
# batch, the narrower the band. At 64 and 256 the thick line hides it.

# %% [markdown]
# ## Noise
#
# This jumping up and down is called [*noise*](glossary.ipynb). How much of it does a batch take away?
# The panels cannot tell, because their networks have not come equally far. So we take one network,
# the first, compute its loss for each training image, and average these losses in groups of 1, 16,
# 64 and 256.
#
# The *standard deviation* says how far such averages typically lie from their mean. The cell prints
# it after the ±. (49,920 is the most images that can be divided into groups of 256.)

# %%
import torch

from helpers.training import predict

outputs, digits = predict(classifiers[1], make_dataloader(train_images, train_digits, 1000))
targets = torch.nn.functional.one_hot(digits, num_classes=10)
image_losses = ((outputs - targets) ** 2).mean(dim=1)

spread = {}
for batch_size in batch_sizes:
    batch_losses = image_losses[:49_920].reshape(-1, batch_size).mean(dim=1)
    spread[batch_size] = float(batch_losses.std())
    print(f"batch size {batch_size:3}: loss {batch_losses.mean():.4f} ± {spread[batch_size]:.4f}")

# %% tags=["check"]
assert 3 < spread[1] / spread[16] < 5
assert 3 < spread[16] / spread[256] < 5

# %% [markdown]
# The mean is the same each time. The noise falls, and by a rule: with 16 times as many images in a
# batch, there is about a quarter of the noise. It falls with the square root of the batch size $B$:
#
# $$ \text{noise of a batch} \approx \frac{\text{noise of one image}}{\sqrt{B}} $$
#
# What holds for the loss holds for the gradient. The step after a single image suits that one image,
# and may make things worse for all the others. The step after a batch points closer to where all
# 50,000 images together would send it.
#
# The square root also says that calm has a price. From 16 to 256, each step computes 16 times as
# much, and the noise falls to a quarter.

# %% [markdown]
# ## Why not always the biggest?
#
# - **Steps.** The bigger the batch, the fewer steps an epoch has, as you saw.
# - **The way bends.** The gradient tells which way is down at the point where the network stands.
#   Knowing this direction very precisely helps little if it is another one a few steps later.
# - **Memory.** All images of a batch, and what every layer makes of them, must be in memory at the
#   same time. For our small images that is nothing. For large ones it sets the limit, above all on a
#   graphics card.
# - **New images.** A little noise can even help: it shakes the network out of places that suit the
#   training images alone. Small batches often lead to networks that read new images as well, or
#   better. It is no law; you find out with validation images.
#
# And why not always the smallest? Because its steps are slow per image, and so noisy that they have
# to be short.
#
# So it is a balance, and there is no batch size that is best for all. As a *rule of thumb*, begin
# with 32. Sizes below 8 or above 256 are rare. (They are mostly powers of two, by habit.)

# %% [markdown]
# ## Our choice: 16, and more epochs
#
# We take batches of 16: among the three quick sizes, they did best on the validation images. They
# leave many steps in an epoch, which our short steps need, and so we stay below the 32 of the rule of
# thumb. And they are so much quicker that in about the time of one epoch of single images we can go
# through the training images ten times.

# %%
train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)

seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
trainer = Trainer(max_epochs=10, accelerator="auto")
start = time.perf_counter()
trainer.fit(classifier, train_dataloader, validation_dataloader)
seconds = time.perf_counter() - start

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% [markdown]
# Look at the right panel. The accuracy jumps up between the first and the second epoch. After that,
# an epoch brings less and less, but the curve is still rising in the end.
#
# The two curves stay close together: the network reads validation images, which it never learned
# from, about as well as training images. In the first epochs it even seems to read them better. That
# is a matter of timing: training accuracy is an average over the whole epoch, including its
# beginning, and validation accuracy is measured at its end.

# %%
from helpers.results import record

record("mini_batches", trainer.history["validation_accuracy"][-1])

gap = trainer.history["train_accuracy"][-1] - trainer.history["validation_accuracy"][-1]
print(f"training minus validation accuracy after the last epoch: {gap:+.1%}")

# %% tags=["check"]
assert abs(gap) < 0.03

# %% [markdown]
# About {{ mini_batches }} of the validation images. We do not look at the test images: this number
# served to choose, and the next lesson goes on choosing.

# %% [markdown]
# ## What did we win?
#
# Compare the ten epochs with the one epoch of single images.

# %%
single = results[1]
steps, accuracy = len(trainer.step_losses), trainer.history["validation_accuracy"][-1]
ratio = seconds / single["seconds"]

print("                       steps   right   time (first row: 1)")
print(f"1 image, 1 epoch     {single['steps']:7,}   {single['accuracy']:5.0%}   1.0")
print(f"16 images, 10 epochs {steps:7,}   {accuracy:5.0%}   {ratio:.1f}")

# %% tags=["check"]
assert 0.2 < ratio < 5
assert accuracy > single["accuracy"] - 0.02

# %% [markdown]
# To be honest: up to now, not much. The accuracy is about the same, and the time is not far off. But
# it took fewer steps to get there, and calmer ones.
#
# What are calm steps good for? They can be longer. We have left the learning rate at 0.1, because we
# change one thing at a time. It suited the noisy steps after single images; for batches of 16 it is
# too careful. Exercise 2 changes it, and the optimizers of
# [lesson 5](05_optimizers.ipynb) find the right length by themselves, for each parameter.

# %% [markdown]
# ## What you learned
#
# - A batch is an array of images that share one step. Its first dimension counts them.
# - A bigger batch is quicker per image, because its images share the costs of a step. It also takes
#   fewer steps in an epoch.
# - The noise of a step falls with the square root of the batch size.
# - Begin with a batch size of about 32, seldom go below 8 or above 256, and choose with validation
#   images.
# - When the batch grows, the learning rate can grow too.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots and run the cell: it tells you at once how it went.

# %% [markdown]
# ### Exercise 1: predict
#
# You train on the 50,000 training images with batches of 64, for three epochs. How many steps does
# the network take in all?

# %% tags=["exercise"]
### BEGIN SOLUTION
steps_of_three_epochs = 3 * int(np.ceil(50_000 / 64))
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_steps

check_steps(steps_of_three_epochs)

# %% [markdown]
# ### Exercise 2: change and explain
#
# With batches of 16 and the learning rate 0.1, one epoch brought the network part of the way. Make
# a recipe with 16 times the learning rate, `lr=1.6`, and predict what one epoch brings now. Then
# train a new classifier from it for one epoch with batches of 16, and put its validation accuracy
# into `fast_accuracy`.
#
# Why can batches of 16 do with such long steps?
#
# - **a**: a mean over 16 images points more reliably the right way, so one can follow it further;
# - **b**: with a higher learning rate, the network sees more images in an epoch;
# - **c**: with a higher learning rate, each step is computed more quickly.

# %% tags=["exercise"]
### BEGIN SOLUTION
fast_config = classifier_config.optimizer(SGD, lr=1.6)
fast_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
fast_classifier = fast_config.create(Classifier)
fast_trainer = Trainer(max_epochs=1)
fast_trainer.fit(fast_classifier, fast_dataloader, validation_dataloader)
fast_accuracy = fast_trainer.history["validation_accuracy"][-1]
reason = "a"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_higher_rate

check_higher_rate(fast_accuracy, reason)

# %% [markdown]
# ### Exercise 3: build
#
# Write a function `make_batches` that takes images, digits and a batch size, and returns a list of
# batches in the order in which the images come. Each batch is a pair: its images and its digits. If
# some images are left over at the end, they make a last, smaller batch.


# %% tags=["exercise"]
### BEGIN SOLUTION
def make_batches(images, digits, batch_size):
    """Return a list of pairs of images and digits, `batch_size` of them in each."""
    starts = range(0, len(images), batch_size)
    return [(images[i : i + batch_size], digits[i : i + batch_size]) for i in starts]


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_make_batches

check_make_batches(make_batches)

# %% [markdown]
# ## Next
#
# [Lesson 5: Optimizers](05_optimizers.ipynb) replaces plain gradient descent by something that looks
# where it steps, and then tests the result, once.
