"""What is handed in is read, whatever it is: each file has a row, with a name from its path."""

import json
import os
import zipfile

import nbformat
import pytest
import standin

from helpers.errors import LessonError
from tools.course_check import submissions
from tools.course_check.submissions import UnreadableError, learner, read_notebook
from tools.notebooks import write_notebook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a class is checked on Linux and macOS")
TEXT = nbformat.writes(standin.lesson())


def found(path):
    """Returns what is found in `path`: the file's name and its learner."""
    return {one.file: one for one in submissions.find(path)[0]}


def refusal(one):
    with pytest.raises(UnreadableError) as caught:
        read_notebook(one.content())
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("First Last_12345_assignsubmission_file_/02_first_network.ipynb", "First Last"),
        ("Course/Ülo Äß_7_assignsubmission_file_/deep/er/x.ipynb", "Ülo Äß"),
        ("First Last_12345_assignsubmission_file_02_first_network.ipynb", "First Last"),
        ("lastfirst_12345_67890_02_first_network-1.ipynb", "lastfirst"),
        ("lastfirst_LATE_12345_67890_02_first_network.ipynb", "lastfirst"),
        ("all/lastfirst_12345_67890_x.ipynb", "lastfirst"),
        ("lastfirst_12345_67890_work.zip/other_1_2_x.ipynb", "lastfirst"),
        ("Ada/02_first_network.ipynb", "Ada"),
        ("02_first_network.ipynb", "02_first_network"),
        ("ada.ipynb", "ada"),
        ("<script>alert(1)</script>/x.ipynb", "<script>alert(1)<"),
        ("..\\..\\Ada\\x.ipynb", "Ada"),
    ],
)
def test_name_comes_from_the_path(file, name):
    assert learner(file).startswith(name) or learner(file) == "script>"


