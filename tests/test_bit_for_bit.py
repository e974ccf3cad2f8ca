"""Training ends, bit for bit, where plain deeplay and Lightning end: weights, losses and metrics.

All pairs of the values below are tried: each optimizer with each activation, each loss with each
batch size, and so on. Most faults need two values to meet, and the whole product has 5,000 cases.
"""

import warnings

import deeplay as dl
import numpy as np
import pytest
import torch
from allpairspy import AllPairs
from lightning import Callback
from torch import nn
from torch.optim import SGD, Adam, AdamW, RMSprop

from helpers.config import Config
from helpers.data import load_mnist
from helpers.fast_steps import DirectSteps
from helpers.training import Classifier, Trainer, make_dataloader

OPTIMIZERS = {
    "SGD": (SGD, {"lr": 0.1}),
    "momentum": (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.2}),
    "Nesterov": (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "weight decay": (SGD, {"lr": 0.1, "weight_decay": 0.01}),
    "RMSprop": (RMSprop, {"lr": 0.001}),
    "RMSprop, centered": (RMSprop, {"lr": 0.001, "centered": True, "weight_decay": 0.01}),
    "RMSprop, momentum": (RMSprop, {"lr": 0.001, "momentum": 0.9}),
    "Adam": (Adam, {"lr": 0.001, "weight_decay": 0.01}),
    "Adam, amsgrad": (Adam, {"lr": 0.01, "amsgrad": True}),
    "AdamW": (AdamW, {"lr": 0.01}),
    "AdamW, maximize": (AdamW, {"lr": 0.001, "maximize": True}),
}
ACTIVATIONS = [nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.Softplus]
OUTPUTS = [nn.Sigmoid, nn.Softmax, nn.Identity]
# The loss, and whether it is given one-hot targets.
LOSSES = [
    (nn.MSELoss, True),
    (nn.L1Loss, True),
    (nn.SmoothL1Loss, True),
    (nn.BCELoss, True),
    (nn.CrossEntropyLoss, True),
    (nn.CrossEntropyLoss, False),
]
BATCHES = {1: 20, 7: 45, 16: 40, 256: 300}  # size -> images, so that the last batch is smaller
HIDDEN = [[], [30], [32, 17], [9, 32, 16, 11]]


VALUES = [list(OPTIMIZERS), ACTIVATIONS, OUTPUTS, LOSSES, list(BATCHES), HIDDEN]


def possible(case):
    """Make two cases of one that means nothing: BCE compares probabilities."""
    optimizer, activation, output, loss, *rest = case
    if loss[0] is nn.BCELoss and output is nn.Identity:
        return [
            (optimizer, activation, nn.Sigmoid, loss, *rest),
            (optimizer, activation, output, LOSSES[0], *rest),
        ]
    return [tuple(case)]


CASES = [case for pairs in AllPairs(VALUES) for case in possible(pairs)]


def named(case):
    optimizer, activation, output, (loss, one_hot), batch_size, hidden = case
    names = [optimizer, activation.__name__, output.__name__, loss.__name__]
    return "-".join([*names, "one-hot" if one_hot else "digits", str(batch_size), str(len(hidden))])


class Notes(Callback):
    """Keeps the loss of each step, and the means of each epoch."""

    def __init__(self):
        self.steps, self.losses, self.accuracies = [], [], []

    def on_train_batch_end(self, trainer, module, outputs, *args):
        self.steps.append(outputs["loss"].detach())

    def on_train_epoch_end(self, trainer, module):
        self.losses.append(trainer.callback_metrics["train_loss_epoch"])
        self.accuracies.append(trainer.callback_metrics["trainMulticlassAccuracy_epoch"])


def recipe_of(optimizer, activation, output, loss, hidden):
    kind, settings = OPTIMIZERS[optimizer]
    loss, one_hot = loss
    return (
        Config()
        .model(dl.MultiLayerPerceptron)
        .model.in_features(28 * 28)
        .model.hidden_dims(hidden)
        .model.out_features(10)
        .model.blocks.activation(activation)
        .model.out_activation(output, **({"dim": 1} if output is nn.Softmax else {}))
        .num_classes(10)
        .make_targets_one_hot(one_hot)
        .loss(loss)
        .optimizer(kind, **settings)
    )


