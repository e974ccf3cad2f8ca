# %% [markdown]
# # Lesson 2: A first network
#
# {{ badge }}
#
# In this lesson you build a small neural network, train it on 60,000 handwritten digits and measure
# how well it reads 10,000 others.
#
# **You will learn**
#
# - what a neuron, a layer and a dense network compute;
# - how to write a network down as a recipe, and what its 26,506 parameters are;
# - what a loss, an optimizer, an epoch and a dataloader are;
# - what happens in one step of training, written out in plain PyTorch;
# - how to train and test a classifier, and how much the result owes to chance;
# - how to count and to read a confusion matrix.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb). Where you see dots, write your answer in their place.

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## The digits
#
# You met them in [lesson 1](01_data.ipynb): 60,000 images to learn from, 10,000 images to be tested
# on, each with the digit that it shows.

# %% tags=["check-output"]
from helpers.data import load_mnist

train_images, train_digits = load_mnist("train")
test_images, test_digits = load_mnist("test")

print(f"training: {train_images.shape} images, {train_digits.shape} digits")
print(f"test:     {test_images.shape} images, {test_digits.shape} digits")

# %% [markdown]
# ## One neuron
#
# A [*neuron*](glossary.ipynb) takes numbers and gives back one number. It multiplies each input by a
# *weight*, adds the products up, and adds one more number called the *bias*. This makes the
# *weighted sum*. The neuron passes it through a function called its *activation*:
#
# $$ \text{output} = f(w_1 x_1 + w_2 x_2 + \dots + w_n x_n + b) $$
#
# Here $x_1$ to $x_n$ are the inputs, $w_1$ to $w_n$ the weights, $b$ is the bias and $f$ the
# activation. The drawing computes one neuron with three inputs.

# %%
from helpers import live

live.Neuron()

# %% [markdown]
# Follow the numbers from left to right. Notice that a negative weight makes its input count against
# the others: the input 0.2 takes 0.20 away from the sum.
#
# (Where the figure is live, drag input 2 to the right: the more goes in there, the less comes out.
# Then drag the bias slowly to its right end. The sum grows at the same pace all the way; the output
# rises less and less, the nearer it comes to 1.)
#
# The weights and the bias are the neuron's *parameters*. To train a network is to find parameters
# with which it does what you want. Everything else stays as you wrote it.
#
# Our first activation is the *sigmoid*, $\sigma(z) = 1 / (1 + e^{-z})$, where $z$ is the weighted
# sum. It turns any number into one between 0 and 1. We take it from PyTorch, the library that does
# the computing in this series. Its name in Python is `torch`.

# %%
import torch

from helpers.plotting import plot_activations

plot_activations({"sigmoid": torch.sigmoid})

# %% [markdown]
# Notice how flat the curve is at both ends: there, a neuron hardly reacts when its inputs change.
# The right panel shows how steep the curve is, its *slope*. It is never more than 0.25. Keep this in
# mind for [lesson 3](03_softmax_and_relu.ipynb).

# %% [markdown]
# ## Neurons in layers
#
# A *layer* is a row of neurons that all look at the same inputs. In a *dense network* (also called a
# *multi-layer perceptron*, or MLP) the outputs of one layer are the inputs of the next, and each
# neuron is connected to all of them.
#
# Ours has one input for each of the 28 × 28 = 784 pixels, two layers of 32 neurons, and at the end an
# *output layer* of ten neurons, one per digit. The layers between the inputs and the output layer are
# called *hidden layers*.

# %%
from helpers.plotting import plot_network

plot_network([28 * 28, 32, 32, 10])

# %% [markdown]
# An image has 28 rows of 28 pixels, and the network has 784 inputs in one row. So each image is
# *flattened*: its rows are put one after the other. The pixel in row $r$ and column $c$ becomes input
# number $28 r + c$.

# %% tags=["check-output"]
image = train_images[0]
flat = image.flatten()

