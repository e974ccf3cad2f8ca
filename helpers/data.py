"""Where the digits come from: an array file that the package carries, and a folder of PNG files."""

import errno
import hashlib
import io
import itertools
import operator
import os
import re
import struct
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from PIL import Image
from tqdm.auto import tqdm

from helpers import git_clone, storage
from helpers.errors import LessonError, printable, shown

# Images, uint8: (28, 28) one, (N, 28, 28) many; or digits, uint8 (N,).
Bytes = npt.NDArray[np.uint8]

ARRAY_FILE = Path(__file__).with_name("mnist.npz")
ARRAY_SHA256 = "cb3699330519b0c4e32a934b546f684425f5c52479a9da66328d43cda893942f"

SPLITS = ("train", "test")

# Inside the folder of digits, hidden, all that is not digits: the lock that lets one process at a
# time work there, the record of what the complete folder looked like, and work not finished.
WORK_FOLDER = ".mnist_folder"

LONGEST_WAIT = 600  # seconds, for another process to make the same folder

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
# What each of MNIST's files begins with: that it is a PNG file, of 28 pixels by 28.
PNG_START = PNG_SIGNATURE + struct.pack(">I4sII", 13, b"IHDR", 28, 28)
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
    that cannot be read any more, has most bytes or all pixels as they should be, or would be right
    with another bit in one place, and not if it would then be another picture. When several
    processes ask for one folder, one makes it and the others wait.

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
        if _is_complete(folder):
            return folder
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        look = None
        known, writable = storage.is_folder(folder / WORK_FOLDER), os.access(folder, os.W_OK)
        if not known or not writable:
            look = _examine(folder / "mnist", _pictures())
            if look.all_right and not writable:
                return folder  # all right, and no record can be kept of it
            if not known:  # nothing is made before the complaint
                _complain_of_foreign(look, folder / "mnist")
        with _turn_to_work(folder) as my_turn:
            if my_turn:
                _make(folder, source, url, look)
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
    return PNG_SIGNATURE + b"".join(chunks) + PNG_END


# The folder: is it complete?


def _is_complete(folder: Path) -> bool:
    """Say whether nothing changed since the folder was last found right, file by file.

    That takes names, sizes and times of change, a fraction of a second, where reading 70,000 files
    takes many.
    """
    try:
        if not storage.is_folder(folder / WORK_FOLDER):
            return False
        record = storage.read(folder / WORK_FOLDER / "complete", 100)
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


def _splits(mnist: Path) -> list[str]:
    """Return which of the folders `train` and `test` are there."""
    return [
        split for split in SPLITS if storage.is_folder(mnist) and storage.is_folder(mnist / split)
    ]


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder, but for what a file manager leaves in each folder it shows."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in ("Thumbs.db", "desktop.ini"):
                yield entry


class _Look(NamedTuple):
    """What was found in a folder `mnist`: names below it, sorted, and what it looked like then."""

    to_write: list[str]  # missing, or MNIST's and broken
    foreign: list[str]  # not MNIST's
    fingerprint: bytes

    @property
    def all_right(self) -> bool:
        return not self.to_write and not self.foreign


def _examine(mnist: Path, pictures: dict[str, Bytes]) -> _Look:
    """Look at every file of a folder `mnist`, of which nothing needs to be there yet."""
    fingerprint = _fingerprint(mnist)
    found = {f"{split}/{e.name}" for split in _splits(mnist) for e in _entries(mnist / split)}
    foreign = sorted(found - pictures.keys())
    to_write = [name for name in pictures if name not in found]
    for name in _progress(sorted(found & pictures.keys()), "Checking the digits"):
        try:
            content = storage.read(mnist / name, LARGEST_PNG)
        except storage.NotPlainError:
            foreign.append(name)
            continue
        right = _png(pictures[name])
        if content != right and not _shows(content, pictures[name]):
            (to_write if _is_broken(content, pictures[name], right) else foreign).append(name)
    return _Look(to_write, foreign, fingerprint)


def _shows(content: bytes, picture: Bytes) -> bool:
    """Say whether a PNG file, by whatever program, is whole and shows a picture."""
    whole = content.startswith(PNG_START) and _is_whole(content)
    pixels = _pixels(content) if whole else None
    return pixels is not None and np.array_equal(pixels, picture)


def _is_whole(content: bytes) -> bool:
    """Say whether a PNG file's chunks, to the last, have the checksums that they bring."""
    start = len(PNG_SIGNATURE)
    while content.startswith(PNG_SIGNATURE) and start < len(content):
        length = int.from_bytes(content[start : start + 4], "big")
        end = start + 8 + length
        chunk = content[start + 4 : end]
        if content[end : end + 4] != struct.pack(">I", zlib.crc32(chunk)):
            return False
        start = end + 4
        if chunk == b"IEND":
            return start == len(content)
    return False


def _is_broken(content: bytes, picture: Bytes, right: bytes) -> bool:
    """Say whether a file that does not show a picture of MNIST's did so before it was damaged.

    A whole PNG file is somebody's own, and so is one that a single wrong bit keeps from being
    whole, if it shows something else then.
    """
    if _is_whole(content):
        return False
    same = sum(map(operator.eq, content, right))
    if not any(content) or same > max(len(content), len(right)) / 2:
        return True  # zeros, or none at all, are what a crash of the machine can leave
    for mended in _with_another_bit(content):
        if _is_whole(mended):
            return _shows(mended, picture)
    if not content.startswith(PNG_START):
        return PNG_START.startswith(content)
    pixels = _pixels(content)
    return pixels is None or np.array_equal(pixels, picture)


