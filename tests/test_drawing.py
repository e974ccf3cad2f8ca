"""Drawings become images as MNIST's did, and the canvas answers."""

import base64
import json
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import deeplay as dl
import numpy as np
import pytest
import torch
from torch import nn

from helpers import drawing as drawing_module
from helpers.config import Config
from helpers.data import load_mnist
from helpers.drawing import DRAWING_SIZE, DrawDigit, center_and_scale, example_drawing, shrink
from helpers.errors import LessonError


def center_of_mass(image):
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


def box(image):
    rows, columns = np.nonzero(image > 0)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize("shift", [(0, 0), (30, -20), (-10, 25)])
def test_ink_is_centered_by_its_mass_and_fits_20_pixels(shift):
    drawing = np.zeros((112, 112))
    drawing[40 + shift[0] : 70 + shift[0], 45 + shift[1] : 55 + shift[1]] = 1
    drawing[40 + shift[0] : 46 + shift[0], 45 + shift[1] : 65 + shift[1]] = 1
    image = center_and_scale(drawing)
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    assert max(box(image)) == 20
    assert np.allclose(center_of_mass(image), 14, atol=0.5)


def test_mnist_itself_is_centered_this_way():
    # The rule is MNIST's only if MNIST's own images obey it.
    images, _ = load_mnist("test")
    centers = np.array([center_of_mass(image) for image in images[:500]])
    assert np.allclose(centers.mean(axis=0), 14, atol=0.05)
    assert np.abs(centers - 14).max() < 1.5
    assert np.quantile([max(box(image)) for image in images[:500]], [0.1, 0.9]).tolist() == [20, 20]


def test_proportions_are_kept():
    drawing = np.zeros((112, 112))
    drawing[10:90, 50:58] = 1
    assert box(center_and_scale(drawing)) == (20, 2)


def test_empty_and_uneven_drawings_give_an_image():
    assert not center_and_scale(np.zeros((112, 112))).any()
    uneven = np.zeros((112, 112))
    uneven[:100, :4] = 0.2
    uneven[90:100, :80] = 1
    assert center_and_scale(uneven).max() <= 1
    with pytest.raises(LessonError, match=r"\(3, 4, 5\)"):
        center_and_scale(np.zeros((3, 4, 5)))


@pytest.mark.parametrize("take", [center_and_scale, shrink])
def test_what_is_no_drawing_is_refused_and_a_drawing_is_not_written_to(take):
    gray = np.linspace(0, 1, 112 * 112).reshape(112, 112)
    for wrong, said in (
        (None, "drawing must be numbers, got None."),
        (gray * np.nan, "drawing has pixels that are NaN or infinite. Look at"),
        ((gray * 255).astype("uint8"), r"whole numbers from 0 to 255 \(uint8\)\. Divide by 255"),
        (gray * 255, "drawing must go from 0 to 1, got 0 to 255"),
        (gray - 0.5, "drawing must go from 0 to 1, got -0.5 to 0.5"),
        (gray[:0], r"drawing must have shape \(height, width\), .* got \(0, 112\)"),
        (gray[0], r"drawing must have shape \(height, width\), .* got \(112,\)"),
    ):
        with pytest.raises(LessonError, match=said):
            take(wrong)
    for right in (gray, gray.astype("float32"), gray.tolist(), torch.tensor(gray), gray[::2, ::3]):
        before = np.array(right)
        image = take(right)
        assert image.dtype == np.float32
        assert image.shape == (28, 28)
        image += 1
        np.testing.assert_array_equal(before, np.array(right))


def test_shrinking_averages_boxes():
    drawing = np.zeros((112, 112))
    drawing[4:8, 8:10] = 1
    expected = np.zeros((28, 28))
    expected[1, 2] = 0.5
    np.testing.assert_array_equal(shrink(drawing), expected)


