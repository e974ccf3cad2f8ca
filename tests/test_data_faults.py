"""The digits when something goes wrong: each fault really happens, nothing is lost or silent."""

import contextlib
import errno
import io
import os
import pickle
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from helpers import data, git_clone
from helpers.errors import LessonError

SIZES = {"train": 300, "test": 100}
ALL_ARRAYS = {split: data._read_arrays(split) for split in SIZES}
FEW_ARRAYS = {
    split: (ALL_ARRAYS[split][0][:n], ALL_ARRAYS[split][1][:n]) for split, n in SIZES.items()
}
on_posix = pytest.mark.skipif(os.name != "posix", reason="needs fork, signals or users as in Unix")


@pytest.fixture
def few(monkeypatch):
    """MNIST as if it had 300 training and 100 test images."""
    monkeypatch.setattr(data, "_read_arrays", FEW_ARRAYS.get)
    return data._pictures()


@pytest.fixture
def folder(few, tmp_path):
    return data.mnist_folder(tmp_path / "digits")


@pytest.fixture
def roomy_path():
    """A folder for 70,000 files at a time: in memory where there is room, as disks may be slow."""
    memory = Path("/dev/shm")
    in_memory = memory.is_dir() and shutil.disk_usage(memory).free > 2e9
    with tempfile.TemporaryDirectory(dir=memory if in_memory else None) as path:
        yield Path(path)


