"""The project in a folder with an awkward name, and environment.yml without conda."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import build
import pytest
import yaml
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, copy_checkout):
    """A copy of this checkout, in a folder whose name has spaces, accents and a dash."""
    folder = tmp_path_factory.mktemp("folder") / "Übung 1 – Ziffern"
    copy_checkout(folder)
    return folder


def run(*command, cwd, **options):
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, encoding="utf-8", **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_helpers():
    """Returns the environment variables for a Python that must not find this checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_lesson_1_runs_there(checkout):
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    said = run(sys.executable, "lessons/build.py", "run", "1", cwd=checkout, env=environment)
    assert "01_data" in said.splitlines()[-3]
    executed = build.read_notebook(checkout / "executed" / "01_data.ipynb")
    assert build.code_cells(executed)[-1].execution_count == len(build.code_cells(executed))
    # It was that folder's lesson, with that folder's helpers.
    digits = checkout / "notebooks" / "MNIST_dataset" / "mnist" / "test"
    assert len(list(digits.iterdir())) == 10_000


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_knows_its_way_there(checkout):
    # Not as a part of the make that may run these tests, which would print the folder it enters.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    assert "make TARGET" in run("make", "help", cwd=checkout, env=environment)
    # Paths stay relative, so that no command meets the folder's name.
    for target in ("run", "lab", "test", "site", "bench"):
        assert "Ziffern" not in run("make", "--dry-run", target, cwd=checkout, env=environment)
    # And what it calls starts there: the Python that runs this stands in for .venv.
    tools = [f"BIN={sys.executable}", "READY="]
    environment["PYTHONPATH"] = str(checkout)
    assert run("make", "prose", "LESSON=1", *tools, cwd=checkout, env=environment)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pip_part_of_the_conda_environment_installs_into_an_empty_environment(checkout):
    # conda hands these lines to pip as a file of requirements, in the folder of environment.yml.
    # conda's own part, Python and pip, needs conda's channels and is not tried.
    environment = yaml.safe_load((checkout / "environment.yml").read_text(encoding="utf-8"))
    packages = environment["dependencies"][-1]["pip"]
    requirements = checkout / "condaenv.requirements.txt"
    requirements.write_text("\n".join(packages), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:  # about 6 GB, which pytest would keep
        run(sys.executable, "-m", "venv", folder, cwd=checkout)
        python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        in_it = partial(run, python, "-m", cwd=checkout, env=without_helpers())
        in_it("pip", "install", "--quiet", "--no-cache-dir", "-r", requirements)
        in_it("pip", "check")
        listed = json.loads(in_it("pip", "list", "--format=json", "--disable-pip-version-check"))
        in_it("pytest", "--quiet", "tests/test_training.py", "-k", "plain_deeplay")
    versions = {canonicalize_name(entry["name"]): entry["version"] for entry in listed}
    assert {"mnist-lessons", "deeplay", "torch", "jupyterlab", "nbval"} <= versions.keys()
    for line in (checkout / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        assert versions.get(canonicalize_name(name), version) == version
