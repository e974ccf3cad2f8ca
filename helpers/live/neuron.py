"""A neuron whose inputs, weights and bias can be changed."""

import traitlets

from helpers.live.figure import LiveFigure, script
from helpers.plotting import plot_neuron
from helpers.plotting.page import picture_of


class Neuron(LiveFigure):
    """One neuron with three inputs: drag inputs, weights and bias, and see sum and output follow.

    Sigmoid, ReLU and tanh are there to choose as its activation. It begins with the numbers of
    `plot_neuron`, whose picture stands for it where no script runs.
    """

    _esm = script("neuron")

    inputs = traitlets.List([0.9, 0.2, 0.6], read_only=True).tag(sync=True, page=True)
    weights = traitlets.List([0.5, -1.0, 2.0], read_only=True).tag(sync=True, page=True)
    bias = traitlets.Float(-0.45, read_only=True).tag(sync=True, page=True)

    def __init__(self) -> None:
        super().__init__(picture_of(plot_neuron))
