"""Recipes compared over seeds: paired, honest about what is missing, and one line for a mistake."""

import inspect
import signal

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD, RMSprop
from torch.utils.data import DataLoader, TensorDataset

from helpers import experiments
from helpers.config import Config
from helpers.errors import LessonError
from helpers.experiments import Comparison, compare
from helpers.training import Classifier, Trainer, make_dataloader, predict


def recipe(*hidden):
    import deeplay as dl

    return (
        Config()
        .model(dl.MultiLayerPerceptron, in_features=784, out_features=10)
        .model.hidden_dims(list(hidden))
        .model.out_activation(nn.Softmax, dim=1)
        .num_classes(10)
        .make_targets_one_hot(True)
        .loss(nn.MSELoss)
        .optimizer(RMSprop, lr=0.001)
    )


SMALL, LARGE = recipe(4), recipe(12, 8)


def dataloader(count=96, batch_size=16, shuffle=True):
    """Images that show their digit as the row that is bright, in noise."""
    random = np.random.default_rng(count)
    digits = random.integers(0, 10, count)
    images = random.random((count, 28, 28), np.float32) / 2
    images[np.arange(count), 2 * digits] = 1
    return make_dataloader(images, digits, batch_size=batch_size, shuffle=shuffle)


@pytest.fixture
def training():
    return dataloader()


@pytest.fixture
def validation():
    return dataloader(60, 20, shuffle=False)


def test_each_recipe_is_trained_with_each_seed(training, validation, capsys):
    comparison = compare({"small": SMALL, "large": LARGE}, training, validation, seeds=2, epochs=3)
    assert comparison.names == ("small", "large")
    assert comparison.seeds == (0, 1)
    assert comparison.accuracies.shape == (2, 2)
    assert comparison.accuracies.dtype == np.float64
    assert len(np.unique(comparison.accuracies)) > 1
    said = capsys.readouterr()
    assert said.out == ""
    for name, config in (("small", SMALL), ("large", LARGE)):
        for seed in (0, 1):
            torch.manual_seed(seed)
            classifier = config.create(Classifier)
            torch.manual_seed(seed)
            Trainer(max_epochs=3, enable_progress_bar=False).fit(classifier, training)
            outputs, digits = predict(classifier, validation)
            by_hand = float((outputs.argmax(dim=1) == digits).double().mean())
            assert comparison.of(name)[seed] == by_hand


def test_all_recipes_see_the_images_in_the_same_order(training, validation, monkeypatch):
    random_state = []
    original = Trainer.fit

    def fit(self, classifier, loader):
        random_state.append(torch.get_rng_state())
        original(self, classifier, loader)

    monkeypatch.setattr(experiments.Trainer, "fit", fit)
    compare({"small": SMALL, "large": LARGE}, training, validation, seeds=2, epochs=2)
    small0, large0, small1, large1 = random_state
    assert torch.equal(small0, large0)
    assert torch.equal(small1, large1)
    assert not torch.equal(small0, small1)


def test_comparing_changes_no_random_number_that_follows(training, validation):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    compare({"small": SMALL}, training, validation, seeds=1)
    assert torch.equal(torch.rand(3), expected)


def test_the_same_again(training, validation):
    one, other = (compare({"small": SMALL}, training, validation, seeds=2) for _ in range(2))
    assert np.array_equal(one.accuracies, other.accuracies)


def test_numpy_numbers_and_numbers_as_names(training, validation):
    rates = (np.float32(0.5), np.int64(1), 2.0)
    recipes = {rate: SMALL.optimizer(SGD, lr=float(rate)) for rate in rates}
    comparison = compare(recipes, training, validation, seeds=np.int64(1), epochs=np.int32(1))
    assert comparison.names == (0.5, 1, 2.0)
    assert "np." not in repr(comparison.names)
    assert comparison.of(1).shape == (1,)


def test_what_a_training_says_is_said_once(training, validation, capsys):
    images, digits = training.dataset.images, training.dataset.digits
    ordinary = DataLoader(TensorDataset(images, digits), batch_size=16, shuffle=True, timeout=0)
    own = SMALL.model.blocks.activation(type("Own", (nn.ReLU,), {}))
    compare({"own": own, "small": SMALL}, ordinary, validation, seeds=3)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert len(lines) == len(set(lines))
    assert all(line.startswith("One step at a time") for line in lines)


def test_a_diverged_training_is_no_result_and_said(training, validation, capsys):
    line = SMALL.model.out_activation(nn.Identity).optimizer(SGD, lr=1e12)
    comparison = compare({"fast": line, "small": SMALL}, training, validation, seeds=2, epochs=3)
    assert np.isnan(comparison.of("fast")).all()
    assert not np.isnan(comparison.of("small")).any()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["fast, seed 0", "fast, seed 1"]
    assert "no result. The loss became" in lines[0]
    assert "fast   no run came to its end" in repr(comparison)


