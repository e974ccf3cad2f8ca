"""What a class is given works by itself, and holds no solution."""

import re
import zipfile

import nbformat
import pytest
from programs import PACKAGES, environ, printed, virtual_environment

from helpers.errors import LessonError
from tools import LESSONS
from tools import handout as module
from tools.handout import BEGIN, END, LINK, for_learners, handout


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """An empty folder into which the zip was unpacked."""
    built, folder = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("learner's")
    handout(built)
    with zipfile.ZipFile(built / f"{module.NAME}.zip") as archive:
        archive.extractall(folder)
    (same,) = folder.iterdir()
    names = {path.relative_to(same): path.read_bytes() for path in same.rglob("*.*")}
    beside = built / module.NAME
    assert names == {path.relative_to(beside): path.read_bytes() for path in beside.rglob("*.*")}
    return same


def test_no_solution_is_in_it(handed_out):
    names = [path.relative_to(handed_out).as_posix() for path in handed_out.rglob("*")]
    assert not [name for name in names if re.search("solution|lessons/|tools|tests|__pyc", name)]
    for name in LESSONS:
        notebook = nbformat.read(handed_out / "notebooks" / f"{name}.ipynb", as_version=4)
        assert not [cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", [])]
    assert "solution" not in (handed_out / "README.md").read_text(encoding="utf-8")


def test_every_link_leads_somewhere(handed_out):
    texts = {handed_out / "README.md": (handed_out / "README.md").read_text(encoding="utf-8")}
    for path in (handed_out / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        texts[path] = "\n".join(one.source for one in cells if one.cell_type == "markdown")
    for path, text in texts.items():
        links = [link for link in LINK.findall(text) if not re.match(r"\w+:", link)]
        gone = [link for link in links if not (path.parent / link).exists()]
        assert not gone, (path.name, gone)
        assert links


@pytest.mark.parametrize(
    "marks", [[], [BEGIN], [END, BEGIN], [BEGIN, BEGIN, END], [BEGIN, END, END]]
)
def test_marks_that_do_not_pair_are_named(marks):
    with pytest.raises(LessonError, match=r"each <!-- learners --> needs its"):
        for_learners("a\n".join(["", *marks, ""]))


def test_learners_parts_are_taken_in_order():
    assert for_learners(f"x\n{BEGIN}one\n{END}x\n{BEGIN}\ntwo\n{END}x") == "one\n\ntwo\n"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_lesson_1_runs_from_the_zip(handed_out, tmp_path):
    # Everything but the helpers comes from this environment.
    python = virtual_environment(tmp_path / "venv", PACKAGES)
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "."]
    printed(python, *install, cwd=handed_out, env=environ())
    execute = ["-c", "from nbclient.cli import main; main()", "01_data.ipynb"]
    printed(python, *execute, cwd=handed_out / "notebooks", env=environ())
    found = printed(
        python, "-c", "import helpers; print(helpers.__file__)", cwd=tmp_path, env=environ()
    )
    assert str(tmp_path / "venv") in found
