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
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}…"
