"""The website's live figures: the start page's canvas, and the scripts and data of all of them.

A page that is opened from disk may load scripts, and nothing else that lies beside it. So the
module and the data of each figure are one such script, `live/NAME.js`, and what several figures
need is one more; `docs/_static/live_page.js` loads what a page needs. The network is trained here,
by lesson 5's recipe, once for all builds of the same helpers.
"""

import base64
import hashlib
import inspect
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import deeplay as dl
import numpy as np
import torch
from anywidget import AnyWidget
from filelock import FileLock
from lightning import seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.nn import Module, MSELoss, ReLU, Softmax
from torch.optim import RMSprop

from helpers import live
from helpers.config import Config
from helpers.data import load_mnist
from helpers.live.figure import STYLE, LiveFigure, script
from helpers.training import Classifier, Trainer, make_dataloader

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "live_site"

# Lesson 5's choice, with which its last network is trained.
RECIPE = (
    Config()
    .model(dl.MultiLayerPerceptron)
    .model.in_features(28 * 28)
    .model.hidden_dims([32, 32])
    .model.out_features(10)
    .model.blocks.activation(ReLU)
    .model.out_activation(Softmax, dim=1)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(RMSprop, lr=0.001)
)
EPOCHS, BATCH_SIZE = 10, 16
FIRST_WEIGHTS = "model.blocks.0.layer.weight"


def train(epochs: int = EPOCHS) -> list[dict[str, torch.Tensor]]:
    """Train a network as lesson 5 does; return its state before training and after each epoch."""
    images, digits = load_mnist("train")
    order = np.random.default_rng(seed=0).permutation(len(images))
    images, digits = images[order], digits[order]
    seed_everything(0, verbose=False)
    classifier = RECIPE.create(Classifier)
    states = [{name: value.clone() for name, value in classifier.state_dict().items()}]
    with tempfile.TemporaryDirectory() as folder:
        each_epoch = ModelCheckpoint(
            dirpath=folder, filename="{epoch:02d}", save_top_k=-1, save_weights_only=True
        )
        dataloader = make_dataloader(images, digits, batch_size=BATCH_SIZE, shuffle=True)
        trainer = Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            callbacks=[each_epoch],
            enable_progress_bar=False,
        )
        trainer.fit(classifier, dataloader)
        for path in sorted(Path(folder).iterdir()):
            states.append(torch.load(path, weights_only=True)["state_dict"])
    return states


def trained() -> list[dict[str, torch.Tensor]]:
    """Return what `train` does, trained at most once for the same recipe, helpers and digits."""
    key = hashlib.sha256()
    key.update(f"{RECIPE}\n{EPOCHS} {BATCH_SIZE}\n{inspect.getsource(train)}".encode())
    for path in sorted((ROOT / "helpers").glob("*.py")):
        key.update(path.read_bytes())
    key.update((ROOT / "helpers" / "mnist.npz").read_bytes())
    CACHE.mkdir(parents=True, exist_ok=True)
    kept = CACHE / f"{key.hexdigest()[:16]}.pt"
    with FileLock(CACHE / "lock"):
        if not kept.exists():
            for old in CACHE.glob("*.pt"):
                old.unlink()
            torch.save(train(), kept.with_suffix(".part"))
            os.replace(kept.with_suffix(".part"), kept)
        states: list[dict[str, torch.Tensor]] = torch.load(kept, weights_only=True)
    return states


def network(state: Mapping[str, torch.Tensor]) -> Module:
    """Return the classifier with the parameters of one of the states of `train`."""
    classifier: Module = RECIPE.create(Classifier)
    classifier.load_state_dict(state)
    return classifier.eval()


def stages(states: Iterable[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the weights of the first layer in each of the states of `train`, and their names."""
    return {
        f"after epoch {epoch}" if epoch else "before training": state[FIRST_WEIGHTS]
        for epoch, state in enumerate(states)
    }


def state_of(figure: LiveFigure) -> dict[str, Any]:
    """Return what a figure's module reads: its own traits that are sent to the browser."""
    names = set(figure.trait_names(sync=True)) - set(AnyWidget.class_trait_names())
    return {name: getattr(figure, name) for name in sorted(names) if not name.startswith("_")}


def write_script(
    folder: Path, name: str, data: Mapping[str, Any], module: str = "", needs: Iterable[str] = ()
) -> None:
    """Write `live/NAME.js` into a folder: what `docs/_static/live_page.js` takes it for.

    Args:
        folder: Where `live/` is.
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


def write(folder: Path, figures: Iterable[LiveFigure]) -> None:
    """Write the style, and the scripts of figures that show one network, into a folder.

    Args:
        folder: Where they go; its `live/` is made anew.
        figures: One of each kind. What stands in a lesson's own page is left out.
    """
    shutil.rmtree(folder / "live", ignore_errors=True)
    shared: dict[str, Any] = {}
    for figure in figures:
        own = state_of(figure)
        for name in figure.trait_names(page=True):
            del own[name]
        needs = []
        if "layers" in own:
            shared = {name: own.pop(name) for name in ("layers", "weights")}
            needs = ["network"]
        write_script(folder, figure.figure_name(), own, script(figure.figure_name()), needs)
    write_script(folder, "network", shared)
    (folder / "live" / "live.css").write_text(STYLE, encoding="utf-8")


def build(static: Path, pages: Path) -> None:
    """Write all that the website needs of the live figures.

    Args:
        static: The folder whose content Sphinx copies into `_static/`.
        pages: The folder for the HTML of the start page's canvas, `draw_digit.html`.
    """
    states = trained()
    classifier = network(states[-1])
    images, digits = load_mnist("test")
    canvas = live.DrawDigit(classifier)
    figures = [
        live.Neuron(),
        live.Softmax(range(10)),
        live.Valley({"": [[0.0, 0.0]]}),
        canvas,
        live.Disturb(images, digits, classifier),
        live.Inside(classifier, images, digits, stages(states)),
    ]
    write(static, figures)
    pages.mkdir(parents=True, exist_ok=True)
    html = canvas._repr_mimebundle_()[0]["text/html"]
    (pages / "draw_digit.html").write_text(html + "\n", encoding="utf-8")
