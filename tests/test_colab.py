"""The lessons on Colab and Kaggle: nothing there but the notebook, torch, NumPy and matplotlib."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers.errors import LessonError
from tools import LESSONS, ROOT, addresses, notebooks, outputs

PYPROJECT = addresses.REPOSITORY_LINE.sub(
    f'Repository = "{addresses.NOT_WRITTEN}not-written-yet"',
    (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
)
PACKAGES = Path(sysconfig.get_path("purelib"))
# Colab's kernel has imported its own package before the first cell; Kaggle sets a variable.
COLAB, KAGGLE = {}, {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}


def run(*command, cwd, **options):
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, encoding="utf-8", **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_helpers():
    """Returns the environment variables for a Python that must not find this checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def published(tmp_path_factory, copy_checkout):
    """Publishes this checkout in a bare repository; gives a clone that knows its address."""
    folder = tmp_path_factory.mktemp("published")
    bare, clone = folder / "lessons.git", folder / "clone"
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", bare, cwd=folder)
    run("git", "clone", "--quiet", bare, clone, cwd=folder)
    copy_checkout(clone)
    address = f"file://localhost/{bare.as_posix().lstrip('/')}"
    environment = {**os.environ, "PYTHONPATH": str(clone)}
    # What `make colab` runs.
    run(sys.executable, "-m", "tools.build", "colab", address, cwd=clone, env=environment)
    someone = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    run("git", "add", "--all", cwd=clone)
    run("git", *someone, "commit", "--quiet", "--message=Lessons", cwd=clone)
    run("git", "push", "--quiet", "origin", "HEAD:main", cwd=clone)
    return clone


@pytest.fixture
def python(tmp_path):
    """The Python of a virtual environment that has all of ours but the helpers.

    Our packages lie outside of it, so pip can use them and cannot change them.
    """
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    shadow = tmp_path / "packages"
    shadow.mkdir()
    for path in PACKAGES.iterdir():
        if path.suffix != ".pth" and "mnist_lessons" not in path.name:
            (shadow / path.name).symlink_to(path)
    colab = tmp_path / "stub" / "google" / "colab"
    colab.mkdir(parents=True)
    (colab / "__init__.py").touch()
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(
        run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path)[:-1]
    )
    (site / "packages.pth").write_text(f"{shadow}\n{tmp_path / 'stub'}\n", encoding="utf-8")
    return python


def versions(python, folder):
    listed = run(python, "-m", "pip", "list", "--format=json", cwd=folder, env=without_helpers())
    return {package["name"]: package["version"] for package in json.loads(listed)}


def execute(notebook, python, folder, service):
    """Runs every cell in a kernel of `python` that works in `folder`, as the service would."""
    start = "import runpy, sys; runpy.run_module('ipykernel_launcher', run_name='__main__')"
    if service is COLAB:
        start = f"import google.colab; {start}"

    class Service(KernelSpecManager):
        def get_kernel_spec(self, kernel_name):
            argv = [str(python), "-c", start, "-f", "{connection_file}"]
            return KernelSpec(argv=argv, language="python", display_name="Python 3")

    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}}, coalesce_streams=True
    )
    client.km = AsyncKernelManager(kernel_spec_manager=Service())
    with client.setup_kernel(env={**without_helpers(), **service}):
        for count, cell in enumerate(notebook.cells):
            client.execute_cell(cell, count)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links to packages need a privilege on Windows")
@pytest.mark.parametrize(
    ("name", "service"),
    [(LESSONS[0], COLAB), (LESSONS[1], KAGGLE)],
    ids=["lesson 1 on Colab", "lesson 2 on Kaggle"],
)
def test_a_lesson_alone_installs_the_helpers_and_runs_to_its_end(
    published, python, tmp_path, name, service
):
    folder = tmp_path / "content"
    folder.mkdir()
    before = versions(python, folder)
    assert {"torch", "numpy", "matplotlib"} <= before.keys()
    assert "mnist-lessons" not in before
    notebook = notebooks.read_notebook(published / "notebooks" / f"{name}.ipynb")
    try:
        execute(notebook, python, folder, service)
    except CellExecutionError as error:
        if "No matching distribution found for setuptools" in str(notebook):
            pytest.skip("pip reaches no package index here, and needs setuptools from it")
        raise error
    setup = outputs.code_cells(notebook)[0]
    assert setup.outputs[0].text.startswith("Installing the lessons' helpers and digits from file:")
    after = versions(python, folder)
    assert after == {**before, "mnist-lessons": after["mnist-lessons"]}
    place = "import helpers.data; print(helpers.data.__file__)"
    installed = Path(run(python, "-c", place, cwd=folder, env=without_helpers()).strip())
    assert (tmp_path / "venv").resolve() in installed.resolve().parents
    assert (installed.parent / "mnist.npz").exists()


