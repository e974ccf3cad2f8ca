# %% [markdown]
# # Lesson 3: Softmax and ReLU
#
# {{ badge }}
#
# In this lesson you replace two functions in the network of lesson 2, one after the other, and it
# overtakes the mean images. On the way you take its hidden layers out, and find out what they are
# for.
#
# **You will learn**
#
# - why to change one thing at a time, with several seeds, and how to see the change as a difference
#   of two recipes;
# - what softmax computes, and how it tells the network that exactly one digit is right;
# - what a gradient is, and how little of the loss comes back to the first layer;
# - what ReLU computes, and what hidden layers can do that a straight line cannot;
# - what the loss has to do with it.
#
# **Time:** about {{ minutes }} minutes to read. No cell makes you wait longer than half a minute.
#
# A word in *italics* is explained where it stands and again in the
# [glossary](glossary.ipynb).

# %% tags=["setup"]
# {{ setup }}

# %% [markdown]
# ## Recap
#
# Each lesson runs on its own. So here are the digits of [lesson 1](01_data.ipynb) and the
# dataloaders of [lesson 2](02_first_network.ipynb) again, with one difference. This lesson compares
# recipes, and one does not compare with the test images: they are for the end. So 10,000 of the
# training images, drawn at random, become [*validation images*](glossary.ipynb), from which the
# network does not learn. The other 50,000 are left to learn from.

# %% tags=["check-output"]
import numpy as np

from helpers.data import load_mnist
from helpers.training import make_dataloader

all_images, all_digits = load_mnist("train")
order = np.random.default_rng(seed=0).permutation(60_000)
all_images, all_digits = all_images[order], all_digits[order]
train_images, train_digits = all_images[:50_000], all_digits[:50_000]
validation_images, validation_digits = all_images[50_000:], all_digits[50_000:]

train_dataloader = make_dataloader(train_images, train_digits, batch_size=1, shuffle=True)
validation_dataloader = make_dataloader(validation_images, validation_digits, batch_size=1000)

print(f"{len(train_images):,} images to learn from, {len(validation_images):,} to compare with")

# %% [markdown]
# Here is lesson 2's recipe: a network with two hidden layers of 32 sigmoid neurons and ten sigmoid
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
# ## One change at a time, and more than once
#
# From this network we expect {{ sigmoid }} of the test images; the mean images of lesson 1 read
# {{ nearest_mean }}. There is much to improve, and many things that one could change.
#
# Change one at a time. If you change two at once and the result gets better, you cannot tell which
# of them helped, or whether one of them even did harm.
#
# And train more than once. Other first weights and another order of the images bring another
# accuracy, so one run can deceive you. In this lesson each recipe is trained with three seeds.

# %% [markdown]
# ## What the outputs do not know
#
# Each image shows exactly one digit. You know that; the network does not. Its ten outputs come out
# of ten separate sigmoids, and nothing ties one to another. Let us add them up, for the untrained
# network and the first three validation images.

# %%
from lightning import seed_everything

from helpers.training import Classifier, predict

seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
outputs, digits = predict(classifier, validation_dataloader)

for index in range(3):
    print(f"validation image {index}: the ten outputs add up to {outputs[index].sum():.2f}")

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

from helpers import live

numbers = torch.tensor([1.0, -3.0, 0.5, 2.0, -1.5, 0.0, -0.5, 4.0, 0.5, 3.0])
live.Softmax(numbers)

# %% [markdown]
# Compare the two sides. (Where the figure is live, drag a number and see the shares change.) The
# order stays the same: the largest number gets the largest share. But the gaps change. The 7 is
# ahead of the 9 by 1 on the left, and has nearly three times its share on the right, because $e^1
# \approx 2.7$. Even the −3 gets a share, though one so small that the figure rounds it to nothing.
# What makes it small is not the minus sign but how far it lies below the largest number.
#
# Now see what happens to the others when only one number changes. We raise the number of the 3.

# %% tags=["check"]
assert round(np.e, 1) == 2.7

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
# ### Exercise 1: build
#
# Write your answer in place of the dots; the cell below it tells you how it went.
#
# Write softmax yourself: a function that takes a NumPy array of numbers and returns their shares.
#
# The check also tries numbers of 1,000 and more, and $e^{1000}$ is more than a computer can hold.
# The way out: subtract the largest number from all of them first. It changes no share, because the
# top and the bottom of the fraction change by the same factor.


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
# `compare` trains each recipe once with each of three seeds, for one epoch: 50,000 steps. Then it
# measures which share of the validation images the network reads. With the same seed, both recipes
# begin with the same weights and see the images in the same order. So the runs are *paired*, and
# `outputs_compared.difference` subtracts them seed by seed.

