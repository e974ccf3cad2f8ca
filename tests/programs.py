"""Programs that tests start, and modules that stand outside of a package."""

import importlib.util
import os
import subprocess
import sys


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


def load(path):
    """Returns the module in the file `path`."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