def test_faint_smudges_are_not_ink():
    """What is fainter than a tenth neither moves nor scales the digit."""
    drawing = example_drawing()
    smudged = drawing.copy()
    smudged[100:104, 4:8] = 0.09
    np.testing.assert_array_equal(center_and_scale(smudged), center_and_scale(drawing))
    smudged[100:104, 4:8] = 0.11
    assert not np.array_equal(center_and_scale(smudged), center_and_scale(drawing))


def test_ink_far_from_its_center_of_mass_stays_inside():
    for turn in range(4):
        heavy = np.zeros((112, 112))
        heavy[:, 50:52] = 0.2
        heavy[100:, 40:60] = 1
        image = center_and_scale(np.rot90(heavy, turn))
        assert max(box(image)) == 20
        row, column = center_of_mass(image)
        assert min(row, column, 28 - row, 28 - column) > 8
        assert abs((row, column)[turn % 2] - 14) > 1, "the edge, not the center, decides here"
        edges = image[0], image[:, 0], image[-1], image[:, -1]
        assert [edge.any() for edge in edges] == [turn == side for side in range(4)]


def test_example_is_a_seven():
    drawing = example_drawing()
    assert drawing.dtype == np.float32
    assert (drawing.min(), drawing.max()) == (0, 1)
    for y, x in ((17, 76), (18, 62), (16, 90), (36, 81), (56, 73)):
        assert drawing[y, x] == 1, "a stroke to the right, and one down to the left"
    assert not drawing[:, :56].any()
    assert not drawing[62:].any()
    assert 0.02 < drawing.mean() < 0.06
    widths = (drawing[25:50] > 0.5).sum(axis=1)
    assert widths.min() >= 7
    assert widths.max() <= 10


def test_example_is_off_the_center_until_it_is_centered():
    drawing = example_drawing()
    assert drawing.shape == (DRAWING_SIZE, DRAWING_SIZE)
    assert abs(center_of_mass(shrink(drawing))[0] - 14) > 3
    assert np.allclose(center_of_mass(center_and_scale(drawing)), 14, atol=0.5)


class Columns(torch.nn.Module):
    """Answers with the share of ink in ten vertical stripes: easy to predict by hand."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def calling_stateful(self):
        return torch.no_grad()

    def forward(self, images):
        stripes = torch.stack([s.sum(dim=(1, 2)) for s in images.tensor_split(10, dim=2)], dim=1)
        return stripes / stripes.sum()


def test_canvas_answers_and_the_switch_matters():
    canvas = DrawDigit(Columns())
    drawing = np.zeros((DRAWING_SIZE, DRAWING_SIZE), np.uint8)
    drawing[20:90, 2:8] = 255
    canvas.set_state({"drawing": memoryview(drawing.tobytes())})  # as it comes from the browser
    assert np.argmax(canvas.outputs) in {4, 5}  # centered
    assert len(canvas.image) == 784
    canvas.centered = False
    assert np.argmax(canvas.outputs) == 0
    canvas.drawing = bytes(DRAWING_SIZE**2)
    assert canvas.outputs == []


def ink(fill=255):
    """A drawing as the browser sends it: a vertical stroke left of the middle."""
    drawing = np.zeros((DRAWING_SIZE, DRAWING_SIZE), np.uint8)
    drawing[20:90, 30:38] = fill
    return memoryview(drawing.tobytes())


def test_canvas_shows_what_the_network_sees():
    canvas = DrawDigit(Columns())
    canvas.set_state({"drawing": ink()})
    seen = np.frombuffer(canvas.image, np.uint8).reshape(28, 28)
    drawn = np.frombuffer(ink(), np.uint8).reshape(DRAWING_SIZE, DRAWING_SIZE) / 255
    np.testing.assert_array_equal(seen, np.uint8(center_and_scale(drawn) * 255))
    assert canvas.outputs == pytest.approx(
        Columns()(torch.tensor(center_and_scale(drawn))[None])[0].tolist()
    )
    canvas.set_state({"centered": False})
    np.testing.assert_array_equal(
        np.frombuffer(canvas.image, np.uint8).reshape(28, 28), np.uint8(shrink(drawn) * 255)
    )


def test_clearing_clears_everything():
    canvas = DrawDigit(Columns())
    canvas.set_state({"drawing": ink()})
    assert canvas.outputs
    canvas.message = "left over"
    canvas.set_state({"drawing": memoryview(bytes(DRAWING_SIZE**2))})
    assert (canvas.image, canvas.outputs, canvas.message) == (b"", [], "")


class Moody(nn.Module):
    """Dropout, BatchNorm, and a part that was set to evaluation mode on purpose."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(784), nn.Dropout(0.5), nn.Linear(784, 10)
        )
        self.frozen = nn.Dropout(0.5).eval()

    def forward(self, images):
        return self.frozen(self.layers(images))


