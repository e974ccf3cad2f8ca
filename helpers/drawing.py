"""A canvas to draw a digit on with mouse, finger or pen, and the network's answer beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import deeplay as dl
import numpy as np
import torch
import traitlets
from PIL import Image

from helpers.errors import LessonError

# Side of the drawing in pixels: fine enough for a smooth line, small enough to send at each stroke.
DRAWING_SIZE = 112


def _resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    # Averaging over boxes is the anti-aliasing that gave MNIST its gray pixels.
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))


def center_and_scale(drawing: np.ndarray) -> np.ndarray:
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
        LessonError: If the drawing is not a two-dimensional array.
    """
    drawing = np.asarray(drawing, dtype=np.float32)
    if drawing.ndim != 2:
        raise LessonError(f"`drawing` has shape {drawing.shape}; expected (height, width).")
    image = np.zeros((28, 28), dtype=np.float32)
    rows, columns = np.nonzero(drawing > 0.1)
    if len(rows) == 0:
        return image
    ink = drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
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


def shrink(drawing: np.ndarray) -> np.ndarray:
    """Make an image out of a drawing as it is: neither centered nor scaled.

    Args:
        drawing: Array of shape (height, width), 0 for paper to 1 for ink.

    Returns:
        The image, float32 of shape (28, 28), values in [0, 1].
    """
    return np.clip(_resized(np.asarray(drawing, dtype=np.float32), 28, 28), 0, 1)


def example_drawing() -> np.ndarray:
    """Return the drawing of a 7, small and off the center, float32 (112, 112), in [0, 1]."""
    corners = np.array([(62, 18), (90, 16), (73, 56)], dtype=float)  # x, y
    steps = np.linspace(0, 1, 60)[:, None]
    line = np.concatenate([a + steps * (b - a) for a, b in zip(corners, corners[1:], strict=False)])
    y, x = np.mgrid[:DRAWING_SIZE, :DRAWING_SIZE]
    distance = np.sqrt((x[..., None] - line[:, 0]) ** 2 + (y[..., None] - line[:, 1]) ** 2)
    return np.clip(4.5 - distance.min(axis=-1), 0, 1).astype(np.float32)


class DrawDigit(anywidget.AnyWidget):
    """Draw a digit and see what a classifier says, live.

    Args:
        classifier: A trained classifier.
    """

    _esm = Path(__file__).with_name("drawing.js")
    _css = Path(__file__).with_name("drawing.css")

    size = traitlets.Int(DRAWING_SIZE).tag(sync=True)
    # The browser's bytes arrive as a memoryview, which traitlets' Bytes refuses.
    drawing = traitlets.Bytes(b"").tag(sync=True, from_json=lambda value, widget: bytes(value))
    centered = traitlets.Bool(True).tag(sync=True)
    image = traitlets.Bytes(b"").tag(sync=True)
    outputs = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(self, classifier: dl.Classifier) -> None:
        super().__init__()
        self._classifier = classifier

    @traitlets.observe("drawing", "centered")
    def _read(self, change: Any) -> None:
        if len(self.drawing) != self.size**2:
            return
        drawing = np.frombuffer(self.drawing, np.uint8).reshape(self.size, self.size) / 255
        if not drawing.any():
            self.image, self.outputs = b"", []
            return
        image = center_and_scale(drawing) if self.centered else shrink(drawing)
        device = next(self._classifier.parameters()).device
        with torch.no_grad(), self._classifier.calling_stateful():
            outputs = self._classifier(torch.from_numpy(image)[None].to(device))[0]
        self.image = (image * 255).astype(np.uint8).tobytes()
        self.outputs = outputs.tolist()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        # Without a running kernel (a saved notebook, the website) this takes the canvas' place.
        data["text/html"] = (
            "<p><em>Here is a canvas to draw on when the notebook runs in JupyterLab or Colab. "
            "The next cell shows a drawing made earlier.</em></p>"
        )
        data["text/plain"] = "A canvas to draw a digit on."
        return bundle
