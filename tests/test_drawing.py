"""Drawings become images as MNIST's did, and the canvas answers."""

import numpy as np
import pytest
import torch

from helpers.data import load_mnist
from helpers.drawing import DRAWING_SIZE, DrawDigit, center_and_scale, example_drawing, shrink
from helpers.errors import LessonError


def center_of_mass(image):
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


def box(image):
    rows, columns = np.nonzero(image > 0)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize("shift", [(0, 0), (30, -20), (-10, 25)])
def test_ink_is_centered_by_its_mass_and_fits_20_pixels(shift):
    drawing = np.zeros((112, 112))
    drawing[40 + shift[0] : 70 + shift[0], 45 + shift[1] : 55 + shift[1]] = 1
    drawing[40 + shift[0] : 46 + shift[0], 45 + shift[1] : 65 + shift[1]] = 1
    image = center_and_scale(drawing)
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    assert max(box(image)) == 20
    assert np.allclose(center_of_mass(image), 14, atol=0.5)


def test_mnist_itself_is_centered_this_way():
    # The rule is MNIST's only if MNIST's own images obey it.
    images, _ = load_mnist("test")
    centers = np.array([center_of_mass(image) for image in images[:500]])
    assert np.allclose(centers.mean(axis=0), 14, atol=0.05)
    assert np.abs(centers - 14).max() < 1.5
    assert np.quantile([max(box(image)) for image in images[:500]], [0.1, 0.9]).tolist() == [20, 20]


def test_proportions_are_kept():
    drawing = np.zeros((112, 112))
    drawing[10:90, 50:58] = 1
    assert box(center_and_scale(drawing)) == (20, 2)


def test_empty_and_uneven_drawings_give_an_image():
    assert not center_and_scale(np.zeros((112, 112))).any()
    uneven = np.zeros((112, 112))
    uneven[:100, :4] = 0.2
    uneven[90:100, :80] = 1
    assert center_and_scale(uneven).max() <= 1
    with pytest.raises(LessonError, match=r"\(3, 4, 5\)"):
        center_and_scale(np.zeros((3, 4, 5)))


def test_example_is_off_the_center_until_it_is_centered():
    drawing = example_drawing()
    assert drawing.shape == (DRAWING_SIZE, DRAWING_SIZE)
    assert abs(center_of_mass(shrink(drawing))[0] - 14) > 3
    assert np.allclose(center_of_mass(center_and_scale(drawing)), 14, atol=0.5)


class Columns(torch.nn.Module):
    """Answers with the share of ink in ten vertical stripes: easy to predict by hand."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def calling_stateful(self):
        return torch.no_grad()

    def forward(self, images):
        stripes = torch.stack([s.sum(dim=(1, 2)) for s in images.tensor_split(10, dim=2)], dim=1)
        return stripes / stripes.sum()


def test_canvas_answers_and_the_switch_matters():
    canvas = DrawDigit(Columns())
    drawing = np.zeros((DRAWING_SIZE, DRAWING_SIZE), np.uint8)
    drawing[20:90, 2:8] = 255
    canvas.set_state({"drawing": memoryview(drawing.tobytes())})  # as it comes from the browser
    assert np.argmax(canvas.outputs) in {4, 5}  # centered
    assert len(canvas.image) == 784
    canvas.centered = False
    assert np.argmax(canvas.outputs) == 0
    canvas.drawing = bytes(DRAWING_SIZE**2)
    assert canvas.outputs == []


def test_saved_notebooks_show_text_in_its_place():
    bundle = DrawDigit(Columns())._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "canvas to draw on" in data["text/html"]
