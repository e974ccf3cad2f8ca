"""Saved networks: what is loaded is what was saved, or one line says why it is not."""

import os
import re
import socket
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import deeplay as dl
import numpy as np
import pytest
import torch
from recipes import RELU, SIGMOID, make, weights
from torch.nn import MSELoss, Sigmoid
from torch.optim import SGD

from helpers import storage
from helpers.config import Config
from helpers.errors import LessonError
from helpers.results import HEADLESS, record
from helpers.training import (
    Classifier,
    Trainer,
    load_classifier,
    make_dataloader,
    predict,
    save_classifier,
)

on_posix = pytest.mark.skipif(os.name != "posix", reason="needs pipes, devices or modes of Unix")


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch):
    monkeypatch.setattr(storage, "networks_loaded", {})


def complaint(function, *args):
    """The one line that `function` complains with."""
    with pytest.raises(LessonError) as caught:
        function(*args)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_saved_network_comes_back(images, digits, tmp_path):
    classifier = make(RELU)
    trainer = Trainer(enable_progress_bar=False)
    trainer.fit(classifier, make_dataloader(images, digits, batch_size=16))
    path = save_classifier(classifier, RELU, tmp_path / "saved" / "relu.pt")
    loaded = load_classifier(RELU, path)
    assert torch.equal(weights(loaded), weights(classifier))
    assert [file.name for file in path.parent.iterdir()] == ["relu.pt"]


def test_other_architectures_come_back_too(images, digits, tmp_path):
    """Layers with buffers, and layers that take their shape from the first image."""

    class Lazy(dl.DeeplayModule):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Flatten(), torch.nn.LazyLinear(10), torch.nn.BatchNorm1d(10)
            )

        def forward(self, images):
            return self.layers(images)

    config = Config().model(Lazy).num_classes(10).loss(MSELoss).optimizer(SGD, lr=0.1)
    classifier = make(config)
    dataloader = make_dataloader(images, digits, batch_size=100)
    outputs, _ = predict(classifier, dataloader)
    loaded = load_classifier(config, save_classifier(classifier, config, tmp_path / "lazy.pt"))
    assert torch.equal(predict(loaded, dataloader)[0], outputs)


def test_saving_changes_no_random_numbers(tmp_path):
    classifier = make(RELU)
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    save_classifier(classifier, RELU, tmp_path / "relu.pt")
    assert torch.equal(torch.rand(5), expected)


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


FIRST = "model.blocks.0.layer.weight"


def without(content):
    del content["weights"][FIRST]


def extra(content):
    content["weights"]["surplus"] = torch.zeros(1)


def reshaped(content):
    content["weights"][FIRST] = content["weights"][FIRST].T.contiguous()


def of_another_type(content):
    content["weights"][FIRST] = content["weights"][FIRST].double()


def no_tensor(content):
    content["weights"][FIRST] = content["weights"][FIRST].tolist()


def sparse(content):
    content["weights"][FIRST] = content["weights"][FIRST].to_sparse()


def one_nan(content):
    content["weights"][FIRST][3, 5] = float("nan")


def one_infinite(content):
    content["weights"]["model.blocks.2.layer.bias"][9] = -float("inf")


def named_by_numbers(content):
    content["weights"][7] = torch.zeros(1)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (without, f"there are no weights {FIRST}"),
        (extra, "the recipe has no weights 'surplus'"),
        (reshaped, f"{FIRST} are torch.float32 of shape (784, 32), and the recipe's"),
        (of_another_type, f"{FIRST} are torch.float64 of shape (32, 784), and the recipe's"),
        (no_tensor, f"there are no weights {FIRST}"),
        (sparse, f"there are no weights {FIRST}"),
        (one_nan, f"the weights {FIRST} are not all finite numbers"),
        (one_infinite, "the weights model.blocks.2.layer.bias are not all finite numbers"),
        (named_by_numbers, "the recipe has no weights 7"),
        (lambda content: content.update(recipe=None), "its recipe is no list of rules"),
        (lambda content: content.update(recipe="model"), "its recipe is no list of rules"),
        (lambda content: content["recipe"].append(3), "its recipe is no list of rules"),
        (lambda content: content.update(weights=None), "it holds no weights by name"),
        (lambda content: content.update(weights=[torch.zeros(3)]), "it holds no weights by name"),
        (lambda content: content.pop("recipe"), "KeyError"),
        (lambda content: content.clear(), "KeyError"),
    ],
)
def test_a_file_of_the_right_recipe_with_wrong_content_is_refused(spoil, named, tmp_path):
    path = save_classifier(make(RELU), RELU, tmp_path / "relu.pt")
    content = torch.load(path)
    spoil(content)
    torch.save(content, path)
    message = complaint(load_classifier, RELU, path)
    assert message.startswith(f"{path} is damaged or is not a saved network (")
    assert named in message
    assert "move it elsewhere or delete it, then train and save the network again" in message
    assert not storage.networks_loaded


