"""Guesses: what was expected, set beside what came out, and nothing that stops a lesson."""

import re
from collections import Counter

import numpy as np
import pytest
import torch

from helpers import guesses
from helpers.errors import LessonError
from helpers.guesses import guess, reveal
from tools import LESSONS, SOLUTIONS, TEXTS, notebooks


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


# --- the lessons' guesses ------------------------------------------------------------------------


def right_letters(name):
    """The right letter of each guess, as the lesson's run found it, and of each exercise."""
    cells = notebooks.read_notebook(SOLUTIONS / f"{name}.ipynb").cells
    guessed, answered = {}, []
    for cell in cells:
        if cell.cell_type != "code":
            continue
        said = "".join(output.get("text", "") for output in cell.outputs)
        names = re.findall(r'\breveal\(\s*"([^"]+)"', cell.source)
        found = re.findall(r"(?m)^It is (.+)\. \(You made no guess\.\)$", said)
        assert len(names) == len(found), f"{name}: {cell.source} says {said}"
        guessed.update(zip(names, found, strict=True))
        if "solution" in cell.metadata.get("tags", []):
            answered += re.findall(r'(?m)^\w+ = "([a-z])"$', cell.source)
    return guessed, answered


@pytest.mark.parametrize("name", LESSONS)
def test_two_guesses_a_lesson_each_unanswered_and_revealed_later(name):
    text = (TEXTS / f"{name}.py").read_text("utf-8")
    asked = re.findall(r'(?m)^guess\("([^"]+)", \.\.\.\)', text)
    told = re.findall(r'(?m)^reveal\(\s*"([^"]+)"', text)
    assert len(asked) >= 2
    assert len(asked) == len(re.findall(r"\bguess\(", text)), "dots where the reader's letter goes"
    assert sorted(asked) == sorted(told)
    assert len(set(asked)) == len(asked)
    for guessed in asked:
        revealed = re.search(rf'\breveal\(\s*"{re.escape(guessed)}"', text)
        assert text.index(f'guess("{guessed}"') < revealed.start()


@pytest.mark.parametrize("name", LESSONS)
def test_one_letter_is_right(name):
    guessed, _ = right_letters(name)
    assert [letter for letter in guessed.values() if not re.fullmatch("[a-d]", letter)] == []


def test_right_letters_are_spread_evenly_over_the_series():
    letters = Counter(
        letter
        for name in LESSONS
        for found in right_letters(name)
        for letter in (found.values() if isinstance(found, dict) else found)
    )
    most, least = max(letters[each] for each in "abc"), min(letters[each] for each in "abc")
    assert most - least <= 2, letters
