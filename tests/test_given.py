"""Tests of helpers.given: what is taken, in which form, and what each refusal says."""

import deeplay as dl
import numpy as np
import pytest
import scipy.sparse
import torch
from torch import nn
from torch.utils.data import DataLoader

from helpers import given
from helpers.config import Config
from helpers.errors import LessonError

IMAGES = np.linspace(0, 1, 3 * 784, dtype="float32").reshape(3, 28, 28)
WHOLE = (IMAGES * 255).astype("uint8")
STANDARDISED = (IMAGES - 0.1307) / 0.3081
BROKEN = IMAGES.copy()
BROKEN[1, 5, 5] = np.nan
NO_DATA = torch.empty(3, 28, 28, device="meta")


class Broken:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise OSError("the disk\nis gone")


def refusal(take, *arguments, **options):
    """What a refusal says: one line, one sentence or more, nothing raw."""
    with pytest.raises(LessonError) as caught:
        take(*arguments, **options)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


# ---------------------------------------------------------------- what is taken


@pytest.mark.parametrize(
    "values",
    [
        IMAGES,
        IMAGES.astype("float16"),
        IMAGES.astype("float64"),
        IMAGES.astype(">f4"),
        IMAGES.tolist(),
        list(IMAGES),
        torch.tensor(IMAGES),
        torch.tensor(IMAGES, requires_grad=True),
        [torch.tensor(image, requires_grad=True) for image in IMAGES],
        torch.tensor(IMAGES).bfloat16(),
        np.ma.array(IMAGES),
        np.asfortranarray(IMAGES),
    ],
    ids=lambda values: type(values).__name__,
)
def test_images_are_taken_in_any_form(values):
    taken = given.images(values)
    assert isinstance(taken, np.ndarray)
    assert taken.dtype.kind == "f"
    np.testing.assert_allclose(taken, IMAGES, atol=0.004)


def test_images_are_not_copied():
    assert np.shares_memory(given.images(IMAGES), IMAGES)
    tensor = torch.tensor(IMAGES)
    assert np.shares_memory(given.images(tensor), tensor.numpy())


@pytest.mark.parametrize("edge", [-0.0009, 1.0009])
def test_rounding_is_forgiven(edge):
    images = IMAGES.copy()
    images[0, 0, 0] = edge
    assert given.images(images)[0, 0, 0] == np.float32(edge)


@pytest.mark.parametrize("edge", [-0.002, 1.002])
def test_more_than_rounding_is_not(edge):
    images = IMAGES.copy()
    images[0, 0, 0] = edge
    assert "images must go from 0 to 1, got " in refusal(given.images, images)


def test_faint_images_are_taken_unless_divided_twice():
    given.images(IMAGES / 200)
    given.images(np.zeros((2, 28, 28)))


@pytest.mark.parametrize(
    "values",
    [[0, 9, 5], (0, 9, 5), np.uint8([0, 9, 5]), torch.tensor([0, 9, 5]), [np.int64(0), 9, 5]],
)
def test_digits_are_taken_as_int64(values):
    taken = given.digits(values, count=3)
    assert taken.dtype == np.int64
    assert taken.tolist() == [0, 9, 5]


def test_digits_in_a_list_of_tensors_are_taken():
    assert given.digits([torch.tensor(3), torch.tensor(4)]).tolist() == [3, 4]


def test_ten_numbers_are_taken_as_float64():
    for values in (range(10), torch.arange(10.0, requires_grad=True), np.arange(10, dtype="f2")):
        taken = given.ten_numbers(values, "outputs")
        assert taken.dtype == np.float64
        assert taken.tolist() == list(range(10))


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (1, 1, None),
        (np.int64(16), 1, None),
        (np.uint8(9), 0, 9),
        (torch.tensor(3), 1, 3),
        (0, 0, 0),
        (10**30, 1, None),
        (-2, -2, 5),
    ],
)
def test_whole_numbers_are_taken_as_int(value, low, high):
    taken = given.whole_number(value, "batch_size", low, high)
    assert type(taken) is int
    assert taken == int(value)


def test_networks_and_dataloaders_are_taken_as_they_are():
    network = nn.Linear(2, 3)
    assert given.classifier(network) is network
    built = dl.MultiLayerPerceptron(784, [2], 10).create()
    assert given.classifier(built) is built
    loader = DataLoader([(0, 1)])
    assert given.dataloader(loader, "train_dataloader") is loader


