"""The website: the executed lessons, the helpers' reference, and what to do when something fails."""

import shutil
from pathlib import Path

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"

# Sphinx reads only what lies below its own folder, so the notebooks are copied there: the teacher's,
# whose solutions the website folds away.
LESSONS = HERE / "lessons"
shutil.rmtree(LESSONS, ignore_errors=True)
LESSONS.mkdir()
for notebook in (NOTEBOOKS / "solutions").glob("*.ipynb"):
    text = notebook.read_text(encoding="utf-8")
    (LESSONS / notebook.name).write_text(text.replace("](../", "]("), encoding="utf-8")
for script in NOTEBOOKS.glob("*.py"):
    shutil.copy(script, LESSONS)

project = "Reading handwritten digits"
html_title = project
author = "the authors of the lessons"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    # MathJax comes with the site: it works with no network.
    "sphinx-mathjax-offline",
]
exclude_patterns = ["_build", "jupyter_execute"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["figures.css"]
html_theme_options = {
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "article_header_end": ["search-button.html", "theme-switcher.html", "toggle-secondary-sidebar.html"],
}
