"""Checks for the exercises: each says at once whether an answer is right, or gives a hint.

A check looks at what an answer does (its value, its shape, what it returns), never at its source
text. It prints one line and raises nothing, so that a notebook with unanswered exercises runs from
top to bottom.
"""

from helpers.checks.lesson_1 import check_megabytes, check_shifted, check_strangest
from helpers.checks.lesson_2 import check_parameter_count, check_recalls, check_unshuffled
from helpers.checks.lesson_3 import check_five_slopes, check_softmax, check_tanh
from helpers.checks.lesson_4 import check_higher_rate, check_make_batches, check_steps
from helpers.checks.lesson_5 import check_fast_rmsprop, check_momentum_step, check_rmsprop_step
from helpers.checks.lesson_6 import (
    check_accuracy_of_surest,
    check_inverted,
    check_with_temperature,
)
from helpers.checks.lesson_7 import check_by_hand, check_idle_parameters, check_switched_off
from helpers.checks.lesson_8 import check_deal, check_steps_per_epoch, check_without_averaging

__all__ = [
    "check_megabytes",
    "check_shifted",
    "check_strangest",
    "check_parameter_count",
    "check_unshuffled",
    "check_recalls",
    "check_five_slopes",
    "check_tanh",
    "check_softmax",
    "check_steps",
    "check_higher_rate",
    "check_make_batches",
    "check_momentum_step",
    "check_fast_rmsprop",
    "check_rmsprop_step",
    "check_with_temperature",
    "check_inverted",
    "check_accuracy_of_surest",
    "check_idle_parameters",
    "check_switched_off",
    "check_by_hand",
    "check_steps_per_epoch",
    "check_without_averaging",
    "check_deal",
]
