"""A class is checked: the table, the report, the exit status; stopped, and gone on with."""

import csv
import html
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import nbformat
import pytest
import standin

from tools import LESSONS, NOTEBOOKS, ROOT, SOLUTIONS
from tools.course_check import command, copies, grade, report, submissions
from tools.course_check.grade import Graded, Result
from tools.notebooks import read_notebook, write_notebook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a class is checked on Linux and macOS")
NAME = "Ada <script>alert(1)</script> O'Hara"
WRONG = {"01-03": "megabytes = 47.04", "01-05": standin.RIGHT["01-05"], "01-08": "steps = 782"}


@pytest.fixture
def a_class(tmp_path):
    """A class of five: right, wrong, untouched, changed, and what is no notebook."""
    folder = tmp_path / "class"
    untouched = standin.lesson()
    for name, notebook in {
        f"{NAME}_1_assignsubmission_file_": standin.copy_with(standin.RIGHT),
        "Bo_2_assignsubmission_file_": standin.copy_with(WRONG),
        "=HYPERLINK(1)": untouched,
        "Cy": standin.copy_with(standin.RIGHT | {"01-09": "print('Right.')"}),
        "Cy again": standin.copy_with({"01-07": "print('<b>bold</b>')", "01-03": "print('<i>')"}),
    }.items():
        path = name.replace("/", "∕")
        write_notebook(notebook, folder / path / "01_standin.ipynb")
    (folder / "notes.txt").write_text("hello")
    return folder


