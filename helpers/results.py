"""What each step of the series is expected to reach, and what it reached here.

The ranges stand in this one place: the lessons' prose and the README quote them, each lesson checks
its own results against them, and the last figure of the series draws them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from helpers import storage
from helpers.errors import LessonError, shown

# Relative to the notebook, so that all lessons of one folder share it.
RESULTS_FILE = storage.SAVED / "results.json"
# Set where nobody sits before the notebook: a result outside of its range is then a failure.
HEADLESS = "MNIST_LESSONS_HEADLESS"
LARGEST = 100_000  # bytes; a few hundred are usual
LONGEST_WAIT = 20  # seconds, for another process that keeps a result


class Expected(NamedTuple):
    """The range that a share of right answers falls into, whatever the machine and the seed."""

    label: str
    lesson: int
    low: float
    high: float
    journey: bool = False

    def __str__(self) -> str:
        low, high = 100 * self.low, 100 * self.high
        if high - low < 0.2:  # only rounding varies
            return f"{(low + high) / 2:.1f}%"
        return f"{low:g}–{high:g}%"


# Networks: the mean of ten trainings, from the seeds 0 to 9, and three standard deviations to
# either side, rounded outward to half a percent; tests/test_results.py has what each reached.
# Where nothing is trained, only rounding varies.
EXPECTED = {
    "nearest_mean": Expected("nearest mean image (no network)", 1, 0.8195, 0.8205, journey=True),
    "nearest_neighbor": Expected(
        "nearest neighbor (every tenth test image)", 1, 0.9675, 0.9685, journey=True
    ),
    "sigmoid": Expected("first network: sigmoid outputs", 2, 0.53, 0.785, journey=True),
    "softmax": Expected("softmax outputs", 3, 0.695, 0.89, journey=True),
    "no_hidden": Expected("softmax outputs, no hidden layer", 3, 0.91, 0.925, journey=True),
    "relu": Expected("ReLU in the hidden layers", 3, 0.92, 0.95, journey=True),
    "mini_batches": Expected("batches of 16, ten epochs (validation images)", 4, 0.925, 0.95),
    "rmsprop": Expected("RMSprop, batches of 16, ten epochs", 5, 0.955, 0.97, journey=True),
    "shifted": Expected("shifted by 3 pixels (validation)", 6, 0.37, 0.495),
    "shifted_retrained": Expected("shifted by 3 pixels, retrained (validation)", 6, 0.66, 0.78),
    "two_processes": Expected("two processes, one epoch of 12,000 images", 8, 0.875, 0.92),
}


def record(name: str, value: float) -> None:
    """Print a result beside its range, and keep it for the journey in lesson 6.

    A result outside of the range is something that you changed, or found: a line says so, and the
    lesson goes on. Where a lesson runs unattended (`make run`, `make check`, tests), it fails.

    The result is kept in `saved/results.json` beside the notebook; where that cannot be written, in
    the user's own data folder, and where that cannot be written either, nowhere: a line says so.

    Args:
        name: Which result: a key of `EXPECTED`.
        value: The share of images classified correctly, between 0 and 1.

    Raises:
        LessonError: If there is no such result, if the value is no share, if something is in the
            way of the file or damaged it, or, unattended, if the value is outside of its range.
    """
    expected = EXPECTED.get(name) if isinstance(name, str) else None
    if expected is None:
        raise LessonError(f"There is no result {shown(name)}; there are {', '.join(EXPECTED)}.")
    share = _number(value, expected.label)
    print(f"{expected.label}: {share:.1%} right (expected: {expected})")
    if not expected.low <= share <= expected.high:
        loaded = "".join(
            f" If the network is the one from {file}, that file may hold another: move it "
            "elsewhere and run the lesson again."
            for file in storage.networks_loaded
        )
        outside = "That is outside of what we expected: you changed something, or found something."
        if os.environ.get(HEADLESS):
            raise LessonError(f"{expected.label}: {share:.1%} right. {outside}{loaded}")
        print(outside + loaded)
    try:
        storage.keep(RESULTS_FILE, lambda file: _add(file, name, share))
    except OSError as error:
        line = f"This result is not kept for the journey: {storage.reason(error)}."
        if error.errno not in storage.UNWRITABLE:
            raise LessonError(f"{line} Move that elsewhere, and run this cell again.") from error
        storage.say_once(line)


def _number(value: object, label: str) -> float:
    try:
        if not isinstance(value, str | bytes | bool):
            share = float(value)  # type: ignore[arg-type]
            if 0 <= share <= 1:
                return share
    except (TypeError, ValueError, OverflowError, RuntimeError):  # torch's is a RuntimeError
        pass
    raise LessonError(f"{label}: the value is {shown(value)}, but it must be one number, 0 to 1.")


def _add(file: Path, name: str, share: float) -> None:
    """Add a result to those in `file`, while no other process does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_suffix(".lock")
    storage.check_plain(lock)
    try:
        with FileLock(lock, timeout=LONGEST_WAIT):
            _read(file)  # what may not be read is not replaced
            results = recorded() | {name: share}
            with storage.replacing(file) as replacement:
                replacement.write((json.dumps(results, indent=2) + "\n").encode())
    except Timeout as error:
        raise LessonError(
            f"{file} is still being written by another process after {LONGEST_WAIT} seconds. Close "
            "the other notebooks of this folder, and run this cell again."
        ) from error


def recorded() -> dict[str, float]:
    """Return the results that the lessons run in this folder have reached so far, by name.

    Raises:
        LessonError: The file of results is damaged, or something else is in its place.
    """
    results: dict[str, float] = {}
    for file in (RESULTS_FILE, storage.stand_in(RESULTS_FILE)):
        try:
            results |= {} if file is None else _read(file)
        except PermissionError as error:
            storage.say_once(f"Results kept in {file} are not shown: {storage.reason(error)}.")
        except OSError as error:
            raise LessonError(
                f"{file} cannot be read: {storage.reason(error)}. Move that elsewhere, and run "
                "this cell again."
            ) from error
    return results


def _read(file: Path) -> dict[str, float]:
    try:
        # utf-8-sig: an editor may have marked it.
        results = json.loads(storage.read(file, LARGEST).decode("utf-8-sig"))
        if not isinstance(results, dict):
            raise ValueError("it holds no results")
        for name, share in results.items():
            # Names that these lessons do not know may be another version's, and stay.
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                raise ValueError(f"{shown(name)} is {shown(share)}, not a number from 0 to 1")
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise LessonError(
            f"{file} cannot be read ({why}): move it elsewhere or delete it, and run this cell "
            "again."
        ) from error
    return {name: float(share) for name, share in results.items()}


def journey() -> list[tuple[str, float, float, float | None]]:
    """Return the steps of the series: label, lowest and highest expected, and reached here."""
    reached = recorded()
    return [
        (expected.label, expected.low, expected.high, reached.get(name))
        for name, expected in EXPECTED.items()
        if expected.journey
    ]
