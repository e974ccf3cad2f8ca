"""Slides of each lesson, made from its notebook: its headings, its figures, a sentence beside each.

A slide is written nowhere else, so it is never out of step with its lesson. sphinx-revealjs builds
the pages, which need no network.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from helpers.errors import LessonError
from tools import LESSONS, SOLUTIONS
from tools.notebooks import read_notebook

HEADING = re.compile(r"#{1,3} (.+)")
IMAGE = re.compile(r'<img\b[^>]*\bsrc="data:image/[^>]*>', re.DOTALL)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\([^)]*\)")
SENTENCE = re.compile(r"(.+?(?:[.!?](?=\s+[A-Z“(*`$])|[.!?:]$))(?:\s+|$)", re.DOTALL)
LIST = re.compile(r"^- .*(?:\n(?:- |  ).*)*", re.MULTILINE)
NOTICE = re.compile(r"\b(Notice|Follow|Look|Compare)\b")
HIDDEN = {"solution", "check", "exercise-check", "setup"}  # tags of cells that no slide shows
CONF = """\
project = "{title}"
extensions = ["myst_parser", "sphinx_revealjs", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath"]
html_title = project
revealjs_static_path = ["_static"]
revealjs_style_theme = "white"
revealjs_css_files = ["slides.css"]
revealjs_script_conf = {{"hash": True, "slideNumber": True, "width": 1280, "height": 720}}
"""
STYLE = """\
.reveal { font-size: 30px; }
.reveal h1 { font-size: 1.9em; } .reveal h2 { font-size: 1.4em; } .reveal h3 { font-size: 1.2em; }
.reveal h1, .reveal h2, .reveal h3 { text-transform: none; }
.reveal section img { max-width: 100%; max-height: 430px; margin: .3em auto; object-fit: contain; }
.reveal section > ul { font-size: .9em; }
.reveal table { font-size: .6em; }
"""


def sentences(markdown: str) -> list[str]:
    """Returns the sentences of a cell's paragraphs; lists, tables and formulas have none."""
    paragraphs = [
        LINK.sub(r"\1", " ".join(paragraph.split()))
        for paragraph in markdown.split("\n\n")
        if paragraph.strip() and not re.match(r"\s*([#$|>*-]|\d+\.|\[!|!\[|```|<)", paragraph)
    ]
    found = [each for paragraph in paragraphs for each in SENTENCE.findall(paragraph)]
    return [each.strip() for each in found if not each.endswith(":")]


def figures(cell: NotebookNode) -> Iterator[str]:
    """Yields the figures of a code cell as HTML, with their alternative texts."""
    for output in cell.get("outputs", []):
        html = output.get("data", {}).get("text/html", "")
        yield from IMAGE.findall(html)


def slides(notebook: NotebookNode) -> str:
    """Returns a lesson's slides as Markdown.

    Each heading is a slide with the sentence after it, or the list if there is none. Below it is a
    slide for each figure, with what the lesson says to notice, or else the sentence before the
    figure.
    """
    made: list[str] = []
    title, before = "", [""]
    cells = [cell for cell in notebook.cells if not HIDDEN & {*cell.metadata.get("tags", [])}]
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            before = sentences(cell.source) or [""]
            if heading := HEADING.match(cell.source):
                title = LINK.sub(r"\1", heading[1])
                listed = LIST.search(cell.source)
                words = before[0] or (LINK.sub(r"\1", listed[0]) if listed else "")
                made.append(f"# {title}\n\n{words}\n")
            continue
        after = sentences(following.source) if following else []
        noticed = next(filter(NOTICE.search, after), before[-1])
        made += [f"## {title}\n\n{figure}\n\n{noticed}\n" for figure in figures(cell)]
    return "\n".join(made)


def make_slides(to: Path) -> None:
    """Builds the slides of all lessons into the folder `to`."""
    source = to.with_name(f"{to.name}_source")
    shutil.rmtree(source, ignore_errors=True)
    (source / "_static").mkdir(parents=True)
    (source / "_static" / "slides.css").write_text(STYLE, encoding="utf-8")
    conf = CONF.format(title="Reading handwritten digits")
    (source / "conf.py").write_text(conf, encoding="utf-8")
    names = []
    for name in LESSONS:
        text = slides(read_notebook(SOLUTIONS / f"{name}.ipynb"))
        (source / f"{name}.md").write_text(text, encoding="utf-8")
        names.append(f"- [{text.splitlines()[0].removeprefix('# ')}]({name}.md)")
    listed = "\n".join(names)
    tree = "```{toctree}\n:hidden:\n" + "\n".join(LESSONS) + "\n```\n"
    index = f"# Reading handwritten digits\n\n{listed}\n\n{tree}"
    (source / "index.md").write_text(index, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "revealjs", str(source), str(to)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise LessonError(f"The slides could not be built: {done.stderr.strip()[-500:]}")
    print(f"The slides are in {to}: open index.html, the arrow keys lead through.")
