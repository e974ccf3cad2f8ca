"""The commands of `python -m tools.build`, in a project of tiny lessons."""

import re
import shutil

import pytest
from programs import python
from samples import LESSON

from tools import LESSONS, ROOT, build, execute, notebooks, outputs


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of seven tiny lessons, in a folder whose name is not an easy one."""
    folder = tmp_path_factory.mktemp("projects") / "leçons à lire"
    (folder / "lessons").mkdir(parents=True)
    shutil.copytree(ROOT / "tools", folder / "tools")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "README.md").write_text(
        "git clone https://github.com/OWNER/NAME here\n<!-- journey -->\n<!-- /journey -->\n",
        encoding="utf-8",
    )
    (folder / "lessons" / "glossary.py").write_text("# %% [markdown]\n# # Words\n")
    for name in LESSONS:
        (folder / "lessons" / f"{name}.py").write_text(LESSON, encoding="utf-8")
    done(folder, "lessons", "1")
    for name in LESSONS[1:]:  # one execution is enough for seven equal lessons
        for place in ("notebooks", "notebooks/solutions"):
            text = (folder / place / "01_data.ipynb").read_text(encoding="utf-8")
            text = re.sub(r'"(check-)?01-', rf'"\g<1>{name[:2]}-', text)
            (folder / place / f"{name}.ipynb").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def own_project(project, tmp_path):
    """A copy of the project for one test."""
    return shutil.copytree(project, tmp_path / "project")


def done(folder, *arguments):
    """Runs a command of that project, which succeeds; returns what it printed."""
    ended = python("-m", "tools.build", *arguments, path=ROOT, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def refused(folder, *arguments):
    """Runs a command of that project, which fails; returns what it said."""
    ended = python("-m", "tools.build", *arguments, path=ROOT, cwd=folder)
    assert ended.returncode == 1, ended.stdout
    return ended.stderr


def test_lessons_are_executed_once_for_both_notebooks(project):
    learners = notebooks.read_notebook(project / "notebooks" / "01_data.ipynb")
    teachers = notebooks.read_notebook(project / "notebooks" / "solutions" / "01_data.ipynb")
    said = ["".join(each.text for each in cell.outputs) for cell in outputs.code_cells(teachers)]
    assert said == ["", "seven\n", "", "", "", "Right. \n"]
    said = ["".join(each.text for each in cell.outputs) for cell in outputs.code_cells(learners)]
    assert said == ["", "seven\n", "", ""]
    assert list(outputs.problems(learners)) == list(outputs.problems(teachers)) == []
    assert (project / "notebooks" / "solutions" / "glossary.ipynb").exists()
    assert "| [1](notebooks/01_data.ipynb) |" in (project / "README.md").read_text(encoding="utf-8")


def test_lessons_that_show_what_no_learner_should_see_are_refused(own_project):
    text = LESSON.replace('print("seven")', 'print("/tmp/seven")')
    text = text.replace("answer = 42", "import sys; answer = 42; print('oh', file=sys.stderr)")
    (own_project / "lessons" / "01_data.py").write_text(text, encoding="utf-8")
    said = refused(own_project, "lessons", "1")
    assert "01_data shows what no learner should see:\n" in said
    assert "cell 2 (print(\"/tmp/seven\")): an absolute path: '/tmp/'\n" in said
    assert re.search(r"cell \d \(.*\): standard error: oh\n", said), "in a solution, too"


def test_run_executes_what_the_learner_gets_and_prints_a_table(own_project):
    saved = own_project / "notebooks" / "saved"
    saved.mkdir()
    (saved / "results.json").write_text('{"nearest_mean": 0.8203}', encoding="utf-8")
    said = done(own_project, "run", "01_data")
    assert re.search(r"lesson +time +slowest cell +test accuracy reached", said)
    assert re.search(r"01_data +\d+ s +[\d.]+ s \(cell \d\) +82\.0% \(nearest mean", said)
    executed = notebooks.read_notebook(own_project / "executed" / "01_data.ipynb")
    cells = outputs.code_cells(executed)
    assert cells[-1].outputs[0].text == "Not yet: no.\n"
    assert [cell.id for cell in cells if outputs.is_teachers(cell)] == ["01-03"]


def test_run_fails_where_a_check_of_the_course_does(own_project):
    for path in (own_project / "lessons").glob("0*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('assert "seven"', 'assert "seven" == "eight"'), "utf-8")
    assert "01_data, cell 3 of 5: AssertionError" in refused(own_project, "run", "01_data")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("count = 1 / 0", "ZeroDivisionError: division by zero"),
        ("%matplotlob inline", "UsageError"),
        ("import os; os._exit(1)", "its kernel died"),
        ("import time; time.sleep(60)", "still not done after 3 s"),
    ],
    ids=["error", "magic", "death", "hang"],
)
def test_run_ends_at_the_cell_that_fails(own_project, capsys, monkeypatch, code, message):
    path = own_project / "notebooks" / "02_first_network.ipynb"
    notebook = notebooks.read_notebook(path)
    outputs.code_cells(notebook)[1].source = code
    notebooks.write_notebook(notebook, path)
    monkeypatch.setattr(build, "NOTEBOOKS", own_project / "notebooks")
    monkeypatch.setattr(build, "EXECUTED", own_project / "executed")
    monkeypatch.setattr(execute, "CELL_TIMEOUT", 3)
    assert build.main(["run", "02"]) == 1
    said = capsys.readouterr().err
    assert re.search(rf"02_first_network, cell 2 of \d+: {message}", said)
    assert code in said
    assert "Traceback" not in said


def test_colab_rewrites_addresses_alone_and_twice_the_same(own_project):
    def files():
        paths = [path for path in own_project.rglob("*") if path.suffix != ".pyc"]
        return {path: path.read_bytes() for path in paths if path.is_file()}

    def others(path):
        cells = notebooks.read_notebook(path).cells
        return [cell for cell in cells if cell.id not in ("03-00", "03-01")]

    third = own_project / "notebooks" / "03_softmax_and_relu.ipynb"
    before = others(third)
    done(own_project, "colab", "ada/x")
    once = files()
    assert others(third) == before
    done(own_project, "colab", "ada/x")
    assert files() == once
    for place in ("notebooks", "notebooks/solutions"):
        for name in LESSONS:
            text = once[own_project / place / f"{name}.ipynb"].decode()
            assert f"github/ada/x/blob/main/{place}/{name}.ipynb" in text
            assert r"repository = \"https://github.com/ada/x\"" in text
    assert once[own_project / "README.md"].startswith(b"git clone https://github.com/ada/x here\n")
    assert "owner/name" in refused(own_project, "colab", "nonsense")
    assert files() == once


def test_prose_is_rewritten_only_where_the_code_is_the_same(own_project):
    text = own_project / "lessons" / "01_data.py"
    text.write_text(LESSON.replace("About", "Roughly"), encoding="utf-8")
    done(own_project, "prose", "1")
    assert "Roughly" in (own_project / "notebooks" / "01_data.ipynb").read_text(encoding="utf-8")
    text.write_text(LESSON.replace("seven", "eight"), encoding="utf-8")
    said = refused(own_project, "prose", "1")
    assert "01_data: " in said
    assert "make lessons" in said


def test_unknown_lesson_is_refused(project):
    assert "There is no lesson '9'" in refused(project, "run", "9")
