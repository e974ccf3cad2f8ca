"""Training, testing and predicting with deeplay's Classifier and Trainer, without the waiting.

A network as small as the one in these lessons needs microseconds for one step, and Lightning's and
deeplay's bookkeeping around the step (logging, metrics, hooks, deeplay's record of every attribute
that is set) needs several times as long. The lessons therefore train with two thin subclasses:

* `Classifier` hands Lightning many mini-batches at once and makes one optimizer step for each of
  them inside a single `training_step` (Lightning calls this "manual optimization"). The batches
  come in the same order, and the same operations are done on the same numbers, so the weights
  after training are bit for bit those of plain `dl.Classifier` and `dl.Trainer`.
* `Trainer` decides when that is possible. Where it is not (several devices, gradient accumulation
  or clipping, callbacks that want to see each batch, ...), it steps aside: deeplay and Lightning
  then train in their ordinary way.

fast_gate.py says when many steps are made at once, and fast_steps.py how.

On a CPU both use one thread: matrices this small are no faster on two, and thirty people can share
one machine. `benchmarks/` measures all of this.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import io
import math
import multiprocessing
import os
import signal
import textwrap
import threading
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, BinaryIO

import deeplay as dl
import numpy as np
import torch
from deeplay.callbacks import LogHistory
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch import Trainer as LightningTrainer
from lightning.pytorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    GradientAccumulationScheduler,
    ModelCheckpoint,
    ProgressBar,
    Timer,
)
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader, SequentialSampler, default_collate
from tqdm.auto import tqdm

from helpers import given, storage
from helpers.config import Config, difference
from helpers.errors import DivergenceError, InterruptError, LessonError, one_line, shown
from helpers.fast_gate import (
    LOSSES_OF_TEN_TARGETS,
    AutogradSteps,
    Gate,
    ImagesAndDigits,
    OrdinaryWay,
    add_losses,
    as_it_is,
    count_steps,
    dataloader_is_known,
    direct_steps,
    grouped,
    start_over,
    trainer_of,
)
from helpers.fast_steps import DirectSteps

# --- dataloaders ---


def make_dataloader(
    images: ArrayLike | Sequence[tuple[ArrayLike, int]],
    digits: ArrayLike | None = None,
    batch_size: int = 1,
    shuffle: bool = False,
) -> DataLoader:
    """Make the dataloader that hands images and digits to a trainer, a batch at a time.

    Args:
        images: Floating-point array of shape (N, 28, 28), values in [0, 1]; or, without `digits`, a
            list of N pairs (image, digit).
        digits: Integer array of shape (N,), values 0 to 9.
        batch_size: Images in a batch; the last batch holds what is left over.
        shuffle: Whether to draw a new random order for each epoch (torch's random numbers).

    Returns:
        A `torch.utils.data.DataLoader` of pairs: images, float32 of shape (batch_size, 28, 28), and
        digits, int64 of shape (batch_size,). It shares the images' memory, and never writes to it.

    Raises:
        LessonError: If an argument has a wrong shape, type or range; it says which.
    """
    if digits is None:
        images, digits = given.pairs(images)
    images, digits = given.images_and_digits(images, digits)
    batch_size = min(given.whole_number(batch_size, "batch_size"), 2**31)  # torch's own limit
    if not isinstance(shuffle, bool | np.bool_):
        raise LessonError(f"shuffle must be True or False, got {shown(shuffle)}.")
    dataset = ImagesAndDigits(_shared(images, np.float32), _shared(digits, np.int64))
    return DataLoader(dataset, batch_size=batch_size, shuffle=bool(shuffle), collate_fn=as_it_is)


def _shared(values: np.ndarray, dtype: type) -> Tensor:
    values = np.ascontiguousarray(values, dtype)
    with warnings.catch_warnings():
        # Read-only arrays are welcome: nothing here writes to them.
        warnings.filterwarnings("ignore", message=".*not writable.*")
        return torch.from_numpy(values)


# --- the classifier ---


class Classifier(dl.Classifier):
    """deeplay's Classifier, which logs once an epoch and can make many steps at a time.

    Create it from a recipe: `classifier_config.create(Classifier)`. It takes the arguments of
    `dl.Classifier`, logs `train_loss`, `train_accuracy`, `validation_loss`, ..., and trains to the
    same weights.
    """

    @property
    def automatic_optimization(self) -> bool:
        """Whether Lightning makes the optimizer steps; False when a group of them is at hand."""
        return getattr(trainer_of(self), "_batch_size", None) is None

    def training_step(self, batch: Sequence[Tensor], batch_idx: int) -> Tensor | None:
        """Make the optimizer steps of a group of mini-batches, or leave one step to Lightning."""
        if self.automatic_optimization:
            return self._step("train", self.train_preprocess(batch))
        self._many_steps(*batch)
        return None

    def train_preprocess(self, batch: Any) -> Any:
        """Take a batch of training images apart: images and digits."""
        return super().train_preprocess(_pair(batch))

    def val_preprocess(self, batch: Any) -> Any:
        """Take a batch of validation images apart: images and digits."""
        return super().val_preprocess(_pair(batch))

    def test_preprocess(self, batch: Any) -> Any:
        """Take a batch of test images apart: images and digits."""
        return super().test_preprocess(_pair(batch))

    def validation_step(self, batch: Sequence[Tensor], batch_idx: int) -> None:
        """Log the loss and the metrics of a batch of validation images."""
        images, digits = self.val_preprocess(batch)
        self._step("validation", (images.clone(), digits))

    def test_step(self, batch: Sequence[Tensor], batch_idx: int) -> None:
        """Log the loss and the metrics of a batch of test images."""
        images, digits = self.test_preprocess(batch)
        self._step("test", (images.clone(), digits))

    def _step(self, stage: str, batch: Sequence[Tensor]) -> Tensor:
        images, digits = batch
        # The first keeps deeplay from recording every forward pass.
        with self.calling_stateful(), _explained(self, images, digits):
            outputs = self(images)
            losses = self.compute_loss(outputs, digits)
            losses = losses if isinstance(losses, dict) else {"loss": losses}
            self._log(stage, losses, outputs.detach(), digits, len(digits))
        return sum(losses.values())

    def _many_steps(self, images: Tensor, digits: Tensor, order: Tensor | None = None) -> None:
        trainer, batch_size = self.trainer, self.trainer._batch_size
        if order is None:
            order = torch.arange(len(digits), device=digits.device)
        outputs: list[Tensor] = []
        losses: list[Tensor] = []
        finished = False
        with _interrupts_wait() as interrupted:
            try:
                with (
                    self.calling_stateful(),
                    _explained(self, images[order[:batch_size]], digits[order[:batch_size]]),
                ):
                    if trainer._steps is None:
                        trainer._steps = self._make_steps(images, digits, order)
                    group = images, digits, order, batch_size
                    trainer._steps.run(*group, losses, outputs, interrupted)
                finished = not interrupted
            finally:
                # Also when the learner interrupts: the steps made so far are made.
                count_steps(trainer, len(losses), finished)
                if losses:
                    trainer.step_losses.extend(torch.stack(losses).tolist())
        digits = digits[order]
        with _explained(self, images, digits):
            first, *others = [len(output) for output in outputs]
            self._log("train", {"loss": losses[0]}, torch.cat(outputs), digits, first)
            add_losses(trainer, "train_loss", losses[1:], others)

    def _make_steps(
        self, images: Tensor, digits: Tensor, order: Tensor
    ) -> DirectSteps | AutogradSteps:
        one_hot = None
        if self.make_targets_one_hot:
            one_hot = self.num_classes or self._width_of_outputs(images[order[:1]])
        optimizer = self.optimizers(use_pl_optimizer=False)
        parts = self.trainer._layers, self.loss, optimizer, one_hot
        try:
            return direct_steps(*parts, images, digits, order, self.trainer._batch_size)
        except OrdinaryWay as reason:
            print(f"Each step goes through autograd, because {reason}.")
            return AutogradSteps(*parts)

    def _width_of_outputs(self, images: Tensor) -> int:
        with torch.no_grad():
            return self.model(images).size(1)

    def _log(
        self,
        stage: str,
        losses: Mapping[str, Tensor],
        outputs: Tensor,
        digits: Tensor,
        batch_size: int,
    ) -> None:
        metrics = getattr(self, f"{stage.replace('validation', 'val')}_metrics")
        metrics.update(*self.metrics_preprocess(outputs, digits))
        values = {name: loss.detach() for name, loss in losses.items()}
        for name, metric in metrics.items(keep_base=True):
            values["accuracy" if name == "MulticlassAccuracy" else name] = metric
        for name, value in values.items():
            self.log(
                f"{stage}_{name}",
                value,
                on_step=False,
                on_epoch=True,
                batch_size=batch_size,
                sync_dist=name in losses,
            )


def _pair(batch: Any) -> tuple[Tensor, Tensor]:
    """Return the images and the digits of a batch."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        kind = type(batch).__name__
        raise LessonError(f"dataloader must give pairs of images and digits, got a {kind}.")
    images, digits = batch
    try:
        return torch.as_tensor(images), torch.as_tensor(digits)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LessonError(
            f"dataloader must give images and digits as numbers, got others: {one_line(str(error))}"
        ) from error


# What torch objects to, in part, and what to do about it.
_HINTS = {
    "does not require grad": "All its weights are frozen: classifier.requires_grad_(True) lets "
    "them learn again.",
    "more than 1 value per channel": "A batch of one image is too few for BatchNorm: choose a "
    "batch_size that leaves no single image over.",
    "dtype": "make_dataloader(images, digits) makes float32 of the images, as a network is unless "
    "you changed it.",
    "LongTensor": "make_dataloader(images, digits) makes int64 of the digits, as the loss wants.",
}


@contextlib.contextmanager
def _explained(network: nn.Module, images: Any, digits: Any = None) -> Iterator[None]:
    """Say in one line what torch objects to, unless it happens inside the learner's own network."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        model = getattr(network, "model", network)
        if not type(model).__module__.startswith(("torch.", "deeplay.")):
            raise
        reason = str(error).strip().split("\n")[0].rstrip(".")
        shapes = " and ".join(
            f"{name} of shape {tuple(values.shape)}"
            for name, values in (("images", images), ("digits", digits))
            if hasattr(values, "shape")
        )
        hint = (
            "Check in_features (28 * 28), out_features (10), the loss, num_classes (10) and "
            "make_targets_one_hot of the recipe."
        )
        hint = next((known for part, known in _HINTS.items() if part in reason), hint)
        if "Convolution" in type(model).__name__ or "conv" in reason.lower():
            hint = (
                "A convolutional network wants images with a channel, (N, 1, 28, 28), and its "
                "outputs must be flattened to ten numbers: the last section of lesson 6 shows how."
            )
        raise LessonError(
            f"The {type(model).__name__} does not fit {shapes or 'what it is given'}: {reason}. "
            f"{hint}"
        ) from error


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[list]:
    """Keep an interrupt until the end of the block, so that no step is cut in two.

    Yields:
        A list that is empty as long as no interrupt has come.
    """
    came: list = []
    on_main_thread = threading.current_thread() is threading.main_thread()
    previous = signal.getsignal(signal.SIGINT) if on_main_thread else None
    if not callable(previous):  # another thread, or interrupts are ignored
        yield came
        return
    signal.signal(signal.SIGINT, lambda *signal_and_frame: came.append(signal_and_frame))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, previous)
    if came:
        previous(*came[0])


# --- the trainer ---


def _measured(trainer: Trainer) -> dict[str, float]:
    """Return loss and metrics of the epoch that ends, those of validation only if there was one."""
    stages = ("train_", "validation_") if trainer._validated else ("train_",)
    metrics = trainer.callback_metrics.items()
    return {name: float(value) for name, value in metrics if name.startswith(stages)}


class _History(LogHistory):
    """Keeps loss and metrics of each epoch, and says so when training has gone astray."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: dict[str, list[float]] = {"epoch": []}
        self._steps = 0  # made, with their losses kept
        self._loss = torch.tensor(math.nan)

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        trainer._validated = False
        self._steps = trainer.global_step

    def on_before_backward(self, trainer: Trainer, module: Any, loss: Tensor) -> None:
        self._loss = loss.detach()

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        if trainer._batch_size is None:
            loss = args[1]["loss"] if isinstance(args[1], dict) else args[1]
            self._keep(trainer, loss)
            self._steps = trainer.global_step

    def on_exception(self, trainer: Trainer, *args: Any) -> None:
        """Keep the loss of a step that was made, when an interrupt came right after it."""
        if trainer._batch_size is None and trainer.global_step > self._steps:
            self._keep(trainer, self._loss)

    def _keep(self, trainer: Trainer, loss: Tensor) -> None:
        # Lightning divides each loss by the number of batches that share a step.
        trainer.step_losses.append(float(loss) * trainer.accumulate_grad_batches)

    def on_validation_epoch_end(self, trainer: Trainer, *args: Any) -> None:
        """Note it: `on_train_epoch_end` comes after it and keeps both."""
        trainer._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, *args: Any) -> None:
        metrics = _measured(trainer)
        missed = [math.nan] * len(self.epochs["epoch"])
        self.epochs["epoch"].append(trainer.current_epoch + 1)
        for name in dict.fromkeys([*list(self.epochs)[1:], *metrics]):
            values = self.epochs.setdefault(name, missed.copy())
            values.append(metrics.get(name, math.nan))
        if not math.isfinite(metrics.get("train_loss", 0)):
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            cause = (
                f"The learning rate {rate:g} is probably too high; make a new classifier with a "
                "smaller one."
            )
            if not all(map(math.isfinite, trainer.step_losses[:1])):
                cause = (
                    "It was so at the first step, before anything was learned: look for NaN and "
                    "infinity in the images and in the weights."
                )
            raise DivergenceError(
                f"The loss became {metrics['train_loss']} in epoch {trainer.current_epoch + 1}: "
                f"the network no longer learns. {cause}"
            )


