# %% [markdown]
# # Lesson 4: Mini-batches
#
# {{ badge }}
#
# So far the network took a step after every single image. In this lesson it looks at several images
# before each step. You measure what that saves and what it costs, together with the length of the
# steps, and choose.
#
# **You will learn**
#
# - what a batch is, and what shape it has;
# - why a bigger batch is quicker per image, and why it makes fewer steps;
# - how noisy the loss of a step is, and how a batch calms it;
# - why batch size and learning rate belong together, and how to choose both with validation images.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than half a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Recap: images to choose with
#
# This lesson chooses between batch sizes. As in [lesson 3](03_softmax_and_relu.ipynb), one
# chooses with images that are neither learned from nor tested on: the same 10,000 of the training
# images are our validation images. The other 50,000 are left to learn from. The test images are not
# even loaded today.

# %% tags=["check-output"]
import numpy as np

from helpers.data import load_mnist

all_images, all_digits = load_mnist("train")
order = np.random.default_rng(seed=0).permutation(60_000)
all_images, all_digits = all_images[order], all_digits[order]
train_images, train_digits = all_images[:50_000], all_digits[:50_000]
validation_images, validation_digits = all_images[50_000:], all_digits[50_000:]

print(f"{len(train_images):,} images to learn from")
print(f"{len(validation_images):,} images to choose with")

# %% [markdown]
# And here is the recipe that [lesson 3](03_softmax_and_relu.ipynb) arrived at: ReLU in the hidden
# layers, softmax at the outputs. Until the lesson says so, it stays the same.

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
# ### Exercise 1: build
#
# Write your answer in place of the dots; the cell below it tells you how it went.
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
# The loss of a batch is the mean over the 16 images. So a batch has one loss, one gradient, and
# makes one step: a step that suits 16 images on average, where it used to suit one.
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

# %% tags=["check"]
assert 50_000 / 64 == 781.25
assert 50_000 // 64 == 781

# %% [markdown]
# ### Exercise 2: predict
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
# ## Four batch sizes, one epoch each
#
# We train a new network with each batch size, from the same recipe and the same seed, for one epoch.
#
# Before you look: which of these networks reads the most validation images?
#
# - **a**: the one with single images;
# - **b**: the one with batches of 16;
# - **c**: the one with batches of 256.

# %%
from helpers.guesses import guess, reveal

guess("best batch size", ...)  # your letter, in quotes, in place of the dots

# %% [markdown]
# We also take the time of `fit`. The trainer has costs of its own, before the first step and after
# the last, which are the same for any batch size. To know them, we first time an epoch of a single
# batch.

# %%
import time

from helpers.training import Trainer, predict


def train(dataloader):
    """Train the recipe for one epoch; return classifier, trainer and the seconds it took."""
    seed_everything(0, verbose=False)
    classifier = classifier_config.create(Classifier)
    trainer = Trainer(max_epochs=1, enable_progress_bar=False)
    start = time.perf_counter()
    trainer.fit(classifier, dataloader)
    return classifier, trainer, time.perf_counter() - start


# %%
one_batch = make_dataloader(train_images[:16], train_digits[:16], batch_size=16)
fixed_seconds = min(train(one_batch)[2] for _ in range(3))
print(f"an epoch of one batch: {fixed_seconds:.2f} s")

# %%
validation_dataloader = make_dataloader(validation_images, validation_digits, batch_size=1000)
results, step_losses, classifiers = {}, {}, {}

for batch_size in batch_sizes:
    train_dataloader = make_dataloader(train_images, train_digits, batch_size, shuffle=True)
    classifiers[batch_size], trainer, seconds = train(train_dataloader)
    outputs, digits = predict(classifiers[batch_size], validation_dataloader)
    results[batch_size] = {
        "seconds": max(seconds - fixed_seconds, 0.001),
        "accuracy": float((outputs.argmax(dim=1) == digits).double().mean()),
        "steps": len(trainer.step_losses),
    }
    step_losses[batch_size] = trainer.history["step_losses"]

# %%
from helpers.plotting import plot_batch_sizes

plot_batch_sizes(results)

# %%
accuracies = {size: result["accuracy"] for size, result in results.items()}
best = max(accuracies, key=accuracies.get)
reveal("best batch size", a=best == 1, b=best == 16, c=best == 256)

# %% tags=["check"]
assert accuracies[1] > accuracies[16] + 0.05
assert accuracies[16] > accuracies[256] + 0.1
assert accuracies[256] < 0.3

# %% [markdown]
# The seconds are those of the 50,000 images, without the trainer's fixed cost. The network trained
# with single images takes by far the longest, and it is by far the best. The bigger batches are
# quicker, and their networks are worse; with batches of 256 one reads no more than guessing would.
# (This is one run for each; with more seeds we come back to it below.) Let us take one after the
# other.

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
# Notice that the gain does not keep up with the batch size: batches of 256 are far from 256 times as
# quick. By then the costs of a step are shared among so many images that they hardly count. What is
# left is done for each image: handing it over, multiplying it by the weights, and counting the
# accuracy.

