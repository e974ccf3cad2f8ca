"""From a lesson's text to its two notebooks, without outputs: the learner's and the teacher's.

A lesson is written once, as text (`lessons/NN_name.py`, jupytext's percent format). In the
learner's notebook (`notebooks/`) the exercises are stubs; the teacher's (`notebooks/solutions/`)
has each solution behind its stub, and the cells that check what the course says.
"""

import ast
import math
import re
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.errors import LessonError
from helpers.results import EXPECTED
from tools import LESSONS, ROOT, TEXTS
from tools.addresses import badge, read_address, setup_cell

# An author's tags, and those that the notebook's cells get.
TAGS = {
    "setup": ["setup"],
    "check-output": ["nbval-check-output"],
    "exercise": ["exercise"],
    "exercise-check": ["exercise-check"],
    "check": ["check", "remove-cell"],  # the website leaves it out
}
# What nbgrader reads: the check of an exercise is worth a point, and is the teacher's again when a
# copy is graded. An answer's cell has none of it, as nbgrader would empty the cell.
NBGRADER = {
    "cell_type": "code",
    "grade": True,
    "locked": True,
    "points": 1,
    "schema_version": 3,
    "solution": False,
    "task": False,
}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
UNANSWERED = "...  # your answer"
SETUP_PLACE = "# {{ setup }}"
WORDS_A_MINUTE, MOST_MINUTES = 150, 40


def fill(markdown: str, **others: str) -> str:
    """Replaces each `{{ name }}` by the range expected of that result, or by one of `others`.

    A line may end within the braces.

    Raises:
        LessonError: If there is no such name.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] in others:
            return others[match[1]]
        if match[1] not in EXPECTED:
            raise LessonError(
                f"{match[0]} names no result: helpers/results.py expects {', '.join(EXPECTED)}."
            )
        return str(EXPECTED[match[1]])

    return re.sub(r"\{\{\s(\w+)\s\}\}", value, markdown)


def minutes_to_read(cells: Iterable[NotebookNode]) -> int:
    """Returns how long a lesson takes to read: 150 words a minute, and 30 s for each figure."""
    words = figures = 0
    for cell in cells:
        if cell.cell_type == "markdown":
            words += len(re.sub(r"(?s)\$\$.*?\$\$|\]\([^)]*\)", " ", cell.source).split())
        elif "exercise" not in cell.metadata.get("tags", []):
            figures += len(re.findall(r"(?m)^(?!from |import |def ).*\bplot_\w+\(", cell.source))
    return math.ceil(words / WORDS_A_MINUTE + figures / 2)


def split_exercise(source: str, check: str) -> tuple[str, str]:
    """Makes the learner's stub and the teacher's solution out of an exercise cell.

    The marked region becomes `name = ...` for each name that the region assigns and the check
    takes; a function or class becomes its first line, its docstring and `...`.

    Args:
        source: The exercise, with the marked region.
        check: The cell after it, which checks the answer.

    Returns:
        The stub's and the solution's source.

    Raises:
        LessonError: If the markers, the check or its arguments are not as they should be.
    """
    lines = source.splitlines()
    markers = [line for line in lines if "### BEGIN" in line or "### END" in line]
    if markers != [BEGIN, END]:
        raise LessonError(f"An exercise needs the lines '{BEGIN}' and '{END}', once, in order.")
    begin, end = lines.index(BEGIN), lines.index(END)
    before, region, after = lines[:begin], lines[begin + 1 : end], lines[end + 1 :]
    try:
        answer, rest = ast.parse("\n".join(region)), ast.parse(check)
    except SyntaxError as error:
        raise LessonError(f"An exercise that is not Python: {error}.") from error
    checks = [
        (node.func.id, [*node.args, *(keyword.value for keyword in node.keywords)])
        for node in ast.walk(rest)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("check_")
    ]
    if len(checks) != 1:
        raise LessonError(
            f"The cell after an exercise holds one call of a check_…, here are {len(checks)}."
        )
    called, taken = checks[0]
    stubs = {
        node.id: f"{node.id} = {UNANSWERED}"
        for node in ast.walk(answer)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | {
        node.name: _stub_of_definition(node)
        for node in answer.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    asked = dict.fromkeys(
        node.id for node in taken if isinstance(node, ast.Name) and node.id in stubs
    )
    if not asked:
        raise LessonError(f"{called} takes no name that its solution makes.")
    stub = [*before, *(stubs[name] for name in asked), *after]
    return "\n".join(stub).strip("\n"), "\n".join([*before, *region, *after]).strip("\n")


def _stub_of_definition(node: ast.FunctionDef | ast.ClassDef) -> str:
    docstring = node.body[:1] if ast.get_docstring(node) else []
    node.body = [*docstring, ast.Expr(ast.Name(UNANSWERED))]
    return ast.unparse(node)


def make_notebook(name: str, text: str, address: str | None, solutions: bool) -> NotebookNode:
    """Makes a lesson's notebook, without outputs, from its text.

    Args:
        name: The lesson, for example "01_data".
        text: Its jupytext percent text.
        address: The project's address, None where it is not known.
        solutions: Whether it is the teacher's notebook, with the solutions in it.

    Raises:
        LessonError: If a tag, a placeholder or an exercise is wrong; says in which cell.
    """
    made = []
    folder = "notebooks/solutions" if solutions else "notebooks"
    cells = jupytext.reads(text, fmt="py:percent").cells
    minutes = minutes_to_read(cells)
    if minutes > MOST_MINUTES:
        raise LessonError(
            f"{name} takes {minutes} minutes to read, and {MOST_MINUTES} is the most."
        )
    placeholders = {"badge": badge(name, address, folder), "minutes": str(minutes)}
    for number, (cell, following) in enumerate(zip(cells, [*cells[1:], None], strict=True)):
        # The same in every build, so that a diff shows what an author changed.
        identity = f"{name[:2]}-{number:02d}"
        tags = cell.metadata.get("tags", [])
        try:
            if unknown := set(tags) - TAGS.keys():
                raise LessonError(f"The tag {unknown.pop()!r} is none of {', '.join(TAGS)}.")
            metadata: dict[str, object] = {}
            if tags:
                metadata["tags"] = [each for tag in tags for each in TAGS[tag]]
            if cell.cell_type == "markdown":
                source = fill(cell.source, **placeholders)
                if solutions:
                    source = source.replace("](../", "](../../")
                made.append(new_markdown_cell(source, id=identity, metadata=metadata))
                continue
            source, solution = cell.source, None
            if ("setup" in tags) != (source == SETUP_PLACE):
                raise LessonError(f"A cell tagged 'setup' holds '{SETUP_PLACE}' and nothing else.")
            if "setup" in tags:
                source = setup_cell(address)
            if "exercise" in tags:
                if following is None or "exercise-check" not in following.metadata.get("tags", []):
                    raise LessonError("After an exercise comes its check, tagged 'exercise-check'.")
                source, solution = split_exercise(source, following.source)
            elif BEGIN in source:
                raise LessonError("A cell with a marked solution needs the tag 'exercise'.")
            elif "exercise-check" in tags and not (
                number and "exercise" in cells[number - 1].metadata.get("tags", [])
            ):
                raise LessonError("A cell tagged 'exercise-check' comes right after its exercise.")
            if "exercise-check" in tags and not solutions:
                metadata["nbgrader"] = NBGRADER | {"grade_id": f"check-{identity}"}
            if "check" not in tags or solutions:
                made.append(new_code_cell(source, id=identity, metadata=metadata))
            if solution is not None and solutions:
                tags = {"tags": ["solution", "hide-cell"]}
                made.append(new_code_cell(solution, id=f"{identity}-solution", metadata=tags))
        except LessonError as error:
            head = cell.source.strip().split("\n")[0]
            raise LessonError(f"{name}, cell {number} ({head}): {error}") from error
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return new_notebook(cells=made, metadata=about, nbformat_minor=5)


def read_text(name: str) -> list[NotebookNode]:
    """Returns the cells of a lesson's text file."""
    text = (TEXTS / f"{name}.py").read_text(encoding="utf-8")
    return list(jupytext.reads(text, fmt="py:percent").cells)


