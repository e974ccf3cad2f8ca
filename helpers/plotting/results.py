"""Figures of results: what was read right and wrong, and how well in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import Normalize, PowerNorm
from numpy.typing import ArrayLike

from helpers import given
from helpers.errors import LessonError, shown
from helpers.plotting import page


def plot_confusion_matrix(
    confusion_matrix: ArrayLike, title: str | None = None, mistakes_only: bool = False
) -> None:
    """Show a confusion matrix: rows are the true digits, columns the predicted digits.

    Each cell has its count; the diagonal also the recall, the share of that digit's images that
    were read right ("–" where the digit never occurs). The color is the share of the row.

    Args:
        confusion_matrix: (10, 10) counts, true digit by predicted digit.
        title: Written above; by default the share of right answers, or the number of mistakes.
        mistakes_only: Leave the diagonal empty, so that the colors are there for the mistakes
            alone: they go up to the largest share of mistakes in one cell.

    Raises:
        LessonError: If the shape is another, or the numbers are no counts.
    """
    # Here, as it takes a second and brings pyplot; and before our own style is set, as seaborn
    # keeps the settings that it finds for the learner's `seaborn.reset_orig()`.
    from seaborn import heatmap

    _plot_confusion_matrix(_confusion_matrix(confusion_matrix), title, mistakes_only, heatmap)


@page.styled
def _plot_confusion_matrix(
    matrix: np.ndarray, title: str | None, mistakes_only: bool, heatmap: Callable[..., Any]
) -> None:
    images, right = matrix.sum(), np.trace(matrix)
    rows = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, rows, out=np.full((10, 10), np.nan), where=rows > 0)
    accuracy = page.percent(right / images if images else np.nan)
    texts = np.array([[f"{count:,}" for count in row] for row in matrix], object)
    scale = {
        "aspect": 40,
        "pad": 0.02,
        "format": page.tick,
        "label": "share of the true digit's images (its row)",
    }
    if mistakes_only:
        title = title or f"{images - right:,} mistakes in {images:,} images"
        np.fill_diagonal(shares, 0)
        np.fill_diagonal(texts, "")
        norm = Normalize(vmin=0, vmax=max(np.nan_to_num(shares).max(), 0.001))
    else:
        title = title or f"{right:,} of {images:,} images read right: {accuracy}"
        for digit in range(10):
            texts[digit, digit] += f"\n{page.percent(shares[digit, digit])}"
        # A power below 1: small shares, which are the interesting ones, get colors of their own.
        norm = PowerNorm(1 / 3, vmin=0, vmax=1)
        scale["ticks"] = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1]
    figure, [axes] = page.charts(1, 6.6, title=title)
    heatmap(
        np.nan_to_num(shares),
        ax=axes,
        cmap=page.HEAT_MAP,
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
        text.set_fontweight("bold" if row == column else "normal")
    axes.set(xlabel="predicted digit", ylabel="true digit")
    axes.xaxis.set(ticks_position="top", label_position="top")
    axes.xaxis.labelpad = axes.yaxis.labelpad = 7
    axes.tick_params(length=0, labelsize=11.5, labelrotation=0)
    for label in axes.get_yticklabels():
        label.set_verticalalignment("center_baseline")
    worst = [f"Most confused: {pair} times." for pair in _confused_pairs(matrix, 1)]
    alt = (
        f"Confusion matrix of {images:,} images ({title}): rows are the true digit, columns the "
        f"predicted digit. {right:,} on the diagonal ({accuracy}"
        f"{', left empty' if mistakes_only else ''}). {(worst or ['No mistakes.'])[0]}"
    )
    page.show(figure, alt)


@page.styled
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
    figure, axes = page.canvas(0.75 + 10 * row_height)
    heading = "misread images, and below each what the network said"
    page.write(axes, 0.15, 0.3, "true digit", ha="left", weight="bold")
    page.write(axes, left, 0.3, heading, ha="left", weight="bold")
    told = []
    for digit in range(10):
        count = np.count_nonzero(digits == digit)
        misread = np.flatnonzero((digits == digit) & (predictions != digit))
        top = 0.62 + digit * row_height
        middle = top + 0.32
        axes.axhline(top - 0.06, color=page.RULE, linewidth=0.8)
        page.write(axes, 0.15, middle, str(digit), ha="left", fontsize=22, weight="bold")
        share = f"{len(misread):,} of\n{count:,} misread"
        page.write(
            axes, 0.5, middle, share, ha="left", fontsize=9.5, color=page.MUTED, linespacing=1.3
        )
        for place, index in enumerate(misread[:per_digit]):
            x = left + place * pitch
            page.draw_image(axes, images[index], x, top, size)
            said = str(predictions[index])
            page.write(
                axes, x + size / 2, top + size + 0.12, said, color=page.VERMILION, weight="bold"
            )
        if not len(misread):
            nothing = "none" if count else "no image of it"
            page.write(axes, left, middle, nothing, ha="left", color=page.MUTED)
        told.append(f"{digit}: {len(misread):,}")
    alt = (
        f"{np.count_nonzero(digits != predictions):,} of {len(images):,} images misread; up to "
        f"{per_digit} of each true digit shown, with what the network said. Misread by true "
        f"digit: {', '.join(told)}."
    )
    page.show(figure, alt)


@page.styled
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
    counts = [pair.times for pair in found]
    mistakes = matrix.sum() - np.trace(matrix)
    title = f"{len(found)} pairs make up {sum(counts):,} of the {mistakes:,} mistakes"
    title = title if found else "No mistakes"
    figure, [axes] = page.charts(1, 0.9 + 0.31 * max(len(found), 2), title=title)
    labels = [f"{pair.true_digit} read as {pair.prediction}" for pair in found]
    page.bars(axes, labels, counts, [f"{count:,}" for count in counts])
    listed = "; ".join(map(str, found)) or "none"
    page.show(figure, f"The digits confused most, as bars: {listed}. {title}.")


@page.styled
def plot_reliability(outputs: ArrayLike, digits: ArrayLike) -> None:
    """Show a reliability diagram: how often a confidence holds what it promises.

    The images are sorted into ten bins by their confidence, the highest of their ten outputs, each
    bin a tenth wide. A dot for each bin that has images: across, their mean confidence; up, the
    share of them that was read right, with its range of plus and minus two standard errors, the
    Agresti-Coull interval (A. Agresti and B. A. Coull, The American Statistician 52, 1998).

    Source of the diagram: A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with
    supervised learning", ICML 2005.

    Args:
        outputs: (N, 10) outputs of a network that ends in softmax, each from 0 to 1.
        digits: (N,), the true digits.

    Raises:
        LessonError: If the shapes or values are not those.
    """
    outputs = given.finite(outputs, "outputs")
    if outputs.ndim != 2 or outputs.shape[1] != 10 or not len(outputs):
        raise LessonError(f"outputs must have shape (N, 10), got {outputs.shape}.")
    outside = (outputs < 0) | (outputs > 1)
    if outside.any():
        raise LessonError(
            f"outputs must be from 0 to 1, got {outputs[outside][0]:.4g}. Take the outputs after "
            "softmax."
        )
    digits = given.digits(digits, "digits", len(outputs))
    confidence, right = outputs.max(axis=1), outputs.argmax(axis=1) == digits
    bins = np.minimum((10 * confidence).astype(int), 9)
    counts = np.bincount(bins, minlength=10)
    filled = counts > 0
    n = counts[filled]
    means = np.bincount(bins, confidence, 10)[filled] / n
    reads = np.bincount(bins, right, 10)[filled] / n
    middle = (n * reads + 2) / (n + 4)
    reach = 2 * np.sqrt(middle * (1 - middle) / (n + 4))
    lows, highs = np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
    figure, [axes] = page.charts(1, 4.6)
    axes.plot([0, 1], [0, 1], color=page.MUTED, linestyle="--", label="as sure as it should be")
    axes.vlines(means, lows, highs, color=page.BLUE, linewidth=1.4)
    axes.plot(
        means, reads, "o", color=page.BLUE, markersize=8, label="images of one range of confidence"
    )
    for x, y, count in zip(means, lows, n, strict=True):
        axes.annotate(
            f"{count:,.0f}",
            (x, y),
            (0, -5),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9.5,
            color=page.MUTED,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    axes.set(
        xlabel="mean confidence", ylabel="share read right", xlim=(0, 1.04), ylim=(-0.09, 1.04)
    )
    axes.set_title("Below a dot: how many images it stands for.", pad=10)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.arange(0, 1.1, 0.2))
        axis.set_major_formatter(page.tick)
    axes.grid(visible=True)
    page.legend(figure, [axes])
    told = [
        f"confidence {mean:.1%}: {read:.1%} right of {count:,.0f}"
        for mean, read, count in zip(means, reads, n, strict=True)
    ]
    page.show(figure, f"Reliability diagram of {len(digits):,} images. {'; '.join(told)}.")


@page.styled
def plot_robustness(curves: Mapping[str, Mapping[str, Any]]) -> None:
    """Show how accuracy falls as images are disturbed more, one panel a disturbance.

    Args:
        curves: Disturbance, with its unit, to {"levels": (n,), "accuracies": {name: (n,)}}.

    Raises:
        LessonError: If there is none, or levels and accuracies are not equally many.
    """
    given.dictionary(curves, "curves", "disturbance to its levels and accuracies")
    for disturbance, curve in curves.items():
        given.entries(curve, f"curves[{disturbance!r}]", ("levels", "accuracies"))
        called = f"curves[{disturbance!r}]['accuracies']"
        given.dictionary(curve["accuracies"], called, "name to an accuracy for each level")
    names = list(dict.fromkeys(name for curve in curves.values() for name in curve["accuracies"]))
    figure, charts = page.charts(len(curves), 3.5, sharey=True)
    told = []
    for axes, (disturbance, curve) in zip(charts, curves.items(), strict=True):
        levels = given.row(curve["levels"], f"curves[{disturbance!r}]['levels']")
        for name, values in curve["accuracies"].items():
            called = f"curves[{disturbance!r}]['accuracies'][{name!r}]"
            accuracies = given.row(values, called, len(levels), "the levels")
            axes.plot(levels, accuracies, label=name, **page.line(names.index(name)))
            told.append(
                f"{disturbance} {levels[0]:g} to {levels[-1]:g}, {name}: "
                f"{accuracies[0]:.0%} to {accuracies[-1]:.0%}"
            )
        axes.set(xlabel=disturbance, ylim=(0, 1.03))
        axes.yaxis.set_major_formatter(page.tick)
        axes.grid(visible=True, axis="y")
        axes.axhline(0.1, color=page.MUTED, linewidth=1, linestyle=":")
    charts[0].set_ylabel("accuracy")
    charts[0].text(
        0.03,
        0.12,
        "guessing",
        fontsize=9.5,
        color=page.MUTED,
        transform=charts[0].get_yaxis_transform(),
    )
    page.legend(figure, charts)
    page.show(figure, f"Accuracy by strength of disturbance. {'; '.join(told)}.")


@page.styled
def plot_journey(steps: Sequence[tuple[str, float, float, float | None]]) -> None:
    """Show the accuracy after every step of the series: the expected range and what was measured.

    Args:
        steps: (label, low, high, measured) each, accuracies from 0 to 1; measured may be None.

    Raises:
        LessonError: If there is none, or a range is not 0 <= low <= high <= 1.
    """
    if not isinstance(steps, (list, tuple)):
        raise LessonError(
            f"steps must be a list of (label, low, high, measured), got {given.kind(steps)}."
        )
    if not len(steps):
        raise LessonError("steps is empty: there is nothing to draw.")
    figure, [axes] = page.charts(1, 1.1 + 0.42 * len(steps))
    told, lowest = [], 1.0
    for row, step in enumerate(steps):
        if not isinstance(step, (tuple, list)) or len(step) != 4:
            found = given.kind(step)
            raise LessonError(f"steps[{row}] must be (label, low, high, measured), got {found}.")
        label, low, high, measured = step
        numbers = (low, high) if measured is None else (low, high, measured)
        if not all(isinstance(n, (int, float, np.number)) for n in numbers):
            raise LessonError(
                f"{shown(label)} must have numbers as its range and what was measured."
            )
        if not 0 <= low <= high <= 1:
            raise LessonError(
                f"{shown(label)} must have 0 <= low <= high <= 1, got {low} to {high}."
            )
        lowest = min(lowest, low, 1 if measured is None else measured)
        axes.barh(row, high - low, left=low, height=0.5, color=page.PALE, edgecolor=page.BLUE)
        told.append(f"{label}: expected {low:.1%} to {high:.1%}")
        if measured is None:
            continue
        inside = low <= measured <= high
        color, said = page.BLUE if inside else page.VERMILION, f"{measured:.1%}"
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
    axes.set(
        title="Bar: expected range. Dot and number: measured.", xlabel="accuracy on the test images"
    )
    axes.xaxis.set_major_formatter(page.tick)
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    page.show(figure, f"Accuracy after each step of the series. {'; '.join(told)}.")


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


class _ConfusedPair(NamedTuple):
    true_digit: int
    prediction: int
    times: int

    def __str__(self) -> str:
        return f"{self.true_digit} read as {self.prediction}, {self.times:,}"


def _confused_pairs(matrix: np.ndarray, pairs: int) -> list[_ConfusedPair]:
    """The pairs that are confused most, none with a count of 0."""
    mistakes = np.where(np.eye(10, dtype=bool), 0, matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:pairs]
    found = [_ConfusedPair(*divmod(int(i), 10), int(mistakes.flat[i])) for i in order]
    return [pair for pair in found if pair.times]
