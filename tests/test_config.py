"""The recipe: a test for each thing that is said of it, and properties for any recipe."""

import contextlib
import copy
import pickle
import warnings
from itertools import permutations

import deeplay as dl
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import LeakyReLU, MSELoss, ReLU, Sigmoid, Softmax, Tanh
from torch.optim import SGD, Adam, AdamW, RMSprop

from helpers.config import Config, difference
from helpers.errors import LessonError

MLP = dl.MultiLayerPerceptron
SCOPE = {
    "Config": Config, "dl": dl, "LeakyReLU": LeakyReLU, "MSELoss": MSELoss, "ReLU": ReLU,
    "Sigmoid": Sigmoid, "Softmax": Softmax, "Tanh": Tanh, "SGD": SGD, "Adam": Adam,
    "AdamW": AdamW, "RMSprop": RMSprop, "mse_loss": nn.functional.mse_loss,
    "tensor": torch.tensor,
}  # fmt: skip

# The recipes of the lessons.
mlp_config = (
    Config()
    .in_features(28 * 28)
    .hidden_dims([32, 32])
    .out_features(10)
    .blocks.activation(Sigmoid)
    .out_activation(Sigmoid)
)
classifier_config = (
    Config()
    .model(MLP, mlp_config)
    .num_classes(10)
    .make_targets_one_hot(True)
    .loss(MSELoss)
    .optimizer(SGD, lr=0.1)
)
with_softmax = classifier_config.model.out_activation(Softmax, dim=1)
with_relu = with_softmax.model.blocks.activation(ReLU)
with_rmsprop = with_relu.optimizer(RMSprop, lr=0.001)


def activations(mlp):
    return [type(block.activation) for block in mlp.blocks]


def seeded(make, seed=0):
    torch.manual_seed(seed)
    return make()


def same_weights(one, other):
    one, other = list(one.state_dict().items()), list(other.state_dict().items())
    return len(one) == len(other) and all(
        name == other_name and torch.equal(value, other_value)
        for (name, value), (other_name, other_value) in zip(one, other, strict=True)
    )


def message(make):
    with pytest.raises(LessonError) as caught:
        make()
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- What it makes --------------------------------------------------------------------------------


def test_makes_the_network_of_the_lesson():
    mlp = mlp_config.create(MLP)
    assert [(b.layer.in_features, b.layer.out_features) for b in mlp.blocks] == [
        (784, 32), (32, 32), (32, 10),
    ]  # fmt: skip
    assert activations(mlp) == [Sigmoid] * 3
    assert sum(p.numel() for p in mlp.parameters()) == 26_506


def test_makes_the_classifier_of_the_lesson():
    classifier = with_rmsprop.create(dl.Classifier)
    assert type(classifier) is dl.Classifier
    assert activations(classifier.model) == [ReLU, ReLU, Softmax]
    assert classifier.model.blocks[-1].activation.dim == 1
    assert isinstance(classifier.loss, MSELoss)
    assert classifier.num_classes == 10
    assert classifier.make_targets_one_hot is True
    optimizer = classifier.configure_optimizers()
    assert isinstance(optimizer, RMSprop)
    assert optimizer.param_groups[0]["lr"] == 0.001


def by_hand():
    template = MLP(784, [32, 32], 10, out_activation=dl.Layer(Softmax, dim=1))
    for block in template.blocks[:-1]:
        block.activation.configure(LeakyReLU, negative_slope=0.3)
    return template


def test_same_seed_gives_the_weights_of_the_network_written_by_hand():
    config = with_softmax.model.blocks.activation(LeakyReLU, negative_slope=0.3)
    classifier = seeded(lambda: config.create(dl.Classifier))
    plain = seeded(
        lambda: dl.Classifier(
            model=by_hand(),
            loss=MSELoss(),
            optimizer=dl.SGD(lr=0.1),
            make_targets_one_hot=True,
            num_classes=10,
        ).create()
    )
    assert same_weights(classifier, plain)
    assert repr(classifier) == repr(plain)
    mlp = seeded(
        lambda: (
            mlp_config.out_activation(Softmax, dim=1)
            .blocks.activation(LeakyReLU, negative_slope=0.3)
            .create(MLP)
        )
    )
    assert same_weights(mlp, seeded(lambda: by_hand().create()))
    assert same_weights(classifier, seeded(lambda: config.create(dl.Classifier)))
    assert not same_weights(classifier, seeded(lambda: config.create(dl.Classifier), seed=1))


