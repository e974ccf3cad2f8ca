"""Recipes of networks and classifiers, written as a chain of rules.

The grammar is that of the `Config` that deeplay had in 2023; what it makes are deeplay 0.1.4's
modules. deeplay takes many a mistake without a word (a misspelt argument, for one), so every name
is looked up in the class that it is for before deeplay sees it.
"""

import difflib
import inspect
import operator
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, NoReturn, Self, TypeVar

import deeplay as dl
import torch
from deeplay.blocks.base import DeferredConfigurableLayer
from torch import nn

from helpers.errors import LessonError, shown
from helpers.plain_code import Call, Name, Script

Made = TypeVar("Made", bound=dl.DeeplayModule)

# Names of the old grammar, and what deeplay 0.1.4 calls the same things.
_ALIASES = {
    "hidden_dims": "hidden_features",
    "make_target_onehot": "make_targets_one_hot",
    "make_targets_onehot": "make_targets_one_hot",
}
# deeplay trains with its own wrappers only: a torch optimizer itself ends in a PicklingError.
_WRAPPERS = {getattr(torch.optim, w.__name__): w for w in (dl.SGD, dl.Adam, dl.AdamW, dl.RMSprop)}
# deeplay takes anything for these, and fails much later: what each must be, and an example.
_KINDS = {
    "model": (nn.Module, "dl.MultiLayerPerceptron"),
    "loss": (nn.Module, "MSELoss"),
    "optimizer": (torch.optim.Optimizer, "SGD"),
    "out_activation": (nn.Module, "Softmax"),
    "layer": (nn.Module, "ReLU"),
}


