"""When many optimizer steps are made at once, and all that this touches inside other packages.

One step of a small network takes microseconds, and the bookkeeping of Lightning, deeplay and torch
around it several times as long. `helpers.training` therefore hands Lightning many mini-batches as
one batch wherever that can change nothing. Two things are decided here, by lists of what is known,
each exactly as its package made it:

* `Gate`: whether the steps may be made many at a time. It looks at layers, containers, loss,
  optimizer, dataloader, callbacks and settings. Whatever is not listed trains in Lightning's
  ordinary way.
* `direct_steps`: whether these steps need autograd, or fast_steps.py knows their arithmetic. It
  looks at what fast_steps.py lists, and then makes two steps both ways with copies of the network:
  where a version of torch or a processor rounds differently, even in the last digit, the steps go
  through autograd.

What a training enters inside torch, Lightning and deeplay stands in this file and in fast_steps.py.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from functools import partial
from itertools import chain
from types import FunctionType
from typing import Any

import deeplay as dl
import numpy as np
import torch
import torchmetrics.classification
from deeplay.blocks.linear.linear import LinearBlock
from lightning.pytorch import Trainer as LightningTrainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, ModelSummary, Timer
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from helpers.fast_steps import (
    ACTIVATIONS,
    NO_ARITHMETIC,
    DirectSteps,
    kept_by,
    parameters_of,
)
from helpers.fast_steps import LOSSES as DIRECT_LOSSES
from helpers.fast_steps import OPTIMIZERS as DIRECT_OPTIMIZERS

# A group of mini-batches: large enough that the bookkeeping vanishes, small enough that the
# progress bar moves several times a second. Where the images are copied, they are to stay in the
# processor's cache.
IMAGES_PER_GROUP = 16_384
COPIES_PER_GROUP = 4096
STEPS_PER_GROUP = 1024

# Layers whose outputs depend on their inputs and parameters alone.
LAYERS = (
    nn.Linear,
    nn.Flatten,
    nn.Identity,
    nn.Sigmoid,
    nn.Tanh,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SELU,
    nn.SiLU,
    nn.GELU,
    nn.Softplus,
    nn.Softmax,
    nn.LogSoftmax,
    nn.LayerNorm,
)
# Containers that call what they hold, one after the other, and how to list it in that order.
CONTAINERS: dict[type, Callable[[Any], Iterable[nn.Module]]] = {
    nn.Sequential: lambda sequence: sequence._modules.values(),
    dl.Sequential: lambda sequence: sequence._modules.values(),
    LinearBlock: lambda block: [getattr(block, name) for name in block.order],
    dl.MultiLayerPerceptron: lambda network: [
        *([nn.Flatten()] if network.flatten_input else []),
        *network.blocks._modules.values(),
    ],
}
# Losses that are a mean over the images of a batch, by what they compare the outputs with.
LOSSES_OF_TEN_TARGETS = (
    nn.MSELoss,
    nn.L1Loss,
    nn.SmoothL1Loss,
    nn.HuberLoss,
    nn.BCELoss,
    nn.BCEWithLogitsLoss,
)
LOSSES = (*LOSSES_OF_TEN_TARGETS, nn.CrossEntropyLoss, nn.NLLLoss)
OPTIMIZERS = (SGD, Adam, AdamW, RMSprop)
DEEPLAY_OPTIMIZERS = (dl.Optimizer, dl.SGD, dl.Adam, dl.AdamW, dl.RMSprop)
METRICS = tuple(m for m in vars(torchmetrics.classification).values() if isinstance(m, type))
SAMPLERS = (SequentialSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler)
LOGGERS = (CSVLogger, TensorBoardLogger)
CALLBACKS = (EarlyStopping, ModelCheckpoint, ModelSummary)
# Settings of Lightning's Trainer that change nothing about a step, or that show in what is checked
# beside them (the strategy, the profiler, a callback) ...
HARMLESS_SETTINGS = {
    *("accelerator", "devices", "num_nodes", "callbacks", "logger", "default_root_dir"),
    *("max_epochs", "min_epochs", "check_val_every_n_epoch", "num_sanity_val_steps"),
    *("limit_val_batches", "limit_test_batches", "limit_predict_batches", "log_every_n_steps"),
    *("enable_progress_bar", "enable_model_summary", "enable_checkpointing", "inference_mode"),
    *("deterministic", "benchmark", "use_distributed_sampler", "enable_autolog_hparams"),
    *("strategy", "profiler", "detect_anomaly", "max_time", "sync_batchnorm"),
}
# ... and what else it keeps, as it is when nothing about a step was set.
PLAIN_TRAINER = {
    "world_size": 1,
    "precision": "32-true",
    "accumulate_grad_batches": 1,
    "gradient_clip_val": None,
    "gradient_clip_algorithm": None,
    "max_steps": -1,
    "min_steps": None,
    "limit_train_batches": 1.0,
    "overfit_batches": 0.0,
    "val_check_interval": 1.0,
    "fast_dev_run": False,
    "barebones": False,
    "reload_dataloaders_every_n_epochs": 0,
    "_detect_anomaly": False,
}


class OrdinaryWay(Exception):  # noqa: N818
    """Why a quicker way must not be taken: "this classifier overrides `forward`"."""


# --- is it as its package made it? ---

# What Python keeps in each class, whatever the class does.
_OF_PYTHON = {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__"}
_OF_PYTHON |= {"__parameters__", "__orig_bases__", "__abstractmethods__", "_abc_impl"}
_OF_PYTHON |= {"__firstlineno__", "__static_attributes__", "__slotnames__", "__annotate_func__"}
_OF_PYTHON |= {"__annotations_cache__", "__type_params__"}
# What torch exchanges in its classes once something was compiled, whatever it was.
_OF_COMPILING = {"__init__", "__setstate__", "_init_group"}
# What asks whether a GPU is recording a step, which `bare_step` leaves out.
_OF_RECORDING = ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check")
_NO_MATTER = {*_OF_COMPILING, *_OF_RECORDING}


def attributes(cls: type) -> dict[str, Any]:
    """Return what a class and its parents define, by name, as it is now."""
    found: dict[str, Any] = {}
    for parent in reversed(cls.__mro__):
        found.update(vars(parent))
    return {name: value for name, value in found.items() if name not in _OF_PYTHON}


for _kind in OPTIMIZERS:  # torch wraps `step` of a class when the first of it is made
    _kind([nn.Parameter(torch.zeros(1))], lr=0.1)
_AS_IMPORTED = {
    cls: {name: value for name, value in attributes(cls).items() if name not in _NO_MATTER}
    for cls in (*LAYERS, *CONTAINERS, *LOSSES, *OPTIMIZERS, *DEEPLAY_OPTIMIZERS)
    + (*METRICS, *CALLBACKS)
}


def changed(thing: object, original: Mapping[str, Any]) -> str | None:
    """Find what `thing` overrides, in its class or by an attribute of its own.

    Args:
        thing: The object.
        original: The `attributes` of the class that it should behave like.

    Returns:
        The first name that means something else than in `original`, or None.
    """
    if name := _changed_class(type(thing), original):
        return name
    own = (name for name in vars(thing) if isinstance(original.get(name), FunctionType))
    return next(own, None)


def _changed_class(cls: type, original: Mapping[str, Any]) -> str | None:
    now = attributes(cls)
    return next((name for name, value in original.items() if now.get(name) is not value), None)


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Return the succession of layers that a network amounts to.

    Calling them directly gives the same numbers as calling `model`, without the bookkeeping that
    deeplay does around them.

    Raises:
        OrdinaryWay: If the network is, or may be, more than that.
    """
    kind = type(model)
    if kind not in _AS_IMPORTED:
        raise OrdinaryWay(f"the network holds a {kind.__name__}, which may do more than a layer")
    if name := changed(model, _AS_IMPORTED[kind]):
        raise OrdinaryWay(f"a {kind.__name__} of the network overrides `{name}`")
    if kind not in CONTAINERS:
        return [model]
    if "shortcut_start" in getattr(model, "order", ()):
        raise OrdinaryWay("the network has a shortcut")
    return list(chain.from_iterable(map(layers_of, CONTAINERS[kind](model))))


