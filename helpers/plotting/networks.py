"""Figures of networks: what they are made of, and what they give out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Circle, FancyBboxPatch
from numpy.typing import ArrayLike

from helpers import given
from helpers.errors import LessonError, shown
from helpers.plotting import page


@page.styled
def plot_neuron() -> None:
    """Show one neuron, with numbers: weighted inputs, their sum and the bias, the activation."""
    inputs, weights, bias = (0.9, 0.2, 0.6), (0.5, -1.0, 2.0), -0.45
    products = [x * w for x, w in zip(inputs, weights, strict=True)]
    total = sum(products) + bias
    output = 1 / (1 + np.exp(-total))
    figure, axes = page.canvas(3.5)
    headings = ("inputs", "times weights", "sum + bias", "activation", "output")
    for x, heading in zip((0.5, 1.9, 3.75, 5.6, 7.05), headings, strict=True):
        page.write(axes, x, 0.3, heading, weight="bold")
    middle = 1.75
    for step, value, weight, product in zip((-1, 0, 1), inputs, weights, products, strict=True):
        y = middle + 0.9 * step
        _circle(axes, 0.5, y, f"{value}")
        _arrow(axes, (0.77, y), (3.05, middle + 0.34 * step))
        page.write(
            axes,
            1.85,
            middle + 0.645 * step,
            page.minus(f"× {weight} = {product:.2f}"),
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
        )
    _box(axes, 3.75, middle, 1.4)
    terms = [f"{product:+.2f}" for product in products]
    added = "\n".join([*terms, f"{bias:+.2f} (bias)", f"= {total:.2f}"])
    page.write(axes, 3.75, middle, page.minus(added), linespacing=1.25)
    _arrow(axes, (4.45, middle), (4.95, middle))
    _box(axes, 5.6, middle, 1.3)
    page.write(axes, 5.6, 1.31, "sigmoid", color=page.MUTED)
    sums = np.linspace(-5, 5, 101)
    axes.plot(5.6 + 0.1 * sums, 2.1 - 0.62 / (1 + np.exp(-sums)), color=page.BLUE)
    axes.plot(5.6 + 0.1 * total, 2.1 - 0.62 * output, "o", color=page.VERMILION, markersize=7)
    _arrow(axes, (6.25, middle), (6.76, middle))
    _circle(axes, 7.05, middle, f"{output:.2f}")
    last = "Training changes the weights and the bias; the rest stays as it is."
    page.write(axes, page.WIDTH / 2, 3.2, last, color=page.MUTED)
    alt = (
        f"One neuron. Its inputs {inputs} are multiplied by its weights {weights}; the products "
        f"and the bias {bias} add up to {total:.2f}; the sigmoid activation turns that into the "
        f"output {output:.2f}. {last}"
    )
    page.show(figure, alt)


@page.styled
def plot_network(layer_sizes: Sequence[int]) -> None:
    """Show a dense network: its layers, and how many weights and biases lie between them.

    Args:
        layer_sizes: Two to six counts: the inputs, the neurons of each hidden layer, the outputs.

    Raises:
        LessonError: If there are fewer or more, or one of them is not a positive whole number.
    """
    try:
        sizes = [given.whole_number(size, "") for size in layer_sizes]
    except Exception:  # whatever a foreign object raises when it is gone through
        sizes = []
    if not 2 <= len(sizes) <= 6:
        raise LessonError(
            "layer_sizes must be two to six whole numbers from 1 up, such as "
            f"[784, 32, 32, 10], got {shown(layer_sizes)}."
        )
    pairs = list(pairwise(sizes))
    figure, axes = page.canvas(4.9)
    layers = []
    kinds = ["inputs", *["neurons"] * (len(sizes) - 2), "outputs"]
    for x, size, kind in zip(
        np.linspace(0.75, page.WIDTH - 0.85, len(sizes)), sizes, kinds, strict=True
    ):
        page.write(axes, x, 0.35, f"{size:,}\n{kind}", weight="bold", linespacing=1.3)
        places = size if size <= 10 else 8
        ys = 2.35 + 0.31 * (np.arange(places) - (places - 1) / 2)
        if size > 10:
            ys = np.delete(ys, [3, 4])
            page.write(axes, x, 2.35, "⋮", fontsize=17)
        for digit, y in enumerate(ys):
            _circle(axes, x, y, radius=0.115)
            if kind == "outputs" and size == 10:
                page.write(axes, x + 0.26, y, str(digit), va="center_baseline")
        layers.append([(x, y) for y in ys])
    for (before, after), (layer, next_layer) in zip(pairs, pairwise(layers), strict=True):
        lines = LineCollection(
            [(a, b) for a in layer for b in next_layer], colors="#B9CBD8", linewidths=0.6
        )
        axes.add_collection(lines)
        between = f"{before:,} × {after:,} weights\n+ {after:,} biases"
        page.write(axes, (layer[0][0] + next_layer[0][0]) / 2, 4.17, between, linespacing=1.4)
    total = sum(before * after + after for before, after in pairs)
    page.write(axes, page.WIDTH / 2, 4.68, f"{total:,} numbers to learn", weight="bold")
    drawn = ", ".join(f"{size:,} {kind}" for size, kind in zip(sizes, kinds, strict=True))
    counted = "; ".join(
        f"{before:,} × {after:,} = {before * after:,} weights and {after:,} biases"
        for before, after in pairs
    )
    alt = (
        f"A dense network: {drawn}, each layer connected in full to the next. Between the "
        f"layers: {counted}. Together {total:,} numbers to learn."
    )
    page.show(figure, alt)


@page.styled
def plot_activations(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Show activation functions and, beside them, their slopes (by torch's autograd).

    Args:
        functions: Name to function, each from a torch tensor to a tensor of the same shape.

    Raises:
        LessonError: If there is no function, or one does not keep the shape.
    """
    import torch  # here, so that the figures of lesson 1 do not wait for it

    given.dictionary(functions, "functions", "name to function")
    figure, (left, right) = page.charts(2, 3.6)
    told = []
    for index, (name, function) in enumerate(functions.items()):
        given.function(function, f"functions[{name!r}]")
        x = torch.linspace(-6, 6, 601, requires_grad=True)
        try:
            y = function(x)
            [slope] = torch.autograd.grad(y.sum(), x)
        except (AttributeError, RuntimeError, TypeError) as error:
            reason = str(error).split("\n")[0]
            raise LessonError(
                f"functions[{name!r}] must compute a torch tensor from one, such as torch.relu, "
                f"but failed: {reason}"
            ) from None
        if y.shape != x.shape:
            raise LessonError(f"functions[{name!r}] must return a tensor as long as its input.")
        style = page.line(index) | {"label": name, "markevery": (30 + 12 * index, 90)}
        left.plot(x.detach(), y.detach(), **style)
        right.plot(x.detach(), slope, **style)
        told.append(
            f"{name} goes from {y.min():.2f} to {y.max():.2f}, its slope from "
            f"{slope.min():.2f} to {slope.max():.2f}, and is {slope[-1]:.2f} at input 6"
        )
    for axes, title in ((left, "Output of the neuron"), (right, "Slope: what training works with")):
        axes.set(title=title, xlabel="weighted sum that goes in", xticks=range(-6, 7, 2))
        axes.grid(visible=True)
    low, high = left.get_ylim()
    left.set_ylim(max(low, -2.3), min(high, 2.3))  # ReLU goes on for ever, the others stay within 1
    page.legend(figure, [left])
    alt = "Activation functions (left) and their slopes (right), for inputs from −6 to 6. "
    page.show(figure, f"{alt}{page.minus('; '.join(told))}.")


