"""Figures of experiments: recipes that were trained several times each."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from helpers import given
from helpers.errors import LessonError
from helpers.plotting import page

if TYPE_CHECKING:  # it brings torch, which takes seconds to import
    from helpers.experiments import Comparison

MOST_PLACES = 9  # on an axis, each with its own number


@page.styled
def plot_comparison(comparison: Comparison) -> None:
    """Show each training of each recipe as a dot, and the recipe's mean as a line across.

    Args:
        comparison: What `compare` returned. Trainings without a result are left out.

    Raises:
        LessonError: If it is something else, or no training has a result.
    """
    accuracies = _comparison(comparison, "comparison").accuracies
    labels = [fill(str(name), 28) for name in comparison.names]
    lines = sum(label.count("\n") + 1 for label in labels)
    figure, [axes] = page.charts(1, 1.2 + 0.3 * len(labels) + 0.2 * lines)
    told = []
    for row, (name, values) in enumerate(zip(comparison.names, accuracies, strict=True)):
        done = ~np.isnan(values)
        if not done.any():
            page.write(
                axes, 0.5, row, "no result", transform=axes.get_yaxis_transform(), color=page.MUTED
            )
            told.append(f"{name}: no result")
            continue
        # The same seed lies at the same height of each row, so that pairs can be followed.
        heights = row + np.linspace(-0.2, 0.2, len(values))[done] if len(values) > 1 else [row]
        mean = values[done].mean()
        axes.plot(
            [mean, mean], [row - 0.36, row + 0.36], color=page.VERMILION, linewidth=2.4, zorder=3
        )
        axes.plot(values[done], heights, "o", color=page.BLUE, markersize=6.5, zorder=4, alpha=0.85)
        axes.annotate(
            f"{mean:.1%}",
            (1, row),
            (8, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color=page.VERMILION,
            weight="bold",
        )
        told.append(_told(name, values[done]))
    axes.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.45, -0.55))
    axes.set(xlabel="accuracy on the validation images")
    axes.set_title("Dot: one training. Line and number: the mean.", pad=10)
    axes.margins(x=0.06)
    axes.xaxis.set_major_formatter(page.tick)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.grid(visible=True, axis="x")
    for row in range(1, len(labels)):
        axes.axhline(row - 0.5, color=page.RULE, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    page.show(
        figure, f"Accuracy on the validation images, a dot for each training. {'; '.join(told)}."
    )


@page.styled
def plot_sweep(comparisons: Mapping[str | float, Comparison], xlabel: str) -> None:
    """Show the accuracy over a number that was varied: a dot for each training, a line of means.

    Args:
        comparisons: The name of each line to what `compare` returned for it, where the names of the
            recipes are the numbers, each more than 0: `{"SGD": compare({0.1: …, 1: …}, …)}`.
        xlabel: What the numbers are, such as "learning rate". Their axis is logarithmic.

    Raises:
        LessonError: If there is nothing to draw, or a recipe's name is no such number.
    """
    given.dictionary(comparisons, "comparisons", "name to what compare returned")
    lines = {
        str(label): _by_number(comparison, f"comparisons[{label!r}]")
        for label, comparison in comparisons.items()
    }
    places = np.unique(np.concatenate([numbers for numbers, _ in lines.values()]))
    # Side by side, line by line and seed by seed, so that no mark hides another.
    gap = np.diff(np.log(places)).min() if len(places) > 1 else 1
    seeds = max(accuracies.shape[1] for _, accuracies in lines.values())
    step = gap * min(0.6 / (len(lines) * seeds), 0.1)
    figure, [axes] = page.charts(1, 4.2)
    told = []
    for index, (label, (numbers, accuracies)) in enumerate(lines.items()):
        style = page.line(index)
        x = numbers * np.exp(step * seeds * (index - (len(lines) - 1) / 2))
        done = ~np.isnan(accuracies)
        kept = done.any(axis=1)
        means = np.array([row[row == row].mean() for row in accuracies[kept]])
        axes.plot([], [], label=label, **style)
        axes.plot(x[kept], means, **style | {"marker": ""})
        count = accuracies.shape[1]
        marks = np.outer(x, np.exp(step * (np.arange(count) - (count - 1) / 2)))
        axes.plot(marks[done], accuracies[done], style["marker"], color=style["color"], alpha=0.8)
        each = [f"{mean:.1%} at {at:g}" for at, mean in zip(numbers[kept], means, strict=True)]
        each += [f"no result at {at:g}" for at in numbers[~kept]]
        told.append(f"{label}: {', '.join(each)}")
    axes.set(xscale="log", xlabel=xlabel, ylabel="accuracy on the validation images")
    axes.set_title("Mark: one training. Line: the means.", pad=10)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=True)
    if len(places) <= MOST_PLACES:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.minorticks_off()
    page.legend(figure, [axes])
    page.show(figure, f"Mean accuracy by {xlabel}, a mark for each training. {'; '.join(told)}.")


def _by_number(comparison: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that are the recipes' names, from small to large, and the accuracies of each."""
    accuracies, numbers = _comparison(comparison, name).accuracies, comparison.names
    for number in numbers:
        if isinstance(number, str) or not 0 < number < np.inf:
            raise LessonError(
                f"{name}: the recipes' names must be numbers more than 0, got {number!r}. "
                "plot_comparison draws recipes with any names."
            )
    order = np.argsort(numbers)
    return np.array(numbers, float)[order], accuracies[order]


def _comparison(value: Any, name: str) -> Comparison:
    """What `compare` returned, with at least one result in it."""
    from helpers.experiments import Comparison

    if not isinstance(value, Comparison):
        raise LessonError(f"{name} must be what compare returned, got {given.kind(value)}.")
    if np.isnan(value.accuracies).all():
        raise LessonError(f"{name} has no result to draw: run compare again.")
    return value


def _told(name: str | float, accuracies: np.ndarray) -> str:
    low, high = accuracies.min(), accuracies.max()
    return f"{name}: mean {accuracies.mean():.1%}, from {low:.1%} to {high:.1%}"