class Config:
    """A recipe: rules, each of which sets one thing, that `create` turns into a network.

    A recipe never changes: each rule returns a new one, in which the later of two rules for the
    same thing wins. Attributes walk into the parts, an index or a slice picks some of the
    `blocks`, a call sets the value: `config.blocks[0].activation(ReLU)`. After a class may come
    its arguments, `.optimizer(SGD, lr=0.1)`, or its own recipe,
    `.model(dl.MultiLayerPerceptron, mlp_config)`; both are short for rules of their own,
    `.optimizer.lr(0.1)` or `.model.in_features(784)`. A new class starts without those of the
    class before it.

    `blocks` are the hidden blocks; the last block's activation is `out_activation`. What can be
    set are the arguments and the modules of the class that is created, but for names that begin
    with an underscore.

    Recipes of the same rules are equal, in whatever order unrelated rules were written, and
    `repr` is the Python code of an equal recipe.
    """

    __slots__ = ("_path", "_rules")
    __iter__ = None  # an index is always there, so Python would iterate for ever

    def __init__(self) -> None:
        """Start with no rules."""
        object.__setattr__(self, "_rules", ())
        object.__setattr__(self, "_path", ())

    def __getattr__(self, name: str) -> Self:
        """Name an argument or a part."""
        if name.startswith("_"):  # copy, pickle and IPython ask for such names
            raise AttributeError(f"A recipe has nothing called {name!r}.")
        return _config(self._rules, (*self._path, name))

    def __getitem__(self, index: int | slice) -> Self:
        """Pick one of the blocks, or some."""
        where = _chain(self._path)
        try:
            if isinstance(index, slice):
                index.indices(0)
            else:
                index = int(operator.index(index))
        except (TypeError, ValueError) as error:
            what = f"{where}[{shown(index)}]"
            raise LessonError(f"{what}: an index is a number or a slice.") from error
        return _config(self._rules, (*self._path, index))

    def __call__(self, /, *values: object, **arguments: object) -> Self:
        """Return a new recipe with one more thing set: the one that the path before names.

        Args:
            *values: the value; if it is a class, its recipe may follow.
            **arguments: arguments of the class.

        Raises:
            LessonError: nothing to set, or something that a recipe cannot hold.
        """
        where = _chain(self._path)
        if not self._path or not values:
            raise LessonError(f"Config(){where}() sets nothing: write Config().in_features(784).")
        value, *recipes = values
        if len(recipes) > 1 or not all(isinstance(recipe, Config) for recipe in recipes):
            raise LessonError(f"{where}: give arguments their names, as in (Softmax, dim=1).")
        if (recipes or arguments) and not isinstance(value, type):
            raise LessonError(f"{where}: {shown(value)} is no class, so nothing can follow it.")
        new = [_Rule(self._path, _kept(value, where))]
        for recipe in recipes:
            recipe._check_finished()
            new += [_Rule(self._path + rule.path, rule.value) for rule in recipe._rules]
        for name, argument in arguments.items():
            new.append(_Rule((*self._path, name), _kept(argument, f"{where}.{name}")))
        rules = self._rules
        for later in new:
            rules = (*(rule for rule in rules if not later.covers(rule)), later)
        return _config(rules)

    def create(self, cls: type[Made]) -> Made:
        """Make what the recipe says, built and ready to train, with fresh weights.

        Args:
            cls: a deeplay class such as `dl.MultiLayerPerceptron` or `dl.Classifier`.

        Returns:
            An instance of it that shares nothing with any other. Its weights come from torch's
            random numbers the way deeplay draws them: equal seeds give equal weights.

        Raises:
            LessonError: the recipe is unfinished, names what isn't there, or lacks something.
                `SGD` needs an `lr`, since its defaults disagree (deeplay says 0.1, and trains at
                torch's 0.001); the other optimizers have torch's default.
        """
        template, _ = self._template(cls)
        with _explained(f"{cls.__name__} cannot be built"):
            return template.build()

    def code(self, cls: type[dl.DeeplayModule]) -> str:
        """Write what `create` makes as plain deeplay code, which needs none of the helpers.

        Args:
            cls: as for `create`. For the helpers' own `Classifier`, the code makes deeplay's, which
                trains to the same weights.

        Returns:
            Python code, its imports included, ready to paste and run. With the same seed it makes
            the same weights as `create`, bit for bit.

        Raises:
            LessonError: as for `create`; or the recipe holds a value that cannot be written, such
                as a lambda.
        """
        # What is made is only tried out, and must not change the random numbers that follow.
        with torch.random.fork_rng(devices=[]):
            template, script = self._template(cls)
            with _explained(f"{cls.__name__} cannot be built"):
                template.build()
        return script.text()

    def _template(self, cls: type[Made]) -> tuple[Made, Script]:
        """Make what deeplay will build, and note how."""
        self._check_finished()
        if not (isinstance(cls, type) and issubclass(cls, dl.DeeplayModule)) or (
            issubclass(cls, dl.External)
        ):
            what = _code(cls) if isinstance(cls, type) else f"a {type(cls).__name__}"
            raise LessonError(f"create takes a class such as dl.MultiLayerPerceptron, not {what}.")
        rules = [r._replace(line=_text(line)) for line in _lines(self._rules) for r in line]
        script = Script()
        template, name = _make_module(cls, rules, "", script)
        script.assign(name, Call(Name(f"{name}.create")))
        return template, script

    def _check_finished(self) -> None:
        if self._path:
            raise LessonError(f"Unfinished recipe: {_chain(self._path)} is named, but not set.")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a recipe never changes."""
        raise LessonError(f"A recipe never changes: .{name}({_code(value)}) returns a new one.")

    def __eq__(self, other: object) -> bool:
        """Whether both have the same rules, overlapping ones in the same order."""
        if not isinstance(other, Config):
            return NotImplemented
        return self._meaning() == other._meaning()

    def _meaning(self) -> tuple:
        return _target(self._path), _content(self._rules), _order(self._rules)

    def __hash__(self) -> int:
        """Hash the names alone: equal recipes agree in them, and a value may have no hash."""
        return hash((_target(self._path), frozenset(rule.target for rule in self._rules)))

    def __reduce__(self) -> tuple:
        """Pickle without setting attributes, which a recipe refuses."""
        return _config, (self._rules, self._path)

    def __deepcopy__(self, memo: dict) -> Self:
        """Return the recipe itself, since it never changes."""
        return self

    def __repr__(self) -> str:
        """Return the chain that makes it, one rule a line."""
        rules = "".join(f"\n    {_text(line)}" for line in _lines(self._rules))
        return (f"(\n    Config(){rules}\n)" if rules else "Config()") + _chain(self._path)


@dataclass(frozen=True, repr=False)
class Difference:
    """The rules, as code, that only the first (`removed`) or the second (`added`) recipe has."""

    removed: tuple[str, ...]
    added: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the removed rules, then the added ones."""
        lines = [f"- {rule}" for rule in self.removed] + [f"+ {rule}" for rule in self.added]
        return "\n".join(lines) or "no difference"