print(f"an image of shape {image.shape} becomes {flat.shape}")
print(f"row 14, column 15: {image[14, 15]:.2f}")
print(f"input number 28 * 14 + 15 = {28 * 14 + 15}: {flat[28 * 14 + 15]:.2f}")

# %% [markdown]
# Any other order would do as well, if it is the same for all images: nothing in the network knows
# which pixels are neighbors. That it can read digits all the same is worth some wonder.

# %% [markdown]
# ## The recipe of the network
#
# We write the network down as a [*recipe*](glossary.ipynb), one rule after another, with `Config`. A
# recipe makes nothing yet; it says what to make.

# %% tags=["check-output"]
from torch.nn import Sigmoid

from helpers.config import Config

mlp_config = (
    Config()
    .in_features(28 * 28)
    .hidden_dims([32, 32])
    .out_features(10)
    .blocks.activation(Sigmoid)
    .out_activation(Sigmoid)
)
print(mlp_config)

# %% [markdown]
# Read it from top to bottom: 784 inputs, two hidden layers of 32, ten outputs, a sigmoid in the
# hidden layers (`blocks.activation`), and a sigmoid at the outputs (`out_activation`).
#
# `create` makes the network, here a multi-layer perceptron of deeplay, a library of networks built
# on PyTorch. Its weights begin as small random numbers, so we first set the seed (lesson 1), with
# `seed_everything` from the library Lightning: with the same seed, you get the same network each time.

# %% tags=["check-output"]
import deeplay as dl
from lightning import seed_everything

seed_everything(0, verbose=False)
mlp_model = mlp_config.create(dl.MultiLayerPerceptron)
print(mlp_model)

# %% [markdown]
# The printout shows three blocks, each with a `Linear` part (the weighted sums) and an activation.
# The first two are the hidden layers, the last is the output layer.
#
# How many parameters did it make? Let us ask the network (`numel` is the number of elements of an
# array), and then count by hand: each neuron has one weight per input and one bias.

# %% tags=["check-output"]
parameters = sum(parameter.numel() for parameter in mlp_model.parameters())
by_hand = (784 + 1) * 32 + (32 + 1) * 32 + (32 + 1) * 10

print(f"{parameters:,} parameters; by hand {by_hand:,}")

# %% tags=["check"]
assert parameters == by_hand == 26_506

# %% [markdown]
# Most of them, 25,120, sit between the pixels and the first hidden layer.

# %% tags=["check"]
assert (784 + 1) * 32 == 25_120

# %% [markdown]
# ### Exercise 1: predict
#
# How many parameters does a network with 784 inputs, **one** hidden layer of 64 neurons and 10
# outputs have? Work it out on paper first.

# %% tags=["exercise"]
### BEGIN SOLUTION
parameters_784_64_10 = (784 + 1) * 64 + (64 + 1) * 10
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_parameter_count

check_parameter_count(parameters_784_64_10)

# %% [markdown]
# ## What ten outputs mean
#
# Let us show the untrained network its first image.
#
# PyTorch computes with *tensors*, its own arrays; `torch.from_numpy` makes one out of a NumPy array.
# A network always takes several images at once, so one image goes in as a stack of one,
# `train_images[:1]`, of shape (1, 28, 28). The network flattens each image itself, from (1, 28, 28)
# to (1, 784). And `torch.no_grad()` says that we only want the outputs and are not training.

# %%
from helpers.plotting import plot_outputs

stack = torch.from_numpy(train_images[:1])
with torch.no_grad():
    outputs = mlp_model(stack)
    outputs_of_flat = mlp_model(stack.flatten(start_dim=1))

print(f"flattened beforehand, the same outputs: {torch.equal(outputs, outputs_of_flat)}")
plot_outputs(train_images[0], outputs[0], train_digits[0])

