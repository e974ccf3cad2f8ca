"""Test images to shift, to turn and to make noisy, and the network's answers."""

from __future__ import annotations

import numpy as np
import traitlets
from numpy.typing import ArrayLike
from torch import nn

from helpers import given
from helpers.live.figure import script
from helpers.live.network import NetworkFigure
from helpers.plotting import plot_images
from helpers.plotting.page import picture_of

MOST_IMAGES = 20


class Disturb(NetworkFigure):
    """Shift, turn and make noisy an image, and see what a classifier says of it, live.

    Below each slider stands what the classifier would say along its way, so that one sees where
    the answer flips. The images, undisturbed, stand for the figure where no script runs.

    Args:
        images: (N, 28, 28), from 0 to 1. The first twenty are there to choose from.
        digits: (N,), the digit that each shows.
        classifier: A trained classifier, on any device.

    Raises:
        LessonError: If images or digits are something else, or it is no classifier.
    """

    _esm = script("disturb")

    images = traitlets.Bytes().tag(sync=True)
    digits = traitlets.List().tag(sync=True)

    def __init__(self, images: ArrayLike, digits: ArrayLike, classifier: nn.Module) -> None:
        some, shown = given.images_and_digits(images, digits)
        some, shown = some[:MOST_IMAGES], shown[:MOST_IMAGES]
        super().__init__(
            given.classifier(classifier),
            picture_of(plot_images, some, shown, 10),
            images=np.uint8(np.round(np.clip(some, 0, 1) * 255)).tobytes(),
            digits=shown.tolist(),
        )
