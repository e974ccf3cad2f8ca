"""Notebooks run by nbval, as tools/nbval_lessons.py has it run them."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from programs import python

from tools import ROOT, notebooks, outputs

SLEEP = "import time\ntime.sleep(3)"
SAMPLES = {
    "good": [SLEEP, "print(1)"],
    "fails": ["import time", "x = 1 / 0", "time.sleep(100)", "print(2)"],
    "hangs": ["import time", "while True: time.sleep(1)", "time.sleep(100)", "print(2)"],
    "dies": ["import os", "os._exit(1)", "print(1)"],
    "magic": ["x = 1", "%matplotlob inline", "print(1)"],
    "idle": ["x = 1", "x = 2"],
    "differs": ["x = 1", "print(1)  # compared", "print(2)"],
}


def run_nbval(folder, *options):
    """Runs a folder of notebooks as `make test` runs the lessons'."""
    project = ["-c", ROOT / "pyproject.toml", f"--rootdir={ROOT}"]
    quiet = ["-p", "no:cacheprovider", "--color=no", "--quiet"]
    return python("-m", "pytest", *project, *quiet, *options, ".", path=ROOT, cwd=folder)


def write_sample(folder, name):
    cells = []
    for count, source in enumerate(SAMPLES[name], start=1):
        cell = new_code_cell(source, execution_count=count)
        if "compared" in source:
            cell.metadata["tags"] = ["nbval-check-output"]
            cell.outputs = [new_output("stream", text="7\n")]
        cells.append(cell)
    notebooks.write_notebook(new_notebook(cells=cells), folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course à lire")
    for name in SAMPLES:
        write_sample(folder, name)
    return run_nbval(folder, "--nbval-cell-timeout=8")


@pytest.mark.parametrize(
    ("name", "passed", "failed", "skipped", "first"),
    [
        ("good", 2, 0, 0, ""),
        ("fails", 1, 1, 2, "Cell 1: ZeroDivisionError: division by zero"),
        ("hangs", 1, 1, 2, "Cell 1: Timeout of 8 seconds exceeded executing cell"),
        ("dies", 1, 1, 1, "Cell 1: The kernel died while it ran this cell (out of memory?)"),
        (
            "magic",
            1,
            1,
            1,
            "Cell 1: The cell failed: UsageError: Line magic function `%matplotlob`",
        ),
        ("idle", 1, 1, 0, "Cell 1: All cells ran in 0."),
        ("differs", 1, 1, 1, "Cell 1: Cell outputs differ"),
    ],
)
def test_table_says_which_cell_failed_and_why(report, name, passed, failed, skipped, first):
    assert report.returncode == 1
    rows = [line for line in report.stdout.splitlines() if f"{name}.ipynb  " in line]
    row = re.search(r"\.ipynb +(\d+) +(\d+) +(\d+) +(\d+) s *(.*)$", rows[-1])
    assert row, report.stdout
    assert [int(count) for count in row.groups()[:3]] == [passed, failed, skipped]
    assert row[5].startswith(first)
    assert bool(row[5]) == bool(first)
    assert int(row[4]) < 30, "nobody waits for a kernel that has gone"


def write_answer(folder, name, answer, tag, said):
    cells = [
        new_code_cell(SLEEP),
        new_code_cell(answer, metadata={"tags": [tag]}),
        new_code_cell(f"print({said!r})", metadata={"tags": ["exercise-check"]}),
    ]
    notebooks.write_notebook(new_notebook(cells=cells), folder / f"{name}.ipynb")


def write_copy(folder, name, source):
    """A learner's copy of lesson 2 of which one cell is left, the one before its first check."""
    lesson = outputs.code_cells(notebooks.read_lesson("02_first_network", solutions=True))
    place = next(place for place, cell in enumerate(lesson) if outputs.is_teachers(cell))
    assert lesson[place].source == "assert parameters == by_hand == 26_506"
    cell = new_code_cell(f"{SLEEP}\n{source}", id=lesson[place - 1].id)
    notebooks.write_notebook(new_notebook(cells=[cell]), folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def report_of_exercises(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exercises")
    stub = f"x = {notebooks.UNANSWERED}"
    write_answer(folder, "unanswered", stub, "exercise", "Not yet: replace the dots.")
    write_answer(folder, "too-easy", stub, "exercise", "Right. Well done.")
    write_answer(folder, "right", "x = 1", "exercise", "Right. Well done.")
    write_answer(folder, "wrong", "x = 2", "exercise", "Not yet: it is 1.")
    write_answer(folder, "solved", "x = 1", "solution", "Right. Well done.")
    write_answer(folder, "refused", "x = 1", "solution", "Not yet: it is 2.")
    write_copy(folder, "as-it-was", "parameters = by_hand = 26_506")
    write_copy(folder, "changed", "parameters = by_hand = 7")
    return run_nbval(folder).stdout


@pytest.mark.parametrize(
    ("name", "passed", "first"),
    [
        ("unanswered", 3, ""),
        ("too-easy", 2, "Cell 2: The check should have said 'Not yet: ', and said: Right. "),
        ("right", 3, ""),
        ("wrong", 3, ""),
        ("solved", 3, ""),
        ("refused", 2, "Cell 2: The check should have said 'Right. ', and said: Not yet: "),
        # The first two checks pass; those after them miss the cells that were deleted.
        ("as-it-was", 3, "Cell 0, the lesson's check: NameError: name 'network'"),
        ("changed", 1, "Cell 0, the lesson's check: AssertionError"),
    ],
)
def test_exercises_and_checks_of_the_course(report_of_exercises, name, passed, first):
    row = re.search(rf"(?m){name}\.ipynb +(\d+) +(\d+) +\d+ +\d+ s *(.*)$", report_of_exercises)
    assert row, report_of_exercises
    assert [int(row[1]), int(row[2])] == [passed, bool(first)]
    assert row[3].startswith(first)


def test_cell_over_its_budget_fails(tmp_path):
    write_sample(tmp_path, "good")
    done = run_nbval(tmp_path, "-o", "lesson_cell_budget=0.1")
    assert done.returncode == 1
    assert "Cell 0: Over the budget of 0.1 s a cell: took 3." in done.stdout