@pytest.mark.parametrize("content", [None, 3, "text", [], torch.zeros(3)])
def test_a_file_of_torch_that_holds_something_else_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "other.pt")
    message = complaint(load_classifier, RELU, tmp_path / "other.pt")
    assert "damaged or is not a saved network" in message


def put_folder(path):
    path.mkdir()


def put_pipe(path):
    os.mkfifo(path)


def put_device(path):
    path.symlink_to("/dev/zero")  # followed, it would never end


def put_link_to_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def put_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@on_posix
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("put", "what"),
    [
        (put_folder, "is a folder, not an ordinary file"),
        (put_pipe, "is a pipe, not an ordinary file"),
        (put_device, "is a device, not an ordinary file"),
        (put_link_to_pipe, "is a pipe, not an ordinary file"),
        (put_socket, "is a socket, not an ordinary file"),
    ],
)
def test_what_is_no_file_is_neither_read_nor_replaced(put, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    path = Path("x.pt")
    put(path)
    before = os.lstat(path)
    message = complaint(load_classifier, RELU, path)
    assert message.startswith("x.pt cannot be read: ")
    assert what in message
    assert "delete" not in message
    assert "could not be saved as x.pt" in complaint(save_classifier, make(RELU), RELU, path)
    assert os.lstat(path) == before


@on_posix
def test_a_link_is_read_through_but_never_written_through(tmp_path):
    original = save_classifier(make(RELU), RELU, tmp_path / "teachers.pt")
    (tmp_path / "link.pt").symlink_to(original)
    assert torch.equal(weights(load_classifier(RELU, tmp_path / "link.pt")), weights(make(RELU)))
    content = original.read_bytes()
    message = complaint(save_classifier, make(RELU, seed=1), RELU, tmp_path / "link.pt")
    assert "link.pt is a link, not an ordinary file" in message
    assert original.read_bytes() == content
    assert (tmp_path / "link.pt").is_symlink()


@pytest.mark.parametrize("content", [b"my notes", b"PK\x03\x04[Content_Types].xml", b"\0" * 9])
def test_a_file_that_is_no_network_is_never_overwritten(content, tmp_path):
    (tmp_path / "mine").write_bytes(content)
    message = complaint(save_classifier, make(RELU), RELU, tmp_path / "mine")
    assert message == (
        f"{tmp_path / 'mine'} is there already, and is no saved network: choose another name."
    )
    assert (tmp_path / "mine").read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def of_weights(path):
    torch.save(make(RELU).state_dict(), path)


def of_anything(path):
    torch.save({"mine": torch.ones(3)}, path)


def of_lightning(path):
    images, digits = np.zeros((4, 28, 28), "float32"), [0, 1, 2, 3]
    trainer = Trainer(enable_progress_bar=False)
    trainer.fit(make(RELU), make_dataloader(images, digits, 4))
    trainer.save_checkpoint(path)


@pytest.mark.parametrize("put", [of_weights, of_anything, of_lightning])
def test_another_file_of_torch_is_never_overwritten(put, tmp_path):
    put(tmp_path / "mine.pt")
    content = (tmp_path / "mine.pt").read_bytes()
    message = complaint(save_classifier, make(RELU), RELU, tmp_path / "mine.pt")
    assert "is there already, and is no saved network: choose another name." in message
    assert (tmp_path / "mine.pt").read_bytes() == content


def compressed(network, path):
    """The network, with 300 MB of zeros that take a thousandth of that on the disk."""
    with (
        zipfile.ZipFile(network) as before,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for entry in before.namelist():
            content = bytes(300_000_000) if entry.endswith("data/0") else before.read(entry)
            after.writestr(entry, content)


def with_nothing_in_it(network, path):
    path.touch()
    os.truncate(path, 300_000_000)


@pytest.mark.parametrize("spoil", [compressed, with_nothing_in_it])
def test_a_file_far_too_large_is_refused_before_it_is_unpacked(spoil, tmp_path, monkeypatch):
    spoil(save_classifier(make(RELU), RELU, tmp_path / "relu.pt"), tmp_path / "large.pt")
    monkeypatch.setattr(torch, "load", lambda *arguments, **options: pytest.fail("it was loaded"))
    message = complaint(load_classifier, RELU, tmp_path / "large.pt")
    assert re.search(r"\(it unpacks to 300,\d{3},\d{3} bytes, where \d{3},\d{3} are ex", message)


@pytest.mark.parametrize("length", [0, 1000])
def test_a_damaged_network_is_replaced(length, tmp_path):
    path = save_classifier(make(RELU), RELU, tmp_path / "relu.pt")
    os.truncate(path, length)
    save_classifier(make(RELU), RELU, path)
    assert torch.equal(weights(load_classifier(RELU, path)), weights(make(RELU)))


@pytest.mark.parametrize("path", [None, 3, b"x.pt", "", "a\0b", "a\nb", "\ud800", ["x.pt"]])
def test_what_is_no_path_is_said(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for message in (
        complaint(save_classifier, make(RELU), RELU, path),
        complaint(load_classifier, RELU, path),
    ):
        assert message == (
            f'path is {path!r}, but it must be the path of a file, such as "saved/network.pt".'
        )
    assert not list(tmp_path.iterdir())


def test_no_such_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = complaint(save_classifier, make(RELU), RELU, "~nosuchuser/x.pt")
    assert message.startswith("path is '~nosuchuser/x.pt', but there is no such user here.")
    assert not list(tmp_path.iterdir())


def test_the_home_folder_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert save_classifier(make(RELU), RELU, "~/x.pt") == tmp_path / "home" / "x.pt"
    load_classifier(RELU, "~/x.pt")
    assert [file.name for file in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize(
    "config", [None, 3, "Config()", dl.Classifier, RELU.model.blocks, RELU.model, [RELU]]
)
def test_what_is_no_finished_recipe_is_said(config, tmp_path):
    path = save_classifier(make(RELU), RELU, tmp_path / "relu.pt")
    before = path.read_bytes()
    unfinished = isinstance(config, Config)
    for message in (
        complaint(save_classifier, make(RELU), config, path),
        complaint(load_classifier, config, path),
    ):
        assert ("Unfinished recipe" if unfinished else "it must be a recipe") in message
    assert path.read_bytes() == before


@pytest.mark.parametrize("classifier", [None, 3, RELU, torch.nn.Linear(3, 3), Classifier, "x"])
def test_what_is_no_classifier_is_not_saved(classifier, tmp_path):
    message = complaint(save_classifier, classifier, RELU, tmp_path / "x.pt")
    assert "as the classifier" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (SIGMOID, "it has ReLU where the recipe has Sigmoid"),
        (RELU.model.hidden_dims([32]), "of shape (32, 32), and the recipe's"),
        (RELU.model.hidden_dims([32, 32, 32]), "of shape (10, 32), and the recipe's"),
        (RELU.model.out_activation(Sigmoid), "it has Softmax where the recipe has Sigmoid"),
    ],
)
def test_a_recipe_that_is_not_the_classifiers_is_refused(config, named, tmp_path):
    message = complaint(save_classifier, make(RELU), config, tmp_path / "x.pt")
    assert named in message
    assert "Give the recipe that the classifier was made from" in message
    assert not list(tmp_path.iterdir())


def test_a_network_of_nan_is_not_saved(tmp_path):
    classifier = make(RELU)
    with torch.no_grad():
        classifier.model.blocks[0].layer.weight[0, 0] = float("nan")
    message = complaint(save_classifier, classifier, RELU, tmp_path / "x.pt")
    assert f"the weights {FIRST} are not all finite numbers" in message
    assert not list(tmp_path.iterdir())


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


def test_interrupted_while_the_file_is_written(tmp_path, monkeypatch):
    classifier = make(RELU)
    path = save_classifier(classifier, RELU, tmp_path / "relu.pt")
    before = path.read_bytes()

    def interrupted(self, target):
        assert self.read_bytes() == before  # it was complete
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
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


@on_posix
def test_a_disk_that_is_really_full(tmp_path):
    """The limit on the size of a file, which gives the error of a disk that is full."""
    path = save_classifier(make(RELU), RELU, tmp_path / "relu.pt")
    before = path.read_bytes()
    script = """
import resource, sys
from test_saved_networks import RELU, complaint, make, save_classifier
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
print(complaint(save_classifier, make(RELU, seed=1), RELU, sys.argv[1]))
"""
    here = Path(__file__).parent
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (here.parent, here)))},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith(f"The network could not be saved as {path}: the disk is full (")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["relu.pt"]


@on_posix
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(umask, mode, tmp_path):
    before = os.umask(umask)
    try:
        path = save_classifier(make(RELU), RELU, tmp_path / "saved" / "relu.pt")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE(path.parent.stat().st_mode) == mode | (mode & 0o444) >> 2


def test_a_bad_result_names_the_file_that_the_network_came_from(tmp_path, monkeypatch, capsys):
    """Lesson 6 loads a network that was never trained: the recipe is right, the result is not."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(HEADLESS, raising=False)
    record("rmsprop", 0.1)
    said = capsys.readouterr().out
    assert "outside of what we expected" in said
    assert "saved" not in said
    save_classifier(make(RELU), RELU, "saved/rmsprop.pt")
    load_classifier(RELU, "saved/rmsprop.pt")
    record("rmsprop", 0.1)
    names_the_file = (
        f"If the network is the one from {Path('saved/rmsprop.pt')}, that file may hold another: "
        "move it elsewhere and run the lesson again."
    )
    assert names_the_file in capsys.readouterr().out
    monkeypatch.setenv(HEADLESS, "1")
    assert names_the_file in complaint(record, "rmsprop", 0.1)
