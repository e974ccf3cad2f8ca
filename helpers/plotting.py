"""Every figure of the lessons.

Each function draws one figure, shows it with a text alternative made from the data, and returns
None. Arrays may come from numpy or torch. Nothing here touches matplotlib's global settings.
"""

from __future__ import annotations

import base64
import html
import io
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from itertools import pairwise
from textwrap import fill
from typing import Any, NamedTuple

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

from helpers import given
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
            "text.parse_math": False,  # a learner's "$" is a dollar
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


class Picture:
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


# Where `picture_of` takes what a function would show.
_taken: ContextVar[list[Picture] | None] = ContextVar("_taken", default=None)


def picture_of(plot: Callable[..., None], *arguments: Any) -> Picture:
    """Return what `plot(*arguments)` would show, without showing it.

    Args:
        plot: A function of this module that draws one figure.
        *arguments: What it draws.

    Raises:
        LessonError: As `plot` does.
    """
    taken: list[Picture] = []
    token = _taken.set(taken)
    try:
        plot(*arguments)
    finally:
        _taken.reset(token)
    return taken[0]


def _show(figure: Figure, alt: str) -> None:
    """Show the figure with its alternative text, at two pixels for each pixel of the page."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, dpi=2 * PIXELS_PER_INCH, facecolor="white", pil_kwargs={"compress_level": 0}
    )
    # 256 colors halve the size of the notebook and look the same.
    picture = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, format="PNG", optimize=True)
    shown = Picture(small.getvalue(), round(figure.get_figwidth() * PIXELS_PER_INCH), alt)
    taken = _taken.get()
    display(shown) if taken is None else taken.append(shown)


# ---------------------------------------------------------------- what the functions are given


def _confusion_matrix(confusion_matrix: ArrayLike) -> np.ndarray:
    matrix = given.array(confusion_matrix, "confusion_matrix")
    if matrix.shape != (10, 10):
        raise LessonError(f"confusion_matrix must have shape (10, 10), got {matrix.shape}.")
    wrong = ~((matrix >= 0) & (matrix == np.floor(matrix)) & np.isfinite(matrix))
    if wrong.any():
        raise LessonError(
            f"confusion_matrix must hold counts (0, 1, 2, ...), got {matrix[wrong][0]:.4g}."
        )
    return matrix.astype(int)


def _row(values: ArrayLike, name: str, count: int | None = None, of: str = "") -> np.ndarray:
    """One or more numbers in a row, `count` of them; `of` says what that is the count of."""
    row = given.array(values, name)
    if row.ndim != 1 or not row.size:
        raise LessonError(f"{name} must be a list of numbers, got shape {row.shape}.")
    if count is not None and len(row) != count:
        raise LessonError(f"{name} must be as many as {of}, {count:,}, got {len(row):,}.")
    return row.astype(float)


def _dictionary(value: Any, name: str, meaning: str) -> Mapping:
    """A dictionary with something in it; `meaning` says what it leads from and to."""
    if not isinstance(value, Mapping):
        raise LessonError(f"{name} must be a dictionary, {meaning}, got {given.kind(value)}.")
    if not len(value):
        raise LessonError(f"{name} is empty: there is nothing to draw.")
    return value


def _history(history: Mapping, name: str = "history") -> dict[str, np.ndarray]:
    """What is drawn of a history, each as long as "epoch", NaN where nothing was measured."""
    if not isinstance(history, Mapping):
        raise LessonError(f"{name} must be trainer.history, got {given.kind(history)}.")
    needed = ("epoch", "train_loss", "train_accuracy")
    rows: dict[str, np.ndarray] = {}
    for key in (*needed, "validation_loss", "validation_accuracy"):
        values = given.array(history.get(key, ()), f"{name}[{key!r}]")
        if values.size:
            count = len(rows["epoch"]) if rows else None
            rows[key] = _row(values, f"{name}[{key!r}]", count, "the epochs")
        elif key in needed:
            raise LessonError(
                f"{name} has no {key!r}. Pass trainer.history, after trainer.fit(...)."
            )
    return rows


def _measured(history: Mapping[str, np.ndarray], part: str) -> np.ndarray:
    """Where "train" or "validation" was measured: one of its two numbers is not NaN.

    Of a training that diverged the loss is NaN where it was measured too; the accuracy is not.
    """
    rows = [history[key] for key in (f"{part}_loss", f"{part}_accuracy") if key in history]
    return np.flatnonzero(~np.isnan(rows).all(axis=0)) if rows else np.array([], int)


def _function(value: Any, name: str) -> None:
    if not callable(value):
        raise LessonError(f"{name} must be a function, got {given.kind(value)}.")


def _keys(name: str, holder: Mapping, keys: Iterable[str]) -> None:
    if not isinstance(holder, Mapping):
        raise LessonError(
            f"{name} must be a dictionary with {list(keys)}, got {given.kind(holder)}."
        )
    for key in keys:
        if key not in holder:
            raise LessonError(f"{name} has no {key!r}, only {list(holder)}.")


# ---------------------------------------------------------------- drawing


def _percent(share: float) -> str:
    """A share in whole percent; 0% and 100% only where nothing is rounded away."""
    if np.isnan(share):
        return "–"
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _number(value: float, form: str = ".3f") -> str:
    """A number of a training, which is none where the training diverged."""
    return f"{value:{form}}" if np.isfinite(value) else "no finite number"


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


def _canvas(height: float, title: str | None = None) -> tuple[Figure, Axes]:
    """An empty sheet that is drawn on in inches, x to the right and y downward."""
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    _write(axes, 0.1, 0.3, title or "", ha="left", fontsize=12.5, weight="bold")
    return figure, axes


def _charts(
    columns: int, height: float, rows: int = 1, title: str | None = None, **share: bool
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    charts = list(figure.subplots(rows, columns, squeeze=False, **share).ravel())
    if title:
        charts[0].set_title(title, weight="bold", fontsize=12.5, pad=12)
    return figure, charts


def _write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(x, y, text, **{"ha": "center", "va": "center"} | style)


def _draw_image(axes: Axes, image: np.ndarray, x: float, y: float, size: float) -> None:
    """Draw an image as ink on paper, its upper left corner at (x, y), framed."""
    extent = (x, x + size, y + size, y)
    axes.imshow(
        image,
        "Greys",
        aspect="auto",
        interpolation="nearest",
        vmin=0,
        vmax=1,
        extent=extent,
        zorder=2,
    )
    axes.add_patch(Rectangle((x, y), size, size, fill=False, edgecolor="#BBBBBB", zorder=2))


def _image_grid(
    images: np.ndarray, captions: Sequence[str] | None, columns: int, title: str | None, alt: str
) -> None:
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    pitch = min(WIDTH / columns, 1.5)
    size, caption_height, top = pitch - 0.16, 0.27 if captions else 0.05, 0.55 if title else 0.1
    row_height = size + caption_height + 0.12
    figure, axes = _canvas(top + rows * row_height, title)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x, y = column * pitch + 0.08, top + row * row_height
        _draw_image(axes, image, x, y + caption_height, size)
        if captions:
            _write(axes, x + size / 2, y + 0.13, captions[index])
    _show(figure, alt)


def _bars(
    axes: Axes, labels: Sequence, values: Sequence[float], texts: Sequence[str], **style: Any
) -> None:
    """Horizontal bars from top to bottom, each with its label before and its text behind it."""
    axes.barh(range(len(values)), values, **{"color": BLUE, "height": 0.7} | style)
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.annotate(text, (max(value, 0), row), (4, 0), textcoords="offset points", va="center")
    axes.set(xticks=[], yticks=range(len(labels)), yticklabels=labels)
    axes.set_ylim(max(len(labels), 2) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_visible(False)


def _ten_bars(axes: Axes, title: str, numbers: np.ndarray, decimals: int = 2) -> None:
    """Ten bars, one a digit, the longest darker; from 0 to 1 if all numbers are in there."""
    colors = [BLUE if number == numbers.max() else PALE for number in numbers]
    texts = [_minus(f"{number:.{decimals}f}") for number in numbers]
    _bars(axes, range(10), numbers, texts, color=colors)
    low, high = min(numbers.min(), 0), max(numbers.max(), 0)
    high = 1 if low == 0 and high <= 1 else high
    axes.set(title=title, xlim=(low - 0.04 * (high - low), high + 0.2 * (high - low)))
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color="#999999", linewidth=1)


def _by_epoch(charts: Sequence[Axes]) -> None:
    """Prepare two charts, of the loss and of the accuracy after each epoch."""
    for axes, title in zip(charts, ("Loss", "Accuracy"), strict=True):
        axes.set(title=title, xlabel="epoch")
        axes.grid(visible=True, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    charts[1].yaxis.set_major_formatter(_tick)


def _legend(figure: Figure, charts: Sequence[Axes]) -> None:
    """Name each line once, above all charts."""
    handles = {}
    for axes in charts:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    columns = min(len(handles), 4)
    figure.legend(handles.values(), handles, loc="outside upper left", ncols=columns)


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    return np.convolve(values, np.ones(window) / window, mode="valid")


def _largest(values: np.ndarray, quantile: float = 1) -> float:
    """The largest finite value: a training that diverged has others too."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, quantile)) if finite.size else 1.0


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
    images = given.images(images)
    if len(images) > MOST_IMAGES:
        raise LessonError(
            f"plot_images draws up to {MOST_IMAGES} images, got {len(images):,}. "
            f"Pass a part of them, such as images[:18]."
        )
    columns = given.whole_number(columns, "columns")
    alt = f"{title or 'Handwritten digits'}: {len(images)} images in rows of {columns}"
    if captions is not None:
        if not isinstance(captions, Iterable):
            kind = given.kind(captions)
            raise LessonError(f"captions must be {len(images)}, one an image, got {kind}.")
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
    image, digit = given.image(image), given.whole_number(digit, "digit", 0, 9)
    figure, axes = _canvas(4.75)
    _write(axes, 0.1, 0.25, f"What you see: a {digit}", ha="left", fontsize=11.5)
    _draw_image(axes, image, 0.1, 0.48, 2.75)
    explained = (
        "Each number is a pixel's first\ndecimal: 0 is paper (0.0), 7 is dark\n"
        "gray (0.7), 9 is ink (0.9 to 1.0)."
    )
    _write(axes, 0.1, 3.5, explained, ha="left", va="top", linespacing=1.5)
    left, top, pitch = 3.2, 0.48, 0.15
    _write(axes, left, 0.25, "What the computer sees: 28 × 28 numbers", ha="left", fontsize=11.5)
    _draw_image(axes, image * 0.45, left, top, 28 * pitch)
    tenths = np.clip(np.floor(image * 10), 0, 9).astype(int)
    for (row, column), tenth in np.ndenumerate(tenths):
        x, y = left + (column + 0.5) * pitch, top + (row + 0.5) * pitch
        color = "black" if tenth else "#707070"
        _write(axes, x, y, str(tenth), va="center_baseline", fontsize=9, color=color)
    alt = (
        f"An image of the digit {digit} beside the same image as 28 × 28 numbers, one a pixel: "
        f"0 is paper, 9 is ink. {np.count_nonzero(image)} of the 784 pixels have ink."
    )
    _show(figure, alt)


