"""The notebooks: made from their text, executed, clean; and how they are made and run."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import IPython
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import results
from helpers.errors import LessonError
from tools import (
    GLOSSARY,
    LESSONS,
    NOTEBOOKS,
    ROOT,
    SOLUTIONS,
    TEXTS,
    addresses,
    build,
    execute,
    notebooks,
    outputs,
)
from tools.notebooks import BEGIN, END
from tools.outputs import WIDGET

both_folders = pytest.mark.parametrize("solutions", [False, True], ids=["learner", "teacher"])
each_lesson = pytest.mark.parametrize("name", LESSONS)
each_page = pytest.mark.parametrize("name", [*LESSONS, GLOSSARY])


def committed(name, solutions):
    return notebooks.read_notebook((SOLUTIONS if solutions else NOTEBOOKS) / f"{name}.ipynb")


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


# --- the lessons as they are committed -----------------------------------------------------------


def test_there_are_exactly_the_lessons():
    for folder, ending in [
        (TEXTS, "py"),
        (NOTEBOOKS, "ipynb"),
        (SOLUTIONS, "ipynb"),
    ]:
        names = sorted(path.stem for path in folder.glob(f"[0-9]*.{ending}"))
        assert names == list(LESSONS), folder


@both_folders
@each_page
def test_notebook_is_in_step_with_its_text(name, solutions):
    made, found = notebooks.read_lesson(name, solutions), committed(name, solutions)

    def shape(notebook):
        return [(cell.id, cell.cell_type, cell.metadata, cell.source) for cell in notebook.cells]

    assert shape(found) == shape(made), "run `make lessons`, or `make prose` if no code changed"
    assert found.metadata == made.metadata


@each_lesson
def test_both_notebooks_hold_the_outputs_of_one_run(name):
    learners = committed(name, solutions=False)
    again = committed(name, solutions=False)
    outputs.copy_outputs(committed(name, solutions=True), again)
    assert again == learners


@both_folders
@each_lesson
def test_committed_notebook_was_executed_and_shows_no_noise(name, solutions):
    notebook = committed(name, solutions)
    nbformat.validate(notebook)
    assert list(outputs.problems(notebook)) == []
    assert any(cell.outputs for cell in outputs.code_cells(notebook))


@both_folders
@each_lesson
def test_setup_cell_comes_before_any_other_code(name, solutions):
    cells = outputs.code_cells(committed(name, solutions))
    tagged = [cell for cell in cells if cell.metadata.get("tags") == ["setup"]]
    address = addresses.read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert [cell.source for cell in tagged] == [addresses.setup_cell(address)]
    assert cells[0] == tagged[0]


@each_lesson
def test_badge_opens_this_notebook(name):
    address = addresses.read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert addresses.badge(name, address) in texts(committed(name, solutions=False))[0]


@each_lesson
def test_code_cells_are_short(name):
    cells = [
        cell
        for cell in outputs.code_cells(committed(name, True))
        if "setup" not in cell.metadata.get("tags", [])
    ]
    lengths = [len(cell.source.splitlines()) for cell in cells]
    assert max(lengths) <= 20
    assert sum(length < 8 for length in lengths) > len(lengths) / 2


@each_page
def test_heading_levels_are_never_skipped(name):
    text = re.sub(r"(?s)```.*?```", "", "\n".join(texts(committed(name, solutions=True))))
    levels = [len(marks) for marks in re.findall(r"(?m)^(#{1,6}) ", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@both_folders
@each_page
def test_internal_links_lead_somewhere(name, solutions):
    folder = SOLUTIONS if solutions else NOTEBOOKS
    links = re.findall(r"\]\(([^)\s#]+)", "\n".join(texts(committed(name, solutions))))
    internal = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert internal, "a lesson links at least to its neighbor"
    assert [link for link in internal if not (folder / link).exists()] == []


@each_lesson
def test_three_exercises_each_with_its_solution(name):
    cells = outputs.code_cells(committed(name, solutions=True))
    tags = [cell.metadata.get("tags", []) for cell in cells]
    exercises = [place for place, found in enumerate(tags) if "exercise" in found]
    assert len(exercises) == 3
    assert all("solution" in tags[place + 1] for place in exercises)
    assert all("exercise-check" in tags[place + 2] for place in exercises)
    assert all("Right. " in str(cells[place + 2].outputs) for place in exercises)
    assert sum("solution" in found for found in tags) == 3
    assert sum("exercise-check" in found for found in tags) == 3


@each_lesson
def test_what_the_course_checks_the_learner_does_not_see(name):
    learners = outputs.code_cells(committed(name, solutions=False))
    assert not any(outputs.is_teachers(cell) for cell in learners)
    assert not any(re.search(r"(?m)^\s*assert\b", cell.source) for cell in learners)
    tags = [cell.metadata.get("tags", []) for cell in learners]
    exercises = [place for place, found in enumerate(tags) if "exercise" in found]
    for place in exercises:
        assert notebooks.UNANSWERED in learners[place].source
        assert "exercise-check" in tags[place + 1]
        assert learners[place + 1].outputs == []


@each_lesson
def test_time_to_read_is_said_and_not_too_long(name):
    [said] = re.findall(r"about (\d+) minutes to read", texts(committed(name, solutions=False))[0])
    assert 5 < int(said) <= notebooks.MOST_MINUTES


@each_lesson
def test_checks_come_back_in_their_places(name):
    learners, teachers = committed(name, solutions=False), committed(name, solutions=True)
    ids = [cell.id for cell in notebooks.with_checks(learners).cells]
    assert ids == [cell.id for cell in teachers.cells if not cell.id.endswith("-solution")]
    assert notebooks.checks_after(teachers) == {}


@each_lesson
def test_something_is_compared(name):
    tags = [cell.metadata.get("tags", []) for cell in committed(name, solutions=True).cells]
    assert any("nbval-check-output" in found for found in tags)


def test_readme_is_in_step():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "<!-- journey -->" in readme
    assert addresses.with_journey(readme) == readme
    address = addresses.read_address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert readme.count("\ngit clone ") == 1
    assert addresses.with_address(readme, address) == readme


# --- stubs and solutions -------------------------------------------------------------------------


def exercise(*region, before="", check="check_it(answer)"):
    return "\n".join(filter(None, [before, BEGIN, *region, END])), check


def test_stub_asks_for_the_name_that_the_check_takes():
    stub, solution = notebooks.split_exercise(*exercise("helper = 2", "answer = helper * 21"))
    assert stub == "answer = ...  # your answer"
    assert solution == "helper = 2\nanswer = helper * 21"


def test_stub_keeps_what_stands_before_the_markers():
    stub, _ = notebooks.split_exercise(*exercise("answer = numbers[0]", before="numbers = [1, 2]"))
    assert stub.startswith("numbers = [1, 2]\nanswer = ...")


def test_stub_takes_keywords_and_several_names_in_the_order_of_the_check():
    source = exercise("a, b = 1, 2", check="check_both(b, given, first=a)")
    stub, _ = notebooks.split_exercise(*source)
    assert stub == "b = ...  # your answer\na = ...  # your answer"


def test_stub_of_a_function_keeps_its_signature_and_docstring():
    function = [
        "def answer(x: int, *, y=1) -> int:",
        '    """Add."""',
        "    z = x + y",
        "    return z",
    ]
    stub, _ = notebooks.split_exercise(*exercise("", *function, ""))
    assert stub == ('def answer(x: int, *, y=1) -> int:\n    """Add."""\n    ...  # your answer')
    compile(stub, "stub", "exec")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (("answer = 1", "check_it(answer)"), "BEGIN SOLUTION"),
        ((f"{BEGIN}\nanswer = 1", "check_it(answer)"), "END SOLUTION"),
        ((f"{END}\nanswer = 1\n{BEGIN}", "check_it(answer)"), "in order"),
        ((f"{BEGIN}\n{exercise('answer = 1')[0]}", "check_it(answer)"), "once"),
        ((f"if True:\n    {BEGIN}\n    answer = 1\n    {END}", "check_it(answer)"), "once"),
        ((f"### BEGIN SOLUTON\nanswer = 1\n{END}", "check_it(answer)"), "BEGIN SOLUTION"),
        (exercise("answer = 1", check="print(answer)"), "one call of a check_"),
        (exercise("answer = 1", check="check_it(answer)\ncheck_it(answer)"), "here are 2"),
        (exercise("other = 1"), "check_it takes no name that its solution makes"),
        (exercise("answer = = 1"), "not Python"),
        (exercise("answer = 1", check="check_it(answer"), "not Python"),
    ],
)
def test_wrong_exercise_is_refused(source, message):
    with pytest.raises(LessonError, match=re.escape(message)):
        notebooks.split_exercise(*source)


# --- from text to notebook -----------------------------------------------------------------------

TEXT = """\
# %% [markdown]
# # A lesson
#
# {{ badge }}
#
# About {{ relu }}. See the [glossary](../docs/glossary.md). {{ minutes }} minutes.

