"""The teachers' page is true of the lessons, the checks and the course check."""

import re

import pytest

from tools import LESSONS, ROOT, SOLUTIONS
from tools.addresses import with_times
from tools.build import how_long
from tools.course_check import grade, limits, report, sandbox, submissions
from tools.notebooks import read_notebook

PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
SAID = " ".join(PAGE.split())


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_has_a_part(name):
    title = read_notebook(SOLUTIONS / f"{name}.ipynb").cells[0].source.splitlines()[0]
    title = re.sub(r"^# Lesson \d+: ", "", title)
    _, found, part = PAGE.partition(f"\n### {title}\n")
    assert found, title
    part = part.partition("\n##")[0]
    for what in ("Needs", "Misconceptions", "To discuss", "In 45 minutes"):
        assert f"- **{what}:**" in part


def test_hints_are_the_checks_own():
    parts = re.split(r"### ", SAID.partition("## Where to run it")[0])[-len(LESSONS) :]
    for number, part in enumerate(parts, 1):
        said = (ROOT / "helpers" / "checks" / f"lesson_{number}.py").read_text(encoding="utf-8")
        said = " ".join(re.sub(r'"\s+f?"', "", said).split())
        hints = re.findall(r"\(“([^”]+)”\)", part)
        assert len(hints) >= 2
        assert not [hint for hint in hints if hint not in said]


def test_times_are_made_from_the_lessons():
    reading, running = how_long()
    assert set(reading) == set(LESSONS)
    table = with_times("<!-- times -->\n<!-- /times -->", {"01_data": 20}, {"01_data": 12.4})
    assert "| [01_data](lessons/01_data.ipynb) | 20 | 12 |" in table
    assert "not measured yet" in with_times("<!-- times -->\nx<!-- /times -->", {"x": 1}, {})
    assert with_times(PAGE, reading, running) == PAGE, "make prose"


def test_limits_and_words_are_those_of_the_check():
    for verdict in report.VERDICTS:
        assert f"`{verdict}`" in SAID
    for status in ("ran", "stopped", "changed", "tampered", "unreadable"):
        assert f"`{status}`" in SAID
    assert f"A cell has {grade.CELL} seconds" in SAID
    assert f"no cell after {grade.COPY // 60} minutes" in SAID
    assert f"{sandbox.MEMORY // 2**30} GiB of memory" in SAID
    assert f"{sandbox.PROCESSES} processes" in SAID
    assert f"{sandbox.FILES:,} files and {sandbox.DISK // 2**20} MB of disk" in SAID
    assert f"{limits.MOST_DATA // 2**30} GiB at once and {limits.MOST_OPEN} open files" in SAID
    largest, most = submissions.LARGEST // 2**20, submissions.MOST_IN_ZIP
    assert f"may have {largest} MB, and a zip within a folder {most} files" in SAID
