"""The program in which a learner's cells run, inside a sandbox; grade.py asks it.

It reads one request a line on its standard input and answers each with one line on what was its
standard output; what the cells print goes to the standard error. A cell may do what it likes here:
what this program says is the learner's word, and no verdict is among it.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class CellTimeoutError(KeyboardInterrupt):
    """A cell has had its time."""


def main() -> None:
    """Answer requests until there are no more."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    import limits

    limits.set_limits()
    provided = os.environ.pop("PROVIDED", "")
    for file in Path(provided).rglob("*") if provided else ():
        if file.is_file():
            place = Path(file.relative_to(provided))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    world = World()
    own = os.getpid()
    for line in requests:
        request = json.loads(line)
        reply = getattr(world, request.pop("ask"))(**request)
        if os.getpid() != own:  # a cell forked, and this is the child
            os._exit(0)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()


class World:
    """IPython, as a kernel has it, without the kernel."""

    def __init__(self) -> None:
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "NoColor"
        config.InteractiveShell.xmode = "Context"
        self.shell = InteractiveShell.instance(config=config)
        self.functions: Any = None

    def run(self, source: str, seconds: float) -> dict[str, Any]:
        """Run a cell; return its problem in one line, "" if there was none."""
        try:
            with time_limit(seconds):
                result = self.shell.run_cell(source, store_history=True)
        except BaseException as error:
            return {"problem": problem(error)}
        raised = result.error_before_exec or result.error_in_exec
        if raised is not None:
            return {"problem": problem(raised)}
        return {"problem": "" if result.success else "the cell failed"}

    def answers(self, expressions: list[str], seconds: float) -> dict[str, Any]:
        """Return the values of some expressions as text, None for one that has none."""
        import wire

        self.functions = wire.Functions()
        found: list[Any] = []
        for expression in expressions:
            try:
                with time_limit(seconds):
                    value = eval(expression, self.shell.user_ns)  # the learner's names, or a sum
                    found.append(wire.encode(value, self.functions))
            except BaseException:
                found.append(None)
        return {"answers": found}

    def call(self, function: int, given: list[Any], seconds: float) -> dict[str, Any]:
        """Call one of the learner's functions.

        Returns:
            What it returned or raised, and what became of what it was given.
        """
        import wire

        values = [wire.decode(value, lambda number, name: None) for value in given]
        reply: dict[str, Any] = {}
        try:
            with time_limit(seconds), same_random_numbers():
                answer = self.functions[function](*values)
                reply["returned"] = wire.encode(answer, self.functions)
        except BaseException as error:
            reply["raised"] = wire.encode_error(error)
        reply["after"] = [wire.encode(value) for value in values]
        return reply


def problem(error: BaseException) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, CellTimeoutError):
        return str(error)
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a message may do anything
        lines = []
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after some seconds, as Jupyter's button does, and again."""

    def interrupt(*_: Any) -> None:
        raise CellTimeoutError(f"interrupted after {seconds:.0f} s")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def same_random_numbers() -> Iterator[None]:
    """Run a function with the random numbers that the checks give it, the same each time."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    states = (
        random.getstate(),
        numpy and numpy.random.get_state(),
        torch and torch.get_rng_state(),
    )
    random.seed(0)
    if numpy:
        numpy.random.seed(0)
    if torch:
        torch.default_generator.manual_seed(0)
    try:
        yield
    finally:
        random.setstate(states[0])
        if numpy:
            numpy.random.set_state(states[1])
        if torch:
            torch.set_rng_state(states[2])


if __name__ == "__main__":
    main()
