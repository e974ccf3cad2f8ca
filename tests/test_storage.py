"""Folders that cannot be written or are shared: every lesson runs, and nobody's files are lost."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import results, storage

ROOT = Path(__file__).resolve().parents[1]
NOBODY, SOMEBODY = 65534, 65533
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs permissions as in Unix")


@pytest.fixture
def course(public_path):
    """The folder that the notebooks lie in."""
    (public_path / "course").mkdir()
    return public_path / "course"


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    """The user's own data folder, for this process."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(storage, "_said", set())
    if storage.stand_in(storage.DIGITS) != tmp_path / "data/mnist-lessons/MNIST_dataset":
        pytest.skip("the data folder is elsewhere on this system")
    return tmp_path / "data" / "mnist-lessons"


def contents(folder):
    """Each file with what is in it, to see that nothing changed."""
    return {
        path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")
    }


# Everything is imported before the process becomes another user, who may not read our packages.
PRELUDE = """
import encodings.utf_8_sig, os, sys, tempfile
from helpers import data, storage
from helpers.errors import LessonError
from helpers.results import journey, record, recorded
from PIL import PngImagePlugin
if "network" in sys.argv[1]:
    from test_saved_networks import RELU, load_classifier, make, save_classifier
    with tempfile.TemporaryDirectory() as elsewhere:  # which imports the rest of torch
        load_classifier(RELU, save_classifier(make(RELU), RELU, elsewhere + "/x.pt"))
all_arrays = {split: data._read_arrays(split) for split in data.SPLITS}
data._read_arrays = lambda split: tuple(array[:100] for array in all_arrays[split])
user, umask = int(sys.argv[2]), int(sys.argv[3], 8)
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
os.umask(umask)
"""


