"""Answers to lesson 2's exercises: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch

from helpers.checks import check_recalls


def loop(matrix):
    return [float(matrix[digit, digit] / matrix[digit].sum()) for digit in range(10)]


def recalls_of_the_first_matrix():
    """Returns the right answer for the first matrix that the check tries, as numbers."""
    answers = []
    check_recalls(lambda matrix: answers.append(loop(matrix)) or answers[0])
    return answers[0]


FIRST = recalls_of_the_first_matrix()


RIGHT = {
    "check_parameter_count": [
        (50_890,),
        (50_890.0,),
        (np.int64(50_890),),
        (torch.tensor(50_890),),
    ],
    "check_unshuffled": [
        (0.1009, "c"),
        (torch.tensor(0.1), "C"),
        (np.float32(0.224), " c "),
        (0.2999, "c"),
        (1e-4, "c"),
    ],
    "check_recalls": [
        (lambda matrix: matrix.diagonal() / matrix.sum(axis=1),),
        (lambda matrix: matrix.diag() / matrix.sum(dim=1),),  # for tensors
        (lambda matrix: np.diag(matrix.numpy()) / matrix.numpy().sum(axis=1),),
        (lambda matrix: np.diag(matrix) / matrix.astype(float).sum(axis=1),),  # for arrays
        (loop,),
        (lambda matrix: np.asarray(loop(matrix)),),
        (lambda matrix: tuple(loop(matrix)),),
        (lambda matrix: [matrix[digit, digit] / matrix[digit].sum() for digit in range(10)],),
        (lambda matrix: (share for share in loop(matrix)),),
        (lambda matrix: np.round(loop(matrix), 5),),
        (lambda matrix: np.array(loop(matrix)) * 1.00099,),
        (lambda matrix: np.array(loop(matrix)) * 0.99901,),
        (lambda matrix: (matrix.diagonal() / matrix.sum(axis=1)).float().requires_grad_(),),
    ],
}

WRONG = {
    "check_parameter_count": [
        (..., "replace the dots"),
        (784 * 64 + 64 * 10, "you counted the weights"),
        (785 * 64 + 64 * 10, "ten output neurons has a bias"),
        (784 * 64 + 65 * 10, "64 hidden neurons has a bias"),
        (785 * 64 + 65 * 10 + 784, "no bias there"),
        (785 * 64, "output neurons have parameters too"),
        (784 * 64, "the hidden layer's weights"),
        (64 + 10, "those are the neurons"),
        (26_506, "the network above"),
        (785 * 64 + 65 * 64 + 65 * 10, "not two"),
        (50_889, "50889 is too low. Each neuron has one weight"),
        (60_000, "60000 is too high. Each neuron has one weight"),
        ((50, 890), "without commas"),
        ("50890", "expected one number"),
        (None, "expected one number, got None"),
        (np.array([50_240, 650]), "expected one number"),
    ],
    "check_unshuffled": [
        (..., "c", "replace the dots"),
        (0.1, ..., "replace the dots"),
        (0.657, "c", "0.66 is too good"),  # shuffled, or not sorted
        (0.3, "c", "0.30 is too good"),
        (1.0, "c", "1.00 is too good"),
        (0.43, "c", "sort images and digits"),  # only the images sorted
        (0.77, "c", "measure on the test images"),  # the training accuracy
        (10.09, "c", "a share between 0 and 1; `unshuffled_accuracy` is 10.09. Divide"),
        (1009, "c", "a share between 0 and 1; `unshuffled_accuracy` is 1009."),
        (-0.1, "c", "a share between 0 and 1"),
        (float("nan"), "c", "expected one number, got nan"),
        (None, "c", "expected one number, got None"),
        ({"test_loss": 0.09, "test_accuracy": 0.1009}, "c", "take its 'test_accuracy'"),
        (0.0, "c", "same order"),
        (0.1, "a", "the images are the same"),
        (0.1, "b", "stayed at 0.1"),
        (0.1, "d", "expected 'a', 'b' or 'c'"),
        (0.1, "it forgets", "expected 'a', 'b' or 'c'"),
        (0.1, None, "`reason` is None"),
    ],
    "check_recalls": [
        (..., "replace the dots"),
        (lambda matrix: ..., "returns nothing yet"),
        (lambda matrix: None, "returns nothing yet"),
        (lambda matrix: matrix.diagonal(), "counts on the diagonal"),
        (lambda matrix: matrix.sum(axis=1), "the images of each digit"),
        (lambda matrix: matrix.diagonal() / matrix.sum(axis=0), "columns"),
        (lambda matrix: matrix.diagonal() / matrix.sum(), "divided by all images"),
        (lambda matrix: 1 - matrix.diagonal() / matrix.sum(axis=1), "misread"),
        (lambda matrix: 100 * matrix.diagonal() / matrix.sum(axis=1), "percent"),
        (lambda matrix: matrix.diagonal() // matrix.sum(axis=1), "cuts off"),
        (lambda matrix: matrix / matrix.sum(axis=1), "whole matrix"),
        (lambda matrix: matrix.diagonal().sum() / matrix.sum(), "one number for all"),
        (lambda matrix: loop(matrix)[:9], "shape (9,)"),
        (lambda matrix: dict(enumerate(loop(matrix))), "returns a dict"),
        (lambda matrix: np.array(loop(matrix)) * 1.00101, "some numbers are off"),
        (lambda matrix: np.array(loop(matrix)) * 0.99899, "some numbers are off"),
        (lambda matrix: np.zeros((10, 1)), "shape (10, 1)"),
        (lambda matrix: "0.9" * 10, "returns a str"),
        (lambda matrix: ["0.9"] * 10, "returns a list; expected an array of ten numbers"),
        # Right for the first matrix that is tried, in which no digit is read as a smaller one.
        (lambda matrix: matrix.diagonal() / matrix.triu().sum(axis=1), "some numbers are off"),
        (lambda matrix: FIRST, "some numbers are off"),
        (lambda matrix: loop(matrix)[::-1], "some numbers are off"),
        (lambda matrix: matrix.daigonal(), "AttributeError"),
        (lambda: 1, "TypeError"),
        (np.ones(10), "should be a function"),
    ],
}
