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
from lightning import Callback, LightningDataModule, LightningModule
from lightning import Trainer as LightningTrainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    GradientAccumulationScheduler,
    ModelCheckpoint,
    OnExceptionCheckpoint,
)
from PIL import Image
from recipes import RELU, SIGMOID, Standardising, make, weights
from torch import nn
from torch.nn import MSELoss
from torch.optim import SGD, RMSprop
from torch.utils.data import DataLoader

from helpers import fast_gate, fast_steps, training
from helpers.errors import LessonError
from helpers.training import (
    Classifier,
    Trainer,
    make_dataloader,
    predict,
    save_classifier,
)

RMSPROP = RELU.optimizer(RMSprop, lr=0.001)


@pytest.fixture(autouse=True)
def _one_thread():
    # The fast way trains with one thread, so plain deeplay must too for equal bits.
    torch.set_num_threads(1)


class SeesEachStep(Callback):
    def on_train_batch_end(self, *args):
        pass


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


@pytest.mark.parametrize("callbacks", [[], [SeesEachStep()]], ids=["at once", "ordinary"])
def test_each_fit_trains_all_epochs_with_a_history_of_its_own(callbacks, images, digits):
    loader = make_dataloader(images, digits, batch_size=100)
    trainer = quiet(max_epochs=2, callbacks=callbacks)
    ours, alone = make(RELU), make(RELU)
    trainer.fit(ours, loader, loader)
    first = trainer.history
    assert first["epoch"] == [1, 2]
    trainer.fit(ours, loader)  # from the weights as they are
    for _ in range(2):
        quiet(max_epochs=2).fit(alone, loader)
    assert torch.equal(weights(ours), weights(alone))
    assert trainer.history["epoch"] == [1, 2]
    assert trainer.global_step == len(trainer.history["step_losses"]) == 10
    assert trainer.history["train_loss"][0] < first["train_loss"][-1]
    assert "validation_loss" not in trainer.history, "that was measured in the fit before"
    trainer.test(ours, loader)
    other, other_alone = make(RMSPROP, seed=3), make(RMSPROP, seed=3)
    trainer.fit(other, loader, loader)
    quiet(max_epochs=2).fit(other_alone, loader)
    assert torch.equal(weights(other), weights(other_alone))
    assert len(trainer.history["validation_accuracy"]) == 2


def test_each_fit_stops_early_by_its_own_losses(images, digits):
    loader = make_dataloader(images, digits, batch_size=100)
    patience = EarlyStopping("train_loss", patience=1, min_delta=9.0)
    trainer = quiet(max_epochs=9, callbacks=[patience])
    for _ in range(3):
        trainer.fit(make(RELU), loader)
        assert trainer.history["epoch"] == [1, 2]


def test_each_fit_keeps_its_own_best_network(images, digits, tmp_path):
    loader = make_dataloader(images, digits, batch_size=100)
    best = ModelCheckpoint(tmp_path, monitor="train_loss")
    trainer = quiet(max_epochs=2, callbacks=[best])
    trainer.fit(make(RELU), loader)
    first, first_score = best.best_model_path, best.best_model_score
    trainer.fit(make(SIGMOID), loader)  # a worse network
    assert best.best_model_path != first
    assert best.best_model_score > first_score
    assert os.path.exists(first)


class OwnPatience(EarlyStopping):
    fresh = True  # a name that a learner may give to anything

    def on_train_start(self, trainer, pl_module):
        self.fresh = False


@pytest.mark.parametrize("kind", [EarlyStopping, OwnPatience])
@pytest.mark.parametrize("added", [False, True])
def test_each_fit_begins_with_all_its_patience(kind, added, images, digits):
    patience = kind("train_loss", patience=2, min_delta=9.0)
    trainer = quiet(max_epochs=6, callbacks=[] if added else [patience])
    if added:
        trainer.callbacks.insert(0, patience)
    for _ in range(2):
        trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=100))
        assert trainer.history["epoch"] == [1, 2, 3]


def test_two_trainers_with_one_callback_stop_by_their_own_losses(images, digits):
    patience = EarlyStopping("train_loss", patience=2, min_delta=9.0)
    for _ in range(2):
        trainer = quiet(max_epochs=6, callbacks=[patience])
        trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=100))
        assert trainer.history["epoch"] == [1, 2, 3]


