"""Figures that answer: in JupyterLab, on Colab, and on the website, where no kernel runs."""

from helpers.live.disturb import Disturb
from helpers.live.draw_digit import DrawDigit
from helpers.live.inside import Inside
from helpers.live.neuron import Neuron
from helpers.live.softmax import Softmax
from helpers.live.valley import Valley

__all__ = ["Neuron", "Softmax", "Valley", "DrawDigit", "Disturb", "Inside"]
