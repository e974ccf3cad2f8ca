"""Where the digits come from: an array file that the package carries, and a folder of PNG files."""

import errno
import hashlib
import io
import itertools
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image
from tqdm.auto import tqdm

from helpers.errors import LessonError

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


def load_mnist(split: str) -> tuple[np.ndarray, np.ndarray]:
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
    if split not in SPLITS:
        raise LessonError(f'split is {split!r}, but it must be "train" or "test".')
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
    never changed or deleted. When several processes ask for one folder, one makes it and the
    others wait.

    Args:
        path: The folder.
        source: "bundled" to make the files from the digits that the package carries; "github" to
            clone them from `url`, for which git and a network are needed.
        url: The git repository to clone.

    Returns:
        The folder.

    Raises:
        LessonError: `source` is another word; the folder cannot be made (no permission, no space,
            a file in its place, another process does not finish); something in `mnist/train` or
            `mnist/test` is not MNIST's; the bundled digits are damaged; or the clone failed.
    """
    if source not in ("bundled", "github"):
        raise LessonError(f'source is {source!r}, but it must be "bundled" or "github".')
    folder = Path(path).expanduser()
    try:
        if not _is_complete(folder) and not _is_right_but_locked_away(folder):
            with _turn_to_work(folder) as my_turn:
                if my_turn:
                    _make(folder, source, url)
    except OSError as error:
        raise LessonError(_explanation(error, folder)) from error
    return folder


# The array file


def _read_arrays(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images, uint8 (N, 28, 28), and digits, uint8 (N,), once their file is verified."""
    cure = (
        "Install the package again; in a git checkout, `git checkout helpers/mnist.npz` brings it "
        "back, or `python -m helpers.build_mnist` makes it anew."
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


def _pictures() -> dict[str, np.ndarray]:
    """Return what a complete folder shows: name of the file below `mnist`, uint8 image (28, 28)."""
    pictures = {}
    for split in SPLITS:
        numbers = [itertools.count() for _ in range(10)]
        for image, digit in zip(*_read_arrays(split), strict=True):
            pictures[f"{split}/{digit}_{next(numbers[digit]):06d}.png"] = image
    return pictures


def _png(image: np.ndarray) -> bytes:
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
        record = (folder / WORKSHOP / "complete").read_bytes()
        return record == _fingerprint(folder / "mnist")
    except (FileNotFoundError, NotADirectoryError):
        return False


def _fingerprint(mnist: Path) -> bytes:
    facts = [
        (split, entry.name, status.st_size, status.st_mtime_ns)
        for split in SPLITS
        for entry in _entries(mnist / split)
        for status in [entry.stat()]
    ]
    return hashlib.sha256(repr((ARRAY_SHA256, sorted(facts))).encode()).hexdigest().encode()


def _entries(folder: Path) -> Iterator[os.DirEntry]:
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


def _examine(mnist: Path, pictures: dict[str, np.ndarray]) -> tuple[list[str], list[str]]:
    """Return the pictures that are missing or broken, and what is there and not MNIST's."""
    found = set()
    for split in SPLITS:
        with suppress(FileNotFoundError):
            found.update(f"{split}/{entry.name}" for entry in _entries(mnist / split))
    strangers = sorted(found - pictures.keys())
    to_write = [name for name in pictures if name not in found]
    for name in _progress(sorted(found & pictures.keys()), "Checking the digits"):
        file = mnist / name
        content = file.read_bytes() if file.is_file() else None
        if content == _png(pictures[name]):
            continue
        pixels = _pixels(content)
        if pixels is not None and not np.array_equal(pixels, pictures[name]):
            strangers.append(name)
        elif pixels is None or not content.endswith(PNG_END):
            to_write.append(name)
    return to_write, strangers


def _pixels(content: bytes) -> np.ndarray | None:
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
    (folder / WORKSHOP).mkdir(parents=True, exist_ok=True)
    # The operating system frees this lock when the process that holds it dies, however it dies.
    lock = FileLock(folder / WORKSHOP / "lock")
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

    `mnist` appears in the folder when it is complete, in one step. Killed at any moment, this
    leaves unfinished work, which the next call takes up, and no record, or one that fits nothing.
    """
    workshop, mnist = folder / WORKSHOP, folder / "mnist"
    unfinished = workshop / "mnist"
    (workshop / "complete").unlink(missing_ok=True)
    for leftover in workshop.glob("clone-*"):
        _remove_clone(leftover)
    pictures = _pictures()
    if mnist.exists():
        _fill(mnist, pictures)
        _record(mnist, workshop)
    elif source == "github":
        with _clone(url, workshop) as cloned:
            to_write, strangers = _examine(cloned, pictures)
            if to_write or strangers:
                wrong = to_write + strangers
                raise LessonError(
                    f"{url} does not hold MNIST as {len(pictures):,} PNG files: {_count(wrong)} "
                    f"missing, broken or different, the first mnist/{wrong[0]}. Check the address, "
                    'or leave out source="github".'
                )
            _record(cloned, workshop)
            cloned.rename(mnist)
    else:
        try:
            _fill(unfinished, pictures)
            _record(unfinished, workshop)
        except OSError as error:
            if error.errno in FULL:
                _discard(unfinished, pictures)
            raise
        unfinished.rename(mnist)
    _discard(unfinished, pictures)


def _fill(mnist: Path, pictures: dict[str, np.ndarray]) -> None:
    """Write the pictures that are missing or broken; complain about what is not MNIST's."""
    for split in SPLITS:
        (mnist / split).mkdir(parents=True, exist_ok=True)
    to_write, strangers = _examine(mnist, pictures)
    for name in _progress(to_write, "Writing the digits"):
        (mnist / name).write_bytes(_png(pictures[name]))
    if strangers:
        raise LessonError(
            f"{mnist} holds {_count(strangers)} not MNIST's, the first {mnist / strangers[0]}: it "
            "would be taken for a digit. Move it elsewhere, and call mnist_folder again."
        )


def _record(mnist: Path, workshop: Path) -> None:
    (workshop / "complete").write_bytes(_fingerprint(mnist))


def _discard(unfinished: Path, pictures: dict[str, np.ndarray]) -> None:
    """Remove unfinished work, and only what can be nobody else's."""
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
    command = [git, "clone", "--depth=1", "--progress", "--", url, str(clone / "repository")]
    try:
        returncode, words = _run_git(command, clone / "messages")
        if returncode != 0:
            if shutil.disk_usage(clone).free < 2**20:  # of which git says nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            complaints = re.findall(r"^(?:fatal|error): (.+?)\.?$", words, re.MULTILINE)
            reason = (*complaints, f"git ended with exit status {returncode}")[0]
            if returncode is None:
                reason = "no answer, or too slow a one"
            raise LessonError(f"{url} could not be cloned: {reason}. {cure}")
        yield clone / "repository" / "mnist"
    finally:
        _remove_clone(clone)


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
    }
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # git sets them in its hooks
        environment.pop(name, None)
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


