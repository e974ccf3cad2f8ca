"""A small lesson that stands in for the lessons where a class is checked, and copies of it."""

import copy

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.course_check import command, grade
from tools.notebooks import write_notebook

NAME = "01_standin"
FUNCTION = '''\
def strangest(images, mean_image):
    """Return the place of the image that is farthest from the mean image."""
    ...  # your answer'''
CELLS = {
    "01-01": ("pass  # stands for the set-up", "setup"),
    "01-02": ("import numpy as np\n\nnumbers = np.arange(10)", None),
    "01-03": ("megabytes = ...  # your answer", "exercise"),
    "01-04": ("from helpers.checks import check_megabytes\n\ncheck_megabytes(megabytes)", "check"),
    "01-05": (FUNCTION, "exercise"),
    "01-06": ("from helpers.checks import check_strangest\n\ncheck_strangest(strangest)", "check"),
    "01-07": ("total = numbers.sum()\nassert total == 45", None),
    "01-08": ("steps = ...  # your answer", "exercise"),
    "01-09": ("from helpers.checks import check_steps\n\ncheck_steps(steps=steps)", "check"),
}
RIGHT = {
    "01-03": "megabytes = 188.16",
    "01-05": "def strangest(images, mean_image):\n"
    "    return ((images - mean_image) ** 2).mean(axis=(1, 2)).argmax()",
    "01-08": "steps = 3 * 782",
}
TAGS = {"setup": "setup", "exercise": "exercise", "check": "exercise-check"}


def lesson():
    """Returns the learner's notebook of the lesson."""
    cells = [new_markdown_cell("# A lesson", id="01-00")]
    for identity, (source, tag) in CELLS.items():
        metadata = {"tags": [TAGS[tag]]} if tag else {}
        cells.append(new_code_cell(source, id=identity, metadata=metadata))
    return new_notebook(cells=cells)


def copy_with(sources):
    """Returns a copy of the lesson in which some cells, by id, have other sources."""
    notebook = copy.deepcopy(lesson())
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    return notebook


def check(path, folder, monkeypatch, cell=120):
    """Checks `path`; returns the exit status and the results by file.

    The lesson, and what the check writes, are in `folder`. Cells may take `cell` seconds; programs
    may take long to start, because other tests run beside this one.
    """
    write_notebook(lesson(), folder / "notebooks" / f"{NAME}.ipynb")
    monkeypatch.setattr(grade, "CELL", cell)
    monkeypatch.setattr(grade, "START", 600)
    monkeypatch.setattr(command, "slowness", lambda: 1.0)
    kept = []
    whole = command.report.write

    def keep(to, results, *others):
        kept.extend(results)
        whole(to, results, *others)

    monkeypatch.setattr(command.report, "write", keep)
    status = command.check(str(path), notebooks=folder / "notebooks", to=folder / "checked")
    return status, {result.file: result for result in kept}
