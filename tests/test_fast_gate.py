"""Many steps are made at once only where that is certain to be the same as one at a time.

Each condition of the gate is tried against plain deeplay, trained on the same images in the same
order: the same weights, the same number of calls, and one line that says why.

The names that training enters inside torch, Lightning and deeplay are listed at the end, and each
is tried, so that a version without it is noticed by its name.
"""

import ast
import contextlib
import csv
import functools
import inspect
import math
import operator
import re
import sys
import warnings
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import deeplay as dl
import deeplay.blocks.base
import numpy as np
import pytest
import torch
from lightning import Callback
from lightning.pytorch.callbacks import (
    EarlyStopping,
    GradientAccumulationScheduler,
    LambdaCallback,
    ModelCheckpoint,
    ModelSummary,
    Timer,
)
from lightning.pytorch.loggers import CSVLogger, Logger
from lightning.pytorch.profilers import SimpleProfiler
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import StepLR
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.overrides import TorchFunctionMode
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

import helpers
from helpers.config import Config
from helpers.errors import LessonError
from helpers.fast_gate import (
    PLAIN_TRAINER,
    AutogradSteps,
    OrdinaryWay,
    _check_settings_of_optimizer,
)
from helpers.fast_steps import DirectSteps
from helpers.training import Classifier, Trainer, make_dataloader

HELPERS = Path(helpers.__file__).parent
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((44, 28, 28), dtype=np.float32)
DIGITS = RANDOM.integers(0, 10, 44)
DIGITS[-1] = 9
PAIRS = list(zip(IMAGES, DIGITS, strict=True))
SIZE, STEPS = 8, 6  # of a batch, in an epoch: the last batch holds 4

RECIPE = (
    Config()
    .model(dl.MultiLayerPerceptron)
    .model.in_features(28 * 28)
    .model.hidden_dims([6])
    .model.out_features(10)
    .model.out_activation(nn.Softmax, dim=1)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(nn.MSELoss)
    .optimizer(SGD, lr=0.1)
)
CROSS_ENTROPY = (
    RECIPE.make_targets_one_hot(False).loss(nn.CrossEntropyLoss).model.out_activation(nn.Identity)
)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def create(cls, model=None, recipe=RECIPE, **parts):
    """A classifier of the recipe; `model` makes a network of another kind for it."""
    torch.manual_seed(0)
    if model is None and not parts:
        return recipe.create(cls)
    parts = {
        "loss": nn.MSELoss(),
        "optimizer": dl.SGD(lr=0.1),
        "make_targets_one_hot": True,
    } | parts
    network = model() if model else recipe.create(cls).model
    return cls(model=network, num_classes=10, **parts).build()


def weights(classifier):
    return torch.cat([p.detach().flatten() for p in classifier.parameters()])


def train(trainer_class, classifier, loader, **settings):
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    settings = {"max_epochs": 2, "accelerator": "cpu"} | quiet | settings
    if settings.get("callbacks") and isinstance(settings["callbacks"][0], ModelCheckpoint):
        settings["enable_checkpointing"] = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = trainer_class(**settings)
        torch.manual_seed(1)
        trainer.fit(classifier, loader())
    return trainer


def shuffled_pairs():
    return DataLoader(PAIRS, batch_size=SIZE, shuffle=True)


# --- what is not on the list: each a name, the reason, and how to make it -------------------------
#
# A condition is a function of a list, in which it notes each call, that returns what differs from
# the plain training: "classifier" (makes one, given the class), "loader", "settings" (of the
# trainer), and "around", a context.


def overriding(name, change=lambda value: value):
    """A classifier of a subclass that overrides a method, and notes when it is called."""

    def condition(calls):
        def make(cls):
            def method(self, *arguments, **options):
                calls.append(name)
                return change(getattr(super(own, self), name)(*arguments, **options))

            own = type("Own", (cls,), {name: method})
            return create(own)

        return {"classifier": make}

    return condition


def with_classifier(spoil):
    """A classifier that was changed after it was made."""

    def condition(calls):
        def make(cls):
            classifier = create(cls)
            spoil(classifier, calls)
            return classifier

        return {"classifier": make}

    return condition


def set_on(find, name):
    """A function of an object that was set on it, in place of its method."""

    def spoil(classifier, calls):
        thing = find(classifier)
        method = getattr(thing, name)

        def noting(*arguments, **options):
            calls.append(name)
            return method(*arguments, **options)

        object.__setattr__(thing, name, noting)

    return with_classifier(spoil)


def hooked(find, register):
    def spoil(classifier, calls):
        getattr(find(classifier), register)(lambda *arguments: calls.append(register))

    return with_classifier(spoil)


def network(module):
    return lambda calls: {"classifier": lambda cls: create(cls, module)}


def settings(**settings):
    return lambda calls: {"settings": settings}


def loader(make):
    return lambda calls: {"loader": make}


def parts(**parts):
    return lambda calls: {
        "classifier": lambda cls: create(cls, **{name: make() for name, make in parts.items()})
    }


@contextlib.contextmanager
def patched(cls, name, calls):
    """A method of a whole class, replaced."""
    method = getattr(cls, name)

    @functools.wraps(method)
    def noting(*arguments, **options):
        calls.append(name)
        return method(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, name, noting)
        yield


@contextlib.contextmanager
def global_hook(register, calls):
    def note(thing, *arguments):
        # deeplay calls its metrics at each step, which the helpers do not.
        if isinstance(thing, nn.Linear | torch.optim.Optimizer):
            calls.append("global hook")

    handle = register(note)
    try:
        yield
    finally:
        handle.remove()


class Watching(TorchFunctionMode):
    """Sees each operation, as some of torch's own debugging tools do."""

    def __init__(self, calls):
        super().__init__()
        self.calls = calls

    def __torch_function__(self, function, types, arguments=(), options=None):
        if function is F.linear:
            self.calls.append("linear")
        return function(*arguments, **(options or {}))