def difference(before: Config, after: Config) -> Difference:
    """Compare two recipes rule by rule.

    Returns:
        The rules that `after` has no more, and those that it has anew. Shown as lines `- rule` and
        `+ rule`, or as "no difference" if, and only if, the recipes are equal.

    Raises:
        LessonError: one of them is no recipe, or an unfinished one.
    """
    for config in (before, after):
        if not isinstance(config, Config):
            raise LessonError(f"difference(before, after) takes two recipes, not {shown(config)}.")
        config._check_finished()
    # The same two rules in another order, where that makes a difference.
    swapped = _order(before._rules) & {(b, a) for a, b in _order(after._rules)}
    moved = {target for pair in swapped for target in pair}

    def only_in(config: Config, other: Config) -> tuple[str, ...]:
        others = [_content(line) for line in _lines(other._rules)]
        lines = [(line, _content(line)) for line in _lines(config._rules)]
        return tuple(_text(line) for line, has in lines if has not in others or moved & has.keys())

    return Difference(only_in(before, after), only_in(after, before))


# --- Rules ----------------------------------------------------------------------------------------


class _Rule(NamedTuple):
    path: tuple[str | int | slice, ...]
    value: object
    line: str = ""  # as the learner reads it in an error

    @property
    def target(self) -> tuple:
        return _target(self.path)

    def covers(self, earlier: "_Rule") -> bool:
        """Whether this rule leaves nothing of an earlier one."""
        pairs = list(zip(self.target, earlier.target, strict=False))
        return len(self.target) == len(pairs) and all(
            a[0] == b[0] and a[1] in (None, b[1]) for a, b in pairs
        )

    def name(self, owner: str, names: Iterable[str]) -> str:
        """Return the name that the path begins with, by which `owner` has it, if it does."""
        head = self.path[0] if self.path else None
        if not isinstance(head, str):
            what = "is set part by part" if head is None else "is no list and takes no index"
            raise LessonError(f"{self.line}: {owner} {what}.")
        return head if head in names else _ALIASES.get(head, head)

    def inner(self) -> "_Rule":
        return self._replace(path=self.path[1:])


def _config(rules: tuple[_Rule, ...], path: tuple = ()) -> Config:
    config = object.__new__(Config)
    object.__setattr__(config, "_rules", rules)
    object.__setattr__(config, "_path", path)
    return config


def _kept(value: object, where: str) -> object:
    """Return a value as a recipe keeps it: a copy, so that nobody changes it from outside."""
    if isinstance(value, Config):
        how = f"{where}(dl.MultiLayerPerceptron, mlp_config)"
        raise LessonError(f"{where}: a recipe follows its class, as in {how}.")
    if isinstance(value, nn.Module | torch.optim.Optimizer):
        name = type(value).__name__
        raise LessonError(f"{where}: write the class, {name}; each create makes a fresh one of it.")
    if isinstance(value, type):
        return next((ours for ours, wrapper in _WRAPPERS.items() if wrapper is value), value)
    try:
        return deepcopy(value)
    except Exception as error:
        raise LessonError(f"{where}: a recipe cannot keep {shown(value)}.") from error


def _target(path: tuple) -> tuple[tuple[str, object], ...]:
    """Write a path as (name, index) pairs: the same for all ways of naming the same thing."""
    pairs: list[tuple[str, object]] = []
    for part in path:
        if isinstance(part, str):
            pairs.append((_ALIASES.get(part, part), None))
            continue
        index = part
        if isinstance(part, slice):
            step = 1 if part.step is None else part.step
            index = (0 if part.start is None and step > 0 else part.start, part.stop, step)
        name = pairs.pop()[0] if pairs and pairs[-1][1] is None else ""
        pairs.append((name, None if index == (0, None, 1) else index))
    return tuple(pairs)


def _meet(one: _Rule, other: _Rule) -> bool:
    """Whether two rules may be about the same thing, so that their order counts."""

    def apart(a: object, b: object) -> bool:  # 0 and 1 are; 0 and -1, or two slices, perhaps not
        return isinstance(a, int) and isinstance(b, int) and a != b and (a < 0) == (b < 0)

    pairs = zip(one.target, other.target, strict=False)
    return all(a[0] == b[0] and not apart(a[1], b[1]) for a, b in pairs)


def _order(rules: tuple[_Rule, ...]) -> set[tuple]:
    return {(a.target, b.target) for a, b in combinations(rules, 2) if _meet(a, b)}


