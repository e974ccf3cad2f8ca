"""What the live figures share: a widget that computes in the browser, and the picture without it.

Each figure is a class here and a module of the browser's own language beside it, which also holds
whatever the figure computes. The same module runs in JupyterLab and on Colab (through anywidget)
and on the website (`tools/live_site.py`). Where no script runs, a picture takes its place.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import anywidget

from helpers.plotting.page import Picture

HERE = Path(__file__).parent
STYLE = (HERE / "live.css").read_text(encoding="utf-8")
SHARED_IMPORT = re.compile(r'import \{[^}]*\} from "\./shared\.js";\n')


def script(name: str) -> str:
    """Return the module of a figure in one piece, as hosts take it: the shared parts come first.

    Args:
        name: The figure's name, such as "neuron".
    """
    shared, own = ((HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("shared", name))
    return shared + SHARED_IMPORT.sub("", own)


class LiveFigure(anywidget.AnyWidget):
    """A figure that answers, and the picture that stands for it where no script runs.

    Args:
        picture: That picture, with its alternative text.
        **state: The first values of the figure's traits. Those with the tag `page` are small, and
            go into the HTML from which the website makes the figure live again.
    """

    _css = STYLE
    # ipywidgets 7 would show the widget by this, and leave the picture out.
    _ipython_display_ = None

    def __init__(self, picture: Picture, **state: Any) -> None:
        self._picture = picture
        super().__init__(**state)

    @classmethod
    def figure_name(cls) -> str:
        """Return the name of the figure's module: "draw_digit" for `DrawDigit`."""
        return re.sub(r"(?<=.)([A-Z])", r"_\1", cls.__name__).lower()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options)
        state = {name: getattr(self, name) for name in self.trait_names(page=True)}
        data["text/plain"] = self._picture.alt
        data["text/html"] = (
            f'<div class="live-figure" data-figure="{self.figure_name()}" '
            f'data-state="{html.escape(json.dumps(state))}">{self._picture._repr_html_()}</div>'
        )
        return data, metadata