def _remove_clone(clone: Path) -> None:
    # git writes its own files read-only, and Windows does not delete such files.
    for file in clone.glob("repository/.git/**/*"):
        with suppress(OSError):
            file.chmod(0o700)
    shutil.rmtree(clone, ignore_errors=True)


# What the learner sees


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _explanation(error: OSError, folder: Path) -> str:
    where = error.filename or folder
    another = 'give mnist_folder another path, as in mnist_folder("my_digits").'
    if error.errno in FULL:
        return (
            f"{folder} could not be made: the disk is full ({error.strerror}). The digits take "
            f"about 300 MB: free some space and call mnist_folder again, or {another}"
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"{folder} could not be made: no permission for {where}. Ask for it, or {another}"
    if isinstance(error, NotADirectoryError | FileExistsError | IsADirectoryError):
        return (
            f"{folder} could not be made: {where} is in the way, a file where a folder should be "
            f"or the other way round. Move it elsewhere, or {another}"
        )
    return f"{folder} could not be made: {error}. Mend that, or {another}"


def _count(names: list[str]) -> str:
    return "1 file that is" if len(names) == 1 else f"{len(names):,} files that are"


def _progress(items: list | range | None, what: str, unit: str = " files") -> tqdm:
    """Return a progress bar that shows after a second, and leaves nothing behind."""
    return tqdm(items, desc=what, unit=unit, leave=False, delay=1)
