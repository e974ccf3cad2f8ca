"""nbgrader, in an environment of its own, grades the notebooks as they are."""

import json
import os
import subprocess
from functools import partial

import nbformat
import pytest
from programs import PACKAGES, ended, environ, printed, virtual_environment
from test_course_check import solved

from helpers.checks import check_megabytes
from helpers.errors import LessonError
from tools import ROOT
from tools.course_check.copies import names
from tools.notebooks import read_lesson, write_notebook

NBGRADER = "nbgrader==0.9.6"
LONGEST_INSTALL = 600  # seconds
LESSON = "01_data"
SCORES = """\
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    found = {s.student.id: [s.score, s.max_score] for s in book.assignment_submissions("lesson")}
print(json.dumps(found))
"""


def test_check_raises_where_nbgrader_grades(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check_megabytes(188.16)
    assert capsys.readouterr().out.startswith("Right. ")
    for answer in (47.04, ...):
        with pytest.raises(LessonError, match=r"^Not yet: "):
            check_megabytes(answer)
    monkeypatch.delenv("NBGRADER_EXECUTION")
    check_megabytes(47.04)


def test_learners_notebook_has_a_point_an_exercise():
    cells = read_lesson(LESSON, solutions=False).cells
    graded = [cell for cell in cells if "nbgrader" in cell.metadata]
    assert [cell.metadata["tags"] for cell in graded] == [["exercise-check"]] * 3
    assert [cell.metadata["nbgrader"]["points"] for cell in graded] == [1, 1, 1]
    assert len({cell.metadata["nbgrader"]["grade_id"] for cell in graded}) == 3
    teachers = read_lesson(LESSON, solutions=True).cells
    assert not any("nbgrader" in cell.metadata for cell in teachers)


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory):
    """A function that runs nbgrader's program, with this environment's packages beside it."""
    folder = tmp_path_factory.mktemp("environment")
    python = virtual_environment(folder, PACKAGES)
    try:
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", NBGRADER]
        done = ended(python, *install, timeout=LONGEST_INSTALL)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{NBGRADER} was not installed within {LONGEST_INSTALL} s")
    if done.returncode:
        pytest.skip(f"{NBGRADER} cannot be installed here: {done.stderr.strip()[-200:]}")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"  # it starts alembic by its name
    environment = environ(ROOT) | {"OMP_NUM_THREADS": "1", "PATH": path}
    return partial(printed, python, env=environment, timeout=None)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nbgrader_grades_right_wrong_and_untouched(nbgrader, tmp_path):
    name = f"{LESSON}.ipynb"
    write_notebook(read_lesson(LESSON, solutions=False), tmp_path / "source" / "lesson" / name)
    nbgrader("-m", "nbgrader", "generate_assignment", "lesson", "--create", cwd=tmp_path)
    release = nbformat.read(tmp_path / "release" / "lesson" / name, as_version=4)
    answers = {cell.id: cell.source for cell in solved(LESSON).cells}
    sources = {cell.id: cell.source for cell in read_lesson(LESSON, solutions=False).cells}
    assert {cell.id: cell.source for cell in release.cells} == sources

    def submit(learner, change):
        copied = nbformat.reads(nbformat.writes(release), as_version=4)
        for cell in copied.cells:
            cell.source = change(cell)
        write_notebook(copied, tmp_path / "submitted" / learner / "lesson" / name)

    def wrong(cell):
        if "nbgrader" in cell.metadata:
            return "print('Right.')"
        if cell.id in answers and "exercise" in cell.metadata.get("tags", []):
            return f"{answers[cell.id]}\n{next(names(cell.source))} = 7"
        return cell.source

    submit("right", lambda cell: answers.get(cell.id, cell.source))
    submit("wrong", wrong)
    submit("untouched", lambda cell: cell.source)
    grade = ["autograde", "lesson", "--create", "--Execute.timeout=600"]  # on a loaded machine
    nbgrader("-m", "nbgrader", *grade, cwd=tmp_path)
    scores = json.loads(nbgrader("-c", SCORES, cwd=tmp_path))
    assert scores == {"right": [3.0, 3.0], "wrong": [0.0, 3.0], "untouched": [0.0, 3.0]}
