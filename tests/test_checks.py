"""The checks of exercises: right and wrong answers (in answers/), and what all have in common."""

import importlib
import inspect
import random
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import deeplay as dl
import numpy as np
import pytest
import torch

from helpers import checks
from helpers.config import Config

ALL = {name: check for name, check in vars(checks).items() if name.startswith("check_")}

# For each helpers/checks/lesson_N.py there is an answers/lesson_N.py. The first right answer
# to an exercise is the one that the tests of all checks vary.
TABLES = [
    importlib.import_module(f"answers.{file.stem}")
    for file in sorted((Path(__file__).parent / "answers").glob("lesson_*.py"))
]
RIGHTS = {name: answers for table in TABLES for name, answers in table.RIGHT.items()}
WRONGS = {name: answers for table in TABLES for name, answers in table.WRONG.items()}
RIGHT = {name: answers[0] for name, answers in RIGHTS.items()}
# Each place of each check that takes a number, a letter or a function.
PLACES = [(name, place) for name, right in RIGHT.items() for place in range(len(right))]
NUMBERS = [(n, p) for n, p in PLACES if isinstance(RIGHT[n][p], (int, float))]
LETTERS = [(n, p) for n, p in PLACES if isinstance(RIGHT[n][p], str)]
FUNCTIONS = [(n, p) for n, p in PLACES if inspect.isfunction(RIGHT[n][p])]


def verdict(capsys, name, *answers):
    """Returns what a check prints: one line, and nothing else."""
    ALL[name](*answers)
    said, complaint = capsys.readouterr()
    assert complaint == ""
    assert said.count("\n") == 1
    assert len(said) < 320
    return said


def verdict_with(capsys, name, place, answer):
    """Returns what a check prints of right answers but for another one in one place."""
    answers = list(RIGHT[name])
    answers[place] = answer
    return verdict(capsys, name, *answers)


def test_every_check_is_tried():
    assert set(RIGHTS) == set(WRONGS) == set(ALL)
    assert len(ALL) == sum(len(table.RIGHT) for table in TABLES), "each in one file"
    assert all(len(answers) >= 5 for answers in WRONGS.values())


def one_by_one(tables):
    return [
        pytest.param(name, row, id=f"{name}-{place}")
        for name, rows in tables.items()
        for place, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("name", "answers"), one_by_one(RIGHTS))
def test_right_answers(name, answers, capsys):
    assert verdict(capsys, name, *answers).startswith("Right. ")


@pytest.mark.parametrize(("name", "row"), one_by_one(WRONGS))
def test_wrong_answers(name, row, capsys):
    *answers, hint = row
    said = verdict(capsys, name, *answers)
    assert said.startswith("Not yet: ")
    assert hint in said


def test_rmsprop_step_is_what_torch_does():
    [step] = RIGHT["check_rmsprop_step"]
    weight = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.RMSprop([weight], lr=0.1)
    ours, average = 1.0, 0.0
    for gradient in (0.5, -0.2, 0.7):
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        ours, average = step(ours, gradient, average, 0.1)
    assert float(weight.detach()) == pytest.approx(ours, rel=1e-5)


# --- what all checks have in common ---


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_dots_are_no_answer(name, place, capsys):
    assert "replace the dots" in verdict_with(capsys, name, place, ...)


@pytest.mark.parametrize(
    "kind",
    [
        float,
        complex,
        Fraction,
        lambda number: Decimal(str(number)),
        np.float64,
        np.longdouble,
        np.complex128,
        np.array,
        lambda number: np.array([number]),
        lambda number: np.array([[number]]),
        lambda number: np.array([number], dtype=object),
        lambda number: torch.tensor(number, dtype=torch.float64),
        lambda number: torch.tensor([number], dtype=torch.float64),
        lambda number: torch.tensor(float(number), dtype=torch.float64, requires_grad=True),
    ],
)
def test_any_kind_of_number(kind, capsys):
    for name, place in NUMBERS:
        answer = kind(RIGHT[name][place])
        assert verdict_with(capsys, name, place, answer).startswith("Right. ")


