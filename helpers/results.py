"""What each step of the series is expected to reach, and what it reached here.

The ranges stand in this one place: the lessons' prose and the README quote them, each lesson checks
its own results against them, and the last figure of the series draws them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from helpers.errors import LessonError

# Relative to the notebook, so that all lessons of one folder share it.
RESULTS_FILE = Path("saved/results.json")


class Expected(NamedTuple):
    """The range that a share of right answers falls into, whatever the machine and the seed."""

    label: str
    lesson: int
    low: float
    high: float
    journey: bool = False

    def __str__(self) -> str:
        return f"{100 * self.low:g}–{100 * self.high:g}%"


EXPECTED = {
    "nearest_mean": Expected("nearest mean image (no network)", 1, 0.80, 0.84, journey=True),
    "sigmoid": Expected("first network: sigmoid outputs", 2, 0.58, 0.70, journey=True),
    "softmax": Expected("softmax outputs", 3, 0.66, 0.86, journey=True),
    "relu": Expected("ReLU in the hidden layers", 3, 0.92, 0.95, journey=True),
    "mini_batches": Expected("batches of 16, ten epochs (validation images)", 4, 0.91, 0.96),
    "rmsprop": Expected("RMSprop, batches of 16, ten epochs", 5, 0.955, 0.972, journey=True),
    "shifted": Expected("images shifted by 3 pixels", 6, 0.36, 0.60),
    "shifted_retrained": Expected("images shifted by 3 pixels, retrained", 6, 0.70, 0.90),
    "two_processes": Expected("two processes, one epoch of 12,000 images", 7, 0.86, 0.93),
}


def record(name: str, value: float) -> None:
    """Check a result against its range, print it, and keep it for the journey in lesson 6.

    Args:
        name: Which result: a key of `EXPECTED`.
        value: The share of images classified correctly, between 0 and 1.

    Raises:
        LessonError: If the value is outside the expected range.
    """
    expected = EXPECTED[name]
    value = float(value)
    print(f"{expected.label}: {value:.1%} right (expected: {expected})")
    if not expected.low <= value <= expected.high:
        raise LessonError(
            f"{expected.label}: {value:.1%} right, but this lesson expects {expected}. If you "
            "changed the recipe or the digits, this is what your change does; otherwise restart "
            "the kernel and run all cells."
        )
    RESULTS_FILE.parent.mkdir(exist_ok=True)
    with FileLock(RESULTS_FILE.with_suffix(".lock")):
        results = recorded() | {name: value}
        temporary = RESULTS_FILE.with_suffix(".tmp")
        temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        temporary.replace(RESULTS_FILE)


def recorded() -> dict[str, float]:
    """Return the results that the lessons run in this folder have reached so far, by name."""
    try:
        return json.loads(RESULTS_FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LessonError(f"{RESULTS_FILE} cannot be read ({error}): delete it.") from error


def journey() -> list[tuple[str, float, float, float | None]]:
    """Return the steps of the series: label, lowest and highest expected, and reached here."""
    reached = recorded()
    return [
        (expected.label, expected.low, expected.high, reached.get(name))
        for name, expected in EXPECTED.items()
        if expected.journey
    ]
