"""What a learner hands to the helpers: one rule and one wording for all of them.

Each function takes what was given and the name that the learner knows it by, and returns it in the
one form that the helpers go on with, or raises a `LessonError` that says what was expected, what
was found, and what to do. Nothing that is given is ever written to.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.errors import LessonError

if TYPE_CHECKING:  # torch takes seconds to import, and lesson 1's figures need none of it
    from torch import nn
    from torch.utils.data import DataLoader

# How far rounding may carry a gray value past 0 or 1.
TOLERANCE = 1e-3


def array(values: ArrayLike, name: str) -> np.ndarray:
    """Take numbers, in a NumPy array, a torch tensor on any device, or (nested) lists.

    Args:
        values: What was given.
        name: What the learner calls it.

    Returns:
        An array of whole or floating-point numbers or of truth values, of any shape.

    Raises:
        LessonError: If they are no such numbers, or lists of unequal lengths.
    """
    if hasattr(values, "detach"):  # a torch tensor, perhaps on another device
        values = values.detach().cpu()
    try:
        taken = np.asarray(values)
    except (ValueError, TypeError, RuntimeError):
        raise LessonError(f"{name} must all have the same shape, to make one array.") from None
    if taken.dtype.kind not in "buif":
        raise LessonError(f"{name} must be numbers, got {type(values).__name__}.")
    return taken


def images(values: ArrayLike, name: str = "images") -> np.ndarray:
    """Take images.

    Args:
        values: What was given.
        name: What the learner calls it.

    Returns:
        A floating-point array of shape (N, 28, 28), N at least 1, values from 0 to 1 (up to
        rounding).

    Raises:
        LessonError: If shape, dtype or range are others, or a pixel is NaN or infinite.
    """
    taken = array(values, name)
    if taken.ndim != 3 or taken.shape[1:] != (28, 28):
        hint = f" For one image, pass {name}[None]." if taken.shape == (28, 28) else ""
        raise LessonError(f"{name} must have shape (N, 28, 28), got {taken.shape}.{hint}")
    if not len(taken):
        raise LessonError(f"{name} is empty: there must be at least one image.")
    _gray_values(taken, name)
    return taken


def image(values: ArrayLike, name: str = "image") -> np.ndarray:
    """Take one image: as `images`, of shape (28, 28)."""
    taken = array(values, name)
    if taken.shape != (28, 28):
        raise LessonError(f"{name} must have shape (28, 28), got {taken.shape}.")
    _gray_values(taken, name)
    return taken


def _gray_values(taken: np.ndarray, name: str) -> None:
    if taken.dtype.kind != "f":
        found = "truth values" if taken.dtype.kind == "b" else f"whole numbers up to {taken.max()}"
        cure = "Divide by 255." if taken.max() > 1 else f'Write {name}.astype("float32").'
        raise LessonError(
            f"{name} must be floating-point numbers from 0 to 1, got {found} ({taken.dtype}). "
            f"{cure}"
        )
    # Two passes and no copy: there may be 60,000 images.
    low, high = taken.min(), taken.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        stack = taken.reshape(-1, 28, 28)
        broken = np.flatnonzero(~np.isfinite(stack).all(axis=(1, 2)))
        where = f", in {len(broken)} of {len(stack)} images, first in {name}[{broken[0]}]"
        raise LessonError(
            f"{name} has pixels that are NaN or infinite{where if taken.ndim == 3 else ''}. "
            "Look at how they were made."
        )
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        raise LessonError(
            f"{name} must go from 0 to 1, got {low:.4g} to {high:.4g}. The usual causes: gray "
            "values up to 255 (divide by 255), standardised images "
            f"({name} * 0.3081 + 0.1307 undoes it for MNIST), images from -1 to 1 "
            f"(({name} + 1) / 2), added noise (np.clip({name}, 0, 1))."
        )
    if 0 < high < 1.01 / 255:
        raise LessonError(
            f"{name} must go from 0 to 1, got {low:.4g} to {high:.4g}: they look as if divided by "
            "255 twice. Divide once."
        )


def digits(values: ArrayLike, name: str = "digits", count: int | None = None) -> np.ndarray:
    """Take digits.

    Args:
        values: What was given.
        name: What the learner calls it.
        count: How many there must be, one an image; any number where it is None.

    Returns:
        An int64 array of shape (N,), N at least 1, values 0 to 9.

    Raises:
        LessonError: If shape, dtype, range or count are others.
    """
    taken = array(values, name)
    if taken.ndim != 1:
        hint = f" Write {name}.argmax(axis=1)." if taken.shape[1:] == (10,) else ""
        raise LessonError(f"{name} must have shape (N,), got {taken.shape}.{hint}")
    if not len(taken):
        raise LessonError(f"{name} is empty: there must be at least one digit.")
    if count is not None and len(taken) != count:
        raise LessonError(f"{name} must be as many as the images, {count:,}, got {len(taken):,}.")
    wrong = ~np.isin(taken, range(10))
    if wrong.any():
        raise LessonError(f"{name} must be whole numbers from 0 to 9, got {taken[wrong][0]}.")
    if taken.dtype.kind not in "ui":
        raise LessonError(
            f"{name} must be whole numbers, like int64, got {taken.dtype}. "
            f"Write {name}.astype(int)."
        )
    return taken.astype(np.int64, copy=False)


def images_and_digits(
    some_images: ArrayLike, some_digits: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Take `images` and as many `digits`, and say so where they are the wrong way round."""
    shapes = np.shape(some_images), np.shape(some_digits)
    if len(shapes[0]) == 1 and shapes[1][1:] == (28, 28):
        raise LessonError("images and digits are swapped: give the images first, then the digits.")
    taken = images(some_images)
    return taken, digits(some_digits, count=len(taken))