class _EpochLines(ProgressBar):
    """A progress bar for each epoch, which leaves one line behind: loss, accuracy, time."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm | None = None
        self._started = 0.0

    def disable(self) -> None:
        """Show nothing (Lightning does this in all processes but the first)."""
        self._disabled = True

    def enable(self) -> None:
        """Show the bar and the lines."""
        self._disabled = False

    @property
    def is_enabled(self) -> bool:
        return not getattr(self, "_disabled", False)

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        self._started = time.perf_counter()
        self._bar = tqdm(
            total=self.total_train_batches,
            desc=f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}",
            bar_format="{desc} {percentage:3.0f}% {bar} {elapsed} < {remaining}",
            leave=False,
            # A notebook's copy of itself (strategy "ddp_notebook") cannot draw there, only print.
            disable=not self.is_enabled or multiprocessing.parent_process() is not None,
        )

    def on_train_batch_end(self, *args: Any) -> None:
        self._bar.update()

    def on_train_epoch_end(self, trainer: Trainer, *args: Any) -> None:
        self._close()
        if self.is_enabled:
            print(self._line(trainer))

    def on_exception(self, *args: Any) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _line(self, trainer: Trainer) -> str:
        metrics = _measured(trainer)
        line = f"epoch {trainer.current_epoch + 1:2d}/{trainer.max_epochs}"
        for stage in ("train", "validation"):
            if f"{stage}_loss" in metrics:
                line += f"   {stage} loss {metrics[f'{stage}_loss']:.4f}"
            if f"{stage}_accuracy" in metrics:
                line += f", accuracy {metrics[f'{stage}_accuracy']:.3f}"
        return line + f"   ({time.perf_counter() - self._started:.1f} s)"


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    threads, wanted = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")
    torch.set_num_threads(1)
    # Else Lightning gives the copies of a process (ddp_notebook) several, where there are cores
    # enough. OpenMP may wait for ever in a copy that uses several after the original did.
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        del os.environ["OMP_NUM_THREADS"]
        if wanted is not None:
            os.environ["OMP_NUM_THREADS"] = wanted


def _unrecorded(classifier: nn.Module) -> contextlib.AbstractContextManager[Any]:
    """Keep deeplay from recording what is set and called, or the record would hold the trainer.

    deeplay replays its record when a classifier is copied or unpickled.
    """
    return getattr(classifier, "calling_stateful", contextlib.nullcontext)()


@contextlib.contextmanager
def _interruptible(explain: Callable[[], str]) -> Iterator[None]:
    """Turn Lightning's way to end after an interrupt into one line, and hear the next interrupt.

    Lightning would end the process, and leave a kernel that ignores any further interrupt.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    on_interrupt = signal.getsignal(signal.SIGINT) if on_main_thread else None
    try:
        yield
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        if on_main_thread:
            signal.signal(signal.SIGINT, on_interrupt)
        raise InterruptError(explain()) from None


