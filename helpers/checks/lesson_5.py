"""The checks of lesson 5's exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks import answers


@answers.check(
    "The fading sum grows to 1 / (1 - 0.9) = 10 gradients, and the learning rate is 0.1."
)
def check_momentum_step(longest_step: float) -> str | None:
    """Lesson 5, exercise 1: the length that steps with momentum grow to."""
    number = answers.number("longest_step", longest_step)
    if abs(number - 1) <= 0.02:
        return None
    slips = {
        0.1: "that is the first step, and plain SGD's; what does m become after more steps?",
        0.19: "that is the second step; the steps go on growing.",
        0.271: "that is the third step; the steps go on growing.",
        10: "that is what m grows to; a step is the learning rate times m.",
        0.9: "0.9 is the part of m that survives a step; what does m itself grow to?",
        0.09: "momentum makes these steps longer than 0.1, not shorter.",
        0.01: "momentum makes these steps longer than 0.1, not shorter.",
        1 / 9: "divide by 1 - 0.9, not by 0.9.",
        -1.0: "the weight goes down, but the length of a step is positive.",
    }
    if hint := answers.slip(number, slips, within=0.01):
        return hint
    if number > 1e3:
        return "m does not grow forever: a tenth of it is lost in each step."
    advice = "In the end m stays as it is: what it loses, a tenth, equals what is added."
    return f"{answers.off(number, 1)} {advice}"


@answers.check(
    "RMSprop divides by the size of the gradients: its learning rate is the step's length."
)
def check_fast_rmsprop(fast_accuracy: float, reason: str) -> str | None:
    """Lesson 5, exercise 3: RMSprop with a learning rate of 0.1, and why it fails."""
    accuracy = answers.share("fast_accuracy", fast_accuracy)
    if accuracy == 0:
        return "not one image right? Hand over the images together with their own digits."
    if accuracy >= 0.45:
        return (
            f"an accuracy of {accuracy:.2f} is too good: give a new classifier "
            "`.optimizer(RMSprop, lr=0.1)`, and train it on the first 6,000 images."
        )
    hints = {
        "b": "with a learning rate of 0.001, the same 6,000 images are enough for over 80%.",
        "c": "a network that overfits reads its training images well. Look at their accuracy.",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("torch.optim.RMSprop makes this very step, for all weights at once.")
def check_rmsprop_step(
    rmsprop_step: Callable[[float, float, float, float], tuple[float, float]],
) -> str | None:
    """Lesson 5, exercise 2: one step of RMSprop."""
    for numbers in (
        (1.0, 0.5, 0.04, 0.1),
        (-2.0, -3.0, 0.5, 0.2),
        (0.5, 2.0, 0.0, 0.001),
        (3.0, 0.0, 0.25, 0.1),
    ):
        if hint := _wrong_rmsprop_step(rmsprop_step, *numbers):
            return hint
    return None


def _wrong_rmsprop_step(
    rmsprop_step: Any, weight: float, gradient: float, average: float, lr: float
) -> str | None:
    """Return a hint unless a function returns the weight and the average after one step."""
    import torch

    numbers = (weight, gradient, average, lr)
    tensors = (*map(torch.tensor, numbers[:3]), lr)  # torch.sqrt takes no Python numbers
    answer = answers.call_with_either("rmsprop_step", rmsprop_step, numbers, tensors)
    answer = answers.numbers("rmsprop_step", answer, expected="two numbers")
    if answer.shape != (2,):
        return "return two numbers, the new weight and the new average."
    square = gradient**2
    new_average = 0.99 * average + 0.01 * square
    root = new_average**0.5
    new_weight = weight - lr * gradient / root
    if np.allclose(answer, [new_weight, new_average], rtol=1e-4):
        return None
    if np.allclose(answer, [new_average, new_weight], rtol=1e-4):
        return "the two come back in the other order: the new weight first."
    averages = {
        new_average: None,
        average: "the average comes back as it was: return the new one.",
        0.01 * average + 0.99 * square: "0.99 of the old average stays, and 0.01 is for the new.",
        0.99 * average + 0.01 * gradient: "the average is over the gradient's squares.",
        average + square: "that adds up the squares; each step keeps 0.99 of the average.",
        0.99 * average + square: "the new square counts with 1 - 0.99.",
        root: "return the average itself, not its root.",
    }
    weights = {
        new_weight: None,
        weight - lr * gradient / new_average: "divide by its root, not by the average.",
        weight - lr * gradient * root: "divide by the root, do not multiply.",
        weight - lr * gradient: "that is SGD's step: divide the gradient by the root.",
        weight + lr * gradient / root: "the weight went uphill: subtract.",
        weight - gradient / root: "the learning rate is missing in the step.",
        weight: "the weight comes back as it was.",
        new_weight - weight: "that is the step alone; return the weight after it.",
        weight - new_weight: "that is the step alone; return the weight after it.",
    }
    if average:
        weights[weight - lr * gradient / average**0.5] = "divide by the root of the new average."
    otherwise = (
        "the average is off: 0.99 of the old one, and 0.01 of the gradient's square.",
        "the weight is off: subtract lr times the gradient over the average's root.",
    )
    got_weight, got_average = answer
    for got, slips, other in zip(
        (got_average, got_weight), (averages, weights), otherwise, strict=True
    ):
        near = (hint for slip, hint in slips.items() if np.isclose(got, slip, rtol=1e-4))
        if hint := next(near, other):
            return hint
    return None
