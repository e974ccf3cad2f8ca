"""A canvas to draw a digit on with mouse, finger or pen, and the network's answer beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike
from PIL import Image
from torch import nn

from helpers import given
from helpers.errors import LessonError
from helpers.training import evaluating

# Side of the drawing in pixels: fine enough for a smooth line, small enough to send at each stroke.
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
    drawing = given.drawing(drawing).astype(np.float32)
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


def shrink(drawing: ArrayLike) -> np.ndarray:
    """Make an image out of a drawing as it is: neither centered nor scaled.

    Args:
        drawing: Array of shape (height, width), 0 for paper to 1 for ink.

    Returns:
        The image, float32 of shape (28, 28), values in [0, 1].

    Raises:
        LessonError: If the drawing has another shape or other values; it says which.
    """
    return np.clip(_resized(given.drawing(drawing).astype(np.float32), 28, 28), 0, 1)


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

    The classifier predicts in evaluation mode, and afterwards is as it was before.

    Args:
        classifier: A trained classifier, on any device.

    Raises:
        LessonError: If it is no classifier; it says what to do with a recipe.
    """

    _esm = Path(__file__).with_name("drawing.js")
    _css = Path(__file__).with_name("drawing.css")

    size = traitlets.Int(DRAWING_SIZE, read_only=True).tag(sync=True)
    drawing = traitlets.Bytes(b"").tag(sync=True)
    centered = traitlets.Bool(True).tag(sync=True)
    image = traitlets.Bytes(b"").tag(sync=True)
    outputs = traitlets.List(traitlets.Float()).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __init__(self, classifier: nn.Module) -> None:
        self._classifier = given.classifier(classifier)
        super().__init__()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take from the browser a drawing of the one right length, and the switch.

        Args:
            sync_data: What the browser sent. A drawing arrives as a memoryview; one of another
                length is refused before it is copied. What only Python writes is ignored.
        """
        python_writes = ("size", "image", "outputs", "message")
        taken = {name: value for name, value in sync_data.items() if name not in python_writes}
        ink, centered = taken.pop("drawing", None), taken.pop("centered", None)
        if isinstance(ink, (bytes, memoryview)) and memoryview(ink).nbytes == DRAWING_SIZE**2:
            taken["drawing"] = bytes(ink)
        elif "drawing" in sync_data:
            self.message = f"The browser sent no drawing of {DRAWING_SIZE} x {DRAWING_SIZE} bytes."
        if isinstance(centered, bool):
            taken["centered"] = centered
        super().set_state(taken)

    @traitlets.validate("drawing")
    def _right_length(self, proposal: Any) -> bytes:
        if len(proposal["value"]) not in (0, DRAWING_SIZE**2):
            raise LessonError(
                f"drawing must be {DRAWING_SIZE}² bytes, one a pixel, got {len(proposal['value'])}."
            )
        return proposal["value"]

    @traitlets.observe("drawing", "centered")
    def _read(self, change: Any) -> None:
        ink = np.frombuffer(self.drawing, np.uint8)
        if not ink.any():
            self.image, self.outputs, self.message = b"", [], ""
            return
        drawing = ink.reshape(DRAWING_SIZE, DRAWING_SIZE) / 255
        image = center_and_scale(drawing) if self.centered else shrink(drawing)
        self.image = (image * 255).astype(np.uint8).tobytes()
        try:
            self.outputs, self.message = self._predict(image), ""
        except Exception as error:  # whatever the network raises: nobody sees a kernel's log
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            self.outputs = []
            self.message = f"The network does not answer. {reason}"

    def _predict(self, image: np.ndarray) -> list[float]:
        network = self._classifier
        device = next((weights.device for weights in network.parameters()), "cpu")
        with evaluating(network):
            # A copy, because a network may write into what it gets.
            outputs = network(torch.tensor(image)[None].to(device))[0]
        return given.ten_numbers(outputs, "Its outputs").tolist()

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
