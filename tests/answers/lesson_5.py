"""Answers to lesson 5's exercises: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch


def step(weight, gradient, average, lr):
    average = 0.99 * average + 0.01 * gradient**2
    return weight - lr * gradient / average**0.5, average


def with_epsilon(weight, gradient, average, lr):
    average = 0.99 * average + 0.01 * gradient**2
    return weight - lr * gradient / (average**0.5 + 1e-8), average


def with_torch(weight, gradient, average, lr):
    average = 0.99 * average + 0.01 * gradient**2
    return weight - lr * gradient / torch.sqrt(average), average


def with_numpy(weight, gradient, average, lr):
    average = 0.99 * average + 0.01 * np.square(gradient)
    return [weight - lr * gradient / np.sqrt(average), average]


def a_little_off(weight_part, average_part):
    """Returns a step whose numbers are multiplied by something near 1."""
    return lambda *given: [
        number * part
        for number, part in zip(step(*given), (weight_part, average_part), strict=True)
    ]


RIGHT = {
    "check_momentum_step": [
        (1,),
        (1.0,),
        (0.1 * 10,),
        (np.float32(1),),
        (torch.tensor(1.0),),
        (0.99,),
        (0.9801,),
        (1.0199,),
    ],
    "check_fast_rmsprop": [
        (0.1, "a"),
        (np.float32(0.2), " A "),
        (torch.tensor(0.09), "a"),
        (0.4499, "a"),
        (1e-4, "a"),
    ],
    "check_rmsprop_step": [
        (step,),
        (with_epsilon,),
        (with_torch,),
        (with_numpy,),
        (lambda *given: np.array(step(*given)),),
        (lambda *given: torch.tensor(step(*given)),),
        (lambda *given: (number for number in step(*given)),),
        (a_little_off(1 + 9e-5, 1 + 9e-5),),
        (a_little_off(1 - 9e-5, 1 - 9e-5),),
    ],
}

WRONG = {
    "check_momentum_step": [
        (..., "replace the dots"),
        (0.1, "the first step"),
        (0.19, "the second step"),
        (0.271, "the third step"),
        (10, "what m grows to"),
        (0.9, "the part of m that survives"),
        (0.09, "not shorter"),
        (0.1 / 0.9, "divide by 1 - 0.9"),
        (-1, "is positive"),
        (1e6, "does not grow forever"),
        (float("inf"), "does not grow forever"),
        (0.9799, "0.9799 is too low. In the end m stays"),
        (1.0201, "1.0201 is too high. In the end m stays"),
        (0.01, "not shorter"),
        (0.1 * 0.9901, "the first step"),
        (0.1 * 1.0099, "the first step"),
        (0.1 * 1.0101, "0.10101 is too low. In the end m stays"),
        (10 * 0.9899, "9.899 is too high. In the end m stays"),
        (-1.0099, "is positive"),
        (-1.0101, "-1.0101 is too low. In the end m stays"),
        (1000, "1000 is too high. In the end m stays"),
        (1001, "does not grow forever"),
        (0.5, "0.5 is too low. In the end m stays"),
        (2, "2 is too high. In the end m stays"),
        ("1", "expected one number"),
        (None, "expected one number"),
        ([0.1, 0.19], "expected one number"),
    ],
    "check_fast_rmsprop": [
        (..., "a", "replace the dots"),
        (0.1, ..., "replace the dots"),
        (0.87, "a", "0.87 is too good"),
        (0.45, "a", "0.45 is too good"),
        (1, "a", "1.00 is too good"),
        (9.8, "a", "a share between 0 and 1"),
        (0.0, "a", "not one image right"),
        ({"test_accuracy": 0.1}, "a", "take its 'test_accuracy'"),
        ("0.1", "a", "expected one number"),
        (None, "a", "expected one number"),
        (float("nan"), "a", "expected one number"),
        (0.1, "b", "the same 6,000 images are enough"),
        (0.1, "c", "reads its training images well"),
        (0.1, "d", "expected 'a', 'b' or 'c'"),
        (0.1, 1, "expected 'a', 'b' or 'c'"),
    ],
    "check_rmsprop_step": [
        (..., "replace the dots"),
        (0.5, "should be a function"),
        (lambda w, g, v, lr: None, "returns nothing yet"),
        (lambda w, g, v, lr: ..., "returns nothing yet"),
        (lambda w, g, v, lr: step(w, g, v, lr)[0], "return two numbers"),
        (lambda w, g, v, lr: step(w, g, v, lr)[::-1], "in the other order"),
        (lambda w, g, v, lr: (step(w, g, v, lr)[0], v), "return the new one"),
        (lambda w, g, v, lr: (w, 0.01 * v + 0.99 * g**2), "0.99 of the old average stays"),
        (lambda w, g, v, lr: (w, 0.99 * v + 0.01 * g), "over the gradient's squares"),
        (lambda w, g, v, lr: (w, v + g**2), "adds up the squares"),
        (lambda w, g, v, lr: (w, 0.99 * v + g**2), "counts with 1 - 0.99"),
        (lambda w, g, v, lr: (w, step(w, g, v, lr)[1] ** 0.5), "not its root"),
        (lambda w, g, v, lr: (w, 0.5), "the average is off"),
        (lambda w, g, v, lr: (w - lr * g / v**0.5, step(w, g, v, lr)[1]), "of the new average"),
        (
            lambda w, g, v, lr: (w - lr * g / step(w, g, v, lr)[1], step(w, g, v, lr)[1]),
            "not by the average",
        ),
        (lambda w, g, v, lr: (step(w, -g, v, lr)[0], step(w, g, v, lr)[1]), "uphill"),
        (lambda w, g, v, lr: step(w, g, v, 1), "learning rate is missing"),
        (lambda w, g, v, lr: (w - lr * g, step(w, g, v, lr)[1]), "SGD's step"),
        (lambda w, g, v, lr: (w, step(w, g, v, lr)[1]), "comes back as it was"),
        (lambda w, g, v, lr: step(0, g, v, lr), "the step alone"),
        (lambda w, g, v, lr: (7.0, step(w, g, v, lr)[1]), "the weight is off"),
        (a_little_off(1, 1 + 1.1e-4), "the average is off"),
        (a_little_off(1 - 1.1e-4, 1), "the weight is off"),
        (
            lambda w, g, v, lr: (w - lr * g * step(w, g, v, lr)[1] ** 0.5, step(w, g, v, lr)[1]),
            "do not multiply",
        ),
        (
            lambda w, g, v, lr: (w - step(w, g, v, lr)[0], step(w, g, v, lr)[1]),
            "the step alone",
        ),
        (lambda w, g, v, lr: step(w, g, 0.04, lr), "the average is off"),
        # Right for the first numbers that are tried, and no others.
        (lambda w, g, v, lr: step(w, g, v, 0.1), "the weight is off"),
        (lambda w, g, v, lr: step(1.0, g, v, lr), "the weight is off"),
        (lambda w, g, v, lr: step(w, 0.5, v, lr), "the average is off"),
        (lambda w, g, v, lr: step(w, abs(g), v, lr), "uphill"),
        (lambda w, g, v, lr: step(w, g, max(v, 0.04), lr), "the average is off"),
        (lambda w, g, v, lr: step(w, max(g, 0.1) if g >= 0 else g, v, lr), "the average is off"),
        (lambda w, g, v, lr: (*step(w, g, v, lr), 0), "return two numbers"),
        (lambda w, g, v, lr: ("1", "2"), "returns a tuple; expected two numbers"),
        (lambda w, g, v, lr: dict(zip("wv", step(w, g, v, lr), strict=True)), "returns a dict"),
        (lambda w, g: (w, g), "failed with TypeError"),
    ],
}
