"""Steps without autograd leave an ordinary network behind, and step aside where they must."""

import copy
import io
import pickle

import deeplay as dl
import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, RMSprop

from helpers import fast_gate, fast_steps
from helpers.config import Config
from helpers.fast_gate import AutogradSteps, OrdinaryWay, direct_steps, grouped
from helpers.fast_steps import DirectSteps, parameters_of
from helpers.training import Classifier, Trainer, make_dataloader

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((300, 28, 28), dtype=np.float32)
DIGITS = RANDOM.integers(0, 10, 300)
RECIPE = (
    Config()
    .model(dl.MultiLayerPerceptron)
    .model.in_features(28 * 28)
    .model.hidden_dims([30, 17])
    .model.out_features(10)
    .model.out_activation(nn.Softmax, dim=1)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(nn.MSELoss)
    .optimizer(Adam, lr=0.01)
)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def create(recipe=RECIPE):
    torch.manual_seed(0)
    return recipe.create(Classifier)


def train(classifier, batch_size=16, shuffle=True, **settings):
    trainer = Trainer(accelerator="cpu", enable_progress_bar=False, **settings)
    torch.manual_seed(1)
    trainer.fit(classifier, make_dataloader(IMAGES, DIGITS, batch_size, shuffle=shuffle))
    return trainer


@pytest.fixture
def trained():
    classifier = create()
    assert type(train(classifier)._steps) is DirectSteps
    return classifier


def weights(classifier):
    return torch.cat([p.detach().flatten() for p in classifier.parameters()])


def chain(width=784, hidden=30, **settings):
    """Layers with their optimizer, as the gate hands them over."""
    torch.manual_seed(0)
    layers = [
        nn.Flatten(),
        nn.Linear(width, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 10),
        nn.Sigmoid(),
    ]
    settings = {"lr": 0.1} | settings
    return layers, SGD([p for layer in layers for p in layer.parameters()], **settings)


# --- what a training leaves behind ---


def test_parameters_are_ordinary_ones_after_a_fit(trained):
    untrained = create()
    assert list(trained.state_dict()) == list(untrained.state_dict())
    for parameter, other in zip(trained.parameters(), untrained.parameters(), strict=True):
        assert type(parameter) is nn.Parameter
        assert parameter.is_leaf
        assert parameter.requires_grad
        assert not parameter.is_inference()
        assert parameter.grad.shape == parameter.shape
        # A piece of something larger would be saved with all of it.
        for tensor in (parameter, parameter.grad):
            assert tensor.untyped_storage().nbytes() == 4 * other.numel()
            assert tensor.storage_offset() == 0
    sizes = []
    for classifier in (trained, untrained):
        file = io.BytesIO()
        torch.save(classifier.state_dict(), file)
        sizes.append(len(file.getvalue()))
    assert sizes[0] == sizes[1]


def test_an_optimizer_made_later_trains_the_parameters(trained):
    before = weights(trained)
    optimizer = SGD(trained.parameters(), lr=0.1)
    images, digits = torch.from_numpy(IMAGES), torch.from_numpy(DIGITS)
    nn.functional.cross_entropy(trained(images), digits).backward()
    optimizer.step()
    assert not torch.equal(before, weights(trained))


def test_a_parameter_can_be_written_to_between_two_fits(trained):
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.zero_()
    train(trained, batch_size=300)
    again = create()
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    train(again, batch_size=300)
    assert torch.equal(weights(trained), weights(again))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_a_trained_classifier_can_be_copied(copied):
    classifier = create()
    # With the progress bar, which holds the screen; and each way to use a classifier records some.
    trainer = Trainer(accelerator="cpu")
    dataloader = make_dataloader(IMAGES, DIGITS, 16)
    for _ in range(2):
        trainer.fit(classifier, dataloader, dataloader)
    trainer.test(classifier, dataloader)
    trainer.validate(classifier, dataloader, verbose=False)
    trainer.predict(classifier, DataLoader_of_images())
    other = copied(classifier)
    assert torch.equal(weights(other), weights(classifier))
    train(other)
    assert not torch.equal(weights(other), weights(classifier))
    train(classifier)
    assert torch.equal(weights(other), weights(classifier))


