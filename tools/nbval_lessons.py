"""How pytest runs notebooks, beyond what nbval does.

nbval runs each code cell of a notebook as a test, all cells of one notebook in one kernel. Here:

- a kernel that dies is noticed at once (nbval waits for the cell's timeout);
- after a cell that failed, hung or killed its kernel, the rest of that notebook is skipped
  (nbval goes on, and the first failure drowns in what follows from it);
- a cell that fails without an `error` message, like a misspelt %magic, fails (nbval passes it);
- the lesson's own checks run in their places, also where a learner's notebook leaves them out;
- a solution that its check refuses fails, and so does an exercise that passes unanswered;
- a result outside of its range is a failure (`helpers/results.py`);
- a cell over its budget fails, and so does a notebook that ran in no time;
- a table at the end says which cells failed, and why.

The lessons' notebooks, solutions included, run in `notebooks/`, as `make run` runs them.
"""

import os
import re
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from functools import cached_property
from pathlib import Path
from queue import Empty
from typing import Any

# Before NumPy and torch are imported, here and in the kernels: two workers share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import nbval.plugin
import numpy as np
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from helpers.results import HEADLESS
from tools import ROOT
from tools.notebooks import UNANSWERED, checks_after

os.environ.setdefault(HEADLESS, "1")

ANSI = re.compile(r"\x1b\[[0-9;]*m")

# `calibrate` on the machine that the budget of 60 s was set for: two cores of an ordinary server
# processor, one of them idle.
ORDINARY_CALIBRATION = 0.55


def calibrate() -> float:
    """Returns the seconds that a fixed amount of work like the lessons' takes here and now.

    The work is what a lesson's longest cells do: tiny matrix products and the interpreter's
    overhead around them, 10,000 steps of a 784-32-10 network on one image at a time. The best of
    three goes counts, as what holds the machine up for a moment is not its speed.
    """
    return min(ten_thousand_steps() for _ in range(3))


def ten_thousand_steps() -> float:
    """Returns the seconds that the work of `calibrate` takes once."""
    random = np.random.default_rng(0)
    image = random.random((1, 784), dtype=np.float32)
    hidden = random.random((784, 32), dtype=np.float32)
    output = random.random((32, 10), dtype=np.float32)
    start = time.perf_counter()
    for _ in range(10_000):
        activation = np.tanh(image @ hidden)
        error = activation @ output
        output -= 1e-9 * (activation.T @ error)
        hidden -= 1e-9 * (image.T @ (error @ output.T))
    return time.perf_counter() - start


class KernelDiedError(Exception):
    """The kernel ended while it ran a cell."""