@_styled
def plot_digit_counts(digits: ArrayLike, title: str | None = None) -> None:
    """Show how many there are of each digit, as bars.

    Args:
        digits: (N,) whole numbers from 0 to 9.
        title: Written above; by default the number of images.

    Raises:
        LessonError: If digits are not that.
    """
    digits = given.digits(digits)
    counts = np.bincount(digits, minlength=10)
    title = title or f"How many of each digit, in {len(digits):,} images"
    figure, [axes] = _charts(1, 3.2, title=title)
    bars = axes.bar(range(10), counts, color=BLUE, width=0.74)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=3)
    axes.set(xticks=range(10), yticks=[], xlabel="digit")
    axes.tick_params(axis="x", length=0)
    axes.spines["left"].set_visible(False)
    listed = ", ".join(f"{digit}: {count:,}" for digit, count in enumerate(counts))
    alt = f"{title}, as bars. {listed}. Fewest: {counts.argmin()}; most: {counts.argmax()}."
    _show(figure, alt)


@_styled
def plot_mean_images(mean_images: ArrayLike) -> None:
    """Show the mean image of each digit.

    Args:
        mean_images: (10, 28, 28), the mean of all images of 0, of 1, ... of 9.

    Raises:
        LessonError: If the shape is another.
    """
    mean_images = given.images(mean_images, "mean_images")
    if len(mean_images) != 10:
        raise LessonError(f"mean_images must be ten, one a digit, got {len(mean_images)}.")
    title = "The mean image of each digit"
    alt = (
        f"{title}, 0 to 9: the blurred average of all images of that digit. Dark where most people "
        f"put ink, gray where they differ."
    )
    _image_grid(mean_images, list("0123456789"), 5, title, alt)


