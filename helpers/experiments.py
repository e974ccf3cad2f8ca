"""Recipes compared fairly: each trained several times, all under the same conditions.

One training says little: another seed gives other first weights and another order of the images,
and with them another accuracy. `compare` trains each recipe with several seeds and returns all
accuracies, so that a difference between recipes can be set beside the differences between seeds.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from helpers import given
from helpers.config import Config
from helpers.errors import DivergenceError, InterruptError, LessonError, shown
from helpers.training import Classifier, Trainer, predict


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """What `compare` measured. `print` shows a line for each recipe: its mean and its range.

    Attributes:
        names: The recipes' names, in the order in which they were given.
        seeds: The seeds.
        accuracies: Accuracies on the validation images after the training, between 0 and 1: float64
            of shape (recipes, seeds). NaN where a training was interrupted, or diverged.
    """

    names: tuple[str | float, ...]
    seeds: tuple[int, ...]
    accuracies: NDArray[np.float64]

    def of(self, name: str | float) -> NDArray[np.float64]:
        """Return the accuracies of one recipe, of shape (seeds,).

        Raises:
            LessonError: There is no recipe of that name.
        """
        if name not in self.names:
            there = ", ".join(map(repr, self.names))
            raise LessonError(f"The comparison has no {shown(name)}, only {there}.")
        accuracies: NDArray[np.float64] = self.accuracies[self.names.index(name)]
        return accuracies

    def difference(self, one: str | float, other: str | float) -> Difference:
        """Return how much better `one` is than `other`, seed by seed.

        With the same seed, both saw the images in the same order, so each pair of runs differs in
        the recipe alone.

        Raises:
            LessonError: There is no recipe of one of the names.
        """
        return Difference(one, other, self.seeds, self.of(one) - self.of(other))

    def __repr__(self) -> str:
        """Show a line for each recipe: mean, lowest and highest accuracy."""
        width = max(len(str(name)) for name in self.names)
        lines = [f"{'':{width}}   mean   lowest to highest of {_runs(len(self.seeds))}"]
        for name, row in zip(self.names, self.accuracies, strict=True):
            done = row[~np.isnan(row)]
            line = f"{name!s:{width}}  no run came to its end"
            if len(done):
                line = f"{name!s:{width}}  {done.mean():5.1%}  {_range(done)}"
            if 0 < len(done) < len(row):
                line += f"  (of {_runs(len(done))})"
            lines.append(line)
        return "\n".join(lines)


@dataclass(frozen=True, repr=False, eq=False)
class Difference:
    """The accuracies of one recipe minus those of another, seed by seed.

    Attributes:
        one: The name of the first recipe.
        other: The name of the one that is subtracted.
        seeds: The seeds.
        shares: The differences, float64 of shape (seeds,): 0.01 is one percentage point. NaN where
            one of the two has no result.
    """

    one: str | float
    other: str | float
    seeds: tuple[int, ...]
    shares: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The mean over the seeds that have a result; NaN if none has."""
        done = self.shares[~np.isnan(self.shares)]
        return float(done.mean()) if len(done) else math.nan

    def __repr__(self) -> str:
        """Show the mean difference and that of each seed, in percentage points, on one line."""
        each = ", ".join(_points(share) for share in self.shares)
        return (
            f"{self.one} minus {self.other}: {_points(self.mean)} percentage points on average; "
            f"seed by seed {each}"
        )


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _range(accuracies: NDArray[np.float64]) -> str:
    low, high = 100 * accuracies.min(), 100 * accuracies.max()
    return f"{low:.1f} to {high:.1f}%"


def _points(share: float) -> str:
    rounded = round(100 * share, 1)
    if not rounded:
        return "0.0"
    return "no result" if math.isnan(share) else f"{rounded:+.1f}".replace("-", "−")