def complaint(*args, **kwargs):
    """What `mnist_folder` complains of, which is one line."""
    with pytest.raises(LessonError) as caught:
        data.mnist_folder(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def is_right(folder):
    """Whether each file is there with its pixels, read with Pillow, and nothing else."""
    expected = data._pictures()
    names = {f"{split}/{f.name}" for split in SIZES for f in (folder / "mnist" / split).iterdir()}
    return names == expected.keys() and all(
        np.array_equal(Image.open(folder / "mnist" / name), image)
        for name, image in expected.items()
    )


# tqdm's lock is a semaphore that forked processes share: killed with it in its hand, a child would
# leave its parent waiting forever. Learners' processes are not forked from one another.
PRELUDE = f"""
import os, random, resource, signal, sys, threading, time
from pathlib import Path
from helpers import data
from helpers.errors import LessonError
data.tqdm.set_lock(threading.RLock())
random.seed(os.environ["TEST_SEED"])
ALL = {{split: data._read_arrays(split) for split in data.SPLITS}}
def use(sizes):
    few = {{split: (ALL[split][0][:n], ALL[split][1][:n]) for split, n in sizes.items()}}
    data._read_arrays = few.get
use({SIZES})
folder = Path(sys.argv[1])
"""


def start(script, *args, **kwargs):
    """Start a Python process of its own, with few digits at first."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(data.__file__).parents[1]),
        "TQDM_DISABLE": "1",
        "TEST_SEED": str(random.randrange(10**9)),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **kwargs,
    )


def finish(process, timeout=300):
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, err
    return out


# Killed


@on_posix
def test_killed_at_random_moments_fifty_times(few, tmp_path):
    script = """
    def run():
        child = os.fork()
        if child == 0:
            data.mnist_folder(folder)
            os._exit(0)
        return child

    begun = time.monotonic()
    os.waitpid(run(), 0)
    duration = time.monotonic() - begun
    pictures = data._pictures()
    kills, attempts = 0, 0
    while kills < 50:
        attempts += 1
        assert attempts < 500, "too few of the kills come in time"
        to_repair = attempts % 2
        if not to_repair:  # anew
            (folder / "mnist").rename(folder.parent / f"old-{attempts}")
        else:  # a repair
            for name in random.sample(sorted(pictures), 200):
                (folder / "mnist" / name).write_bytes(b"")
        child = run()
        time.sleep(random.uniform(0, duration))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
        else:  # it was done before
            duration *= 0.9
        if not to_repair and (folder / "mnist").exists():
            assert data._examine(folder / "mnist", pictures).all_right, "half made, in its place"
        taken_for_whole = data._is_complete(folder)
        whole = (folder / "mnist").exists() and data._examine(folder / "mnist", pictures).all_right
        assert whole or not taken_for_whole, "half made, taken for whole"
        data.mnist_folder(folder)
        assert data._examine(folder / "mnist", pictures).all_right, "not completed"
    """
    finish(start(_dedent(script), tmp_path / "digits"))
    assert is_right(tmp_path / "digits")


@on_posix
def test_killed_twice_while_making_the_whole_set(roomy_path):
    folder = roomy_path / "digits"
    unfinished = folder / ".mnist_folder/mnist/train"
    for least in (random.randint(100, 25_000), random.randint(25_001, 50_000)):
        process = start("use({'train': 60_000, 'test': 10_000}); data.mnist_folder(folder)", folder)
        while process.poll() is None and not (
            unfinished.is_dir() and len(os.listdir(unfinished)) >= least
        ):
            time.sleep(0.02)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (folder / "mnist").exists()
    data.mnist_folder(folder)
    assert data._examine(folder / "mnist", data._pictures()).all_right
    assert not unfinished.exists()


def test_interrupted_and_called_again(few, tmp_path, monkeypatch):
    png, count = data._png, iter(range(250))

    def interrupted(image):
        if next(count, None) is None:
            raise KeyboardInterrupt
        return png(image)

    with monkeypatch.context() as patch:
        patch.setattr(data, "_png", interrupted)
        with pytest.raises(KeyboardInterrupt):
            data.mnist_folder(tmp_path / "digits")
    assert not (tmp_path / "digits/mnist").exists()
    assert len(list((tmp_path / "digits").glob(".mnist_folder/mnist/*/*.png"))) > 200
    assert is_right(data.mnist_folder(tmp_path / "digits"))


# Many at once


def test_eight_processes_at_once(few, tmp_path):
    script = """
    make = data._make
    def noted(*args):
        with open(folder.parent / "made", "a") as file:
            file.write("made\\n")
        make(*args)
        time.sleep(0.3)
    data._make = noted
    print("ready", flush=True)
    while not (folder.parent / "go").exists():
        time.sleep(0.01)
    data.mnist_folder(folder)
    assert data._examine(folder / "mnist", data._pictures()).all_right
    """
    processes = [start(_dedent(script), tmp_path / "digits") for _ in range(8)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    for process in processes:
        finish(process)
    assert (tmp_path / "made").read_text() == "made\n"
    assert is_right(tmp_path / "digits")


@on_posix
def test_forty_processes_share_one_folder(roomy_path):
    script = """
    import numpy as np
    from PIL import Image
    use({"train": 60_000, "test": 10_000})
    make = data._make
    def noted(*args):
        os.write(made, b"made")
        make(*args)
    data._make = noted
    made = os.open(folder.parent / "made", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    children = []
    for i in range(40):
        child = os.fork()
        if child == 0:
            names = sorted(os.listdir(data.mnist_folder(folder) / "mnist" / "train"))
            counts = np.bincount([int(name[0]) for name in names])
            part = [folder / "mnist/train" / name for name in names[i::300]]
            images = [np.asarray(Image.open(file)) for file in part]
            right = counts.tolist() == np.bincount(ALL["train"][1]).tolist() and len(images) == 200
            os._exit(0 if right else 1)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(time.monotonic() - begun, largest)
    """
    out = finish(start(_dedent(script), roomy_path / "digits"), timeout=600)
    seconds, largest_process_gib = map(float, out.split())
    assert (roomy_path / "made").read_text() == "made"
    assert seconds < 300
    assert 40 * largest_process_gib < 24


def test_another_process_does_not_finish(few, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "LONGEST_WAIT", 0.5)
    (tmp_path / "digits/.mnist_folder").mkdir(parents=True)
    with FileLock(tmp_path / "digits/.mnist_folder/lock"):
        message = complaint(tmp_path / "digits")
    assert "digits is still being made by another process after 0.5 seconds" in message
    assert "Close the other notebooks" in message
    assert is_right(data.mnist_folder(tmp_path / "digits"))


# Files missing, broken, or not ours


def truncate(file):
    file.write_bytes(file.read_bytes()[:100])


def cut_the_end(file):
    file.write_bytes(file.read_bytes()[:-3])


def empty(file):
    file.write_bytes(b"")


def zero(file):
    file.write_bytes(bytes(file.stat().st_size))


def append(file):
    file.write_bytes(file.read_bytes() + b"surplus")


def flip_one_bit(file):
    content = bytearray(file.read_bytes())
    content[60] ^= 4
    file.write_bytes(content)


@pytest.mark.parametrize(
    "damage", [Path.unlink, truncate, cut_the_end, empty, zero, append, flip_one_bit]
)
def test_missing_or_broken_files_are_written_again(folder, damage):
    others = (folder / "mnist/train/1_000001.png").stat().st_mtime_ns
    damage(folder / "mnist/train/5_000003.png")
    damage(folder / "mnist/test/7_000000.png")
    assert not data._is_complete(folder)
    data.mnist_folder(folder)
    assert is_right(folder)
    assert data._is_complete(folder)
    assert (folder / "mnist/train/1_000001.png").stat().st_mtime_ns == others


def png_by_pillow(image):
    """As another program writes it, and so with hardly a byte in the same place as ours."""
    png = io.BytesIO()
    Image.fromarray(image).save(png, "png", compress_level=9)
    return png.getvalue()


@pytest.fixture
def one_file(few, tmp_path):
    """A folder that holds nothing but one file of MNIST's, and its picture."""
    (tmp_path / "train").mkdir()
    return tmp_path / "train/5_000000.png", few["train/5_000000.png"]


@pytest.mark.parametrize("write", [data._png, png_by_pillow])
def test_one_wrong_bit_anywhere_is_no_other_picture(one_file, write):
    file, picture = one_file
    content, bits = write(picture), random.Random(5)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << bits.randrange(8)
        file.write_bytes(changed)
        look = data._examine(file.parents[1], {"train/5_000000.png": picture})
        assert look[:2] == (["train/5_000000.png"], []), (position, changed[position])


@pytest.mark.parametrize("write", [data._png, png_by_pillow])
def test_somebodys_own_picture_is_theirs_also_with_a_wrong_bit(one_file, few, write):
    file, picture = one_file
    content, bits = write(few["train/5_000001.png"]), random.Random(5)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << bits.randrange(8)
        file.write_bytes(changed)
        look = data._examine(file.parents[1], {"train/5_000000.png": picture})
        assert look[:2] == ([], ["train/5_000000.png"]), (position, changed[position])


def test_missing_folder_of_a_split_is_made_again(folder):
    shutil.rmtree(folder / "mnist/test")
    assert is_right(data.mnist_folder(folder))


def test_half_made_by_another_program(few, tmp_path):
    """As the clone of an earlier lesson, interrupted: no record that this project wrote."""
    (tmp_path / "digits/mnist/train").mkdir(parents=True)
    some = {name: image for name, image in few.items() if name.startswith("train/3")}
    for name, image in some.items():
        Image.fromarray(image).save(tmp_path / "digits/mnist" / name)
    assert is_right(data.mnist_folder(tmp_path / "digits"))


def test_whole_but_made_by_another_program(few, tmp_path, monkeypatch):
    for split in SIZES:
        (tmp_path / "digits/mnist" / split).mkdir(parents=True)
    for name, image in few.items():
        Image.fromarray(image).save(tmp_path / "digits/mnist" / name)
    before = {name: (tmp_path / "digits/mnist" / name).read_bytes() for name in few}
    reads = Counter()
    read = data.storage.read
    monkeypatch.setattr(
        data.storage, "read", lambda path, limit: reads.update([path]) or read(path, limit)
    )
    data.mnist_folder(tmp_path / "digits")
    assert {reads[tmp_path / "digits/mnist" / name] for name in few} == {1}, "looked through once"
    assert before == {name: (tmp_path / "digits/mnist" / name).read_bytes() for name in few}
    assert data._is_complete(tmp_path / "digits")


def test_changed_since_it_was_looked_through(few, tmp_path, monkeypatch):
    """By another process, before the lock was had: what is found then counts."""
    for split in SIZES:
        (tmp_path / "digits/mnist" / split).mkdir(parents=True)
    for name, image in few.items():
        (tmp_path / "digits/mnist" / name).write_bytes(data._png(image))
    make = data._make

    def changed(folder, *others):
        (folder / "mnist/train/5_000000.png").unlink()
        make(folder, *others)

    monkeypatch.setattr(data, "_make", changed)
    assert is_right(data.mnist_folder(tmp_path / "digits"))


def test_misnamed_file(folder):
    file = folder / "mnist/train/5_000000.png"
    content = file.read_bytes()
    file.rename(folder / "mnist/train/five.png")
    message = complaint(folder)
    stranger = folder / "mnist/train/five.png"
    assert f"holds 1 file that is not MNIST's, the first {stranger}: it would be" in message
    assert "Move it elsewhere" in message
    assert not file.exists()  # nothing is written before the complaint
    assert stranger.read_bytes() == content  # not touched
    stranger.unlink()
    assert is_right(data.mnist_folder(folder))
    assert file.read_bytes() == content  # written again


@pytest.mark.parametrize("name", ["train/5_999999.png", "test/notes.txt"])
def test_extra_file(folder, name):
    (folder / "mnist" / name).write_text("somebody's")
    assert f"1 file that is not MNIST's, the first {folder / 'mnist' / name}" in complaint(folder)
    assert complaint(folder), "not once only"
    assert (folder / "mnist" / name).read_text() == "somebody's"


def test_extra_folder(folder):
    (folder / "mnist/train/mine").mkdir()
    assert f"not MNIST's, the first {folder / 'mnist/train/mine'}" in complaint(folder)
    assert (folder / "mnist/train/mine").is_dir()


@pytest.mark.parametrize("shape", [(28, 28), (14, 14), (28, 28, 3)])
def test_another_picture_under_a_name_of_mnist(folder, shape):
    file = folder / "mnist/train/5_000000.png"
    Image.fromarray(np.full(shape, 7, np.uint8)).save(file)
    content = file.read_bytes()
    assert f"1 file that is not MNIST's, the first {file}" in complaint(folder)
    assert file.read_bytes() == content
    file.unlink()
    assert is_right(data.mnist_folder(folder))


def test_what_somebody_put_beside_the_digits_stays(few, tmp_path):
    mine = ["notes.txt", "mnist-mine/0.png", ".git/config", ".mnist_folder/mine.txt"]
    for name in mine:
        (tmp_path / "digits" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "digits" / name).write_text(name)
    assert is_right(data.mnist_folder(tmp_path / "digits"))
    (tmp_path / "digits/mnist/README").write_text("README")
    (tmp_path / "digits/mnist/train/0_000000.png").unlink(missing_ok=True)
    data.mnist_folder(tmp_path / "digits")
    for name in [*mine, "mnist/README"]:
        assert (tmp_path / "digits" / name).read_text() == Path(name).name or name


def test_what_file_managers_leave_is_no_fault(folder, monkeypatch):
    (folder / "mnist/train/.DS_Store").write_text("Finder")
    (folder / "mnist/test/Thumbs.db").write_text("Explorer")
    monkeypatch.setattr(data, "_make", None)  # whoever calls it fails
    data.mnist_folder(folder)


def test_a_record_from_elsewhere_proves_nothing(folder, few, tmp_path):
    """Of a folder that was copied, and half of it lost on the way."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / "mnist/train")
    assert is_right(data.mnist_folder(copy))


# Paths, permissions, space


@pytest.mark.parametrize(
    "in_the_way", ["digits", "digits/mnist", "digits/mnist/train", "digits/.mnist_folder"]
)
def test_a_file_where_a_folder_should_be(few, tmp_path, in_the_way):
    file = tmp_path / in_the_way
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("somebody's")
    message = complaint(tmp_path / "digits")
    assert "in the way, a file where a folder should be" in message
    assert str(file) in message
    assert file.read_text() == "somebody's"


def test_a_file_where_the_folder_around_should_be(few, tmp_path):
    (tmp_path / "file").write_text("somebody's")
    assert "could not be made" in complaint(tmp_path / "file/digits")
    assert (tmp_path / "file").read_text() == "somebody's"


def test_a_folder_where_a_file_should_be(folder):
    file = folder / "mnist/train/5_000000.png"
    file.unlink()
    file.mkdir()
    assert str(file) in complaint(folder)
    assert file.is_dir()


LIKE_A_LEARNER = """
os.chdir(folder)
from PIL import PngImagePlugin
if os.getuid() == 0:  # nothing is forbidden to root
    os.setgid(65534)
    os.setuid(65534)
try:
    print(data.mnist_folder("digits"))
except LessonError as error:
    print("LessonError:", error)
"""


@on_posix
def test_no_permission_to_make_the_folder(only_readable, public_path):
    with only_readable(public_path):
        out = finish(start(LIKE_A_LEARNER, public_path))
    assert out.startswith("LessonError: digits could not be made: no permission for digits. Ask")
    assert "another path" in out
    assert out.count("\n") == 1


@on_posix
def test_no_permission_to_mend_the_folder(only_readable, few, public_path):
    folder = data.mnist_folder(public_path / "digits")
    (folder / "mnist/train/5_000000.png").unlink()
    with only_readable(public_path):
        out = finish(start(LIKE_A_LEARNER, public_path))
    assert out.startswith("LessonError: digits could not be made: no permission for ")
    assert ".mnist_folder" in out


@on_posix
def test_no_permission_to_read_a_file(few, public_path):
    folder = data.mnist_folder(public_path / "digits")
    (folder / "mnist/train/5_000000.png").chmod(0)
    shutil.rmtree(folder / ".mnist_folder")
    folder.chmod(0o777)
    out = finish(start(LIKE_A_LEARNER, public_path))
    assert "no permission for digits/mnist/train/5_000000.png" in out


@on_posix
@pytest.mark.parametrize("with_record", [True, False])
def test_complete_folder_that_only_the_teacher_may_write(
    only_readable, few, public_path, with_record
):
    folder = data.mnist_folder(public_path / "digits")
    if not with_record:
        shutil.rmtree(folder / ".mnist_folder")
    with only_readable(public_path):
        out = finish(start(LIKE_A_LEARNER, public_path))
    assert out == "digits\n"


@on_posix
def test_files_may_not_grow(tmp_path):
    """The limit on the size of a file, which gives the error of a disk that is full."""
    script = """
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    try:
        data.mnist_folder(folder)
    except LessonError as error:
        print("LessonError:", error)
    """
    out = finish(start(_dedent(script), tmp_path / "digits"))
    assert f"LessonError: {tmp_path / 'digits'} could not be made: the disk is full" in out
    assert "about 300 MB: free some space" in out
    assert not list((tmp_path / "digits").rglob("*.png"))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB, in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here; test_files_may_not_grow stands in")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk(few, small_disk):
    (small_disk / "digits").mkdir()
    (small_disk / "digits/mine").write_text("somebody's")
    message = complaint(small_disk / "digits")
    assert f"the disk is full ({os.strerror(errno.ENOSPC)})" in message
    assert not (small_disk / "digits/mnist").exists()
    assert shutil.disk_usage(small_disk).free > 900_000, "the space is given back"
    assert (small_disk / "digits/mine").read_text() == "somebody's"
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    assert is_right(data.mnist_folder(small_disk / "digits"))


def test_full_disk_while_cloning(few, small_disk, repository):
    message = complaint(small_disk / "digits", "github", repository(few))
    assert f"the disk is full ({os.strerror(errno.ENOSPC)})" in message
    assert shutil.disk_usage(small_disk).free > 900_000, "the space is given back"


# The clone


@pytest.fixture
def repository(tmp_path):
    """A maker of git repositories that hold given pictures; it returns their URL."""

    def make(pictures):
        stream = io.BytesIO()
        stream.write(b"commit refs/heads/main\ncommitter A <a@example.org> 0 +0000\ndata 0\n")
        for name, image in pictures.items():
            png = io.BytesIO()
            Image.fromarray(image).save(png, "png", compress_level=0)
            content = png.getvalue()
            stream.write(f"M 100644 inline mnist/{name}\n".encode())
            stream.write(b"data %d\n%s\n" % (len(content), content))
        git = ["git", "-c", "init.defaultBranch=main"]
        bare = tmp_path / "repository.git"
        subprocess.run([*git, "init", "--bare", "--quiet", bare], check=True)
        command = ["git", "--git-dir", bare, "fast-import", "--quiet"]
        subprocess.run(command, input=stream.getvalue(), check=True)
        return bare.as_uri()

    return make


@pytest.fixture
def server(monkeypatch):
    """A maker of servers that treat each connection as told; it returns their URL."""
    monkeypatch.setenv("no_proxy", "*")
    sockets = []

    def make(treat):
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    sockets.append(connection)
                    treat(connection)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/digits"

    yield make
    for one in sockets:
        one.close()


def nothing_is_left(folder):
    """Whether a failed clone left neither digits nor a part of the clone."""
    return not (folder / "mnist").exists() and not list(folder.glob(".mnist_folder/clone-*"))


def assert_clone_fails(folder, url, reason):
    message = complaint(folder, source="github", url=url)
    assert message.startswith(f"{url} could not be cloned: ")
    assert reason in message
    assert 'Leave out source="github"' in message
    assert nothing_is_left(folder)
    assert is_right(data.mnist_folder(folder)), "the cure cures"


def test_no_git(few, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = complaint(tmp_path / "digits", source="github")
    assert "git was not found" in message
    assert "Install git" in message


def test_no_such_host(few, tmp_path):
    assert_clone_fails(tmp_path / "digits", "https://digits.invalid/mnist", "unable to access")


def test_no_network(few, tmp_path, monkeypatch):
    """A port of this machine where nobody listens."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert_clone_fails(tmp_path / "digits", f"http://127.0.0.1:{port}/mnist", "unable to access")


def test_folder_that_is_not_a_repository(few, tmp_path):
    url = tmp_path.as_uri()
    assert_clone_fails(tmp_path / "digits", url, "does not appear to be a git repository")


def test_address_that_is_not_a_repository(few, tmp_path, monkeypatch):
    class NotFound(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_error(404)

        def log_message(self, *args):
            pass

    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), NotFound) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{http.server_port}/digits"
        assert_clone_fails(tmp_path / "digits", url, "not found")
        http.shutdown()


def test_private_repository_asks_nobody_for_a_password(few, tmp_path, monkeypatch):
    class Locked(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()

        def log_message(self, *args):
            pass

    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), Locked) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{http.server_port}/digits"
        assert_clone_fails(tmp_path / "digits", url, "could not read Username")
        http.shutdown()