def step(classifier):
    """Train one step, as Lightning would."""
    optimizer = classifier.configure_optimizers()
    images, digits = torch.rand(4, 28, 28), torch.arange(4)
    classifier.compute_loss(classifier(images), digits).backward()
    optimizer.step()


@pytest.mark.parametrize("config", [classifier_config, Config().model(MLP, mlp_config)])
def test_two_classifiers_share_nothing(config):
    one, other = config.create(dl.Classifier), config.create(dl.Classifier)
    assert not set(map(id, one.modules())) & set(map(id, other.modules()))
    assert not set(map(id, one.parameters())) & set(map(id, other.parameters()))
    before = copy.deepcopy(other.state_dict()), copy.deepcopy(one.state_dict())
    step(one)
    assert all(torch.equal(value, before[0][name]) for name, value in other.state_dict().items())
    assert any(not torch.equal(value, before[1][name]) for name, value in one.state_dict().items())


def test_a_list_in_a_recipe_is_nobody_elses():
    widths = [32, 32]
    config = Config().in_features(4).hidden_dims(widths).out_features(2)
    widths.append(5)
    first = config.create(MLP)
    first.hidden_features.append(6)
    assert len(config.create(MLP).blocks) == 3


def test_loss_class_takes_arguments_and_a_function_is_a_loss_too():
    assert (
        classifier_config.loss(MSELoss, reduction="sum").create(dl.Classifier).loss.reduction
        == "sum"
    )
    function = nn.functional.mse_loss
    assert classifier_config.loss(function).create(dl.Classifier).loss is function


class Inherits(dl.Classifier):
    pass


class HandsOn(dl.Classifier):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Adds(dl.Classifier):
    def __init__(self, model, temperature=1.0, **kwargs):
        super().__init__(model, **kwargs)
        self.temperature = temperature


@pytest.mark.parametrize("cls", [Inherits, HandsOn, Adds])
def test_makes_subclasses_of_the_classifier(cls):
    classifier = seeded(lambda: with_rmsprop.create(cls))
    assert type(classifier) is cls
    assert same_weights(classifier, seeded(lambda: with_rmsprop.create(dl.Classifier)))
    assert classifier.configure_optimizers().param_groups[0]["lr"] == 0.001
    step(classifier)
    assert "'num_classes'" in message(lambda: with_rmsprop.num_clases(10).create(cls))
    assert "model" in message(lambda: Config().num_classes(10).create(cls))


def test_makes_subclasses_with_arguments_of_their_own():
    assert with_rmsprop.temperature(2.0).create(Adds).temperature == 2.0


def test_makes_other_networks_and_applications_of_deeplay():
    cnn_config = (
        Config()
        .in_channels(1)
        .hidden_channels([4, 8])
        .out_channels(2)
        .pool(nn.MaxPool2d, kernel_size=2)
        .blocks.activation(Tanh)
        .blocks[0]
        .layer.kernel_size(5)
        .out_activation(Sigmoid)
    )
    regressor = Config().model(dl.ConvolutionalNeuralNetwork, cnn_config).create(dl.Regressor)
    assert activations(regressor.model) == [Tanh, Tanh, Sigmoid]
    assert regressor.model.blocks[0].layer.kernel_size == (5, 5)
    assert regressor.model.blocks[1].pool.kernel_size == 2
    assert isinstance(regressor.loss, nn.L1Loss)
    assert "'hidden_channels'" in message(
        lambda: cnn_config.hidden_chanels([4]).create(dl.ConvolutionalNeuralNetwork)
    )
    linear = Config().model(nn.Linear, in_features=3, out_features=2).create(dl.Regressor)
    assert isinstance(linear.model, nn.Linear)


def test_a_normalization_that_deeplay_has_not_made_yet():
    mlp = mlp_config.blocks.normalization(nn.BatchNorm1d, eps=0.1).create(MLP)
    assert [block.normalization.eps for block in mlp.blocks[:-1]] == [0.1, 0.1]
    assert "normalization" not in dict(mlp.blocks[-1].named_children())


# --- Its grammar ----------------------------------------------------------------------------------


def test_blocks_are_the_hidden_ones_and_out_activation_the_last():
    config = mlp_config.out_activation(Softmax, dim=1).blocks.activation(ReLU)
    assert activations(config.create(MLP)) == [ReLU, ReLU, Softmax]
    assert activations(config.blocks[0].activation(Tanh).create(MLP)) == [Tanh, ReLU, Softmax]
    assert activations(config.blocks[-1].activation(Tanh).create(MLP)) == [ReLU, Tanh, Softmax]
    assert activations(config.blocks[1:].activation(Tanh).create(MLP)) == [ReLU, Tanh, Softmax]
    assert activations(config.blocks[::-2].activation(Tanh).create(MLP)) == [ReLU, Tanh, Softmax]
    assert activations(config.blocks[:].activation(Tanh).create(MLP)) == [Tanh, Tanh, Softmax]


