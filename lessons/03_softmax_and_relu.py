# %% [markdown]
# # Lesson 3: Softmax and ReLU
#
# {{ badge }}
#
# In this lesson you replace two functions in the network of lesson 2, one after the other, and it
# overtakes the mean images. Nothing else changes: not the number of parameters, not the digits, not
# the number of steps.
#
# **You will learn**
#
# - why to change one thing at a time, and how to see the change as a difference of two recipes;
# - what softmax computes, and how it tells the network that exactly one digit is right;
# - what a gradient is, and why the slopes of the activations decide how fast a network learns;
# - what ReLU computes, and why hidden layers learn faster with it.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Recap
#
# Each lesson runs on its own. So here are the digits of [lesson 1](01_data.ipynb) and the
# dataloaders of [lesson 2](02_first_network.ipynb) again ...

# %% tags=["check-output"]
from helpers.data import load_mnist
from helpers.training import make_dataloader

train_images, train_digits = load_mnist("train")
test_images, test_digits = load_mnist("test")

train_dataloader = make_dataloader(train_images, train_digits, batch_size=1, shuffle=True)
test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)

print(f"{len(train_dataloader):,} training batches, {len(test_dataloader):,} test batches")

# %% [markdown]
# ... and lesson 2's recipe: a network with two hidden layers of 32 sigmoid neurons and ten sigmoid
# outputs, trained by SGD to make the mean squared error small.

# %% tags=["check-output"]
import deeplay as dl
from torch.nn import MSELoss, Sigmoid
from torch.optim import SGD

from helpers.config import Config

