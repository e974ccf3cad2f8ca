"""Every number in a lesson's prose is proven: by its code, its outputs, or a range.

A number counts as proven where it

- stands near by, in its own section or one beside it: in the code, or in an output, as it is or
  rounded to the places that the prose gives it ("What you learned" is near to all of the lesson,
  and so is a number of four digits in the code);
- is an end of a range that `helpers/results.py` expects;
- is a digit from 0 to 9, one of the constants below, cited, or the year of a work that is linked.

What can be worked out, and is not printed, is proven by the lesson itself in a cell tagged `check`:
`assert 60_000 // 64 == 937`.

What this cannot see is a number that is true of something else near by. How much it does see is
measured: `test_a_changed_number_is_noticed` changes each number by one in its last place.
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
    "26,506",  # parameters of the network of the series, counted in lesson 2
    "16", "32", "0.1", "0.001",  # batches, hidden neurons and learning rates of the series
    "255",  # the largest gray value of a file
    "100",  # percent
    "10%",  # what guessing among ten digits reaches
}  # fmt: skip
# Numbers that others measured or wrote, and what only asks, by lesson: number -> where.
CITED: dict[str, dict[str, str]] = {
    "01_data": {
        "3.0": "the license, CC BY-SA 3.0",
        "60%": "a question to the reader: is that a lot?",
    },
    "06_failure_analysis": {
        "20": "LeCun, Bottou, Bengio and Haffner: the box of MNIST's digits",
        "2021": "Northcutt, Athalye and Mueller",
        "15": "the same",
        "1998": "LeCun, Bottou, Bengio and Haffner",
        "99%": "the same",
        "2012": "Cireşan, Meier and Schmidhuber",
        "99.77%": "the same",
        "35": "the same",
    },
}
YEAR = re.compile(r"(?:19|20)\d\d(?=[),.]|$)")

NUMBER = re.compile(r"(?<![\w.,/])(?<!\d[–-])[−-]?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(\s?%)?(?![\w])")
# What holds numbers that claim nothing: links, code for pasting, names of lessons and exercises.
SILENT = re.compile(
    r"(?s)```.*?```|`[^`\n]*`|\]\([^)]*\)|https?://\S+|<[^>]+>"
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
        learners = notebooks.read_notebook(NOTEBOOKS / f"{name}.ipynb")
        teachers = notebooks.read_notebook(SOLUTIONS / f"{name}.ipynb")
        self.ranges = {number for each in EXPECTED.values() for number in numbers(str(each))}
        self.known = CONSTANTS | self.ranges | CITED.get(name, {}).keys()
        minutes = re.search(r"about (\d+) minutes to read", learners.cells[0].source)
        self.known |= {minutes[1]} if minutes else set()  # counted by {{ minutes }}
        # For each section, the numbers in its code, and those in its outputs.
        self.code, self.outputs, self.prose, self.summary = [set()], [[]], [], None
        for cell in teachers.cells:
            if cell.cell_type == "code":
                self.code[-1] |= set(map(value, numbers(cell.source.replace("_", ","))))
                self.outputs[-1] += map(value_and_unit, numbers(shown(cell)))
                continue
            if re.search(r"(?m)^## ", cell.source):
                self.code.append(set())
                self.outputs.append([])
            if re.search(r"(?m)^## What you learned", cell.source):
                self.summary = len(self.code) - 1
            text = SILENT.sub(" ", cell.source)
            if "](http" in cell.source:
                text = YEAR.sub(" ", text)
            self.prose += [(number, len(self.code) - 1, text) for number in numbers(text)]

    def proves(self, number, section):
        wanted, unit = value_and_unit(number)
        if number in self.known or (not unit and wanted < 10 and not places(number)):
            return True
        everywhere = range(len(self.code))
        near = everywhere[max(0, section - 1) : section + 2]
        if section == self.summary:
            near = everywhere
        if wanted >= 1000 and any(wanted in found for found in self.code):
            return True
        if any(wanted / (100 if unit else 1) in self.code[part] for part in near):
            return True
        return any(self._rounds_to(found, number) for part in near for found in self.outputs[part])

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


def test_a_changed_number_is_noticed():
    """Most of those of which the test says anything: not digits, which occur everywhere.

    In lessons that list learning rates, a changed rate is often another of the list.
    """
    tried = [
        (lesson, other, section)
        for lesson in map(Lesson, LESSONS)
        for number, section, _ in lesson.prose
        if value(number) >= 10 or places(number) or "%" in number
        for other in changed(number)
    ]
    missed = [other for lesson, other, section in tried if lesson.proves(other, section)]
    assert len(missed) <= 0.3 * len(tried), f"{len(missed)} of {len(tried)}: {missed}"


@pytest.mark.parametrize("name", CITED)
def test_what_is_cited_is_still_in_the_prose(name):
    assert CITED[name].keys() <= {number for number, _, _ in Lesson(name).prose}


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
