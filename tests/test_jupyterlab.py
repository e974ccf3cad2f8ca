"""The lessons in JupyterLab, in a browser, as a learner meets them.

One server of this environment runs on a copy of `notebooks/`, with settings and folders of its own,
so that neither a person's settings nor what the tests save there matters.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import numpy as np
import pytest

from tools import GLOSSARY, LESSONS, NOTEBOOKS, ROOT, notebooks, outputs

pytestmark = pytest.mark.slow
SCREENSHOTS = ROOT / "screenshots"
PAGES = (*LESSONS, GLOSSARY)
MINUTES = 60  # seconds in one

# The notebook in the tab that is in front.
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"
IMAGES = """(panel) => [...panel.querySelectorAll(".jp-OutputArea-output img")].map((image) => ({
  alt: image.alt, drawn: image.complete && image.naturalWidth > 0, inside:
  image.getBoundingClientRect().right <= panel.getBoundingClientRect().right + 1 }))"""
# Every cell's prompt, without the brackets: a number, "*" while it waits, " " if it has not run.
PROMPTS = """(panel) => [...panel.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
  .map((prompt) => prompt.textContent.replace(/[\\[\\]:]/g, "").trim())"""
# tqdm's bars: a box that holds the bar and the text around it.
BAR = ".jp-OutputArea .widget-hbox:has(.progress-bar)"
# What JupyterLab writes where it cannot show something.
BROKEN = re.compile(
    r"Javascript Error|Error rendering|Error displaying widget|Loading widget|\[Math Processing"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Starts JupyterLab on a copy of the lessons; gives its address and its token."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    lessons = folder / "lessons"
    lessons.mkdir()
    for path in [*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("*.py")]:
        shutil.copy(path, lessons)
    if (NOTEBOOKS / "MNIST_dataset").exists():
        # Making 70,000 files anew is tested elsewhere.
        (lessons / "MNIST_dataset").symlink_to(NOTEBOOKS / "MNIST_dataset")
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = {
        **os.environ,
        **{name: str(folder / place) for name, place in places.items()},
        "PYTHONPATH": str(ROOT),
    }
    # JupyterLab asks each newcomer whether to fetch its news.
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    port, token = free_port(), secrets.token_hex(16)
    log = folder / "log.txt"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={lessons}"),
    ]
    address = f"http://127.0.0.1:{port}/"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
        try:
            wait_for_server(server, f"{address}api/status?token={token}", log)
            yield address, token
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_for_server(server, address, log):
    end = time.monotonic() + 2 * MINUTES
    while time.monotonic() < end:
        assert server.poll() is None, f"JupyterLab ended:\n{log.read_text()[-3000:]}"
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def page(browser, lab):
    """A page whose scripts must not have failed in the end."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def open_lesson(lab, page):
    """A function that opens a notebook; returns its panel, once every cell is there."""
    address, token = lab

    def open_lesson(name):
        page.goto(f"{address}lab/tree/{name}.ipynb?reset&token={token}")
        return wait_for_notebook(page, name)

    return open_lesson


def wait_for_notebook(page, name):
    tab = page.locator(".lm-TabBar-tab.lm-mod-current", has_text=f"{name}.ipynb")
    tab.first.wait_for()
    panel = page.locator(NOTEBOOK)
    cells = len(notebooks.read_notebook(NOTEBOOKS / f"{name}.ipynb").cells)
    page.wait_for_function(
        "([panel, cells]) => document.querySelectorAll(panel + ' .jp-Cell').length === cells",
        arg=[NOTEBOOK, cells],
    )
    return panel


def figures(notebook):
    """Returns the number of images in the outputs of a notebook."""
    count = 0
    for cell in outputs.code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            html = data.get("text/html", "")
            count += len(re.findall("<img", html)) or any(
                kind.startswith("image/") for kind in data
            )
    return count


def live_figures(notebook):
    """Returns the number of figures that answer, whose pictures a running kernel does not show."""
    cells = outputs.code_cells(notebook)
    datas = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return sum(data.get("text/html", "").count('class="live-figure"') for data in datas)


def check_figures(panel, expected):
    """Every image of the outputs is drawn, says what it shows, and fits into its notebook."""
    panel.evaluate(
        """async (panel) => {
          const images = [...panel.querySelectorAll(".jp-OutputArea-output img")];
          await Promise.all(images.map((image) => image.decode().catch(() => 0)));
        }"""
    )
    images = panel.evaluate(IMAGES)
    assert len(images) == expected
    assert [image for image in images if not image["drawn"]] == []
    assert [image for image in images if not image["alt"].strip()] == []
    assert [image for image in images if not image["inside"]] == []
    assert not BROKEN.search(panel.text_content())


def screenshots(page, panel, name):
    """Keeps pictures of the whole notebook, a window's height each, for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for old in SCREENSHOTS.glob(f"lab_{name}_*.png"):
        old.unlink()
    scroller = panel.locator(".jp-WindowedPanel-outer")
    scroller.evaluate("(panel) => { panel.scrollTop = 0; }")
    scroll_on = """(panel) => {
      const before = panel.scrollTop;
      panel.scrollTop += panel.clientHeight;
      return panel.scrollTop > before;
    }"""
    for count in range(100):
        page.screenshot(path=SCREENSHOTS / f"lab_{name}_{count:02d}.png")
        if not scroller.evaluate(scroll_on):
            break


@pytest.mark.parametrize("name", PAGES)
def test_a_committed_lesson_shows_its_outputs_figures_and_equations(page, open_lesson, name):
    panel = open_lesson(name)
    notebook = notebooks.read_notebook(NOTEBOOKS / f"{name}.ipynb")
    check_figures(panel, figures(notebook))
    with_outputs = sum(1 for cell in outputs.code_cells(notebook) if cell.outputs)
    assert panel.locator(".jp-CodeCell .jp-OutputArea:has(.jp-OutputArea-output)").count() == (
        with_outputs
    )
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    equations = len(re.findall(r"\$\$.+?\$\$|\$[^$]+\$", text, re.DOTALL))
    if equations:
        panel.locator("mjx-container").nth(equations - 1).wait_for(state="attached")
    assert panel.locator("mjx-container").count() == equations
    assert panel.locator("mjx-merror").count() == 0


def test_links_between_lessons_open_them(page, open_lesson):
    panel = open_lesson(LESSONS[0])
    for name in (LESSONS[1], GLOSSARY, LESSONS[0]):
        panel.locator(f".jp-MarkdownOutput a[href*='{name}']").first.click()
        panel = wait_for_notebook(page, name)
        assert panel.locator("h1").count() == 1


def run_all(page, panel, minutes):
    """Chooses Restart Kernel and Run All Cells; returns what progress bars said meanwhile."""
    # JupyterLab 4.6 loses the connection to a kernel that is restarted while it starts.
    panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    choose(page, "Edit", "Clear Outputs of All Cells")
    page.wait_for_function(
        "(panel) => !document.querySelector(panel + ' .jp-OutputArea-output')", arg=NOTEBOOK
    )
    choose(page, "Run", "Restart Kernel and Run All Cells")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    bars = set()
    started, end = False, time.monotonic() + minutes * MINUTES
    while time.monotonic() < end:
        bars.update(panel.locator(BAR).all_text_contents())
        prompts = panel.evaluate(PROMPTS)
        started = started or "*" in prompts
        if started and "*" not in prompts:
            return bars
        time.sleep(0.1)
    pytest.fail(f"after {minutes} minutes, the cells' prompts are {prompts}")


def choose(page, menu, entry):
    page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{menu}$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=entry).first.click()


def check_run(panel, name):
    """Nothing failed, every figure is there, every training left one tidy line."""
    errors = panel.locator("[data-mime-type='application/vnd.jupyter.stderr'], .jp-RenderedError")
    assert errors.all_text_contents() == []
    notebook = notebooks.read_notebook(NOTEBOOKS / f"{name}.ipynb")
    cells = len(outputs.code_cells(notebook))
    assert panel.evaluate(PROMPTS) == [str(count) for count in range(1, cells + 1)]
    check_figures(panel, figures(notebook) - live_figures(notebook))
    assert panel.locator(".live").count() == live_figures(notebook)
    printed = "\n".join(panel.locator(".jp-OutputArea-output pre").all_text_contents())
    assert not outputs.PROGRESS_BAR.search(printed)
    assert panel.locator(BAR).count() == 0
    return printed


def test_lesson_1_runs_from_the_menu(page, open_lesson):
    name = LESSONS[0]
    panel = open_lesson(name)
    run_all(page, panel, minutes=5)
    check_run(panel, name)
    screenshots(page, panel, name)


def test_lesson_2_runs_from_the_menu_and_its_progress_bar_moves(page, open_lesson):
    name = LESSONS[1]
    panel = open_lesson(name)
    bars = run_all(page, panel, minutes=8)
    percents = {int(found[1]) for bar in bars if (found := re.search(r"(\d+)\s?%", bar))}
    assert len(percents - {0, 100}) >= 3, f"a bar that moves; seen: {sorted(bars)[:20]}"
    printed = check_run(panel, name)
    assert len(re.findall(r"^epoch +1/1 +train loss 0\.\d+, accuracy 0\.\d+", printed, re.M)) == 4
    screenshots(page, panel, name)


def draw(page, paper, corners):
    """Draws a line on the canvas with the mouse; corners are fractions of its width and height."""
    paper.hover()  # waits until the page around it has come to rest
    box = paper.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=10)
    page.mouse.up()


def ellipse():
    angles = np.linspace(0, 2 * np.pi, 13)
    return list(zip(0.5 + 0.22 * np.sin(angles), 0.5 - 0.33 * np.cos(angles), strict=True))


def test_lesson_6_runs_from_the_menu_and_reads_what_the_mouse_draws(page, open_lesson):
    name = LESSONS[5]
    panel = open_lesson(name)
    run_all(page, panel, minutes=8)
    check_run(panel, name)
    canvas = panel.locator(".live-draw-digit")
    paper = canvas.locator(".live-paper")
    answer = canvas.locator(".live-answer")
    answer.get_by_text("Draw a digit.").wait_for()
    drawings = {
        1: [(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)],
        0: ellipse(),
        7: [(0.25, 0.22), (0.72, 0.22), (0.42, 0.85)],
    }
    for digit, corners in drawings.items():
        draw(page, paper, corners)
        answer.get_by_text(f"The network says: {digit}").wait_for()
        page.screenshot(path=SCREENSHOTS / f"lab_draw_{digit}.png")
        canvas.get_by_role("button", name="Clear").click()
        answer.get_by_text("Draw a digit.").wait_for()
    screenshots(page, panel, name)


LIVE_CELLS = [
    "from helpers import live",
    "live.Neuron()",
    "live.Softmax([1, -3, 0.5, 2, -1.5, 0, -0.5, 4, 0.5, 3])",
    'live.Valley({"SGD": [[-9, 1.6], [-8, -1.2]]})',
    "import numpy as np\nfrom torch import nn\n"
    "network = nn.Sequential(nn.Flatten(), nn.Linear(784, 8), nn.ReLU(), nn.Linear(8, 10))\n"
    "unknown = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10))\n"
    "images, digits = np.eye(28, dtype='float32')[None].repeat(10, 0), np.arange(10)",
    "live.DrawDigit(network)",
    "live.Disturb(images, digits, network)",
    "live.Inside(network, images, digits, {name: network[1].weight for name in 'abc'})",
    "live.DrawDigit(unknown)",
]


@pytest.fixture
def live_panel(lab, page):
    """A notebook with every live figure, run, in the dark or not; its panel."""
    address, token = lab
    cells = [nbformat.v4.new_code_cell(source) for source in LIVE_CELLS]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    content = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    request = urllib.request.Request(
        f"{address}api/contents/live.ipynb?token={token}",
        data=json.dumps({"type": "notebook", "content": content}).encode(),
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=20).close()
    page.goto(f"{address}lab/tree/live.ipynb?reset&token={token}")
    panel = page.locator(NOTEBOOK)
    panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    choose(page, "Run", "Run All Cells")
    panel.locator(".live").nth(6).wait_for(timeout=400_000)
    return panel


def test_live_figures_answer_and_keep_their_keys(page, live_panel):
    assert not BROKEN.search(live_panel.text_content())
    assert live_panel.locator(".live-answer").count() == 7
    selected = ".jp-Cell.jp-mod-active"
    for place in range(7):
        figure = live_panel.locator(".live").nth(place)
        control = figure.locator("input").first
        control.scroll_into_view_if_needed()
        control.focus()
        before = live_panel.locator(selected).evaluate("(cell) => cell.dataset.windowedListIndex")
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", "d", "d"):
            page.keyboard.press(key)
        after = live_panel.locator(selected).evaluate("(cell) => cell.dataset.windowedListIndex")
        assert after == before
    assert live_panel.locator(".jp-CodeCell").count() == len(LIVE_CELLS)
    unknown = live_panel.locator(".live-draw-digit").nth(1)
    draw(page, unknown.locator(".live-paper"), [(0.5, 0.15), (0.5, 0.85)])
    unknown.locator(".live-answer", has_text="The network says: ").wait_for()
    page.screenshot(path=SCREENSHOTS / "lab_live_light.png")


def test_live_figures_follow_jupyterlab_into_the_dark(page, live_panel):
    choose(page, "Settings", "Theme")
    page.locator(".lm-Menu-itemLabel", has_text="JupyterLab Dark").first.click()
    live_panel.locator(".live.live-dark").nth(6).wait_for()
    page.screenshot(path=SCREENSHOTS / "lab_live_dark.png")
    choose(page, "Settings", "Theme")
    page.locator(".lm-Menu-itemLabel", has_text="JupyterLab Light").first.click()
    live_panel.locator(".live:not(.live-dark)").nth(6).wait_for()