def run(course, script, home, user=NOBODY, umask=0o022):
    """Run a script as a learner who works in the folder `course`; return what it prints."""
    if not home.exists():
        home.mkdir()
        if os.getuid() == 0:
            os.chown(home, user, user)
    environment = {name: value for name, value in os.environ.items() if name[:3] != "XDG"}
    environment |= {"HOME": str(home), "TQDM_DISABLE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    uses = "network" if "_classifier" in script else "-"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + script, uses, str(user), oct(umask)],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def data_folder(home):
    return home / ".local" / "share" / "mnist-lessons"


# --- a folder that can be read only ---------------------------------------------------------------


def test_a_read_only_folder_keeps_nothing_and_loses_nothing(only_readable, course, public_path):
    (course / "01_data.ipynb").write_text("{}")
    before = contents(course)
    home = public_path / "home"
    with only_readable(course):
        said = run(
            course,
            """
record("sigmoid", 0.64)
record("relu", 0.93)
folder = data.mnist_folder()
again = data.mnist_folder()
assert folder == again and len(list(folder.glob("mnist/*/*.png"))) == 200
path = save_classifier(make(RELU), RELU, "saved/rmsprop.pt")
load_classifier(RELU, "saved/rmsprop.pt")
print(path, folder, sep="\\n")
""",
            home,
        )
        later = run(
            course, 'load_classifier(RELU, "saved/rmsprop.pt"); print(sorted(recorded()))', home
        )
    assert contents(course) == before
    data = data_folder(home)
    (saved,) = data.glob("course-*/saved")
    lines = said.splitlines()
    assert lines == [
        "first network: sigmoid outputs: 64.0% right (expected: 53–78.5%)",
        "saved/results.json cannot be kept here (no permission for saved), so it is kept as "
        f"{saved / 'results.json'}.",
        "ReLU in the hidden layers: 93.0% right (expected: 92–95%)",  # and not said again
        "MNIST_dataset cannot be kept here (no permission for MNIST_dataset), so it is kept as "
        f"{data / 'MNIST_dataset'}.",
        "saved/rmsprop.pt cannot be kept here (no permission for saved), so it is kept as "
        f"{saved / 'rmsprop.pt'}.",
        str(saved / "rmsprop.pt"),
        str(data / "MNIST_dataset"),
    ]
    assert later == "['relu', 'sigmoid']\n"
    assert {file.name for file in saved.iterdir()} <= {
        "results.json",
        "results.lock",
        "rmsprop.pt",
    }


def test_where_nothing_can_be_kept_results_are_shown(only_readable, course, public_path):
    home = public_path / "home"
    home.mkdir()
    with only_readable(course), only_readable(home):
        said = run(
            course,
            """
record("sigmoid", 0.64)
record("relu", 0.93)
assert [measured for *_, measured in journey()] == [None] * 7
for ask in (
    lambda: data.mnist_folder(),
    lambda: save_classifier(make(RELU), RELU, "saved/rmsprop.pt"),
    lambda: load_classifier(RELU, "saved/rmsprop.pt"),
):
    try:
        ask()
    except LessonError as error:
        print("LessonError:", error)
""",
            home,
        )
    first, not_kept, second, digits, saving, loading = said.splitlines()
    assert "64.0% right" in first
    assert "93.0% right" in second
    place = f"no permission for {home / '.local'}"
    assert not_kept == (
        "This result is not kept for the journey: no permission for saved; in your own data "
        f"folder: {place}."
    )
    assert digits.startswith("LessonError: MNIST_dataset could not be made: no permission for ")
    assert place in digits
    assert "another path" in digits
    assert saving.startswith("LessonError: The network could not be saved as saved/rmsprop.pt: ")
    assert place in saving
    assert loading.startswith("LessonError: There is no saved network ")
    assert not (home / ".local").exists()


def test_a_path_that_the_learner_chose_stays_an_error(only_readable, course, public_path):
    home = public_path / "home"
    paths = ["mine/x.pt", "x.pt", "saved/../x.pt", f"{course}/saved/x.pt"]
    with only_readable(course):
        said = run(
            course,
            f"""
for path in {paths}:
    for ask in (
        lambda: save_classifier(make(RELU), RELU, path), lambda: data.mnist_folder(path)
    ):
        try:
            print(ask())
        except LessonError as error:
            print("LessonError:", error)
""",
            home,
        )
    lines = said.splitlines()
    for path, saving, digits in zip(paths, lines[::2], lines[1::2], strict=True):
        start = f"LessonError: The network could not be saved as {path}: no permission for "
        assert saving.startswith(start)
        assert digits.startswith(f"LessonError: {path} could not be made: no permission for ")
    assert "data folder" not in said
    assert not (home / ".local").exists()


@pytest.fixture
def small_disk(public_path):
    """A disk of 100 kB, in memory, for a folder that the notebooks lie in."""
    disk = public_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here")
    disk.chmod(0o777)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_what_it_has(small_disk, public_path):
    home = public_path / "home"
    script = """
record("{}", {})
print(sorted(recorded()))
"""
    run(small_disk, script.format("sigmoid", 0.64), home)
    with contextlib.suppress(OSError), open(small_disk / "large", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    said = run(
        small_disk,
        script.format("relu", 0.93)
        + """
print(save_classifier(make(RELU), RELU, "saved/rmsprop.pt"))
print(data.mnist_folder())
""",
        home,
    )
    assert "saved/results.json cannot be kept here (the disk is full (" in said
    assert "['relu', 'sigmoid']" in said, "what was kept before is not lost"
    assert json.loads((small_disk / "saved/results.json").read_text()) == {"sigmoid": 0.64}
    assert said.splitlines()[-1] == str(data_folder(home) / "MNIST_dataset")
    assert "saved/rmsprop.pt cannot be kept here (the disk is full (" in said
    (small_disk / "large").unlink()
    said = run(small_disk, script.format("softmax", 0.8), home)
    assert said.splitlines()[-1] == "['relu', 'sigmoid', 'softmax']"
    assert set(json.loads((small_disk / "saved/results.json").read_text())) == {
        "relu",
        "sigmoid",
        "softmax",
    }
    assert not list(data_folder(home).glob("*/saved/results.json")), "it is all in one place again"


# --- several folders, several users ---------------------------------------------------------------


def test_two_courses_of_one_user_do_not_mix(only_readable, public_path):
    home = public_path / "home"
    for number, value in ((1, 0.61), (2, 0.66)):
        course = public_path / f"{number}" / "course"
        course.mkdir(parents=True)
        with only_readable(course):
            run(course, f'record("sigmoid", {value})', home)
    kept = [json.loads(f.read_text()) for f in data_folder(home).glob("course-*/saved/*.json")]
    assert sorted(found["sigmoid"] for found in kept) == [0.61, 0.66]


@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root can be two users")
@pytest.mark.parametrize("first", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("second", [0o022, 0o077])
def test_two_users_share_one_folder_that_both_may_write(course, public_path, first, second):
    """Each runs everything to its end, and nothing of the other's changes."""
    course.chmod(0o777)
    script = """
record("{}", {})
print(sorted(recorded()))
folder = data.mnist_folder()
print(data._is_complete(folder), len(list(folder.glob("mnist/*/*.png"))))
"""
    ada, bob = public_path / "ada", public_path / "bob"
    said = run(course, script.format("sigmoid", 0.64), ada, NOBODY, first)
    assert "kept as" not in said
    before = {path: content for path, content in contents(course).items() if content}
    said = run(course, script.format("relu", 0.93), bob, SOMEBODY, second)
    assert {path: content for path, content in contents(course).items() if content} == before
    assert "True 200" in said
    assert re.search(r"saved/results.json cannot be kept here \(no permission for \S*saved/", said)
    assert "delete" not in said
    private = first == 0o077
    assert ("['relu']" if private else "['relu', 'sigmoid']") in said
    assert ("MNIST_dataset cannot be kept here" in said) == private
    # And the first user goes on as before.
    said = run(course, script.format("softmax", 0.8), ada, NOBODY, first)
    assert "kept as" not in said
    assert "['sigmoid', 'softmax']" in said


@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root can be two users")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_two_users_save_their_networks(course, public_path, umask):
    course.chmod(0o777)
    script = """
classifier = make(RELU, seed={})
save_classifier(classifier, RELU, "saved/rmsprop.pt")
loaded = load_classifier(RELU, "saved/rmsprop.pt")
assert loaded.state_dict()["model.blocks.0.layer.weight"].equal(
    classifier.state_dict()["model.blocks.0.layer.weight"]
)
"""
    assert run(course, script.format(1), public_path / "ada", NOBODY, umask) == ""
    adas = (course / "saved/rmsprop.pt").read_bytes()
    said = run(course, script.format(2), public_path / "bob", SOMEBODY, 0o022)
    assert said.startswith("saved/rmsprop.pt cannot be kept here (no permission for saved")
    assert len(said.splitlines()) == 1
    assert (course / "saved/rmsprop.pt").read_bytes() == adas
    loading = """
try:
    load_classifier(RELU, "saved/rmsprop.pt")
    print("loaded")
except LessonError as error:
    print("LessonError:", error)
"""
    said = run(course, loading, public_path / "eve", SOMEBODY - 1, 0o022)
    if umask == 0o077:
        assert said.startswith("LessonError: saved/rmsprop.pt cannot be read: no permission for ")
        assert "delete" not in said
        assert "damaged" not in said
    else:
        assert said == "loaded\n"


@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root can be two users")
def test_two_users_of_one_group_write_one_file(course, public_path):
    """With umask 002 in a folder that hands on its group, both may write everything."""
    os.chown(course, NOBODY, NOBODY)
    course.chmod(0o2775)
    run(course, 'record("sigmoid", 0.64)', public_path / "ada", NOBODY, 0o002)
    script = f"""
if os.getuid() == {SOMEBODY}:
    record("relu", 0.93)
"""
    in_the_group = "os.setgroups([])"
    assert in_the_group in PRELUDE
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PRELUDE.replace(in_the_group, f"os.setgroups([{NOBODY}])") + script,
            "-",
            str(SOMEBODY),
            "0o002",
        ],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(public_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "kept" not in done.stdout
    assert json.loads((course / "saved/results.json").read_text()) == {
        "sigmoid": 0.64,
        "relu": 0.93,
    }


# --- the pieces -----------------------------------------------------------------------------------


def test_only_the_lessons_own_places_have_a_stand_in(own_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert storage.stand_in(Path("MNIST_dataset")) == own_data / "MNIST_dataset"
    network = storage.stand_in(Path("saved/rmsprop.pt"))
    assert network.parts[-2:] == ("saved", "rmsprop.pt")
    assert network.parent.parent.parent == own_data
    assert network.parent == storage.stand_in(results.RESULTS_FILE).parent
    for other in (
        "mine.pt",
        "MNIST_dataset/more",
        "digits",
        "saved/../mine.pt",
        "../saved/x.pt",
        "",
        tmp_path / "saved/x.pt",
        tmp_path / "MNIST_dataset",
    ):
        assert storage.stand_in(Path(other)) is None, other


def test_what_can_be_written_again_takes_the_stand_ins_place(own_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("saved/x")
    other = storage.stand_in(path)
    other.parent.mkdir(parents=True)
    other.write_text("newer")
    assert storage.find(path) == other
    path.parent.mkdir()

    def write(file):
        file.write_text("newest")
        return file

    assert storage.keep(path, write) == path
    assert storage.find(path) == path
    assert not other.exists()


def test_other_errors_are_no_reason_to_go_elsewhere(own_data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").write_text("mine")
    with pytest.raises(OSError, match="File exists"):
        storage.keep(Path("saved/x"), lambda file: file.parent.mkdir())
    assert not own_data.exists()
    assert capsys.readouterr().out == ""


def test_a_file_is_replaced_as_a_whole(tmp_path):
    file, link = tmp_path / "file", tmp_path / "hard link"
    file.write_text("old")
    os.link(file, link)
    with storage.replacing(file) as replacement:
        replacement.write(b"ne")
        replacement.flush()
        assert file.read_text() == "old"
        (unfinished,) = set(tmp_path.iterdir()) - {file, link}
        replacement.write(b"w")
    assert file.read_text() == "new"
    assert link.read_text() == "old", "the old file was not written to"
    with storage.replacing(file) as replacement:
        (another,) = set(tmp_path.iterdir()) - {file, link}
        assert another != unfinished, "nobody can know the name beforehand"
    assert sorted(tmp_path.iterdir()) == [file, link]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("limit", [0, 10])
def test_no_more_than_the_limit_is_read(tmp_path, limit):
    file = tmp_path / "file"
    file.write_bytes(bytes(limit))
    assert storage.read(file, limit) == bytes(limit)
    with open(file, "wb") as huge:
        huge.truncate(2**40)  # takes no space, and would take all the memory
    with pytest.raises(storage.NotPlainError, match=f"larger than {limit} bytes"):
        storage.read(file, limit)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("follow", [False, True])
def test_a_pipe_that_comes_in_between_does_not_hold_up(tmp_path, monkeypatch, follow):
    """What was an ordinary file when it was looked at is a pipe, or a link, when it is opened."""
    monkeypatch.setattr(storage, "check_plain", lambda path: None)
    os.mkfifo(tmp_path / "pipe")
    file = tmp_path / "pipe"
    if follow:
        file = tmp_path / "link"
        file.symlink_to("pipe")
    with pytest.raises(OSError, match=r"not an ordinary file|symbolic link"):
        storage.read(file, 10)


# --- all lessons ----------------------------------------------------------------------------------


def like_a_user(*command):
    """The command, so that permissions bind it even where this is run by root."""
    if os.getuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may write everywhere, and there is no setpriv (util-linux) to forbid it")
    powers = "-dac_override,-dac_read_search"
    return (setpriv, f"--bounding-set={powers}", f"--inh-caps={powers}", *command)


EXECUTE = """
import sys
from pathlib import Path
from tools import LESSONS, execute, notebooks, outputs
execute.NOTEBOOKS = Path(".")
for name in LESSONS:
    notebook = notebooks.read_notebook(Path(f"{name}.ipynb"))
    for cell in outputs.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    execute.execute(notebook)
    for cell in outputs.code_cells(notebook):
        for output in cell.outputs:
            assert output.get("name") != "stderr", output.text
            for line in output.get("text", "").splitlines():
                if "kept" in line:
                    print(line)
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_lessons_run_in_a_folder_that_can_only_be_read(only_readable, tmp_path):
    course = tmp_path / "course"
    course.mkdir()
    for path in (ROOT / "notebooks").iterdir():
        if path.suffix in (".ipynb", ".py"):
            shutil.copy(path, course)
    before = contents(course)
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name[:3] != "XDG"}
    environment["PYTHONPATH"] = str(ROOT)
    with only_readable(course):
        probe = subprocess.run(like_a_user("touch", str(course / "x")), capture_output=True)
        if probe.returncode == 0:
            pytest.skip("this user may write everywhere: nothing can be made read-only here")
        done = subprocess.run(
            like_a_user(sys.executable, "-c", EXECUTE),
            cwd=course,
            env={**environment, "HOME": str(home)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert contents(course) == before
    data = data_folder(home)
    (saved,) = data.glob("course-*/saved")
    assert set(json.loads((saved / "results.json").read_text())) == set(results.EXPECTED)
    assert (saved / "rmsprop.pt").is_file()
    assert len(list((data / "MNIST_dataset/mnist/train").iterdir())) == 60_000
    said = done.stdout.splitlines()
    assert sum("MNIST_dataset cannot be kept here" in line for line in said) == 1
    # Once a lesson that has results: each has a kernel of its own.
    recording = {expected.lesson for expected in results.EXPECTED.values()}
    assert sum("results.json cannot be kept here" in line for line in said) == len(recording)
    assert sum("rmsprop.pt cannot be kept here" in line for line in said) == 1
