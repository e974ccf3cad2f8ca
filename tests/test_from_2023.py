"""The page "From the 2023 lesson": its code is run as it stands, and each of its rows is proved."""

import inspect
import itertools
import re
from pathlib import Path

import deeplay as dl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import MSELoss, Sigmoid
from torch.optim import SGD
from torchmetrics.functional.classification import multiclass_confusion_matrix

import helpers.data
import helpers.plotting
from helpers.config import Config
from helpers.data import load_mnist
from helpers.errors import LessonError
from helpers.plotting import plot_confusion_matrix, plot_images, plot_mistakes
from helpers.training import Classifier, Trainer, make_dataloader, predict

PAGE = Path(__file__).parents[1] / "docs" / "from_2023.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
ROWS = {
    cells[0]: cells[1]
    for line in TEXT.splitlines()
    if line.startswith("| `") or line.startswith("| a loop")
    for cells in [[cell.strip() for cell in line.strip("|").split(" | ")]]
}
IMAGES = {"train": 600, "test": 300}


@pytest.fixture(scope="module")
def subset():
    """The first images of both splits, and their digits."""
    return {
        split: tuple(part[:number] for part in load_mnist(split))
        for split, number in IMAGES.items()
    }


@pytest.fixture(scope="module")
def folder(subset, tmp_path_factory):
    """A folder as `mnist_folder` makes it, of the subset alone."""
    path = tmp_path_factory.mktemp("MNIST_dataset")
    for split, (images, digits) in subset.items():
        (path / "mnist" / split).mkdir(parents=True)
        numbers = [itertools.count() for _ in range(10)]
        for image, digit in zip(images, digits, strict=True):
            name = f"{digit}_{next(numbers[digit]):06d}.png"
            Image.fromarray(np.uint8(np.rint(image * 255))).save(path / "mnist" / split / name)
    return path


@pytest.fixture(scope="module")
def read_as_in_2023(folder):
    """Images and digits of a split, read file by file as the 2023 lesson did."""

    def read(split):
        paths = sorted((folder / "mnist" / split).iterdir())
        return [plt.imread(path) for path in paths], [int(path.name[0]) for path in paths]

    return read


@pytest.fixture(scope="module")
def steps(subset, folder):
    """What the page's names stand for after each piece of its code, run on the subset."""
    seen, names = [], {"drawn": []}

    def noting(name, draw):
        return lambda *given, **options: (names["drawn"].append(name), draw(*given, **options))

    with pytest.MonkeyPatch.context() as patch:
        for name in ("plot_images", "plot_confusion_matrix", "plot_mistakes"):
            patch.setattr(helpers.plotting, name, noting(name, getattr(helpers.plotting, name)))
        patch.setattr(helpers.data, "load_mnist", subset.__getitem__)
        patch.setattr(helpers.data, "mnist_folder", lambda: folder)
        torch.manual_seed(0)
        for block in BLOCKS:
            exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102
            seen.append((block, dict(names)))
            plt.close("all")
    return seen


def counted_as_in_2023(network, dataloader):
    """The 2023 lesson's way to a confusion matrix: image after image."""
    matrix = np.zeros((10, 10), dtype=int)
    for image, digits in dataloader:
        _, predictions = network(image).max(dim=1)
        np.add.at(matrix, (digits, predictions), 1)
    return matrix


def test_the_code_trains_the_four_networks_of_2023(steps):
    trained = [names for block, names in steps if "trainer.fit" in block]
    assert [len(names["trainer"].history["epoch"]) for names in trained] == [1, 1, 1, 10]
    assert [names["trainer"].global_step for names in trained] == [600, 600, 600, 380]
    outs = [type(names["classifier"].model.blocks[-1].activation).__name__ for names in trained]
    assert outs == ["Sigmoid", "Softmax", "Softmax", "Softmax"]
    ins = [type(names["classifier"].model.blocks[0].activation).__name__ for names in trained]
    assert ins == ["Sigmoid", "Sigmoid", "ReLU", "ReLU"]
    assert [type(names["trainer"].optimizers[0]).__name__ for names in trained] == [
        *["SGD"] * 3,
        "RMSprop",
    ]
    mlp_model = trained[0]["mlp_model"]
    assert sum(p.numel() for p in mlp_model.parameters()) == 785 * 32 + 33 * 32 + 33 * 10
    assert trained[-1]["test_result"]["test_accuracy"] > 0.6  # it learns, also from 600 images


