"""Python source of calls and values, with the imports that they need.

`Config.code` notes here what a recipe does while it makes a network, and reads it back as a script.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import deeplay as dl
import numpy as np
import torch
from torch import nn

from helpers.errors import LessonError, shown

WIDTH = 88  # of a line; longer calls have a line for each argument
# Where a name is imported from, before the module that it was written in.
_PUBLIC = (nn, nn.functional, torch)


class Name(str):
    """A variable of the script."""

    __slots__ = ()


class Call(NamedTuple):
    """A call of a class, a function, or what a `Name` stands for."""

    function: Any
    positional: tuple[Any, ...] = ()
    arguments: Mapping[str, Any] = {}


class Script:
    """Statements in their order, of which `text` makes Python source.

    Nothing is written before: a value that cannot be written does no harm until then.
    """

    def __init__(self) -> None:
        """Start with no statements."""
        self._statements: list[tuple[str, Call | Script]] = []
        self._names: set[str] = set()

    def new_name(self, wish: str) -> Name:
        """Return a variable's name that no other has."""
        while wish in self._names:
            wish += "_"
        self._names.add(wish)
        return Name(wish)

    def assign(self, name: Name, call: Call) -> None:
        """Add `name = call`."""
        self._statements.append((f"{name} = ", call))

    def call(self, call: Call) -> None:
        """Add a call alone."""
        self._statements.append(("", call))

    def inside(self, head: str, body: Script) -> None:
        """Add a head such as `for block in blocks:` with its body, or a plain line with more."""
        self._statements.append((head, body))

    def __repr__(self) -> str:
        """Return the statements, so that scripts can be compared."""
        return repr(self._statements)

    def text(self) -> str:
        """Return the source: the imports, an empty line, the statements.

        Raises:
            LessonError: A value cannot be written.
        """
        writer = _Writer()
        lines = writer.lines(self, "")
        return "\n".join([*writer.imports(), "", *lines])


class _Writer:
    """Writes values as expressions, and remembers what they need."""

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._from: dict[str, dict[str, object]] = {}
        self._own: dict[str, object] = {}

    def imports(self) -> list[str]:
        lines = [f"import {module}" for module in sorted(self._modules)]
        lines += [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(self._from.items())
        ]
        return lines + [f"# {name} is your own: put it here" for name in sorted(self._own)]

    def lines(self, script: Script, indent: str) -> list[str]:
        lines: list[str] = []
        for start, what in script._statements:
            if isinstance(what, Call):
                lines += self._statement(start, what, indent)
            else:
                lines.append(indent + start)
                lines += self.lines(what, indent + "    " * start.endswith(":"))
        return lines

    def _statement(self, start: str, call: Call, indent: str) -> list[str]:
        line = indent + start + self.value(call)
        if len(line) <= WIDTH:
            return [line]
        arguments = [f"{indent}    {argument}," for argument in self._arguments(call)]
        return [f"{indent}{start}{self.value(call.function)}(", *arguments, f"{indent})"]

    def _arguments(self, call: Call) -> list[str]:
        named = [f"{name}={self.value(value)}" for name, value in call.arguments.items()]
        return [*map(self.value, call.positional), *named]

    def value(self, value: Any) -> str:
        if isinstance(value, Name):
            return str(value)
        if isinstance(value, Call):
            return f"{self.value(value.function)}({', '.join(self._arguments(value))})"
        if isinstance(value, np.generic):
            value = value.item()
        kind = type(value)
        if value is None or value is Ellipsis or kind in (bool, int, str, bytes, range):
            return "..." if value is Ellipsis else repr(value)
        if kind in (float, complex):
            finite = value == value and abs(value) != float("inf")
            return repr(value) if finite else f"{kind.__name__}('{value}')"
        if kind in (list, tuple, set, frozenset):
            return self._collection(value)
        if kind is dict:
            pairs = (f"{self.value(key)}: {self.value(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        if kind is slice:
            return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
        if kind is torch.Tensor and value.layout == torch.strided:
            self._modules.add("torch")
            return f"torch.tensor({self.value(value.tolist())}, dtype={value.dtype})"
        if kind is np.ndarray and value.dtype.kind in "biuf":
            self._modules.add("numpy as np")
            return f"np.array({self.value(value.tolist())}, dtype={value.dtype.name!r})"
        if kind in (torch.dtype, torch.device):
            self._modules.add("torch")
            return str(value) if kind is torch.dtype else f"torch.{value!r}"
        return self._named(value)

    def _collection(self, value: Iterable[Any]) -> str:
        inside = ", ".join(map(self.value, value))
        if isinstance(value, list):
            return f"[{inside}]"
        if isinstance(value, tuple):
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        name = type(value).__name__
        return f"{name}([{inside}])"

    def _named(self, value: Any) -> str:
        """Write a class or a function by its name."""
        name = getattr(value, "__name__", "")
        if getattr(dl, name or "-", None) is value:
            self._modules.add("deeplay as dl")
            return f"dl.{name}"
        module = getattr(value, "__module__", None)
        for public in _PUBLIC:
            if getattr(public, name or "-", None) is value:
                module = public.__name__
                break
        if not name.isidentifier() or not isinstance(module, str):
            raise LessonError(
                f"{shown(value)} cannot be written as code: a recipe that is to be written holds "
                "numbers, text, lists, classes and functions that have a name."
            )
        if module == "builtins":
            return name
        taken = any(names.get(name, value) is not value for names in self._names())
        if getattr(importlib.import_module(module), name, None) is not value:
            module = "__main__"  # made inside a function
        if taken and module != "__main__":
            self._modules.add(module)
            return f"{module}.{name}"
        if taken:
            raise LessonError(f"Two classes are called {name}: give one of them another name.")
        (self._own if module == "__main__" else self._from.setdefault(module, {}))[name] = value
        return name

    def _names(self) -> list[dict[str, object]]:
        return [*self._from.values(), self._own]
