"""Answers cross as text, and are on the other side what they were here; nothing else crosses."""

import json
import math
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from test_checks import ALL, RIGHTS, WRONGS

from helpers.errors import LessonError
from tools.course_check import check_world, wire


def crossed(value, functions=None):
    """Returns `value` after it went over the wire."""

    def function(number, name):
        return functions[number] if functions else name

    return wire.decode(json.loads(json.dumps(wire.encode(value, functions))), function)


PLAIN = [
    None,
    ...,
    True,
    False,
    0,
    -3,
    10**40,
    1.5,
    math.inf,
    -0.0,
    2 + 3j,
    "",
    "b",
    "é\n\0\ud800",
    b"\x00\xff",
    Fraction(1, 3),
    Decimal("0.10"),
    [1, [2.0, "x"], None],
    (1, (2,)),
    {"a": 1, 2: [3]},
    {1, 2},
    frozenset({"a"}),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_value_is_the_same(value):
    again = crossed(value)
    assert type(again) is type(value)
    assert again == value


def test_nan_stays_nan():
    assert math.isnan(crossed(math.nan))


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6).reshape(2, 3),
        np.array([True, False]),
        np.array(1.5),
        np.zeros((0, 4), np.float32),
        np.arange(10)[::-2],
        np.array([1 + 2j]),
        np.arange(3).astype(">i4"),
        np.array([None, "a", 2], dtype=object),
        np.array(["one", "two"]),
    ],
    ids=str,
)
def test_array_is_the_same(value):
    again = crossed(value)
    assert again.shape == value.shape
    assert again.tolist() == value.tolist()
    if value.dtype.kind in wire.NUMBERS:
        assert again.dtype == value.dtype
        again[...] = 0  # it may be written to, as the learner's could


def test_numpy_number_keeps_its_type():
    for value in (np.float32(0.1), np.int64(-3), np.bool_(True)):
        assert type(crossed(value)) is type(value)
        assert crossed(value) == value


def test_tensor_is_the_same():
    import torch

    for value in (torch.arange(6).reshape(2, 3), torch.tensor(0.5, requires_grad=True)):
        again = crossed(value)
        assert again.dtype == value.dtype
        assert torch.equal(again, value)
    assert crossed(torch.tensor([1.5], dtype=torch.bfloat16)).tolist() == [1.5]


def test_recipe_is_equal_and_makes_the_same_network():
    import deeplay as dl
    from torch import nn
    from torch.optim import SGD

    from helpers.config import Config

    recipe = (
        Config()
        .model(dl.MultiLayerPerceptron)
        .model.in_features(784)
        .model.hidden_dims([32, 32])
        .model.out_features(10)
        .model.blocks[0]
        .activation(nn.Tanh)
        .model.blocks[1:]
        .activation(nn.ReLU)
        .model.out_activation(nn.Softmax, dim=1)
        .num_classes(10)
        .loss(nn.MSELoss)
        .optimizer(SGD, lr=0.1)
    )
    assert crossed(recipe) == recipe
    assert str(crossed(recipe).create(dl.Classifier)) == str(recipe.create(dl.Classifier))
    assert crossed(recipe.model.blocks) == recipe.model.blocks


def test_classes_of_learners_are_what_they_are_of():
    class Mine(float):
        pass

    class Pairs(dict):
        pass

    assert type(crossed(Mine(1.5))) is float
    assert type(crossed(Pairs(a=1))) is dict


def test_stranger_keeps_its_type_its_text_and_what_it_holds():
    class Batches:
        def __iter__(self):
            return iter([(np.zeros(1), np.ones(1))])

        def __repr__(self):
            return "my batches"

    class Silent:
        def __repr__(self):
            raise RuntimeError

    again = crossed(Batches())
    assert repr(again) == "my batches"
    assert type(again).__name__ == "Batches"
    assert [len(pair) for pair in again] == [2]
    assert repr(crossed(Silent())) == "<Silent>"


def test_generator_without_end_has_one():
    def forever():
        number = 0
        while True:
            yield number
            number += 1

    assert "too large" in repr(crossed(forever()))
    assert list(crossed(iter([1, 2]))) == [1, 2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * (wire.LONGEST + 1), "too large"),
        (np.zeros(10**6), "too large"),
        ([[[1]] * 1000] * 1000, "too large"),
        (10**5000, "too many digits"),
    ],
    ids=["text", "array", "list", "digits"],
)
def test_what_is_too_large_says_so(value, said):
    assert said in repr(crossed(value))