@pytest.mark.parametrize("epochs", [1, 2])
def test_each_fit_keeps_its_last_network(epochs, images, digits, tmp_path):
    # Both trainings end after as many steps: the second is none that was kept already.
    trainer = quiet(max_epochs=epochs, callbacks=[ModelCheckpoint(tmp_path)])
    for seed in range(2):
        classifier = make(RELU, seed=seed)
        trainer.fit(classifier, make_dataloader(images, digits, batch_size=100))
        kept = torch.load(trainer.checkpoint_callback.best_model_path, weights_only=False)
        for name, value in classifier.state_dict().items():
            assert torch.equal(kept["state_dict"][name], value)
    assert len(list(tmp_path.iterdir())) == 2


def test_each_fit_has_its_schedule_of_accumulation_from_the_start(images, digits):
    trainer = quiet(max_epochs=2, callbacks=[GradientAccumulationScheduler({0: 1, 1: 5})])
    for _ in range(2):
        trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=100))
        assert trainer.global_step == 5 + 1


def test_accumulation_beside_its_schedule_stays_an_error(images, digits):
    schedule = GradientAccumulationScheduler({0: 2})
    trainer = quiet(accumulate_grad_batches=4, callbacks=[schedule])
    for _ in range(2):
        with pytest.raises(ValueError, match="Either remove `accumulate_grad_batches`"):
            trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=100))


def test_any_callback_that_keeps_checkpoints_is_taken(images, digits, tmp_path):
    trainer = quiet(callbacks=[OnExceptionCheckpoint(tmp_path)])
    trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=100))
    assert trainer.global_step == 5


def test_each_fit_has_all_its_time(images, digits):
    trainer = quiet(max_epochs=10_000, max_time={"seconds": 1})
    for _ in range(2):
        start = time.monotonic()
        trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=100))
        assert time.monotonic() - start > 0.9
        assert trainer.global_step > 1
        assert trainer.current_epoch < 10_000


def test_a_validation_that_skips_epochs_leaves_gaps(images, digits, capsys):
    loader = make_dataloader(images, digits, batch_size=100)
    trainer = Trainer(max_epochs=5, check_val_every_n_epoch=2)
    trainer.fit(make(RELU), loader, loader)
    history = trainer.history
    assert history["epoch"] == [1, 2, 3, 4, 5]
    assert [math.isnan(loss) for loss in history["validation_loss"]] == [True, False] * 2 + [True]
    assert [math.isnan(a) for a in history["validation_accuracy"]] == [True, False] * 2 + [True]
    assert not any(map(math.isnan, history["train_loss"]))
    lines = capsys.readouterr().out.splitlines()
    assert ["validation" in line for line in lines] == [False, True, False, True, False]


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


def test_copies_need_a_process_that_has_used_no_graphics_card(images, digits, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    loader = make_dataloader(images, digits, batch_size=16)
    trainer = Trainer(accelerator="cpu", devices=2, strategy="ddp_notebook")
    with pytest.raises(LessonError, match="one that has used a graphics card cannot be copied"):
        trainer.fit(make(RELU), loader)
    quiet(accelerator="cpu").fit(make(RELU), loader)


@pytest.mark.parametrize("wanted", [None, "2"])
def test_copies_compute_with_one_thread_on_many_cores(
    wanted, images, digits, monkeypatch, tmp_path
):
    class Notes(Callback):
        def on_train_start(self, trainer, *args):
            (tmp_path / str(trainer.global_rank)).write_text(str(torch.get_num_threads()))

    monkeypatch.setattr(
        "lightning.fabric.utilities.distributed._suggested_max_num_threads", lambda processes: 3
    )
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if wanted is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    trainer = quiet(accelerator="cpu", devices=2, strategy="ddp_notebook", callbacks=[Notes()])
    trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=16))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"0": "1", "1": "1"}
    assert os.environ.get("OMP_NUM_THREADS") == wanted


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


