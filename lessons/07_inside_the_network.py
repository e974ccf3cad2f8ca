# %% [markdown]
# # Lesson 7: Inside the network
#
# {{ badge }}
#
# In this lesson you open the trained network and look at its 26,506 numbers: what each neuron looks
# for, which neurons do nothing at all, and how many of them it takes.
#
# **You will learn**
#
# - how to look at the weights of a neuron as an image, and why some of these images stay blank;
# - which images turn a neuron on, and what it says of each digit;
# - how to follow one image through the network, number by number;
# - how to look at 32 numbers at once in a picture of two dimensions;
# - how much network these digits need.
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
# Each lesson runs alone, so here are the digits and the recipe of [lesson 5](05_optimizers.ipynb)
# once more. Whatever one studies is not new any more, so we leave the test images closed, and study
# the network on 10,000 validation images from which it does not learn.

# %% tags=["check-output"]
import numpy as np

from helpers.data import load_mnist

images, digits = load_mnist("train")
order = np.random.default_rng(seed=0).permutation(60_000)
images, digits = images[order], digits[order]
train_images, train_digits = images[:50_000], digits[:50_000]
validation_images, validation_digits = images[50_000:], digits[50_000:]

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
# ## Three networks
#
# We shall look into one network, number 0. What we find there could be an accident of its first
# weights. So we train two more from other seeds, and ask them too.

# %%
from lightning import seed_everything

from helpers.training import Classifier, Trainer, make_dataloader

train_dataloader = make_dataloader(train_images, train_digits, batch_size=16, shuffle=True)


def train(recipe, seed, epochs, dataloader=train_dataloader, prepare=None):
    """Return a classifier made from the recipe and trained, both with this seed."""
    seed_everything(seed, verbose=False)
    classifier = recipe.create(Classifier)
    if prepare is not None:  # something to do to it before training
        with torch.random.fork_rng(devices=[]):  # the images come in the same order as without it
            prepare(classifier)
    if epochs > 0:
        Trainer(max_epochs=epochs, enable_progress_bar=False).fit(classifier, dataloader)
    return classifier


# %% [markdown]
# A network works layer by layer: each takes what the one before gave out. deeplay calls the layers
# with their activations `blocks`. The next function calls one after the other and keeps what each
# gives out. These numbers are called its [*activations*](glossary.ipynb) too, like the functions that
# they come out of. In the last layer they are the ten outputs.

# %%
import torch


def activations(classifier, images):
    """Return what each layer gives out: a list of tensors, each with one row an image."""
    values, layers = torch.from_numpy(images).flatten(start_dim=1), []
    with torch.no_grad():  # nothing is trained here, so no gradients are needed
        for block in classifier.model.blocks:
            values = block(values)
            layers.append(values)
    return layers


# %%
def accuracy(classifier):
    """Return the share of the validation images that a classifier reads right."""
    outputs = activations(classifier, validation_images)[-1]
    return (outputs.argmax(dim=1).numpy() == validation_digits).mean()


networks = []
for seed in range(3):
    networks.append(train(with_rmsprop, seed, epochs=10))
    print(f"network {seed}: {accuracy(networks[seed]):.1%} of the validation images")

# %% [markdown]
# ## Weights are images
#
# A neuron of the first hidden layer has 784 weights, one for each pixel. So its weights can be laid
# out as an image, each at the place of its pixel. **Blue** weights are positive: ink there turns
# the neuron on. **Orange** ones are negative: ink there keeps it off. At white places, ink does not
# matter.
#
# Here are the 32 neurons of network 0 at three stages. The same seed makes the same first weights
# and the same batches, so a training that we stop after one epoch shows where the training of ten
# epochs passed by.

# %%
from helpers.plotting import plot_weights

stages = {
    "before training": train(with_rmsprop, seed=0, epochs=0),
    "after one epoch": train(with_rmsprop, seed=0, epochs=1),
    "after ten epochs": networks[0],
}
weights = {name: network.model.blocks[0].layer.weight for name, network in stages.items()}
plot_weights(weights)

# %% [markdown]
# What to notice:
#
# - **Before training** the weights are drawn at random, and so small that on this scale you can
#   hardly see them. (Weights beyond the ends of a color scale have its darkest color, and the next
#   figure has a scale of its own.)
# - **After one epoch** there are patches of blue and orange, and after ten they are stronger and
#   finer.
# - **Some tiles are still blank** after ten epochs.
#
# Here are the weights after ten epochs, larger.

# %%
plot_weights({"after ten epochs": weights["after ten epochs"]})

