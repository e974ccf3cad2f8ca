"""The lessons as they are committed: in step with their texts, executed, clean, readable."""

import itertools
import re

import nbformat
import pytest

from tools import (
    GLOSSARY,
    LESSONS,
    NOTEBOOKS,
    ROOT,
    SOLUTIONS,
    TEXTS,
    addresses,
    notebooks,
    outputs,
)

both_folders = pytest.mark.parametrize("solutions", [False, True], ids=["learner", "teacher"])
each_lesson = pytest.mark.parametrize("name", LESSONS)
each_page = pytest.mark.parametrize("name", [*LESSONS, GLOSSARY])


def committed(name, solutions):
    return notebooks.read_notebook((SOLUTIONS if solutions else NOTEBOOKS) / f"{name}.ipynb")


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


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
    if name != GLOSSARY:
        assert found.metadata.pop("seconds") > 0  # what `make lessons` measured
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
    ids = [cell.id for cell in outputs.code_cells(notebooks.with_checks(learners))]
    code = outputs.code_cells(teachers)
    assert ids == [cell.id for cell in code if not cell.id.endswith("-solution")]
    assert notebooks.checks_after(teachers) == {}


def test_the_lesson_that_copies_its_process_touches_no_graphics_card():
    """Each `fit` asks every card that it can see for its state; then no copy can use them."""
    code = [cell.source for cell in outputs.code_cells(committed(LESSONS[7], solutions=True))]
    hides = next(place for place, cell in enumerate(code) if "CUDA_VISIBLE_DEVICES" in cell)
    assert not any("torch" in cell or "helpers" in cell for cell in code[1:hides])
    for call in re.findall(r"(?s)(?:Trainer|compare)\((?:[^()]|\([^()]*\))*\)", "\n".join(code)):
        assert 'accelerator="cpu"' in call


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
