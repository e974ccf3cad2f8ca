# %% [markdown]
# # Lesson 8: Beyond one machine
#
# {{ badge }}
#
# In this lesson you train lesson 5's recipe, unchanged, in two processes at once, learn what
# changes when there are many, and find out when it is worth the trouble.
#
# **You will learn**
#
# - how several processes can train one network together;
# - what happens to the batch size, and what to do to the learning rate;
# - how to train in two processes from a notebook, and on many machines from a script;
# - how to tell whether it pays.
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
# Here are the digits once more, and the recipe with which [lesson 5](05_optimizers.ipynb) ended:
# softmax outputs, ReLU in the hidden layers, RMSprop with a learning rate of 0.001.
#
# (The first line hides NVIDIA's graphics cards, if there are any, from this lesson. You will see why.)

# %% tags=["check-output"]
import os

os.environ["CUDA_VISIBLE_DEVICES"] = ""

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
from torch.optim import RMSprop

classifier_config = (
    Config()
    .model(dl.MultiLayerPerceptron, mlp_config)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(RMSprop, lr=0.001)
)
print(classifier_config)

# %% [markdown]
# ## Many hands
#
# Our network trains in less than a minute. Others would take months, so their work is shared among
# many processors or graphics cards, often in many computers.
#
# A [*process*](glossary.ipynb) is a running program with a memory of its own. The program that runs
# the cells of this notebook, its [*kernel*](glossary.ipynb), is one. The most common way to share
# the work is called [*data-parallel training*](glossary.ipynb):
#
# 1. Each process has a copy of the whole network, all with the same weights.
# 2. Each process looks at its own batch of images and works out its own gradient
#    ([lesson 3](03_softmax_and_relu.ipynb)).
# 3. The processes average their gradients.
# 4. Each process takes the same step with this average. So their weights stay the same.
#
# The next two sections look at points 2 and 3. You need no second process for that.

# %% [markdown]
# ## Each process sees its own share
#
# If all processes looked at the same images, they would all do the same work. A
# [*distributed sampler*](glossary.ipynb) hands out the images like cards: one to each process in
# turn. Here it deals ten images to two processes.
#
# PyTorch's name for the number of processes is `num_replicas`, because each has a replica, a copy,
# of the network. The processes are numbered from zero, and its name for that number is `rank`.

# %% tags=["check-output"]
from torch.utils.data.distributed import DistributedSampler

ten_images = range(10)
shares = [
    list(DistributedSampler(ten_images, num_replicas=2, rank=process, shuffle=False))
    for process in range(2)
]
print(shares)

# %%
from helpers.plotting import plot_image_rows

plot_image_rows({f"process {process}": train_images[share] for process, share in enumerate(shares)})

# %% [markdown]
# Compare with the numbers above, which are the images' places and not their digits: no image is dealt
# to both processes, though two may show the same digit, and none of the ten is missing.
#
# What if the images cannot be shared out equally? Here are ten images for three processes:

# %% tags=["check-output"]
for process in range(3):
    print(list(DistributedSampler(ten_images, num_replicas=3, rank=process, shuffle=False)))

# %% [markdown]
# All processes must take the same number of steps, or some would wait for an average that never
# comes. So the sampler starts again from the beginning until each process has as many as the
# others: images 0 and 1 are used twice.
#
# For training, all processes first shuffle the images, each in the same way, and then deal. The
# next epoch brings another order.

# %% [markdown]
# ### Exercise 1: build
#
# Write a function `deal(images, process, processes)` that deals as the distributed sampler does
# without shuffling. It takes the number of images, the number of this process and the number of
# processes, and returns a list: the numbers of the images that this process sees. All processes get
# equally many; where needed, start again from image 0.