def test_one_block_can_differ_until_a_later_rule_for_all():
    config = mlp_config.blocks[0].activation(LeakyReLU, negative_slope=0.3)
    assert activations(config.create(MLP)) == [LeakyReLU, Sigmoid, Sigmoid]
    assert config.blocks.activation(ReLU) == mlp_config.blocks.activation(ReLU)


def test_no_hidden_blocks_need_no_activation():
    assert activations(mlp_config.hidden_dims([]).create(MLP)) == [Sigmoid]
    assert "'activation'" in message(
        lambda: mlp_config.hidden_dims([]).blocks.activatoin(ReLU).create(MLP)
    )


def test_step_by_step_equals_passing_the_recipe():
    step_by_step = (
        Config()
        .model(MLP)
        .model.in_features(28 * 28)
        .model.hidden_dims([32, 32])
        .model.out_features(10)
        .model.blocks.activation(Sigmoid)
        .model.out_activation(Sigmoid)
    )
    assert step_by_step == Config().model(MLP, mlp_config)
    with_arguments = Config().model(
        MLP, in_features=784, hidden_dims=[32, 32], out_features=10, out_activation=Sigmoid
    )
    assert step_by_step == with_arguments.model.blocks.activation(Sigmoid)
    assert same_weights(
        seeded(lambda: step_by_step.create(dl.Classifier)),
        seeded(lambda: Config().model(MLP, mlp_config).create(dl.Classifier)),
    )


def test_arguments_are_rules():
    assert Config().optimizer(SGD).optimizer.lr(0.1) == Config().optimizer(SGD, lr=0.1)
    faster = classifier_config.optimizer.lr(0.5)
    assert faster == classifier_config.optimizer(SGD, lr=0.5)
    assert faster.create(dl.Classifier).configure_optimizers().param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize("old", ["make_target_onehot", "make_targets_onehot"])
def test_old_names_are_understood(old):
    config = getattr(classifier_config, old)(False)
    assert config == classifier_config.make_targets_one_hot(False)
    assert config.create(dl.Classifier).make_targets_one_hot is False
    new_name = mlp_config.hidden_features([8])
    assert new_name == mlp_config.hidden_dims([8])
    assert hash(new_name) == hash(mlp_config.hidden_dims([8]))
    assert new_name.create(MLP).hidden_features == [8]
    assert "hidden_dims" not in repr(new_name)


@pytest.mark.parametrize(
    ("ours", "wrapper", "default"),
    [
        (SGD, dl.SGD, None),
        (Adam, dl.Adam, 1e-3),
        (AdamW, dl.AdamW, 1e-3),
        (RMSprop, dl.RMSprop, 1e-2),
    ],
)
def test_optimizers_are_translated(ours, wrapper, default):
    for cls in (ours, wrapper):
        config = classifier_config.optimizer(cls, lr=0.25, weight_decay=0.5)
        assert config == classifier_config.optimizer(ours, lr=0.25, weight_decay=0.5)
        classifier = config.create(dl.Classifier)
        assert isinstance(classifier.optimizer, wrapper)
        optimizer = classifier.configure_optimizers()
        assert type(optimizer) is ours
        assert optimizer.param_groups[0]["lr"] == 0.25
        assert optimizer.param_groups[0]["weight_decay"] == 0.5
        assert len(optimizer.param_groups[0]["params"]) == len(list(classifier.parameters()))
    if default:
        classifier = classifier_config.optimizer(ours).create(dl.Classifier)
        assert classifier.configure_optimizers().param_groups[0]["lr"] == default


def test_no_optimizer_is_deeplays_default():
    config = Config().model(MLP, mlp_config)
    for recipe in (config, config.optimizer(None)):
        assert type(recipe.create(dl.Classifier).configure_optimizers()) is Adam


# --- Equality, repr, difference -------------------------------------------------------------------