_CHECKPOINTS = "lightning.pytorch.trainer.connectors.checkpoint_connector"


@contextlib.contextmanager
def _readable(checkpoint: Any = None) -> Iterator[None]:
    """Say in one line which batch cannot be put together, or which checkpoint cannot be read."""
    try:
        yield
    except LessonError:
        raise
    except Exception as error:  # of as many kinds as there are faults
        passed = {
            frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)
        }
        reason = one_line(f"{type(error).__name__}: {error}", 160).rstrip(". …")
        of_deeplay = isinstance(error, AssertionError) and dl.Application.__module__ in passed
        if of_deeplay or default_collate.__module__ in passed:
            raise LessonError(
                f"The dataloader cannot make a batch of its images and digits: {reason}. "
                "make_dataloader(images, digits, batch_size=16) takes arrays of both."
            ) from error
        if checkpoint is not None and _CHECKPOINTS in passed:
            raise LessonError(
                f"The checkpoint {checkpoint} cannot be used: {reason}. Give the path of one that "
                "a ModelCheckpoint kept of such a classifier."
            ) from error
        raise


class Measured(dict):
    """Loss and metrics by name, as `Trainer.test` returns them.

    Lightning returns a list of one dictionary for each dataloader; `[0]` is understood here too.
    """

    def __missing__(self, name: object) -> dict[str, float]:
        """Return itself for 0, and say what there is for any other name."""
        if name == 0:
            return self
        raise LessonError(f"The result has no {name!r}. It has {', '.join(map(repr, self))}.")


