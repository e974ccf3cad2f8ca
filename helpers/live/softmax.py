"""Softmax on ten numbers that can be changed."""

import traitlets
from numpy.typing import ArrayLike

from helpers import given
from helpers.live.figure import LiveFigure, script
from helpers.plotting import plot_softmax
from helpers.plotting.page import picture_of


class Softmax(LiveFigure):
    """Ten numbers to drag, and beside each the share that softmax gives it.

    Args:
        numbers: The first ten numbers, (10,), any finite ones. `plot_softmax` draws the picture
            that stands for the figure where no script runs.

    Raises:
        LessonError: If they are not ten finite numbers.
    """

    _esm = script("softmax")

    numbers = traitlets.List().tag(sync=True, page=True)

    def __init__(self, numbers: ArrayLike) -> None:
        taken = given.ten_numbers(numbers, "numbers")
        super().__init__(picture_of(plot_softmax, taken), numbers=taken.tolist())