def DataLoader_of_images():  # noqa: N802
    return torch.utils.data.DataLoader(torch.from_numpy(IMAGES), batch_size=100)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (SGD, {"lr": 0.1, "momentum": 0.9}),
        (SGD, {"lr": 0.1}),
        (RMSprop, {"lr": 0.01, "centered": True, "momentum": 0.5}),
        (Adam, {"lr": 0.01, "amsgrad": True}),
        (AdamW, {"lr": 0.01}),
    ],
)
def test_the_optimizer_is_left_as_torch_leaves_it(kind, settings, monkeypatch):
    states = []
    for proven in (True, False):  # the second goes through autograd
        monkeypatch.setattr(fast_gate, "_proven", {})
        monkeypatch.setattr(fast_gate, "_same_numbers", lambda *arguments, same=proven: same)
        trainer = train(create(RECIPE.optimizer(kind, **settings)), max_epochs=2)
        assert (type(trainer._steps) is DirectSteps) == proven
        states.append(trainer.optimizers[0].state_dict())
    direct, ordinary = states
    assert direct["param_groups"] == ordinary["param_groups"]
    assert direct["state"].keys() == ordinary["state"].keys()
    for number, kept in ordinary["state"].items():
        assert kept.keys() == direct["state"][number].keys()
        for name, value in kept.items():
            found = direct["state"][number][name]
            if isinstance(value, torch.Tensor):
                assert torch.equal(value, found), name
                assert value.untyped_storage().nbytes() == found.untyped_storage().nbytes()
            else:
                assert value == found


def test_images_are_not_copied():
    loader = grouped(make_dataloader(IMAGES, DIGITS, 16, shuffle=True), indices=True)
    [images, digits, order] = next(iter(loader))
    assert images.data_ptr() == torch.from_numpy(IMAGES).data_ptr()
    assert sorted(order.tolist()) == list(range(len(digits))) == list(range(300))


# --- memory is aligned: a matrix product's bits can depend on where its numbers lie ---


@pytest.mark.parametrize("hidden", [1, 7, 17, 30, 32])
def test_each_piece_of_a_flat_tensor_begins_where_torch_would_place_it(hidden):
    layers, optimizer = chain(hidden=hidden, momentum=0.9)
    steps = DirectSteps(layers, nn.MSELoss(), optimizer, 10)
    pieces = [*steps._weight_pieces, *steps._gradient_pieces]
    assert [piece.shape for piece in pieces] == [p.shape for p in parameters_of(layers)] * 2
    assert [piece.data_ptr() % 64 for piece in pieces] == [0] * 8


@pytest.mark.parametrize("width", [784, 783, 5])
@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_each_mini_batch_begins_where_torch_would_place_it(width, batch_size):
    layers, optimizer = chain(width)
    steps = DirectSteps(layers, nn.MSELoss(), optimizer, 10)
    images, digits = torch.rand(50, width), torch.arange(50) % 10
    batches = list(steps._batches(images, digits, torch.randperm(50), batch_size))
    assert len(batches) == -(-50 // batch_size)
    assert {x.data_ptr() % 64 for x, _ in batches} == {0}


# --- where it steps aside ---


def steps_of(layers, optimizer, images=None, digits=None, loss=None, one_hot=10):
    images = torch.from_numpy(IMAGES[:32]) if images is None else images
    digits = torch.from_numpy(DIGITS[:32]) if digits is None else digits
    return direct_steps(
        layers, loss or nn.MSELoss(), optimizer, one_hot, images, digits, torch.arange(32), 16
    )


def test_what_is_known_gets_its_steps():
    assert type(steps_of(*chain())) is DirectSteps


def test_a_network_elsewhere_goes_through_autograd():
    # A GPU is not at hand in a test; "meta" is a device too, and decides as a GPU would.
    layers, optimizer = chain()
    layers = [layer.to("meta") for layer in layers]
    optimizer = SGD(parameters_of(layers), lr=0.1)
    with pytest.raises(OrdinaryWay, match="the network is on meta, not on the CPU"):
        steps_of(layers, optimizer)


@pytest.mark.parametrize(("device", "indices"), [("cpu", True), ("meta", False)])
def test_images_go_to_another_device_by_groups(device, indices, monkeypatch):
    # Lightning moves what a dataloader hands over: never all images at each group.
    seen = []
    monkeypatch.setattr(
        dl.Trainer, "fit", lambda self, model, loader, *rest, **o: seen.append(loader)
    )
    trainer = Trainer(accelerator="cpu")
    trainer.strategy._root_device = torch.device(device)
    trainer.fit(create(), make_dataloader(IMAGES, DIGITS, 16))
    batch = next(iter(seen[0]))
    assert len(batch) == (3 if indices else 2)
    assert len(batch[-1]) == 300


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"images": torch.rand(32, 28, 28, dtype=torch.float64)}, r"images are torch\.float64"),
        ({"images": torch.rand(28, 28, 32).permute(2, 0, 1)}, "images are not an ordinary tensor"),
        ({"digits": torch.full((32,), 10)}, "the digits are not all from 0 to 9"),
        ({"digits": torch.full((32,), -1)}, "the digits are not all from 0 to 9"),
        ({"digits": torch.zeros(32, dtype=torch.int32)}, r"digits are torch\.int32"),
        ({"one_hot": 12}, "not one-hot rows of length 10"),
        ({"one_hot": None}, "not one-hot rows of length 10"),
    ],
)
def test_other_data_goes_through_autograd(spoil, reason):
    with pytest.raises(OrdinaryWay, match=reason):
        steps_of(*chain(), **spoil)


