"""Answers to lesson 7's exercises: right ones, and wrong ones with a part of their hint."""

from decimal import Decimal

import numpy as np
import torch


def softmax(sums):
    exponentials = np.exp(sums)
    return exponentials / exponentials.sum()


def network(hidden=lambda sums: np.maximum(sums, 0), last=softmax, added=lambda sums, b: sums + b):
    """Returns an answer: a network with these parts."""

    def by_hand(image, layers):
        for weights, biases in layers[:-1]:
            image = hidden(added(weights @ image, biases))
        return last(added(layers[-1][0] @ image, layers[-1][1]))

    return by_hand


def with_torch(image, layers):
    for weights, biases in layers[:-1]:
        image = torch.relu(weights @ image + biases)
    return torch.softmax(layers[-1][0] @ image + layers[-1][1], dim=0)


def with_loops(image, layers):
    values = list(image)
    for number, (weights, biases) in enumerate(layers):
        sums = [
            sum(w * v for w, v in zip(row, values, strict=True)) + b
            for row, b in zip(weights, biases, strict=True)
        ]
        last = number == len(layers) - 1
        values = [float(np.exp(s)) for s in sums] if last else [max(s, 0) for s in sums]
    return [value / sum(values) for value in values]


def as_rows(image, layers):
    values = image[None]
    for weights, biases in layers[:-1]:
        values = (values @ weights.T + biases).clip(min=0)
    weights, biases = layers[-1]
    exponentials = np.exp(values @ weights.T + biases)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def changes_its_layers(image, layers):
    for weights, _ in layers:
        weights *= 2
    return network()(image, layers)


def for_two_hidden_layers(image, layers):
    (a, b), (c, d), (e, f) = layers
    return network()(image, [(a, b), (c, d), (e, f)])


RIGHT = {
    "check_idle_parameters": [
        (4085,),
        (4085.0,),
        (np.int64(4085),),
        (torch.tensor(4085),),
        (Decimal(4085),),
    ],
    # 0.907 to 0.948 is what five trained networks reached.
    "check_switched_off": [
        (0.948, "a"),
        (np.float32(0.907), " A "),
        (torch.tensor(0.94), "a)"),
        (Decimal("0.955"), "a"),
        (0.87, "a"),
    ],
    "check_by_hand": [
        (network(),),
        (with_torch,),
        (with_loops,),
        (as_rows,),
        (network(hidden=lambda sums: sums * (sums > 0)),),
        (lambda image, layers: network()(image, layers).astype("float32"),),
        (lambda image, layers: torch.from_numpy(network()(image, layers)).requires_grad_(),),
        (lambda image, layers: tuple(network()(image, layers)),),
        (lambda image, layers: (number for number in network()(image, layers)),),
    ],
}

WRONG = {
    "check_idle_parameters": [
        (..., "replace the dots"),
        (3925, "multiply the outputs of the dead neurons"),
        (3920, "a bias too, and the next layer"),
        (4080, "a neuron has a bias too."),
        (160, "which parameters lead into them"),
        (165, "and from the pixels"),
        (817, "for one neuron"),
        (785, "leads into one neuron"),
        (22_421, "those are the others"),
        (4_085 + 27 * 68, "the pixels that never have ink are another reason"),
        (3975, "lead to 32 others"),
        (215, "here it is the first"),
        (5, "how many neurons are dead"),
        (4086, "4086 is too high. Count"),
        (4084, "4084 is too low. Count"),
        (0, "too low"),
        ("4085", "leave the quotes out"),
        ([4085], "expected one number"),
        (True, "expected one number"),
        (float("nan"), "NaN"),
        ((4, 85), "without commas"),
        (None, "expected one number"),
    ],
    "check_switched_off": [
        (..., "a", "replace the dots"),
        (0.94, ..., "replace the dots"),
        (0.9551, "a", "with all of its neurons"),
        (0.961, "a", "take the lowest"),
        (1.0, "a", "take the lowest"),
        (0.869, "a", "one at a time"),
        (0.5, "a", "of the second hidden layer"),
        (0.0988, "a", "what guessing reaches"),
        (0.0, "a", "what guessing reaches"),
        (94.0, "a", "Divide percent by 100"),
        (-0.1, "a", "between 0 and 1"),
        (9400, "a", "between 0 and 1"),
        ([0.94, 0.95], "a", "take the lowest of them"),
        (torch.ones(32), "a", "take the lowest of them"),
        ({"test_accuracy": 0.94}, "a", "take its 'test_accuracy'"),
        (min, "a", "call it"),
        ("0.94", "a", "quotes"),
        (True, "a", "one number"),
        (0.94, "b", "all images of one digit"),
        (0.94, "c", "nothing was trained"),
        (0.94, "d", "expected 'a', 'b' or 'c'"),
        (0.94, None, "expected 'a', 'b' or 'c'"),
    ],
    "check_by_hand": [
        (..., "replace the dots"),
        (7, "should be a function"),
        (lambda image, layers: None, "returns nothing yet"),
        (network(last=lambda sums: sums), "softmax is missing"),
        (network(last=lambda sums: softmax(np.maximum(sums, 0))), "in place of ReLU, not after"),
        (network(last=lambda sums: np.maximum(sums, 0)), "softmax in place of ReLU"),
        (network(last=lambda sums: 1 / (1 + np.exp(-sums))), "not sigmoid"),
        (network(last=lambda sums: np.log(softmax(sums))), "logarithms"),
        (network(last=lambda sums: sums / sums.sum()), "softmax has exponentials"),
        (network(hidden=lambda sums: sums), "ReLU is missing"),
        (network(hidden=lambda sums: 1 / (1 + np.exp(-sums))), "sigmoid in the hidden layers"),
        (network(hidden=softmax), "the last layer only"),
        (network(hidden=lambda sums: np.minimum(sums, 0)), "above 0"),
        (network(hidden=np.abs), "does not change their sign"),
        (network(added=lambda sums, biases: sums), "the biases are missing"),
        (network(added=lambda sums, biases: sums - biases), "the biases are subtracted"),
        (network(added=lambda sums, biases: sums + 2 * biases), "the outputs are off"),
        (network(last=lambda sums: 100 * softmax(sums)), "add up to 100"),
        (network(last=np.argmax), "returns one number"),
        (lambda image, layers: layers[0][0] @ image + layers[0][1], "should return 3 numbers"),
        (lambda image, layers: image @ layers[0][0], "ValueError"),
        (lambda image, layers: [str(n) for n in network()(image, layers)], "returns a list"),
        (changes_its_layers, "changes what it is given"),
        (for_two_hidden_layers, "not enough values to unpack"),
        (lambda image: image, "TypeError"),
    ],
}