def compare(
    recipes: Mapping[str | float, Config],
    train_dataloader: DataLoader,
    validation_dataloader: DataLoader,
    seeds: int = 3,
    epochs: int = 1,
    accelerator: str = "auto",
) -> Comparison:
    """Train each recipe with each seed, and measure what it reads right of the validation images.

    A seed decides the first weights, and then, set once more, the order of the images: with the
    same seed, all recipes see the same images in the same order. (A recipe with layers that draw
    random numbers while they are trained, such as Dropout, does so for the first epoch.) Recipes
    of different sizes still have different first weights.

    All recipes learn from the same mini-batches. To compare batch sizes, call it once for each.

    Args:
        recipes: Name to recipe of a classifier. A name may be a number, as in
            `{rate: recipe.optimizer(SGD, lr=rate) for rate in (0.1, 1)}`, which `plot_sweep` draws.
        train_dataloader: The images to learn from, shuffled.
        validation_dataloader: The images to measure with, none of them among those to learn from.
        seeds: How many trainings each recipe gets, with the seeds 0, 1, 2, ...
        epochs: How long each training is.
        accelerator: What to compute on, as for Lightning's Trainer: "cpu", "gpu", ..., or "auto".

    Returns:
        The accuracies by recipe and seed. If you interrupt it, those of the trainings that had
        come to their end, and NaN for the rest, which a line says; a training whose loss is no
        finite number any more counts as NaN too, which another line says.

    Raises:
        LessonError: If an argument is not what it should be. All recipes are tried out before the
            first training begins.
    """
    names, configs = _checked(recipes)
    given.dataloader(train_dataloader, "train_dataloader")
    given.dataloader(validation_dataloader, "validation_dataloader")
    seeds, epochs = given.whole_number(seeds, "seeds"), given.whole_number(epochs, "epochs")
    accuracies = np.full((len(names), seeds), np.nan)
    # Seed by seed, so that an interrupt leaves runs that can be compared with one another.
    runs = [(row, seed) for seed in range(seeds) for row in range(len(names))]
    said: dict[str, None] = {}
    bar = tqdm(
        runs, bar_format="{desc} {percentage:3.0f}% {bar} {elapsed} < {remaining}", leave=False
    )
    # What is trained after this must not depend on how much was compared.
    with bar, torch.random.fork_rng(devices=[]):
        for done, (row, seed) in enumerate(bar):
            bar.set_description(f"{names[row]}, seed {seed}")
            try:
                trainer = Trainer(
                    max_epochs=epochs, accelerator=accelerator, enable_progress_bar=False
                )
                accuracies[row, seed] = _accuracy(
                    configs[row], train_dataloader, validation_dataloader, seed, trainer, said
                )
            except DivergenceError as error:
                said[f"{names[row]}, seed {seed}: no result. {error}"] = None
            except (InterruptError, KeyboardInterrupt):
                said[
                    f"Interrupted after {done} of {_runs(len(runs))}: those are kept, the others "
                    "are NaN."
                ] = None
                break
    for line in said:
        print(line)
    return Comparison(tuple(names), tuple(range(seeds)), accuracies)


def _checked(recipes: object) -> tuple[list[str | float], list[Config]]:
    """Return names and recipes, after each recipe has made a classifier."""
    if not isinstance(recipes, Mapping) or not recipes:
        raise LessonError(
            f"recipes must be a dictionary, name to recipe, with at least one, got {shown(recipes)}"
            '. Write {"ReLU": with_relu}.'
        )
    for name, recipe in recipes.items():
        if isinstance(name, bool) or not isinstance(name, str | Real):
            raise LessonError(f"recipes: a name must be text or a number, got {shown(name)}.")
        if not isinstance(recipe, Config):
            raise LessonError(
                f"recipes[{name!r}] must be a recipe, Config().…, got {given.kind(recipe)}."
            )
        with torch.random.fork_rng(devices=[]):
            recipe.create(Classifier)
    names = [name.item() if isinstance(name, np.generic) else name for name in recipes]
    return names, list(recipes.values())


def _accuracy(
    recipe: Config,
    train_dataloader: DataLoader,
    validation_dataloader: DataLoader,
    seed: int,
    trainer: Trainer,
    said: dict[str, None],
) -> float:
    """Train once; return the share of validation images read right."""
    torch.manual_seed(seed)
    classifier = recipe.create(Classifier)
    # Again: larger networks drew more random numbers for their weights.
    torch.manual_seed(seed)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            trainer.fit(classifier, train_dataloader)
    finally:
        # Each training would say the same of its recipe: once is enough.
        said.update(dict.fromkeys(output.getvalue().splitlines()))
    outputs, digits = predict(classifier, validation_dataloader)
    return float((outputs.argmax(dim=1) == digits).double().mean())
