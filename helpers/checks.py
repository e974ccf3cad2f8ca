"""Checks for the exercises: each says at once whether an answer is right, or gives a hint.

A check looks at what an answer does (its value, its shape, what it returns), never at its source
text. It prints one line and raises nothing, so that a notebook with unanswered exercises runs from
top to bottom.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from numbers import Number
from typing import Any

import numpy as np

from helpers.errors import LessonError

# --- answers: what all checks share ---


class _NotYet(Exception):  # noqa: N818 (an answer, not an error)
    """The hint for an answer of which there is nothing to go on with."""


def _check(right: str) -> Callable[[Callable[..., str | None]], Callable[..., None]]:
    """Turn a function that returns a hint, or None for a right answer, into a check that prints.

    Args:
        right: What to add to "Right." when the answer is.
    """

    def decorate(find_hint: Callable[..., str | None]) -> Callable[..., None]:
        @functools.wraps(find_hint)
        def check(*answers: Any, **named_answers: Any) -> None:
            if any(answer is ... for answer in (*answers, *named_answers.values())):
                print("Not yet: replace the dots by your answer and run this cell again.")
                return
            try:
                with _nothing_left_behind():
                    hint = find_hint(*answers, **named_answers)
            except (_NotYet, LessonError) as reason:
                hint = str(reason)
            except KeyboardInterrupt:
                hint = "interrupted while your function was running: does each loop in it end?"
            except (Exception, SystemExit) as error:  # a learner's code may do what it likes
                said = _one_line(str(error))
                hint = f"checking your answer failed with {type(error).__name__}: {said}"
            print(f"Right. {right}" if hint is None else f"Not yet: {hint}")

        return check

    return decorate


@contextlib.contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Run a learner's function without warnings, and with random numbers of its own.

    They are the same each time, and so is the verdict; the notebook's own go on as if nothing had
    been drawn. Checks try numbers that overflow on purpose, so a warning would tell nothing.
    """
    torch = sys.modules.get("torch")  # not imported for lesson 1, which does without
    states = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(0)
    np.random.seed(0)
    if torch:
        torch.default_generator.manual_seed(0)  # torch.manual_seed would seed the GPUs as well
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch:
            torch.set_rng_state(states[2])


