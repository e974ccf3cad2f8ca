"""The project in a folder with an awkward name, make with awkward values, conda without conda."""

import json
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name
from programs import ended, environ, printed

from tools import ROOT, notebooks, outputs

needs_make = pytest.mark.skipif(
    shutil.which("make") is None or os.name == "nt", reason="there is no make here, or no sh"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, copy_checkout):
    """A copy of this checkout, in a folder whose name has spaces, accents and a dash."""
    folder = tmp_path_factory.mktemp("folder") / "Übung 1 – Ziffern"
    copy_checkout(folder)
    return folder


def test_lesson_1_runs_there(checkout):
    environment = environ(checkout)
    said = printed(sys.executable, "-m", "tools.build", "run", "1", cwd=checkout, env=environment)
    assert "01_data" in said.splitlines()[-3]
    executed = notebooks.read_notebook(checkout / "executed" / "01_data.ipynb")
    assert outputs.code_cells(executed)[-1].execution_count == len(outputs.code_cells(executed))
    # It was that folder's lesson, with that folder's helpers.
    digits = checkout / "notebooks" / "MNIST_dataset" / "mnist" / "test"
    assert len(list(digits.iterdir())) == 10_000


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_knows_its_way_there(checkout):
    # Not as a part of the make that may run these tests, which would print the folder it enters.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    assert "make TARGET" in printed("make", "help", cwd=checkout, env=environment)
    # Paths stay relative, so that no command meets the folder's name.
    for target in ("run", "lab", "test", "site", "bench"):
        assert "Ziffern" not in printed("make", "--dry-run", target, cwd=checkout, env=environment)
    # And what it calls starts there: the Python that runs this stands in for .venv.
    tools = [f"BIN={sys.executable}", "READY="]
    environment["PYTHONPATH"] = str(checkout)
    assert printed("make", "prose", "LESSON=1", *tools, cwd=checkout, env=environment)


# --- what people give to make is text, and nothing runs it ---------------------------------------

# Each would make a file called X if make or a shell read it as a program.
HOSTILE = [
    "$(shell touch X)",
    "${shell touch X}",
    "$(eval $(shell touch X))",
    "$$(touch X)",
    "$(touch X)",
    "$(touch${IFS}X)",
    "`touch X`",
    "`touch X`.ipynb",
    "; touch X;",
    "x && touch X",
    "x | tee X",
    "> X",
    "x\ntouch X",
    "'; touch X; '",
    '"; touch X; "',
    '\\"; touch X; \\"',
    "$(error stop)",
    "$(MAKE)",
    "$$HOME ${HOME} $HOME",
    "-x",
    "--help",
    "a b  [c] * ? ~ # % ! \\",
    "a=b",
    "Übung \u202e",
]
GIVEN = [
    ("run", "LESSON"),
    ("lessons", "LESSON"),
    ("prose", "LESSON"),
    ("check", "NOTEBOOK"),
    ("colab", "REPOSITORY"),
]
STUB = """\
#!/bin/sh
for word; do printf '%s\\0' "$word"; done >> heard
printf '\\n' >> heard
exit "${STUB_STATUS:-0}"
"""