def _check_hooks(modules: Iterable[nn.Module]) -> None:
    kinds = ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks")
    if any(getattr(nn.modules.module, f"_global_{kind}") for kind in kinds):
        raise OrdinaryWay("a hook on all modules is set")
    for module in modules:
        if any(getattr(module, f"_{kind}", None) for kind in kinds):
            raise OrdinaryWay(f"a hook is set on a {type(module).__name__}")
        if getattr(module, "_compiled_call_impl", None):
            raise OrdinaryWay(f"a {type(module).__name__} is compiled")
        for parameter in module.parameters(recurse=False):
            if parameter._backward_hooks or parameter._post_accumulate_grad_hooks:
                raise OrdinaryWay(f"a hook is set on a parameter of a {type(module).__name__}")
            if type(parameter) is not nn.Parameter:
                raise OrdinaryWay(f"a parameter is a {type(parameter).__name__}")


def _check_optimizer(given: Any) -> None:
    """Check what the classifier has for an optimizer: deeplay's wrapper, or one of torch's."""
    kind = given.classtype if isinstance(given, dl.Optimizer) else type(given)
    if kind not in OPTIMIZERS or _changed_class(kind, _AS_IMPORTED[kind]):
        raise OrdinaryWay(f"the optimizer {getattr(kind, '__name__', kind)} is not a known one")
    hooks = [_global_optimizer_pre_hooks, _global_optimizer_post_hooks]
    if not isinstance(given, dl.Optimizer):
        if "step" in vars(given):
            raise OrdinaryWay("a learning-rate schedule counts the optimizer's steps")
        hooks += [given._optimizer_step_pre_hooks, given._optimizer_step_post_hooks]
    if type(given) not in _AS_IMPORTED:
        raise OrdinaryWay(f"the optimizer {type(given).__name__} is not a known one")
    if name := changed(given, _AS_IMPORTED[type(given)]):
        raise OrdinaryWay(f"the optimizer overrides `{name}`")
    if any(hooks):
        raise OrdinaryWay("a hook is set on the optimizer")