def test_nan_from_the_first_step_is_no_matter_of_the_learning_rate(images, digits):
    pairs = list(zip(images * np.float32("nan"), digits, strict=True))
    with pytest.raises(LessonError, match=r"at the first step, before .* in the images") as error:
        quiet().fit(make(RELU), DataLoader(pairs, batch_size=16))
    assert "rate" not in str(error.value)


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
    assert trainer.global_step == step
    assert len(trainer.history["step_losses"]) == step
    assert "another fit goes on from there" in str(error.value)
    assert not torch.equal(before, weights(classifier))
    outputs, _ = predict(classifier, make_dataloader(images, digits))
    assert torch.isfinite(outputs).all()
    # What the message says: another fit goes on, with the same trainer too.
    stopped = weights(classifier)
    trainer.fit_loop.max_epochs = 1
    trainer.fit(classifier, make_dataloader(images, digits, batch_size=100))
    assert not torch.equal(stopped, weights(classifier))
    assert trainer.global_step == 5
    # A second interrupt must still be heard: Lightning alone leaves the signal ignored.
    threading.Timer(0.2, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        doze()


@pytest.mark.parametrize("direct", [True, False])
def test_interrupt_never_cuts_a_step_in_two(direct, images, digits, monkeypatch):
    # The interrupt comes in the middle of a step: after the new weights, before they are counted.
    made = []

    def step(*arguments):
        made.append(arguments)
        if len(made) == 7:
            _thread.interrupt_main()
            time.sleep(0.01)

    kind = fast_steps.OPTIMIZERS[SGD]._replace(update=step)
    monkeypatch.setitem(fast_steps.OPTIMIZERS, SGD, kind)
    monkeypatch.setattr(fast_gate, "_same_numbers", lambda *arguments: direct)
    monkeypatch.setattr(fast_gate, "_proven", {})
    monkeypatch.setattr(fast_gate, "bare_step", lambda optimizer: step)
    trainer = quiet()
    with pytest.raises(LessonError, match="interrupted after step 7 of 32"):
        trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=16))
    assert isinstance(trainer._steps, fast_steps.DirectSteps) == direct
    assert len(made) == trainer.global_step == len(trainer.step_losses) == 7


def test_an_interrupt_while_steps_are_counted_loses_none(images, digits, monkeypatch):
    counted = training.count_steps

    def count(*arguments):
        counted(*arguments)
        _thread.interrupt_main()
        time.sleep(0.01)

    monkeypatch.setattr(training, "count_steps", count)
    trainer = quiet()
    with pytest.raises(LessonError, match="interrupted after step 32 of 32"):
        trainer.fit(make(RELU), make_dataloader(images, digits, batch_size=16))
    assert trainer.global_step == len(trainer.step_losses) == 32


@pytest.mark.parametrize("accumulated", [1, 2])
def test_an_interrupt_between_a_step_and_its_end_loses_no_loss(accumulated, images, digits):
    class Stops(Callback):
        def on_train_batch_end(self, trainer, *args):
            if trainer.global_step == 7:
                raise KeyboardInterrupt

    loader = make_dataloader(images, digits, batch_size=16)
    settings = {"accumulate_grad_batches": accumulated}
    torch.manual_seed(0)
    whole = quiet(**settings)
    whole.fit(make(RELU), loader)
    torch.manual_seed(0)
    stopped = quiet(callbacks=[Stops()], **settings)
    with pytest.raises(LessonError, match="interrupted after step 7"):
        stopped.fit(make(RELU), loader)
    assert len(stopped.step_losses) == 7 * accumulated
    sizes = [*(31 * [16]), 4]
    mean = np.average(whole.step_losses, weights=sizes)
    assert mean == pytest.approx(whole.history["train_loss"][0])
    assert stopped.step_losses == pytest.approx(whole.step_losses[: 7 * accumulated])


