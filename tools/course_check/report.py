"""What the teacher reads afterwards: a table for the spreadsheet, and pages that open from disk.

All that learners wrote, their names and files included, is escaped; the pages run no script.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from helpers.errors import printable
from tools.course_check.grade import Result

VERDICTS = {
    "right": "the check found nothing wrong",
    "not yet": "the check gave a hint",
    "unanswered": "as it was handed out",
    "missing": "the answer's cell is gone",
    "failed": "the answer's cell raised an error",
    "not reached": "the copy ended before",
}
STATUSES = {
    "ran": "it ran to its end, and nothing of the lesson was changed",
    "changed": "cells of the lesson differed, and ran as the lesson has them",
    "tampered": "a check's cell was changed, or something spoke on the check's own channel; "
    "the verdicts are the lesson's own all the same",
    "stopped": "it ended Python, or took too much",
    "unreadable": "it is no notebook that could be checked",
}
COLUMNS = ("learner", "file", "lesson", "status")
LAST_COLUMNS = ("cells_run", "cells_changed", "first_problem", "seconds")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets take for the start of one
PAGES = "learners"
COLOR = re.compile(r"\x1b\[[0-9;]*m")

STYLE = """\
:root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --line: #d5dae1;
  --soft: #f4f6f8; --right: #17683a; --right-paper: #dff3e6; --wrong: #8a4b00;
  --wrong-paper: #fdeecd; --bad: #9c1c1c; --bad-paper: #fbe0e0; --none: #586272; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14181f; --line: #3a4350;
  --soft: #1d232c; --right: #8fdcab; --right-paper: #173524; --wrong: #f2c879;
  --wrong-paper: #3b2e12; --bad: #f4a3a3; --bad-paper: #431d1d; --none: #a7b0bd;
  --link: #8ec1f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 78rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
a { color: var(--link); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; min-width: 100%; }
th, td { padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { font-size: .85rem; color: var(--none); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tbody th { font-weight: 600; min-width: 9rem; max-width: 18rem; overflow-wrap: anywhere; }
.problem { min-width: 14rem; max-width: 26rem; overflow-wrap: anywhere; font-size: .9rem; }
.mark { display: inline-block; padding: 0 .5em; border-radius: 1em; white-space: nowrap;
  font-size: .9rem; color: var(--none); background: var(--soft); }
.right, .ran { color: var(--right); background: var(--right-paper); }
.not-yet, .changed { color: var(--wrong); background: var(--wrong-paper); }
.failed, .stopped, .tampered, .unreadable { color: var(--bad); background: var(--bad-paper); }
pre { background: var(--soft); padding: .7rem; border-radius: .4rem; overflow-x: auto;
  max-height: 30rem; font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { color: var(--none); } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; margin-top: 1rem; color: var(--link); }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; }
  tbody th { min-width: 7rem; } .problem { min-width: 8rem; } }
"""


def cell(text: object) -> str:
    """Return a text as a spreadsheet's cell that is never a formula."""
    # Where numbers have a decimal comma, spreadsheets begin another cell after a semicolon.
    text = re.sub(r"([;\t])(?=\s*[=+\-@])", r"\1'", str(text))
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA[:4]) else text


def table(results: Sequence[Result]) -> str:
    """Return the CSV of a class."""
    most = max([3, *(len(result.exercises) for result in results)])
    exercises = [f"exercise_{number}" for number in range(1, most + 1)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, *exercises, *LAST_COLUMNS])
    for result in results:
        verdicts = [graded.verdict for graded in result.exercises]
        row: list[object] = [result.learner, result.file, result.lesson, result.status]
        row += [*verdicts, *[""] * (most - len(verdicts))]
        row += [result.cells_run, result.cells_changed, result.first_problem, result.seconds]
        writer.writerow(map(cell, row))
    return text.getvalue()


def plain(text: str) -> str:
    """Return lines as a terminal would leave them, without colors, what does not print written out.

    So nothing in an answer or its output looks other than it is.
    """
    lines = [line.rstrip("\r").split("\r")[-1] for line in COLOR.sub("", text).split("\n")]
    return "\n".join(printable(line.expandtabs()) for line in lines)


def page_name(number: int) -> str:
    """Return the name of the page of a row, counted from 1: nothing in it is the learner's."""
    return f"{number:04}.html"


def write(folder: Path, results: Sequence[Result], title: str, warning: str) -> None:
    """Write `results.csv`, `report.html` and the learners' pages into a folder.

    Args:
        folder: Where; what an earlier report left there is replaced.
        results: The rows.
        title: What was checked.
        warning: What was missing, "" for nothing.
    """
    pages = folder / PAGES
    pages.mkdir(parents=True, exist_ok=True)
    for page in pages.glob("*.html"):
        page.unlink()
    for number, result in enumerate(results, start=1):
        _write(pages / page_name(number), learner_page(result))
    _write(folder / "report.html", class_page(results, title, warning))
    # Spreadsheets read the names' letters rightly where the file begins with this mark.
    _write(folder / "results.csv", "\ufeff" + table(results))


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    unfinished.replace(path)


def _page(title: str, body: Iterable[str]) -> str:
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'\">",
            f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _mark(word: str) -> str:
    return f'<span class="mark {escape(word).replace(" ", "-")}">{escape(word)}</span>'


def _breaking(name: str) -> str:
    """Return a lesson's name as HTML that may go on in the next line after each `_`."""
    return escape(name).replace("_", "_<wbr>")