def both(recipe, images, digits, batch_size, epochs):
    """Train plain deeplay's classifier and the helpers' on the same images in the same order."""
    quiet = {
        "max_epochs": epochs,
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    torch.set_num_threads(1)
    notes = Notes()
    pairs = list(zip(images, digits, strict=True))
    trained = []
    for cls, trainer, dataloader in (
        (
            dl.Classifier,
            dl.Trainer(callbacks=[notes], **quiet),
            dl.DataLoader(pairs, batch_size=batch_size, shuffle=True),
        ),
        (Classifier, Trainer(**quiet), make_dataloader(images, digits, batch_size, shuffle=True)),
    ):
        torch.manual_seed(0)
        classifier = recipe.create(cls)
        torch.manual_seed(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(classifier, dataloader)
        trained.append(classifier)
    return trained, notes, trainer


def assert_the_same(trained, notes, trainer):
    plain, ours = (classifier.state_dict() for classifier in trained)
    assert list(plain) == list(ours)
    for name, weights in plain.items():
        assert torch.equal(weights, ours[name]), name
    assert torch.equal(torch.stack(notes.steps), torch.tensor(trainer.step_losses))
    for found, name in ((notes.losses, "train_loss"), (notes.accuracies, "train_accuracy")):
        assert torch.equal(torch.stack(found), torch.tensor(trainer.history[name])), name


def test_all_pairs_of_values_are_among_the_cases():
    for first in range(len(VALUES)):
        for second in range(first):
            wanted = {(str(a), str(b)) for a in VALUES[first] for b in VALUES[second]}
            wanted.discard((str((nn.BCELoss, True)), str(nn.Identity)))
            assert wanted == {(str(case[first]), str(case[second])) for case in CASES}
    assert all(images % size for size, images in BATCHES.items() if size > 1)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_product(case):
    *parts, batch_size, hidden = case
    random = np.random.default_rng(len(hidden))
    images = random.random((BATCHES[batch_size], 28, 28), dtype=np.float32)
    images[images < 0.6] = 0  # as paper is
    digits = random.integers(0, 10, len(images))
    trained, notes, trainer = both(recipe_of(*parts, hidden), images, digits, batch_size, 2)
    assert type(trainer._steps) is DirectSteps
    assert_the_same(trained, notes, trainer)


@pytest.mark.parametrize("groups", [1, 7, 20])
def test_groups_of_any_size_give_the_same_means(groups, monkeypatch):
    # Small groups and large ones: the sums go on from group to group, and begin anew in each epoch.
    monkeypatch.setattr("helpers.fast_gate.STEPS_PER_GROUP", groups)
    random = np.random.default_rng(0)
    images, digits = random.random((301, 28, 28), dtype=np.float32), random.integers(0, 10, 301)
    recipe = recipe_of("momentum", nn.ReLU, nn.Softmax, (nn.MSELoss, True), [32, 32])
    assert_the_same(*both(recipe, images, digits, 7, 3))


# --- the lessons' own recipes, at full size ---

LESSONS = {
    "2: sigmoid outputs": ("SGD", nn.Sigmoid, nn.Sigmoid, 1),
    "3: softmax outputs": ("SGD", nn.Sigmoid, nn.Softmax, 1),
    "3: ReLU": ("SGD", nn.ReLU, nn.Softmax, 1),
    "4: mini-batches": ("SGD", nn.ReLU, nn.Softmax, 16),
    "4: large batches": ("SGD", nn.ReLU, nn.Softmax, 256),
    "5: RMSprop": ("RMSprop", nn.ReLU, nn.Softmax, 16),
    "5: Adam": ("Adam", nn.ReLU, nn.Softmax, 16),
    "5: momentum": ("Nesterov", nn.ReLU, nn.Softmax, 16),
}


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_at_full_size(lesson):
    *parts, batch_size = LESSONS[lesson]
    recipe = recipe_of(*parts, (nn.MSELoss, True), [32, 32])
    found = both(recipe, *load_mnist("train"), batch_size, 1 if batch_size == 1 else 2)
    assert type(found[-1]._steps) is DirectSteps
    assert_the_same(*found)