_SETTINGS = inspect.signature(LightningTrainer.__init__).parameters


def _check_names(where: str, found: Iterable[str], known: Iterable[str]) -> None:
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(known)}."
            raise LessonError(f"{where} has no argument {name!r}. {hint}")


class Trainer(dl.Trainer):
    """deeplay's Trainer, which makes many steps at a time wherever that changes nothing.

    Args:
        max_epochs: How many times each `fit` goes through the training images (-1: until another
            setting or callback ends it).
        accelerator: "auto" uses a GPU if there is one, otherwise the CPU.
        **settings: Any other setting of Lightning's Trainer. Loggers, checkpoints and the model
            summary are off until you ask for them.

    Attributes:
        step_losses: The loss of every mini-batch of the last `fit`, in order.

    Raises:
        LessonError: A setting does not exist or has a wrong value; or the strategy is
            "ddp_notebook" where processes cannot be copied (Windows).
    """

    def __init__(self, max_epochs: int = 1, accelerator: str = "auto", **settings: Any) -> None:
        _check_names("Trainer", settings, list(_SETTINGS)[1:])
        if max_epochs is not None and not (type(max_epochs) is int and max_epochs == -1):
            max_epochs = given.whole_number(max_epochs, "max_epochs")
        callbacks = settings.pop("callbacks", None)
        if not isinstance(callbacks, list | tuple):
            callbacks = [] if callbacks is None else [callbacks]
        callbacks = list(callbacks)
        for callback in callbacks:
            if not isinstance(callback, Callback):
                found = shown(callback)
                raise LessonError(f"callbacks must be Lightning's Callbacks, got {found}.")
        shows_progress = any(isinstance(callback, ProgressBar) for callback in callbacks)
        wanted = settings.get("enable_progress_bar", True)
        if not isinstance(wanted, bool | np.bool_):
            raise LessonError(f"enable_progress_bar must be True or False, got {shown(wanted)}.")
        if wanted and not shows_progress:
            callbacks.append(_EpochLines())
        self._copies = str(settings.get("strategy")) == "ddp_notebook"
        if self._copies and not hasattr(os, "fork"):
            raise LessonError(
                'strategy="ddp_notebook" needs to copy this process, which Windows cannot do. '
                "Train in a script instead: train_distributed.py, beside the lessons, shows how."
            )
        settings.setdefault("logger", False)
        settings.setdefault("enable_model_summary", False)
        settings.setdefault(
            "enable_checkpointing", any(isinstance(c, Checkpoint) for c in callbacks)
        )
        self.settings_given = frozenset(settings)
        self._batch_size: int | None = None
        self._layers: list[nn.Module] = []
        self._steps: DirectSteps | AutogradSteps | None = None
        self._validated = False
        self.step_losses: list[float] = []
        try:
            super().__init__(
                max_epochs=max_epochs,
                accelerator=accelerator,
                callbacks=[*callbacks, _History()],
                **settings,
            )
        except Exception as error:  # Lightning raises many kinds for a wrong setting
            reason = textwrap.shorten(str(error).strip().split("\n")[0], 300, placeholder=" …")
            raise LessonError(f"The trainer cannot be made: {reason}") from error
        self._accumulates: int = settings.get("accumulate_grad_batches", 1)

    @property
    def history(self) -> dict[str, list[float]]:
        """What the last training went through.

        One value per epoch under "epoch", "train_loss", "train_accuracy" and, if there was a
        validation dataloader, "validation_loss" and "validation_accuracy" (NaN for an epoch without
        validation); one value per mini-batch under "step_losses".
        """
        [history] = (callback for callback in self.callbacks if isinstance(callback, _History))
        return {**history.epochs, "step_losses": self.step_losses}

    def fit(
        self,
        model: dl.Classifier,
        train_dataloaders: DataLoader | None = None,
        val_dataloaders: DataLoader | None = None,
        **options: Any,
    ) -> None:
        """Train a classifier for `max_epochs` epochs, from its weights as they are.

        Args:
            model: The classifier.
            train_dataloaders: The dataloader of the training images.
            val_dataloaders: The dataloader of the validation images, if any: tested each epoch.
            **options: Any other argument of Lightning's `Trainer.fit`, such as `ckpt_path`, which
                goes on where a checkpoint ended.

        Raises:
            LessonError: If an argument is not what it should be, if the training is interrupted
                (the classifier keeps what it has learned), or if the loss is not a finite number
                at the end of an epoch.
        """
        _check_names("fit", options, ("datamodule", "ckpt_path", "weights_only"))
        _check_classifier(model, "fit(classifier, train_dataloader)")
        _check_dataloader(train_dataloaders, "train_dataloader", options)
        if val_dataloaders is not None:
            _check_dataloader(val_dataloaders, "validation_dataloader", {})
        if self._copies and torch.cuda.is_initialized():
            raise LessonError(
                'strategy="ddp_notebook" copies this process, and one that has used a graphics '
                "card cannot be copied. Restart the kernel, and train with it first; where you "
                'want no graphics card, hide it before: os.environ["CUDA_VISIBLE_DEVICES"] = "".'
            )
        checkpoint = _checkpoint(options)
        resumes = checkpoint is not None
        if not resumes:
            start_over(self)
        for callback in self.callbacks:
            if isinstance(callback, _History):
                callback.__init__()
            elif isinstance(callback, GradientAccumulationScheduler):
                self.accumulate_grad_batches = self._accumulates
            elif isinstance(callback, EarlyStopping | ModelCheckpoint | Timer):
                # What it has seen belongs to one training, also where two trainers have it.
                state = deepcopy(callback.state_dict())
                fresh = vars(callback).setdefault("_state_before_any_fit", state)
                if not resumes:
                    here = {"dirpath": callback.dirpath} if "dirpath" in fresh else {}
                    callback.load_state_dict(deepcopy(fresh) | here)
        self.step_losses = []
        self._batch_size, self._layers, self._steps = None, [], None
        steps = _length(train_dataloaders)
        try:
            self._layers = _GATE.check(self, model, train_dataloaders, resumes)
        except OrdinaryWay as reason:
            if self.is_global_zero:
                print(f"One step at a time, in Lightning's ordinary way, because {reason}.")
        else:
            self._batch_size = train_dataloaders.batch_sampler.batch_size
            on_cpu = self.strategy.root_device.type == "cpu"
            train_dataloaders = grouped(train_dataloaders, indices=on_cpu)

        def explain() -> str:
            of_steps = f" of {steps * self.max_epochs:,}" if steps and self.max_epochs > 0 else ""
            return (
                f"Training was interrupted after step {self.global_step:,}{of_steps}. The "
                "classifier keeps what it has learned so far, and another fit goes on from there; "
                "to start anew, make a new classifier first."
            )

        every = self.log_every_n_steps
        if self._batch_size is not None:
            self.log_every_n_steps = 1  # nothing is logged by steps: Lightning need not warn of it
        try:
            with (
                self._threads(),
                _unrecorded(model),
                _interruptible(explain),
                _readable(checkpoint),
            ):
                super().fit(model, train_dataloaders, val_dataloaders, **options)
        finally:
            self.log_every_n_steps = every

    def test(
        self,
        model: dl.Classifier | None = None,
        dataloaders: DataLoader | None = None,
        **options: Any,
    ) -> Measured:
        """Measure loss and metrics of a classifier on images it was not trained on.

        Args:
            model: The classifier; by default the one that was trained last.
            dataloaders: The dataloader of the test images.
            **options: Any other argument of Lightning's `Trainer.test`.

        Returns:
            "test_loss", "test_accuracy" and any other metric of the classifier, by name.

        Raises:
            LessonError: If an argument is not what it should be, or the testing is interrupted.
        """
        _check_names("test", options, ("ckpt_path", "verbose", "datamodule", "weights_only"))
        if isinstance(model, DataLoader) and dataloaders is None and self.lightning_module:
            model, dataloaders = None, model
        if model is None:
            model = self.lightning_module
            if model is None:
                raise LessonError("test needs a classifier: write test(classifier, dataloader).")
        _check_classifier(model, "test(classifier, test_dataloader)")
        _check_dataloader(dataloaders, "test_dataloader", options)
        dataloaders = self._larger_batches(model, dataloaders)
        options.setdefault("verbose", False)
        interrupted = _interruptible(lambda: "Testing was interrupted: run it again.")
        with self._threads(), _unrecorded(model), interrupted, _readable(_checkpoint(options)):
            return Measured(super().test(model, dataloaders, **options)[0])

    def _larger_batches(self, model: Any, dataloader: Any) -> Any:
        """Return a dataloader of larger batches where that changes nothing but the time."""
        try:
            _GATE.check_any_batch_size(model)
            _GATE.check_trainer(self)
            dataloader_is_known(dataloader)
        except OrdinaryWay:
            return dataloader
        if self.limit_test_batches != 1.0 or isinstance(self.limit_test_batches, int):
            return dataloader
        return grouped(dataloader, images=1000)

    def validate(
        self,
        model: dl.Classifier | None = None,
        dataloaders: DataLoader | None = None,
        **options: Any,
    ) -> list:
        """Validate as Lightning does; a wrong call or an interrupt is one line."""
        self._check_use("validate", model, dataloaders, options)
        interrupted = _interruptible(lambda: "Validation was interrupted: run it again.")
        with self._threads(), _unrecorded(model), interrupted, _readable(_checkpoint(options)):
            return super().validate(model, dataloaders, **options)

    def predict(
        self,
        model: dl.Classifier | None = None,
        dataloaders: DataLoader | None = None,
        **options: Any,
    ) -> list | None:
        """Predict as Lightning does; a wrong call or an interrupt is one line."""
        self._check_use("predict", model, dataloaders, options)
        interrupted = _interruptible(lambda: "Predicting was interrupted: run it again.")
        with self._threads(), _unrecorded(model), interrupted, _readable(_checkpoint(options)):
            return super().predict(model, dataloaders, **options)

    def _check_use(self, what: str, model: Any, dataloaders: Any, options: dict[str, Any]) -> None:
        """Check the call of one of Lightning's own ways to use a network."""
        if model is None:
            model = self.lightning_module
        _check_classifier(model, f"{what}(classifier, dataloader)")
        _check_dataloader(dataloaders, f"{what}_dataloader", options)

    def _threads(self) -> contextlib.AbstractContextManager:
        on_cpu = self.strategy.root_device.type == "cpu"
        return _one_thread() if on_cpu else contextlib.nullcontext()