def _one_line(text: str, length: int = 200) -> str:
    """Return a text on one line, cut off where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[:length]} …"


def _shown(answer: Any) -> str:
    """Return an answer as its code shows it, on one short line."""
    try:
        return _one_line(repr(answer), 80)
    except Exception:  # a number of too many digits, for one
        return f"something of type {type(answer).__name__}"


def _as_float(answer: Any) -> float | None:
    """Return one real number of any type as a float, and None for anything else.

    Numbers are Python's, its fractions and decimals, NumPy's, torch's, and their arrays that hold
    one number; but no `bool`, which is what a comparison leaves.
    """
    with contextlib.suppress(Exception):  # no array, or one of several numbers
        answer = answer.item()
    if isinstance(answer, bool) or not isinstance(answer, Number) or answer.imag != 0:
        return None
    try:
        return float(answer.real)
    except OverflowError:
        return math.inf if answer.real > 0 else -math.inf


def _number(name: str, answer: Any, several: str = "take the one that is asked for") -> float:
    """Return the number that is the answer called `name`.

    Args:
        name: What the lesson calls the answer.
        answer: The answer.
        several: What to do with an answer that holds several numbers.

    Raises:
        _NotYet: The answer is something else, or NaN.
    """
    number = _as_float(answer)
    if number is not None and not math.isnan(number):
        return number
    advice, shape = "", getattr(answer, "shape", ())
    if number is not None:
        advice = ": NaN means “not a number”"
    elif isinstance(answer, str) and any(character.isdigit() for character in answer):
        advice = ": leave the quotes out"
    elif inspect.isroutine(answer):
        advice = ": call it, with `()`"
    elif isinstance(answer, Mapping) and "test_accuracy" in answer:
        advice = ": `trainer.test` returns a dictionary, take its 'test_accuracy'"
    elif isinstance(answer, tuple):
        advice = ": write it without commas, and decimals after a point"
    elif isinstance(answer, list) or (isinstance(shape, tuple) and shape):
        advice = f": {several}"
    raise _NotYet(f"`{name}`: expected one number, got {_shown(answer)}{advice}.")


def _share(name: str, answer: Any, several: str = "take the one that is asked for") -> float:
    """Return the accuracy that is the answer called `name`; arguments and errors as `_number`."""
    share = _number(name, answer, several)
    if 0 <= share <= 1:
        return share
    percent = " Divide percent by 100." if 1 < share <= 100 else ""
    raise _NotYet(f"an accuracy is a share between 0 and 1; `{name}` is {share:.10g}.{percent}")


def _off(number: float, right: float) -> str:
    """Say on which side of the right number a wrong one is."""
    return f"{number:.10g} is too {'high' if number > right else 'low'}."


def _slip(number: float, slips: dict[float, str], within: float = 0.0) -> str | None:
    """Return the hint of the wrong number that `number` is, give or take a part `within` of it."""
    for wrong, hint in slips.items():
        if abs(number - wrong) <= within * abs(wrong):
            return hint
    return None


def _wrong_letter(name: str, answer: Any, hints: dict[str, str]) -> str | None:
    """Return a hint unless the answer called `name` is the one letter of a, b and c without one."""
    letter = answer.strip(" .:()'\"\n").lower() if isinstance(answer, str) else ""
    if letter not in {"a", "b", "c"}:
        return f"`{name}` is {_shown(answer)}; expected 'a', 'b' or 'c'."
    return hints.get(letter)


def _call(name: str, function: Any, *given: Any) -> Any:
    """Return what a learner's function returns for copies of what is `given`.

    Raises:
        _NotYet: It is no function, returns nothing, or writes into the arrays that it is given.
    """
    if not callable(function):
        raise _NotYet(f"`{name}` should be a function, and is {_shown(function)}.")
    copies = copy.deepcopy(given)
    answer = function(*copies)
    if answer is None or answer is ...:
        raise _NotYet(f"`{name}` returns nothing yet: end it with `return`.")
    if isinstance(answer, Iterator):
        answer = list(islice(answer, 100_000))  # a generator may have no end
    if not all(map(np.array_equal, copies, given)):
        raise _NotYet(f"`{name}` changes what it is given: make a new array (no `-=`).")
    return answer


def _call_with_either(name: str, function: Any, first: tuple, second: tuple) -> Any:
    """Return what a learner's function returns for what is `first`, or `second` if that fails.

    NumPy's arrays and torch's tensors hold the same numbers, and a function for one kind may not
    take the other. If it takes neither, the error is that of the first.
    """
    try:
        return _call(name, function, *first)
    except _NotYet:
        raise
    except Exception as error:
        try:
            return _call(name, function, *second)
        except _NotYet:
            raise
        except Exception:
            raise error from None


def _numbers(name: str, answer: Any, expected: str) -> np.ndarray:
    """Return the numbers in what the function called `name` returned, as an array of floats.

    Raises:
        _NotYet: It returned something else than what is `expected`, said in words.
    """
    if hasattr(answer, "detach"):  # torch gives no numbers of a tensor that has a gradient
        answer = answer.detach().cpu()
    try:
        array = np.asarray(answer, dtype=object)
    except ValueError:
        array = np.array(None)  # lists of different lengths within a list
    numbers = [_as_float(number) for number in array.flat]
    if None in numbers:
        raise _NotYet(f"`{name}` returns a {type(answer).__name__}; expected {expected}.")
    return np.array(numbers, dtype=float).reshape(array.shape)


# --- lesson 1 ---


@_check("60,000 images of 784 pixels of 4 bytes: 188.16 megabytes.")
def check_megabytes(megabytes: float) -> str | None:
    """Lesson 1, exercise 1: the memory that the training images take."""
    right = 60_000 * 28 * 28 * 4 / 1e6
    number = _number("megabytes", megabytes)
    if abs(number - right) <= 0.5:
        return None
    slips = {
        right / 4: "you counted the pixels; each of them takes 4 bytes.",
        right * 1e6: "those are bytes; a megabyte is a million of them.",
        right * 1e3: "those are kilobytes; a megabyte is a thousand of them.",
        right / 1e3: "those are gigabytes; one of them is a thousand megabytes.",
        right * 1e6 / 2**20: "here a megabyte is a million bytes, not 1024 × 1024.",
        right / 6: "those are the 10,000 test images; there are 60,000 to train with.",
        right * 7 / 6: "those are all 70,000 images; 60,000 of them are training images.",
        right / 784: "each image has 28 × 28 pixels, not one.",
        right / 28: "each image has 28 rows and 28 columns; you counted one of the two.",
        right * 2: "that is 8 bytes a pixel; a `float32` takes 4.",
        right * 8: "that counts bits; the 4 bytes of a pixel are counted as bytes.",
    }
    advice = "Multiply images, rows, columns and bytes, then turn bytes into megabytes."
    return _slip(number, slips, within=0.005) or f"{_off(number, right)} {advice}"


@_check("The ink has moved off the ink of its mean image, and the distance sees nothing else.")
def check_shifted(shifted_accuracy: float, reason: str) -> str | None:
    """Lesson 1, exercise 2: the nearest mean image of digits moved to the right, and why."""
    mean = "take the mean of (predictions == test_digits)"
    accuracy = _share("shifted_accuracy", shifted_accuracy, several=mean)
    if accuracy > 0.78:
        return (
            f"{accuracy:.1%} is what the images reach where they were: move the test images, and "
            "leave the mean images in place."
        )
    if accuracy > 0.42:
        return f"{accuracy:.1%} is too much: move the images by three pixels."
    if accuracy < 0.2:
        return (
            f"{accuracy:.1%} is too little: move the columns of the images, by three (`axis=2`), "
            "and compare with `test_digits`."
        )
    if accuracy < 0.395:
        return (
            f"{accuracy:.1%} is too little: move the test images, to the right, by three, with "
            "`axis=2`; leave the mean images and the squares as they are."
        )
    hints = {
        "a": "look at a few moved images: nearly all digits are still whole. What else changed?",
        "c": "the mean images stayed where they were. What does the distance compare?",
    }
    return _wrong_letter("reason", reason, hints)


@_check("Now look at the strangest image of each digit.")
def check_strangest(strangest: Callable[[np.ndarray, np.ndarray], int]) -> str | None:
    """Lesson 1, exercise 3: the image that is farthest from a mean image."""
    # Image 0 is the mean itself, 1 has more ink than the mean, 2 less, and 3 both: it is the
    # farthest by squares, and the differences of its pixels add up to nothing. 4 is the farthest by
    # absolute differences, because many of its pixels differ by a little, and 5 by cubes or by the
    # largest difference, because a few of its pixels differ by much.
    mean_image = np.full((28, 28), 0.5, dtype=np.float32)
    images = np.repeat(mean_image[None], 6, axis=0)
    images[1, :2] = 0.95
    images[2, :3] = 0.05
    images[3, 4:9], images[3, 9:14] = 0.9, 0.1
    images[4, :14], images[4, 14:] = 0.7, 0.3
    images[5, 20:23], images[5, 23:26] = 1.0, 0.0
    distances = ((images - mean_image) ** 2).mean(axis=(1, 2))
    answer = _call("strangest", strangest, images, mean_image)
    place = _as_float(answer)
    if place is None:
        if np.shape(answer) == (28, 28):
            return "`strangest` returns an image; return its place among the images."
        if np.shape(answer) == (6,):
            return (
                "`strangest` returns one number an image: return the place of the largest distance."
            )
        return f"`strangest` should return one whole number, and returns {_shown(answer)}."
    if np.isclose(place, distances.max()):
        return "that is the largest distance itself; return the place where it is."
    slips = {
        0: "that is the nearest image; the strangest is the farthest.",
        1: "more ink and less ink must not cancel out: square each difference, then average.",
        2: "more ink and less ink must not cancel out: square each difference, then average.",
        4: "that is the farthest by differences without their signs: square the differences.",
        5: "a few large differences count for too much: square the differences, then average.",
    }
    if place != 3:
        other = "that is no place among the images: take one distance an image, over both its axes."
        return _slip(place, slips) or other
    # The farthest must be found at every place, and among another number of images.
    for others, right, case in (
        (images[::-1][:3], 2, "three other images"),
        (images[3:4], 0, "one image"),
        *((np.roll(images, 3 + k, axis=0), k, "the images in another order") for k in range(6)),
        (np.concatenate([images[:3]] * 9 + [images[3:]]), 27, "thirty images"),
    ):
        again = _call("strangest", strangest, others, mean_image)
        if _as_float(again) != right:
            return f"among {case} the strangest has place {right}, and yours says {_shown(again)}."
    return None


# --- lesson 2 ---


@_check("784 × 64 + 64 in the hidden layer and 64 × 10 + 10 in the output layer.")
def check_parameter_count(parameters: int) -> str | None:
    """Lesson 2, exercise 1: the parameters of a 784–64–10 network."""
    right = (784 + 1) * 64 + (64 + 1) * 10
    number = _number("parameters_784_64_10", parameters)
    if number == right:
        return None
    slips = {
        784 * 64 + 64 * 10: "you counted the weights; each neuron also has a bias.",
        784 * 64 + 64 * 10 + 64: "each of the ten output neurons has a bias too.",
        784 * 64 + 64 * 10 + 10: "each of the 64 hidden neurons has a bias too.",
        right + 784: "the inputs are pixels, not neurons: no bias there.",
        784 * 64 + 64: "that is the hidden layer; the ten output neurons have parameters too.",
        784 * 64: "those are the hidden layer's weights; count its biases and the outputs too.",
        64 + 10: "those are the neurons, or their biases; each also has one weight per input.",
        26_506: "that is the network above; this one has one hidden layer, of 64 neurons.",
        785 * 64 + 65 * 64 + 65 * 10: "this network has one hidden layer, not two.",
    }
    advice = "Each neuron has one weight per input and one bias."
    return _slip(number, slips) or f"{_off(number, right)} {advice}"


@_check("The network forgets each digit while it sees only the next one.")
def check_unshuffled(unshuffled_accuracy: float, reason: str) -> str | None:
    """Lesson 2, exercise 2: what training on sorted images does, and why."""
    accuracy = _share("unshuffled_accuracy", unshuffled_accuracy)
    if accuracy == 0:
        return "not one image right? Bring images and digits into the same order, and test again."
    if accuracy >= 0.3:
        return (
            f"an accuracy of {accuracy:.2f} is too good: sort images and digits by digit, keep "
            "`shuffle=False`, and measure on the test images."
        )
    hints = {
        "a": "the images are the same, in another order. What did the network see last?",
        "c": "the learning rate stayed at 0.1. What did the network see last?",
    }
    return _wrong_letter("reason", reason, hints)


@_check("Recall tells how many of the images of a digit the network finds.")
def check_recalls(recalls: Callable[[np.ndarray], np.ndarray]) -> str | None:
    """Lesson 2, exercise 3: the recall of each digit, out of a confusion matrix."""
    first = np.diag(np.arange(1, 11)) + np.triu(np.arange(100).reshape(10, 10) % 7, k=1)
    for counts in (first, np.arange(200, 300).reshape(10, 10) % 23 + 90 * np.eye(10, dtype=int)):
        if hint := _wrong_recalls(recalls, counts):
            return hint
    return None


def _wrong_recalls(recalls: Any, counts: np.ndarray) -> str | None:
    """Return a hint unless a function finds the recalls in a confusion matrix."""
    import torch

    # The lesson's confusion matrix is a tensor, but a function for NumPy's arrays is as good.
    answer = _call_with_either("recalls", recalls, (torch.from_numpy(counts),), (counts,))
    answer = _numbers("recalls", answer, expected="an array of ten numbers")
    if answer.shape == (10, 10):
        return "`recalls` returns a whole matrix; a digit's recall comes from its diagonal count."
    if answer.shape == ():
        return "`recalls` returns one number for all digits; expected ten, one a digit."
    if answer.shape != (10,):
        return f"`recalls` returns something of shape {answer.shape}; expected ten numbers."
    right, images, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    slips = (
        (right, "those are the counts on the diagonal: divide each by the images of its digit."),
        (images, "those are the images of each digit; how many of them are read correctly?"),
        (
            right / predicted,
            "you divided by the sums of the columns, which count predictions, not images.",
        ),
        (
            right / counts.sum(),
            "you divided by all images: divide each row's count by its own row's sum.",
        ),
        (1 - right / images, "those are the shares that were misread; recall is the other part."),
        (100 * right / images, "those are percent: leave them as shares between 0 and 1."),
        (right // images, "`//` cuts off the decimals: divide with `/`."),
    )
    for slip, slip_hint in slips:
        if np.allclose(answer, slip):
            return slip_hint
    if not np.allclose(answer, right / images, rtol=1e-3):
        return "some numbers are off: diagonal count divided by the sum of its row, digit by digit."
    return None


# --- lesson 3 ---


@_check("Less than a thousandth is left: 0.25 to the power of five, for the five layers.")
def check_five_slopes(largest_product: float) -> str | None:
    """Lesson 3, exercise 1: the largest product of the slopes of five sigmoids."""
    number = _number("largest_product", largest_product)
    if abs(number - 0.25**5) <= 5e-5:
        return None
    slips = {
        0.25: "0.25 is the slope of one layer at best; here are five.",
        5 * 0.25: "you added the slopes; they multiply.",
        0.25 / 5: "you divided by five; the slopes of the five layers multiply.",
        0.5**5: "0.5 is a sigmoid's output at 0; its slope there is smaller.",
        1.0: "1 is the slope of ReLU; look at the sigmoid's.",
        0.25**2: "that is for two hidden layers, like ours; here are five.",
        4.0**5: "that is how many times smaller it gets; write the product itself.",
    }
    advice = "Multiply the largest slope of a sigmoid, once for each layer."
    return _slip(number, slips, within=0.005) or f"{_off(number, 0.25**5)} {advice}"


@_check("Its slope reaches 1, so the gradient gets through to the first layer.")
def check_tanh(
    with_tanh: Any, sigmoid_accuracy: float, tanh_accuracy: float, reason: str
) -> str | None:
    """Lesson 3, exercise 2: the hyperbolic tangent in the hidden layers, and why it helps."""
    import deeplay as dl
    from torch import nn

    from helpers.config import Config

    if not isinstance(with_tanh, Config):
        return f"`with_tanh` should be a recipe, and is {_shown(with_tanh)}."
    # Recipes that are written differently can make the same network: what they make counts.
    modules = with_tanh.create(dl.Classifier).model.modules()
    kinds = (nn.Sigmoid, nn.ReLU, nn.Tanh, nn.Softmax)
    activations = [module for module in modules if isinstance(module, kinds)]
    hidden = [type(module) for module in activations[:-1]]
    if not activations or getattr(activations[-1], "dim", None) not in (1, -1):
        return "its outputs should be those of `with_softmax`; the tangent goes into the `blocks`."
    if hidden == [nn.Sigmoid, nn.Sigmoid]:
        return "`with_tanh` still has sigmoids in its hidden layers: did you keep the new recipe?"
    if hidden != [nn.Tanh, nn.Tanh]:
        return "the two hidden layers of `with_tanh` should have the activation `Tanh`."
    with_sigmoid = _share("sigmoid_accuracy", sigmoid_accuracy)
    with_tangent = _share("tanh_accuracy", tanh_accuracy)
    if with_sigmoid > 0.6 > with_tangent:
        return "the two accuracies look swapped."
    if with_sigmoid > 0.4:
        return (
            f"with sigmoids, {with_sigmoid:.2f} is too good for one epoch on the first 6,000 "
            "images."
        )
    if with_tangent < 0.7:
        return (
            f"with the tangent, {with_tangent:.2f} is too low: was this classifier made from "
            "`with_tanh`, and trained on 6,000 shuffled images?"
        )
    hints = {
        "a": "look at the tangent's slope at both ends: it is flat there, like the sigmoid.",
        "c": "an activation has no parameters; both networks have 26,506.",
    }
    return _wrong_letter("reason", reason, hints)


@_check("The largest number no longer matters, only how far the others lie below it.")
def check_softmax(softmax: Callable[[np.ndarray], np.ndarray]) -> str | None:
    """Lesson 3, exercise 3: softmax, for large numbers too."""
    numbers = np.array([0.5, -1.0, 2.0, 1.0])
    exponentials = np.exp(numbers)
    answer = _shares(softmax, numbers)
    if np.allclose(answer, exponentials) or np.allclose(answer, np.exp(numbers - numbers.max())):
        return "these are positive, but do not add up to 1 yet: divide each by the sum of all."
    if np.allclose(answer, 1 / (1 + np.exp(-numbers))):
        return "that is the sigmoid, which looks at each number on its own."
    if np.allclose(answer, numbers / numbers.sum()):
        return "you divided the numbers themselves: make them positive first, with `np.exp`."
    if (answer < 0).any():
        return "a share is never negative, and one of yours is."
    if not np.isclose(answer.sum(), 1):
        return f"the shares should add up to 1; yours add up to {answer.sum():.3f}."
    if answer.argmax() != numbers.argmax():
        return "the largest number should get the largest share."
    if not np.allclose(answer, exponentials / exponentials.sum()):
        return "they add up to 1, but they are not the shares of `np.exp(numbers)`."
    for others in ([3.0], [2.0, 2.0, 2.0], [0.1, 0.2, -0.3, 0.4, 0.0, 1.1, -2.0]):
        if not _are_shares(softmax, np.array(others)):
            return f"right for {numbers.tolist()}, but not for {others}."
    if not _are_shares(softmax, np.array([1, 3, 2])):
        return "right for decimals, but not for whole numbers: do not put the shares among them."
    if not _are_shares(softmax, numbers + 1000):
        return "right for small numbers, but not near 1,000: subtract the largest number first."
    # Each of these has numbers so far apart that only the largest may be subtracted: not their
    # mean, median, first, last or smallest, not the largest without its sign, no fixed number.
    for far in (
        [-1000.0, -1001.0, -1002.0],
        [-10_000.0, 10_000.0, 9_999.0, 0.0, -5.0],
        [10_000.0, 0.0, 1.0, 2.0, 3.0],
        [3.0, 2.0, 1.0, 0.0, 10_000.0],
        [-1e6, -1e6 - 1, 2e6, 2e6 - 1],
        [-1e6, -1e6 - 2],
        [1e6, 1e6, 1e6],
    ):
        if not _are_shares(softmax, np.array(far)):
            return f"right near 0, but not for {far}: subtract the largest number, and no other."
    return None


def _shares(softmax: Any, numbers: np.ndarray) -> np.ndarray:
    """Return the shares that a function makes of some numbers, as many as there are numbers."""
    answer = _numbers("softmax", _call("softmax", softmax, numbers), expected="an array of shares")
    if answer.shape == numbers.shape:
        return answer
    raise _NotYet(
        f"for {len(numbers)} numbers, `softmax` returns something of shape {answer.shape}, not "
        f"{len(numbers)} shares."
    )


def _are_shares(softmax: Any, numbers: np.ndarray) -> bool:
    """Whether a function makes the right shares of some numbers."""
    exponentials = np.exp(numbers - numbers.max())
    try:
        answer = _shares(softmax, numbers)
    except ArithmeticError:  # what Python's own `math.exp` and `/` say to such numbers
        return False
    return np.allclose(answer, exponentials / exponentials.sum())


# --- lesson 4 ---


@_check("782 batches an epoch (the last one holds 16 images), three times.")
def check_steps(steps: int) -> str | None:
    """Lesson 4, exercise 1: the steps of three epochs with batches of 64."""
    right = 3 * 782
    number = _number("steps_of_three_epochs", steps)
    if number == right:
        return None
    near = {
        3 * 781: "the images left over at the end of an epoch make a batch, and a step, too.",
        3 * 50_000 / 64: "a step is made or not made: the last batch of an epoch is smaller.",
        2344: "round up in each epoch: each ends with a smaller batch.",
    }
    slips = {
        782: "that is one epoch; here are three.",
        3 * 50_000: "that is one step an image; here a step takes a whole batch.",
        3 * 938: "there are 50,000 images to learn from; 10,000 are kept for validation.",
    }
    otherwise = f"{_off(number, right)} Count the batches of one epoch first."
    return _slip(number, near) or _slip(number, slips, within=0.005) or otherwise


@_check("The noise of single images would throw the network about at this rate: try it.")
def check_higher_rate(fast_accuracy: float, reason: str) -> str | None:
    """Lesson 4, exercise 2: batches of 16 with 16 times the learning rate, and why they bear it."""
    accuracy = _share("fast_accuracy", fast_accuracy)
    if accuracy < 0.2:
        return f"{accuracy:.2f} is a guess: was this classifier trained, and with batches of 16?"
    if accuracy < 0.8:
        return f"{accuracy:.2f} is what the old learning rate brings: is the rate 1.6?"
    if accuracy < 0.88:
        return f"{accuracy:.2f} is a little low: is the batch size 16?"
    if accuracy > 0.955:
        return f"{accuracy:.2f} is too good for one epoch: make a new classifier and train it once."
    hints = {
        "b": "an epoch has the same 50,000 images, whatever the learning rate.",
        "c": "a step computes the same numbers, whatever the learning rate.",
    }
    return _wrong_letter("reason", reason, hints)


@_check("This is what a dataloader does; with `shuffle=True`, it also mixes the images first.")
def check_make_batches(make_batches: Callable[..., list]) -> str | None:
    """Lesson 4, exercise 3: cut images and digits into batches."""
    for count, batch_size in ((10, 4), (10, 5), (10, 10), (10, 16), (10, 1), (7, 3), (1, 2)):
        if hint := _wrong_batches(make_batches, count, batch_size):
            return hint
    return None


def _wrong_batches(make_batches: Any, count: int, batch_size: int) -> str | None:
    """Return a hint unless a function cuts `count` images, at most 10, into batches."""
    digits = np.array([5, 0, 4, 1, 9, 2, 8, 3, 6, 7])[:count]
    images = np.linspace(0, 1, 10 * 28 * 28, dtype=np.float32).reshape(10, 28, 28)[:count]
    batches = _call("make_batches", make_batches, images, digits, batch_size)
    try:
        batches = list(islice(batches, 1000))  # a dataloader may have no end
    except TypeError:
        return f"`make_batches` should return a list of batches, and returns {_shown(batches)}."
    if not all(isinstance(batch, (tuple, list)) and len(batch) == 2 for batch in batches):
        return "each batch should be a pair: its images and its digits."
    shapes = [np.shape(batch_images) for batch_images, _ in batches]
    sizes = [shape[0] if shape else "no" for shape in shapes]
    left_over = count % batch_size
    full = [batch_size] * (count // batch_size)
    right = [*full, left_over] if left_over else full
    case = f"{count} {'image' if count == 1 else 'images'} in batches of {batch_size}"
    if sizes != right:
        if sizes == full:
            return f"{case}: the {left_over} left over make a last, smaller batch."
        if sizes == [*right, 0]:
            return f"{case}: the last batch is empty; stop where the images end."
        if sizes == [min(batch_size, count - start) for start in range(count)]:
            return "your batches overlap: the next one begins where the last one ended."
        if sizes == [1] * count:
            return "these are batches of one image; use `batch_size`."
        if len(sizes) == batch_size:
            return f"there are {batch_size} batches; `batch_size` says how many images are in one."
        return f"{case} make batches of {right} images; yours have {_shown(sizes)}."
    if [np.shape(batch_digits) for _, batch_digits in batches] != [(size,) for size in sizes]:
        return "each batch needs as many digits as images."
    cut_images = np.concatenate([np.asarray(batch_images) for batch_images, _ in batches])
    cut_digits = np.concatenate([np.asarray(batch_digits) for _, batch_digits in batches])
    if np.array_equal(cut_images, images) and np.array_equal(cut_digits, digits):
        return None
    # Every pixel grows from image to image, so sorting pixels puts whole images in order.
    if not np.array_equal(np.sort(cut_images, axis=0), images):
        return "the images in your batches are not those that were given: only cut them."
    if not np.array_equal(cut_digits[cut_images[:, 0, 0].argsort()], digits):
        return "images and digits do not belong together: cut both at the same places."
    return "the images are all there, but not in the order in which they came."


# --- lesson 5 ---


@_check("The fading sum grows to 1 / (1 - 0.9) = 10 gradients, and the learning rate is 0.1.")
def check_momentum_step(longest_step: float) -> str | None:
    """Lesson 5, exercise 1: the length that steps with momentum grow to."""
    number = _number("longest_step", longest_step)
    if abs(number - 1) <= 0.02:
        return None
    slips = {
        0.1: "that is the first step, and plain SGD's; what does m become after more steps?",
        0.19: "that is the second step; the steps go on growing.",
        0.271: "that is the third step; the steps go on growing.",
        10: "that is what m grows to; a step is the learning rate times m.",
        0.9: "0.9 is the part of m that survives a step; what does m itself grow to?",
        0.09: "momentum makes these steps longer than 0.1, not shorter.",
        0.01: "momentum makes these steps longer than 0.1, not shorter.",
        1 / 9: "divide by 1 - 0.9, not by 0.9.",
        -1.0: "the weight goes down, but the length of a step is positive.",
    }
    if hint := _slip(number, slips, within=0.01):
        return hint
    if number > 1e3:
        return "m does not grow forever: a tenth of it is lost in each step."
    advice = "In the end m stays as it is: what it loses, a tenth, equals what is added."
    return f"{_off(number, 1)} {advice}"


@_check("RMSprop divides by the size of the gradients: its learning rate is the step's length.")
def check_fast_rmsprop(fast_accuracy: float, reason: str) -> str | None:
    """Lesson 5, exercise 2: RMSprop with a learning rate of 0.1, and why it fails."""
    accuracy = _share("fast_accuracy", fast_accuracy)
    if accuracy == 0:
        return "not one image right? Hand over the images together with their own digits."
    if accuracy >= 0.45:
        return (
            f"an accuracy of {accuracy:.2f} is too good: give a new classifier "
            "`.optimizer(RMSprop, lr=0.1)`, and train it on the first 6,000 images."
        )
    hints = {
        "b": "with a learning rate of 0.001, the same 6,000 images are enough for over 80%.",
        "c": "a network that overfits reads its training images well. Look at their accuracy.",
    }
    return _wrong_letter("reason", reason, hints)


@_check("torch.optim.RMSprop makes this very step, for all weights at once.")
def check_rmsprop_step(
    rmsprop_step: Callable[[float, float, float, float], tuple[float, float]],
) -> str | None:
    """Lesson 5, exercise 3: one step of RMSprop."""
    for numbers in (
        (1.0, 0.5, 0.04, 0.1),
        (-2.0, -3.0, 0.5, 0.2),
        (0.5, 2.0, 0.0, 0.001),
        (3.0, 0.0, 0.25, 0.1),
    ):
        if hint := _wrong_rmsprop_step(rmsprop_step, *numbers):
            return hint
    return None


def _wrong_rmsprop_step(
    rmsprop_step: Any, weight: float, gradient: float, average: float, lr: float
) -> str | None:
    """Return a hint unless a function returns the weight and the average after one step."""
    import torch

    numbers = (weight, gradient, average, lr)
    tensors = (*map(torch.tensor, numbers[:3]), lr)  # torch.sqrt takes no Python numbers
    answer = _call_with_either("rmsprop_step", rmsprop_step, numbers, tensors)
    answer = _numbers("rmsprop_step", answer, expected="two numbers")
    if answer.shape != (2,):
        return "return two numbers, the new weight and the new average."
    square = gradient**2
    new_average = 0.99 * average + 0.01 * square
    root = new_average**0.5
    new_weight = weight - lr * gradient / root
    if np.allclose(answer, [new_weight, new_average], rtol=1e-4):
        return None
    if np.allclose(answer, [new_average, new_weight], rtol=1e-4):
        return "the two come back in the other order: the new weight first."
    averages = {
        new_average: None,
        average: "the average comes back as it was: return the new one.",
        0.01 * average + 0.99 * square: "0.99 of the old average stays, and 0.01 is for the new.",
        0.99 * average + 0.01 * gradient: "the average is over the gradient's squares.",
        average + square: "that adds up the squares; each step keeps 0.99 of the average.",
        0.99 * average + square: "the new square counts with 1 - 0.99.",
        root: "return the average itself, not its root.",
    }
    weights = {
        new_weight: None,
        weight - lr * gradient / new_average: "divide by its root, not by the average.",
        weight - lr * gradient * root: "divide by the root, do not multiply.",
        weight - lr * gradient: "that is SGD's step: divide the gradient by the root.",
        weight + lr * gradient / root: "the weight went uphill: subtract.",
        weight - gradient / root: "the learning rate is missing in the step.",
        weight: "the weight comes back as it was.",
        new_weight - weight: "that is the step alone; return the weight after it.",
        weight - new_weight: "that is the step alone; return the weight after it.",
    }
    if average:
        weights[weight - lr * gradient / average**0.5] = "divide by the root of the new average."
    otherwise = (
        "the average is off: 0.99 of the old one, and 0.01 of the gradient's square.",
        "the weight is off: subtract lr times the gradient over the average's root.",
    )
    got_weight, got_average = answer
    for got, slips, other in zip(
        (got_average, got_weight), (averages, weights), otherwise, strict=True
    ):
        near = (hint for slip, hint in slips.items() if np.isclose(got, slip, rtol=1e-4))
        if hint := next(near, other):
            return hint
    return None


# --- lesson 6 ---


@_check("It has no way to say “no digit”: its ten outputs always share out 1 among the ten.")
def check_no_digit(answer: str) -> str | None:
    """Lesson 6, exercise 1: what the network says about images without a digit."""
    hints = {
        "a": "that would be fair, and it is not what happens: look at the highest outputs.",
        "c": "the outputs come out of a softmax: can all ten be about 0?",
    }
    return _wrong_letter("answer", answer, hints)


@_check("A network knows only what its training images showed it.")
def check_inverted(inverted_accuracy: float, reason: str) -> str | None:
    """Lesson 6, exercise 2: dark digits on white paper, and why they are not read."""
    accuracy = _share("inverted_accuracy", inverted_accuracy)
    if accuracy > 0.9:
        return f"{accuracy:.1%} is what the images reach as they are: hand over `1 - test_images`."
    if accuracy > 0.4:
        return (
            f"{accuracy:.1%} is too good for lesson 5's network: invert all pixels of the test "
            "images, and train nothing anew."
        )
    hints = {
        "a": "`1 - image` can be undone by another `1 - image`: nothing is lost.",
        "c": "trained on inverted images, this very network reads them. What did it see?",
    }
    return _wrong_letter("reason", reason, hints)


@_check("Now see what it gives for 0.9 and for 0.8 of the test images.")
def check_accuracy_of_surest(
    accuracy_of_surest: Callable[[np.ndarray, np.ndarray, float], float],
) -> str | None:
    """Lesson 6, exercise 3: the accuracy on the images with the highest confidence."""
    # 20 images, the surest first, of which nine of the first ten and three of the others are right;
    # then shuffled.
    count = 20
    confidence = np.linspace(0.95, 0.40, count)
    wrong = np.isin(np.arange(count), [4, 10, 11, 13, 15, 16, 18, 19])
    sorted_right = ~wrong
    digits = np.arange(count) % 10
    outputs = np.repeat((1 - confidence[:, None]) / 9, 10, axis=1)
    outputs[np.arange(count), np.where(wrong, (digits + 1) % 10, digits)] = confidence
    order = np.random.default_rng(0).permutation(count)
    outputs, digits, right = outputs[order].astype(np.float32), digits[order], sorted_right[order]
    try:
        got = _accuracy_of_surest(accuracy_of_surest, outputs, digits, 0.5)
    except TypeError as error:
        if "slice ind" not in str(error):
            raise
        return "make the number of images to keep a whole number, with `round`."
    best = sorted_right[:10].mean()
    if not np.isclose(got, best):
        slips = {
            sorted_right.mean(): "that is the accuracy on all images: keep only the surest.",
            sorted_right[10:].mean(): "those are the least sure images: sort the other way.",
            best / 2: "you divided by all images: divide by those that you kept.",
            10 * best: "that counts the right answers: divide by the images kept.",
            100 * best: "that is in percent: leave it as a share between 0 and 1.",
            1 - best: "that is the share of mistakes; the accuracy is the other part.",
            right[:10].mean(): "those are the first images: keep those with the highest output.",
            sorted_right[confidence >= 0.5].mean(): (
                "`share` says how many images to keep, not how sure the network must be."
            ),
        }
        off = f"{got:g} is off: sort by the highest output, keep `share` of it, compare."
        return _slip(got, slips, within=1e-5) or off
    fifth = _accuracy_of_surest(accuracy_of_surest, outputs, digits, 0.2)
    if not np.isclose(fifth, 1.0):
        return f"right for a share of 0.5; for 0.2 it gives {fifth:g}: make use of `share`."
    # Among these the surest are not those that are farthest ahead of their second digit, nor those
    # whose outputs are spread the least.
    generator = np.random.default_rng(140)
    outputs = generator.dirichlet(np.full(10, 0.5), 40).astype(np.float32)
    predictions = outputs.argmax(axis=1)
    errors = np.where(generator.random(40) < 0.5, 0, generator.integers(1, 10, 40))
    digits = (predictions + errors) % 10
    surest_first = outputs.max(axis=1).argsort()[::-1]
    for share in (0.125, 0.25, 0.75, 1.0):
        kept = surest_first[: round(40 * share)]
        expected = (predictions[kept] == digits[kept]).mean()
        got = _accuracy_of_surest(accuracy_of_surest, outputs, digits, share)
        if not np.isclose(got, expected):
            return (
                f"right for 20 images; of 40 others, a share of {share:g} has the accuracy "
                f"{expected:g}, and yours gives {got:g}: keep those with the highest output."
            )
    return None


def _accuracy_of_surest(
    accuracy_of_surest: Any, outputs: np.ndarray, digits: np.ndarray, share: float
) -> float:
    """Return the number that a function gives for some outputs; it may take arrays or tensors."""
    import torch

    arrays = (outputs, digits, share)
    tensors = (torch.from_numpy(outputs), torch.from_numpy(digits), share)
    answer = _as_float(_call_with_either("accuracy_of_surest", accuracy_of_surest, arrays, tensors))
    if answer is None:
        raise _NotYet("return one number, the accuracy on the images that are kept.")
    return answer


# --- lesson 7 ---


@_check("Each process has 15,000 images: 937 full batches, and one of 8 images.")
def check_steps_per_epoch(steps_per_epoch: int) -> str | None:
    """Lesson 7, exercise 1: the steps of an epoch of four processes with batches of 16."""
    number = _number("steps_per_epoch", steps_per_epoch)
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
    return _slip(number, slips) or f"{_off(number, 938)} {advice}"


@_check("Without the averaging you train several networks, each on a part of the images.")
def check_without_averaging(largest_difference: float, reason: str) -> str | None:
    """Lesson 7, exercise 2: two processes that do not average their gradients."""
    largest = "take the largest of all weights' differences, with `.abs().max()`"
    difference = _number("largest_difference", largest_difference, several=largest)
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
    return _wrong_letter("reason", reason, hints)


@_check("This is what the distributed sampler does, and now you have written one.")
def check_deal(deal: Callable[[int, int, int], list[int]]) -> str | None:
    """Lesson 7, exercise 3: which images a process sees."""
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
    answers = []
    for process in range(processes):
        answer = _call("deal", deal, images, process, processes)
        numbers = _numbers("deal", answer, expected="a list of numbers")
        if numbers.ndim != 1:
            return f"`deal` should return a list of numbers, and returns {_shown(answer)}."
        if (numbers % 1).any():
            return f"for {case}, the list has decimals: images have whole numbers."
        answers.append([int(number) for number in numbers])
    expected = [dealt[process::processes] for process in range(processes)]
    if answers == expected:
        return None
    if any(number < 0 or number >= images for answer in answers for number in answer):
        return f"for {case}, the images have numbers from 0 to {images - 1:,}; yours go beyond."
    if processes > 1 and all(answer == answers[0] for answer in answers):
        return f"for {case}, all processes get the same images: each should get its own share."
    blocks = [list(range(images))[each * p : each * (p + 1)] for p in range(processes)]
    if answers == blocks:
        return "you hand out blocks of neighbors: deal one image to each process in turn."
    if answers == [list(range(process, images, processes)) for process in range(processes)]:
        return f"for {case}, not all get equally many: start again from image 0."
    if all(len(answer) == images // processes < each for answer in answers):
        return f"for {case}, some images are left out: start again from image 0 instead."
    if any(len(answer) != each for answer in answers):
        return f"for {case}, each process should get {each:,} images."
    wrong = next(p for p in range(processes) if answers[p] != expected[p])
    place = next(i for i in range(each) if answers[wrong][i] != expected[wrong][i])
    return (
        f"for {case}, process {wrong} should get image {expected[wrong][place]} in turn "
        f"{place}, and gets {answers[wrong][place]}."
    )
