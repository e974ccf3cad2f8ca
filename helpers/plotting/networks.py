"""Figures of networks: what they are made of, and what they give out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from numpy.typing import ArrayLike

from helpers import given
from helpers.errors import LessonError, shown
from helpers.plotting import page

# Ten that stand out from white (4.5 or more) and from each other, the strongest of which are a
# darkened Tableau 10; the digits that are drawn in them tell them apart too.
DIGIT_COLORS = (
    *("#1F77B4", "#B35806", "#2A7F2A", "#C62828", "#7B4EA3"),
    *("#7A4B3A", "#C0398F", "#5F5F5F", "#6E6E00", "#00798C"),
)


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
    last = "Training changes the weights and the bias; the activation stays as it is."
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
def plot_regions(
    networks: Mapping[str, Callable[..., Any]], points: ArrayLike, classes: ArrayLike
) -> None:
    """Show which of two classes each network answers at each place of a plane, and the points.

    Args:
        networks: Name to network, each from a torch tensor (n, 2) to one of outputs (n, 2).
        points: (n, 2), what the networks learned from.
        classes: (n,), the class of each point, 0 or 1.

    Raises:
        LessonError: If there is no network, one does not give two outputs, or the points or classes
            have other shapes or values.
    """
    import torch  # here, so that the figures of lesson 1 do not wait for it

    given.dictionary(networks, "networks", "name to network")
    places = given.finite(points, "points")
    if places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise LessonError(f"points must have shape (n, 2), got {places.shape}.")
    kinds = given.row(classes, "classes", len(places), "the points")
    if not np.isin(kinds, (0, 1)).all():
        raise LessonError("classes must be 0 or 1 for each point.")

    def answers(name: str, at: np.ndarray) -> np.ndarray:
        try:
            with torch.no_grad():
                outputs = np.asarray(networks[name](torch.tensor(at, dtype=torch.float32)))
        except (AttributeError, RuntimeError, TypeError) as error:
            reason = str(error).split("\n")[0]
            raise LessonError(
                f"networks[{name!r}] must compute outputs for points (n, 2), but failed: {reason}"
            ) from None
        if outputs.shape != (len(at), 2):
            raise LessonError(
                f"networks[{name!r}] must give two outputs for each point, of shape "
                f"({len(at)}, 2), got {outputs.shape}."
            )
        largest: np.ndarray = outputs.argmax(axis=1)
        return largest

    reach = 1.08 * max(float(np.abs(places).max()), 1e-6)
    grid = np.stack(np.meshgrid(*[np.linspace(-reach, reach, 241)] * 2), axis=-1)
    regions = LinearSegmentedColormap.from_list("regions", (page.PALE, "#F6DCC4"))
    height = 0.7 + page.WIDTH / max(len(networks), 2)
    figure, charts = page.charts(len(networks), height, sharex=True, sharey=True)
    told = []
    for axes, (name, network) in zip(charts, networks.items(), strict=True):
        given.function(network, f"networks[{name!r}]")
        answered = answers(name, grid.reshape(-1, 2)).reshape(grid.shape[:2])
        axes.imshow(
            answered, regions, vmin=0, vmax=1, origin="lower", extent=(-reach, reach, -reach, reach)
        )
        for kind, color, marker in ((0, page.BLUE, "o"), (1, page.VERMILION, "^")):
            axes.plot(
                *places[kinds == kind].T, marker, color=color, markersize=3, label=f"class {kind}"
            )
        right = float((answers(name, places) == kinds).mean())
        axes.set(title=f"{name}:\n{page.percent(right)} right", xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=page.RULE)
        told.append(f"{name}: {page.percent(right)} of the points right")
    page.legend(figure, charts)
    alt = (
        f"What {len(networks)} networks answer at each place of a plane, with {len(places)} points "
        "of two classes. "
    )
    page.show(figure, f"{alt}{'; '.join(told)}.")


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


@page.styled
def plot_weights(weights: Mapping[str, ArrayLike]) -> None:
    """Show the weights of a layer that sees the pixels: one image a neuron, one row a stage.

    Blue weights count ink for the neuron, vermilion ones against it, white ones not at all. All
    images have the same scale.

    Args:
        weights: Stage of the training to the weights, (n, 784) or (n, 28, 28), n up to 128.

    Raises:
        LessonError: If there is none, or one has another shape, or holds NaN or infinity.
    """
    given.dictionary(weights, "weights", "stage of the training to its weights")
    stages = {
        stage: given.weight_images(layer, f"weights[{stage!r}]") for stage, layer in weights.items()
    }
    values = np.abs(np.concatenate(list(stages.values())))
    limit = float(np.quantile(values, 0.998)) or 1.0
    columns = 8 if len(stages) == 1 else 16
    pitch, top = (page.WIDTH - 0.1) / columns, 0.1
    heights = [0.36 + -(-len(layer) // columns) * (pitch + 0.2) for layer in stages.values()]
    figure, axes = page.canvas(top + sum(heights))
    _signed_scale(axes, limit)
    told = []
    for (stage, layer), height in zip(stages.items(), heights, strict=True):
        page.write(axes, 0.1, top + 0.14, stage, ha="left", weight="bold")
        for neuron, tile in enumerate(layer):
            row, column = divmod(neuron, columns)
            x, y = 0.1 + column * pitch, top + 0.32 + row * (pitch + 0.2)
            size = pitch - 0.08
            page.draw_image(axes, tile, x, y, size, page.SIGNED, -limit, limit)
            page.write(axes, x + size / 2, y + size + 0.11, str(neuron), fontsize=9)
        top += height
        strongest = np.abs(layer).max(axis=(1, 2))
        blank = np.flatnonzero(strongest < limit / 5)
        pale = ", ".join(map(str, blank)) if len(blank) < len(layer) else "all"
        told.append(
            f"{stage}: weights from {layer.min():.2f} to {layer.max():.2f}; neurons that look "
            f"blank: {pale or 'none'}"
        )
    count = len(next(iter(stages.values())))
    alt = f"The weights of {count} neurons, each as an image of 28 × 28 pixels, on one scale. "
    page.show(figure, page.minus(f"{alt}{'. '.join(told)}."))


@page.styled
def plot_strongest_images(
    images: ArrayLike,
    digits: ArrayLike,
    activations: ArrayLike,
    neurons: Sequence[int],
    weights: ArrayLike | None = None,
) -> None:
    """Show the sixteen images that turn each of some neurons on the most, strongest first.

    Args:
        images: (N, 28, 28), from 0 to 1.
        digits: (N,), what they show.
        activations: (N, n), what each of the n neurons of a layer gives out for each image.
        neurons: Which neurons, 0 to n - 1; up to twelve.
        weights: The weights of all n, (n, 784), drawn beside, where the layer sees the pixels.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    images, digits = given.images_and_digits(images, digits)
    layer = given.array(activations, "activations").astype(float)
    if layer.ndim != 2 or len(layer) != len(images):
        raise LessonError(
            f"activations must have shape ({len(images):,}, n), a row an image and a column a "
            f"neuron, got {layer.shape}."
        )
    chosen = [
        given.whole_number(neuron, "neurons", 0, layer.shape[1] - 1)
        for neuron in given.array(neurons, "neurons").reshape(-1)
    ]
    if len(chosen) > 12:
        raise LessonError(f"neurons must be up to twelve, got {len(chosen)}. Pass some of them.")
    tiles = None
    if weights is not None:
        tiles = given.weight_images(weights, "weights")
        if len(tiles) != layer.shape[1]:
            raise LessonError(
                f"weights must be as many as the neurons, {layer.shape[1]}, got {len(tiles)}."
            )
    left = 1.1 if tiles is None else 1.75
    pitch = (page.WIDTH - left - 0.05) / 16
    size = pitch - 0.03
    figure, axes = page.canvas(0.6 + 0.56 * len(chosen))
    page.write(axes, 0.1, 0.3, "neuron", ha="left", weight="bold")
    if tiles is not None:
        limit = float(np.quantile(np.abs(tiles), 0.998)) or 1.0
        page.write(axes, 1.25, 0.3, "weights", weight="bold")
    heading = "the images that turn it on the most"
    page.write(axes, left, 0.3, heading, ha="left", weight="bold")
    told = []
    for place, neuron in enumerate(chosen):
        y = 0.55 + 0.56 * place
        column = layer[:, neuron]
        strongest = np.argsort(-column, kind="stable")[:16]
        strongest = strongest[column[strongest] > 0]
        page.write(axes, 0.1, y + 0.13, str(neuron), ha="left", fontsize=13, weight="bold")
        if tiles is not None:
            page.draw_image(axes, tiles[neuron], 1.02, y, 0.46, page.SIGNED, -limit, limit)
        if not len(strongest):
            nothing = f"0 for each of the {len(images):,} images"
            page.write(axes, left, y + 0.23, nothing, ha="left", color=page.MUTED)
            told.append(f"neuron {neuron}: 0 for all images")
            continue
        reached = f"{column[strongest[-1]]:.1f} to {column[strongest[0]]:.1f}"
        page.write(axes, 0.1, y + 0.37, reached, ha="left", fontsize=9, color=page.MUTED)
        for step, index in enumerate(strongest):
            page.draw_image(axes, images[index], left + step * pitch, y + (0.46 - size) / 2, size)
        shown = np.bincount(digits[strongest], minlength=10)
        listed = ", ".join(
            f"{shown[d]} × {d}" for d in np.argsort(-shown, kind="stable") if shown[d]
        )
        told.append(f"neuron {neuron}: {listed}")
    alt = "The images that turn each neuron on the most, as digits. "
    page.show(figure, f"{alt}{'; '.join(told)}.")