@pytest.mark.parametrize("name", ["check_parameter_count", "check_steps", "check_steps_per_epoch"])
@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.uint64, np.float32, torch.tensor])
def test_any_kind_of_whole_number(name, kind, capsys):
    answer = kind(RIGHT[name][0])
    assert verdict_with(capsys, name, 0, answer).startswith("Right. ")


@pytest.mark.parametrize("name", ["check_parameter_count", "check_steps", "check_steps_per_epoch"])
@pytest.mark.parametrize("off", [-1, 1, Fraction(1, 10), 1e-6, -1e-6])
def test_a_count_is_exact(name, off, capsys):
    said = verdict_with(capsys, name, 0, RIGHT[name][0] + off)
    assert said.startswith("Not yet: ")
    assert "expected one number" not in said


@pytest.mark.parametrize(
    "kind", [np.float16, np.float32, np.int8, lambda n: torch.tensor(n).bfloat16()]
)
def test_narrow_numbers(kind, capsys):
    assert verdict_with(capsys, "check_momentum_step", 0, kind(1)).startswith("Right. ")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (None, "expected one number, got None."),
        (True, "expected one number, got True."),
        (np.True_, "True"),
        (torch.tensor(True), "expected one number, got tensor(True)."),
        ("0.82", "expected one number, got '0.82': leave the quotes out."),
        ("82 %", "expected one number, got '82 %': leave the quotes out."),
        ("many", "expected one number, got 'many'."),
        (b"0.4", "expected one number, got b'0.4'."),
        (float("nan"), "expected one number, got nan: NaN means"),
        (torch.tensor(float("nan")), "expected one number, got tensor(nan): NaN means"),
        (Decimal("nan"), "expected one number, got Decimal('NaN'): NaN means"),
        (1 + 1j, "expected one number, got (1+1j)."),
        ([0.4], "expected one number, got [0.4]: take "),
        ([], "expected one number, got []: take "),
        (np.zeros(2), "expected one number, got array([0., 0.]): take "),
        (
            torch.zeros(3, 2),
            "expected one number, got tensor([[0., 0.], [0., 0.], [0., 0.]]): take ",
        ),
        ((0, 4), "expected one number, got (0, 4): write it without commas"),
        ({"test_accuracy": 0.4}, "take its 'test_accuracy'."),
        ({"accuracy": 0.4}, "expected one number, got {'accuracy': 0.4}."),
        ({0.4}, "expected one number, got {0.4}."),
        (np.zeros(1).mean, "call it, with `()`."),
        (lambda: 0.4, "call it, with `()`."),
        (float, "expected one number, got <class 'float'>."),
        (Config().in_features(784), "expected one number, got ( Config() .in_features(784) )."),
        (np.array(["0.4"]), "expected one number, got array(['0.4']"),
        (type("Odd", (), {"__repr__": lambda self: 1 / 0})(), "got something of type Odd."),
    ],
)
def test_what_is_no_number(answer, hint, capsys):
    for name, place in NUMBERS:
        said = verdict_with(capsys, name, place, answer)
        assert said.startswith("Not yet: `")
        assert "`: expected one number, got " in said
        assert hint in said


@pytest.mark.parametrize(
    "answer", [np.inf, -np.inf, Decimal("1e999"), Fraction(10**400), Fraction(-(10**400))]
)
def test_numbers_that_are_endless(answer, capsys):
    for name, place in NUMBERS:
        said = verdict_with(capsys, name, place, answer)
        assert said.startswith("Not yet: ")
        assert "inf" in said or "does not grow forever" in said or "not negative" in said


@pytest.mark.parametrize(("name", "place"), NUMBERS)
def test_accuracies_are_shares(name, place, capsys):
    if name in ("check_momentum_step", "check_without_averaging") or RIGHT[name][place] > 1:
        return  # no accuracy
    if name == "check_five_slopes":
        return
    for percent in (100.0, 40, 1.001):
        said = verdict_with(capsys, name, place, percent)
        assert "an accuracy is a share between 0 and 1; `" in said
        assert f"_accuracy` is {percent:.10g}. Divide percent by 100.\n" in said
    for other in (-0.001, 100.001, 4066):
        said = verdict_with(capsys, name, place, other)
        assert f"a share between 0 and 1; `{said.split('`')[1]}` is {other}.\n" in said
    for edge in (0, 1):
        assert "a share between" not in verdict_with(capsys, name, place, edge)