# %% [markdown]
# Look for strokes, arcs and edges. You will hardly find a whole digit: a neuron asks for ink in
# some places and for none in others, and several digits can answer that.
#
# All tiles are pale near their corners. No training image has ink there. A weight is multiplied by
# its pixel, and where the pixel is always 0, the weight makes no difference to the loss, so its
# slope is 0 and training leaves it as it was drawn:

# %%
never_ink = torch.from_numpy((train_images == 0).all(axis=0).flatten())
change = (weights["after ten epochs"] - weights["before training"]).abs()

print(f"{int(never_ink.sum())} of the 784 pixels are 0 in all training images")
print(f"largest change of their weights: {change[:, never_ink].max():.2f}")
print(f"largest change of the others:    {change[:, ~never_ink].max():.2f}")

# %% tags=["check"]
assert change[:, never_ink].max() == 0
assert change[:, ~never_ink].max() > 0.3

# %% [markdown]
# ## Dead neurons
#
# And the blank tiles? ReLU turns every negative sum into 0 ([lesson 3](03_softmax_and_relu.ipynb)).
# A neuron whose sum is negative for *every* training image always gives out 0. It is called a
# [*dead neuron*](glossary.ipynb). Let us count.


# %%
def find_dead(classifier):
    """Return, for each hidden layer, which neurons are 0 for all training images."""
    hidden_layers = activations(classifier, train_images)[:-1]
    return [(layer == 0).all(dim=0) for layer in hidden_layers]


for name, classifier in stages.items():
    dead = find_dead(classifier)
    counts = [int(layer.sum()) for layer in dead]
    numbers = dead[0].nonzero().flatten().tolist()
    print(f"{name:16}  dead, layer by layer: {counts}, in the first: {numbers}")

# %% [markdown]
# Compare the last line with the tiles: the dead neurons of the first layer are the blank ones. (A tile
# may look blank after one epoch without a dead neuron behind it: as long as a few images turn it on,
# it can come back.)
#
# Why are they blank? At a negative sum, ReLU is flat: its slope is 0. By the chain rule the slopes
# of all of the neuron's weights are multiplied by it, so they are 0 too, for every image. RMSprop
# makes its step out of the present slope, so it moves these weights no more, and they stay about as
# small as they were drawn.
#
# In the first layer that is for ever, because the images stay the same. In the second, a dead
# neuron can come back: what it gets are the activations of the first layer, and those go on
# changing.

# %%
for seed, network in enumerate(networks):
    counts = [int(layer.sum()) for layer in find_dead(network)]
    print(f"network {seed}: {counts} dead neurons")

# %% tags=["check"]
dead_at = {name: find_dead(classifier)[0] for name, classifier in stages.items()}
assert dead_at["before training"].sum() == 0
assert (dead_at["after ten epochs"] >= dead_at["after one epoch"]).all()
assert all(1 <= find_dead(network)[0].sum() <= 10 for network in networks)

# %% [markdown]
# It is no accident of network 0: each of the three has some dead neurons in its first layer.

# %% [markdown]
# ### Exercise 1: predict
#
# A network of 784 inputs, 32 and 32 hidden neurons and 10 outputs has 26,506 parameters. Suppose
# that five neurons of its *first* hidden layer are dead. How many of the parameters then make, for
# this reason alone, no difference to what the network says of any training image? Work it out on
# paper. Think of what leads into a dead neuron, and of what leads on from it.

# %% tags=["exercise"]
### BEGIN SOLUTION
# 784 weights and a bias lead into each, and 32 weights multiply the 0 that it gives out.
idle_parameters = 5 * (784 + 1 + 32)
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_idle_parameters

check_idle_parameters(idle_parameters)

# %% [markdown]
# ## How neurons die
#
# A neuron is often as good as dead long before the first epoch ends. To see it, we train for a
# single step, on the first 16 images. Before and after, we count the neurons of the first layer
# that are on (above 0) for fewer than one in a hundred of all training images.

# %%
from torch.optim import Adam

recipes = {
    "RMSprop, 0.001": with_rmsprop,
    "RMSprop, 0.0001": with_rmsprop.optimizer(RMSprop, lr=0.0001),
    "Adam, 0.001": with_rmsprop.optimizer(Adam, lr=0.001),
}
one_batch = make_dataloader(train_images[:16], train_digits[:16], batch_size=16)


def count_off(classifier):
    """Count the neurons of the first layer that are on for fewer than 1 in 100 images."""
    is_on = activations(classifier, train_images)[0] > 0
    return int((is_on.float().mean(dim=0) < 0.01).sum())


# %%
before = [count_off(train(with_rmsprop, seed, epochs=0)) for seed in range(3)]
print(f"{'before training':16} {before}  (seeds 0, 1 and 2)")
for name, recipe in recipes.items():
    off = [count_off(train(recipe, seed, 1, one_batch)) for seed in range(3)]
    print(f"{name:16} {off}  after one step")

