"""The checks of lesson 4's exercises."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from helpers.checks import answers
from helpers.errors import shown


@answers.check("782 batches an epoch (the last one holds 16 images), three times.")
def check_steps(steps: int) -> str | None:
    """Lesson 4, exercise 2: the steps of three epochs with batches of 64."""
    right = 3 * 782
    number = answers.number("steps_of_three_epochs", steps)
    if number == right:
        return None
    near = {
        3 * 781: "the images left over at the end of an epoch make a batch, and a step, too.",
        3 * 50_000 / 64: "a step is made or not made: the last batch of an epoch is smaller.",
        2344: "round up in each epoch: each ends with a smaller batch.",
    }
    slips: dict[float, str] = {
        782: "that is one epoch; here are three.",
        3 * 50_000: "that is one step an image; here a step takes a whole batch.",
        3 * 938: "there are 50,000 images to learn from; 10,000 are kept for validation.",
    }
    otherwise = f"{answers.off(number, right)} Count the batches of one epoch first."
    return answers.slip(number, near) or answers.slip(number, slips, within=0.005) or otherwise


@answers.check("The noise of single images would throw the network about at this rate: try it.")
def check_higher_rate(fast_accuracy: float, reason: str) -> str | None:
    """Lesson 4, exercise 3: batches of 16 with 16 times the learning rate, and why they bear it."""
    accuracy = answers.share("fast_accuracy", fast_accuracy)
    if accuracy < 0.2:
        return f"{accuracy:.2f} is a guess: was this classifier trained, and with batches of 16?"
    if accuracy < 0.8:
        return (
            f"{accuracy:.2f} is what the old learning rate brings, or the new one with larger "
            "batches: is the rate 1.6, and did you make a dataloader with batches of 16?"
        )
    if accuracy < 0.88:
        return f"{accuracy:.2f} is a little low: is the batch size 16?"
    if accuracy > 0.955:
        return f"{accuracy:.2f} is too good for one epoch: make a new classifier and train it once."
    hints = {
        "b": "an epoch has the same 50,000 images, whatever the learning rate.",
        "c": "a step computes the same numbers, whatever the learning rate.",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check(
    "This is what a dataloader does; with `shuffle=True`, it also mixes the images first."
)
def check_make_batches(make_batches: Callable[..., list[Any]]) -> str | None:
    """Lesson 4, exercise 1: cut images and digits into batches."""
    for count, batch_size in ((10, 4), (10, 5), (10, 10), (10, 16), (10, 1), (7, 3), (1, 2)):
        if hint := _wrong_batches(make_batches, count, batch_size):
            return hint
    return None


def _wrong_batches(make_batches: Any, count: int, batch_size: int) -> str | None:
    """Return a hint unless a function cuts `count` images, at most 10, into batches."""
    digits = np.array([5, 0, 4, 1, 9, 2, 8, 3, 6, 7])[:count]
    images = np.linspace(0, 1, 10 * 28 * 28, dtype=np.float32).reshape(10, 28, 28)[:count]
    batches = answers.call("make_batches", make_batches, images, digits, batch_size)
    try:
        batches = list(islice(batches, 1000))  # a dataloader may have no end
    except TypeError:
        return f"`make_batches` should return a list of batches, and returns {shown(batches)}."
    if not all(isinstance(batch, (tuple, list)) and len(batch) == 2 for batch in batches):
        return "each batch should be a pair: its images and its digits."
    shapes = [np.shape(batch_images) for batch_images, _ in batches]
    sizes = [shape[0] if shape else "no" for shape in shapes]
    left_over = count % batch_size
    full = [batch_size] * (count // batch_size)
    right = [*full, left_over] if left_over else full
    case = f"{count} {'image' if count == 1 else 'images'} in batches of {batch_size}"
    if sizes != right:
        if sizes == full:
            return f"{case}: the {left_over} left over make a last, smaller batch."
        if sizes == [*right, 0]:
            return f"{case}: the last batch is empty; stop where the images end."
        if sizes == [min(batch_size, count - start) for start in range(count)]:
            return "your batches overlap: the next one begins where the last one ended."
        if sizes == [1] * count:
            return "these are batches of one image; use `batch_size`."
        if len(sizes) == batch_size:
            return f"there are {batch_size} batches; `batch_size` says how many images are in one."
        return f"{case} make batches of {right} images; yours have {shown(sizes)}."
    if [np.shape(batch_digits) for _, batch_digits in batches] != [(size,) for size in sizes]:
        return "each batch needs as many digits as images."
    cut_images = np.concatenate([np.asarray(batch_images) for batch_images, _ in batches])
    cut_digits = np.concatenate([np.asarray(batch_digits) for _, batch_digits in batches])
    if np.array_equal(cut_images, images) and np.array_equal(cut_digits, digits):
        return None
    # Every pixel grows from image to image, so sorting pixels puts whole images in order.
    if not np.array_equal(np.sort(cut_images, axis=0), images):
        return "the images in your batches are not those that were given: only cut them."
    if not np.array_equal(cut_digits[cut_images[:, 0, 0].argsort()], digits):
        return "images and digits do not belong together: cut both at the same places."
    return "the images are all there, but not in the order in which they came."
