"""Training, testing and predicting with deeplay's Classifier and Trainer, without the waiting.

A network as small as the one in these lessons needs microseconds for one step, and Lightning's and
deeplay's bookkeeping around the step (logging, metrics, hooks, deeplay's record of every attribute
that is set) needs several times as long. The lessons therefore train with two thin subclasses:

* `Classifier` hands Lightning many mini-batches at once and makes one optimizer step for each of
  them inside a single `training_step` (Lightning calls this "manual optimization"). The optimizer
  is the same `torch.optim` object, the mini-batches come in the same order, and the layers are the
  same layers called in the same order, so the weights after training are bit for bit those of
  plain `dl.Classifier` and `dl.Trainer`; only the bookkeeping is done once for many steps.
* `Trainer` decides when that is possible. Where it is not (several devices, gradient accumulation
  or clipping, callbacks that want to see each batch, ...), it steps aside: deeplay and Lightning
  then train in their ordinary way.

On a CPU both use one thread: matrices this small are no faster on two, and thirty people can share
one machine. `benchmarks/` measures all of this.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import deeplay as dl
import numpy as np
import torch
from deeplay.callbacks import LogHistory
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, ProgressBar
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler, SequentialSampler
from tqdm.auto import tqdm

from helpers import storage
from helpers.config import Config, difference
from helpers.errors import LessonError, shown

# A group of mini-batches: large enough that the bookkeeping vanishes, small enough that the images
# stay in the processor's cache and the progress bar moves several times a second.
_IMAGES_PER_GROUP = 4096
_STEPS_PER_GROUP = 1024


# --- dataloaders ---


class _ImagesAndDigits(Dataset):
    """Images and digits in memory, which a DataLoader fetches by whole batches."""

    def __init__(self, images: Tensor, digits: Tensor) -> None:
        self.images, self.digits = images, digits

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.digits[index]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        chosen = torch.as_tensor(indices)
        return self.images[chosen], self.digits[chosen]


def _identity(batch: Any) -> Any:
    return batch


def make_dataloader(
    images: np.ndarray, digits: np.ndarray, batch_size: int = 1, shuffle: bool = False
) -> DataLoader:
    """Make the dataloader that hands images and digits to a trainer, a batch at a time.

    Args:
        images: Floating-point array of shape (N, 28, 28), values in [0, 1].
        digits: Integer array of shape (N,), values 0 to 9.
        batch_size: Images in a batch; the last batch holds what is left over.
        shuffle: Whether to draw a new random order for each epoch (torch's random numbers).

    Returns:
        A `torch.utils.data.DataLoader` of pairs: images, float32 of shape (batch_size, 28, 28), and
        digits, int64 of shape (batch_size,).

    Raises:
        LessonError: If an argument has a wrong shape, type or range; it says which.
    """
    images, digits = np.asarray(images), np.asarray(digits)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise LessonError(f"`images` has shape {images.shape}; expected (N, 28, 28).")
    if len(images) == 0:
        raise LessonError("`images` is empty: a dataloader needs at least one image.")
    if digits.shape != (len(images),):
        raise LessonError(
            f"`digits` has shape {digits.shape}; expected ({len(images)},): one digit per image."
        )
    if not np.issubdtype(digits.dtype, np.integer):
        raise LessonError(f"`digits` has dtype {digits.dtype}; expected whole numbers, like int64.")
    if digits.min() < 0 or digits.max() > 9:
        raise LessonError(
            f"`digits` goes from {digits.min()} to {digits.max()}; expected digits from 0 to 9."
        )
    if images.dtype == np.uint8 or images.max() > 1.5:
        raise LessonError(
            f"`images` goes up to {images.max():g}; expected gray values from 0 to 1. "
            "Divide the images by 255."
        )
    if not np.issubdtype(images.dtype, np.floating):
        raise LessonError(f"`images` has dtype {images.dtype}; expected float32.")
    if not np.isfinite(images).all():
        raise LessonError("`images` holds pixels that are NaN or infinite; expected 0 to 1.")
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise LessonError(f"`batch_size` is {batch_size!r}; expected a whole number, 1 or more.")
    dataset = _ImagesAndDigits(
        torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32)),
        torch.from_numpy(np.ascontiguousarray(digits, dtype=np.int64)),
    )
    return DataLoader(dataset, batch_size=batch_size, shuffle=shuffle, collate_fn=_identity)


class _GroupedBatches(Sampler):
    """The indices of several consecutive batches at a time, in the order of `batches`."""

    def __init__(self, batches: BatchSampler, group: int) -> None:
        self.batches, self.group = batches, group

    def __len__(self) -> int:
        return math.ceil(len(self.batches) / self.group)

    def __iter__(self) -> Iterator[list[int]]:
        batches = iter(self.batches)
        while indices := list(chain.from_iterable(islice(batches, self.group))):
            yield indices


def _can_group(dataloader: Any) -> bool:
    return (
        type(dataloader) is DataLoader
        and isinstance(dataloader.dataset, _ImagesAndDigits)
        and type(dataloader.batch_sampler) is BatchSampler
        and dataloader.num_workers == 0
    )


def _grouped(dataloader: DataLoader, images: int = _IMAGES_PER_GROUP) -> DataLoader:
    """Return a dataloader of the same images in the same order, several batches at a time."""
    group = max(1, min(images // dataloader.batch_size, _STEPS_PER_GROUP))
    return DataLoader(
        dataloader.dataset,
        batch_sampler=_GroupedBatches(dataloader.batch_sampler, group),
        collate_fn=_identity,
        generator=dataloader.generator,
    )


# --- the classifier ---


def _plain_chain(model: nn.Module, images: Tensor) -> list[Callable[[Tensor], Tensor]] | None:
    """Find the succession of layers that `model` amounts to, or None if it is more than that.

    Calling the layers directly gives the same numbers as calling `model`, without the bookkeeping
    that deeplay does around them.
    """
    if any(True for _ in model.buffers()):
        return None  # watching a layer with a state of its own (batch norm) would change that state
    calls = []

    def watch(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        if not any(True for _ in module.children()):
            calls.append((module, inputs, output))

    handle = nn.modules.module.register_module_forward_hook(watch)
    try:
        with torch.random.fork_rng(), torch.no_grad():
            last = model(images)
    finally:
        handle.remove()
    value = images
    for module, inputs, output in calls:
        if len(inputs) != 1 or inputs[0] is not value or module._forward_hooks:
            return None
        value = output
    return [module.forward for module, _, _ in calls] if value is last else None


def _bare_step(optimizer: torch.optim.Optimizer) -> Callable[[], Any]:
    """Return what `optimizer.step` does to the weights, without what torch does around it.

    torch wraps a step for its profiler and for hooks; and RMSprop and Adam ask in every step
    whether a GPU is recording it, for which a computer without one searches its disk.
    """
    if (
        not type(optimizer).__module__.startswith("torch.optim.")
        or "step" in vars(optimizer)  # a learning rate's schedule counts the steps
        or optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
    ):
        return optimizer.step
    if not torch.cuda.is_available():
        optimizer._accelerator_graph_capture_health_check = lambda: None
        optimizer._cuda_graph_capture_health_check = lambda: None  # its name in earlier torch
    return torch.no_grad()(partial(inspect.unwrap(type(optimizer).step), optimizer))


class Classifier(dl.Classifier):
    """deeplay's Classifier, which logs once an epoch and can make many steps at a time.

    Create it from a recipe: `classifier_config.create(Classifier)`. It takes the arguments of
    `dl.Classifier`, logs `train_loss`, `train_accuracy`, `validation_loss`, ..., and trains to the
    same weights.
    """

    @property
    def automatic_optimization(self) -> bool:
        """Whether Lightning makes the optimizer steps; False when a group of them is at hand."""
        return getattr(self._trainer, "_batch_size", None) is None

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor | None:
        """Make the optimizer steps of a group of mini-batches, or leave one step to Lightning."""
        if self.automatic_optimization:
            return self._step("train", batch)
        images, digits = batch
        self._many_steps(images, digits, self.trainer._batch_size)
        return None

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Log the loss and the metrics of a batch of validation images."""
        self._step("validation", batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Log the loss and the metrics of a batch of test images."""
        self._step("test", batch)

    def _step(self, stage: str, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, digits = self.train_preprocess(batch)
        with self.calling_stateful():  # keeps deeplay from recording every forward pass
            outputs = self(images)
        loss = self.compute_loss(outputs, digits)
        self._log(stage, loss.detach(), outputs.detach(), digits)
        return loss

    def _many_steps(self, images: Tensor, digits: Tensor, batch_size: int) -> None:
        optimizer = self.optimizers(use_pl_optimizer=False)
        layers = _plain_chain(self.model, images[:batch_size]) or [self.model]
        targets = digits
        compute_loss = self.compute_loss
        if type(self).compute_loss is dl.Classifier.compute_loss:
            compute_loss = self.loss
            if self.make_targets_one_hot:
                targets = nn.functional.one_hot(digits, self.num_classes or -1).float()
        step = _bare_step(optimizer)
        parameters = [each for group in optimizer.param_groups for each in group["params"]]
        outputs, losses = [], []
        try:
            with self.calling_stateful():
                for inputs, target in zip(
                    images.split(batch_size), targets.split(batch_size), strict=True
                ):
                    output = inputs
                    for layer in layers:
                        output = layer(output)
                    loss = compute_loss(output, target)
                    for parameter in parameters:
                        parameter.grad = None
                    loss.backward()
                    step()
                    outputs.append(output.detach())
                    losses.append(loss.detach())
        finally:
            # Also when the learner interrupts: the steps made so far are made.
            self.trainer._count_steps(len(losses))
        losses = torch.stack(losses)
        self.trainer.step_losses.extend(losses.tolist())
        weights = torch.full_like(losses, batch_size)
        weights[-1] = len(digits) - batch_size * (len(losses) - 1)
        self._log("train", (losses * weights).sum() / len(digits), torch.cat(outputs), digits)

    def _log(self, stage: str, loss: Tensor, outputs: Tensor, digits: Tensor) -> None:
        metrics = getattr(self, f"{stage.replace('validation', 'val')}_metrics")
        metrics.update(*self.metrics_preprocess(outputs, digits))
        values = {"loss": loss}
        for name, metric in metrics.items(keep_base=True):
            values["accuracy" if name == "MulticlassAccuracy" else name] = metric
        for name, value in values.items():
            self.log(
                f"{stage}_{name}",
                value,
                on_step=False,
                on_epoch=True,
                batch_size=len(digits),
                sync_dist=name == "loss",
            )


# --- the trainer ---


class _History(LogHistory):
    """Keeps loss and metrics of each epoch, and says so when training has gone astray."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: dict[str, list[float]] = {"epoch": []}

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        if trainer._batch_size is None:
            loss = args[1]["loss"] if isinstance(args[1], dict) else args[1]
            trainer.step_losses.append(float(loss))

    def on_validation_epoch_end(self, trainer: Trainer, *args: Any) -> None:
        """Nothing to keep: `on_train_epoch_end` comes after it and keeps both."""

    def on_train_epoch_end(self, trainer: Trainer, *args: Any) -> None:
        metrics = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if name.startswith(("train_", "validation_"))
        }
        self.epochs["epoch"].append(trainer.current_epoch + 1)
        for name, value in metrics.items():
            self.epochs.setdefault(name, []).append(value)
        if not math.isfinite(metrics.get("train_loss", 0)):
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            raise LessonError(
                f"The loss became {metrics['train_loss']} in epoch {trainer.current_epoch + 1}: "
                f"the network no longer learns. The learning rate {rate:g} is probably too high; "
                "make a new classifier with a smaller one."
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
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        line = f"epoch {trainer.current_epoch + 1:2d}/{trainer.max_epochs}"
        for stage in ("train", "validation"):
            if f"{stage}_loss" in metrics:
                line += f"   {stage} loss {metrics[f'{stage}_loss']:.4f}"
            if f"{stage}_accuracy" in metrics:
                line += f", accuracy {metrics[f'{stage}_accuracy']:.3f}"
        return line + f"   ({time.perf_counter() - self._started:.1f} s)"


def _watches_batches(callback: Callback) -> bool:
    """Whether a callback wants to be called at each step, which a group of steps cannot do."""
    if isinstance(callback, (_History, _EpochLines)):
        return False
    if type(callback) is ModelCheckpoint:
        return bool(callback._every_n_train_steps or callback._train_time_interval)
    hooks = (
        "on_train_batch_start",
        "on_train_batch_end",
        "on_before_zero_grad",
        "on_before_backward",
        "on_after_backward",
        "on_before_optimizer_step",
    )
    return any(getattr(type(callback), hook) is not getattr(Callback, hook) for hook in hooks)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Trainer(dl.Trainer):
    """deeplay's Trainer, which makes many steps at a time wherever that changes nothing.

    Args:
        max_epochs: How many times to go through the training images.
        accelerator: "auto" uses a GPU if there is one, otherwise the CPU.
        **settings: Any other setting of Lightning's Trainer. Loggers, checkpoints and the model
            summary are off until you ask for them.

    Attributes:
        step_losses: The loss of every optimizer step of the last `fit`, in order.

    Raises:
        LessonError: The strategy is "ddp_notebook" where processes cannot be copied (Windows).
    """

    def __init__(self, max_epochs: int = 1, accelerator: str = "auto", **settings: Any) -> None:
        callbacks = settings.pop("callbacks", None) or []
        callbacks = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
        shows_progress = any(isinstance(callback, ProgressBar) for callback in callbacks)
        if settings.get("enable_progress_bar", True) and not shows_progress:
            callbacks.append(_EpochLines())
        if settings.get("strategy") == "ddp_notebook" and not hasattr(os, "fork"):
            raise LessonError(
                'strategy="ddp_notebook" needs to copy this process, which Windows cannot do. '
                "Train in a script instead: train_distributed.py, beside the lessons, shows how."
            )
        settings.setdefault("logger", False)
        settings.setdefault("enable_model_summary", False)
        settings.setdefault(
            "enable_checkpointing", any(isinstance(c, ModelCheckpoint) for c in callbacks)
        )
        self._batch_size: int | None = None
        self.step_losses: list[float] = []
        super().__init__(
            max_epochs=max_epochs,
            accelerator=accelerator,
            callbacks=[*callbacks, _History()],
            **settings,
        )

    @property
    def history(self) -> dict[str, list[float]]:
        """What the last training went through.

        One value per epoch under "epoch", "train_loss", "train_accuracy" and, if there was a
        validation dataloader, "validation_loss" and "validation_accuracy"; one value per optimizer
        step under "step_losses".
        """
        return {**super().history.epochs, "step_losses": self.step_losses}

    def fit(
        self,
        model: dl.Classifier,
        train_dataloaders: DataLoader | None = None,
        val_dataloaders: DataLoader | None = None,
        **options: Any,
    ) -> None:
        """Train a classifier.

        Args:
            model: The classifier.
            train_dataloaders: The dataloader of the training images.
            val_dataloaders: The dataloader of the validation images, if any: tested each epoch.
            **options: Any other argument of Lightning's `Trainer.fit`, such as `ckpt_path`.

        Raises:
            LessonError: If the training is interrupted (the classifier keeps what it has learned),
                or if the loss is not a finite number at the end of an epoch.
        """
        for callback in self.callbacks:
            if isinstance(callback, _History):
                callback.__init__()
        self.step_losses = []
        self._batch_size = None
        if self._can_make_many_steps(model, train_dataloaders):
            self._batch_size = train_dataloaders.batch_size
            steps = len(train_dataloaders)
            train_dataloaders = _grouped(train_dataloaders)
        else:
            steps = len(train_dataloaders) if hasattr(train_dataloaders, "__len__") else None
        on_main_thread = threading.current_thread() is threading.main_thread()
        on_interrupt = signal.getsignal(signal.SIGINT) if on_main_thread else None
        try:
            with self._threads():
                super().fit(model, train_dataloaders, val_dataloaders, **options)
        except SystemExit:
            # Lightning's way to end after an interrupt, which would leave a kernel that ignores
            # any further one.
            if on_main_thread:
                signal.signal(signal.SIGINT, on_interrupt)
            of_steps = f" of {steps * self.max_epochs:,}" if steps else ""
            raise LessonError(
                f"Training was interrupted after step {self.global_step:,}{of_steps}. The "
                "classifier keeps what it has learned so far; run the cell again to start anew."
            ) from None

    def test(
        self, model: dl.Classifier, dataloaders: DataLoader, **options: Any
    ) -> dict[str, float]:
        """Measure loss and metrics of a classifier on images it was not trained on.

        Args:
            model: The classifier.
            dataloaders: The dataloader of the test images.
            **options: Any other argument of Lightning's `Trainer.test`.

        Returns:
            "test_loss", "test_accuracy" and any other metric of the classifier, by name.
        """
        options.setdefault("verbose", False)
        if _can_group(dataloaders) and dataloaders.batch_size < 1000:
            dataloaders = make_dataloader(
                dataloaders.dataset.images, dataloaders.dataset.digits, batch_size=1000
            )
        with self._threads():
            return super().test(model, dataloaders, **options)[0]

    def _threads(self) -> contextlib.AbstractContextManager:
        on_cpu = self.strategy.root_device.type == "cpu"
        return _one_thread() if on_cpu else contextlib.nullcontext()

    def _can_make_many_steps(self, model: Any, dataloader: Any) -> bool:
        own_hooks = ("training_step", "configure_optimizers", "optimizer_step", "backward")
        return (
            isinstance(model, Classifier)
            and all(
                inspect.getattr_static(type(model), hook)
                is inspect.getattr_static(Classifier, hook)
                for hook in own_hooks
            )
            and _can_group(dataloader)
            and self.world_size == 1
            and self.precision == "32-true"
            and self.accumulate_grad_batches == 1
            and not self.gradient_clip_val
            and self.max_steps == -1
            and self.limit_train_batches == 1.0
            and self.overfit_batches == 0
            and self.val_check_interval == 1.0
            and not self.fast_dev_run
            and not self._detect_anomaly
            and not any(_watches_batches(callback) for callback in self.callbacks)
        )

    def _count_steps(self, steps: int) -> None:
        # What Lightning's own optimizer wrapper would count: `global_step`, checkpoints and
        # messages are based on it.
        progress = self.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        progress.total.ready += steps
        progress.total.completed += steps


# --- predictions ---


def predict(classifier: dl.Classifier, dataloader: DataLoader) -> tuple[Tensor, Tensor]:
    """Compute what a classifier says about all images of a dataloader.

    Args:
        classifier: The classifier, trained or not.
        dataloader: The images and their digits, in the order in which they come back.

    Returns:
        The outputs, float32 of shape (N, 10), and the digits, int64 of shape (N,), on the CPU. The
        predicted digits are `outputs.argmax(dim=1)`.
    """
    batches = dataloader
    in_order = type(dataloader.sampler) is SequentialSampler and not dataloader.drop_last
    if _can_group(dataloader) and in_order:
        dataset = dataloader.dataset  # in order, so that nothing has to be picked out and copied
        batches = zip(dataset.images.split(1000), dataset.digits.split(1000), strict=True)
    elif _can_group(dataloader):
        batches = _grouped(dataloader, images=1000)
    outputs, digits = [], []
    was_training = classifier.training
    classifier.eval()
    try:
        with torch.no_grad(), _one_thread(), classifier.calling_stateful():
            for batch_images, batch_digits in batches:
                outputs.append(classifier(batch_images.to(classifier.device)).cpu())
                digits.append(batch_digits)
    finally:
        classifier.train(was_training)
    return torch.cat(outputs), torch.cat(digits)


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
    return not start or (start.startswith(b"PK") and b"/data.pkl" in start)


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
    try:
        with file:
            saved = torch.load(file, weights_only=True, map_location="cpu")
        found, weights = dict(saved)["recipe"], saved["weights"]
    except Exception as error:  # torch raises many kinds for a damaged or foreign file
        raise LessonError(_damaged(path, type(error).__name__)) from error
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
    classifier = config.create(Classifier)
    if unfit := _unfit(weights, classifier):
        raise LessonError(_damaged(path, unfit))
    classifier.load_state_dict(weights)
    storage.networks_loaded[path] = None
    return classifier.eval()


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