# ---------------------------------------------------------------- lessons 2 and 3: networks


def _circle(axes: Axes, x: float, y: float, text: str = "", radius: float = 0.27) -> None:
    circle = Circle((x, y), radius, facecolor="white", edgecolor=BLUE, linewidth=1.5, zorder=3)
    axes.add_patch(circle)
    _write(axes, x, y, text, va="center_baseline", zorder=4)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": "#777777", "lw": 1.3, "shrinkA": 0, "shrinkB": 2}
    axes.annotate("", end, start, arrowprops=style)


def _box(axes: Axes, x: float, y: float, width: float) -> None:
    shape = {"boxstyle": "round,pad=0.1", "facecolor": "#EEF4F8", "edgecolor": BLUE}
    corner = (x - width / 2 + 0.1, y - 0.5)
    axes.add_patch(FancyBboxPatch(corner, width - 0.2, 1, linewidth=1.5, **shape))


@_styled
def plot_neuron() -> None:
    """Show one neuron, with numbers: weighted inputs, their sum and the bias, the activation."""
    inputs, weights, bias = (0.9, 0.2, 0.6), (0.5, -1.0, 2.0), -0.45
    products = [x * w for x, w in zip(inputs, weights, strict=True)]
    total = sum(products) + bias
    output = 1 / (1 + np.exp(-total))
    figure, axes = _canvas(3.5)
    headings = ("inputs", "times weights", "sum + bias", "activation", "output")
    for x, heading in zip((0.5, 1.9, 3.75, 5.6, 7.05), headings, strict=True):
        _write(axes, x, 0.3, heading, weight="bold")
    middle = 1.75
    for step, value, weight, product in zip((-1, 0, 1), inputs, weights, products, strict=True):
        y = middle + 0.9 * step
        _circle(axes, 0.5, y, f"{value}")
        _arrow(axes, (0.77, y), (3.05, middle + 0.34 * step))
        _write(
            axes,
            1.85,
            middle + 0.645 * step,
            _minus(f"× {weight} = {product:.2f}"),
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
        )
    _box(axes, 3.75, middle, 1.4)
    terms = [f"{product:+.2f}" for product in products]
    sums = "\n".join([*terms, f"{bias:+.2f} (bias)", f"= {total:.2f}"])
    _write(axes, 3.75, middle, _minus(sums), linespacing=1.25)
    _arrow(axes, (4.45, middle), (4.95, middle))
    _box(axes, 5.6, middle, 1.3)
    _write(axes, 5.6, 1.31, "sigmoid", color=MUTED)
    x = np.linspace(-5, 5, 101)
    axes.plot(5.6 + 0.1 * x, 2.1 - 0.62 / (1 + np.exp(-x)), color=BLUE)
    axes.plot(5.6 + 0.1 * total, 2.1 - 0.62 * output, "o", color=VERMILION, markersize=7)
    _arrow(axes, (6.25, middle), (6.76, middle))
    _circle(axes, 7.05, middle, f"{output:.2f}")
    last = "Training changes the weights and the bias; the rest stays as it is."
    _write(axes, WIDTH / 2, 3.2, last, color=MUTED)
    alt = (
        f"One neuron. Its inputs {inputs} are multiplied by its weights {weights}; the products "
        f"and the bias {bias} add up to {total:.2f}; the sigmoid activation turns that into the "
        f"output {output:.2f}. {last}"
    )
    _show(figure, alt)