@pytest.mark.parametrize("stage", ["test", "validate", "predict"])
def test_interrupt_outside_of_training_is_one_line(stage, images, digits):
    class Slow(Callback):
        def on_test_batch_end(self, *args):
            threading.Timer(0.1, _thread.interrupt_main).start()
            doze()

        on_validation_batch_end = on_predict_batch_end = on_test_batch_end

    with pytest.raises(LessonError, match="was interrupted: run it again"):
        getattr(quiet(callbacks=[Slow()]), stage)(make(RELU), make_dataloader(images, digits, 100))
    threading.Timer(0.2, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        doze()


def test_an_exit_that_is_no_interrupt_stays_an_exit(images, digits):
    class Leaves(Callback):
        def on_train_start(self, *args):
            raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        quiet(callbacks=[Leaves()]).fit(make(RELU), make_dataloader(images, digits, 100))


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


@pytest.mark.parametrize("batch_size", [64, 300])
def test_predict_and_test_leave_out_what_the_dataloader_drops(batch_size, images, digits):
    dataset = make_dataloader(images, digits).dataset
    for drop_last, count in ((False, 500), (True, 500 // batch_size * batch_size)):
        loader = torch.utils.data.DataLoader(
            dataset, batch_size, drop_last=drop_last, collate_fn=fast_gate.as_it_is
        )
        outputs, found = predict(make(RELU), loader)
        assert torch.equal(found, torch.from_numpy(digits[:count]))
        accuracy = (outputs.argmax(dim=1) == found).float().mean()
        assert quiet().test(make(RELU), loader)["test_accuracy"] == pytest.approx(float(accuracy))


def own(network):
    """A classifier of a network that a learner wrote."""
    parts = {"loss": MSELoss(), "optimizer": dl.SGD(lr=0.1), "make_targets_one_hot": True}
    return Classifier(network, num_classes=10, **parts).build()


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 16, 1000])
def test_arrays_are_never_written_to(shuffle, batch_size, images, digits):
    kept_images, kept_digits = images.copy(), digits.copy()
    classifier = own(Standardising())
    loader = make_dataloader(images, digits, batch_size, shuffle)
    first = {}
    for _ in range(2):
        outputs, order = predict(classifier, loader)
        first.setdefault("sum", outputs.sum(dim=0))
        assert torch.allclose(outputs.sum(dim=0), first["sum"], atol=1e-3)
        quiet().test(classifier, loader)
        quiet().validate(classifier, loader, verbose=False)
        predict(classifier.model, loader)
    quiet().fit(classifier, loader, loader)
    loader.dataset[0][0].zero_()
    assert np.array_equal(images, kept_images)
    assert np.array_equal(digits, kept_digits)


def test_read_only_arrays_are_welcome(images, digits, recwarn):
    images.flags.writeable = digits.flags.writeable = False
    loader = make_dataloader(images, digits, batch_size=16)
    assert not [w for w in recwarn if "writable" in str(w.message)]
    assert np.shares_memory(loader.dataset.images.numpy(), images), "no second copy"
    predict(make(RELU), loader)


def test_predicting_is_evaluation_and_each_part_keeps_its_mode(images, digits):
    network = nn.Sequential(
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10), nn.BatchNorm1d(10), nn.Softmax(dim=1)
    )
    classifier = own(network)
    classifier.train()
    network[3].eval()  # frozen by the learner
    before = network[3].running_mean.clone()
    loader = make_dataloader(images, digits)
    outputs, _ = predict(classifier, loader)
    again, _ = predict(classifier, loader)
    assert torch.equal(outputs, again), "no dropout"
    assert torch.equal(before, network[3].running_mean)
    assert [module.training for module in network] == [True, True, True, False, True]
    network[3].train()
    with training.evaluating(classifier):
        assert not any(module.training for module in classifier.modules())
    assert all(module.training for module in network)


def test_test_loss_is_that_of_the_batches_given(images, digits):
    # With a sum for a loss, larger batches would be another result; drop_last drops.
    recipe = RELU.loss(MSELoss, reduction="sum")
    pairs = list(zip(images, digits, strict=True))
    some = {"batch_size": 16, "drop_last": True}
    for config in (recipe, RELU):
        plain = dl.Trainer(
            logger=False, enable_progress_bar=False, enable_checkpointing=False, accelerator="cpu"
        ).test(make(config, dl.Classifier), dl.DataLoader(pairs, **some), verbose=False)[0]
        ours = quiet(accelerator="cpu").test(make(config), dl.DataLoader(pairs, **some))
        assert ours["test_loss"] == pytest.approx(plain["test_loss_epoch"], rel=1e-5)
        accuracy = plain["testMulticlassAccuracy_epoch"]
        assert ours["test_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert quiet(limit_test_batches=2).test(
        make(RELU), dl.DataLoader(pairs[:32], batch_size=16)
    ) == (quiet(limit_test_batches=2).test(make(RELU), dl.DataLoader(pairs, batch_size=16)))


def network(*layers):
    """A classifier of these layers."""
    parts = {"optimizer": dl.SGD(lr=0.1), "num_classes": 10, "make_targets_one_hot": True}
    return Classifier(model=nn.Sequential(*layers), loss=MSELoss(), **parts).build()