def test_what_holds_itself_says_so():
    endless = []
    endless.append(endless)
    assert "nested too deeply" in repr(crossed(endless))


@pytest.mark.parametrize(
    "wired",
    [
        None,
        [],
        [[]],
        {},
        "x",
        [None],
        ["walk", "", []],
        ["several", []],
        ["function"],
        ["int", "x"],
        ["int"],
        ["int", "1" * 10_000],
        ["Fraction", "1e9999"],
        ["array", "O", [1], "AAAA"],
        ["array", "<f8", [10**9], "AAAA"],
        ["array", "<f8", [-1, 0], ""],
        ["class", "os", "system"],
        ["class", "torch.nn", "__builtins__"],
        ["class", "torch.nn", "functional"],
        ["class", "helpers.training", "os"],
        ["dict", [[["list", []], ["none"]]]],
        ["dict", [1]],
        ["recipe", [[[["str", "__class__"]], ["none"]]], []],
        ["recipe", [], [["str", "__class__"]]],
        ["recipe", [], [["str", "create"]]],
        ["recipe", [[[["str", "create"]], ["class", "deeplay", "Classifier"]]], []],
        ["recipe", [], [["tensor", "<f8", [], "AAAAAAAAAAA="]]],
        ["stranger", "a\0b", "x", None],
        ["list", [["list", [["list", [["nothing"]]]]]]],
    ],
    ids=lambda wired: repr(wired)[:60],
)
def test_nothing_else_is_made_of_what_arrives(wired):
    with pytest.raises(ValueError, match=r"\w"):
        wire.decode(wired, lambda number, name: None)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("a"), ValueError),
        (IndexError("a"), IndexError),
        (KeyError("a"), KeyError),
        (np.linalg.LinAlgError("a"), ValueError),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "a"), ValueError),
        (LessonError("a"), LessonError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (SystemExit(3), Exception),
        (type("Mine", (ArithmeticError,), {})("a"), ArithmeticError),
    ],
)
def test_error_is_of_its_kind_and_name(error, kind):
    again = wire.decode_error(json.loads(json.dumps(wire.encode_error(error))))
    assert isinstance(again, kind)
    if kind is not KeyboardInterrupt:
        assert type(again).__name__ == type(error).__name__
        assert str(again) == str(error)


def through_the_wire(check, *answers):
    """Returns what a check says about answers that only cross as text, like a class's."""
    functions = wire.Functions()

    def ask(message):
        message = json.loads(json.dumps(message))
        given = [wire.decode(value, lambda *_: None) for value in message["given"]]
        reply = {}
        try:
            reply["returned"] = wire.encode(functions[message["call"]](*given), functions)
        except BaseException as error:
            reply["raised"] = wire.encode_error(error)
        reply["after"] = [wire.encode(value) for value in given]
        return json.loads(json.dumps(reply))

    wired = [json.loads(json.dumps(wire.encode(answer, functions))) for answer in answers]
    with pytest.MonkeyPatch.context() as patches:
        patches.setitem(sys.modules, "wire", wire)  # as the program in the sandbox imports it
        return check_world.check(ask, check, wired, {})["said"]


def writes(images, mean_image):
    images -= mean_image
    return (images**2).mean(axis=(1, 2)).argmax()


FURTHER = {
    "check_steps": [[np.int64(2346)], [None], [math.nan]],
    "check_strangest": [[writes], [lambda images: 1], [lambda images, mean: images[99]], [7]],
    "check_make_batches": [[lambda i, d, n: zip(i, d, strict=True)], [lambda i, d, n: 5]],
}


@pytest.mark.parametrize(
    ("check", "answers"),
    [(check, answers) for check, rows in FURTHER.items() for answers in rows],
)
def test_check_says_the_same_through_the_wire(check, answers, capsys):
    ALL[check](*answers)
    directly = capsys.readouterr().out.strip()
    assert through_the_wire(check, *answers) == directly


@pytest.mark.parametrize("check", sorted(ALL))
def test_right_and_wrong_answers_of_every_exercise_stay_so_through_the_wire(check):
    for answers in RIGHTS[check]:
        assert through_the_wire(check, *answers).startswith("Right. "), answers
    assert len(WRONGS[check]) >= 5
    for *answers, hint in WRONGS[check]:
        said = through_the_wire(check, *answers)
        assert said.startswith("Not yet: "), answers
        assert hint in said or "too large for an answer" in said, answers
