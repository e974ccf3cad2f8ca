"""The checks of lesson 7's exercises: the right answer, no answer, and plausible wrong ones."""

import numpy as np
import pytest
import torch
from torch.utils.data.distributed import DistributedSampler

from helpers.checks import check_deal, check_steps_per_epoch, check_without_averaging


def said(capsys):
    return capsys.readouterr().out


@pytest.mark.parametrize("answer", [938, 938.0, np.int64(938), torch.tensor(938)])
def test_steps_right(answer, capsys):
    check_steps_per_epoch(answer)
    assert said(capsys).startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        (3750, "that is for one process"),
        (15_000, "how many images a process sees"),
        (64, "effective batch size"),
        (16, "batch size of one process"),
        (3752, "adds the steps of all"),
        (937, "left over"),
        (60_000 / 64, "no half step"),
        (1000, "too high"),
        (900, "too low"),
        ("938", "expected one number"),
        (None, "expected one number"),
        ([938], "expected one number"),
    ],
)
def test_steps_hints(answer, hint, capsys):
    check_steps_per_epoch(answer)
    text = said(capsys)
    assert text.startswith("Not yet: ")
    assert hint in text


@pytest.mark.parametrize("answer", [(0.4, "c"), (np.float32(0.9), " C"), (torch.tensor(0.3), "c")])
def test_without_averaging_right(answer, capsys):
    check_without_averaging(*answer)
    assert said(capsys).startswith("Right. ")


@pytest.mark.parametrize(
    ("difference", "reason", "hint"),
    [
        (..., "c", "replace the dots"),
        (0.4, ..., "replace the dots"),
        (torch.zeros(26_506), "c", "one number"),
        ("large", "c", "one number"),
        (True, "c", "one number"),
        (float("nan"), "c", "NaN"),
        (-0.4, "c", "abs()"),
        (0.0, "c", "the same images"),
        (0.01, "c", "and not the average"),
        (700.0, "c", "not the sum"),
        (0.4, "d", "expected 'a', 'b' or 'c'"),
        (0.4, "a", "started from seed 0"),
        (0.4, "b", "rounding made far smaller"),
        (None, "c", "Not yet"),
    ],
)
def test_without_averaging_hints(difference, reason, hint, capsys):
    check_without_averaging(difference, reason)
    text = said(capsys)
    assert text.startswith("Not yet: ")
    assert hint in text


def by_sampler(images, process, processes):
    return list(DistributedSampler(range(images), processes, process, shuffle=False))


def by_array(images, process, processes):
    return np.resize(np.arange(images), -(-images // processes) * processes)[process::processes]


@pytest.mark.parametrize("answer", [by_sampler, by_array])
def test_deal_right(answer, capsys):
    check_deal(answer)
    assert said(capsys).startswith("Right. ")


def last_again(images, process, processes):
    dealt = by_sampler(images, process, processes)
    return [min(process + processes * turn, images - 1) for turn in range(len(dealt))]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (..., "replace the dots"),
        (3, "should be a function"),
        (lambda images, process, processes: None, "returns nothing yet"),
        (lambda images, process, processes: ..., "returns nothing yet"),
        (lambda images, process, processes: process, "a list of numbers"),
        (lambda images, process, processes: list(range(images)), "the same images"),
        (
            lambda n, process, processes: list(range(n))[
                -(-n // processes) * process : -(-n // processes) * (process + 1)
            ],
            "blocks of neighbors",
        ),
        (
            lambda images, process, processes: list(range(process, images, processes)),
            "not all get equally many",
        ),
        (
            lambda n, process, processes: list(range(process, n, processes))[: n // processes],
            "left out",
        ),
        (
            lambda n, p, processes: [p + processes * i for i in range(-(-n // processes))],
            "go beyond",
        ),
        (lambda n, p, processes: by_sampler(n, p, processes) + [0], "each process should get"),
        (lambda n, p, processes: by_sampler(n, p, processes)[::-1], "in turn 0"),
        (last_again, "in turn"),
        (lambda images: [], "TypeError"),
    ],
)
def test_deal_hints(answer, hint, capsys):
    check_deal(answer)
    text = said(capsys)
    assert text.startswith("Not yet: ")
    assert hint in text