@_styled
def plot_network(layer_sizes: Sequence[int]) -> None:
    """Show a dense network: its layers, and how many weights and biases lie between them.

    Args:
        layer_sizes: Two to six counts: the inputs, the neurons of each hidden layer, the outputs.

    Raises:
        LessonError: If there are fewer or more, or one of them is not a positive whole number.
    """
    try:
        sizes = [given.whole_number(size, "") for size in layer_sizes]
    except (LessonError, TypeError):
        sizes = []
    if not 2 <= len(sizes) <= 6:
        raise LessonError(
            "layer_sizes must be two to six whole numbers from 1 up, such as "
            f"[784, 32, 32, 10], got {reprlib.repr(layer_sizes)}."
        )
    pairs = list(pairwise(sizes))
    figure, axes = _canvas(4.9)
    layers = []
    kinds = ["inputs", *["neurons"] * (len(sizes) - 2), "outputs"]
    for x, size, kind in zip(
        np.linspace(0.75, WIDTH - 0.85, len(sizes)), sizes, kinds, strict=True
    ):
        _write(axes, x, 0.35, f"{size:,}\n{kind}", weight="bold", linespacing=1.3)
        places = size if size <= 10 else 8
        ys = 2.35 + 0.31 * (np.arange(places) - (places - 1) / 2)
        if size > 10:
            ys = np.delete(ys, [3, 4])
            _write(axes, x, 2.35, "⋮", fontsize=17)
        for digit, y in enumerate(ys):
            _circle(axes, x, y, radius=0.115)
            if kind == "outputs" and size == 10:
                _write(axes, x + 0.26, y, str(digit), va="center_baseline")
        layers.append([(x, y) for y in ys])
    for (before, after), (layer, next_layer) in zip(pairs, pairwise(layers), strict=True):
        lines = LineCollection(
            [(a, b) for a in layer for b in next_layer], colors="#B9CBD8", linewidths=0.6
        )
        axes.add_collection(lines)
        between = f"{before:,} × {after:,} weights\n+ {after:,} biases"
        _write(axes, (layer[0][0] + next_layer[0][0]) / 2, 4.17, between, linespacing=1.4)
    total = sum(before * after + after for before, after in pairs)
    _write(axes, WIDTH / 2, 4.68, f"{total:,} numbers to learn", weight="bold")
    drawn = ", ".join(f"{size:,} {kind}" for size, kind in zip(sizes, kinds, strict=True))
    counted = "; ".join(
        f"{before:,} × {after:,} = {before * after:,} weights and {after:,} biases"
        for before, after in pairs
    )
    alt = (
        f"A dense network: {drawn}, each layer connected in full to the next. Between the "
        f"layers: {counted}. Together {total:,} numbers to learn."
    )
    _show(figure, alt)


@_styled
def plot_activations(functions: Mapping[str, Callable]) -> None:
    """Show activation functions and, beside them, their slopes (by torch's autograd).

    Args:
        functions: Name to function, each from a torch tensor to a tensor of the same shape.

    Raises:
        LessonError: If there is no function, or one does not keep the shape.
    """
    import torch  # here, so that the figures of lesson 1 do not wait for it

    _dictionary(functions, "functions", "name to function")
    figure, (left, right) = _charts(2, 3.6)
    told = []
    for index, (name, function) in enumerate(functions.items()):
        _function(function, f"functions[{name!r}]")
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
        style = _line(index) | {"label": name, "markevery": (30 + 12 * index, 90)}
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
    _legend(figure, [left])
    alt = "Activation functions (left) and their slopes (right), for inputs from −6 to 6. "
    _show(figure, f"{alt}{_minus('; '.join(told))}.")


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
    image, outputs = given.image(image), given.ten_numbers(outputs, "outputs")
    digit = given.whole_number(digit, "digit", 0, 9)
    largest = int(outputs.argmax())
    verdict = f"The largest: {largest}, {'right' if largest == digit else 'wrong'}"
    figure = Figure(figsize=(WIDTH, 3.5), layout="constrained")
    figure.get_layout_engine().set(wspace=0.08)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    left.imshow(image, "Greys", interpolation="nearest", vmin=0, vmax=1)
    left.set(xticks=[], yticks=[], title=f"True digit: {digit}")
    left.spines[:].set(visible=True, color="#BBBBBB")
    _ten_bars(right, f"Ten outputs. {verdict}", outputs)
    listed = ", ".join(f"{said}: {output:.2f}" for said, output in enumerate(outputs))
    alt = f"An image of the digit {digit} and the network's ten outputs for it, as bars. "
    _show(figure, f"{alt}{_minus(listed)}. {verdict}.")


@_styled
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
    figure, (left, right) = _charts(2, 3.6)
    _ten_bars(left, "Before: ten numbers of any size", numbers, decimals=1)
    _ten_bars(right, "After softmax: they sum to 1", shares)
    best = int(shares.argmax())
    alt = (
        f"Softmax turns ten numbers between {numbers.min():.1f} and {numbers.max():.1f} into ten "
        f"probabilities that sum to 1. The largest number, {numbers[best]:.1f} for digit {best}, "
        f"becomes the largest probability, {shares[best]:.2f}."
    )
    _show(figure, _minus(alt))