# %% [markdown]
# ## Why the network gets worse
#
# It did not see fewer images. It took fewer steps: with batches of 256 it took 196 of them, and a
# step has a length, learning rate times gradient. 196 steps of this length do not lead far, however
# well each of them is aimed. To see where each network stands, we draw the loss against the number of
# images seen.

# %% tags=["check"]
assert -(-50_000 // 256) == 196

# %%
from helpers.plotting import plot_step_losses

plot_step_losses(step_losses)

# %% [markdown]
# Each epoch is cut into forty parts. The line joins the mean losses of the parts, and nine in ten of
# the losses of a part lie in the band.
#
# Follow the lines first. All begin at 0.09, the loss of the fair guess. With single images the loss
# falls early on; with batches of 16 it begins to fall much later; with 64 and 256 the epoch is over
# before the fall has really begun. They are all on the same road, and some have not come far.
#
# Now look at the bands. With single images the band is wide: one image is easy and has a loss near
# 0, the next is hard, and its loss is high. With batches of 16 it is narrower. But do not conclude
# too much: a network that still gives the fair guess has a loss of about 0.09 for every image, so
# its band is thin whatever the batch size. See where the first panel begins.

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
# The gradient of a batch is a mean over its images too, so the same rule holds for each of its
# numbers (we do not measure it here). The step after a single image suits that one image, and may
# make things worse for all the others. The step after a batch points closer to where all 50,000
# images together would send it.
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
# - **New images.** Small batches often lead to networks that read new images as well, or better. It
#   is no law; you find out with validation images.
#
# And why not always the smallest? Because its steps are slow per image, and so noisy that they have
# to be short.
#
# So calm steps should be able to be longer. We have left the learning rate at 0.1, which suited the
# steps after single images.

# %% [markdown]
# ### Exercise 3: change and explain
#
# With batches of 16 and the learning rate 0.1, one epoch brought the network part of the way. Make
# a recipe with 16 times the learning rate, `lr=1.6`, and predict what one epoch brings now. Then
# train a new classifier from it for one epoch with batches of 16, and put its validation accuracy
# into `fast_accuracy`. (You need a dataloader for it: `train_dataloader` now makes batches of 256, the
# last size that we tried.)
#
# Why can batches of 16 bear such long steps?
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
# ## Batch size and learning rate
#
# Four batch sizes at one learning rate prove little: the rate suits one of them. To compare them
# fairly, each must be tried with several rates, and each pair with several seeds.
#
# Before you look: batches of 64 with 0.4 make a quarter of the steps of batches of 16 with 0.1, each
# with four times the rate. After one epoch, compared with 16 and 0.1, the network ...
#
# - **a**: reads less, by more than five percentage points: there are too few steps;
# - **b**: reads about as much, within five percentage points;
# - **c**: reads more, by more than five percentage points: calm steps lead further.

# %%
guess("64 with four times the rate", ...)  # your letter, in quotes, in place of the dots

# %% [markdown]
# We begin with the quick ones. `compare` is that of lesson 3; a recipe's name may be a number. (It
# sets the seed once more before it shuffles, so the runs above are not among these.)

# %%
from helpers.experiments import compare

compared = {}
recipes = {rate: classifier_config.optimizer.lr(rate) for rate in (0.1, 0.4, 1.6, 6.4)}
for batch_size in (16, 64, 256):
    train_dataloader = make_dataloader(train_images, train_digits, batch_size, shuffle=True)
    compared[batch_size] = compare(recipes, train_dataloader, validation_dataloader)

# %% [markdown]
# For single images we try only two rates, because each training makes 50,000 steps and takes
# longer. Whether a higher one could be worth trying, the result at 0.4 will tell.

# %%
train_dataloader = make_dataloader(train_images, train_digits, batch_size=1, shuffle=True)
recipes = {rate: classifier_config.optimizer.lr(rate) for rate in (0.1, 0.4)}
compared[1] = compare(recipes, train_dataloader, validation_dataloader)

# %%
from helpers.plotting import plot_sweep

plot_sweep({f"batch size {size}": compared[size] for size in batch_sizes}, xlabel="learning rate")

# %% [markdown]
# Each mark is one training, and each line joins the means. (Marks of the same rate stand side by
# side, so that none hides another: only the rates on the axis were tried.) Here are the numbers.

# %%
for batch_size in batch_sizes:
    print(f"batch size {batch_size}")
    print(compared[batch_size])

# %%
lead = compared[64].of(0.4).mean() - compared[16].of(0.1).mean()
reveal("64 with four times the rate", a=lead < -0.05, b=abs(lead) <= 0.05, c=lead > 0.05)

# %% tags=["check"]
pairs = [(16, 0.1, 64, 0.4), (64, 0.4, 256, 1.6), (64, 0.1, 256, 0.4)]
for small, rate, large, larger_rate in pairs:
    assert abs(compared[small].of(rate) - compared[large].of(larger_rate)).max() < 0.05
best_means = {size: compared[size].accuracies.mean(axis=1).max() for size in batch_sizes}
assert abs(best_means[1] - best_means[16]) < 0.02
assert best_means[16] > best_means[64] + 0.01 > best_means[256]
assert compared[16].of(1.6).mean() == best_means[16]
assert compared[64].of(6.4).mean() < compared[64].of(1.6).mean()
assert compared[1].of(0.1).mean() > compared[1].of(0.4).mean()

# %% [markdown]
# What to notice:
#
# - **At 0.1** the order is that of before: the smaller the batch, the more the network reads. The
#   ranges of the three seeds do not even overlap.
# - **Four times the batch and four times the rate** end at about the same accuracy, the lowest and
#   the highest run included, as long as the steps are short: 16 with 0.1, 64 with 0.4 and 256 with
#   1.6, for example. A quarter of the steps, each about four times as long, come equally far.
#   [Lesson 8](08_beyond_one_machine.ipynb) comes back to this rule.
# - **It does not go on for ever.** With single images 0.4 is already worse than 0.1, and with
#   batches of 16, 6.4 is worse than 1.6. With 64, look at the marks at 6.4 and not only at the
#   mean: they lie far apart. Where steps become too long, the seed decides.
# - **At their best rates** of those tried, single images and batches of 16 read about the same
#   after one epoch; batches of 64 and 256 read less. But single images are best at the lowest rate
#   tried and 256 at the highest, so better rates may lie outside our search.
#
# So a batch size alone is neither good nor bad. Batch size and learning rate are chosen together,
# and each with validation images. Where to begin is a matter of habit, and not a result of this
# lesson: for a small network on one machine, 32 is a common first try. (The sizes are mostly powers
# of two, by habit too.)

# %% [markdown]
# ## Our choice: 16, and more epochs
#
# We take batches of 16: among the three quick sizes, they did best on the validation images, and they
# are as good as single images and several times as quick. How far do they get in ten epochs? We train
# with the old rate 0.1, and with 1.6, one run each. (With a third argument, `fit` also measures on
# those images after each epoch.)

# %%
train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)
histories = {}

