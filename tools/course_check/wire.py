"""How answers cross from a learner's world to the one where they are checked: as text alone.

A value becomes nested lists of text and numbers, and a new value is made of them on the other side:
a number, a text, an array, a recipe. Nothing of the learner's code comes along, so an answer cannot
act. A function stays where it is; the other side calls it by its number, also through text.
"""

from __future__ import annotations

import base64
import builtins
import decimal
import fractions
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

LONGEST = 2**20  # characters of one encoded answer; the lessons' largest have about 150,000
DEEPEST = 20
ITEMS = 100_000  # of a generator, which may have no end, and of any list
NUMBERS = "biufc"  # the kinds of NumPy's types that hold plain numbers
# Where the classes that a recipe may name are looked up; nothing else is ever imported for one.
PUBLIC = ("torch.nn", "torch.optim", "deeplay", "helpers.training")

# What a value crosses as, each with its own way of being made anew.
KINDS = {
    *("none", "dots", "bool", "int", "float", "complex", "str", "bytes", "Fraction", "Decimal"),
    *("array", "tensor", "scalar", "objects", "recipe", "slice", "class", "dict"),
    *("list", "tuple", "set", "frozenset", "iterator", "function", "stranger"),
}

KINDS_OF_LISTS: dict[type, str] = {
    list: "list",
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
}

Wired = list[Any]


class TooLargeError(Exception):
    """A value is larger, or deeper, than an answer can be."""


class Functions:
    """The functions that stay on this side, by their number."""

    def __init__(self) -> None:
        self._kept: list[Callable[..., Any]] = []

    def keep(self, function: Callable[..., Any]) -> int:
        """Return the number of `function`."""
        self._kept.append(function)
        return len(self._kept) - 1

    def __getitem__(self, number: int) -> Callable[..., Any]:
        return self._kept[number]


class Stranger:
    """Stands for a value of which only the type's name and its `repr` cross."""

    text = ""
    items: list[Any] | None = None

    def __repr__(self) -> str:
        return self.text


def encode(value: Any, functions: Functions | None = None) -> Wired:
    """Return `value` as nested lists of text, numbers and None.

    Args:
        value: Anything; what is not known crosses as a `Stranger`.
        functions: Keeps what can be called. Without it, functions are strangers too.
    """
    try:
        return _Encoder(functions or Functions()).encode(value, 0)
    except TooLargeError as error:
        return _stranger(value, None, str(error))
    except RecursionError:
        return _stranger(value, None, "nested too deeply")