# %%
from helpers.experiments import compare

outputs_compared = compare(
    {"sigmoid": classifier_config, "softmax": with_softmax},
    train_dataloader,
    validation_dataloader,
)
print(outputs_compared)
print(outputs_compared.difference("softmax", "sigmoid"))

# %% [markdown]
# The last line sets each pair of runs side by side: the same seed, and one rule between the two.
# With each of the three seeds, softmax reads more. But this is one epoch, and one learning rate.
#
# The sigmoids read less than they did in lesson 2 with the same three seeds. There an epoch had 60,000
# steps, here it has 50,000. Look back at the curve in lesson 2: the loss was still falling fast when
# the epoch ended, so the last 10,000 steps count for much. (And there we measured on the test images,
# which are others.) Both recipes lack these steps, so the comparison is fair.

# %% [markdown]
# ## And without any hidden layer?
#
# Before we go on improving the hidden layers, let us see what they are worth. `hidden_dims([])` is a
# network with none: the 784 pixels lead straight to the ten outputs.
#
# Before you look: compared with the softmax network with its two hidden layers, the one without ...
#
# - **a**: reads more of the validation images, by over five percentage points;
# - **b**: reads about as much, within five;
# - **c**: reads less, by over five.

# %%
from helpers.guesses import guess, reveal

guess("no hidden layer", ...)  # your letter, in quotes, in place of the dots

# %%
without_hidden = with_softmax.model.hidden_dims([])
print(difference(with_softmax, without_hidden))
parameters = sum(p.numel() for p in without_hidden.create(Classifier).parameters())
print(f"{parameters:,} parameters instead of 26,506")

none_compared = compare(
    {"no hidden layer": without_hidden}, train_dataloader, validation_dataloader
)
print(none_compared)

# %%
gain = none_compared.of("no hidden layer").mean() - outputs_compared.of("softmax").mean()
reveal("no hidden layer", a=gain > 0.05, b=abs(gain) <= 0.05, c=gain < -0.05)

# %% tags=["check"]
assert none_compared.of("no hidden layer").min() > 0.88
assert none_compared.of("no hidden layer").min() > outputs_compared.of("softmax").max() + 0.1

# %% [markdown]
# With each of the three seeds, the network without hidden layers is far ahead. In one epoch, our two
# hidden layers do harm!
#
# Yet a network without them can only do so much. Each of its ten sums is a weighted sum of the
# pixels: as in lesson 1's comparison with mean images, each digit has one picture of weights, laid
# over the image. What it cannot do we shall see below. First, why do hidden layers do harm here?

# %% [markdown]
# ## Where the time went
#
# We make the first of the three softmax runs again, to look into it, and draw the loss along the
# epoch. `compare` sets the seed twice, before it makes the weights and before it shuffles the
# images. So do we, and get the same run.

# %%
from helpers.training import Trainer

seed_everything(0, verbose=False)
softmax_classifier = with_softmax.create(Classifier)
seed_everything(0, verbose=False)
trainer = Trainer(max_epochs=1, accelerator="auto")
trainer.fit(softmax_classifier, train_dataloader)

# %%
from helpers.plotting import plot_history

plot_history(trainer.history)

# %% [markdown]
# Notice where the curve starts, at 0.09. That is the loss of the fair guess, 0.1 for every digit:
# the right digit misses its 1 by 0.9, the nine others miss their 0 by 0.1, and the mean of the
# squares is $(0.9^2 + 9 \cdot 0.1^2) / 10 = 0.09$. With softmax, even an untrained network gives
# about the fair guess. With sigmoids it first had to learn it, which was the short drop at the left
# of lesson 2's curve. That took little of the epoch, so it may not be the whole reason why softmax
# reads more.
#
# Notice then how long the curve stays there: thousands of steps, in which the network learns next to
# nothing. Here are the numbers.

# %% tags=["check"]
assert np.isclose((0.9**2 + 9 * 0.1**2) / 10, 0.09)