# %% [markdown]
# Each of the ten outputs lies between 0 and 1, because each comes out of a sigmoid. We read output
# 3 as "how much this looks like a 3", and take the digit with the highest output as the network's
# answer.
#
# Before training, all ten lie in the middle, and which of them is highest is chance: the network
# knows nothing yet. Notice also that they do not add up to 1, so you cannot read them as
# probabilities. [Lesson 3](03_softmax_and_relu.ipynb) changes that.

# %% [markdown]
# ## The recipe of the classifier
#
# To learn, the network needs something to aim at, and a way to get there. A *classifier* is the
# network together with all that its training takes:

# %% tags=["check-output"]
from torch.nn import MSELoss
from torch.optim import SGD

classifier_config = (
    Config()
    .model(dl.MultiLayerPerceptron, mlp_config)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(SGD, lr=0.1)
)
print(classifier_config)

# %% [markdown]
# The printout spells the network's own rules out, each behind `model`. The rules of the classifier
# are these:
#
# - `model`: the network, from its own recipe.
# - `num_classes`: there are ten digits to tell apart.
# - `make_targets_one_hot`: the network gives ten numbers, so the right answer, the *target*, must be
#   ten numbers too. *One-hot* means a 1 at the place of the digit and a 0 everywhere else.
# - `loss`: the [*loss*](glossary.ipynb) is one number that says how wrong the network is. Ours is the
#   *mean squared error* (`MSELoss`): it takes the difference between each output and its target,
#   squares it, and averages.
# - `optimizer`: the [*optimizer*](glossary.ipynb) is the rule by which the parameters change so that
#   the loss falls. *Stochastic gradient descent* (SGD) moves each parameter a little in the direction
#   in which the loss falls. The *learning rate* `lr` says how far. (*Stochastic* means "by chance":
#   the images come in random order. Lesson 3 explains the gradient.)
#
# Here are target and loss in numbers, for the image above.

# %%
target = torch.nn.functional.one_hot(torch.tensor(train_digits[0]), num_classes=10)
error = ((outputs[0] - target) ** 2).mean()

print(f"the digit {train_digits[0]} as one-hot target: {target.tolist()}")
print(f"mean squared error of the untrained network: {error:.3f}")

# %% [markdown]
# Now make the classifier. `Classifier` is deeplay's, with quicker bookkeeping: it trains to the same
# weights, bit for bit. (The top of `helpers/training.py` says how.)

# %%
from helpers.training import Classifier

seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
print(classifier)

# %% [markdown]
# Find the loss and the optimizer at the top and, at the bottom, the network that you know. In between
# are its *metrics*, which are measured beside the loss. Ours has one, the accuracy, on training,
# validation and test images (`train`, `val` and `test`).

# %% [markdown]
# ## The same recipe, step by step
#
# A recipe can also set the rules of the network one at a time, through `model`. It is the same
# recipe, as `==` confirms.

# %% tags=["check-output"]
step_by_step = (
    Config()
    .model(dl.MultiLayerPerceptron)
    .model.in_features(28 * 28)
    .model.hidden_dims([32, 32])
    .model.out_features(10)
    .model.blocks.activation(Sigmoid)
    .model.out_activation(Sigmoid)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(SGD, lr=0.1)
)
print(step_by_step == classifier_config)

# %% [markdown]
# Recipes are these lessons' own way of writing. Elsewhere you will meet deeplay without them, so every
# recipe can say itself in plain deeplay. Do not worry about the details.

# %% tags=["check-output"]
code = classifier_config.code(dl.Classifier)
print(code)

# %% [markdown]
# This is ready to be copied into a file and run where none of these lessons' helpers are. Does it make
# the same network? `exec` runs a text as Python code and keeps the names that it makes in a
# dictionary. With the same seed as above, it should begin with the same weights.

# %% tags=["check-output"]
made = {}
seed_everything(0, verbose=False)
exec(code, made)

both = zip(made["classifier"].parameters(), classifier.parameters(), strict=True)
print(f"the same weights: {all(torch.equal(plain, ours) for plain, ours in both)}")