def test_an_unusual_state_goes_through_autograd():
    layers, optimizer = chain(momentum=0.9)
    parameter = parameters_of(layers)[0]
    optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    with pytest.raises(OrdinaryWay, match="SGD has an unusual state"):
        steps_of(layers, optimizer)


def test_a_torch_that_rounds_otherwise_is_noticed_and_trains_through_autograd(monkeypatch, capsys):
    # As if another torch computed the last digit of one operation in another way.
    right = create()
    train(right)
    monkeypatch.setattr(fast_gate, "_proven", {})
    kind = fast_steps.OPTIMIZERS[Adam]

    def update(settings, weights, *rest):
        kind.update(settings, weights, *rest)
        weights[3] = torch.nextafter(weights[3], torch.ones(()))

    monkeypatch.setitem(fast_steps.OPTIMIZERS, Adam, kind._replace(update=update))
    classifier = create()
    trainer = train(classifier)
    assert "through autograd, because torch" in capsys.readouterr().out
    assert type(trainer._steps) is AutogradSteps
    assert torch.equal(weights(classifier), weights(right))


def test_a_torch_with_other_names_trains_through_autograd(monkeypatch, capsys):
    def gone(*arguments):
        raise AttributeError("module 'torch' has no attribute '_softmax_backward_data'")

    monkeypatch.setattr(fast_gate, "_proven", {})
    monkeypatch.setitem(fast_steps.LOSSES, nn.MSELoss, gone)
    trainer = train(create())
    assert "is built differently (module 'torch' has no" in capsys.readouterr().out
    assert type(trainer._steps) is AutogradSteps


def test_a_proof_leaves_no_trace():
    classifier, random = create(), torch.get_rng_state()
    before = weights(classifier)
    layers = fast_gate.layers_of(classifier.model)
    optimizer = Adam(parameters_of(layers), lr=0.01)
    steps_of(layers, optimizer)
    assert torch.equal(before, weights(classifier))
    assert torch.equal(random, torch.get_rng_state())
    assert not optimizer.state
    assert all(parameter.grad is None for parameter in classifier.parameters())


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("kind", [Adam, RMSprop])
def test_a_step_asks_for_a_recording_gpu_only_where_there_is_a_gpu(kind, gpu, monkeypatch):
    asked = []
    for name in ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"):
        if hasattr(kind, name):
            monkeypatch.setattr(kind, name, lambda optimizer: asked.append(True))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    weight = nn.Parameter(torch.ones(3))
    weight.grad = torch.ones(3)
    fast_gate.bare_step(kind([weight], lr=0.1))()
    assert not torch.equal(weight, torch.ones(3))
    assert bool(asked) is gpu
