"""The expected ranges are one table: checked against runs, quoted in prose, drawn at the end."""

import json
import re
from pathlib import Path

import pytest

from helpers.errors import LessonError
from helpers.results import EXPECTED, RESULTS_FILE, journey, record, recorded

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_result_in_its_range_is_printed_and_kept(capsys):
    record("sigmoid", 0.64)
    record("relu", 0.931)
    assert "64.0% right (expected: 58–70%)" in capsys.readouterr().out
    assert recorded() == {"sigmoid": 0.64, "relu": 0.931}
    steps = {label: measured for label, _, _, measured in journey()}
    assert steps[EXPECTED["relu"].label] == 0.931
    assert steps[EXPECTED["softmax"].label] is None


@pytest.mark.parametrize("value", [0.31, 0.99, float("nan")])
def test_result_outside_its_range_is_an_error(value):
    with pytest.raises(LessonError, match="but this lesson expects 58–70%"):
        record("sigmoid", value)
    assert recorded() == {}


def test_damaged_results_are_said():
    RESULTS_FILE.parent.mkdir()
    RESULTS_FILE.write_text("{", encoding="utf-8")
    with pytest.raises(LessonError, match=r"results\.json cannot be read .* delete it"):
        recorded()


def test_ranges_are_ranges_and_the_journey_goes_up():
    assert all(0 < expected.low < expected.high < 1 for expected in EXPECTED.values())
    lessons = [expected.lesson for expected in EXPECTED.values()]
    assert lessons == sorted(lessons)


def test_results_are_readable_json():
    record("sigmoid", 0.64)
    assert json.loads(RESULTS_FILE.read_text(encoding="utf-8")) == {"sigmoid": 0.64}


def test_each_fault_in_the_docs_is_a_test():
    table = (ROOT / "docs" / "when_something_goes_wrong.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)` \|$", table, flags=re.MULTILINE))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("*.py"))
    defined = set(re.findall(r"^def (test_\w+)", code, flags=re.MULTILINE))
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(named) > 30
    assert all("`test_" in row for row in rows if not row.startswith("| what happened"))
    assert named <= defined, named - defined


# Percentages in the prose that are no results of a run: (lesson, number) and what they are.
NO_RESULTS = {
    ("01_data", "60"): "a question to the reader",
    ("02_first_network", "10"): "guessing one digit of ten",
    ("06_failure_analysis", "90"): "an example of a confidence",
    ("06_failure_analysis", "10"): "what the 90 of the example leaves",
    ("06_failure_analysis", "100"): "all",
    ("06_failure_analysis", "99"): "LeCun et al. 1998, cited there",
    ("06_failure_analysis", "99.77"): "Cireşan et al. 2012, cited there",
}


@pytest.mark.parametrize(
    "lesson", sorted((ROOT / "lessons").glob("[0-9]*.py")), ids=lambda p: p.stem
)
def test_each_percentage_in_the_prose_comes_from_the_table_of_ranges(lesson):
    # `{{ name }}` becomes the range that the run is checked against; a typed number is checked
    # by nobody, so it must be none of our results.
    prose = "\n".join(
        line
        for line in lesson.read_text(encoding="utf-8").splitlines()
        if line.startswith("# ") and not line.startswith("# %%")
    )
    typed = re.findall(r"([\d.]+)\s?%|([\d.]+) percent|accuracy of (0\.\d+)", prose)
    found = {(lesson.stem, next(filter(None, groups))) for groups in typed}
    assert found <= NO_RESULTS.keys(), found - NO_RESULTS.keys()


def test_each_range_is_checked_by_its_lesson():
    for name, expected in EXPECTED.items():
        [lesson] = (ROOT / "lessons").glob(f"{expected.lesson:02}_*.py")
        assert f'record("{name}"' in lesson.read_text(encoding="utf-8"), name
