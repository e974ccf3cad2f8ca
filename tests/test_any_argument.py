"""Anything may be given for any argument: it is taken, or refused in one line that says so."""

import inspect
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from test_plotting import CALLS
from test_training import RELU

from helpers import config, data, drawing, live, plotting, results, training
from helpers.errors import LessonError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((12, 28, 28), dtype=np.float32)
DIGITS = np.arange(12) % 10
LOADER = training.make_dataloader(IMAGES, DIGITS, batch_size=6)
QUIET = {"accelerator": "cpu", "enable_progress_bar": False}


def classifier():
    torch.manual_seed(0)
    return RELU.create(training.Classifier)


def trainer():
    return training.Trainer(**QUIET)


# A fresh one for each call: some are used up, and some could be written to.
ANYTHING = {
    "None": lambda: None,
    "text": lambda: "abc",
    "lines": lambda: "a\nb",
    "no text": lambda: "",
    "bytes": lambda: b"x",
    "negative": lambda: -1,
    "fraction": lambda: 1.5,
    "NaN": lambda: math.nan,
    "infinity": lambda: math.inf,
    "huge": lambda: 10**30,
    "complex": lambda: 1j,
    "empty list": list,
    "uneven lists": lambda: [[1], [2, 3]],
    "dictionary": lambda: {"a": None},
    "object": object,
    "class": lambda: int,
    "function that fails": lambda: lambda *arguments, **options: 1 / 0,
    "function of None": lambda: lambda *arguments, **options: None,
    "generator": lambda: (image for image in IMAGES),
    "images": lambda: IMAGES.copy(),
    "one image": lambda: IMAGES[0],
    "no images": lambda: IMAGES[:0],
    "images of NaN": lambda: IMAGES * np.nan,
    "number in an array": lambda: np.array(3.0),
    "objects": lambda: np.array([None, 1]),
    "ten numbers": lambda: torch.ones(10),
    "tensor without data": lambda: torch.ones(3, device="meta"),
    "sparse": lambda: torch.eye(10).to_sparse(),
    "dataloader": lambda: LOADER,
    "classifier": classifier,
    "layer": lambda: torch.nn.Linear(3, 3),
    "recipe": lambda: RELU,
    "unfinished recipe": lambda: RELU.model,
    "error": lambda: ValueError("a\nb"),
}
SETTINGS = sorted(set(training._SETTINGS) - {"self", "max_epochs", "accelerator", "plugins"})
USES = {
    "load_mnist": (data.load_mnist, ("test",)),
    "mnist_folder": (lambda url, path, source: data.mnist_folder(path, source, url), ("x", 3, "?")),
    "make_dataloader": (training.make_dataloader, (IMAGES, DIGITS, 4, False)),
    "predict": (training.predict, (classifier, LOADER)),
    "save_classifier": (training.save_classifier, (classifier, RELU, "x.pt")),
    "load_classifier": (training.load_classifier, (RELU, "x.pt")),
    "record": (results.record, ("relu", 0.93)),
    "difference": (config.difference, (RELU, RELU.num_classes(5))),
    "create": (RELU.create, (training.Classifier,)),
    "center_and_scale": (drawing.center_and_scale, (IMAGES[0],)),
    "shrink": (drawing.shrink, (IMAGES[0],)),
    "DrawDigit": (live.DrawDigit, (classifier,)),
    "Trainer": (training.Trainer, (1, "cpu")),
    **{
        f"Trainer({name})": (
            lambda value, name=name: training.Trainer(**QUIET | {name: value}),
            [0],
        )
        for name in SETTINGS
    },
    "fit": (lambda *given: trainer().fit(*given), (classifier, LOADER, LOADER)),
    "fit from": (
        lambda path: trainer().fit(classifier(), LOADER, ckpt_path=path),
        ("checkpoints/none.ckpt",),
    ),
    "test": (lambda *given: trainer().test(*given), (classifier, LOADER)),
    "validate": (
        lambda *given: trainer().validate(*given, verbose=False),
        (classifier, LOADER),
    ),
    "trainer.predict": (lambda *given: trainer().predict(*given), (classifier, LOADER)),
    **{name: (getattr(plotting, name), arguments) for name, arguments in CALLS.items()},
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(plotting.page, "display", lambda figure: None)


def said(use, arguments):
    """What a call says in place of a result; "" for a result."""
    arguments = [a() if a is classifier else a for a in arguments]
    try:
        use(*arguments)
    except LessonError as error:
        return str(error)
    except Exception as error:
        return f"raw:\n{type(error).__name__}: {error}"
    finally:
        plt.close("all")
    return ""


def faults(use, calls):
    """The calls that say more than one line, or nothing that a learner can use."""
    found = {name: said(use, arguments) for name, arguments in calls}
    return {name: text for name, text in found.items() if "\n" in text or len(text) > 700}


def spoiled(arguments):
    for place, (name, make) in itertools.product(range(len(arguments)), ANYTHING.items()):
        given = list(arguments)
        given[place] = make()
        yield f"{name}, argument {place}", given
    for one, other in itertools.combinations(range(len(arguments)), 2):
        given = list(arguments)
        given[one], given[other] = given[other], given[one]
        yield f"{one} and {other} swapped", given


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", USES)
def test_anything_is_taken_or_refused_in_one_line(name):
    use, arguments = USES[name]
    assert faults(use, spoiled(arguments)) == {}


@pytest.mark.parametrize("path", ["none.ckpt", "checkpoints/none.ckpt", "~/none.ckpt", "."])
def test_a_checkpoint_that_is_not_there_is_said(path):
    message = said(lambda: trainer().fit(classifier(), LOADER, ckpt_path=path), [])
    assert message == (
        f"There is no checkpoint {path}: give the path of one that a ModelCheckpoint kept."
    )


def test_every_public_function_is_tried():
    tried = {use for use, _ in USES.values()}
    for module in (data, training, results, config, drawing, plotting):
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", "").startswith(module.__name__)
            if name.startswith("_") or not own or not inspect.isfunction(thing):
                continue
            takes = inspect.signature(thing).parameters
            assert not takes or thing in tried or name in USES or name == "evaluating", name


def test_a_raw_error_would_be_noticed():
    assert faults(lambda value: value + 1, spoiled([1]))
    assert faults(lambda value: 1, spoiled([1])) == {}
