"""What was handed in: a notebook, a folder of them as a learning platform lays it out, or a zip.

Nothing is unpacked, imported or followed: each file is read once, as bytes, and every file gets a
row, also what is no notebook.
"""

from __future__ import annotations

import functools
import json
import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import nbformat.reader
from nbformat import NotebookNode

from helpers import storage
from helpers.errors import LessonError

LARGEST = 16 * 2**20  # bytes of one notebook; the lessons' have one or two million
MOST_CELLS = 1000
MOST_PARTS = 300_000  # lists and objects, each of which takes many times its room in the file
LARGEST_ZIP = 2**30
MOST_FILES = 10_000
MOST_IN_ZIP = 500  # of a zip within a folder, which may be one learner's
# Left by systems and programs, not handed in by anybody.
LEFT_BEHIND = re.compile(
    r"(^|/)(__MACOSX|\.ipynb_checkpoints|\.git)/|(^|/)(\.DS_Store|Thumbs\.db)$"
)
MOODLE = re.compile(r"(?P<learner>.+?)_\d+_assignsubmission_(?:file|onlinetext)_?")
CANVAS = re.compile(r"(?P<learner>[^_/]+?)(?:_LATE)?_\d+_\d+_.+")


class UnreadableError(Exception):
    """A file is no notebook that could be checked; says why."""


@dataclass(frozen=True)
class Submission:
    """A file that was handed in.

    Attributes:
        file: Its path within what was given to check.
        learner: Whose it is, as far as the path tells.
        content: Reads it; raises UnreadableError or OSError.
    """

    file: str
    learner: str
    content: Callable[[], bytes]


def find(path: Path) -> tuple[list[Submission], int]:
    """Return the files in `path`, in order, and how many of systems and programs were left out.

    Args:
        path: A notebook, a folder, or a zip of one.

    Raises:
        LessonError: There is no such path, it cannot be opened, or it holds no file.
    """
    if not os.path.lexists(path):
        raise LessonError(
            f"There is no {str(path)!r}. Say which notebook, folder or zip: "
            "make check NOTEBOOK=notebooks/01_data.ipynb"
        )
    try:
        found = list(_in_folder(path) if path.is_dir() else _in_file(path, path.name, ""))
    except OSError as error:
        raise LessonError(f"{str(path)!r} cannot be opened: {error.strerror}.") from error
    kept = [one for one in found if not LEFT_BEHIND.search(one.file)]
    if not kept:
        raise LessonError(f"{str(path)!r} holds no file to check.")
    if len(kept) > MOST_FILES:
        raise LessonError(
            f"{str(path)!r} holds more than {MOST_FILES:,} files: check a part of it."
        )
    return sorted(kept, key=lambda one: one.file), len(found) - len(kept)


def _in_folder(folder: Path) -> Iterator[Submission]:
    locked: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=locked.append):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in [*names, *links]:
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            yield from _in_file(path, relative, f"{relative}/")
    for error in locked:
        if error.filename == str(folder):
            raise error
        relative = Path(error.filename).relative_to(folder).as_posix()
        reason = f"its folder cannot be opened: {error.strerror}"
        yield Submission(relative, learner(relative), _refuse(reason))


def _in_file(path: Path, name: str, before: str) -> Iterator[Submission]:
    """Yield the submission that a file is, or those in it if it is a zip, with `before` it."""
    if not name.lower().endswith(".zip") or not stat.S_ISREG(os.lstat(path).st_mode):
        yield Submission(name, learner(name), functools.partial(_read, path))
        return
    try:
        yield from _in_zip(path, before, MOST_IN_ZIP if before else MOST_FILES)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        yield Submission(name, learner(name), _refuse("it is not a zip that can be opened"))


def _in_zip(path: Path, before: str, most: int) -> Iterator[Submission]:
    if path.stat().st_size > LARGEST_ZIP:
        raise ValueError("too large")
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > most:
        name = before.rstrip("/") or path.name
        yield Submission(name, learner(name), _refuse(f"it holds more than {most:,} files"))
        return
    seen: Counter[str] = Counter()
    for entry in entries:
        seen[entry.filename] += 1
        again = f" ({seen[entry.filename]})" if seen[entry.filename] > 1 else ""
        name = f"{before}{entry.filename}{again}"
        yield Submission(name, learner(name), functools.partial(_unzip, path, entry))


