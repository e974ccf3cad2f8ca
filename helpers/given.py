"""What a learner hands to the helpers: one rule and one wording for all of them.

Each function takes what was given and the name that the learner knows it by, and returns it in the
one form that the helpers go on with, or raises a `LessonError` that says what was expected, what
was found, and what to do. Nothing that is given is ever written to.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.errors import LessonError, shown

if TYPE_CHECKING:  # torch takes seconds to import, and lesson 1's figures need none of it
    from torch import nn
    from torch.utils.data import DataLoader

Numbers: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]

# How far rounding may carry a gray value past 0 or 1.
TOLERANCE = 1e-3
KINDS = {
    "O": "objects",
    "U": "text",
    "S": "bytes",
    "T": "text",
    "c": "complex numbers",
    "V": "records",
    "M": "dates",
    "m": "times",
}


def array(values: ArrayLike, name: str) -> Numbers:
    """Take numbers, in a NumPy array, a torch tensor on any device, or (nested) lists of these.

    Args:
        values: What was given.
        name: What the learner calls it.

    Returns:
        An array of whole or floating-point numbers or of truth values, of any shape.

    Raises:
        LessonError: If they are no such numbers, of unequal shapes, or masked.
    """
    if hasattr(values, "toarray"):
        raise LessonError(
            f"{name} must be an array or a list, got {kind(values)}. Write {name}.toarray()."
        )
    if np.ma.is_masked(values):
        raise LessonError(
            f"{name} has masked values, which count as nothing here. Write {name}.filled(0)."
        )
    try:
        if isinstance(values, (list, tuple)) and any(hasattr(value, "detach") for value in values):
            values = [_from_torch(value) for value in values]
        taken = np.asarray(_from_torch(values))
    except ValueError:
        raise LessonError(f"{name} must all have the same shape, to make one array.") from None
    except Exception as error:  # whatever a foreign object raises when it is read as an array
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise LessonError(
            f"{name} must be numbers in an array or a list, got {kind(values)} that cannot be "
            f"read: {reason}"
        ) from None
    if taken.dtype.kind not in "buif":
        content = f" of {KINDS.get(taken.dtype.kind, taken.dtype)}" if taken.ndim else ""
        raise LessonError(f"{name} must be numbers, got {kind(values)}{content}.")
    return taken


def _from_torch(values: Any) -> Any:
    """Read a torch tensor, on whatever device, as NumPy does; leave the rest as it is."""
    if not hasattr(values, "detach"):
        return values
    if str(values.dtype) == "torch.bfloat16":  # which NumPy does not have
        values = values.float()
    return values.numpy(force=True)


def images(values: ArrayLike, name: str = "images") -> Numbers:
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
        hint = _reshaped(taken.shape, name)
        raise LessonError(f"{name} must have shape (N, 28, 28), got {taken.shape}.{hint}")
    if not len(taken):
        raise LessonError(f"{name} is empty: there must be at least one image.")
    _gray_values(taken, name)
    return taken


def _reshaped(shape: tuple[int, ...], name: str) -> str:
    """What to do about images of another shape, where that is plain."""
    if shape == (28, 28):
        return f" For one image, pass {name}[None]."
    if shape[1:] in ((784,), (1, 28, 28), (28, 28, 1)) or shape == (784,):
        return f" Write np.reshape({name}, (-1, 28, 28))."
    if shape[:2] == (28, 28) and len(shape) == 3:
        return f" Write np.moveaxis({name}, -1, 0)."
    if shape[1:] in ((3, 28, 28), (28, 28, 3)):
        return f" For colored images, take the mean: np.mean({name}, axis={shape.index(3, 1)})."
    return ""


def image(values: ArrayLike, name: str = "image") -> Numbers:
    """Take one image: as `images`, of shape (28, 28)."""
    taken = array(values, name)
    if taken.shape != (28, 28):
        hint = f" Write np.reshape({name}, (28, 28))." if taken.size == 784 else ""
        if taken.ndim == 3 and taken.shape[1:] == (28, 28):
            hint = f" For the first of several images, pass {name}[0]."
        raise LessonError(f"{name} must have shape (28, 28), got {taken.shape}.{hint}")
    _gray_values(taken, name)
    return taken


def drawing(values: ArrayLike, name: str = "drawing") -> Numbers:
    """Take one drawing: as `image`, of any shape (height, width)."""
    taken = array(values, name)
    if taken.ndim != 2 or not taken.size:
        raise LessonError(
            f"{name} must have shape (height, width), both 1 or more, got {taken.shape}."
        )
    _gray_values(taken, name)
    return taken


def _gray_values(taken: Numbers, name: str) -> None:
    # Two passes and no copy: there may be 60,000 images.
    low, high = taken.min(), taken.max()
    if taken.dtype.kind != "f":
        found = "truth values" if taken.dtype.kind == "b" else f"whole numbers from {low} to {high}"
        cure = f'Write np.array({name}, "float32").'
        if low < 0 or high > 255:
            cure = "Look at how they were made."
        elif high > 1:
            cure = f"Divide by 255: np.array({name}) / 255."
        raise LessonError(
            f"{name} must be floating-point numbers from 0 to 1, got {found} ({taken.dtype}). "
            f"{cure}"
        )
    if not (np.isfinite(low) and np.isfinite(high)):
        where = ""
        if taken.ndim == 3:
            broken = np.flatnonzero(~np.isfinite(taken).all(axis=(1, 2)))
            where = f", in {len(broken)} of {len(taken)} images, first in {name}[{broken[0]}]"
        raise LessonError(
            f"{name} has pixels that are NaN or infinite{where}. Look at how they were made."
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


def digits(values: ArrayLike, name: str = "digits", count: int | None = None) -> Numbers:
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
        hint = ""
        if taken.shape[1:] == (10,):
            hint = f" Write np.argmax({name}, axis=1)."
        elif taken.shape[1:] == (1,):
            hint = f" Write np.ravel({name})."
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
            f"Write np.array({name}, int)."
        )
    return taken.astype(np.int64, copy=False)


def images_and_digits(some_images: ArrayLike, some_digits: ArrayLike) -> tuple[Numbers, Numbers]:
    """Take `images` and as many `digits`, and say so where they are the wrong way round."""
    first, second = array(some_images, "images"), array(some_digits, "digits")
    if first.ndim == 1 and (second.ndim > 2 or second.shape[1:] == (784,)):
        raise LessonError("images and digits are swapped: give the images first, then the digits.")
    taken = images(first)
    return taken, digits(second, count=len(taken))


def pairs(values: Any) -> tuple[list[Any], list[Any]]:
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
            f"not {kind(values)}."
        )
    if not values:
        raise LessonError("The list of pairs (image, digit) is empty: there must be one at least.")
    return [image for image, _ in values], [digit for _, digit in values]


def ten_numbers(values: ArrayLike, name: str) -> Floats:
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
        hint = f" For the first of several images, pass {name}[0]." if taken.ndim == 2 else ""
        raise LessonError(f"{name} must be ten numbers, of shape (10,), got {taken.shape}.{hint}")
    broken = ~np.isfinite(taken)
    if broken.any():
        raise LessonError(f"{name} must be finite numbers, got {taken[broken][0]}.")
    return taken.astype(np.float64)


def whole_number(value: Any, name: str, low: int = 1, high: int | None = None) -> int:
    """Take a whole number, also one of NumPy's or torch's.

    Args:
        value: What was given.
        name: What the learner calls it.
        low: The smallest that is right.
        high: The largest that is right; any where it is None.

    Raises:
        LessonError: If it is no whole number, or none from `low` to `high`.
    """
    truth = isinstance(value, bool) or "bool" in str(getattr(value, "dtype", ""))
    try:
        taken = None if truth else operator.index(value)
    except (TypeError, RuntimeError):  # RuntimeError: a tensor without data
        taken = None
    if taken is None or taken < low or (high is not None and taken > high):
        limits = f"{low} or more" if high is None else f"{low} to {high}"
        raise LessonError(f"{name} must be a whole number, {limits}, got {_number_or_kind(value)}.")
    return taken


def row(values: ArrayLike, name: str, count: int | None = None, of: str = "") -> Floats:
    """Take one or more numbers in a row.

    Args:
        values: What was given.
        name: What the learner calls it.
        count: How many there must be; any number where it is None.
        of: What that is the count of, in words.

    Returns:
        A float64 array of shape (N,), N at least 1; NaN and infinity are let through.

    Raises:
        LessonError: If they are no numbers, not in a row, none, or not as many.
    """
    taken = array(values, name)
    if taken.ndim != 1 or not taken.size:
        raise LessonError(f"{name} must be a list of numbers, got shape {taken.shape}.")
    if count is not None and len(taken) != count:
        raise LessonError(f"{name} must be as many as {of}, {count:,}, got {len(taken):,}.")
    return taken.astype(np.float64)


def finite(values: ArrayLike, name: str) -> Floats:
    """Take numbers of any shape, without NaN and infinity.

    Args:
        values: What was given.
        name: What the learner calls it.

    Returns:
        A float64 array of the same shape.

    Raises:
        LessonError: If they are no numbers, or one of them is NaN or infinite.
    """
    taken = array(values, name).astype(np.float64)
    broken = ~np.isfinite(taken)
    if broken.any():
        raise LessonError(f"{name} must be finite numbers, got {taken[broken][0]}.")
    return taken


def weight_images(values: ArrayLike, name: str) -> Floats:
    """Take the weights of a layer that sees the pixels of an image.

    Args:
        values: What was given: (n, 784) or (n, 28, 28), n from 1 to 128.
        name: What the learner calls it.

    Returns:
        A float64 array of shape (n, 28, 28).

    Raises:
        LessonError: If the shape is another, or a weight is NaN or infinite.
    """
    taken = finite(values, name)
    if taken.shape[1:] not in ((784,), (28, 28)) or not 1 <= len(taken) <= 128:
        raise LessonError(
            f"{name} must have shape (n, 784), a row a neuron, n up to 128, got {taken.shape}."
        )
    return taken.reshape(-1, 28, 28)


def dictionary(value: Any, name: str, meaning: str) -> Mapping[Any, Any]:
    """Take a dictionary with something in it.

    Args:
        value: What was given.
        name: What the learner calls it.
        meaning: What it leads from and to, in words, such as "name to function".

    Raises:
        LessonError: If it is no dictionary, or empty.
    """
    if not isinstance(value, Mapping):
        raise LessonError(f"{name} must be a dictionary, {meaning}, got {kind(value)}.")
    if not len(value):
        raise LessonError(f"{name} is empty: there is nothing to draw.")
    return value


def entries(value: Any, name: str, keys: Iterable[str]) -> Mapping[str, Any]:
    """Take a dictionary that has these keys, and perhaps others.

    Args:
        value: What was given.
        name: What the learner calls it.
        keys: What it must have.

    Raises:
        LessonError: If it is no dictionary, or one of the keys is missing.
    """
    if not isinstance(value, Mapping):
        raise LessonError(f"{name} must be a dictionary with {list(keys)}, got {kind(value)}.")
    for key in keys:
        if key not in value:
            raise LessonError(f"{name} has no {key!r}, only {list(value)}.")
    return value


def function(value: Any, name: str) -> Callable[..., Any]:
    """Take a function, or whatever is called like one.

    Args:
        value: What was given.
        name: What the learner calls it.

    Raises:
        LessonError: If it cannot be called.
    """
    if not callable(value):
        raise LessonError(f"{name} must be a function, got {kind(value)}.")
    taken: Callable[..., Any] = value
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
        found = f"the class {value.__name__}" if isinstance(value, type) else kind(value)
        raise LessonError(
            f"{name} must be a classifier, got {found}. A recipe makes one: "
            "classifier_config.create(Classifier)."
        )
    if getattr(value, "_has_built", True) is False:
        raise LessonError(
            f"{name} is a template that deeplay has not built yet: {name}.create() builds it."
        )
    return value


def dataloader(value: Any, name: str) -> DataLoader[Any]:
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
            f"{name} must be a dataloader, got {kind(value)}. Make one: "
            "make_dataloader(images, digits, batch_size=16)."
        )
    return value


def kind(value: Any) -> str:
    """Say what a value is, for a message: "None", "a list", "a Tensor of shape (3, 28, 28)"."""
    if value is None:
        return "None"
    try:
        shape = getattr(value, "shape", None)
    except Exception:  # of whatever it is, such as a nested tensor, whose shapes are several
        shape = None
    shaped = f" of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
    called = type(value).__name__
    vowel = called[0].lower() in "aeio" or called == "ndarray"
    return f"{'an' if vowel else 'a'} {called}{shaped}"


def _number_or_kind(value: Any) -> str:
    """A single number or a text as it is, shortened where long; of anything else, its kind."""
    if isinstance(value, np.generic):
        value = value.item()
    single = isinstance(value, (str, bytes, bool, int, float, complex))
    return shown(value) if single else kind(value)