@pytest.mark.parametrize("where", ["training", "between"])
def test_an_interrupt_keeps_what_is_done(where, training, validation, monkeypatch, capsys):
    runs = []
    original = experiments.predict if where == "between" else Trainer.fit

    def interrupted(*arguments, **options):
        runs.append(None)
        if len(runs) == 4:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **options)

    if where == "between":
        monkeypatch.setattr(experiments, "predict", interrupted)
    else:
        monkeypatch.setattr(experiments.Trainer, "fit", interrupted)
    comparison = compare({"small": SMALL, "large": LARGE}, training, validation, seeds=3)
    assert np.isnan(comparison.accuracies).tolist() == [[False, False, True], [False, True, True]]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Interrupted after 3 of 6 runs: those are kept, the others are NaN."
    assert "(of 2 runs)" in repr(comparison)


A = np.array([[0.9, 0.92, 0.94], [0.8, 0.95, np.nan], [np.nan] * 3])
SAMPLE = Comparison(("first", "second one", 3), (0, 1, 2), A)


def test_it_says_means_and_ranges():
    assert repr(SAMPLE).splitlines() == [
        "             mean   lowest to highest of 3 runs",
        "first       92.0%  90.0 to 94.0%",
        "second one  87.5%  80.0 to 95.0%  (of 2 runs)",
        "3           no run came to its end",
    ]


def test_a_paired_difference_says_each_seed_and_the_mean():
    difference = SAMPLE.difference("second one", "first")
    assert difference.shares[:2] == pytest.approx([-0.1, 0.03])
    assert difference.mean == pytest.approx(-0.035)
    assert repr(difference) == (
        "second one minus first: −3.5 percentage points on average; seed by seed −10.0, +3.0, "
        "no result"
    )
    assert np.isnan(SAMPLE.difference("first", 3).mean)
    nothing = Comparison(("a", "b"), (0,), np.array([[0.9], [0.9001]])).difference("a", "b")
    assert repr(nothing).endswith(": 0.0 percentage points on average; seed by seed 0.0")


@pytest.mark.parametrize("name", ["third", 4, None, ["first"]])
def test_an_unknown_name_says_which_there_are(name):
    with pytest.raises(LessonError, match="only 'first', 'second one', 3") as caught:
        SAMPLE.difference("first", name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"recipes": {}}, "recipes must be a dictionary, name to recipe, with at least one"),
        ({"recipes": SMALL}, "recipes must be a dictionary"),
        ({"recipes": [SMALL]}, "recipes must be a dictionary"),
        ({"recipes": {"small": "x"}}, "recipes['small'] must be a recipe, Config().…, got a str"),
        ({"recipes": {None: SMALL}}, "a name must be text or a number, got None"),
        ({"recipes": {True: SMALL}}, "a name must be text or a number, got True"),
        ({"recipes": {"a": SMALL.num_clases(3)}}, "has nothing called 'num_clases'"),
        ({"recipes": {"a": SMALL.model}}, "Unfinished recipe"),
        ({"train_dataloader": [1]}, "train_dataloader must be a dataloader, got a list"),
        ({"validation_dataloader": None}, "validation_dataloader must be a dataloader, got None"),
        ({"seeds": 0}, "seeds must be a whole number, 1 or more, got 0"),
        ({"seeds": [1, 2]}, "seeds must be a whole number, 1 or more, got a list"),
        ({"epochs": 1.5}, "epochs must be a whole number, 1 or more, got 1.5"),
        ({"accelerator": "toaster"}, "The trainer cannot be made"),
    ],
)
def test_a_wrong_argument_is_one_line_before_anything_is_trained(
    change, says, training, validation, monkeypatch
):
    monkeypatch.setattr(experiments, "_accuracy", lambda *_: pytest.fail("trained"))
    right = {
        "recipes": {"small": SMALL},
        "train_dataloader": training,
        "validation_dataloader": validation,
    }
    with pytest.raises(LessonError) as caught:
        compare(**right | change)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wanted", [{}, {"accelerator": "cpu"}], ids=str)
def test_it_computes_on_what_is_asked_for(wanted, training, validation, monkeypatch):
    asked = []

    class Spied(experiments.Trainer):
        def __init__(self, *args, **settings):
            asked.append(settings["accelerator"])
            super().__init__(*args, **settings)

    monkeypatch.setattr(experiments, "Trainer", Spied)
    compare({"small": SMALL}, training, validation, seeds=2, **wanted)
    assert asked == 2 * [wanted.get("accelerator", "auto")]


def test_the_defaults_are_three_seeds_and_one_epoch():
    parameters = inspect.signature(compare).parameters
    assert parameters["seeds"].default == 3
    assert parameters["epochs"].default == 1
