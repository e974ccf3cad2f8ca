"""Slides are made of the lessons: a heading or a figure, and a sentence, on each."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import LESSONS, SOLUTIONS
from tools.notebooks import read_notebook
from tools.slides import IMAGE, make_slides, sentences, slides

FIGURE = '<img alt="a curve" src="data:image/png;base64,AAAA">'


def test_sentences_are_those_of_paragraphs():
    text = (
        "## Title\n\nThe [loss](x.ipynb) falls to 0.5. Why? We see:\n\n- a list.\n\n"
        "$$ x. Y $$\n\n| a. B |\n\nNotice the end."
    )
    assert sentences(text) == ["The loss falls to 0.5.", "Why?", "Notice the end."]


@pytest.mark.parametrize(
    ("after", "words"),
    [("It falls. Notice the bend.", "Notice the bend."), ("It falls.", "Here is the curve.")],
)
def test_figure_has_the_sentence_that_belongs_to_it(after, words):
    output = new_output("display_data", data={"text/html": f"<div>{FIGURE}</div>"})
    hidden = new_code_cell(outputs=[output], metadata={"tags": ["solution"]})
    cells = [
        new_markdown_cell("# Lesson\n\nFirst words. Second words."),
        new_markdown_cell("## Curve\n\nWords. Here is the curve."),
        new_code_cell(outputs=[output, output]),
        hidden,
        new_markdown_cell(after),
    ]
    figure = f"## Curve\n\n{FIGURE}\n\n{words}\n"
    expected = ["# Lesson\n\nFirst words.\n", "# Curve\n\nWords.\n", figure, figure]
    assert slides(new_notebook(cells=cells)) == "\n".join(expected)


def test_link_with_a_colon_stays_whole_and_a_list_stands_where_there_is_no_sentence():
    assert sentences("[Lesson 3: Softmax and ReLU](x.ipynb) changes two. It wins.") == [
        "Lesson 3: Softmax and ReLU changes two.",
        "It wins.",
    ]
    learned = "- A [neuron](x.ipynb) is\n  a sum.\n- Two."
    cells = [new_markdown_cell(f"## What you learned\n\n{learned}\n\n$$x$$")]
    expected = "# What you learned\n\n- A neuron is\n  a sum.\n- Two.\n"
    assert slides(new_notebook(cells=cells)) == expected


@pytest.mark.parametrize("name", LESSONS)
def test_every_figure_of_a_lesson_is_on_a_slide(name):
    notebook = read_notebook(SOLUTIONS / f"{name}.ipynb")
    text = slides(notebook)
    shown = [cell for cell in notebook.cells if "solution" not in cell.metadata.get("tags", [])]
    there = [
        figure
        for cell in shown
        for output in cell.get("outputs", [])
        for figure in IMAGE.findall(output.get("data", {}).get("text/html", ""))
    ]
    assert IMAGE.findall(text) == there
    assert all('alt="' in figure for figure in there)
    for slide in re.split(r"(?m)^#{1,2} ", text)[1:]:
        words = IMAGE.sub("", slide).split("\n", 1)[1]
        assert len(sentences(words)) <= 2, slide[:200]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_slides_need_no_network(tmp_path, browser):
    make_slides(tmp_path / "slides")
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "slides" / f"{LESSONS[1]}.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count > 10
    for _ in range(count - 1):
        page.evaluate("Reveal.next()")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 1280
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