def _content(rules: Iterable[_Rule]) -> dict[tuple, object]:
    def comparable(value: object) -> object:
        if hasattr(value, "tolist") and not isinstance(value, type):  # an array or a tensor
            value = value.tolist()
        return tuple(map(comparable, value)) if isinstance(value, list | tuple) else value

    return {rule.target: comparable(rule.value) for rule in rules}


def _lines(rules: tuple[_Rule, ...]) -> list[list[_Rule]]:
    """Put each rule on a line: a class that isn't deeplay's shares one with its arguments."""
    lines: list[list[_Rule]] = []
    for rule in rules:
        near = next((line for line in reversed(lines) if any(_meet(r, rule) for r in line)), None)
        head = near[0] if near else None
        if (
            head is not None
            and isinstance(head.value, type)
            and not issubclass(head.value, dl.DeeplayModule)
            and isinstance(rule.path[-1], str)
            and head.target == _target(rule.path[:-1])
        ):
            near.append(rule)
        else:
            lines.append([rule])
    return lines


def _text(line: list[_Rule]) -> str:
    head, *arguments = line
    named = [f"{rule.path[-1]}={_code(rule.value)}" for rule in arguments]
    return f"{_chain(head.path)}({', '.join([_code(head.value), *named])})"


def _chain(path: tuple) -> str:
    def index(part: int | slice) -> str:
        if not isinstance(part, slice):
            return str(part)
        ends = (part.start, part.stop) if part.step is None else (part.start, part.stop, part.step)
        return ":".join("" if end is None else str(end) for end in ends)

    return "".join(f".{part}" if isinstance(part, str) else f"[{index(part)}]" for part in path)


def _code(value: object) -> str:
    if type(value) is list:
        return f"[{', '.join(map(_code, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(_code, value))}{',' * (len(value) == 1)})"
    name = getattr(value, "__name__", None)
    if not isinstance(name, str):
        return repr(value)
    return f"dl.{name}" if getattr(dl, name, None) is value else name


# --- From rules to modules ------------------------------------------------------------------------


def _make_module(
    cls: type, rules: list[_Rule], chain: str, script: Script
) -> tuple[dl.DeeplayModule, Name]:
    """Make a template, which deeplay will build, of one of deeplay's classes.

    Args:
        cls: the class.
        rules: the rules for its arguments and for the modules inside.
        chain: where it stands in the recipe, such as `.model`.
        script: where what happens is noted.

    Returns:
        The template, and its name in the script.
    """
    owner, parameters = cls.__name__, _parameters(cls)
    given: dict[str, list[_Rule]] = {}
    inside: list[_Rule] = []
    for rule in rules:
        name = rule.name(owner, parameters)
        if name in parameters:
            given.setdefault(name, []).append(rule.inner())
        else:
            inside.append(rule)

    for name in _missing(parameters, given):
        for rule in inside:  # a name that is misspelt is missing, too
            if difflib.get_close_matches(rule.path[0], [*parameters, *_ALIASES], cutoff=0.7):
                raise _unknown(rule, owner, parameters)
        raise LessonError(f"{owner} needs {name}: add {chain}.{name}(…) to the recipe.")

    # A default such as loss=CrossEntropyLoss() is one object, which all classifiers would share.
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    arguments = {
        n: deepcopy(value) for n, value in defaults.items() if isinstance(value, nn.Module)
    }
    noted: dict[str, object] = {}
    for name, (first, *others) in given.items():
        if first.path:
            first.name(name, ())  # an index has an error of its own
            raise LessonError(f"{first.line}: first set {chain}.{name}(…) itself.")
        if first.value is not defaults[name]:
            _check_kind(first, name)
        if isinstance(first.value, type):
            make = _make_module if issubclass(first.value, dl.DeeplayModule) else _make_other
            made_of = first.value, others, f"{chain}.{name}", script
            arguments[name], noted[name] = make(*made_of)
        elif others:
            raise LessonError(f"{others[0].line}: {_code(first.value)} has no parts.")
        else:
            arguments[name] = noted[name] = deepcopy(first.value)

    shown = ", ".join(f"{name}={_code(first.value)}" for name, (first, *_) in given.items())
    with _explained(f"{chain} {owner} cannot be made with {shown or 'no rules'}".strip()):
        made = cls(**arguments)
    outermost = "classifier" if issubclass(cls, dl.Classifier) else "network"
    called = script.new_name(chain.rpartition(".")[2] or outermost)
    script.assign(called, Call(_plain(cls), (), noted))
    if inside:
        _adjust(made, inside, chain, script, called, parameters)
    return made, called


