"""Figures of images and their digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers import given
from helpers.errors import LessonError
from helpers.plotting import page

MOST_IMAGES = 120


@page.styled
def plot_images(
    images: ArrayLike,
    captions: Sequence[Any] | None = None,
    columns: int = 6,
    title: str | None = None,
) -> None:
    """Show images in a grid, each under its caption.

    Args:
        images: (N, 28, 28), from 0 (paper) to 1 (ink); at most 120 images.
        captions: One for each image, for example its digit; of one or more lines; none by default.
        columns: Images in a row.
        title: Written above the grid.

    Raises:
        LessonError: If the shapes or values are not those, or captions are too few or too many.
    """
    images = given.images(images)
    if len(images) > MOST_IMAGES:
        raise LessonError(
            f"plot_images draws up to {MOST_IMAGES} images, got {len(images):,}. "
            f"Pass a part of them, such as images[:18]."
        )
    columns = given.whole_number(columns, "columns")
    alt = f"{title or 'Handwritten digits'}: {len(images)} images in rows of {columns}"
    if captions is not None:
        if not isinstance(captions, Iterable) or getattr(captions, "ndim", 1) == 0:
            kind = given.kind(captions)
            raise LessonError(f"captions must be {len(images)}, one an image, got {kind}.")
        captions = [_caption(caption) for caption in captions]
        if len(captions) != len(images):
            raise LessonError(f"captions must be {len(images)}, one an image, got {len(captions)}.")
        listed = ", ".join(captions).replace("\n", " ")
        alt += f", with the captions {listed}"
    _image_grid(images, captions, columns, title, alt + ".")


def _caption(value: Any) -> str:
    """A caption as text; an array's or a tensor's single number as a number."""
    try:
        return str(value.item() if hasattr(value, "item") else value)
    except (ValueError, RuntimeError):
        found = given.kind(value)
        raise LessonError(f"captions must be texts or numbers, got {found} among them.") from None


@page.styled
def plot_pixels(image: ArrayLike, digit: int) -> None:
    """Show an image beside its 28 x 28 numbers, each by its first decimal.

    Args:
        image: (28, 28), from 0 to 1.
        digit: What the image shows, 0 to 9.

    Raises:
        LessonError: If the shape or values are not those.
    """
    image, digit = given.image(image), given.whole_number(digit, "digit", 0, 9)
    figure, axes = page.canvas(4.75)
    page.write(axes, 0.1, 0.25, f"What you see: a {digit}", ha="left", fontsize=11.5)
    page.draw_image(axes, image, 0.1, 0.48, 2.75)
    explained = (
        "Each number is a pixel's first\ndecimal: 0 is below 0.1, 7 is dark\n"
        "gray (0.7), 9 is ink (0.9 to 1.0)."
    )
    page.write(axes, 0.1, 3.5, explained, ha="left", va="top", linespacing=1.5)
    left, top, pitch = 3.2, 0.48, 0.15
    page.write(
        axes, left, 0.25, "What the computer sees: 28 × 28 numbers", ha="left", fontsize=11.5
    )
    page.draw_image(axes, image * 0.45, left, top, 28 * pitch)
    tenths = np.clip(np.floor(image * 10), 0, 9).astype(int)
    for (row, column), tenth in np.ndenumerate(tenths):
        x, y = left + (column + 0.5) * pitch, top + (row + 0.5) * pitch
        color = "black" if tenth else "#707070"
        page.write(axes, x, y, str(tenth), va="center_baseline", fontsize=9, color=color)
    alt = (
        f"An image of the digit {digit} beside the same image as 28 × 28 numbers, one a pixel: "
        f"0 is paper or nearly, 9 is ink. {np.count_nonzero(image)} of the 784 pixels have ink."
    )
    page.show(figure, alt)


@page.styled
def plot_digit_counts(digits: ArrayLike, title: str | None = None) -> None:
    """Show how many there are of each digit, as bars.

    Args:
        digits: (N,) whole numbers from 0 to 9.
        title: Written above; by default the number of images.

    Raises:
        LessonError: If digits are not that.
    """
    digits = given.digits(digits)
    counts = np.bincount(digits, minlength=10)
    title = title or f"How many of each digit, in {len(digits):,} images"
    figure, [axes] = page.charts(1, 3.2, title=title)
    bars = axes.bar(range(10), counts, color=page.BLUE, width=0.74)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=3)
    axes.set(xticks=range(10), yticks=[], xlabel="digit")
    axes.tick_params(axis="x", length=0)
    axes.spines["left"].set_visible(False)
    listed = ", ".join(f"{digit}: {count:,}" for digit, count in enumerate(counts))
    alt = f"{title}, as bars. {listed}. Fewest: {counts.argmin()}; most: {counts.argmax()}."
    page.show(figure, alt)


@page.styled
def plot_mean_images(mean_images: ArrayLike) -> None:
    """Show the mean image of each digit.

    Args:
        mean_images: (10, 28, 28), the mean of all images of 0, of 1, ... of 9.

    Raises:
        LessonError: If the shape is another.
    """
    mean_images = given.images(mean_images, "mean_images")
    if len(mean_images) != 10:
        raise LessonError(f"mean_images must be ten, one a digit, got {len(mean_images)}.")
    title = "The mean image of each digit"
    alt = (
        f"{title}, 0 to 9: the blurred average of all images of that digit. Dark where most people "
        f"put ink, gray where they differ."
    )
    _image_grid(mean_images, list("0123456789"), 5, title, alt)


@page.styled
def plot_batch(images: ArrayLike, digits: ArrayLike) -> None:
    """Show a batch as what it is: a stack of images, and as many digits.

    Args:
        images: (B, 28, 28), from 0 to 1.
        digits: (B,), from 0 to 9.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    images, digits = given.images_and_digits(images, digits)
    shown = min(len(images), 16)
    more = f" (the first {shown} shown)" if shown < len(images) else ""
    shapes = f"images {images.shape}, digits ({len(images)},)"
    figure, axes = page.canvas(1.95, f"A batch: {shapes}{more}")
    size, pitch = 0.58, 0.44
    for index in reversed(range(shown)):
        x, y = 0.15 + index * pitch, 0.92 - 0.016 * index
        page.draw_image(axes, images[index], x, y, size)
        free = 0.06 if index else 0  # the image in front covers the left part
        page.write(axes, x + size / 2 + free, 1.72, str(digits[index]), va="center_baseline")
    listed = ", ".join(map(str, digits[:shown]))
    alt = f"A batch, drawn as a stack, with the digit of each image below: {listed}{more}. "
    page.show(figure, f"{alt}Shapes: {shapes}.")