def compiled(find):
    """A part of the classifier, compiled by a compiler that notes what it is given."""

    def spoil(classifier, calls):
        def compiler(graph, inputs):
            def noting(*arguments):
                calls.append("compiled")
                return graph.forward(*arguments)

            return noting

        find(classifier).compile(backend=compiler)

    return with_classifier(spoil)


class Standardising(nn.Module):
    """Writes into its input, as no layer should."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, x):
        x -= 0.1307
        x /= 0.3081
        return self.layer(x.flatten(1)).softmax(dim=1)


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last, self.scale = nn.Linear(784, 6), nn.Linear(6, 10), nn.Linear(1, 1)

    def forward(self, x):
        x = F.relu(self.first(x.flatten(1)), inplace=True)
        x = x * self.scale.weight
        return self.last(x).softmax(dim=1)


class Varying(nn.Module):
    """Computes something else at each call."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(784, 10), 0

    def forward(self, x):
        self.calls += 1
        return (self.layer(x.flatten(1)) * (1 + self.calls % 2)).softmax(dim=1)


class OwnLinear(nn.Linear):
    def forward(self, x):
        return super().forward(1 - x)


class OwnSequence(nn.Sequential):
    pass


def sequence(*layers):
    return lambda: nn.Sequential(nn.Flatten(), *(make() for make in layers), nn.Softmax(dim=1))


class OwnParameter(nn.Parameter):
    pass


def with_a_parameter_of_its_own(classifier, calls):
    layer = first(classifier)
    layer.weight = OwnParameter(layer.weight.detach())


class OwnLoss(nn.MSELoss):
    def forward(self, outputs, targets):
        return 2 * super().forward(outputs, targets)


class OwnSGD(SGD):
    def step(self, closure=None):
        result = super().step(closure)
        for group in self.param_groups:
            group["lr"] *= 0.5
        return result


def hooked_when_made(calls):
    class OwnWrapper(dl.SGD):
        def create(self):
            made = super().create()
            if isinstance(made, SGD):
                made.register_step_post_hook(lambda *_: calls.append("step"))
            return made

    return {"classifier": lambda cls: create(cls, optimizer=OwnWrapper(lr=0.1))}


class OwnLoader(DataLoader):
    pass


class OwnSampler(Sampler):
    def __iter__(self):
        return iter(range(43, -1, -1))

    def __len__(self):
        return 44


class OwnDataset(Dataset):
    def __len__(self):
        return len(PAIRS)

    def __getitem__(self, index):
        return PAIRS[index]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(PAIRS)


class OwnLogger(Logger):
    name, version = "own", 0

    def __init__(self, calls):
        super().__init__()
        self.calls = calls

    def log_metrics(self, metrics, step=None):
        pass

    def log_hyperparams(self, *arguments):
        pass


class CountsSteps(Callback):
    def __init__(self, calls):
        self.calls = calls

    def on_train_batch_end(self, *arguments):
        self.calls.append("step")


class OwnCheckpoint(ModelCheckpoint):
    pass


def halve_the_rate(calls):
    def halve(trainer, *arguments):
        calls.append("rate")
        for group in trainer.optimizers[0].param_groups:
            group["lr"] *= 0.5

    return {"settings": {"callbacks": [LambdaCallback(on_train_batch_end=halve)]}}


def early_stopping_with_a_hook(calls):
    callback = stopping_early()
    callback.on_train_batch_end = lambda *arguments: calls.append("step")
    return {"settings": {"callbacks": [callback]}}


def patched_callback(callback, name):
    return lambda calls: {
        "settings": {"callbacks": [callback()]},
        "around": patched(type(callback()), name, calls),
    }


def stopping_early():
    return EarlyStopping("train_loss", patience=9, strict=False, check_finite=False)


def accuracy_of(classifier):
    [metric] = classifier.train_metrics.values()
    return metric


def with_buffer(classifier, calls):
    classifier.model.register_buffer("seen", torch.zeros(1))


def first(classifier):
    return classifier.model.blocks[0].layer


def two_groups(cls):
    network = create(cls).model
    groups = [
        {"params": block.parameters(), "lr": 0.1 + n} for n, block in enumerate(network.blocks)
    ]
    return create(cls, lambda: network, optimizer=SGD(groups))


def some_parameters(cls):
    network = create(cls).model
    return create(cls, lambda: network, optimizer=SGD(network.blocks[0].parameters(), lr=0.1))


def with_optimizer(prepare):
    """A classifier with an optimizer of torch's own, to which something was done before."""

    def condition(calls):
        def make(cls):
            network = create(cls).model
            optimizer = SGD(network.parameters(), lr=0.1)
            prepare(optimizer, calls)
            return create(cls, lambda: network, optimizer=optimizer)

        return {"classifier": make}

    return condition


def with_noted(name):
    def prepare(optimizer, calls):
        method = getattr(optimizer, name)

        def noting(*arguments, **options):
            calls.append(name)
            return method(*arguments, **options)

        setattr(optimizer, name, noting)

    return prepare


def frozen(cls):
    classifier = create(cls)
    first(classifier).weight.requires_grad_(False)
    return classifier


def by_columns(cls):
    classifier = create(cls)
    weight = first(classifier).weight
    weight.data = weight.data.t().contiguous().t()
    return classifier


def without_shape(pairs):
    images, digits = zip(*pairs, strict=True)
    return torch.from_numpy(np.stack(images)), torch.tensor(digits)


