"""Training gives plain deeplay's weights, in a fraction of the time, and says what goes wrong."""

import _thread
import math
import multiprocessing
import os
import threading
import time
import warnings

import deeplay as dl
import numpy as np
import pytest
import torch
from lightning import Callback, LightningModule
from lightning import Trainer as LightningTrainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.nn import MSELoss, ReLU, Sigmoid, Softmax
from torch.optim import SGD, RMSprop

from helpers.config import Config
from helpers.errors import LessonError
from helpers.training import (
    Classifier,
    Trainer,
    _plain_chain,
    make_dataloader,
    predict,
)

SIGMOID = (
    Config()
    .model(dl.MultiLayerPerceptron)
    .model.in_features(28 * 28)
    .model.hidden_dims([32, 32])
    .model.out_features(10)
    .model.blocks.activation(Sigmoid)
    .model.out_activation(Sigmoid)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(SGD, lr=0.1)
)
RELU = SIGMOID.model.out_activation(Softmax, dim=1).model.blocks.activation(ReLU)
RMSPROP = RELU.optimizer(RMSprop, lr=0.001)


@pytest.fixture(autouse=True)
def _one_thread():
    # The fast way trains with one thread, so plain deeplay must too for equal bits.
    torch.set_num_threads(1)


@pytest.fixture
def digits():
    return np.random.default_rng(0).integers(0, 10, 500)


@pytest.fixture
def images(digits):
    # A bright bar whose place says which digit it is: learnable within a second.
    noise = np.random.default_rng(1).random((500, 28, 28), dtype=np.float32) * 0.2
    for image, digit in zip(noise, digits, strict=True):
        image[2 * digit : 2 * digit + 3] += 0.8
    return noise


def make(config, cls=Classifier, seed=0):
    torch.manual_seed(seed)
    return config.create(cls)


def weights(classifier):
    return torch.cat([p.detach().cpu().flatten() for p in classifier.parameters()])


def quiet(**settings):
    return Trainer(enable_progress_bar=False, **settings)


def doze():
    """Wait for 20 seconds, in short naps: Python hears an interrupt only between them."""
    for _ in range(2_000):
        time.sleep(0.01)


def plain_training(config, images, digits, batch_size, epochs):
    """The 2023 lesson's way: dl.Classifier, dl.Trainer, a list of tuples."""
    classifier = make(config, dl.Classifier)
    trainer = dl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    pairs = list(zip(images, digits, strict=True))
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(classifier, dl.DataLoader(pairs, batch_size=batch_size, shuffle=True))
    return classifier, trainer


@pytest.mark.parametrize("config", [SIGMOID, RMSPROP], ids=["sigmoid-sgd", "relu-rmsprop"])
@pytest.mark.parametrize("batch_size", [1, 16, 256])
def test_weights_are_those_of_plain_deeplay(config, batch_size, images, digits):
    plain, plain_trainer = plain_training(config, images, digits, batch_size, epochs=2)
    ours = make(config)
    trainer = quiet(max_epochs=2, accelerator="cpu")
    torch.manual_seed(1)
    trainer.fit(ours, make_dataloader(images, digits, batch_size, shuffle=True))
    assert trainer._batch_size == batch_size  # the fast way was taken
    assert torch.equal(weights(ours), weights(plain))
    assert trainer.global_step == plain_trainer.global_step == 2 * math.ceil(500 / batch_size)
    loss = plain_trainer.callback_metrics["train_loss_epoch"]
    assert trainer.history["train_loss"][-1] == pytest.approx(float(loss), rel=1e-4)
    accuracy = plain_trainer.callback_metrics["trainMulticlassAccuracy_epoch"]
    assert trainer.history["train_accuracy"][-1] == pytest.approx(float(accuracy), abs=1e-6)


