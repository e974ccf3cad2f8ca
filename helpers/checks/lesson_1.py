"""The checks of lesson 1's exercises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.checks import answers
from helpers.errors import shown


@answers.check("60,000 images of 784 pixels of 4 bytes: 188.16 megabytes.")
def check_megabytes(megabytes: float) -> str | None:
    """Lesson 1, exercise 1: the memory that the training images take."""
    right = 60_000 * 28 * 28 * 4 / 1e6
    number = answers.number("megabytes", megabytes)
    if abs(number - right) <= 0.5:
        return None
    slips = {
        right / 4: "you counted the pixels; each of them takes 4 bytes.",
        right * 1e6: "those are bytes; a megabyte is a million of them.",
        right * 1e3: "those are kilobytes; a megabyte is a thousand of them.",
        right / 1e3: "those are gigabytes; one of them is a thousand megabytes.",
        right * 1e6 / 2**20: "here a megabyte is a million bytes, not 1024 × 1024.",
        right / 6: "those are the 10,000 test images; there are 60,000 to train with.",
        right * 7 / 6: "those are all 70,000 images; 60,000 of them are training images.",
        right / 784: "each image has 28 × 28 pixels, not one.",
        right / 28: "each image has 28 rows and 28 columns; you counted one of the two.",
        right * 2: "that is 8 bytes a pixel; a `float32` takes 4.",
        right * 8: "that counts bits; the 4 bytes of a pixel are counted as bytes.",
    }
    advice = "Multiply images, rows, columns and bytes, then turn bytes into megabytes."
    return answers.slip(number, slips, within=0.005) or f"{answers.off(number, right)} {advice}"


@answers.check(
    "The ink has moved off the ink of its mean image, and the distance sees nothing else."
)
def check_shifted(shifted_accuracy: float, reason: str) -> str | None:
    """Lesson 1, exercise 3: the nearest mean image of digits moved to the right, and why."""
    mean = "take the mean of (predictions == test_digits)"
    accuracy = answers.share("shifted_accuracy", shifted_accuracy, several=mean)
    if accuracy > 0.78:
        return (
            f"{accuracy:.1%} is what the images reach where they were: move the test images, and "
            "leave the mean images in place."
        )
    if accuracy > 0.42:
        return f"{accuracy:.1%} is too much: move the images by three pixels."
    if accuracy < 0.2:
        return (
            f"{accuracy:.1%} is too little: move the columns of the images, by three (`axis=2`), "
            "and compare with `test_digits`."
        )
    if accuracy < 0.395:
        return (
            f"{accuracy:.1%} is too little: move the test images, to the right, by three, with "
            "`axis=2`; leave the mean images and the squares as they are."
        )
    hints = {
        "a": "look at a few moved images: nearly all digits are still whole. What else changed?",
        "c": "the mean images stayed where they were. What does the distance compare?",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("Now look at the strangest image of each digit.")
def check_strangest(strangest: Callable[[np.ndarray, np.ndarray], int]) -> str | None:
    """Lesson 1, exercise 2: the image that is farthest from a mean image."""
    # Image 0 is the mean itself, 1 has more ink than the mean, 2 less, and 3 both: it is the
    # farthest by squares, and the differences of its pixels add up to nothing. 4 is the farthest by
    # absolute differences, because many of its pixels differ by a little, and 5 by cubes or by the
    # largest difference, because a few of its pixels differ by much.
    mean_image = np.full((28, 28), 0.5, dtype=np.float32)
    images = np.repeat(mean_image[None], 6, axis=0)
    images[1, :2] = 0.95
    images[2, :3] = 0.05
    images[3, 4:9], images[3, 9:14] = 0.9, 0.1
    images[4, :14], images[4, 14:] = 0.7, 0.3
    images[5, 20:23], images[5, 23:26] = 1.0, 0.0
    distances = ((images - mean_image) ** 2).mean(axis=(1, 2))
    answer = answers.call("strangest", strangest, images, mean_image)
    place = answers.as_float(answer)
    if place is None:
        if np.shape(answer) == (28, 28):
            return "`strangest` returns an image; return its place among the images."
        if np.shape(answer) == (6,):
            return (
                "`strangest` returns one number an image: return the place of the largest distance."
            )
        return f"`strangest` should return one whole number, and returns {shown(answer)}."
    if np.isclose(place, distances.max()):
        return "that is the largest distance itself; return the place where it is."
    slips: dict[float, str] = {
        0: "that is the nearest image; the strangest is the farthest.",
        1: "more ink and less ink must not cancel out: square each difference, then average.",
        2: "more ink and less ink must not cancel out: square each difference, then average.",
        4: "that is the farthest by differences without their signs: square the differences.",
        5: "a few large differences count for too much: square the differences, then average.",
    }
    if place != 3:
        other = "that is no place among the images: take one distance an image, over both its axes."
        return answers.slip(place, slips) or other
    # The farthest must be found at every place, and among another number of images.
    for others, right, case in (
        (images[::-1][:3], 2, "three other images"),
        (images[3:4], 0, "one image"),
        *((np.roll(images, 3 + k, axis=0), k, "the images in another order") for k in range(6)),
        (np.concatenate([images[:3]] * 9 + [images[3:]]), 27, "thirty images"),
    ):
        again = answers.call("strangest", strangest, others, mean_image)
        if answers.as_float(again) != right:
            said = shown(again)
            return f"among {case} the strangest has place {right}, and yours says {said}."
    return None
