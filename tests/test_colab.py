"""The lessons on Colab and Kaggle: nothing there but the notebook, torch, NumPy and matplotlib."""

import json
import os
import re
import sys
from pathlib import Path

import IPython
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from programs import PACKAGES, ended, environ, printed, virtual_environment

from helpers.live.figure import HERE, STYLE, script
from tools import LESSONS, ROOT, addresses, notebooks, outputs

# Colab's kernel has imported its own package before the first cell; Kaggle sets a variable.
COLAB, KAGGLE = {}, {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}


@pytest.fixture(scope="module")
def published(tmp_path_factory, copy_checkout):
    """Publishes this checkout in a bare repository; gives a clone that knows its address."""
    folder = tmp_path_factory.mktemp("published")
    bare, clone = folder / "lessons.git", folder / "clone"
    printed("git", "init", "--quiet", "--bare", "--initial-branch=main", bare, cwd=folder)
    printed("git", "clone", "--quiet", bare, clone, cwd=folder)
    copy_checkout(clone)
    address = f"file://localhost/{bare.as_posix().lstrip('/')}"
    environment = environ(clone)
    # What `make colab` runs.
    printed(sys.executable, "-m", "tools.build", "colab", address, cwd=clone, env=environment)
    someone = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    printed("git", "add", "--all", cwd=clone)
    printed("git", *someone, "commit", "--quiet", "--message=Lessons", cwd=clone)
    printed("git", "push", "--quiet", "origin", "HEAD:main", cwd=clone)
    return clone


@pytest.fixture
def python(tmp_path):
    """The Python of a virtual environment that has all of ours but the helpers."""
    shadow = tmp_path / "packages"
    shadow.mkdir()
    for path in PACKAGES.iterdir():
        if path.suffix != ".pth" and "mnist_lessons" not in path.name:
            (shadow / path.name).symlink_to(path)
    colab = tmp_path / "stub" / "google" / "colab"
    colab.mkdir(parents=True)
    (colab / "__init__.py").touch()
    return virtual_environment(tmp_path / "venv", shadow, tmp_path / "stub")


def versions(python, folder):
    listed = printed(python, "-m", "pip", "list", "--format=json", cwd=folder, env=environ())
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
    with client.setup_kernel(env={**environ(), **service}):
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
    installed = Path(printed(python, "-c", place, cwd=folder, env=environ()).strip())
    assert (tmp_path / "venv").resolve() in installed.resolve().parents
    assert (installed.parent / "mnist.npz").exists()


def test_badges_and_setup_cells_agree_with_the_one_address(published):
    address = addresses.read_address((published / "pyproject.toml").read_text(encoding="utf-8"))
    assert address.endswith("/lessons.git")
    for path in (published / "notebooks").glob("**/[0-9]*.ipynb"):
        setup = outputs.code_cells(notebooks.read_notebook(path))[0]
        assert setup.source == addresses.setup_cell(address), path


# --- the live figures with Colab's packages ------------------------------------------------------

# Colab's, and what the first of them still needs; all else is this environment's.
COLABS = ["ipywidgets==7.7.1", "anywidget==0.9.21", "ipython_genutils==0.2.0"]

# Makes all six figures and one of a network that the browser does not know, and asks that one to
# read a white image. Prints the versions and, for each figure, what is displayed and what is sent.
ASK_FIGURES = """
import importlib.metadata, json, sys, types
import ipykernel.comm, ipywidgets, numpy, torch

output = sys.modules["google.colab.output"] = types.ModuleType("google.colab.output")
output.enable_custom_widget_manager = lambda: None
output._widgets = types.SimpleNamespace(_installed_url="the manager")

class Stub(ipykernel.comm.Comm):
    kernel = True
    def publish_msg(self, kind, data=None, metadata=None, buffers=None, **keys):
        sent.append([kind, data, len(buffers or [])])

ipywidgets.widgets.widget.Comm = Stub

from helpers import live
images, digits = numpy.zeros((20, 28, 28), numpy.float32), numpy.arange(20) % 10
layers = [torch.nn.Flatten(), torch.nn.Linear(784, 5), torch.nn.ReLU(), torch.nn.Linear(5, 10)]
dense, other = torch.nn.Sequential(*layers), torch.nn.Sequential(*layers, torch.nn.Softplus())
figures, found = {
    "neuron": lambda: live.Neuron(),
    "softmax": lambda: live.Softmax(range(10)),
    "valley": lambda: live.Valley({"SGD": [[-9, 1.6], [0, 0]]}),
    "draw_digit": lambda: live.DrawDigit(dense),
    "disturb": lambda: live.Disturb(images, digits, dense),
    "inside": lambda: live.Inside(dense, images, digits, {"trained": dense[1].weight}),
    "asked": lambda: live.DrawDigit(other),
}, {}
for name, make in figures.items():
    sent = []
    figure = make()
    if name == "asked":
        data = {"method": "update", "state": {}, "buffer_paths": [["asked"]]}
        figure._handle_msg({"content": {"data": data}, "buffers": [memoryview(bytes(4 * 784))]})
    found[name] = [*figure._repr_mimebundle_(), figure._ipython_display_ is None, sent]
versions = {name: importlib.metadata.version(name) for name in ("ipywidgets", "anywidget")}
print(json.dumps([versions, found]))
"""


