"""Where the digits come from: an array file that the package carries, and a folder of PNG files."""

import errno
import hashlib
import io
import itertools
import operator
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from PIL import Image
from tqdm.auto import tqdm

from helpers import storage
from helpers.errors import LessonError, shown

# Images, uint8: (28, 28) one, (N, 28, 28) many; or digits, uint8 (N,).
Bytes = npt.NDArray[np.uint8]

ARRAY_FILE = Path(__file__).with_name("mnist.npz")
ARRAY_SHA256 = "cb3699330519b0c4e32a934b546f684425f5c52479a9da66328d43cda893942f"

SPLITS = ("train", "test")

# Inside the folder of digits, hidden, all that is not digits: the lock that lets one process at a
# time work there, the record of what the complete folder looked like, and work not finished.
WORKSHOP = ".mnist_folder"

# In seconds: for another process to make the same folder, for a sign of life from git, for git.
LONGEST_WAIT = 600
LONGEST_SILENCE = 60
LONGEST_CLONE = 1800

PNG_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
# What each of MNIST's files begins with: that it is a PNG file, of 28 pixels by 28.
PNG_START = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 28, 28)
# Far more bytes than any program needs for 28 pixels by 28.
LARGEST_PNG = 16_384


def load_mnist(split: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Load MNIST's images and digits, in MNIST's original order, without a network.

    MNIST is by Yann LeCun, Corinna Cortes and Christopher J.C. Burges (CC BY-SA 3.0).

    Args:
        split: "train" for the 60,000 training images, "test" for the 10,000 test images.

    Returns:
        The images, float32 of shape (N, 28, 28), 0 for black and 1 for white, and the digits that
        they show, int64 of shape (N,), 0 to 9.

    Raises:
        LessonError: `split` is another word, or the file of digits is missing or damaged.
    """
    if not isinstance(split, str) or split not in SPLITS:
        raise LessonError(f'split is {shown(split)}, but it must be "train" or "test".')
    images, digits = _read_arrays(split)
    return np.divide(images, 255, dtype=np.float32), digits.astype(np.int64)


def mnist_folder(
    path: str | os.PathLike[str] = "MNIST_dataset",
    source: str = "bundled",
    url: str = "https://github.com/DeepTrackAI/MNIST_dataset",
) -> Path:
    """Make a folder with MNIST as 70,000 PNG files, if it is not there yet.

    The files are `mnist/train/0_000000.png` … (60,000) and `mnist/test/0_000000.png` … (10,000):
    8-bit grayscale, 28 pixels by 28. A name begins with the digit that the image shows; the number
    counts the images of that digit from zero, in MNIST's original order.

    A complete folder is left as it is. In an incomplete one, missing and broken files are written
    again (from the bundled digits, whatever `source` is). Files that somebody else put there are
    never changed or deleted, and no link is followed: before anything is written, the first of
    them is complained of. A file under one of MNIST's names is taken for a broken one of MNIST's
    only if it is an ordinary file that is empty, all zeros, begins like a PNG of 28 pixels by 28
    that cannot be read any more, or has most bytes as they should be. When several processes ask
    for one folder, one makes it and the others wait.

    Args:
        path: The folder, "MNIST_dataset" if none is given. Where that one cannot be written, the
            digits go to the user's own data folder, which a line says.
        source: "bundled" to make the files from the digits that the package carries; "github" to
            clone them from `url`, for which git and a network are needed.
        url: The git repository to clone.

    Returns:
        The folder.

    Raises:
        LessonError: `path` is no path, `url` no address, or `source` another word; the folder
            cannot be made (no permission, no space, a file in its place, another process does not
            finish); something in `mnist/train` or `mnist/test` is not MNIST's; the bundled digits
            are damaged; or the clone failed.
    """
    if not isinstance(source, str) or source not in ("bundled", "github"):
        raise LessonError(f'source is {shown(source)}, but it must be "bundled" or "github".')
    if not isinstance(url, str) or not url.isprintable():
        raise LessonError(f"url is {shown(url)}, but it must be the address of a git repository.")
    folder = storage.given_path(path, "a folder", str(storage.DIGITS))

    def complete(folder: Path) -> Path:
        if not _is_complete(folder) and not _is_right_but_locked_away(folder):
            with _turn_to_work(folder) as my_turn:
                if my_turn:
                    _make(folder, source, url)
        return folder

    try:
        return storage.keep(folder, complete)
    except OSError as error:
        raise LessonError(_explanation(error, folder)) from error


# The array file


def _read_arrays(split: str) -> tuple[Bytes, Bytes]:
    """Return the images, uint8 (N, 28, 28), and digits, uint8 (N,), once their file is verified."""
    cure = (
        "Install the package again; in a git checkout, `git checkout helpers/mnist.npz` brings it "
        "back, or `python -m tools.mnist_file` makes it anew."
    )
    try:
        content = ARRAY_FILE.read_bytes()
    except OSError as error:
        raise LessonError(f"{ARRAY_FILE} cannot be read: {error.strerror}. {cure}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != ARRAY_SHA256:
        raise LessonError(
            f"{ARRAY_FILE} is damaged (SHA-256 {found[:8]}…, not {ARRAY_SHA256[:8]}…). {cure}"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return arrays[f"{split}_images"], arrays[f"{split}_digits"]


def _pictures() -> dict[str, Bytes]:
    """Return what a complete folder shows: name of the file below `mnist`, uint8 image (28, 28)."""
    pictures = {}
    for split in SPLITS:
        numbers = [itertools.count() for _ in range(10)]
        for image, digit in zip(*_read_arrays(split), strict=True):
            pictures[f"{split}/{digit}_{next(numbers[digit]):06d}.png"] = image
    return pictures


def _png(image: Bytes) -> bytes:
    """Return a grayscale PNG file (https://www.w3.org/TR/png/), in a third of Pillow's time."""
    rows, columns = image.shape
    # PNG wants a byte before each row, which says how the row is encoded: 0, as it is.
    encoded = np.zeros((rows, columns + 1), np.uint8)
    encoded[:, 1:] = image
    header = struct.pack(">4sIIBBBBB", b"IHDR", columns, rows, 8, 0, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(encoded.tobytes(), 1)
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, pixels)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + PNG_END


# The folder: is it complete?


def _is_complete(folder: Path) -> bool:
    """Say whether nothing changed since the folder was last found right, file by file.

    That takes names, sizes and times of change, a fraction of a second, where reading 70,000 files
    takes many.
    """
    try:
        if not _is_folder(folder / WORKSHOP):
            return False
        record = storage.read(folder / WORKSHOP / "complete", 100)
        return record == _fingerprint(folder / "mnist")
    except (FileNotFoundError, NotADirectoryError, storage.NotPlainError):
        return False


def _fingerprint(mnist: Path) -> bytes:
    facts = [
        (split, entry.name, status.st_size, status.st_mtime_ns)
        for split in _splits(mnist)
        for entry in _entries(mnist / split)
        for status in [entry.stat(follow_symlinks=False)]
    ]
    return hashlib.sha256(repr((ARRAY_SHA256, sorted(facts))).encode()).hexdigest().encode()


def _is_folder(path: Path) -> bool:
    """Say whether a folder is there; whatever else is in its place, a link too, is an error."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode):
        raise storage.NotPlainError(errno.ELOOP, storage.KINDS[stat.S_IFLNK], str(path))
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return True


def _splits(mnist: Path) -> list[str]:
    """Return which of the folders `train` and `test` are there."""
    return [split for split in SPLITS if _is_folder(mnist) and _is_folder(mnist / split)]


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder, but for what a file manager leaves in each folder it shows."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in ("Thumbs.db", "desktop.ini"):
                yield entry


def _is_right_but_locked_away(folder: Path) -> bool:
    """Say whether the folder is one that may be read but not written, and is all right."""
    if not (folder / "mnist").is_dir() or os.access(folder, os.W_OK):
        return False
    to_write, strangers = _examine(folder / "mnist", _pictures())
    return not to_write and not strangers


def _examine(mnist: Path, pictures: dict[str, Bytes]) -> tuple[list[str], list[str]]:
    """Return the pictures that are missing or broken, and what is there and not MNIST's."""
    found = {f"{split}/{e.name}" for split in _splits(mnist) for e in _entries(mnist / split)}
    strangers = sorted(found - pictures.keys())
    to_write = [name for name in pictures if name not in found]
    for name in _progress(sorted(found & pictures.keys()), "Checking the digits"):
        try:
            content = storage.read(mnist / name, LARGEST_PNG)
        except storage.NotPlainError:
            strangers.append(name)
            continue
        right = _png(pictures[name])
        if content == right:
            continue
        pixels = _pixels(content) if content.startswith(PNG_START) else None
        if pixels is None:
            (to_write if _is_broken(content, right) else strangers).append(name)
        elif not np.array_equal(pixels, pictures[name]):
            strangers.append(name)
        elif not content.endswith(PNG_END):
            to_write.append(name)
    return to_write, strangers


def _is_broken(content: bytes, right: bytes) -> bool:
    """Say whether an unreadable file is one of MNIST's that was cut off or garbled."""
    same = sum(map(operator.eq, content, right))
    return (
        PNG_START.startswith(content[: len(PNG_START)])  # an empty file too
        or not any(content)  # which is what a crash of the machine can leave
        or same > max(len(content), len(right)) / 2
    )


def _pixels(content: bytes) -> npt.NDArray[np.generic] | None:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return np.asarray(picture)
    except Exception:  # Pillow fails on broken files in as many ways as they are broken.
        return None


# The folder: making it


@contextmanager
def _turn_to_work(folder: Path) -> Iterator[bool]:
    """Wait until this process may work in the folder (True), or another completed it (False)."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not _is_folder(folder / WORKSHOP):
        _look(folder / "mnist", _pictures())  # complain before the first thing is made
        (folder / WORKSHOP).mkdir(parents=True, exist_ok=True)
    # The operating system frees this lock when the process that holds it dies, however it dies.
    lock = FileLock(folder / WORKSHOP / "lock")
    storage.check_plain(folder / WORKSHOP / "lock")
    deadline = time.monotonic() + LONGEST_WAIT
    with _progress(None, f"Waiting for another process to make {folder}", " looks") as bar:
        while not _is_complete(folder):
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                if time.monotonic() > deadline:
                    raise LessonError(
                        f"{folder} is still being made by another process after {LONGEST_WAIT} "
                        "seconds. Close the other notebooks that use it, or give mnist_folder "
                        "another path."
                    ) from None
            bar.update()
            time.sleep(0.1)
    try:
        yield lock.is_locked and not _is_complete(folder)
    finally:
        lock.release()


def _make(folder: Path, source: str, url: str) -> None:
    """Complete the folder. Only who has the lock may call this.

    `mnist` appears in the folder when it is complete, in one step, and so does each file in a
    `mnist` that is there already. Killed at any moment, this leaves unfinished work, which the
    next call takes up, and no record, or one that fits nothing.
    """
    workshop, mnist = folder / WORKSHOP, folder / "mnist"
    unfinished = workshop / "mnist"
    pictures = _pictures()
    to_repair, to_write = _look(mnist, pictures), _look(unfinished, pictures)
    _remove_record(workshop)
    for leftover in workshop.glob("clone-*"):
        if _is_leftover(leftover):
            _remove_clone(leftover)
    try:
        if mnist.exists():
            repairs = set(to_repair)
            _write(unfinished, (name for name in to_write if name in repairs), pictures)
            for split in SPLITS:
                (mnist / split).mkdir(exist_ok=True)
            for name in to_repair:
                (unfinished / name).replace(mnist / name)
            _record(mnist, workshop)
        elif source == "github":
            with _clone(url, workshop) as cloned:
                _check_clone(cloned, pictures, url)
                _record(cloned, workshop)
                cloned.rename(mnist)
        else:
            _write(unfinished, to_write, pictures)
            _record(unfinished, workshop)
            unfinished.rename(mnist)
    except OSError as error:
        if error.errno in storage.FULL:
            _discard(unfinished, pictures)
        raise
    _discard(unfinished, pictures)


def _look(mnist: Path, pictures: dict[str, Bytes]) -> list[str]:
    """Return the pictures that are missing or broken; complain about what is not MNIST's."""
    to_write, strangers = _examine(mnist, pictures)
    if strangers:
        raise LessonError(
            f"{mnist} holds {_count(strangers)} not MNIST's, the first "
            f"{_printable(str(mnist / strangers[0]))}: it would be taken for a "
            "digit. Move it elsewhere, and call mnist_folder again."
        )
    return to_write


def _write(mnist: Path, names: Iterable[str], pictures: dict[str, Bytes]) -> None:
    """Write pictures that are missing or broken, where nobody else's files are."""
    for split in SPLITS:
        (mnist / split).mkdir(parents=True, exist_ok=True)
    for name in _progress(list(names), "Writing the digits"):
        (mnist / name).unlink(missing_ok=True)
        with open(mnist / name, "xb") as file:
            file.write(_png(pictures[name]))


def _record(mnist: Path, workshop: Path) -> None:
    with open(workshop / "complete", "xb") as file:
        file.write(_fingerprint(mnist))


def _remove_record(workshop: Path) -> None:
    record = workshop / "complete"
    with suppress(FileNotFoundError):
        if not re.fullmatch(rb"[0-9a-f]{0,64}", storage.read(record, 100)):
            raise storage.NotPlainError(errno.EINVAL, "no record of these digits", str(record))
        record.unlink()


def _discard(unfinished: Path, pictures: dict[str, Bytes]) -> None:
    """Remove unfinished work, and only what can be nobody else's: `_look` has looked."""
    if unfinished.exists():
        for name in pictures:
            (unfinished / name).unlink(missing_ok=True)
        for emptied in [unfinished / split for split in SPLITS] + [unfinished]:
            with suppress(OSError):
                emptied.rmdir()


@contextmanager
def _clone(url: str, workshop: Path) -> Iterator[Path]:
    """Clone a git repository without its history, and lend its folder `mnist`."""
    git = shutil.which("git")
    cure = 'Leave out source="github": the digits that the package carries need no network.'
    if git is None:
        raise LessonError(f"git was not found, so {url} cannot be cloned. Install git. Or: {cure}")
    clone = Path(tempfile.mkdtemp(prefix="clone-", dir=workshop))
    # A link in the repository becomes a file, which is then seen not to be MNIST's.
    command = [git, "-c", "core.symlinks=false", "clone", "--depth=1", "--progress", "--"]
    command += [url, str(clone / "repository")]
    try:
        returncode, words = _run_git(command, clone / "messages")
        if returncode != 0:
            if shutil.disk_usage(clone).free < 2**20:  # of which git says nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            complaints = re.findall(r"^(?:fatal|error): (.+?)\.?$", words, re.MULTILINE)
            reason = _printable((*complaints, f"git ended with exit status {returncode}")[0])
            if returncode is None:
                reason = "no answer, or too slow a one"
            raise LessonError(f"{url} could not be cloned: {reason}. {cure}")
        yield clone / "repository" / "mnist"
    finally:
        _remove_clone(clone)


def _check_clone(cloned: Path, pictures: dict[str, Bytes], url: str) -> None:
    """Complain unless a cloned folder `mnist` holds the pictures and nothing else at all."""
    wrong = list(pictures)
    if cloned.is_dir():
        wrong = [s for s in SPLITS if (cloned / s).exists() and not (cloned / s).is_dir()]
        if not wrong:
            to_write, strangers = _examine(cloned, pictures)
            wrong = to_write + strangers
        if not wrong:  # but hidden files, or something beside the two folders?
            there = (file.relative_to(cloned).as_posix() for file in cloned.rglob("*"))
            wrong = sorted(set(there) - {*pictures, *SPLITS})
    if wrong:
        raise LessonError(
            f"{url} does not hold MNIST as {len(pictures):,} PNG files: {_count(wrong)} "
            f"missing, broken or not MNIST's, the first {_printable(f'mnist/{wrong[0]}')}. Check "
            'the address, or leave out source="github".'
        )


def _run_git(command: list[str], messages: Path) -> tuple[int | None, str]:
    """Run git, but not forever; return its exit status (None: it was stopped) and its words."""
    environment = {
        **os.environ,
        "LC_ALL": "C",
        # Nobody is there to answer, in a terminal or in a window.
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GCM_INTERACTIVE": "never",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        # Others run commands that stand in the address.
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    }
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # git sets them in its hooks
        environment.pop(name, None)
    # git's own http.lowSpeedTime knows nothing of a silence before the first byte of HTTP, as in
    # an https handshake or behind ssh, so silence is measured here.
    started = heard = time.monotonic()
    words = ""
    # A file and not a pipe: git's own children would keep a pipe open after git was stopped.
    with messages.open("wb") as stderr, _progress(range(100), "git", "%") as bar:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                now = time.monotonic()
                if now - heard > LONGEST_SILENCE or now - started > LONGEST_CLONE:
                    return None, words
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
                news = messages.read_text(errors="replace")
                if news != words:
                    words, heard = news, time.monotonic()
                    for phase, percent in re.findall(r"([\w ]+): +(\d+)%", words)[-1:]:
                        bar.set_description(phase, refresh=False)
                        bar.update(int(percent) - bar.n)
            return process.returncode, messages.read_text(errors="replace")
        finally:
            if process.poll() is None:
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.wait()


def _is_leftover(clone: Path) -> bool:
    """Say whether this is a clone that was not finished, and nothing that somebody put here."""
    try:
        return _is_folder(clone) and set(os.listdir(clone)) <= {"messages", "repository"}
    except (NotADirectoryError, storage.NotPlainError):
        return False


def _remove_clone(clone: Path) -> None:
    # git writes its own files read-only, and Windows does not delete such files.
    for file in clone.glob("repository/.git/**/*"):
        with suppress(OSError):
            if not file.is_symlink():
                file.chmod(0o700)
    shutil.rmtree(clone, ignore_errors=True)


# What the learner sees


def _explanation(error: OSError, folder: Path) -> str:
    another = 'give mnist_folder another path, as in mnist_folder("my_digits").'
    if error.errno in storage.FULL:
        cure = "The digits take about 300 MB: free some space and call mnist_folder again, or "
    elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
        cure = "Ask for it, or "
    elif isinstance(
        error, NotADirectoryError | FileExistsError | IsADirectoryError | storage.NotPlainError
    ):
        cure = "Move it elsewhere, or "
    else:
        cure = "Mend that, or "
    if error.filename is None:
        error.filename = folder
    return f"{folder} could not be made: {storage.reason(error)}. {cure}{another}"


def _count(names: list[str]) -> str:
    return "1 file that is" if len(names) == 1 else f"{len(names):,} files that are"


def _printable(text: str) -> str:
    """Return a text that somebody else wrote so that it does nothing but show, on one line."""
    return text if text.isprintable() else repr(text)


def _progress(items: Sequence[Any] | None, what: str, unit: str = " files") -> Any:
    """Return a progress bar that shows after a second, and leaves nothing behind."""
    return tqdm(items, desc=what, unit=unit, leave=False, delay=1)
