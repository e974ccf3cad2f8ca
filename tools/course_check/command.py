"""`make check`: a notebook, a folder of them or a zip is checked, several copies side by side."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import filelock
import nbformat

from helpers.data import mnist_folder
from helpers.errors import LessonError
from tools import NOTEBOOKS, ROOT
from tools.course_check import copies, report, sandbox, submissions
from tools.course_check.copies import Lesson
from tools.course_check.grade import CheckWorld, Grading, Result, escaped
from tools.course_check.screen import Screen
from tools.course_check.submissions import Submission, UnreadableError

CHECKED = ROOT / "checked"


def check(
    notebook: str, again: bool = False, notebooks: Path = NOTEBOOKS, to: Path = CHECKED
) -> int:
    """Check what was handed in; write `results.csv`, `report.html` and the learners' pages.

    Args:
        notebook: The path of a notebook, a folder or a zip.
        again: Check also what was checked before.
        notebooks: The folder of the lessons as a class is given them.
        to: The folder that is written to, and keeps what is done.

    Returns:
        0 if every copy ran to its end, 1 if not, 2 if the check itself could not work.
    """
    try:
        if os.name != "posix":
            raise LessonError("Checking a class needs Linux or macOS; on Windows, use WSL.")
        if not notebook or "\0" in notebook:
            raise LessonError("Say what to check: make check NOTEBOOK=path of a notebook or folder")
        to.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(to / ".lock", timeout=0):
            return Class(Path(notebook), notebooks, to).check(again)
    except filelock.Timeout:
        print(f"Another check is writing to {to}: wait until it is done.", file=sys.stderr)
    except (LessonError, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where it was.", file=sys.stderr)
    return 2


class Class:
    """The copies of a class, and what is known about each."""

    def __init__(self, path: Path, notebooks: Path, to: Path) -> None:
        self.path, self.notebooks, self.to = path, notebooks, to
        self.lessons = [
            copies.lesson(file.stem, nbformat.read(file, as_version=4))
            for file in sorted(notebooks.glob("[0-9]*.ipynb"))
        ]
        found, self.left_out = submissions.find(path)
        # The teacher may check the project's own folder.
        own = to.resolve()
        self.found = [one for one in found if own not in (path / one.file).absolute().parents]
        self.results: dict[str, Result] = {}
        self.failed = False
        self.version = self._version()

    def check(self, again: bool) -> int:
        """Check all copies; arguments and return value as `check`."""
        if missing := sandbox.missing():
            print(f"Without a sandbox: {missing}")
        if self.left_out:
            print(f"Left out: {self.left_out} files that systems and programs leave behind.")
        waiting = [one for one in self.found if again or not self._known(one)]
        screen = Screen(len(self.found), len(self.found) - len(waiting))
        if waiting:
            self._provide(waiting)
            self._check_all(waiting, screen)
        results = [self.results[one.file] for one in self.found]
        title = f"{escaped(self.path.resolve().name, 100)}: {len(results)} files"
        report.write(self.to, results, title, missing)
        ended = sum(result.ended for result in results)
        print(f"{ended} of {len(results)} ran to their end. {self.to / 'report.html'} shows them,")
        print(f"{self.to / 'results.csv'} is for a spreadsheet.")
        return 2 if self.failed else 0 if ended == len(results) else 1

    def _version(self) -> bytes:
        """Return what the verdicts depend on besides the copies: lessons, helpers and this."""
        digest = hashlib.sha256()
        here = Path(__file__).parent
        files = [*self.notebooks.glob("*.ipynb"), *here.glob("*.py")]
        for file in sorted([*files, *(ROOT / "helpers").rglob("*.py")]):
            digest.update(file.read_bytes())
        return digest.digest()

    def _kept(self, one: Submission) -> Path:
        """Return where the result of a copy is kept."""
        digest = hashlib.sha256(self.version)
        digest.update(
            os.fsencode(self.path.resolve()) + b"\0" + one.file.encode("utf-8", "replace")
        )
        try:
            digest.update(one.content())
        except (UnreadableError, OSError) as error:
            digest.update(str(error).encode())
        return self.to / "done" / f"{digest.hexdigest()[:32]}.json"

    def _known(self, one: Submission) -> bool:
        """Take what is kept of a copy; return whether there is something."""
        try:
            kept = json.loads(self._kept(one).read_text(encoding="utf-8"))
            self.results[one.file] = Result.from_json(kept)
        except (OSError, ValueError, TypeError, KeyError):  # what is damaged is made anew
            return False
        return True

    def _keep(self, one: Submission, result: Result) -> None:
        path = self._kept(one)
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(result.to_json()), encoding="utf-8")
        unfinished.replace(path)

    def _provide(self, waiting: Sequence[Submission]) -> None:
        """Prepare what copies are provided with, and measure how slow this machine is."""
        self.slowness = slowness()
        self.digits: Path | None = None
        # What the lessons ask for shows in their own code, whatever copies do.
        sources = {one.name: "\n".join(cell.source for cell in one.cells) for one in self.lessons}
        names = {lesson.name for one in waiting if (lesson := self._lesson(one))}
        self.with_digits = {name for name in names if "mnist_folder(" in sources[name]}
        if self.with_digits:
            self.digits = (self.to / "MNIST_dataset").absolute()
            mnist_folder(str(self.digits))
        self.files = (self.to / "provided").absolute()
        self.files.mkdir(exist_ok=True)
        for script in self.notebooks.glob("*.py"):
            (self.files / script.name).write_bytes(script.read_bytes())

    def _lesson(self, one: Submission) -> Lesson | None:
        try:
            return copies.which_lesson(submissions.read_notebook(one.content()), self.lessons)
        except Exception:  # `_checked` says what it is, in the copy's own row
            return None

    def _check_all(self, waiting: Sequence[Submission], screen: Screen) -> None:
        """Check copies side by side, one on each core."""
        work: queue.SimpleQueue[Submission] = queue.SimpleQueue()
        for one in waiting:
            work.put(one)
        news: queue.SimpleQueue[tuple[Submission, Result | None]] = queue.SimpleQueue()
        stop = threading.Event()

        def worker() -> None:
            checks = CheckWorld()
            try:
                while not stop.is_set():
                    one = work.get_nowait()
                    news.put((one, None))
                    news.put((one, self._checked(one, checks)))
            except queue.Empty:
                pass
            finally:
                checks.close()

        count = min(cores(), len(waiting))
        threads = [threading.Thread(target=worker, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2 * len(waiting)):
                one, result = news.get()
                if result is None:
                    screen.begins(one.file)
                    continue
                self.results[one.file] = result
                self._keep(one, result)
                screen.ends(result)
        finally:
            stop.set()
            sandbox.end_all()
            for thread in threads:
                thread.join(2 * sandbox.GRACE)

    def _checked(self, one: Submission, checks: CheckWorld) -> Result:
        """Return the result of a copy, whatever it is."""
        result = Result(escaped(one.learner, 100), escaped(one.file))
        try:
            notebook = submissions.read_notebook(one.content())
            lesson = copies.which_lesson(notebook, self.lessons)
            if lesson is None:
                raise UnreadableError("it is a copy of none of the lessons")
            digits = self.digits if lesson.name in self.with_digits else None
            places = sandbox.Places(self.files, digits)
            plan = copies.plan(lesson, notebook)
            Grading(plan, places, checks, self.slowness, result).run()
        except UnreadableError as error:
            result.first_problem = escaped(error)
        except OSError as error:
            result.first_problem = escaped(f"it cannot be read: {error.strerror}")
        except Exception as error:  # a fault of the check's own, which must not stop the others
            self.failed = True
            result.status = "stopped"
            result.first_problem = escaped(f"the check failed: {type(error).__name__}: {error}")
        return result


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slowness() -> float:
    """Return how many times slower than an ordinary machine this one is, at least 1."""
    from tools.nbval_lessons import ORDINARY_CALIBRATION, calibrate

    return max(1.0, calibrate() / ORDINARY_CALIBRATION)
