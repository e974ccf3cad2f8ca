"""The project's address, and the parts of README.md that are made."""

import pytest

from helpers.errors import LessonError
from helpers.results import EXPECTED
from tools import ROOT, addresses

PYPROJECT = addresses.REPOSITORY_LINE.sub(
    f'Repository = "{addresses.NOT_WRITTEN}not-written-yet"',
    (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
)


def test_readme_table_has_a_row_for_each_step():
    readme = addresses.with_journey("before\n<!-- journey -->\nold\n<!-- /journey -->\nafter\n")
    steps = [expected for expected in EXPECTED.values() if expected.journey]
    assert "old" not in readme
    assert readme.count("\n| [") == len(steps)
    assert all(str(step) in readme and step.label in readme for step in steps)
    assert addresses.with_journey(readme) == readme


# --- the project's address -----------------------------------------------------------------------


def test_address_is_written_once_and_read_back():
    written = addresses.write_address(PYPROJECT, "ada/mnist-lessons")
    assert addresses.read_address(written) == "https://github.com/ada/mnist-lessons"
    assert addresses.write_address(written, "ada/mnist-lessons") == written
    assert addresses.read_address(
        addresses.write_address(written, "file://localhost/tmp/a.git")
    ) == ("file://localhost/tmp/a.git")
    assert len(written.splitlines()) == len(PYPROJECT.splitlines())


# It ends in a line that IPython and a shell read.

OTHERS = "https://other.host/path/to/repo"


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        *[
            (written, "https://github.com/ada/mnist-lessons")
            for written in (
                "ada/mnist-lessons",
                "ada/mnist-lessons/",
                "ada/mnist-lessons.git",
                "https://github.com/ada/mnist-lessons",
                "https://github.com/ada/mnist-lessons/",
                "https://github.com/ada/mnist-lessons.git",
                "https://github.com/ada/mnist-lessons.git/",
            )
        ],
        ("Ada-L_corp/.github", "https://github.com/Ada-L_corp/.github"),
        ("a/_x.y-z..1", "https://github.com/a/_x.y-z..1"),
        (f"{'o' * 39}/{'n' * 100}", f"https://github.com/{'o' * 39}/{'n' * 100}"),
        (OTHERS, OTHERS),
        (f"{OTHERS}/", OTHERS),
        (f"{OTHERS}.git", f"{OTHERS}.git"),
        ("https://git/x", "https://git/x"),
        ("https://gitlab.com/tree/main", "https://gitlab.com/tree/main"),
        ("https://192.0.2.1/x", "https://192.0.2.1/x"),
        ("file://localhost/tmp/a.git", "file://localhost/tmp/a.git"),
        ("file://localhost/C:/Temp/a.git", "file://localhost/C:/Temp/a.git"),
    ],
)
def test_address_of_a_repository_is_taken(repository, address):
    assert addresses.read_address(addresses.write_address(PYPROJECT, repository)) == address


SIGNS = [chr(code) for code in range(128) if not (chr(code).isalnum() or chr(code) in "._-/")]
WRONG = [
    # what a shell, IPython or pip would read
    "https://h/x$(touch${IFS}y)",
    "https://h/x;touch",
    "https://h/`touch`",
    "https://h/{repository}",
    "https://h/$name",
    'https://h/x"',
    "https://h/x@main",
    "https://h/x#egg=y",
    "https://h/x?y",
    "https://h/x%20y",
    "https://h/x\n",
    "ada/x\n",
    "\nada/x",
    " ada/x",
    # what looks like another thing, or is none
    "https://h/x\u202ey",
    "ada/le\u00e7ons",
    "https://g\u0456thub.com/ada/x",
    "ada/x\u00a0",
    "\uff41da/x",
    "ada/\u0661",
    # what leads elsewhere
    "a/..",
    "a/.",
    "a/...",
    "../a",
    "./a",
    "/a/b",
    "a//b",
    "https://h/a/../b",
    "https://h/a/./b",
    "https://h/..",
    "https://h//a",
    "https://h/a//",
    "https://github.com/ada/x/tree/main",
    "https://github.com/ada/x/blob/main/README.md",
    "https://github.com/ada/x/issues",
    "https://github.com/ada",
    "https://github.com/",
    "https://github.com",
    "https://www.github.com/ada/x",
    "https://gitlab.com/ada/x/-/tree/main",
    "https://codeberg.org/ada/x/tree/main",
    "ada/x/tree/main",
    "github.com/ada/x",
    # names that cannot be
    "ada/x.git.git",
    "ada/.git",
    "ada/",
    "/x",
    "owner/-x",
    "https://h/-x",
    "https://h/a/-x",
    "-owner/x",
    "owner-/x",
    "own--er/x",
    "ow.ner/x",
    f"{'o' * 40}/x",
    f"ada/{'n' * 101}",
    f"https://h/{'n' * 101}",
    "https://h" + "/abc" * 80,
    # other ways to get there
    "https://user:password@github.com/ada/x",
    "https://token@h/x",
    "https://github.com:443/ada/x",
    "https://h:8080/x",
    "https://h./x",
    "https://-h/x",
    "https:///x",
    "https://",
    "http://github.com/ada/x",
    "HTTPS://github.com/ada/x",
    "ssh://git@github.com/ada/x",
    "git@github.com:ada/x.git",
    "git+https://github.com/ada/x",
    "file:///tmp/x",
    "file://server/x",
    "file://localhost/tmp/../x",
    "file://localhost/tmp/CC:/x",
    "javascript://h/x",
    "",
    "/",
    ".git",
    "ada",
    "a/b/c",
    "-a/b",
    "a b/c",
    'https://x/"; rm',
    "ssh://x/y",
]


@pytest.mark.parametrize("repository", WRONG, ids=ascii)
def test_anything_else_is_refused_in_one_line(repository):
    with pytest.raises(LessonError, match="owner/name") as refused:
        addresses.write_address(PYPROJECT, repository)
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
@pytest.mark.parametrize("good", ["ada/x", "https://github.com/ada/x", "https://h/a/b"])
def test_no_sign_that_a_shell_or_ipython_reads_is_taken(good, sign):
    for place in range(len(good) + 1):
        with pytest.raises(LessonError, match="owner/name"):
            addresses.write_address(PYPROJECT, good[:place] + sign + good[place:])


def test_address_that_somebody_wrote_by_hand_is_read_as_strictly():
    for wrong in ("https://h/x$(touch${IFS}y)", "https://github.com/ada/x/tree/main", "", "x"):
        by_hand = PYPROJECT.replace(f"{addresses.NOT_WRITTEN}not-written-yet", wrong)
        with pytest.raises(LessonError, match="make colab REPOSITORY=owner/name"):
            addresses.read_address(by_hand)


def test_there_is_one_line_to_write_the_address_in():
    without = addresses.REPOSITORY_LINE.sub("", PYPROJECT)
    with pytest.raises(LessonError, match="0 lines like Repository"):
        addresses.write_address(without, "ada/x")
    with pytest.raises(LessonError, match="2 lines like Repository"):
        addresses.write_address(PYPROJECT + '\nRepository = "y"\n', "ada/x")
    with pytest.raises(LessonError, match="make colab REPOSITORY=owner/name"):
        addresses.read_address(without)