# %% [markdown]
# One step of RMSprop is enough to put some of the 32 neurons out. A few images still turn some of
# these on and may bring them back; the others are lost. With a tenth of the learning rate, or with
# Adam, no neuron goes out in that step.
#
# In [lesson 5](05_optimizers.ipynb) you met the reason. RMSprop divides each slope by the root of
# the average square $v$, and $v$ begins at 0. After the first batch it is only $0.01\,g^2$, so the
# first step is $\eta\, g / \sqrt{0.01\,g^2}$: *ten* learning rates, 0.01, for every weight that has
# a slope at all. Adam corrects this start, and makes a step of one learning rate.
#
# A step of 0.01 in one weight is little. But the ink of an image adds up to about 100, and all pixels
# push the same way, because none of them is negative. If all weights under the ink go down together,
# the sum goes down by about 1. How large are the sums before training?

# %%
sums = train_images.reshape(-1, 784) @ weights["before training"].detach().numpy().T
ink = train_images.sum(axis=(1, 2)).mean()
print(f"the ink of an image adds up to {ink:.0f} on average")
print(f"{np.mean(np.abs(sums) < 0.5):.0%} of the sums lie between -0.5 and 0.5")

# %% tags=["check"]
assert np.mean(np.abs(sums) < 0.5) > 0.9
assert 90 < ink < 110

# %% [markdown]
# Where the sums were that small, a fall by 1 takes all of them below zero, and the neuron is out.

# %% [markdown]
# ## What keeps them alive
#
# The learning rate is one cause. Two other cures are often recommended:
#
# - **Larger initial weights**, drawn so that the sums are neither tiny nor huge. The usual choice
#   for ReLU is [*He initialization*](glossary.ipynb) (K. He and others, [Delving deep into
#   rectifiers](https://arxiv.org/abs/1502.01852), 2015).
# - [*LeakyReLU*](glossary.ipynb): it turns a negative sum $z$ not into 0 but into $0.01\,z$. So it
#   has a slope everywhere, and no neuron can get stuck.
#
# We change one thing at a time, and train each recipe for one epoch with three seeds. (He
# initialization sets the biases to 0 as well.)
#
# Before you look: with three times the learning rate, what becomes of the number of dead neurons?
#
# - **a**: fewer die, because the network learns faster;
# - **b**: about as many die;
# - **c**: more die.

# %%
from helpers.guesses import guess, reveal

guess("three times the rate", ...)  # your letter, in quotes, in place of the dots

# %%
from torch.nn import LeakyReLU
from torch.nn.init import kaiming_normal_, zeros_


def with_he(classifier):
    """Draw the first weights of all layers anew, as He and others propose for ReLU."""
    for block in classifier.model.blocks:
        kaiming_normal_(block.layer.weight, nonlinearity="relu")
        zeros_(block.layer.bias)


# %%
changes = {
    "as it is": (with_rmsprop, None),
    "three times the rate": (with_rmsprop.optimizer(RMSprop, lr=0.003), None),
    "a third of the rate": (with_rmsprop.optimizer(RMSprop, lr=0.0003), None),
    "Adam": (with_rmsprop.optimizer(Adam, lr=0.001), None),
    "He initialization": (with_rmsprop, with_he),
    "LeakyReLU": (with_rmsprop.model.blocks.activation(LeakyReLU), None),
}
dead, read = {}, {}
for name, (recipe, prepare) in changes.items():
    trained = [train(recipe, seed, epochs=1, prepare=prepare) for seed in range(3)]
    dead[name] = [int(find_dead(network)[0].sum()) for network in trained]
    read[name] = np.array([accuracy(network) for network in trained])
    print(f"{name:20}  dead: {dead[name]!s:12}  read: {read[name].mean():.1%} on average")

# %%
more = sum(dead["three times the rate"]) - sum(dead["as it is"])
reveal("three times the rate", a=more < -2, b=abs(more) <= 2, c=more > 2)

# %% [markdown]
# The three numbers in brackets belong to the three seeds:
#
# - With each of them, three times the learning rate leaves more dead neurons, and a third of it
#   leaves fewer. But with a third, the network has learned less, on average, in its one epoch.
# - He initialization left fewer, though not none. But it draws other first weights, so here a seed
#   fixes only the order of the images. One or two neurons fewer in three runs are a hint, no proof.
#
# Adam, without the long first step, helps with some seeds and not with all: neurons can die later,
# too. With LeakyReLU there is no dead neuron, by construction: it gives out exactly 0 for no
# negative sum.
#
# More dead neurons need not mean a worse network: after this one epoch, the one with three times
# the rate reads on average no less than the one with the recipe as it is.
#
# Does it pay to save them? Here is how much more of the validation images the network reads with
# LeakyReLU than with ReLU, seed by seed: after this one epoch, and after ten.