# %% [markdown]
# ## Dataloaders
#
# A *dataloader* hands images and digits to the training, a few at a time. For now it hands over one
# image at a time: the network looks at an image, sees how wrong it is, changes its parameters a
# little, and looks at the next. One such change is a *step*. What is handed over at once is a
# *batch*, here of size 1; [lesson 4](04_mini_batches.ipynb) makes it larger.

# %% [markdown]
# PyTorch's `DataLoader` makes one out of any list. Ours is a list of pairs: `zip` goes through images
# and digits side by side, and puts each image together with its digit.

# %% tags=["check-output"]
from torch.utils.data import DataLoader

pairs = list(zip(train_images, train_digits, strict=True))
plain_dataloader = DataLoader(pairs, batch_size=1, shuffle=True)

seed_everything(0, verbose=False)
images, digits = next(iter(plain_dataloader))
print(f"{len(plain_dataloader):,} batches")
print(f"the first: images {tuple(images.shape)}, digits {tuple(digits.shape)}")

# %% [markdown]
# `shuffle=True` hands the training images over in a random order. Ours come mixed already ([lesson
# 1](01_data.ipynb)), but never count on that: if images come sorted, as in lesson 1's files, the
# network sees one digit only for a long time. Exercise 2 shows how bad this can get.
#
# A list of pairs is picked apart pair by pair, 60,000 times. `make_dataloader` takes the two arrays as
# they are, which is quicker, and hands over the same.

# %% tags=["check-output"]
from helpers.training import make_dataloader

train_dataloader = make_dataloader(train_images, train_digits, batch_size=1, shuffle=True)
test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)

seed_everything(0, verbose=False)
same_images, same_digits = next(iter(train_dataloader))
print(f"the same image: {torch.equal(images, same_images)}")
print(f"the same digit: {torch.equal(digits, same_digits)}")
print(f"{len(train_dataloader):,} training batches, {len(test_dataloader):,} test batches")

# %% [markdown]
# Testing changes no parameters, so there the order does not matter, and handing over 1,000 images
# at a time only makes it quicker.

# %% [markdown]
# ## One step after another
#
# What happens in training? Here it is, in plain PyTorch, for the first 1,000 training images. Each turn
# of the loop is one step.

# %%
few_dataloader = make_dataloader(
    train_images[:1000], train_digits[:1000], batch_size=1, shuffle=True
)
seed_everything(0, verbose=False)
network = mlp_config.create(dl.MultiLayerPerceptron)
loss_function = MSELoss()
optimizer = SGD(network.parameters(), lr=0.1)