def _check_loss(loss: Any) -> None:
    if type(loss) not in LOSSES or loss.reduction != "mean":
        name = getattr(loss, "__name__", type(loss).__name__)
        raise OrdinaryWay(f"the loss {name} is not a known mean over the images")
    if name := changed(loss, _AS_IMPORTED[type(loss)]):
        raise OrdinaryWay(f"the loss overrides `{name}`")


def dataloader_is_known(dataloader: Any) -> None:
    """Check that a dataloader's batches may be fetched ahead, many at a time.

    Raises:
        OrdinaryWay: If they may not.
    """
    if type(dataloader) is not DataLoader:
        raise OrdinaryWay(f"the dataloader is a {type(dataloader).__name__}")
    sampler = dataloader.batch_sampler
    if type(sampler) is not BatchSampler or type(sampler.sampler) not in SAMPLERS:
        raise OrdinaryWay("the dataloader has a sampler that is not a known one")
    if dataloader.num_workers or dataloader.pin_memory:
        raise OrdinaryWay("the dataloader has workers or pinned memory")
    own = type(dataloader.dataset) is ImagesAndDigits
    if dataloader.collate_fn not in ((as_it_is, default_collate) if own else (default_collate,)):
        raise OrdinaryWay("the dataloader has a collate_fn of its own")
    if not own:
        _check_pairs(dataloader.dataset)


def _check_pairs(dataset: Any) -> None:
    """Check that a dataset is a list of (image, digit), or tensors of them, in memory."""
    known = dataset
    while type(known) is Subset:
        known = known.dataset
    if type(known) not in (list, tuple, TensorDataset, ImagesAndDigits) or not len(dataset):
        raise OrdinaryWay(f"the dataloader's dataset is a {type(known).__name__}")
    first = dataset[0]
    try:
        image, digit = default_collate([first])
    except Exception:
        image = digit = None
    if (
        not isinstance(first, (tuple, list))
        or not (isinstance(image, Tensor) and isinstance(digit, Tensor))
        or (image.dtype, digit.dtype, digit.ndim) != (torch.float32, torch.int64, 1)
    ):
        raise OrdinaryWay("the dataset does not hold pairs of a float32 image and a whole number")


def _check_metric(metric: Any) -> None:
    kind = type(metric)
    if kind not in METRICS:
        raise OrdinaryWay(f"the metric {kind.__name__} is not a known one")
    original = dict(_AS_IMPORTED[kind])
    for wrapped in ("update", "compute"):  # by each metric itself
        method = getattr(vars(metric).get(wrapped), "__wrapped__", None)
        if getattr(method, "__func__", None) is not original.pop(wrapped):
            raise OrdinaryWay(f"the metric overrides `{wrapped}`")
    if name := changed(metric, original):
        raise OrdinaryWay(f"the metric overrides `{name}`")


