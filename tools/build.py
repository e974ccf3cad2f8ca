"""Makes the notebooks out of the lessons' text, executes and checks them, writes the address.

python -m tools.build run        execute the learner's notebooks into executed/
python -m tools.build lessons    make both notebooks of each lesson anew, with outputs
python -m tools.build prose      the prose changed, the code did not: keep the outputs
python -m tools.build colab owner/name
python -m tools.build check PATH [--again]  a notebook, a folder of them or a zip, as a course check
python -m tools.build handout    what a class is given, without solutions
python -m tools.build slides     the slides of each lesson, into site/slides/
python -m tools.build held       which newer releases the packages' caps hold back
"""

import argparse
import json
import sys
from collections.abc import Iterable

from nbformat import NotebookNode

from helpers.errors import LessonError
from helpers.results import EXPECTED
from tools import GLOSSARY, LESSONS, NOTEBOOKS, ROOT, SOLUTIONS
from tools.addresses import read_address, with_address, with_journey, with_times, write_address
from tools.course_check.command import check
from tools.execute import execute_lesson
from tools.handout import handout
from tools.notebooks import (
    minutes_to_read,
    read_lesson,
    read_notebook,
    read_text,
    with_checks,
    write_notebook,
)
from tools.outputs import clean, code_cells, copy_outputs, problems
from tools.releases import held
from tools.slides import make_slides

EXECUTED = ROOT / "executed"
RESULTS = NOTEBOOKS / "saved" / "results.json"


def run(names: Iterable[str]) -> None:
    """Executes the learner's notebooks, writes them to `executed/`, prints what they took."""
    rows: list[tuple[str, ...]] = [("lesson", "time", "slowest cell", "test accuracy reached")]
    for name in names:
        notebook = with_checks(read_notebook(NOTEBOOKS / f"{name}.ipynb"))
        for cell in code_cells(notebook):
            cell.outputs, cell.execution_count = [], None
        try:
            seconds = execute_lesson(name, notebook)
        finally:
            write_notebook(notebook, EXECUTED / f"{name}.ipynb")
        slowest = max(range(len(seconds)), key=seconds.__getitem__)
        slowest_cell = f"{seconds[slowest]:.1f} s (cell {slowest + 1})"
        rows.append((name, f"{sum(seconds):.0f} s", slowest_cell, accuracy_reached(name)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    print()
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    print(f"\nThe executed notebooks are in {EXECUTED.name}/")


def lessons(names: Iterable[str]) -> None:
    """Makes both notebooks of each lesson anew from its text, executed."""
    NOTEBOOKS.mkdir(exist_ok=True)
    for name in names:
        executed = read_lesson(name, solutions=True)
        seconds = execute_lesson(name, executed)
        clean(executed)
        executed.metadata["seconds"] = round(sum(seconds))
        for folder, solutions in ((SOLUTIONS, True), (NOTEBOOKS, False)):
            notebook = read_lesson(name, solutions)
            copy_outputs(executed, notebook)
            write_notebook(notebook, folder / f"{name}.ipynb")
        if found := list(problems(executed)):
            raise LessonError(f"{name} shows what no learner should see:\n" + "\n".join(found))
    write_pages()


def accuracy_reached(name: str) -> str:
    """Returns the last result that lesson `name` recorded, with its label; "" if there is none."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    reached = [
        f"{results[key]:.1%} ({expected.label})"
        for key, expected in EXPECTED.items()
        if expected.lesson == int(name[:2]) and key in results
    ]
    return reached[-1] if reached else ""


def with_kept_outputs(name: str, solutions: bool) -> NotebookNode:
    """Returns a lesson's notebook made anew, with the outputs of the one that is there.

    Raises:
        LessonError: If the lesson's code has changed since it was executed.
    """
    notebook = read_lesson(name, solutions)
    try:
        copy_outputs(
            read_notebook((SOLUTIONS if solutions else NOTEBOOKS) / f"{name}.ipynb"), notebook
        )
    except LessonError as error:
        raise LessonError(f"{name}: {error}") from error
    return notebook


def prose(names: Iterable[str]) -> None:
    """Makes the notebooks' text, the glossary and the README's table anew, executing nothing."""
    for name in names:
        learners, teachers = (with_kept_outputs(name, solutions) for solutions in (False, True))
        write_notebook(learners, NOTEBOOKS / f"{name}.ipynb")
        write_notebook(teachers, SOLUTIONS / f"{name}.ipynb")
    write_pages()


def colab(repository: str) -> None:
    """Writes the project's address, and from it the lessons' badges and set-up cells."""
    path = ROOT / "pyproject.toml"
    path.write_text(
        write_address(path.read_text(encoding="utf-8"), repository), encoding="utf-8", newline="\n"
    )
    prose(LESSONS)
    print(f"The lessons now say that they live at {read_address(path.read_text(encoding='utf-8'))}")


def write_pages() -> None:
    """Writes what has no code: the glossary beside the lessons, the README's table and address."""
    path = ROOT / "README.md"
    address = read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = with_address(with_journey(path.read_text(encoding="utf-8")), address)
    path.write_text(text, encoding="utf-8", newline="\n")
    path = ROOT / "docs" / "teaching.md"
    if path.exists():
        reading, running = how_long()
        text = with_times(path.read_text(encoding="utf-8"), reading, running)
        path.write_text(text, encoding="utf-8", newline="\n")
    for folder, solutions in ((NOTEBOOKS, False), (SOLUTIONS, True)):
        write_notebook(read_lesson(GLOSSARY, solutions), folder / f"{GLOSSARY}.ipynb")


def how_long() -> tuple[dict[str, int], dict[str, float]]:
    """Returns the minutes to read each lesson, and the seconds that its outputs took to make."""
    reading = {name: minutes_to_read(read_text(name)) for name in LESSONS}
    made = {name: SOLUTIONS / f"{name}.ipynb" for name in LESSONS}
    about = {name: read_notebook(path).metadata for name, path in made.items() if path.exists()}
    return reading, {name: one["seconds"] for name, one in about.items() if "seconds" in one}


def slides() -> None:
    """Builds the slides of all lessons into `site/slides/`."""
    make_slides(ROOT / "site" / "slides")


def chosen(words: list[str]) -> list[str]:
    """Returns the lessons that `words` ("02", "3", "04_mini_batches") name; all for no word.

    Raises:
        LessonError: If there is no such lesson.
    """
    found = []
    # make hands over what it was given as one word: LESSON="02 03".
    for word in " ".join(words).split():
        number = word.split("_")[0].zfill(2)
        matches = [name for name in LESSONS if name == word or name[:2] == number]
        if not matches:
            raise LessonError(f"There is no lesson {word!r}; there are {', '.join(LESSONS)}.")
        found += matches
    return found or list(LESSONS)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser("python -m tools.build", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(metavar="command", required=True)
    for command, argument, count in (
        (run, "names", "*"),
        (lessons, "names", "*"),
        (prose, "names", "*"),
        (colab, "repository", None),
        (check, "notebook", None),
        (handout, None, None),
        (slides, None, None),
        (held, None, None),
    ):
        meaning = (command.__doc__ or "").partition("\n")[0]
        subparser = commands.add_parser(command.__name__, help=meaning)
        subparser.set_defaults(command=command)
        if argument:
            subparser.add_argument(argument, nargs=count)
        if command is check:
            subparser.add_argument("--again", action="store_true", help="also what is done")
    options = vars(parser.parse_args(arguments))
    command = options.pop("command")
    try:
        if "names" in options:
            options["names"] = chosen(options["names"])
        return command(**options) or 0
    except LessonError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
