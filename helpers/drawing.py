"""How a drawing becomes an image such as the network knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from helpers import given

# Side of the canvas in pixels: fine enough for a smooth line.
DRAWING_SIZE = 112


def _resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    # Averaging over boxes is the anti-aliasing that gave MNIST its gray pixels.
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))


def center_and_scale(drawing: ArrayLike) -> np.ndarray:
    """Make an image out of a drawing the way the authors of MNIST did.

    The ink is scaled, keeping its proportions, to fit into 20 x 20 pixels, and placed so that its
    center of mass is at the center of 28 x 28 pixels.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86 (1998), section III.A.

    Args:
        drawing: Array of shape (height, width), 0 for paper to 1 for ink.

    Returns:
        The image, float32 of shape (28, 28), values in [0, 1]; all zero for an empty drawing.

    Raises:
        LessonError: If the drawing has another shape or other values; it says which.
    """
    taken = given.drawing(drawing).astype(np.float32)
    image = np.zeros((28, 28), dtype=np.float32)
    rows, columns = np.nonzero(taken > 0.1)
    if len(rows) == 0:
        return image
    ink = taken[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = (max(1, round(20 * side / max(ink.shape))) for side in ink.shape)
    ink = _resized(ink, width, height)
    row, column = (
        (np.arange(side) * ink.sum(axis=1 - axis)).sum() / ink.sum()
        for axis, side in enumerate(ink.shape)
    )
    # In MNIST's own images it lies at pixel (14, 14), counted from 0; one far from the middle
    # must not push the digit over the edge.
    top = int(np.clip(round(14 - row), 0, 28 - height))
    left = int(np.clip(round(14 - column), 0, 28 - width))
    image[top : top + height, left : left + width] = ink
    return np.clip(image, 0, 1)


def shrink(drawing: ArrayLike) -> np.ndarray:
    """Make an image out of a drawing as it is: neither centered nor scaled.

    Args:
        drawing: Array of shape (height, width), 0 for paper to 1 for ink.

    Returns:
        The image, float32 of shape (28, 28), values in [0, 1].

    Raises:
        LessonError: If the drawing has another shape or other values; it says which.
    """
    image: np.ndarray = np.clip(_resized(given.drawing(drawing).astype(np.float32), 28, 28), 0, 1)
    return image


def example_drawing() -> np.ndarray:
    """Return the drawing of a 7, small and off the center, float32 (112, 112), in [0, 1]."""
    corners = np.array([(62, 18), (90, 16), (73, 56)], dtype=float)  # x, y
    steps = np.linspace(0, 1, 60)[:, None]
    line = np.concatenate([a + steps * (b - a) for a, b in zip(corners, corners[1:], strict=False)])
    y, x = np.mgrid[:DRAWING_SIZE, :DRAWING_SIZE]
    distance = np.sqrt((x[..., None] - line[:, 0]) ** 2 + (y[..., None] - line[:, 1]) ** 2)
    ink: np.ndarray = np.clip(4.5 - distance.min(axis=-1), 0, 1).astype(np.float32)
    return ink