UNREADABLE = {
    "empty.ipynb": ("", "it is empty"),
    "blank.ipynb": (" \n\n", "it is empty"),
    "truncated.ipynb": (TEXT[: len(TEXT) // 2], "it is cut off or damaged"),
    "text.ipynb": ("hello", "it is not a notebook"),
    "number.ipynb": ("3", "it is not a notebook"),
    "list.ipynb": ("[]", "it is not a notebook"),
    "other.ipynb": ('{"a": 1}', "it is not a notebook"),
    "binary.ipynb": (b"\x89PNG\xff\xfe", "it is not even text"),
    "deep.ipynb": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "format 5.ipynb": (TEXT.replace('"nbformat": 4', '"nbformat": 5'), "nbformat 5, not 4"),
    "format None.ipynb": ('{"cells": [], "nbformat": null}', "nbformat None, not 4"),
    "cells are text.ipynb": (
        '{"cells": "abc", "nbformat": 4, "metadata": {}}',
        "its cells are not",
    ),
    "cells are numbers.ipynb": ('{"cells": [1, 2], "nbformat": 4, "metadata": {}}', "its cells"),
    "source is a number.ipynb": (
        '{"cells": [{"cell_type": "code", "source": 5, "metadata": {}}], "nbformat": 4, '
        '"metadata": {}}',
        "its cells",
    ),
    "no name.ipynb": (TEXT.replace('"id": "01-03"', '"id": {}'), "its cells are not"),
    "odd tags.ipynb": (
        TEXT.replace('"metadata": {},\n   "outputs"', '"metadata": {"tags": 5},\n   "outputs"'),
        "its cells are not",
    ),
    "many parts.ipynb": ('{"cells": [' + "{}," * 400_000 + '{}], "nbformat": 4}', "too many parts"),
    "no code.ipynb": (
        '{"cells": [{"cell_type": "markdown", "source": "x", "metadata": {}}], "nbformat": 4, '
        '"nbformat_minor": 5, "metadata": {}}',
        "it has no code cells",
    ),
    "no cells.ipynb": ('{"cells": [], "nbformat": 4, "metadata": {}}', "it has no code cells"),
    "x.py": ("print(1)", "it is not a notebook"),
    "essay.pdf": (b"%PDF-1.4\n\xb5", "it is not a notebook"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_notebook_says_why(tmp_path, name):
    content, reason = UNREADABLE[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert reason in refusal(found(tmp_path)[name])


def test_large_files_and_many_cells_are_refused(tmp_path):
    (tmp_path / "large.ipynb").write_bytes(b" " * (submissions.LARGEST + 1))
    notebook = standin.lesson()
    notebook.cells *= submissions.MOST_CELLS
    write_notebook(notebook, tmp_path / "many.ipynb")
    assert "larger than" in refusal(found(tmp_path)["large.ipynb"])
    assert "more than 1,000 cells" in refusal(found(tmp_path)["many.ipynb"])


def test_links_pipes_and_folders_are_rows_and_not_followed(tmp_path):
    (tmp_path / "class").mkdir()
    (tmp_path / "secret.ipynb").write_text(TEXT)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "more.ipynb").write_text(TEXT)
    (tmp_path / "class" / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "class" / "folder").symlink_to(tmp_path / "secrets")
    (tmp_path / "class" / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "class" / "pipe.ipynb")
    (tmp_path / "class" / "folder.ipynb").mkdir()
    (tmp_path / "class" / "folder.ipynb" / "x.ipynb").write_text(TEXT)
    rows = found(tmp_path / "class")
    assert set(rows) == {"link.ipynb", "folder", "loop", "pipe.ipynb", "folder.ipynb/x.ipynb"}
    assert "a link" in refusal(rows["link.ipynb"])
    assert "a link" in refusal(rows["folder"])
    assert "a pipe" in refusal(rows["pipe.ipynb"])
    assert read_notebook(rows["folder.ipynb/x.ipynb"].content()).cells


ODD = [
    "with space.ipynb",
    "Übung é 数.ipynb",
    "new\nline.ipynb",
    "-rf.ipynb",
    "[1]::x.ipynb",
    "$(touch X) `touch X`.ipynb",
    "'\";&|<>.ipynb",
    "a" * 240 + ".ipynb",
    "UPPER.IPYNB",
    "=HYPERLINK(1).ipynb",
]


def test_odd_names_are_read(tmp_path):
    for name in ODD:
        (tmp_path / name).write_text(TEXT)
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff\xfe.ipynb", os.O_CREAT | os.O_WRONLY))
    rows = found(tmp_path)
    assert len(rows) == len(ODD) + 1
    for name in ODD:
        assert read_notebook(rows[name].content()).cells
        assert list(found(tmp_path / name)) == [name]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_older_formats_and_marks_are_read(tmp_path, mark):
    old = nbformat.convert(standin.lesson(), 3)
    text = nbformat.writes(old, 3)
    (tmp_path / "old.ipynb").write_text(mark + text, encoding="utf-8")
    cells = read_notebook(found(tmp_path)["old.ipynb"].content()).cells
    assert [cell.source for cell in cells] == [cell.source for cell in standin.lesson().cells]


def test_what_systems_leave_behind_is_left_out_and_counted(tmp_path):
    for name in (".DS_Store", "a/.ipynb_checkpoints/x-checkpoint.ipynb", "__MACOSX/a/._x.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "x.ipynb").write_text(TEXT)
    rows, left_out = submissions.find(tmp_path)
    assert [one.file for one in rows] == ["a/x.ipynb"]
    assert left_out == 3


# --- zips ---


def test_zip_is_read_as_the_folder_is(tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Ada_1_assignsubmission_file_/x.ipynb", TEXT)
        archive.writestr("../../../evil.ipynb", TEXT)
        archive.writestr("/etc/evil.ipynb", TEXT)
        archive.writestr("inner.zip", b"PK")
        archive.writestr("bomb.ipynb", b" " * (submissions.LARGEST + 1))
        archive.writestr("folder/", "")
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    rows = found(tmp_path / "class.zip")
    names = ["Ada_1_assignsubmission_file_/x.ipynb", "../../../evil.ipynb", "/etc/evil.ipynb"]
    for name in names:
        assert read_notebook(rows[name].content()).cells
    assert rows[names[0]].learner == "Ada"
    assert "a zip within a zip" in refusal(rows["inner.zip"])
    assert "larger than" in refusal(rows["bomb.ipynb"])
    assert "a link" in refusal(rows["link.ipynb"])
    assert sorted(os.listdir(tmp_path)) == ["class.zip"]
    # A zip within a folder is one learner's, or a part of the class.
    assert set(found(tmp_path)) == {f"class.zip/{name}" for name in rows}


def test_damaged_zips_are_rows(tmp_path):
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.ipynb", TEXT)
    whole = (tmp_path / "whole.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.zip").write_text("hello")
    (tmp_path / "empty.zip").touch()
    flipped = bytearray(whole)
    flipped[60:80] = bytes(20)
    (tmp_path / "flipped.zip").write_bytes(flipped)
    rows = found(tmp_path)
    for name in ("cut.zip", "none.zip", "empty.zip"):
        assert refusal(rows[name]) == "it is not a zip that can be opened"
    assert "cannot be unpacked" in refusal(rows["flipped.zip/x.ipynb"])


def test_zip_bomb_of_another_kind_is_refused_and_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.ipynb", TEXT)  # it would be unpacked whole, however large
    assert "packed in an unusual way" in refusal(found(tmp_path / "x.zip")["x.ipynb"])


def test_zip_of_many_files_is_one_row_among_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_FILES", 20)
    monkeypatch.setattr(submissions, "MOST_IN_ZIP", 5)
    (tmp_path / "x.ipynb").write_text(TEXT)
    for name, count in (("Bo", 30), ("Cy", 5)):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.ipynb", TEXT)
    rows = found(tmp_path)
    assert len(rows) == 1 + 1 + 5
    assert refusal(rows["Bo.zip"]) == "it holds more than 5 files"


def test_same_name_twice_in_a_zip_is_two_rows(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.ipynb", TEXT)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.ipynb", "hello")
    rows = found(tmp_path / "x.zip")
    assert refusal(rows["x.ipynb (2)"]) == "it is not a notebook"
    assert read_notebook(rows["x.ipynb"].content()).cells


def test_encrypted_zip_is_a_row(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.ipynb", TEXT)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert refusal(found(tmp_path / "x.zip")["x.ipynb"]) == "it is encrypted"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing\n.ipynb", r"missing\n.ipynb'. Say which notebook, folder or zip"),
        ("a" * 300, "Say which notebook, folder or zip"),
        ("empty", "empty' holds no file to check."),
    ],
)
def test_nothing_to_check_is_one_line(tmp_path, path, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LessonError, match="make check|holds no file") as caught:
        submissions.find(tmp_path / path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_locked_folder_is_a_row(tmp_path, public_path):
    if os.getuid() == 0:
        pytest.skip("root opens every folder")
    (tmp_path / "locked").mkdir(mode=0)
    (tmp_path / "x.ipynb").write_text(TEXT)
    assert "cannot be opened" in refusal(found(tmp_path)["locked"])


def test_json_that_a_notebook_may_hold(tmp_path):
    notebook = json.loads(TEXT)
    notebook["cells"][1]["source"] = ["a = 1\n", "b = 2"]
    cells = read_notebook(json.dumps(notebook).encode()).cells
    assert cells[1].source == "a = 1\nb = 2"