@pytest.mark.parametrize("training", [True, False])
def test_canvas_predicts_in_evaluation_mode_and_puts_the_mode_back(training):
    torch.manual_seed(0)
    network = Moody()
    network.layers.train(training)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    canvas = DrawDigit(network)
    answers = []
    for _ in range(3):
        canvas.set_state({"drawing": ink()})
        canvas.set_state({"drawing": memoryview(bytes(DRAWING_SIZE**2))})
        canvas.set_state({"drawing": ink()})
        answers.append(canvas.outputs)
    assert answers[0] == answers[1] == answers[2]
    assert [module.training for module in network.modules()] == modes
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name]), name
    drawn = np.frombuffer(ink(), np.uint8).reshape(DRAWING_SIZE, DRAWING_SIZE) / 255
    expected = network.eval()(torch.tensor(center_and_scale(drawn))[None])[0]
    assert answers[0] == pytest.approx(expected.tolist())


class Fails(nn.Module):
    def forward(self, images):
        raise ValueError("no\nmore")


def test_mode_comes_back_after_a_failure_too():
    network = Fails()
    canvas = DrawDigit(network)
    canvas.set_state({"drawing": ink()})
    assert network.training
    assert canvas.message == "The network does not answer. no"


class Writes(nn.Module):
    def forward(self, images):
        assert not torch.is_grad_enabled()
        images.zero_()
        return torch.ones(1, 10)


def test_a_network_that_writes_into_its_input_changes_nothing():
    canvas = DrawDigit(Writes())
    canvas.set_state({"drawing": ink()})
    assert max(canvas.image) == 255
    assert bytes(canvas.drawing) == bytes(ink())
    assert canvas.outputs == [1.0] * 10


def test_canvas_takes_a_classifier_of_the_lessons():
    recipe = Config().in_features(784).hidden_features([4]).out_features(10)
    recipe = Config().model(dl.MultiLayerPerceptron, recipe).num_classes(10)
    classifier = recipe.create(dl.Classifier)
    canvas = DrawDigit(classifier)
    canvas.set_state({"drawing": ink()})
    assert len(canvas.outputs) == 10
    assert canvas.message == ""
    for wrong, said in (
        (None, "classifier must be a classifier, got None"),
        (recipe, "classifier must be a classifier, got its recipe"),
        (dl.Classifier, "got the class Classifier"),
        (dl.Classifier(dl.MultiLayerPerceptron(784, [4], 10)), "not built yet"),
        (classifier.state_dict(), "got an OrderedDict"),
    ):
        with pytest.raises(LessonError, match=said):
            DrawDigit(wrong)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Linear(5, 10), "shapes cannot be multiplied (28x28 and 5x10)"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(784, 5)),
            "Its outputs must be ten numbers, of shape (10,), got (5,).",
        ),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
            "Its outputs must be finite numbers",
        ),
    ],
)
def test_canvas_says_why_there_is_no_answer_and_goes_on(network, said):
    good = {name: value.clone() for name, value in network.state_dict().items()}
    for weights in network.parameters():
        weights.data.fill_(np.nan)
    canvas = DrawDigit(network)
    canvas.outputs = [0.1] * 10
    canvas.set_state({"drawing": ink()})
    assert canvas.message.startswith("The network does not answer. ")
    assert said in canvas.message
    assert "\n" not in canvas.message
    assert canvas.outputs == []
    assert len(canvas.image) == 784
    network.load_state_dict(good)
    canvas.set_state({"drawing": ink(200)})
    if "finite" in said:
        assert (len(canvas.outputs), canvas.message) == (10, "")


