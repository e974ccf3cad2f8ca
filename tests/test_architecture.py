"""ARCHITECTURE.md: each room imports what it says there, and each path named there exists."""

import ast
import re

import pytest

from tools import ROOT

PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROOMS = {
    "helpers": {"helpers"},
    "lessons": {"helpers"},
    "tools": {"helpers", "tools"},
    "benchmarks": {"benchmarks", "helpers", "tools"},
    "docs": {"helpers", "tools"},
}
PATHS = sorted(
    path
    for path in set(re.findall(r"`([\w.-]+(?:/[\w.-]*)*)`", PAGE))
    if "/" in path or re.search(r"\.(md|toml|txt)$|^Makefile$", path)
)


def levels(room):
    """Returns the height of each module in the page's picture of `room`; the lowest line is 0."""
    picture = re.search(rf"(?s)```{room}\n(.*?)```", PAGE)[1].splitlines()
    names = [line.split("  ")[0].split() for line in reversed(picture)]
    return {name: height for height, line in enumerate(names) for name in line}


def imports(path):
    """Yields the full names of the modules and values that the file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(room, path, heights):
    """Returns what the module in `path` imports of its room from beside or above itself."""
    own = path.relative_to(ROOT / room).parts[0].removesuffix(".py")
    found = {name.split(".")[1] for name in imports(path) if name.startswith(f"{room}.")}
    return {name for name in found - {own} if name in heights and heights[name] >= heights[own]}


def modules(room):
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_the_rooms_that_it_may(room):
    others = {path.name for path in ROOT.iterdir() if path.is_dir()} - ROOMS[room]
    assert modules(room)
    for path in modules(room):
        found = {name.split(".")[0] for name in imports(path)}
        assert found.isdisjoint(others), path.relative_to(ROOT)


@pytest.mark.parametrize("room", ["helpers", "tools"])
def test_picture_has_every_module(room):
    there = {
        path.stem
        for path in (ROOT / room).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert levels(room).keys() == there - {"__init__"}


@pytest.mark.parametrize("room", ["helpers", "tools"])
def test_module_imports_only_what_stands_below_it(room):
    heights = levels(room)
    for path in modules(room):
        if path != ROOT / room / "__init__.py":
            assert upward(room, path, heights) == set(), path.relative_to(ROOT)


def test_an_import_that_goes_up_would_be_found(tmp_path, monkeypatch):
    monkeypatch.setattr("test_architecture.ROOT", tmp_path)
    (tmp_path / "helpers").mkdir()
    wrong = tmp_path / "helpers" / "given.py"
    wrong.write_text("def f():\n    from helpers import errors\n    import helpers.plotting.page\n")
    assert upward("helpers", wrong, levels("helpers")) == {"plotting"}
    wrong.write_text("from helpers import config, training\n")
    assert upward("helpers", wrong, levels("helpers")) == {"training"}


@pytest.mark.parametrize("path", PATHS)
def test_path_exists(path):
    assert (ROOT / path).exists()


def test_the_page_names_paths():
    assert len(PATHS) > 30


@pytest.mark.parametrize("path", re.findall(r"`(\w+\.py)`", PAGE))
def test_module_of_the_course_check_exists(path):
    assert (ROOT / "tools" / "course_check" / path).exists()


def test_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)", PAGE)):
        assert f"\n{target}:" in makefile
