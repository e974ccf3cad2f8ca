"""The files that the lessons keep: where, if not beside the notebook, and how they are written.

A reader finds the earlier file or the whole new one, never a part; and nothing is read or written
through a link, a pipe or a device that stands where a file should be.
"""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

import platformdirs

from helpers.errors import LessonError, shown

Kept = TypeVar("Kept")

# What the lessons make beside the notebook: the folder of digits; results and networks.
DIGITS, SAVED = Path("MNIST_dataset"), Path("saved")

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, *FULL)

KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# Where networks were loaded from in this process: a result out of its range may be theirs.
networks_loaded: dict[Path, None] = {}
_said: set[str] = set()


class NotPlainError(OSError):
    """Something that is no ordinary file of a plausible size; `strerror` says what it is."""


def given_path(path: object, what: str, example: str) -> Path:
    """Return the path that a learner gave, with `~` as the home folder.

    Args:
        path: What was given.
        what: What it should name: "a folder", "a file".
        example: Such a name.

    Raises:
        LessonError: It is no path, or `~name` names no user.
    """
    try:
        text = os.fspath(path)  # type: ignore[call-overload]
        if isinstance(text, str) and text and min(text) >= " ":
            os.fsencode(text)
            return Path(text).expanduser()
    except (TypeError, ValueError):
        pass
    except RuntimeError as error:  # of expanduser
        raise LessonError(
            f"path is {shown(path)}, but there is no such user here. Write the path of {what} "
            f'without ~, such as "{example}".'
        ) from error
    raise LessonError(
        f'path is {shown(path)}, but it must be the path of {what}, such as "{example}".'
    )


# Where


def stand_in(path: Path) -> Path | None:
    """Return where the user's own data folder keeps what cannot be kept at `path`.

    That is for the lessons' own places beside the notebook, and None for any path that a learner
    chose. All folders of lessons share the digits; results and networks are kept apart.
    """
    if path != DIGITS and (path.parts[:1] != SAVED.parts or ".." in path.parts):
        return None
    data = Path(platformdirs.user_data_dir("mnist-lessons", appauthor=False))
    if path == DIGITS:
        return data / path
    try:
        here = Path.cwd()
    except FileNotFoundError as error:
        raise LessonError(
            "The folder of this notebook is gone, or was replaced: open the notebook where it is "
            "now, and restart its kernel."
        ) from error
    return data / f"{here.name}-{hashlib.sha256(os.fsencode(here)).hexdigest()[:8]}" / path


def find(path: Path) -> Path:
    """Return where what belongs at `path` is: the stand-in, which is always the newer, or `path`.

    Raises:
        OSError: A folder on the way to the stand-in may not be entered.
    """
    other = stand_in(path)
    return path if other is None or not other.exists() else other


def keep(path: Path, write: Callable[[Path], Kept]) -> Kept:
    """Call `write(path)`; where that cannot be written, say so, and write the stand-in.

    Returns:
        What `write` returned.

    Raises:
        OSError: There is no stand-in for `path`, or (then it is the cause) it failed as well.
    """
    try:
        kept = write(path)
    except OSError as error:
        other = stand_in(path)
        if other is None or error.errno not in UNWRITABLE:
            raise
        try:
            other.parent.mkdir(parents=True, exist_ok=True)
            kept = write(other)
        except OSError as another:
            raise error from another
        say_once(f"{path} cannot be kept here ({reason(error)}), so it is kept as {other}.")
        return kept
    superseded = stand_in(path)
    if superseded is not None:
        with suppress(OSError):  # the digits' stand-in is a folder, and stays
            superseded.unlink()
    return kept


def say_once(line: str) -> None:
    """Print a line, the first time only in this process."""
    if line not in _said:
        _said.add(line)
        print(line)


def reason(error: OSError) -> str:
    """Say in a part of a line what was the matter, with which file."""
    where = error.filename
    if isinstance(error, NotPlainError):
        text = f"{where} is {error.strerror}"
    elif error.errno in FULL:
        text = f"the disk is full ({error.strerror})"
    elif error.errno in UNWRITABLE:
        text = f"no permission for {where}" if where else "no permission"
    elif isinstance(error, NotADirectoryError | FileExistsError | IsADirectoryError):
        text = f"{where} is in the way, a file where a folder should be or the other way round"
    else:
        text = str(error)
    if isinstance(error.__cause__, OSError):
        text += f"; in your own data folder: {reason(error.__cause__)}"
    return text


# How


def check_plain(path: Path) -> None:
    """Make sure that an ordinary file, or nothing yet, is at `path`.

    Raises:
        NotPlainError: It is something else.
    """
    with suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            what = KINDS.get(stat.S_IFMT(mode), "something else")
            raise NotPlainError(errno.EINVAL, f"{what}, not an ordinary file", str(path))


def is_folder(path: Path) -> bool:
    """Say whether a folder is at `path` (True), or nothing yet (False).

    Raises:
        NotPlainError: It is a link, even one to a folder.
        NotADirectoryError: It is something else.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode):
        raise NotPlainError(errno.ELOOP, KINDS[stat.S_IFLNK], str(path))
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return True


def open_plain(path: Path) -> BinaryIO:
    """Open an ordinary file for reading, without waiting for anybody.

    Raises:
        NotPlainError: It is something else.
        OSError: It is not there, or may not be read.
    """
    check_plain(path)
    # What is there may have changed since: neither a link nor a pipe may do harm.
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # each where the system has it
        flags |= getattr(os, name, 0)
    file = open(os.open(path, flags), "rb")  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotPlainError(errno.EINVAL, "not an ordinary file", str(path))
    return file


def read(path: Path, limit: int) -> bytes:
    """Return what is in an ordinary file of at most `limit` bytes.

    Raises:
        NotPlainError: It is something else, or larger.
        OSError: It is not there, or may not be read.
    """
    with open_plain(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotPlainError(errno.EINVAL, f"larger than {limit:,} bytes", str(path))
    return content


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Lend a file to write; once it is complete, it takes the place of what is at `path`.

    Raises:
        NotPlainError: What is at `path` is no file.
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    check_plain(path)
    # Beside it, so that the step into its place is one. Made anew, with the mode that the user's
    # umask gives, under a name for which nobody can have put a link there.
    unfinished = path.with_name(f".{secrets.token_hex(8)}.unfinished")
    try:
        with open(unfinished, "xb") as file:
            yield file
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
