"""Drawings become images as MNIST's did."""

import numpy as np
import pytest
import torch

from helpers.data import load_mnist
from helpers.drawing import DRAWING_SIZE, center_and_scale, example_drawing, shrink
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


@pytest.mark.parametrize("take", [center_and_scale, shrink])
def test_what_is_no_drawing_is_refused_and_a_drawing_is_not_written_to(take):
    gray = np.linspace(0, 1, 112 * 112).reshape(112, 112)
    for wrong, said in (
        (None, "drawing must be numbers, got None."),
        (gray * np.nan, "drawing has pixels that are NaN or infinite. Look at"),
        ((gray * 255).astype("uint8"), r"whole numbers from 0 to 255 \(uint8\)\. Divide by 255"),
        (gray * 255, "drawing must go from 0 to 1, got 0 to 255"),
        (gray - 0.5, "drawing must go from 0 to 1, got -0.5 to 0.5"),
        (gray[:0], r"drawing must have shape \(height, width\), .* got \(0, 112\)"),
        (gray[0], r"drawing must have shape \(height, width\), .* got \(112,\)"),
    ):
        with pytest.raises(LessonError, match=said):
            take(wrong)
    for right in (gray, gray.astype("float32"), gray.tolist(), torch.tensor(gray), gray[::2, ::3]):
        before = np.array(right)
        image = take(right)
        assert image.dtype == np.float32
        assert image.shape == (28, 28)
        image += 1
        np.testing.assert_array_equal(before, np.array(right))


def test_shrinking_averages_boxes():
    drawing = np.zeros((112, 112))
    drawing[4:8, 8:10] = 1
    expected = np.zeros((28, 28))
    expected[1, 2] = 0.5
    np.testing.assert_array_equal(shrink(drawing), expected)


def test_faint_smudges_are_not_ink():
    """What is fainter than a tenth neither moves nor scales the digit."""
    drawing = example_drawing()
    smudged = drawing.copy()
    smudged[100:104, 4:8] = 0.09
    np.testing.assert_array_equal(center_and_scale(smudged), center_and_scale(drawing))
    smudged[100:104, 4:8] = 0.11
    assert not np.array_equal(center_and_scale(smudged), center_and_scale(drawing))


def test_ink_far_from_its_center_of_mass_stays_inside():
    for turn in range(4):
        heavy = np.zeros((112, 112))
        heavy[:, 50:52] = 0.2
        heavy[100:, 40:60] = 1
        image = center_and_scale(np.rot90(heavy, turn))
        assert max(box(image)) == 20
        row, column = center_of_mass(image)
        assert min(row, column, 28 - row, 28 - column) > 8
        assert abs((row, column)[turn % 2] - 14) > 1, "the edge, not the center, decides here"
        edges = image[0], image[:, 0], image[-1], image[:, -1]
        assert [edge.any() for edge in edges] == [turn == side for side in range(4)]


def test_example_is_a_seven():
    drawing = example_drawing()
    assert drawing.dtype == np.float32
    assert (drawing.min(), drawing.max()) == (0, 1)
    for y, x in ((17, 76), (18, 62), (16, 90), (36, 81), (56, 73)):
        assert drawing[y, x] == 1, "a stroke to the right, and one down to the left"
    assert not drawing[:, :56].any()
    assert not drawing[62:].any()
    assert 0.02 < drawing.mean() < 0.06
    widths = (drawing[25:50] > 0.5).sum(axis=1)
    assert widths.min() >= 7
    assert widths.max() <= 10


def test_example_is_off_the_center_until_it_is_centered():
    drawing = example_drawing()
    assert drawing.shape == (DRAWING_SIZE, DRAWING_SIZE)
    assert abs(center_of_mass(shrink(drawing))[0] - 14) > 3
    assert np.allclose(center_of_mass(center_and_scale(drawing)), 14, atol=0.5)
