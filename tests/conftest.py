"""How pytest runs notebooks, beyond what nbval does.

nbval runs each code cell of a notebook as a test, all cells of one notebook in one kernel. Here:

- a kernel that dies is noticed at once (nbval waits for the cell's timeout);
- after a cell that failed, hung or killed its kernel, the rest of that notebook is skipped
  (nbval goes on, and the first failure drowns in what follows from it);
- a cell that fails without an `error` message, like a misspelt %magic, fails (nbval passes it);
- a solution that its check refuses fails, and so does a stub that passes;
- a cell over its budget fails, and so does a notebook that ran in no time;
- the lessons come first, the longest before the others, so that two workers end together;
- a table at the end says which cells failed, and why.

The lessons' notebooks, solutions included, run in `notebooks/`, as `make run` runs them.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from queue import Empty

# Before NumPy and torch are imported, here and in the kernels: two workers share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import nbval.plugin
import numpy as np
import pytest

# What takes longest, first; what is not named here comes after, in pytest's order.
LONGEST_FIRST = (
    "05_optimizers",
    "04_mini_batches",
    "02_first_network",
    "03_softmax_and_relu",
    "06_failure_analysis",
    "07_inside_the_network",
    "08_beyond_one_machine",
    "01_data",
    "test_jupyterlab",
    "test_checkout",
    "test_data",
    "test_site",
    "test_data_faults",
    "test_notebooks",
    "test_distributed",
    "test_sharing",
)
ROOT = Path(__file__).resolve().parent.parent
ANSI = re.compile(r"\x1b\[[0-9;]*m")

# In a container there is neither a sandbox nor a GPU, and nothing may be asked of the network.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

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

    def __init__(self, kernel_name, cwd=None, **options):
        # The solutions share the folders of the lessons: MNIST_dataset/ and saved/.
        if cwd and Path(cwd).name == "solutions":
            cwd = str(Path(cwd).parent)
        self.status = "ok"
        super().__init__(kernel_name, cwd=cwd, **options)

    def await_reply(self, msg_id, timeout=None):
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


class Notebooks:
    """The hooks for the cells of notebooks."""

    def __init__(self, config):
        self.budget = float(config.getini("lesson_cell_budget"))
        self.broken = {}  # notebook -> the first cell that did not pass
        self.seconds = defaultdict(float)  # notebook -> time of its cells so far
        self.rows = defaultdict(lambda: {"passed": 0, "failed": 0, "skipped": 0, "time": 0.0})

    @cached_property
    def calibration(self):
        return calibrate()

    def pytest_collection_modifyitems(self, items):
        places = {name: place for place, name in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: places.get(item.path.stem, len(places)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        if is_cell(item) and item.path in self.broken:
            pytest.skip(f"after {self.broken[item.path]}, which failed")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        if not is_cell(item):
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
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if is_cell(item):
            # Told with the report, which is what crosses from a worker to the main process.
            report.notebook = str(
                item.path.relative_to(ROOT) if ROOT in item.path.parents else item.path
            )
            if report.failed:
                self.broken.setdefault(item.path, item.name)
                report.first = f"{item.name}: {reason(call.excinfo.value)}"
        return report

    def pytest_runtest_logreport(self, report):
        if not hasattr(report, "notebook"):
            return
        row = self.rows[report.notebook]
        row["time"] += report.duration
        if report.failed:
            row["failed"] += 1
            row.setdefault("first", report.first)
        elif report.when == "call" or report.skipped:
            row[report.outcome] += 1

    def pytest_terminal_summary(self, terminalreporter):
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


@pytest.fixture(autouse=True)
def _interrupts_are_heard():
    # `nohup make test &` starts with interrupts ignored, and tests interrupt themselves.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def public_path():
    """A folder that every user may reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture
def only_readable():
    """A function of a folder: for a while nothing in it may be written."""

    @contextlib.contextmanager
    def only_readable(folder):
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield
        for path in paths:
            path.chmod(0o755)

    return only_readable


@pytest.fixture(scope="session")
def copy_checkout():
    """A function that copies into a folder what git has of this checkout, or would add."""

    def copy_checkout(folder):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
        if listed.returncode:
            pytest.skip(f"this is no checkout of git: {listed.stderr.strip()}")
        for name in listed.stdout.split("\0"):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)

    return copy_checkout


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright; ends with the file, because its event loop would stay."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium here to open it in: install it, or run .ci/run")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield chromium
        chromium.close()


def is_cell(item):
    return isinstance(item, nbval.plugin.IPyNbCell)


def is_last_cell(item):
    cells = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    return item.cell is cells[-1]


def check_exercise(item):
    """Fails a solution that its check refuses, and a stub that its check takes for an answer."""
    if item.path.parent.name != "solutions":
        return  # a learner's own copy may hold answers, right or wrong
    tags = item.cell.metadata.get("tags", ())
    said = "".join(output.get("text", "") for output in item.test_outputs)
    for tag, verdict in (("exercise", "Not yet: "), ("solution", "Right. ")):
        if tag in tags and verdict not in said:
            item.raise_cell_error(f"The check should have said '{verdict}', and said: {said}")


def said_on_stderr(item):
    outputs = item.test_outputs
    return "".join(output.text for output in outputs if output.get("name") == "stderr").strip()


def reason(error):
    """Says in one line why a cell failed: its own exception where it has one."""
    text = ANSI.sub("", getattr(error, "inner_traceback", None) or "").strip()
    last = text.splitlines()[-1].strip() if text else ""
    message = str(error).splitlines()[0] if str(error) else type(error).__name__
    return last if message == "Cell execution caused an exception" and last else message


def pytest_addoption(parser):
    meaning = "seconds that a cell of a notebook may take on an ordinary machine"
    parser.addini("lesson_cell_budget", meaning, default="60")


def pytest_configure(config):
    nbval.plugin.RunningKernel = LessonKernel
    # A registered object, because a conftest's own hooks reach only the tests in its folder.
    # Once, also where this file is loaded both as a plugin (`make check`) and as a conftest.
    if not config.pluginmanager.has_plugin("lesson-notebooks"):
        config.pluginmanager.register(Notebooks(config), "lesson-notebooks")
