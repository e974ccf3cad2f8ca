"""Answers to lesson 3's exercises: right ones, and wrong ones with a part of their hint."""

import math
from fractions import Fraction

import numpy as np
import torch
from recipes import SIGMOID
from torch.nn import ReLU, Softmax, Tanh

from helpers.config import Config

WITH_SOFTMAX = SIGMOID.model.out_activation(Softmax, dim=1)
WITH_TANH = WITH_SOFTMAX.model.blocks.activation(Tanh)
FROM_RELU = WITH_SOFTMAX.model.blocks.activation(ReLU).model.blocks.activation(Tanh)
BY_INDEX = WITH_SOFTMAX.model.blocks[0].activation(Tanh).model.blocks[1].activation(Tanh)
BY_SLICE = WITH_SOFTMAX.model.blocks[0:2].activation(Tanh)
LAST_AXIS = WITH_TANH.model.out_activation(Softmax, dim=-1)


def shares(numbers):
    return np.exp(numbers - numbers.max()) / np.exp(numbers - numbers.max()).sum()


def changes_its_argument(numbers):
    numbers -= numbers.max()
    return np.exp(numbers) / np.exp(numbers).sum()


def without(less):
    """Returns a softmax that subtracts something."""
    return lambda numbers: np.exp(numbers - less(numbers)) / np.exp(numbers - less(numbers)).sum()


def loop(numbers):
    exponentials = [math.exp(number - max(numbers)) for number in numbers]
    return [exponential / sum(exponentials) for exponential in exponentials]


def naive_loop(numbers):
    exponentials = [math.exp(number) for number in numbers]
    return [exponential / sum(exponentials) for exponential in exponentials]


def among_whole_numbers(numbers):
    answer = np.zeros_like(numbers)
    answer[:] = shares(numbers)
    return answer


def in_doubled_precision(numbers):
    exponentials = np.exp(numbers.astype(np.longdouble))
    return exponentials / exponentials.sum()


def cut_off(numbers):
    return shares(np.clip(numbers, -700, 700))


RIGHT = {
    "check_five_slopes": [
        (0.25**5,),
        (0.00098,),
        (0.001,),
        (np.float32(0.25**5),),
        (Fraction(1, 1024),),
        (0.000927,),
        (0.001026,),
    ],
    "check_tanh": [
        (WITH_TANH, 0.1135, 0.8673, "b"),
        *(
            (recipe, 0.1135, np.float32(0.8673), reason)
            for recipe in (WITH_TANH, FROM_RELU, BY_INDEX, BY_SLICE, LAST_AXIS)
            for reason in ("b", " B ")
        ),
        (WITH_TANH, 0.4, 0.87, "b"),
        (WITH_TANH, 0.0, 0.87, "b"),
        (WITH_TANH, 0.11, 0.7, "b"),
        (WITH_TANH, 0.11, 1.0, "b"),
    ],
    "check_softmax": [
        (shares,),
        (lambda numbers: shares(numbers).tolist(),),
        (lambda numbers: shares(numbers).astype(np.float32),),
        (lambda numbers: torch.softmax(torch.tensor(numbers, dtype=torch.float64), dim=0),),
        (lambda numbers: np.exp(numbers - np.logaddexp.reduce(numbers)),),
        (lambda numbers: shares(numbers) * (1 + 9e-6),),
        (loop,),
    ],
}