# %%
step_losses = np.array(trainer.history["step_losses"])
for start in (0, 5_000, 10_000):
    mean_loss = step_losses[start : start + 5_000].mean()
    print(f"mean loss of 5,000 steps from step {start:6,} on: {mean_loss:.4f}")

# %% tags=["check"]
assert abs(step_losses[5_000:10_000].mean() - 0.09) < 0.005

# %% [markdown]
# After 10,000 steps the loss is still the loss of a fair guess. So what does the network read after
# the whole epoch? We look at its [*confusion matrix*](glossary.ipynb), on the validation images.

# %%
from torchmetrics.functional.classification import multiclass_confusion_matrix

from helpers.plotting import plot_confusion_matrix

outputs, digits = predict(softmax_classifier, validation_dataloader)
predictions = outputs.argmax(dim=1)
confusion_matrix = multiclass_confusion_matrix(predictions, digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

# %% tags=["check"]
same_run = (predictions == digits).double().mean()
assert abs(same_run - outputs_compared.of("softmax")[0]) < 0.01

# %% [markdown]
# Find a digit with a low recall, go along its row and see what its images are taken for. Then look
# down its column: a digit that is seldom found is often a digit that the network seldom says. Which
# digits these are may be different with another seed. The network has not yet learned to tell them
# from others.
#
# Something keeps it from learning. The outputs are mended, so let us look at the hidden layers.

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

# %% tags=["check"]
assert round(0.25 * 0.25, 2) == 0.06

# %% [markdown]
# ### Exercise 2: predict
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
# ## The signal that comes back
#
# Let us measure it. `backward` computes the gradient, from the loss back to the first layer, which is
# called *backpropagation*. On its way it passes the weighted sums of each layer. How much the loss
# changes with these sums is the signal that the layer gets to learn from.
#
# This function goes through the layers of an untrained network by hand, with 1,000 training images,
# and keeps the weighted sums of each layer (`retain_grad` asks PyTorch to keep also how the loss
# changes with each of them).


# %%
def signals(config, seed):
    """Return the mean size of the signal that comes back to each layer."""
    seed_everything(seed, verbose=False)
    classifier = config.create(Classifier)
    values, sums = torch.from_numpy(train_images[:1000]).flatten(1), []
    for block in classifier.model.blocks:
        sums.append(block.layer(values))
        sums[-1].retain_grad()
        values = block.activation(sums[-1])
    digits = torch.from_numpy(train_digits[:1000])
    targets = torch.nn.functional.one_hot(digits, num_classes=10).float()
    classifier.loss(values, targets).backward()
    return np.array([float(layer.grad.abs().mean()) for layer in sums])


# %%
def print_signals(config):
    """Print what share of the signal at the output layer reaches each layer, seed by seed."""
    print("          first hidden   second hidden   output layer")
    for seed in range(3):
        shares = signals(config, seed)
        shares = shares / shares[-1]
        print("seed {:d}  {:13.3f} {:15.3f} {:14.3f}".format(seed, *shares))


print_signals(with_softmax)

# %% [markdown]
# Read each line from right to left, the way that `backward` goes. At the second hidden layer about a
# tenth of the signal is left, and at the first less than a fiftieth. It is the first layer that sees
# the image, and it has most of the parameters: it is nearly standing still.
#
# (Why a tenth for a layer, when the slope takes away only a factor of four? Because the signal is
# also multiplied by the weights, and an untrained network has small ones.)

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
# long as other images switch it on. (A neuron that no image switches on learns nothing while that is
# so. It is called a *dead* neuron, and is the price of ReLU.)

# %% [markdown]
# ## The second change: ReLU in the hidden layers
#
# `blocks.activation` sets the activation of the hidden layers; the softmax at the outputs stays.

# %% tags=["check-output"]
from torch.nn import ReLU

with_relu = with_softmax.model.blocks.activation(ReLU)
print(difference(with_softmax, with_relu))

# %%
print_signals(with_relu)

# %% tags=["check"]
for seed in range(3):
    sigmoid_signal, relu_signal = signals(with_softmax, seed), signals(with_relu, seed)
    assert sigmoid_signal[0] / sigmoid_signal[-1] < 0.02
    assert 0.08 < sigmoid_signal[1] / sigmoid_signal[-1] < 0.14
    assert relu_signal[0] / relu_signal[-1] > 3 * sigmoid_signal[0] / sigmoid_signal[-1]

# %% [markdown]
# With each seed, several times as much of the signal reaches the first layer. It is still a small
# part: some neurons are switched off for an image, and the weights are small here too.
# But it is enough:

# %%
relu_compared = compare({"ReLU": with_relu}, train_dataloader, validation_dataloader)
print(relu_compared)

# %% [markdown]
# Here is its loss in the run with seed 0, and in gray that of the sigmoids.

# %%
seed_everything(0, verbose=False)
relu_classifier = with_relu.create(Classifier)
seed_everything(0, verbose=False)
trainer = Trainer(max_epochs=1, accelerator="auto")
trainer.fit(relu_classifier, train_dataloader)
plot_history(trainer.history, earlier=step_losses)

# %% tags=["check"]
assert relu_compared.of("ReLU").min() > none_compared.of("no hidden layer").max()

# %% [markdown]
# Both curves start at 0.09. But with ReLU there is hardly a level stretch: most of the fall is done
# within the first 10,000 steps, in which the sigmoids learn next to nothing.
#
# And now the hidden layers pay: with each seed, this network reads more than the one without any.
# Here is where its mistakes are.

# %%
outputs, digits = predict(relu_classifier, validation_dataloader)
predictions = outputs.argmax(dim=1)
confusion_matrix = multiclass_confusion_matrix(predictions, digits, num_classes=10)
plot_confusion_matrix(confusion_matrix)

# %% tags=["check"]
assert (confusion_matrix.diagonal() / confusion_matrix.sum(dim=1)).min() > 0.75

# %% [markdown]
# Now the whole diagonal is dark, though some digits are still read less well than others. Look for
# the largest numbers beside the diagonal: they make a good list of what is still hard. Do these
# digits look alike to you too? [Lesson 6](06_failure_analysis.ipynb) looks at such images one by
# one.

# %% [markdown]
# ### Exercise 3: change and explain
#
# The *hyperbolic tangent* is a stretched sigmoid: it goes from -1 to 1. Make the recipe `with_tanh`
# from `with_softmax`, with `torch.nn.Tanh` in the hidden layers. Draw `torch.tanh` beside the
# sigmoid with `plot_activations`, and predict which of the two learns faster.
#
# Then let `compare` train both for one epoch on the **first 6,000** training images, with three
# seeds, and put their mean validation accuracies into `sigmoid_accuracy` and `tanh_accuracy`. (Give
# the dataloader of these 6,000 a name of its own: the lesson needs `train_dataloader`, with all
# 50,000, again.) Why do they differ?
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
recipes = {"sigmoid": with_softmax, "tanh": with_tanh}
short_compared = compare(recipes, short_dataloader, validation_dataloader)
print(short_compared)
sigmoid_accuracy = short_compared.of("sigmoid").mean()
tanh_accuracy = short_compared.of("tanh").mean()
reason = "b"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_tanh

check_tanh(with_tanh, sigmoid_accuracy, tanh_accuracy, reason)

# %% [markdown]
# ## Two straight lines are one
#
# What do hidden layers buy, and why do they need a ReLU or a sigmoid at all? Suppose that they had
# none. Then the network is a layer of weighted sums, and on top of it another one.
#
# To write that down, put the weights of a layer into a table, with a row for each of its neurons: $W_1$
# for the first layer, $W_2$ for the second. $x$ holds all inputs, $b_1$ and $b_2$ the biases of each
# layer. Then $W_1 x + b_1$ stands for all weighted sums of the first layer at once, and
#
# $$ W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2) $$
#
# On the right stands a single layer of weighted sums. So the two can do nothing that one cannot. In
# numbers, for the first 1,000 training images (`@` multiplies matrices):

# %% tags=["check-output"]
seed_everything(0, verbose=False)
first, second = torch.nn.Linear(784, 32), torch.nn.Linear(32, 10)
weights = second.weight @ first.weight
biases = second.weight @ first.bias + second.bias

pixels = torch.from_numpy(train_images[:1000]).flatten(1)
two_layers, one_layer = second(first(pixels)), pixels @ weights.T + biases
print("the same numbers:", torch.allclose(two_layers, one_layer, atol=1e-5))

# %% [markdown]
# ReLU and sigmoid are bent, and only that makes two layers more than one.

# %% [markdown]
# ## What hidden neurons buy
#
# To see it, we need images that can be drawn as points: images of two pixels, so to speak. Here are
# 400 points. Those near the middle are of one class, those around them of another.

# %%
generator = np.random.default_rng(0)
angles = generator.uniform(0, 2 * np.pi, 400)
radii = np.concatenate([generator.uniform(0, 0.45, 200), generator.uniform(0.65, 1, 200)])
points = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
classes = np.repeat([0, 1], 200)

# %% [markdown]
# The next function trains a network with some hidden ReLU neurons, or with none, on these points:
# softmax outputs, mean squared error, SGD, as above, only that all points are looked at in each step.
# The learning rate is 5, because the toy is small and takes only 400 steps.


# %%
def learn_points(hidden_neurons, seed):
    """Train a network on the points; return it, and the share of them that it gets right."""
    torch.manual_seed(seed)
    hidden = [torch.nn.Linear(2, hidden_neurons), ReLU()] if hidden_neurons else []
    last = torch.nn.Linear(hidden_neurons or 2, 2)
    network = torch.nn.Sequential(*hidden, last, Softmax(dim=1))
    inputs, targets = torch.tensor(points).float(), torch.eye(2)[classes]
    optimizer = SGD(network.parameters(), lr=5)
    for _ in range(400):
        optimizer.zero_grad()
        MSELoss()(network(inputs), targets).backward()
        optimizer.step()
    return network, float((network(inputs).argmax(dim=1).numpy() == classes).mean())


# %%
from helpers.plotting import plot_regions

trained, right = {}, {}
for neurons in (0, 3, 8):
    runs = [learn_points(neurons, seed) for seed in range(3)]
    name = f"{neurons} hidden neurons"
    trained[name], right[name] = runs[0][0], [share for _, share in runs]
    print(f"{name}: right with three seeds:", ", ".join(f"{share:.0%}" for share in right[name]))

plot_regions(trained, points, classes)

# %% tags=["check"]
assert max(right["0 hidden neurons"]) < 0.65
assert min(right["8 hidden neurons"]) > 0.98
assert all(share > 0.75 for share in right["3 hidden neurons"])
thirds = 2 * np.pi / 3 * np.arange(3)  # three neurons whose lines pass through the middle
hexagon = np.maximum(points @ np.stack([np.cos(thirds), np.sin(thirds)]), 0).sum(axis=1) < 0.5
assert np.array_equal(hexagon, classes == 0)

# %% [markdown]
# The color says what the network answers at each place, and the figure shows the networks of seed 0.
#
# - **Without hidden neurons** the border is a straight line. There is no straight line that parts the
#   middle from what is around it, and training can do nothing about that.
# - **Each hidden neuron** adds a line at which the border may bend. Three lines through the middle
#   would let it bend six times, into a hexagon around the inner points: three neurons could get
#   every point right. But training did not find such a border with any of the three seeds. That a
#   network can do something does not mean that training gets it there.
#   (In the middle figure it found a strip, open at both ends.)
# - **Eight** have lines to spare, and training closes the border with each of the three seeds. With
#   enough hidden neurons, a border can come as near to any shape as you like.
#
# Digits seem to be nearly a matter of straight borders: without hidden layers the network reads
# about nine in ten. The bends win a part of the rest.

# %% [markdown]
# ## Is it the slopes alone?
#
# The level stretch was explained with the slopes of the hidden layers. But the signal begins at the
# loss, and we have never changed that. Elsewhere you will mostly meet softmax together with
# [*cross-entropy*](glossary.ipynb). It looks only at the probability $p$ that the network gives to
# the right digit:
#
# $$ \text{cross-entropy} = -\log p $$
#
# Here is what it makes of three answers, beside the squared error of the right digit's output alone,
# which should have been 1.

# %% tags=["check-output"]
for p in (0.9, 0.1, 0.001):
    print(f"p = {p:<5}   cross-entropy {-np.log(p):.2f}   squared error {(1 - p) ** 2:.2f}")

# %% tags=["check"]
assert round(1 - 0.001, 3) == 0.999
assert round(np.log(10), 2) == 2.30

# %% [markdown]
# The first answer is right and sure of it, and costs little. The second is the fair guess. The third
# is wrong and sure of it: it leaves 0.999 to the other digits. The squared error, which never exceeds
# 1, rises only from 0.81 to 1.00 for it. Cross-entropy asks three times as much as for the fair
# guess: each time that $p$ becomes ten times smaller, it rises by 2.30, without end. So a mistake
# that the network is sure of costs most.
#
# Why a logarithm? The probability that the network gives to several right answers together is the
# product of theirs, and the logarithm of a product is a sum. So the network whose mean cross-entropy
# over all images is smallest is the one that finds all the right answers, together, most probable.
#
# PyTorch's `CrossEntropyLoss` contains the softmax, so the network must not have one of its own
# (`Identity` leaves the numbers as they are), and it takes the digits themselves, not one-hot targets.


# %% tags=["check-output"]
from torch.nn import CrossEntropyLoss, Identity


def with_cross_entropy(config):
    """Return the recipe with cross-entropy instead of the mean squared error."""
    outputs = config.model.out_activation(Identity)
    return outputs.make_targets_one_hot(False).loss(CrossEntropyLoss)


print(difference(with_softmax, with_cross_entropy(with_softmax)))

# %% [markdown]
# It is one change, written as three rules. How does it change the signal at the output layer? The
# image shows a 3, and we ask PyTorch how both losses change with the sum of the 3: once at the fair
# guess, which ten sums of 0 make, and once where the sum of the 7 is so large that the network is
# sure of a 7.

# %% tags=["check-output"]
digit, target = torch.tensor([3]), torch.eye(10)[[3]]
for name, sum_of_7 in (("fair guess", 0.0), ("sure of a 7", 7.0)):
    sums = torch.zeros(1, 10)
    sums[0, 7] = sum_of_7
    sums.requires_grad_()
    [of_squares] = torch.autograd.grad(MSELoss()(sums.softmax(dim=1), target), sums)
    [of_cross_entropy] = torch.autograd.grad(CrossEntropyLoss()(sums, digit), sums)
    print(f"{name:11}   mean squared error {of_squares[0, 3]:.4f}", end="   ")
    print(f"cross-entropy {of_cross_entropy[0, 3]:.4f}")

# %% tags=["check"]
assert np.isclose(0.9 / 0.018, 50)

# %% [markdown]
# At the fair guess, the signal of cross-entropy is fifty times as strong. The mean over ten outputs
# divides that of the squares by ten, and the slope of a square, twice the difference, gives a factor
# of two back: a fifth is left. Softmax takes away another factor of ten: a probability of 0.1 hardly
# changes when its sum does. (The minus sign says that the loss falls when the sum rises.)
#
# Where the network is wrong and sure of it, the squares have next to no signal, since a probability
# near 0 does not stir, while that of cross-entropy is stronger than before.
#
# Before you look: cross-entropy with **sigmoids** in the hidden layers, and the same learning rate.
# Its validation accuracy after one epoch ...
#
# - **a**: stays where it was: the slopes are the cause;
# - **b**: lies about halfway to that of ReLU with the mean squared error;
# - **c**: comes close to that of ReLU, within three percentage points.

# %%
guess("cross-entropy", ...)  # your letter, in quotes, in place of the dots

# %%
cross_entropy = with_cross_entropy(with_softmax)
loss_compared = compare(
    {"sigmoid, rate 0.1": cross_entropy}, train_dataloader, validation_dataloader
)
print(loss_compared)

behind = relu_compared.of("ReLU").mean() - loss_compared.of("sigmoid, rate 0.1").mean()
halfway = (relu_compared.of("ReLU").mean() - outputs_compared.of("softmax").mean()) / 2
reveal(
    "cross-entropy", a=behind > 1.5 * halfway, b=0.03 < behind <= 1.5 * halfway, c=behind <= 0.03
)

# %% tags=["check"]
assert abs(behind) < 0.03
assert min(relu_compared.of("ReLU").min(), loss_compared.of("sigmoid, rate 0.1").min()) > 0.9

# %% [markdown]
# With each of the three seeds, the network comes close to the one with ReLU. Its slopes are what they
# were: only the loss has changed. So the slopes alone do not explain the level stretch.
#
# A [*control*](glossary.ipynb) belongs to it: a run in which only the thing in question is taken
# back. If the signal is fifty times as strong, the first steps are fifty times as long. Is it only
# this? With a fiftieth of the learning rate, 0.002, the first steps are as long as they were. We
# train both sigmoids and ReLU with this rate.

# %%
from helpers.plotting import plot_comparison

relu_cross_entropy = with_cross_entropy(with_relu)
control = compare(
    {
        "sigmoid, rate 0.002": cross_entropy.optimizer.lr(0.002),
        "ReLU, rate 0.002": relu_cross_entropy.optimizer.lr(0.002),
    },
    train_dataloader,
    validation_dataloader,
)
print(control)
plot_comparison(control)

# %% tags=["check"]
assert control.of("sigmoid, rate 0.002").max() < 0.7
assert control.of("sigmoid, rate 0.002").mean() < outputs_compared.of("softmax").mean() + 0.02
assert control.of("ReLU, rate 0.002").min() > 0.89

# %% [markdown]
# What these runs show:
#
# - **Sigmoid, rate 0.1** (further above, not in the figure): the stronger signal and longer steps of
#   cross-entropy get the sigmoids off the level stretch, slopes or not.
# - **Sigmoid, rate 0.002**: with first steps as short as before, they lose all of that, and read no
#   more than they did with the mean squared error (the row "softmax" of the first comparison). So
#   what cross-entropy changed, above all, is how strong the signal is.
# - **ReLU, rate 0.002**: with the same loss and the same rate as the sigmoids above it, ReLU gets on.
#   More of the signal reaches its first layer, as we measured. So the hidden layers matter too.
#   (ReLU, like the tanh of exercise 3, differs from the sigmoid in more than its slope: a sigmoid's
#   output is near one half for every image. To tell these two apart would take a control that we do
#   not have.)
#
# So there are two causes that multiply: a weak signal from the loss, and hidden layers that weaken it
# further, by their slopes at least. Mending either of them helps. Since a step is the learning rate
# times the gradient, you can also say: for this loss and these layers, a learning rate of 0.1 is low.
# Whether a higher one would do as well, we have not measured.
#
# The next lessons keep the mean squared error and ReLU, so that their results can be compared with
# these. In work of your own, cross-entropy is the usual loss for a classifier.

# %% [markdown]
# ## The test, once
#
# Only now do we load the test images. The recipes are settled, so there is no need to keep images
# aside any more: as in lesson 2, each network learns from all 60,000 training images, one run with
# seed 0. So each makes 10,000 steps more than above. Expect the softmax network, which was still
# learning fast when its epoch ended, to gain most from them.

# %%
from helpers.results import record

test_images, test_digits = load_mnist("test")
test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)
all_dataloader = make_dataloader(all_images, all_digits, batch_size=1, shuffle=True)