@pytest.mark.slow
def test_live_figures_send_with_colabs_packages_what_they_should(tmp_path):
    folder = tmp_path / "colabs"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, *COLABS]
    done = ended(sys.executable, *install)
    if "No matching distribution found" in done.stderr:
        pytest.skip("pip reaches no package index here")
    assert done.returncode == 0, done.stderr
    python = virtual_environment(tmp_path / "venv", folder, PACKAGES)
    told = printed(python, "-W", "ignore", "-c", ASK_FIGURES, cwd=tmp_path, env=environ(ROOT))
    versions, figures = json.loads(told.splitlines()[-1])
    assert [f"{name}=={version}" for name, version in versions.items()] == COLABS[:2]
    kind = "application/vnd.jupyter.widget-view+json"
    expected = [[]] * 6 + [[("comm_msg", "update")]]  # the last one answers
    for name, (data, metadata, by_bundle, sent) in figures.items():
        name = "draw_digit" if name == "asked" else name
        assert data.keys() == {"text/plain", "text/html", kind}
        assert f'data-figure="{name}"' in data["text/html"]
        assert metadata[kind] == {"colab": {"custom_widget_manager": {"url": "the manager"}}}
        assert by_bundle  # else ipywidgets 7 leaves the picture out
        layout, (event, opened, buffers), *later = sent
        assert layout[1]["state"]["_model_name"] == "LayoutModel"
        assert event == "comm_open"
        state, paths = opened["state"], opened["buffer_paths"]
        assert (state["_model_module"], state["_model_name"]) == ("anywidget", "AnyModel")
        assert (state["_esm"], state["_css"]) == (script(name), STYLE)
        own = (HERE / f"{name}.js").read_text(encoding="utf-8")
        reads = set(re.findall(r'model\s*\.get\("(\w+)"\)', own))
        assert reads <= state.keys() | {path[0] for path in paths}
        assert buffers == len(paths)  # bytes travel apart from the rest
        assert [(kind, answer["method"]) for kind, answer, _ in later] == expected.pop(0)
    answer, buffers = later[-1][1:]
    assert (answer["buffer_paths"], buffers) == ([["outputs"]], 1)


# --- the set-up cell -----------------------------------------------------------------------------


def run_setup(tmp_path, address, colab=False, helpers=False):
    """Runs the set-up cell in an IPython that has no helpers, pip's call replaced by a print."""
    pip = '%pip install --quiet "git+{repository}"'
    source = addresses.setup_cell(address)
    assert pip in source
    source = source.replace(pip, 'print(f"PIP git+{repository}")')
    stub = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
    program = (stub if colab else "") + source
    if helpers:
        (tmp_path / "helpers").mkdir()
        for file in ("__init__.py", "mnist.npz"):
            (tmp_path / "helpers" / file).touch()
    # With -S no .pth file is read, so the editable installation of helpers is not there.
    packages = str(Path(IPython.__file__).parent.parent)
    start = (
        f"import sys; sys.path.append({packages!r})\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        f"InteractiveShell.instance(colors='nocolor').run_cell({program!r})\n"
    )
    environment = environ() | {"IPYTHONDIR": str(tmp_path / "ipython")}
    done = ended(sys.executable, "-S", "-c", start, cwd=tmp_path, env=environment)
    return done.stdout.strip()


def test_setup_installs_on_colab(tmp_path):
    said = run_setup(tmp_path, "https://github.com/ada/x", colab=True)
    assert said.splitlines() == [
        "Installing the lessons' helpers and digits from https://github.com/ada/x ...",
        "PIP git+https://github.com/ada/x",
    ]


def test_setup_without_address_says_what_to_do(tmp_path):
    said = run_setup(tmp_path, None, colab=True)
    assert "make colab REPOSITORY=owner/name" in said
    assert len(said.splitlines()) == 1
    assert "PIP" not in said


def test_setup_in_a_wrong_kernel_says_so_in_one_line(tmp_path):
    said = run_setup(tmp_path, "https://github.com/ada/x")
    assert said == "This kernel has no helpers: start with `make lab`, see the README."


def test_setup_does_nothing_where_the_helpers_are(tmp_path):
    assert run_setup(tmp_path, None, helpers=True, colab=True) == ""


# --- a learner's own file beside the notebook ----------------------------------------------------


def run_setup_beside(folder):
    """What the set-up cell says in an IPython that works in `folder`, as a kernel does."""
    program = (
        "import sys; sys.path.insert(0, '')\n"  # as in a kernel, but not while IPython is imported
        f"InteractiveShell.instance(colors='nocolor').run_cell({addresses.setup_cell(None)!r})\n"
    )
    environment = environ() | {"IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-P", "-c", IPYTHON + program]
    return printed(*command, cwd=folder, env=environment).strip()


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
    hidden = ended(sys.executable, "-P", "-c", code, cwd=tmp_path, env=environ())
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
