"""What the tests share; and their order, so that two workers end together."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tools import ROOT

# What takes longest, first; what is not named here comes after, in pytest's order.
LONGEST_FIRST = (
    "03_softmax_and_relu",
    "07_inside_the_network",
    "05_optimizers",
    "04_mini_batches",
    "06_failure_analysis",
    "02_first_network",
    "08_beyond_one_machine",
    "01_data",
    "test_course_check",
    "test_storage",
    "test_bit_for_bit",
    "test_class_hostile",
    "test_jupyterlab",
    "test_checkout",
    "test_data",
    "test_site",
    "test_data_faults",
    "test_notebooks",
    "test_distributed",
    "test_sharing",
)

# In a container there is neither a sandbox nor a GPU, and nothing may be asked of the network.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(autouse=True)
def _interrupts_are_heard():
    # `nohup make test &` starts with interrupts ignored, and tests interrupt themselves.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _random_numbers_can_be_repeated(request):
    # Some tests break things in places drawn by lot: each run others, and a failure names its seed.
    seed = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**9))
    random.seed(seed)
    request.node.add_report_section("setup", "random numbers", f"TEST_SEED={seed} repeats them")


@pytest.fixture
def public_path():
    """A folder that every user may reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture
def only_readable():
    """A function of a folder: for a while nothing in it may be written."""

    @contextlib.contextmanager
    def only_readable(folder):
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield
        for path in paths:
            path.chmod(0o755)

    return only_readable


@pytest.fixture
def digits():
    return np.random.default_rng(0).integers(0, 10, 500)


@pytest.fixture
def images(digits):
    # A bright bar whose place says which digit it is: learnable within a second.
    noise = np.random.default_rng(1).random((500, 28, 28), dtype=np.float32) * 0.2
    for image, digit in zip(noise, digits, strict=True):
        image[2 * digit : 2 * digit + 3] += 0.8
    return noise


@pytest.fixture(scope="session")
def copy_checkout():
    """A function that copies into a folder what git has of this checkout, or would add."""

    def copy_checkout(folder):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
        if listed.returncode:
            pytest.skip(f"this is no checkout of git: {listed.stderr.strip()}")
        for name in listed.stdout.split("\0"):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)

    return copy_checkout


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright; ends with the file, because its event loop would stay."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium here to open it in: install it, or run .ci/run")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield chromium
        chromium.close()