def _with_another_bit(content: bytes) -> Iterator[bytes]:
    """Yield all files that differ from one in a single bit."""
    changed = bytearray(content)
    for position, bit in itertools.product(range(len(content)), range(8)):
        changed[position] ^= 1 << bit
        yield bytes(changed)
        changed[position] ^= 1 << bit


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
    (folder / WORK_FOLDER).mkdir(parents=True, exist_ok=True)
    # The operating system frees this lock when the process that holds it dies, however it dies.
    lock = FileLock(folder / WORK_FOLDER / "lock")
    storage.check_plain(folder / WORK_FOLDER / "lock")
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


def _make(folder: Path, source: str, url: str, look: _Look | None) -> None:
    """Complete the folder. Only who has the lock may call this; `look` is what was found before.

    `mnist` appears in the folder when it is complete, in one step, and so does each file in a
    `mnist` that is there already. Killed at any moment, this leaves unfinished work, which the
    next call takes up, and no record, or one that fits nothing.
    """
    work_folder, mnist = folder / WORK_FOLDER, folder / "mnist"
    unfinished = work_folder / "mnist"
    pictures = _pictures()
    if look is None or look.fingerprint != _fingerprint(mnist):  # of before the wait for the lock
        look = _examine(mnist, pictures)
    begun = _examine(unfinished, pictures)
    _complain_of_foreign(look, mnist)
    _complain_of_foreign(begun, unfinished)
    _remove_record(work_folder)
    git_clone.remove_leftovers(work_folder)
    try:
        if mnist.exists():
            repairs = set(look.to_write)
            _write(unfinished, (name for name in begun.to_write if name in repairs), pictures)
            for split in SPLITS:
                (mnist / split).mkdir(exist_ok=True)
            for name in look.to_write:
                (unfinished / name).replace(mnist / name)
            _record(mnist, work_folder)
        elif source == "github":
            cure = 'Leave out source="github": the digits that the package carries need no network.'
            with git_clone.cloned(url, work_folder, cure) as repository:
                _check_clone(repository / "mnist", pictures, url)
                _record(repository / "mnist", work_folder)
                (repository / "mnist").rename(mnist)
        else:
            _write(unfinished, begun.to_write, pictures)
            _record(unfinished, work_folder)
            unfinished.rename(mnist)
    except OSError as error:
        if error.errno in storage.FULL:
            _discard(unfinished, pictures)
        raise
    _discard(unfinished, pictures)


def _complain_of_foreign(look: _Look, mnist: Path) -> None:
    if look.foreign:
        raise LessonError(
            f"{mnist} holds {_count(look.foreign)} not MNIST's, the first "
            f"{printable(str(mnist / look.foreign[0]))}: it would be taken for a "
            "digit. Move it elsewhere, and call mnist_folder again."
        )


def _write(mnist: Path, names: Iterable[str], pictures: dict[str, Bytes]) -> None:
    """Write pictures that are missing or broken, where nobody else's files are."""
    for split in SPLITS:
        (mnist / split).mkdir(parents=True, exist_ok=True)
    for name in _progress(list(names), "Writing the digits"):
        (mnist / name).unlink(missing_ok=True)
        with open(mnist / name, "xb") as file:
            file.write(_png(pictures[name]))


def _record(mnist: Path, work_folder: Path) -> None:
    with open(work_folder / "complete", "xb") as file:
        file.write(_fingerprint(mnist))


def _remove_record(work_folder: Path) -> None:
    record = work_folder / "complete"
    with suppress(FileNotFoundError):
        if not re.fullmatch(rb"[0-9a-f]{0,64}", storage.read(record, 100)):
            raise storage.NotPlainError(errno.EINVAL, "no record of these digits", str(record))
        record.unlink()


def _discard(unfinished: Path, pictures: dict[str, Bytes]) -> None:
    """Remove unfinished work, and only what can be nobody else's: `_make` has looked."""
    if unfinished.exists():
        for name in pictures:
            (unfinished / name).unlink(missing_ok=True)
        for emptied in [unfinished / split for split in SPLITS] + [unfinished]:
            with suppress(OSError):
                emptied.rmdir()


def _check_clone(cloned: Path, pictures: dict[str, Bytes], url: str) -> None:
    """Complain unless a cloned folder `mnist` holds the pictures and nothing else at all."""
    wrong = list(pictures)
    if cloned.is_dir():
        wrong = [s for s in SPLITS if (cloned / s).exists() and not (cloned / s).is_dir()]
        if not wrong:
            look = _examine(cloned, pictures)
            wrong = look.to_write + look.foreign
        if not wrong:  # but hidden files, or something beside the two folders?
            there = (file.relative_to(cloned).as_posix() for file in cloned.rglob("*"))
            wrong = sorted(set(there) - {*pictures, *SPLITS})
    if wrong:
        raise LessonError(
            f"{url} does not hold MNIST as {len(pictures):,} PNG files: {_count(wrong)} "
            f"missing, broken or not MNIST's, the first {printable(f'mnist/{wrong[0]}')}. Check "
            'the address, or leave out source="github".'
        )


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


def _progress(items: Sequence[Any] | None, what: str, unit: str = " files") -> Any:
    """Return a progress bar that shows after a second, and leaves nothing behind."""
    return tqdm(items, desc=what, unit=unit, leave=False, delay=1)
