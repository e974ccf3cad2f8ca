"""A copy is judged against the lesson: what is the lesson's own runs as the lesson has it."""

import copy
import random

import nbformat
import pytest
import standin
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.course_check import copies

LESSON = copies.lesson(standin.NAME, standin.lesson())
OWN = [cell.source for cell in LESSON.cells if cell.kind != "answer"]


def planned(notebook):
    """Returns the plan of a copy; its own cells always run as the lesson has them."""
    plan = copies.plan(LESSON, notebook)
    assert [step.source for step in plan.steps if step.kind in ("lesson", "check")] == OWN
    return plan


def answers(plan):
    return {step.id: step.source for step in plan.steps if step.kind == "answer"}


def without_ids(notebook):
    """Returns a copy as older programs save it: with ids of their own, or none."""
    for cell in notebook.cells:
        del cell["id"]
    return nbformat.from_dict(notebook)


def new_ids(notebook):
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"x{number}"
    return notebook


IDS = [lambda notebook: notebook, without_ids, new_ids]


@pytest.mark.parametrize("ids", IDS)
def test_right_copy_is_unchanged(ids):
    plan = planned(ids(standin.copy_with(standin.RIGHT)))
    assert answers(plan) == standin.RIGHT
    assert (plan.changes, plan.changed, plan.tampered, plan.missing) == ([], 0, False, set())
    assert not any(step.unanswered for step in plan.steps)


@pytest.mark.parametrize("ids", IDS)
def test_untouched_copy_is_unanswered(ids):
    plan = planned(ids(standin.lesson()))
    assert [step.unanswered for step in plan.steps if step.kind == "answer"] == [True] * 3
    assert plan.changed == 0


def test_comments_and_spaces_are_no_answer():
    changed = {"01-03": "# hm\nmegabytes   =   ...", "01-05": standin.FUNCTION + " later\n\n"}
    plan = planned(standin.copy_with(changed))
    assert [step.unanswered for step in plan.steps if step.kind == "answer"] == [True] * 3


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize(
    ("changed", "said", "tampered"),
    [
        ({"01-02": "import numpy as np"}, "cell 2 (import numpy as np): changed", False),
        (
            {"01-02": "# NBVAL_SKIP\nimport numpy as np\n\nnumbers = np.arange(10)"},
            "changed",
            False,
        ),
        ({"01-07": "total = numbers.sum()\nassert total"}, "cell 7 (total = numbers", False),
        ({"01-04": "check_megabytes(188.16)"}, "cell 4 (from helpers.checks", True),
    ],
)
def test_changed_cell_is_named_and_restored(ids, changed, said, tampered):
    plan = planned(ids(standin.copy_with(standin.RIGHT | changed)))
    assert plan.changed == 1, plan.changes
    assert said in plan.changes[0]
    assert plan.tampered == tampered
    assert answers(plan) == standin.RIGHT


@pytest.mark.parametrize("tag", sorted(copies.SKIPPING))
@pytest.mark.parametrize(("cell", "tampered"), [("01-07", False), ("01-09", True)])
def test_cell_tagged_away_is_named(tag, cell, tampered):
    notebook = standin.copy_with(standin.RIGHT)
    one = next(one for one in notebook.cells if one.id == cell)
    one.metadata["tags"] = [*one.metadata.get("tags", []), tag]
    plan = planned(notebook)
    assert "tagged away" in plan.changes[0]
    assert plan.tampered == tampered


def test_own_tags_are_no_change():
    notebook = standin.copy_with(standin.RIGHT)
    for cell in notebook.cells:
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), "look again"]
    assert planned(notebook).changed == 0


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_cell_that_is_no_longer_code_is_named(kind):
    notebook = standin.copy_with(standin.RIGHT)
    notebook.cells[7].cell_type = kind
    plan = planned(notebook)
    assert plan.changes == ["cell 7 (total = numbers.sum()): no longer code"]


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("number", range(1, 10))
def test_deleted_cell_is_named_and_put_back(ids, number):
    notebook = standin.copy_with(standin.RIGHT)
    cell = notebook.cells.pop(number)
    plan = planned(ids(notebook))
    assert plan.changed == 1
    assert plan.changes[0].endswith("deleted")
    assert plan.missing == ({cell.id} & standin.RIGHT.keys())
    assert not plan.tampered


@pytest.mark.parametrize("ids", IDS)
def test_moved_cells_are_counted(ids):
    notebook = standin.copy_with(standin.RIGHT)
    notebook.cells.insert(1, notebook.cells.pop(7))
    plan = planned(ids(notebook))
    assert plan.changes == ["1 cell moved to another place"]
    assert answers(plan) == standin.RIGHT


@pytest.mark.parametrize("ids", IDS)
def test_added_cells_run_where_they_stand(ids):
    notebook = standin.copy_with(standin.RIGHT)
    notebook.cells.insert(4, new_code_cell("helper = 1"))
    notebook.cells.insert(1, new_code_cell("first = 1"))
    notebook.cells.insert(1, new_code_cell("  "))
    notebook.cells.insert(1, new_markdown_cell("a note"))
    notebook.cells.append(new_code_cell("last = 1"))
    plan = planned(ids(notebook))
    order = [step.source for step in plan.steps]
    assert order[0] == "first = 1"
    assert order[-1] == "last = 1"
    assert order.index("helper = 1") == order.index(standin.RIGHT["01-03"]) + 1
    assert plan.changed == 0
    assert len(order) == len(LESSON.cells) + 3