@pytest.mark.parametrize("layer", [nn.SELU, nn.SiLU, nn.ELU])
def test_predicting_never_writes_through_the_first_layer(layer, images, digits):
    before = images.copy()
    classifier = network(nn.Flatten(), layer(inplace=True), nn.Linear(784, 10))
    loader = make_dataloader(images, digits, batch_size=16)
    first, _ = predict(classifier, loader)
    quiet().test(classifier, loader)
    assert np.array_equal(images, before)
    assert torch.equal(first, predict(classifier, loader)[0])


@pytest.mark.parametrize("activation", [nn.Softmax(dim=0), nn.LogSoftmax(dim=0)])
def test_a_network_that_mixes_a_batch_sees_the_batches_that_were_given(activation, images, digits):
    classifier = network(nn.Flatten(), nn.Linear(784, 10), activation)
    loader = make_dataloader(images, digits, batch_size=3)
    outputs, _ = predict(classifier, loader)
    with torch.no_grad():
        batches = [classifier(batch) for batch, _ in loader]
    assert torch.equal(outputs, torch.cat(batches))
    right = (torch.cat(batches).argmax(1) == torch.tensor(digits)).float().mean()
    assert quiet().test(classifier, loader)["test_accuracy"] == pytest.approx(float(right))


@pytest.mark.parametrize("how", [{"weight": torch.arange(1.0, 11) ** 3}, {"ignore_index": 3}])
def test_a_weighted_loss_is_averaged_over_the_batches_that_were_given(how, images, digits):
    config = RELU.make_targets_one_hot(False).loss(nn.CrossEntropyLoss, **how)
    loader = make_dataloader(images, digits, batch_size=3)
    plain = dl.Trainer(
        logger=False, enable_progress_bar=False, enable_checkpointing=False, accelerator="cpu"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        [expected] = plain.test(make(config, dl.Classifier), loader, verbose=False)
    found = quiet().test(make(config), loader)["test_loss"]
    assert found == pytest.approx(expected["test_loss_epoch"], rel=1e-6)


def pictures(images, digits):
    return [
        (Image.fromarray(image), int(digit)) for image, digit in zip(images, digits, strict=True)
    ]


NO_BATCHES = {
    "images alone": (lambda i, d: list(i), "must give pairs of images and digits, got a Tensor"),
    "triples": (
        lambda i, d: list(zip(i, d, d, strict=True)),
        "must give pairs of images and digits, got a list",
    ),
    "text": (
        lambda i, d: list(zip(i, map(str, d), strict=True)),
        "must give images and digits as numbers",
    ),
    "names": (lambda i, d: [("5.png", 5)] * 9, "must give images and digits as numbers"),
    "pictures": (pictures, "cannot make a batch of its images and digits: TypeError: .*Image"),
    "nothing": (lambda i, d: [(image, None) for image in i], "cannot make a batch .*NoneType"),
    "ragged": (lambda i, d: [(i[0], 1), (i[0][:9], 2)], "cannot make a batch .*equal size"),
    "dictionaries": (lambda i, d: [{"image": image} for image in i], "pairs|cannot make a batch"),
}


@pytest.mark.parametrize("size", [2, 16])
@pytest.mark.parametrize("use", ["fit", "validation", "test", "predict"])
@pytest.mark.parametrize(("make_data", "said"), NO_BATCHES.values(), ids=NO_BATCHES)
def test_a_dataloader_of_something_else_is_said(make_data, said, use, size, images, digits):
    loader, classifier = DataLoader(make_data(images, digits), batch_size=size), make(RELU)
    calls = {
        "fit": lambda: quiet().fit(classifier, loader),
        "validation": lambda: quiet().fit(classifier, make_dataloader(images, digits, 99), loader),
        "test": lambda: quiet().test(classifier, loader),
        "predict": lambda: predict(classifier, loader),
    }
    with pytest.raises(LessonError, match=said) as error:
        calls[use]()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: c.requires_grad_(False), r"frozen: classifier\.requires_grad_\(True\)"),
        (lambda c: c.double(), "float32 of the images, as a network is unless you changed it"),
    ],
)
def test_a_network_that_cannot_learn_says_what_to_do(spoil, said, images, digits):
    classifier = make(RELU)
    spoil(classifier)
    with pytest.raises(LessonError, match=said):
        quiet().fit(classifier, make_dataloader(images, digits, batch_size=16))


