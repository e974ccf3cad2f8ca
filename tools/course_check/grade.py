"""What a copy is worth: its cells run in one sandbox, and its answers are checked in another.

The copy's own world is asked for the values of the answers, and called where an answer is a
function. The verdict comes from the project's check in a world where nothing of the copy ran.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from helpers.errors import one_line, printable
from tools.course_check import copies
from tools.course_check.copies import Exercise, Plan, Step
from tools.course_check.sandbox import (
    GRACE,
    OUTPUT_KEPT,
    START,
    EndedError,
    Places,
    TamperedError,
    World,
)

CELL = 60  # seconds that a cell may take on an ordinary machine
COPY = 900  # seconds after which a copy begins no cell
SHOWN = 20_000  # characters of a cell's output that a learner's page shows


@dataclass
class Graded:
    """An exercise of a copy: the verdict, and what the learner wrote, saw and was told."""

    verdict: str
    said: str = ""
    answer: str = ""
    output: str = ""
    seconds: float = 0.0


@dataclass
class Result:
    """A row of the table; `asdict` and `Result(**…)` carry it through JSON."""

    learner: str
    file: str
    lesson: str = ""
    status: str = "unreadable"
    exercises: list[Graded] = field(default_factory=list)
    cells_run: int = 0
    cells_changed: int = 0
    first_problem: str = ""
    seconds: float = 0.0
    changes: list[str] = field(default_factory=list)
    ended: bool = False  # ran to its end

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Result:
        """Return the result that was kept."""
        return cls(**kept | {"exercises": [Graded(**one) for one in kept["exercises"]]})


def escaped(text: object, length: int = 300) -> str:
    """Return a text on one line, cut off, with signs that do not print written out."""
    return one_line(printable(" ".join(str(text).split())), length)


class CheckWorld:
    """The world where answers are checked; started anew after it ended.

    It may serve many copies one after the other: nothing but text reaches it.
    """

    def __init__(self) -> None:
        self._world: World | None = None

    def check(
        self,
        exercise: Exercise,
        answers: list[Any],
        call: Callable[[dict[str, Any]], dict[str, Any]],
        seconds: float,
    ) -> dict[str, Any]:
        """Return what the project's check says: `said`, or `garbled` or `failed` and why.

        Args:
            exercise: What is checked.
            answers: The values of its arguments, as text.
            call: Calls a function of the learner's, in the learner's world.
            seconds: The check may take beside such calls.
        """
        count = len(exercise.arguments)
        request = {
            "check": exercise.check,
            "answers": answers[:count],
            "named": dict(zip(exercise.named, answers[count:], strict=True)),
        }
        try:
            if self._world is None:
                self._world = World("check_world")
            message = self._world.ask(request, START + seconds)
            while "call" in message:
                message = self._world.ask(call(message), seconds)
        except BaseException as error:
            self.close()
            if isinstance(error, EndedError) and not isinstance(error, _OfCopyError):
                return {"failed": str(error)}
            raise
        return message

    def close(self) -> None:
        """End it."""
        if self._world is not None:
            self._world.close()
            self._world = None


class _OfCopyError(EndedError):
    """The copy's world ended while an answer was checked."""

    def __init__(self, of_copy: EndedError) -> None:
        super().__init__(str(of_copy))
        self.of_copy = of_copy