@pytest.mark.parametrize("change", ["nothing", "missing", "different", "extra"])
def test_repository_with_the_wrong_content(few, tmp_path, repository, change):
    wrong = dict(few)
    if change == "nothing":
        wrong = {"elsewhere/5.png": few["train/5_000000.png"]}
    elif change == "missing":
        del wrong["train/5_000000.png"]
    elif change == "different":
        wrong["train/5_000000.png"] = few["train/5_000001.png"]
    else:
        wrong["train/5_999999.png"] = few["train/5_000000.png"]
    url = repository(wrong)
    message = complaint(tmp_path / "digits", source="github", url=url)
    assert message.startswith(f"{url} does not hold MNIST as 400 PNG files: ")
    assert ("400 files that are" if change == "nothing" else "1 file that is") in message
    assert nothing_is_left(tmp_path / "digits")
    assert is_right(data.mnist_folder(tmp_path / "digits"))


ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
    b"Content-Length: 5000\r\n\r\n001e# service=git-upload-pack\n0000015547b6"
)


@pytest.mark.parametrize("heard", [0, 1, len(ANSWER) - 40, len(ANSWER)])
def test_connection_cut(few, tmp_path, server, heard):
    def cut(connection):
        connection.recv(10_000)
        connection.sendall(ANSWER[:heard])
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    assert_clone_fails(tmp_path / "digits", server(cut), "")