def test_repr_is_the_chain_one_rule_a_line():
    assert repr(classifier_config) == (
        "(\n"
        "    Config()\n"
        "    .model(dl.MultiLayerPerceptron)\n"
        "    .model.in_features(784)\n"
        "    .model.hidden_dims([32, 32])\n"
        "    .model.out_features(10)\n"
        "    .model.blocks.activation(Sigmoid)\n"
        "    .model.out_activation(Sigmoid)\n"
        "    .num_classes(10)\n"
        "    .make_targets_one_hot(True)\n"
        "    .loss(MSELoss)\n"
        "    .optimizer(SGD, lr=0.1)\n"
        ")"
    )
    assert repr(Config()) == "Config()"
    assert repr(Config().blocks[0].activation) == "Config().blocks[0].activation"
    assert repr(Config().blocks[1:].activation(LeakyReLU, negative_slope=0.3)) == (
        "(\n    Config()\n    .blocks[1:].activation(LeakyReLU, negative_slope=0.3)\n)"
    )


@pytest.mark.parametrize(
    "config",
    [
        Config().blocks[::-1].activation(Tanh).blocks[-1].activation(ReLU),
        Config().loss(nn.functional.mse_loss),
        Config().loss(MSELoss, weight=torch.tensor([1.0, 2.0])),
        Config().order(("layer",)).pair((1, "a")).nothing(()).classes([ReLU, Tanh]),
        Config().model.blocks[0].x[1:2:3],
    ],
)
def test_repr_of_any_value_evaluates_back(config):
    assert eval(repr(config), SCOPE) == config


def test_difference_shows_what_a_lesson_changed():
    assert repr(difference(classifier_config, with_softmax)) == (
        "- .model.out_activation(Sigmoid)\n+ .model.out_activation(Softmax, dim=1)"
    )
    assert repr(difference(with_softmax, with_relu)) == (
        "- .model.blocks.activation(Sigmoid)\n+ .model.blocks.activation(ReLU)"
    )
    assert repr(difference(with_relu, with_rmsprop)) == (
        "- .optimizer(SGD, lr=0.1)\n+ .optimizer(RMSprop, lr=0.001)"
    )
    assert repr(difference(with_relu, with_relu.optimizer.lr(0.5))) == (
        "- .optimizer(SGD, lr=0.1)\n+ .optimizer(SGD, lr=0.5)"
    )
    assert repr(difference(with_relu, with_relu)) == "no difference"


def test_difference_is_a_frozen_value():
    found = difference(classifier_config, with_softmax)
    assert found.removed == (".model.out_activation(Sigmoid)",)
    assert found.added == (".model.out_activation(Softmax, dim=1)",)
    assert found == difference(classifier_config, with_softmax)
    with pytest.raises(AttributeError):
        found.removed = ()
    assert "recipe" in message(lambda: difference(classifier_config, MLP))
    assert "Unfinished" in message(lambda: difference(classifier_config.loss, classifier_config))


@pytest.mark.parametrize("same", [slice(None, 1), -2])
def test_overlapping_rules_in_another_order_are_another_recipe(same):
    one = mlp_config.blocks[same].activation(Tanh).blocks[0].activation(ReLU)
    other = mlp_config.blocks[0].activation(ReLU).blocks[same].activation(Tanh)
    assert activations(one.create(MLP)) != activations(other.create(MLP))
    assert one != other
    assert repr(difference(one, other)).count("\n") == 3


def test_rules_for_different_blocks_and_arguments_are_unrelated():
    one = Config().blocks[0].activation(ReLU).blocks[1].activation(Tanh).out_activation(Tanh)
    other = Config().out_activation(Tanh).blocks[1].activation(Tanh).blocks[0].activation(ReLU)
    assert one == other
    lr_first = Config().optimizer(SGD, lr=0.1, momentum=0.9)
    assert lr_first == Config().optimizer(SGD, momentum=0.9, lr=0.1)


def test_a_recipe_never_changes():
    with pytest.raises(LessonError, match=r"never changes: .in_features\(3\)"):
        mlp_config.in_features = 3
    with pytest.raises(TypeError):
        mlp_config[0] = 3
    with pytest.raises(TypeError):
        iter(mlp_config)


@pytest.mark.parametrize("name", ["_x", "__len__", "_repr_html_", "__deepcopy", "_ipython_canary"])
def test_names_with_an_underscore_do_not_exist(name):
    with pytest.raises(AttributeError):
        getattr(mlp_config, name)


def test_a_recipe_is_not_what_it_is_not():
    assert mlp_config != 3
    assert Config() != Config().blocks
    assert Config().blocks[0] == Config().blocks[0]
    assert Config().blocks[0] != Config().blocks[1]
    assert Config().hidden_dims([1]) != Config().hidden_dims([2])
    assert Config().optimizer(SGD, lr=0.1) != Config().optimizer(Adam, lr=0.1)


# --- Mistakes -------------------------------------------------------------------------------------