class _Encoder:
    def __init__(self, functions: Functions) -> None:
        self.functions, self.size = functions, 0

    def grow(self, size: int) -> None:
        self.size += size
        if self.size > LONGEST:
            raise TooLargeError("too large for an answer")

    def encode(self, value: Any, depth: int) -> Wired:
        self.grow(8)
        if depth > DEEPEST:
            raise TooLargeError("nested too deeply")
        for rule in (self._plain, self._array, self._recipe, self._several, self._callable):
            if (wired := rule(value, depth)) is not None:
                return wired
        return self._unknown(value, depth)

    def _plain(self, value: Any, depth: int) -> Wired | None:
        if value is None:
            return ["none"]
        if value is ...:
            return ["dots"]
        if value is True or value is False:
            return ["bool", bool(value)]
        if type(value) in (int, float, complex, str, bytes, fractions.Fraction, decimal.Decimal):
            if isinstance(value, int) and value.bit_length() > 10_000:
                raise TooLargeError("a number of too many digits")
            text = base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
            self.grow(len(text))
            return [type(value).__name__, text]
        return None

    def _array(self, value: Any, depth: int) -> Wired | None:
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        kind = "array"
        if torch and isinstance(value, torch.Tensor):
            kind, value = "tensor", value.detach().cpu().resolve_conj().resolve_neg()
            if value.dtype == torch.bfloat16:
                value = value.float()
            value = value.numpy()
        elif numpy and isinstance(value, numpy.generic):
            if value.dtype.kind not in NUMBERS:
                return self.encode(value.item(), depth + 1)
            kind, value = "scalar", numpy.asarray(value)
        if not (numpy and isinstance(value, numpy.ndarray)):
            return None
        value = numpy.asarray(value)
        shape = [int(length) for length in value.shape]
        if value.dtype.kind not in NUMBERS:
            if value.size > ITEMS:
                raise TooLargeError("too large for an answer")
            return ["objects", shape, [self.encode(item, depth + 1) for item in value.flat]]
        self.grow(value.nbytes * 4 // 3)
        data = base64.b64encode(numpy.ascontiguousarray(value).tobytes()).decode()
        return [kind, value.dtype.str, shape, data]

    def _recipe(self, value: Any, depth: int) -> Wired | None:
        module = sys.modules.get("helpers.config")
        if module and isinstance(value, module.Config):
            _, (rules, path) = value.__reduce__()
            encoded = [
                [[self._part(part) for part in rule.path], self.encode(rule.value, depth + 1)]
                for rule in rules
            ]
            return ["recipe", encoded, [self._part(part) for part in path]]
        if isinstance(value, type):
            name = value.__name__
            for place in PUBLIC:
                if getattr(sys.modules.get(place), name, None) is value:
                    return ["class", place, name]
        return None

    def _part(self, part: Any) -> Wired:
        if isinstance(part, slice):
            return ["slice", *(self._plain(end, 0) for end in (part.start, part.stop, part.step))]
        return self._plain(part, 0) or ["none"]

    def _several(self, value: Any, depth: int) -> Wired | None:
        if isinstance(value, Mapping):
            items = list(islice(value.items(), ITEMS))
            pairs = [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in items]
            return ["dict", pairs]
        for kind, name in KINDS_OF_LISTS.items():
            if isinstance(value, kind):
                several: Any = value
                items = list(islice(several, ITEMS))
                return [name, [self.encode(item, depth + 1) for item in items]]
        if isinstance(value, Iterator):
            items = list(islice(value, ITEMS))
            return ["iterator", [self.encode(item, depth + 1) for item in items]]
        for plain in (int, float, str):  # of a class of the learner's own
            if isinstance(value, plain):
                return self._plain(plain(value), depth)
        return None

    def _callable(self, value: Any, depth: int) -> Wired | None:
        if not callable(value):
            return None
        name = str(getattr(value, "__name__", type(value).__name__))[:100]
        return ["function", self.functions.keep(value), name]

    def _unknown(self, value: Any, depth: int) -> Wired:
        items = None
        if hasattr(type(value), "__iter__"):
            items = [self.encode(item, depth + 1) for item in islice(value, 1000)]
        return _stranger(value, items)


def _stranger(value: Any, items: list[Wired] | None, text: str | None = None) -> Wired:
    try:
        text = repr(value)[:1000] if text is None else f"<{type(value).__name__}, {text}>"
    except Exception:  # a repr may do anything
        text = f"<{type(value).__name__}>"
    return ["stranger", str(type(value).__name__)[:100], text, items]


def decode(wired: Wired, function: Callable[[int, str], Any]) -> Any:
    """Return the value that `encode` was given, made anew.

    Args:
        wired: What came over the wire.
        function: Makes, of a function's number and name, what calls it on the other side.

    Raises:
        ValueError: It is nothing that `encode` writes.
    """
    try:
        return _Decoder(function).decode(wired)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"no answer: {error}") from error