# %%
with_leaky = changes["LeakyReLU"][0]
relu_read = np.array([accuracy(network) for network in networks])
leaky_read = np.array([accuracy(train(with_leaky, seed, epochs=10)) for seed in range(3)])
gains = {"one epoch": read["LeakyReLU"] - read["as it is"], "ten epochs": leaky_read - relu_read}
for when, gain in gains.items():
    print(f"after {when:10}", ", ".join(f"{100 * each:+.1f}" for each in gain), "percentage points")

# %% tags=["check"]
assert sum(dead["a third of the rate"]) < sum(dead["as it is"])
assert sum(dead["He initialization"]) < sum(dead["as it is"])
assert sum(dead["LeakyReLU"]) == 0
assert read["a third of the rate"].mean() < read["as it is"].mean() - 0.01
assert read["three times the rate"].mean() > read["as it is"].mean() - 0.005
assert gains["one epoch"].mean() > 0
assert abs(gains["ten epochs"].mean()) < 0.01

# %% [markdown]
# After one epoch, the network with LeakyReLU is ahead with each seed. After ten, most of that is gone
# with most of the seeds. So we keep ReLU, as in lesson 5: a few dead neurons are a waste, and no
# disaster.

# %% [markdown]
# ## What turns a neuron on
#
# The weights say what a neuron looks for. We can also ask the other way round: for which images is
# its activation the highest? Here are six neurons of the first hidden layer of network 0, each with
# its weights and its sixteen strongest validation images, the strongest first. Below the number of
# the neuron stand the lowest and the highest activation among these images.

# %%
from helpers.plotting import plot_strongest_images

layers = activations(networks[0], validation_images)
some = range(6)
plot_strongest_images(
    validation_images, validation_digits, layers[0], some, weights["after ten epochs"]
)

# %% [markdown]
# Lay the images over the weights: there is ink in the blue places, and little in the orange ones.
# Change `some` to see other neurons, a dead one too.
#
# The second hidden layer sees no pixels. It sees the 32 activations of the first, so its weights
# make no image. But it has strongest images as well:

# %%
plot_strongest_images(validation_images, validation_digits, layers[1], some)

# %% [markdown]
# Is there a neuron for each digit, or several? Before you count: of the 32 neurons of the second
# hidden layer, how many have sixteen strongest images that all show the same digit?
#
# - **a**: three quarters of them or more: the neurons share the digits among them;
# - **b**: fewer than half;
# - **c**: something between.

# %%
guess("sixteen of one digit", ...)  # your letter, in quotes, in place of the dots


# %%
def of_one_digit(layer):
    """Return the neurons of a layer whose sixteen strongest images all show the same digit."""
    strongest = layer.topk(16, dim=0).indices.numpy()
    shown = validation_digits[strongest]  # the digits: one row a rank, one column a neuron
    is_alive = layer.max(dim=0).values.numpy() > 0
    return np.flatnonzero((shown == shown[0]).all(axis=0) & is_alive)


second_layers = [activations(network, validation_images)[1] for network in networks]
counts = []
for seed, layer in enumerate(second_layers):
    untrained = activations(train(with_rmsprop, seed, epochs=0), validation_images)[1]
    counts.append(len(of_one_digit(layer)))
    print(f"network {seed}: {len(of_one_digit(untrained))} before training, {counts[seed]} after")

# %%
most, width = max(counts), layers[1].shape[1]
reveal(
    "sixteen of one digit",
    a=most >= 0.75 * width,
    b=most < 0.5 * width,
    c=0.5 * width <= most < 0.75 * width,
)

# %% [markdown]
# Training has turned some neurons into something like "a 2, written so". But they are the smaller
# part, and most others answer to several digits. And even a neuron whose sixteen strongest images
# are all 2s does not stand for the 2: for how many of all images is such a neuron on, the 2s and the
# others together?

# %%
for seed, layer in enumerate(second_layers):
    share_on = (layer > 0).float().mean(dim=0)
    low, middle, high = np.quantile(share_on[of_one_digit(layer)], (0, 0.5, 1))
    print(
        f"network {seed}: on for {low:.0%} to {high:.0%} of the images, {middle:.0%} in the middle"
    )

# %% tags=["check"]
for layer in second_layers:
    on = (layer > 0).float().mean(dim=0)[of_one_digit(layer)]
    assert on.min() > 0.12
    assert on.median() > 0.4