# --- the address, which ends in a line that IPython and a shell read ------------------------------

OTHERS = "https://other.host/path/to/repo"


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        *[
            (written, "https://github.com/ada/mnist-lessons")
            for written in (
                "ada/mnist-lessons",
                "ada/mnist-lessons/",
                "ada/mnist-lessons.git",
                "https://github.com/ada/mnist-lessons",
                "https://github.com/ada/mnist-lessons/",
                "https://github.com/ada/mnist-lessons.git",
                "https://github.com/ada/mnist-lessons.git/",
            )
        ],
        ("Ada-L_corp/.github", "https://github.com/Ada-L_corp/.github"),
        ("a/_x.y-z..1", "https://github.com/a/_x.y-z..1"),
        (f"{'o' * 39}/{'n' * 100}", f"https://github.com/{'o' * 39}/{'n' * 100}"),
        (OTHERS, OTHERS),
        (f"{OTHERS}/", OTHERS),
        (f"{OTHERS}.git", f"{OTHERS}.git"),
        ("https://git/x", "https://git/x"),
        ("https://gitlab.com/tree/main", "https://gitlab.com/tree/main"),
        ("https://192.0.2.1/x", "https://192.0.2.1/x"),
        ("file://localhost/tmp/a.git", "file://localhost/tmp/a.git"),
        ("file://localhost/C:/Temp/a.git", "file://localhost/C:/Temp/a.git"),
    ],
)
def test_address_of_a_repository_is_taken(repository, address):
    assert addresses.read_address(addresses.write_address(PYPROJECT, repository)) == address


SIGNS = [chr(code) for code in range(128) if not (chr(code).isalnum() or chr(code) in "._-/")]
WRONG = [
    # what a shell, IPython or pip would read
    "https://h/x$(touch${IFS}y)",
    "https://h/x;touch",
    "https://h/`touch`",
    "https://h/{repository}",
    "https://h/$name",
    'https://h/x"',
    "https://h/x@main",
    "https://h/x#egg=y",
    "https://h/x?y",
    "https://h/x%20y",
    "https://h/x\n",
    "ada/x\n",
    "\nada/x",
    " ada/x",
    # what looks like another thing, or is none
    "https://h/x\u202ey",
    "ada/le\u00e7ons",
    "https://g\u0456thub.com/ada/x",
    "ada/x\u00a0",
    "\uff41da/x",
    "ada/\u0661",
    # what leads elsewhere
    "a/..",
    "a/.",
    "a/...",
    "../a",
    "./a",
    "/a/b",
    "a//b",
    "https://h/a/../b",
    "https://h/a/./b",
    "https://h/..",
    "https://h//a",
    "https://h/a//",
    "https://github.com/ada/x/tree/main",
    "https://github.com/ada/x/blob/main/README.md",
    "https://github.com/ada/x/issues",
    "https://github.com/ada",
    "https://github.com/",
    "https://github.com",
    "https://www.github.com/ada/x",
    "https://gitlab.com/ada/x/-/tree/main",
    "https://codeberg.org/ada/x/tree/main",
    "ada/x/tree/main",
    "github.com/ada/x",
    # names that cannot be
    "ada/x.git.git",
    "ada/.git",
    "ada/",
    "/x",
    "owner/-x",
    "https://h/-x",
    "https://h/a/-x",
    "-owner/x",
    "owner-/x",
    "own--er/x",
    "ow.ner/x",
    f"{'o' * 40}/x",
    f"ada/{'n' * 101}",
    f"https://h/{'n' * 101}",
    "https://h" + "/abc" * 80,
    # other ways to get there
    "https://user:password@github.com/ada/x",
    "https://token@h/x",
    "https://github.com:443/ada/x",
    "https://h:8080/x",
    "https://h./x",
    "https://-h/x",
    "https:///x",
    "https://",
    "http://github.com/ada/x",
    "HTTPS://github.com/ada/x",
    "ssh://git@github.com/ada/x",
    "git@github.com:ada/x.git",
    "git+https://github.com/ada/x",
    "file:///tmp/x",
    "file://server/x",
    "file://localhost/tmp/../x",
    "file://localhost/tmp/CC:/x",
    "javascript://h/x",
    "",
    "/",
    ".git",
]