OVERRIDDEN = (
    "forward",
    "__call__",
    "training_step",
    "train_preprocess",
    "compute_loss",
    "metrics_preprocess",
    "backward",
    "configure_optimizers",
    "configure_gradient_clipping",
    "optimizer_step",
    "optimizer_zero_grad",
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_before_batch_transfer",
    "on_after_batch_transfer",
    "transfer_batch_to_device",
)
NOT_KNOWN = {
    **{name: (f"this classifier overrides `{name}`", overriding(name)) for name in OVERRIDDEN},
    "forward of 1 - x": (
        "this classifier overrides `forward`",
        lambda calls: {
            "classifier": lambda cls: create(
                type("Own", (cls,), {"forward": lambda self, x: self.model(1 - x)})
            )
        },
    ),
    "forward, set": ("this classifier overrides `forward`", set_on(lambda c: c, "forward")),
    "compute_loss, set": (
        "classifier overrides `compute_loss`",
        set_on(lambda c: c, "compute_loss"),
    ),
    "batch end, set": (
        "classifier overrides `on_train_batch_end`",
        set_on(lambda c: c, "on_train_batch_end"),
    ),
    "forward of the network, set": (
        "a MultiLayerPerceptron of the network overrides `forward`",
        set_on(lambda c: c.model, "forward"),
    ),
    "forward of a layer, set": (
        "a Linear of the network overrides `forward`",
        set_on(first, "forward"),
    ),
    "forward of the loss, set": ("the loss overrides", set_on(lambda c: c.loss, "forward")),
    "forward of all layers": (
        "a Linear of the network overrides `forward`",
        lambda calls: {"around": patched(nn.Linear, "forward", calls)},
    ),
    "forward of the class": (
        "this classifier overrides `forward`",
        lambda calls: {"around": patched(dl.Classifier, "forward", calls)},
    ),
    "step of the optimizer's class": (
        "the optimizer SGD is not a known one",
        lambda calls: {"around": patched(SGD, "step", calls)},
    ),
    **{
        f"{register} of {where}": (f"a hook is set on a {kind}", hooked(find, register))
        for where, kind, find in (
            ("a layer", "Linear", first),
            ("the network", "MultiLayerPerceptron", lambda c: c.model),
            ("the loss", "MSELoss", lambda c: c.loss),
            ("the classifier", "(Own)?Classifier", lambda c: c),
        )
        for register in ("register_forward_hook", "register_forward_pre_hook")
    },
    "backward hook": (
        "a hook is set on a Linear",
        hooked(lambda c: c.model.blocks[1].layer, "register_full_backward_hook"),
    ),
    "backward pre-hook": (
        "a hook is set on a Linear",
        hooked(lambda c: c.model.blocks[1].layer, "register_full_backward_pre_hook"),
    ),
    "parameter hook": (
        "a hook is set on a parameter of a Linear",
        hooked(lambda c: first(c).weight, "register_hook"),
    ),
    "gradient hook": (
        "a hook is set on a parameter of a Linear",
        hooked(lambda c: first(c).bias, "register_post_accumulate_grad_hook"),
    ),
    "own parameter": (
        "a parameter is a OwnParameter",
        with_classifier(with_a_parameter_of_its_own),
    ),
    "hook on all modules": (
        "a hook on all modules is set",
        lambda calls: {
            "around": global_hook(nn.modules.module.register_module_forward_hook, calls)
        },
    ),
    "pre-hook on all modules": (
        "a hook on all modules is set",
        lambda calls: {
            "around": global_hook(nn.modules.module.register_module_forward_pre_hook, calls)
        },
    ),
    "backward hook on all modules": (
        "a hook on all modules is set",
        lambda calls: {
            "around": global_hook(nn.modules.module.register_module_full_backward_hook, calls)
        },
    ),
    "hook on all optimizers": (
        "a hook is set on the optimizer",
        lambda calls: {"around": global_hook(register_optimizer_step_post_hook, calls)},
    ),
    "pre-hook on all optimizers": (
        "a hook is set on the optimizer",
        lambda calls: {"around": global_hook(register_optimizer_step_pre_hook, calls)},
    ),
    "hook on the optimizer": (
        "a hook is set on the optimizer",
        with_optimizer(lambda o, calls: o.register_step_post_hook(lambda *_: calls.append("step"))),
    ),
    "pre-hook on the optimizer": (
        "a hook is set on the optimizer",
        with_optimizer(lambda o, calls: o.register_step_pre_hook(lambda *_: calls.append("step"))),
    ),
    "learning-rate schedule": (
        "a learning-rate schedule counts the optimizer's steps",
        with_optimizer(lambda o, calls: StepLR(o, 1)),
    ),
    "step set on the optimizer": (
        "a learning-rate schedule counts the optimizer's steps",
        with_optimizer(with_noted("step")),
    ),
    "zero_grad set on the optimizer": (
        "the optimizer overrides `zero_grad`",
        with_optimizer(with_noted("zero_grad")),
    ),
    "zero_grad of the optimizer's class": (
        "the optimizer SGD is not a known one",
        lambda calls: {"around": patched(SGD, "zero_grad", calls)},
    ),
    "own wrapper of the optimizer": ("the optimizer OwnWrapper is not a known", hooked_when_made),
    "loss, compiled": ("a MSELoss is compiled", compiled(lambda c: c.loss)),
    "layer, compiled": ("a Linear is compiled", compiled(first)),
    "mode of torch": (
        "a mode of torch looks at each operation",
        lambda calls: {"around": Watching(calls)},
    ),
    "update of a metric, set": (
        "the metric overrides `update`",
        set_on(accuracy_of, "update"),
    ),
    "update of the metric's class": (
        "the metric overrides `update`",
        lambda calls: {"around": patched(MulticlassAccuracy, "update", calls)},
    ),
    "batch end of a callback's class": (
        "a callback EarlyStopping overrides `on_train_batch_end`",
        patched_callback(stopping_early, "on_train_batch_end"),
    ),
    "step hook of a callback's class": (
        "a callback ModelSummary overrides `on_before_optimizer_step`",
        patched_callback(lambda: ModelSummary(max_depth=0), "on_before_optimizer_step"),
    ),
    "network that standardises": ("holds a Standardising", network(Standardising)),
    "network in place": ("holds a InPlace", network(InPlace)),
    "network that varies": ("holds a Varying", network(Varying)),
    "own layer": ("holds a OwnLinear", network(sequence(lambda: OwnLinear(784, 10)))),
    "dropout": (
        "holds a Dropout",
        network(sequence(lambda: nn.Dropout(0.5), lambda: nn.Linear(784, 10))),
    ),
    "batch norm": (
        "holds a BatchNorm1d",
        network(sequence(lambda: nn.Linear(784, 10), lambda: nn.BatchNorm1d(10))),
    ),
    "random slopes": (
        "holds a RReLU",
        network(sequence(lambda: nn.Linear(784, 10), nn.RReLU)),
    ),
    "own container": (
        "holds a OwnSequence",
        network(
            lambda: type("OwnSequence", (nn.Sequential,), {})(
                *sequence(lambda: nn.Linear(784, 10))()
            )
        ),
    ),
    "shortcut": (
        "the network has a shortcut",
        network(
            lambda: nn.Sequential(
                nn.Flatten(), dl.LinearBlock(784, 10).activated(nn.ReLU).shortcut().build()
            )
        ),
    ),
    "buffer": ("a state of its own", with_classifier(with_buffer)),
    "own loss": ("not a known mean", parts(loss=OwnLoss)),
    "sum of losses": ("not a known mean", parts(loss=lambda: nn.MSELoss(reduction="sum"))),
    "function of a loss": ("not a known mean", parts(loss=lambda: F.mse_loss)),
    "own optimizer": (
        "the optimizer OwnSGD is not a known one",
        parts(optimizer=lambda: dl.Optimizer(OwnSGD, lr=0.1)),
    ),
    "Adagrad": (
        "the optimizer Adagrad is not a known one",
        parts(optimizer=lambda: dl.Optimizer(torch.optim.Adagrad, lr=0.1)),
    ),
    "own metric": (
        "the metric OneMean is not a known one",
        parts(train_metrics=lambda: [OneMean()]),
    ),
    "callback": (
        "the callback CountsSteps may look at each step",
        lambda calls: {"settings": {"callbacks": [CountsSteps(calls)]}},
    ),
    "callback that changes the rate": ("LambdaCallback may look at each step", halve_the_rate),
    "callback with a hook": (
        "a callback EarlyStopping overrides `on_train_batch_end`",
        early_stopping_with_a_hook,
    ),
    "accumulation by schedule": (
        "GradientAccumulationScheduler may look",
        lambda calls: {"settings": {"callbacks": [GradientAccumulationScheduler({0: 4})]}},
    ),
    "timer": (
        "Timer may look",
        lambda calls: {"settings": {"callbacks": [Timer(duration="00:01:00:00")]}},
    ),
    "deeplay's history": (
        "LogHistory may look",
        lambda calls: {"settings": {"callbacks": [dl.callbacks.LogHistory()]}},
    ),
    "own checkpoint": (
        "OwnCheckpoint may look",
        lambda calls: {
            "settings": {"callbacks": [OwnCheckpoint("own")], "enable_checkpointing": True}
        },
    ),
    "checkpoint by steps": (
        "ModelCheckpoint counts steps",
        lambda calls: {"settings": {"callbacks": [ModelCheckpoint("a", every_n_train_steps=4)]}},
    ),
    "own logger": (
        "the logger OwnLogger is not a known one",
        lambda calls: {"settings": {"logger": OwnLogger(calls)}},
    ),
    "profiler": ("a profiler looks at each step", settings(profiler=SimpleProfiler(filename="p"))),
    "accumulation": ("accumulate_grad_batches=4", settings(accumulate_grad_batches=4)),
    "clipping": ("gradient_clip_val=0.01", settings(gradient_clip_val=0.01)),
    "clipping by value": (
        "gradient_clip_val=0.01",
        settings(gradient_clip_val=0.01, gradient_clip_algorithm="value"),
    ),
    "max_steps": ("max_steps=4", settings(max_steps=4)),
    "min_steps": ("min_steps=4", settings(min_steps=4)),
    "half the batches": ("limit_train_batches=0.5", settings(limit_train_batches=0.5)),
    "one batch": ("limit_train_batches=1", settings(limit_train_batches=1)),
    "overfit": ("limit_train_batches=2", settings(overfit_batches=2)),
    "overfit, all batches": ("overfit_batches=1.0", settings(overfit_batches=1.0)),
    "val_check_interval": ("val_check_interval=0.5", settings(val_check_interval=0.5)),
    "val_check_interval, one": ("val_check_interval=1", settings(val_check_interval=1)),
    "fast_dev_run": ("max_steps=1", settings(fast_dev_run=True)),
    "anomaly": ("detect_anomaly=True", settings(detect_anomaly=True)),
    "precision": ("precision='bf16-true'", settings(precision="bf16-true")),
    "mixed precision": ("precision='bf16-mixed'", settings(precision="bf16-mixed")),
    "max_time": ("Timer may look", settings(max_time="00:01:00:00")),
    "reload": (
        "reload_dataloaders_every_n_epochs=1",
        settings(reload_dataloaders_every_n_epochs=1),
    ),
    "plugin": ("the trainer has a setting `plugins`", settings(plugins=[])),
    "own dataloader": (
        "the dataloader is a OwnLoader",
        loader(lambda: OwnLoader(PAIRS, batch_size=SIZE, shuffle=True)),
    ),
    "own sampler": (
        "a sampler that is not a known one",
        loader(lambda: DataLoader(PAIRS, batch_size=SIZE, sampler=OwnSampler())),
    ),
    "own collate": (
        "a collate_fn of its own",
        loader(lambda: DataLoader(PAIRS, batch_size=SIZE, collate_fn=without_shape)),
    ),
    "own dataset": (
        "the dataloader's dataset is a OwnDataset",
        loader(lambda: DataLoader(OwnDataset(), batch_size=SIZE, shuffle=True)),
    ),
    "stream": ("a sampler that is not", loader(lambda: DataLoader(Stream(), batch_size=SIZE))),
    "workers": (
        "workers or pinned memory",
        loader(lambda: DataLoader(PAIRS, batch_size=SIZE, num_workers=1)),
    ),
    "pinned memory": (
        "workers or pinned memory",
        loader(lambda: DataLoader(PAIRS, batch_size=SIZE, pin_memory=True)),
    ),
}


