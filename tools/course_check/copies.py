"""A copy beside the lesson: which of its cells are the lesson's, and what was done to them.

Cells are found by their id, and where ids were lost by their content and their place. What is the
lesson's own runs as the lesson has it; the learner's answers, and cells that the learner added, run
as they are, each where it stands.
"""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from nbformat import NotebookNode

from helpers.errors import one_line

ANSWER, CHECK, SETUP = "exercise", "exercise-check", "setup"  # tags of cells
GUESS = re.compile(r"(\bguess\([^(),]*,)[^()]*\)")
SKIP_LINE = re.compile(r"(?i)#\s*(nbval|pytest)\w*")  # by which nbval leaves a cell out
CALL = re.compile(r"\b(check_\w+)\(")
# Tags by which programs skip a cell, or take its failure for a success.
SKIPPING = {"nbval-skip", "raises-exception", "nbval-raises-exception", "skip-execution"}
ALIKE = 0.4  # how much a cell without an id must resemble the lesson's to be taken for it
MOST_ALIKE = 100  # cells of a copy that are compared with one of the lesson's
LONGEST_SOURCE = 20_000  # characters of a cell that is looked at closely
ENOUGH = 0.25  # the part of a lesson's code cells that a copy of it still has

Kind = Literal["lesson", "answer", "check", "own"]


@dataclass(frozen=True)
class Cell:
    """A code cell of a lesson."""

    id: str
    source: str
    tags: frozenset[str]

    @property
    def kind(self) -> Kind:
        """What the cell is for."""
        return "answer" if ANSWER in self.tags else "check" if CHECK in self.tags else "lesson"


@dataclass(frozen=True)
class Exercise:
    """An exercise of a lesson: its answer cell, its check, and what the check takes."""

    answer: str  # the cells' ids
    cell: str
    check: str
    arguments: tuple[str, ...]  # expressions
    named: dict[str, str]


@dataclass(frozen=True)
class Lesson:
    """A lesson as a class is given it."""

    name: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class Step:
    """A cell to run: as the lesson or as the learner has it."""

    kind: Kind
    source: str
    id: str = ""
    place: int = 0  # in the copy, counted from 1; 0 where the copy does not have it
    unanswered: bool = False


@dataclass
class Plan:
    """What is run of a copy, in order, and how it differs from its lesson."""

    lesson: Lesson
    steps: list[Step]
    changes: list[str] = field(default_factory=list)
    changed: int = 0  # cells
    missing: set[str] = field(default_factory=set)  # ids of answer cells
    tampered: bool = False  # a check cell is not the lesson's


def lesson(name: str, notebook: NotebookNode) -> Lesson:
    """Return a lesson, read from its learner's notebook.

    Raises:
        ValueError: A check cell is not one, or follows no answer.
    """
    cells: list[Cell] = []
    exercises: list[Exercise] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        one = Cell(cell.id, cell.source, frozenset(cell.metadata.get("tags", [])))
        if one.kind == "check":
            answers = [before.id for before in cells if before.kind == "answer"]
            if len(answers) != len(exercises) + 1:
                raise ValueError(f"{name}: the check cell {one.id} follows no answer of its own")
            exercises.append(_exercise(answers[-1], one))
        cells.append(one)
    return Lesson(name, tuple(cells), tuple(exercises))


def _exercise(answer: str, cell: Cell) -> Exercise:
    calls = [
        (node.func.id, node)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("check_")
    ]
    if len(calls) != 1:
        raise ValueError(f"the check cell {cell.id} has {len(calls)} calls of a check, not one")
    ((check, call),) = calls
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg}
    return Exercise(answer, cell.id, check, tuple(map(ast.unparse, call.args)), named)


def same_code(one: str, other: str) -> bool:
    """Return whether two sources are the same Python, comments and spaces aside."""
    if one.strip() == other.strip():
        return True
    meaning = _meaning(one)
    return meaning is not None and meaning == _meaning(other)


@functools.lru_cache(2048)
def _meaning(source: str) -> bytes | None:
    """Return a short stand-in for a cell's syntax tree, None where there is no such tree."""
    tree = _tree(source)
    try:
        text = None if tree is None else ast.dump(tree)
    except RecursionError:
        text = None
    return None if text is None else hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _tree(source: str) -> ast.AST | None:
    """Return the syntax tree of a cell, None for what Python alone does not read, like a magic."""
    try:
        return ast.parse(source) if len(source) <= LONGEST_SOURCE else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def which_lesson(notebook: NotebookNode, lessons: list[Lesson]) -> Lesson | None:
    """Return the lesson that a notebook is a copy of, None if it resembles none."""
    sources = {cell.source.strip() for cell in notebook.cells}
    ids = {cell.get("id") for cell in notebook.cells}

    def resemblance(lesson: Lesson) -> float:
        kept = [cell.source.strip() in sources or cell.id in ids for cell in lesson.cells]
        return sum(kept) / max(1, len(kept))

    best = max(lessons, key=resemblance, default=None)
    return best if best and resemblance(best) >= ENOUGH else None


