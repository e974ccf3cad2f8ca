"""Answers to lesson 6's exercises: right ones, and wrong ones with a part of their hint."""

from fractions import Fraction

import numpy as np
import torch


def surest(outputs, digits, share, order=-1):
    kept = np.argsort(order * outputs.max(axis=1))[: round(share * len(digits))]
    return outputs[kept].argmax(axis=1) == digits[kept]


def with_torch(outputs, digits, share):
    confidence, predictions = outputs.max(dim=1)
    kept = confidence.topk(int(share * len(digits))).indices
    return (predictions[kept] == digits[kept]).float().mean()


def with_quantile(outputs, digits, share):
    confidence = outputs.max(axis=1)
    kept = confidence >= np.quantile(confidence, 1 - share)
    return (outputs[kept].argmax(axis=1) == digits[kept]).mean()


def in_a_loop(outputs, digits, share):
    images = sorted(range(len(digits)), key=lambda image: max(outputs[image]), reverse=True)
    kept = images[: round(share * len(images))]
    return sum(int(np.argmax(outputs[image]) == digits[image]) for image in kept) / len(kept)


def by(score):
    """Returns a function that keeps the images with the highest score."""

    def accuracy(outputs, digits, share):
        kept = np.argsort(-score(outputs, digits))[: round(share * len(digits))]
        return (outputs[kept].argmax(axis=1) == digits[kept]).mean()

    return accuracy


def ahead(outputs, digits):
    first, second = np.sort(outputs, axis=1)[:, :-3:-1].T
    return first - second


def spread(outputs, digits):
    return (outputs * np.log(outputs + 1e-30)).sum(axis=1)


def right(outputs, digits):
    return outputs.argmax(axis=1) == digits


def at_temperature(outputs, temperature):
    powers = outputs ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def with_logarithm(outputs, temperature):
    return torch.softmax(torch.log(outputs) / temperature, dim=1)


def row_by_row(outputs, temperature):
    rows = [[float(p) ** (1 / temperature) for p in row] for row in outputs]
    return [[p / sum(row) for p in row] for row in rows]


def powers(outputs, temperature):
    return outputs ** (1 / temperature)


RIGHT = {
    "check_with_temperature": [
        (at_temperature,),
        (with_logarithm,),
        (row_by_row,),
        (lambda o, t: np.float32(at_temperature(o, t)),),
        (lambda o, t: torch.from_numpy(at_temperature(np.asarray(o), t)),),
    ],
    "check_inverted": [
        (0.08, "b"),
        (np.float32(0.01), "B"),
        (torch.tensor(0.3), "b"),
        (0.4, "b"),
    ],
    "check_accuracy_of_surest": [
        (lambda *a: surest(*a).mean(),),
        (with_torch,),
        (with_quantile,),
        (in_a_loop,),
        (lambda *a: np.array([surest(*a).mean()]),),
        (lambda *a: np.float32(surest(*a).mean()),),
        (lambda *a: Fraction(int(surest(*a).sum()), len(surest(*a))),),
    ],
}