class OneMean(MeanMetric):
    """The mean over batches, which is another one over groups of batches."""

    def update(self, outputs, digits):
        super().update(outputs.max())


@pytest.mark.parametrize(("reason", "condition"), NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_steps_aside_and_trains_as_plain_deeplay(reason, condition, capsys):
    trained, counts = [], []
    for cls, trainer_class in ((dl.Classifier, dl.Trainer), (Classifier, Trainer)):
        calls = []
        made = condition(calls)
        with made.get("around", contextlib.nullcontext()):
            classifier = made.get("classifier", create)(cls)
            trainer = train(
                trainer_class,
                classifier,
                made.get("loader", shuffled_pairs),
                **made.get("settings", {}),
            )
        trained.append(weights(classifier))
        counts.append((trainer.global_step, len(calls)))
    assert trainer._batch_size is None
    [said] = [line for line in capsys.readouterr().out.splitlines() if "because" in line]
    assert re.search(reason, said), said
    assert torch.equal(*trained)
    assert counts[0] == counts[1]


# --- what is on the list --------------------------------------------------------------------------


def tensors():
    return TensorDataset(torch.from_numpy(IMAGES), torch.from_numpy(DIGITS))


def own_dataset():
    return make_dataloader(IMAGES, DIGITS).dataset


LOADERS = {
    "list": lambda: DataLoader(PAIRS, batch_size=SIZE, shuffle=True),
    "dl.DataLoader": lambda: dl.DataLoader(PAIRS, shuffle=True),
    "Python's numbers": lambda: DataLoader([(i, int(d)) for i, d in PAIRS], SIZE, shuffle=True),
    "tuple": lambda: DataLoader(tuple(PAIRS), SIZE, shuffle=True),
    "lists": lambda: DataLoader([[i, d] for i, d in PAIRS], SIZE, shuffle=True),
    "list of tensors": lambda: DataLoader(list(tensors()), batch_size=SIZE, shuffle=True),
    "TensorDataset": lambda: DataLoader(tensors(), batch_size=SIZE, shuffle=True),
    "subset": lambda: DataLoader(Subset(tensors(), range(30)), batch_size=SIZE, shuffle=True),
    "subset of a subset": lambda: DataLoader(Subset(Subset(PAIRS, range(40)), range(5, 33)), SIZE),
    "in order": lambda: DataLoader(PAIRS, batch_size=SIZE),
    "drop_last": lambda: DataLoader(PAIRS, batch_size=SIZE, shuffle=True, drop_last=True),
    "one batch": lambda: DataLoader(PAIRS, batch_size=100, shuffle=True),
    "generator": lambda: DataLoader(
        PAIRS, batch_size=SIZE, shuffle=True, generator=torch.Generator().manual_seed(3)
    ),
    "some": lambda: DataLoader(PAIRS, batch_size=SIZE, sampler=SubsetRandomSampler(range(9, 40))),
    "weighted": lambda: DataLoader(
        PAIRS, batch_size=SIZE, sampler=WeightedRandomSampler(DIGITS + 1.0, 30)
    ),
    "with replacement": lambda: DataLoader(
        tensors(), batch_size=SIZE, sampler=RandomSampler(PAIRS, replacement=True, num_samples=50)
    ),
    "make_dataloader": lambda: make_dataloader(IMAGES, DIGITS, batch_size=SIZE, shuffle=True),
    "make_dataloader of pairs": lambda: make_dataloader(PAIRS, batch_size=SIZE, shuffle=True),
    "its dataset": lambda: DataLoader(own_dataset(), batch_size=SIZE, shuffle=True),
    "its dataset, in order": lambda: DataLoader(own_dataset(), batch_size=SIZE, drop_last=True),
    "a part of its dataset": lambda: DataLoader(Subset(own_dataset(), range(3, 40)), SIZE),
    "its dataset, split": lambda: DataLoader(
        random_split(own_dataset(), [30, 14], torch.Generator().manual_seed(2))[0],
        batch_size=SIZE,
        shuffle=True,
    ),
}
LAYERS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "ReLU in place": lambda: nn.ReLU(inplace=True),
    "LeakyReLU": nn.LeakyReLU,
    "ELU": nn.ELU,
    "SELU": nn.SELU,
    "SiLU": nn.SiLU,
    "GELU": nn.GELU,
    "Softplus": nn.Softplus,
    "LayerNorm": lambda: nn.LayerNorm(6),
    "ELU in place": lambda: nn.ELU(inplace=True),
}
NETWORKS = {
    **{
        name: sequence(lambda: nn.Linear(784, 6), layer, lambda: nn.Linear(6, 10))
        for name, layer in LAYERS.items()
    },
    "no hidden layer": lambda: dl.MultiLayerPerceptron(784, [], 10, nn.Sigmoid).build(),
    "four hidden layers": lambda: dl.MultiLayerPerceptron(784, [6, 5, 4, 3], 10, nn.Tanh).build(),
    "nested": lambda: nn.Sequential(
        nn.Flatten(), nn.Sequential(nn.Linear(784, 6), nn.ReLU()), nn.Linear(6, 10, bias=False)
    ),
    "deeplay's sequence": lambda: dl.Sequential(
        dl.Layer(nn.Flatten), dl.Layer(nn.Linear, 784, 10)
    ).build(),
    "activation first": lambda: nn.Sequential(nn.Flatten(), nn.Sigmoid(), nn.Linear(784, 10)),
    "shared layer": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 6), *[shared := nn.Linear(6, 6), shared], nn.Linear(6, 10)
    ),
    "not flattened first": lambda: nn.Sequential(nn.Linear(28, 1), nn.Flatten(), nn.Linear(28, 10)),
}
LOSSES = {
    "MSE": (RECIPE, nn.MSELoss),
    "L1": (RECIPE, nn.L1Loss),
    "SmoothL1": (RECIPE, nn.SmoothL1Loss),
    "Huber": (RECIPE, nn.HuberLoss),
    "BCE": (RECIPE, nn.BCELoss),
    "BCEWithLogits": (RECIPE, nn.BCEWithLogitsLoss),
    "cross-entropy": (CROSS_ENTROPY, nn.CrossEntropyLoss),
    "cross-entropy, one-hot": (RECIPE, nn.CrossEntropyLoss),
    "NLL": (CROSS_ENTROPY.model.out_activation(nn.LogSoftmax, dim=1), nn.NLLLoss),
}
OPTIMIZERS = {
    "SGD": (SGD, {"lr": 0.1}),
    "momentum": (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "RMSprop": (RMSprop, {"lr": 0.001, "centered": True}),
    "Adam": (Adam, {"lr": 0.01, "amsgrad": True}),
    "AdamW": (AdamW, {"lr": 0.01}),
    "foreach": (SGD, {"lr": 0.1, "foreach": True}),
    "fused": (Adam, {"lr": 0.01, "fused": True}),
    "a tensor": (SGD, {"lr": torch.tensor(0.1)}),
}
KNOWN = {
    **{f"loader: {name}": {"loader": make} for name, make in LOADERS.items()},
    **{
        f"network: {name}": {"classifier": lambda cls, make=make: create(cls, make)}
        for name, make in NETWORKS.items()
    },
    **{
        f"loss: {name}": {
            "classifier": lambda cls, recipe=recipe, loss=loss: create(
                cls, recipe=recipe.loss(loss)
            )
        }
        for name, (recipe, loss) in LOSSES.items()
    },
    **{
        f"optimizer: {name}": {
            "classifier": lambda cls, optimizer=optimizer, how=how: create(
                cls, recipe=RECIPE.optimizer(optimizer, **how)
            )
        }
        for name, (optimizer, how) in OPTIMIZERS.items()
    },
    "loss: weighted cross-entropy": {
        "classifier": lambda cls: create(
            cls,
            recipe=CROSS_ENTROPY.loss(nn.CrossEntropyLoss, weight=torch.arange(1.0, 11)),
        )
    },
    **{
        f"loss: {name}": {
            "classifier": lambda cls, recipe=recipe, loss=loss, how=how: create(
                cls, recipe=recipe.loss(loss, **how)
            )
        }
        for name, recipe, loss, how in (
            ("SmoothL1, beta", RECIPE, nn.SmoothL1Loss, {"beta": 0.5}),
            ("smoothed labels", CROSS_ENTROPY, nn.CrossEntropyLoss, {"label_smoothing": 0.1}),
            ("an ignored digit", CROSS_ENTROPY, nn.CrossEntropyLoss, {"ignore_index": 3}),
        )
    },
    "optimizer: groups": {"classifier": two_groups},
    "optimizer: some parameters": {"classifier": some_parameters},
    "frozen layer": {"classifier": frozen},
    "parameter of another layout": {"classifier": by_columns},
    "autocast": {"around": lambda: torch.autocast("cpu")},
    "subclass that adds": {
        "classifier": lambda cls: create(type("Adds", (cls,), {"extra": lambda self: 3}))
    },
    "early stopping": {
        "callbacks": lambda: [EarlyStopping("train_loss", strict=False, patience=9)],
    },
    "model summary": {"callbacks": lambda: [ModelSummary()]},
    "clipping of nothing": {"settings": {"gradient_clip_val": 0}},
    "settings as they are anyway": {
        "settings": {
            "precision": "32-true",
            "accumulate_grad_batches": 1,
            "gradient_clip_algorithm": None,
            "max_steps": -1,
            "min_steps": None,
            "limit_train_batches": 1.0,
            "overfit_batches": 0.0,
            "val_check_interval": 1.0,
            "fast_dev_run": False,
            "barebones": False,
            "reload_dataloaders_every_n_epochs": 0,
            "detect_anomaly": False,
        }
    },
}


@pytest.fixture(scope="module")
def something_compiled():
    torch.compile(nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()), backend="eager")(torch.ones(1, 2))