def test_the_error_names_rule_class_and_closest_match():
    text = message(lambda: classifier_config.model.hiden_dims([32]).create(dl.Classifier))
    assert text.startswith(".model.hiden_dims([32]): ")
    assert (
        "MultiLayerPerceptron has nothing called 'hiden_dims'. Did you mean 'hidden_dims'?" in text
    )
    assert "It has blocks, flatten_input, hidden_features, in_features" in text
    # It is the misspelt name that is wrong, not the missing one.
    assert "'hiden_dims'" in message(
        lambda: Config().in_features(3).hiden_dims([3]).out_features(2).create(MLP)
    )


CLASSIFIER = classifier_config
MISTAKES = [
    # (recipe, the class it makes, what the learner must read)
    (CLASSIFIER.num_clases(10), dl.Classifier, "'num_classes'"),
    (CLASSIFIER.make_target_one_hot(True), dl.Classifier, "Did you mean 'make_target"),
    (CLASSIFIER.LOSS(MSELoss), dl.Classifier, "'loss'"),
    (CLASSIFIER.model.bloks.activation(ReLU), dl.Classifier, "'blocks'"),
    (CLASSIFIER.model.blocks.activatoin(ReLU), dl.Classifier, "'activation'"),
    (CLASSIFIER.model.blocks[0].activatoin(ReLU), dl.Classifier, "'activation'"),
    (CLASSIFIER.model.activation(ReLU), dl.Classifier, "'out_activation'"),
    (CLASSIFIER.model(MLP, mlp_config, in_feature=3), dl.Classifier, "'in_features'"),
    (CLASSIFIER.model.out_activation(Softmax, dimm=1), dl.Classifier, "'dim'"),
    (CLASSIFIER.model.out_activation(Sigmoid, dim=1), dl.Classifier, "Sigmoid has nothing"),
    (CLASSIFIER.model.blocks.activation(LeakyReLU, slope=1), dl.Classifier, "negative_slope"),
    (CLASSIFIER.model.blocks.activation.inplac(True), dl.Classifier, "Sigmoid has nothing"),
    (CLASSIFIER.loss(MSELoss, reductoin="sum"), dl.Classifier, "'reduction'"),
    (CLASSIFIER.optimizer(SGD, lrr=0.3), dl.Classifier, "'lr'"),
    (CLASSIFIER.optimizer(SGD, lr=0.3, params=[]), dl.Classifier, "nothing called 'params'"),
    (CLASSIFIER.optimizer.momentun(0.9), dl.Classifier, "'momentum'"),
    (CLASSIFIER.optimizer(SGD), dl.Classifier, "needs lr: write .optimizer(SGD, lr="),
    (CLASSIFIER.optimizer(SGD, lr=-1), dl.Classifier, "Invalid learning rate: -1"),
    (CLASSIFIER.optimizer(torch.optim.Adagrad, lr=1), dl.Classifier, "SGD, Adam, AdamW, RMSprop"),
    (CLASSIFIER.optimizer("SGD"), dl.Classifier, "must be a class, such as SGD"),
    (CLASSIFIER.optimizer(MSELoss), dl.Classifier, "must be a class, such as SGD"),
    (CLASSIFIER.loss("mse"), dl.Classifier, "must be a class, such as MSELoss"),
    (CLASSIFIER.loss(None), dl.Classifier, "must be a class, such as MSELoss"),
    (CLASSIFIER.model(None), dl.Classifier, "must be a class"),
    (CLASSIFIER.model.out_activation(torch.sigmoid), dl.Classifier, "such as Softmax"),
    (CLASSIFIER.model.blocks.activation("relu"), dl.Classifier, "such as ReLU"),
    (CLASSIFIER.model.blocks[2].activation(ReLU), dl.Classifier, "there are 2 of .model.blocks"),
    (CLASSIFIER.model.blocks[-3].activation(ReLU), dl.Classifier, "there are 2 of"),
    (CLASSIFIER.model.blocks[2:].activation(ReLU), dl.Classifier, "there are 2 of"),
    (CLASSIFIER.model.blocks[0][0].activation(ReLU), dl.Classifier, "takes no index"),
    (CLASSIFIER.model[0].blocks.activation(ReLU), dl.Classifier, "takes no index"),
    (CLASSIFIER[0].loss(MSELoss), dl.Classifier, "takes no index"),
    (CLASSIFIER.num_classes[:](10), dl.Classifier, "takes no index"),
    (CLASSIFIER.model.blocks(ReLU), dl.Classifier, "part by part"),
    (CLASSIFIER.num_classes.lr(10), dl.Classifier, "no parts"),
    (CLASSIFIER.optimizer.lr.x(10), dl.Classifier, "no parts"),
    (CLASSIFIER.model.blocks.activation(ReLU).model.blocks.activation.inplace.x(1),
     dl.Classifier, "no parts"),
    (CLASSIFIER.model.blocks.normalization.eps(1), dl.Classifier, "first set"),
    (CLASSIFIER.model.blocks, dl.Classifier, "Unfinished recipe: .model.blocks"),
    (CLASSIFIER.model.blocks[0], dl.Classifier, "Unfinished"),
    (Config(), MLP, "needs in_features: add .in_features"),
    (Config().in_features(3).out_features(3), MLP, "needs hidden_features"),
    (Config().model(MLP), dl.Classifier, "add .model.in_features"),
    (Config().num_classes(10), dl.Classifier, "Classifier needs model"),
    (Config().model.in_features(3), dl.Classifier, "first set .model"),
    (Config().model(MLP, mlp_config).optimizer.lr(3), dl.Classifier, "first set .optimizer"),
    (mlp_config.out_activation(nn.Threshold), MLP, "Threshold needs threshold"),
    (mlp_config.blocks.activation(nn.Threshold), MLP, "threshold"),
    (mlp_config.hidden_dims(32), MLP, "hidden_features=32"),
    (mlp_config.out_features(-1), MLP, "out_features=-1"),
    (mlp_config.in_features(1.5), MLP, "cannot be built"),
    (mlp_config.hidden_dims([]).blocks[0].activation(ReLU), MLP, "there are 0 of"),
    (mlp_config, dl.Classifier, "Classifier has nothing called"),
    (CLASSIFIER, MLP, "MultiLayerPerceptron has nothing called"),
    (CLASSIFIER, MSELoss, "create takes a class such as"),
    (CLASSIFIER, dl.SGD, "create takes a class such as"),
    (CLASSIFIER, "Classifier", "create takes a class such as"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "cls", "says"), MISTAKES)