WRONG = {
    "check_with_temperature": [
        (..., "replace the dots"),
        (1.3, "should be a function"),
        (lambda o, t: None, "returns nothing yet"),
        (powers, "no longer add up to 1"),
        (lambda o, t: powers(o, t) / powers(o, t).sum(), "its own sum"),
        (lambda o, t: powers(o, t) / powers(o, t).sum(axis=0), "not over the images"),
        (lambda o, t: at_temperature(o, 1 / t), "the power 1 / T, not T"),
        (lambda o, t: o**t, "the power 1 / T, not T"),
        (lambda o, t: o / t, "do not divide the outputs"),
        (lambda o, t: torch.softmax(torch.tensor(o) / t, dim=1), "outputs already"),
        (lambda o, t: o, "a temperature of 2 must change"),
        (lambda o, t: at_temperature(o, 2), "for a temperature of 1 the outputs are off"),
        (lambda o, t: at_temperature(o, max(t, 1)), "a temperature of 0.5 must change"),
        (lambda o, t: at_temperature(o, min(t, 2)), "for a temperature of 5"),
        (lambda o, t: at_temperature(o, t)[:1], "come back with shape (1, 10)"),
        (lambda o, t: at_temperature(o, t).max(axis=1), "come back with shape (4,)"),
        (lambda o, t: "0.1", "expected outputs"),
        (lambda o: o, "failed with TypeError"),
    ],
    "check_inverted": [
        (..., "b", "replace the dots"),
        (0.1, ..., "replace the dots"),
        (0.966, "b", "96.6% is what the images reach as they are"),
        (0.9001, "b", "90.0% is what the images reach as they are"),
        (0.9, "b", "90.0% is too good"),
        (0.4001, "b", "40.0% is too good"),
        (0.6, "b", "train nothing anew"),
        (8.6, "b", "a share between 0 and 1"),
        (-0.1, "b", "a share between 0 and 1"),
        ({"test_accuracy": 0.1}, "b", "take its 'test_accuracy'"),
        ("8 %", "b", "expected one number"),
        (np.zeros(10), "b", "expected one number"),
        (0.08, "a", "nothing is lost"),
        (0.08, "c", "What did it see?"),
        (0.08, "x", "expected 'a', 'b' or 'c'"),
    ],
    "check_accuracy_of_surest": [
        (..., "replace the dots"),
        (0.99, "should be a function"),
        (lambda o, d, s: None, "returns nothing yet"),
        (lambda o, d, s: ..., "returns nothing yet"),
        (lambda o, d, s: surest(o, d, s), "return one number"),
        (lambda o, d, s: right(o, d).mean(), "the accuracy on all images"),
        (lambda o, d, s: surest(o, d, s, order=1).mean(), "least sure"),
        (lambda o, d, s: surest(o, d, s).sum() / len(d), "divided by all images"),
        (lambda o, d, s: surest(o, d, s).sum(), "counts the right answers"),
        (lambda o, d, s: 100 * surest(o, d, s).mean(), "in percent"),
        (lambda o, d, s: 1 - surest(o, d, s).mean(), "the share of mistakes"),
        (lambda o, d, s: right(o, d)[: int(s * len(d))].mean(), "the first images"),
        (lambda o, d, s: right(o, d)[o.max(axis=1) >= s].mean(), "how many images to keep"),
        (lambda o, d, s: surest(o, d, 0.5).mean(), "for 0.2 it gives 0.9"),
        (lambda o, d, s: surest(o, d, s).mean() if s == 0.2 else 0.9, "right for 20 images"),
        (lambda o, d, s: surest(o, d, s * 20 / len(d)).mean(), "of 40 others, a share of 0.125"),
        (by(ahead), "of 40 others"),
        (by(spread), "of 40 others"),
        (by(lambda o, d: o.std(axis=1)), "of 40 others"),
        (by(lambda o, d: -o.min(axis=1)), "of 40 others"),
        (by(lambda o, d: o[np.arange(len(d)), d]), "is off"),
        (lambda o, d, s: surest(o, d, min(s, 0.5)).mean(), "a share of 0.75 has the accuracy"),
        (lambda o, d, s: surest(o, d, min(s, 0.75)).mean(), "a share of 1 has the accuracy 0.525"),
        (lambda o, d, s: surest(o, d, max(s, 0.2)).mean(), "a share of 0.125 has the accuracy 0.8"),
        (
            lambda o, d, s: surest(o, d, 0.2 if s == 0.25 else s).mean(),
            "a share of 0.25 has the accuracy 0.7",
        ),
        (
            lambda o, d, s: (o[np.argsort(-o.max(axis=1))][: s * len(d)].argmax(axis=1)).mean(),
            "a whole number, with `round`",
        ),
        (lambda o, d, s: surest(o, d, s).mean() > 0.5, "return one number"),
        (lambda o, d, s: str(surest(o, d, s).mean()), "return one number"),
        (lambda o, d, s: float("nan"), "nan is off"),
        (lambda o, d, s: 0.123, "is off"),
        (lambda o, d: 0.9, "failed with TypeError"),
    ],
}