for rate in (0.1, 1.6):
    print(f"rate {rate}")
    seed_everything(0, verbose=False)
    classifier = classifier_config.optimizer.lr(rate).create(Classifier)
    trainer = Trainer(max_epochs=10, accelerator="auto")
    trainer.fit(classifier, train_dataloader, validation_dataloader)
    histories[f"rate {rate}"] = trainer.history

# %%
from helpers.plotting import plot_learning_curves

plot_learning_curves(histories)

# %% [markdown]
# Look at the right panel. With the rate 0.1 the accuracy jumps up between the first and the second
# epoch. After that, an epoch brings less and less. With 1.6 the network reads about as much after
# one epoch as with 0.1 after ten, and after ten it is still ahead.
#
# Training accuracy (dashed) is an average over the whole epoch, including its beginning, and
# validation accuracy is measured at its end. That is why the network may seem to read validation
# images better in the first epochs.

# %%
from helpers.results import record

record("mini_batches", histories["rate 0.1"]["validation_accuracy"][-1])

# %% tags=["check"]
slow, fast = (histories[f"rate {rate}"]["validation_accuracy"] for rate in (0.1, 1.6))
assert fast[0] > slow[0] + 0.1
assert fast[-1] > slow[-1]

# %% [markdown]
# About {{ mini_batches }} of the validation images with the rate 0.1, in ten epochs. Single images
# came as far in one; but with a rate that fits, batches of 16 do too, in a fraction of the time.
#
# We do not look at the test images: these numbers served to choose, and the [next
# lesson](05_optimizers.ipynb) goes on choosing. It starts from the rate 0.1 again. That is not
# because 0.1 is the better rate, as you just saw, but because it searches the rate anew, for each
# of four optimizers.

# %% [markdown]
# ## What you learned
#
# - A batch is an array of images that share one step. Its first dimension counts them.
# - A bigger batch is quicker per image, because its images share the costs of a step. It also takes
#   fewer steps in an epoch.
# - The noise of a batch's loss falls with the square root of the batch size.
# - When the batch grows, the learning rate can grow too, up to a point: choose both together, with
#   validation images and several seeds.
# - By habit, one begins with a batch size of about 32, and then searches, together with the learning
#   rate.

# %% [markdown]
# ## Next
#
# [Lesson 5: Optimizers](05_optimizers.ipynb) replaces plain gradient descent by optimizers that
# remember earlier batches, and then tests the result, once.