def _length(dataloader: Any) -> int | None:
    """Return the number of batches, None where a dataloader does not know it."""
    try:
        return len(dataloader)
    except TypeError:
        return None


def _check_dataloader(dataloader: Any, name: str, options: Mapping[str, Any]) -> None:
    """Raise unless it is a dataloader with batches, or one of Lightning's modules has them."""
    in_module = dataloader is None and options.get("datamodule")
    if in_module or isinstance(dataloader, LightningDataModule):
        return
    given.dataloader(dataloader, name)
    if _length(dataloader) == 0:
        verb = name.split("_")[0].replace("validation", "validate")
        raise LessonError(f"{name} holds no batch: there is nothing to {verb} on.")


def _checkpoint(options: Mapping[str, Any]) -> Any:
    """Return what is given as a checkpoint, or None where none is.

    Raises:
        LessonError: It is neither the path of a file nor one of Lightning's names for one.
    """
    path = options.get("ckpt_path")
    # Lightning also knows addresses, "registry:..." or "s3://...".
    known = isinstance(path, str) and (path in ("best", "last", "hpc") or ":" in path[2:])
    if path is not None and not known:
        file = storage.given_path(path, "a checkpoint", "checkpoints/last.ckpt")
        if not os.path.isfile(file):  # noqa: PTH113, for it takes names that are too long, too
            raise LessonError(
                f"There is no checkpoint {path}: give the path of one that a ModelCheckpoint kept."
            )
    return path


