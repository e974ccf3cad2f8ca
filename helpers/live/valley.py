"""Walks down one valley, by an optimizer of one's choice."""

from collections.abc import Mapping

import traitlets
from numpy.typing import ArrayLike

from helpers import given
from helpers.given import Numbers
from helpers.live.figure import LiveFigure, script
from helpers.plotting import plot_optimizer_paths
from helpers.plotting.page import picture_of


def valley(x: Numbers, y: Numbers) -> Numbers:
    """Return the loss of lesson 5's valley: steep along y, nearly level along x."""
    loss: Numbers = 0.02 * x**2 + y**2
    return loss


class Valley(LiveFigure):
    """A walk down lesson 5's valley: choose optimizer, learning rate and momentum, drag the start.

    Args:
        paths: Name of an optimizer to its positions in this valley, (n, 2), the start first.
            `plot_optimizer_paths` draws of them the picture that stands for the figure where no
            script runs; the live walk begins where the first of them does.

    Raises:
        LessonError: If there is no path, or one has another shape.
    """

    _esm = script("valley")

    start = traitlets.List().tag(sync=True, page=True)

    def __init__(self, paths: Mapping[str, ArrayLike]) -> None:
        picture = picture_of(plot_optimizer_paths, paths, valley)
        first = given.array(next(iter(paths.values())), "paths")[0]
        super().__init__(picture, start=first.tolist())