def rows(tmp_path):
    text = (tmp_path / "checked" / "results.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def verdicts(row):
    return [row[f"exercise_{number}"] for number in (1, 2, 3)]


R, N, U = "right", "not yet", "unanswered"


def test_table_report_and_exit_status(a_class, tmp_path, monkeypatch, capsys):
    status, results = standin.check(a_class, tmp_path, monkeypatch)
    assert status == 1  # a file is no notebook
    table = rows(tmp_path)
    assert ",".join(table[0]) == (
        "learner,file,lesson,status,exercise_1,exercise_2,exercise_3,cells_run,cells_changed,"
        "first_problem,seconds"
    )
    by_name = {row["learner"]: row for row in table}
    ada = by_name[NAME.replace("/", "∕")]
    assert [ada["status"], *verdicts(ada), ada["cells_run"]] == ["ran", R, R, R, "9"]
    assert (ada["cells_changed"], ada["first_problem"], ada["lesson"]) == ("0", "", standin.NAME)
    assert verdicts(by_name["Bo"]) == [N, R, N]
    assert verdicts(by_name["'=HYPERLINK(1)"]) == [U, U, U]
    assert [by_name["Cy"]["status"], *verdicts(by_name["Cy"])] == ["tampered", R, R, R]
    assert [by_name["Cy again"]["status"], *verdicts(by_name["Cy again"])] == ["changed", N, U, U]
    assert by_name["notes"]["status"] == "unreadable"
    assert [row["file"].removeprefix("'") for row in table] == sorted(results)

    said = capsys.readouterr().out
    assert all(f"{number} of 6  " in said for number in range(1, 7))
    assert "5 of 6 ran to their end." in said

    page = (tmp_path / "checked" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "alert(1)" in page
    assert "you counted the pixels; each of them takes 4 bytes." in page
    links = re.findall(r'href="(learners/\d{4}\.html)"', page)
    assert len(set(links)) == 6
    pages = [(tmp_path / "checked" / link).read_text(encoding="utf-8") for link in links]
    assert not any(re.search(r"<(script|b|i)>", one) for one in pages)
    bo = next(one for one in pages if "megabytes = 47.04" in one)
    assert "Not yet: you counted the pixels; each of them takes 4 bytes." in bo
    assert any("cell 7 (total = numbers.sum()): changed" in one for one in pages)


def test_all_well_is_0_and_nothing_to_check_is_2(tmp_path, monkeypatch, capsys):
    path = tmp_path / "Übung [1]::x $(touch X).ipynb"
    write_notebook(standin.copy_with(standin.RIGHT), path)
    assert standin.check(path, tmp_path, monkeypatch)[0] == 0
    capsys.readouterr()
    for what in ("", "missing", "a\0b", tmp_path / "nothing"):
        assert standin.check(what, tmp_path, monkeypatch)[0] == 2
        said = capsys.readouterr()
        assert len(said.err.strip().splitlines()) == 1
        assert said.out == ""


def test_zip_is_checked_as_the_folder_is(a_class, tmp_path, monkeypatch):
    _, results = standin.check(a_class, tmp_path, monkeypatch)
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for path in a_class.rglob("*.*"):
            archive.write(path, path.relative_to(a_class))
    _, zipped = standin.check(tmp_path / "class.zip", tmp_path, monkeypatch)

    def what(results):
        return {f: (r.status, [e.verdict for e in r.exercises]) for f, r in results.items()}

    assert what(zipped) == what(results)


def test_goes_on_where_it_was(a_class, tmp_path, monkeypatch, capsys):
    standin.check(a_class, tmp_path, monkeypatch)
    first = rows(tmp_path)
    path = next(a_class.rglob("Bo*/*.ipynb"))
    write_notebook(standin.copy_with(standin.RIGHT), path)
    capsys.readouterr()
    ran = []
    whole = grade.Grading.run
    monkeypatch.setattr(grade.Grading, "run", lambda self: (ran.append(self), whole(self)))
    standin.check(a_class, tmp_path, monkeypatch)
    assert len(ran) == 1
    assert "5 of 6 were checked before; AGAIN=1 checks them anew." in capsys.readouterr().out
    again = rows(tmp_path)
    assert [row for row in again if row["learner"] != "Bo"] == [
        row for row in first if row["learner"] != "Bo"
    ]
    assert verdicts(next(row for row in again if row["learner"] == "Bo")) == [R, R, R]
    # What is kept and damaged is made anew, and so is all of it when it is asked for.
    next((tmp_path / "checked" / "done").iterdir()).write_text("{")
    standin.check(a_class, tmp_path, monkeypatch)
    command.check(str(a_class), True, tmp_path / "notebooks", tmp_path / "checked")
    assert len(ran) > 5


STOPPED = """\
import pathlib, sys
sys.path[:0] = [{tests!r}]
import standin
from tools.course_check import command, grade
from tools.notebooks import write_notebook
command.slowness, grade.CELL, grade.START = lambda: 1.0, 900, 600
folder = pathlib.Path({folder!r})
write_notebook(standin.lesson(), folder / "notebooks" / "01_standin.ipynb")
sys.exit(command.check(str(folder / "class"), False, folder / "notebooks", folder / "checked"))
"""


def test_stopped_by_hand_it_ends_its_copies_and_keeps_what_is_done(tmp_path, monkeypatch, capsys):
    for name, source in (("a", standin.RIGHT["01-03"]), ("z", "import time\ntime.sleep(1000)")):
        sources = standin.RIGHT | {"01-03": source}
        write_notebook(standin.copy_with(sources), tmp_path / "class" / name / "x.ipynb")
    source = STOPPED.format(tests=str(ROOT / "tests"), folder=str(tmp_path))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    end = time.monotonic() + 300
    while not list((tmp_path / "checked" / "done").glob("*.json")) and time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert err.strip() == "Stopped. The same command goes on where it was."
    assert process.returncode == 2
    standin.check(tmp_path / "class", tmp_path, monkeypatch, cell=1)
    assert "1 of 2 were checked before" in capsys.readouterr().out


def test_two_checks_at_once_are_told(tmp_path, monkeypatch, capsys):
    import filelock

    write_notebook(standin.lesson(), tmp_path / "x.ipynb")
    (tmp_path / "checked").mkdir()
    with filelock.FileLock(tmp_path / "checked" / ".lock"):
        assert standin.check(tmp_path / "x.ipynb", tmp_path, monkeypatch)[0] == 2
    assert "Another check is writing to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("step", "fault"), [("plan", AssertionError("a fault")), ("which_lesson", TypeError("a fault"))]
)
def test_fault_of_the_check_itself_stops_no_other(step, fault, a_class, tmp_path, monkeypatch):
    whole = getattr(copies, step)

    def faulty(*arguments):
        notebooks = (one for one in arguments if isinstance(one, nbformat.NotebookNode))
        if any("47.04" in nbformat.writes(notebook) for notebook in notebooks):
            raise fault
        return whole(*arguments)

    monkeypatch.setattr(copies, step, faulty)
    status, results = standin.check(a_class, tmp_path, monkeypatch)
    assert status == 2
    bo = next(one for one in results.values() if one.learner == "Bo")
    said = f"the check failed: {type(fault).__name__}: a fault"
    assert (bo.status, bo.first_problem) == ("stopped", said)
    assert sum(one.ended for one in results.values()) == 4


def test_own_results_are_not_checked(tmp_path, monkeypatch):
    write_notebook(standin.copy_with(standin.RIGHT), tmp_path / "checked" / "x.ipynb")
    write_notebook(standin.copy_with(standin.RIGHT), tmp_path / "class" / "x.ipynb")
    _, results = standin.check(tmp_path, tmp_path, monkeypatch)
    assert set(results) == {"class/x.ipynb", "notebooks/01_standin.ipynb"}


# --- what the answers' cells may look like ---

CASES = {
    "answer in a cell below": ({}, "strangest = None\nmegabytes = 188.16", [R, U, U]),
    "name never set": ({"01-03": "megabites = 188.16"}, None, [N, U, U]),
    "answer of a wrong type": ({"01-03": "megabytes = print"}, None, [N, U, U]),
    "right, then an error": ({"01-03": "megabytes = 188.16\n1 / 0"}, None, ["failed", U, U]),
    "function without end": (
        {"01-05": "def strangest(images, mean_image):\n    while True: pass"},
        None,
        [U, N, U],
    ),
    "function that ends Python": (
        {"01-05": "import os\ndef strangest(*a): os._exit(0)"},
        None,
        [U, "not reached", "not reached"],
    ),
    "function that prints": (
        {"01-05": standin.RIGHT["01-05"].replace("    return", "    print('Right.')\n    return")},
        None,
        [U, R, U],
    ),
    "function of other cells": (
        {"01-05": "def strangest(i, m):\n    return farthest(i, m)\nfarthest = lambda i, m: "
         "((i - m) ** 2).mean(axis=(1, 2)).argmax()"},
        None,
        [U, R, U],
    ),
    "class that is called": (
        {"01-05": "class Strangest:\n    def __call__(self, i, m):\n"
         "        return ((i - m) ** 2).mean(axis=(1, 2)).argmax()\nstrangest = Strangest()"},
        None,
        [U, R, U],
    ),
    "function of random numbers": (
        {"01-05": "import random\ndef strangest(i, m): return random.randrange(6)"},
        None,
        [U, N, U],
    ),
}  # fmt: skip


def test_answers_of_many_kinds(tmp_path, monkeypatch):
    for name, (sources, below, _) in CASES.items():
        notebook = standin.copy_with(sources)
        if below:
            notebook.cells.insert(4, nbformat.v4.new_code_cell(below))
        write_notebook(notebook, tmp_path / "class" / f"{name}.ipynb")
    missing = standin.copy_with(standin.RIGHT)
    del missing.cells[3]
    write_notebook(missing, tmp_path / "class" / "missing.ipynb")
    _, results = standin.check(tmp_path / "class", tmp_path, monkeypatch, cell=10)
    found = {
        file.removesuffix(".ipynb"): [graded.verdict for graded in result.exercises]
        for file, result in results.items()
    }
    assert found == {name: case[2] for name, case in CASES.items()} | {"missing": ["missing", R, R]}
    told = results["function without end.ipynb"].exercises[1].said
    assert told == "Not yet: interrupted while your function was running: does each loop in it end?"


# --- table and pages by themselves ---


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", " =", "\n="])
def test_formulas_are_defused(sign):
    result = Result(f"{sign}SUM(1)", f"{sign}x", first_problem=f'{sign}HYPERLINK("a","b")')
    (row,) = csv.DictReader(io.StringIO(report.table([result]), newline=""))
    for column in ("learner", "file", "first_problem"):
        assert row[column].startswith("'")


def test_formula_after_a_semicolon_is_defused():
    assert report.cell("Ada; =SUM(1);+1") == "Ada;' =SUM(1);'+1"
    assert report.cell("a; b = 1") == "a; b = 1"


def test_output_is_shown_as_a_terminal_leaves_it():
    assert report.plain("a\x1b[31mred\x1b[0m\tb\n10%\r99%\r\n\u202e\x07") == (
        "ared    b\n99%\n\\u202e\\x07"
    )


def test_pages_say_what_their_words_mean():
    untouched = Graded("unanswered", answer="x = ...")
    answered = Graded("right", answer="x = 1", seconds=3.2)
    result = Result("a", "b", "c", "tampered", [untouched, answered])
    page = report.learner_page(result)
    assert "<p>The cell:</p>" in page
    assert "<p>The answer, which ran for 3 s:</p>" in page
    assert report.STATUSES["tampered"] in html.unescape(page)
    shown = html.unescape(report.class_page([result], "", ""))
    assert all(meaning in shown for meaning in {**report.STATUSES, **report.VERDICTS}.values())


def test_scripts_are_escaped_everywhere():
    evil = "<script>alert('x')</script>\"&"
    graded = Graded("not yet", evil, evil, evil)
    result = Result(evil, evil, evil, "changed", [graded] * 3, 1, 1, evil, 1.0, [evil])
    for page in (report.class_page([result], evil, evil), report.learner_page(result)):
        assert "<script" not in page
        assert page.count("alert(") == page.count("&lt;script&gt;alert(")
        assert "default-src 'none'" in page


def test_what_does_not_print_is_written_out():
    assert grade.escaped("a\nb\x1b[31m\u202e\ud800") == r"a b\x1b[31m\u202e\ud800"
    assert len(grade.escaped("x" * 1000)) == 300


def test_result_is_kept_whole():
    result = Result("a", "b", "c", "ran", [Graded("right", "s", "a", "o", 1.5)], 1, 2, "p", 3.0)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


# --- the lessons themselves ---


def test_every_lesson_can_be_graded():
    for name in LESSONS:
        notebook = read_notebook(NOTEBOOKS / f"{name}.ipynb")
        lesson = copies.lesson(name, notebook)
        assert len(lesson.exercises) == 3, name
        untouched = copies.plan(lesson, notebook)
        assert (untouched.changed, untouched.tampered) == (0, False)
        # A copy's folder is empty: what the lesson loads, it has saved before.
        before, _, _ = "\n".join(cell.source for cell in lesson.cells).partition("save_classifier(")
        assert "load_classifier(" not in before, name


def solved(name):
    """Returns the learner's notebook of a lesson with the teacher's answers in it."""
    notebook = read_notebook(NOTEBOOKS / f"{name}.ipynb")
    teachers = read_notebook(SOLUTIONS / f"{name}.ipynb")
    answers = {cell.id: cell.source for cell in teachers.cells}
    for cell in notebook.cells:
        cell.source = answers.get(f"{cell.id}-solution", cell.source)
    return notebook


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", LESSONS)
def test_teachers_answers_are_right_and_untouched_ones_unanswered(name, tmp_path, capsys):
    copies_of = {"teacher": solved(name), "untouched": read_notebook(NOTEBOOKS / f"{name}.ipynb")}
    for learner, notebook in copies_of.items():
        write_notebook(notebook, tmp_path / "class" / learner / f"{name}.ipynb")
    status = command.check(str(tmp_path / "class"), to=tmp_path / "checked")
    found = {row["learner"]: verdicts(row) for row in rows(tmp_path)}
    assert found == {"teacher": [R, R, R], "untouched": [U, U, U]}, capsys.readouterr().out
    assert status == 0


def test_submissions_are_sorted_and_named(a_class):
    found, left_out = submissions.find(a_class)
    assert left_out == 0
    assert [one.file for one in found] == sorted(one.file for one in found)
