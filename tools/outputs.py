"""The outputs of an executed notebook: cleaned, copied to the other one, looked through."""

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from helpers.errors import LessonError
from tools import ROOT

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


def is_teachers(cell: NotebookNode) -> bool:
    """Returns whether `cell` is one that only the teacher's notebook has."""
    return not {"solution", "check"}.isdisjoint(cell.metadata.get("tags", []))


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

    `executed` may hold solutions and checks that `notebook` does not; the cells that check an
    answer then show nothing, as there is no answer yet.

    Raises:
        LessonError: If a cell's code is not what was executed.
    """
    targets = code_cells(notebook)
    for_learners = not any(map(is_teachers, targets))
    sources = [cell for cell in code_cells(executed) if not (for_learners and is_teachers(cell))]

    def code(cell: NotebookNode) -> str:
        tags = cell.metadata.get("tags", [])
        # The address in the set-up cell changes no output.
        return "set-up" if "setup" in tags else cell.source

    if [code(cell) for cell in sources] != [code(cell) for cell in targets]:
        raise LessonError("The lesson's code is not the code that was executed: run `make lessons`")
    if "seconds" in executed.metadata:  # how long they took, which the teachers' page says
        notebook.metadata["seconds"] = executed.metadata["seconds"]
    for count, (source, target) in enumerate(zip(sources, targets, strict=True), start=1):
        unanswered = for_learners and "exercise-check" in target.metadata.get("tags", [])
        target.outputs = [] if unanswered else [NotebookNode(output) for output in source.outputs]
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