def _check_callback(callback: Any, known: Mapping[type, Mapping[str, Any]]) -> None:
    kind = type(callback).__name__
    if type(callback) not in known:
        raise OrdinaryWay(f"the callback {kind} may look at each step")
    if name := changed(callback, known[type(callback)]):
        raise OrdinaryWay(f"a callback {kind} overrides `{name}`")
    if type(callback) is ModelCheckpoint and (
        callback._every_n_train_steps or callback._train_time_interval
    ):
        raise OrdinaryWay("the callback ModelCheckpoint counts steps")


class Gate:
    """Decides whether a training is one whose steps can be made many at a time.

    Args:
        classifier: The helpers' Classifier.
        trainer: The helpers' Trainer.
        callbacks: The helpers' own callbacks.
    """

    def __init__(self, classifier: type, trainer: type, callbacks: tuple[type, ...]) -> None:
        self._classifier = classifier, attributes(classifier)
        self._trainer = attributes(trainer)
        self._callbacks = {cls: _AS_IMPORTED[cls] for cls in CALLBACKS}
        self._callbacks |= {cls: attributes(cls) for cls in callbacks}

    def check_network(self, classifier: Any) -> list[nn.Module]:
        """Check that a classifier computes outputs and losses as deeplay's, batch by batch alike.

        Returns:
            The layers of its network, in order.

        Raises:
            OrdinaryWay: If it may do anything else.
        """
        cls, original = self._classifier
        if not issubclass(type(classifier), cls):
            raise OrdinaryWay(
                f"the classifier is a {type(classifier).__module__.split('.')[0]}."
                f"{type(classifier).__name__}, not the helpers' Classifier"
            )
        if name := changed(classifier, original):
            raise OrdinaryWay(f"this classifier overrides `{name}`")
        layers = layers_of(classifier.model)
        _check_loss(getattr(classifier, "loss", None))
        for metrics in (classifier.train_metrics, classifier.val_metrics, classifier.test_metrics):
            for metric in metrics.values():
                _check_metric(metric)
        if any(True for _ in classifier.model.buffers()):
            raise OrdinaryWay("the network has a state of its own beside its parameters")
        _check_hooks(classifier.modules())
        return layers

    def check_any_batch_size(self, classifier: Any) -> list[nn.Module]:
        """As `check_network`, and that outputs and loss are the same, however large the batches.

        A Softmax over dimension 0, for one, mixes the images of a batch.
        """
        layers = self.check_network(classifier)
        for layer in layers:
            _check_settings(layer, LAYERS, "layers", _LAYER_SETTINGS)
        mean_of_all: dict[str, list[Any]] = {"weight": [None], "ignore_index": [-100]}
        _check_settings(classifier.loss, LOSSES, "losses", mean_of_all)
        return layers

    def check_trainer(self, trainer: Any) -> None:
        """Check that a trainer and its callbacks do the same, however many steps are made at once.

        Raises:
            OrdinaryWay: If they may not.
        """
        if trainer.world_size > 1:
            raise OrdinaryWay(f"{trainer.world_size} processes train together")
        if name := changed(trainer, self._trainer):
            raise OrdinaryWay(f"this trainer overrides `{name}`")
        for name, plain in PLAIN_TRAINER.items():
            value = getattr(trainer, name)
            # A share and a count are two settings: 1.0 is all batches, 1 is one.
            same = value == plain and isinstance(value, float) == isinstance(plain, float)
            if not same and (value or plain):
                raise OrdinaryWay(f"the trainer has {name.lstrip('_')}={value!r}")
        for name in trainer.settings_given:
            if name not in HARMLESS_SETTINGS and name not in PLAIN_TRAINER:
                raise OrdinaryWay(f"the trainer has a setting `{name}`")
        if type(trainer.strategy) is not SingleDeviceStrategy:
            raise OrdinaryWay(f"the trainer's strategy is {type(trainer.strategy).__name__}")
        if type(trainer.profiler) is not PassThroughProfiler:
            raise OrdinaryWay("a profiler looks at each step")
        for logger in trainer.loggers:
            if type(logger) not in LOGGERS:
                raise OrdinaryWay(f"the logger {type(logger).__name__} is not a known one")
        for callback in trainer.callbacks:
            _check_callback(callback, self._callbacks)

    def check(
        self, trainer: Any, classifier: Any, dataloader: Any, resumes: bool
    ) -> list[nn.Module]:
        """Check everything that takes part in a training.

        Returns:
            The layers of the classifier's network, in order.

        Raises:
            OrdinaryWay: At the first thing that is not known to change nothing.
        """
        layers = self.check_network(classifier)
        _check_optimizer(getattr(classifier, "optimizer", None))
        dataloader_is_known(dataloader)
        self.check_trainer(trainer)
        if torch._C._len_torch_function_stack() or torch._C._len_torch_dispatch_stack():
            raise OrdinaryWay("a mode of torch looks at each operation")
        if resumes:
            raise OrdinaryWay("it goes on from a checkpoint")
        return layers


