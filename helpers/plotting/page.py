"""The page that every figure is drawn on: its style, its alternative text, what figures share."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import matplotlib.style
import numpy as np
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

# Okabe and Ito's blue, vermilion, reddish purple and black (https://jfly.uni-koeln.de/color/),
# the first two darkened so that the lines differ in grayscale too.
LINE_COLORS = ("#00588A", "#C75200", "#CC79A7", "#000000")
BLUE, VERMILION = LINE_COLORS[:2]
HEAT_MAP = matplotlib.colormaps["Blues"]  # its lightness falls evenly: also right in grayscale
SIGNED = LinearSegmentedColormap.from_list("signed", (VERMILION, "white", BLUE))  # white is 0
INK, MUTED, RULE, PALE = "#222222", "#5C5C5C", "#DDDDDD", "#C9DCEA"

MARKERS = "os^DvPX*"
DASHES = ("-", "--", "-.", ":")
WIDTH = 7.5  # inches, as wide as the text of a notebook on a small laptop
PIXELS_PER_INCH = 96  # of CSS: text of 9 points in the figure is 9 points on the page

# "default" first: a learner's own plt.style must not leak into the lessons' figures.
styled = matplotlib.style.context(
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
        plot: A function of `helpers.plotting`, which draws one figure.
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


def show(figure: Figure, alt: str) -> None:
    """Show the figure with its alternative text, at two pixels for each pixel of the page."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, dpi=2 * PIXELS_PER_INCH, facecolor="white", pil_kwargs={"compress_level": 0}
    )
    # 256 colors halve the size of the notebook and look the same: those that few pixels have, such
    # as the ends of a color scale, stay as they are with this method.
    picture = (
        Image.open(buffer)
        .convert("RGB")
        .quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    )
    small = io.BytesIO()
    picture.save(small, format="PNG", optimize=True)
    shown = Picture(small.getvalue(), round(figure.get_figwidth() * PIXELS_PER_INCH), alt)
    taken = _taken.get()
    if taken is None:
        display(shown)
    else:
        taken.append(shown)


def percent(share: float) -> str:
    """A share in whole percent; 0% and 100% only where nothing is rounded away."""
    if np.isnan(share):
        return "–"
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def number(value: float, form: str = ".3f") -> str:
    """A number of a training, which is none where the training diverged."""
    return f"{value:{form}}" if np.isfinite(value) else "no finite number"


def tick(share: float, _: float) -> str:
    """A share in percent at an axis, as matplotlib asks for it: with the place, which is unused."""
    return f"{100 * share:.4g}%"


def minus(text: str) -> str:
    """A text with minus signs, which are as wide as a plus, instead of its hyphens."""
    return text.replace("-", "−")


def line(index: int) -> dict[str, Any]:
    """Color, marker and dashes of the line number `index`: any one of them tells it apart."""
    return {
        "color": LINE_COLORS[index % len(LINE_COLORS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
    }


def canvas(height: float, title: str | None = None) -> tuple[Figure, Axes]:
    """An empty sheet that is drawn on in inches, x to the right and y downward."""
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    write(axes, 0.1, 0.3, title or "", ha="left", fontsize=12.5, weight="bold")
    return figure, axes


def charts(
    columns: int,
    height: float,
    rows: int = 1,
    title: str | None = None,
    sharex: bool = False,
    sharey: bool = False,
) -> tuple[Figure, list[Axes]]:
    """A figure of charts in rows and columns, and these in reading order; `height` in inches."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey).ravel())
    if title:
        axes[0].set_title(title, weight="bold", fontsize=12.5, pad=12)
    return figure, axes


def write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Write a text, by default centered, at (x, y)."""
    axes.text(x, y, text, **{"ha": "center", "va": "center"} | style)


def draw_image(
    axes: Axes,
    image: np.ndarray,
    x: float,
    y: float,
    size: float,
    colors: str | Colormap = "Greys",
    lowest: float = 0.0,
    highest: float = 1.0,
) -> None:
    """Draw an image, by default as ink on paper, its upper left corner at (x, y), framed."""
    extent = (x, x + size, y + size, y)
    axes.imshow(
        image,
        colors,
        aspect="auto",
        interpolation="nearest",
        vmin=lowest,
        vmax=highest,
        extent=extent,
        zorder=2,
    )
    axes.add_patch(Rectangle((x, y), size, size, fill=False, edgecolor="#BBBBBB", zorder=2))


def bars(
    axes: Axes,
    labels: Sequence[Any],
    values: Sequence[float] | np.ndarray,
    texts: Sequence[str],
    color: str | Sequence[str] = BLUE,
) -> None:
    """Horizontal bars from top to bottom, each with its label before and its text behind it."""
    axes.barh(range(len(values)), values, color=color, height=0.7)
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.annotate(text, (max(value, 0), row), (4, 0), textcoords="offset points", va="center")
    axes.set(xticks=[], yticks=range(len(labels)), yticklabels=labels)
    axes.set_ylim(max(len(labels), 2) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_visible(False)


def legend(figure: Figure, charts: Sequence[Axes]) -> None:
    """Name each line once, above all charts."""
    handles: dict[str, Artist] = {}
    for axes in charts:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    columns = min(len(handles), 4)
    figure.legend(handles.values(), handles, loc="outside upper left", ncols=columns)
