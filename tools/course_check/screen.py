"""What the teacher sees while a class is checked: which copy, how many of how many, time left."""

from __future__ import annotations

import sys
import time

from tools.course_check.grade import Result, escaped


class Screen:
    """A line for each copy that is done, and on a terminal one that says what goes on.

    Args:
        count: How many copies there are.
        kept: How many of them were checked before.
    """

    def __init__(self, count: int, kept: int) -> None:
        self.count, self.done, self.fresh = count, kept, 0
        self.start, self.rewrites = time.monotonic(), sys.stdout.isatty()
        self.now: dict[str, None] = {}
        if kept:
            print(f"{kept} of {count} were checked before; AGAIN=1 checks them anew.", flush=True)

    def begins(self, file: str) -> None:
        """A copy begins."""
        self.now[file] = None
        self._say_now()

    def ends(self, result: Result) -> None:
        """A copy is done."""
        self.now.pop(result.file, None)
        self.done += 1
        self.fresh += 1
        verdicts = ", ".join(graded.verdict for graded in result.exercises)
        line = f"{self.done} of {self.count}  {escaped(result.file, 80)}  {result.status}"
        line += f": {verdicts}" if verdicts else ""
        line += f"; {escaped(result.first_problem, 120)}" if result.first_problem else ""
        self._clear()
        print(line + self._left(), flush=True)
        self._say_now()

    def _left(self) -> str:
        left = self.count - self.done
        if not left:
            return ""
        seconds = (time.monotonic() - self.start) / self.fresh * left
        return f"  (about {seconds / 60:.0f} min left)" if seconds > 90 else "  (a minute left)"

    def _clear(self) -> None:
        if self.rewrites:
            print("\r\x1b[K", end="")

    def _say_now(self) -> None:
        if self.rewrites and self.now:
            names = ", ".join(escaped(file, 40) for file in self.now)
            self._clear()
            print(f"now: {names}"[:110], end="", flush=True)
