"""Every figure of the lessons.

Each function draws one figure, shows it with a text alternative made from the data, and returns
None. Arrays may come from numpy or torch. Nothing here touches matplotlib's global settings.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill

import matplotlib.style
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image

from helpers.errors import LessonError

# Okabe and Ito's blue, vermilion, reddish purple and black (https://jfly.uni-koeln.de/color/),
# the first two darkened so that the lines differ in grayscale too.
LINE_COLORS = ("#00588A", "#C75200", "#CC79A7", "#000000")
BLUE, VERMILION = LINE_COLORS[:2]
HEAT_MAP = matplotlib.colormaps["Blues"]  # its lightness falls evenly: also right in grayscale
INK, MUTED, RULE, PALE = "#222222", "#5C5C5C", "#DDDDDD", "#C9DCEA"

MARKERS = "os^DvPX*"
DASHES = ("-", "--", "-.", ":")
WIDTH = 7.5  # inches, as wide as the text of a notebook on a small laptop
PIXELS_PER_INCH = 96  # of CSS: text of 9 points in the figure is 9 points on the page
MOST_IMAGES = 120

# "default" first: a learner's own plt.style must not leak into the lessons' figures.
_styled = matplotlib.style.context(
    [
        "default",
        {
            "font.size": 10.5,
            "text.color": INK,
            "axes.edgecolor": "#999999",
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 11.5,
            "axes.titlepad": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "figure.titlesize": 12.5,
            "figure.titleweight": "bold",
            "grid.color": RULE,
            "legend.frameon": False,
            "legend.fontsize": 10.5,
            "legend.handlelength": 2.8,
            "lines.linewidth": 1.8,
            "lines.markersize": 5.5,
            "xtick.color": "#999999",
            "ytick.color": "#999999",
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "figure.constrained_layout.h_pad": 0.08,
            "figure.constrained_layout.w_pad": 0.08,
        },
    ]
)


# ---------------------------------------------------------------- showing a figure


class _Picture:
    """A finished figure: an HTML image where HTML is shown, its alternative text elsewhere.

    JupyterLab shows no alternative text for an image/png output; an HTML image carries it in
    JupyterLab (trusted or not), on Colab and on a website.
    """

    def __init__(self, png: bytes, width: int, alt: str) -> None:
        self.png, self.width, self.alt = png, width, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        return (
            f'<img alt="{html.escape(self.alt)}" width="{self.width}" '
            f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}">'
        )


def _show(figure: Figure, alt: str) -> None:
    """Show the figure with its alternative text, at two pixels for each pixel of the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=2 * PIXELS_PER_INCH, facecolor="white")
    # 256 colors halve the size of the notebook and look the same.
    picture = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, format="PNG", optimize=True)
    display(_Picture(small.getvalue(), round(figure.get_figwidth() * PIXELS_PER_INCH), alt))


# ---------------------------------------------------------------- what the functions are given


def _array(name: str, values: ArrayLike) -> np.ndarray:
    if hasattr(values, "detach"):  # a torch tensor, perhaps on another device
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
    except ValueError:
        raise LessonError(f"{name} must all have the same shape, to make one array.") from None
    if array.dtype.kind not in "buif":
        raise LessonError(f"{name} must be numbers, got {type(values).__name__}.")
    return array


def _images(images: ArrayLike, name: str = "images") -> np.ndarray:
    images = _array(name, images)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        hint = f" For one image, pass {name}[None]." if images.shape == (28, 28) else ""
        raise LessonError(f"{name} must have shape (N, 28, 28), got {images.shape}.{hint}")
    if not len(images):
        raise LessonError(f"{name} is empty: there is no image to draw.")
    broken = np.flatnonzero(np.isnan(images).any(axis=(1, 2)))
    if len(broken):
        raise LessonError(
            f"{name} has pixels that are not a number (NaN), in {len(broken)} of {len(images)} "
            f"images, first in {name}[{broken[0]}]. Look at how they were made."
        )
    if images.dtype.kind in "ui" and images.max() > 1:
        raise LessonError(
            f"{name} must go from 0 to 1, got whole numbers up to {images.max()}. Divide by 255."
        )
    return images


def _image(image: ArrayLike) -> np.ndarray:
    image = _array("image", image)
    if image.shape != (28, 28):
        raise LessonError(f"image must have shape (28, 28), got {image.shape}.")
    return _images(image[None], "image")[0]


def _digits(digits: ArrayLike, name: str = "digits", count: int | None = None) -> np.ndarray:
    digits = _array(name, digits)
    if digits.ndim != 1:
        raise LessonError(f"{name} must have shape (N,), got {digits.shape}.")
    if not len(digits):
        raise LessonError(f"{name} is empty: there is nothing to draw.")
    if count is not None and len(digits) != count:
        raise LessonError(f"{name} must be as many as the images, {count:,}, got {len(digits):,}.")
    wrong = ~np.isin(digits, range(10))
    if wrong.any():
        raise LessonError(f"{name} must be whole numbers from 0 to 9, got {digits[wrong][0]}.")
    return digits.astype(int)


def _ten_numbers(name: str, numbers: ArrayLike) -> np.ndarray:
    numbers = _array(name, numbers)
    if numbers.shape != (10,):
        raise LessonError(f"{name} must be ten numbers, of shape (10,), got {numbers.shape}.")
    if not np.isfinite(numbers).all():
        raise LessonError(
            f"{name} must be finite numbers, got {numbers[~np.isfinite(numbers)][0]}."
        )
    return numbers.astype(float)


def _confusion_matrix(confusion_matrix: ArrayLike) -> np.ndarray:
    matrix = _array("confusion_matrix", confusion_matrix)
    if matrix.shape != (10, 10):
        raise LessonError(f"confusion_matrix must have shape (10, 10), got {matrix.shape}.")
    wrong = ~((matrix >= 0) & (matrix == np.floor(matrix)) & np.isfinite(matrix))
    if wrong.any():
        raise LessonError(
            f"confusion_matrix must hold counts (0, 1, 2, ...), got {matrix[wrong][0]:.4g}."
        )
    return matrix.astype(int)


def _history(history: Mapping, name: str = "history") -> Mapping:
    for key in ("epoch", "train_loss", "train_accuracy"):
        if key not in history or not len(history[key]):
            raise LessonError(
                f"{name} has no {key!r}. Pass trainer.history, after trainer.fit(...)."
            )
    return history


