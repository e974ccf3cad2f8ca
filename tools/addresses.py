"""The project's address, and what is made from it: badges, set-up cells, README's made parts."""

import re
import tomllib
from collections.abc import Mapping

from helpers.errors import LessonError
from helpers.results import EXPECTED
from tools import LESSONS

NOT_WRITTEN = "https://example.org/"  # a domain reserved for examples: the address is not known yet
GITHUB = "https://github.com/"
WRITE_IT = "`make colab REPOSITORY=owner/name`"

SETUP = """\
# On Colab and Kaggle this installs the lessons' helpers and digits; elsewhere it changes nothing.
import importlib.util, os, sys

repository = "{address}"  # written by `make colab`
class SetupError(ImportError):
    _render_traceback_ = lambda self: [str(self)]  # one line instead of a traceback

for name in ("helpers", "deeplay", "deeptrack", "lightning", "matplotlib", "numpy", "torch"):
    spec = importlib.util.find_spec(name)
    file = spec and (spec.origin or list(spec.submodule_search_locations)[0])
    beside = file and os.path.dirname(file) in (os.getcwd(), os.path.abspath(name))
    if beside and not os.path.exists("helpers/mnist.npz"):  # in the project's folder they are ours
        raise SetupError(f"{{file}} hides the lessons' {{name}}: rename it and restart the kernel.")
if importlib.util.find_spec("helpers") is None:
    if "google.colab" not in sys.modules and "KAGGLE_KERNEL_RUN_TYPE" not in os.environ:
        raise SetupError("This kernel has no helpers: start with `make lab`, see the README.")
    if not repository:
        raise SetupError("The lessons' owner has to run `make colab REPOSITORY=owner/name` first.")
    print(f"Installing the lessons' helpers and digits from {{repository}} ...")
    %pip install --quiet "git+{{repository}}\""""


# What an address may hold. It ends in a line that IPython and a shell read, so what is not listed
# here is refused: no $, quotes, braces, spaces, @, %, ?, #, and nothing outside of ASCII.
OWNER = r"(?=.{1,39}/)[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*"  # 39: GitHub's own limit
NAME = r"(?!\.+(?:/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}"
HOST = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ADDRESS = re.compile(
    rf"https://github\.com/{OWNER}/{NAME}(?<!\.git)"
    rf"|https://(?!(?:www\.)?github\.com/){HOST}(?:\.{HOST})*(?:/{NAME})+"
    rf"|file://localhost(?:/[A-Za-z]:)?(?:/{NAME})+"
)
LONGEST_ADDRESS = 255
PAGE = re.compile(r"://[^/]+/.+/(tree|blob)/")  # of a repository's file or branch
REPOSITORY_LINE = re.compile(r'(?m)^Repository = ".*"$')


def is_address(address: str) -> bool:
    """Returns whether `address` is the whole, tidy address of a repository."""
    return (
        len(address) <= LONGEST_ADDRESS
        and ADDRESS.fullmatch(address) is not None
        and PAGE.search(address) is None
    )


def read_address(pyproject: str) -> str | None:
    """Returns the project's address that `pyproject` (the file's text) holds, None before it is.

    Raises:
        LessonError: If there is none, or one that `write_address` would not have written.
    """
    urls = tomllib.loads(pyproject)["project"].get("urls", {})
    address: str = urls.get("Repository", "")
    if address.startswith(NOT_WRITTEN):
        return None
    if not is_address(address):
        raise LessonError(
            f"The line Repository in pyproject.toml holds {address!a}, which is not the address "
            f"of a repository: write it with {WRITE_IT}."
        )
    return address


def write_address(pyproject: str, repository: str) -> str:
    """Returns the text `pyproject` with the project's address replaced.

    Args:
        pyproject: The text of pyproject.toml.
        repository: `owner/name` on GitHub, or a whole address (`https://…`, `file://localhost/…`).

    Raises:
        LessonError: If `repository` is neither, or `pyproject` has no line for it.
    """
    address = repository.removesuffix("/")
    if "://" not in address:
        address = GITHUB + address
    if address.startswith(GITHUB):
        address = address.removesuffix(".git")
    if not is_address(address):
        shown = repository if len(repository) <= 100 else repository[:100] + "..."
        raise LessonError(
            f"{shown!a} is not the address of a repository: give owner/name as on GitHub, for "
            "example make colab REPOSITORY=ada/mnist-lessons, or https://host/path/name with "
            "letters, digits, '.', '_' and '-' in it and nothing else"
        )
    written, count = REPOSITORY_LINE.subn(lambda _: f'Repository = "{address}"', pyproject)
    if count != 1:
        raise LessonError(
            f'pyproject.toml has {count} lines like Repository = "…", where one was expected: '
            "put it below [project.urls] as it was."
        )
    return written


def setup_cell(address: str | None) -> str:
    """Returns the source of the set-up cell, the same in every lesson."""
    return SETUP.format(address=address or "")


def badge(name: str, address: str | None, folder: str = "notebooks") -> str:
    """Returns the Markdown line that opens `folder/name.ipynb` on Colab."""
    if address is None or not address.startswith(GITHUB):
        return f"*Open in Colab: a badge stands here once the maintainer has run {WRITE_IT}.*"
    page = address.removeprefix(GITHUB)
    return (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{page}/blob/main/{folder}/{name}.ipynb)"
    )


# --- the parts of README.md that are made


def with_journey(readme: str) -> str:
    """Returns the text `readme` with its table of what accuracy to expect written anew."""
    rows = ["| lesson | test accuracy of | expected |", "| --- | --- | --- |"]
    for expected in filter(lambda expected: expected.journey, EXPECTED.values()):
        name = LESSONS[expected.lesson - 1]
        link = f"[{expected.lesson}](notebooks/{name}.ipynb)"
        rows.append(f"| {link} | {expected.label} | {expected} |")
    table = "\n".join(rows)
    pattern = r"(?s)(<!-- journey -->\n).*?(<!-- /journey -->)"
    return re.sub(pattern, lambda match: f"{match[1]}\n{table}\n\n{match[2]}", readme)


def with_times(page: str, reading: Mapping[str, int], running: Mapping[str, float]) -> str:
    """Returns the text `page` with its table of how long the lessons take written anew.

    Args:
        page: The teachers' page.
        reading: The minutes that each lesson takes to read.
        running: The seconds that the lessons took when they were executed, those that are known.
    """
    rows = ["| lesson | minutes to read | seconds to run |", "| --- | ---: | ---: |"]
    for name, minutes in reading.items():
        seconds = f"{running[name]:.0f}" if name in running else "not measured yet"
        rows.append(f"| [{name}](lessons/{name}.ipynb) | {minutes} | {seconds} |")
    table = "\n".join(rows)
    pattern = r"(?s)(<!-- times -->\n).*?(<!-- /times -->)"
    return re.sub(pattern, lambda match: f"{match[1]}\n{table}\n\n{match[2]}", page)


def with_address(readme: str, address: str | None) -> str:
    """Returns the text `readme` with the address to clone the project from."""
    address = address or f"{GITHUB}OWNER/NAME"
    return re.sub(r"(?m)(^git clone )\S+", lambda match: match[1] + address, readme)
