"""Makes the notebooks out of the lessons' text, runs them, and writes the project's address.

A lesson is written once, as text (`lessons/NN_name.py`, jupytext's percent format). Two notebooks
come out of it: the learner's (`notebooks/`), whose exercises are stubs, and the teacher's
(`notebooks/solutions/`), where each stub is followed by its solution. The teacher's is executed;
both get its outputs.

    python lessons/build.py run        execute the learner's notebooks into executed/
    python lessons/build.py lessons    make both notebooks of each lesson anew, with outputs
    python lessons/build.py prose      the prose changed, the code did not: keep the outputs
    python lessons/build.py colab owner/name
    python lessons/build.py check PATH a notebook, or a folder of them, as a course check
    python lessons/build.py held       which newer releases the packages' caps hold back
"""

import argparse
import ast
import itertools
import json
import os
import platform
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import ipykernel.kernelspec
import jupytext
import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.errors import LessonError
from helpers.results import EXPECTED

LESSONS = (
    "01_data",
    "02_first_network",
    "03_softmax_and_relu",
    "04_mini_batches",
    "05_optimizers",
    "06_failure_analysis",
    "07_inside_the_network",
    "08_beyond_one_machine",
)
GLOSSARY = "glossary"  # a page without code: made like a lesson, not executed
ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "lessons"
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = NOTEBOOKS / "solutions"
EXECUTED = ROOT / "executed"
RESULTS = NOTEBOOKS / "saved" / "results.json"

CELL_TIMEOUT = 300  # seconds; the longest cell takes a tenth of this on two cores
TAGS = {"check-output": "nbval-check-output", "exercise": "exercise", "setup": "setup"}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

# --- the project's address, and what is made from it ---------------------------------------------

NOT_WRITTEN = "https://example.org/"  # a domain reserved for examples: the address is not known yet
GITHUB = "https://github.com/"
WRITE_IT = "`make colab REPOSITORY=owner/name`"

SETUP_PLACE = "# {{ setup }}"
SETUP = """\
# On Colab and Kaggle this installs the lessons' helpers and digits; elsewhere it changes nothing.
import importlib.util, os, sys

repository = "{address}"  # written by `make colab`
class SetupError(ImportError):
    _render_traceback_ = lambda self: [str(self)]  # one line instead of a traceback

for name in ("helpers", "deeplay", "deeptrack", "lightning", "matplotlib", "numpy", "torch"):
    spec = importlib.util.find_spec(name)
    file = spec and (spec.origin or list(spec.submodule_search_locations)[0])
    beside = file and os.path.dirname(file) in (os.getcwd(), os.path.abspath(name))
    if beside and not os.path.exists("helpers/mnist.npz"):  # in the project's folder they are ours
        raise SetupError(f"{{file}} hides the lessons' {{name}}: rename it and restart the kernel.")
if importlib.util.find_spec("helpers") is None:
    if "google.colab" not in sys.modules and "KAGGLE_KERNEL_RUN_TYPE" not in os.environ:
        raise SetupError("This kernel has no helpers: start with `make lab`, see the README.")
    if not repository:
        raise SetupError("The lessons' owner has to run `make colab REPOSITORY=owner/name` first.")
    print(f"Installing the lessons' helpers and digits from {{repository}} ...")
    %pip install --quiet "git+{{repository}}\""""


# What an address may hold. It ends in a line that IPython and a shell read, so what is not listed
# here is refused: no $, quotes, braces, spaces, @, %, ?, #, and nothing outside of ASCII.
OWNER = r"(?=.{1,39}/)[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*"  # 39: GitHub's own limit
NAME = r"(?!\.+(?:/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}"
HOST = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ADDRESS = re.compile(
    rf"https://github\.com/{OWNER}/{NAME}(?<!\.git)"
    rf"|https://(?!(?:www\.)?github\.com/){HOST}(?:\.{HOST})*(?:/{NAME})+"
    rf"|file://localhost(?:/[A-Za-z]:)?(?:/{NAME})+"
)
LONGEST_ADDRESS = 255
PAGE = re.compile(r"://[^/]+/.+/(tree|blob)/")  # of a repository's file or branch
REPOSITORY_LINE = re.compile(r'(?m)^Repository = ".*"$')


def is_address(address: str) -> bool:
    """Returns whether `address` is the whole, tidy address of a repository."""
    return (
        len(address) <= LONGEST_ADDRESS
        and ADDRESS.fullmatch(address) is not None
        and PAGE.search(address) is None
    )


