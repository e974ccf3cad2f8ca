"""The website's live figures: their scripts and data, written where Sphinx copies them from.

A page that is opened from disk may load scripts, and nothing else that lies beside it. So the
module and the data of each figure are one such script, `live/NAME.js`, and what several figures
need is one more; `docs/_static/live_page.js` loads what a page needs.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from anywidget import AnyWidget

from helpers.live.figure import LiveFigure, script


def state(figure: LiveFigure) -> dict[str, Any]:
    """Return what a figure's module reads: its own traits that are sent to the browser."""
    names = set(figure.trait_names(sync=True)) - set(AnyWidget.class_trait_names())
    return {name: getattr(figure, name) for name in sorted(names) if not name.startswith("_")}


def write_script(
    folder: Path, name: str, data: Mapping[str, Any], module: str = "", needs: Iterable[str] = ()
) -> None:
    """Write `live/NAME.js` into a folder: what `docs/_static/live_page.js` takes it for.

    Args:
        folder: Where `live/` is made.
        name: The figure's name, or that of data which several need.
        data: Trait to value; bytes are written in base64.
        module: The figure's module.
        needs: Names of the other data that the figure reads.
    """

    def encoded(value: bytes) -> dict[str, str]:
        return {"base64": base64.b64encode(value).decode()}

    content = {"module": module, "data": data, "needs": list(needs)}
    text = json.dumps(content, default=encoded, separators=(",", ":"))
    path = folder / "live" / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"liveFigures[{json.dumps(name)}]={text};\n", encoding="utf-8")


def write_small_figures(folder: Path) -> None:
    """Write the figures whose whole state stands in the lesson's page."""
    for name in ("neuron", "softmax", "valley"):
        write_script(folder, name, {}, script(name))
