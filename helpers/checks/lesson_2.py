"""The checks of lesson 2's exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks import answers


@answers.check("784 × 64 + 64 in the hidden layer and 64 × 10 + 10 in the output layer.")
def check_parameter_count(parameters: int) -> str | None:
    """Lesson 2, exercise 1: the parameters of a 784–64–10 network."""
    right = (784 + 1) * 64 + (64 + 1) * 10
    number = answers.number("parameters_784_64_10", parameters)
    if number == right:
        return None
    slips: dict[float, str] = {
        784 * 64 + 64 * 10: "you counted the weights; each neuron also has a bias.",
        784 * 64 + 64 * 10 + 64: "each of the ten output neurons has a bias too.",
        784 * 64 + 64 * 10 + 10: "each of the 64 hidden neurons has a bias too.",
        right + 784: "the inputs are pixels, not neurons: no bias there.",
        784 * 64 + 64: "that is the hidden layer; the ten output neurons have parameters too.",
        784 * 64: "those are the hidden layer's weights; count its biases and the outputs too.",
        64 + 10: "those are the neurons, or their biases; each also has one weight per input.",
        26_506: "that is the network above; this one has one hidden layer, of 64 neurons.",
        785 * 64 + 65 * 64 + 65 * 10: "this network has one hidden layer, not two.",
    }
    advice = "Each neuron has one weight per input and one bias."
    return answers.slip(number, slips) or f"{answers.off(number, right)} {advice}"


@answers.check("The network forgets each digit while it sees only the next one.")
def check_unshuffled(unshuffled_accuracy: float, reason: str) -> str | None:
    """Lesson 2, exercise 2: what training on sorted images does, and why."""
    accuracy = answers.share("unshuffled_accuracy", unshuffled_accuracy)
    if accuracy == 0:
        return "not one image right? Bring images and digits into the same order, and test again."
    if accuracy >= 0.3:
        return (
            f"an accuracy of {accuracy:.2f} is too good: sort images and digits by digit, keep "
            "`shuffle=False`, and measure on the test images."
        )
    hints = {
        "a": "the images are the same, in another order. What did the network see last?",
        "b": "the learning rate stayed at 0.1. What did the network see last?",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("Recall tells how many of the images of a digit the network finds.")
def check_recalls(recalls: Callable[[np.ndarray], np.ndarray]) -> str | None:
    """Lesson 2, exercise 3: the recall of each digit, out of a confusion matrix."""
    first = np.diag(np.arange(1, 11)) + np.triu(np.arange(100).reshape(10, 10) % 7, k=1)
    for counts in (first, np.arange(200, 300).reshape(10, 10) % 23 + 90 * np.eye(10, dtype=int)):
        if hint := _wrong_recalls(recalls, counts):
            return hint
    return None


def _wrong_recalls(recalls: Any, counts: np.ndarray) -> str | None:
    """Return a hint unless a function finds the recalls in a confusion matrix."""
    import torch

    # The lesson's confusion matrix is a tensor, but a function for NumPy's arrays is as good.
    answer = answers.call_with_either("recalls", recalls, (torch.from_numpy(counts),), (counts,))
    answer = answers.numbers("recalls", answer, expected="an array of ten numbers")
    if answer.shape == (10, 10):
        return "`recalls` returns a whole matrix; a digit's recall comes from its diagonal count."
    if answer.shape == ():
        return "`recalls` returns one number for all digits; expected ten, one a digit."
    if answer.shape != (10,):
        return f"`recalls` returns something of shape {answer.shape}; expected ten numbers."
    right, images, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    slips = (
        (right, "those are the counts on the diagonal: divide each by the images of its digit."),
        (images, "those are the images of each digit; how many of them are read correctly?"),
        (
            right / predicted,
            "you divided by the sums of the columns, which count predictions, not images.",
        ),
        (
            right / counts.sum(),
            "you divided by all images: divide each row's count by its own row's sum.",
        ),
        (1 - right / images, "those are the shares that were misread; recall is the other part."),
        (100 * right / images, "those are percent: leave them as shares between 0 and 1."),
        (right // images, "`//` cuts off the decimals: divide with `/`."),
    )
    for slip, slip_hint in slips:
        if np.allclose(answer, slip):
            return slip_hint
    if not np.allclose(answer, right / images, rtol=1e-3):
        return "some numbers are off: diagonal count divided by the sum of its row, digit by digit."
    return None