def test_a_last_batch_of_one_image_is_too_few_for_batch_norm(images, digits):
    classifier = network(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))
    with pytest.raises(LessonError, match="leaves no single image over"):
        quiet().fit(classifier, make_dataloader(images, digits, batch_size=499))


def test_a_validation_without_a_batch_is_said(images, digits):
    few = DataLoader(list(zip(images[:3], digits[:3], strict=True)), batch_size=8, drop_last=True)
    with pytest.raises(LessonError, match=r"validation_dataloader holds no batch: .* validate on"):
        quiet().fit(make(RELU), make_dataloader(images, digits, batch_size=100), few)


def test_batches_may_be_larger_than_any_memory(images, digits):
    loader = make_dataloader(images, digits, batch_size=10**30)
    classifier = make(RELU)
    trainer = quiet()
    trainer.fit(classifier, loader)
    assert trainer.global_step == len(loader) == 1
    assert len(predict(classifier, loader)[0]) == 500


def no_checkpoint(tmp_path, images, digits):
    (tmp_path / "notes.txt").write_text("my notes")
    return tmp_path / "notes.txt"


def saved_network(tmp_path, images, digits):
    return save_classifier(make(RELU), RELU, tmp_path / "relu.pt")


def checkpoint_of_another_network(tmp_path, images, digits):
    trainer = quiet()
    trainer.fit(make(RELU.model.hidden_dims([7])), make_dataloader(images, digits, 100))
    trainer.save_checkpoint(tmp_path / "other.ckpt")
    return tmp_path / "other.ckpt"


CHECKPOINTS = {
    "my notes": (no_checkpoint, "notes.txt cannot be used: UnpicklingError"),
    "a saved network": (saved_network, "relu.pt cannot be used: "),
    "another network": (checkpoint_of_another_network, "other.ckpt cannot be used: .*Missing key"),
    "best of none": (lambda *_: "best", "checkpoint best cannot be used: .*not configured"),
    "a name too long": (lambda *_: "x" * 300, "There is no checkpoint xxx"),
    "none there": (lambda folder, *_: folder / "none.ckpt", "There is no checkpoint .*none.ckpt"),
}


