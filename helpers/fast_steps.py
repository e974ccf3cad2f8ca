"""The arithmetic of many optimizer steps, bit for bit that of PyTorch's ordinary loop.

One step of a network as small as the lessons' is a few dozen microseconds of arithmetic; autograd
and `optimizer.step` spend several times as long around it. What they finally call is a short list
of PyTorch's own operations, and `DirectSteps` calls the same operations, in the same order, itself:

* forward, each layer is the operation that its `forward` calls;
* backward, each layer is the operation that autograd calls for it;
* the parameters are pieces of one flat tensor, so that the optimizer, which treats every number
  alike, updates all of them at once and not one after the other.

What is known is listed: nn.Linear, `ACTIVATIONS`, `LOSSES`, `OPTIMIZERS`. fast_gate.py decides
whether a network is exactly that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

Forward = Callable[[Tensor], Tensor]
Backward = Callable[[Tensor, Tensor, Tensor], Tensor | None]  # of gradient, input, output
Settings = dict[str, Any]
State = dict[str, Tensor]

_MEAN = 1  # what torch's operations call reduction="mean"
_ONE = torch.ones((), dtype=torch.float32)  # the gradient that a backward pass begins with
_IMAGES_IN_CACHE = 256  # picked out at a time: 800 kB, so that the processor has them at hand
_ALIGNMENT = 64  # bytes: torch places each tensor so, and a matrix product's bits can depend on it

# --- layers: the operation, and what autograd calls for it ---


def _linear(own: list[tuple[Tensor, Tensor]], first: bool) -> tuple[Forward, Backward]:
    weight, of_weight = own[0]  # and the place for its gradient
    bias, of_bias = own[1] if len(own) == 2 else (None, None)
    transposed = weight.t()

    def forward(x: Tensor) -> Tensor:
        return torch.mm(x, transposed) if bias is None else torch.addmm(bias, x, transposed)

    def backward(gradient: Tensor, x: Tensor, y: Tensor) -> Tensor | None:
        torch.mm(gradient.t(), x, out=of_weight)
        if bias is not None:
            torch.sum(gradient, 0, out=of_bias)
        return None if first else torch.mm(gradient, weight)  # the images need no gradient

    return forward, backward


_aten = torch.ops.aten
_sigmoid_backward = _aten.sigmoid_backward.default
_tanh_backward = _aten.tanh_backward.default
_relu_backward = _aten.threshold_backward.default
_leaky_relu_backward = _aten.leaky_relu_backward.default
_elu_backward = _aten.elu_backward.default
_gelu_backward = _aten.gelu_backward.default
_softplus_backward = _aten.softplus_backward.default

ACTIVATIONS: dict[type[nn.Module], Callable[[Any], tuple[Forward, Backward]]] = {
    nn.Sigmoid: lambda layer: (torch.sigmoid, lambda g, x, y: _sigmoid_backward(g, y)),
    nn.Tanh: lambda layer: (torch.tanh, lambda g, x, y: _tanh_backward(g, y)),
    nn.ReLU: lambda layer: (torch.relu, lambda g, x, y: _relu_backward(g, y, 0)),
    nn.LeakyReLU: lambda layer: (
        lambda x: F.leaky_relu(x, layer.negative_slope),
        lambda g, x, y: _leaky_relu_backward(g, x, layer.negative_slope, False),
    ),
    nn.ELU: lambda layer: (
        lambda x: F.elu(x, layer.alpha),
        lambda g, x, y: _elu_backward(g, layer.alpha, 1, 1, False, x),
    ),
    nn.GELU: lambda layer: (
        lambda x: F.gelu(x, approximate=layer.approximate),
        lambda g, x, y: _gelu_backward(g, x, approximate=layer.approximate),
    ),
    nn.Softplus: lambda layer: (
        lambda x: F.softplus(x, layer.beta, layer.threshold),
        lambda g, x, y: _softplus_backward(g, x, layer.beta, layer.threshold),
    ),
    nn.Softmax: lambda layer: (
        lambda x: torch.softmax(x, 1),
        lambda g, x, y: torch._softmax_backward_data(g, y, 1, torch.float32),
    ),
}
NO_ARITHMETIC = (nn.Flatten, nn.Identity)  # as nothing: the images are flattened to begin with

# --- losses: the loss, and its gradient at the network's outputs ---

_mse_backward = _aten.mse_loss_backward.default
_smooth_l1_backward = _aten.smooth_l1_loss_backward.default
_bce_backward = _aten.binary_cross_entropy_backward.default
_nll, _nll_backward = _aten.nll_loss_forward.default, _aten.nll_loss_backward.default


def _mse(y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    return torch._C._nn.mse_loss(y, target, _MEAN), _mse_backward(_ONE, y, target, _MEAN)


def _smooth_l1(y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    loss = torch._C._nn.smooth_l1_loss(y, target, _MEAN)
    return loss, _smooth_l1_backward(_ONE, y, target, _MEAN, 1.0)


def _l1(y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    difference = y - target
    return difference.abs().mean(), _ONE / difference.numel() * difference.sgn()


def _bce(y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    loss = torch._C._nn.binary_cross_entropy(y, target, None, _MEAN)
    return loss, _bce_backward(_ONE, y, target, None, _MEAN)


def _cross_entropy(y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    logs = torch.log_softmax(y, 1)
    if target.dtype is torch.int64:  # digits
        loss, count = _nll(logs, target, None, _MEAN, -100)
        gradient = _nll_backward(_ONE, logs, target, None, _MEAN, -100, count)
    else:  # one-hot
        loss = -(logs * target).sum() / len(target)
        gradient = -(_ONE / len(target)) * target
    return loss, torch._log_softmax_backward_data(gradient, logs, 1, torch.float32)


LOSSES: dict[type[nn.Module], Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    nn.MSELoss: _mse,
    nn.L1Loss: _l1,
    nn.SmoothL1Loss: _smooth_l1,
    nn.BCELoss: _bce,
    nn.CrossEntropyLoss: _cross_entropy,
}

# --- optimizers: torch.optim's _single_tensor_sgd, _single_tensor_rmsprop, ... on flat tensors ---


def _decayed(settings: Settings, weights: Tensor, gradient: Tensor) -> Tensor:
    if settings["maximize"]:
        gradient = -gradient
    if settings["weight_decay"] != 0:
        gradient = gradient.add(weights, alpha=settings["weight_decay"])
    return gradient


def _sgd(s: Settings, weights: Tensor, gradient: Tensor, state: State, step: int) -> None:
    gradient = _decayed(s, weights, gradient)
    if s["momentum"] != 0:
        if "momentum_buffer" in state:
            buffer = state["momentum_buffer"]
            buffer.mul_(s["momentum"]).add_(gradient, alpha=1 - s["dampening"])
        else:
            buffer = state["momentum_buffer"] = gradient.clone()
        gradient = gradient.add(buffer, alpha=s["momentum"]) if s["nesterov"] else buffer
    weights.add_(gradient, alpha=-s["lr"])


def _rmsprop(s: Settings, weights: Tensor, gradient: Tensor, state: State, step: int) -> None:
    gradient = _decayed(s, weights, gradient)
    square = state["square_avg"]
    square.mul_(s["alpha"]).addcmul_(gradient, gradient, value=1 - s["alpha"])
    if s["centered"]:
        mean = state["grad_avg"].lerp_(gradient, 1 - s["alpha"])
        root = square.addcmul(mean, mean, value=-1).sqrt_().add_(s["eps"])
    else:
        root = square.sqrt().add_(s["eps"])
    if s["momentum"] > 0:
        buffer = state["momentum_buffer"].mul_(s["momentum"]).addcdiv_(gradient, root)
        weights.add_(buffer, alpha=-s["lr"])
    else:
        weights.addcdiv_(gradient, root, value=-s["lr"])


def _adam(s: Settings, weights: Tensor, gradient: Tensor, state: State, step: int) -> None:
    beta1, beta2 = s["betas"]
    if s["decoupled_weight_decay"]:
        weights.mul_(1 - s["lr"] * s["weight_decay"])
        gradient = -gradient if s["maximize"] else gradient
    else:
        gradient = _decayed(s, weights, gradient)
    mean, square = state["exp_avg"], state["exp_avg_sq"]
    mean.lerp_(gradient, 1 - beta1)
    square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    if s["amsgrad"]:
        square = torch.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
    root = square.sqrt().div_((1 - beta2**step) ** 0.5).add_(s["eps"])
    weights.addcdiv_(mean, root, value=-(s["lr"] / (1 - beta1**step)))


class _Kind(NamedTuple):
    update: Callable[[Settings, Tensor, Tensor, State, int], None]
    settings: set[str]  # those that `update` knows
    state: dict[str, str | None]  # what is kept for each number, and the setting it is kept for
    counts: bool = True  # whether it counts its steps, and begins with zeros


_COMMON = {"lr", "weight_decay", "maximize"}
_ADAM = _Kind(
    _adam,
    {*_COMMON, "betas", "eps", "amsgrad", "decoupled_weight_decay"},
    {"exp_avg": None, "exp_avg_sq": None, "max_exp_avg_sq": "amsgrad"},
)
OPTIMIZERS: dict[type[Optimizer], _Kind] = {
    SGD: _Kind(
        _sgd,
        {*_COMMON, "momentum", "dampening", "nesterov"},
        {"momentum_buffer": "momentum"},
        counts=False,
    ),
    RMSprop: _Kind(
        _rmsprop,
        {*_COMMON, "alpha", "eps", "momentum", "centered"},
        {"square_avg": None, "momentum_buffer": "momentum", "grad_avg": "centered"},
    ),
    Adam: _ADAM,
    AdamW: _ADAM,
}


def kept_by(optimizer: Optimizer) -> list[str]:
    """Return the names of what an optimizer keeps for each number, beside its count of steps."""
    settings = optimizer.param_groups[0]
    kept = OPTIMIZERS[type(optimizer)].state
    return [name for name, setting in kept.items() if setting is None or settings[setting]]


# --- the steps ---


def parameters_of(layers: Sequence[nn.Module]) -> list[nn.Parameter]:
    """Return the parameters in the order in which the steps work on them."""
    linear = [layer for layer in layers if type(layer) is nn.Linear]
    return [p for layer in linear for p in (layer.weight, layer.bias) if p is not None]


class DirectSteps:
    """Makes the optimizer steps of layers, loss and optimizer that `fast_gate` let through.

    It works on copies. At the end of each `run` it writes weights, gradients and the optimizer's
    state back into the ordinary tensors, so that nothing outside can tell how they were computed.

    Args:
        layers: The layers, each of which gets what the one before it returns.
        loss: The loss.
        optimizer: The optimizer of exactly the layers' parameters.
        one_hot: The length of the one-hot targets, or None where the digits are the targets.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        loss: nn.Module,
        optimizer: Optimizer,
        one_hot: int | None,
    ) -> None:
        self._optimizer, self._kind = optimizer, OPTIMIZERS[type(optimizer)]
        self._parameters = parameters_of(layers)
        line = _ALIGNMENT // 4  # float32 numbers
        self._sizes = [-(-p.numel() // line) * line for p in self._parameters]
        self._weights, self._gradient = self._flat(), self._flat()
        self._weight_pieces = self._pieces(self._weights)
        self._gradient_pieces = self._pieces(self._gradient)
        pieces = zip(self._weight_pieces, self._gradient_pieces, strict=True)
        functions: list[tuple[Forward, Backward]] = []
        for layer in layers:
            if type(layer) is nn.Linear:
                own = [next(pieces) for _ in parameters_of([layer])]
                functions.append(_linear(own, first=not functions))
            elif type(layer) in ACTIVATIONS:
                functions.append(ACTIVATIONS[type(layer)](layer))
        self._forwards = [forward for forward, _ in functions]
        self._backwards = [backward for _, backward in reversed(functions)]
        self._loss = LOSSES[type(loss)]
        self._one_hot = None if one_hot is None else torch.eye(one_hot, dtype=torch.float32)

    def run(
        self,
        images: Tensor,
        digits: Tensor,
        order: Tensor,
        batch_size: int,
        losses: list[Tensor],
        outputs: list[Tensor],
        interrupted: Sized = (),
    ) -> None:
        """Make one step for each mini-batch, in order.

        Whatever ends the run, weights and the optimizer's state are those after as many steps as
        there are new losses.

        Args:
            images: float32 of shape (N, ...), on the CPU.
            digits: int64 of shape (N,).
            order: The indices of the images to train on, int64.
            batch_size: Images in a mini-batch; the last one holds what is left over.
            losses: Gets each step's loss, of shape (), appended.
            outputs: Gets each step's outputs, of shape (batch_size, ...), appended.
            interrupted: Whatever is put in here ends the run after the step at hand.
        """
        # Before torch 2.7, AdamW was a class of its own that has no such setting.
        decoupled = {"decoupled_weight_decay": type(self._optimizer) is AdamW}
        settings, update = decoupled | self._optimizer.param_groups[0], self._kind.update
        made = len(losses)
        with torch.no_grad():
            state, step = self._load()
            try:
                with torch.inference_mode():
                    for x, target in self._batches(images, digits, order, batch_size):
                        if interrupted:
                            break
                        loss, output = self._pass(x, target)
                        step += 1
                        update(settings, self._weights, self._gradient, state, step)
                        losses.append(loss)
                        outputs.append(output)
            finally:
                if len(losses) > made:
                    self._store(state, step)

    def _batches(
        self, images: Tensor, digits: Tensor, order: Tensor, batch_size: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        images, at_once = images.flatten(1), max(1, _IMAGES_IN_CACHE // batch_size) * batch_size
        place = images.new_empty(min(at_once, len(order)), images.shape[1])
        for chosen in order.split(at_once):
            rows = torch.index_select(images, 0, chosen, out=place[: len(chosen)])
            targets = digits.index_select(0, chosen)
            if self._one_hot is not None:
                targets = self._one_hot.index_select(0, targets)
            for x, target in zip(rows.split(batch_size), targets.split(batch_size), strict=True):
                yield x if x.data_ptr() % _ALIGNMENT == 0 else x.clone(), target

    def _pass(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        values = [x]
        for forward in self._forwards:
            values.append(forward(values[-1]))
        output = values[-1]
        loss, gradient = self._loss(output, target)
        for backward in self._backwards:
            y = values.pop()
            gradient = backward(gradient, values[-1], y)
        return loss, output

    def _flat(self) -> Tensor:
        return torch.zeros(sum(self._sizes), dtype=torch.float32)

    def _pieces(self, flat: Tensor) -> list[Tensor]:
        return [
            piece[: p.numel()].view(p.shape)
            for piece, p in zip(flat.split(self._sizes), self._parameters, strict=True)
        ]

    def _load(self) -> tuple[State, int]:
        torch._foreach_copy_(self._weight_pieces, self._parameters)
        kept = [self._optimizer.state.get(p, {}) for p in self._parameters]
        state = {}
        for name in kept_by(self._optimizer):
            begun = kept[0].get(name) is not None
            if begun or self._kind.counts:
                state[name] = self._flat()
            if begun:
                torch._foreach_copy_(self._pieces(state[name]), [own[name] for own in kept])
        return state, int(kept[0].get("step", 0))

    def _store(self, state: State, step: int) -> None:
        torch._foreach_copy_(self._parameters, self._weight_pieces)
        for p, gradient in zip(self._parameters, self._gradient_pieces, strict=True):
            p.grad = gradient.clone()
            if self._kind.counts:
                count = self._optimizer.state[p].setdefault("step", _ONE.clone())
                count.fill_(step)
        for name, flat in state.items():
            for p, piece in zip(self._parameters, self._pieces(flat), strict=True):
                own = self._optimizer.state[p]
                if own.get(name) is None:
                    own[name] = torch.empty_like(p)
                own[name].copy_(piece)