def read_lesson(name: str, solutions: bool) -> NotebookNode:
    """Returns `make_notebook` of the lesson's text file and the address in pyproject.toml."""
    text = (TEXTS / f"{name}.py").read_text(encoding="utf-8")
    address = read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return make_notebook(name, text, address, solutions)


def checks_after(notebook: NotebookNode) -> dict[str, list[NotebookNode]]:
    """Returns the lesson's checks that a learner's notebook leaves out.

    Args:
        notebook: A learner's notebook of one of the lessons, known by its cells' ids; also a copy
            in which cells were changed, added or deleted.

    Returns:
        The id of a code cell to the checks that come after it. Empty for a notebook that is of no
        lesson and for a teacher's, which has the checks itself.
    """
    ids = [cell.get("id", "") for cell in notebook.cells if cell.cell_type == "code"]
    names = [name for name in LESSONS if any(each.startswith(f"{name[:2]}-") for each in ids)]
    if len(names) != 1:
        return {}
    after: dict[str, list[NotebookNode]] = {}
    before = None
    for cell in read_lesson(names[0], solutions=True).cells:
        if cell.id in ids:
            before = cell.id
        elif before is not None and "check" in cell.metadata.get("tags", []):
            after.setdefault(before, []).append(cell)
    return after


def with_checks(notebook: NotebookNode) -> NotebookNode:
    """Returns a learner's notebook with the lesson's checks in their places."""
    after = checks_after(notebook)
    cells = [each for cell in notebook.cells for each in (cell, *after.get(cell.get("id", ""), ()))]
    return NotebookNode(notebook | {"cells": cells})


def read_notebook(path: Path) -> NotebookNode:
    """Returns the notebook in the file `path`."""
    return nbformat.read(path, as_version=4)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Writes `notebook` to `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