class Grading:
    """The grading of one copy.

    Args:
        plan: What to run.
        places: What the copy is provided with.
        check_world: Where its answers are checked.
        slowness: How many times slower than an ordinary machine this one is.
        result: Gets what is found.
    """

    def __init__(
        self,
        plan: Plan,
        places: Places,
        check_world: CheckWorld,
        slowness: float,
        result: Result,
    ) -> None:
        self.plan, self.places, self.check_world, self.result = plan, places, check_world, result
        self.cell_seconds = CELL * slowness
        self.copy_seconds = COPY * slowness
        self.ran: dict[str, Graded] = {}  # answer cells, by id
        self.failed: set[str] = set()
        self.added: set[str] = set()  # names that the learner's own cells set since the last check

    def run(self) -> None:
        """Run all cells, and check each exercise where its check stands."""
        plan, result = self.plan, self.result
        result.lesson, result.changes = plan.lesson.name, plan.changes
        result.cells_changed = plan.changed
        result.status = "tampered" if plan.tampered else "changed" if plan.changed else "ran"
        exercises = {exercise.cell: exercise for exercise in plan.lesson.exercises}
        start = time.monotonic()
        try:
            with World("copy_world", self.places) as world:
                self.world = world
                for number, step in enumerate(plan.steps, start=1):
                    if time.monotonic() - start > self.copy_seconds:
                        self.note(step, f"not begun: {self.copy_seconds:.0f} s are over")
                        raise EndedError(f"it took more than {self.copy_seconds:.0f} s")
                    try:
                        if step.kind == "check":
                            result.exercises.append(self.check(exercises[step.id]))
                            result.cells_run += 1
                        else:
                            self.run_cell(step, START if number == 1 else 0)
                    except EndedError as error:
                        self.note(step, str(error))
                        raise
                result.ended = True
        except EndedError as error:
            result.status = "tampered" if isinstance(error, TamperedError) else "stopped"
        rest = plan.lesson.exercises[len(result.exercises) :]
        for exercise in rest:
            graded = self.ran.get(exercise.answer, Graded(""))
            graded.verdict = "not reached"
            result.exercises.append(graded)
        result.seconds = round(time.monotonic() - start, 1)

    def note(self, step: Step, problem: str) -> None:
        """Keep the first problem."""
        if not self.result.first_problem:
            place = f"cell {step.place}, " if step.place else "a deleted cell, "
            line = copies.first_line(step.source)
            self.result.first_problem = escaped(f"{place}'{line}': {problem}")

    def run_cell(self, step: Step, more: float) -> None:
        """Run a cell in the copy's world."""
        start = time.monotonic()
        request = {"ask": "run", "source": step.source, "seconds": self.cell_seconds}
        problem = ""
        try:
            reply = self.world.ask(request, self.cell_seconds + GRACE + more)
            if not isinstance(reply.get("problem"), str):
                raise TamperedError("something in it wrote to the check's own channel")
            problem = reply["problem"]
        except EndedError as error:
            problem = str(error)
            raise
        finally:
            shown, printed = self.world.take_output()
            if step.kind == "answer":
                if len(shown) > SHOWN or printed > OUTPUT_KEPT:
                    shown = f"{shown[:SHOWN]}\n… ({printed:,} bytes in all)"
                seconds = round(time.monotonic() - start, 1)
                self.ran[step.id] = Graded("", escaped(problem), step.source, shown, seconds)
        if problem:
            self.note(step, problem)
            self.failed.add(step.id)
        else:
            self.result.cells_run += 1
        if step.kind == "own":
            self.added |= set(copies.names(step.source))
        elif step.kind == "answer":
            self.added.clear()

    def check(self, exercise: Exercise) -> Graded:
        """Return the verdict on an exercise."""
        graded = self.ran.get(exercise.answer, Graded(""))
        asked = {*exercise.arguments, *exercise.named.values()}
        step = next((one for one in self.plan.steps if one.id == exercise.answer), None)
        added = bool(asked & self.added)  # the learner may have answered in a cell below
        if step is None and not added:
            graded.verdict, graded.said = "missing", "The answer's cell is not there."
        elif step and step.unanswered and not added:
            graded.verdict, graded.said = "unanswered", ""
        elif exercise.answer in self.failed and not added:
            graded.verdict, graded.said = "failed", graded.said or "The cell failed."
        else:
            graded.verdict, graded.said = self.verdict(exercise)
        return graded

    def verdict(self, exercise: Exercise) -> tuple[str, str]:
        """Return the verdict of the project's check, and what it says."""
        expressions = [*exercise.arguments, *exercise.named.values()]
        request = {"ask": "answers", "expressions": expressions, "seconds": self.cell_seconds}
        reply = self.world.ask(request, (self.cell_seconds + GRACE) * len(expressions))
        answers = reply.get("answers")
        if not isinstance(answers, list) or len(answers) != len(expressions):
            raise TamperedError("something in it wrote to the check's own channel")
        for expression, answer in zip(expressions, answers, strict=True):
            if answer is None:
                return "not yet", f"There is no `{expression}` after the answer's cell."
        if ["dots"] in answers:
            return "unanswered", ""
        end = time.monotonic() + self.cell_seconds

        def call(message: dict[str, Any]) -> dict[str, Any]:
            seconds = max(1.0, end - time.monotonic())
            request = {"ask": "call", "function": message["call"], "given": message["given"]}
            try:
                reply = self.world.ask(request | {"seconds": seconds}, seconds + GRACE)
                if not isinstance(reply.get("after"), list) or not {"raised", "returned"} & {
                    *reply
                }:
                    raise TamperedError("something in it wrote to the check's own channel")
            except EndedError as error:
                raise _OfCopyError(error) from error
            return reply

        try:
            message = self.check_world.check(exercise, answers, call, self.cell_seconds)
        except _OfCopyError as error:
            raise error.of_copy from None
        self.world.take_output()
        if "said" in message:
            said = escaped(message["said"], 1000)
            return ("right" if said.startswith("Right.") else "not yet"), said
        if "garbled" in message:
            raise TamperedError("something in it wrote to the check's own channel")
        return "failed", escaped(f"The check ended: {message.get('failed')}")
