"""A recipe as plain deeplay code: it runs alone, and makes the same, bit for bit."""

import os
import subprocess
import sys
import textwrap

import deeplay as dl
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_config import (
    BLOCK_RULES,
    CORRECT,
    MLP,
    Adds,
    HandsOn,
    Inherits,
    classifier_config,
    cook,
    message,
    mlp_config,
    same_weights,
    seeded,
    with_relu,
    with_rmsprop,
    with_softmax,
)
from torch import nn
from torch.nn import CrossEntropyLoss, Identity, LeakyReLU, Sigmoid, Softmax, Tanh
from torch.nn.parameter import is_lazy
from torch.optim import SGD, Adam, AdamW, RMSprop

from helpers.config import Config
from helpers.training import Classifier


def pasted(code):
    """Run code as it is pasted into an empty notebook; return what it made."""
    assert "helpers" not in code
    scope = {"__name__": "__main__"}
    exec(compile(code, "pasted", "exec"), scope)
    return scope["classifier"] if "classifier" in scope else scope["network"]


def anatomy(made):
    """Everything that training depends on, beside the weights."""
    loss, optimizer = getattr(made, "loss", None), None
    if isinstance(made, dl.Application):
        optimizer = made.configure_optimizers()
        groups = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
        optimizer = type(optimizer), groups
    layers = repr(getattr(made, "model", made)), repr(loss), optimizer
    return *layers, [getattr(made, n, None) for n in ("num_classes", "make_targets_one_hot")]


def check_same(config, cls):
    def used(made):
        if any(map(is_lazy, made.parameters())):  # weights that come with the first image
            made(torch.ones(2, 28, 28))
        return made

    by_recipe = seeded(lambda: used(config.create(cls)))
    # Writing the code draws no random number.
    by_hand = seeded(lambda: used(pasted(config.code(cls))))
    assert same_weights(by_recipe, by_hand)
    assert anatomy(by_recipe) == anatomy(by_hand)


without_hidden = with_relu.model.hidden_dims([])
identity = with_relu.model.out_activation(Identity).make_targets_one_hot(False)
SERIES = {
    "sigmoid": classifier_config,
    "softmax": with_softmax,
    "relu": with_relu,
    "rmsprop": with_rmsprop,
    "momentum": with_relu.optimizer(SGD, lr=0.1, momentum=0.9),
    "adam": with_relu.optimizer(Adam, lr=0.001),
    "no hidden layer": without_hidden,
    "no hidden layer, sigmoid": classifier_config.model.hidden_dims([]),
    "straight lines": with_softmax.model.blocks.activation(Identity),
    "cross-entropy": identity.loss(CrossEntropyLoss),
    "cross-entropy of sigmoids": identity.model.blocks.activation(Sigmoid).loss(CrossEntropyLoss),
    "leaky": with_rmsprop.model.blocks.activation(LeakyReLU, negative_slope=0.3),
    "wide": with_rmsprop.model.hidden_dims([128]),
    "deep": with_rmsprop.model.hidden_dims([32] * 4),
}


@pytest.mark.parametrize("name", SERIES)
def test_recipes_of_the_series(name):
    check_same(SERIES[name], Classifier)
    check_same(SERIES[name], dl.Classifier)


COUSINS = {
    "one block": with_relu.model.blocks[0].activation(Tanh),
    "last hidden block": with_relu.model.blocks[-1].activation(LeakyReLU, negative_slope=0.2),
    "every other": with_relu.model.hidden_dims([8] * 5).model.blocks[::2].activation(Tanh),
    "without biases": with_relu.model.blocks.layer.bias(False),
    "normalization": with_relu.model.blocks.normalization(nn.BatchNorm1d, eps=0.1),
    "normalization of one": with_relu.model.blocks[1].normalization(nn.BatchNorm1d),
    "lazy": Config().model(MLP).model.hidden_dims([4]).model.in_features(None)
    .model.out_features(3).optimizer(SGD, lr=0.1),
    "lazy without biases": with_relu.model.in_features(None).model.blocks.layer.bias(False),
    "several rules for one": with_relu.model.blocks[0].layer.bias(False)
    .model.blocks[0].activation(Softmax, dim=1).model.blocks[1].layer.bias(False),
    "a loss with weights": with_relu.make_targets_one_hot(False)
    .loss(CrossEntropyLoss, weight=torch.linspace(0.1, 1, 10)),
    "a loss function": with_relu.loss(nn.functional.mse_loss),
    "a smooth loss": with_relu.loss(nn.SmoothL1Loss, beta=0.5),
    "no optimizer": Config().model(MLP, mlp_config),
    "optimizer None": with_relu.optimizer(None),
    "optimizer's default": with_relu.optimizer(RMSprop),
    "everything of AdamW": with_relu.optimizer(AdamW, lr=1e-3, betas=(0.8, 0.9), amsgrad=True),
    "NumPy numbers": with_relu.optimizer(SGD, lr=np.float64(0.1), momentum=np.float32(0.5))
    .model.hidden_dims(list(np.array([5, 6]))),
    "a NumPy array": with_relu.model.hidden_dims(np.array([5, 6])),
    "an infinite number": with_relu.model.blocks.activation(nn.Hardtanh, max_val=float("inf")),
    "another network": Config().model(nn.Linear, in_features=3, out_features=10)
    .optimizer(SGD, lr=0.1),
}  # fmt: skip


@pytest.mark.parametrize("name", COUSINS)
def test_cousins_of_these_recipes(name):
    check_same(COUSINS[name], dl.Classifier)


