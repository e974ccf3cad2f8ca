"""The checks of lesson 7's exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks import answers

Layers = list[tuple[np.ndarray, np.ndarray]]


@answers.check("5 × 784 weights and 5 biases go in, and 5 × 32 weights multiply 0.")
def check_idle_parameters(idle_parameters: int) -> str | None:
    """Lesson 7, exercise 1: the parameters that do nothing, with five dead neurons."""
    number = answers.number("idle_parameters", idle_parameters)
    right = 5 * (784 + 1 + 32)
    if number == right:
        return None
    slips = {
        5 * 785: "what about the weights that multiply the outputs of the dead neurons, 0?",
        5 * 784: "a neuron has a bias too, and the next layer multiplies its output by weights.",
        5 * 816: "a neuron has a bias too.",
        5 * 32: "that is what multiplies their outputs; which parameters lead into them?",
        5 * 33: "that is one bias each and what multiplies their outputs; and from the pixels?",
        817: "that is for one neuron; here five are dead.",
        785: "that is what leads into one neuron; here five are dead.",
        26_506 - right: "those are the others: how many do nothing?",
        right + 27 * 68: "the pixels that never have ink are another reason: leave those out.",
        5 * (784 + 1 + 10): "the neurons of the first hidden layer lead to 32 others, not to 10.",
        5 * (32 + 1 + 10): "that is for the second hidden layer; here it is the first.",
        5: "that is how many neurons are dead; each has many parameters.",
    }
    advice = "Count what leads into a dead neuron, and what multiplies its output."
    return answers.slip(number, slips) or f"{answers.off(number, right)} {advice}"


@answers.check("The others make up for it: no digit hangs on one neuron alone.")
def check_switched_off(lowest_accuracy: float, reason: str) -> str | None:
    """Lesson 7, exercise 2: the accuracy without the neuron that is missed the most, and why."""
    smallest = "take the lowest of them, with `min`"
    accuracy = answers.share("lowest_accuracy", lowest_accuracy, several=smallest)
    if accuracy > 0.955:
        return (
            f"{accuracy:.1%} is what the network reaches with all of its neurons, or without an "
            "unimportant one: take the lowest of the 32 accuracies."
        )
    if accuracy < 0.2:
        return (
            f"{accuracy:.1%} is what guessing reaches: switch off one neuron at a time, and leave "
            "the other 31 as they are."
        )
    if accuracy < 0.87:
        return (
            f"{accuracy:.1%} is too little: switch off a neuron of the second hidden layer, one at "
            "a time, and switch it on again before the next."
        )
    hints = {
        "b": "then all images of one digit would be lost, and the accuracy fall by ten points.",
        "c": "nothing was trained after a neuron was switched off.",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("This is all that a dense network does. Try it on the weights of `networks[0]`.")
def check_by_hand(by_hand: Callable[[np.ndarray, Layers], np.ndarray]) -> str | None:
    """Lesson 7, exercise 3: what a network gives out, worked out from its weights and biases."""
    cases = {
        "two hidden layers": (6, 5, 4, 3),
        "one hidden layer": (4, 3, 10),
        "no hidden layer": (3, 10),
        "four hidden layers": (5, 4, 4, 4, 4, 10),
        "the sizes of this lesson's network": (784, 32, 32, 10),
    }
    # In the first case, each layer has sums above and below 0, so that what ReLU does shows.
    generator = np.random.default_rng(9)
    for case, sizes in cases.items():
        image = generator.random(sizes[0])
        layers = [
            (generator.normal(0, 2 / before**0.5, (after, before)), generator.normal(0, 1, after))
            for before, after in zip(sizes, sizes[1:], strict=False)
        ]
        if hint := _wrong_by_hand(by_hand, image, layers, case):
            return hint
    return None


def _wrong_by_hand(by_hand: Any, image: np.ndarray, layers: Layers, case: str) -> str | None:
    """Return a hint unless a function gives a network's outputs for an image."""
    import torch

    tensors = [tuple(map(torch.from_numpy, layer)) for layer in layers]
    answer = answers.call_with_either(
        "by_hand", by_hand, (image, layers), (torch.from_numpy(image), tensors)
    )
    outputs = layers[-1][1].size
    got = answers.numbers("by_hand", answer, expected="as many numbers as the last layer has")
    if got.size == 1 and outputs > 1:
        return "`by_hand` returns one number: return all outputs of the last layer."
    if got.shape not in ((outputs,), (1, outputs), (outputs, 1)):
        return f"`by_hand` should return {outputs} numbers, and returns shape {got.shape}."
    got = got.ravel()

    def passed(
        hidden: Callable[[np.ndarray], np.ndarray] = lambda sums: np.maximum(sums, 0),
        last: Callable[[np.ndarray], np.ndarray] = _softmax,
        bias: float = 1,
    ) -> np.ndarray:
        values = image
        for weights, biases in layers[:-1]:
            values = hidden(weights @ values + bias * biases)
        return last(layers[-1][0] @ values + bias * layers[-1][1])

    if np.allclose(got, passed(), rtol=1e-4, atol=1e-6):
        return None
    slips = {
        "those are the sums of the last layer: softmax is missing.": passed(last=lambda sums: sums),
        "the last layer has softmax in place of ReLU, not after it.": passed(
            last=lambda sums: _softmax(np.maximum(sums, 0))
        ),
        "the last layer has softmax in place of ReLU.": passed(
            last=lambda sums: np.maximum(sums, 0)
        ),
        "the last layer has softmax, not sigmoid.": passed(
            last=lambda sums: 1 / (1 + np.exp(-sums))
        ),
        "those are the logarithms of the outputs.": passed(
            last=lambda sums: np.log(_softmax(sums))
        ),
        "softmax has exponentials: the shares of `np.exp` of the sums.": passed(
            last=lambda sums: sums / sums.sum()
        ),
        "the biases are missing: add them to the sums.": passed(bias=0),
        "the biases are subtracted: add them.": passed(bias=-1),
        "that is with sigmoid in the hidden layers; they have ReLU.": passed(
            hidden=lambda sums: 1 / (1 + np.exp(-sums))
        ),
        "softmax belongs to the last layer only.": passed(hidden=_softmax),
        "ReLU keeps what is above 0, not what is below.": passed(
            hidden=lambda sums: np.minimum(sums, 0)
        ),
        "ReLU makes negative sums 0; it does not change their sign.": passed(hidden=np.abs),
    }
    if len(layers) > 1:
        slips["ReLU is missing in the hidden layers."] = passed(hidden=lambda sums: sums)
    for hint, wrong in slips.items():
        if wrong.shape == got.shape and np.allclose(got, wrong, rtol=1e-4, atol=1e-6):
            return hint
    if not np.isclose(got.sum(), 1, atol=1e-3):
        return f"for {case}, the outputs add up to {got.sum():.4g}: after softmax it would be 1."
    return (
        f"for {case}, the outputs are off: each layer takes weights @ values + biases, then ReLU, "
        "and the last one softmax."
    )


def _softmax(sums: np.ndarray) -> np.ndarray:
    exponentials: np.ndarray = np.exp(sums - sums.max())
    shares: np.ndarray = exponentials / exponentials.sum()
    return shares