@pytest.fixture
def made(tmp_path):
    """A folder with the Makefile and, as every Python in it, a stub that writes down its words."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for folder in (".venv/bin", ".venv-newest/bin", "bin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "python").write_text(STUB, encoding="utf-8")
        (tmp_path / folder / "python").chmod(0o755)
    (tmp_path / ".venv" / "ready").touch()
    return tmp_path


def make(folder, *words, **given):
    """Runs make there; returns what happened, and what the stub heard, one list a call."""
    plain = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    for name in ("PYTHON", "NOTEBOOK", "LESSON", "REPOSITORY", "CPU", "GPU"):
        plain.pop(name, None)
    done = ended("make", *words, cwd=folder, env=plain | given, timeout=60)
    heard = folder / "heard"
    lines = heard.read_text(encoding="utf-8").split("\0\n") if heard.exists() else []
    return done, [line.split("\0") for line in lines[:-1]]


@needs_make
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(("target", "variable"), GIVEN)
def test_make_hands_a_value_over_as_it_is(made, target, variable, value):
    for words, variables in (
        ([target, f"{variable}={value}"], {}),
        ([target], {variable: value}),
        (["-e", target], {variable: value}),
    ):
        done, heard = make(made, *words, **variables)
        assert done.returncode == 0, done.stderr
        assert heard == [["-m", "tools.build", target, "--", value]]
        assert not (made / "X").exists()
        (made / "heard").unlink()


@needs_make
@pytest.mark.parametrize("variable", ["PYTHON", "CPU", "GPU", "LESSON", "NOTEBOOK", "REPOSITORY"])
@pytest.mark.parametrize("value", HOSTILE)
def test_make_runs_no_value_while_it_sets_up(made, variable, value):
    (made / ".venv" / "ready").unlink()
    for words, variables in (
        (["run", f"{variable}={value}"], {}),
        (["run"], {variable: value}),
        (["help", f"{variable}={value}"], {}),
    ):
        done, _ = make(made, *words, **{"PYTHON": f"{made}/bin/python"} | variables)
        assert not (made / "X").exists()
        if variable == "PYTHON" and "run" in words:
            assert done.returncode != 0
            assert f"There is no {value} here: install Python" in done.stdout
        else:
            assert done.returncode == 0, done.stderr


@needs_make
@pytest.mark.parametrize("value", HOSTILE)
def test_make_runs_no_value_in_the_make_that_it_calls(made, value):
    words = [f"{name}={value}" for name in ("LESSON", "NOTEBOOK", "REPOSITORY", "CPU", "GPU")]
    done, heard = make(made, "newest", f"PYTHON={made}/bin/python", *words)
    assert done.returncode == 0, done.stderr
    assert not (made / "X").exists()
    begins = (
        "tools/torch_builds.py https:",
        "-m venv",
        "-m pip",
        "-m tools.build held",
        "-m pytest",
    )
    for words, begin in zip(heard, begins, strict=True):
        assert " ".join(words).startswith(begin)


@needs_make
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has builds with GPU libraries")
@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"CPU": "1"}, ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]),
        ({"GPU": "1"}, []),
        ({"CPU": "1", "GPU": "1"}, None),
    ],
)
def test_make_hands_the_choice_of_builds_to_pip(made, given, option):
    (made / ".venv" / "ready").unlink()
    (made / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "torch_builds.py", made / "tools")
    chooses = f'case "$1" in tools/*) exec "{sys.executable}" "$@";; esac\n'
    (made / "bin" / "python").write_text(STUB.replace("\n", "\n" + chooses, 1), encoding="utf-8")
    done, heard = make(made, "run", f"PYTHON={made}/bin/python", **given)
    if option is None:
        assert done.returncode != 0
        assert "CPU=1 and GPU=1 ask for different builds" in done.stderr
        assert [words[0] for words in heard] == ["-c"]  # only Python's version was asked
    else:
        assert done.returncode == 0, done.stderr
        assert "Setting up with" in done.stderr
        assert [words[:2] for words in heard[1:3]] == [["-m", "venv"], ["-m", "pip"]]
        assert heard[2][-2 - len(option) :] == ["--constraint", "constraints.txt", *option]


@needs_make
def test_make_with_an_old_python_says_so(made):
    (made / ".venv" / "ready").unlink()
    old = made / "python'2`touch X`"
    program = (
        "import sys; sys.version, sys.version_info = '3.10.1 (old)', (3, 10, 1); exec(PROGRAM)"
    )
    old.write_text(
        f"#!{sys.executable}\nimport sys; PROGRAM = sys.argv[2]\n{program}\n", encoding="utf-8"
    )
    old.chmod(0o755)
    done, heard = make(made, "run", f"PYTHON={old}")
    assert done.returncode != 0
    assert heard == []
    assert f"{old} is Python 3.10.1, the lessons need 3.11 or newer" in done.stderr
    assert not (made / "X").exists()


@needs_make
@pytest.mark.parametrize(
    ("user", "status", "said"), [("0", "1", True), ("1000", "1", False), ("0", "0", False)]
)
def test_make_lab_tells_root_what_to_do(made, user, status, said):
    # Jupyter itself decides, as its settings may allow root; the stub does so here.
    (made / "bin" / "id").write_text(f"#!/bin/sh\necho {user}\n", encoding="utf-8")
    (made / "bin" / "id").chmod(0o755)
    path = f"{made}/bin{os.pathsep}{os.environ['PATH']}"
    done, heard = make(made, "lab", PATH=path, STUB_STATUS=status)
    hidden = [f"--ContentsManager.hide_globs={name}" for name in ("solutions", "__pycache__")]
    assert heard == [["-m", "jupyterlab", "--ServerApp.root_dir=notebooks", *hidden]]
    assert (done.returncode == 0) == (status == "0")
    lines = [line for line in done.stdout.splitlines() if "You are root" in line]
    assert len(lines) == said
    assert all(line.endswith("notebooks --allow-root") for line in lines)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="this is not root")
def test_jupyterlab_refuses_root_as_make_lab_says(tmp_path):
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.root_dir={tmp_path}",
    ]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path)}
    done = ended(*command, env=environment, timeout=100)
    assert done.returncode == 1
    assert "--allow-root" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pip_part_of_the_conda_environment_installs_into_an_empty_environment(checkout):
    # conda hands these lines to pip as a file of requirements, in the folder of environment.yml.
    # conda's own part, Python and pip, needs conda's channels and is not tried.
    environment = yaml.safe_load((checkout / "environment.yml").read_text(encoding="utf-8"))
    packages = environment["dependencies"][-1]["pip"]
    requirements = checkout / "condaenv.requirements.txt"
    requirements.write_text("\n".join(packages), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:  # about 6 GB, which pytest would keep
        printed(sys.executable, "-m", "venv", folder, cwd=checkout)
        python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        in_it = partial(printed, python, "-m", cwd=checkout, env=environ())
        in_it("pip", "install", "--quiet", "--no-cache-dir", "-r", requirements)
        in_it("pip", "check")
        listed = json.loads(in_it("pip", "list", "--format=json", "--disable-pip-version-check"))
        in_it("pytest", "--quiet", "tests/test_training.py", "-k", "plain_deeplay")
    versions = {canonicalize_name(entry["name"]): entry["version"] for entry in listed}
    assert {"mnist-lessons", "deeplay", "torch", "jupyterlab", "nbval"} <= versions.keys()
    for line in (checkout / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        assert versions.get(canonicalize_name(name), version) == version