def _check_classifier(model: Any, call: str) -> None:
    """Raise if a trainer cannot work with what it is given for a classifier."""
    if isinstance(model, DataLoader):
        raise LessonError(f"The classifier comes first, then the dataloader: write {call}.")
    given.classifier(model)
    if not isinstance(model, LightningModule):
        raise LessonError(
            f"classifier must be a classifier, got a {type(model).__name__}. A recipe makes one of "
            "it: Config().model(…).loss(…).optimizer(…).create(Classifier)."
        )
    loss = getattr(model, "loss", None)
    if (
        isinstance(loss, LOSSES_OF_TEN_TARGETS)
        and not getattr(model, "make_targets_one_hot", True)
        and type(model).compute_loss is dl.Classifier.compute_loss
    ):
        raise LessonError(
            f"{type(loss).__name__} compares ten outputs with ten targets, and a digit is one "
            "number: add .make_targets_one_hot(True) to the recipe."
        )


_GATE = Gate(Classifier, Trainer, (_History, _EpochLines))


# --- predictions ---


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Use a network without training it, and leave each of its modules in the mode it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad(), _unrecorded(network):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def predict(classifier: nn.Module, dataloader: DataLoader) -> tuple[Tensor, Tensor]:
    """Compute what a classifier says about all images of a dataloader.

    Args:
        classifier: The classifier, trained or not.
        dataloader: The images and their digits, in the order in which they come back.

    Returns:
        The outputs, float32 of shape (N, 10), and the digits, int64 of shape (N,), on the CPU. The
        predicted digits are `outputs.argmax(dim=1)`.

    Raises:
        LessonError: If one of them is something else, or they do not fit one another.
    """
    if isinstance(classifier, DataLoader):
        raise LessonError(
            "The classifier comes first, then the dataloader: predict(classifier, dataloader)."
        )
    given.classifier(classifier)
    given.dataloader(dataloader, "dataloader")
    device = next((p.device for p in classifier.parameters()), torch.device("cpu"))
    outputs, digits = [], []
    with evaluating(classifier), _one_thread(), _readable():
        for batch_images, batch_digits in _batches_of_1000(classifier, dataloader):
            with _explained(classifier, batch_images):
                outputs.append(classifier(batch_images.to(device)).cpu())
            digits.append(batch_digits)
    if not outputs:
        raise LessonError("dataloader holds no batch: there is nothing to predict.")
    return torch.cat(outputs), torch.cat(digits)