def test_images_and_digits_go_together():
    images, digits = given.images_and_digits(IMAGES, [1, 2, 3])
    assert images is IMAGES
    assert digits.tolist() == [1, 2, 3]


# ---------------------------------------------------------------- what is refused, and how

USUAL = (
    ". The usual causes: gray values up to 255 (divide by 255), standardised images "
    "(images * 0.3081 + 0.1307 undoes it for MNIST), images from -1 to 1 ((images + 1) / 2), "
    "added noise (np.clip(images, 0, 1))."
)
FLOATS = "images must be floating-point numbers from 0 to 1, got "
SHAPE = "images must have shape (N, 28, 28), got "


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (STANDARDISED, f"images must go from 0 to 1, got -0.4242 to 2.821{USUAL}"),
        (IMAGES * 2 - 1, f"images must go from 0 to 1, got -1 to 1{USUAL}"),
        (IMAGES - 5, f"images must go from 0 to 1, got -5 to -4{USUAL}"),
        (IMAGES * 255.0, f"images must go from 0 to 1, got 0 to 255{USUAL}"),
        (torch.tensor(IMAGES) * 255, f"images must go from 0 to 1, got 0 to 255{USUAL}"),
        (IMAGES + 0.2, f"images must go from 0 to 1, got 0.2 to 1.2{USUAL}"),
        (
            IMAGES / 255 / 255 * 255,
            "images must go from 0 to 1, got 0 to 0.003922: they look as if divided by 255 twice. "
            "Divide once.",
        ),
        (WHOLE, f"{FLOATS}whole numbers from 0 to 255 (uint8). Divide by 255: np.array(images) "),
        (
            WHOLE.astype(int).tolist(),
            f"{FLOATS}whole numbers from 0 to 255 (int64). Divide by 255",
        ),
        (WHOLE // 200, f'{FLOATS}whole numbers from 0 to 1 (uint8). Write np.array(images, "floa'),
        (WHOLE * 0, f'{FLOATS}whole numbers from 0 to 0 (uint8). Write np.array(images, "float32'),
        (WHOLE.astype(int) - 3, f"{FLOATS}whole numbers from -3 to 252 (int64). Look at how they"),
        (WHOLE.astype(int) * 2, f"{FLOATS}whole numbers from 0 to 510 (int64). Look at how they"),
        (IMAGES > 0.5, f'{FLOATS}truth values (bool). Write np.array(images, "float32").'),
        (
            BROKEN,
            "images has pixels that are NaN or infinite, in 1 of 3 images, first in images[1]",
        ),
        (
            np.full((3, 28, 28), np.inf),
            "images has pixels that are NaN or infinite, in 3 of 3 images, ",
        ),
        (
            np.full((3, 28, 28), -np.inf),
            "images has pixels that are NaN or infinite, in 3 of 3 images, ",
        ),
        (IMAGES[0], f"{SHAPE}(28, 28). For one image, pass images[None]."),
        (IMAGES.reshape(3, 784), f"{SHAPE}(3, 784). Write np.reshape(images, (-1, 28, 28))."),
        (IMAGES[0].ravel(), f"{SHAPE}(784,). Write np.reshape(images, (-1, 28, 28))."),
        (IMAGES[:, None], f"{SHAPE}(3, 1, 28, 28). Write np.reshape(images, (-1, 28, 28))."),
        (IMAGES[..., None], f"{SHAPE}(3, 28, 28, 1). Write np.reshape(images, (-1, 28, 28))."),
        (np.moveaxis(IMAGES, 0, -1), f"{SHAPE}(28, 28, 3). Write np.moveaxis(images, -1, 0)."),
        (
            np.stack([IMAGES] * 3, 1),
            f"{SHAPE}(3, 3, 28, 28). For colored images, take the mean: np.mean(images, axis=1).",
        ),
        (
            np.stack([IMAGES] * 3, -1),
            f"{SHAPE}(3, 28, 28, 3). For colored images, take the mean: np.mean(images, axis=3).",
        ),
        (IMAGES[:, :27], f"{SHAPE}(3, 27, 28)."),
        (0.5, f"{SHAPE}()."),
        (IMAGES[:0], "images is empty: there must be at least one image."),
        (None, "images must be numbers, got None."),
        ("x", "images must be numbers, got a str."),
        (["a", "b"], "images must be numbers, got a list of text."),
        ([None, None], "images must be numbers, got a list of objects."),
        (IMAGES.astype(object), "images must be numbers, got an ndarray of shape (3, 28, 28) of o"),
        (IMAGES + 1j, "images must be numbers, got an ndarray of shape (3, 28, 28) of complex nu"),
        (
            np.zeros(3, "M8[s]"),
            "images must be numbers, got an ndarray of shape (3,) of dates.",
        ),
        ({"images": 1}, "images must be numbers, got a dict."),
        ((image for image in IMAGES), "images must be numbers, got a generator."),
        ([IMAGES[0], IMAGES[0][:5]], "images must all have the same shape, to make one array."),
        (list(zip(IMAGES, range(3), strict=True)), "images must all have the same shape, to make"),
        (
            scipy.sparse.csr_matrix(IMAGES[0]),
            "images must be an array or a list, got a csr_matrix of shape (28, 28). Write image",
        ),
        (
            np.ma.masked_less(IMAGES, 0.5),
            "images has masked values, which count as nothing here. Write images.filled(0).",
        ),
        (
            torch.tensor(IMAGES).to_sparse(),
            "images must be numbers in an array or a list, got a Tensor of shape (3, 28, 28) that "
            "cannot be read: can't convert Sparse",
        ),
        (
            NO_DATA,
            "images must be numbers in an array or a list, got a Tensor of shape (3, 28, 28)",
        ),
        (Broken(), "images must be numbers in an array or a list, got a Broken that cannot be r"),
    ],
)
def test_images_that_are_none_are_refused(values, said):
    assert refusal(given.images, values).startswith(said)