@pytest.mark.parametrize("use", ["fit", "test", "validate", "predict"])
@pytest.mark.parametrize(("give", "said"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_what_is_no_checkpoint_of_this_network_is_said(give, said, use, images, digits, tmp_path):
    loader = make_dataloader(images, digits, 100)
    options = {"ckpt_path": give(tmp_path, images, digits)}
    with pytest.raises(LessonError, match=said) as error:
        getattr(quiet(), use)(make(RELU), loader, **options)
    assert "\n" not in str(error.value)


def test_lightnings_own_forms_work(images, digits):
    class Digits(LightningDataModule):
        def train_dataloader(self):
            return make_dataloader(images, digits, batch_size=100)

        test_dataloader = val_dataloader = train_dataloader

    classifier, trainer = make(RELU), quiet()
    trainer.fit(classifier, datamodule=Digits())
    trainer.fit(classifier, Digits())
    assert trainer.global_step == 5
    assert len(trainer.history["validation_loss"]) == 1
    loader = make_dataloader(images, digits, batch_size=100)
    result = trainer.test(dataloaders=loader)
    assert result == trainer.test(classifier, loader) == trainer.test(classifier, loader)[0]
    assert result == trainer.test(classifier, datamodule=Digits()) == trainer.test(loader)


def test_the_2023_lessons_dataloader_trains_many_steps_at_once(images, digits):
    loader = dl.DataLoader(list(zip(images, digits, strict=True)), shuffle=True)
    trainer, classifier = quiet(accelerator="cpu"), make(SIGMOID)
    torch.manual_seed(1)
    trainer.fit(classifier, loader)
    assert trainer._batch_size == 1
    plain, _ = plain_training(SIGMOID, images, digits, batch_size=1, epochs=1)
    assert torch.equal(weights(classifier), weights(plain))


def too_small(config):
    return config.model.in_features(100)


WRONG_CALLS = {
    "array for a dataloader": (
        lambda c, t, i, d: predict(c, i),
        "dataloader must be a dataloader, got a",
    ),
    "list of batches": (
        lambda c, t, i, d: predict(c, [(i, d)]),
        "got a list. Make one: make_dataloader",
    ),
    "dataset": (
        lambda c, t, i, d: t.fit(c, make_dataloader(i, d).dataset),
        "train_dataloader must be a dataloader, got an ImagesAndDigits",
    ),
    "no dataloader": (
        lambda c, t, i, d: t.fit(c),
        "train_dataloader must be a dataloader, got None",
    ),
    "array for validation": (
        lambda c, t, i, d: t.fit(c, make_dataloader(i, d), i),
        r"validation_dataloader must be a dataloader, got an ndarray of shape \(500, 28, 28\)",
    ),
    "two for validation": (
        lambda c, t, i, d: t.fit(c, make_dataloader(i, d), [make_dataloader(i, d)] * 2),
        "validation_dataloader must be a dataloader, got a list",
    ),
    "no test": (lambda c, t, i, d: t.test(c), "test_dataloader must be a dataloader, got None"),
    "swapped, fit": (
        lambda c, t, i, d: t.fit(make_dataloader(i, d), c),
        "The classifier comes first",
    ),
    "swapped, test": (
        lambda c, t, i, d: t.test(make_dataloader(i, d), c),
        "classifier comes first",
    ),
    "swapped, predict": (lambda c, t, i, d: predict(make_dataloader(i, d), c), "classifier comes"),
    "recipe": (lambda c, t, i, d: t.fit(RELU, make_dataloader(i, d)), "got its recipe"),
    "class": (
        lambda c, t, i, d: predict(Classifier, make_dataloader(i, d)),
        "the class Classifier",
    ),
    "None": (
        lambda c, t, i, d: predict(None, make_dataloader(i, d)),
        "must be a classifier, got None",
    ),
    "network": (
        lambda c, t, i, d: t.fit(c.model, make_dataloader(i, d)),
        "got a MultiLayerPerceptron. A recipe makes one of it",
    ),
    "nothing trained": (
        lambda c, t, i, d: t.test(dataloaders=make_dataloader(i, d)),
        "needs a class",
    ),
    "empty": (
        lambda c, t, i, d: t.fit(
            c, dl.DataLoader(list(zip(i, d, strict=True))[:3], 4, drop_last=True)
        ),
        "train_dataloader holds no batch",
    ),
    "empty predict": (
        lambda c, t, i, d: predict(c, dl.DataLoader([(i[0], 1)], 4, drop_last=True)),
        "dataloader holds no batch",
    ),
    "no pairs": (
        lambda c, t, i, d: predict(c, dl.DataLoader(list(i), 4)),
        "must give pairs of images and digits, got a Tensor",
    ),
    "fit argument": (
        lambda c, t, i, d: t.fit(c, train_dataloader=make_dataloader(i, d)),
        "fit has no argument 'train_dataloader'",
    ),
    "test argument": (
        lambda c, t, i, d: t.test(c, dataloader=3),
        "Did you mean 'dataloaders'|no argument",
    ),
    "epochs": (lambda c, t, i, d: Trainer(max_epochs=1.5), "max_epochs must be .* got 1.5"),
    "no epochs": (
        lambda c, t, i, d: Trainer(0),
        "max_epochs must be a whole number, 1 or more, got 0",
    ),
    "epoch": (
        lambda c, t, i, d: Trainer(max_epoch=3),
        "no argument 'max_epoch'. Did you mean 'max_ep",
    ),
    "accelerator": (
        lambda c, t, i, d: Trainer(accelerator="fast"),
        "trainer cannot be made: .*fast",
    ),
    "callback": (
        lambda c, t, i, d: Trainer(callbacks=["stop"]),
        "must be Lightning's Callbacks, got 's",
    ),
    "key": (
        lambda c, t, i, d: t.test(c, make_dataloader(i, d))["testMulticlassAccuracy"],
        "The result has no 'testMulticlassAccuracy'. It has 'test_loss', 'test_accuracy'",
    ),
    "inputs": (
        lambda c, t, i, d: t.fit(make(too_small(RELU)), make_dataloader(i, d, 16)),
        r"MultiLayerPerceptron does not fit images of shape \(16, 28, 28\).*Check in_features",
    ),
    "inputs, ordinary way": (
        lambda c, t, i, d: quiet(gradient_clip_val=1.0).fit(
            make(too_small(RELU)), make_dataloader(i, d, 16)
        ),
        r"MultiLayerPerceptron does not fit images of shape \(16, 28, 28\).*Check in_features",
    ),
    "inputs, test": (
        lambda c, t, i, d: t.test(make(too_small(RELU)), make_dataloader(i, d)),
        "does not fit images",
    ),
    "inputs, predict": (
        lambda c, t, i, d: predict(make(too_small(RELU)), make_dataloader(i, d)),
        "does not fit images",
    ),
    "outputs": (
        lambda c, t, i, d: t.fit(make(RELU.model.out_features(5)), make_dataloader(i, d, 16)),
        "does not fit .*out_features",
    ),
    "classes": (
        lambda c, t, i, d: t.fit(make(RELU.num_classes(5)), make_dataloader(i, d, 16)),
        "does not fit .*num_classes",
    ),
    "double": (
        lambda c, t, i, d: t.fit(c, dl.DataLoader(list(zip(i.astype(float), d, strict=True)), 16)),
        "does not fit images.*dtype",
    ),
    **{
        f"no one-hot, {size}": (
            lambda c, t, i, d, size=size: t.fit(
                make(RELU.make_targets_one_hot(False)), make_dataloader(i, d, size)
            ),
            r"MSELoss compares ten outputs with ten targets.*make_targets_one_hot\(True\)",
        )
        for size in (1, 10, 16)
    },
    "no one-hot, test": (
        lambda c, t, i, d: t.test(make(RELU.make_targets_one_hot(False)), make_dataloader(i, d)),
        "compares ten outputs with ten targets",
    ),
    "pairs": (lambda c, t, i, d: make_dataloader(i), "digits are missing"),
    "no pairs at all": (lambda c, t, i, d: make_dataloader([]), "list of pairs .* is empty"),
    "shuffle": (
        lambda c, t, i, d: make_dataloader(i, d, 16, "yes"),
        "shuffle must be True or False",
    ),
    "convolutions": (
        lambda c, t, i, d: t.fit(
            make(
                RELU.model(dl.ConvolutionalNeuralNetwork)
                .model.in_channels(1)
                .model.hidden_channels([4])
                .model.out_channels(10)
            ),
            make_dataloader(i, d, 16),
        ),
        r"ConvolutionalNeuralNetwork does not fit .*a channel, \(N, 1, 28, 28\).*lesson 6",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_wrong_call_is_one_line(call, message, images, digits):
    with pytest.raises(LessonError, match=message) as error:
        call(make(RELU), quiet(), images, digits)
    assert "\n" not in str(error.value)


def test_a_fault_in_the_learners_own_network_keeps_its_traceback(images, digits):
    class Faulty(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(100, 10)

        def forward(self, x):
            return self.layer(x.flatten(1))

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        quiet().fit(own(Faulty()), make_dataloader(images, digits, 16))


def test_convolutional_network_as_lesson_6_says(images, digits):
    network = nn.Sequential(
        nn.Unflatten(1, (1, 28)),
        dl.ConvolutionalNeuralNetwork(1, [8, 16], 10).build(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    classifier = Classifier(network, num_classes=10, optimizer=dl.Adam(lr=0.01)).create()
    trainer = quiet(max_epochs=2)
    trainer.fit(classifier, make_dataloader(images, digits, batch_size=50, shuffle=True))
    assert trainer.history["train_loss"][1] < trainer.history["train_loss"][0]
    assert predict(classifier, make_dataloader(images, digits))[0].shape == (500, 10)


@pytest.mark.parametrize("batch_size", [*(2 ** np.arange(3)), np.uint8(7), torch.tensor(5)])
def test_numpys_whole_numbers_are_batch_sizes(batch_size, images, digits):
    [batch, _], *_ = make_dataloader(images, digits, batch_size=batch_size)
    assert len(batch) == int(batch_size)


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
        r"digits must be whole numbers.*float64. Write np\.array\(digits, int\)",
    ),
    "ten": (lambda i, d: (i, d + 1), "digits must be whole numbers from 0 to 9, got 10"),
    "negative": (lambda i, d: (i, d - 1), "digits must be whole numbers from 0 to 9, got -1"),
    "one-hot": (
        lambda i, d: (i, np.eye(10)[d]),
        r"got \(500, 10\)\. Write np\.argmax\(digits, axis=1\)",
    ),
    "bytes": (
        lambda i, d: ((i * 255).astype(np.uint8), d),
        r"whole numbers from 0 to 25\d .*Divide by 255",
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