@pytest.mark.parametrize("repository", WRONG, ids=ascii)
def test_anything_else_is_refused_in_one_line(repository):
    with pytest.raises(LessonError, match="owner/name") as refused:
        addresses.write_address(PYPROJECT, repository)
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
@pytest.mark.parametrize("good", ["ada/x", "https://github.com/ada/x", "https://h/a/b"])
def test_no_sign_that_a_shell_or_ipython_reads_is_taken(good, sign):
    for place in range(len(good) + 1):
        with pytest.raises(LessonError, match="owner/name"):
            addresses.write_address(PYPROJECT, good[:place] + sign + good[place:])


def test_address_that_somebody_wrote_by_hand_is_read_as_strictly():
    for wrong in ("https://h/x$(touch${IFS}y)", "https://github.com/ada/x/tree/main", "", "x"):
        by_hand = PYPROJECT.replace(f"{addresses.NOT_WRITTEN}not-written-yet", wrong)
        with pytest.raises(LessonError, match="make colab REPOSITORY=owner/name"):
            addresses.read_address(by_hand)


def test_there_is_one_line_to_write_the_address_in():
    without = addresses.REPOSITORY_LINE.sub("", PYPROJECT)
    with pytest.raises(LessonError, match="0 lines like Repository"):
        addresses.write_address(without, "ada/x")
    with pytest.raises(LessonError, match="2 lines like Repository"):
        addresses.write_address(PYPROJECT + '\nRepository = "y"\n', "ada/x")
    with pytest.raises(LessonError, match="make colab REPOSITORY=owner/name"):
        addresses.read_address(without)


def test_badges_and_setup_cells_agree_with_the_one_address(published):
    address = addresses.read_address((published / "pyproject.toml").read_text(encoding="utf-8"))
    assert address.endswith("/lessons.git")
    for path in (published / "notebooks").glob("**/[0-9]*.ipynb"):
        setup = outputs.code_cells(notebooks.read_notebook(path))[0]
        assert setup.source == addresses.setup_cell(address), path


# --- a learner's own file beside the notebook ----------------------------------------------------


def run_setup_beside(folder):
    """What the set-up cell says in an IPython that works in `folder`, as a kernel does."""
    program = (
        "import sys; sys.path.insert(0, '')\n"  # as in a kernel, but not while IPython is imported
        f"InteractiveShell.instance(colors='nocolor').run_cell({addresses.setup_cell(None)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", IPYTHON + program],
        cwd=folder,
        env={**without_helpers(), "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


IPYTHON = "from IPython.core.interactiveshell import InteractiveShell\n"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("helpers.py", "helpers"),
        ("helpers/__init__.py", "helpers"),
        ("torch.py", "torch"),
        ("numpy/__init__.py", "numpy"),
        ("deeplay.py", "deeplay"),
    ],
)
def test_a_file_of_the_learners_that_hides_a_package_is_named(tmp_path, file, name):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("mine = 1", encoding="utf-8")
    said = run_setup_beside(tmp_path)
    where = tmp_path.resolve() / file
    assert said == f"{where} hides the lessons' {name}: rename it and restart the kernel."
    assert (tmp_path / file).read_text(encoding="utf-8") == "mine = 1"


def test_an_empty_folder_named_helpers_is_named_if_it_hides_the_package(tmp_path):
    (tmp_path / "helpers").mkdir()
    (tmp_path / "torch").mkdir()  # this one hides nothing: an installed package goes first
    said = run_setup_beside(tmp_path)
    # Helpers installed as files go first, too; those of an editable installation come last.
    code = "import sys; sys.path.insert(0, ''); import helpers; assert helpers.__file__"
    use = [sys.executable, "-P", "-c", code]
    hidden = subprocess.run(use, cwd=tmp_path, env=without_helpers(), capture_output=True)
    place = tmp_path.resolve() / "helpers"
    line = f"{place} hides the lessons' helpers: rename it and restart the kernel."
    assert said == (line if hidden.returncode else "")


@pytest.mark.parametrize("folder", ["", "notebooks", "own"])
def test_setup_is_silent_where_nothing_is_in_the_way(published, tmp_path, folder):
    """In the project's folder, among its notebooks, and beside harmless files of a learner's."""
    place = published / folder
    if folder == "own":
        place = tmp_path
        for name in ("helpers.txt", "my_torch.py", "data.py"):
            (place / name).touch()
    assert run_setup_beside(place) == ""