for images, digits in few_dataloader:
    targets = torch.nn.functional.one_hot(digits, num_classes=10).float()
    loss = loss_function(network(images), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% [markdown]
# Read the loop from top to bottom:
#
# - the digits become one-hot targets;
# - the network gives its outputs, and the loss says how wrong they are;
# - `zero_grad` forgets what was found out in the step before;
# - `backward` finds out, for each of the 26,506 parameters, in which direction the loss falls and how
#   steeply (lesson 3 says how);
# - `step` moves each parameter a little in this direction, as the optimizer's rule has it.
#
# That is all there is to training. The next lessons change one of these lines after another.

# %% [markdown]
# ## The trainer
#
# Around this loop, there is much to decide. A [*trainer*](glossary.ipynb) does that:
#
# - **on what hardware** to compute: `accelerator="auto"`, which you may leave out, uses a graphics card
#   if there is one, and the processor if not;
# - **when to stop**: `max_epochs=1` makes it go through the training images once. One such pass is an
#   *epoch*. It could also stop after an hour, or once the loss no longer falls;
# - **what to note down**: losses and accuracies, in `trainer.history`, and the progress that it shows;
# - **what to save**, and when: our trainers save nothing unless asked to, since they are done so soon;
# - **what to measure** afterwards: `trainer.test` tests the network.
#
# `fit` starts the training. When it is done, it prints the loss and the share of training images read
# correctly, both averaged over the epoch, and the time. Let it do what the loop above did, from the
# same seed.

# %%
from helpers.training import Trainer

seed_everything(0, verbose=False)
fitted = classifier_config.create(Classifier)
Trainer(max_epochs=1, accelerator="auto").fit(fitted, few_dataloader)

# %%
both = zip(network.parameters(), fitted.parameters(), strict=True)
print(f"the same weights: {all(torch.equal(ours, theirs) for ours, theirs in both)}")

# %% tags=["check"]
both = zip(network.parameters(), fitted.parameters(), strict=True)
assert all(torch.equal(ours, theirs) for ours, theirs in both)

# %% [markdown]
# Ten lines by hand and the trainer end in the same 26,506 numbers. (On a graphics card, which rounds in
# another way, the last digits may differ, and then this says False.)

# %% [markdown]
# ## Training
#
# Now with all 60,000 images. What will one epoch bring? The ten mean images of lesson 1 read
# {{ nearest_mean }} of the test images correctly. Of the same images, the network will read
#
# - **a**: more than the mean images;
# - **b**: fewer, but more than half;
# - **c**: at most half.

# %%
from helpers.guesses import guess, reveal

guess("one epoch", ...)  # your letter, in quotes, in place of the dots

# %%
seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
trainer = Trainer(max_epochs=1, accelerator="auto")
trainer.fit(classifier, train_dataloader)

# %% [markdown]
# The trainer kept the loss of each of the 60,000 steps. One step looks at one image, so the loss
# jumps from step to step; the average over many steps shows where it is heading. Each point of the
# curve is the mean of the 1,000 steps before it, so the curve begins at step 1,000.

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% tags=["check"]
step_losses = torch.tensor(trainer.history["step_losses"])
assert error > 0.2
assert 0.085 < step_losses[500:1000].mean() < 0.1
assert all(0.087 < part.mean() < 0.0915 for part in step_losses[5_000:20_000].split(5_000))
assert step_losses[-5_000:].mean() < 0.065

# %% [markdown]
# The short drop at the left edge is the end of a steeper one. Before the training we computed a loss
# above 0.2, and after 500 steps it was near 0.09: the curve, which averages, shows only the last of it.
#
# Notice how the loss then stays nearly level at 0.09 for at least a third of the epoch, and only later
# falls. Where does 0.09 come from? Suppose that a network answers 0.1 for each of the ten digits,
# whatever it is shown. That is a fair guess when one digit in ten is right. Its loss is this.

# %% tags=["check-output"]
fair_guess = torch.full((10,), 0.1)
print(f"loss of the fair guess: {((fair_guess - target) ** 2).mean():.3f}")

# %% [markdown]
# So in all these steps the network does about as well as a program that knows nothing but that there
# are ten digits. Only then does it begin to tell them apart. [Lesson 3](03_softmax_and_relu.ipynb)
# finds out what holds it up.
#
# The training accuracy in the line above is an average over the whole epoch, this slow beginning
# included. So do not take it for what the network can do now.

# %% [markdown]
# ## Testing
#
# The accuracy that counts is the one on images that the network has never seen (lesson 1 says why).

# %%
from helpers.results import record

test_result = trainer.test(classifier, test_dataloader)
print(f"test loss {test_result['test_loss']:.4f}, accuracy {test_result['test_accuracy']:.4f}")

# %% [markdown]
# Two numbers again. The *test loss* is the mean squared error over the test images, the accuracy the
# share read correctly. To see that there is no magic in them, work them out from the network's outputs.
# `predict` gives the ten outputs for each image; the highest of them is the network's prediction.
# (`argmax(dim=1)` finds its place in each row.)

# %%
from helpers.training import predict

outputs, digits = predict(classifier, test_dataloader)
predictions = outputs.argmax(dim=1)
targets = torch.nn.functional.one_hot(digits, num_classes=10)

test_loss = ((outputs - targets) ** 2).mean()
test_accuracy = (predictions == digits).float().mean()
print(f"by hand:  {test_loss:.4f}, accuracy {test_accuracy:.4f}")

# %% tags=["check"]
assert abs(float(test_loss) - test_result["test_loss"]) < 1e-5
assert abs(float(test_accuracy) - test_result["test_accuracy"]) < 1e-6
assert test_result["test_loss"] < trainer.history["train_loss"][0]

# %% [markdown]
# The same numbers. The test loss is lower than the training loss in the line above: that one was
# averaged over the whole epoch, this one measured at its end.

# %%
record("sigmoid", test_result["test_accuracy"])

accuracy, mean_images = test_result["test_accuracy"], 0.82
reveal("one epoch", a=accuracy > mean_images, b=0.5 < accuracy <= mean_images, c=accuracy <= 0.5)

# %% [markdown]
# ## How much is chance?
#
# This was one run, with the seed 0. Another seed gives other first weights and another order of the
# images, and nothing else is different. Let us train twice more. How far apart will the best and the
# worst of the three accuracies be?
#
# - **a**: more than one image in a hundred, but less than twenty in a hundred;
# - **b**: one image in a hundred at most, since all three learn from the same 60,000 images;
# - **c**: twenty in a hundred or more, since all three begin with random weights.

# %%
guess("another seed", ...)  # your letter, in quotes, in place of the dots

# %%
accuracies = [test_result["test_accuracy"]]
for seed in (1, 2):
    seed_everything(seed, verbose=False)
    other = classifier_config.create(Classifier)
    other_trainer = Trainer(max_epochs=1)
    other_trainer.fit(other, train_dataloader)
    accuracies.append(other_trainer.test(other, test_dataloader)["test_accuracy"])

# %%
import numpy as np

print("three seeds:", ", ".join(f"{accuracy:.1%}" for accuracy in accuracies))
apart = np.max(accuracies) - np.min(accuracies)
reveal("another seed", a=0.01 < apart < 0.2, b=apart <= 0.01, c=apart >= 0.2)

# %% tags=["check"]
assert 0.01 < apart < 0.12
assert max(accuracies) < 0.75

# %% [markdown]
# The same recipe, the same images, and the results are some points apart. We choose none of them: we
# wanted to know what a single result is worth. Guessing would reach about 10%.
#
# The range beside our result further up, {{ sigmoid }}, comes from ten such trainings. It goes from
# their mean to either side by three times their typical distance from it (their *standard deviation*).
# So it is wider than what the ten reached, and nearly every run of yours should fall into it. All
# ranges of this series are made like this, except where nothing is trained.
#
# Keep this in mind whenever somebody shows you one number. If a change brings two points more, and so
# does another seed, you have learned nothing about the change. From lesson 3 on, we compare with
# several seeds.

# %% [markdown]
# ### Exercise 2: change and explain
#
# What if the images come sorted? Train a copy of the lesson's `classifier` for one more epoch, on the
# first 6,000 training images **sorted by digit** (`np.argsort` on their digits gives the order) and
# with `shuffle=False`. `deepcopy(classifier)` makes the copy, so that the lesson's own stays as it is.
# Put the copy's test accuracy into `unshuffled_accuracy`. Then say why it changed, with
# `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: the sorted images are harder to read;
# - **b**: the learning rate is too low for sorted images;
# - **c**: while it sees only one digit, the network forgets the others.
#
# (To be sure that it is the order, and not those 6,000 images, train a second copy on the same images
# with `shuffle=True`.)

# %% tags=["exercise"]
from copy import deepcopy

### BEGIN SOLUTION
order = np.argsort(train_digits[:6000], kind="stable")
sorted_dataloader = make_dataloader(train_images[order], train_digits[order])
sorted_copy = deepcopy(classifier)
sorted_trainer = Trainer(max_epochs=1)
sorted_trainer.fit(sorted_copy, sorted_dataloader)
unshuffled_accuracy = sorted_trainer.test(sorted_copy, test_dataloader)["test_accuracy"]
reason = "c"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_unshuffled

check_unshuffled(unshuffled_accuracy, reason)

# %% [markdown]
# ## The confusion matrix
#
# One number says how often the network is wrong, but not how. For this we compare its predictions
# with the true digits, image by image.
#
# The [*confusion matrix*](glossary.ipynb) counts: row 3, column 5 holds the number of images of a 3
# that the network took for a 5. In this series a **row is always the true digit** and a **column
# the predicted digit**. (You will meet it the other way round elsewhere; look at the axes before
# you read one.)
#
# Two lines count. `np.add.at` goes through all test images, and for each adds 1 in the row of its
# digit, in the column of its prediction. (The shorter `counts[digits, predictions] += 1` would be
# wrong: it adds 1 only once at each place, however many images belong there.)

# %%
outputs, digits = predict(classifier, test_dataloader)  # again, should you have used the names
predictions = outputs.argmax(dim=1)

counts = np.zeros((10, 10), dtype=int)
np.add.at(counts, (digits.numpy(), predictions.numpy()), 1)
print(counts)

# %% [markdown]
# The library torchmetrics has a function for it, and it finds the same. We draw its matrix.

# %%
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confusion_matrix

confusion_matrix = multiclass_confusion_matrix(predictions, digits, num_classes=10)
print(f"the same counts: {np.array_equal(counts, confusion_matrix)}")
plot_confusion_matrix(confusion_matrix)

# %% tags=["check"]
assert np.array_equal(counts, confusion_matrix)
assert int(confusion_matrix.sum()) == len(test_digits)

# %% [markdown]
# How to read it:
#
# - The diagonal holds the images read correctly, with their share of the row below the count: the
#   digit's *recall*.
# - Along a row you see what happened to the images of one digit. Compare the row of the 1, one of
#   the easiest digits, with the row of the digit that has the lowest recall.
# - Down a column you see everything that the network calls by one name. A column that is empty, or
#   nearly so, belongs to a digit that the network hardly ever says.
# - The color shows the share of the row. Its scale is stretched at the low end (look at the color
#   bar), so that mistakes stay visible beside the diagonal.

# %% [markdown]
# ### Exercise 3: build
#
# Write a function `recalls` that takes a confusion matrix (rows: true digits) and returns the recall
# of each of the ten digits, as an array of ten numbers between 0 and 1.


# %% tags=["exercise"]
### BEGIN SOLUTION
def recalls(confusion_matrix):
    """Return the recall of each digit."""
    return confusion_matrix.diagonal() / confusion_matrix.sum(axis=1)


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_recalls

check_recalls(recalls)

# %% [markdown]
# ## It loses to the mean images
#
# In lesson 1, comparing an image with ten mean images read {{ nearest_mean }} of the test images
# correctly, with no network at all. From ours we expect {{ sigmoid }}. Why go on?
#
# Because there is so much about this network that we can change: its outputs know nothing of each
# other, its sigmoids are nowhere steep, its steps follow single images, and it saw each image once.
# The next lessons change one of these at a time, and measure what it brings.
#
# And because we know that more can be read from these images. The nearest neighbor of lesson 1 read
# {{ nearest_neighbor }}, with all 60,000 images at hand. How near can 26,506 numbers come?

# %% [markdown]
# ## What you learned
#
# - A neuron computes a weighted sum, bias included, and applies an activation. A dense network
#   stacks layers of neurons.
# - A recipe (`Config`) writes down a network or a classifier; `create` makes it.
# - Training changes the parameters step by step so that the loss falls: outputs, loss, `backward`,
#   `step`. A pass over all training images is an epoch.
# - Loss and accuracy are measured on test images that the training never saw.
# - Another seed gives another result, some points better or worse. One run is no proof.
# - In the confusion matrix, rows are true digits and columns are predictions.

# %% [markdown]
# ## Next
#
# [Lesson 3: Softmax and ReLU](03_softmax_and_relu.ipynb) changes two activations, and the network
# overtakes the mean images.