# %% tags=["exercise"]
### BEGIN SOLUTION
def deal(images, process, processes):
    """Return the numbers of the images that a process sees."""
    rounds = -(-images // processes)  # rounded up
    return [(process + processes * turn) % images for turn in range(rounds)]


### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_deal

check_deal(deal)

# %% [markdown]
# ## The average of the gradients
#
# Now to point 3. First a network, made from the recipe, and 16 images with their targets: ten
# numbers each, a 1 at the place of the digit and zeros elsewhere.

# %%
import torch
from lightning import seed_everything

seed_everything(0, verbose=False)
network = mlp_config.create(dl.MultiLayerPerceptron)
images = torch.from_numpy(train_images[:16])
targets = torch.nn.functional.one_hot(torch.from_numpy(train_digits[:16]), 10).float()

# %% [markdown]
# The next function works out a gradient as in [lesson 3](03_softmax_and_relu.ipynb): `backward`
# goes from the loss back through the layers, and leaves in each parameter's `grad` how much the
# loss changes with it. To keep it short, we look at one part of the gradient only: the weights
# between the pixels and the first hidden layer, which are the first parameters of the network.


# %%
def gradient(share):
    """Return the gradient of the loss, averaged over some of the 16 images."""
    network.zero_grad()  # forget the gradient of the last call
    loss = MSELoss()(network(images[share]), targets[share])
    loss.backward()
    first_weights = next(network.parameters())
    return first_weights.grad.clone()


# %% [markdown]
# Now we deal the 16 images to two processes, eight for each, and average their two gradients.
# `allclose` says whether two tensors are the same apart from small differences: here, `atol=1e-6`
# allows about one millionth.

# %% tags=["check-output"]
for_all_16 = gradient(slice(0, 16))
of_process_0 = gradient(slice(0, 16, 2))
of_process_1 = gradient(slice(1, 16, 2))

print("process 0 agrees with all 16:", torch.allclose(of_process_0, for_all_16, atol=1e-6))
average = (of_process_0 + of_process_1) / 2
print("the average agrees with all 16:", torch.allclose(average, for_all_16, atol=1e-6))

# %% [markdown]
# Process 0's gradient differs from that of the whole batch, because it saw only half of the images.
# The average of the two is the gradient of the whole batch, apart from a little rounding. So two
# processes with batches of 8 should take the same steps as one process with batches of 16, with the
# same recipe. You will check this below.

# %% [markdown]
# ## Two processes in this notebook
#
# You do not have to program any of this. Our `Trainer` is deeplay's with quicker bookkeeping, and
# deeplay's is built on [*Lightning*](glossary.ipynb), the library that `seed_everything` comes
# from. Lightning runs the training of PyTorch networks: it calls the network batch by batch, counts
# the epochs, and can spread all that over several processes.
#
# We ask the trainer for it with two settings: `devices=2` says how many processes, and
# `strategy="ddp_notebook"` says how to start them. [*DDP*](glossary.ipynb) stands for *distributed
# data parallel*, PyTorch's name for data-parallel training.
#
# Three things to know before you train:
#
# - The two processes are copies of this one. Each keeps one [*core*](glossary.ipynb) busy: a
#   processor has several cores, each of which can run a program at the same time as the others. So
#   do not ask for more processes than your computer has cores.
# - Windows cannot copy a process. There, leave out the cells with `two_processes`, and those right
#   after them that show their results. All the rest runs. For two processes, try the script at the
#   end of this lesson.
# - A process that has used a graphics card, or only asked one for its state, cannot be copied either.
#   That is why the cell with the digits hid them, and why we write `accelerator="cpu"` everywhere. If
#   you have used one since you opened this notebook, restart the kernel (in the menu "Kernel") and
#   run the lesson from the top.
#
# To keep it short, we train for one epoch on 12,000 of the images. Another 10,000 are the
# *validation images*, on which we shall compare learning rates below; they are the same as in
# [lesson 5](05_optimizers.ipynb).

# %%
import numpy as np

from helpers.training import Classifier, Trainer, make_dataloader

shuffled = np.random.default_rng(0).permutation(60_000)
some, for_validation = shuffled[:12_000], shuffled[50_000:]
some_images, some_digits = train_images[some], train_digits[some]
validation_dataloader = make_dataloader(
    train_images[for_validation], train_digits[for_validation], batch_size=1000
)
train_dataloader = make_dataloader(some_images, some_digits, batch_size=16, shuffle=True)

# %% [markdown]
# Now the training. `**two_processes` passes both settings as if they were written out. You will need
# them again.

# %%
seed_everything(0, verbose=False)
classifier = classifier_config.create(Classifier)
two_processes = {"devices": 2, "strategy": "ddp_notebook"}
trainer = Trainer(max_epochs=1, accelerator="cpu", **two_processes)
trainer.fit(classifier, train_dataloader)

# %% [markdown]
# What happened? The notebook's process made two copies of itself. Lightning gave each of them a
# distributed sampler for the dataloader, and averaged their gradients at each step. At the end, the
# trained weights came back into the classifier of this notebook; the losses of the single steps did
# not.
#
# You saw no progress bar, because a copy cannot draw one here. The first copy printed the line at
# the end of the epoch. What the line about the ordinary way means, you will read under "Does it pay?".

# %%
from helpers.results import record

test_dataloader = make_dataloader(test_images, test_digits, batch_size=1000)
test_result = Trainer(accelerator="cpu").test(classifier, test_dataloader)
record("two_processes", test_result["test_accuracy"])

# %% [markdown]
# We test in one process. With several, each would test its own share, and an image that was dealt
# twice would count twice. It is the only time that this lesson looks at the test images, and
# nothing below depends on it.

# %% [markdown]
# ## The same steps
#
# Above, one average of two gradients was the gradient of the whole batch. Does that hold for a
# whole training? To compare, one process must see the same images in the same order.
#
# Lightning always shuffles when it deals for a training, with the seed that you gave to
# `seed_everything`, 0 here. A sampler of our own with the same seed therefore deals the same
# shares. We lay the two shares side by side and read across: the first image of each process, then
# the second of each, and so on.

# %%
shares = [
    list(DistributedSampler(some_digits, num_replicas=2, rank=process, shuffle=True, seed=0))
    for process in range(2)
]
order = np.stack(shares, axis=1).flatten()

print("process 0:", shares[0][:4], "...")
print("process 1:", shares[1][:4], "...")
print("in order: ", order[:8].tolist(), "...")

# %% [markdown]
# Here are two small functions for the rest of the lesson. The first trains the recipe for one
# epoch, in one process or, with other settings, in two, and takes the time.
#
# The second function puts all parameters of a classifier into one row: `torch.cat` joins tensors
# end to end, and `detach` takes only their numbers, without what PyTorch keeps for gradients.

# %%
import time


def train(dataloader, **settings):
    """Train the recipe for one epoch; return the classifier and the seconds it took."""
    seed_everything(0, verbose=False)
    classifier = classifier_config.create(Classifier)
    trainer = Trainer(max_epochs=1, accelerator="cpu", enable_progress_bar=False, **settings)
    start = time.perf_counter()
    trainer.fit(classifier, dataloader)
    return classifier, time.perf_counter() - start


# %%
def weights(classifier):
    """Return all 26,506 parameters in one row."""
    return torch.cat([parameter.detach().flatten() for parameter in classifier.parameters()])


# %%
images_in_order, digits_in_order = some_images[order], some_digits[order]
in_order_16 = make_dataloader(images_in_order, digits_in_order, batch_size=16)
in_order_32 = make_dataloader(images_in_order, digits_in_order, batch_size=32)

# %%
two_with_16, _ = train(train_dataloader, **two_processes)
one_with_32, _ = train(in_order_32)
one_with_16, _ = train(in_order_16)

same_steps = (weights(two_with_16) - weights(one_with_32)).abs().max()
other_steps = (weights(two_with_16) - weights(one_with_16)).abs().max()
print(f"two processes with 16 images, one with 32: weights differ by up to {same_steps:.5f}")
print(f"two processes with 16 images, one with 16: weights differ by up to {other_steps:.5f}")

# %% tags=["check"]
assert same_steps < 0.001
assert other_steps > 0.05

# %% [markdown]
# Two processes with batches of 16 end with the weights of one process with batches of 32. At most
# some rounding is left: they add up the same numbers in another order. One process with batches of
# 16 takes other steps, and twice as many.

# %% [markdown]
# ### Exercise 2: change and explain
#
# Leave out the averaging. Train two classifiers with `train`, in one process each: the first on
# images 0, 2, 4, … of `some_images`, the second on images 1, 3, 5, … (`some_images[0::2]` and
# `some_images[1::2]`, likewise their digits). Use batches of 16 without shuffling, and names of your
# own: the lesson needs `train_dataloader` again. Put the largest difference between their `weights`
# into `largest_difference`. Then say why it is what it is, with `reason = "a"`, `"b"` or `"c"`:
#
# - **a**: they started from different weights;
# - **b**: computers round, and the rounding errors add up;
# - **c**: each followed the gradients of its own images only.

# %% tags=["exercise"]
### BEGIN SOLUTION
alone = []
for process in range(2):
    share = slice(process, None, 2)
    classifier, _ = train(make_dataloader(some_images[share], some_digits[share], batch_size=16))
    alone.append(classifier)
largest_difference = (weights(alone[0]) - weights(alone[1])).abs().max()
reason = "c"
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_without_averaging

check_without_averaging(largest_difference, reason)

# %% [markdown]
# ## The batch you have in effect
#
# So the batch that counts is the one that all processes make together:
#
# $$ \text{effective batch size} = \text{number of processes} \times \text{batch size} $$
#
# With more processes, the [*effective batch size*](glossary.ipynb) grows, and the number of steps
# in an epoch falls. From [lesson 4](04_mini_batches.ipynb) you know what fewer steps cost. There
# are two cures:
#
# - **Keep the effective batch size.** Divide `batch_size` by the number of processes. The steps are
#   the same as before, but each process has less to do between two averages.
# - **Take longer steps.** The average of more gradients is less noisy, so it can be trusted
#   further. The [*linear scaling rule*](glossary.ipynb) says: with $k$ times the batch, take $k$
#   times the learning rate, and begin with smaller steps in the first epochs
#   ([*warm-up*](glossary.ipynb)).
#
# The rule is from P. Goyal and others, [Accurate, large minibatch SGD: training ImageNet in 1
# hour](https://arxiv.org/abs/1706.02677) (2017). It was found for SGD with momentum. RMSprop and
# Adam divide by the size of the gradients, and for them $\sqrt{k}$ is the better guide (S. Malladi
# and others, [On the SDEs and scaling rules for adaptive gradient
# algorithms](https://arxiv.org/abs/2205.10287), 2022). Their whole rule also makes the averages of the
# gradients forget faster, which here stay as they are.

# %% [markdown]
# ### Exercise 3: predict
#
# All 60,000 training images, four processes, `batch_size=16` in each. How many steps does an epoch
# take? Work it out on paper.

# %% tags=["exercise"]
### BEGIN SOLUTION
images_per_process = 60_000 // 4
steps_per_epoch = int(np.ceil(images_per_process / 16))  # the last batch is half full
### END SOLUTION

# %% tags=["exercise-check"]
from helpers.checks import check_steps_per_epoch

check_steps_per_epoch(steps_per_epoch)

# %% [markdown]
# ### How far can you go?
#
# We compare 1, 2 and 32 processes with 16 images each. You do not need 32 processors for that: as
# you have seen, one process takes the same steps with the whole effective batch. So one process
# with batches of 512 stands in for 32 processes.
#
# `.optimizer.lr(rate)` is a rule of a recipe that sets only the learning rate of the optimizer. For
# each number of processes $k$ we try the old learning rate 0.001, $\sqrt{k}$ times that, and $k$
# times that. For one process these are all the same, so there we try twice the rate instead, as a
# control: if that helps without any second process, what helps is not the scaling. Each pair is
# trained with five seeds and measured on the validation images.
#
# Before you look: with 32 processes and $\sqrt{32}$ times the learning rate, how much does the
# network read, compared with one process?
#
# - **a**: about as much: longer steps make up for fewer of them;
# - **b**: more;
# - **c**: clearly less, by five percentage points or more.

# %%
from helpers.guesses import guess, reveal

guess("32 processes", ...)  # your letter, in quotes, in place of the dots

# %%
from helpers.experiments import compare

rates = {1: (0.001, 0.002), 2: (0.001, 0.0014, 0.002), 32: (0.001, 0.0057, 0.032)}
compared = {}
for processes, learning_rates in rates.items():
    recipes = {f"rate {rate}": classifier_config.optimizer.lr(rate) for rate in learning_rates}
    dataloader = make_dataloader(some_images, some_digits, 16 * processes, shuffle=True)
    compared[processes] = compare(
        recipes, dataloader, validation_dataloader, seeds=5, accelerator="cpu"
    )
    print(f"effective batch size {16 * processes}, as {processes} × 16")
    print(compared[processes])

# %%
for processes in (1, 2):
    print(f"{processes} × 16: {compared[processes].difference('rate 0.002', 'rate 0.001')}")

# %%
one_process = compared[1].of("rate 0.001").mean()
lost = one_process - compared[32].of("rate 0.0057").mean()
reveal("32 processes", a=-0.01 < lost < 0.05, b=lost <= -0.01, c=lost >= 0.05)

# %% tags=["check"]
assert all(compared[k].difference("rate 0.002", "rate 0.001").mean > 0.003 for k in (1, 2))
assert abs(compared[2].of("rate 0.001").mean() - one_process) < 0.02
assert compared[32].of("rate 0.001").max() < one_process - 0.04
assert np.ptp(compared[32].of("rate 0.0057")) > 0.04
assert compared[32].of("rate 0.032").max() < 0.5
assert np.ceil(12_000 / 512) == 24

# %% [markdown]
# What to notice:
#
# - **Two processes** with the old learning rate read about as much as one, with half the steps.
#   With twice the rate they read more, as the last line shows seed by seed.
# - **But so does one process** with twice the rate (the line above it). What helps is not the
#   scaling: for one epoch of 12,000 images, the old rate was on the low side. Without this control
#   you would have praised the rule.
# - **32 processes** with the old rate are clearly worse: in batches of 512, 12,000 images make only
#   24 steps.
# - $\sqrt{32}$ **times the rate** does not bring it back; here the mean is even lower. Look at the
#   lowest and the highest of its five runs: they lie far apart, and one run alone could have misled
#   you badly.
# - **32 times the rate** breaks training down. But so did a rate of 0.03 in [lesson
#   5](05_optimizers.ipynb), with batches of 16: for RMSprop such a rate is too high with small
#   batches as with large ones.
#
# Are the rules wrong, then? We have not shown that. 24 steps are few, RMSprop's first ones are far
# longer than its learning rate ([lesson 7](07_inside_the_network.ipynb)), we had no warm-up, and we
# changed nothing but the rate. What you have seen: neither of these rates alone saved so large a
# batch in so few steps. So take a rule as the place to begin, and compare a few rates on validation
# images, with several seeds, as here.

# %% [markdown]
# ## Does it pay?
#
# We measure how long 12,000 images take, each time with an effective batch size of 32.
#
# One more thing, to be fair. In one process, our `Trainer` saves time by making many steps at a
# time. Several processes must meet at every step, so there it leaves the work to Lightning, which
# makes the steps one by one. To compare, we also time one process in this ordinary way. Any limit
# on the number of batches brings it about, even one that lets all of them through.
#
# Before you look: compared with one process in the ordinary way, two processes are …
#
# - **a**: nearly twice as fast;
# - **b**: slower;
# - **c**: about as fast, give or take a tenth.

# %%
guess("two processes", ...)  # your letter, in quotes, in place of the dots

# %%
seconds = {}
_, seconds["one process"] = train(in_order_32)
all_batches = {"limit_train_batches": len(in_order_32)}
_, seconds["one process, the ordinary way"] = train(in_order_32, **all_batches)
_, seconds["two processes"] = train(train_dataloader, **two_processes)

for way, time_taken in seconds.items():
    print(f"{way:30} {len(some_images) / time_taken:8,.0f} images a second")

# %%
gain = seconds["one process, the ordinary way"] / seconds["two processes"]
reveal("two processes", a=gain > 1.6, b=gain < 0.9, c=0.9 <= gain < 1.1)

# %% tags=["check"]
assert seconds["two processes"] > seconds["one process, the ordinary way"] > seconds["one process"]

# %% [markdown]
# Two processes are much slower than one, for two reasons. From the first line to the second, it is
# the many steps at a time that are missing. From the second to the third, a second process comes in,
# and costs more than it saves.
#
# Why does it? The two copies have to be started, which may count for much in so short a training. And
# at each step they exchange 26,506 numbers, and each waits until the other is ready, while the work
# that is saved is little: the gradient of so small a network for 16 images. How much each of the two
# costs, one measurement does not tell.
#
# It pays when the opposite holds: when a step takes much longer than an exchange. That is often so
# when a network computes much with each of its parameters, as convolutional networks do
# ([lesson 6](06_failure_analysis.ipynb)), on large images in large batches, and when fast lines
# connect the graphics cards.
#
# Measure before you believe it. Train with one process and with two, long enough that the start no
# longer counts, and compare images a second.
#
# And before you take more machines, try what is cheaper: a graphics card, or a bigger batch with a
# new learning rate, as far as the validation images bear it.

# %% [markdown]
# ## Many machines: the script
#
# A notebook runs on one computer. To train on many, you need a script that each of them can start.
# `train_distributed.py`, in the folder `notebooks` of this project, is the one for our recipe. What
# is new in it is how it makes the trainer:
#
# ```python
# trainer = Trainer(
#     max_epochs=epochs,
#     strategy="ddp" if "LOCAL_WORLD_SIZE" in os.environ else "auto",
#     devices=int(os.environ.get("LOCAL_WORLD_SIZE", 1)),
#     num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", 1)),
#     accelerator=accelerator,
# )
# ```
#
# The processes are started from outside now, by `torchrun`, a program that comes with PyTorch. Then
# the strategy is `"ddp"`. Without `torchrun` there is one process, and `"auto"` leaves the strategy
# to Lightning.
#
# `torchrun` tells each process how many processes there are on this computer (`LOCAL_WORLD_SIZE`)
# and how many computers (`GROUP_WORLD_SIZE`; Lightning calls a computer a
# [*node*](glossary.ipynb)). Python finds such settings, the environment variables of the process,
# in `os.environ`.
#
# In a terminal, in the folder `notebooks` (which Colab does not have): one process, and two processes
# with 8 images each. (If `make lab` set up your Python, the two programs are `../.venv/bin/python` and
# `../.venv/bin/torchrun`. On Windows they are in `..\.venv\Scripts`, and `torchrun` may ask for libuv,
# which PyTorch lacks there: type `set USE_LIBUV=0` first. We could not try this.)
#
# ```
# python train_distributed.py
# torchrun --nproc-per-node 2 train_distributed.py --batch-size 8 --accelerator cpu
# ```
#
# `--accelerator cpu` makes both processes compute on the processor. Without it, each process takes a
# graphics card of its own where there are any. A computer with a single one has none for the second,
# and Apple's cannot train in this way at all.
#
# Both have an effective batch size of 16, and train for ten epochs on all images. The first takes
# seconds, since it makes many steps at a time; the second takes minutes. Add `--epochs 1` for a quick
# try.
#
# Four graphics cards in each of two computers: the same line on both, with the name of the first in
# place of `FIRST`.
#
# ```
# torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint FIRST:29500 train_distributed.py
# ```
#
# `--nnodes` is the number of computers, and `--nproc-per-node` the number of processes on each.
# `--rdzv-endpoint` says where the processes meet, their rendezvous: on the first computer, at port
# 29500. Any free port will do. `c10d` is the way in which PyTorch lets them meet. These are eight
# processes, so with 16 images each the effective batch size is eight times as large as above: add
# `--batch-size 2` to keep 16, or choose a new learning rate.
#
# At the end each process prints a fingerprint of its weights. They should all be the same. If they
# are not, the gradients were most likely not averaged: then each process has trained a network of
# its own, on a part of the images.

# %% [markdown]
# ## What you learned
#
# - In data-parallel training, each process has the whole network and its own share of the images;
#   the processes average their gradients at every step.
# - The effective batch size is the number of processes times the batch size of each.
# - With a larger effective batch, try larger learning rates, around $k$ times for SGD and around
#   $\sqrt{k}$ times for RMSprop and Adam. Choose on validation images, with several seeds and a
#   control: here neither rate saved batches of 512 in 24 steps.
# - In a notebook: `strategy="ddp_notebook"`. In a script: `torchrun` and `strategy="ddp"`.
# - It pays when a step takes much longer than an exchange of gradients. For our small network in
#   two processes of one computer, it did not.

# %% [markdown]
# ## Next
#
# This was the last lesson. [Lesson 6](06_failure_analysis.ipynb) shows where the network still
# fails, [lesson 7](07_inside_the_network.ipynb) what goes on inside it, and the
# [glossary](glossary.ipynb) has the words of the series on one page.