def _unzip(path: Path, entry: zipfile.ZipInfo) -> bytes:
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise UnreadableError("it is a link, not a file")
    if entry.filename.lower().endswith(".zip"):
        raise UnreadableError("it is a zip within a zip: unpack it")
    if entry.flag_bits & 1:
        raise UnreadableError("it is encrypted")
    # The others are unpacked whole: a few bytes could become all the memory that there is.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableError("it is packed in an unusual way: unpack it")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
            content = file.read(LARGEST + 1)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, RuntimeError) as error:
        raise UnreadableError(f"it cannot be unpacked: {error}") from error
    except Exception as error:  # zlib's and lzma's own
        raise UnreadableError("it cannot be unpacked: it is damaged") from error
    if len(content) > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MB")
    return content


def _read(path: Path) -> bytes:
    try:
        return storage.read(path, LARGEST)
    except storage.NotPlainError as error:
        raise UnreadableError(f"it is {error.strerror}") from error
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from error


def _refuse(reason: str) -> Callable[[], bytes]:
    def refuse() -> bytes:
        raise UnreadableError(reason)

    return refuse


def learner(file: str) -> str:
    """Return whose file it is, as far as its path tells: Moodle's, Canvas's, or a folder's name."""
    parts = PurePosixPath(file.replace("\\", "/")).parts
    for part in parts:
        if match := MOODLE.match(part):
            return match["learner"]
    for part in parts[:-1]:  # what a learner put into a zip says nothing of whose it is
        if part.lower().endswith(".zip") and (match := CANVAS.fullmatch(part)):
            return match["learner"]
    if match := CANVAS.fullmatch(parts[-1] if parts else ""):
        return match["learner"]
    # The folder next to the file: those above it may be a course's or a platform's.
    return parts[-2] if len(parts) > 1 else PurePosixPath(file).stem


def read_notebook(content: bytes) -> NotebookNode:
    """Return the notebook that a file's content is, brought to today's format.

    Raises:
        UnreadableError: It is none, or none with code in it.
    """
    if not content.strip():
        raise UnreadableError("it is empty")
    try:
        text = content.decode("utf-8-sig")
        if text.count("{") + text.count("[") > MOST_PARTS:
            raise UnreadableError("it is not a notebook: it has too many parts")
        found = json.loads(text)
    except UnicodeDecodeError as error:
        raise UnreadableError("it is not a notebook: it is not even text") from error
    except RecursionError as error:
        raise UnreadableError("it is not a notebook: it is nested too deeply") from error
    except ValueError as error:
        cut = text.lstrip().startswith("{") and '"cells"' in text
        raise UnreadableError(
            "it is cut off or damaged: its JSON does not end" if cut else "it is not a notebook"
        ) from error
    if not isinstance(found, dict) or not ("cells" in found or "worksheets" in found):
        raise UnreadableError("it is not a notebook")
    if found.get("nbformat") not in (3, 4):
        raise UnreadableError(f"its format is nbformat {found.get('nbformat')!r:.20}, not 4")
    try:
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        for cell in notebook.cells:
            cell.source = "".join(cell.get("source", ""))
            tags = cell.metadata.get("tags", [])
            if not (isinstance(cell.get("id", ""), str) and isinstance(tags, list)):
                raise TypeError
            if not isinstance(cell.cell_type, str):
                raise TypeError
    except Exception as error:  # what a wrong structure makes of nbformat's inside
        raise UnreadableError("its cells are not those of a notebook") from error
    if not any(cell.cell_type == "code" for cell in notebook.cells):
        raise UnreadableError("it has no code cells")
    if len(notebook.cells) > MOST_CELLS:
        raise UnreadableError(f"it has more than {MOST_CELLS:,} cells")
    return notebook