def plan(lesson: Lesson, notebook: NotebookNode) -> Plan:
    """Return what to run of a copy of a lesson."""
    copies = list(notebook.cells)
    found = _match(lesson, copies)
    by_place = {place: cell for cell, place in found.items()}
    own = {
        place: copies[place]
        for place in range(len(copies))
        if place not in by_place and copies[place].cell_type == "code"
    }
    result = Plan(lesson, [])
    placed: set[int] = set()

    def add_own(after: int) -> None:
        """Add the learner's own cells that follow the cell at a place of the copy."""
        for place in range(after + 1, len(copies)):
            if place in by_place:
                return
            if place in own and place not in placed and own[place].source.strip():
                placed.add(place)
                result.steps.append(Step("own", own[place].source, place=place + 1))

    add_own(-1)
    for number, cell in enumerate(lesson.cells, start=1):
        place = found.get(number - 1)
        copy = copies[place] if place is not None else None
        _compare(cell, copy, number, result)
        if cell.kind != "answer":
            result.steps.append(Step(cell.kind, cell.source, cell.id, (place or -1) + 1))
        elif place is not None and copy is not None and copy.cell_type == "code":
            unanswered = same_code(copy.source, cell.source)
            step = Step("answer", copy.source, cell.id, place + 1, unanswered)
            result.steps.append(step)
        else:
            result.missing.add(cell.id)
        if place is not None:
            add_own(place)
    places = [found[number] for number in sorted(found)]
    moved = len(places) - _longest_rise(places)
    if moved:
        result.changed += moved
        result.changes.append(f"{moved} cell{'s' * (moved > 1)} moved to another place")
    return result


def _compare(cell: Cell, copy: NotebookNode | None, number: int, result: Plan) -> None:
    """Note how a cell of a copy differs from the lesson's."""
    title = f"cell {number} ({first_line(cell.source)})"
    difference = ""
    if copy is None:
        difference = "deleted"
    elif copy.cell_type != "code":
        difference = "no longer code"
    elif SKIPPING & set(map(str, copy.metadata.get("tags", []))) - cell.tags:
        difference = "tagged away"
    # The set-up cell holds the address of the course, which may have moved.
    elif cell.kind != "answer" and SETUP not in cell.tags and _changed(cell.source, copy.source):
        difference = "changed"
    if difference:
        result.changed += 1
        result.changes.append(f"{title}: {difference}")
        # A check that is only left out is none the worse, as the lesson's own is used.
        result.tampered |= cell.kind == "check" and difference in ("changed", "tagged away")


def _changed(source: str, copy: str) -> bool:
    """Return whether a cell of the lesson does something else in a copy. Guesses are free."""
    if SKIP_LINE.search(copy) and not SKIP_LINE.search(source):
        return True
    return not same_code(GUESS.sub(r"\1...)", source), GUESS.sub(r"\1...)", copy))


def first_line(source: str) -> str:
    """Return the first line of a cell that says something."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return one_line(lines[0], 60) if lines else "empty"


def _longest_rise(numbers: list[int]) -> int:
    """Return the length of the longest rising series within a list."""
    lengths: list[int] = []
    for end, number in enumerate(numbers):
        before = [lengths[i] for i in range(end) if numbers[i] < number]
        lengths.append(1 + max(before, default=0))
    return max(lengths, default=0)


def _match(lesson: Lesson, copies: list[NotebookNode]) -> dict[int, int]:
    """Return where in a copy each cell of the lesson is: by id, by content, by likeness."""
    found: dict[int, int] = {}
    free = dict.fromkeys(range(len(copies)))

    def take(number: int, place: int) -> None:
        found[number] = place
        del free[place]

    for number, cell in enumerate(lesson.cells):
        same = [place for place in free if copies[place].get("id") == cell.id]
        if same:  # of several with one id, the one that still is what it was
            take(number, min(same, key=lambda place: copies[place].source != cell.source))
    for number, cell in enumerate(lesson.cells):
        if number not in found:
            same = [place for place in free if same_code(copies[place].source, cell.source)]
            if same:
                take(number, same[0])
    for number, cell in enumerate(lesson.cells):
        if number in found:
            continue
        last = max((n for n in found if n < number), default=None)
        after = -1 if last is None else found[last]
        later = [found[n] for n in found if n > number and found[n] > after]
        before = min(later, default=len(copies))
        between = [place for place in free if after < place < before][:MOST_ALIKE]
        alike = {place: _likeness(cell, copies[place]) for place in between}
        best = max(alike, key=lambda place: alike[place], default=None)
        if best is not None and alike[best] >= ALIKE:
            take(number, best)
    return found


def _likeness(cell: Cell, copy: NotebookNode) -> float:
    if copy.cell_type != "code":
        return 0.0
    if cell.kind == "answer" and set(names(cell.source)) & set(names(copy.source)):
        return 1.0
    if cell.kind == "check" and CALL.findall(cell.source)[-1:] == CALL.findall(copy.source)[-1:]:
        return 1.0
    compared = difflib.SequenceMatcher(None, cell.source, copy.source)
    # The first is quick, and never less than the second.
    return compared.ratio() if compared.real_quick_ratio() >= ALIKE else 0.0


def names(source: str) -> Iterator[str]:
    """Yield the names that a cell sets."""
    tree = _tree(source)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
