"""Executes a notebook in a kernel of its own, and shows how far it is."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import ipykernel.kernelspec
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from helpers.errors import LessonError
from helpers.results import HEADLESS
from tools import NOTEBOOKS
from tools.outputs import code_cells

CELL_TIMEOUT = 300  # seconds; the longest cell takes a tenth of this on two cores


class ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that runs this, whatever else is registered on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Returns that kernel's specification."""
        command = ipykernel.kernelspec.get_kernel_dict()
        return KernelSpec(resource_dir=ipykernel.kernelspec.RESOURCES, **command)


def execute(
    notebook: NotebookNode, progress: Callable[[int, int], None] = lambda cell, cells: None
) -> list[float]:
    """Runs every cell of `notebook` in a kernel of its own that works in `notebooks/`.

    Args:
        notebook: Gets the outputs.
        progress: Called with the cell's number and the number of cells before each cell.

    Returns:
        The seconds that each code cell took.

    Raises:
        LessonError: At the first cell that fails, takes more than `CELL_TIMEOUT` seconds, or
            ends its kernel.
    """
    cells = code_cells(notebook)
    seconds = [0.0] * len(cells)
    running, start = 0, 0.0

    def hear_interrupts(notebook: NotebookNode) -> None:
        # nbclient's own answer to Ctrl-C ends the kernel and then waits for it.
        with contextlib.suppress(RuntimeError):  # not its answer on Windows, nor in a thread
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    def begin(cell: NotebookNode, cell_index: int) -> None:
        nonlocal running, start
        running = len(code_cells(NotebookNode(cells=notebook.cells[: cell_index + 1])))
        progress(running, len(cells))
        start = time.perf_counter()

    def end(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        seconds[running - 1] = time.perf_counter() - start

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        coalesce_streams=True,
        on_notebook_start=hear_interrupts,
        on_cell_execute=begin,
        on_cell_executed=end,
    )
    client.km = AsyncKernelManager(kernel_spec_manager=ThisPython())
    try:
        client.execute(stderr=subprocess.DEVNULL, env=os.environ | {HEADLESS: "1"})
    except KeyboardInterrupt:
        # What is left of nbclient's work ends the kernel; else it would go on when Python exits.
        loop = ensure_event_loop()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        raise
    except CellTimeoutError:
        problem = f"still not done after {CELL_TIMEOUT} s"
    except DeadKernelError:
        problem = "its kernel died (out of memory?)"
    except CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    else:
        return seconds
    code = "\n".join(f"    {line}" for line in cells[running - 1].source.splitlines()[:5])
    raise LessonError(f"cell {running} of {len(cells)}: {problem}\n{code}")


class Progress:
    """One line a lesson: which cell it is in, and for how long it has been running."""

    def __init__(self, name: str) -> None:
        self.name, self.start, self.rewrite = name, time.perf_counter(), sys.stdout.isatty()

    def __call__(self, cell: int, cells: int) -> None:
        """Shows that cell number `cell` of `cells` begins."""
        if self.rewrite:
            self._write(f"\r\x1b[K{self.name}  cell {cell}/{cells}  {self.elapsed()}")
        elif cell == 1:
            self._write(f"{self.name}  {cells} cells ... ")

    def elapsed(self) -> str:
        """Returns the time since the lesson began, as minutes:seconds."""
        minutes, seconds = divmod(round(time.perf_counter() - self.start), 60)
        return f"{minutes}:{seconds:02d}"

    def end(self, outcome: str) -> None:
        """Closes the line."""
        self._write(f"\r\x1b[K{self.name}  " if self.rewrite else "")
        self._write(f"{self.elapsed()}  {outcome}\n")

    def _write(self, text: str) -> None:
        print(text, end="", flush=True)


def execute_lesson(name: str, notebook: NotebookNode) -> list[float]:
    """Runs `notebook`, showing its progress; returns the seconds each code cell took."""
    progress = Progress(name)
    try:
        seconds = execute(notebook, progress)
    except LessonError as error:
        progress.end("failed")
        raise LessonError(f"{name}, {error}") from error
    progress.end("done")
    return seconds
