"""Which newer releases of the packages the caps in pyproject.toml hold back."""

import itertools
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.errors import LessonError
from tools import ROOT


def held_back(newest: dict[str, str], requirements: Iterable[str]) -> str:
    """Says in one line which releases the packages' caps hold back.

    Args:
        newest: The newest release of each package that has a newer one than is installed.
        requirements: What the project takes, for example "nbval>=0.11,<0.12".
    """
    newest = {canonicalize_name(name): version for name, version in newest.items()}
    held = []
    for requirement in map(Requirement, requirements):
        version = newest.get(canonicalize_name(requirement.name))
        caps = ",".join(str(part) for part in requirement.specifier if part.operator != ">=")
        if version and caps and not requirement.specifier.contains(version):
            held.append(f"{requirement.name} {version} is out, the lessons take {caps}")
    return "held back: " + ("; ".join(held) or "nothing")


def held() -> None:
    """Prints what the caps in pyproject.toml hold back from this Python's packages."""
    command = ["pip", "list", "--outdated", "--format=json", "--disable-pip-version-check"]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, encoding="utf-8")
    if done.returncode:
        raise LessonError(f"pip could not list the newer releases: {done.stderr.strip()}")
    newest = {package["name"]: package["latest_version"] for package in json.loads(done.stdout)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    print(held_back(newest, [*project["dependencies"], *itertools.chain(*extras)]))
