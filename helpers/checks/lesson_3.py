"""The checks of lesson 3's exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks import answers
from helpers.errors import shown


@answers.check("Less than a thousandth is left: 0.25 to the power of five, for the five layers.")
def check_five_slopes(largest_product: float) -> str | None:
    """Lesson 3, exercise 2: the largest product of the slopes of five sigmoids."""
    number = answers.number("largest_product", largest_product)
    if abs(number - 0.25**5) <= 5e-5:
        return None
    slips = {
        0.25: "0.25 is the slope of one layer at best; here are five.",
        5 * 0.25: "you added the slopes; they multiply.",
        0.25 / 5: "you divided by five; the slopes of the five layers multiply.",
        0.5**5: "0.5 is a sigmoid's output at 0; its slope there is smaller.",
        1.0: "1 is the slope of ReLU; look at the sigmoid's.",
        0.25**2: "that is for two hidden layers, like ours; here are five.",
        4.0**5: "that is how many times smaller it gets; write the product itself.",
    }
    advice = "Multiply the largest slope of a sigmoid, once for each layer."
    return answers.slip(number, slips, within=0.005) or f"{answers.off(number, 0.25**5)} {advice}"


@answers.check("Its slope reaches 1, so the gradient gets through to the first layer.")
def check_tanh(
    with_tanh: Any, sigmoid_accuracy: float, tanh_accuracy: float, reason: str
) -> str | None:
    """Lesson 3, exercise 3: the hyperbolic tangent in the hidden layers, and why it helps."""
    import deeplay as dl
    from torch import nn

    from helpers.config import Config

    if not isinstance(with_tanh, Config):
        return f"`with_tanh` should be a recipe, and is {shown(with_tanh)}."
    # Recipes that are written differently can make the same network: what they make counts.
    modules = with_tanh.create(dl.Classifier).model.modules()
    kinds = (nn.Sigmoid, nn.ReLU, nn.Tanh, nn.Softmax)
    activations = [module for module in modules if isinstance(module, kinds)]
    hidden = [type(module) for module in activations[:-1]]
    if not activations or getattr(activations[-1], "dim", None) not in (1, -1):
        return "its outputs should be those of `with_softmax`; the tangent goes into the `blocks`."
    if hidden == [nn.Sigmoid, nn.Sigmoid]:
        return "`with_tanh` still has sigmoids in its hidden layers: did you keep the new recipe?"
    if hidden != [nn.Tanh, nn.Tanh]:
        return "the two hidden layers of `with_tanh` should have the activation `Tanh`."
    with_sigmoid = answers.share("sigmoid_accuracy", sigmoid_accuracy)
    with_tangent = answers.share("tanh_accuracy", tanh_accuracy)
    if with_sigmoid > 0.6 > with_tangent:
        return "the two accuracies look swapped."
    if with_sigmoid > 0.4:
        return (
            f"with sigmoids, {with_sigmoid:.2f} is too good for one epoch on the first 6,000 "
            "images."
        )
    if with_tangent < 0.7:
        return (
            f"with the tangent, {with_tangent:.2f} is too low: was this classifier made from "
            "`with_tanh`, and trained on 6,000 shuffled images?"
        )
    hints = {
        "a": "look at the tangent's slope at both ends: it is flat there, like the sigmoid.",
        "c": "an activation has no parameters; both networks have 26,506.",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("The largest number no longer matters, only how far the others lie below it.")
def check_softmax(softmax: Callable[[np.ndarray], np.ndarray]) -> str | None:
    """Lesson 3, exercise 1: softmax, for large numbers too."""
    numbers = np.array([0.5, -1.0, 2.0, 1.0])
    exponentials = np.exp(numbers)
    answer = _shares(softmax, numbers)
    if np.allclose(answer, exponentials) or np.allclose(answer, np.exp(numbers - numbers.max())):
        return "these are positive, but do not add up to 1 yet: divide each by the sum of all."
    if np.allclose(answer, 1 / (1 + np.exp(-numbers))):
        return "that is the sigmoid, which looks at each number on its own."
    if np.allclose(answer, numbers / numbers.sum()):
        return "you divided the numbers themselves: make them positive first, with `np.exp`."
    if (answer < 0).any():
        return "a share is never negative, and one of yours is."
    if not np.isclose(answer.sum(), 1):
        return f"the shares should add up to 1; yours add up to {answer.sum():.3f}."
    if answer.argmax() != numbers.argmax():
        return "the largest number should get the largest share."
    if not np.allclose(answer, exponentials / exponentials.sum()):
        return "they add up to 1, but they are not the shares of `np.exp(numbers)`."
    for others in ([3.0], [2.0, 2.0, 2.0], [0.1, 0.2, -0.3, 0.4, 0.0, 1.1, -2.0]):
        if not _are_shares(softmax, np.array(others)):
            return f"right for {numbers.tolist()}, but not for {others}."
    if not _are_shares(softmax, np.array([1, 3, 2])):
        return "right for decimals, but not for whole numbers: do not put the shares among them."
    if not _are_shares(softmax, numbers + 1000):
        return "right for small numbers, but not near 1,000: subtract the largest number first."
    # Each of these has numbers so far apart that only the largest may be subtracted: not their
    # mean, median, first, last or smallest, not the largest without its sign, no fixed number.
    for far in (
        [-1000.0, -1001.0, -1002.0],
        [-10_000.0, 10_000.0, 9_999.0, 0.0, -5.0],
        [10_000.0, 0.0, 1.0, 2.0, 3.0],
        [3.0, 2.0, 1.0, 0.0, 10_000.0],
        [-1e6, -1e6 - 1, 2e6, 2e6 - 1],
        [-1e6, -1e6 - 2],
        [1e6, 1e6, 1e6],
    ):
        if not _are_shares(softmax, np.array(far)):
            return f"right near 0, but not for {far}: subtract the largest number, and no other."
    return None


def _shares(softmax: Any, numbers: np.ndarray) -> np.ndarray:
    """Return the shares that a function makes of some numbers, as many as there are numbers."""
    answer = answers.numbers(
        "softmax", answers.call("softmax", softmax, numbers), expected="an array of shares"
    )
    if answer.shape == numbers.shape:
        return answer
    raise answers.NotYet(
        f"for {len(numbers)} numbers, `softmax` returns something of shape {answer.shape}, not "
        f"{len(numbers)} shares."
    )


def _are_shares(softmax: Any, numbers: np.ndarray) -> bool:
    """Whether a function makes the right shares of some numbers."""
    exponentials = np.exp(numbers - numbers.max())
    try:
        answer = _shares(softmax, numbers)
    except ArithmeticError:  # what Python's own `math.exp` and `/` say to such numbers
        return False
    return np.allclose(answer, exponentials / exponentials.sum())