@pytest.mark.parametrize("ids", IDS[1:])
def test_answer_is_found_by_the_name_that_it_sets(ids):
    notebook = standin.copy_with(standin.RIGHT | {"01-03": "a = 60_000 * 784\nmegabytes = a / 1"})
    assert answers(planned(ids(notebook)))["01-03"].startswith("a = 60_000")


def test_same_id_twice_takes_the_one_that_is_still_the_lessons():
    notebook = standin.copy_with(standin.RIGHT)
    notebook.cells.insert(2, new_code_cell("numbers = 3", id="01-02"))
    plan = planned(notebook)
    assert plan.changed == 0
    assert "numbers = 3" in [step.source for step in plan.steps if step.kind == "own"]


def test_guess_and_a_note_are_no_change():
    notebook = standin.lesson()
    notebook.cells[2].source = 'from helpers.guesses import guess\n\nguess("ink", ...)'
    lesson = copies.lesson("x", notebook)
    learners = copy.deepcopy(notebook)
    learners.cells[2].source = '# hm\nfrom helpers.guesses import guess\n\nguess("ink", "b")'
    plan = copies.plan(lesson, learners)
    assert plan.changed == 0
    assert 'guess("ink", ...)' in plan.steps[1].source
    learners.cells[2].source = 'from helpers.guesses import guess\n\nguess("ink", "b"); x = 1'
    assert copies.plan(lesson, learners).changed == 1


def test_set_up_cell_may_hold_another_address():
    assert planned(standin.copy_with(standin.RIGHT | {"01-01": "pass  # elsewhere"})).changed == 0


def test_recorded_outputs_count_for_nothing():
    notebook = standin.copy_with({})
    for cell in notebook.cells[1:]:
        cell.outputs = [nbformat.v4.new_output("stream", text="Right. 188.16 megabytes\n")]
    assert all(step.unanswered for step in planned(notebook).steps if step.kind == "answer")


def test_lesson_of_a_copy_is_found_by_what_is_in_it():
    other = standin.lesson()
    for number, cell in enumerate(other.cells[1:]):
        cell["id"] = f"02-{number:02}"
        if "check" not in cell.source:
            cell.source = f"value_{number} = {number}"
    lessons = [LESSON, copies.lesson("02_other", other)]
    assert copies.which_lesson(standin.copy_with(standin.RIGHT), lessons) is LESSON
    assert copies.which_lesson(without_ids(standin.lesson()), lessons) is LESSON
    assert copies.which_lesson(other, lessons) is lessons[1]
    stranger = nbformat.v4.new_notebook(cells=[new_code_cell("print(1)", id="a")])
    assert copies.which_lesson(stranger, lessons) is None


def test_whatever_is_done_to_a_copy_the_lesson_runs_as_it_is():
    for seed in range(200):
        chance = random.Random(seed)
        notebook = standin.copy_with(standin.RIGHT)
        cells = notebook.cells
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(cells))
            what = chance.choice(["delete", "double", "move", "change", "text", "id"])
            if what == "delete" and len(cells) > 2:
                cells.pop(place)
            elif what == "double":
                cells.insert(place, copy.deepcopy(cells[place]))
            elif what == "move":
                cells.insert(chance.randrange(len(cells)), cells.pop(place))
            elif what == "change":
                cells[place].source = chance.choice(["", "x = (", "pass", "%reset", "\0"])
            elif what == "text":
                cells[place].cell_type = "raw"
            else:
                cells[place]["id"] = chance.choice(["01-03", "01-04", "z"])
        plan = planned(notebook)
        assert len({step.place for step in plan.steps if step.place}) == len(
            [step for step in plan.steps if step.place]
        ), f"a cell runs twice, seed {seed}"


@pytest.mark.parametrize(
    "source",
    ["(" * 1000, "x = " + "-" * 100_000 + "1", "a" + ".b" * 40_000, "\0", "%%html\n<b>", "é = 'ü'"],
)
def test_odd_sources_are_compared(source):
    plan = planned(standin.copy_with({"01-03": source}))
    assert answers(plan)["01-03"] == source


def test_many_long_cells_are_compared_in_bounded_time(monkeypatch):
    compared = []
    whole = copies.difflib.SequenceMatcher.ratio
    monkeypatch.setattr(
        copies.difflib.SequenceMatcher, "ratio", lambda self: compared.append(1) or whole(self)
    )
    notebook = standin.lesson()
    kept, changed = notebook.cells[:4], notebook.cells[4:]
    for length in (1, 100):
        notebook.cells = kept + [
            new_code_cell(f"{length * changed[0].source}\n{number}") for number in range(500)
        ]
        compared.clear()
        planned(notebook)
        assert len(compared) <= (len(changed) * copies.MOST_ALIKE if length == 1 else 0)


def test_check_cell_without_an_answer_is_the_authors_mistake():
    notebook = standin.lesson()
    del notebook.cells[3]
    with pytest.raises(ValueError, match="follows no answer of its own"):
        copies.lesson("x", notebook)
