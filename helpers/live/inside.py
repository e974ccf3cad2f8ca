"""The hidden neurons of a dense network: their weights, their strongest images, what they say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray
from torch import nn

from helpers import given
from helpers.errors import LessonError
from helpers.live.figure import script
from helpers.live.network import PIXELS, Layer, NetworkFigure, activations, dense_layers
from helpers.plotting import plot_weights
from helpers.plotting.page import picture_of

STRONGEST = 8  # images that are shown of each neuron


class Inside(NetworkFigure):
    """Look into a dense network, neuron by neuron.

    Pick a hidden neuron and see its weights and its strongest images; pick an image and see what
    each neuron says of it. Dead neurons, which say 0 of every image, are crossed out. A slider
    over the stages of training shows how the weights of the first layer grew. These weights, as
    images, stand for the figure where no script runs.

    Args:
        classifier: A trained classifier with one hidden layer or more, on any device.
        images: (N, 28, 28), from 0 to 1; the strongest are looked for among all of them.
        digits: (N,), the digit that each shows.
        stages: The name of each stage of training, first to last, and the weights of the first
            layer then, (neurons, 784); `plot_weights` takes the same. The last are those of
            `classifier`. Without stages there is no slider.

    Raises:
        LessonError: If images or digits are something else, if it is no classifier or none that is
            a dense network, or if `stages` are not weights of its first layer.
    """

    _esm = script("inside")

    images = traitlets.Bytes().tag(sync=True)
    digits = traitlets.List().tag(sync=True)
    picked = traitlets.List().tag(sync=True)
    strongest = traitlets.List().tag(sync=True)
    shares = traitlets.List().tag(sync=True)
    stages = traitlets.List().tag(sync=True)
    grown = traitlets.Bytes(b"").tag(sync=True)
    scales = traitlets.List().tag(sync=True)

    def __init__(
        self,
        classifier: nn.Module,
        images: ArrayLike,
        digits: ArrayLike,
        stages: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        layers = dense_layers(given.classifier(classifier))
        if len(layers) < 2:
            raise LessonError(
                "live.Inside shows the hidden layers of a dense network, and classifier has none "
                "that it knows: give it one of Linear layers, with ReLU, LeakyReLU, Sigmoid or "
                "Tanh between them."
            )
        some, shown = given.images_and_digits(images, digits)
        grown = _first_weights(stages, layers[0])
        scales = [float(np.abs(weights).max()) or 1.0 for weights in grown]

        hidden = activations(layers, some.astype(np.float32))[:-1]
        tops = [[_strongest(neuron) for neuron in values.T] for values in hidden]
        picked = [index for digit in range(10) for index in np.flatnonzero(shown == digit)[:2]]
        kept = sorted({*picked, *(index for layer in tops for top in layer for index in top)})
        place = {index: at for at, index in enumerate(kept)}
        super().__init__(
            classifier,
            picture_of(plot_weights, {"weights of the first hidden layer": layers[0].weights}),
            images=np.uint8(np.round(np.clip(some[kept], 0, 1) * 255)).tobytes(),
            digits=shown[kept].tolist(),
            picked=[place[index] for index in picked],
            strongest=[
                [
                    [(place[index], float(values[index, neuron])) for index in top]
                    for neuron, top in enumerate(layer)
                ]
                for values, layer in zip(hidden, tops, strict=True)
            ],
            shares=[(values != 0).mean(axis=0).tolist() for values in hidden],
            stages=list(stages or {}),
            grown=b"".join(
                np.int8(np.round(weights / scale * 127)).tobytes()
                for weights, scale in zip(grown, scales, strict=True)
            ),
            scales=scales,
        )


def _strongest(values: NDArray[np.float64]) -> list[int]:
    """The images for which a neuron's values, one an image, are highest; none where all are 0."""
    order = np.argsort(-values, kind="stable")[:STRONGEST]
    return [int(index) for index in order if values[index] != 0]


def _first_weights(stages: Mapping[str, ArrayLike] | None, last: Layer) -> list[given.Numbers]:
    """The weights of each stage, (neurons, 784), those of the network at the end."""
    if stages is None:
        return []
    given.dictionary(stages, "stages", "stage of the training to its weights")
    neurons = len(last.weights)
    taken = [
        given.weight_images(weights, f"stages[{name!r}]").reshape(-1, PIXELS)
        for name, weights in stages.items()
    ]
    for name, weights in zip(stages, taken, strict=True):
        if len(weights) != neurons:
            raise LessonError(
                f"stages[{name!r}] must hold the weights of the first layer's {neurons} neurons, "
                f"got {len(weights)}. Write network.model.blocks[0].layer.weight."
            )
    if not np.allclose(taken[-1], last.weights, atol=1e-6):
        raise LessonError(
            f"stages[{[*stages][-1]!r}], the last, must be the weights of classifier itself, and "
            "is not. Pass the classifier as it is at the end."
        )
    return taken