assert all(0 < count < 16 for count in counts)

# %% [markdown]
# One image in ten shows any one digit, and each of these neurons is on for more than that, most of
# them for several times as many. What is read is the whole pattern of activations, not any one of
# them.
#
# Here you can look at all of them yourself: pick a neuron of either hidden layer, and an image. The
# bar below each neuron is its activation for that image. Choose hidden layer 2 and go from image to
# image: many bars are there each time, and it is their pattern that changes with the digit. Then
# choose hidden layer 1 and drag the stage of the training: the weights grow, but those of the dead
# neurons, which are crossed out, stay about as small as they were. (It runs in a running notebook
# and on the website; elsewhere you see the weights of the first layer once more.)

# %%
from helpers import live

live.Inside(networks[0], validation_images, validation_digits, weights)

# %% [markdown]
# ## What a neuron says of each digit
#
# From each of the 32 neurons of the second hidden layer, ten weights lead to the ten outputs. They
# say what the neuron, when it is on, has to say of each digit: **blue** for, **orange** against.
# The neurons are sorted by the digit that they speak for the most, with a gap between the groups.

# %%
from helpers.plotting import plot_connections

output_layer = networks[0].model.blocks[-1].layer
plot_connections(output_layer.weight)

# %% [markdown]
# Read one row: several neurons speak for the digit, and several against it. Read one column: a
# neuron speaks for some digits and against others at once.
#
# Do those that you counted above, with sixteen images of one digit, also speak for this digit the
# most?

# %%
for neuron in of_one_digit(layers[1]):
    shows = validation_digits[layers[1][:, neuron].argmax()]
    print(f"neuron {neuron:2}: strongest for the {shows}, speaks the most for the ", end="")
    print(int(output_layer.weight[:, neuron].argmax()))

# %% tags=["check"]
shown = [validation_digits[layers[1][:, n].argmax()] for n in of_one_digit(layers[1])]
spoken_for = output_layer.weight[:, of_one_digit(layers[1])].argmax(dim=0).numpy()
assert 0 < (spoken_for != shown).sum() < len(shown)

# %% [markdown]
# Not all of them. What turns a neuron on the most is not always what it speaks for: how it is read
# is up to the next layer, which has 31 other neurons to read.
#
# Now compare the darkest orange with the darkest blue.

# %%
for seed, network in enumerate(networks):
    last = network.model.blocks[-1].layer.weight
    print(f"network {seed}: weights to the outputs from {last.min():.2f} to {last.max():+.2f}")

# %% tags=["check"]
lasts = [network.model.blocks[-1].layer.weight for network in networks]
assert all(-last.min() > 1.2 * last.max() for last in lasts)

# %% [markdown]
# In all three networks the most negative weight lies further from 0 than the most positive one. But
# how much a neuron adds to a sum depends on its activation too, as one image will show below.

# %% [markdown]
# ### Exercise 2: change and explain
#
# Switch off one neuron of the second hidden layer of network 0: set its column in a copy of
# `layers[1]` to 0. Work out the answers without it: `copy @ output_layer.weight.T + output_layer.bias`
# gives the ten sums of each image (`@` multiplies matrices), and the answer is the largest of them
# (softmax keeps their order, so you can leave it out). Measure the accuracy on the validation
# images. Then switch the neuron on again, and do the same for each of the others. Put the lowest of
# the accuracies into `lowest_accuracy`.
#
# Then say why it is no lower, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: many neurons speak for and against each digit, and the others make up for the one;
# - **b**: each neuron stands for one digit, and the nine other digits are still read;
# - **c**: the network learns to do without it.

# %% tags=["exercise"]
### BEGIN SOLUTION
accuracies = []
for neuron in range(layers[1].shape[1]):
    without = layers[1].clone()
    without[:, neuron] = 0
    sums = without @ output_layer.weight.T + output_layer.bias
    accuracies.append((sums.argmax(dim=1).numpy() == validation_digits).mean())
lowest_accuracy = min(accuracies)
reason = "a"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_switched_off

check_switched_off(lowest_accuracy, reason)

# %% [markdown]
# ## One image, followed
#
# Now let us follow one image on its way. A mistake is the most instructive, so we take the first
# validation image that network 0 reads wrong.

# %%
from helpers.plotting import plot_followed

answers = layers[-1].argmax(dim=1).numpy()
which = np.flatnonzero(answers != validation_digits)[0]
said, true = int(answers[which]), int(validation_digits[which])

print(f"validation image {which} is a {true}; the network says {said}")
plot_followed(validation_images[which], [layer[which] for layer in layers])