class _Decoder:
    def __init__(self, function: Callable[[int, str], Any]) -> None:
        self.function = function

    def decode(self, wired: Wired) -> Any:
        kind, *content = wired
        if kind not in KINDS:
            raise ValueError(f"no kind of answer: {kind!r:.50}")
        return getattr(self, f"_{kind}")(*content)

    def several(self, items: list[Wired]) -> list[Any]:
        return [self.decode(item) for item in items]

    def _none(self) -> None:
        return None

    def _dots(self) -> Any:
        return ...

    def _bool(self, value: Any) -> bool:
        return bool(value)

    def _int(self, text: str) -> int:
        return int(text)

    def _float(self, text: str) -> float:
        return float(text)

    def _complex(self, text: str) -> complex:
        return complex(text)

    def _str(self, text: str) -> str:
        return str(text)

    def _bytes(self, text: str) -> bytes:
        return base64.b64decode(text, validate=True)

    def _Fraction(self, text: str) -> fractions.Fraction:  # noqa: N802 (the type's own name)
        return fractions.Fraction(*map(int, text.split("/")))  # "1e999999999" would take forever

    def _Decimal(self, text: str) -> decimal.Decimal:  # noqa: N802
        return decimal.Decimal(text)

    def _array(self, dtype: str, shape: list[int], data: str) -> Any:
        import numpy

        kind = numpy.dtype(str(dtype))
        if kind.kind not in NUMBERS:
            raise ValueError(f"no numbers: {dtype!r:.50}")
        array = numpy.frombuffer(base64.b64decode(data, validate=True), kind)
        return array.reshape([int(length) for length in shape]).copy()

    def _tensor(self, dtype: str, shape: list[int], data: str) -> Any:
        import torch

        return torch.from_numpy(self._array(dtype, shape, data))

    def _scalar(self, dtype: str, shape: list[int], data: str) -> Any:
        return self._array(dtype, shape, data)[()]

    def _objects(self, shape: list[int], items: list[Wired]) -> Any:
        import numpy

        array = numpy.empty(len(items), dtype=object)
        for place, item in enumerate(self.several(items)):
            array[place] = item
        return array.reshape([int(length) for length in shape])

    def _recipe(self, rules: list[Any], path: list[Wired]) -> Any:
        from helpers.config import Config

        config = Config()
        for parts, value in rules:
            config = self.walk(config, parts)(self.decode(value))  # a call returns a recipe
        return self.walk(config, path)

    def walk(self, config: Any, parts: list[Wired]) -> Any:
        from helpers.config import Config

        # A name with an underscore would lead out of the recipe, into Python's own inside.
        for part in self.several(parts):
            if not isinstance(part, str | int | slice) or str(part).startswith("_"):
                raise ValueError(f"no rule of a recipe: {part!r:.50}")
            config = getattr(config, part) if isinstance(part, str) else config[part]
            if not isinstance(config, Config):
                raise ValueError(f"no rule of a recipe: {part!r:.50}")
        return config

    def _slice(self, *ends: Wired) -> slice:
        return slice(*self.several(list(ends)))

    def _class(self, place: str, name: str) -> Any:
        if place not in PUBLIC or str(name).startswith("_"):
            raise ValueError(f"no class of the lessons: {place!r:.50}.{name!r:.50}")
        __import__(place)
        found = getattr(sys.modules[place], name)
        if not isinstance(found, type):
            raise ValueError(f"no class: {name!r:.50}")
        return found

    def _dict(self, pairs: list[list[Wired]]) -> dict[Any, Any]:
        return {self.decode(key): self.decode(value) for key, value in pairs}

    def _list(self, items: list[Wired]) -> list[Any]:
        return self.several(items)

    def _tuple(self, items: list[Wired]) -> tuple[Any, ...]:
        return tuple(self.several(items))

    def _set(self, items: list[Wired]) -> set[Any]:
        return set(self.several(items))

    def _frozenset(self, items: list[Wired]) -> frozenset[Any]:
        return frozenset(self.several(items))

    def _iterator(self, items: list[Wired]) -> Iterator[Any]:
        return iter(self.several(items))

    def _function(self, number: int, name: str) -> Any:
        return self.function(int(number), str(name))

    def _stranger(self, name: str, text: str, items: list[Wired] | None) -> Stranger:
        members: dict[str, Any] = {"text": str(text)}
        if items is not None:
            kept = self.several(items)
            members["__iter__"] = lambda self: iter(kept)
        stranger: Stranger = type(str(name), (Stranger,), members)()
        return stranger


def encode_error(error: BaseException) -> list[str | list[str]]:
    """Return an exception as its name, its message and the names of the classes that it is of."""
    try:
        message = str(error)[:1000]
    except Exception:  # a message may do anything
        message = ""
    names = [kind.__name__[:100] for kind in type(error).__mro__]
    return [names[0], message, names]


def decode_error(wired: list[Any]) -> BaseException:
    """Return an exception like the one that `encode_error` was given.

    It is of the nearest of Python's own classes, or the helpers' `LessonError`, and goes by its own
    name. What ends a program arrives as an interrupt.
    """
    from helpers.errors import LessonError

    name, message, names = str(wired[0]), str(wired[1]), [str(kind) for kind in wired[2]]
    for kind in names:
        base = LessonError if kind == "LessonError" else getattr(builtins, kind, None)
        if isinstance(base, type) and issubclass(base, Exception):
            break
        if base is KeyboardInterrupt:
            return KeyboardInterrupt(message)
    else:
        base = Exception
    if issubclass(base, (UnicodeError, StopIteration)):  # they take more than a message
        base = ValueError
    members = {
        "__init__": lambda self, text: Exception.__init__(self, text),
        "__str__": lambda self: message,
    }
    error: BaseException = type(name, (base,), members)(message)
    return error