def test_an_unreadable_object_says_its_own_reason_in_one_line():
    assert refusal(given.array, Broken(), "x").endswith("cannot be read: the disk")


class Shapeless:
    @property
    def shape(self):
        raise RuntimeError("it has several")


@pytest.mark.parametrize(
    "values", [Shapeless(), torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])]
)
@pytest.mark.parametrize("take", [given.images, given.digits, given.finite])
def test_what_does_not_tell_its_shape_is_refused(take, values):
    assert "must be numbers" in refusal(take, values, "these")


def test_the_names_of_the_learner_are_used():
    assert refusal(given.images, IMAGES * 9.0, "test_images").count("test_images") == 4
    assert refusal(given.digits, [10], "predictions").startswith("predictions must be whole")
    assert refusal(given.image, BROKEN[1], "mean") == (
        "mean has pixels that are NaN or infinite. Look at how they were made."
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (IMAGES, "(3, 28, 28). For the first of several images, pass image[0]."),
        (IMAGES[:1, None], "(1, 1, 28, 28). Write np.reshape(image, (28, 28))."),
        (IMAGES[0].ravel(), "(784,). Write np.reshape(image, (28, 28))."),
        (IMAGES[0, 0], "(28,)."),
        (5, "()."),
    ],
)
def test_one_image_has_one_shape(values, said):
    assert refusal(given.image, values) == f"image must have shape (28, 28), got {said}"


def test_one_image_is_taken_and_its_values_are_looked_at():
    assert given.image(IMAGES[0]) is not None
    assert np.shares_memory(given.image(IMAGES[0]), IMAGES)
    assert "got 0 to 255" in refusal(given.image, np.linspace(0, 255, 784).reshape(28, 28))


def test_a_drawing_has_any_height_and_width():
    assert given.drawing(np.zeros((1, 5))).shape == (1, 5)
    for values in (np.zeros((0, 5)), np.zeros((5, 0)), np.zeros(5), IMAGES, 3):
        said = refusal(given.drawing, values)
        assert said == (
            "drawing must have shape (height, width), both 1 or more, got " + f"{np.shape(values)}."
        )
    assert "NaN or infinite. Look" in refusal(given.drawing, np.full((3, 5), np.inf))
    assert "got whole numbers from 7 to 7 (int64). Divide" in refusal(
        given.drawing, np.full((3, 5), 7)
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            [1.0, 2.0],
            "must be whole numbers, like int64, got float64. Write np.array(digits, int).",
        ),
        (
            [True, False],
            "must be whole numbers, like int64, got bool. Write np.array(digits, int).",
        ),
        ([1, 2.5], "must be whole numbers from 0 to 9, got 2.5."),
        ([1, np.nan], "must be whole numbers from 0 to 9, got nan."),
        ([1, 10], "must be whole numbers from 0 to 9, got 10."),
        ([-1, 10], "must be whole numbers from 0 to 9, got -1."),
        (np.eye(10), "must have shape (N,), got (10, 10). Write np.argmax(digits, axis=1)."),
        (np.eye(10)[:3], "must have shape (N,), got (3, 10). Write np.argmax(digits, axis=1)."),
        ([[1], [2]], "must have shape (N,), got (2, 1). Write np.ravel(digits)."),
        (IMAGES, "must have shape (N,), got (3, 28, 28)."),
        (3, "must have shape (N,), got ()."),
        (["1", "2"], "must be numbers, got a list of text."),
        (None, "must be numbers, got None."),
        ([[1], [2, 3]], "must all have the same shape, to make one array."),
    ],
)
def test_digits_that_are_none_are_refused(values, said):
    assert refusal(given.digits, values) == f"digits {said}"


