"""The program in which answers are checked: a sandbox of its own, where nothing of a copy ever ran.

It reads one request a line on its standard input: the name of a check of the project and the
answers to it, as text. While a check runs, it may ask for calls of the learner's functions, which
run in the copy's own world. In the end it answers with what the check said.
"""

import contextlib
import io
import json
import os
from typing import Any


def main() -> None:
    """Answer requests until there are no more."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import limits

    limits.set_limits()

    def send(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message).encode() + b"\n")
        replies.flush()

    def ask(message: dict[str, Any]) -> dict[str, Any]:
        send(message)
        reply: dict[str, Any] = json.loads(next(requests))
        return reply

    for line in requests:
        request = json.loads(line)
        send(check(ask, **request))


def check(ask: Any, check: str, answers: list[Any], named: dict[str, Any]) -> dict[str, str]:
    """Return what a check of the project says about some answers, or why it could say nothing."""
    import wire

    import helpers.checks

    def function(number: int, name: str) -> Any:
        return stand_in(ask, number, name)

    said = io.StringIO()
    try:
        values = [wire.decode(answer, function) for answer in answers]
        named = {name: wire.decode(answer, function) for name, answer in named.items()}
    except ValueError as error:
        return {"garbled": str(error)}
    try:
        with contextlib.redirect_stdout(said):
            getattr(helpers.checks, check)(*values, **named)
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"said": said.getvalue().strip()}


def stand_in(ask: Any, number: int, name: str) -> Any:
    """Return a function that stands for the learner's, which runs where the learner's code does."""
    import wire

    def called(*given: Any, **named: Any) -> Any:
        if named:
            raise TypeError(f"{name}() takes its arguments by their place here")
        reply = ask({"call": number, "given": [wire.encode(value) for value in given]})
        for value, after in zip(given, reply["after"], strict=False):
            write_back(value, wire.decode(after, nothing))
        if "raised" in reply:
            raise wire.decode_error(reply["raised"])
        return wire.decode(reply["returned"], lambda other, name: stand_in(ask, other, name))

    called.__name__ = called.__qualname__ = name
    return called


def nothing(number: int, name: str) -> None:
    """Stand for a function where none is expected."""


def write_back(value: Any, after: Any) -> None:
    """Do to arrays and lists what the learner's function did to its copies of them."""
    if isinstance(value, list | tuple) and isinstance(after, list | tuple):
        for item, item_after in zip(value, after, strict=False):
            write_back(item, item_after)
        if isinstance(value, list) and len(value) != len(after):
            value[:] = after
    elif hasattr(value, "shape") and getattr(after, "shape", None) == value.shape and value.shape:
        value[...] = after


if __name__ == "__main__":
    main()