def _keys(name: str, given: Mapping, keys: Sequence[str]) -> None:
    for key in keys:
        if key not in given:
            raise LessonError(f"{name} has no {key!r}, only {list(given)}.")


def _something(name: str, given: Mapping | Sequence) -> None:
    if not len(given):
        raise LessonError(f"{name} is empty: there is nothing to draw.")


# ---------------------------------------------------------------- drawing


def _percent(share: float) -> str:
    """A share in whole percent; 0% and 100% only where nothing is rounded away."""
    if np.isnan(share):
        return "–"
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _tick(share: float, _: int) -> str:
    return f"{100 * share:.3g}%"


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _line(index: int) -> dict[str, str]:
    """Color, marker and dashes of the line number `index`: any one of them tells it apart."""
    return {
        "color": LINE_COLORS[index % len(LINE_COLORS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
    }


def _canvas(height: float) -> tuple[Figure, Axes]:
    """An empty sheet that is drawn on in inches, x to the right and y downward."""
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def _charts(
    columns: int, height: float, rows: int = 1, sharex: bool = False, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    charts = figure.subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False)
    return figure, list(charts.ravel())


def _title(axes: Axes, title: str) -> None:
    axes.text(0.15, 0.32, title, fontsize=12.5, weight="bold", va="center")


def _draw_image(axes: Axes, image: np.ndarray, x: float, y: float, size: float) -> None:
    """Draw an image as ink on paper, its upper left corner at (x, y), framed."""
    extent = (x, x + size, y + size, y)
    axes.imshow(
        image, cmap="Greys", vmin=0, vmax=1, extent=extent, aspect="auto", interpolation="nearest"
    )
    axes.add_patch(Rectangle((x, y), size, size, fill=False, edgecolor="#BBBBBB", linewidth=0.8))


def _image_grid(
    images: np.ndarray, captions: Sequence[str] | None, columns: int, title: str | None, alt: str
) -> None:
    columns = min(columns, len(images))
    pitch = min(WIDTH / columns, 1.5)
    size, caption_height = pitch - 0.16, 0.27 if captions else 0.05
    rows = -(-len(images) // columns)
    top = 0.58 if title else 0.1
    figure, axes = _canvas(top + rows * (size + caption_height + 0.12))
    _title(axes, title or "")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x, y = column * pitch + 0.08, top + row * (size + caption_height + 0.12)
        if captions:
            axes.text(x + size / 2, y + 0.12, captions[index], ha="center", va="center")
        _draw_image(axes, image, x, y + caption_height, size)
    _show(figure, alt)


def _ten_bars(axes: Axes, numbers: np.ndarray, decimals: int = 2) -> None:
    """Ten horizontal bars, one a digit; the longest is filled darker."""
    best = int(np.argmax(numbers))
    colors = [BLUE if digit == best else PALE for digit in range(10)]
    axes.barh(range(10), numbers, color=colors, height=0.72)
    low, high = min(numbers.min(), 0), max(numbers.max(), 0)
    if low == 0 and high <= 1:
        high = 1  # so that a bar of 0.1 looks small
    span = high - low or 1
    for digit, number in enumerate(numbers):
        axes.text(
            max(number, 0) + 0.02 * span,
            digit,
            _minus(f"{number:.{decimals}f}"),
            va="center",
            weight="bold" if digit == best else "normal",
        )
    axes.axvline(0, color="#999999", linewidth=1)
    axes.set(xlim=(low - 0.04 * span, high + 0.24 * span), ylim=(9.6, -0.6), yticks=range(10))
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def _legend(figure: Figure, axes: Axes, columns: int = 4) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=min(len(labels), columns))


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    return np.convolve(values, np.ones(window) / window, mode="valid")


# ---------------------------------------------------------------- lesson 1: data


@_styled
def plot_images(
    images: ArrayLike,
    captions: Sequence | None = None,
    columns: int = 6,
    title: str | None = None,
) -> None:
    """Show images in a grid, each under its caption.

    Args:
        images: (N, 28, 28), from 0 (paper) to 1 (ink); at most 120 images.
        captions: One for each image, for example its digit; none by default.
        columns: Images in a row.
        title: Written above the grid.

    Raises:
        LessonError: If the shapes or values are not those, or captions are too few or too many.
    """
    images = _images(images)
    if len(images) > MOST_IMAGES:
        raise LessonError(
            f"plot_images draws up to {MOST_IMAGES} images, got {len(images):,}. "
            f"Pass a part of them, such as images[:18]."
        )
    if columns < 1:
        raise LessonError(f"columns must be 1 or more, got {columns}.")
    alt = f"{title or 'Handwritten digits'}: {len(images)} images in rows of {columns}"
    if captions is not None:
        captions = [str(c.item() if hasattr(c, "item") else c) for c in captions]
        if len(captions) != len(images):
            raise LessonError(f"captions must be {len(images)}, one an image, got {len(captions)}.")
        alt += f", with the captions {', '.join(captions)}"
    _image_grid(images, captions, columns, title, alt + ".")


@_styled
def plot_pixels(image: ArrayLike, digit: int) -> None:
    """Show an image beside its 28 x 28 numbers, each by its first decimal.

    Args:
        image: (28, 28), from 0 to 1.
        digit: What the image shows, 0 to 9.

    Raises:
        LessonError: If the shape or values are not those.
    """
    image = _image(image)
    [digit] = _digits([digit], "digit")
    tenths = np.clip(np.floor(image * 10), 0, 9).astype(int)
    figure, axes = _canvas(4.75)
    axes.text(0.1, 0.25, f"What you see: a {digit}", fontsize=11.5, va="center")
    _draw_image(axes, image, 0.1, 0.48, 2.75)
    axes.text(3.2, 0.25, "What the computer sees: 28 × 28 numbers", fontsize=11.5, va="center")
    _draw_image(axes, image * 0.45, 3.2, 0.48, 4.2)
    pitch = 4.2 / 28
    for (row, column), tenth in np.ndenumerate(tenths):
        axes.text(
            3.2 + (column + 0.5) * pitch,
            0.48 + (row + 0.5) * pitch,
            str(tenth),
            fontsize=9,
            ha="center",
            va="center_baseline",
            color="black" if tenth else "#707070",
        )
    axes.text(
        0.1,
        3.5,
        "Each number is a pixel's first\ndecimal: 0 is paper (0.0), 7 is dark\n"
        "gray (0.7), 9 is ink (0.9 to 1.0).",
        va="top",
        linespacing=1.5,
    )
    ink = np.count_nonzero(image)
    _show(
        figure,
        f"An image of the digit {digit} beside the same image as 28 × 28 numbers, one "
        f"a pixel: 0 is paper, 9 is ink. {ink} of the 784 pixels have ink.",
    )


@_styled
def plot_digit_counts(digits: ArrayLike, title: str | None = None) -> None:
    """Show how many there are of each digit, as bars.

    Args:
        digits: (N,) whole numbers from 0 to 9.
        title: Written above; by default the number of images.

    Raises:
        LessonError: If digits are not that.
    """
    digits = _digits(digits)
    counts = np.bincount(digits, minlength=10)
    figure, [axes] = _charts(1, 3.2)
    axes.set_title(
        title or f"How many of each digit, in {len(digits):,} images", weight="bold", fontsize=12.5
    )
    axes.bar(range(10), counts, color=BLUE, width=0.74)
    for digit, count in enumerate(counts):
        axes.annotate(f"{count:,}", (digit, count), (0, 4), textcoords="offset points", ha="center")
    axes.set(xticks=range(10), yticks=[], xlabel="digit", ylim=(0, max(counts.max(), 1) * 1.1))
    axes.tick_params(axis="x", length=0)
    axes.spines["left"].set_visible(False)
    listed = ", ".join(f"{digit}: {count:,}" for digit, count in enumerate(counts))
    _show(
        figure,
        f"{title or 'How many of each digit'}: bars for {len(digits):,} images. {listed}. "
        f"Fewest: {counts.argmin()}; most: {counts.argmax()}.",
    )


@_styled
def plot_mean_images(mean_images: ArrayLike) -> None:
    """Show the mean image of each digit.

    Args:
        mean_images: (10, 28, 28), the mean of all images of 0, of 1, ... of 9.

    Raises:
        LessonError: If the shape is another.
    """
    mean_images = _images(mean_images, "mean_images")
    if len(mean_images) != 10:
        raise LessonError(f"mean_images must be ten, one a digit, got {len(mean_images)}.")
    _image_grid(
        mean_images,
        [str(digit) for digit in range(10)],
        5,
        "The mean image of each digit",
        "The mean image of each digit, 0 to 9: the blurred average of all images of that "
        "digit. Dark where most people put ink, gray where they differ.",
    )


# ---------------------------------------------------------------- lessons 2 and 3: networks


def _circle(axes: Axes, x: float, y: float, text: str = "", radius: float = 0.27) -> None:
    axes.add_patch(
        Circle((x, y), radius, facecolor="white", edgecolor=BLUE, linewidth=1.5, zorder=3)
    )
    axes.text(x, y, text, ha="center", va="center_baseline", zorder=4)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "",
        end,
        start,
        arrowprops={"arrowstyle": "-|>", "color": "#777777", "lw": 1.3, "shrinkA": 0, "shrinkB": 2},
    )


@_styled
def plot_neuron() -> None:
    """Show one neuron, with numbers: weighted inputs, their sum and the bias, the activation."""
    inputs, weights, bias = (0.9, 0.2, 0.6), (0.5, -1.0, 2.0), -0.45
    products = [x * w for x, w in zip(inputs, weights, strict=True)]
    total = sum(products) + bias
    output = 1 / (1 + np.exp(-total))
    figure, axes = _canvas(3.5)
    heights = (0.85, 1.75, 2.65)
    for x, y, text in (
        (0.5, 0.3, "inputs"),
        (1.9, 0.3, "times weights"),
        (3.75, 0.3, "sum + bias"),
        (5.6, 0.3, "activation"),
        (7.05, 0.3, "output"),
    ):
        axes.text(x, y, text, ha="center", va="center", weight="bold")
    for y, value, weight, product in zip(heights, inputs, weights, products, strict=True):
        _circle(axes, 0.5, y, f"{value}")
        _arrow(axes, (0.77, y), (3.05, 1.75 + (y - 1.75) * 0.38))
        axes.text(
            1.8,
            y + (1.75 - y) * 0.27,
            _minus(f"× {weight} = {product:.2f}"),
            ha="center",
            va="center",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
        )
    for x, width in ((3.75, 1.4), (5.6, 1.3)):
        axes.add_patch(
            FancyBboxPatch(
                (x - width / 2 + 0.1, 1.25),
                width - 0.2,
                1.0,
                linewidth=1.5,
                boxstyle="round,pad=0.1",
                facecolor="#EEF4F8",
                edgecolor=BLUE,
            )
        )
    lines = [f"{product:+.2f}" for product in products]
    sums = [*lines, f"{bias:+.2f}  (bias)", f"= {total:.2f}"]
    axes.text(3.75, 1.75, _minus("\n".join(sums)), ha="center", va="center", linespacing=1.25)
    _arrow(axes, (4.45, 1.75), (4.95, 1.75))
    x = np.linspace(-5, 5, 101)
    axes.plot(5.6 + x * 0.1, 2.1 - 0.62 / (1 + np.exp(-x)), color=BLUE)
    axes.plot(5.6 + total * 0.1, 2.1 - 0.62 * output, "o", color=VERMILION, markersize=7)
    axes.text(5.6, 1.3, "sigmoid", ha="center", va="center", color=MUTED)
    _arrow(axes, (6.25, 1.75), (6.76, 1.75))
    _circle(axes, 7.05, 1.75, f"{output:.2f}")
    axes.text(
        3.75,
        3.2,
        "Training changes the weights and the bias; the rest stays as it is.",
        ha="center",
        va="center",
        color=MUTED,
    )
    _show(
        figure,
        f"One neuron. Three inputs, {inputs[0]}, {inputs[1]} and {inputs[2]}, are each "
        f"multiplied by a weight ({weights[0]}, {weights[1]}, {weights[2]}); the products and a "
        f"bias of {bias} add up to {total:.2f}; the sigmoid activation turns that into the "
        f"output {output:.2f}. Training changes the weights and the bias.",
    )


@_styled
def plot_network(layer_sizes: Sequence[int]) -> None:
    """Show a dense network: its layers, and how many weights and biases lie between them.

    Args:
        layer_sizes: Two to six counts: the inputs, the neurons of each hidden layer, the outputs.

    Raises:
        LessonError: If there are fewer or more, or one of them is not a positive whole number.
    """
    sizes = list(layer_sizes)
    if not 2 <= len(sizes) <= 6 or any(int(size) != size or size < 1 for size in sizes):
        raise LessonError(
            f"layer_sizes must be two to six whole numbers from 1 up, such as "
            f"[784, 32, 32, 10], got {layer_sizes}."
        )
    weights = [before * after for before, after in zip(sizes, sizes[1:], strict=False)]
    total = sum(weights) + sum(sizes[1:])
    figure, axes = _canvas(4.9)
    positions = np.linspace(0.75, WIDTH - 0.85, len(sizes))
    layers = []
    for index, (x, size) in enumerate(zip(positions, sizes, strict=True)):
        count = size if size <= 10 else 8
        ys = 2.35 + 0.31 * (np.arange(count) - (count - 1) / 2)
        if size > 10:
            ys = np.delete(ys, [3, 4])
            axes.text(x, 2.35, "⋮", ha="center", va="center", fontsize=17, zorder=4)
        layers.append((x, ys))
        for number, y in enumerate(ys):
            last = index == len(sizes) - 1 and size == 10
            _circle(axes, x, y, radius=0.115)
            if last:
                axes.text(x + 0.24, y, str(number), va="center_baseline")
        kind = "inputs" if index == 0 else "outputs" if index == len(sizes) - 1 else "neurons"
        axes.text(
            x,
            0.35,
            f"{size:,}\n{kind if size > 1 else kind[:-1]}",
            ha="center",
            va="center",
            weight="bold",
            linespacing=1.3,
        )
    for (x, ys), (next_x, next_ys), before, after in zip(
        layers, layers[1:], sizes, sizes[1:], strict=False
    ):
        lines = [((x, y), (next_x, next_y)) for y in ys for next_y in next_ys]
        axes.add_collection(LineCollection(lines, colors="#B9CBD8", linewidths=0.6, zorder=1))
        axes.text(
            (x + next_x) / 2,
            4.17,
            f"{before:,} × {after:,} weights\n+ {after:,} biases",
            ha="center",
            va="center",
            linespacing=1.4,
            fontsize=10,
        )
    axes.text(
        WIDTH / 2, 4.68, f"{total:,} numbers to learn", ha="center", va="center", weight="bold"
    )
    hidden = ", ".join(f"{size:,} neurons" for size in sizes[1:-1]) or "no hidden neurons"
    counted = "; ".join(
        f"{before:,} × {after:,} = {count:,} weights and {after:,} biases"
        for before, after, count in zip(sizes, sizes[1:], weights, strict=False)
    )
    _show(
        figure,
        f"A dense network with {sizes[0]:,} inputs, {hidden} and {sizes[-1]:,} outputs; "
        f"each layer is connected in full to the next. Between the layers: {counted}. "
        f"Together {total:,} numbers to learn.",
    )


@_styled
def plot_activations(functions: Mapping[str, Callable]) -> None:
    """Show activation functions and, beside them, their slopes (by torch's autograd).

    Args:
        functions: Name to function, each from a torch tensor to a tensor of the same shape.

    Raises:
        LessonError: If there is no function, or one does not keep the shape.
    """
    import torch  # here, so that the figures of lesson 1 do not wait for it

    _something("functions", functions)
    figure, (left, right) = _charts(2, 3.6)
    described = []
    for index, (name, function) in enumerate(functions.items()):
        x = torch.linspace(-6, 6, 601, requires_grad=True)
        y = function(x)
        if getattr(y, "shape", None) != x.shape:
            raise LessonError(f"functions[{name!r}] must return a tensor as long as its input.")
        [slope] = torch.autograd.grad(y.sum(), x)
        style = _line(index) | {"label": name, "markevery": (30 + 12 * index, 90)}
        left.plot(x.detach(), y.detach(), **style)
        right.plot(x.detach(), slope, **style)
        described.append(
            f"{name} goes from {y.min():.2f} to {y.max():.2f}, its slope from "
            f"{slope.min():.2f} to {slope.max():.2f}, and is {slope[-1]:.2f} at input 6"
        )
    for axes, title in ((left, "Output of the neuron"), (right, "Slope: what training works with")):
        axes.axhline(0, color="#999999", linewidth=1, zorder=0)
        axes.grid(visible=True)
        axes.set(title=title, xlabel="weighted sum that goes in", xticks=range(-6, 7, 2))
    low, high = left.get_ylim()
    left.set_ylim(max(low, -2.3), min(high, 2.3))  # ReLU goes on for ever, the others stay within 1
    _legend(figure, left)
    _show(
        figure,
        f"Activation functions (left) and their slopes (right), for inputs from −6 to 6. "
        f"{'; '.join(described)}.",
    )


@_styled
def plot_outputs(image: ArrayLike, outputs: ArrayLike, digit: int) -> None:
    """Show an image and the network's ten outputs for it.

    Args:
        image: (28, 28), from 0 to 1.
        outputs: (10,), the output for each digit.
        digit: The true digit, 0 to 9.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    image, outputs = _image(image), _ten_numbers("outputs", outputs)
    [digit] = _digits([digit], "digit")
    said = int(outputs.argmax())
    verdict = "right" if said == digit else "wrong"
    figure = Figure(figsize=(WIDTH, 3.5), layout="constrained")
    figure.get_layout_engine().set(wspace=0.08)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    left.imshow(image, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    left.set(xticks=[], yticks=[], title=f"True digit: {digit}")
    left.spines[:].set(visible=True, color="#BBBBBB")
    _ten_bars(right, outputs)
    right.set_title(f"Ten outputs. The largest: {said}, {verdict}")
    listed = ", ".join(f"{d}: {value:.2f}" for d, value in enumerate(outputs))
    _show(
        figure,
        f"An image of the digit {digit} and the network's ten outputs for it as bars. "
        f"{listed}. The largest is {said}: {verdict}.",
    )


@_styled
def plot_softmax(numbers: ArrayLike) -> None:
    """Show ten raw outputs and, beside them, the ten probabilities that softmax makes of them.

    Args:
        numbers: (10,), any finite numbers.

    Raises:
        LessonError: If they are not ten finite numbers.
    """
    numbers = _ten_numbers("numbers", numbers)
    exponentials = np.exp(numbers - numbers.max())  # the same shares, and nothing overflows
    shares = exponentials / exponentials.sum()
    figure, (left, right) = _charts(2, 3.6)
    _ten_bars(left, numbers, decimals=1)
    _ten_bars(right, shares)
    left.set_title("Before: ten numbers of any size")
    right.set_title("After softmax: they sum to 1")
    best = int(shares.argmax())
    _show(
        figure,
        f"Softmax turns ten numbers between {numbers.min():.1f} and {numbers.max():.1f} "
        f"into ten probabilities that sum to 1. The largest number, {numbers[best]:.1f} for digit "
        f"{best}, becomes the largest probability, {shares[best]:.2f}.",
    )


@_styled
def plot_history(history: Mapping[str, Sequence[float]]) -> None:
    """Show loss and accuracy after each epoch; for a single epoch, the loss along its steps.

    Args:
        history: `trainer.history`, with "epoch", "train_loss", "train_accuracy", where measured
            "validation_loss" and "validation_accuracy", and "step_losses" for a single epoch.

    Raises:
        LessonError: If the history is empty.
    """
    history = _history(history)
    epochs = list(history["epoch"])
    if len(epochs) == 1 and len(history.get("step_losses", ())):
        _plot_one_epoch(np.asarray(history["step_losses"], float))
        return
    figure, charts = _charts(2, 3.4)
    told = []
    for axes, measure in zip(charts, ("loss", "accuracy"), strict=True):
        for index, part in enumerate(("train", "validation")):
            values = history.get(f"{part}_{measure}", ())
            if len(values):
                name = {"train": "training images", "validation": "validation images"}[part]
                style = _line(index) | {"linestyle": "--" if part == "train" else "-"}
                axes.plot(epochs, values, label=name, **style)
                told.append(f"{measure} on {name} from {values[0]:.3f} to {values[-1]:.3f}")
        axes.set(title=measure.capitalize(), xlabel="epoch")
        axes.grid(visible=True, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    charts[1].yaxis.set_major_formatter(_tick)
    _legend(figure, charts[0])
    _show(figure, f"Training over {len(epochs)} epochs, loss and accuracy: {'; '.join(told)}.")


def _plot_one_epoch(losses: np.ndarray) -> None:
    window = max(1, len(losses) // 60)
    means = _running_mean(losses, window)
    figure, [axes] = _charts(1, 3.1)
    axes.plot(np.arange(len(means)) + window, means, color=BLUE)
    axes.set(
        title=f"Loss along the epoch: mean of the last {window:,} steps",
        xlabel="step",
        ylabel="loss",
        xlim=(0, len(losses)),
        ylim=(0, 1.08 * means.max()),
    )
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, axis="y")
    _show(
        figure,
        f"Loss along {len(losses):,} steps of one epoch, as the mean of the last "
        f"{window:,} steps: from {means[0]:.3f} at the beginning to {means[-1]:.3f} at the end.",
    )


@_styled
def plot_confusion_matrix(confusion_matrix: ArrayLike, title: str | None = None) -> None:
    """Show a confusion matrix: rows are the true digits, columns the predicted digits.

    Each cell has its count; the diagonal also the recall, the share of that digit's images that
    were read right ("–" where the digit never occurs). The color is the share of the row.

    Args:
        confusion_matrix: (10, 10) counts, true digit by predicted digit.
        title: Written above; by default the share of right answers.

    Raises:
        LessonError: If the shape is another, or the numbers are no counts.
    """
    matrix = _confusion_matrix(confusion_matrix)
    images, right = matrix.sum(), np.trace(matrix)
    rows = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, rows, out=np.full((10, 10), np.nan), where=rows > 0)
    accuracy = right / images if images else np.nan
    title = title or f"{right:,} of {images:,} images read right: {_percent(accuracy)}"
    figure, [axes] = _charts(1, 6.6)
    # Below 1: small shares, which are the interesting ones, get colors of their own.
    norm = PowerNorm(0.4, vmin=0, vmax=1)
    picture = axes.imshow(np.nan_to_num(shares), cmap=HEAT_MAP, norm=norm, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        dark = norm(np.nan_to_num(shares[row, column])) > 0.62
        text, weight = f"{count:,}", "normal"
        if row == column:
            text, weight = f"{text}\n{_percent(shares[row, column])}", "bold"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            weight=weight,
            linespacing=1.3,
            color="white" if dark else "#707070" if not count else "black",
        )
    axes.set(xticks=range(10), yticks=range(10), xlabel="predicted digit", ylabel="true digit")
    axes.xaxis.labelpad = axes.yaxis.labelpad = 7
    axes.set_title(title, weight="bold", fontsize=12.5, pad=12)
    axes.xaxis.set(ticks_position="top", label_position="top")
    axes.tick_params(length=0, labelsize=11.5)
    axes.set_xticks(np.arange(9) + 0.5, minor=True)
    axes.set_yticks(np.arange(9) + 0.5, minor=True)
    axes.grid(visible=True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(
        picture,
        ax=axes,
        aspect=40,
        pad=0.02,
        ticks=[0, 0.01, 0.05, 0.1, 0.25, 0.5, 1],
        format=_tick,
    )
    bar.set_label("share of the true digit's images (its row)")
    bar.outline.set_visible(False)
    pairs = _confused_pairs(matrix, 1)
    worst = f" Most confused: {_read_as(*pairs[0])} times." if pairs else " No mistakes."
    _show(
        figure,
        f"Confusion matrix of {images:,} images ({title}): rows are the true digit, columns "
        f"the predicted digit. {right:,} on the diagonal ({_percent(accuracy)}).{worst}",
    )


# ---------------------------------------------------------------- lessons 4 and 5: training


@_styled
def plot_batch(images: ArrayLike, digits: ArrayLike) -> None:
    """Show a batch as what it is: a stack of images, and as many digits.

    Args:
        images: (B, 28, 28), from 0 to 1.
        digits: (B,), from 0 to 9.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    images = _images(images)
    digits = _digits(digits, count=len(images))
    shown = min(len(images), 16)
    figure, axes = _canvas(1.95)
    more = f" (the first {shown} shown)" if shown < len(images) else ""
    _title(axes, f"A batch: images {images.shape}, digits ({len(images)},){more}")
    size, pitch = 0.58, 0.44
    for index in reversed(range(shown)):
        x, y = 0.15 + index * pitch, 0.92 - 0.016 * index
        _draw_image(axes, images[index], x, y, size)
        center = x + size / 2 + (0.06 if index else 0)  # of what the image in front leaves free
        axes.text(center, 1.72, str(digits[index]), ha="center", va="center_baseline")
    _show(
        figure,
        f"A batch of {len(images)} images, drawn as a stack, with the digit of each below: "
        f"{', '.join(map(str, digits[:shown]))}{more}. The images have the shape {images.shape}, "
        f"the digits ({len(images)},).",
    )


@_styled
def plot_batch_sizes(results: Mapping[int, Mapping[str, float]]) -> None:
    """Show what the batch size costs and brings, for one epoch with each.

    Args:
        results: Batch size to {"seconds": time, "accuracy": 0 to 1, "steps": optimizer updates}.

    Raises:
        LessonError: If there are no results, or one of these is missing.
    """
    _something("results", results)
    for size, result in results.items():
        _keys(f"results[{size!r}]", result, ("seconds", "accuracy", "steps"))
    sizes = list(results)
    figure, charts = _charts(3, 1.2 + 0.42 * len(sizes), sharey=True)
    for axes, key, title, form in zip(
        charts,
        ("steps", "seconds", "accuracy"),
        ("Steps", "Seconds", "Accuracy"),
        ("{:,.0f}".format, "{:.1f} s".format, lambda value: f"{value:.1%}"),
        strict=True,
    ):
        values = [results[size][key] for size in sizes]
        axes.barh(range(len(sizes)), values, color=BLUE, height=0.62)
        for row, value in enumerate(values):
            axes.annotate(
                form(value), (value, row), (4, 0), textcoords="offset points", va="center"
            )
        axes.set(
            title=title,
            xticks=[],
            xlim=(0, 1.5 * max(*values, 1e-9)),
            ylim=(len(sizes) - 0.4, -0.6),
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["bottom"].set_visible(False)
    charts[0].set(yticks=range(len(sizes)), yticklabels=sizes, ylabel="batch size")
    told = "; ".join(
        f"batch size {size}: {result['steps']:,} steps, {result['seconds']:.1f} seconds, "
        f"accuracy {result['accuracy']:.1%}"
        for size, result in results.items()
    )
    _show(figure, f"One epoch with each batch size, as bars. {told}.")


@_styled
def plot_step_losses(step_losses: Mapping[int, ArrayLike]) -> None:
    """Show how noisy the loss is: each step's, and its running mean, by images seen.

    Args:
        step_losses: Batch size to the losses of its steps, as in `trainer.history["step_losses"]`.

    Raises:
        LessonError: If there are none, or a batch size is not a whole number from 1 up.
    """
    _something("step_losses", step_losses)
    losses = {size: _array(f"step_losses[{size!r}]", kept) for size, kept in step_losses.items()}
    for size, kept in losses.items():
        if not isinstance(size, int | np.integer) or size < 1:
            raise LessonError(
                f"step_losses must have batch sizes as keys (1, 16, ...), got {size!r}."
            )
        if kept.ndim != 1 or not kept.size:
            raise LessonError(f"step_losses[{size}] must be a list of losses, got {kept.shape}.")
    figure, charts = _charts(len(losses), 3.2, sharex=True, sharey=True)
    told = []
    for axes, (size, kept) in zip(charts, losses.items(), strict=True):
        window = max(1, len(kept) // 40)
        means = _running_mean(kept, window)
        axes.plot((np.arange(len(kept)) + 1) * size, kept, color="#9CC3DC", linewidth=0.5)
        axes.plot((np.arange(len(means)) + window) * size, means, color=VERMILION, linewidth=2.2)
        axes.set(title=f"batch size {size}", xlabel="images seen")
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=True, axis="y")
        told.append(
            f"batch size {size}: mean loss of the last steps {means[-1]:.3f}, "
            f"single steps spread by {kept[-window:].std():.3f}"
        )
    top = max(np.quantile(kept, 0.98) for kept in losses.values())
    charts[0].set(ylim=(0, 1.15 * top), ylabel="loss")
    figure.suptitle(
        "Loss of each step (thin) and its running mean (thick). The highest losses are cut off.",
        x=0.015,
        ha="left",
        fontsize=11.5,
        weight="normal",
    )
    _show(figure, f"Loss by images seen, one panel a batch size. {'; '.join(told)}.")


@_styled
def plot_learning_curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Compare trainings: loss and accuracy after each epoch, training dashed, validation solid.

    Args:
        histories: Name to `trainer.history`.

    Raises:
        LessonError: If there is none, or one is empty.
    """
    _something("histories", histories)
    figure, charts = _charts(2, 4.0)
    told = []
    for index, (name, history) in enumerate(histories.items()):
        _history(history, f"histories[{name!r}]")
        style = _line(index) | {"markevery": max(1, len(history["epoch"]) // 8)}
        for axes, measure in zip(charts, ("loss", "accuracy"), strict=True):
            training = style | {
                "linestyle": (0, (2, 2)),
                "linewidth": 1.2,
                "markerfacecolor": "white",
            }
            axes.plot(history["epoch"], history[f"train_{measure}"], **training)
            validation = history.get(f"validation_{measure}", ())
            if len(validation):
                axes.plot(history["epoch"], validation, **style | {"linestyle": "-"})
        last = [
            f"{history[key][-1]:.1%} on {part} images"
            for key, part in (("train_accuracy", "training"), ("validation_accuracy", "validation"))
            if len(history.get(key, ()))
        ]
        told.append(f"{name} ends at {' and '.join(last)}")
        charts[0].plot([], [], label=name, **style | {"linestyle": "-"})
    charts[0].set_title("Loss")
    charts[1].set_title("Accuracy")
    charts[1].yaxis.set_major_formatter(_tick)
    for axes in charts:
        axes.set_xlabel("epoch")
        axes.grid(visible=True, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.supxlabel(
        "solid, filled: validation images · dashed, hollow: training images",
        fontsize=10.5,
        color=MUTED,
    )
    _legend(figure, charts[0])
    _show(
        figure,
        f"Learning curves, loss and accuracy by epoch, training dashed, validation solid. "
        f"{'; '.join(told)}.",
    )


@_styled
def plot_optimizer_paths(
    paths: Mapping[str, ArrayLike], loss: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    """Show the way that each optimizer takes down the same loss, on its contour lines.

    Args:
        paths: Name to positions (n, 2), the start first.
        loss: The loss at (x, y), for numpy arrays.

    Raises:
        LessonError: If there is no path, or one has another shape.
    """
    _something("paths", paths)
    paths = {name: _array(f"paths[{name!r}]", path) for name, path in paths.items()}
    for name, path in paths.items():
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise LessonError(f"paths[{name!r}] must have shape (n, 2), got {path.shape}.")
    points = np.concatenate(list(paths.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.maximum(high - low, 1e-6)
    x, y = np.meshgrid(*np.linspace(low - margin, high + margin, 160).T)
    height = np.asarray(loss(x, y), float)
    levels = height.min() + np.ptp(height) * np.linspace(0.02, 1, 11) ** 2
    columns = min(len(paths), 2)
    rows = -(-len(paths) // columns)
    figure, charts = _charts(columns, 0.6 + 2.1 * rows, rows, sharex=True, sharey=True)
    told = []
    for index, (axes, (name, path)) in enumerate(zip(charts, paths.items(), strict=False)):
        axes.contour(x, y, height, levels=levels, colors="#C4C4C4", linewidths=0.8)
        axes.plot(
            *path.T,
            color=LINE_COLORS[index % len(LINE_COLORS)],
            marker="o",
            markersize=3.5,
            linewidth=1.3,
        )
        axes.annotate("start", path[0], (5, 5), textcoords="offset points")
        end = float(loss(*path[-1]))
        reached = f"loss {end:.2g}" if end >= 0.001 else "loss below 0.001"
        axes.set_title(f"{name}: {reached} after {len(path) - 1} steps")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=RULE)
        told.append(f"{name}: {reached} after {len(path) - 1} steps")
    for axes in charts[len(paths) :]:
        axes.axis("off")
    figure.supxlabel("one weight", fontsize=10.5)
    figure.supylabel("another weight", fontsize=10.5)
    _show(
        figure,
        f"Paths of {len(paths)} optimizers on the contour lines of the same loss, all from "
        f"the same start, where the loss is {float(loss(*points[0])):.2g}. {'; '.join(told)}.",
    )


# ---------------------------------------------------------------- lesson 6: failure analysis


def _confused_pairs(matrix: np.ndarray, pairs: int) -> list[tuple[int, int, int]]:
    """The pairs (true digit, predicted digit, count) confused most, none with a count of 0."""
    mistakes = np.where(np.eye(10, dtype=bool), 0, matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:pairs]
    found = [(*map(int, divmod(index, 10)), int(mistakes.flat[index])) for index in order]
    return [pair for pair in found if pair[2]]


def _read_as(true_digit: int, prediction: int, count: int) -> str:
    return f"{true_digit} read as {prediction}, {count:,}"


@_styled
def plot_mistakes(
    images: ArrayLike, digits: ArrayLike, predictions: ArrayLike, per_digit: int = 10
) -> None:
    """Show images that were misread: a row for each true digit, below each what the network said.

    Args:
        images: (N, 28, 28), from 0 to 1.
        digits: (N,), the true digits.
        predictions: (N,), what the network said.
        per_digit: Images shown at most of each digit, 1 to 10; the first ones are taken.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    images = _images(images)
    digits = _digits(digits, count=len(images))
    predictions = _digits(predictions, "predictions", len(images))
    if not 1 <= per_digit <= 10:
        raise LessonError(f"per_digit must be 1 to 10, got {per_digit}.")
    size, pitch, row_height = 0.52, 0.585, 0.86
    figure, axes = _canvas(0.75 + 10 * row_height)
    axes.text(0.15, 0.3, "true digit", weight="bold", va="center")
    axes.text(
        1.62,
        0.3,
        "misread images, and below each what the network said",
        weight="bold",
        va="center",
    )
    for digit in range(10):
        misread = np.flatnonzero((digits == digit) & (predictions != digit))
        count, y = np.count_nonzero(digits == digit), 0.62 + digit * row_height
        axes.axhline(y - 0.06, color=RULE, linewidth=0.8)
        axes.text(0.15, y + 0.32, str(digit), fontsize=22, va="center_baseline", weight="bold")
        axes.text(
            0.5,
            y + 0.32,
            f"{len(misread):,} of\n{count:,} misread",
            va="center",
            color=MUTED,
            fontsize=9.5,
            linespacing=1.3,
        )
        for place, index in enumerate(misread[:per_digit]):
            x = 1.62 + place * pitch
            _draw_image(axes, images[index], x, y, size)
            axes.text(
                x + size / 2,
                y + size + 0.13,
                str(predictions[index]),
                ha="center",
                va="center_baseline",
                color=VERMILION,
                weight="bold",
            )
        if not len(misread):
            axes.text(
                1.62, y + 0.32, "none" if count else "no image of it", va="center", color=MUTED
            )
    wrong = digits[digits != predictions]
    counts = np.bincount(wrong, minlength=10)
    told = ", ".join(f"{digit}: {count}" for digit, count in enumerate(counts))
    _show(
        figure,
        f"{len(wrong):,} of {len(images):,} images misread, up to {per_digit} of each true "
        f"digit shown with what the network said. Misread by true digit: {told}.",
    )


@_styled
def plot_confused_pairs(confusion_matrix: ArrayLike, pairs: int = 10) -> None:
    """Show the pairs of digits that are confused most, as bars.

    Args:
        confusion_matrix: (10, 10) counts, true digit by predicted digit.
        pairs: How many pairs, 1 to 30.

    Raises:
        LessonError: If the matrix is another, or pairs is out of range.
    """
    matrix = _confusion_matrix(confusion_matrix)
    if not 1 <= pairs <= 30:
        raise LessonError(f"pairs must be 1 to 30, got {pairs}.")
    found = _confused_pairs(matrix, pairs)
    mistakes = matrix.sum() - np.trace(matrix)
    covered = sum(count for *_, count in found)
    figure, [axes] = _charts(1, 0.9 + 0.31 * max(len(found), 2))
    title = (
        f"These {len(found)} pairs make up {covered:,} of the {mistakes:,} mistakes"
        if found
        else "No mistakes"
    )
    axes.set_title(title, weight="bold", fontsize=12.5)
    axes.barh(range(len(found)), [count for *_, count in found], color=BLUE, height=0.7)
    for row, (*_, count) in enumerate(found):
        axes.annotate(f"{count:,}", (count, row), (4, 0), textcoords="offset points", va="center")
    axes.set(
        xticks=[],
        ylim=(max(len(found), 2) - 0.4, -0.6),
        yticks=range(len(found)),
        yticklabels=[f"{true} read as {said}" for true, said, _ in found],
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_visible(False)
    listed = "; ".join(_read_as(*pair) for pair in found)
    _show(figure, f"The digits confused most, as bars. {title}. {listed}{'.' if listed else ''}")


@_styled
def plot_image_rows(images: Mapping[str, ArrayLike]) -> None:
    """Show rows of images under one another, such as the same images disturbed in several ways.

    Args:
        images: Label of the row to its images, (N, 28, 28) with N up to 10.

    Raises:
        LessonError: If there is no row, or one has other shapes or more images.
    """
    _something("images", images)
    rows = {label: _images(row, f"images[{label!r}]") for label, row in images.items()}
    for label, row in rows.items():
        if len(row) > 10:
            raise LessonError(
                f"images[{label!r}] must be up to 10 images in a row, got {len(row)}."
            )
    most = max(len(row) for row in rows.values())
    pitch = min((WIDTH - 1.75) / most, 0.9)
    figure, axes = _canvas(0.2 + len(rows) * (pitch + 0.06))
    for place, (label, row) in enumerate(rows.items()):
        y = 0.13 + place * (pitch + 0.06)
        axes.text(1.6, y + pitch / 2, fill(label, 19), ha="right", va="center")
        for column, image in enumerate(row):
            _draw_image(axes, image, 1.75 + column * pitch, y, pitch - 0.07)
    listed = ", ".join(f"{label} ({len(row)} images)" for label, row in rows.items())
    _show(figure, f"Rows of images, one a label: {listed}.")


@_styled
def plot_robustness(curves: Mapping[str, Mapping]) -> None:
    """Show how accuracy falls as images are disturbed more, one panel a disturbance.

    Args:
        curves: Disturbance, with its unit, to {"levels": (n,), "accuracies": {name: (n,)}}.

    Raises:
        LessonError: If there is none, or levels and accuracies are not equally many.
    """
    _something("curves", curves)
    figure, charts = _charts(len(curves), 3.5, sharey=True)
    for disturbance, curve in curves.items():
        _keys(f"curves[{disturbance!r}]", curve, ("levels", "accuracies"))
    told = []
    names = list(dict.fromkeys(name for curve in curves.values() for name in curve["accuracies"]))
    for axes, (disturbance, curve) in zip(charts, curves.items(), strict=True):
        for name, accuracies in curve["accuracies"].items():
            if len(accuracies) != len(curve["levels"]):
                raise LessonError(
                    f"curves[{disturbance!r}] has {len(curve['levels'])} levels, "
                    f"but {len(accuracies)} accuracies of {name!r}."
                )
            axes.plot(curve["levels"], accuracies, label=name, **_line(names.index(name)))
            told.append(
                f"{disturbance} {curve['levels'][0]} to {curve['levels'][-1]}, {name}: "
                f"{accuracies[0]:.0%} to {accuracies[-1]:.0%}"
            )
        axes.set(xlabel=disturbance, ylim=(0, 1.03))
        axes.yaxis.set_major_formatter(_tick)
        axes.grid(visible=True, axis="y")
        axes.axhline(0.1, color=MUTED, linewidth=1, linestyle=":")
    charts[0].set_ylabel("accuracy")
    charts[0].annotate(
        "guessing",
        (0.02, 0.1),
        (0, 4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=9.5,
        color=MUTED,
    )
    _legend(figure, charts[0], columns=3)
    _show(figure, f"Accuracy by strength of disturbance. {'; '.join(told)}.")


@_styled
def plot_journey(steps: Sequence[tuple[str, float, float, float | None]]) -> None:
    """Show the accuracy after every step of the series: the expected range and what was measured.

    Args:
        steps: (label, low, high, measured) each, accuracies from 0 to 1; measured may be None.

    Raises:
        LessonError: If there is none, or a range is not 0 <= low <= high <= 1.
    """
    _something("steps", steps)
    for label, low, high, _ in steps:
        if not 0 <= low <= high <= 1:
            raise LessonError(f"{label!r} must have 0 <= low <= high <= 1, got {low} to {high}.")
    figure, [axes] = _charts(1, 1.1 + 0.42 * len(steps))
    told = []
    for row, (label, low, high, measured) in enumerate(steps):
        axes.barh(row, high - low, left=low, height=0.5, color=PALE, edgecolor=BLUE, linewidth=1)
        text = f"{label}: expected {low:.1%} to {high:.1%}"
        if measured is not None:
            inside = low <= measured <= high
            color = BLUE if inside else VERMILION
            axes.plot(measured, row, "o" if inside else "X", color=color, markersize=8)
            said = f"{measured:.1%}" + ("" if inside else " (out of range)")
            axes.annotate(
                said,
                (max(high, measured), row),
                (9, 0),
                textcoords="offset points",
                va="center",
                color=color,
                weight="bold",
            )
            text += f", measured {said}"
        told.append(text)
    lowest = min([low for _, low, *_ in steps] + [step[3] for step in steps if step[3] is not None])
    axes.set(
        yticks=range(len(steps)),
        yticklabels=[step[0] for step in steps],
        xlim=(max(0, np.floor(lowest * 20) / 20 - 0.02), 1.06),
        ylim=(len(steps) - 0.4, -0.6),
        xlabel="accuracy on the test images",
    )
    axes.set_title("Bar: expected range. Dot: measured.")
    axes.xaxis.set_major_formatter(_tick)
    axes.set_xticks([tick for tick in axes.get_xticks() if axes.get_xlim()[0] <= tick <= 1])
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _show(figure, f"Accuracy after each step of the series. {'; '.join(told)}.")