@pytest.mark.usefixtures("something_compiled")
@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh, nn.ReLU])
def test_what_torch_exchanges_to_compile_something_else_changes_nothing(activation, capsys):
    network = sequence(lambda: nn.Linear(784, 6), activation, lambda: nn.Linear(6, 10))
    trainer = train(Trainer, create(Classifier, network), shuffled_pairs)
    assert trainer._batch_size == SIZE, capsys.readouterr().out


# What of it is made through autograd, and why. No line says so of the rest.
THROUGH_AUTOGRAD = {
    "network: SELU": r"nn\.SELU is not among the layers",
    "network: SiLU": r"nn\.SiLU is not among the layers",
    "network: LayerNorm": r"nn\.LayerNorm is not among the layers",
    "network: ELU in place": r"nn\.ELU works in place",
    "network: activation first": r"the first layer that computes is not nn\.Linear",
    "network: shared layer": "layers share a parameter",
    "network: not flattened first": r"does not begin with nn\.Flatten",
    "loss: Huber": r"nn\.HuberLoss is not among the losses",
    "loss: BCEWithLogits": r"nn\.BCEWithLogitsLoss is not among the losses",
    "loss: NLL": "is not among the l",
    "loss: SmoothL1, beta": r"nn\.SmoothL1Loss\(beta=0\.5\)",
    "loss: smoothed labels": r"nn\.CrossEntropyLoss\(label_smoothing=0\.1\)",
    "loss: an ignored digit": r"nn\.CrossEntropyLoss\(ignore_index=3\)",
    "loss: weighted cross-entropy": r"nn\.CrossEntropyLoss\(weight=a tensor\)",
    "optimizer: foreach": r"SGD\(foreach=True\) is not among the optimizers",
    "optimizer: fused": r"Adam\(fused=True\) is not among the optimizers",
    "optimizer: a tensor": r"SGD\(lr=a tensor\) is not among the optimizers",
    "optimizer: groups": "SGD has several groups of parameters",
    "optimizer: some parameters": "SGD does not hold exactly the network's parameters",
    "frozen layer": "a parameter is frozen",
    "parameter of another layout": "a parameter is not an ordinary float32 tensor",
    "autocast": r"torch\.autocast is on",
}


