"""From a lesson's text to its two notebooks: stubs, solutions, what a text may hold."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from samples import LESSON

from helpers.errors import LessonError
from helpers.results import EXPECTED
from tools import notebooks, outputs
from tools.notebooks import BEGIN, END

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


def make(text=LESSON, address=None, solutions=False):
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
    assert f"About {EXPECTED['relu']}." in make().cells[0].source


def test_a_line_may_end_within_a_range():
    for broken in ("{{ relu\n# }}", "{{\n# relu }}"):
        cell = make(LESSON.replace("{{ relu }}", broken)).cells[0]
        assert f"About {EXPECTED['relu']}." in cell.source


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
        make(LESSON.replace(old, new))


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


def test_badge_and_setup_cell_follow_the_address():
    known = make(address="https://github.com/ada/x")
    assert "github/ada/x/blob/main/notebooks/01_data.ipynb" in known.cells[0].source
    assert 'repository = "https://github.com/ada/x"' in known.cells[1].source
    unknown = make()
    assert 'repository = ""' in unknown.cells[1].source
    for cell in unknown.cells[:2]:
        assert "make colab REPOSITORY=owner/name" in cell.source
        assert "example.org" not in cell.source


# --- checks of the course -----------------------------------------------------------------------


def test_checks_are_found_in_a_copy_with_cells_added_moved_away_and_deleted():
    teachers = notebooks.read_lesson("02_first_network", solutions=True)
    learners = notebooks.read_lesson("02_first_network", solutions=False)
    code = outputs.code_cells(teachers)
    first = next(
        place for place, cell in enumerate(code) if "check" in cell.metadata.get("tags", ())
    )
    kept = [cell for cell in learners.cells if cell.id != code[first - 1].id]
    kept.insert(5, new_code_cell("x = 1"))
    after = notebooks.checks_after(new_notebook(cells=kept))
    assert [each.id for checks in after.values() for each in checks] == [
        cell.id for cell in code if "check" in cell.metadata.get("tags", ())
    ]
    assert next(iter(after)) == code[first - 2].id
    assert notebooks.checks_after(new_notebook(cells=[new_code_cell("x = 1")])) == {}
