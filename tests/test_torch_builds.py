"""Which builds of PyTorch `make` takes, with a stand-in for PyTorch's index."""

import http.server
import re
import sys
import threading
import time

import pytest
from programs import environ, python

from tools import ROOT, torch_builds

VERSION = re.search(r"(?m)^torch==(.*)$", (ROOT / "constraints.txt").read_text("utf-8"))[1]
PAGE = f'<a href="/whl/torch-{VERSION}%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl">torch</a>'


class Index(http.server.BaseHTTPRequestHandler):
    """Answers as the first part of the address says."""

    def do_GET(self):
        kind = self.path.split("/")[1]
        if kind == "slow":
            time.sleep(0.8)
        self.send_response(404 if kind == "missing" else 200)
        self.end_headers()
        page = PAGE.replace(VERSION, "0.4.1") if kind == "old" else PAGE
        if kind == "trickle":  # each sign comes in time, the page does not
            for sign in page[:20]:
                self.wfile.write(sign.encode())
                time.sleep(0.1)
        self.wfile.write(page.encode())

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def server():
    """A stand-in for the index; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def plain_linux(monkeypatch):
    """A Linux machine with no GPU, and less patience than `make` has."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(torch_builds, "has_nvidia_driver", lambda: False)
    monkeypatch.setattr(torch_builds, "SECONDS", 0.5)


def test_index_that_answers_is_taken(plain_linux, server, monkeypatch):
    monkeypatch.setattr(torch_builds, "SECONDS", 20)
    option, said = torch_builds.choose(f"{server}/whl", VERSION, cpu=False, gpu=False)
    assert option == f"--extra-index-url {server}/whl"
    assert "for CPUs, about 2 GB in all, as there is no NVIDIA driver" in said
    assert "GPU=1" in said


@pytest.mark.parametrize("kind", ["slow", "trickle", "missing", "old"])
def test_index_that_does_not_offer_this_torch_in_time_is_not(plain_linux, server, kind):
    start = time.monotonic()
    option, said = torch_builds.choose(f"{server}/{kind}", VERSION, cpu=False, gpu=False)
    assert time.monotonic() - start < 10
    assert option == ""
    assert f"about 6 GB in all: {server}/{kind} did not offer torch {VERSION}" in said


@pytest.mark.parametrize("index", ["http://127.0.0.1:9/whl", "http://no.such.host.invalid", "no"])
def test_index_that_is_not_there_is_not_taken(plain_linux, index):
    option, said = torch_builds.choose(index, VERSION, cpu=False, gpu=False)
    assert option == ""
    assert "about 6 GB" in said


@pytest.mark.parametrize(
    ("platform", "driver", "cpu", "gpu", "taken", "said"),
    [
        ("linux", True, False, False, False, "for the GPU here, about 6 GB"),
        ("linux", False, False, True, False, "for GPUs, about 6 GB in all (GPU=1)"),
        ("linux", True, True, False, True, "for CPUs, about 2 GB in all (CPU=1)"),
        ("darwin", False, False, False, False, "the registry's builds of PyTorch, about 2 GB"),
        ("darwin", False, True, False, True, "for CPUs, about 2 GB in all (CPU=1)"),
    ],
)
def test_index_is_not_asked_where_that_is_decided(
    monkeypatch, platform, driver, cpu, gpu, taken, said
):
    def asked(*_):
        raise AssertionError("the index was asked")

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(torch_builds, "has_nvidia_driver", lambda: driver)
    monkeypatch.setattr(torch_builds, "offers", asked)
    option, told = torch_builds.choose("https://index", VERSION, cpu=cpu, gpu=gpu)
    assert option == ("--extra-index-url https://index" if taken else "")
    assert said in told


def program(index, **given):
    plain = {"CPU": "", "GPU": ""} | given
    # -I: nothing but the standard library, as before anything is installed; -S: no packages.
    return python("-I", "-S", ROOT / "tools" / "torch_builds.py", index, env=environ() | plain)


def test_program_prints_the_option_alone_and_says_what_it_takes(server):
    done = program(f"{server}/whl", CPU="1")
    assert done.returncode == 0
    assert done.stdout == f"--extra-index-url {server}/whl\n"
    assert done.stderr.startswith("Setting up with PyTorch's builds for CPUs, about 2 GB")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has builds with GPU libraries")
def test_program_takes_the_registrys_builds_where_asked(server):
    done = program(f"{server}/whl", GPU="1")
    assert (done.returncode, done.stdout) == (0, "\n")
    assert "GPU=1" in done.stderr


def test_program_refuses_both(server):
    done = program(server, CPU="1", GPU="1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "CPU=1 and GPU=1 ask for different builds of PyTorch: give one.\n"
