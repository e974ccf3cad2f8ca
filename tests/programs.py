"""Programs that tests start, and modules that stand outside of a package."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGES = Path(sysconfig.get_path("purelib"))  # this environment's


def ended(*command, **options):
    """Runs a program to its end; returns what happened, with its output as text."""
    options = {"capture_output": True, "encoding": "utf-8", "timeout": 600} | options
    return subprocess.run([*map(str, command)], **options)


def printed(*command, **options):
    """Runs a program that has to succeed; returns what it printed."""
    done = ended(*command, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(*arguments, path=None, **options):
    """As `ended`, of this Python, which finds helpers and tools in the folder `path`."""
    environment = environ(path) | options.pop("env", {})
    return ended(sys.executable, *arguments, env=environment, **options)


def environ(path=None):
    """Returns the environment of a Python that finds this checkout only where `path` names it."""
    ours = ("PYTHONPATH", "PYTEST_XDIST_WORKER")
    others = {name: value for name, value in os.environ.items() if name not in ours}
    return others | ({"PYTHONPATH": str(path)} if path else {})


def virtual_environment(folder, *beside):
    """Makes one in `folder`, with the packages in the folders `beside` it; returns its Python.

    pip can use those packages and cannot change them.
    """
    printed(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    own = printed(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")[:-1]
    lines = "".join(f"{path}\n" for path in beside)
    Path(own, "packages.pth").write_text(lines, encoding="utf-8")
    return python


def load(path):
    """Returns the module in the file `path`."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
