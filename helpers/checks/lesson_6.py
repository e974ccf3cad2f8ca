"""The checks of lesson 6's exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks import answers


@answers.check("Above 1 a temperature makes all outputs more alike, below 1 less.")
def check_with_temperature(
    with_temperature: Callable[[np.ndarray, float], np.ndarray],
) -> str | None:
    """Lesson 6, exercise 1: outputs as they would be if the sums were divided by a temperature."""
    generator = np.random.default_rng(6)
    for count, temperature in ((4, 2.0), (1, 1.0), (6, 0.5), (10, 5.0)):
        outputs: np.ndarray = generator.dirichlet(np.full(10, 0.6), count)
        # Softmax gives out no zeros, and float32, as networks do.
        outputs = ((outputs + 1e-4) / (1 + 1e-3)).astype(np.float32)
        if hint := _wrong_temperature(with_temperature, outputs, temperature):
            return hint
    return None


def _wrong_temperature(
    with_temperature: Any, outputs: np.ndarray, temperature: float
) -> str | None:
    """Return a hint unless a function returns some outputs at a temperature."""
    import torch

    arrays, tensors = (outputs, temperature), (torch.from_numpy(outputs), temperature)
    answer = answers.call_with_either("with_temperature", with_temperature, arrays, tensors)
    answer = answers.numbers("with_temperature", answer, expected="outputs of shape (N, 10)")
    if answer.shape != outputs.shape:
        return f"outputs of shape {outputs.shape} come back with shape {answer.shape}."
    powers = outputs ** (1 / temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    if np.allclose(answer, expected, rtol=1e-3, atol=1e-6):
        return None
    other_way = outputs**temperature
    exponentials = np.exp(outputs / temperature)
    slips = [
        (powers, "those no longer add up to 1: divide each row by its sum."),
        (powers / powers.sum(), "divide each row by its own sum, not by that of all rows."),
        (powers / powers.sum(axis=0), "sum over the ten outputs of a row, not over the images."),
        (other_way / other_way.sum(axis=1, keepdims=True), "raise to the power 1 / T, not T."),
        (other_way, "raise to the power 1 / T, not T."),
        (outputs / temperature, "raise to a power; do not divide the outputs."),
        (
            exponentials / exponentials.sum(axis=1, keepdims=True),
            "a softmax takes the sums before it, and these are outputs already: use the formula.",
        ),
        (outputs, f"a temperature of {temperature:g} must change the outputs."),
    ]
    near = (hint for slip, hint in slips if np.allclose(answer, slip, rtol=1e-3, atol=1e-6))
    if hint := next(near, None):
        return hint
    largest = np.abs(answer - expected).max()
    return (
        f"for a temperature of {temperature:g} the outputs are off by up to {largest:.2g}: raise "
        "each to the power 1 / T, then divide by the sum of its row."
    )


@answers.check("A network knows only what its training images showed it.")
def check_inverted(inverted_accuracy: float, reason: str) -> str | None:
    """Lesson 6, exercise 3: dark digits on white paper, and why they are not read."""
    accuracy = answers.share("inverted_accuracy", inverted_accuracy)
    if accuracy > 0.9:
        return (
            f"{accuracy:.1%} is what the images reach as they are: hand over "
            "`1 - validation_images`."
        )
    if accuracy > 0.4:
        return (
            f"{accuracy:.1%} is too good for this network: invert all pixels of the "
            "validation images, and train nothing anew."
        )
    hints = {
        "a": "`1 - image` can be undone by another `1 - image`: nothing is lost.",
        "c": "trained on inverted images, this very network reads them. What did it see?",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("Now see what it gives for 0.9 and for 0.8 of the validation images.")
def check_accuracy_of_surest(
    accuracy_of_surest: Callable[[np.ndarray, np.ndarray, float], float],
) -> str | None:
    """Lesson 6, exercise 2: the accuracy on the images with the highest confidence."""
    # 20 images, the surest first, of which nine of the first ten and three of the others are right;
    # then shuffled.
    count = 20
    confidence = np.linspace(0.95, 0.40, count)
    wrong = np.isin(np.arange(count), [4, 10, 11, 13, 15, 16, 18, 19])
    sorted_right = ~wrong
    digits = np.arange(count) % 10
    outputs = np.repeat((1 - confidence[:, None]) / 9, 10, axis=1)
    outputs[np.arange(count), np.where(wrong, (digits + 1) % 10, digits)] = confidence
    order = np.random.default_rng(0).permutation(count)
    outputs, digits, right = outputs[order].astype(np.float32), digits[order], sorted_right[order]
    try:
        got = _accuracy_of_surest(accuracy_of_surest, outputs, digits, 0.5)
    except TypeError as error:
        if "slice ind" not in str(error):
            raise
        return "make the number of images to keep a whole number, with `round`."
    best = sorted_right[:10].mean()
    if not np.isclose(got, best):
        slips = {
            sorted_right.mean(): "that is the accuracy on all images: keep only the surest.",
            sorted_right[10:].mean(): "those are the least sure images: sort the other way.",
            best / 2: "you divided by all images: divide by those that you kept.",
            10 * best: "that counts the right answers: divide by the images kept.",
            100 * best: "that is in percent: leave it as a share between 0 and 1.",
            1 - best: "that is the share of mistakes; the accuracy is the other part.",
            right[:10].mean(): "those are the first images: keep those with the highest output.",
            sorted_right[confidence >= 0.5].mean(): (
                "`share` says how many images to keep, not how sure the network must be."
            ),
        }
        off = f"{got:g} is off: sort by the highest output, keep `share` of it, compare."
        return answers.slip(got, slips, within=1e-5) or off
    fifth = _accuracy_of_surest(accuracy_of_surest, outputs, digits, 0.2)
    if not np.isclose(fifth, 1.0):
        return f"right for a share of 0.5; for 0.2 it gives {fifth:g}: make use of `share`."
    # Among these the surest are not those that are farthest ahead of their second digit, nor those
    # whose outputs are spread the least.
    generator = np.random.default_rng(140)
    outputs = generator.dirichlet(np.full(10, 0.5), 40).astype(np.float32)
    predictions = outputs.argmax(axis=1)
    errors = np.where(generator.random(40) < 0.5, 0, generator.integers(1, 10, 40))
    digits = (predictions + errors) % 10
    surest_first = outputs.max(axis=1).argsort()[::-1]
    for share in (0.125, 0.25, 0.75, 1.0):
        kept = surest_first[: round(40 * share)]
        expected = (predictions[kept] == digits[kept]).mean()
        got = _accuracy_of_surest(accuracy_of_surest, outputs, digits, share)
        if not np.isclose(got, expected):
            return (
                f"right for 20 images; of 40 others, a share of {share:g} has the accuracy "
                f"{expected:g}, and yours gives {got:g}: keep those with the highest output."
            )
    return None


def _accuracy_of_surest(
    accuracy_of_surest: Any, outputs: np.ndarray, digits: np.ndarray, share: float
) -> float:
    """Return the number that a function gives for some outputs; it may take arrays or tensors."""
    import torch

    arrays = (outputs, digits, share)
    tensors = (torch.from_numpy(outputs), torch.from_numpy(digits), share)
    answer = answers.as_float(
        answers.call_with_either("accuracy_of_surest", accuracy_of_surest, arrays, tensors)
    )
    if answer is None:
        raise answers.NotYet("return one number, the accuracy on the images that are kept.")
    return answer