@pytest.mark.parametrize("name", KNOWN)
def test_many_steps_at_once_end_in_the_weights_of_plain_deeplay(name, capsys):
    made = KNOWN[name]
    trained, steps = [], []
    for cls, trainer_class in ((dl.Classifier, dl.Trainer), (Classifier, Trainer)):
        classifier = made.get("classifier", create)(cls)
        where = made.get("loader", shuffled_pairs)
        callbacks = made.get("callbacks", list)()
        with made.get("around", contextlib.nullcontext)():
            trainer = train(
                trainer_class, classifier, where, callbacks=callbacks, **made.get("settings", {})
            )
        trained.append(weights(classifier))
        steps.append(trainer.global_step)
    said = capsys.readouterr().out
    assert trainer._batch_size is not None, said
    why = re.search("Each step goes through autograd, because (.*)[.]", said)
    assert isinstance(trainer._steps, AutogradSteps if why else DirectSteps)
    assert re.search(THROUGH_AUTOGRAD.get(name, "^$"), why[1] if why else ""), said
    assert torch.equal(*trained)
    assert not torch.equal(trained[0], weights(made.get("classifier", create)(Classifier)))
    assert steps[0] == steps[1] == len(trainer.step_losses)


@pytest.mark.parametrize("digits", [range(5), range(10)], ids=["up to 4", "sorted"])
@pytest.mark.parametrize("size", [1, 3, 16])
def test_one_hot_without_num_classes_is_as_wide_as_the_outputs(digits, size):
    chosen = np.sort(DIGITS[np.isin(DIGITS, list(digits))])
    some = list(zip(IMAGES[: len(chosen)], chosen, strict=True))
    trained = []
    for cls, trainer_class in ((dl.Classifier, dl.Trainer), (Classifier, Trainer)):
        torch.manual_seed(0)
        classifier = cls(
            dl.MultiLayerPerceptron(784, [6], 10, nn.Sigmoid),
            loss=nn.MSELoss(),
            optimizer=dl.SGD(lr=0.1),
            make_targets_one_hot=True,
        ).build()
        trainer = train(trainer_class, classifier, lambda: DataLoader(some, batch_size=size))
        trained.append(weights(classifier))
    assert trainer._batch_size == size
    assert torch.equal(*trained)