def test_weights_differ_for_another_order(images, digits):
    classifiers = [make(SIGMOID), make(SIGMOID)]
    for seed, classifier in enumerate(classifiers):
        torch.manual_seed(seed)
        quiet().fit(classifier, make_dataloader(images, digits, shuffle=True))
    assert not torch.equal(weights(classifiers[0]), weights(classifiers[1]))


class SeesEachStep(Callback):
    def __init__(self):
        self.steps = 0

    def on_train_batch_end(self, *args):
        self.steps += 1


@pytest.mark.parametrize(
    "settings",
    [
        {"accumulate_grad_batches": 1, "callbacks": SeesEachStep()},
        {"max_steps": 32, "max_epochs": -1},
        {"gradient_clip_val": 1e9},
        {"limit_train_batches": 32},
    ],
    ids=["callback", "max_steps", "clipping", "limited"],
)
def test_steps_aside_with_the_same_weights(settings, images, digits):
    loader = make_dataloader(images[:512:1], digits, batch_size=16)
    fast, aside = make(RELU), make(RELU)
    quiet(max_epochs=1).fit(fast, loader)
    trainer = quiet(**settings)
    trainer.fit(aside, loader)
    assert trainer._batch_size is None
    assert trainer.global_step == 32
    assert len(trainer.history["step_losses"]) == 32
    assert torch.equal(weights(fast), weights(aside))


def test_steps_aside_for_gradient_accumulation(images, digits):
    trainer = quiet(accumulate_grad_batches=4)
    trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=16))
    assert trainer.global_step == 8


def test_steps_aside_for_an_overridden_step(images, digits):
    class Halved(Classifier):
        def training_step(self, batch, batch_idx):
            return super().training_step(batch, batch_idx) / 2

    trainer = quiet()
    trainer.fit(make(RELU, Halved), make_dataloader(images, digits, batch_size=16))
    assert trainer._batch_size is None
    assert trainer.global_step == 32


def test_history_and_validation(images, digits):
    loader = make_dataloader(images, digits, batch_size=16, shuffle=True)
    trainer = quiet(max_epochs=3)
    classifier = make(RELU)
    trainer.fit(classifier, loader, make_dataloader(images, digits, batch_size=100))
    history = trainer.history
    assert history["epoch"] == [1, 2, 3]
    assert len(history["step_losses"]) == 3 * 32
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert len(history[name]) == 3
    assert history["train_loss"][-1] < history["train_loss"][0]
    # The validation images are the training images here, so testing must agree with it.
    result = trainer.test(classifier, loader)
    assert result["test_accuracy"] == pytest.approx(history["validation_accuracy"][-1])
    assert result["test_loss"] == pytest.approx(history["validation_loss"][-1], rel=1e-5)
    # The epoch's loss is the mean over images: the last batch, of 4, counts for 4.
    sizes = [16] * 31 + [4]
    mean = np.average(history["step_losses"][-32:], weights=sizes)
    assert history["train_loss"][-1] == pytest.approx(mean, rel=1e-5)


def test_second_fit_starts_a_new_history(images, digits):
    trainer = quiet()
    loader = make_dataloader(images, digits, batch_size=100)
    trainer.fit(make(RELU), loader)
    trainer = quiet()
    trainer.fit(make(RELU), loader)
    assert trainer.history["epoch"] == [1]
    assert len(trainer.history["step_losses"]) == 5


def test_progress_leaves_one_line_per_epoch(images, digits, capsys):
    loader = make_dataloader(images, digits, batch_size=16)
    Trainer(max_epochs=2).fit(make(RELU), loader, loader)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch  2/2   train loss 0.")
    assert "validation loss 0." in lines[1]
    assert lines[1].count("accuracy") == 2


@pytest.mark.parametrize(("parent", "draws"), [(None, True), ("the notebook", False)])
def test_a_copy_of_a_notebook_draws_no_bar(parent, draws, images, digits, monkeypatch, capsys):
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: parent)
    Trainer().fit(make(RELU), make_dataloader(images, digits, batch_size=16))
    out, err = capsys.readouterr()
    assert out.startswith("epoch  1/1   train loss 0.")
    assert ("epoch 1/1" in err) == draws