def read_address(pyproject: str) -> str | None:
    """Returns the project's address that `pyproject` (the file's text) holds, None before it is.

    Raises:
        LessonError: If there is none, or one that `write_address` would not have written.
    """
    address = tomllib.loads(pyproject)["project"].get("urls", {}).get("Repository", "")
    if address.startswith(NOT_WRITTEN):
        return None
    if not is_address(address):
        raise LessonError(
            f"The line Repository in pyproject.toml holds {address!a}, which is not the address "
            f"of a repository: write it with {WRITE_IT}."
        )
    return address


def write_address(pyproject: str, repository: str) -> str:
    """Returns the text `pyproject` with the project's address replaced.

    Args:
        pyproject: The text of pyproject.toml.
        repository: `owner/name` on GitHub, or a whole address (`https://…`, `file://localhost/…`).

    Raises:
        LessonError: If `repository` is neither, or `pyproject` has no line for it.
    """
    address = repository.removesuffix("/")
    if "://" not in address:
        address = GITHUB + address
    if address.startswith(GITHUB):
        address = address.removesuffix(".git")
    if not is_address(address):
        shown = repository if len(repository) <= 100 else repository[:100] + "..."
        raise LessonError(
            f"{shown!a} is not the address of a repository: give owner/name as on GitHub, for "
            "example make colab REPOSITORY=ada/mnist-lessons, or https://host/path/name with "
            "letters, digits, '.', '_' and '-' in it and nothing else"
        )
    written, count = REPOSITORY_LINE.subn(lambda _: f'Repository = "{address}"', pyproject)
    if count != 1:
        raise LessonError(
            f'pyproject.toml has {count} lines like Repository = "…", where one was expected: '
            "put it below [project.urls] as it was."
        )
    return written


def setup_cell(address: str | None) -> str:
    """Returns the source of the set-up cell, the same in every lesson."""
    return SETUP.format(address=address or "")


def badge(name: str, address: str | None, folder: str = "notebooks") -> str:
    """Returns the Markdown line that opens `folder/name.ipynb` on Colab."""
    if address is None or not address.startswith(GITHUB):
        return f"*Open in Colab: a badge stands here once the maintainer has run {WRITE_IT}.*"
    page = address.removeprefix(GITHUB)
    return (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{page}/blob/main/{folder}/{name}.ipynb)"
    )


# --- from text to notebook -----------------------------------------------------------------------


def fill(markdown: str, **others: str) -> str:
    """Replaces each `{{ name }}` by the range expected of that result, or by one of `others`.

    Raises:
        LessonError: If there is no such name.
    """

    def value(match: re.Match) -> str:
        if match[1] in others:
            return others[match[1]]
        if match[1] not in EXPECTED:
            raise LessonError(
                f"{match[0]} names no result: helpers/results.py expects {', '.join(EXPECTED)}."
            )
        return str(EXPECTED[match[1]])

    return re.sub(r"\{\{ (\w+) \}\}", value, markdown)


def split_exercise(source: str) -> tuple[str, str]:
    """Makes the learner's stub and the teacher's solution out of an exercise cell.

    The marked region becomes `name = ...` for each name that the region assigns and the check
    takes; a function or class becomes its first line, its docstring and `...`.

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
        answer, rest = ast.parse("\n".join(region)), ast.parse("\n".join(after))
    except SyntaxError as error:
        raise LessonError(f"An exercise that is not Python: {error}.") from error
    checks = [
        node
        for node in ast.walk(rest)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("check_")
    ]
    if len(checks) != 1:
        raise LessonError(f"An exercise ends in one call of a check_…, here are {len(checks)}.")
    taken = [*checks[0].args, *(keyword.value for keyword in checks[0].keywords)]
    stubs = {
        node.id: f"{node.id} = ...  # your answer"
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
        raise LessonError(f"{checks[0].func.id} takes no name that its solution makes.")
    stub = "\n".join([*before, *(stubs[name] for name in asked), *after])
    return stub, "\n".join([*before, *region, *after])


def _stub_of_definition(node: ast.FunctionDef | ast.ClassDef) -> str:
    docstring = node.body[:1] if ast.get_docstring(node) else []
    node.body = [*docstring, ast.Expr(ast.Constant(...))]
    return ast.unparse(node) + "  # your answer"


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
    cells = []
    folder = "notebooks/solutions" if solutions else "notebooks"
    for number, cell in enumerate(jupytext.reads(text, fmt="py:percent").cells):
        # The same in every build, so that a diff shows what an author changed.
        identity = f"{name[:2]}-{number:02d}"
        tags = cell.metadata.get("tags", [])
        try:
            if unknown := set(tags) - TAGS.keys():
                raise LessonError(f"The tag {unknown.pop()!r} is none of {', '.join(TAGS)}.")
            metadata = {"tags": [TAGS[tag] for tag in tags]} if tags else {}
            if cell.cell_type == "markdown":
                source = fill(cell.source, badge=badge(name, address, folder))
                if solutions:
                    source = source.replace("](../", "](../../")
                cells.append(new_markdown_cell(source, id=identity, metadata=metadata))
                continue
            source, solution = cell.source, None
            if ("setup" in tags) != (source == SETUP_PLACE):
                raise LessonError(f"A cell tagged 'setup' holds '{SETUP_PLACE}' and nothing else.")
            if "setup" in tags:
                source = setup_cell(address)
            if "exercise" in tags:
                source, solution = split_exercise(source)
            elif BEGIN in source:
                raise LessonError("A cell with a marked solution needs the tag 'exercise'.")
            cells.append(new_code_cell(source, id=identity, metadata=metadata))
            if solution is not None and solutions:
                tags = {"tags": ["solution", "hide-cell"]}
                cells.append(new_code_cell(solution, id=f"{identity}-solution", metadata=tags))
        except LessonError as error:
            head = cell.source.strip().split("\n")[0]
            raise LessonError(f"{name}, cell {number} ({head}): {error}") from error
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)


def read_lesson(name: str, solutions: bool) -> NotebookNode:
    """Returns `make_notebook` of the lesson's text file and the address in pyproject.toml."""
    text = (TEXTS / f"{name}.py").read_text(encoding="utf-8")
    address = read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return make_notebook(name, text, address, solutions)


