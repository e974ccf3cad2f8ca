"""The checks of lesson 1's exercises: the right answer, no answer, and plausible wrong ones."""

import numpy as np
import pytest

from helpers.checks import check_megabytes, check_shifted, check_strangest


def distances(images, mean_image):
    return ((images - mean_image) ** 2).mean(axis=(1, 2))


@pytest.mark.parametrize("answer", [188.16, 188, np.float32(188.16), 60_000 * 28 * 28 * 4 / 1e6])
def test_megabytes_right(answer, capsys):
    check_megabytes(answer)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        (60_000 * 28 * 28 / 1e6, "each of them takes 4 bytes"),
        (60_000 * 28 * 28 * 4, "those are bytes"),
        (60_000 * 28 * 28 * 4 / 1e3, "kilobytes"),
        (60_000 * 28 * 28 * 4 / 1e9, "gigabytes"),
        (60_000 * 28 * 28 * 4 / 2**20, "1024"),
        (10_000 * 28 * 28 * 4 / 1e6, "test images"),
        (70_000 * 28 * 28 * 4 / 1e6, "all 70,000"),
        (60_000 * 4 / 1e6, "not one"),
        (60_000 * 28 * 4 / 1e6, "rows and 28 columns"),
        (60_000 * 28 * 28 * 8 / 1e6, "8 bytes"),
        (60_000 * 28 * 28 * 32 / 1e6, "bits"),
        (100, "100 is too low. Multiply"),
        (250, "250 is too high. Multiply"),
        ("188.16", "expected one number, got '188.16'"),
        (None, "expected one number, got None"),
        (True, "expected one number, got True"),
        (float("nan"), "expected one number, got nan"),
        ([188.16], "expected one number"),
    ],
)
def test_megabytes_hints(answer, hint, capsys):
    check_megabytes(answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said


@pytest.mark.parametrize("reason", ["b", "B", " b "])
def test_shifted_right(reason, capsys):
    check_shifted(np.float64(0.4066), reason)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("accuracy", "reason", "hint"),
    [
        (..., "b", "replace the dots"),
        (0.4066, ..., "replace the dots"),
        (0.8203, "b", "where they were"),  # not moved, or the means moved as well
        (0.6323, "b", "too much: move the images by three"),  # by two pixels
        (0.2797, "b", "to the right"),  # to the left, or the means moved and the images not
        (0.2749, "b", "to the right"),  # down
        (0.3074, "b", "the squares as they are"),  # absolute differences
        (0.37, "b", "move the test images"),  # the training images
        (0.0883, "b", "columns"),  # axis=0 gives each image another one's digit
        (0.0, "b", "compare with `test_digits`"),
        (40.66, "b", "a share between 0 and 1"),
        (4066, "b", "a share between 0 and 1"),
        (None, "b", "`shifted_accuracy`: expected one number, got None"),
        (np.ones(10_000, dtype=bool), "b", "take the mean of (predictions == test_digits)"),
        (0.4066, "a", "still whole"),
        (0.4066, "c", "stayed where they were"),
        (0.4066, "d", "expected 'a', 'b' or 'c'"),
        (0.4066, 2, "expected 'a', 'b' or 'c'"),
    ],
)
def test_shifted_hints(accuracy, reason, hint, capsys):
    check_shifted(accuracy, reason)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said


@pytest.mark.parametrize(
    "strangest",
    [
        lambda images, mean_image: distances(images, mean_image).argmax(),
        lambda images, mean_image: int(np.argsort(distances(images, mean_image))[-1]),
        lambda images, mean_image: max(
            range(len(images)), key=lambda place: np.linalg.norm(images[place] - mean_image)
        ),
    ],
)
def test_strangest_right(strangest, capsys):
    check_strangest(strangest)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("strangest", "hint"),
    [
        (..., "replace the dots"),
        (lambda images, mean_image: ..., "returns nothing yet"),
        (lambda images, mean_image: None, "returns nothing yet"),
        (lambda images, mean_image: distances(images, mean_image).argmin(), "nearest"),
        (lambda images, mean_image: distances(images, mean_image).max(), "distance itself"),
        (lambda images, mean_image: distances(images, mean_image), "one number an image"),
        (lambda images, mean_image: np.argsort(distances(images, mean_image)), "one number an"),
        (
            lambda images, mean_image: images[distances(images, mean_image).argmax()],
            "returns an image",
        ),
        (
            lambda images, mean_image: (images - mean_image).mean(axis=(1, 2)).argmax(),
            "cancel out",
        ),
        (
            lambda images, mean_image: np.abs((images - mean_image).mean(axis=(1, 2))).argmax(),
            "cancel out",
        ),
        (
            lambda images, mean_image: np.abs(images - mean_image).mean(axis=(1, 2)).argmax(),
            "without their signs",
        ),
        (lambda images, mean_image: ((images - mean_image) ** 2).argmax(), "no place"),
        (lambda images, mean_image: 3, "among three other images"),
        (lambda images, mean_image: images.argmax(axis=3), "AxisError"),
        (lambda images: 3, "TypeError"),
        (3, "should be a function"),
    ],
)
def test_strangest_hints(strangest, hint, capsys):
    check_strangest(strangest)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said