@pytest.mark.parametrize("size", [1, 8, 44])
def test_loggers_see_the_steps_that_were_made(size, tmp_path):
    logged = []
    for callbacks in ([], [CountsSteps([])]):  # the second makes it step aside
        name = f"{len(callbacks)}"
        train(
            Trainer,
            create(Classifier),
            lambda: make_dataloader(IMAGES, DIGITS, size, shuffle=True),
            logger=CSVLogger(tmp_path, name=name),
            callbacks=callbacks,
        )
        with (tmp_path / name / "version_0" / "metrics.csv").open() as file:
            logged.append([(row["epoch"], row["step"]) for row in csv.DictReader(file)])
    steps = math.ceil(44 / size)
    assert logged[0] == logged[1] == [("0", f"{steps - 1}"), ("1", f"{2 * steps - 1}")]


def test_checkpoint_of_many_steps_goes_on_in_the_ordinary_way_and_the_other_way_round(tmp_path):
    def load():
        return make_dataloader(IMAGES, DIGITS, SIZE)

    recipe = RECIPE.optimizer(Adam, lr=0.01)
    whole = create(Classifier, recipe=recipe)
    train(Trainer, whole, load, max_epochs=3)
    for callbacks in ([], [CountsSteps([])]):
        first = train(Trainer, create(Classifier, recipe=recipe), load, callbacks=callbacks)
        first.save_checkpoint(tmp_path / "two.ckpt")
        saved = torch.load(tmp_path / "two.ckpt", weights_only=False)
        assert (saved["epoch"], saved["global_step"]) == (1 + 1, 2 * STEPS)
        goes_on = create(Classifier, recipe=recipe)
        trainer = Trainer(max_epochs=3, enable_progress_bar=False)
        trainer.fit(goes_on, load(), ckpt_path=tmp_path / "two.ckpt", weights_only=False)
        assert trainer.global_step == 3 * STEPS
        assert trainer.history["epoch"] == [3]
        assert torch.equal(weights(whole), weights(goes_on))


# --- what is entered inside torch, Lightning and deeplay ------------------------------------------


