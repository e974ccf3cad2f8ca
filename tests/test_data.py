"""The digits: the arrays, the folder of PNG files, and the same folder out of a git repository."""

import hashlib
import io
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import data, git_clone
from helpers.errors import LessonError
from tools import mnist_file

COUNTS = {  # from the literature on MNIST, 0 to 9
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}
FIRST_DIGITS = {"train": [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "test": [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]}
IDX_MD5 = {  # of the original files, images and digits, as torchvision checks them
    "train": ("6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624"),
    "test": ("2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"),
}


def idx_files(images, digits):
    """The two original files of MNIST: big-endian magic number and shape, then the bytes."""
    return (
        struct.pack(">IIII", 2051, *images.shape) + images.tobytes(),
        struct.pack(">II", 2049, *digits.shape) + digits.tobytes(),
    )


def expected_folder(images, digits):
    """What a split's files should be, worked out in another way: sorted names, and their images."""
    order = np.argsort(digits, kind="stable")
    names = [f"{d}_{i:06d}.png" for d in range(10) for i in range(np.sum(digits == d))]
    return names, images[order]


def read_folder(folder):
    names = sorted(file.name for file in folder.iterdir())
    return names, np.stack([np.asarray(Image.open(folder / name)) for name in names])


def make_repository(repository, splits):
    """A bare git repository with the images of `splits`, as PNG files by Pillow; its URL."""
    stream = io.BytesIO()
    stream.write(b"commit refs/heads/main\ncommitter A <a@example.org> 0 +0000\ndata 0\n")
    for split, (images, digits) in splits.items():
        for name, image in zip(*expected_folder(images, digits), strict=True):
            png = io.BytesIO()
            Image.fromarray(image).save(png, "png", compress_level=1)
            content = png.getvalue()
            stream.write(f"M 100644 inline mnist/{split}/{name}\n".encode())
            stream.write(b"data %d\n%s\n" % (len(content), content))
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "--bare", "--quiet", repository], check=True)
    uncompressed = ["-c", "core.compression=0", "-c", "pack.depth=0"]
    command = ["git", "--git-dir", repository, *uncompressed, "fast-import", "--quiet"]
    subprocess.run(command, input=stream.getvalue(), check=True)
    return repository.as_uri()


@pytest.fixture(scope="module")
def raw():
    return {split: data._read_arrays(split) for split in ("train", "test")}


@pytest.fixture
def few(raw, monkeypatch):
    """MNIST as if it had 400 training and 100 test images."""
    sizes = {"train": 400, "test": 100}
    few = {split: (raw[split][0][:n], raw[split][1][:n]) for split, n in sizes.items()}
    monkeypatch.setattr(data, "_read_arrays", few.get)
    return few


