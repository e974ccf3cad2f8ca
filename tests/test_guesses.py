"""Guesses: what was expected, set beside what came out, and nothing that stops a lesson."""

import numpy as np
import pytest
import torch

from helpers import guesses
from helpers.errors import LessonError
from helpers.guesses import guess, reveal


@pytest.fixture(autouse=True)
def _nothing_guessed(monkeypatch):
    monkeypatch.setattr(guesses, "_guessed", {})


@pytest.mark.parametrize("letter", ["a", "A", " a "])
def test_a_guess_says_nothing_until_it_is_set_beside_the_result(letter, capsys):
    assert guess("depth", letter) is None
    assert capsys.readouterr().out == ""
    reveal("depth", a=False, b=True)
    assert capsys.readouterr().out == "You guessed a. It is b.\n"
    reveal("depth", a=True, b=False)
    assert capsys.readouterr().out == "You guessed a. It is a: you were right.\n"


@pytest.mark.parametrize("guessed", [[], [("depth",)], [("depth", ...)], [("other", "a")]])
def test_no_guess_stops_nothing(guessed, capsys):
    for arguments in guessed:
        guess(*arguments)
    reveal("depth", a=True, b=False)
    assert capsys.readouterr().out == "It is a. (You made no guess.)\n"


def test_a_guess_can_be_changed_and_taken_back(capsys):
    guess("depth", "a")
    guess("depth", "b")
    reveal("depth", a=False, b=True)
    guess("depth")
    reveal("depth", a=False, b=True)
    assert capsys.readouterr().out.splitlines() == [
        "You guessed b. It is b: you were right.",
        "It is b. (You made no guess.)",
    ]


def test_the_run_decides_which_letter_is_right(capsys):
    guess("accuracy", "c")
    for accuracy in (np.float64(0.3), torch.tensor(0.6), 0.95, float("nan")):
        reveal("accuracy", a=accuracy < 0.5, b=0.5 <= accuracy < 0.9, c=accuracy >= 0.9)
    assert capsys.readouterr().out.splitlines() == [
        "You guessed c. It is a.",
        "You guessed c. It is b.",
        "You guessed c. It is c: you were right.",
        "You guessed c, but here none of the answers came out: you changed something, or found "
        "something.",
    ]


def test_several_answers_may_be_true(capsys):
    guess("x", "b")
    reveal("x", a=True, b=True, c=False)
    assert capsys.readouterr().out == "You guessed b. It is a and b: you were right.\n"


@pytest.mark.parametrize("letter", ["", "ab", "1", 1, None, ["a"], "ä", b"a"])
def test_what_is_no_letter_is_one_line_and_no_guess(letter, capsys):
    guess("x", "a")
    with pytest.raises(LessonError, match="^A guess is one letter in quotes") as caught:
        guess("x", letter)
    assert "\n" not in str(caught.value)
    reveal("x", a=True, b=False)
    assert capsys.readouterr().out == "It is a. (You made no guess.)\n"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: guess(1, "a"), "A guess has a name"),
        (lambda: reveal(None, a=True, b=False), "A guess has a name"),
        (lambda: reveal("x"), "two or more letters"),
        (lambda: reveal("x", a=True), "two or more letters"),
        (lambda: reveal("x", right=True, b=False), "two or more letters"),
        (lambda: reveal("x", a=np.array([True, False]), b=False), "a must be true or false"),
    ],
)
def test_a_wrong_argument_is_one_line(call, says):
    with pytest.raises(LessonError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