def test_a_mistake_is_an_error_at_create(config, cls, says):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert says in message(lambda: config.create(cls))


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda: Config()(784), "sets nothing"),
        (lambda: Config().model(), "sets nothing"),
        (lambda: Config().model(mlp_config), "a recipe follows its class, as in .model(dl.Multi"),
        (lambda: Config().model(MLP, recipe=mlp_config), "a recipe follows its class"),
        (lambda: Config().model(MLP, mlp_config.blocks), "Unfinished"),
        (lambda: Config().model(MLP, 784), "give arguments their names"),
        (lambda: Config().model(MLP, mlp_config, mlp_config), "give arguments their names"),
        (lambda: Config().in_features(784, 3), "give arguments their names"),
        (lambda: Config().in_features(784, bias=3), "no class"),
        (lambda: Config().loss(MSELoss()), "write the class, MSELoss"),
        (lambda: Config().optimizer(dl.SGD(lr=0.1)), "write the class, SGD"),
        (lambda: Config().model(mlp_config.create(MLP)), "write the class, MultiLayerPerceptron"),
        (lambda: Config().hidden_dims(n for n in [32]), "cannot keep"),
        (lambda: Config().blocks["0"], "an index is a number or a slice"),
        (lambda: Config().blocks[0, 1], "an index is a number or a slice"),
        (lambda: Config().blocks["a":], "an index is a number or a slice"),
        (lambda: Config().blocks[::0], "an index is a number or a slice"),
    ],
)
def test_a_mistake_that_shows_at_once_is_an_error_at_once(write, says):
    assert says in message(write)


def test_arguments_of_an_earlier_class_are_forgotten():
    leaky = mlp_config.blocks.activation(LeakyReLU, negative_slope=0.3)
    again = leaky.blocks.activation(ReLU).blocks.activation(LeakyReLU).create(MLP)
    assert [block.activation.negative_slope for block in again.blocks[:-1]] == [0.01, 0.01]
    # One of deeplay's networks starts with LeakyReLU(0.05).
    small = Config().in_features(4).out_features(2).blocks.activation(LeakyReLU).create(dl.SmallMLP)
    assert small.blocks[0].activation.negative_slope == 0.01
    again = with_relu.optimizer(SGD, lr=0.1, momentum=0.9).optimizer(SGD, lr=0.1)
    assert again == with_relu
    assert Config().model(MLP, mlp_config).model(MLP) == Config().model(MLP)


# --- Any recipe -----------------------------------------------------------------------------------

