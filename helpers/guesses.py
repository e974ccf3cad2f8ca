"""What a reader expects before a cell runs, set beside what came out."""

from __future__ import annotations

import re
from types import EllipsisType

from helpers.errors import LessonError, shown

_guessed: dict[str, str] = {}


def guess(name: str, letter: str | EllipsisType = ...) -> None:
    """Keep what you expect, and say nothing yet.

    Args:
        name: The name of the guess.
        letter: The letter of the answer that you expect. With the dots, you have no guess, which
            stops nothing.

    Raises:
        LessonError: `letter` is no letter.
    """
    _check_name(name)
    _guessed.pop(name, None)
    if letter is ...:
        return
    if not isinstance(letter, str) or not re.fullmatch(r"\s*[a-zA-Z]\s*", letter):
        raise LessonError(
            f'A guess is one letter in quotes, such as guess({name!r}, "a"), not {shown(letter)}.'
        )
    _guessed[name] = letter.strip().lower()


def reveal(name: str, **answers: object) -> None:
    """Set a guess beside what came out, in one line.

    Args:
        name: The name of the guess.
        **answers: Each letter, and whether its answer is true of what was measured here:
            `reveal("depth", a=accuracy < 0.5, b=accuracy >= 0.5)`.

    Raises:
        LessonError: No letters are given, or an answer is neither true nor false.
    """
    _check_name(name)
    if len(answers) < 2 or not all(re.fullmatch("[a-z]", letter) for letter in answers):
        raise LessonError(
            f"reveal({name!r}, a=…, b=…) takes two or more letters, and whether each is right."
        )
    right = [letter for letter, true in answers.items() if _truth(letter, true)]
    guessed = _guessed.get(name)
    if not right:
        yours = f"You guessed {guessed}, but here" if guessed else "Here"
        print(f"{yours} none of the answers came out: you changed something, or found something.")
        return
    result = " and ".join(right)
    if guessed is None:
        print(f"It is {result}. (You made no guess.)")
    elif guessed in right:
        print(f"You guessed {guessed}. It is {result}: you were right.")
    else:
        print(f"You guessed {guessed}. It is {result}.")


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise LessonError(f'A guess has a name, such as "depth", not {shown(name)}.')


def _truth(letter: str, value: object) -> bool:
    try:
        return bool(value)
    except (ValueError, TypeError, RuntimeError) as error:  # an array of several
        raise LessonError(
            f"{letter} must be true or false, got {shown(value)}: compare single numbers."
        ) from error
