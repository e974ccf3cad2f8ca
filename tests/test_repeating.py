"""What tests draw by lot can be drawn again: a failure says how."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOTTERY = """
import random
from test_data_faults import finish, start

def test_here():
    assert random.random() == 2

def test_in_a_process_of_its_own():
    assert finish(start("print(random.random())", "x")) == 2
"""


def draw(folder, seed):
    """The numbers drawn, and the seed that the failures name."""
    environment = {name: value for name, value in os.environ.items() if name != "TEST_SEED"}
    environment["PYTHONPATH"] = os.pathsep.join((str(HERE.parent), str(HERE)))
    if seed:
        environment["TEST_SEED"] = seed
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider"]
    said = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", folder, folder / "test_lottery.py"],
        env=environment,
        capture_output=True,
        text=True,
    ).stdout
    drawn = re.findall(r"^E +(?:assert|AssertionError: assert) '?(0\.\d+)", said, re.M)
    assert len(drawn) == 2, said
    return drawn, re.findall(r"TEST_SEED=(\d+) repeats them", said)


def test_a_failure_names_the_seed_that_repeats_it(tmp_path):
    (tmp_path / "test_lottery.py").write_text(LOTTERY, encoding="utf-8")
    drawn, seeds = draw(tmp_path, None)
    assert len(set(drawn)) == len(set(seeds)) == 2
    again, same_seed = draw(tmp_path, seeds[0])
    assert again[0] == drawn[0]
    assert set(same_seed) == {seeds[0]}
    assert draw(tmp_path, seeds[0])[0] == again