@pytest.mark.parametrize(
    "form", ["{}", " {}", "{} ", "{})", "({})", "{}.", "'{}'", '"{}"', "{}:", "{}\n"]
)
def test_letters_in_many_forms(form, capsys):
    for name, place in LETTERS:
        right = RIGHT[name][place]
        assert verdict_with(capsys, name, place, form.format(right)).startswith("Right. ")
        assert verdict_with(capsys, name, place, form.format(right.upper())).startswith("Right. ")
        assert verdict_with(capsys, name, place, np.str_(right)).startswith("Right. ")
        for letter in set("abc") - {right}:
            said = verdict_with(capsys, name, place, form.format(letter))
            assert said.startswith("Not yet: ")
            assert "expected" not in said


@pytest.mark.parametrize(
    "answer", [None, "d", "", "ab", "a, b", "because", 1, True, ["b"], b"b", {"b"}, np.zeros(10)]
)
def test_what_is_no_letter(answer, capsys):
    for name, place in LETTERS:
        said = verdict_with(capsys, name, place, answer)
        assert said.startswith("Not yet: `")
        assert said.endswith("; expected 'a', 'b' or 'c'.\n")


@pytest.mark.parametrize("answer", [None, 3, "softmax", [abs], np.ones((100, 100))])
def test_what_is_no_function(answer, capsys):
    for name, place in FUNCTIONS:
        said = verdict_with(capsys, name, place, answer)
        assert said.startswith(
            f"Not yet: `{name.removeprefix('check_')}` should be a function, and is"
        )


def fails(*given):
    raise ValueError("first line\n   second line" + 1000 * " and more")


def leaves(*given):
    raise SystemExit


def never_ends(*given):
    return never_ends(*given)


def counts_forever(*given):
    place = 0
    while True:
        yield place
        place += 1


def is_interrupted(*given):
    raise KeyboardInterrupt


class NoFunction:
    """A class is called like a function."""


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (fails, "failed with ValueError: first line second line and more"),
        (leaves, "failed with SystemExit"),
        (never_ends, "failed with RecursionError"),
        (is_interrupted, "does each loop in it end?"),
        (lambda: 0, "failed with TypeError"),
        (lambda *given: None, "returns nothing yet"),
        (lambda *given: ..., "returns nothing yet"),
        (counts_forever, "Not yet: "),
        (NoFunction, "Not yet: "),
        (lambda *given: NoFunction, "Not yet: "),
        (lambda *given: True, "Not yet: "),
        (lambda *given: "0.5", "Not yet: "),
        (lambda *given: [], "Not yet: "),
        (lambda *given: [None, "b"], "Not yet: "),
        (lambda *given: ["0.5", "0.5"], "Not yet: "),
        (lambda *given: [[1, 2], 3], "Not yet: "),
        (lambda *given: [np.zeros((2, 3)), np.zeros((2, 2))], "Not yet: "),
        (lambda *given: {"a": 1}, "Not yet: "),
        (lambda *given: float("nan"), "Not yet: "),
        (lambda *given: np.full(10, np.nan), "Not yet: "),
        (lambda *given: np.zeros((0, 3)), "Not yet: "),
        (lambda *given: 10**5000, "Not yet: "),  # too many digits to be shown
        (lambda *given: Config(), "Not yet: "),
        (lambda *given: given, "Not yet: "),
    ],
)
def test_functions_of_any_kind(answer, hint, capsys):
    for name, place in FUNCTIONS:
        said = verdict_with(capsys, name, place, answer)
        assert said.startswith("Not yet: ")
        assert hint in said


@pytest.mark.parametrize("name", RIGHT)
def test_no_answer_at_all(name, capsys):
    ALL[name]()
    said = capsys.readouterr().out
    assert said.startswith("Not yet: checking your answer failed with TypeError: ")
    assert "missing" in said


