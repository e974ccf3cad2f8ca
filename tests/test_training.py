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
    load_classifier,
    make_dataloader,
    predict,
    save_classifier,
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
    "flat": (
        lambda i, d: (i.reshape(500, 784), d),
        r"images must have shape \(N, 28, 28\), got \(500, 784\)",
    ),
    "empty": (lambda i, d: (i[:0], d[:0]), "images is empty"),
    "lengths": (lambda i, d: (i, d[:9]), "digits must be as many as the images, 500, got 9"),
    "float digits": (
        lambda i, d: (i, d / 1.0),
        r"digits must be whole numbers.*float64.*astype\(int\)",
    ),
    "ten": (lambda i, d: (i, d + 1), "digits must be whole numbers from 0 to 9, got 10"),
    "negative": (lambda i, d: (i, d - 1), "digits must be whole numbers from 0 to 9, got -1"),
    "one-hot": (
        lambda i, d: (i, np.eye(10)[d]),
        r"got \(500, 10\)\. Write digits\.argmax\(axis=1\)",
    ),
    "bytes": (
        lambda i, d: ((i * 255).astype(np.uint8), d),
        r"whole numbers up to 25\d .*Divide by 255",
    ),
    "0..255": (lambda i, d: (i * 255, d), r"from 0 to 1, got .* to 25\d.*divide by 255"),
    "standardised": (
        lambda i, d: ((i - 0.1307) / 0.3081, d),
        r"got -0\.42\d+ to .*0\.3081 \+ 0\.1307",
    ),
    "below": (lambda i, d: (i - 5, d), "from 0 to 1, got -5 to -4"),
    "-1..1": (lambda i, d: (2 * i - 1, d), r"\(images \+ 1\) / 2"),
    "divided twice": (lambda i, d: (i / 255, d), "divided by 255 twice"),
    "nan": (
        lambda i, d: (np.where(i > 0.9, np.nan, i), d),
        r"NaN or infinite, in \d+ of 500 images",
    ),
    "bool": (lambda i, d: (i > 0.5, d), r"got truth values \(bool\)"),
    "swapped": (lambda i, d: (d, i), "images and digits are swapped"),
    "names": (lambda i, d: (i, d.astype(str)), "digits must be numbers"),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG_DATA.values(), ids=WRONG_DATA.keys())
def test_wrong_data_is_named(spoil, message, images, digits):
    with pytest.raises(LessonError, match=message):
        make_dataloader(*spoil(images, digits))


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "16", True])
def test_wrong_batch_size_is_named(batch_size, images, digits):
    with pytest.raises(LessonError, match="batch_size must be a whole number, 1 or more"):
        make_dataloader(images, digits, batch_size=batch_size)


# --- saved networks ---


def test_saved_network_comes_back(images, digits, tmp_path):
    classifier = make(RELU)
    quiet().fit(classifier, make_dataloader(images, digits, batch_size=16))
    path = save_classifier(classifier, RELU, tmp_path / "saved" / "relu.pt")
    loaded = load_classifier(RELU, path)
    assert torch.equal(weights(loaded), weights(classifier))
    assert [file.name for file in path.parent.iterdir()] == ["relu.pt"]


def test_missing_network_is_said(tmp_path):
    with pytest.raises(LessonError, match="There is no saved network"):
        load_classifier(RELU, tmp_path / "nothing.pt")


@pytest.mark.parametrize("spoil", ["truncated", "foreign", "pickle"])
def test_damaged_network_is_refused(spoil, tmp_path):
    path = save_classifier(make(RELU), RELU, tmp_path / "relu.pt")
    if spoil == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
    elif spoil == "foreign":
        path.write_text("not a network")
    else:
        torch.save({"recipe": repr(RELU), "weights": Classifier}, path)
    with pytest.raises(LessonError, match=r"damaged or is not a saved network"):
        load_classifier(RELU, path)


def test_another_recipe_is_named(tmp_path):
    path = save_classifier(make(SIGMOID), SIGMOID, tmp_path / "network.pt")
    with pytest.raises(
        LessonError,
        match=r"another recipe: it has .*Sigmoid.*yours has .*ReLU|"
        r"another recipe: it has .*Sigmoid.*yours has .*Softmax",
    ):
        load_classifier(RELU, path)


def test_interrupted_save_leaves_the_previous_file(tmp_path, monkeypatch):
    classifier = make(RELU)
    path = save_classifier(classifier, RELU, tmp_path / "relu.pt")
    before = path.read_bytes()

    def half(content, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        save_classifier(classifier, RELU, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["relu.pt"]


def test_full_disk_is_said(tmp_path, monkeypatch):
    def full(content, file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(LessonError, match="No space left on device.*untouched"):
        save_classifier(make(RELU), RELU, tmp_path / "relu.pt")