class LessonKernel(nbval.plugin.RunningKernel):
    """nbval's kernel, which notices that it died and remembers how a cell ended."""

    def __init__(self, kernel_name: str, cwd: str | None = None, **options: Any) -> None:
        # The solutions share the folders of the lessons: MNIST_dataset/ and saved/.
        if cwd and Path(cwd).name == "solutions":
            cwd = str(Path(cwd).parent)
        self.status = "ok"
        super().__init__(kernel_name, cwd=cwd, **options)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Waits for the reply to a cell, and keeps its status.

        Args:
            msg_id: The message that asked to run the cell.
            timeout: Seconds; None waits as long as it takes.

        Raises:
            KernelDiedError: If the kernel has ended.
            Empty: If there is no reply in time.
        """
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            try:
                message = self.get_message(stream="shell", timeout=min(1, end - time.monotonic()))
            except Empty:
                if not self.is_alive():
                    raise KernelDiedError from None
                continue
            if message["parent_header"].get("msg_id") == msg_id:
                self.status = message["content"]["status"]
                return
        raise Empty


_collect = IPyNbFile.collect


def collect_with_checks(self: IPyNbFile) -> Iterator[IPyNbCell]:
    """Yields a notebook's code cells as nbval does, and the lesson's checks in their places."""
    after: dict[str, list[Any]] | None = None
    for item in _collect(self):
        after = checks_after(self.nb) if after is None else after
        yield item
        for check in after.get(item.cell.get("id", ""), ()):
            yield IPyNbCell.from_parent(
                self,
                name=f"{item.name}, the lesson's check",
                cell_num=item.cell_num,
                cell=check,
                options=defaultdict(bool),
            )


class Notebooks:
    """The hooks for the cells of notebooks."""

    def __init__(self, config: pytest.Config) -> None:
        self.budget = float(config.getini("lesson_cell_budget"))
        self.broken: dict[Path, str] = {}  # notebook -> the first cell that did not pass
        self.seconds: dict[Path, float] = defaultdict(float)  # notebook -> its cells' time so far
        self.rows: dict[str, dict[str, Any]] = defaultdict(
            lambda: {"passed": 0, "failed": 0, "skipped": 0, "time": 0.0}
        )

    @cached_property
    def calibration(self) -> float:
        """The seconds of `calibrate` before the first cell."""
        return calibrate()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skips what comes after a cell that failed."""
        if isinstance(item, IPyNbCell) and item.path in self.broken:
            pytest.skip(f"after {self.broken[item.path]}, which failed")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Runs a cell, and judges how it ended and how long it took."""
        if not isinstance(item, IPyNbCell):
            return (yield)
        item.output_timeout = 20  # nbval's 5 s are short for a big figure on a busy machine
        before = self.calibration
        start = time.perf_counter()
        try:
            result = yield
        except KernelDiedError:
            item.raise_cell_error("The kernel died while it ran this cell (out of memory?)")
        seconds = time.perf_counter() - start
        self.seconds[item.path] += seconds
        if item.parent.kernel.status == "error" and not item.options["check_exception"]:
            item.raise_cell_error(f"The cell failed: {said_on_stderr(item)}")
        check_exercise(item)
        if seconds / before > self.budget / ORDINARY_CALIBRATION:
            # A machine that is slower now than it was at the start gets the benefit of the doubt.
            ratio = seconds / max(before, calibrate())
            if ratio > self.budget / ORDINARY_CALIBRATION:
                item.raise_cell_error(
                    f"Over the budget of {self.budget:g} s a cell: took {seconds:.1f} s, which "
                    f"is {ratio * ORDINARY_CALIBRATION:.1f} s on an ordinary machine"
                )
        if is_last_cell(item) and self.seconds[item.path] < self.calibration:
            item.raise_cell_error(
                f"All cells ran in {self.seconds[item.path]:.2f} s: nothing was executed"
            )
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Notes in a cell's report which notebook it is of, and why it failed."""
        report = yield
        if isinstance(item, IPyNbCell):
            # Told with the report, which is what crosses from a worker to the main process.
            report.notebook = str(
                item.path.relative_to(ROOT) if ROOT in item.path.parents else item.path
            )
            if report.failed:
                self.broken.setdefault(item.path, item.name)
                report.first = f"{item.name}: {reason(call.excinfo.value)}"
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a cell in its notebook's row."""
        if not hasattr(report, "notebook"):
            return
        row = self.rows[report.notebook]
        row["time"] += report.duration
        if report.failed:
            row["failed"] += 1
            row.setdefault("first", report.first)
        elif report.when == "call" or report.skipped:
            row[report.outcome] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Prints the table."""
        if not self.rows:
            return
        terminalreporter.section("notebooks")
        width = max(map(len, self.rows))
        header = f"{'notebook':{width}}  passed  failed  skipped    time  first failure"
        terminalreporter.write_line(header)
        for path, row in sorted(self.rows.items()):
            terminalreporter.write_line(
                f"{path:{width}}  {row['passed']:6}  {row['failed']:6}  {row['skipped']:7}  "
                f"{row['time']:4.0f} s  {row.get('first', '')}".rstrip()
            )


def is_last_cell(item: IPyNbCell) -> bool:
    """Returns whether no code cell comes after this one."""
    cells = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    return item.cell is cells[-1]


def check_exercise(item: IPyNbCell) -> None:
    """Fails a solution that its check refuses, and a stub that its check takes for an answer."""
    if "exercise-check" not in item.cell.metadata.get("tags", ()):
        return
    code = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    answer = code[code.index(item.cell) - 1]
    if "solution" in answer.metadata.get("tags", ()):
        verdict = "Right. "
    elif UNANSWERED in answer.source:
        verdict = "Not yet: "
    else:
        return  # a learner's answer, right or wrong
    said = "".join(output.get("text", "") for output in item.test_outputs)
    if verdict not in said:
        item.raise_cell_error(f"The check should have said '{verdict}', and said: {said}")


def said_on_stderr(item: IPyNbCell) -> str:
    """Returns what the cell wrote on standard error."""
    outputs = item.test_outputs
    return "".join(output.text for output in outputs if output.get("name") == "stderr").strip()


def reason(error: BaseException) -> str:
    """Says in one line why a cell failed: its own exception where it has one."""
    text = ANSI.sub("", getattr(error, "inner_traceback", None) or "").strip()
    last = text.splitlines()[-1].strip() if text else ""
    message = str(error).splitlines()[0] if str(error) else type(error).__name__
    return last if message == "Cell execution caused an exception" and last else message


def pytest_addoption(parser: pytest.Parser) -> None:
    """Makes the budget of a cell a setting."""
    meaning = "seconds that a cell of a notebook may take on an ordinary machine"
    parser.addini("lesson_cell_budget", meaning, default="60")


def pytest_configure(config: pytest.Config) -> None:
    """Puts the lessons' kernel and collecting in nbval's place, and the hooks beside nbval's."""
    nbval.plugin.RunningKernel = LessonKernel
    IPyNbFile.collect = collect_with_checks
    config.pluginmanager.register(Notebooks(config), "lesson-notebooks")