@page.styled
def plot_connections(weights: ArrayLike) -> None:
    """Show what each neuron of the last hidden layer says of each digit: its weights, as colors.

    The neurons stand in the order of the digit that they speak for the most.

    Args:
        weights: (10, n), the weights of the output layer, n up to 128.

    Raises:
        LessonError: If the shape is another, or a weight is NaN or infinite.
    """
    layer = given.finite(weights, "weights")
    if layer.ndim != 2 or len(layer) != 10 or not 1 <= layer.shape[1] <= 128:
        raise LessonError(
            f"weights must have shape (10, n), a row a digit, n up to 128, got {layer.shape}."
        )
    spoken_for = layer.argmax(axis=0)
    order = np.argsort(spoken_for, kind="stable")
    limit = float(np.abs(layer).max()) or 1.0
    figure, axes = page.canvas(3.75)
    _signed_scale(axes, limit)
    left, top, bottom = 0.62, 0.6, 3.1
    right = page.WIDTH - 0.1
    axes.imshow(
        layer[:, order],
        page.SIGNED,
        aspect="auto",
        interpolation="nearest",
        vmin=-limit,
        vmax=limit,
        extent=(left, right, bottom, top),
    )
    across, down = (right - left) / layer.shape[1], (bottom - top) / 10
    groups = spoken_for[order]
    for edge in range(layer.shape[1] + 1):
        between = 0 < edge < len(groups) and groups[edge - 1] != groups[edge]
        width = 5 if between else 1.2
        axes.plot([left + edge * across] * 2, [top, bottom], color="white", linewidth=width)
    for edge in range(11):
        axes.plot([left, right], [top + edge * down] * 2, color="white", linewidth=1.2)
    axes.add_patch(
        Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="#BBBBBB")
    )
    page.write(axes, 0.2, (top + bottom) / 2, "digit", rotation=90)
    for digit in range(10):
        page.write(axes, 0.47, top + (digit + 0.5) * down, str(digit), va="center_baseline")
    every = -(-layer.shape[1] // 32)
    for place in range(0, layer.shape[1], every):
        x = left + (place + 0.5) * across
        page.write(axes, x, bottom + 0.14, str(order[place]), fontsize=9)
    page.write(axes, (left + right) / 2, bottom + 0.42, "neuron of the last hidden layer")
    told = []
    for digit, row in enumerate(layer):
        told.append(f"{digit}: {(row > 0).sum()} for, {(row < 0).sum()} against")
    alt = (
        f"The weights between {layer.shape[1]} neurons and the ten outputs, as colors, from "
        f"{layer.min():.2f} to {layer.max():.2f}. Neurons by digit: {'; '.join(told)}."
    )
    page.show(figure, page.minus(alt))


@page.styled
def plot_followed(image: ArrayLike, layers: Sequence[ArrayLike]) -> None:
    """Show one image on its way through a network: what each neuron of each layer gives out.

    Args:
        image: (28, 28), from 0 to 1.
        layers: What each layer gives out for it, in a row of numbers each; the last are the ten
            outputs. Drawn are the last two hidden layers, and up to 32 neurons of each.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    image = given.image(image)
    if not isinstance(layers, (list, tuple)) or not layers:
        raise LessonError(
            f"layers must be a list, one row of numbers a layer, got {given.kind(layers)}."
        )
    outputs = given.ten_numbers(layers[-1], f"layers[{len(layers) - 1}]")
    hidden = {
        index: given.row(layer, f"layers[{index}]") for index, layer in enumerate(layers[:-1])
    }
    drawn = dict(list(hidden.items())[-2:])
    figure, axes = page.canvas(3.9)
    top, size = 0.95, 1.5
    page.write(axes, 0.1, 0.42, "28 × 28 pixels", ha="left", weight="bold")
    page.draw_image(axes, image, 0.1, top + 0.45, size)
    width, down = 0.43, 0.33
    left = 0.1 + size + 0.38
    told = []
    for index, layer in drawn.items():
        shown = layer[:32]
        count = f"{len(layer)} neurons" if len(layer) <= 32 else f"32 of {len(layer)}"
        title = f"hidden layer {index + 1}\n{count}, row by row"
        page.write(axes, left, 0.42, title, ha="left", weight="bold", linespacing=1.3)
        _arrow(axes, (left - 0.33, 2.2), (left - 0.08, 2.2))
        _number_grid(axes, shown, left, top, width, down)
        left += 4 * width + 0.42
        told.append(
            f"hidden layer {index + 1}: {np.count_nonzero(layer > 0)} of {len(layer)} neurons "
            f"above 0, the highest, neuron {layer.argmax()}, at {layer.max():.1f}"
        )
    page.write(axes, left, 0.42, "outputs\n10 neurons", ha="left", weight="bold", linespacing=1.3)
    _arrow(axes, (left - 0.33, 2.2), (left - 0.08, 2.2))
    best = int(outputs.argmax())
    for digit, output in enumerate(outputs):
        y = top + 8 * down * (digit + 0.5) / 10
        bold = "bold" if digit == best else "normal"
        page.write(axes, left, y, str(digit), ha="left", va="center_baseline", weight=bold)
        length = 0.75 * max(output, 0) / max(outputs.max(), 1)
        color = page.BLUE if digit == best else page.PALE
        axes.add_patch(Rectangle((left + 0.17, y - 0.08), length, 0.16, color=color))
        value = page.minus(f"{output:.2f}")
        page.write(
            axes, left + 0.22 + length, y, value, ha="left", va="center_baseline", fontsize=9.5
        )
    alt = f"An image on its way through the network. {'; '.join(told)}. " if told else ""
    page.show(figure, f"{alt}The highest of the ten outputs is {best}, {outputs[best]:.2f}.")


@page.styled
def plot_clouds(points: Mapping[str, ArrayLike], digits: ArrayLike) -> None:
    """Show images as points in two dimensions, each drawn as its digit; a panel for each cloud.

    Args:
        points: Name of the cloud to the places of the images, (N, 2).
        digits: (N,), what the images show.

    Raises:
        LessonError: If there is none, or the shapes or values are not those.
    """
    given.dictionary(points, "points", "name to the places of the images")
    digits = given.digits(digits)
    figure, panels = page.charts(
        min(len(points), 2), 4.1 * -(-len(points) // 2), -(-len(points) // 2)
    )
    told = []
    for axes, (name, cloud) in zip(panels, points.items(), strict=False):
        places = given.finite(cloud, f"points[{name!r}]")
        if places.shape != (len(digits), 2):
            raise LessonError(
                f"points[{name!r}] must have shape ({len(digits):,}, 2), got {places.shape}."
            )
        # A tenth of each digit after the other, so that none of them covers the others.
        for start, digit in np.ndindex(10, 10):
            x, y = places[digits == digit][start::10].T
            axes.scatter(
                x,
                y,
                marker=_digit_marker(digit),
                s=42,
                linewidths=0,
                color=DIGIT_COLORS[digit],
            )
        axes.set(xticks=[], yticks=[], title=name)
        axes.spines[:].set(visible=True, color=page.RULE)
        told.append(f"{name}: {_same_neighbors(places, digits):.0%}")
    for axes in panels[len(points) :]:
        axes.axis("off")
    alt = (
        f"{len(digits):,} images as points, each drawn as its digit. How many of an image's ten "
        f"nearest neighbors show the same digit: {'; '.join(told)}."
    )
    page.show(figure, alt)


def _same_neighbors(places: np.ndarray, digits: np.ndarray) -> float:
    """The share of each point's ten nearest neighbors that show the same digit, on average."""
    shares = []
    for place, digit in zip(places, digits, strict=True):
        nearest = np.argsort(((places - place) ** 2).sum(axis=1))[1:11]
        shares.append((digits[nearest] == digit).mean())
    return float(np.mean(shares))


def _digit_marker(digit: int) -> Path:
    """The outline of a digit, centered on the point."""
    outline = TextPath((0, 0), str(digit), prop=FontProperties(weight="bold"))
    x, y = (np.asarray(outline.get_extents().min) + outline.get_extents().max) / 2
    return outline.transformed(Affine2D().translate(-x, -y))


def _signed_scale(axes: Axes, limit: float) -> None:
    """Say at the top right what the colors of weights mean."""
    left, step, y = page.WIDTH - 2.6, 0.17, 0.24
    for place, share in enumerate(np.linspace(-1, 1, 11)):
        color = page.SIGNED((share + 1) / 2)
        corner = (left + place * step, y - 0.08)
        axes.add_patch(Rectangle(corner, step, 0.16, facecolor=color, edgecolor="#BBBBBB", lw=0.5))
    right = left + 11 * step
    page.write(axes, left - 0.08, y, page.minus(f"−{limit:.2g}"), ha="right")
    page.write(axes, right + 0.08, y, f"+{limit:.2g}", ha="left")
    page.write(axes, (left + right) / 2, y, "0", va="center_baseline")


def _number_grid(
    axes: Axes, numbers: np.ndarray, left: float, top: float, width: float, down: float
) -> None:
    """Write numbers into a grid of four columns, the larger the darker."""
    largest = max(float(numbers.max()), 1e-9)
    for place, number in enumerate(numbers):
        row, column = divmod(place, 4)
        share = max(float(number), 0) / largest
        x, y = left + column * width, top + row * down
        color = page.HEAT_MAP(0.5 * share)  # light enough for dark text
        axes.add_patch(Rectangle((x, y), width - 0.03, down - 0.03, facecolor=color))
        ink = page.INK if share else page.MUTED
        text = page.minus(f"{number:.1f}") if number else "0"
        page.write(axes, x + (width - 0.03) / 2, y + (down - 0.03) / 2, text, color=ink, fontsize=9)


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