def _batches_of_1000(classifier: nn.Module, dataloader: DataLoader) -> Iterable:
    """Yield a dataloader's images and digits, 1000 at a time where that changes nothing.

    A network that may write into its input gets a copy.
    """
    try:
        layers = _GATE.check_any_batch_size(classifier)
        dataloader_is_known(dataloader)
    except OrdinaryWay:
        for batch in dataloader:
            images, digits = _pair(batch)
            yield images.clone(), digits
        return
    dataset = dataloader.dataset
    as_they_are = (
        type(dataset) is ImagesAndDigits
        and type(dataloader.sampler) is SequentialSampler
        and not dataloader.drop_last
        and not any(getattr(layer, "inplace", False) for layer in layers)
    )
    if as_they_are:  # nothing has to be picked out and copied
        yield from zip(dataset.images.split(1000), dataset.digits.split(1000), strict=True)
    else:
        yield from grouped(dataloader, images=1000)


# --- saved networks ---


def _rules(config: Config) -> list[str]:
    if not isinstance(config, Config):
        raise LessonError(f"config is {shown(config)}, but it must be a recipe: Config().…")
    return list(difference(Config(), config).added)


def save_classifier(
    classifier: dl.Classifier, config: Config, path: str | os.PathLike[str]
) -> Path:
    """Save the weights of a classifier together with the recipe that made it.

    The file replaces an earlier saved network only when it is complete, and never anything else.

    Args:
        classifier: The classifier.
        config: Its recipe.
        path: Where to save it; folders are made as needed. Where `saved/` beside the notebook
            cannot be written, a network that belongs there goes to the user's own data folder,
            which a line says.

    Returns:
        The path of the file.

    Raises:
        LessonError: If `classifier` is no classifier or does not fit `config`, if a weight is NaN
            or infinite, if something else is at `path`, or if the file cannot be written (no
            permission, a full disk, ...).
    """
    if not isinstance(classifier, dl.Classifier):
        raise LessonError(
            f"save_classifier(classifier, config, path) got {shown(classifier)} as the classifier."
        )
    recipe = _rules(config)
    path = storage.given_path(path, "a file", "saved/network.pt")
    with torch.random.fork_rng(devices=[]):  # saving must not change what is trained next
        expected = config.create(Classifier)
    weights = classifier.state_dict()
    unfit = _unfit(weights, expected) or _other_layers(classifier, expected)
    if unfit:
        raise LessonError(
            f"The network was not saved as {path}: {unfit}. Give the recipe that the classifier "
            "was made from, and a classifier whose training went well."
        )
    content = io.BytesIO()

    def write(file: Path) -> Path:
        if not _may_be_replaced(file):
            raise LessonError(
                f"{file} is there already, and is no saved network: choose another name."
            )
        with storage.replacing(file) as replacement:
            replacement.write(content.getbuffer())
        return file

    try:
        torch.save({"recipe": recipe, "weights": weights}, content)
        return storage.keep(path, write)
    except (OSError, RuntimeError) as error:
        known = isinstance(error, OSError)
        why = storage.reason(error) if known else " ".join(str(error).split())
        raise LessonError(
            f"The network could not be saved as {path}: {why}. Free some space or choose another "
            "folder; an earlier file of that name is untouched."
        ) from error