def test_digits_are_as_many_as_the_images():
    for some in ([1, 2], [1, 2, 3, 4]):
        said = refusal(given.images_and_digits, IMAGES, some)
        assert said == f"digits must be as many as the images, 3, got {len(some)}."
    assert refusal(given.digits, []) == "digits is empty: there must be at least one digit."
    assert "1,234, got 5,678." in refusal(given.digits, [1] * 5678, count=1234)


def test_swapped_images_and_digits_are_named():
    swapped = "images and digits are swapped: give the images first, then the digits."
    for images in (IMAGES, IMAGES.reshape(3, 784), IMAGES[:, None], torch.tensor(IMAGES)):
        assert refusal(given.images_and_digits, [1, 2, 3], images) == swapped
    assert "images must have shape" in refusal(given.images_and_digits, [1, 2, 3], [1, 2, 3])
    assert "images must all have" in refusal(given.images_and_digits, [[1], [2, 3]], IMAGES)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2], "must be ten numbers, of shape (10,), got (2,)."),
        (
            np.ones((1, 10)),
            "must be ten numbers, of shape (10,), got (1, 10). For the first of several images, "
            "pass outputs[0].",
        ),
        ([1] * 9 + [np.inf], "must be finite numbers, got inf."),
        ([np.nan] + [1] * 9, "must be finite numbers, got nan."),
        (None, "must be numbers, got None."),
    ],
)
def test_ten_numbers_that_are_none_are_refused(values, said):
    assert refusal(given.ten_numbers, values, "outputs") == f"outputs {said}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-1, "-1"),
        (6, "6"),
        (np.int64(0), "0"),
        (2.0, "2.0"),
        (np.float32(2), "2.0"),
        (True, "True"),
        (np.True_, "True"),
        (torch.tensor(True), "a Tensor of shape ()"),
        (torch.tensor(2.0), "a Tensor of shape ()"),
        ("3", "'3'"),
        ("3" * 100, "'" + 77 * "3" + " …"),
        (None, "None"),
        ([3], "a list"),
        (np.ones(2), "an ndarray of shape (2,)"),
        (NO_DATA, "a Tensor of shape (3, 28, 28)"),
        ({}, "a dict"),
    ],
)
def test_a_number_that_is_not_whole_is_refused(value, shown):
    said = refusal(given.whole_number, value, "pairs", 1, 5)
    assert said == f"pairs must be a whole number, 1 to 5, got {shown}."


def test_a_whole_number_may_have_no_upper_limit():
    said = refusal(given.whole_number, 0, "batch_size")
    assert said == "batch_size must be a whole number, 1 or more, got 0."


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "got None. A recipe makes one: classifier_config.create(Classifier)."),
        (dl.Classifier, "got the class Classifier. A recipe makes one:"),
        (Config(), "got its recipe. Make one first: classifier_config.create(Classifier)."),
        (IMAGES, "got an ndarray of shape (3, 28, 28). A recipe makes one:"),
        ("classifier", "got a str. A recipe"),
    ],
)
def test_what_is_no_classifier_is_refused(value, found):
    said = refusal(given.classifier, value)
    assert said.startswith(f"classifier must be a classifier, {found}")


def test_a_template_is_not_a_classifier_yet():
    said = refusal(given.classifier, dl.Classifier(dl.MultiLayerPerceptron(784, [2], 10)), "mine")
    assert said == "mine is a template that deeplay has not built yet: mine.create() builds it."


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, "None"), ([1], "a list"), (IMAGES, "an ndarray of shape (3, 28, 28)"), (3, "an int")],
)
def test_what_is_no_dataloader_is_refused(value, found):
    assert refusal(given.dataloader, value, "train_dataloader") == (
        f"train_dataloader must be a dataloader, got {found}. Make one: "
        "make_dataloader(images, digits, batch_size=16)."
    )