@page.styled
def plot_outputs(image: ArrayLike, outputs: ArrayLike, digit: int) -> None:
    """Show an image and the network's ten outputs for it.

    Args:
        image: (28, 28), from 0 to 1.
        outputs: (10,), the output for each digit.
        digit: The true digit, 0 to 9.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    image, outputs = given.image(image), given.ten_numbers(outputs, "outputs")
    digit = given.whole_number(digit, "digit", 0, 9)
    largest = int(outputs.argmax())
    verdict = f"The largest: {largest}, {'right' if largest == digit else 'wrong'}"
    figure = Figure(figsize=(page.WIDTH, 3.5), layout=ConstrainedLayoutEngine(wspace=0.08))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    left.imshow(image, "Greys", interpolation="nearest", vmin=0, vmax=1)
    left.set(xticks=[], yticks=[], title=f"True digit: {digit}")
    left.spines[:].set(visible=True, color="#BBBBBB")
    _ten_bars(right, f"Ten outputs. {verdict}", outputs)
    listed = ", ".join(f"{said}: {output:.2f}" for said, output in enumerate(outputs))
    alt = f"An image of the digit {digit} and the network's ten outputs for it, as bars. "
    page.show(figure, f"{alt}{page.minus(listed)}. {verdict}.")


@page.styled
def plot_softmax(numbers: ArrayLike) -> None:
    """Show ten raw outputs and, beside them, the ten probabilities that softmax makes of them.

    Args:
        numbers: (10,), any finite numbers.

    Raises:
        LessonError: If they are not ten finite numbers.
    """
    numbers = given.ten_numbers(numbers, "numbers")
    exponentials = np.exp(numbers - numbers.max())  # the same shares, and nothing overflows
    shares = exponentials / exponentials.sum()
    figure, (left, right) = page.charts(2, 3.6)
    _ten_bars(left, "Before: ten numbers of any size", numbers, decimals=1)
    _ten_bars(right, "After softmax: they sum to 1", shares)
    best = int(shares.argmax())
    alt = (
        f"Softmax turns ten numbers between {numbers.min():.1f} and {numbers.max():.1f} into ten "
        f"probabilities that sum to 1. The largest number, {numbers[best]:.1f} for digit {best}, "
        f"becomes the largest probability, {shares[best]:.2f}."
    )
    page.show(figure, page.minus(alt))


def _ten_bars(axes: Axes, title: str, numbers: np.ndarray, decimals: int = 2) -> None:
    """Ten bars, one a digit, the longest darker; from 0 to 1 if all numbers are in there."""
    colors = [page.BLUE if number == numbers.max() else page.PALE for number in numbers]
    texts = [page.minus(f"{number:.{decimals}f}") for number in numbers]
    page.bars(axes, range(10), numbers, texts, color=colors)
    low, high = min(numbers.min(), 0), max(numbers.max(), 0)
    high = 1 if low == 0 and high <= 1 else high
    axes.set(title=title, xlim=(low - 0.04 * (high - low), high + 0.2 * (high - low)))
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color="#999999", linewidth=1)


def _circle(axes: Axes, x: float, y: float, text: str = "", radius: float = 0.27) -> None:
    circle = Circle((x, y), radius, facecolor="white", edgecolor=page.BLUE, linewidth=1.5, zorder=3)
    axes.add_patch(circle)
    page.write(axes, x, y, text, va="center_baseline", zorder=4)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": "#777777", "lw": 1.3, "shrinkA": 0, "shrinkB": 2}
    axes.annotate("", end, start, arrowprops=style)


def _box(axes: Axes, x: float, y: float, width: float) -> None:
    shape: dict[str, Any] = {
        "boxstyle": "round,pad=0.1",
        "facecolor": "#EEF4F8",
        "edgecolor": page.BLUE,
    }
    corner = (x - width / 2 + 0.1, y - 0.5)
    axes.add_patch(FancyBboxPatch(corner, width - 0.2, 1, linewidth=1.5, **shape))