def _plain(cls: type) -> type:
    """Return the class that the helpers' own one is a thin subclass of; others as they are."""
    return next(base for base in cls.__mro__ if not base.__module__.startswith("helpers."))


def _make_other(cls: type, rules: list[_Rule], chain: str, script: Script) -> tuple[object, Call]:
    """Make an optimizer, a torch module or anything else that isn't deeplay's."""
    arguments = _arguments(cls, rules)
    for name in _missing(_parameters(cls), arguments):
        raise LessonError(f"{cls.__name__} needs {name}: write {chain}({cls.__name__}, {name}=…).")
    noted = deepcopy(arguments)
    with _explained(f"{chain}({cls.__name__}, …)"):
        if cls in _WRAPPERS:
            cls([torch.zeros(1)], **arguments)  # refuses lr=-1 now rather than when training starts
            return _WRAPPERS[cls](**arguments), Call(_WRAPPERS[cls], (), noted)
        if issubclass(cls, nn.Module):
            # Both make a fresh one at each create; a loss alone reads as in any PyTorch code.
            is_loss = cls.__module__ == nn.modules.loss.__name__
            call = Call(cls, (), noted) if is_loss else Call(dl.Layer, (cls,), noted)
            return dl.Layer(cls, **arguments), call
        return cls(**arguments), Call(cls, (), noted)


def _adjust(
    module: object,
    rules: list[_Rule],
    chain: str,
    script: Script,
    called: str,
    arguments: Iterable[str] = (),
) -> None:
    """Apply rules to the modules that deeplay has made inside a template.

    Args:
        module: the template, or a part of it.
        rules: the rules for what is inside.
        chain: where it stands in the recipe.
        script: where what happens is noted.
        called: what the script calls the module.
        arguments: what else a learner may have meant.
    """
    if isinstance(module, dl.Layer | DeferredConfigurableLayer):
        _adjust_layer(module, rules, chain, script, called)
        return
    owner, inside = type(module).__name__, {**vars(module), **dict(module.named_children())}
    kinds = dl.DeeplayModule | DeferredConfigurableLayer
    parts = [name for name, part in inside.items() if isinstance(part, kinds)]
    by_part: dict[str, list[_Rule]] = {}
    for rule in rules:
        name = rule.name(owner, parts)
        if name not in parts:
            raise _unknown(rule, owner, {*arguments, *parts})
        by_part.setdefault(name, []).append(rule.inner())
    for name, its_rules in by_part.items():
        part, where = getattr(module, name), f"{chain}.{name}"
        if isinstance(part, dl.LayerList):
            # deeplay counts the output among the blocks; here it has a rule of its own.
            has_output = name == "blocks" and "out_activation" in _parameters(type(module))
            blocks = list(part)
            notes: dict[int, Script] = {}
            kinds_of_note = set()
            one = "block" if called != "block" else "inner"
            for block, block_rules in _spread(its_rules, blocks, has_output, where):
                note = Script()
                _adjust(block, block_rules, where, note, one)
                if block in blocks:  # not the copy on which mistakes show
                    notes[blocks.index(block)] = note
                    kinds_of_note.add((*map(id, block_rules), repr(note)))
            hidden = range(len(blocks) - has_output)
            # One loop says it all where all blocks are alike.
            if len(notes) == len(hidden) and len(kinds_of_note) == 1:
                which = f"{called}.{name}{'[:-1]' * has_output}"
                script.inside(f"for {one} in {which}:", notes[0])
            else:
                for index, note in sorted(notes.items()):
                    script.inside(f"{one} = {called}.{name}[{index}]", note)
        else:
            _adjust(part, its_rules, where, script, f"{called}.{name}")


def _spread(
    rules: list[_Rule], blocks: list[nn.Module], has_output: bool, chain: str
) -> Iterable[tuple[nn.Module, list[_Rule]]]:
    """Give each block but the output the rules for it, in their order."""
    hidden = blocks[:-1] if has_output else blocks
    # Rules for all of no blocks do nothing; on a copy of the output their mistakes still show.
    everything = hidden or [block.new() for block in blocks[-1:]]
    spread: dict[nn.Module, list[_Rule]] = {}
    for rule in rules:
        index, picked = rule.path[0] if rule.path else "", everything
        if not isinstance(index, str):
            at = index if isinstance(index, slice) else slice(index, index + 1 or None)
            picked, rule = hidden[at], rule.inner()
        if not picked:
            count = f"{len(hidden)} of {chain}, counted from 0"
            raise LessonError(f"{rule.line}: no such block; there are {count}.")
        for block in picked:
            spread.setdefault(block, []).append(rule)
    return spread.items()