# --- many batches at a time ---


class ImagesAndDigits(Dataset):
    """Images and digits in memory, which a DataLoader fetches by whole batches."""

    def __init__(self, images: Tensor, digits: Tensor) -> None:
        self.images, self.digits = images, digits

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index].clone(), self.digits[index]

    def __getitems__(self, indices: list[int] | np.ndarray) -> _Batch:
        chosen = torch.as_tensor(indices)
        return _Batch(self.images[chosen], self.digits[chosen])


class _Batch(Sequence[Any]):
    """Pairs (image, digit), as every collate_fn expects them, and all of them in two tensors."""

    def __init__(self, images: Tensor, digits: Tensor) -> None:
        self.images, self.digits = images, digits

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: Any) -> Any:
        return self.images[index], self.digits[index]


class _Indices(Dataset):
    """All images and digits, and which of them to take: nothing is copied."""

    def __init__(self, dataset: ImagesAndDigits) -> None:
        self.dataset = dataset

    def __getitems__(self, indices: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        return self.dataset.images, self.dataset.digits, torch.from_numpy(indices)


def as_it_is(batch: Any) -> Any:
    """Return a batch that the dataset has already put together."""
    return (batch.images, batch.digits) if isinstance(batch, _Batch) else batch


class _GroupedBatches(Sampler):
    """The indices of several consecutive batches at a time, in the order of `batches`."""

    def __init__(self, batches: BatchSampler, group: int) -> None:
        self.batches, self.group = batches, group

    def __len__(self) -> int:
        return math.ceil(len(self.batches) / self.group)

    def __iter__(self) -> Iterator[np.ndarray]:
        size = self.batches.batch_size
        # At once: batch by batch, it took a twentieth of an epoch of large batches.
        order = np.array(list(self.batches.sampler))
        if self.batches.drop_last:
            order = order[: len(order) // size * size]
        for start in range(0, len(order), self.group * size):
            yield order[start : start + self.group * size]


def grouped(dataloader: DataLoader, images: int | None = None, indices: bool = False) -> DataLoader:
    """Return a dataloader of the same images in the same order, several batches at a time.

    Args:
        dataloader: A dataloader that `dataloader_is_known`.
        images: How many images to hand over at a time.
        indices: Whether to hand over all images and the indices of these, where they are in memory
            as one tensor, so that none is copied.
    """
    dataset = dataloader.dataset
    own = type(dataset) is ImagesAndDigits
    if indices and own:
        dataset = _Indices(dataset)
    images = images or (IMAGES_PER_GROUP if type(dataset) is _Indices else COPIES_PER_GROUP)
    group = max(1, min(images // dataloader.batch_sampler.batch_size, STEPS_PER_GROUP))
    return DataLoader(
        dataset,
        batch_sampler=_GroupedBatches(dataloader.batch_sampler, group),
        collate_fn=as_it_is if own else dataloader.collate_fn,
        generator=dataloader.generator,
    )


# --- many steps at a time, through autograd or without it ---


def bare_step(optimizer: torch.optim.Optimizer) -> Callable[[], Any]:
    """Return what `optimizer.step` does to the weights, without what torch does around it.

    torch wraps a step for its profiler and for hooks; and RMSprop and Adam ask in every step
    whether a GPU is recording it, for which a computer without one searches its disk.
    """
    if not torch.cuda.is_available():
        for name in _OF_RECORDING:  # in this torch, and in earlier ones
            setattr(optimizer, name, lambda: None)
    wanted = torch.enable_grad() if optimizer.defaults.get("differentiable") else torch.no_grad()
    step: Callable[[], Any] = wanted(partial(inspect.unwrap(type(optimizer).step), optimizer))
    return step


class AutogradSteps:
    """Makes the steps as PyTorch does, one after the other; the same interface as `DirectSteps`."""

    def __init__(
        self,
        layers: Sequence[nn.Module],
        loss: nn.Module,
        optimizer: Optimizer,
        one_hot: int | None,
    ) -> None:
        self._layers = [layer.forward for layer in layers]
        self._loss, self._one_hot, self._step = loss, one_hot, bare_step(optimizer)
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def run(
        self,
        images: Tensor,
        digits: Tensor,
        order: Tensor,
        batch_size: int,
        losses: list[Tensor],
        outputs: list[Tensor],
        interrupted: Sized = (),
    ) -> None:
        """Make one step for each mini-batch, as `DirectSteps.run` does."""
        targets = digits[order]
        if self._one_hot is not None:
            targets = nn.functional.one_hot(targets, self._one_hot).float()
        for chosen, target in zip(order.split(batch_size), targets.split(batch_size), strict=True):
            if interrupted:
                break
            output = images[chosen]
            for layer in self._layers:
                output = layer(output)
            loss = self._loss(output, target)
            for p in self._parameters:
                p.grad = None
            loss.backward()
            self._step()
            losses.append(loss.detach())
            outputs.append(output.detach())


_LAYER_SETTINGS = {"start_dim": [1], "end_dim": [-1], "dim": [1, -1]}
_LOSS_SETTINGS: dict[str, list[Any]] = {
    "weight": [None],
    "ignore_index": [-100],
    "label_smoothing": [0],
    "beta": [1],
}
_OTHER_WAYS = ("foreach", "fused", "capturable", "differentiable")  # to compute the same update

_proven: dict[str, bool] = {}


def direct_steps(
    layers: Sequence[nn.Module],
    loss: nn.Module,
    optimizer: Optimizer,
    one_hot: int | None,
    images: Tensor,
    digits: Tensor,
    order: Tensor,
    batch_size: int,
) -> DirectSteps:
    """Return what makes the steps of a network without autograd.

    Args:
        layers: The layers that `Gate.check` returned.
        loss: The loss of the last layer's outputs and the targets.
        optimizer: The optimizer of the layers' parameters.
        one_hot: The length of the one-hot targets, or None where the digits are the targets.
        images: The images, float32 of shape (N, ...).
        digits: Their digits, int64 of shape (N,).
        order: The indices of the images to train on, int64.
        batch_size: Images in a mini-batch.

    Raises:
        OrdinaryWay: If a part is not known, or if the numbers differ in any bit from autograd's.
    """
    _check_layers(layers, images)
    _check_settings(loss, DIRECT_LOSSES, "losses", _LOSS_SETTINGS)
    parameters = parameters_of(layers)
    _check_parameters(parameters)
    _check_settings_of_optimizer(optimizer, parameters)
    width = [layer for layer in layers if type(layer) is nn.Linear][-1].out_features
    if one_hot != (None if type(loss) is nn.CrossEntropyLoss and one_hot is None else width):
        raise OrdinaryWay(f"the targets are not one-hot rows of length {width}")
    _check_data(images, digits, one_hot)
    if torch.is_autocast_enabled("cpu"):
        raise OrdinaryWay("torch.autocast is on")
    recipe = repr((list(layers), loss, optimizer, one_hot, batch_size))
    try:
        if recipe not in _proven:
            first_two = images, digits, order[: 2 * batch_size], batch_size
            _proven[recipe] = _same_numbers(layers, loss, optimizer, one_hot, *first_two)
    except (AttributeError, TypeError) as error:  # of torch's own, under other names one day
        raise OrdinaryWay(f"torch {torch.__version__} is built differently ({error})") from error
    if not _proven[recipe]:
        raise OrdinaryWay(f"torch {torch.__version__} rounds its numbers differently here")
    return DirectSteps(layers, loss, optimizer, one_hot)


def _described(module: nn.Module) -> str:
    name = type(module).__name__
    return f"nn.{name}" if getattr(nn, name, None) is type(module) else name


def _check_settings(
    module: nn.Module, known: Collection[type], kind: str, settings: Mapping[str, list[Any]]
) -> None:
    name = _described(module)
    if type(module) not in known:
        raise OrdinaryWay(f"{name} is not among the {kind} known without it")
    for setting, values in settings.items():
        value = getattr(module, setting, values[0])
        if not any(value is each or value == each for each in values):
            shown = "a tensor" if isinstance(value, Tensor) else repr(value)
            raise OrdinaryWay(f"{name}({setting}={shown}) is not among the {kind} known without it")


def _check_layers(layers: Sequence[nn.Module], images: Tensor) -> None:
    known = {nn.Linear, *ACTIVATIONS, *NO_ARITHMETIC}
    for layer in layers:
        _check_settings(layer, known, "layers", _LAYER_SETTINGS)
        if getattr(layer, "inplace", False) and type(layer) is not nn.ReLU:
            # Of an output that was written over, these compute another derivative.
            raise OrdinaryWay(f"{_described(layer)} works in place")
    kinds = [type(layer) for layer in layers if type(layer) is not nn.Identity]
    if images.dim() > 2 and kinds[:1] != [nn.Flatten]:
        raise OrdinaryWay("the network does not begin with nn.Flatten")
    if [kind for kind in kinds if kind is not nn.Flatten][:1] != [nn.Linear]:
        raise OrdinaryWay("the first layer that computes is not nn.Linear")


def _check_parameters(parameters: Sequence[nn.Parameter]) -> None:
    for p in parameters:
        if p.device.type != "cpu":
            raise OrdinaryWay(f"the network is on {p.device}, not on the CPU")
        if p.dtype is not torch.float32 or not p.is_contiguous():
            raise OrdinaryWay("a parameter is not an ordinary float32 tensor")
        if not p.requires_grad:
            raise OrdinaryWay("a parameter is frozen")
    if len({p.untyped_storage().data_ptr() for p in parameters}) < len(parameters):
        raise OrdinaryWay("layers share a parameter")


def _check_settings_of_optimizer(optimizer: Optimizer, parameters: Sequence[nn.Parameter]) -> None:
    name = type(optimizer).__name__
    if type(optimizer) not in DIRECT_OPTIMIZERS:
        raise OrdinaryWay(f"{name} is not among the optimizers known without it")
    if len(optimizer.param_groups) != 1:
        raise OrdinaryWay(f"{name} has several groups of parameters")
    group, kind = optimizer.param_groups[0], DIRECT_OPTIMIZERS[type(optimizer)]
    if {id(p) for p in group["params"]} != {id(p) for p in parameters}:
        raise OrdinaryWay(f"{name} does not hold exactly the network's parameters")
    for setting in optimizer.defaults:
        value = group[setting]
        numbers = value if isinstance(value, tuple) else (value,)
        fits = setting in kind.settings and all(isinstance(x, int | float) for x in numbers)
        if not (not value if setting in _OTHER_WAYS else fits):
            shown = "a tensor" if isinstance(value, Tensor) else repr(value)
            raise OrdinaryWay(
                f"{name}({setting}={shown}) is not among the optimizers known without it"
            )
    kept = [optimizer.state.get(p, {}) for p in parameters]
    names = [{key for key, value in own.items() if value is not None} for own in kept]
    begun = {"step", *kept_by(optimizer)} if kind.counts and kept[0] else set()
    if (
        any(own != names[0] or not own >= begun for own in names)
        or len({float(own.get("step", 0)) for own in kept}) > 1
        or any(kept[0][key].dtype is not torch.float32 for key in names[0])
    ):
        raise OrdinaryWay(f"{name} has an unusual state")


def _check_data(images: Tensor, digits: Tensor, one_hot: int | None) -> None:
    for name, data, dtype in (("images", images, torch.float32), ("digits", digits, torch.int64)):
        if data.dtype is not dtype or data.device.type != "cpu":
            raise OrdinaryWay(f"the {name} are {data.dtype} on {data.device}")
        if not data.is_contiguous() or data.requires_grad:
            raise OrdinaryWay(f"the {name} are not an ordinary tensor")
    if one_hot is not None and not (digits.min() >= 0 and digits.max() < one_hot):
        raise OrdinaryWay(f"the digits are not all from 0 to {one_hot - 1}")


def _copies(layers: Sequence[nn.Module], optimizer: Optimizer) -> tuple[list[nn.Module], Optimizer]:
    # Without copy.deepcopy: what deeplay has built refers to the whole classifier.
    layers = [copy.copy(layer) for layer in layers]
    copied = {}
    for layer in layers:
        layer._parameters = dict(layer._parameters)
        for name, p in layer._parameters.items():
            if p is not None:
                layer._parameters[name] = copied[p] = nn.Parameter(p.detach().clone())
    own = type(optimizer)([copied[p] for p in optimizer.param_groups[0]["params"]], lr=0.1)
    own.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    return layers, own


def _same_numbers(
    layers: Sequence[nn.Module],
    loss: nn.Module,
    optimizer: Optimizer,
    one_hot: int | None,
    images: Tensor,
    digits: Tensor,
    order: Tensor,
    batch_size: int,
) -> bool:
    """Make the same steps both ways with copies, and compare losses and weights bit for bit."""
    found = []
    for kind in (AutogradSteps, DirectSteps):  # the first says what does not fit in torch's words
        copied, own = _copies(layers, optimizer)
        losses: list[Tensor] = []
        steps = kind(copied, loss, own, one_hot)
        steps.run(images, digits, order, batch_size, losses, [])
        found.append([*losses, *parameters_of(copied)])
    return all(
        torch.allclose(a, b, rtol=0, atol=0, equal_nan=True) for a, b in zip(*found, strict=True)
    )


# --- Lightning's counts ---


def start_over(trainer: LightningTrainer) -> None:
    """Let the next `fit` begin with its first epoch, as Lightning's Trainer does when it is made.

    Lightning itself goes on counting: a trainer that has trained its epochs trains none any more.
    """
    fit, epoch = trainer.fit_loop, trainer.fit_loop.epoch_loop
    fresh = type(fit)(trainer, min_epochs=fit.min_epochs, max_epochs=fit.max_epochs)
    fresh.epoch_loop = type(epoch)(trainer, min_steps=epoch.min_steps, max_steps=epoch.max_steps)
    trainer.fit_loop = fresh
    trainer._logger_connector.reset_metrics()
    trainer._logger_connector._callback_metrics.clear()
    trainer._logger_connector._logged_metrics.clear()
    trainer._logger_connector._progress_bar_metrics.clear()
    for callback in trainer.callbacks:  # what they do not count as their state
        if isinstance(callback, ModelCheckpoint):
            callback._last_global_step_saved = 0
        elif isinstance(callback, Timer):
            callback._start_time = dict.fromkeys(callback._start_time)
            callback._end_time = dict.fromkeys(callback._end_time)


def count_steps(trainer: LightningTrainer, steps: int, finished: bool) -> None:
    """Count the steps that were made at once, as Lightning's own optimizer wrapper would.

    `global_step`, checkpoints, loggers and messages are based on these counts.

    Args:
        trainer: The trainer.
        steps: Optimizer steps that were made.
        finished: Whether Lightning will go on, and count the whole group as one.
    """
    loop = trainer.fit_loop.epoch_loop
    # The second is where Lightning looks when it goes on from a checkpoint in its ordinary way.
    for progress in (
        loop.manual_optimization.optim_step_progress,
        loop.automatic_optimization.optim_progress.optimizer.step,
    ):
        progress.total.ready += steps
        progress.total.completed += steps
    loop._batches_that_stepped += steps - finished


def add_losses(
    trainer: LightningTrainer, name: str, losses: Sequence[Tensor], sizes: Sequence[int]
) -> None:
    """Add losses to Lightning's mean of an epoch, one after the other, as it would at each step.

    In any other order the sum would be rounded differently.

    Args:
        trainer: The trainer, with a first loss logged under `name` in this training step.
        name: What the mean is logged as.
        losses: The losses of the steps after that first one, float32 of shape ().
        sizes: The number of images of each of these steps.
    """
    if not losses:
        return
    mean = trainer._results[f"training_step.{name}"]
    terms = torch.stack(losses) * torch.tensor(sizes, device=mean.value.device)
    summed = np.add.accumulate(torch.cat([mean.value.reshape(1), terms]).cpu().numpy())
    mean.value = torch.from_numpy(summed)[-1].to(mean.value.device)
    mean.cumulated_batch_size = mean.cumulated_batch_size + sum(sizes)


def trainer_of(classifier: Any) -> Any:
    """Return the trainer that a classifier is attached to, or None."""
    return classifier._trainer
