"""The outputs of an executed notebook: cleaned, copied, looked through."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.errors import LessonError
from tools import ROOT, outputs
from tools.outputs import WIDGET


def test_outputs_are_cleaned():
    bar = "100%|██████████| 10/10 [00:00<00:00, 99.9it/s]\n"
    cell = new_code_cell("x", metadata={"execution": {"shell": "now"}})
    cell.outputs = [
        new_output("stream", name="stderr", text=bar),
        new_output("stream", name="stdout", text=bar + "epoch 1: loss 0.5\n"),
        new_output("display_data", {WIDGET: {"model_id": "1"}, "text/plain": "HBox()"}),
        new_output("display_data", {WIDGET: {"model_id": "2"}, "text/html": "<p>static</p>"}),
        new_output("display_data", {"text/plain": "", "text/html": " "}),
        new_output("stream", name="stderr", text="kept: a warning is mended, not hidden\n"),
    ]
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}})
    outputs.clean(notebook)
    assert [output.get("text") or dict(output.data) for output in cell.outputs] == [
        "epoch 1: loss 0.5\n",
        {"text/html": "<p>static</p>"},
        "kept: a warning is mended, not hidden\n",
    ]
    assert notebook.metadata == {}
    assert cell.metadata == {}


def found_in(output, count=1):
    cell = new_code_cell("x = 1", execution_count=count)
    cell.outputs = [output]
    return list(outputs.problems(new_notebook(cells=[new_markdown_cell("# A"), cell])))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.py:1: FutureWarning: old", "a warning"),
        (" 50%|█████     | 5/10", "a progress bar"),
        ("saved to /home/ada/saved", "an absolute path"),
        (r"saved to C:\Users\ada", "an absolute path"),
        (str(ROOT), "this machine"),
        ("<function f at 0x7f3a5c0d1e20>", "an object's address"),
        ("<img src='data:image/png;base64,aa' alt=''>", "an image without a text"),
        ('<img src="data:image/png;base64,aa">', "an image without a text"),
        ("<svg width='1'></svg>", "an image without a text"),
    ],
)
def test_problem_in_an_output_is_found(text, problem):
    assert any(problem in found for found in found_in(new_output("stream", text=text)))


def test_other_problems_are_found():
    assert "executed as number 7" in found_in(new_output("stream", text="fine"), count=7)[0]
    assert "standard error" in found_in(new_output("stream", name="stderr", text="x"))[0]
    assert "ValueError: no" in found_in(new_output("error", ename="ValueError", evalue="no"))[0]
    assert "image/png" in found_in(new_output("display_data", {"image/png": "aaaa"}))[0]


@pytest.mark.parametrize(
    "text",
    [
        "(60000, 28, 28) and 10/10, train/validation, 93 %",
        "<img alt='Ten digits' src='data:image/png;base64,/tmp/usr/0x7fffffff/home/a'>",
        "MNIST_dataset/mnist/train/0_000000.png",
    ],
)
def test_ordinary_outputs_are_no_problem(text):
    assert found_in(new_output("display_data", {"text/html": text})) == []


def test_outputs_of_other_code_are_refused():
    executed, other = (
        new_notebook(cells=[new_code_cell("x = 1"), new_code_cell(code)])
        for code in ("print('seven')", "print('eight')")
    )
    with pytest.raises(LessonError, match="make lessons"):
        outputs.copy_outputs(executed, other)
