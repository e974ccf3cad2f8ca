"""Figures of a training: losses and accuracies by step and by epoch, paths of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from helpers import given
from helpers.errors import LessonError
from helpers.plotting import page

GRAY = "#8A8A8A"  # of what is there to compare with: 3 : 1 on white


@page.styled
def plot_history(history: Mapping[str, Sequence[float]], earlier: ArrayLike | None = None) -> None:
    """Show loss and accuracy after each epoch; for a single epoch, the loss along its steps.

    Args:
        history: `trainer.history`, with "epoch", "train_loss", "train_accuracy", where measured
            "validation_loss" and "validation_accuracy", and "step_losses" for a single epoch. An
            epoch after which nothing was measured has NaN there: the line goes on to the next.
        earlier: "step_losses" of an earlier training, shape (steps,), drawn in gray behind those of
            a single epoch. None: nothing.

    Raises:
        LessonError: If the history is empty, its lists are not equally long, or there are several
            epochs to draw `earlier` behind.
    """
    rows = _history(history)
    epochs = rows["epoch"]
    if len(epochs) == 1 and np.size(history.get("step_losses", ())):
        runs = [given.row(history["step_losses"], "history['step_losses']")]
        _plot_one_epoch(runs if earlier is None else [*runs, given.row(earlier, "earlier")])
        return
    if earlier is not None:
        raise LessonError("earlier is drawn behind the steps of one epoch; leave it out here.")
    figure, charts = page.charts(2, 3.4)
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
            style = page.line(index) | {"linestyle": dashes}
            if part == "train":  # hollow, as in `plot_learning_curves`
                style["markerfacecolor"] = "white"
            axes.plot(epochs[measured], values, label=name, **style)
            said = f"{measure} on {name} from {page.number(values[0])} to {page.number(values[-1])}"
            if len(measured) < len(epochs):
                last = f"the last time after epoch {epochs[measured[-1]]:g}"
                said += f" (measured after {len(measured)} of {len(epochs)} epochs, {last})"
            told.append(said)
    page.legend(figure, charts)
    page.show(figure, f"Training over {len(epochs)} epochs: {'; '.join(told)}.")


def _plot_one_epoch(runs: Sequence[np.ndarray]) -> None:
    """Show the losses along the steps of one training, and in gray of an earlier one."""
    window = max(1, int(float(f"{min(map(len, runs)) / 60:.0e}")))  # round: 800, not 833
    means = [_running_mean(losses, window) for losses in runs]
    figure, [axes] = page.charts(1, 3.1)
    for run, label, color in zip(means, ("this", "earlier"), (page.BLUE, GRAY), strict=False):
        steps = np.arange(len(run)) + window
        axes.plot(steps, run, color=color, label=f"{label} training", zorder=2 + (run is means[0]))
    axes.set_title(f"Loss along the epoch: mean of the last {window:,} steps")
    highest = max(map(_largest, means))
    axes.set(xlabel="step", ylabel="loss", xlim=(0, len(runs[0])), ylim=(0, 1.15 * highest))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, axis="y")
    if len(runs) > 1:
        page.legend(figure, [axes])
    ends = [
        f"from {page.number(run[0])} at the beginning to {page.number(run[-1])} at the end"
        for run in means
    ]
    alt = (
        f"Loss along {len(runs[0]):,} steps of one epoch, as the mean of the last {window:,} "
        f"steps: {'; of an earlier training, in gray, '.join(ends)}."
    )
    page.show(figure, alt)


@page.styled
def plot_batch_sizes(results: Mapping[int, Mapping[str, float]]) -> None:
    """Show what the batch size costs and brings, for one epoch with each.

    Args:
        results: Batch size to {"seconds": time, "accuracy": 0 to 1, "steps": optimizer updates}.

    Raises:
        LessonError: If there are no results, or one of these is missing.
    """
    given.dictionary(results, "results", "batch size to what came out")
    formats = {"steps": "{:,.0f}", "seconds": "{:.2f} s", "accuracy": "{:.1%}"}
    for size, result in results.items():
        given.entries(result, f"results[{size!r}]", formats)
        given.row([result[key] for key in formats], f"results[{size!r}]")
    figure, charts = page.charts(3, 1.2 + 0.42 * len(results))
    for axes, (key, form) in zip(charts, formats.items(), strict=True):
        values = [float(result[key]) for result in results.values()]
        labels = list(results) if key == "steps" else [""] * len(results)
        page.bars(axes, labels, values, [form.format(value) for value in values])
        axes.set(title=key.capitalize(), xlim=(0, 1.5 * max(*values, 1e-9)))
    charts[0].set_ylabel("batch size")
    told = "; ".join(
        f"batch size {size}: {result['steps']:,.0f} steps, {result['seconds']:.2f} seconds, "
        f"accuracy {result['accuracy']:.1%}"
        for size, result in results.items()
    )
    page.show(figure, f"One epoch with each batch size, as bars. {told}.")


@page.styled
def plot_step_losses(step_losses: Mapping[int, ArrayLike]) -> None:
    """Show how noisy the loss is: the middle of each window of steps, and a band around it.

    An epoch is cut into up to 40 windows. The line is the mean of each, and nine in ten of its
    steps lie in the band, from the 5% to the 95% quantile.

    Args:
        step_losses: Batch size to the losses of its steps, as in `trainer.history["step_losses"]`.

    Raises:
        LessonError: If there are none, or a batch size is not a whole number from 1 up.
    """
    given.dictionary(step_losses, "step_losses", "batch size to the losses of its steps")
    figure, charts = page.charts(len(step_losses), 3.2, sharex=True, sharey=True)
    told, tops = [], []
    for axes, (key, row) in zip(charts, step_losses.items(), strict=True):
        size = given.whole_number(key, "each key of step_losses, a batch size,")
        losses = given.row(row, f"step_losses[{size}]")
        windows = np.array_split(losses, min(40, len(losses)))
        ends = np.cumsum([len(window) for window in windows])
        seen = size * (ends - np.array([len(window) / 2 for window in windows]))
        low, high = np.array([np.quantile(window, (0.05, 0.95)) for window in windows]).T
        means = np.array([window.mean() for window in windows])
        axes.fill_between(seen, low, high, color="#9CC3DC", linewidth=0)
        axes.plot(seen, means, color=page.VERMILION, linewidth=2.2)
        axes.set(title=f"batch size {size}", xlabel="images seen")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=True, axis="y")
        tops.append(max(_largest(means), _largest(high, 0.98)))
        told.append(
            f"batch size {size}: mean loss of the last steps {page.number(means[-1])}, nine in "
            f"ten of them between {page.number(low[-1])} and {page.number(high[-1])}"
        )
    charts[0].set(ylabel="loss", ylim=(0, 1.15 * max(tops)))
    title = "Line: mean loss of some steps. Band: nine in ten of their losses."
    figure.suptitle(title, x=0.015, ha="left", fontsize=11.5, weight="normal")
    page.show(figure, f"Loss by images seen, one panel a batch size. {'; '.join(told)}.")


@page.styled
def plot_learning_curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Compare trainings: loss and accuracy after each epoch, training dashed, validation solid.

    Args:
        histories: Name to `trainer.history`; NaN in it where nothing was measured.

    Raises:
        LessonError: If there is none, or one is empty, or its lists are not equally long.
    """
    given.dictionary(histories, "histories", "name to trainer.history")
    figure, charts = page.charts(2, 4.0)
    _by_epoch(charts)
    hollow: dict[str, Any] = {
        "linestyle": (0, (2, 2)),
        "linewidth": 1.2,
        "markerfacecolor": "white",
    }
    told = []
    for index, (name, history) in enumerate(histories.items()):
        rows = _history(history, f"histories[{name!r}]")
        epochs, solid = rows["epoch"], page.line(index) | {"linestyle": "-"}
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
                accuracy = page.number(rows[f"{part}_accuracy"][measured[-1]], ".1%")
                when = (
                    f" (epoch {epochs[measured[-1]]:g})" if measured[-1] < len(epochs) - 1 else ""
                )
                last.append(f"{accuracy} on {part.replace('train', 'training')} images{when}")
        told.append(f"{name} ends at {' and '.join(last)}")
    dashes = "solid, filled: validation images · dashed, hollow: training images"
    figure.supxlabel(dashes, fontsize=10.5, color=page.MUTED)
    page.legend(figure, charts)
    alt = "Learning curves: loss and accuracy by epoch, training dashed, validation solid. "
    page.show(figure, f"{alt}{'; '.join(told)}.")