def pairs(values: Any) -> tuple[list, list]:
    """Take a list of pairs (image, digit), as `list(zip(images, digits))` makes it, apart.

    Args:
        values: What was given.

    Returns:
        The images and the digits, in two lists, not yet looked at.

    Raises:
        LessonError: If it is no list of pairs.
    """
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in values
    ):
        raise LessonError(
            f"digits are missing: give images and digits, or a list of pairs (image, digit), "
            f"not {_kind(values)}."
        )
    if not values:
        raise LessonError("The list of pairs (image, digit) is empty: there must be one at least.")
    return [image for image, _ in values], [digit for _, digit in values]


def ten_numbers(values: ArrayLike, name: str) -> np.ndarray:
    """Take one number for each digit.

    Args:
        values: What was given.
        name: What the learner calls it.

    Returns:
        A float64 array of shape (10,), without NaN and infinity.

    Raises:
        LessonError: If they are not ten finite numbers.
    """
    taken = array(values, name)
    if taken.shape != (10,):
        raise LessonError(f"{name} must be ten numbers, of shape (10,), got {taken.shape}.")
    broken = ~np.isfinite(taken)
    if broken.any():
        raise LessonError(f"{name} must be finite numbers, got {taken[broken][0]}.")
    return taken.astype(float)


def whole_number(value: Any, name: str, low: int = 1, high: int | None = None) -> int:
    """Take a whole number, also one of NumPy's.

    Args:
        value: What was given.
        name: What the learner calls it.
        low: The smallest that is right.
        high: The largest that is right; any where it is None.

    Raises:
        LessonError: If it is no whole number, or none from `low` to `high`.
    """
    try:
        taken = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        taken = None
    if taken is None or taken < low or (high is not None and taken > high):
        limits = f"{low} or more" if high is None else f"{low} to {high}"
        raise LessonError(f"{name} must be a whole number, {limits}, got {value!r}.")
    return taken


def classifier(value: Any, name: str = "classifier") -> nn.Module:
    """Take a network that is ready to use: a classifier, or any built module.

    Args:
        value: What was given.
        name: What the learner calls it.

    Raises:
        LessonError: If it is none; it says what to do with a recipe, a class, or a template.
    """
    from torch import nn

    from helpers.config import Config

    if isinstance(value, Config):
        raise LessonError(
            f"{name} must be a classifier, got its recipe. Make one first: "
            "classifier_config.create(Classifier)."
        )
    if not isinstance(value, nn.Module):
        found = f"the class {value.__name__}" if isinstance(value, type) else _kind(value)
        raise LessonError(
            f"{name} must be a classifier, got {found}. A recipe makes one: "
            "classifier_config.create(Classifier)."
        )
    if getattr(value, "_has_built", True) is False:
        raise LessonError(
            f"{name} is a template that deeplay has not built yet: {name}.create() builds it."
        )
    return value


def dataloader(value: Any, name: str) -> DataLoader:
    """Take a dataloader of images and digits.

    Args:
        value: What was given.
        name: What the learner calls it.

    Raises:
        LessonError: If it is none; it says how to make one.
    """
    from torch.utils.data import DataLoader

    if not isinstance(value, DataLoader):
        raise LessonError(
            f"{name} must be a dataloader, got {_kind(value)}. Make one: "
            "make_dataloader(images, digits, batch_size=16)."
        )
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    shape = getattr(value, "shape", None)
    shaped = f" of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeio' else 'a'} {kind}{shaped}"