@pytest.fixture(scope="module")
def entered(tmp_path_factory):
    """One of each thing that is entered, after a training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("entered"))
        classifier = create(Classifier)
        trainer = train(Trainer, classifier, shuffled_pairs)
    return SimpleNamespace(
        classifier=classifier,
        trainer=trainer,
        loop=trainer.fit_loop.epoch_loop,
        connector=trainer._logger_connector,
        layer=first(classifier),
        parameter=first(classifier).weight,
        optimizer=trainer.optimizers[0],
        rmsprop=RMSprop(classifier.parameters()),
        checkpoint=ModelCheckpoint(),
        timer=Timer(duration="00:00:01:00"),
        mean=trainer.fit_loop.epoch_loop._results["training_step.train_loss"],
        all_modules=nn.modules.module,
        all_optimizers=sys.modules["torch.optim.optimizer"],  # torch hides the module
        torch=torch,
        aten=torch.ops.aten,
        deeplay_optimizer=classifier.optimizer,
        deeplay_layers=deeplay.blocks.base,
    )


HOOKS = ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks")
# Without one of these, training would be wrong or slow, and silent about it. "a b" means a or b,
# as a name is in an earlier version and in a later one.
ENTERED = {
    "classifier": ["_trainer", "calling_stateful", "train_metrics", "val_metrics", "loss"],
    "trainer": ["_detect_anomaly", "_logger_connector", "_results", "fit_loop", *PLAIN_TRAINER],
    "loop": ["_batches_that_stepped", "_results", "manual_optimization", "automatic_optimization"],
    "loop.manual_optimization": ["optim_step_progress"],
    "loop.manual_optimization.optim_step_progress.total": ["ready", "completed"],
    "loop.automatic_optimization.optim_progress.optimizer.step.total": ["ready", "completed"],
    "connector": ["_callback_metrics", "_logged_metrics", "_progress_bar_metrics", "reset_metrics"],
    "mean": ["value", "cumulated_batch_size"],
    "checkpoint": ["_every_n_train_steps", "_train_time_interval", "_last_global_step_saved"],
    "timer": ["_start_time", "_end_time"],
    "all_modules": [f"_global_{hooks}" for hooks in HOOKS],
    "layer": [*(f"_{hooks}" for hooks in HOOKS), "_parameters", "_modules", "_compiled_call_impl"],
    "parameter": ["_backward_hooks", "_post_accumulate_grad_hooks"],
    "all_optimizers": ["_global_optimizer_pre_hooks", "_global_optimizer_post_hooks"],
    "optimizer": ["_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"],
    "optimizer.step": ["__wrapped__"],
    "rmsprop": ["_accelerator_graph_capture_health_check _cuda_graph_capture_health_check"],
    "torch": ["_C", "_foreach_copy_", "_softmax_backward_data", "_log_softmax_backward_data"],
    "torch._C": ["_nn", "_len_torch_function_stack", "_len_torch_dispatch_stack"],
    "torch._C._nn": ["mse_loss", "smooth_l1_loss", "binary_cross_entropy"],
    "aten": [
        *("sigmoid_backward", "tanh_backward", "threshold_backward", "leaky_relu_backward"),
        *("elu_backward", "gelu_backward", "softplus_backward", "mse_loss_backward"),
        *("smooth_l1_loss_backward", "binary_cross_entropy_backward"),
        *("nll_loss_forward", "nll_loss_backward"),
    ],
    "deeplay_optimizer": ["classtype"],
    "deeplay_layers": ["DeferredConfigurableLayer"],
}


@pytest.mark.parametrize(
    ("where", "names"),
    [(where, names) for where, several in ENTERED.items() for names in several],
)
def test_what_is_entered_is_there(where, names, entered):
    thing = operator.attrgetter(where)(entered)
    assert any(hasattr(thing, name) for name in names.split()), f"{where} has no {names} any more"


def test_what_is_entered_counts_as_lightning_counts(entered):
    assert entered.loop._batches_that_stepped == 2 * STEPS
    assert entered.loop.manual_optimization.optim_step_progress.total.completed == 2 * STEPS
    assert inspect.unwrap(SGD.step) is not SGD.step


def private_names():
    """Yield the file and the name of what the helpers enter that is private and not their own."""
    nodes = [
        (path.name, node)
        for path in HELPERS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    ]
    own = {"_replace"}  # of Python's named tuples
    for _, node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if getattr(node.value, "id", "") == "self":
                own.add(node.attr)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "__setattr__":
            own.add(node.args[1].value)
    for file, node in nodes:
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.ImportFrom) and not node.module.startswith("helpers"):
            names = [alias.name for alias in node.names]
        for name in names:
            if re.match("_[a-zA-Z]", name) and name not in own:
                yield file, name


def test_what_is_entered_is_listed_and_gathered():
    listed = set(" ".join(chain.from_iterable(ENTERED.values())).split())
    found = list(private_names())
    assert {file for file, _ in found} == {"fast_gate.py", "fast_steps.py"}, found
    assert {name for _, name in found} <= listed


@pytest.mark.parametrize("kind", [RMSprop, Adam])
def test_each_fit_with_an_optimizer_of_torchs_own_makes_many_steps_at_once(kind):
    network = sequence(lambda: nn.Linear(784, 6), nn.SELU, lambda: nn.Linear(6, 10))()
    classifier = create(Classifier, lambda: network, optimizer=kind(network.parameters(), lr=0.01))
    for _ in range(2):  # the first leaves out what torch does around a step
        assert train(Trainer, classifier, shuffled_pairs)._batch_size == SIZE


def test_what_torch_cannot_differentiate_is_no_step(capsys):
    recipe = RECIPE.optimizer(SGD, lr=0.1, differentiable=True)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        train(dl.Trainer, create(dl.Classifier, recipe=recipe), shuffled_pairs)
    with pytest.raises(LessonError, match="leaf Variable"):
        train(Trainer, create(Classifier, recipe=recipe), shuffled_pairs)


def test_an_optimizer_without_arithmetic_of_its_own_goes_through_autograd():
    weights = nn.Parameter(torch.zeros(2))
    with pytest.raises(OrdinaryWay, match="Adagrad is not among the optimizers"):
        _check_settings_of_optimizer(torch.optim.Adagrad([weights]), [weights])