@page.styled
def plot_image_rows(images: Mapping[str, ArrayLike]) -> None:
    """Show rows of images under one another, such as the same images disturbed in several ways.

    Args:
        images: Label of the row to its images, (N, 28, 28) with N up to 10.

    Raises:
        LessonError: If there is no row, or one has other shapes or more images.
    """
    given.dictionary(images, "images", "label of the row to its images")
    rows = {label: given.images(row, f"images[{label!r}]") for label, row in images.items()}
    most = max(len(row) for row in rows.values())
    if most > 10:
        raise LessonError(f"images must have up to 10 images in a row, got {most}.")
    left = 1.75
    pitch = min((page.WIDTH - left) / most, 0.9)
    figure, axes = page.canvas(0.2 + len(rows) * (pitch + 0.06))
    for place, (label, row) in enumerate(rows.items()):
        top = 0.13 + place * (pitch + 0.06)
        page.write(axes, left - 0.15, top + pitch / 2, fill(label, 19), ha="right")
        for column, image in enumerate(row):
            page.draw_image(axes, image, left + column * pitch, top, pitch - 0.07)
    listed = ", ".join(f"{label} ({len(row)} images)" for label, row in rows.items())
    page.show(figure, f"Rows of images, each with its label: {listed}.")


def _image_grid(
    images: np.ndarray, captions: Sequence[str] | None, columns: int, title: str | None, alt: str
) -> None:
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    pitch = min(page.WIDTH / columns, 1.5)
    lines = max((1 + caption.count("\n") for caption in captions or ()), default=0)
    size, caption_height, top = pitch - 0.16, 0.05 + 0.22 * lines, 0.55 if title else 0.1
    row_height = size + caption_height + 0.12
    figure, axes = page.canvas(top + rows * row_height, title)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x, y = column * pitch + 0.08, top + row * row_height
        page.draw_image(axes, image, x, y + caption_height, size)
        if captions:
            page.write(axes, x + size / 2, y + caption_height / 2 - 0.005, captions[index])
    page.show(figure, alt)