@_styled
def plot_history(history: Mapping[str, Sequence[float]]) -> None:
    """Show loss and accuracy after each epoch; for a single epoch, the loss along its steps.

    Args:
        history: `trainer.history`, with "epoch", "train_loss", "train_accuracy", where measured
            "validation_loss" and "validation_accuracy", and "step_losses" for a single epoch. An
            epoch after which nothing was measured has NaN there: the line goes on to the next.

    Raises:
        LessonError: If the history is empty, or its lists are not equally long.
    """
    rows = _history(history)
    epochs = rows["epoch"]
    if len(epochs) == 1 and np.size(history.get("step_losses", ())):
        _plot_one_epoch(_row(history["step_losses"], "history['step_losses']"))
        return
    figure, charts = _charts(2, 3.4)
    _by_epoch(charts)
    told = []
    for axes, measure in zip(charts, ("loss", "accuracy"), strict=True):
        for index, (part, dashes) in enumerate((("train", "--"), ("validation", "-"))):
            if f"{part}_{measure}" not in rows:
                continue
            name = f"{part.replace('train', 'training')} images"
            measured = _measured(rows, part)
            if not len(measured):
                told.append(f"{measure} on {name} never measured")
                continue
            values = rows[f"{part}_{measure}"][measured]
            style = _line(index) | {"linestyle": dashes}
            axes.plot(epochs[measured], values, label=name, **style)
            said = f"{measure} on {name} from {_number(values[0])} to {_number(values[-1])}"
            if len(measured) < len(epochs):
                last = f"the last time after epoch {epochs[measured[-1]]:g}"
                said += f" (measured after {len(measured)} of {len(epochs)} epochs, {last})"
            told.append(said)
    _legend(figure, charts)
    _show(figure, f"Training over {len(epochs)} epochs: {'; '.join(told)}.")


def _plot_one_epoch(losses: np.ndarray) -> None:
    window = max(1, len(losses) // 60)
    means = _running_mean(losses, window)
    figure, [axes] = _charts(1, 3.1)
    axes.plot(np.arange(len(means)) + window, means, color=BLUE)
    axes.set_title(f"Loss along the epoch: mean of the last {window:,} steps")
    axes.set(xlabel="step", ylabel="loss", xlim=(0, len(losses)), ylim=(0, 1.08 * _largest(means)))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, axis="y")
    alt = (
        f"Loss along {len(losses):,} steps of one epoch, as the mean of the last {window:,} "
        f"steps: from {_number(means[0])} at the beginning to {_number(means[-1])} at the end."
    )
    _show(figure, alt)


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
    # Here, as it takes a second and brings pyplot; and before our own style is set, as seaborn
    # keeps the settings that it finds for the learner's `seaborn.reset_orig()`.
    from seaborn import heatmap

    _plot_confusion_matrix(_confusion_matrix(confusion_matrix), title, heatmap)


@_styled
def _plot_confusion_matrix(matrix: np.ndarray, title: str | None, heatmap: Callable) -> None:
    images, right = matrix.sum(), np.trace(matrix)
    rows = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, rows, out=np.full((10, 10), np.nan), where=rows > 0)
    accuracy = _percent(right / images if images else np.nan)
    title = title or f"{right:,} of {images:,} images read right: {accuracy}"
    texts = np.array([[f"{count:,}" for count in row] for row in matrix], object)
    for digit in range(10):
        texts[digit, digit] += f"\n{_percent(shares[digit, digit])}"
    figure, [axes] = _charts(1, 6.6, title=title)
    # A power below 1: small shares, which are the interesting ones, get colors of their own.
    norm = PowerNorm(1 / 3, vmin=0, vmax=1)
    scale = {
        "aspect": 40,
        "pad": 0.02,
        "format": _tick,
        "ticks": [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1],
        "label": "share of the true digit's images (its row)",
    }
    heatmap(
        np.nan_to_num(shares),
        ax=axes,
        cmap=HEAT_MAP,
        norm=norm,
        annot=texts,
        fmt="",
        annot_kws={"linespacing": 1.3},
        linewidths=1.5,
        linecolor="white",
        cbar_kws=scale,
    )
    # seaborn's own choice of black or white leaves some of the counts hard to read.
    for text, ((row, column), count) in zip(axes.texts, np.ndenumerate(matrix), strict=True):
        dark = norm(shares[row, column]) > 0.715  # where white stands out more than black
        text.set_color("white" if dark else "black" if count else "#707070")
        text.set_weight("bold" if row == column else "normal")
    axes.set(xlabel="predicted digit", ylabel="true digit")
    axes.xaxis.set(ticks_position="top", label_position="top")
    axes.xaxis.labelpad = axes.yaxis.labelpad = 7
    axes.tick_params(length=0, labelsize=11.5, labelrotation=0)
    for label in axes.get_yticklabels():
        label.set_va("center_baseline")
    worst = [f"Most confused: {pair} times." for pair in _confused_pairs(matrix, 1)]
    alt = (
        f"Confusion matrix of {images:,} images ({title}): rows are the true digit, columns the "
        f"predicted digit. {right:,} on the diagonal ({accuracy}). {(worst or ['No mistakes.'])[0]}"
    )
    _show(figure, alt)


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
    images, digits = given.images_and_digits(images, digits)
    shown = min(len(images), 16)
    more = f" (the first {shown} shown)" if shown < len(images) else ""
    shapes = f"images {images.shape}, digits ({len(images)},)"
    figure, axes = _canvas(1.95, f"A batch: {shapes}{more}")
    size, pitch = 0.58, 0.44
    for index in reversed(range(shown)):
        x, y = 0.15 + index * pitch, 0.92 - 0.016 * index
        _draw_image(axes, images[index], x, y, size)
        free = 0.06 if index else 0  # the image in front covers the left part
        _write(axes, x + size / 2 + free, 1.72, str(digits[index]), va="center_baseline")
    listed = ", ".join(map(str, digits[:shown]))
    alt = f"A batch, drawn as a stack, with the digit of each image below: {listed}{more}. "
    _show(figure, f"{alt}Shapes: {shapes}.")


