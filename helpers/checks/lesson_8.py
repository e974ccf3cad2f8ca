"""The checks of lesson 8's exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpers.checks import answers
from helpers.errors import shown


@answers.check("Each process has 15,000 images: 937 full batches, and one of 8 images.")
def check_steps_per_epoch(steps_per_epoch: int) -> str | None:
    """Lesson 8, exercise 3: the steps of an epoch of four processes with batches of 16."""
    number = answers.number("steps_per_epoch", steps_per_epoch)
    if number == 938:
        return None
    slips = {
        3750: "that is for one process; here four processes share the images.",
        15_000: "that is how many images a process sees; it takes a step for each batch.",
        64: "that is the effective batch size; how many of them make an epoch?",
        16: "that is the batch size of one process.",
        3752: "that adds the steps of all processes; they take their steps together.",
        937: "what about the images that are left over? They make a step, too.",
        937.5: "there is no half step: what happens to the half-full batch?",
    }
    advice = "How many images does each process see, and in batches of how many?"
    return answers.slip(number, slips) or f"{answers.off(number, 938)} {advice}"


@answers.check("Without the averaging you train several networks, each on a part of the images.")
def check_without_averaging(largest_difference: float, reason: str) -> str | None:
    """Lesson 8, exercise 2: two processes that do not average their gradients."""
    largest = "take the largest of all weights' differences, with `.abs().max()`"
    difference = answers.number("largest_difference", largest_difference, several=largest)
    if difference < 0:
        return "a largest difference is not negative: take `abs()` before `max()`."
    if difference == 0:
        return "no difference at all: did both classifiers see the same images?"
    if difference < 0.08:
        return (
            f"{difference:.3g} is little: take the largest difference and not the average, and "
            "train both on all of their 6,000 images."
        )
    if difference > 10:
        return f"{difference:.3g} is much: take the largest difference, and not the sum of all."
    hints = {
        "a": "both started from seed 0, with the same weights. What did each see after that?",
        "b": "rounding made far smaller differences in “The same steps” above.",
    }
    return answers.wrong_letter("reason", reason, hints)


@answers.check("This is what the distributed sampler does, and now you have written one.")
def check_deal(deal: Callable[[int, int, int], list[int]]) -> str | None:
    """Lesson 8, exercise 1: which images a process sees."""
    for images, processes in (
        (10, 2),
        (12, 4),
        (10, 1),
        (10, 3),
        (10, 4),
        (1, 1),
        (2, 5),
        (60_000, 7),
    ):
        if hint := _wrong_deal(deal, images, processes):
            return hint
    return None


def _wrong_deal(deal: Any, images: int, processes: int) -> str | None:
    """Return a hint unless a function deals out some images to some processes."""
    each = -(-images // processes)
    dealt = [turn % images for turn in range(each * processes)]
    case = f"{images:,} {'image' if images == 1 else 'images'} and {processes} processes"
    lists = []
    for process in range(processes):
        answer = answers.call("deal", deal, images, process, processes)
        numbers = answers.numbers("deal", answer, expected="a list of numbers")
        if numbers.ndim != 1:
            return f"`deal` should return a list of numbers, and returns {shown(answer)}."
        if (numbers % 1).any():
            return f"for {case}, the list has decimals: images have whole numbers."
        lists.append([int(number) for number in numbers])
    expected = [dealt[process::processes] for process in range(processes)]
    if lists == expected:
        return None
    if any(number < 0 or number >= images for one in lists for number in one):
        return f"for {case}, the images have numbers from 0 to {images - 1:,}; yours go beyond."
    if processes > 1 and all(one == lists[0] for one in lists):
        return f"for {case}, all processes get the same images: each should get its own share."
    blocks = [list(range(images))[each * p : each * (p + 1)] for p in range(processes)]
    if lists == blocks:
        return "you hand out blocks of neighbors: deal one image to each process in turn."
    if lists == [list(range(process, images, processes)) for process in range(processes)]:
        return f"for {case}, not all get equally many: start again from image 0."
    if all(len(one) == images // processes < each for one in lists):
        return f"for {case}, some images are left out: start again from image 0 instead."
    if any(len(one) != each for one in lists):
        return f"for {case}, each process should get {each:,} images."
    wrong = next(p for p in range(processes) if lists[p] != expected[p])
    place = next(i for i in range(each) if lists[wrong][i] != expected[wrong][i])
    return (
        f"for {case}, process {wrong} should get image {expected[wrong][place]} in turn "
        f"{place}, and gets {lists[wrong][place]}."
    )