def _may_be_replaced(file: Path) -> bool:
    """Say whether nothing is there, or what begins like a saved network."""
    try:
        with storage.open_plain(file) as earlier:
            start = earlier.read(200)
    except FileNotFoundError:
        return True
    # Other files of torch, such as Lightning's checkpoints, hold something else first.
    ours = (b"/data.pkl", b"recipe")
    return not start or (start.startswith(b"PK") and all(name in start for name in ours))


def load_classifier(config: Config, path: str | os.PathLike[str]) -> Classifier:
    """Load a classifier that `save_classifier` saved.

    Args:
        config: The recipe that it was made from.
        path: The file. One that `save_classifier` had to put elsewhere is found there.

    Returns:
        The classifier with its trained weights.

    Raises:
        LessonError: If there is no such file, if it may not be read, if it is damaged or no saved
            network, or if it was saved from another recipe (the message names the first rule that
            differs).
    """
    wanted = _rules(config)
    path = storage.given_path(path, "a file", "saved/network.pt")
    try:
        path = storage.find(path)
        # A link is followed when reading, but not to a pipe or a device.
        file = storage.open_plain(Path(os.path.realpath(path)))
    except FileNotFoundError as error:
        raise LessonError(
            f"There is no saved network {path}: train one and save it first."
        ) from error
    except OSError as error:
        raise LessonError(
            f"{path} cannot be read: {storage.reason(error)}. Give the path of a network that you "
            "may read, or train one and save it under another name."
        ) from error
    classifier = config.create(Classifier)
    expected = classifier.state_dict().values()
    try:
        with file:
            if not any(map(is_lazy, expected)):
                _check_size(file, sum(weights.nbytes for weights in expected))
            saved = torch.load(file, weights_only=True, map_location="cpu")
        found, weights = dict(saved)["recipe"], saved["weights"]
    except Exception as error:  # torch raises many kinds for a damaged or foreign file
        what = error if isinstance(error, _TooLargeError) else type(error).__name__
        raise LessonError(_damaged(path, what)) from error
    if not isinstance(found, list) or not all(isinstance(rule, str) for rule in found):
        raise LessonError(_damaged(path, "its recipe is no list of rules"))
    if not isinstance(weights, dict):
        raise LessonError(_damaged(path, "it holds no weights by name"))
    if set(wanted) != set(found):
        theirs = next(
            (" ".join(rule.split()) for rule in found if rule not in wanted), "no such rule"
        )
        ours = next((rule for rule in wanted if rule not in found), "no such rule")
        raise LessonError(
            f"{path} was saved from another recipe: it has {theirs}, yours has {ours}. Load it "
            "with its own recipe, or train and save the network again."
        )
    if unfit := _unfit(weights, classifier):
        raise LessonError(_damaged(path, unfit))
    classifier.load_state_dict(weights)
    storage.networks_loaded[path] = None
    return classifier.eval()


class _TooLargeError(Exception):
    """A file unpacks to more than the weights that it should hold."""


def _check_size(file: BinaryIO, expected: int) -> None:
    """Raise if a file unpacks to far more bytes than expected, before it does."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        size = os.fstat(file.fileno()).st_size
    file.seek(0)
    if size > 2 * expected + 1_000_000:
        raise _TooLargeError(f"it unpacks to {size:,} bytes, where {expected:,} are expected")


def _damaged(path: Path, what: object) -> str:
    return (
        f"{path} is damaged or is not a saved network ({what}): move it elsewhere or delete it, "
        "then train and save the network again."
    )


def _unfit(weights: dict[Any, Any], classifier: dl.Classifier) -> str:
    """Say which weights a classifier of this recipe cannot have; "" if all fit."""
    expected = classifier.state_dict()
    for name in [*expected, *(name for name in weights if name not in expected)]:
        found, wanted = weights.get(name), expected.get(name)
        if wanted is None:
            return f"the recipe has no weights {shown(name)}"
        if not isinstance(found, Tensor) or found.layout != torch.strided or found.is_meta:
            return f"there are no weights {name}"
        if is_lazy(wanted):  # it takes its shape from the first image
            wanted = torch.empty_like(found, dtype=wanted.dtype)
        if found.shape != wanted.shape or found.dtype != wanted.dtype:
            return (
                f"the weights {name} are {found.dtype} of shape {tuple(found.shape)}, and the "
                f"recipe's {wanted.dtype} of shape {tuple(wanted.shape)}"
            )
        if found.is_floating_point() and not found.isfinite().all():
            return f"the weights {name} are not all finite numbers"
    return ""


def _other_layers(classifier: dl.Classifier, expected: dl.Classifier) -> str:
    """Say which layer the recipe would not have made; "" if there is none."""
    # A layer without weights, as an activation, does not show in the weights.
    layers, theirs = (
        [type(part) for part in made.model.modules() if not any(part.children())]
        for made in (classifier, expected)
    )
    for layer, other in zip(layers, theirs, strict=False):
        if layer is not other and not issubclass(other, LazyModuleMixin):
            return f"it has {layer.__name__} where the recipe has {other.__name__}"
    return ""