def test_the_counts_are_those_of_the_test(steps):
    counts = [names for block, names in steps if "confusion_matrix = count(" in block]
    assert len(counts) == 4
    for names in counts:
        matrix, result = names["confusion_matrix"], names["test_result"]
        assert int(matrix.sum()) == IMAGES["test"]
        assert result["test_accuracy"] == pytest.approx(int(matrix.trace()) / IMAGES["test"])
        again = counted_as_in_2023(names["classifier"], names["test_dataloader"])
        np.testing.assert_array_equal(matrix.numpy(), again)


def test_the_files_are_counted_and_are_the_arrays(steps, subset, read_as_in_2023):
    _, names = steps[0]
    for split, number in IMAGES.items():
        assert len(names[f"{split}_images_paths"]) == len(names[f"{split}_images"]) == number
        images, digits = read_as_in_2023(split)
        order = np.argsort(subset[split][1], kind="stable")
        np.testing.assert_array_equal(digits, subset[split][1][order])
        np.testing.assert_allclose(images, subset[split][0][order], atol=1e-6)


def test_the_figures_are_drawn(steps):
    drawn = [name for _, names in steps[-1:] for name in names["drawn"]]
    assert drawn == ["plot_images", *["plot_confusion_matrix"] * 4, "plot_mistakes"]


# --- what the rows say of the lines of 2023 ---

RULES = (
    Config().in_features(784).out_features(10).blocks.activation(Sigmoid).out_activation(Sigmoid)
)
MLP = RULES.hidden_features([4])


def recipe(one_hot="make_targets_one_hot"):
    recipe = Config().model(dl.MultiLayerPerceptron, MLP).num_classes(10).loss(MSELoss)
    return getattr(recipe.optimizer(SGD, lr=0.1), one_hot)(True)


def is_gone(owner, name):
    return not hasattr(owner, name)


def measured_by_deeplay_alone(subset):
    images, digits = (part[:20] for part in subset["test"])
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = dl.Trainer(max_epochs=1, accelerator="cpu", enable_checkpointing=False, **quiet)
    dataloader = dl.DataLoader(list(zip(images, digits, strict=True)))
    classifier = recipe().create(dl.Classifier)
    return classifier, dataloader, trainer.test(classifier, dataloader, verbose=False)


def ours_is_named_otherwise(theirs, ours, subset):
    classifier, dataloader, [result] = measured_by_deeplay_alone(subset)
    here = Trainer().test(classifier_of_ours(classifier), dataloader)
    with pytest.raises(LessonError, match="The result has no"):
        here[theirs]
    return here[ours] == here[0][ours] == pytest.approx(result[theirs], abs=1e-6)


def classifier_of_ours(classifier):
    ours = recipe().create(Classifier)
    ours.load_state_dict(classifier.state_dict())
    return ours


def loop_gives_what_predict_gives(subset):
    images, digits = subset["test"]
    classifier = recipe().create(Classifier)
    dataloader = make_dataloader(images, digits)
    outputs, same_digits = predict(classifier, dataloader)
    looped = torch.cat([classifier(image).max(dim=1)[1] for image, _ in dataloader])
    return torch.equal(looped, outputs.argmax(dim=1)) and same_digits.tolist() == digits.tolist()


def own_figure_takes_no_classifier():
    with pytest.raises(LessonError, match="confusion_matrix"):
        plot_confusion_matrix(recipe().create(Classifier))
    return True


def both_dataloaders_train_to_the_same_weights(subset):
    images, digits = subset["train"]
    trained = []
    for dataloader in (
        make_dataloader(images, digits, shuffle=True),
        dl.DataLoader(list(zip(images, digits, strict=True)), shuffle=True),
    ):
        torch.manual_seed(1)
        classifier, trainer = recipe().create(Classifier), Trainer(accelerator="cpu")
        trainer.fit(classifier, dataloader)
        assert trainer._batch_size == 1, "one step at a time"
        trained.append(torch.cat([p.flatten() for p in classifier.parameters()]))
    return torch.equal(*trained)


