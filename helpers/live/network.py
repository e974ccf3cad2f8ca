"""Live figures of a classifier: its numbers go to the browser, or its answers come from Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
import traitlets
from numpy.typing import NDArray
from torch import nn

from helpers import given
from helpers.errors import LessonError
from helpers.live.figure import LiveFigure
from helpers.plotting.page import Picture
from helpers.training import evaluating

PIXELS = 28 * 28
MOST_ASKED = 128  # images in one message from the browser

# What the browser computes too (ACTIVATIONS in shared.js), and what changes no prediction.
ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky_relu",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.Softmax: "softmax",
}
PASSED_OVER = (nn.Flatten, nn.Identity, nn.Dropout)


def answers(classifier: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a classifier's ten outputs for each image, in evaluation mode.

    Args:
        classifier: A built classifier, on any device; afterwards it is as it was before.
        images: (N, 28, 28).

    Returns:
        float32 of shape (N, 10).

    Raises:
        LessonError: If the outputs are not ten finite numbers an image.
    """
    device = next((weights.device for weights in classifier.parameters()), "cpu")
    with evaluating(classifier):
        # A copy, because a network may write into what it gets.
        outputs = classifier(torch.tensor(images).to(device))
    rows = given.array(outputs, "Its outputs")
    if rows.ndim != 2 or len(rows) != len(images):
        raise LessonError(f"Its outputs must be one row an image, got shape {rows.shape}.")
    return np.array([given.ten_numbers(row, "Its outputs") for row in rows], np.float32)


@contextmanager
def _calls_noted(classifier: nn.Module) -> Iterator[list[nn.Module]]:
    """Note which modules without parts of their own are called, in this order."""
    called: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, _, __: called.append(module))
        for module in classifier.modules()
        if not any(module.children())
    ]
    try:
        yield called
    finally:
        for hook in hooks:
            hook.remove()


class Layer(NamedTuple):
    """A dense layer: weights (outputs, inputs) and biases (outputs,), float32, and activation."""

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    activation: str


def dense_layers(classifier: nn.Module) -> list[Layer]:
    """Return the layers of a dense network, if that is all that the classifier computes.

    The layers found are computed in NumPy and compared with the classifier's own outputs, so that
    whatever else it does between them is noticed.

    Args:
        classifier: A built classifier, on any device.

    Returns:
        Its layers, first to last; none where the browser could not compute the same.
    """
    images = np.random.default_rng(0).random((8, 28, 28), dtype=np.float32)
    try:
        with _calls_noted(classifier) as called:
            expected = answers(classifier, images)
    except Exception:  # whatever it raises, the figure says when an image is to be read
        return []
    layers: list[Layer] = []
    for module in called:
        if type(module) is nn.Linear and module.bias is not None:
            weights, biases = module.weight.numpy(force=True), module.bias.numpy(force=True)
            layers.append(Layer(weights.copy(), biases.copy(), "identity"))
        elif type(module) in ACTIVATIONS and layers and layers[-1].activation == "identity":
            layers[-1] = layers[-1]._replace(activation=ACTIVATIONS[type(module)])
        elif type(module) not in PASSED_OVER:
            return []
    try:
        found = activations(layers, images)[-1]
    except (ValueError, IndexError):  # they do not fit one another, or there is none
        return []
    same = found.shape == expected.shape and np.allclose(found, expected, atol=1e-4, rtol=1e-4)
    return layers if same else []


def activations(layers: list[Layer], images: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Return what the neurons of each layer give for images of shape (N, 28, 28): (N, outputs)."""
    values: NDArray[np.float64] = images.reshape(len(images), PIXELS).astype(np.float64)
    found = []
    for weights, biases, activation in layers:
        sums = values @ weights.T.astype(np.float64) + biases
        match activation:
            case "relu":
                values = np.maximum(sums, 0)
            case "leaky_relu":
                values = np.where(sums < 0, 0.01 * sums, sums)
            case "sigmoid":
                values = 1 / (1 + np.exp(-sums))
            case "tanh":
                values = np.tanh(sums)
            case "softmax":
                powers = np.exp(sums - sums.max(axis=1, keepdims=True))
                values = powers / powers.sum(axis=1, keepdims=True)
            case _:
                values = sums
        found.append(values)
    return found


class NetworkFigure(LiveFigure):
    """A live figure of a classifier, as it is when the figure is made.

    The browser gets the weights of a dense network, and computes by itself. Of any other network it
    asks Python for the outputs, image by image.

    Args:
        classifier: A trained classifier, on any device.
        picture: As for `LiveFigure`.
        **state: As for `LiveFigure`.
    """

    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes(b"").tag(sync=True)
    asked = traitlets.Bytes(b"").tag(sync=True)
    outputs = traitlets.Bytes(b"").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __init__(self, classifier: nn.Module, picture: Picture, **state: Any) -> None:
        self._classifier = classifier
        layers = dense_layers(classifier)
        super().__init__(
            picture,
            layers=[(*layer.weights.shape[::-1], layer.activation) for layer in layers],
            weights=b"".join(part.tobytes() for layer in layers for part in layer[:2]),
            **state,
        )
        self.observe(self._read, "asked")

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take from the browser images to read, float32 of (N, 28, 28), and nothing else.

        Args:
            sync_data: What the browser sent. Images arrive as a memoryview; one of another length
                is refused before it is copied.
        """
        if "asked" not in sync_data:
            return
        asked = sync_data["asked"]
        size = memoryview(asked).nbytes if isinstance(asked, (bytes, memoryview)) else 0
        count, rest = divmod(size, 4 * PIXELS)
        if rest or not 1 <= count <= MOST_ASKED:
            self.message = f"The browser sent no images of {PIXELS} pixels, 1 to {MOST_ASKED}."
            return
        super().set_state({"asked": bytes(asked)})

    def _read(self, change: Any) -> None:
        images = np.frombuffer(self.asked, np.float32).reshape(-1, 28, 28)
        try:
            outputs, message = answers(self._classifier, given.images(images)).tobytes(), ""
        except Exception as error:  # whatever the network raises: nobody sees a kernel's log
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            outputs, message = b"", f"The network does not answer. {reason}"
        with self.hold_sync():  # both in one message
            self.outputs, self.message = outputs, message