@pytest.mark.parametrize(("name", "place"), FUNCTIONS)
def test_what_a_function_prints_comes_first(name, place, capsys):
    right = RIGHT[name][place]

    def talks(*given):
        print("here I am")
        return right(*given)

    ALL[name](talks)
    *before, last = capsys.readouterr().out.splitlines()
    assert set(before) == {"here I am"}
    assert last.startswith("Right. ")


def writes(function):
    def write(*given):
        answer = function(*given)
        given[0][:] = 0
        return answer

    return write


@pytest.mark.parametrize(
    "name",
    [
        "check_strangest",
        "check_recalls",
        "check_softmax",
        "check_make_batches",
        "check_accuracy_of_surest",
    ],
)
def test_a_function_leaves_alone_what_it_is_given(name, capsys):
    said = verdict_with(capsys, name, 0, writes(RIGHT[name][0]))
    called = name.removeprefix("check_")
    assert said == f"Not yet: `{called}` changes what it is given: make a new array (no `-=`).\n"


def by_torch(outputs, digits, share):
    kept = outputs.max(dim=1).values.topk(round(share * len(digits))).indices
    answer = (outputs[kept].argmax(dim=1) == digits[kept]).float().mean()
    outputs.zero_()
    return answer


def test_a_function_for_tensors_leaves_them_alone(capsys):
    assert "changes what" in verdict_with(capsys, "check_accuracy_of_surest", 0, by_torch)


def random_states():
    return (
        random.getstate(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
        torch.get_rng_state().tolist(),
    )


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize("name", RIGHT)
def test_random_numbers_go_on_as_if_nothing_was_checked(name, capsys):
    def draws(*given):
        drawn.append(draw())
        return RIGHT[name][0](*given)

    drawn = []
    before = random_states()
    for _ in range(2):
        if (name, 0) in FUNCTIONS:
            assert verdict_with(capsys, name, 0, draws).startswith("Right. ")
        else:
            verdict(capsys, name, *RIGHT[name])
        assert random_states() == before
        draw()
        before = random_states()
    half = len(drawn) // 2
    assert drawn[:half] == drawn[half:]  # whatever a function draws, the verdict is the same


def test_random_numbers_go_on_after_a_failure(capsys):
    def fails_late(*given):
        draw()
        raise ValueError

    before = random_states()
    verdict_with(capsys, "check_softmax", 0, fails_late)
    assert random_states() == before


@pytest.mark.parametrize("name", RIGHT)
def test_settings_for_warnings_change_no_verdict(name, capsys):
    def warns(*given):
        warnings.warn("an old name", DeprecationWarning, stacklevel=2)
        np.exp(np.array([1e4])) - np.exp(np.array([1e4]))
        return RIGHT[name][0](*given)

    with warnings.catch_warnings(record=True) as caught, np.errstate(all="raise"):
        warnings.simplefilter("error")
        if (name, 0) in FUNCTIONS:
            assert verdict_with(capsys, name, 0, warns).startswith("Right. ")
        else:
            assert verdict(capsys, name, *RIGHT[name]).startswith("Right. ")
        assert np.geterr()["over"] == "raise"
        assert warnings.filters[0][0] == "error"
    assert caught == []


def test_a_message_of_the_helpers_is_said_as_it_is(capsys):
    said = verdict_with(capsys, "check_tanh", 0, Config().model.blocks)
    assert said.startswith("Not yet: Unfinished recipe")


RECIPE = RIGHT["check_tanh"][0]


def test_answers_are_left_as_they_are(capsys):
    for answer in (np.array([0.4]), torch.tensor([0.4]), [0.4], {"test_accuracy": 0.4}):
        before = repr(answer)
        verdict_with(capsys, "check_shifted", 0, answer)
        assert repr(answer) == before
    before = repr(RECIPE)
    verdict(capsys, "check_tanh", *RIGHT["check_tanh"])
    assert repr(RECIPE) == before


def test_a_network_is_left_in_its_mode(capsys):
    classifier = RECIPE.create(dl.Classifier)
    for mode in (True, False):
        classifier.train(mode)
        weights = [parameter.clone() for parameter in classifier.parameters()]
        assert "should be a recipe" in verdict_with(capsys, "check_tanh", 0, classifier)
        assert all(module.training == mode for module in classifier.modules())
        assert all(map(torch.equal, classifier.parameters(), weights))
