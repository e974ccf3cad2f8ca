"""Executing a notebook: what it reports, and how it ends."""

import signal
import subprocess
import sys
import time

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from programs import environ

from helpers.errors import LessonError
from helpers.results import HEADLESS
from tools import NOTEBOOKS, ROOT, execute


def notebook_of(*sources):
    return new_notebook(cells=[new_markdown_cell("# A"), *map(new_code_cell, sources)])


def test_cells_run_in_one_kernel_in_the_folder_of_the_notebooks():
    notebook = notebook_of("import os, time; time.sleep(0.3)", "", "print(os.getcwd())")
    heard = []
    seconds = execute.execute(notebook, lambda cell, cells: heard.append((cell, cells)))
    assert notebook.cells[-1].outputs[0].text == f"{NOTEBOOKS}\n"
    # The second cell is empty: it is not run, and still counted.
    assert heard == [(1, 3), (3, 3)]
    assert len(seconds) == 3
    assert seconds[0] > 0.3 > seconds[2] > 0
    assert seconds[1] == 0


def test_first_failing_cell_is_named_and_nothing_runs_after_it():
    notebook = notebook_of("x = 1", "\n".join(["1 / 0", *"abcdef"]), "print(x)")
    with pytest.raises(LessonError, match="cell 2 of 3: ZeroDivisionError") as failed:
        execute.execute(notebook)
    assert str(failed.value).splitlines()[1:] == [f"    {line}" for line in ["1 / 0", *"abcd"]]
    assert notebook.cells[-1].outputs == []


def test_what_runs_unattended_says_so_to_the_lesson():
    notebook = notebook_of(f"import os; print(os.environ[{HEADLESS!r}])")
    execute.execute(notebook)
    assert notebook.cells[-1].outputs[0].text == "1\n"


INTERRUPTED = """
from nbformat.v4 import new_code_cell, new_notebook
from tools import execute

cells = [new_code_cell("import time; time.sleep(100)")]
execute.execute(new_notebook(cells=cells), lambda *_: print("begins", flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_is_heard_and_leaves_no_kernel():
    program = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env=environ(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert program.stdout.readline() == "begins\n"
    kernels = psutil.Process(program.pid).children()
    assert kernels
    time.sleep(1)  # until the cell has begun
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=30)
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert psutil.wait_procs(kernels, timeout=10)[1] == []