# %% tags=["setup"]
# {{ setup }}

# %% tags=["check-output"]
print("seven")

# %% tags=["check"]
assert "seven"

# %% tags=["exercise"]
### BEGIN SOLUTION
answer = 42
### END SOLUTION

# %% tags=["exercise-check"]
def check_it(answer):
    print("Right. " if answer == 42 else "Not yet: no.")


check_it(answer)
"""


def make(text=TEXT, address=None, solutions=False):
    return notebooks.make_notebook("01_data", text, address, solutions)


def test_the_two_notebooks_differ_in_solutions_and_checks_alone():
    learners, teachers = make(), make(solutions=True)
    assert [cell.id for cell in learners.cells] == ["01-00", "01-01", "01-02", "01-04", "01-05"]
    assert [cell.id for cell in teachers.cells] == [
        "01-00",
        "01-01",
        "01-02",
        "01-03",
        "01-04",
        "01-04-solution",
        "01-05",
    ]
    assert teachers.cells[3].metadata.tags == ["check", "remove-cell"]
    assert teachers.cells[5].metadata.tags == ["solution", "hide-cell"]
    assert learners.cells[2].metadata.tags == ["nbval-check-output"]
    assert BEGIN not in str(teachers)
    nbformat.validate(teachers)


def test_prose_quotes_the_expected_range():
    assert f"About {results.EXPECTED['relu']}." in make().cells[0].source


def test_links_out_of_the_folder_are_right_in_both():
    assert "(../docs/" in make().cells[0].source
    assert "(../../docs/" in make(solutions=True).cells[0].source


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{{ relu }}", "{{ rellu }}", "names no result"),
        ("check-output", "check-outptu", "'check-outptu' is none of"),
        ('# %% tags=["exercise"]', "# %%", "needs the tag 'exercise'"),
        ("### END SOLUTION", "", "01_data, cell 4"),
        ('tags=["exercise-check"]', "", "tagged 'exercise-check'"),
        ('tags=["exercise-check"]', 'tags=["check"]', "tagged 'exercise-check'"),
        ('print("seven")', 'print(7)\n\n# %% tags=["exercise-check"]\nx = 1', "right after"),
        ("See the", "word " * 6000, "takes 41 minutes to read, and 40 is the most"),
        ("# {{ setup }}", "import os", "# {{ setup }}"),
    ],
)
def test_wrong_text_is_refused(old, new, message):
    with pytest.raises(LessonError, match=re.escape(message)):
        make(TEXT.replace(old, new))


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        ([new_markdown_cell("word " * 150)], 1),
        ([new_markdown_cell("word " * 151)], 2),
        ([new_markdown_cell("word " * 75), new_code_cell("plot_images(images)")], 1),
        (
            [
                new_code_cell(
                    "from helpers.plotting import plot_a\n\nplot_a(1)\nplot_b(2)\nprint(3)"
                )
            ],
            1,
        ),
        ([new_code_cell("word " * 1000)], 0),
        ([new_markdown_cell("[word](https://a.b/c d) " * 150)], 1),
        ([new_code_cell("plot_a()\n" * 3, metadata={"tags": ["exercise"]})], 0),
    ],
)
def test_time_to_read_is_that_of_words_and_figures(cells, minutes):
    assert notebooks.minutes_to_read(cells) == minutes


def test_minutes_are_filled_in():
    assert " 1 minutes." in make().cells[0].source


def test_readme_table_has_a_row_for_each_step():
    readme = addresses.with_journey("before\n<!-- journey -->\nold\n<!-- /journey -->\nafter\n")
    steps = [expected for expected in results.EXPECTED.values() if expected.journey]
    assert "old" not in readme
    assert readme.count("\n| [") == len(steps)
    assert all(str(step) in readme and step.label in readme for step in steps)
    assert addresses.with_journey(readme) == readme


# --- the project's address -----------------------------------------------------------------------

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_address_is_written_once_and_read_back():
    written = addresses.write_address(PYPROJECT, "ada/mnist-lessons")
    assert addresses.read_address(written) == "https://github.com/ada/mnist-lessons"
    assert addresses.write_address(written, "ada/mnist-lessons") == written
    assert addresses.read_address(
        addresses.write_address(written, "file://localhost/tmp/a.git")
    ) == ("file://localhost/tmp/a.git")
    assert len(written.splitlines()) == len(PYPROJECT.splitlines())


@pytest.mark.parametrize(
    "repository", ["https://github.com/ada/x.git", "https://github.com/ada/x/"]
)
def test_github_addresses_are_tidied(repository):
    assert addresses.read_address(addresses.write_address(PYPROJECT, repository)) == (
        "https://github.com/ada/x"
    )


@pytest.mark.parametrize(
    "repository", ["", "ada", "a/b/c", "-a/b", "a b/c", 'https://x/"; rm', "ssh://x/y"]
)
def test_wrong_address_is_refused(repository):
    with pytest.raises(LessonError, match="owner/name"):
        addresses.write_address(PYPROJECT, repository)


def test_badge_and_setup_cell_follow_the_address():
    known = make(address="https://github.com/ada/x")
    assert "github/ada/x/blob/main/notebooks/01_data.ipynb" in known.cells[0].source
    assert 'repository = "https://github.com/ada/x"' in known.cells[1].source
    unknown = make()
    assert 'repository = ""' in unknown.cells[1].source
    for cell in unknown.cells[:2]:
        assert "make colab REPOSITORY=owner/name" in cell.source
        assert "example.org" not in cell.source


# --- executing, cleaning, finding problems -------------------------------------------------------


def test_outputs_are_cleaned():
    bar = "100%|██████████| 10/10 [00:00<00:00, 99.9it/s]\n"
    cell = new_code_cell("x", metadata={"execution": {"shell": "now"}})
    cell.outputs = [
        new_output("stream", name="stderr", text=bar),
        new_output("stream", name="stdout", text=bar + "epoch 1: loss 0.5\n"),
        new_output("display_data", {WIDGET: {"model_id": "1"}, "text/plain": "HBox()"}),
        new_output("display_data", {WIDGET: {"model_id": "2"}, "text/html": "<p>static</p>"}),
        new_output("display_data", {"text/plain": "", "text/html": " "}),
        new_output("stream", name="stderr", text="kept: a warning is mended, not hidden\n"),
    ]
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}})
    outputs.clean(notebook)
    assert [output.get("text") or dict(output.data) for output in cell.outputs] == [
        "epoch 1: loss 0.5\n",
        {"text/html": "<p>static</p>"},
        "kept: a warning is mended, not hidden\n",
    ]
    assert notebook.metadata == {}
    assert cell.metadata == {}


def found_in(output, count=1):
    cell = new_code_cell("x = 1", execution_count=count)
    cell.outputs = [output]
    return list(outputs.problems(new_notebook(cells=[new_markdown_cell("# A"), cell])))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.py:1: FutureWarning: old", "a warning"),
        (" 50%|█████     | 5/10", "a progress bar"),
        ("saved to /home/ada/saved", "an absolute path"),
        (r"saved to C:\Users\ada", "an absolute path"),
        (str(ROOT), "this machine"),
        ("<function f at 0x7f3a5c0d1e20>", "an object's address"),
        ("<img src='data:image/png;base64,aa' alt=''>", "an image without a text"),
        ('<img src="data:image/png;base64,aa">', "an image without a text"),
        ("<svg width='1'></svg>", "an image without a text"),
    ],
)
def test_problem_in_an_output_is_found(text, problem):
    assert any(problem in found for found in found_in(new_output("stream", text=text)))


def test_other_problems_are_found():
    assert "executed as number 7" in found_in(new_output("stream", text="fine"), count=7)[0]
    assert "standard error" in found_in(new_output("stream", name="stderr", text="x"))[0]
    assert "ValueError: no" in found_in(new_output("error", ename="ValueError", evalue="no"))[0]
    assert "image/png" in found_in(new_output("display_data", {"image/png": "aaaa"}))[0]


@pytest.mark.parametrize(
    "text",
    [
        "(60000, 28, 28) and 10/10, train/validation, 93 %",
        "<img alt='Ten digits' src='data:image/png;base64,/tmp/usr/0x7fffffff/home/a'>",
        "MNIST_dataset/mnist/train/0_000000.png",
    ],
)
def test_ordinary_outputs_are_no_problem(text):
    assert found_in(new_output("display_data", {"text/html": text})) == []


def test_outputs_of_other_code_are_refused():
    executed, other = make(solutions=True), make(TEXT.replace("seven", "eight"))
    with pytest.raises(LessonError, match="make lessons"):
        outputs.copy_outputs(executed, other)


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
        (folder / "lessons" / f"{name}.py").write_text(TEXT, encoding="utf-8")
    done(folder, "lessons", "1")
    for name in LESSONS[1:]:  # one execution is enough for seven equal lessons
        for place in ("notebooks", "notebooks/solutions"):
            text = (folder / place / "01_data.ipynb").read_text(encoding="utf-8")
            text = text.replace('"01-', f'"{name[:2]}-')
            (folder / place / f"{name}.ipynb").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def own_project(project, tmp_path):
    """A copy of the project for one test."""
    return shutil.copytree(project, tmp_path / "project")


def command(folder, *arguments):
    """Runs `python -m tools.build …` of that project, with these helpers; returns what happened."""
    return subprocess.run(
        [sys.executable, "-m", "tools.build", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )


def done(folder, *arguments):
    """Runs a command that succeeds; returns what it printed."""
    ended = command(folder, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def refused(folder, *arguments):
    """Runs a command that fails; returns what it said."""
    ended = command(folder, *arguments)
    assert ended.returncode == 1, ended.stdout
    return ended.stderr


def test_lessons_are_executed_once_for_both_notebooks(project):
    learners = notebooks.read_notebook(project / "notebooks" / "01_data.ipynb")
    teachers = notebooks.read_notebook(project / "notebooks" / "solutions" / "01_data.ipynb")
    said = [cell.outputs[0].text for cell in outputs.code_cells(teachers)[1:]]
    assert said == ["seven\n", "Not yet.\n", "Right.\n"]
    assert [cell.outputs[0].text for cell in outputs.code_cells(learners)[1:]] == said[:2]
    assert list(outputs.problems(learners)) == list(outputs.problems(teachers)) == []
    assert (project / "notebooks" / "solutions" / "glossary.ipynb").exists()
    assert "| [1](notebooks/01_data.ipynb) |" in (project / "README.md").read_text(encoding="utf-8")


def test_run_executes_what_the_learner_gets_and_prints_a_table(own_project):
    saved = own_project / "notebooks" / "saved"
    saved.mkdir()
    (saved / "results.json").write_text('{"nearest_mean": 0.8203}', encoding="utf-8")
    said = done(own_project, "run", "01_data")
    assert re.search(r"lesson +time +slowest cell +test accuracy reached", said)
    assert re.search(r"01_data +\d+ s +[\d.]+ s \(cell \d\) +82\.0% \(nearest mean", said)
    executed = notebooks.read_notebook(own_project / "executed" / "01_data.ipynb")
    assert outputs.code_cells(executed)[-1].outputs[0].text == "Not yet.\n"


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
    assert f"02_first_network, cell 2 of 3: {message}" in said
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
    text.write_text(TEXT.replace("About", "Roughly"), encoding="utf-8")
    done(own_project, "prose", "1")
    assert "Roughly" in (own_project / "notebooks" / "01_data.ipynb").read_text(encoding="utf-8")
    text.write_text(TEXT.replace("seven", "eight"), encoding="utf-8")
    said = refused(own_project, "prose", "1")
    assert "01_data: " in said
    assert "make lessons" in said


def test_unknown_lesson_is_refused(project):
    assert "There is no lesson '8'" in refused(project, "run", "8")


# --- the set-up cell -----------------------------------------------------------------------------


def run_setup(tmp_path, address, colab=False, helpers=False):
    """Runs the set-up cell in an IPython that has no helpers, pip's call replaced by a print."""
    pip = '%pip install --quiet "git+{repository}"'
    source = addresses.setup_cell(address)
    assert pip in source
    source = source.replace(pip, 'print(f"PIP git+{repository}")')
    stub = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
    program = (stub if colab else "") + source
    if helpers:
        (tmp_path / "helpers").mkdir()
        for file in ("__init__.py", "mnist.npz"):
            (tmp_path / "helpers" / file).touch()
    # With -S no .pth file is read, so the editable installation of helpers is not there.
    packages = str(Path(IPython.__file__).parent.parent)
    start = (
        f"import sys; sys.path.append({packages!r})\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        f"InteractiveShell.instance(colors='nocolor').run_cell({program!r})\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["IPYTHONDIR"] = str(tmp_path / "ipython")
    done = subprocess.run(
        [sys.executable, "-S", "-c", start],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    return done.stdout.strip()


def test_setup_installs_on_colab(tmp_path):
    said = run_setup(tmp_path, "https://github.com/ada/x", colab=True)
    assert said.splitlines() == [
        "Installing the lessons' helpers and digits from https://github.com/ada/x ...",
        "PIP git+https://github.com/ada/x",
    ]


def test_setup_without_address_says_what_to_do(tmp_path):
    said = run_setup(tmp_path, None, colab=True)
    assert "make colab REPOSITORY=owner/name" in said
    assert len(said.splitlines()) == 1
    assert "PIP" not in said


def test_setup_in_a_wrong_kernel_says_so_in_one_line(tmp_path):
    said = run_setup(tmp_path, "https://github.com/ada/x")
    assert said == "This kernel has no helpers: start with `make lab`, see the README."


def test_setup_does_nothing_where_the_helpers_are(tmp_path):
    assert run_setup(tmp_path, None, helpers=True, colab=True) == ""


# --- nbval, as tests/conftest.py runs it ---------------------------------------------------------

SLEEP = "import time\ntime.sleep(3)"
SAMPLES = {
    "good": [SLEEP, "print(1)"],
    "fails": ["import time", "x = 1 / 0", "time.sleep(100)", "print(2)"],
    "hangs": ["import time", "while True: time.sleep(1)", "time.sleep(100)", "print(2)"],
    "dies": ["import os", "os._exit(1)", "print(1)"],
    "magic": ["x = 1", "%matplotlob inline", "print(1)"],
    "idle": ["x = 1", "x = 2"],
    "differs": ["x = 1", "print(1)  # compared", "print(2)"],
}


def run_nbval(folder, *options):
    """Runs a folder of notebooks as `make test` runs the lessons'."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    project = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
    quiet = ["-p", "no:cacheprovider", "--color=no", "--quiet"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *project, *quiet, *options, "."],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )


def write_sample(folder, name):
    cells = []
    for count, source in enumerate(SAMPLES[name], start=1):
        cell = new_code_cell(source, execution_count=count)
        if "compared" in source:
            cell.metadata["tags"] = ["nbval-check-output"]
            cell.outputs = [new_output("stream", text="7\n")]
        cells.append(cell)
    notebooks.write_notebook(new_notebook(cells=cells), folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course à lire")
    for name in SAMPLES:
        write_sample(folder, name)
    return run_nbval(folder, "--nbval-cell-timeout=8")


@pytest.mark.parametrize(
    ("name", "passed", "failed", "skipped", "first"),
    [
        ("good", 2, 0, 0, ""),
        ("fails", 1, 1, 2, "Cell 1: ZeroDivisionError: division by zero"),
        ("hangs", 1, 1, 2, "Cell 1: Timeout of 8 seconds exceeded executing cell"),
        ("dies", 1, 1, 1, "Cell 1: The kernel died while it ran this cell (out of memory?)"),
        (
            "magic",
            1,
            1,
            1,
            "Cell 1: The cell failed: UsageError: Line magic function `%matplotlob`",
        ),
        ("idle", 1, 1, 0, "Cell 1: All cells ran in 0."),
        ("differs", 1, 1, 1, "Cell 1: Cell outputs differ"),
    ],
)
def test_table_says_which_cell_failed_and_why(report, name, passed, failed, skipped, first):
    assert report.returncode == 1
    rows = [line for line in report.stdout.splitlines() if f"{name}.ipynb  " in line]
    row = re.search(r"\.ipynb +(\d+) +(\d+) +(\d+) +(\d+) s *(.*)$", rows[-1])
    assert row, report.stdout
    assert [int(count) for count in row.groups()[:3]] == [passed, failed, skipped]
    assert row[5].startswith(first)
    assert bool(row[5]) == bool(first)
    assert int(row[4]) < 30, "nobody waits for a kernel that has gone"


def test_cell_over_its_budget_fails(tmp_path):
    write_sample(tmp_path, "good")
    done = run_nbval(tmp_path, "-o", "lesson_cell_budget=0.1")
    assert done.returncode == 1
    assert "Cell 0: Over the budget of 0.1 s a cell: took 3." in done.stdout
