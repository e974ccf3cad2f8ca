"""The checks of lesson 6's exercises: the right answer, no answer, and plausible wrong ones."""

import numpy as np
import pytest
import torch

from helpers.checks import check_accuracy_of_surest, check_inverted, check_no_digit


def said(capsys):
    return capsys.readouterr().out


@pytest.mark.parametrize("answer", ["b", "B", " b "])
def test_no_digit_right(answer, capsys):
    check_no_digit(answer)
    assert said(capsys).startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        ("a", "look at the highest outputs"),
        ("c", "can all ten be about 0"),
        ("d", "expected 'a', 'b' or 'c'"),
        ("", "expected 'a', 'b' or 'c'"),
        (0.1, "expected 'a', 'b' or 'c'"),
        (None, "expected 'a', 'b' or 'c'"),
        (np.zeros(10), "expected 'a', 'b' or 'c'"),
    ],
)
def test_no_digit_hints(answer, hint, capsys):
    check_no_digit(answer)
    text = said(capsys)
    assert text.startswith("Not yet: ")
    assert hint in text


@pytest.mark.parametrize("answer", [(0.08, "b"), (np.float32(0.01), "B"), (torch.tensor(0.3), "b")])
def test_inverted_right(answer, capsys):
    check_inverted(*answer)
    assert said(capsys).startswith("Right. ")


@pytest.mark.parametrize(
    ("accuracy", "reason", "hint"),
    [
        (..., "b", "replace the dots"),
        (0.1, ..., "replace the dots"),
        (0.966, "b", "96.6% is what the images reach as they are"),
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
)
def test_inverted_hints(accuracy, reason, hint, capsys):
    check_inverted(accuracy, reason)
    text = said(capsys)
    assert text.startswith("Not yet: ")
    assert hint in text


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


@pytest.mark.parametrize("answer", [lambda *a: surest(*a).mean(), with_torch, with_quantile])
def test_accuracy_of_surest_right(answer, capsys):
    check_accuracy_of_surest(answer)
    assert said(capsys).startswith("Right. ")


def right(outputs, digits):
    return outputs.argmax(axis=1) == digits


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
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
        (lambda o, d, s: 0.123, "is off"),
        (lambda o, d: 0.9, "failed with TypeError"),
    ],
)
def test_accuracy_of_surest_hints(answer, hint, capsys):
    check_accuracy_of_surest(answer)
    text = said(capsys)
    assert text.startswith("Not yet: ")
    assert hint in text