WRONG = {
    "check_five_slopes": [
        (..., "replace the dots"),
        (0.25, "slope of one layer"),
        (1.25, "you added the slopes"),
        (0.05, "you divided by five"),
        (0.5**5, "output at 0"),
        (1, "slope of ReLU"),
        (0.25**2, "two hidden layers"),
        (1024, "write the product itself"),
        (0.000926, "0.000926 is too low. Multiply"),
        (0.001027, "0.001027 is too high. Multiply"),
        (0.25 * 0.9951, "slope of one layer"),
        (0.25 * 1.0049, "slope of one layer"),
        (0.25 * 0.9949, "is too high. Multiply"),
        (0.25 * 1.0051, "is too high. Multiply"),
        (1024 * 1.0049, "write the product itself"),
        (1024 * 1.0051, "is too high. Multiply"),
        (0, "0 is too low. Multiply"),
        (-(0.25**5), "is too low. Multiply"),
        (0.25**4, "is too high. Multiply"),
        (0.25**6, "is too low. Multiply"),
        ("0.25**5", "expected one number"),
        (None, "expected one number"),
        ([0.25] * 5, "expected one number"),
    ],
    "check_tanh": [
        (..., 0.11, 0.87, "b", "replace the dots"),
        (WITH_TANH, 0.11, ..., "b", "replace the dots"),
        (Tanh, 0.11, 0.87, "b", "should be a recipe"),
        (WITH_SOFTMAX, 0.11, 0.87, "b", "still has sigmoids"),
        (WITH_SOFTMAX.model.out_activation(Tanh), 0.11, 0.87, "b", "goes into the `blocks`"),
        (SIGMOID.model.blocks.activation(Tanh), 0.11, 0.87, "b", "its outputs"),
        (WITH_SOFTMAX.model.blocks.activation(ReLU), 0.11, 0.87, "b", "activation `Tanh`"),
        (WITH_SOFTMAX.model.blocks[0].activation(Tanh), 0.11, 0.87, "b", "the two hidden layers"),
        (WITH_SOFTMAX.model.blocks[1].activation(Tanh), 0.11, 0.87, "b", "the two hidden layers"),
        (WITH_TANH.model.out_activation(Softmax, dim=0), 0.11, 0.87, "b", "its outputs"),
        (WITH_TANH.model.hidden_dims([32]), 0.11, 0.87, "b", "the two hidden layers"),
        (Config(), 0.11, 0.87, "b", "Not yet: "),
        (WITH_TANH.model, 0.11, 0.87, "b", "Unfinished recipe"),
        (WITH_TANH, 0.61, 0.59, "b", "swapped"),
        (WITH_TANH, 0.6, 0.59, "b", "0.60 is too good"),
        (WITH_TANH, 0.61, 0.6, "b", "0.61 is too good"),
        (WITH_TANH, 0.401, 0.87, "b", "0.40 is too good"),
        (WITH_TANH, 0.4, 0.699, "b", "0.70 is too low"),
        (WITH_TANH, 0.87, 0.11, "b", "swapped"),
        (WITH_TANH, 0.77, 0.93, "b", "0.77 is too good"),  # all 60,000 images
        (WITH_TANH, 0.11, 0.11, "b", "made from `with_tanh`"),
        (WITH_TANH, 11.35, 86.73, "b", "a share between 0 and 1; `sigmoid_accuracy` is 11.35"),
        (WITH_TANH, 0.11, {"test_accuracy": 0.87}, "b", "`tanh_accuracy`: expected one number"),
        (WITH_TANH, 0.11, 0.87, "a", "flat there"),
        (WITH_TANH, 0.11, 0.87, "c", "no parameters"),
        (WITH_TANH, 0.11, 0.87, "slope", "expected 'a', 'b' or 'c'"),
    ],
    "check_softmax": [
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
        (naive_loop, "not near 1,000"),
        (in_doubled_precision, "subtract the largest number"),
        (cut_off, "not near 1,000"),
        (without(np.mean), "not for [-10000.0"),
        (without(np.median), "not for [-10000.0"),
        (without(np.min), "not for [-10000.0"),
        (without(lambda numbers: numbers[0]), "not for [-10000.0"),
        (without(lambda numbers: numbers[-1]), "not for [-10000.0"),
        (without(lambda numbers: np.abs(numbers).max()), "not for [-1000.0, -1001.0, -1002.0]"),
        (without(lambda numbers: 1000 if numbers.max() > 500 else 0), "not for [-1000.0"),
        (
            without(lambda numbers: np.sign(numbers[0]) * 1000 if abs(numbers[0]) > 500 else 0),
            "not for [-10000.0",
        ),
        (without(lambda numbers: max(0, numbers.max())), "not for [-1000.0, -1001.0, -1002.0]"),
        (without(lambda numbers: np.sort(numbers)[-2:].mean()), "not for [10000.0, 0.0"),
        (without(lambda numbers: max(numbers[0], numbers[len(numbers) // 2])), "not for [3.0, 2.0"),
        (without(lambda numbers: np.clip(numbers.max(), -1e5, 1e5)), "not for [-1000000.0"),
        (without(lambda numbers: max(numbers.max(), -1e5)), "not for [-1000000.0, -1000002.0]"),
        (
            lambda numbers: shares(numbers) if numbers.min() < 1e6 else np.zeros(3),
            "not for [1000000.0, 1000000.0",
        ),
        (lambda numbers: shares(np.append(numbers[:4], 0))[:4], "Not yet: "),
        (
            lambda numbers: shares(numbers)[:4],
            "for 7 numbers, `softmax` returns something of shape (4,), not 7 shares",
        ),
        (
            lambda numbers: shares(numbers) if len(numbers) > 1 else np.array([0.0]),
            "right for [0.5, -1.0, 2.0, 1.0], but not for [3.0]",
        ),
        (
            lambda numbers: shares(numbers) if np.ptp(numbers) else np.zeros(len(numbers)),
            "but not for [3.0]",
        ),
        (
            lambda numbers: (
                shares(numbers) if np.ptp(numbers) or len(numbers) == 1 else np.eye(len(numbers))[0]
            ),
            "but not for [2.0, 2.0, 2.0]",
        ),
        (among_whole_numbers, "not for whole numbers"),
        (lambda numbers: [str(share) for share in shares(numbers)], "returns a list; expected"),
        (lambda numbers: dict(enumerate(shares(numbers))), "returns a dict; expected an array of"),
        (lambda numbers: (share for share in np.exp(numbers)), "do not add up to 1 yet"),
        (lambda numbers: shares(numbers)[None], "for 4 numbers, `softmax` returns something of"),
        (lambda numbers: shares(numbers) * (1 + 2e-5), "yours add up to 1.000"),
        (lambda numbers: np.full(len(numbers), 1 / len(numbers)), "largest share"),
        (lambda numbers: np.exponential(numbers), "AttributeError"),
    ],
}