@pytest.mark.parametrize("cls", [Inherits, HandsOn, Adds])
def test_a_class_of_the_learners_own_keeps_its_name(cls):
    assert type(seeded(lambda: pasted(with_relu.code(cls)))) is cls
    check_same(with_relu, cls)


def test_other_networks_and_applications():
    cnn_config = (
        Config().in_channels(1).hidden_channels([4, 8]).out_channels(2)
        .pool(nn.MaxPool2d, kernel_size=2).blocks.activation(Tanh).blocks[0].layer.kernel_size(5)
        .out_activation(Sigmoid)
    )  # fmt: skip
    check_same(mlp_config, MLP)
    check_same(cnn_config, dl.ConvolutionalNeuralNetwork)
    regressor = Config().model(dl.ConvolutionalNeuralNetwork, cnn_config)
    check_same(regressor, dl.Regressor)


@settings(max_examples=40, deadline=None)
@given(st.permutations(CORRECT[6:]), st.integers(1, 6), st.lists(st.integers(0, 2), max_size=3))
def test_any_order_of_rules(rules, width, hidden):
    rules = [*CORRECT[:1], (["model", "hidden_dims"], ([width] * (len(hidden) + 1), {})), *rules]
    rules = [rule for rule in rules if rule[0] != ["optimizer", "nesterov"]]
    check_same(cook(rules), dl.Classifier)


@settings(max_examples=40, deadline=None)
@given(BLOCK_RULES)
def test_any_rules_for_blocks(rules):
    rules = [
        rule for rule in rules
        if isinstance(rule[0][1], int | str) or range(3)[rule[0][1]]
    ]  # fmt: skip
    check_same(cook(rules, Config().in_features(2).hidden_dims([2, 2, 2]).out_features(2)), MLP)


def test_reads_as_a_person_would_write_it():
    assert with_rmsprop.code(Classifier) == textwrap.dedent(
        """\
        import deeplay as dl
        from torch.nn import MSELoss, ReLU, Softmax

        model = dl.MultiLayerPerceptron(
            in_features=784,
            hidden_features=[32, 32],
            out_features=10,
            out_activation=dl.Layer(Softmax, dim=1),
        )
        for block in model.blocks[:-1]:
            block.activation.configure(ReLU)
        classifier = dl.Classifier(
            model=model,
            num_classes=10,
            make_targets_one_hot=True,
            loss=MSELoss(),
            optimizer=dl.RMSprop(lr=0.001),
        )
        classifier = classifier.create()"""
    )


class Own(nn.ReLU):
    """A layer that a learner wrote."""


def test_says_which_classes_are_the_learners_own(monkeypatch):
    monkeypatch.setattr(Own, "__module__", "__main__")
    code = with_relu.model.blocks.activation(Own).code(dl.Classifier)
    assert "\n# Own is your own: put it here\n" in code
    assert "configure(Own)" in code


def test_two_classes_of_one_name():
    class Own(nn.Tanh):
        pass

    config = with_relu.model.blocks[0].activation(Own).model.blocks[1].activation(globals()["Own"])
    code = config.code(dl.Classifier)
    assert "block.activation.configure(Own)" in code
    assert "test_plain_code.Own" in code
    config = config.model.out_activation(type("Own", (nn.ReLU,), {}))
    assert "Two classes are called Own" in message(lambda: config.code(dl.Classifier))
    torchs = with_relu.model.blocks[0].activation(type("ReLU", (nn.Tanh,), {}))
    assert "block.activation.configure(torch.nn.ReLU)" in torchs.code(dl.Classifier)


@pytest.mark.parametrize("value", [lambda a, b: (a - b).sum(), object()])
def test_what_cannot_be_written_is_one_line(value):
    config = with_relu.loss(value) if callable(value) else with_relu.make_targets_one_hot(value)
    config.create(dl.Classifier)
    assert "cannot be written as code" in message(lambda: config.code(dl.Classifier))


def test_a_wrong_recipe_is_the_same_line_as_in_create():
    for wrong in (with_relu.num_clases(10), with_relu.model, with_relu.optimizer(SGD)):
        says = message(lambda wrong=wrong: wrong.create(dl.Classifier))
        assert message(lambda wrong=wrong: wrong.code(dl.Classifier)) == says


def test_trains_alone_to_the_same_weights(tmp_path):
    """In a process of its own in which there are no helpers, with deeplay's own trainer."""
    program = f"""\
import sys, warnings
warnings.simplefilter("ignore")
sys.modules["helpers"] = None
import torch
torch.manual_seed(3)
{with_rmsprop.code(Classifier)}
images, digits = torch.rand(64, 28, 28), torch.arange(64) % 10
pairs = list(zip(images, digits))
trainer = dl.Trainer(max_epochs=1, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, accelerator="cpu")
trainer.fit(classifier, dl.DataLoader(pairs, batch_size=16))
torch.save(classifier.state_dict(), "weights.pt")
"""
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | paths, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    from helpers.training import Trainer, make_dataloader

    classifier = seeded(lambda: with_rmsprop.create(Classifier), 3)
    images, digits = torch.rand(64, 28, 28), torch.arange(64) % 10
    trainer = Trainer(max_epochs=1, enable_progress_bar=False)
    trainer.fit(classifier, make_dataloader(images, digits, batch_size=16))
    theirs = torch.load(tmp_path / "weights.pt")
    assert all(torch.equal(theirs[name], own) for name, own in classifier.state_dict().items())
