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
# - how to train and test a classifier, and how to read a confusion matrix.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

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
from helpers.plotting import plot_neuron

plot_neuron()

# %% [markdown]
# Follow the numbers from left to right. Notice that a negative weight makes its input count against
# the others.
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
# Nothing in this drawing knows that pixels have neighbors: the network sees 784 numbers in a row.
# That it can read digits all the same is worth some wonder.

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

# %% [markdown]
# ## What ten outputs mean
#
# Let us show the untrained network its first image.
#
# PyTorch computes with *tensors*, its own arrays; `torch.from_numpy` makes one out of a NumPy array.
# A network always takes several images at once, so one image goes in as a stack of one,
# `train_images[:1]`. And `torch.no_grad()` says that we only want the outputs and are not training.

# %%
from helpers.plotting import plot_outputs

image = torch.from_numpy(train_images[:1])
with torch.no_grad():
    outputs = mlp_model(image)

plot_outputs(train_images[0], outputs[0], train_digits[0])

# %% [markdown]
# Each of the ten outputs lies between 0 and 1, because each comes out of a sigmoid. We read output
# 3 as "how much this looks like a 3", and take the digit with the highest output as the network's
# answer.
#
# Before training all ten lie near one half, and which of them is highest is chance: the network
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
# And here is what the recipe spares you: the same classifier in plain deeplay. Do not worry about
# its details; notice that with the same seed it starts from exactly the same weights.

# %% tags=["check-output"]
seed_everything(0, verbose=False)
plain_model = dl.MultiLayerPerceptron(784, [32, 32], 10, out_activation=Sigmoid)
plain_model.blocks[:-1].configure(activation=dl.Layer(Sigmoid))
plain_classifier = dl.Classifier(
    model=plain_model,
    num_classes=10,
    make_targets_one_hot=True,
    loss=MSELoss(),
    optimizer=dl.SGD(lr=0.1),
).create()

pairs = zip(plain_classifier.parameters(), mlp_model.parameters(), strict=True)
print(all(torch.equal(plain, ours) for plain, ours in pairs))

# %% [markdown]
# ## Dataloaders
#
# A *dataloader* hands images and digits to the training, a few at a time. For now it hands over one
# image at a time: the network looks at an image, sees how wrong it is, changes its parameters a
# little, and looks at the next. One such change is a *step*. What is handed over at once is a
# *batch*, here of size 1; [lesson 4](04_mini_batches.ipynb) makes it larger.

# %% tags=["check-output"]
from helpers.training import make_dataloader

train_dataloader = make_dataloader(train_images, train_digits, batch_size=1, shuffle=True)
test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)

print(f"{len(train_dataloader):,} training batches, {len(test_dataloader):,} test batches")

# %% [markdown]
# `shuffle=True` hands the training images over in a random order. Without it, whatever came last
# would weigh most in what the network remembers; exercise 2 shows how bad this can get.
#
# Testing changes no parameters, so there the order does not matter, and handing over 1,000 images
# at a time only makes it quicker.

# %% [markdown]
# ## Training
#
# A *trainer* runs the training. `max_epochs=1` makes it go through the training images once; one
# such pass is an *epoch*. `accelerator="auto"` uses a graphics card if there is one, and the
# processor if not.
#
# `fit` starts the training. When it is done, it prints the loss and the share of training images
# read correctly, both averaged over the epoch, and the time.
#
# (`Classifier` and `Trainer` are deeplay's, with quicker bookkeeping: they train to the same
# weights, bit for bit. The top of `helpers/training.py` says how.)

# %%
from helpers.training import Classifier, Trainer

seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
trainer = Trainer(max_epochs=1, accelerator="auto")
trainer.fit(classifier, train_dataloader)

# %% [markdown]
# The trainer kept the loss of each of the 60,000 steps. One step looks at one image, so the loss
# jumps from step to step; the average over many steps shows where it is heading.

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% [markdown]
# Notice how the loss, after a short drop, stays nearly level for a large part of the epoch, and only
# then falls. At first the network learns little more than to answer about 0.1 everywhere, which is a
# fair guess when one digit in ten is right. Only then does it begin to tell the digits apart.
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
record("sigmoid", test_result["test_accuracy"])

# %% [markdown]
# About {{ sigmoid }} of the test images are read correctly, depending on the seed and on your
# machine. Guessing would reach about 10%.

# %% [markdown]
# ## The confusion matrix
#
# One number says how often the network is wrong, but not how. For this we compare its predictions
# with the true digits, image by image. `predict` gives the ten outputs for each image; the highest
# of them is the prediction. (`argmax(dim=1)` finds its place in each row.)

# %% tags=["check-output"]
from helpers.training import predict

outputs, digits = predict(classifier, test_dataloader)
predictions = outputs.argmax(dim=1)

print(f"outputs {tuple(outputs.shape)}, predictions {tuple(predictions.shape)}")

# %% [markdown]
# The [*confusion matrix*](glossary.ipynb) counts: row 3, column 5 holds the number of images of a 3
# that the network took for a 5. In this series a **row is always the true digit** and a **column
# the predicted digit**. (You will meet it the other way round elsewhere; look at the axes before
# you read one.)

# %%
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confusion_matrix

confusion_matrix = multiclass_confusion_matrix(predictions, digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

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

# %% tags=["check-output"]

print("each row adds up to the number of test images of its digit")

# %% tags=["check"]
assert int(confusion_matrix.sum()) == len(test_digits)
assert (confusion_matrix.sum(dim=1).numpy() == [(test_digits == d).sum() for d in range(10)]).all()

# %% [markdown]
# ## It loses to the mean images
#
# In lesson 1, comparing an image with ten mean images read {{ nearest_mean }} of the test images
# correctly, with no network at all. Ours reads {{ sigmoid }}. Why go on?
#
# Because this network is held back by choices that we can change: its outputs know nothing of each
# other, its sigmoids are nowhere steep, its steps follow single images, and it saw each image
# once. The next lessons change one of these at a time. The mean images have nothing to change:
# they are as good as they will ever be.

# %% [markdown]
# ## What you learned
#
# - A neuron computes a weighted sum, bias included, and applies an activation. A dense network
#   stacks layers of neurons.
# - A recipe (`Config`) writes down a network or a classifier; `create` makes it.
# - Training changes the parameters step by step so that the loss falls. A pass over all training
#   images is an epoch.
# - Accuracy is measured on test images that the training never saw.
# - In the confusion matrix, rows are true digits and columns are predictions.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots and run the cell: it tells you at once how it went.

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
# ### Exercise 2: change and explain
#
# Train the lesson's `classifier` for one more epoch, on the first 6,000 training images **sorted by
# digit** (`np.argsort` on their digits gives the order) and with `shuffle=False`. Put its test
# accuracy into `unshuffled_accuracy`. Then say why it changed, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: the sorted images are harder to read;
# - **b**: while it sees only one digit, the network forgets the others;
# - **c**: the learning rate is too low for sorted images.

# %% tags=["exercise"]
import numpy as np

### BEGIN SOLUTION
order = np.argsort(train_digits[:6000], kind="stable")
sorted_dataloader = make_dataloader(train_images[order], train_digits[order])
sorted_trainer = Trainer(max_epochs=1)
sorted_trainer.fit(classifier, sorted_dataloader)
unshuffled_accuracy = sorted_trainer.test(classifier, test_dataloader)["test_accuracy"]
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_unshuffled

check_unshuffled(unshuffled_accuracy, reason)

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
# ## Next
#
# [Lesson 3: Softmax and ReLU](03_softmax_and_relu.ipynb) changes two activations, and the network
# overtakes the mean images.
