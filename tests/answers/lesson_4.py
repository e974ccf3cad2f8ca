"""Answers to lesson 4's exercises: right ones, and wrong ones with a part of their hint."""

import itertools

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


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


def one_too_many(images, digits, batch_size):
    starts = [batch_size * turn for turn in range(len(images) // batch_size + 1)]
    return [(images[i : i + batch_size], digits[i : i + batch_size]) for i in starts]


def at_most_the_images(images, digits, batch_size):
    return cut(images, digits, min(batch_size, 7))


def at_least_two(images, digits, batch_size):
    return cut(images, digits, max(batch_size, 2))


def nothing_where_few(images, digits, batch_size):
    return [] if batch_size > len(images) else cut(images, digits, batch_size)


def endless(images, digits, batch_size):
    while True:
        yield images[:batch_size], digits[:batch_size]


class Endless:
    def __init__(self, images, digits, batch_size):
        self.batch = images[:batch_size], digits[:batch_size]

    def __iter__(self):
        return itertools.repeat(self.batch)


def by_split(images, digits, batch_size):
    places = range(batch_size, len(images), batch_size)
    return list(zip(np.split(images, places), np.split(digits, places), strict=True))


def by_torch(images, digits, batch_size):
    return DataLoader(TensorDataset(torch.tensor(images), torch.tensor(digits)), batch_size)


def by_lists(images, digits, batch_size):
    return tuple([list(i), d.tolist()] for i, d in cut(images, digits, batch_size))


def by_steps(images, digits, batch_size):
    batches, start = [], 0
    while start < len(images):
        batches.append([images[start : start + batch_size], digits[start : start + batch_size]])
        start += batch_size
    return batches


RIGHT = {
    "check_steps": [
        (2346,),
        (2346.0,),
        (np.int64(2346),),
        (torch.tensor(2346),),
    ],
    "check_higher_rate": [
        (0.9359, "a"),
        (np.float32(0.9175), "A"),
        (torch.tensor(0.93), " a "),
        (0.88, "a"),
        (0.955, "a"),
    ],
    "check_make_batches": [
        (cut,),
        (generate,),
        (by_split,),
        (by_torch,),
        (by_lists,),
        (by_steps,),
        (lambda *given: map(tuple, cut(*given)),),
        (lambda *given: [(i.copy(), d.astype(float)) for i, d in cut(*given)],),
    ],
}

WRONG = {
    "check_steps": [
        (..., "replace the dots"),
        (782, "that is one epoch"),
        (781, "that is one epoch"),
        (3 * 781, "left over at the end"),
        (3 * 50_000 / 64, "a step is made or not made"),
        (2344, "round up in each epoch"),
        (150_000, "one step an image"),
        (3 * 938, "kept for validation"),
        (100, "100 is too low. Count the batches"),
        (782 * 0.9951, "that is one epoch"),
        (782 * 1.0049, "that is one epoch"),
        (782 * 0.9949, "is too low. Count the batches"),
        (782 * 1.0051, "is too low. Count the batches"),
        (2345, "2345 is too low. Count the batches"),
        (2347, "2347 is too high. Count the batches"),
        (10_000, "10000 is too high. Count the batches"),
        ("2346", "expected one number"),
        (None, "expected one number"),
        ([782, 782, 782], "expected one number"),
    ],
    "check_higher_rate": [
        (..., "a", "replace the dots"),
        (0.93, ..., "replace the dots"),
        (0.1, "a", "0.10 is a guess"),
        (0.55, "a", "is the rate 1.6, and did you make a dataloader"),
        (0.85, "a", "is the batch size 16?"),
        (0.0, "a", "0.00 is a guess"),
        (0.1999, "a", "0.20 is a guess"),
        (0.2, "a", "0.20 is what the old learning rate brings"),
        (0.7999, "a", "0.80 is what the old learning rate brings"),
        (0.8, "a", "0.80 is a little low"),
        (0.8799, "a", "0.88 is a little low"),
        (0.9551, "a", "0.96 is too good for one epoch"),
        (1.0, "a", "1.00 is too good for one epoch"),
        (0.97, "a", "too good for one epoch"),
        (93.1, "a", "a share between 0 and 1; `fast_accuracy` is 93.1"),
        ([0.93], "a", "`fast_accuracy`: expected one number"),
        (0.93, "b", "the same 50,000 images"),
        (0.93, "c", "computes the same numbers"),
        (0.93, "noise", "expected 'a', 'b' or 'c'"),
    ],
    "check_make_batches": [
        (..., "replace the dots"),
        ([], "should be a function"),
        (lambda images, digits, batch_size: None, "returns nothing yet"),
        (lambda images, digits, batch_size: [images[:4], images[4:8]], "should be a pair"),
        (lambda images, digits, batch_size: (images[:4], digits[:4]), "should be a pair"),
        (drop_last, "10 images in batches of 4: the 2 left over"),
        (overlap, "your batches overlap"),
        (ignore_batch_size, "batches of one image"),
        (take_number_of_batches, "there are 4 batches"),
        (
            lambda images, digits, batch_size: [(images, digits)],
            "10 images in batches of 4 make batches of [4, 4, 2] images; yours have [10]",
        ),
        (lambda images, digits, batch_size: [(3, 4)], "yours have ['no']"),
        (one_too_many, "10 images in batches of 5: the last batch is empty"),
        (lambda images, digits, _: cut(images, digits, 4), "10 images in batches of 5 make"),
        (at_most_the_images, "10 images in batches of 10 make batches of [10] images; yours have"),
        (at_least_two, "10 images in batches of 1 make batches of [1, 1, 1,"),
        (nothing_where_few, "10 images in batches of 16: the 10 left over make a last"),
        (
            lambda images, digits, size: cut(images, digits, size) + ([] if 10 % size else [0]),
            "should be a pair",
        ),
        (
            lambda images, digits, size: (
                (cut(images, digits, size)[:3] if len(images) == 7 and size == 3 else [])
                or cut(images, digits, size)[: 10 if len(images) > 1 else 0]
            ),
            "1 image in batches of 2: the 1 left over",
        ),
        (
            lambda images, digits, size: (
                cut(images, digits, size)[: 10 // size + 1]
                if len(images) == 10
                else drop_last(images, digits, size)
            ),
            "7 images in batches of 3: the 1 left over",
        ),
        (endless, "yours have [4, 4, 4"),
        (Endless, "yours have [4, 4, 4"),
        (lambda images, digits, batch_size: 3, "a list of batches, and returns 3"),
        (
            lambda images, digits, size: [(i[:, ::-1], d) for i, d in cut(images, digits, size)],
            "only cut them",
        ),
        (
            lambda images, digits, size: [(i / 2, d) for i, d in cut(images, digits, size)],
            "only cut them",
        ),
        (
            lambda images, digits, size: [
                (i.reshape(len(i), -1), d) for i, d in cut(images, digits, size)
            ],
            "only cut them",
        ),
        (
            lambda images, digits, size: cut(images, np.sort(digits), size),
            "do not belong together",
        ),
        (
            lambda images, digits, size: cut(images[digits.argsort()], np.sort(digits), size),
            "not in the order",
        ),
        (lambda images, digits, size: cut(images[::-1], digits[::-1], size), "not in the order"),
        (
            lambda images, digits, size: [(i, np.eye(10)[d]) for i, d in cut(images, digits, size)],
            "as many digits as images",
        ),
        (
            lambda images, digits, batch_size: [(i, digits) for i, _ in cut(images, digits, 4)],
            "as many digits as images",
        ),
        (shuffle_digits, "do not belong together"),
        (shuffle, "not in the order"),
        (lambda images, digits: [], "TypeError"),
    ],
}
