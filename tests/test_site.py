"""The website: built as `make site` builds it, and walked in a browser, page by page."""

import functools
import http.server
import math
import re
import threading
from pathlib import Path
from urllib.parse import urldefrag, urlsplit
from urllib.request import url2pathname

import pytest
from programs import python

from tools import GLOSSARY, LESSONS, ROOT, SOLUTIONS, notebooks

SCREENSHOTS = ROOT / "screenshots"
PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 800}

MATH_IS_DRAWN = """async () => {
  await window.MathJax?.startup?.promise;
  const bare = [...document.querySelectorAll("div.math, span.math")]
    .filter((place) => !place.querySelector("mjx-container") || place.querySelector("mjx-merror"));
  return bare.map((place) => place.textContent);
}"""
LINKS = "[...document.querySelectorAll('a[href]')].map((link) => link.href)"
ANCHORS = "[...document.querySelectorAll('[id]')].map((element) => element.id)"
BAD_IMAGES = """[...document.images]
  .filter((image) => !image.naturalWidth || !image.alt.trim())
  .map((image) => image.src.slice(0, 80) + ' alt: ' + image.alt)"""
# The widest thing that pushes a page beyond the screen, "" where nothing does.
OVERFLOW = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return "";
  const right = (element) => element.getBoundingClientRect().right;
  const all = [...document.querySelectorAll("article *")].sort((a, b) => right(b) - right(a));
  return `${root.scrollWidth} px wide, because of ${all[0]?.outerHTML.slice(0, 200)}`;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the website, built with the command of `make site`."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    options = re.search(r"-m sphinx (.*) docs ", makefile)[1].split()
    assert "-W" in options, "make site must treat warnings as errors"
    folder = tmp_path_factory.mktemp("website")
    command = ["-m", "sphinx", "--quiet", *options, "docs", folder / "site"]
    done = python(*command, path=ROOT, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def address(site):
    """Serves the website."""
    handler = functools.partial(Quiet, directory=site)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser, address):
    """A page of a browser; in the end, nothing must have been missing or asked of the network."""
    page = browser.new_page(viewport=DESKTOP)
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "response",
        lambda answer: answer.status >= 400 and failed.append((answer.status, answer.url)),
    )
    yield page
    page.close()
    outside = {url for url in asked if not url.startswith((address, "data:", "blob:", "about:"))}
    assert outside == set(), "the website works with no network"
    assert [problem for problem in failed if "favicon" not in problem[1]] == []


def test_it_is_built_without_a_warning(address):
    # The fixture does it, also where there is no browser for the tests below.
    assert address


def page_of(name):
    """Returns a pattern of the address of a page: both builders of Sphinx will do."""
    return re.compile(rf"/{name}(/|\.html)($|\?)")


def lesson(address, page, name):
    """Opens a lesson the way a reader does: from the first page."""
    page.goto(address)
    page.locator(f"main a[href*='{name}']").first.click()
    page.wait_for_url(page_of(name))


def test_every_page_link_image_and_equation_works_on_a_desktop_and_a_phone(page, address):
    waiting, links, anchors = [address], {}, {}
    while waiting:
        url = waiting.pop()
        page.goto(url)
        assert page.evaluate(MATH_IS_DRAWN) == [], url
        assert page.evaluate(BAD_IMAGES) == [], url
        anchors[url] = set(page.evaluate(ANCHORS)) | {""}
        links[url] = [link for link in page.evaluate(LINKS) if link.startswith(address)]
        page.set_viewport_size(PHONE)
        assert page.evaluate(OVERFLOW) == "", f"{url} on a phone"
        page.set_viewport_size(DESKTOP)
        assert page.evaluate(OVERFLOW) == "", url
        for target in {urldefrag(link).url for link in links[url]}:
            if target in anchors or target in waiting:
                continue
            if re.search(r"\.(ipynb|py|md|txt)$", target):
                # A file to download: it is enough that it is there.
                assert page.request.head(target).ok, f"{target}, linked from {url}"
                anchors[target] = {""}
            else:
                waiting.append(target)
    for url, targets in links.items():
        for target in map(urldefrag, targets):
            assert target.fragment in anchors[target.url], f"{target} in {url}"
    for name in (*LESSONS, GLOSSARY, "helpers", "when_something_goes_wrong"):
        assert any(map(page_of(name).search, anchors)), f"no page {name}"


def test_equations_of_lesson_3_are_drawn(page, address):
    # The walk above would pass on a page without any.
    lesson(address, page, LESSONS[2])
    page.locator("mjx-container").first.wait_for()
    assert page.evaluate(MATH_IS_DRAWN) == []


@pytest.mark.parametrize("word", ["softmax", "load_mnist"])
def test_search_finds(page, address, word):
    page.goto(address)
    page.get_by_role("button", name="Search").first.click()
    page.locator("#pst-search-dialog input[type=search]").fill(word)
    page.keyboard.press("Enter")
    page.wait_for_url(page_of("search"))
    page.locator("#search-results li a").first.wait_for()
    found = page.locator("#search-results li").all_inner_texts()
    expected = "Softmax and ReLU" if word == "softmax" else "helpers"
    assert any(expected in text for text in found), found