steps = {"softmax": with_softmax, "no_hidden": without_hidden, "relu": with_relu}
for name, config in steps.items():
    seed_everything(0, verbose=False)
    classifier = config.create(Classifier)
    trainer = Trainer(max_epochs=1, accelerator="auto")
    trainer.fit(classifier, all_dataloader)
    record(name, trainer.test(classifier, test_dataloader)["test_accuracy"])

# %% [markdown]
# | step | share of the test images that we expect from one run |
# | --- | --- |
# | no network: the nearest mean image (lesson 1) | {{ nearest_mean }} |
# | sigmoid everywhere (lesson 2) | {{ sigmoid }} |
# | softmax at the outputs | {{ softmax }} |
# | no hidden layer | {{ no_hidden }} |
# | ReLU in the hidden layers | {{ relu }} |
#
# Some of these ranges overlap: each is meant to hold nearly any single run, and so is wider than what
# our ten trainings reached (lesson 2). That softmax and ReLU help was shown above, seed by seed.
# Cross-entropy has no row: it was there to find a cause, and is no step of the series.

# %% [markdown]
# ## What you learned
#
# - Change one thing at a time, and train with several seeds. `difference` shows what changed between
#   two recipes.
# - Softmax turns ten numbers into ten shares that add up to 1: more for one digit is less for the
#   others.
# - The gradient says how the loss changes with each parameter. On its way back to the first layer
#   the signal is multiplied by the slope of each activation, and by the weights.
# - A sigmoid's slope is at most 0.25; ReLU's is 1 wherever the neuron is switched on.
# - Layers without a bent activation are one layer, and draw straight borders. Hidden neurons bend
#   them.
# - The loss decides how strong the signal is at its start. At the same learning rate, cross-entropy
#   lets even sigmoids learn.

# %% [markdown]
# ## Next
#
# [Lesson 4: Mini-batches](04_mini_batches.ipynb) shows the network more than one image at a time.
