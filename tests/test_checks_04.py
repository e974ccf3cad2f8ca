"""The checks of lesson 4's exercises: the right answer, no answer, and plausible wrong ones."""

import numpy as np
import pytest
import torch

from helpers.checks import check_higher_rate, check_make_batches, check_steps


@pytest.mark.parametrize("answer", [2346, 2346.0, np.int64(2346), torch.tensor(2346)])
def test_steps_right(answer, capsys):
    check_steps(answer)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        (782, "that is one epoch"),
        (781, "that is one epoch"),
        (3 * 781, "left over at the end"),
        (3 * 50_000 / 64, "a step is made or not made"),
        (2344, "round up in each epoch"),
        (150_000, "one step an image"),
        (3 * 938, "kept for validation"),
        (100, "100 is too low. Count the batches"),
        (10_000, "10000 is too high. Count the batches"),
        ("2346", "expected one number"),
        (None, "expected one number"),
        ([782, 782, 782], "expected one number"),
    ],
)
def test_steps_hints(answer, hint, capsys):
    check_steps(answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said


@pytest.mark.parametrize(
    ("accuracy", "reason"), [(0.9359, "a"), (np.float32(0.9175), "A"), (torch.tensor(0.93), " a ")]
)
def test_higher_rate_right(accuracy, reason, capsys):
    check_higher_rate(accuracy, reason)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("accuracy", "reason", "hint"),
    [
        (..., "a", "replace the dots"),
        (0.93, ..., "replace the dots"),
        (0.1, "a", "0.10 is a guess"),
        (0.55, "a", "is the rate 1.6?"),
        (0.85, "a", "is the batch size 16?"),
        (0.97, "a", "too good for one epoch"),
        (93.1, "a", "a share between 0 and 1; `fast_accuracy` is 93.1"),
        ([0.93], "a", "`fast_accuracy`: expected one number"),
        (0.93, "b", "the same 50,000 images"),
        (0.93, "c", "computes the same numbers"),
        (0.93, "noise", "expected 'a', 'b' or 'c'"),
    ],
)
def test_higher_rate_hints(accuracy, reason, hint, capsys):
    check_higher_rate(accuracy, reason)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said


def cut(images, digits, batch_size):
    starts = range(0, len(images), batch_size)
    return [(images[i : i + batch_size], digits[i : i + batch_size]) for i in starts]


def generate(images, digits, batch_size):
    yield from cut(images, digits, batch_size)


def drop_last(images, digits, batch_size):
    return cut(images, digits, batch_size)[: len(images) // batch_size]


def overlap(images, digits, batch_size):
    starts = range(len(images))
    return [(images[i : i + batch_size], digits[i : i + batch_size]) for i in starts]


def ignore_batch_size(images, digits, batch_size):
    return cut(images, digits, 1)


def take_number_of_batches(images, digits, batch_size):
    return list(
        zip(np.array_split(images, batch_size), np.array_split(digits, batch_size), strict=True)
    )


def shuffle(images, digits, batch_size):
    order = np.random.default_rng(0).permutation(len(images))
    return cut(images[order], digits[order], batch_size)


def shuffle_digits(images, digits, batch_size):
    return cut(images, digits[::-1], batch_size)


@pytest.mark.parametrize("answer", [cut, generate])
def test_make_batches_right(answer, capsys):
    check_make_batches(answer)
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        ([], "should be a function"),
        (lambda images, digits, batch_size: None, "returns nothing yet"),
        (lambda images, digits, batch_size: [images[:4], images[4:8]], "should be a pair"),
        (lambda images, digits, batch_size: (images[:4], digits[:4]), "should be a pair"),
        (drop_last, "10 images in batches of 4: the 2 left over"),
        (overlap, "your batches overlap"),
        (ignore_batch_size, "batches of one image"),
        (take_number_of_batches, "there are 4 batches"),
        (lambda images, digits, batch_size: [(images, digits)], "yours have [10]"),
        (
            lambda images, digits, batch_size: [(i, digits) for i, _ in cut(images, digits, 4)],
            "as many digits as images",
        ),
        (shuffle_digits, "do not belong together"),
        (shuffle, "not in the order"),
        (lambda images, digits: [], "TypeError"),
    ],
)
def test_make_batches_hints(answer, hint, capsys):
    check_make_batches(answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ")
    assert hint in said
