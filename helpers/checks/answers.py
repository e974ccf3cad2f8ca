"""What all checks share: how they speak, the kinds of answers, and the hints for them."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import math
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from numbers import Number
from typing import Any

import numpy as np

from helpers.errors import LessonError, one_line, shown


class NotYet(Exception):  # noqa: N818 (an answer, not an error)
    """The hint for an answer of which there is nothing to go on with."""


def check(right: str) -> Callable[[Callable[..., str | None]], Callable[..., None]]:
    """Turn a function that returns a hint, or None for a right answer, into a check that prints.

    Args:
        right: What to add to "Right." when the answer is.
    """

    def decorate(find_hint: Callable[..., str | None]) -> Callable[..., None]:
        @functools.wraps(find_hint)
        def check(*answers: Any, **named_answers: Any) -> None:
            if any(answer is ... for answer in (*answers, *named_answers.values())):
                _say("Not yet: replace the dots by your answer and run this cell again.")
                return
            try:
                with _nothing_left_behind():
                    hint = find_hint(*answers, **named_answers)
            except (NotYet, LessonError) as reason:
                hint = str(reason)
            except KeyboardInterrupt:
                hint = "interrupted while your function was running: does each loop in it end?"
            except (Exception, SystemExit) as error:  # a learner's code may do what it likes
                said = one_line(str(error))
                hint = f"checking your answer failed with {type(error).__name__}: {said}"
            _say(f"Right. {right}" if hint is None else f"Not yet: {hint}")

        return check

    return decorate


def _say(verdict: str) -> None:
    """Print a verdict; where nbgrader grades, raise it unless it is "Right", as it expects."""
    if os.environ.get("NBGRADER_EXECUTION") and not verdict.startswith("Right."):
        raise LessonError(verdict)
    print(verdict)


@contextlib.contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Run a learner's function without warnings, and with random numbers of its own.

    They are the same each time, and so is the verdict; the notebook's own go on as if nothing had
    been drawn. Checks try numbers that overflow on purpose, so a warning would tell nothing.
    """
    torch = sys.modules.get("torch")  # not imported for lesson 1, which does without
    states = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(0)
    np.random.seed(0)
    if torch:
        torch.default_generator.manual_seed(0)  # torch.manual_seed would seed the GPUs as well
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch:
            torch.set_rng_state(states[2])


def as_float(answer: Any) -> float | None:
    """Return one real number of any type as a float, and None for anything else.

    Numbers are Python's, its fractions and decimals, NumPy's, torch's, and their arrays that hold
    one number; but no `bool`, which is what a comparison leaves.
    """
    with contextlib.suppress(Exception):  # no array, or one of several numbers
        answer = answer.item()
    if isinstance(answer, bool) or not isinstance(answer, Number):
        return None
    number: Any = answer  # `Number` itself promises neither part
    if number.imag != 0:
        return None
    try:
        return float(number.real)
    except OverflowError:
        return math.inf if number.real > 0 else -math.inf


def number(name: str, answer: Any, several: str = "take the one that is asked for") -> float:
    """Return the number that is the answer called `name`.

    Args:
        name: What the lesson calls the answer.
        answer: The answer.
        several: What to do with an answer that holds several numbers.

    Raises:
        NotYet: The answer is something else, or NaN.
    """
    number = as_float(answer)
    if number is not None and not math.isnan(number):
        return number
    advice, shape = "", getattr(answer, "shape", ())
    if number is not None:
        advice = ": NaN means “not a number”"
    elif isinstance(answer, str) and any(character.isdigit() for character in answer):
        advice = ": leave the quotes out"
    elif inspect.isroutine(answer):
        advice = ": call it, with `()`"
    elif isinstance(answer, Mapping) and "test_accuracy" in answer:
        advice = ": `trainer.test` returns a dictionary, take its 'test_accuracy'"
    elif isinstance(answer, tuple):
        advice = ": write it without commas, and decimals after a point"
    elif isinstance(answer, list) or (isinstance(shape, tuple) and shape):
        advice = f": {several}"
    raise NotYet(f"`{name}`: expected one number, got {shown(answer)}{advice}.")


def share(name: str, answer: Any, several: str = "take the one that is asked for") -> float:
    """Return the accuracy that is the answer called `name`; arguments and errors as `number`."""
    share = number(name, answer, several)
    if 0 <= share <= 1:
        return share
    percent = " Divide percent by 100." if 1 < share <= 100 else ""
    raise NotYet(f"an accuracy is a share between 0 and 1; `{name}` is {share:.10g}.{percent}")


def off(number: float, right: float) -> str:
    """Say on which side of the right number a wrong one is."""
    return f"{number:.10g} is too {'high' if number > right else 'low'}."


def slip(number: float, slips: Mapping[Any, str], within: float = 0.0) -> str | None:
    """Return the hint of the wrong number that `number` is, give or take a part `within` of it."""
    for wrong, hint in slips.items():
        if abs(number - wrong) <= within * abs(wrong):
            return hint
    return None


def wrong_letter(name: str, answer: Any, hints: dict[str, str]) -> str | None:
    """Return a hint unless the answer called `name` is the one letter of a, b and c without one."""
    letter = answer.strip(" .:()'\"\n").lower() if isinstance(answer, str) else ""
    if letter not in {"a", "b", "c"}:
        return f"`{name}` is {shown(answer)}; expected 'a', 'b' or 'c'."
    return hints.get(letter)


def call(name: str, function: Any, *given: Any) -> Any:
    """Return what a learner's function returns for copies of what is `given`.

    Raises:
        NotYet: It is no function, returns nothing, or writes into the arrays that it is given.
    """
    if not callable(function):
        raise NotYet(f"`{name}` should be a function, and is {shown(function)}.")
    copies = copy.deepcopy(given)
    answer = function(*copies)
    if answer is None or answer is ...:
        raise NotYet(f"`{name}` returns nothing yet: end it with `return`.")
    if isinstance(answer, Iterator):
        answer = list(islice(answer, 100_000))  # a generator may have no end
    if not _equal(copies, given):
        raise NotYet(f"`{name}` changes what it is given: make a new array (no `-=`).")
    return answer


def _equal(one: Any, other: Any) -> bool:
    """Say whether two are the same: arrays, tensors and numbers, also in lists of these."""
    if isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    return np.array_equal(one, other)


def call_with_either(
    name: str, function: Any, first: tuple[Any, ...], second: tuple[Any, ...]
) -> Any:
    """Return what a learner's function returns for what is `first`, or `second` if that fails.

    NumPy's arrays and torch's tensors hold the same numbers, and a function for one kind may not
    take the other. If it takes neither, the error is that of the first.
    """
    try:
        return call(name, function, *first)
    except NotYet:
        raise
    except Exception as error:
        try:
            return call(name, function, *second)
        except NotYet:
            raise
        except Exception:
            raise error from None


def numbers(name: str, answer: Any, expected: str) -> np.ndarray:
    """Return the numbers in what the function called `name` returned, as an array of floats.

    Raises:
        NotYet: It returned something else than what is `expected`, said in words.
    """
    if hasattr(answer, "detach"):  # torch gives no numbers of a tensor that has a gradient
        answer = answer.detach().cpu()
    try:
        array = np.asarray(answer, dtype=object)
    except ValueError:
        array = np.array(None)  # lists of different lengths within a list
    numbers = [as_float(number) for number in array.flat]
    if None in numbers:
        raise NotYet(f"`{name}` returns a {type(answer).__name__}; expected {expected}.")
    return np.array(numbers, dtype=float).reshape(array.shape)