def _adjust_layer(
    layer: dl.Layer | DeferredConfigurableLayer,
    rules: list[_Rule],
    chain: str,
    script: Script,
    called: str,
) -> None:
    cls, arguments = getattr(layer, "classtype", None), {}
    for rule in rules:
        if rule.path and cls is None:
            raise LessonError(f"{rule.line}: first set {chain}(…) itself.")
        if rule.path:
            arguments |= _arguments(cls, [rule])
            continue
        _check_kind(rule, "layer")
        cls, arguments = rule.value, {}
        parameters = _parameters(cls)
        if not _missing(parameters, ()):
            # deeplay would give it the old class's arguments, where they have the same names
            old = getattr(layer, "kwargs", {})
            arguments = {name: p.default for name, p in parameters.items() if name in old}
    script.call(Call(Name(f"{called}.configure"), (cls,), deepcopy(arguments)))
    with _explained(rules[-1].line):
        layer.configure(cls, **arguments)


def _arguments(cls: type, rules: list[_Rule]) -> dict[str, object]:
    """Turn rules into the arguments of a class that isn't deeplay's."""
    parameters, arguments = _parameters(cls), {}
    for rule in rules:
        name = rule.name(cls.__name__, parameters)
        if name not in parameters and "**" not in parameters:
            raise _unknown(rule, cls.__name__, parameters)
        if len(rule.path) > 1:
            raise LessonError(f"{rule.line}: {cls.__name__}'s {name} has no parts.")
        arguments[name] = deepcopy(rule.value)
    return arguments


def _missing(parameters: dict[str, inspect.Parameter], given: Iterable[str]) -> list[str]:
    return [n for n, p in parameters.items() if p.default is p.empty and n not in given]


def _check_kind(rule: _Rule, name: str) -> None:
    """Raise if a module, a loss or an optimizer isn't given as a class of that kind."""
    value, (kind, example) = rule.value, _KINDS.get(name, (object, ""))
    if name not in _KINDS or (name == "loss" and inspect.isroutine(value)):
        return
    if not isinstance(value, type) or not issubclass(value, kind):
        raise LessonError(f"{rule.line}: it must be a class, such as {example}.")
    if name == "optimizer" and value not in _WRAPPERS:
        exist = ", ".join(optimizer.__name__ for optimizer in _WRAPPERS)
        raise LessonError(f"{rule.line}: deeplay has no {value.__name__}, only {exist}.")


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Return the named arguments of a class, with "**" among them if it takes any others.

    They are read from `__init__`, since deeplay's metaclass hides them, and from the parents'
    as far as `**kwargs` hands arguments on. What a parent needs the class may give it, so that
    counts as optional.
    """
    found: dict[str, inspect.Parameter] = {}
    for owner in cls.__mro__:
        if owner in (nn.Module, dl.DeeplayModule, object):
            # nn.Module's own __init__ refuses what it seems to take; deeplay's forgets it.
            if cls.__init__ is not nn.Module.__init__ and not issubclass(cls, dl.DeeplayModule):
                any_other = inspect.Parameter("any", inspect.Parameter.KEYWORD_ONLY, default=None)
                found["**"] = any_other
            break
        if "__init__" not in vars(owner):
            continue
        own = list(inspect.signature(owner.__init__).parameters.values())[1:]
        optional = {"default": None} if found else {}
        for parameter in own:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, parameter.replace(**optional))
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in own):
            break
    if cls in _WRAPPERS:
        del found["params"]
    if cls is torch.optim.SGD:  # its two defaults, deeplay's and torch's, disagree
        found["lr"] = found["lr"].replace(default=inspect.Parameter.empty)
    return found


def _unknown(rule: _Rule, owner: str, names: Iterable[str]) -> LessonError:
    name, names = rule.path[0], list(names)
    spellings = [*names, *(old for old, new in _ALIASES.items() if new in names)]
    close = difflib.get_close_matches(name.lower(), spellings, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    there = f"It has {', '.join(sorted(names))}." if names else "It takes no arguments."
    return LessonError(f"{rule.line}: {owner} has nothing called {name!r}.{hint} {there}")


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Say in one line for the learner what deeplay or torch objects to."""
    try:
        yield
    except LessonError:
        raise
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise LessonError(f"{what}: {reason}") from error