classifier_config = (
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
print(classifier_config)

# %% [markdown]
# ## One change at a time
#
# This network read {{ sigmoid }} of the test images correctly; the mean images of lesson 1 read
# {{ nearest_mean }}. There is much to improve, and many things that one could change.
#
# Change one at a time. If you change two at once and the result gets better, you cannot tell which
# of them helped, or whether one of them even did harm.

# %% [markdown]
# ## What the outputs do not know
#
# Each image shows exactly one digit. You know that; the network does not. Its ten outputs come out
# of ten separate sigmoids, and nothing ties one to another. Let us add them up, for the untrained
# network and the first three test images.

# %%
from lightning import seed_everything

from helpers.training import Classifier, predict

seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
outputs, digits = predict(classifier, test_dataloader)

for index in range(3):
    print(f"test image {index}: the ten outputs add up to {outputs[index].sum():.2f}")

# %% [markdown]
# They add up to something near 5, since each of the ten starts somewhere near one half. Such a
# network may even say, in effect, "surely a 3, and surely a 7 too".
#
# That can never be right. So the network spends a part of its training on learning what we could
# have told it.

# %% [markdown]
# ## Softmax
#
# [*Softmax*](glossary.ipynb) is an activation that looks at all ten neurons of the output layer
# together. It takes their ten weighted sums $z_0, z_1, \dots, z_9$, which may be any numbers, and
# makes ten outputs of them:
#
# $$ p_i = \frac{e^{z_i}}{e^{z_0} + e^{z_1} + \dots + e^{z_9}} $$
#
# Here $p_i$ is the output for digit $i$. The top of the fraction makes each number positive, because
# $e^z$ is positive for every $z$. The bottom is the sum of all the tops, so each output is a share of
# the whole, and the ten shares add up to 1.

# %%
import torch

from helpers.plotting import plot_softmax

numbers = torch.tensor([1.0, -3.0, 0.5, 2.0, -1.5, 0.0, -0.5, 4.0, 0.5, 3.0])
plot_softmax(numbers)

# %% [markdown]
# Compare the two sides. The order stays the same: the largest number gets the largest share. But
# the gaps change. The 7 is ahead of the 9 by 1 on the left, and has nearly three times its share on
# the right, because $e^1 \approx 2.7$. A negative number still gets a share, but a tiny one.
#
# Now see what happens to the others when only one number changes. We raise the number of the 3.

# %% tags=["check-output"]
raised = numbers.clone()
raised[3] += 3.0

before, after = torch.softmax(numbers, dim=0), torch.softmax(raised, dim=0)
for digit in (3, 7, 9):
    print(f"share of the {digit}: {before[digit]:.2f} before, {after[digit]:.2f} after")
print(f"all ten together: {before.sum():.2f} before, {after.sum():.2f} after")

# %% [markdown]
# Nobody touched the 7 and the 9, and yet they lost. With softmax, more for one digit always means
# less for the others. This is what we know about the digits, and we have built it in: one image, one
# digit.
#
# Ten numbers between 0 and 1 that add up to 1 can be read as *probabilities*: 0.6 for the 7 means
# that the network bets six to four on a 7. It is the network's own opinion. How far you can trust it
# is another question, to which [lesson 6](06_failure_analysis.ipynb) comes back.

# %% [markdown]
# ## The first change: softmax outputs
#
# A recipe never changes. A new rule makes a new recipe, and `difference` shows what is new in it:
# `-` marks the rule that went, `+` the one that came.

# %% tags=["check-output"]
from torch.nn import Softmax

from helpers.config import difference

with_softmax = classifier_config.model.out_activation(Softmax, dim=1)
print(difference(classifier_config, with_softmax))

# %% [markdown]
# One rule, as planned. `dim=1` says what is to add up to 1. The outputs for N images have the shape
# (N, 10): dimension 0 counts the images and dimension 1 the ten digits. The ten numbers of one image
# should add up to 1, so it is dimension 1.
#
# Now train, exactly as in lesson 2: all 60,000 images, one at a time, once.

# %%
from helpers.training import Trainer

seed_everything(0, verbose=False)
classifier = with_softmax.create(Classifier)
trainer = Trainer(max_epochs=1, accelerator="auto")
trainer.fit(classifier, train_dataloader)

# %%
from helpers.results import record

test_result = trainer.test(classifier, test_dataloader)
record("softmax", test_result["test_accuracy"])

# %% [markdown]
# From {{ sigmoid }} to {{ softmax }} of the test images, with one rule.
#
# (The training's own line shows a much lower accuracy. As in lesson 2, that is an average over the
# whole epoch, and the test comes at the end.)
#
# Let us check that the outputs do add up to 1 now, and then look at where the mistakes are.

# %% tags=["check-output"]
outputs, digits = predict(classifier, test_dataloader)
predictions = outputs.argmax(dim=1)

sums = outputs.sum(dim=1)
print(f"sums of the outputs: {sums.min():.3f} to {sums.max():.3f}")

# %%
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confusion_matrix

confusion_matrix = multiclass_confusion_matrix(predictions, digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

# %% [markdown]
# More of the diagonal is dark than in lesson 2, but not all of it. Find the digit with the lowest
# recall, go along its row and see what its images are taken for. Then look down its column: a digit
# that is seldom found is often a digit that the network seldom says.
#
# Which digit it is depends on the seed. The network has not yet learned to tell it from those that
# look like it.

# %% [markdown]
# ## Where the time went
#
# The loss along the epoch shows that it had little time to learn that.

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% [markdown]
# Notice where the curve starts, at 0.09. That is the loss of the fair guess, 0.1 for every digit:
# the right digit misses its 1 by 0.9, the nine others miss their 0 by 0.1, and the mean of the
# squares is $(0.9^2 + 9 \cdot 0.1^2) / 10 = 0.09$. With softmax, even an untrained network gives
# about the fair guess. With sigmoids it first had to learn it.
#
# Notice then how long the curve stays there: thousands of steps, in which the network learns next to
# nothing. Here are the numbers.

# %%
import numpy as np

step_losses = np.array(trainer.history["step_losses"])
for start in (0, 5_000, 10_000):
    mean_loss = step_losses[start : start + 5_000].mean()
    print(f"mean loss of 5,000 steps from step {start:6,} on: {mean_loss:.4f}")

# %% tags=["check"]
assert abs(step_losses[5_000:10_000].mean() - 0.09) < 0.005

# %% [markdown]
# After 10,000 steps the loss is still the loss of a fair guess. Something keeps the network from
# learning. The outputs are mended, so let us look at the hidden layers.

# %% [markdown]
# ## How the loss reaches the first layer
#
# For each parameter, training asks: if this parameter changes a little, how much does the loss
# change? The answers for all parameters together are called the [*gradient*](glossary.ipynb), and in
# each step SGD changes every parameter by
#
# $$ \text{change} = -\,\text{learning rate} \times \text{gradient} $$
#
# The minus sign makes the loss fall. A parameter with a tiny gradient hardly moves.
#
# Now follow a small change of a weight in the first layer on its way to the loss. It changes the
# weighted sum of its neuron. How much of this reaches the neuron's output depends on the *slope* of
# the activation: with a slope of 0.25, a quarter of the change gets through. This change is
# multiplied by a weight of the next layer, then by the slope there, and so on, to the outputs.
#
# So the slopes multiply. (Mathematicians call it the *chain rule*.) A sigmoid's slope is 0.25 at
# best. Two hidden layers of sigmoids leave at most $0.25 \times 0.25 \approx 0.06$ of the change,
# and that is before the weights have multiplied it too.

# %% [markdown]
# ## ReLU
#
# The *rectified linear unit*, or [*ReLU*](glossary.ipynb), is about the plainest function that is
# not a straight line. It keeps what is positive and replaces what is negative by 0:
#
# $$ \text{ReLU}(z) = \max(0, z) $$
#
# Here it is beside the sigmoid.

# %%
from helpers.plotting import plot_activations

plot_activations({"sigmoid": torch.sigmoid, "ReLU": torch.relu})

# %% [markdown]
# On the left, ReLU leaves the panel at the top: it has no upper limit. Now look at the slopes, on
# the right. For positive sums, ReLU's slope is 1: a change gets through whole, through as many
# layers as there are. The sigmoid's slope is 0.25 in the middle and close to 0 at both ends.
#
# For negative sums, ReLU's slope is 0: for this image, the neuron is switched off. That is fine as
# long as other images switch it on. (A neuron that no image switches on learns nothing any more. It
# is called a *dead* neuron, and is the price of ReLU.)

# %% [markdown]
# ## The second change: ReLU in the hidden layers
#
# `blocks.activation` sets the activation of the hidden layers; the softmax at the outputs stays.

# %% tags=["check-output"]
from torch.nn import ReLU

with_relu = with_softmax.model.blocks.activation(ReLU)
print(difference(with_softmax, with_relu))

# %% [markdown]
# Before we train, let us test the argument about the slopes. This function makes an untrained
# network, computes the loss of 1,000 training images, and asks for the gradient. `backward` computes
# it, from the loss back to the first layer, which is called *backpropagation*. What we look at is the
# mean size of the gradient in each layer of weights, compared with the output layer.


# %%
def gradient_sizes(config):
    seed_everything(0, verbose=False)
    classifier = config.create(Classifier)
    outputs = classifier(torch.from_numpy(train_images[:1000]))
    digits = torch.from_numpy(train_digits[:1000])
    targets = torch.nn.functional.one_hot(digits, num_classes=10).float()
    classifier.loss(outputs, targets).backward()
    weights = [parameter for parameter in classifier.parameters() if parameter.ndim == 2]
    sizes = [float(weight.grad.abs().mean()) for weight in weights]
    return [size / sizes[-1] for size in sizes]


sigmoid_sizes, relu_sizes = gradient_sizes(with_softmax), gradient_sizes(with_relu)
print("          first hidden   second hidden   output layer")
print("sigmoid  {:13.3f} {:15.3f} {:14.3f}".format(*sigmoid_sizes))
print("ReLU     {:13.3f} {:15.3f} {:14.3f}".format(*relu_sizes))

# %% tags=["check"]
assert sigmoid_sizes[0] < 0.03
assert relu_sizes[0] > 0.2

# %% [markdown]
# Read each line from right to left, the way that `backward` goes. With sigmoids, the gradient
# becomes roughly ten times smaller with each layer, and at the first hidden layer about a hundredth
# is left. With ReLU about a half is left.
#
# (Why ten times, when the slope takes away only a factor of four? Because the weights multiply too,
# and an untrained network has small ones.)
#
# The first hidden layer is the one that sees the image, and it has most of the parameters. With
# sigmoids it was nearly standing still. Now train.

# %%
seed_everything(0, verbose=False)
classifier = with_relu.create(Classifier)
trainer = Trainer(max_epochs=1, accelerator="auto")
trainer.fit(classifier, train_dataloader)

# %%
plot_history(trainer.history)

# %% [markdown]
# The curve starts at 0.09 as before. But the level stretch is over after a few thousand steps, and
# the network uses the rest of the epoch to learn.

# %%
test_result = trainer.test(classifier, test_dataloader)
record("relu", test_result["test_accuracy"])

# %%
outputs, digits = predict(classifier, test_dataloader)
predictions = outputs.argmax(dim=1)

confusion_matrix = multiclass_confusion_matrix(predictions, digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

# %% [markdown]
# Now the whole diagonal is dark, and the mistakes are spread over the matrix. Look for the
# largest numbers beside the diagonal: they make a good list of what is still hard. Do these digits
# look alike to you too? [Lesson 6](06_failure_analysis.ipynb) looks at
# such images one by one.

# %%
recalls = confusion_matrix.diagonal() / confusion_matrix.sum(dim=1)
print(f"lowest recall of a digit: {recalls.min():.0%}")

# %% tags=["check"]
assert recalls.min() > 0.75

# %% [markdown]
# ## What each change bought
#
# | step | test images read correctly |
# | --- | --- |
# | no network: the nearest mean image (lesson 1) | {{ nearest_mean }} |
# | sigmoid everywhere (lesson 2) | {{ sigmoid }} |
# | softmax at the outputs | {{ softmax }} |
# | and ReLU in the hidden layers | {{ relu }} |
#
# Softmax put in what we know about the question: exactly one digit is right. That lifts the
# network up toward the mean images. ReLU let the loss reach the first layer, and now
# the network leaves them behind. Neither cost a single parameter or step more.
#
# Two honest remarks.
#
# The test images measured our progress here; they did not choose. We would have gone on to ReLU
# whatever softmax had brought. As soon as you try several things in order to keep the best one, you
# need other images to choose with. The [next lesson](04_mini_batches.ipynb) begins with that.
#
# And elsewhere you will mostly meet softmax together with another loss, the *cross-entropy*, which
# looks only at the probability given to the right digit. We keep the mean squared error, because we
# change one thing at a time. (PyTorch's `CrossEntropyLoss` contains the softmax: with it, the
# network must not have one of its own.)

# %% [markdown]
# ## What you learned
#
# - Change one thing at a time. `difference` shows what changed between two recipes.
# - Softmax turns ten numbers into ten shares that add up to 1: more for one digit is less for the
#   others.
# - The gradient says how the loss changes with each parameter. On its way back to the first layer
#   it is multiplied by the slope of each activation.
# - A sigmoid's slope is at most 0.25; ReLU's is 1 wherever the neuron is switched on. So hidden
#   layers learn faster with ReLU.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots and run the cell: it tells you at once how it went.

# %% [markdown]
# ### Exercise 1: predict
#
# A network has **five** hidden layers of sigmoid neurons. On the way from the first layer to the
# outputs, five slopes multiply. What is the largest number that this product can be? Guess how small
# it is before you work it out.

# %% tags=["exercise"]
### BEGIN SOLUTION
largest_product = 0.25**5
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_five_slopes

check_five_slopes(largest_product)

# %% [markdown]
# ### Exercise 2: change and explain
#
# The *hyperbolic tangent* is a stretched sigmoid: it goes from -1 to 1. Make the recipe `with_tanh`
# from `with_softmax`, with `torch.nn.Tanh` in the hidden layers. Draw `torch.tanh` beside the
# sigmoid with `plot_activations`, and predict which of the two learns faster.
#
# Then train a classifier from `with_softmax` and one from `with_tanh` for one epoch on the **first
# 6,000** training images, and put their test accuracies into `sigmoid_accuracy` and `tanh_accuracy`.
# Why do they differ?
#
# - **a**: the hyperbolic tangent is nowhere flat;
# - **b**: the slope of the hyperbolic tangent reaches 1, so more of each change gets through;
# - **c**: a network with the hyperbolic tangent has more parameters.

# %% tags=["exercise"]
### BEGIN SOLUTION
from torch.nn import Tanh

with_tanh = with_softmax.model.blocks.activation(Tanh)
plot_activations({"sigmoid": torch.sigmoid, "tanh": torch.tanh})

short_dataloader = make_dataloader(train_images[:6000], train_digits[:6000], shuffle=True)
accuracies = []
for config in (with_softmax, with_tanh):
    short_classifier = config.create(Classifier)
    short_trainer = Trainer(max_epochs=1)
    short_trainer.fit(short_classifier, short_dataloader)
    accuracies.append(short_trainer.test(short_classifier, test_dataloader)["test_accuracy"])
sigmoid_accuracy, tanh_accuracy = accuracies
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_tanh

check_tanh(with_tanh, sigmoid_accuracy, tanh_accuracy, reason)

# %% [markdown]
# ### Exercise 3: build
#
# Write softmax yourself: a function that takes a NumPy array of numbers and returns their shares.
#
# The check also tries numbers as large as 1,000, and $e^{1000}$ is more than a computer can hold.
# The way out: subtract the largest number from all of them first. It changes no share, because the
# top and the bottom of the fraction shrink by the same factor.


# %% tags=["exercise"]
### BEGIN SOLUTION
def softmax(numbers):
    """Return the shares that softmax makes of some numbers."""
    exponentials = np.exp(numbers - numbers.max())
    return exponentials / exponentials.sum()


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_softmax

check_softmax(softmax)

# %% [markdown]
# ## Next
#
# [Lesson 4: Mini-batches](04_mini_batches.ipynb) shows the network more than one image at a time.