# %% [markdown]
# Each number in the grids is the activation of one neuron, and the darker, the higher within its layer:
# neurons 0 to 3 in the first row, 4 to 7
# in the second, and so on. The zeros are neurons that are off for this image, or dead; where it says
# 0.0, a neuron is on by less than 0.05.
#
# Where does such a number come from? Take the neuron of the first layer that is on the most.

# %%
pixels = torch.from_numpy(validation_images[which]).flatten()
neuron = int(layers[0][which].argmax())
first_layer = networks[0].model.blocks[0].layer
products = (first_layer.weight[neuron] * pixels).detach()
bias = first_layer.bias[neuron].item()

print(f"neuron {neuron} of the first layer")
for what, number in {
    "ink in blue places": products[products > 0].sum(),
    "ink in orange places": products[products < 0].sum(),
    "bias": bias,
    "the sum of these": products.sum() + bias,
    "what the network gives out": layers[0][which, neuron],
}.items():
    print(f"{what:27} {number:+6.2f}")

# %% [markdown]
# That is all that a neuron does: 784 products, one sum, and ReLU, which leaves a positive sum as it
# is.
#
# At the end, what speaks for the digit that the network says, and what for the true one? For each,
# here are the three neurons that add the most to its sum and the three that take away the most.
# Such a part is an activation of this figure times a weight of the figure under "What a neuron says of
# each digit".

# %%
parts = (layers[1][which] * output_layer.weight).detach()  # one row a digit, one column a neuron
sums = parts.sum(dim=1) + output_layer.bias.detach()
for digit in (said, true):
    by_size = parts[digit].argsort(descending=True).tolist()
    listed = [f"neuron {n} {parts[digit, n]:+.1f}" for n in by_size[:3] + by_size[-3:]]
    print(f"for a {digit}: {', '.join(listed)}")
    share = sums.softmax(dim=0)[digit]
    print(f"   all neurons and the bias: {sums[digit]:+.2f}; after softmax: {share:.2f}")

# %% [markdown]
# Many parts add up to two sums, and the wrong sum came out ahead. Compare its lead with the parts
# above it. A neuron that adds to both sums counts only by the difference. Where one adds more to the
# wrong sum than to the right one, and the difference is larger than the lead, switching it off would
# put the right sum ahead of this one. That does not make this neuron the culprit: on other images the
# same weights help. Change `which` to follow other images.

# %% tags=["check"]
assert torch.allclose(sums.softmax(0), layers[-1][which], atol=1e-4)

# %% [markdown]
# ### Exercise 3: build
#
# Write the whole network by hand: a function `by_hand(image, layers)`. `image` is a row of pixels,
# and `layers` a list with a pair (weights, biases) for each layer, the first layer first. `weights`
# has one row a neuron and one column an input. Hidden layers have ReLU, the last one has softmax;
# there may be any number of them. Return what the last layer gives out.


# %% tags=["exercise"]
### BEGIN SOLUTION
def by_hand(image, layers):
    """Return the outputs of a dense network for one image."""
    values = image
    for weights, biases in layers[:-1]:
        values = np.maximum(weights @ values + biases, 0)
    weights, biases = layers[-1]
    exponentials = np.exp(weights @ values + biases)
    return exponentials / exponentials.sum()


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## Thirty-two numbers in two dimensions
#
# For the output layer, an image is no image any more but 32 numbers: the activations of the second
# hidden layer. They are a point in a space of 32 dimensions, which nobody can see. But its shadow
# can be seen, as that of a flock of birds on the ground.
#
# A shadow depends on where the light comes from. [*Principal component analysis*](glossary.ipynb),
# PCA for short, picks the shadow in which the points spread the most. It moves the middle of the
# points to 0 and finds the directions in which they spread, the widest first; `np.linalg.svd`, the
# singular value decomposition, works them out. We keep the first two.