@page.styled
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
    given.dictionary(paths, "paths", "name to positions")
    given.function(loss, "loss")
    arrays = {name: given.array(path, f"paths[{name!r}]") for name, path in paths.items()}
    for name, path in arrays.items():
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise LessonError(f"paths[{name!r}] must have shape (n, 2), got {path.shape}.")
        if not np.isfinite(path).all():
            raise LessonError(
                f"paths[{name!r}] runs away to infinity. Try a smaller learning rate."
            )
    points = np.concatenate(list(arrays.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.maximum(high - low, 1e-6)
    x, y = np.meshgrid(*np.linspace(low - margin, high + margin, 160).T)
    try:
        height = np.asarray(loss(x, y), float)
    except Exception as error:  # whatever the learner's function raises
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise LessonError(
            f"loss must compute numbers from two arrays, x and y, but failed: {reason}"
        ) from error
    if height.shape != x.shape:
        raise LessonError(
            f"loss must return as many numbers as it gets, of shape {x.shape}, got {height.shape}."
        )
    levels = height.min() + np.ptp(height) * np.linspace(0.02, 1, 11) ** 2
    columns = min(len(arrays), 2)
    rows = -(-len(arrays) // columns)
    figure, charts = page.charts(columns, 0.6 + 2.1 * rows, rows, sharex=True, sharey=True)
    told = []
    for axes, (name, path) in zip(charts, arrays.items(), strict=False):
        axes.contour(x, y, height, levels=levels, colors="#C4C4C4", linewidths=0.8)
        axes.plot(*path.T, color=page.BLUE, marker="o", markersize=3.5, linewidth=1.3)
        halo = [withStroke(linewidth=3, foreground="white")]  # no contour line runs through it
        axes.annotate("start", path[0], (5, 5), textcoords="offset points", path_effects=halo)
        end = float(loss(*path[-1]))
        reached = f"loss {end:.2g}" if abs(end) >= 0.001 else "loss below 0.001"
        told.append(f"{name}: {reached} after {len(path) - 1} steps")
        axes.set(xticks=[], yticks=[], title=told[-1])
        axes.spines[:].set(visible=True, color=page.RULE)
    for axes in charts[len(arrays) :]:
        axes.axis("off")
    figure.supxlabel("one weight", fontsize=10.5)
    figure.supylabel("another weight", fontsize=10.5)
    alt = (
        f"Paths of {len(arrays)} optimizers on the contour lines of one loss, from a start where "
        f"it is {float(loss(*points[0])):.2g}. {'; '.join(told)}."
    )
    page.show(figure, alt)


def _history(history: Mapping[str, Any], name: str = "history") -> dict[str, np.ndarray]:
    """What is drawn of a history, each as long as "epoch", NaN where nothing was measured."""
    if not isinstance(history, Mapping):
        raise LessonError(f"{name} must be trainer.history, got {given.kind(history)}.")
    needed = ("epoch", "train_loss", "train_accuracy")
    rows: dict[str, np.ndarray] = {}
    for key in (*needed, "validation_loss", "validation_accuracy"):
        values = given.array(history.get(key, ()), f"{name}[{key!r}]")
        if values.size:
            count = len(rows["epoch"]) if rows else None
            rows[key] = given.row(values, f"{name}[{key!r}]", count, "the epochs")
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


def _by_epoch(charts: Sequence[Axes]) -> None:
    """Prepare two charts, of the loss and of the accuracy after each epoch."""
    for axes, title in zip(charts, ("Loss", "Accuracy"), strict=True):
        axes.set(title=title, xlabel="epoch")
        axes.grid(visible=True, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
        axes.margins(x=0.02)  # so narrow that 0, which is no epoch, gets no tick
    charts[1].yaxis.set_major_formatter(page.tick)


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    return np.convolve(values, np.ones(window) / window, mode="valid")


def _largest(values: np.ndarray, quantile: float = 1) -> float:
    """The largest finite value: a training that diverged has others too."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, quantile)) if finite.size else 1.0
