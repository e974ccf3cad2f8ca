"""A course check: whether the notebooks that somebody hands in run, and show what they should."""

import os
import re
from pathlib import Path

from helpers.errors import LessonError
from tools import ROOT


def check(notebook: str) -> int:
    """Runs a notebook, or a folder of them, as a course check; returns pytest's exit code.

    Raises:
        LessonError: If `notebook` is neither, or has a name that pytest cannot be given.
    """
    import pytest  # only who tests has it

    path = Path(notebook)
    if not notebook or not os.path.exists(notebook):  # False for a name that is too long, too
        raise LessonError(
            f"There is no {notebook!r}. Say which notebook: "
            "make check NOTEBOOK=notebooks/01_data.ipynb"
        )
    if not path.is_dir() and not (path.is_file() and path.suffix == ".ipynb"):
        raise LessonError(f"{notebook!r} is neither a notebook (.ipynb) nor a folder of them.")
    if not path.is_dir() and re.search(r"\[|::", path.name):
        raise LessonError(
            f"{path.name!r} has '[' or '::' in its name, which pytest takes for the name of a "
            "test: rename it, or check its folder."
        )
    # pytest reads signs in an argument (-, @, [, ::): from inside the folder it gets almost none.
    folder, name = (path, ".") if path.is_dir() else (path.parent, f"./{path.name}")
    try:
        os.chdir(folder)
    except OSError as error:
        raise LessonError(f"{str(folder)!r} cannot be opened: {error.strerror}.") from error
    project = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
    # What this program imports, pytest cannot rewrite any more, nor does it need to.
    warning = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*project, *warning, "--quiet", name]))