# %%
def shadow(points):
    """Return the points in the two directions in which they spread the most: (N, 2)."""
    centered = points.numpy() - points.numpy().mean(axis=0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    return centered @ directions[:2].T


# %%
from helpers.plotting import plot_clouds

thousand_images, thousand_digits = validation_images[:1000], validation_digits[:1000]
clouds = {
    name: shadow(activations(stages[name], thousand_images)[1])
    for name in ("before training", "after ten epochs")
}
plot_clouds(clouds, thousand_digits)

# %% [markdown]
# (Each panel has scales of its own, across and upward: look at what lies beside what, and not at how
# wide the clouds are.)
#
# Before training there is one cloud, in which the digits are mostly mixed up. After training,
# images of the same digit have moved together: some digits have a place of their own, and others
# still lie on top of each other in this shadow.
#
# Do they also in the 32 dimensions? We ask the neighbors. For each image we take the ten images
# that lie nearest to it, and count how many show the same digit.


# %%
def same_among_neighbors(points):
    """Return the share of the ten nearest neighbors that show the same digit, on average."""
    distances = torch.cdist(points, points)
    nearest = distances.topk(11, dim=1, largest=False).indices[:, 1:]  # the first is itself
    return (thousand_digits[nearest.numpy()] == thousand_digits[:, None]).mean()


for seed, network in enumerate(networks):
    for name, classifier in (("before", train(with_rmsprop, seed, epochs=0)), ("after", network)):
        points = activations(classifier, thousand_images)[1]
        flat = torch.from_numpy(shadow(points))
        print(
            f"network {seed}, {name:6} training: {same_among_neighbors(points):.0%} in 32 numbers, "
            f"{same_among_neighbors(flat):.0%} in the shadow"
        )

# %% tags=["check"]
assert same_among_neighbors(points) > 0.85
assert 0.4 < same_among_neighbors(flat) < 0.75

# %% [markdown]
# After training, about nine in ten neighbors show the same digit, in each of the three networks. In
# the shadow it is only about half: two dimensions are too few to keep ten digits apart. If two
# clouds overlap in such a picture, they may still be apart in the 32 dimensions.
#
# But we compared with untrained layers only. How good are the neighbors in the pixels themselves?
# Here is that control.

# %%
pixels = torch.from_numpy(thousand_images).flatten(start_dim=1)
print(f"784 pixels: {same_among_neighbors(pixels):.0%} of the ten nearest show the same digit")
for seed, network in enumerate(networks):
    first, second, _ = activations(network, thousand_images)
    print(
        f"network {seed}: {same_among_neighbors(first):.0%} in its first hidden layer, "
        f"{same_among_neighbors(second):.0%} in its second"
    )

# %% tags=["check"]
in_pixels = same_among_neighbors(pixels)
untrained_layer = activations(train(with_rmsprop, 0, epochs=0), thousand_images)[1]
assert in_pixels > same_among_neighbors(untrained_layer) + 0.2
assert in_pixels + 0.05 < same_among_neighbors(first) < same_among_neighbors(second)

# %% [markdown]
# The pixels are far better than the untrained layers above: random weights mix up much of what the
# pixels keep apart. So a part of what training gained only made good for that. The rest is a real
# gain: the first hidden layer is better than the pixels, and the second better than the first, in
# each of the three networks. Layer by layer, images of the same digit move together, until the last
# layer can tell the digits apart by weighted sums.
#
# It was an uneven match, though. The layers have learned from 50,000 images with their digits, and
# the pixels had only these thousand to find neighbors among. What if both may search all of the
# training images? As in [lesson 1](01_data.ipynb), the answer is the digit of the nearest one. A
# thousand images would be few to compare such close numbers on, so we ask for 5,000.


# %%
half_of_them, their_digits = validation_images[:5000], validation_digits[:5000]


def share_read(points, known_points):
    """Return the share of the 5,000 images whose nearest training image shows the same digit."""
    # Squared distances, without the part that is the same for all training images, as in lesson 1.
    points, known_points = points.numpy(), known_points.numpy()
    sums_of_squares = np.array([point @ point for point in known_points])
    nearest = [
        (sums_of_squares - 2 * some @ known_points.T).argmin(axis=1)
        for some in np.array_split(points, 100)
    ]
    return (train_digits[np.concatenate(nearest)] == their_digits).mean()


known_pixels = torch.from_numpy(train_images).flatten(start_dim=1)
by_pixels = share_read(torch.from_numpy(half_of_them).flatten(start_dim=1), known_pixels)
print(f"nearest in the 784 pixels: {by_pixels:.1%} read right")

# %%
by_layer, by_network = [], []
for seed, network in enumerate(networks):
    layer, outputs = activations(network, half_of_them)[1:]
    by_layer.append(share_read(layer, activations(network, train_images)[1]))
    by_network.append((outputs.argmax(dim=1).numpy() == their_digits).mean())
    print(
        f"nearest in the second layer of network {seed}: {by_layer[seed]:.1%}; "
        f"the network itself: {by_network[seed]:.1%}"
    )

# %% tags=["check"]
assert by_pixels > max(*by_layer, *by_network) + 0.003

# %% [markdown]
# With so many images to search, the pixels read more than the neighbors in the second layer, and
# more than the network itself, for each of the three networks: about one image in a hundred more. A
# likely reason is that among 50,000 images there is nearly always one that looks much the same.
#
# What the layers offer is something else. They bring together images of a digit that do *not* look
# the same, and they need only 32 numbers for it. And a trained network keeps no images, and
# searches none.

# %% [markdown]
# ## How much network is needed?
#
# Our 32 and 32 were a choice of the first lesson on networks. Is it a good one? `compare` trains each
# recipe with three seeds, for two epochs only to keep it short (so expect less than above), and
# measures it on the validation images. With the same seed, all recipes see the images in the same
# order. All train with the learning rate that was chosen for 32 and 32. First the width: two hidden
# layers of 2, 8, 32 or 128 neurons.

# %%
from helpers.experiments import compare
from helpers.plotting import plot_comparison

validation_dataloader = make_dataloader(validation_images, validation_digits, batch_size=1000)
widths = {
    f"{width} and {width}": with_rmsprop.model.hidden_dims([width, width])
    for width in (2, 8, 32, 128)
}
by_width = compare(widths, train_dataloader, validation_dataloader, epochs=2)
plot_comparison(by_width)

# %%
for name, recipe in widths.items():
    count = sum(parameter.numel() for parameter in recipe.create(Classifier).parameters())
    print(f"{name:12} {count:7,} parameters, {by_width.of(name).mean():.1%} on average")

print(by_width.difference("8 and 8", "2 and 2"))
print(by_width.difference("32 and 32", "8 and 8"))
print(by_width.difference("128 and 128", "32 and 32"))

# %% tags=["check"]
assert by_width.difference("8 and 8", "2 and 2").shares.min() > 0.2
assert by_width.difference("32 and 32", "8 and 8").shares.min() > 0.02
assert 0.005 < by_width.difference("128 and 128", "32 and 32").mean < 0.03

# %% [markdown]
# Each step makes the layers four times as wide:
#
# - **Two neurons** do not get far in two epochs: most images are read wrong, with each of the three
#   seeds. (Whether they would with more training or another rate, we have not measured.)
# - **Eight** read almost nine images in ten. How many depends on luck as well: with two neurons and
#   with eight, the runs lie several percentage points apart.
# - **32** read more with each of the three seeds, and **128** still more. But the gain gets smaller
#   each time, and the last one costs more than four times as many parameters. So 32 and 32 is not
#   the best choice, but a small one that reads most of what four times the width reads.
#
# Now the depth: no hidden layer, one, two or four, each of 32 neurons. Before you look: which step
# gains the most?
#
# - **a**: from no hidden layer to one;
# - **b**: from one to two;
# - **c**: from two to four.

# %%
guess("depth", ...)  # your letter, in quotes, in place of the dots

# %%
depths = {
    "no hidden layer": with_rmsprop.model.hidden_dims([]),
    "one": with_rmsprop.model.hidden_dims([32]),
    "two": with_rmsprop.model.hidden_dims([32, 32]),
    "four": with_rmsprop.model.hidden_dims([32, 32, 32, 32]),
}
by_depth = compare(depths, train_dataloader, validation_dataloader, epochs=2)
plot_comparison(by_depth)

# %%
to_one = by_depth.difference("one", "no hidden layer")
to_two = by_depth.difference("two", "one")
to_four = by_depth.difference("four", "two")
print(to_one, to_two, to_four, sep="\n")

best = max(to_one.mean, to_two.mean, to_four.mean)
reveal("depth", a=to_one.mean == best, b=to_two.mean == best, c=to_four.mean == best)

# %% tags=["check"]
assert to_one.shares.min() > 0.01
assert abs(to_two.mean) < 0.01
assert to_four.mean < 0.005

# %% [markdown]
# The first hidden layer gains the most, with each of the three seeds. The second changes little.
# Four layers gain nothing here in the same two epochs.
#
# Do not conclude that depth is useless. This says something about dense networks of 32 neurons,
# these digits and this much training. What it does say: more is not always better, and it can be
# measured.

# %% [markdown]
# ## What you learned
#
# - The weights of a first-layer neuron are an image: where ink turns it on, and where it keeps it
#   off.
# - A dead neuron gives out 0 for every image; its slopes are 0, so in the first layer it stays
#   dead. A smaller learning rate makes it rarer, He initialization perhaps too, and LeakyReLU rules
#   it out.
# - Few neurons stand for one digit. What is read is the pattern of all of them, so that one can be
#   missed.
# - A network is products, sums and an activation, over and over: you can follow each number.
# - Hidden layers move images of the same digit closer together than they are in the pixels. PCA shows a
#   shadow of that.
# - Wider and deeper networks have to prove that they are worth it, over several seeds.

# %% [markdown]
# ## Next
#
# [Lesson 8: Beyond one machine](08_beyond_one_machine.ipynb) trains the same recipe in several
# processes at once, and asks whether it pays.