@pytest.mark.parametrize(
    "sent",
    [10**9, 1e9, "x", None, [0] * 5, memoryview(b""), memoryview(bytes(5)), b"1234"],
)
def test_what_is_no_drawing_is_refused_from_the_browser(sent):
    canvas = DrawDigit(Columns())
    canvas.set_state({"drawing": ink()})
    before = canvas.drawing, canvas.outputs
    tracemalloc.start()
    canvas.set_state({"drawing": sent})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (canvas.drawing, canvas.outputs) == before
    assert canvas.message == "The browser sent no drawing of 112 x 112 bytes."
    assert peak < 1e6


def test_a_hundred_megabytes_from_the_browser_are_not_copied():
    huge = memoryview(bytearray(100_000_000))
    canvas = DrawDigit(Columns())
    tracemalloc.start()
    canvas.set_state({"drawing": huge, "image": huge, "centered": False})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6
    assert (canvas.drawing, canvas.image, canvas.centered) == (b"", b"", False)


def test_the_browser_writes_only_drawing_and_switch():
    canvas = DrawDigit(Columns())
    canvas.set_state(
        {"size": 3, "outputs": [5.0] * 10, "message": "x", "image": b"y", "centered": "yes"}
    )
    assert (canvas.size, canvas.outputs, canvas.message, canvas.image) == (112, [], "", b"")
    assert canvas.centered is True
    canvas.set_state({"centered": 0})
    assert canvas.centered is True
    canvas.set_state({"drawing": bytes(ink())})
    assert len(canvas.outputs) == 10
    assert canvas.message == ""


def test_a_drawing_of_another_length_is_refused_from_python_too():
    with pytest.raises(LessonError, match=r"drawing must be 112² bytes, one a pixel, got 5\."):
        DrawDigit(Columns()).drawing = bytes(5)


def test_javascript_shows_the_message_in_the_place_that_is_read_aloud():
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    page = """
const made = [];
const context = new Proxy({}, { get: () => () => ({ data: [] }), set: () => true });
globalThis.document = { createElement: () => {
  const e = { children: [], style: {}, classList: { toggle() {} }, append() {}, attributes: {},
    setAttribute(k, v) { this.attributes[k] = v; },
    addEventListener() {}, getContext: () => context };
  made.push(e);
  return e;
} };
const state = { size: 112, centered: true, outputs: [], image: null, message: "" };
const listeners = {};
const model = { get: (k) => state[k], set() {}, save_changes() {},
  on: (names, f) => names.split(" ").forEach((n) => (listeners[n] = f)) };
const { default: widget } = await import(process.argv[1]);
widget.render({ model, el: { append() {} } });
const said = () => made.find((e) => e.attributes["aria-live"] === "polite").textContent;
const seen = [said()];
state.message = "The network does not answer.";
listeners["change:message"]();
seen.push(said());
state.message = ""; state.outputs = [0, 0, 0, 0.9, 0, 0, 0, 0, 0, 0.1];
listeners["change:outputs"]();
seen.push(said());
console.log(JSON.stringify(seen));
"""
    script = Path(drawing_module.__file__).with_name("drawing.js").read_bytes()
    url = "data:text/javascript;base64," + base64.b64encode(script).decode()
    command = ["node", "--input-type=module", "-e", page, url]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        "Draw a digit.",
        "The network does not answer.",
        "The network says: 3",
    ]


def test_saved_notebooks_show_text_in_its_place():
    bundle = DrawDigit(Columns())._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "canvas to draw on" in data["text/html"]