def test_connection_cut_midway(few, tmp_path, repository):
    """The repository's file of pictures ends in the middle, so git stops amid sending it."""
    url = repository(few)
    (pack,) = (tmp_path / "repository.git").glob("objects/pack/*.pack")
    pack.chmod(0o644)
    os.truncate(pack, pack.stat().st_size // 2)
    assert_clone_fails(tmp_path / "digits", url, "")


def test_empty_repository(few, tmp_path):
    """Some git take an answer cut short for one."""
    subprocess.run(["git", "init", "--bare", "--quiet", tmp_path / "empty.git"], check=True)
    url = (tmp_path / "empty.git").as_uri()
    message = complaint(tmp_path / "digits", source="github", url=url)
    assert message.startswith(f"{url} does not hold MNIST as 400 PNG files: 400 files that are")
    assert nothing_is_left(tmp_path / "digits")


@pytest.mark.parametrize(
    ("bound", "scheme", "reason"),
    [
        ("LONGEST_SILENCE", "http", "Operation too slow. Less than 1 bytes/sec transferred the"),
        ("LONGEST_CLONE", "http", "not done after 1 seconds"),
        ("LONGEST_CLONE", "https", "not done after 1 seconds"),
        ("LONGEST_CLONE", "git", "not done after 1 seconds"),
    ],
)
def test_no_answer(few, tmp_path, server, monkeypatch, bound, scheme, reason):
    connections = []
    monkeypatch.setattr(git_clone, bound, 1)
    begun = time.monotonic()
    url = server(connections.append).replace("http", scheme)
    assert_clone_fails(tmp_path / "digits", url, reason)
    assert time.monotonic() - begun < 30
    assert is_hung_up(connections[0])


def is_hung_up(connection):
    """Whether whoever connected is gone: no git process goes on behind the learner's back."""
    connection.settimeout(10)
    while connection.recv(10_000):
        pass
    return True


@on_posix
def test_clone_interrupted(few, tmp_path, server):
    connections = []

    def answer(connection):
        connections.append(connection)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        data.mnist_folder(tmp_path / "digits", source="github", url=server(answer))
    assert is_hung_up(connections[0])
    assert nothing_is_left(tmp_path / "digits")


@on_posix
def test_clone_killed(few, tmp_path, server):
    connected = threading.Event()
    url = server(lambda connection: connected.set())
    folder = tmp_path / "digits"
    process = start("data.mnist_folder(folder, 'github', sys.argv[2])", folder, url)
    assert connected.wait(30)
    process.kill()
    process.communicate()
    assert list(folder.glob(".mnist_folder/clone-*"))
    assert is_right(data.mnist_folder(folder))
    assert not list(folder.glob(".mnist_folder/clone-*"))


@pytest.mark.parametrize(
    "url",
    ["$(touch evil)", "; touch evil", "--upload-pack=touch evil", "ext::sh -c touch% evil", ""],
)
def test_address_is_never_run(few, tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    assert_clone_fails(tmp_path / "digits", url, "")
    assert not list(tmp_path.rglob("evil"))


def test_clone_inside_a_hook_of_git(few, tmp_path, repository, monkeypatch):
    url = repository(few)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    assert is_right(data.mnist_folder(tmp_path / "digits", source="github", url=url))


# The array file


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("evil"),)


def truncated(content):
    return content[: len(content) // 2]


def one_bit_flipped(content):
    position = random.randrange(len(content))
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def with_a_pickle(content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("train_images", "train_digits", "test_images", "test_digits"):
            array = io.BytesIO()
            np.lib.format.write_array(array, np.array([None], dtype=object))
            file.writestr(f"{name}.npy", array.getvalue()[:128] + pickle.dumps(Evil()))
    return archive.getvalue()


@pytest.fixture
def array_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "ARRAY_FILE", tmp_path / "mnist.npz")
    return tmp_path / "mnist.npz"


CONTENT = data.ARRAY_FILE.read_bytes()


@pytest.mark.parametrize("damage", [truncated, one_bit_flipped, with_a_pickle, lambda content: b""])
def test_damaged_array_file_is_refused_before_a_byte_is_used(array_file, monkeypatch, damage):
    array_file.write_bytes(damage(CONTENT))
    used = []
    monkeypatch.setattr(np, "load", lambda *args, **kwargs: used.append(args))
    folder = array_file.parent / "digits"
    for use, argument in ((data.load_mnist, "test"), (data.mnist_folder, folder)):
        with pytest.raises(LessonError) as caught:
            use(argument)
        message = str(caught.value)
        assert message.startswith(f"{array_file} is damaged (SHA-256 ")
        assert "git checkout helpers/mnist.npz" in message
        assert "python -m tools.mnist_file" in message
        assert "\n" not in message
    assert not used
    assert not Path("evil").exists()


def test_pickle_in_the_array_file_is_never_run(array_file, monkeypatch):
    """Even in a file whose SHA-256 is the expected one."""
    array_file.write_bytes(with_a_pickle(CONTENT))
    evil = data.hashlib.sha256(array_file.read_bytes()).hexdigest()
    monkeypatch.setattr(data, "ARRAY_SHA256", evil)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        data.load_mnist("train")
    assert not Path("evil").exists()
    with np.load(array_file, allow_pickle=True) as archive, contextlib.suppress(Exception):
        archive["train_images"]
    assert Path("evil").exists(), "the pickle is a harmless one, and this test tests nothing"


def test_missing_array_file(array_file):
    with pytest.raises(LessonError, match="mnist.npz cannot be read: No such file.* Install"):
        data.load_mnist("test")


def _dedent(script):
    return "\n".join(line.removeprefix("    ") for line in script.splitlines())
