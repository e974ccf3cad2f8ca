"""The checks of lesson 3's exercises: the right answer, no answer, and plausible wrong ones."""

import deeplay as dl
import numpy as np
import pytest
from torch.nn import MSELoss, ReLU, Sigmoid, Softmax, Tanh
from torch.optim import SGD

from helpers.checks import check_five_slopes, check_softmax, check_tanh
from helpers.config import Config


@pytest.mark.parametrize("answer", [0.25**5, 0.00098, np.float32(0.25**5)])
def test_five_slopes_right(answer, capsys):
    check_five_slopes(answer)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        (0.25, "slope of one layer"),
        (1.25, "you added the slopes"),
        (0.05, "you divided by five"),
        (0.5**5, "output at 0"),
        (1, "slope of ReLU"),
        (0.25**2, "two hidden layers"),
        (1024, "write the product itself"),
        (0.25**4, "is too high. Multiply"),
        (0.25**6, "is too low. Multiply"),
        ("0.25**5", "expected one number"),
        (None, "expected one number"),
        ([0.25] * 5, "expected one number"),
    ],
)
def test_five_slopes_hints(answer, hint, capsys):
    check_five_slopes(answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said


WITH_SIGMOID_OUTPUTS = (
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
WITH_SOFTMAX = WITH_SIGMOID_OUTPUTS.model.out_activation(Softmax, dim=1)
WITH_TANH = WITH_SOFTMAX.model.blocks.activation(Tanh)
FROM_RELU = WITH_SOFTMAX.model.blocks.activation(ReLU).model.blocks.activation(Tanh)


@pytest.mark.parametrize("recipe", [WITH_TANH, FROM_RELU])
@pytest.mark.parametrize("reason", ["b", " B "])
def test_tanh_right(recipe, reason, capsys):
    check_tanh(recipe, 0.1135, np.float32(0.8673), reason)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("recipe", "sigmoid_accuracy", "tanh_accuracy", "reason", "hint"),
    [
        (..., 0.11, 0.87, "b", "replace the dots"),
        (WITH_TANH, 0.11, ..., "b", "replace the dots"),
        (Tanh, 0.11, 0.87, "b", "should be a recipe"),
        (WITH_SOFTMAX, 0.11, 0.87, "b", "still has sigmoids"),
        (WITH_SOFTMAX.model.out_activation(Tanh), 0.11, 0.87, "b", "goes into the `blocks`"),
        (WITH_SIGMOID_OUTPUTS.model.blocks.activation(Tanh), 0.11, 0.87, "b", "its outputs"),
        (WITH_SOFTMAX.model.blocks.activation(ReLU), 0.11, 0.87, "b", "activation `Tanh`"),
        (WITH_TANH, 0.87, 0.11, "b", "swapped"),
        (WITH_TANH, 0.77, 0.93, "b", "0.77 is too good"),  # all 60,000 images
        (WITH_TANH, 0.11, 0.11, "b", "made from `with_tanh`"),
        (WITH_TANH, 11.35, 86.73, "b", "a share between 0 and 1; `sigmoid_accuracy` is 11.35"),
        (WITH_TANH, 0.11, {"test_accuracy": 0.87}, "b", "`tanh_accuracy`: expected one number"),
        (WITH_TANH, 0.11, 0.87, "a", "flat there"),
        (WITH_TANH, 0.11, 0.87, "c", "no parameters"),
        (WITH_TANH, 0.11, 0.87, "slope", "expected 'a', 'b' or 'c'"),
    ],
)
def test_tanh_hints(recipe, sigmoid_accuracy, tanh_accuracy, reason, hint, capsys):
    check_tanh(recipe, sigmoid_accuracy, tanh_accuracy, reason)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said


def shares(numbers):
    return np.exp(numbers - numbers.max()) / np.exp(numbers - numbers.max()).sum()


def changes_its_argument(numbers):
    numbers -= numbers.max()
    return np.exp(numbers) / np.exp(numbers).sum()


@pytest.mark.parametrize("answer", [shares, lambda numbers: shares(numbers).tolist()])
def test_softmax_right(answer, capsys):
    check_softmax(answer)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        (np.array([0.1, 0.9]), "should be a function"),
        (lambda numbers: None, "returns nothing yet"),
        (lambda numbers: np.exp(numbers).sum(), "of shape ()"),
        (changes_its_argument, "`softmax` changes what it is given"),
        (np.exp, "do not add up to 1 yet"),
        (lambda numbers: np.exp(numbers - numbers.max()), "do not add up to 1 yet"),
        (lambda numbers: 1 / (1 + np.exp(-numbers)), "that is the sigmoid"),
        (lambda numbers: numbers / numbers.sum(), "you divided the numbers themselves"),
        (lambda numbers: np.log(shares(numbers)), "never negative"),
        (lambda numbers: shares(numbers) / 2, "yours add up to 0.500"),
        (lambda numbers: shares(-numbers), "largest share"),
        (lambda numbers: shares(2 * numbers), "not the shares of"),
        (lambda numbers: np.exp(numbers) / np.exp(numbers).sum(), "not near 1,000"),
        (lambda numbers: np.exponential(numbers), "AttributeError"),
    ],
)
def test_softmax_hints(answer, hint, capsys):
    check_softmax(answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said