@pytest.fixture(scope="module")
def roomy_path():
    """A folder for 70,000 files at a time: in memory where there is room, as disks may be slow."""
    memory = Path("/dev/shm")
    in_memory = memory.is_dir() and shutil.disk_usage(memory).free > 2e9
    with tempfile.TemporaryDirectory(dir=memory if in_memory else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def whole_folder(roomy_path):
    return data.mnist_folder(roomy_path / "MNIST_dataset")


@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
def test_load_mnist(split, count):
    images, digits = data.load_mnist(split)
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.float32
    assert images.min() == 0
    assert images.max() == 1
    assert digits.shape == (count,)
    assert digits.dtype == np.int64
    assert digits[:10].tolist() == FIRST_DIGITS[split]
    assert np.bincount(digits).tolist() == COUNTS[split]


@pytest.mark.parametrize("split", ["train", "test"])
def test_arrays_are_the_original_files_byte_for_byte(raw, split):
    found = tuple(hashlib.md5(file).hexdigest() for file in idx_files(*raw[split]))
    assert found == IDX_MD5[split]


def test_each_call_gives_arrays_of_its_own():
    images, digits = data.load_mnist("test")
    images[:], digits[:] = 0.5, 0
    again, digits_again = data.load_mnist("test")
    assert again.max() == 1
    assert digits_again[0] == 7


@pytest.mark.parametrize("split", ["validation", "Train", "", None, 0])
def test_load_mnist_wrong_split(split):
    with pytest.raises(LessonError, match=f'split is {split!r}, but it must be "train" or "test"'):
        data.load_mnist(split)


@pytest.mark.parametrize("split", ["train", "test"])
def test_whole_folder(whole_folder, raw, split):
    names, images = read_folder(whole_folder / "mnist" / split)
    expected_names, expected_images = expected_folder(*raw[split])
    assert names == expected_names
    assert images.dtype == np.uint8
    assert np.array_equal(images, expected_images)


def test_whole_folder_holds_nothing_unfinished(whole_folder):
    assert sorted(file.name for file in whole_folder.iterdir()) == [".mnist_folder", "mnist"]
    assert sorted(file.name for file in (whole_folder / "mnist").iterdir()) == ["test", "train"]
    left = {file.name for file in (whole_folder / ".mnist_folder").iterdir()}
    assert left <= {"complete", "lock"}


def test_matplotlib_reads_what_load_mnist_gives(whole_folder):
    from matplotlib.pyplot import imread

    images, digits = data.load_mnist("test")
    for digit in range(10):
        image = imread(whole_folder / f"mnist/test/{digit}_000007.png")
        assert image.dtype == np.float32
        assert np.array_equal(image, images[digits == digit][7])


def test_complete_folder_is_left_alone_and_quickly(whole_folder, monkeypatch):
    monkeypatch.setattr(data, "_make", None)  # whoever calls it fails
    monkeypatch.setattr(data, "_read_arrays", None)
    start = time.process_time()  # whatever else the machine is busy with
    data.mnist_folder(whole_folder)
    data.mnist_folder(whole_folder, source="github", url="https://example.invalid")
    assert time.process_time() - start < 4


@pytest.mark.slow
def test_whole_folder_from_git(raw, roomy_path):
    url = make_repository(roomy_path / "repository.git", raw)
    assert url.startswith("file://")
    folder = data.mnist_folder(roomy_path / "cloned", source="github", url=url)
    for split in ("train", "test"):
        names, images = read_folder(folder / "mnist" / split)
        expected_names, expected_images = expected_folder(*raw[split])
        assert names == expected_names
        assert np.array_equal(images, expected_images)
    left = {file.name for file in (folder / ".mnist_folder").iterdir()}
    assert left <= {"complete", "lock"}


def test_clone_is_shallow(few, tmp_path, monkeypatch):
    url = make_repository(tmp_path / "repository.git", few)
    commands = []
    run = git_clone._run
    monkeypatch.setattr(git_clone, "_run", lambda c, m: commands.append(c) or run(c, m))
    data.mnist_folder(tmp_path / "folder", source="github", url=url)
    assert "--depth=1" in commands[0]


@pytest.mark.parametrize("source", ["bundled", "github"])
def test_both_sources_give_the_same_folder(few, tmp_path, source):
    url = make_repository(tmp_path / "repository.git", few)
    folder = data.mnist_folder(tmp_path / "folder", source, url)
    for split in ("train", "test"):
        names, images = read_folder(folder / "mnist" / split)
        expected_names, expected_images = expected_folder(*few[split])
        assert names == expected_names
        assert np.array_equal(images, expected_images)


@pytest.mark.parametrize("name", ["digits", "with space", "Zoë's chiffres à écrire", "a/b/c"])
def test_names_of_the_folder(few, tmp_path, name):
    for kind, folder in ((str, tmp_path / "1" / name), (Path, tmp_path / "2" / name)):
        made = data.mnist_folder(kind(folder))
        assert made == folder
        assert len(list((made / "mnist/train").glob("*.png"))) == 400
        assert data._is_complete(made)


def test_folder_is_where_the_lesson_says(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert data.mnist_folder() == Path("MNIST_dataset")
    assert (tmp_path / "MNIST_dataset/mnist/test/7_000000.png").is_file()


def test_home_folder_is_understood(few, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert data.mnist_folder("~/digits") == tmp_path / "digits"


@pytest.mark.parametrize("source", ["GitHub", "", None])
def test_wrong_source(tmp_path, source):
    with pytest.raises(LessonError, match=f'source is {source!r}, but it must be "bundled"'):
        data.mnist_folder(tmp_path / "folder", source=source)
    assert not (tmp_path / "folder").exists()


def test_import_brings_in_no_torch():
    code = "import sys, helpers.data; print(*{'torch', 'deeplay', 'lightning'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# The script that makes the array file


def package(files):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/data/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


@pytest.fixture(scope="module")
def original_files(raw):
    train_images, train_digits = idx_files(*raw["train"])
    test_images, test_digits = idx_files(*raw["test"])
    return {
        "train-images-idx3-ubyte": train_images,
        "train-labels-idx1-ubyte": train_digits,
        "t10k-images-idx3-ubyte": test_images,
        "t10k-labels-idx1-ubyte": test_digits,
    }


def test_array_file_is_rebuilt_from_the_original_files(original_files, raw):
    arrays = mnist_file.read_arrays(package(original_files))
    packed = mnist_file.pack(arrays)
    with np.load(io.BytesIO(packed), allow_pickle=False) as rebuilt:
        for split in ("train", "test"):
            assert np.array_equal(rebuilt[f"{split}_images"], raw[split][0])
            assert np.array_equal(rebuilt[f"{split}_digits"], raw[split][1])
    # Another zlib may compress to other bytes; one zlib, to the same bytes at each call.
    same_zlib = hashlib.sha256(packed).hexdigest() == data.ARRAY_SHA256
    assert same_zlib or packed == mnist_file.pack(arrays)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_rebuild_refuses_other_files(original_files, name):
    changed = bytearray(original_files[name])
    changed[-1] ^= 1
    with pytest.raises(SystemExit, match="is not MNIST's: MD5"):
        mnist_file.read_arrays(package({**original_files, name: bytes(changed)}))
