"""The script that trains in several processes: as good as one process, and one network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from programs import load

SCRIPT = Path(__file__).resolve().parent.parent / "notebooks" / "train_distributed.py"
# Two epochs on a tenth of the images. Over ten seeds, one process reaches 0.893 to 0.908.
IMAGES, EPOCHS, EFFECTIVE_BATCH_SIZE = 6_000, 2, 16
RANGE = 0.87, 0.93


@pytest.fixture(scope="module")
def script():
    return load(SCRIPT)


def test_two_processes_train_one_network_as_good_as_one_process(script, capsys, monkeypatch):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    batch_size = EFFECTIVE_BATCH_SIZE // 2
    command += [SCRIPT, f"--images={IMAGES}", f"--epochs={EPOCHS}", f"--batch-size={batch_size}"]
    command.append("--accelerator=cpu")
    done = subprocess.run(
        command, cwd=SCRIPT.parent, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    processes = re.findall(r"process (\d) of 2: ([\d,]+) steps, weights (\w{8})\n", done.stdout)
    numbers, steps, weights = zip(*processes, strict=True)
    assert sorted(numbers) == ["0", "1"]
    assert set(steps) == {f"{EPOCHS * IMAGES // EFFECTIVE_BATCH_SIZE:,}"}
    assert len(set(weights)) == 1, "the processes ended with different weights"
    (of_two,) = map(float, re.findall(r"test accuracy (\S+)\n", done.stdout))

    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    of_one = script.train(IMAGES, EPOCHS, EFFECTIVE_BATCH_SIZE, learning_rate=0.001)
    alone = re.search(r"process 0 of 1: ([\d,]+) steps, weights (\w{8})\n", capsys.readouterr().out)
    assert alone[1] == steps[0]
    assert RANGE[0] <= of_one <= RANGE[1]
    assert RANGE[0] <= of_two <= RANGE[1]
    assert abs(of_two - of_one) < 0.03


@pytest.mark.parametrize("asked", [{}, {"accelerator": "cpu"}], ids=str)
def test_it_computes_on_what_is_asked_for(asked, script, monkeypatch):
    made = []
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    monkeypatch.setattr(script, "Trainer", lambda **settings: made.append(settings) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        script.train(100, 1, 16, 0.001, **asked)
    assert made[0]["accelerator"] == asked.get("accelerator", "auto")


def test_fingerprint_tells_weights_apart(script):
    one, other = (script.classifier_config.create(script.Classifier) for _ in range(2))
    assert script.fingerprint(one) == script.fingerprint(one)
    assert script.fingerprint(one) != script.fingerprint(other)
    other.load_state_dict(one.state_dict())
    assert script.fingerprint(one) == script.fingerprint(other)


def test_lesson_shows_what_stands_in_the_script():
    root = SCRIPT.parent.parent
    lesson = (root / "lessons" / "08_beyond_one_machine.py").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^# ?", "", lesson)
    trainer = re.search(r"(?s)```python\n(.+?)```", text)[1]
    source = SCRIPT.read_text(encoding="utf-8")
    assert re.sub(r"\s+", " ", trainer) in re.sub(r"\s+", " ", source)
    for command in re.findall(r"(?m)^(?:python|torchrun) .*train_distributed\.py", text):
        assert command in re.sub(r" \\\n\s*", " ", source), command