def _rows(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()
) -> Iterable[str]:
    """Yield a table whose cells are HTML; the columns `numbers` hold numbers."""
    numbers = set(numbers)
    kinds = [' class="number"' if place in numbers else "" for place in range(len(heads))]
    yield '<div class="wide" tabindex="0" role="region" aria-label="table"><table><thead><tr>'
    yield "".join(
        f'<th scope="col"{kind}>{escape(head)}</th>'
        for kind, head in zip(kinds, heads, strict=True)
    )
    yield "</tr></thead><tbody>"
    for first, *others in rows:
        cells = "".join(
            f"<td{kind}>{other}</td>" for kind, other in zip(kinds[1:], others, strict=True)
        )
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def class_page(results: Sequence[Result], title: str, warning: str) -> str:
    """Return the page of the class: who and what, the hardest exercises, the commonest hints."""
    ended = sum(result.ended for result in results)
    most = max([3, *(len(result.exercises) for result in results)])
    heads = ["learner", "lesson", "status", *(f"exercise {n}" for n in range(1, most + 1))]
    heads += ["cells run", "cells changed", "first problem", "seconds"]

    def row(number: int, result: Result) -> Sequence[str]:
        verdicts = [_mark(graded.verdict) for graded in result.exercises]
        return [
            f'<a href="{PAGES}/{page_name(number)}">{escape(result.learner or "?")}</a>',
            escape(result.lesson),
            _mark(result.status),
            *verdicts,
            *[""] * (most - len(verdicts)),
            str(result.cells_run),
            str(result.cells_changed),
            f'<div class="problem">{escape(result.first_problem)}</div>',
            f"{result.seconds:.0f}",
        ]

    numbers = (len(heads) - 1, len(heads) - 3, len(heads) - 4)
    body = [f"<h1>{escape(title)}</h1>"]
    body += [f"<p>{ended} of {len(results)} copies ran to their end.</p>"]
    body += [f"<p><strong>{escape(warning)}</strong></p>"] if warning else []
    body += _rows(heads, map(row, range(1, len(results) + 1), results), numbers)
    body += ["<details><summary>What the words mean</summary><dl>"]
    body += [
        f"<dt>{_mark(word)}</dt><dd>{escape(meaning)}</dd>"
        for word, meaning in (STATUSES | VERDICTS).items()
    ]
    body += ["</dl></details>"]
    body += ["<h2>The hardest exercises</h2>", *_hardest(results)]
    body += ["<h2>The commonest hints</h2>", *_hints(results)]
    return _page(title, body)


def _hardest(results: Sequence[Result]) -> Iterable[str]:
    counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for result in results:
        for number, graded in enumerate(result.exercises, start=1):
            counts[result.lesson, number][graded.verdict] += 1
    if not counts:
        return ["<p>No exercise was checked.</p>"]

    def share(count: Counter[str]) -> float:
        return count["right"] / count.total()

    rows = [
        [_breaking(f"{lesson}, exercise {number}"), f"{share(count):.0%}"]
        + [str(count[verdict]) for verdict in VERDICTS]
        for (lesson, number), count in sorted(
            counts.items(), key=lambda item: (share(item[1]), item[0])
        )
    ]
    return _rows(["exercise", "share right", *VERDICTS], rows, range(1, 2 + len(VERDICTS)))


def _hints(results: Sequence[Result]) -> Iterable[str]:
    hints = Counter(
        (f"{result.lesson}, exercise {number}", graded.said)
        for result in results
        for number, graded in enumerate(result.exercises, start=1)
        if graded.verdict == "not yet"
    )
    if not hints:
        return ["<p>There were none.</p>"]
    rows = [
        [_breaking(where), str(count), f'<div class="problem">{escape(said)}</div>']
        for (where, said), count in hints.most_common(10)
    ]
    return _rows(["exercise", "copies", "hint"], rows, [1])


def learner_page(result: Result) -> str:
    """Return the page of one copy: each answer, what the check said, and what was changed."""
    title = f"{result.learner or '?'}: {result.lesson or 'no lesson'}"
    facts = {
        "file": escape(result.file),
        "status": f"{_mark(result.status)} {escape(STATUSES.get(result.status, ''))}",
        "first problem": escape(result.first_problem or "none"),
        "cells run": str(result.cells_run),
        "seconds": f"{result.seconds:.1f}",
    }
    body = ['<p><a href="../report.html">The class</a></p>', f"<h1>{escape(title)}</h1>", "<dl>"]
    body += [f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items()]
    body += ["</dl>"]
    for number, graded in enumerate(result.exercises, start=1):
        body += [f"<h2>Exercise {number} {_mark(graded.verdict)}</h2>"]
        if graded.said:
            body += [f"<p>{escape(graded.said)}</p>"]
        if graded.answer:
            what = "The cell" if graded.verdict == "unanswered" else "The answer"
            ran = f", which ran for {graded.seconds:.0f} s" if graded.seconds >= 1 else ""
            body += [f"<p>{what}{ran}:</p>"]
            body += [f"<pre>{escape(plain(graded.answer[:20_000]))}</pre>"]
        if graded.output.strip():
            body += [f"<p>What it printed:</p><pre>{escape(plain(graded.output))}</pre>"]
    if result.changes:
        body += ["<h2>Cells of the lesson that were changed</h2>"]
        body += ["<p>They ran as the lesson has them.</p><ul>"]
        body += [f"<li>{escape(change)}</li>" for change in result.changes[:100]]
        body += ["</ul>"]
    return _page(title, body)
