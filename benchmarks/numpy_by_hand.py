"""The network of lesson 2 trained in NumPy alone: what its arithmetic takes, and nothing around it.

Forward and backward are matrix products written out for this one network. It has no layers to
choose from, no progress, no metrics: nobody would teach with it. It is here to be compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

Arrays = list[np.ndarray]
Update = Callable[[np.ndarray, np.ndarray], None]  # of all parameters and their gradient, in place


def sgd(lr: float = 0.1) -> Update:
    """Return torch.optim.SGD's update."""

    def update(weights: np.ndarray, gradient: np.ndarray) -> None:
        gradient *= lr
        weights -= gradient

    return update


def rmsprop(lr: float = 0.001, alpha: float = 0.99, eps: float = 1e-8) -> Update:
    """Return torch.optim.RMSprop's update."""
    square = np.float32(0)

    def update(weights: np.ndarray, gradient: np.ndarray) -> None:
        nonlocal square
        square = alpha * square + (1 - alpha) * gradient * gradient
        weights -= lr * gradient / (np.sqrt(square) + eps)

    return update


def adam(lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Update:
    """Return torch.optim.Adam's update."""
    mean, square, step = np.float32(0), np.float32(0), 0

    def update(weights: np.ndarray, gradient: np.ndarray) -> None:
        nonlocal mean, square, step
        step += 1
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient * gradient
        root = np.sqrt(square) / np.sqrt(1 - beta2**step) + eps
        weights -= lr / (1 - beta1**step) * mean / root

    return update


UPDATES = {"SGD": sgd, "RMSprop": rmsprop, "Adam": adam}


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return the logistic function of each value."""
    return 1 / (1 + np.exp(-values))


def pieces(flat: np.ndarray, shapes: list[tuple[int, ...]]) -> Arrays:
    """Return views of a flat array, one after the other, in these shapes."""
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]
    parts = np.split(flat, ends)
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def train(
    parameters: Arrays, batches: Iterable[tuple[np.ndarray, np.ndarray]], optimizer: str
) -> Arrays:
    """Train three layers of sigmoids on the mean squared error.

    Args:
        parameters: Weights and biases of each layer in turn, float32 as nn.Linear has them: of
            shapes (outputs, inputs) and (outputs,).
        batches: Images, float32 of shape (batch_size, 784), and digits, integers of shape
            (batch_size,).
        optimizer: "SGD", "RMSprop" or "Adam", with the lessons' settings.

    Returns:
        The trained parameters.
    """
    shapes = [parameter.shape for parameter in parameters]
    flat = np.concatenate([parameter.ravel() for parameter in parameters])
    gradient = np.empty_like(flat)
    w1, b1, w2, b2, w3, b3 = pieces(flat, shapes)
    dw1, db1, dw2, db2, dw3, db3 = pieces(gradient, shapes)
    update, one_hot = UPDATES[optimizer](), np.eye(10, dtype=np.float32)
    for x, digits in batches:
        h1 = sigmoid(x @ w1.T + b1)
        h2 = sigmoid(h1 @ w2.T + b2)
        y = sigmoid(h2 @ w3.T + b3)
        d3 = (2 / y.size) * (y - one_hot[digits]) * y * (1 - y)
        d2 = d3 @ w3 * h2 * (1 - h2)
        d1 = d2 @ w2 * h1 * (1 - h1)
        for d, values, dw, db in ((d3, h2, dw3, db3), (d2, h1, dw2, db2), (d1, x, dw1, db1)):
            np.matmul(d.T, values, out=dw)
            d.sum(axis=0, out=db)
        update(flat, gradient)
    return pieces(flat, shapes)
