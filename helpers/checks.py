"""Checks for the exercises: each says at once whether an answer is right, or gives a hint.

A check looks at what an answer does (its value, its shape, what it returns), never at its source
text. It prints one line and raises nothing, so that a notebook with unanswered exercises runs from
top to bottom.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


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
                hint = find_hint(*answers, **named_answers)
            except Exception as error:  # whatever a learner's code does is an answer, not a crash
                hint = f"checking your answer failed with {type(error).__name__}: {error}"
            print(f"Right. {right}" if hint is None else f"Not yet: {hint}")

        return check

    return decorate


def _wrong_number(answer: Any, expected: float, tolerance: float = 0.0) -> str | None:
    """Return a hint unless `answer` is a number within `tolerance` of `expected`."""
    is_number = np.ndim(answer) == 0 and np.asarray(answer).dtype.kind in "iuf"
    if not is_number or np.isnan(float(answer)):
        return f"expected one number, got {answer!r}."
    if not abs(float(answer) - expected) <= tolerance:
        return f"{answer} is too {'high' if float(answer) > expected else 'low'}."
    return None


# --- lesson 1 ---


def _not_a_letter(reason: Any) -> str | None:
    """Return a hint unless `reason` is "a", "b" or "c"."""
    if isinstance(reason, str) and reason.strip().lower() in {"a", "b", "c"}:
        return None
    return f"`reason` is {reason!r}; expected 'a', 'b' or 'c'."


@_check("60,000 images of 784 pixels of 4 bytes: 188.16 megabytes.")
def check_megabytes(megabytes: float) -> str | None:
    """Lesson 1, exercise 1: the memory that the training images take."""
    right = 60_000 * 28 * 28 * 4 / 1e6
    if hint := _wrong_number(megabytes, right, tolerance=0.5):
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
        for slip, slip_hint in slips.items():
            if _wrong_number(megabytes, slip, tolerance=0.005 * slip) is None:
                return slip_hint
        if hint.startswith("expected"):
            return hint
        return f"{hint} Multiply images, rows, columns and bytes, then turn bytes into megabytes."
    return None


@_check("The ink has moved off the ink of its mean image, and the distance sees nothing else.")
def check_shifted(shifted_accuracy: float, reason: str) -> str | None:
    """Lesson 1, exercise 2: the nearest mean image of digits moved to the right, and why."""
    if _wrong_number(shifted_accuracy, 0.5, tolerance=0.5):
        if np.ndim(shifted_accuracy) != 0:
            return "`shifted_accuracy` is one number: the mean of (predictions == test_digits)."
        return f"an accuracy is a share between 0 and 1; yours is {shifted_accuracy!r}."
    accuracy = float(shifted_accuracy)
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
    if hint := _not_a_letter(reason):
        return hint
    if reason.strip().lower() == "a":
        return "look at a few moved images: nearly all digits are still whole. What else changed?"
    if reason.strip().lower() == "c":
        return "the mean images stayed where they were. What does the distance compare?"
    return None


@_check("Now look at the strangest image of each digit.")
def check_strangest(strangest: Callable[[np.ndarray, np.ndarray], int]) -> str | None:
    """Lesson 1, exercise 3: the image that is farthest from a mean image."""
    if not callable(strangest):
        return f"`strangest` should be a function, and is {strangest!r}."
    # Image 0 is the mean itself, 1 has more ink than the mean, 2 less, and 3 both: it is the
    # farthest by squares, and the differences of its pixels add up to nothing. 4 is the farthest by
    # absolute differences, because many of its pixels differ by a little.
    mean_image = np.full((28, 28), 0.5, dtype=np.float32)
    images = np.repeat(mean_image[None], 5, axis=0)
    images[1, :2] = 1.0
    images[2, :3] = 0.0
    images[3, 4:8], images[3, 8:12] = 1.0, 0.0
    images[4, :14], images[4, 14:] = 0.7, 0.3
    distances = ((images - mean_image) ** 2).mean(axis=(1, 2))
    answer = strangest(images.copy(), mean_image.copy())
    if answer is None or answer is ...:
        return "`strangest` returns nothing yet: end it with `return`."
    if np.shape(answer) == (28, 28):
        return "`strangest` returns an image; return its place among the images."
    if np.shape(answer) == (5,):
        return "`strangest` returns one number an image: return the place of the largest distance."
    if np.ndim(answer) != 0 or isinstance(answer, (str, bool)):
        return f"`strangest` should return one whole number, and returns {answer!r}."
    if answer == 0:
        return "that is the nearest image; the strangest is the farthest."
    if np.isclose(float(answer), distances.max()):
        return "that is the largest distance itself; return the place where it is."
    if answer in (1, 2):
        return "more ink and less ink must not cancel out: square each difference, then average."
    if answer == 4:
        return "that is the farthest by differences without their signs: square the differences."
    if answer != 3:
        return "that is no place among the images: take one distance an image, over both its axes."
    # The place of the farthest must be found wherever it is, and for another number of images.
    again = strangest(images[::-1][:3].copy(), mean_image.copy())
    if again != 1:
        return f"among three other images the strangest has place 1, and yours says {again!r}."
    return None


# --- lesson 2 ---


@_check("784 × 64 + 64 in the hidden layer and 64 × 10 + 10 in the output layer.")
def check_parameter_count(parameters: int) -> str | None:
    """Lesson 2, exercise 1: the parameters of a 784–64–10 network."""
    if hint := _wrong_number(parameters, (784 + 1) * 64 + (64 + 1) * 10):
        slips = {
            784 * 64 + 64 * 10: "you counted the weights; each neuron also has a bias.",
            784 * 64 + 64 * 10 + 64: "each of the ten output neurons has a bias too.",
            784 * 64 + 64 * 10 + 10: "each of the 64 hidden neurons has a bias too.",
            50_880 + 784 + 74 - 64: "the inputs are pixels, not neurons: no bias there.",
            784 * 64 + 64: "that is the hidden layer; the ten output neurons have parameters too.",
            784 * 64: "those are the hidden layer's weights; count its biases and the outputs too.",
            64 + 10: "those are the neurons, or their biases; each also has one weight per input.",
            26_506: "that is the network above; this one has one hidden layer, of 64 neurons.",
            785 * 64 + 65 * 64 + 65 * 10: "this network has one hidden layer, not two.",
        }
        for slip, slip_hint in slips.items():
            if _wrong_number(parameters, slip) is None:
                return slip_hint
        if isinstance(parameters, tuple):
            return f"expected one number, got {parameters!r}: write it without commas."
        if hint.startswith("expected"):
            return hint
        return f"{hint} Each neuron has one weight per input and one bias."
    return None


@_check("The network forgets each digit while it sees only the next one.")
def check_unshuffled(unshuffled_accuracy: float, reason: str) -> str | None:
    """Lesson 2, exercise 2: what training on sorted images does, and why."""
    if isinstance(unshuffled_accuracy, dict):
        return "`trainer.test` returns a dictionary: take its 'test_accuracy'."
    if hint := _wrong_number(unshuffled_accuracy, 0.5, tolerance=0.5):
        if hint.startswith("expected"):
            return f"`unshuffled_accuracy`: {hint}"
        return f"an accuracy is a share between 0 and 1; yours is {unshuffled_accuracy:g}."
    accuracy = float(unshuffled_accuracy)
    if accuracy == 0:
        return "not one image right? Bring images and digits into the same order, and test again."
    if not accuracy < 0.3:
        return (
            f"an accuracy of {accuracy:.2f} is too good: sort images and digits by digit, keep "
            "`shuffle=False`, and measure on the test images."
        )
    if hint := _not_a_letter(reason):
        return hint
    if reason.strip().lower() == "a":
        return "the images are the same, in another order. What did the network see last?"
    if reason.strip().lower() == "c":
        return "the learning rate stayed at 0.1. What did the network see last?"
    return None


@_check("Recall tells how many of the images of a digit the network finds.")
def check_recalls(recalls: Callable[[np.ndarray], np.ndarray]) -> str | None:
    """Lesson 2, exercise 3: the recall of each digit, out of a confusion matrix."""
    import torch

    if not callable(recalls):
        return f"`recalls` should be a function, and is {recalls!r}."
    counts = np.diag(np.arange(1, 11)) + np.triu(np.arange(100).reshape(10, 10) % 7, k=1)
    right, images, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    try:  # the lesson's confusion matrix is a tensor ...
        answer = recalls(torch.from_numpy(counts.copy()))
    except Exception:  # ... but a function for NumPy's arrays is as good
        answer = recalls(counts.copy())
    if answer is None or answer is ...:
        return "`recalls` returns nothing yet: end it with `return`."
    try:
        answer = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return f"`recalls` returns a {type(answer).__name__}; expected an array of ten numbers."
    if answer.shape == (10, 10):
        return "`recalls` returns a whole matrix; a digit's recall comes from its diagonal count."
    if answer.shape == ():
        return "`recalls` returns one number for all digits; expected ten, one a digit."
    if answer.shape != (10,):
        return f"`recalls` returns something of shape {answer.shape}; expected ten numbers."
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


def _wrong_reason(reason: Any, hints: dict[str, str]) -> str | None:
    """Return a hint unless `reason` is the one letter of a, b and c that has none."""
    return _not_a_letter(reason) or hints.get(reason.strip().lower())


def _wrong_accuracy(name: str, accuracy: float) -> str | None:
    """Return a hint unless `accuracy` is one number between 0 and 1."""
    hint = _wrong_number(accuracy, 0.5, tolerance=0.5)
    if hint is None:
        return None
    if hint.startswith("expected"):
        return f"`{name}`: {hint}"
    return f"an accuracy is a share between 0 and 1; `{name}` is {float(accuracy):g}."


def _slip(answer: float, slips: dict[float, str]) -> str | None:
    """Return the hint of the wrong number that `answer` is near to, within half a percent."""
    for wrong, hint in slips.items():
        if _wrong_number(answer, wrong, tolerance=0.005 * wrong) is None:
            return hint
    return None


@_check("Less than a thousandth is left: 0.25 to the power of five, for the five layers.")
def check_five_slopes(largest_product: float) -> str | None:
    """Lesson 3, exercise 1: the largest product of the slopes of five sigmoids."""
    hint = _wrong_number(largest_product, 0.25**5, tolerance=5e-5)
    if hint is None or hint.startswith("expected"):
        return hint
    slips = {
        0.25: "0.25 is the slope of one layer at best; here are five.",
        5 * 0.25: "you added the slopes; they multiply.",
        0.25 / 5: "you divided by five; the slopes of the five layers multiply.",
        0.5**5: "0.5 is a sigmoid's output at 0; its slope there is smaller.",
        1.0: "1 is the slope of ReLU; look at the sigmoid's.",
        0.25**2: "that is for two hidden layers, like ours; here are five.",
        4.0**5: "that is how many times smaller it gets; write the product itself.",
    }
    otherwise = f"{hint} Multiply the largest slope of a sigmoid, once for each layer."
    return _slip(largest_product, slips) or otherwise


@_check("Its slope reaches 1, so the gradient gets through to the first layer.")
def check_tanh(
    with_tanh: Any, sigmoid_accuracy: float, tanh_accuracy: float, reason: str
) -> str | None:
    """Lesson 3, exercise 2: the hyperbolic tangent in the hidden layers, and why it helps."""
    from torch.nn import Sigmoid, Softmax, Tanh

    from helpers.config import Config

    if not isinstance(with_tanh, Config):
        return f"`with_tanh` should be a recipe, and is {with_tanh!r}."
    softmax_out = with_tanh.model.out_activation(Softmax, dim=1)
    if with_tanh == softmax_out.model.blocks.activation(Sigmoid):
        return "`with_tanh` still has sigmoids in its hidden layers: did you keep the new recipe?"
    if with_tanh != softmax_out:
        return "its outputs should be those of `with_softmax`; the tangent goes into the `blocks`."
    if with_tanh != softmax_out.model.blocks.activation(Tanh):
        return "the hidden layers of `with_tanh` should have the activation `Tanh`."
    if hint := (
        _wrong_accuracy("sigmoid_accuracy", sigmoid_accuracy)
        or _wrong_accuracy("tanh_accuracy", tanh_accuracy)
    ):
        return hint
    if sigmoid_accuracy > 0.6 > tanh_accuracy:
        return "the two accuracies look swapped."
    if sigmoid_accuracy > 0.4:
        return (
            f"with sigmoids, {float(sigmoid_accuracy):.2f} is too good for one epoch on the first "
            "6,000 images."
        )
    if tanh_accuracy < 0.7:
        return (
            f"with the tangent, {float(tanh_accuracy):.2f} is too low: was this classifier made "
            "from `with_tanh`, and trained on 6,000 shuffled images?"
        )
    return _wrong_reason(
        reason,
        {
            "a": "look at the tangent's slope at both ends: it is flat there, like the sigmoid.",
            "c": "an activation has no parameters; both networks have 26,506.",
        },
    )


@_check("The largest number no longer matters, only how far the others lie below it.")
def check_softmax(softmax: Callable[[np.ndarray], np.ndarray]) -> str | None:
    """Lesson 3, exercise 3: softmax, for large numbers too."""
    if not callable(softmax):
        return f"`softmax` should be a function, and is {softmax!r}."
    numbers = np.array([0.5, -1.0, 2.0, 1.0])
    exponentials = np.exp(numbers)
    given = numbers.copy()
    answer = softmax(given)
    if answer is None:
        return "`softmax` returns nothing yet: end it with `return`."
    answer = np.asarray(answer, dtype=float)
    if answer.shape != numbers.shape:
        return f"for 4 numbers, `softmax` returns something of shape {answer.shape}, not 4 shares."
    if not np.array_equal(given, numbers):
        return "`softmax` changes the numbers that it is given: work on new ones (no `-=`)."
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
    with np.errstate(all="ignore"):
        large = np.asarray(softmax(numbers + 1000), dtype=float)
    if not np.allclose(large, answer):
        return "right for small numbers, but not near 1,000: subtract the largest number first."
    return None


# --- lesson 4 ---


@_check("782 batches an epoch (the last one holds 16 images), three times.")
def check_steps(steps: int) -> str | None:
    """Lesson 4, exercise 1: the steps of three epochs with batches of 64."""
    hint = _wrong_number(steps, 3 * 782)
    if hint is None or hint.startswith("expected"):
        return hint
    if steps == 3 * 781:
        return "the images left over at the end of an epoch make a batch, and a step, too."
    if steps == 3 * 50_000 / 64:
        return "a step is made or not made: the last batch of an epoch is smaller."
    if steps == 2344:
        return "round up in each epoch: each ends with a smaller batch."
    slips = {
        782: "that is one epoch; here are three.",
        3 * 50_000: "that is one step an image; here a step takes a whole batch.",
        3 * 938: "there are 50,000 images to learn from; 10,000 are kept for validation.",
    }
    return _slip(steps, slips) or f"{hint} Count the batches of one epoch first."


@_check("The noise of single images would throw the network about at this rate: try it.")
def check_higher_rate(fast_accuracy: float, reason: str) -> str | None:
    """Lesson 4, exercise 2: batches of 16 with 16 times the learning rate, and why they bear it."""
    if hint := _wrong_accuracy("fast_accuracy", fast_accuracy):
        return hint
    accuracy = float(fast_accuracy)
    if accuracy < 0.2:
        return f"{accuracy:.2f} is a guess: was this classifier trained, and with batches of 16?"
    if accuracy < 0.8:
        return f"{accuracy:.2f} is what the old learning rate brings: is the rate 1.6?"
    if accuracy < 0.88:
        return f"{accuracy:.2f} is a little low: is the batch size 16?"
    if accuracy > 0.955:
        return f"{accuracy:.2f} is too good for one epoch: make a new classifier and train it once."
    return _wrong_reason(
        reason,
        {
            "b": "an epoch has the same 50,000 images, whatever the learning rate.",
            "c": "a step computes the same numbers, whatever the learning rate.",
        },
    )


@_check("This is what a dataloader does; with `shuffle=True`, it also mixes the images first.")
def check_make_batches(make_batches: Callable[..., list]) -> str | None:
    """Lesson 4, exercise 3: cut images and digits into batches."""
    if not callable(make_batches):
        return f"`make_batches` should be a function, and is {make_batches!r}."
    digits = np.arange(10)
    images = np.ones((10, 28, 28), dtype=np.float32) * digits[:, None, None] / 10
    batches = make_batches(images, digits, 4)
    if batches is None:
        return "`make_batches` returns nothing yet: end it with `return`."
    batches = list(batches)
    if not all(isinstance(batch, (tuple, list)) and len(batch) == 2 for batch in batches):
        return "each batch should be a pair: its images and its digits."
    sizes = [np.shape(batch_images)[:1] for batch_images, _ in batches]
    if sizes == [(4,), (4,)]:
        return "ten images in batches of 4: the two left over make a last, smaller batch."
    if len(batches) == 10 and sizes[:7] == [(4,)] * 7:
        return "your batches overlap: the next one begins where the last one ended."
    if len(batches) == 10:
        return "these are batches of one image; use `batch_size`."
    if len(batches) == 4:
        return "there are 4 batches; `batch_size` says how many images are in one."
    if sizes != [(4,), (4,), (2,)]:
        found = [size[0] if size else "no" for size in sizes]
        return f"ten images in batches of 4 make batches of 4, 4 and 2 images; yours have {found}."
    if [np.shape(batch_digits) for _, batch_digits in batches] != sizes:
        return "each batch needs as many digits as images."
    shown = [np.asarray(batch_images)[:, 0, 0] * 10 for batch_images, _ in batches]
    said = [np.asarray(batch_digits) for _, batch_digits in batches]
    if not np.allclose(np.concatenate(shown), np.concatenate(said)):
        return "images and digits do not belong together: cut both at the same places."
    if not np.array_equal(np.concatenate(said), digits):
        return "the images are all there, but not in the order in which they came."
    return None


# --- lesson 5 ---


@_check("The fading sum grows to 1 / (1 - 0.9) = 10 gradients, and the learning rate is 0.1.")
def check_momentum_step(longest_step: float) -> str | None:
    """Lesson 5, exercise 1: the length that steps with momentum grow to."""
    if hint := _wrong_number(longest_step, 1.0, tolerance=0.02):
        if hint.startswith("expected"):
            return hint
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
        for slip, slip_hint in slips.items():
            if np.isclose(float(longest_step), slip, rtol=0.01):
                return slip_hint
        if float(longest_step) > 1e3:
            return "m does not grow forever: a tenth of it is lost in each step."
        return f"{hint} In the end m stays as it is: what it loses, a tenth, equals what is added."
    return None


@_check("RMSprop divides by the size of the gradients: its learning rate is the step's length.")
def check_fast_rmsprop(fast_accuracy: float, reason: str) -> str | None:
    """Lesson 5, exercise 2: RMSprop with a learning rate of 0.1, and why it fails."""
    if isinstance(fast_accuracy, dict):
        return "`trainer.test` returns a dictionary: take its 'test_accuracy'."
    if hint := _wrong_accuracy("fast_accuracy", fast_accuracy):
        return hint
    if float(fast_accuracy) == 0:
        return "not one image right? Hand over the images together with their own digits."
    if not float(fast_accuracy) < 0.45:
        return (
            f"an accuracy of {float(fast_accuracy):.2f} is too good: give a new classifier "
            "`.optimizer(RMSprop, lr=0.1)`, and train it on the first 6,000 images."
        )
    return _wrong_reason(
        reason,
        {
            "b": "with a learning rate of 0.001, the same 6,000 images are enough for over 80%.",
            "c": "a network that overfits reads its training images well. Look at their accuracy.",
        },
    )


@_check("torch.optim.RMSprop makes this very step, for all weights at once.")
def check_rmsprop_step(
    rmsprop_step: Callable[[float, float, float, float], tuple[float, float]],
) -> str | None:
    """Lesson 5, exercise 3: one step of RMSprop."""
    import torch

    if not callable(rmsprop_step):
        return f"`rmsprop_step` should be a function, and is {rmsprop_step!r}."
    for weight, gradient, average, lr in ((1.0, 0.5, 0.04, 0.1), (-2.0, -3.0, 0.5, 0.2)):
        try:
            answer = rmsprop_step(weight, gradient, average, lr)
        except TypeError:  # torch.sqrt takes no Python numbers
            answer = rmsprop_step(*map(torch.tensor, (weight, gradient, average)), lr)
        if hint := _wrong_rmsprop_step(answer, weight, gradient, average, lr):
            return hint
    return None


def _wrong_rmsprop_step(
    answer: Any, weight: float, gradient: float, average: float, lr: float
) -> str | None:
    """Return a hint unless `answer` is the weight and the average after one step of RMSprop."""
    if answer is None or answer is ...:
        return "`rmsprop_step` returns nothing yet: end it with `return`."
    if np.shape(answer) != (2,):
        return "return two numbers, the new weight and the new average."
    got_weight, got_average = (float(number) for number in answer)
    square = gradient**2
    new_average = 0.99 * average + 0.01 * square
    root = new_average**0.5
    new_weight = weight - lr * gradient / root
    if np.allclose([got_average, got_weight], [new_weight, new_average], rtol=1e-4):
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
        weight - lr * gradient / average**0.5: "divide by the root of the new average.",
        weight - lr * gradient / new_average: "divide by its root, not by the average.",
        weight - lr * gradient * root: "divide by the root, do not multiply.",
        weight - lr * gradient: "that is SGD's step: divide the gradient by the root.",
        weight + lr * gradient / root: "the weight went uphill: subtract.",
        weight - gradient / root: "the learning rate is missing in the step.",
        weight: "the weight comes back as it was.",
        new_weight - weight: "that is the step alone; return the weight after it.",
        weight - new_weight: "that is the step alone; return the weight after it.",
    }
    otherwise = (
        "the average is off: 0.99 of the old one, and 0.01 of the gradient's square.",
        "the weight is off: subtract lr times the gradient over the average's root.",
    )
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
    if not isinstance(answer, str) or answer.strip().lower() not in {"a", "b", "c"}:
        return f"`answer` is {answer!r}; expected one of the letters 'a', 'b' and 'c'."
    if answer.strip().lower() == "a":
        return "that would be fair, and it is not what happens: look at the highest outputs."
    if answer.strip().lower() == "c":
        return "the outputs come out of a softmax: can all ten be about 0?"
    return None


@_check("A network knows only what its training images showed it.")
def check_inverted(inverted_accuracy: float, reason: str) -> str | None:
    """Lesson 6, exercise 2: dark digits on white paper, and why they are not read."""
    if isinstance(inverted_accuracy, dict):
        return "`trainer.test` returns a dictionary: take its 'test_accuracy'."
    if hint := _wrong_accuracy("inverted_accuracy", inverted_accuracy):
        return hint
    if float(inverted_accuracy) > 0.9:
        return (
            f"{float(inverted_accuracy):.1%} is what the images reach as they are: hand over "
            "`1 - test_images`."
        )
    if float(inverted_accuracy) > 0.4:
        return (
            f"{float(inverted_accuracy):.1%} is too good for lesson 5's network: invert all "
            "pixels of the test images, and train nothing anew."
        )
    return _wrong_reason(
        reason,
        {
            "a": "`1 - image` can be undone by another `1 - image`: nothing is lost.",
            "c": "trained on inverted images, this very network reads them. What did it see?",
        },
    )


@_check("Now see what it gives for 0.9 and for 0.8 of the test images.")
def check_accuracy_of_surest(
    accuracy_of_surest: Callable[[np.ndarray, np.ndarray, float], float],
) -> str | None:
    """Lesson 6, exercise 3: the accuracy on the images with the highest confidence."""
    import torch

    if not callable(accuracy_of_surest):
        return f"`accuracy_of_surest` should be a function, and is {accuracy_of_surest!r}."
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

    def of_surest(share: float) -> Any:
        try:
            return accuracy_of_surest(outputs.copy(), digits.copy(), share)
        except (TypeError, AttributeError):  # a function for torch's tensors is as good
            return accuracy_of_surest(torch.tensor(outputs), torch.tensor(digits), share)

    try:
        answer = of_surest(0.5)
    except TypeError as error:
        if "slice ind" not in str(error):
            raise
        return "make the number of images to keep a whole number, with `round`."
    if answer is None or answer is ...:
        return "`accuracy_of_surest` returns nothing yet: end it with `return`."
    if np.ndim(answer) != 0 or isinstance(answer, (bool, str)):
        return "return one number, the accuracy on the images that are kept."
    best = sorted_right[:10].mean()
    if np.isclose(float(answer), best):
        fifth = float(of_surest(0.2))
        if not np.isclose(fifth, 1.0):
            return f"right for a share of 0.5; for 0.2 it gives {fifth:g}: make use of `share`."
        return None
    slips = {
        sorted_right.mean(): "that is the accuracy on all images: keep only the surest of them.",
        sorted_right[10:].mean(): "those are the least sure images: sort the other way.",
        best / 2: "you divided by all images: divide by those that you kept.",
        10 * best: "that counts the right answers: divide by the images kept.",
        100 * best: "that is in percent: leave it as a share between 0 and 1.",
        1 - best: "that is the share of mistakes; the accuracy is the other part.",
        right[:10].mean(): "those are the first images: keep those with the highest confidence.",
        sorted_right[confidence >= 0.5].mean(): (
            "`share` says how many images to keep, not how sure the network must be."
        ),
    }
    near = (hint for slip, hint in slips.items() if np.isclose(float(answer), slip))
    off = f"{float(answer):g} is off: sort by the highest output, keep `share` of it, compare."
    return next(near, off)


# --- lesson 7 ---


@_check("Each process has 15,000 images: 937 full batches, and one of 8 images.")
def check_steps_per_epoch(steps_per_epoch: int) -> str | None:
    """Lesson 7, exercise 1: the steps of an epoch of four processes with batches of 16."""
    slips = {
        3750: "that is for one process; here four processes share the images.",
        15_000: "that is how many images a process sees; it takes a step for each batch.",
        64: "that is the effective batch size; how many of them make an epoch?",
        16: "that is the batch size of one process.",
        3752: "that adds the steps of all processes; they take their steps together.",
        937: "what about the images that are left over? They make a step, too.",
        937.5: "there is no half step: what happens to the half-full batch?",
    }
    for wrong, hint in slips.items():
        if _wrong_number(steps_per_epoch, wrong) is None:
            return hint
    if hint := _wrong_number(steps_per_epoch, 938):
        return f"{hint} How many images does each process see, and in batches of how many?"
    return None


@_check("Without the averaging you train several networks, each on a part of the images.")
def check_without_averaging(largest_difference: float, reason: str) -> str | None:
    """Lesson 7, exercise 2: two processes that do not average their gradients."""
    if np.ndim(largest_difference) != 0 or isinstance(largest_difference, (str, bool)):
        return "`largest_difference` should be one number: the largest of all weights' differences."
    difference = float(largest_difference)
    if np.isnan(difference):
        return "`largest_difference` is not a number (NaN)."
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
    return _wrong_reason(
        reason,
        {
            "a": "both started from seed 0, with the same weights. What did each see after that?",
            "b": "rounding made far smaller differences in “The same steps” above.",
        },
    )


@_check("This is what the distributed sampler does, and now you have written one.")
def check_deal(deal: Callable[[int, int, int], list[int]]) -> str | None:
    """Lesson 7, exercise 3: which images a process sees."""
    if not callable(deal):
        return f"`deal` should be a function, and is {deal!r}."
    for images, processes in [(10, 2), (12, 4), (10, 1), (10, 3), (10, 4), (60_000, 7)]:
        each = -(-images // processes)
        dealt = [turn % images for turn in range(each * processes)]
        answers = [deal(images, process, processes) for process in range(processes)]
        case = f"{images:,} images and {processes} processes"
        if any(answer is None or answer is ... for answer in answers):
            return "`deal` returns nothing yet: end it with `return`."
        if any(np.ndim(answer) != 1 for answer in answers):
            return f"`deal` should return a list of numbers, and returns {answers[0]!r}."
        answers = [[int(number) for number in answer] for answer in answers]
        expected = [dealt[process::processes] for process in range(processes)]
        if answers == expected:
            continue
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
    return None