def test_copies_need_a_system_that_copies(monkeypatch):
    monkeypatch.delattr(os, "fork", raising=False)
    with pytest.raises(LessonError, match=r"train_distributed\.py"):
        Trainer(accelerator="cpu", devices=2, strategy="ddp_notebook")


def test_checkpoints_and_early_stopping(images, digits, tmp_path):
    loader = make_dataloader(images, digits, batch_size=16)
    best = ModelCheckpoint(dirpath=tmp_path, monitor="validation_accuracy", mode="max")
    patience = EarlyStopping("validation_accuracy", mode="max", patience=1, min_delta=2.0)
    trainer = quiet(max_epochs=9, callbacks=[best, patience])
    classifier = make(RELU)
    trainer.fit(classifier, loader, loader)
    assert trainer._batch_size == 16
    assert len(trainer.history["epoch"]) == 2
    saved = torch.load(best.best_model_path, weights_only=False)
    assert saved["global_step"] in {32, 64}
    assert set(saved["state_dict"]) == set(classifier.state_dict())


def test_resumes_from_a_checkpoint(images, digits, tmp_path):
    loader = make_dataloader(images, digits, batch_size=16)
    whole, parts = make(RMSPROP), make(RMSPROP)
    quiet(max_epochs=2).fit(whole, loader)
    first = quiet(max_epochs=1)
    first.fit(parts, loader)
    first.save_checkpoint(tmp_path / "first.ckpt")
    second = quiet(max_epochs=2)
    second.fit(parts, loader, ckpt_path=tmp_path / "first.ckpt", weights_only=False)
    assert second.global_step == 64
    assert torch.equal(weights(whole), weights(parts))


def test_nan_is_said_at_the_end_of_the_epoch(images, digits):
    exploding = RELU.model.out_activation(nn.Identity).optimizer(SGD, lr=1e6)
    with pytest.raises(LessonError, match=r"loss became (nan|inf) in epoch 1.*1e\+06"):
        quiet(max_epochs=5).fit(make(exploding), make_dataloader(images, digits, batch_size=16))


@pytest.mark.parametrize("aside", [False, True])
def test_interrupt_leaves_a_usable_classifier(aside, images, digits):
    many = np.concatenate([images] * 40), np.concatenate([digits] * 40)
    classifier = make(RELU)
    before = weights(classifier)
    trainer = quiet(max_epochs=50, **({"gradient_clip_val": 1e9} if aside else {}))
    threading.Timer(1.5, _thread.interrupt_main).start()
    with pytest.raises(LessonError, match=r"interrupted after step [\d,]+ of 1,000,000") as error:
        trainer.fit(classifier, make_dataloader(*many, batch_size=1))
    step = int(str(error.value).split("step ")[1].split(" ")[0].replace(",", ""))
    assert 0 < step < 1_000_000
    assert not torch.equal(before, weights(classifier))
    outputs, _ = predict(classifier, make_dataloader(images, digits))
    assert torch.isfinite(outputs).all()
    # A second interrupt must still be heard: Lightning alone leaves the signal ignored.
    threading.Timer(0.2, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        doze()


def test_predict_gives_outputs_and_digits_in_order(images, digits):
    classifier = make(RELU)
    quiet(max_epochs=3).fit(classifier, make_dataloader(images, digits, batch_size=16))
    outputs, same_digits = predict(classifier, make_dataloader(images, digits))
    assert outputs.shape == (500, 10)
    assert outputs.dtype == torch.float32
    assert torch.equal(same_digits, torch.from_numpy(digits))
    with torch.no_grad():
        assert torch.allclose(outputs[7], classifier(torch.from_numpy(images[7:8]))[0], atol=1e-6)
    accuracy = (outputs.argmax(dim=1) == same_digits).float().mean()
    result = quiet().test(classifier, make_dataloader(images, digits))
    assert result["test_accuracy"] == pytest.approx(float(accuracy))


def test_predict_takes_any_dataloader_and_any_classifier(images, digits):
    pairs = list(zip(images, digits, strict=True))
    outputs, _ = predict(make(RELU, dl.Classifier), dl.DataLoader(pairs, batch_size=64))
    expected, _ = predict(make(RELU), make_dataloader(images, digits, batch_size=64))
    assert torch.allclose(outputs, expected, atol=1e-6)


def test_predictions_leave_no_trace_in_the_classifier(images, digits):
    classifier = make(RELU)
    predict(classifier, make_dataloader(images, digits))
    before = len(classifier._config_tape)
    predict(classifier, make_dataloader(images, digits))
    assert len(classifier._config_tape) == before


# --- which networks may be called layer by layer ---


def test_a_plain_succession_is_found():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 5), nn.ReLU())
    images = torch.rand(2, 28, 28)
    value = images
    for layer in _plain_chain(model, images):
        value = layer(value)
    assert torch.equal(value, model(images))


class Shortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) + x


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(2 * x)


@pytest.mark.parametrize(
    "model", [Shortcut(), Scaled(), nn.BatchNorm1d(4)], ids=["shortcut", "scaled", "batch-norm"]
)
def test_more_than_a_succession_is_left_alone(model):
    assert _plain_chain(model, torch.rand(3, 4)) is None


def test_watching_a_network_draws_no_random_numbers():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    _plain_chain(model, torch.zeros(2, 4))
    assert torch.equal(torch.rand(3), expected)


# --- dataloaders ---


def test_dataloader_gives_batches(images, digits):
    batches = list(make_dataloader(images, digits, batch_size=200))
    assert [tuple(batch.shape) for batch, _ in batches] == [
        (200, 28, 28),
        (200, 28, 28),
        (100, 28, 28),
    ]
    assert torch.equal(torch.cat([d for _, d in batches]), torch.from_numpy(digits))
    assert batches[0][0].dtype == torch.float32


def test_dataloader_works_with_lightning_alone(images, digits):
    class Plain(LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(784, 10)

        def training_step(self, batch):
            return nn.functional.cross_entropy(self.layer(batch[0].flatten(1)), batch[1])

        def configure_optimizers(self):
            return SGD(self.parameters(), lr=0.1)

    trainer = LightningTrainer(max_epochs=1, logger=False, enable_checkpointing=False)
    trainer.fit(Plain(), make_dataloader(images, digits, batch_size=50))
    assert trainer.global_step == 10


WRONG_DATA = {
    "flat": (lambda i, d: (i.reshape(500, 784), d), r"`images` has shape \(500, 784\)"),
    "empty": (lambda i, d: (i[:0], d[:0]), "`images` is empty"),
    "lengths": (lambda i, d: (i, d[:9]), r"`digits` has shape \(9,\); expected \(500,\)"),
    "float digits": (lambda i, d: (i, d / 1.0), "`digits` has dtype float64"),
    "ten": (lambda i, d: (i, d + 1), "from 1 to 10"),
    "negative": (lambda i, d: (i, d - 1), "from -1 to 8"),
    "bytes": (lambda i, d: ((i * 255).astype(np.uint8), d), "Divide the images by 255"),
    "0..255": (lambda i, d: (i * 255, d), "Divide the images by 255"),
    "nan": (lambda i, d: (np.where(i > 0.9, np.nan, i), d), "NaN or infinite"),
    "bool": (lambda i, d: (i > 0.5, d), "`images` has dtype bool"),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG_DATA.values(), ids=WRONG_DATA.keys())
def test_wrong_data_is_named(spoil, message, images, digits):
    with pytest.raises(LessonError, match=message):
        make_dataloader(*spoil(images, digits))


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "16", True])
def test_wrong_batch_size_is_named(batch_size, images, digits):
    with pytest.raises(LessonError, match="`batch_size`"):
        make_dataloader(images, digits, batch_size=batch_size)
