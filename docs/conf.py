"""The website: the executed lessons, the helpers' reference, and what to do when a thing fails."""

import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tools import live_site  # noqa: E402 (from this checkout)

NOTEBOOKS = HERE.parent / "notebooks"

# What the website folds away, by the tag of the cell.
FOLDED = {
    "setup": {"code_prompt_show": "Show the set-up", "code_prompt_hide": "Hide the set-up"},
    "solution": {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"},
}

# Sphinx reads only what lies below its own folder, so the teacher's notebooks are copied there.
LESSONS = HERE / "lessons"
shutil.rmtree(LESSONS, ignore_errors=True)
LESSONS.mkdir()
for path in (NOTEBOOKS / "solutions").glob("*.ipynb"):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text.replace("](../../docs/", "](../").replace("](../", "]("))
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        for tag in FOLDED.keys() & tags:
            cell["metadata"] = {"tags": [*tags, "hide-cell"], "mystnb": FOLDED[tag]}
    (LESSONS / path.name).write_text(json.dumps(notebook), encoding="utf-8")
for script in NOTEBOOKS.glob("*.py"):
    shutil.copy(script, LESSONS)

LIVE = HERE / "live"
live_site.build(static=LIVE / "static", pages=LIVE)

project = "Reading handwritten digits"
html_title = project
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    # MathJax comes with the site: it works with no network.
    "sphinx-mathjax-offline",
]
exclude_patterns = ["_build", "jupyter_execute"]
default_role = "code"  # what single backquotes mean in a docstring
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}  # not the ten lines that it stands for
templates_path = ["_templates"]
html_theme = "sphinx_book_theme"
html_context = {"default_mode": "auto"}  # without it, the theme reports an error
html_static_path = ["_static", "live/static"]
html_css_files = ["live/live.css", "figures.css"]
html_js_files = [("live_page.js", {"defer": "defer"})]
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # a search field above the sidebar's own
    "use_fullscreen_button": False,
    "footer_content_items": [],
}