@_styled
def plot_batch_sizes(results: Mapping[int, Mapping[str, float]]) -> None:
    """Show what the batch size costs and brings, for one epoch with each.

    Args:
        results: Batch size to {"seconds": time, "accuracy": 0 to 1, "steps": optimizer updates}.

    Raises:
        LessonError: If there are no results, or one of these is missing.
    """
    _dictionary(results, "results", "batch size to what came out")
    formats = {"steps": "{:,.0f}", "seconds": "{:.1f} s", "accuracy": "{:.1%}"}
    for size, result in results.items():
        _keys(f"results[{size!r}]", result, formats)
        _row([result[key] for key in formats], f"results[{size!r}]")
    figure, charts = _charts(3, 1.2 + 0.42 * len(results))
    for axes, (key, form) in zip(charts, formats.items(), strict=True):
        values = [float(result[key]) for result in results.values()]
        labels = list(results) if key == "steps" else [""] * len(results)
        _bars(axes, labels, values, [form.format(value) for value in values])
        axes.set(title=key.capitalize(), xlim=(0, 1.5 * max(*values, 1e-9)))
    charts[0].set_ylabel("batch size")
    told = "; ".join(
        f"batch size {size}: {result['steps']:,.0f} steps, {result['seconds']:.1f} seconds, "
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
    _dictionary(step_losses, "step_losses", "batch size to the losses of its steps")
    figure, charts = _charts(len(step_losses), 3.2, sharex=True, sharey=True)
    told, tops = [], []
    for axes, (key, row) in zip(charts, step_losses.items(), strict=True):
        size = given.whole_number(key, "each key of step_losses, a batch size,")
        losses = _row(row, f"step_losses[{size}]")
        window = max(1, len(losses) // 40)
        means = _running_mean(losses, window)
        axes.plot((np.arange(len(losses)) + 1) * size, losses, color="#9CC3DC", linewidth=0.5)
        axes.plot((np.arange(len(means)) + window) * size, means, color=VERMILION, linewidth=2.2)
        axes.set(title=f"batch size {size}", xlabel="images seen")
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=True, axis="y")
        tops.append(_largest(losses, 0.98))
        told.append(
            f"batch size {size}: mean loss of the last steps {_number(means[-1])}, "
            f"single steps spread by {_number(losses[-window:].std())}"
        )
    charts[0].set(ylabel="loss", ylim=(0, 1.15 * max(tops)))
    title = "Loss of each step (thin) and its running mean (thick). The highest losses are cut off."
    figure.suptitle(title, x=0.015, ha="left", fontsize=11.5, weight="normal")
    _show(figure, f"Loss by images seen, one panel a batch size. {'; '.join(told)}.")


@_styled
def plot_learning_curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Compare trainings: loss and accuracy after each epoch, training dashed, validation solid.

    Args:
        histories: Name to `trainer.history`; NaN in it where nothing was measured.

    Raises:
        LessonError: If there is none, or one is empty, or its lists are not equally long.
    """
    _dictionary(histories, "histories", "name to trainer.history")
    figure, charts = _charts(2, 4.0)
    _by_epoch(charts)
    hollow = {"linestyle": (0, (2, 2)), "linewidth": 1.2, "markerfacecolor": "white"}
    told = []
    for index, (name, history) in enumerate(histories.items()):
        rows = _history(history, f"histories[{name!r}]")
        epochs, solid = rows["epoch"], _line(index) | {"linestyle": "-"}
        charts[0].plot([], [], label=name, **solid)
        last = []
        for part, style in (("train", solid | hollow), ("validation", solid)):
            measured = _measured(rows, part)
            if not len(measured):
                continue
            style["markevery"] = max(1, len(measured) // 8)
            for axes, measure in zip(charts, ("loss", "accuracy"), strict=True):
                if f"{part}_{measure}" in rows:
                    axes.plot(epochs[measured], rows[f"{part}_{measure}"][measured], **style)
            if f"{part}_accuracy" in rows:
                accuracy = _number(rows[f"{part}_accuracy"][measured[-1]], ".1%")
                when = (
                    f" (epoch {epochs[measured[-1]]:g})" if measured[-1] < len(epochs) - 1 else ""
                )
                last.append(f"{accuracy} on {part.replace('train', 'training')} images{when}")
        told.append(f"{name} ends at {' and '.join(last)}")
    dashes = "solid, filled: validation images · dashed, hollow: training images"
    figure.supxlabel(dashes, fontsize=10.5, color=MUTED)
    _legend(figure, charts)
    alt = "Learning curves: loss and accuracy by epoch, training dashed, validation solid. "
    _show(figure, f"{alt}{'; '.join(told)}.")


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
    _dictionary(paths, "paths", "name to positions")
    _function(loss, "loss")
    paths = {name: given.array(path, f"paths[{name!r}]") for name, path in paths.items()}
    for name, path in paths.items():
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise LessonError(f"paths[{name!r}] must have shape (n, 2), got {path.shape}.")
        if not np.isfinite(path).all():
            raise LessonError(
                f"paths[{name!r}] runs away to infinity. Try a smaller learning rate."
            )
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
    for axes, (name, path) in zip(charts, paths.items(), strict=False):
        axes.contour(x, y, height, levels=levels, colors="#C4C4C4", linewidths=0.8)
        axes.plot(*path.T, color=BLUE, marker="o", markersize=3.5, linewidth=1.3)
        axes.annotate("start", path[0], (5, 5), textcoords="offset points")
        end = float(loss(*path[-1]))
        reached = f"loss {end:.2g}" if abs(end) >= 0.001 else "loss below 0.001"
        told.append(f"{name}: {reached} after {len(path) - 1} steps")
        axes.set(xticks=[], yticks=[], title=told[-1])
        axes.spines[:].set(visible=True, color=RULE)
    for axes in charts[len(paths) :]:
        axes.axis("off")
    figure.supxlabel("one weight", fontsize=10.5)
    figure.supylabel("another weight", fontsize=10.5)
    alt = (
        f"Paths of {len(paths)} optimizers on the contour lines of one loss, from a start where "
        f"it is {float(loss(*points[0])):.2g}. {'; '.join(told)}."
    )
    _show(figure, alt)


# ---------------------------------------------------------------- lesson 6: failure analysis


class _ConfusedPair(NamedTuple):
    true_digit: int
    prediction: int
    count: int

    def __str__(self) -> str:
        return f"{self.true_digit} read as {self.prediction}, {self.count:,}"


def _confused_pairs(matrix: np.ndarray, pairs: int) -> list[_ConfusedPair]:
    """The pairs that are confused most, none with a count of 0."""
    mistakes = np.where(np.eye(10, dtype=bool), 0, matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:pairs]
    found = [_ConfusedPair(*divmod(int(i), 10), int(mistakes.flat[i])) for i in order]
    return [pair for pair in found if pair.count]


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
    images, digits = given.images_and_digits(images, digits)
    predictions = given.digits(predictions, "predictions", len(images))
    per_digit = given.whole_number(per_digit, "per_digit", 1, 10)
    size, pitch, row_height, left = 0.52, 0.585, 0.86, 1.62
    figure, axes = _canvas(0.75 + 10 * row_height)
    heading = "misread images, and below each what the network said"
    _write(axes, 0.15, 0.3, "true digit", ha="left", weight="bold")
    _write(axes, left, 0.3, heading, ha="left", weight="bold")
    told = []
    for digit in range(10):
        count = np.count_nonzero(digits == digit)
        misread = np.flatnonzero((digits == digit) & (predictions != digit))
        top = 0.62 + digit * row_height
        middle = top + 0.32
        axes.axhline(top - 0.06, color=RULE, linewidth=0.8)
        _write(axes, 0.15, middle, str(digit), ha="left", fontsize=22, weight="bold")
        share = f"{len(misread):,} of\n{count:,} misread"
        _write(axes, 0.5, middle, share, ha="left", fontsize=9.5, color=MUTED, linespacing=1.3)
        for place, index in enumerate(misread[:per_digit]):
            x = left + place * pitch
            _draw_image(axes, images[index], x, top, size)
            said = str(predictions[index])
            _write(axes, x + size / 2, top + size + 0.12, said, color=VERMILION, weight="bold")
        if not len(misread):
            nothing = "none" if count else "no image of it"
            _write(axes, left, middle, nothing, ha="left", color=MUTED)
        told.append(f"{digit}: {len(misread):,}")
    alt = (
        f"{np.count_nonzero(digits != predictions):,} of {len(images):,} images misread; up to "
        f"{per_digit} of each true digit shown, with what the network said. Misread by true "
        f"digit: {', '.join(told)}."
    )
    _show(figure, alt)


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
    pairs = given.whole_number(pairs, "pairs", 1, 30)
    found = _confused_pairs(matrix, pairs)
    counts = [pair.count for pair in found]
    mistakes = matrix.sum() - np.trace(matrix)
    title = f"{len(found)} pairs make up {sum(counts):,} of the {mistakes:,} mistakes"
    title = title if found else "No mistakes"
    figure, [axes] = _charts(1, 0.9 + 0.31 * max(len(found), 2), title=title)
    labels = [f"{pair.true_digit} read as {pair.prediction}" for pair in found]
    _bars(axes, labels, counts, [f"{count:,}" for count in counts])
    listed = "; ".join(map(str, found)) or "none"
    _show(figure, f"The digits confused most, as bars: {listed}. {title}.")


@_styled
def plot_image_rows(images: Mapping[str, ArrayLike]) -> None:
    """Show rows of images under one another, such as the same images disturbed in several ways.

    Args:
        images: Label of the row to its images, (N, 28, 28) with N up to 10.

    Raises:
        LessonError: If there is no row, or one has other shapes or more images.
    """
    _dictionary(images, "images", "label of the row to its images")
    rows = {label: given.images(row, f"images[{label!r}]") for label, row in images.items()}
    most = max(len(row) for row in rows.values())
    if most > 10:
        raise LessonError(f"images must have up to 10 images in a row, got {most}.")
    left = 1.75
    pitch = min((WIDTH - left) / most, 0.9)
    figure, axes = _canvas(0.2 + len(rows) * (pitch + 0.06))
    for place, (label, row) in enumerate(rows.items()):
        top = 0.13 + place * (pitch + 0.06)
        _write(axes, left - 0.15, top + pitch / 2, fill(label, 19), ha="right")
        for column, image in enumerate(row):
            _draw_image(axes, image, left + column * pitch, top, pitch - 0.07)
    listed = ", ".join(f"{label} ({len(row)} images)" for label, row in rows.items())
    _show(figure, f"Rows of images, each with its label: {listed}.")


@_styled
def plot_robustness(curves: Mapping[str, Mapping]) -> None:
    """Show how accuracy falls as images are disturbed more, one panel a disturbance.

    Args:
        curves: Disturbance, with its unit, to {"levels": (n,), "accuracies": {name: (n,)}}.

    Raises:
        LessonError: If there is none, or levels and accuracies are not equally many.
    """
    _dictionary(curves, "curves", "disturbance to its levels and accuracies")
    for disturbance, curve in curves.items():
        _keys(f"curves[{disturbance!r}]", curve, ("levels", "accuracies"))
        accuracies = f"curves[{disturbance!r}]['accuracies']"
        _dictionary(curve["accuracies"], accuracies, "name to an accuracy for each level")
    names = list(dict.fromkeys(name for curve in curves.values() for name in curve["accuracies"]))
    figure, charts = _charts(len(curves), 3.5, sharey=True)
    told = []
    for axes, (disturbance, curve) in zip(charts, curves.items(), strict=True):
        levels = _row(curve["levels"], f"curves[{disturbance!r}]['levels']")
        for name, values in curve["accuracies"].items():
            called = f"curves[{disturbance!r}]['accuracies'][{name!r}]"
            accuracies = _row(values, called, len(levels), "the levels")
            axes.plot(levels, accuracies, label=name, **_line(names.index(name)))
            told.append(
                f"{disturbance} {levels[0]:g} to {levels[-1]:g}, {name}: "
                f"{accuracies[0]:.0%} to {accuracies[-1]:.0%}"
            )
        axes.set(xlabel=disturbance, ylim=(0, 1.03))
        axes.yaxis.set_major_formatter(_tick)
        axes.grid(visible=True, axis="y")
        axes.axhline(0.1, color=MUTED, linewidth=1, linestyle=":")
    charts[0].set_ylabel("accuracy")
    charts[0].text(
        0.03, 0.12, "guessing", fontsize=9.5, color=MUTED, transform=charts[0].get_yaxis_transform()
    )
    _legend(figure, charts)
    _show(figure, f"Accuracy by strength of disturbance. {'; '.join(told)}.")


@_styled
def plot_journey(steps: Sequence[tuple[str, float, float, float | None]]) -> None:
    """Show the accuracy after every step of the series: the expected range and what was measured.

    Args:
        steps: (label, low, high, measured) each, accuracies from 0 to 1; measured may be None.

    Raises:
        LessonError: If there is none, or a range is not 0 <= low <= high <= 1.
    """
    if not len(steps):
        raise LessonError("steps is empty: there is nothing to draw.")
    figure, [axes] = _charts(1, 1.1 + 0.42 * len(steps))
    told, lowest = [], 1.0
    for row, step in enumerate(steps):
        if not isinstance(step, (tuple, list)) or len(step) != 4:
            raise LessonError(f"steps[{row}] must be (label, low, high, measured), got {step!r}.")
        label, low, high, measured = step
        if not all(isinstance(n, (int, float, np.number, type(None))) for n in step[1:]):
            raise LessonError(f"{label!r} must have numbers as its range and what was measured.")
        if not 0 <= low <= high <= 1:
            raise LessonError(f"{label!r} must have 0 <= low <= high <= 1, got {low} to {high}.")
        lowest = min(lowest, low, 1 if measured is None else measured)
        axes.barh(row, high - low, left=low, height=0.5, color=PALE, edgecolor=BLUE)
        told.append(f"{label}: expected {low:.1%} to {high:.1%}")
        if measured is None:
            continue
        inside = low <= measured <= high
        color, said = BLUE if inside else VERMILION, f"{measured:.1%}"
        said += "" if inside else " (out of range)"
        axes.plot(measured, row, "o" if inside else "X", color=color, markersize=8)
        axes.annotate(
            said,
            (max(high, measured), row),
            (9, 0),
            textcoords="offset points",
            va="center",
            color=color,
            weight="bold",
        )
        told[-1] += f", measured {said}"
    ticks = np.arange(np.floor(lowest * 10), 11) / 10
    axes.set(xticks=ticks, xlim=(ticks[0] - 0.02, 1.06), ylim=(len(steps) - 0.4, -0.6))
    axes.set(yticks=range(len(steps)), yticklabels=[label for label, *_ in steps])
    axes.set(title="Bar: expected range. Dot: measured.", xlabel="accuracy on the test images")
    axes.xaxis.set_major_formatter(_tick)
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _show(figure, f"Accuracy after each step of the series. {'; '.join(told)}.")