QUICK = settings(max_examples=60, deadline=None)  # a deadline fails on a busy machine
PATHS = st.lists(
    st.one_of(
        st.sampled_from(["model", "blocks", "activation", "loss", "lr", "hidden_dims"]),
        st.integers(-2, 2),
        st.builds(slice, st.none() | st.integers(-2, 2), st.none() | st.integers(-2, 2)),
    ),
    min_size=1,
    max_size=4,
)
CLASSES = st.sampled_from([ReLU, LeakyReLU, Sigmoid, MSELoss, SGD, dl.Adam, MLP])
PLAIN = st.one_of(
    st.integers(), st.booleans(), st.none(), st.text(max_size=3),
    st.lists(st.integers(), max_size=3),
    st.floats(allow_nan=False, allow_infinity=False), st.tuples(st.integers()),
)  # fmt: skip
ARGUMENTS = st.dictionaries(st.sampled_from(["lr", "dim", "reduction"]), PLAIN, max_size=2)
RULES = st.tuples(PATHS, st.tuples(CLASSES, ARGUMENTS) | st.tuples(PLAIN, st.just({})))


def follow(config, path):
    for part in path:
        config = getattr(config, part) if isinstance(part, str) else config[part]
    return config


def cook(rules, config=None):
    config = config or Config()
    for path, (value, arguments) in rules:
        config = follow(config, path)(value, **arguments)
    return config


RECIPES = st.lists(RULES, max_size=6).map(cook)


@QUICK
@given(RECIPES, RULES)
def test_never_changes(config, rule):
    before, number, same = repr(config), hash(config), cook([], config)
    cook([rule], config)
    with contextlib.suppress(LessonError):
        config.create(MLP)
    assert (repr(config), hash(config)) == (before, number)
    assert config == same


@QUICK
@given(RECIPES, PATHS, st.tuples(CLASSES, ARGUMENTS), st.tuples(CLASSES, ARGUMENTS))
def test_a_later_rule_wins(config, path, earlier, later):
    assert cook([(path, earlier), (path, later)], config) == cook([(path, later)], config)


NAMED = RULES.filter(lambda rule: isinstance(rule[0][0], str))


@QUICK
@given(st.lists(NAMED, min_size=2, max_size=3, unique_by=lambda rule: rule[0][0]))
def test_the_order_of_unrelated_rules_does_not_matter(rules):
    config = cook(rules)
    for order in permutations(rules):
        other = cook(order)
        assert other == config
        assert hash(other) == hash(config)
        assert repr(difference(config, other)) == "no difference"


@QUICK
@given(RECIPES)
def test_copies_are_equal(config):
    for other in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert other == config
        assert hash(other) == hash(config)
        assert repr(other) == repr(config)


@QUICK
@given(RECIPES)
def test_repr_evaluates_back(config):
    again = eval(repr(config), SCOPE)
    assert again == config
    assert hash(again) == hash(config)
    assert repr(again) == repr(config)


@QUICK
@given(RECIPES, RECIPES)
def test_difference_is_empty_for_equal_recipes_only(one, other):
    found = difference(one, other)
    assert (repr(found) == "no difference") == (one == other)
    back = difference(other, one)
    assert (found.removed, found.added) == (back.added, back.removed)


BLOCK_PATHS = st.one_of(
    st.just(["blocks"]),
    st.integers(-3, 2).map(lambda index: ["blocks", index]),
    st.builds(slice, st.none() | st.integers(-3, 2), st.none() | st.integers(-3, 3)).map(
        lambda index: ["blocks", index]
    ),
).map(lambda path: [*path, "activation"])
BLOCK_RULES = st.lists(
    st.tuples(BLOCK_PATHS, st.tuples(st.sampled_from([ReLU, Tanh]), st.just({}))), max_size=4
)


def simulated(rules):
    """What rules for the activations of three hidden blocks come to, one after the other."""
    blocks = [None] * 3
    for (_, *index, _), (activation, _) in rules:
        chosen = range(3)[index[0]] if index else range(3)
        for block in [chosen] if isinstance(chosen, int) else chosen:
            blocks[block] = activation
    return blocks


@QUICK
@given(BLOCK_RULES, st.randoms())
def test_equal_recipes_make_the_same(rules, random):
    shuffled = random.sample(rules, len(rules))
    if cook(rules) == cook(shuffled):
        assert simulated(rules) == simulated(shuffled)


@settings(max_examples=25, deadline=None)
@given(BLOCK_RULES)
def test_rules_for_blocks_make_what_they_say(rules):
    for (_, *index, _), _ in rules:  # a slice of no blocks is a mistake
        assume(not index or isinstance(index[0], int) or range(3)[index[0]])
    config = cook(rules, Config().in_features(2).hidden_dims([2, 2, 2]).out_features(2))
    made = activations(config.create(MLP))[:-1]
    assert made == [activation or ReLU for activation in simulated(rules)]