def read_notebook(path: Path) -> NotebookNode:
    """Returns the notebook in the file `path`."""
    return nbformat.read(path, as_version=4)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Writes `notebook` to `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")


# --- outputs -------------------------------------------------------------------------------------

WIDGET = "application/vnd.jupyter.widget-view+json"
PROGRESS_BAR = re.compile(r"\d+%\|.*\||\d(it|step|image|file)s?/s\b|[━█▏▎▍▌▋▊▉]{3}")
IMAGE_DATA = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=\s]+")
OUTPUT_PROBLEMS = {
    "a warning": re.compile(r"\w*Warning: "),
    "a progress bar": PROGRESS_BAR,
    "an absolute path": re.compile(
        r"(?<![\w.:/<])/(home|root|Users|tmp|usr|opt|var|mnt|srv|private)/|\b[A-Z]:\\"
    ),
    "an object's address": re.compile(r"\b0x[0-9a-f]{6,}"),
}


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Returns the code cells of `notebook`, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_solution(cell: NotebookNode) -> bool:
    """Returns whether `cell` is one that only the teacher's notebook has."""
    return "solution" in cell.metadata.get("tags", [])


def clean(notebook: NotebookNode) -> None:
    """Removes what an executed notebook should not keep: progress bars, widgets, timings."""
    notebook.metadata.pop("widgets", None)
    for cell in code_cells(notebook):
        cell.metadata.pop("execution", None)
        cell.outputs = [output for output in cell.outputs if _cleaned(output)]


def _cleaned(output: NotebookNode) -> bool:
    """Takes progress bars and widgets out of `output`; returns whether something is left."""
    if output.output_type == "stream":
        shown = [line for line in output.text.splitlines(True) if not PROGRESS_BAR.search(line)]
        changed = "".join(shown) != output.text
        output.text = "".join(shown)
        return bool(output.text.strip()) if changed else bool(output.text)
    data = output.get("data")
    if data is None:
        return True
    if data.pop(WIDGET, None):
        # A widget's plain text is its address; other forms of it are a static example to keep.
        data.pop("text/plain", None)
    return any(str(value).strip() for value in data.values())


def copy_outputs(executed: NotebookNode, notebook: NotebookNode) -> None:
    """Gives `notebook` the outputs of `executed`, which has the same code.

    `executed` may hold solution cells that `notebook` does not.

    Raises:
        LessonError: If a cell's code is not what was executed.
    """
    targets = code_cells(notebook)
    with_solutions = any(map(is_solution, targets))
    sources = [cell for cell in code_cells(executed) if with_solutions or not is_solution(cell)]

    def code(cell: NotebookNode) -> str:
        tags = cell.metadata.get("tags", [])
        # The address in the set-up cell changes no output.
        return "set-up" if "setup" in tags else cell.source

    if [code(cell) for cell in sources] != [code(cell) for cell in targets]:
        raise LessonError("The lesson's code is not the code that was executed: run `make lessons`")
    for count, (source, target) in enumerate(zip(sources, targets, strict=True), start=1):
        target.outputs = [NotebookNode(output) for output in source.outputs]
        target.execution_count = count
        for output in target.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def problems(notebook: NotebookNode) -> Iterator[str]:
    """Yields what an executed notebook holds that no learner should see, one line each."""
    if "widgets" in notebook.metadata:
        yield "widget state"
    for count, cell in enumerate(code_cells(notebook), start=1):
        where = f"cell {count} ({cell.source.splitlines()[0] if cell.source else 'empty'})"
        if cell.execution_count != count:
            yield f"{where}: executed as number {cell.execution_count}"
        for output in cell.outputs:
            yield from (f"{where}: {problem}" for problem in _output_problems(output))


def _output_problems(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "error":
        yield f"{output.ename}: {output.evalue}"
        return
    data = output.get("data", {})
    if output.get("name") == "stderr":
        yield f"standard error: {output.text.strip()[:100]}"
    yield from (f"{kind} without a text" for kind in data if kind.startswith("image/"))
    if WIDGET in data:
        yield "a widget"
    for text in [output.get("text", ""), *(str(value) for value in data.values())]:
        text = IMAGE_DATA.sub("", text)
        for problem, pattern in OUTPUT_PROBLEMS.items():
            if found := pattern.search(text):
                yield f"{problem}: {found[0]!r}"
        for place in (str(Path.home()), str(ROOT), platform.node()):
            # A home folder or a host may have a name as short as "/" or "a".
            if len(place) > 3 and place in text:
                yield f"the name of a place on this machine: {place!r}"
        for image in re.findall(r"<img\b[^>]*>|<svg\b[^>]*>", text):
            if not re.search(r"""\b(alt|aria-label)=("\s*[^"\s]|'\s*[^'\s])""", image):
                yield "an image without a text that says what it shows"


# --- execution -----------------------------------------------------------------------------------


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
    place = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT, resources=place, record_timing=False, coalesce_streams=True
    )
    client.km = AsyncKernelManager(kernel_spec_manager=ThisPython())
    seconds = []
    cells = code_cells(notebook)
    with client.setup_kernel(stderr=subprocess.DEVNULL):
        for count, cell in enumerate(cells, start=1):
            progress(count, len(cells))
            start = time.perf_counter()
            try:
                client.execute_cell(cell, notebook.cells.index(cell))
            except CellTimeoutError:
                problem = f"still not done after {CELL_TIMEOUT} s"
            except DeadKernelError:
                problem = "its kernel died (out of memory?)"
            except CellExecutionError as error:
                problem = f"{error.ename}: {error.evalue}"
            else:
                seconds.append(time.perf_counter() - start)
                continue
            code = "\n".join(f"    {line}" for line in cell.source.splitlines()[:5])
            raise LessonError(f"cell {count} of {len(cells)}: {problem}\n{code}")
    return seconds


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


def accuracy_reached(name: str) -> str:
    """Returns the last result that lesson `name` recorded, with its label; "" if there is none."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    reached = [
        f"{results[key]:.1%} ({expected.label})"
        for key, expected in EXPECTED.items()
        if expected.lesson == int(name[:2]) and key in results
    ]
    return reached[-1] if reached else ""


# --- commands ------------------------------------------------------------------------------------


def run(names: Iterable[str]) -> None:
    """Executes the learner's notebooks, writes them to `executed/`, prints what they took."""
    rows = [("lesson", "time", "slowest cell", "test accuracy reached")]
    for name in names:
        notebook = read_notebook(NOTEBOOKS / f"{name}.ipynb")
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
        teachers, learners = read_lesson(name, solutions=True), read_lesson(name, solutions=False)
        execute_lesson(name, teachers)
        clean(teachers)
        copy_outputs(teachers, learners)
        write_notebook(teachers, SOLUTIONS / f"{name}.ipynb")
        write_notebook(learners, NOTEBOOKS / f"{name}.ipynb")
        if found := list(problems(teachers)):
            raise LessonError(f"{name} shows what no learner should see:\n" + "\n".join(found))
    write_pages()


def refreshed(name: str, solutions: bool) -> NotebookNode:
    """Returns a committed notebook with its sources made anew, its outputs kept.

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
        learners, teachers = refreshed(name, solutions=False), refreshed(name, solutions=True)
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


def with_journey(readme: str) -> str:
    """Returns the text `readme` with its table of what accuracy to expect written anew."""
    rows = ["| lesson | test accuracy of | expected |", "| --- | --- | --- |"]
    for expected in filter(lambda expected: expected.journey, EXPECTED.values()):
        name = LESSONS[expected.lesson - 1]
        link = f"[{expected.lesson}](notebooks/{name}.ipynb)"
        rows.append(f"| {link} | {expected.label} | {expected} |")
    table = "\n".join(rows)
    pattern = r"(?s)(<!-- journey -->\n).*?(<!-- /journey -->)"
    return re.sub(pattern, lambda match: f"{match[1]}\n{table}\n\n{match[2]}", readme)


def with_address(readme: str, address: str | None) -> str:
    """Returns the text `readme` with the address to clone the project from."""
    address = address or f"{GITHUB}OWNER/NAME"
    return re.sub(r"(?m)(^git clone )\S+", lambda match: match[1] + address, readme)


def write_pages() -> None:
    """Writes what has no code: the glossary beside the lessons, the README's table and address."""
    path = ROOT / "README.md"
    address = read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = with_address(with_journey(path.read_text(encoding="utf-8")), address)
    path.write_text(text, encoding="utf-8", newline="\n")
    for folder, solutions in ((NOTEBOOKS, False), (SOLUTIONS, True)):
        write_notebook(read_lesson(GLOSSARY, solutions), folder / f"{GLOSSARY}.ipynb")


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


def check(notebook: str) -> int:
    """Runs a notebook, or a folder of them, as a course check; returns pytest's exit code.

    Raises:
        LessonError: If `notebook` is neither, or has a name that pytest cannot be given.
    """
    import pytest  # only who tests has it

    path = Path(notebook)
    if not notebook or not os.path.exists(notebook):  # False for a name that is too long, too
        raise LessonError(
            f"There is no {notebook!r}. Say which notebook: "
            "make check NOTEBOOK=notebooks/01_data.ipynb"
        )
    if not path.is_dir() and not (path.is_file() and path.suffix == ".ipynb"):
        raise LessonError(f"{notebook!r} is neither a notebook (.ipynb) nor a folder of them.")
    if not path.is_dir() and re.search(r"\[|::", path.name):
        raise LessonError(
            f"{path.name!r} has '[' or '::' in its name, which pytest takes for the name of a "
            "test: rename it, or check its folder."
        )
    # pytest reads signs in an argument (-, @, [, ::): from inside the folder it gets almost none.
    folder, name = (path, ".") if path.is_dir() else (path.parent, f"./{path.name}")
    try:
        os.chdir(folder)
    except OSError as error:
        raise LessonError(f"{str(folder)!r} cannot be opened: {error.strerror}.") from error
    sys.path.insert(0, str(ROOT / "tests"))
    project = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
    # What this program imports, pytest cannot rewrite any more, nor does it need to.
    warning = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return pytest.main(["-p", "conftest", *project, *warning, "--quiet", name])


def held_back(newest: dict[str, str], requirements: Iterable[str]) -> str:
    """Says in one line which releases the packages' caps hold back.

    Args:
        newest: The newest release of each package that has a newer one than is installed.
        requirements: What the project takes, for example "nbval>=0.11,<0.12".
    """
    newest = {canonicalize_name(name): version for name, version in newest.items()}
    held = []
    for requirement in map(Requirement, requirements):
        version = newest.get(canonicalize_name(requirement.name))
        caps = ",".join(str(part) for part in requirement.specifier if part.operator != ">=")
        if version and caps and not requirement.specifier.contains(version):
            held.append(f"{requirement.name} {version} is out, the lessons take {caps}")
    return "held back: " + ("; ".join(held) or "nothing")


def held() -> None:
    """Prints what the caps in pyproject.toml hold back from this Python's packages."""
    command = ["pip", "list", "--outdated", "--format=json", "--disable-pip-version-check"]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, encoding="utf-8")
    if done.returncode:
        raise LessonError(f"pip could not list the newer releases: {done.stderr.strip()}")
    newest = {package["name"]: package["latest_version"] for package in json.loads(done.stdout)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    print(held_back(newest, [*project["dependencies"], *itertools.chain(*extras)]))


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(metavar="command", required=True)
    for command, argument in (
        (run, {"dest": "names", "nargs": "*"}),
        (lessons, {"dest": "names", "nargs": "*"}),
        (prose, {"dest": "names", "nargs": "*"}),
        (colab, {"dest": "repository"}),
        (check, {"dest": "notebook"}),
        (held, None),
    ):
        subparser = commands.add_parser(command.__name__, help=command.__doc__.splitlines()[0])
        subparser.set_defaults(command=command)
        if argument:
            subparser.add_argument(**argument)
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
