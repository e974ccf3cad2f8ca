"""Every number in a lesson's prose is proven: by its code, its outputs, a range, or a sum.

A number counts as proven where it

- stands in the lesson's code, or in an output, as it is or rounded to the places that the prose
  gives it, near by: in its own section or the one before;
- is an end of a range that `helpers/results.py` expects;
- is one of the field's constants below, or a digit from 0 to 9;
- or is listed in `SUMS`, with an expression that comes to it.

What it cannot see: a number that is true of something else near by. How much it sees is measured:
`test_a_changed_number_is_noticed` changes each number by one in its last place.
"""

import html
import math
import re

import pytest

from helpers.results import EXPECTED
from tools import LESSONS, NOTEBOOKS, SOLUTIONS, notebooks

CONSTANTS = {
    "28", "784",  # pixels
    "10", "60,000", "10,000", "70,000", "50,000",  # digits, images, and those of a split
    "255",  # the largest gray value of a file
    "0.5",  # a half
    "100",  # percent
}  # fmt: skip
# What can be worked out from the prose, and is not printed: number in the prose -> expression.
SUMS: dict[str, dict[str, str]] = {
    "02_first_network": {"25,120": "(784 + 1) * 32"},
}

NUMBER = re.compile(r"(?<![\w.,/])(?<!\d[–-])[−-]?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(\s?%)?(?![\w])")
# What holds numbers that claim nothing: links, code for pasting, names of lessons and exercises.
SILENT = re.compile(
    r"(?s)```.*?```|\]\([^)]*\)|https?://\S+|<[^>]+>"
    r"|\b[Ll]essons? \d( (and|to|or) \d)?|\bExercise \d|\bexercise \d|(?m:^\d+\. )"
)


def numbers(text):
    """The numbers in a text as written, such as "60,000", "0.1", "97.2%"."""
    text = re.sub(r"(?<=\d)[–—](?=\d)", " – ", text.replace("\N{NO-BREAK SPACE}", " "))
    # The ends of "58 – 70%" are both percentages.
    text = re.sub(r"(\d[\d.]*) – (?=[\d.]+\s?%)", r"\1% – ", text)
    return [
        match[1] + (match[2] or "") + ("%" if match[3] else "") for match in NUMBER.finditer(text)
    ]


def value(number):
    return float(number.rstrip("%").replace(",", ""))


def places(number):
    return len(number.rstrip("%").partition(".")[2])


def shown(cell):
    """What a code cell shows, its figures' alternative texts included."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                data = re.sub(r"data:image/[^\"']+", "", data)
                alts = " ".join(re.findall(r'alt="([^"]*)"', data))
                texts.append(html.unescape(f"{alts} {re.sub('<[^>]+>', ' ', data)}"))
    return "\n".join(texts)


class Lesson:
    """A lesson's prose, and what its numbers are held against."""

    def __init__(self, name):
        self.sums = SUMS.get(name, {})
        learners = notebooks.read_notebook(NOTEBOOKS / f"{name}.ipynb")
        teachers = notebooks.read_notebook(SOLUTIONS / f"{name}.ipynb")
        code = [cell.source for cell in teachers.cells if cell.cell_type == "code"]
        self.code = {value(number) for number in numbers("\n".join(code).replace("_", ","))}
        self.ranges = {number for each in EXPECTED.values() for number in numbers(str(each))}
        self.sections, self.prose = [[]], []
        for cell in learners.cells:
            if cell.cell_type == "code":
                self.sections[-1] += map(value_and_unit, numbers(shown(cell)))
                continue
            text = SILENT.sub(" ", cell.source)
            if re.search(r"(?m)^## ", cell.source):
                self.sections.append([])
            self.prose += [(number, len(self.sections) - 1, text) for number in numbers(text)]
        minutes = re.search(r"about (\d+) minutes to read", learners.cells[0].source)
        self.counted = {minutes[1]} if minutes else set()  # by {{ minutes }}

    def proves(self, number, section):
        if number in CONSTANTS | self.ranges | self.counted or number in self.sums:
            return True
        wanted, unit = value_and_unit(number)
        if not unit and (wanted in self.code or (wanted < 10 and not places(number))):
            return True
        if unit and wanted / 100 in self.code:
            return True
        near = [each for part in self.sections[max(0, section - 1) : section + 2] for each in part]
        return any(self._rounds_to(each, number) for each in near)

    def _rounds_to(self, found, number):
        amount, unit = found
        wanted, wanted_unit = value_and_unit(number)
        if unit != wanted_unit:
            if unit or not wanted_unit:
                return False
            amount *= 100  # a share in the output, a percentage in the prose
        half = 0.5 * 10.0 ** -places(number)
        if number.endswith("0") and not places(number) and not unit:  # "about 26,500"
            zeros = len(number.rstrip("%")) - len(number.rstrip("%").rstrip("0,"))
            half *= 10 ** min(zeros, max(0, int(math.log10(wanted)) - 1)) if wanted else 1
        return abs(amount - wanted) <= half * (1 + 1e-9)


def value_and_unit(number):
    return value(number), "%" if number.endswith("%") else ""


@pytest.mark.parametrize("name", LESSONS)
def test_every_number_in_the_prose_is_proven(name):
    lesson = Lesson(name)
    unproven = [
        f"{number} in: {' '.join(text.split())[:120]}"
        for number, section, text in lesson.prose
        if not lesson.proves(number, section)
    ]
    assert not unproven, "\n".join(unproven)


def changed(number):
    """The number with one more, and with one less, in its last place."""
    step = 10.0 ** -places(number)
    comma = "," if "," in number else ""
    unit = "%" if number.endswith("%") else ""
    return [f"{value(number) + by:{comma}.{places(number)}f}{unit}" for by in (step, -step)]


@pytest.mark.parametrize("name", LESSONS)
def test_a_changed_number_is_noticed(name):
    """Most of those of which the test says anything: not digits, which occur everywhere."""
    lesson = Lesson(name)
    tried = [
        (other, section)
        for number, section, _ in lesson.prose
        if value(number) >= 10 or places(number) or "%" in number
        for other in changed(number)
    ]
    missed = [other for other, section in tried if lesson.proves(other, section)]
    assert len(missed) <= 0.2 * len(tried), f"{len(missed)} of {len(tried)}: {missed}"


@pytest.mark.parametrize("name", SUMS)
def test_sums_come_to_their_numbers_and_are_needed(name):
    lesson = Lesson(name)
    for number, expression in SUMS[name].items():
        found = eval(expression, {"__builtins__": {}}, {"sqrt": math.sqrt})
        assert round(found, places(number)) == value(number), number
        assert number in [each for each, _, _ in lesson.prose], (
            f"{number} is no longer in the prose"
        )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("58–70% of 60,000 images", ["58%", "70%", "60,000"]),
        ("0.1, then 16. Or 3,125 steps (97.2 %)", ["0.1", "16", "3,125", "97.2%"]),
        ("a 784–32–10 network, float32, lr=0.001", ["784", "32", "10", "0.001"]),
        ("10 000", ["10", "000"]),
    ],
)
def test_numbers_are_found(text, found):
    assert numbers(text) == found