# A correct classifier, with each kind of rule in it, and what can go wrong in each.
CORRECT = [
    (["model"], (MLP, {"in_features": 4, "out_features": 2})),
    (["model", "hidden_dims"], ([3, 3], {})),
    (["model", "blocks", "activation"], (LeakyReLU, {"negative_slope": 0.3})),
    (["model", "blocks", 0, "activation"], (Softmax, {"dim": 1})),
    (["model", "blocks", slice(1, None), "layer", "bias"], (False, {})),
    (["model", "out_activation"], (Softmax, {"dim": 1})),
    (["num_classes"], (2, {})),
    (["make_targets_onehot"], (True, {})),
    (["loss"], (MSELoss, {"reduction": "sum"})),
    (["optimizer"], (SGD, {"lr": 0.1, "momentum": 0.9})),
    (["optimizer", "nesterov"], (True, {})),
]
KNOWN = {part for path, _ in CORRECT for part in path if isinstance(part, str)}
KNOWN |= {name for _, (_, arguments) in CORRECT for name in arguments}
KNOWN |= {"create", "code", "make_target_onehot", "make_targets_one_hot", "hidden_features"}


@st.composite
def misspelt(draw, name):
    at = draw(st.integers(0, len(name) - 1))
    letter = draw(st.sampled_from("aeinorst_x"))
    wrong = draw(
        st.sampled_from(
            [name[:at] + name[at + 1 :], name[:at] + letter + name[at + 1 :],
             name[:at] + letter + name[at:], name[:at] + name[at:][1:2] + name[at] + name[at + 2 :]]
        )
    )  # fmt: skip
    assume(wrong and wrong not in KNOWN and not wrong.startswith("_"))
    return wrong


@st.composite
def mistaken(draw):
    """Draw the correct classifier with one mistake somewhere."""
    rules = [(list(path), (value, dict(arguments))) for path, (value, arguments) in CORRECT]
    which = draw(st.integers(0, len(rules) - 1))
    path, (value, arguments) = rules[which]
    kind = draw(st.sampled_from(["name", "argument", "surplus", "index", "unfinished"]))
    if kind == "name":
        at = draw(st.sampled_from([i for i, part in enumerate(path) if isinstance(part, str)]))
        path[at] = draw(misspelt(path[at]))
    elif kind == "argument":
        assume(arguments)
        name = draw(st.sampled_from(sorted(arguments)))
        arguments[draw(misspelt(name))] = arguments.pop(name)
    elif kind == "surplus":
        assume(isinstance(value, type))
        arguments[draw(st.sampled_from(["colour", "size", "Lr", "x"]))] = 1
    elif kind == "index":
        wrong = st.sampled_from([2, 5, -3, slice(2, None), slice(1, 1)])
        at = next((i for i, part in enumerate(path) if not isinstance(part, str)), None)
        if at is None:  # an index where there is no list
            at = draw(st.sampled_from([i for i in range(len(path)) if path[i - 1] != "blocks"]))
            path.insert(at, draw(st.integers(-1, 1)))
        else:
            path[at] = draw(wrong)
    else:
        end = draw(st.integers(1, len(path)))
        return follow(cook(rules), path[:end])
    return cook(rules)


def test_the_correct_recipe_is_correct():
    classifier = cook(CORRECT).create(dl.Classifier)
    assert activations(classifier.model) == [Softmax, LeakyReLU, Softmax]
    assert classifier.model.blocks[1].layer.bias is None
    assert classifier.configure_optimizers().param_groups[0]["nesterov"] is True


@settings(max_examples=150, deadline=None)
@given(mistaken())
def test_any_mistake_at_any_depth_is_caught(config):
    message(lambda: config.create(dl.Classifier))


@settings(max_examples=25, deadline=None)
@given(
    st.permutations(range(6, 11)),
    st.lists(st.sampled_from(CORRECT[6:10]), max_size=2),
    st.integers(1, 6),
)
def test_no_correct_recipe_is_refused(order, again, width):
    assume(order.index(9) < order.index(10))
    config = cook([*CORRECT[:6], *(CORRECT[i] for i in order)])
    config = cook([rule for rule in again if rule[0] != ["optimizer"]], config)
    classifier = config.model.hidden_features([width, width]).create(dl.Classifier)
    assert classifier.model.blocks[0].layer.out_features == width
