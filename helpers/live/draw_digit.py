"""A canvas to draw a digit on with mouse, finger, pen or keys, and the network's answer."""

from __future__ import annotations

from torch import nn

from helpers import given
from helpers.drawing import center_and_scale, example_drawing
from helpers.live.figure import script
from helpers.live.network import NetworkFigure, answers
from helpers.plotting import plot_images, plot_outputs
from helpers.plotting.page import picture_of


class DrawDigit(NetworkFigure):
    """Draw a digit and see what a classifier says, live.

    The canvas shows the image that the network gets (centered and scaled as in MNIST, or not), the
    ten outputs and, of a dense network, how strongly each hidden neuron answers. A drawing made in
    advance, and the outputs for it, stand for it where no script runs.

    Args:
        classifier: A trained classifier, on any device.

    Raises:
        LessonError: If it is no classifier; it says what to do with a recipe.
    """

    _esm = script("draw_digit")

    def __init__(self, classifier: nn.Module) -> None:
        classifier = given.classifier(classifier)
        image = center_and_scale(example_drawing())
        try:
            picture = picture_of(plot_outputs, image, answers(classifier, image[None])[0], 7)
        except Exception:  # whatever the network raises; the figure says it of the first drawing
            picture = picture_of(plot_images, image[None], ["a 7, drawn in advance"])
        super().__init__(classifier, picture)
