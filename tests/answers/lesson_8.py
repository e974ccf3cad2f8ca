"""Answers to lesson 8's exercises: right ones, and wrong ones with a part of their hint."""

import itertools

import numpy as np
import torch
from torch.utils.data.distributed import DistributedSampler


def by_sampler(images, process, processes):
    return list(DistributedSampler(range(images), processes, process, shuffle=False))


def by_array(images, process, processes):
    return np.resize(np.arange(images), -(-images // processes) * processes)[process::processes]


def by_turns(images, process, processes):
    numbers = itertools.cycle(range(images))
    turns = -(-images // processes) * processes
    return list(itertools.islice(numbers, turns))[process::processes]


def last_again(images, process, processes):
    dealt = by_sampler(images, process, processes)
    return [min(process + processes * turn, images - 1) for turn in range(len(dealt))]


RIGHT = {
    "check_steps_per_epoch": [
        (938,),
        (938.0,),
        (np.int64(938),),
        (torch.tensor(938),),
    ],
    "check_without_averaging": [
        (0.4, "c"),
        (np.float32(0.9), " C"),
        (torch.tensor(0.3), "c"),
        (0.08, "c"),
        (10, "c"),
    ],
    "check_deal": [
        (by_sampler,),
        (by_array,),
        (by_turns,),
        (lambda *given: tuple(by_turns(*given)),),
        (lambda *given: torch.tensor(by_turns(*given)),),
        (lambda *given: np.array(by_turns(*given), dtype=float),),
        (lambda *given: [np.int32(number) for number in by_turns(*given)],),
        (lambda *given: (number for number in by_turns(*given)),),
    ],
}

WRONG = {
    "check_steps_per_epoch": [
        (..., "replace the dots"),
        (3750, "that is for one process"),
        (15_000, "how many images a process sees"),
        (64, "effective batch size"),
        (16, "batch size of one process"),
        (3752, "adds the steps of all"),
        (937, "left over"),
        (60_000 / 64, "no half step"),
        (939, "939 is too high. How many images"),
        (936, "936 is too low. How many images"),
        (1000, "too high"),
        (900, "too low"),
        ("938", "expected one number"),
        (None, "expected one number"),
        ([938], "expected one number"),
    ],
    "check_without_averaging": [
        (..., "c", "replace the dots"),
        (0.4, ..., "replace the dots"),
        (torch.zeros(26_506), "c", "take the largest of all weights' differences"),
        ("large", "c", "one number"),
        (True, "c", "one number"),
        (float("nan"), "c", "NaN"),
        (-0.4, "c", "abs()"),
        (0.0, "c", "the same images"),
        (1e-9, "c", "1e-09 is little"),
        (0.0799, "c", "0.0799 is little"),
        (10.01, "c", "10 is much"),
        (0.01, "c", "and not the average"),
        (700.0, "c", "not the sum"),
        (0.4, "d", "expected 'a', 'b' or 'c'"),
        (0.4, "a", "started from seed 0"),
        (0.4, "b", "rounding made far smaller"),
        (None, "c", "Not yet"),
    ],
    "check_deal": [
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
        (lambda *given: [str(number) for number in by_turns(*given)], "returns a list; expected"),
        (lambda *given: [number + 0.3 for number in by_turns(*given)], "the list has decimals"),
        (lambda *given: [[number] for number in by_turns(*given)], "a list of numbers"),
        (lambda *given: set(by_turns(*given)), "returns a set; expected a list of numbers"),
        (lambda *given: dict.fromkeys(by_turns(*given)), "returns a dict"),
        (
            lambda *given: [number + 1 for number in by_turns(*given)],
            "from 0 to 9; yours go beyond",
        ),
        (
            lambda *given: [number - 1 for number in by_turns(*given)],
            "from 0 to 9; yours go beyond",
        ),
        (lambda images, process, _: by_turns(images, process, 2), "12 images and 4 processes"),
        (lambda _, process, processes: by_turns(10, process, processes), "for 12 images and 4"),
        (
            lambda n, p, processes: by_turns(n, p, processes) if processes > 1 else [],
            "for 10 images and 1 processes",
        ),
        (
            # goes round once, and not twice
            lambda n, p, processes: [
                number - n if number >= n else number
                for number in range(p, -(-n // processes) * processes, processes)
            ],
            "for 2 images and 5 processes, the images have numbers from 0 to 1",
        ),
        (
            lambda n, p, processes: (
                by_turns(n, p, processes)[: 1 if n == 1 else None]
                if n < 60_000
                else by_turns(n, p, processes)[:100]
            ),
            "for 60,000 images and 7 processes, each process should get 8,572 images",
        ),
        (
            lambda n, p, processes: by_turns(n, p, processes)[: n // processes] or [0],
            "for 10 images and 3 processes, some images are left out",
        ),
        (lambda images: [], "TypeError"),
    ],
}