def both_trainers_train_to_the_same_weights(subset):
    images, digits = (part[:50] for part in subset["train"])
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trained = []
    for make, kind in ((dl.Trainer, dl.Classifier), (Trainer, Classifier)):
        torch.manual_seed(1)
        classifier = recipe().create(kind)
        trainer = make(max_epochs=1, accelerator="auto", enable_checkpointing=False, **quiet)
        trainer.fit(classifier, make_dataloader(images, digits, shuffle=True))
        trained.append(torch.cat([p.flatten() for p in classifier.parameters()]))
    return torch.equal(*trained)


PROOFS = {
    '`os.system("git clone …")`': lambda ask: (
        inspect.getfullargspec(helpers.data.mnist_folder).defaults[:2]
        == ("MNIST_dataset", "bundled")
    ),
    "`plt.imread(path)`, for each path": lambda ask: (
        len(ask("read_as_in_2023")("train")[0]) == IMAGES["train"]
    ),
    "`int(filename[0])`, for each path": lambda ask: (
        sorted(ask("subset")["test"][1]) == ask("read_as_in_2023")("test")[1]
    ),
    "`plt.imshow(image)`, 18 times": lambda ask: (
        plot_images(ask("subset")["test"][0][:18], range(18)) is None
    ),
    "`dl.Config()`": lambda ask: is_gone(dl, "Config"),
    "`.hidden_dims([32, 32])`": lambda ask: RULES.hidden_dims([4]) == MLP,
    "`dl.MultiLayerPerceptron.from_config(mlp_config)`": lambda ask: (
        is_gone(dl.MultiLayerPerceptron, "from_config")
        and isinstance(MLP.create(dl.MultiLayerPerceptron), dl.MultiLayerPerceptron)
    ),
    "`.make_target_onehot(True)`, `.make_targets_onehot(True)`": lambda ask: (
        recipe("make_target_onehot") == recipe("make_targets_onehot") == recipe()
    ),
    "`dl.Classifier.from_config(classifier_config)`": lambda ask: (
        is_gone(dl.Classifier, "from_config")
        and isinstance(recipe().create(Classifier), Classifier)
    ),
    "`dl.DataLoader(list(zip(images, digits)), shuffle=True)`": lambda ask: (
        both_dataloaders_train_to_the_same_weights(ask("subset"))
    ),
    '`dl.Trainer(max_epochs=1, accelerator="auto")`': lambda ask: (
        both_trainers_train_to_the_same_weights(ask("subset"))
    ),
    "`trainer.test(classifier, dataloader)[0]`": lambda ask: isinstance(
        measured_by_deeplay_alone(ask("subset"))[2], list
    ),
    '`["testMulticlassAccuracy_epoch"]`': lambda ask: ours_is_named_otherwise(
        "testMulticlassAccuracy_epoch", "test_accuracy", ask("subset")
    ),
    '`["test_loss_epoch"]`': lambda ask: ours_is_named_otherwise(
        "test_loss_epoch", "test_loss", ask("subset")
    ),
    "`model(image).max(dim=1)`, for each batch": lambda ask: loop_gives_what_predict_gives(
        ask("subset")
    ),
    "`np.add.at(confusion_matrix, …, 1)`": lambda ask: (
        multiclass_confusion_matrix(torch.tensor([7, 7]), torch.tensor([1, 1]), 10)[1, 7] == 2
    ),
    "`plot_confusion_matrix(model, trainer, dataloader)`": lambda ask: (
        own_figure_takes_no_classifier()
    ),
    "a loop over single images, with `plt.annotate`": lambda ask: (
        plot_mistakes(*ask("subset")["test"], np.zeros(IMAGES["test"], int)) is None
    ),
    "`dl.DataLoader(train_mnist_image_and_groundtruth, …)`": lambda ask: (
        "plot_mistakes(test_images, test_ground_truth, " in BLOCKS[-1]
    ),
}


def test_each_row_has_its_proof():
    assert set(ROWS) == set(PROOFS)


@pytest.mark.parametrize("line", PROOFS)
def test_what_a_row_says_is_so(line, request):
    assert PROOFS[line](request.getfixturevalue)
    plt.close("all")


@pytest.mark.parametrize("line", PROOFS)
def test_what_a_row_writes_stands_in_the_code(line):
    written = re.findall(r"`([^`]+)`", ROWS[line])
    for code in written:
        name = re.match(r"(.*\.)?(\[?\"?\w+)", code)[2].strip('["')
        assert name in "\n".join(BLOCKS), code
