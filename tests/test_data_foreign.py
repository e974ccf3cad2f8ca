"""What looks like MNIST's folder and is somebody's: a complaint first, and nothing is written."""

import os
import stat
import subprocess

import pytest
from test_data_faults import FEW_ARRAYS, complaint, is_right

from helpers import data

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links and pipes of Unix")


@pytest.fixture(autouse=True)
def _few(monkeypatch, tmp_path):
    """MNIST as if it had 300 training and 100 test images, and a learner's own files."""
    monkeypatch.setattr(data, "_read_arrays", FEW_ARRAYS.get)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/notes.txt").write_text("years of work")


def link(path):
    path.symlink_to(path.cwd() / "thesis/notes.txt")


def link_to_nothing(path):
    path.symlink_to("nothing")


def link_to_a_device(path):
    path.symlink_to("/dev/zero")  # followed, it would never end


def text(path):
    path.write_text("years of work\n" * 20)


def short_text(path):
    path.write_text("7")


def other_picture(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\1\0" * 2 + b"x" * 99)


def far_too_large(path):
    with open(path, "wb") as file:
        file.truncate(2**40)  # takes no space, and would take all the memory


def folder_in_place_of_a_file(path):
    path.mkdir()


def everything(folder):
    """Each path below a folder, with its mode, its size and, where it is small, its content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = os.lstat(path)
        small = stat.S_ISREG(status.st_mode) and status.st_size < 1e6
        found[path] = status.st_mode, status.st_size, small and path.read_bytes()
    return {path: facts for path, facts in found.items() if not path.is_dir()}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("place", ["mnist", ".mnist_folder/mnist"])
@pytest.mark.parametrize("name", ["train/5_000000.png", "test/0_000003.png"])
@pytest.mark.parametrize(
    "put",
    [
        link,
        link_to_nothing,
        link_to_a_device,
        os.mkfifo,
        text,
        short_text,
        other_picture,
        far_too_large,
        folder_in_place_of_a_file,
    ],
)
def test_what_is_not_mnists_under_a_name_of_mnists_stays(tmp_path, place, name, put):
    file = tmp_path / "digits" / place / name
    file.parent.mkdir(parents=True)
    put(file)
    before = everything(tmp_path)
    message = complaint("digits")
    assert f"{place} holds 1 file that is not MNIST's, the first " in message
    assert str(file.relative_to(tmp_path)) in message
    after = everything(tmp_path)
    workshop = tmp_path / "digits/.mnist_folder"
    new = after.keys() - before.keys() - {workshop, workshop / "lock"}
    assert not new, "nothing is written before the complaint"
    assert {path: after[path] for path in before} == before


@pytest.mark.parametrize("place", ["mnist", "mnist/train", "mnist/test", ".mnist_folder"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_in_place_of_a_folder_is_never_gone_through(tmp_path, place, absolute):
    path = tmp_path / "digits" / place
    path.parent.mkdir(parents=True)
    target = tmp_path / "thesis"
    path.symlink_to(target if absolute else os.path.relpath(target, path.parent))
    message = complaint("digits")
    assert f"{os.path.join('digits', place)} is a link. Move it elsewhere, or give" in message
    assert [file.name for file in target.iterdir()] == ["notes.txt"]
    assert path.is_symlink()


@pytest.mark.parametrize("name", ["mine.txt", "5_000000.jpg", "sub/0_000000.png"])
def test_a_folder_of_the_learners_is_complained_of_before_it_is_filled(tmp_path, name):
    file = tmp_path / "digits/mnist/train" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert "not MNIST's, the first" in complaint("digits")
    assert {path for path in (tmp_path / "digits").rglob("*") if path.is_file()} == {file}
    assert file.read_text() == "mine"


@pytest.mark.parametrize("change", ["link", "link to a folder", "beside", "beside the splits"])
def test_a_cloned_repository_with_anything_else_is_refused(tmp_path, change):
    source = tmp_path / "repository"
    assert is_right(data.mnist_folder(source))
    subprocess.run(["rm", "-r", source / ".mnist_folder"], check=True)
    named = {
        "link": "mnist/train/5_000000.png",
        "link to a folder": "mnist/test",
        "beside": "mnist/train/run.sh",
        "beside the splits": "mnist/evil",
    }[change]
    if change == "link":
        (source / named).unlink()
        (source / named).symlink_to("../../../thesis/notes.txt")
    elif change == "link to a folder":
        (source / named).rename(source / "elsewhere")
        (source / named).symlink_to("../elsewhere")
    else:
        (source / named).write_text("x")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", source]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "digits"]):
        subprocess.run([*git, *command], check=True)
    message = complaint("digits", source="github", url=source.as_uri())
    assert named in message
    assert not (tmp_path / "digits/mnist").exists()
    assert is_right(data.mnist_folder("digits"))


@pytest.mark.parametrize("path", [None, 3, b"x", "", "a\0b", "a\nb", "\ud800", ["x"]])
def test_what_is_no_path_is_said(tmp_path, path):
    assert complaint(path) == (
        f'path is {path!r}, but it must be the path of a folder, such as "MNIST_dataset".'
    )
    assert [file.name for file in tmp_path.iterdir()] == ["thesis"]


@pytest.mark.parametrize("path", ["~nosuchuser/x", "~nosuchuser"])
def test_a_user_who_is_not_there_is_said(tmp_path, path):
    assert complaint(path).startswith(f"path is {path!r}, but there is no such user here.")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis"]


@pytest.mark.parametrize("url", [None, 3, b"https://h/x", "https://h/x\n", "\x1b[2J"])
def test_what_is_no_address_is_said(tmp_path, url):
    message = complaint("digits", source="github", url=url)
    assert message == f"url is {url!r}, but it must be the address of a git repository."
    assert [file.name for file in tmp_path.iterdir()] == ["thesis"]