def test_solutions_are_folded_until_they_are_asked_for(page, address):
    for name in LESSONS:
        lesson(address, page, name)
        notebook = notebooks.read_notebook(SOLUTIONS / f"{name}.ipynb")
        solutions = page.locator("details", has_text="Show a solution")
        assert solutions.count() == sum(
            "solution" in cell.metadata.get("tags", []) for cell in notebook.cells
        ), name
        assert page.locator("details[open]").count() == 0, name
    code = solutions.first.locator("div.highlight").first
    assert not code.is_visible()
    solutions.first.locator("summary").click()
    assert code.is_visible()


def test_dark_mode_keeps_figures_on_white_paper(page, address):
    lesson(address, page, LESSONS[1])
    lightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    assert page.evaluate(lightness) > 200
    page.get_by_role("button", name="Color mode").click()
    page.get_by_text("Dark", exact=True).click()
    page.locator("html[data-theme=dark]").wait_for()
    assert page.evaluate(lightness) < 60
    figures = page.locator(".cell_output img")
    assert figures.count() > 3
    paper_and_filter = """(figures) => figures.map((figure) => {
      const style = getComputedStyle(figure);
      return [style.backgroundColor, style.filter];
    })"""
    for look in figures.evaluate_all(paper_and_filter):
        assert look == ["rgb(255, 255, 255)", "none"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_screenshots_for_people_to_look_at(browser, address, device, scheme):
    SCREENSHOTS.mkdir(exist_ok=True)
    size = PHONE if device == "phone" else DESKTOP
    page = browser.new_page(viewport=size, color_scheme=scheme)
    lesson(address, page, LESSONS[1])
    page.evaluate(MATH_IS_DRAWN)
    path = SCREENSHOTS / f"site_{device}_{scheme}.png"
    page.screenshot(path=path, full_page=True)
    page.close()
    assert path.stat().st_size > 10_000


@pytest.fixture
def from_disk(browser, site):
    """A function that opens a page of the website from disk, with the network cut."""
    pages, errors, asked = [], [], []

    def from_disk(name="index.html", **options):
        page = browser.new_page(**{"viewport": DESKTOP} | options)
        page.context.set_offline(True)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and errors.append(said.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / name).as_uri())
        pages.append(page)
        return page

    yield from_disk
    for page in pages:
        page.close()
    assert errors == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


DRAWN = {
    1: [(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)],
    0: [(0.5 + 0.22 * math.sin(a / 2), 0.5 - 0.33 * math.cos(a / 2)) for a in range(14)],
    7: [(0.25, 0.22), (0.72, 0.22), (0.42, 0.85)],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_start_page_reads_what_a_visitor_draws(from_disk, device, scheme):
    size = PHONE if device == "phone" else DESKTOP
    page = from_disk(viewport=size, color_scheme=scheme)
    paper = page.locator(".live-paper")
    for digit, places in DRAWN.items():
        paper.scroll_into_view_if_needed()
        box = paper.bounding_box()
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()
        assert page.locator(".live-answer").inner_text() == f"The network says: {digit}"
        SCREENSHOTS.mkdir(exist_ok=True)
        if digit == 7:
            path = SCREENSHOTS / f"site_start_{device}_{scheme}.png"
            page.screenshot(path=path, full_page=True)
        page.get_by_role("button", name="Clear").click()
    assert page.evaluate(OVERFLOW) == ""
    assert page.locator(".live.live-dark").count() == (scheme == "dark")


def test_the_start_page_is_light_and_soon_ready(from_disk, site):
    asked = []
    page = from_disk()
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.locator(".live").wait_for()
    asked = [url for url in asked if url.startswith("file:")]
    assert len(asked) == len(set(asked)), "each file once"
    files = {Path(url2pathname(urlsplit(url).path)) for url in asked}
    assert site / "_static" / "live" / "network.js" in files
    assert sum(file.stat().st_size for file in files) < 1_000_000
    # The canvas listens once its scripts have run, which the page's load event waits for.
    times = []
    for _ in range(5):
        page.reload()
        page.locator(".live").wait_for()
        times.append(page.evaluate("performance.getEntriesByName('live figures')[0].startTime"))
    print(f"start page: {sum(file.stat().st_size for file in files):,} bytes, ready: {times} ms")
    assert min(times) < 1000


def test_live_files_are_small(site):
    assert sum(path.stat().st_size for path in (site / "_static" / "live").iterdir()) < 3_000_000


def test_every_live_figure_of_the_lessons_is_made_live(from_disk, site):
    for path in sorted(site.rglob("*.html")):
        count = path.read_text(encoding="utf-8").count('class="live-figure"')
        if count:
            page = from_disk(path.relative_to(site))
            page.wait_for_function(f"document.querySelectorAll('.live').length === {count}")
