"""The one error that the helpers raise for something a learner can mend."""


class LessonError(Exception):
    """Something a learner can mend: says what went wrong, with what value, and what to do next.

    In a notebook it shows as its message alone; in a script or a test it is an ordinary exception
    with its traceback.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython's hook for exceptions that render themselves: the helpers' inner frames
        # would tell a learner nothing.
        return [f"LessonError: {self}"]


class InterruptError(LessonError):
    """The learner interrupted a training; the classifier keeps what it has learned so far."""


class DivergenceError(LessonError):
    """The loss of a training is no finite number any more."""


def shown(value: object) -> str:
    """Return a value as a message shows it: its `repr`, on one line and not too long."""
    try:
        text = repr(value)
    except Exception:  # a number of too many digits, for one
        return f"something of type {type(value).__name__}"
    return one_line(text, 80)


def one_line(text: str, length: int = 200) -> str:
    """Return a text on one line, cut off where it is longer than `length` characters."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 2]} …"


def printable(text: str) -> str:
    """Return a text that somebody else wrote so that it does nothing but show, on one line.

    What does not print, such as the end of a line, is written out as in a string of Python's.
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
