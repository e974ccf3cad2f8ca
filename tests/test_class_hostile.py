"""What a copy can break: its own row. And what it can gain by cheating: nothing.

All copies of this file are checked as one class, so that each also shows that the others came
through.
"""

import os
import platform
import shutil
import sys

import psutil
import pytest
import standin

from tools import ROOT
from tools.course_check import limits, sandbox
from tools.notebooks import write_notebook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a class is checked on Linux and macOS")
boxed = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

SLEEP = f"{100_000 + os.getpid()}.25"  # seconds: nothing else sleeps for as long, nor a test beside
R, N, F = "right", "not yet", "failed"
GONE = "not reached"

REFUSED, AS_IT_SHOULD = "try:\n", "except OSError: raise RuntimeError('refused')"
# Calls of Linux that Python has no name for.
LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
RAISE = "raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"
CLONE = limits.CLONE.get(platform.machine(), -1)
# What stands in the first answer's cell; then status, verdict of the first exercise, and a part of
# the problem. In the other two exercises the answers are right.
BREAKING = {
    "fork": ("import os\nwhile True: os.fork()", "stopped", GONE, "more than 100 processes"),
    "shell bomb": (
        "import os, time\nos.system('f() { f | f & sleep 50; }; f')\ntime.sleep(100)",
        "stopped",
        GONE,
        "more than 100 processes",
    ),
    "memory": ("x = []\nwhile True: x.append(bytearray(10**8))", "stopped", GONE, "2 GiB"),
    "memory of files": (
        "import os\nfor n in range(100): os.write(os.memfd_create(str(n)), bytes(10**8))\n"
        "import time; time.sleep(100)",
        "stopped",
        GONE,
        "2 GiB",
    ),
    "memory of children": (
        "import os, time\nfor n in range(4):\n    if not os.fork():\n"
        "        x = b'x' * (7 * 10**8); time.sleep(100)\ntime.sleep(100)",
        "stopped",
        GONE,
        "2 GiB",
    ),
    "memory at once": ("x = bytearray(b'x') * (6 * 10**9)", "ran", F, "MemoryError"),
    "memory of nobody": (
        f"{LIBC}segment = libc.shmget(0, ctypes.c_size_t(2**20), 0o1600)\n{RAISE}",
        "ran",
        F,
        "Operation not permitted",
    ),
    "its own namespace": (f"{LIBC}libc.unshare(0x10000000)\n{RAISE}", "ran", F, "not permitted"),
    "a child's namespace": (
        f"{LIBC}if libc.syscall({CLONE}, 0x10000011, 0, 0, 0, 0) == 0: os._exit(0)\n{RAISE}",
        "ran",
        F,
        "not permitted",
    ),
    "is the first to end where memory ends": (
        "megabytes = 188.16\nassert int(open('/proc/self/oom_score_adj').read()) == 1000",
        "ran",
        R,
        "",
    ),
    "full sockets": (
        "import socket\nkept = []\ntry:\n    while True: kept += socket.socketpair()\n"
        "except OSError: pass\ncount = len(kept)\nfor one in kept: one.close()\n"
        "raise RuntimeError(f'{count // 100} hundred')",
        "ran",
        F,
        "2 hundred",
    ),
    "many files": (
        "import os\nfor n in range(10**6): os.close(os.open(f'/tmp/{n}', os.O_CREAT))",
        "stopped",
        GONE,
        "more than 100,000 files",
    ),
    "a swarm": (
        "import os, time\nfor n in range(90):\n    if not os.fork():\n"
        "        x = bytearray(b'x') * (3 * 10**9); time.sleep(100)\ntime.sleep(100)",
        "stopped",
        GONE,
        "2 GiB",
    ),
    "child goes on": ("import os\nif os.fork(): os._exit(0)", "stopped", GONE, "exit status 0"),
    "one huge array": ("x = np.ones(10**13)", "ran", F, "MemoryError"),
    "full disk": (
        "for n in range(9):\n    with open(str(n), 'wb') as f:\n        f.write(bytes(10**8))",
        "ran",
        F,
        "No space left on device",
    ),
    "one huge file": ("open('x', 'wb').truncate(10**12)", "ran", F, "File too large"),
    "os._exit": ("import os\nos._exit(0)", "stopped", GONE, "Python ended, with exit status 0"),
    "SIGKILL": ("import os\nos.kill(os.getpid(), 9)", "stopped", GONE, "signal SIGKILL"),
    "SIGSEGV": ("import os\nos.kill(os.getpid(), 11)", "stopped", GONE, "signal SIGSEGV"),
    "abort": ("import os\nos.abort()", "stopped", GONE, "signal SIGABRT"),
    "exec": ("import os\nos.execv('/bin/true', ['true'])", "stopped", GONE, "exit status 0"),
    "close everything": ("import os\nos.closerange(3, 1000)", "stopped", GONE, "Python ended"),
}
# The same, for what only the time that a cell has comes to an end of.
ENDLESS = {
    "deaf": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
        "stopped",
        GONE,
        "could not be interrupted",
    ),
    "endless loop": ("while True: pass", "ran", F, "interrupted after 10 s"),
    "sleep": ("import time\ntime.sleep(1000)", "ran", F, "interrupted after 10 s"),
    "endless print": ("while True: print('x' * 1000)", "ran", F, "interrupted after 10 s"),
    "waits for children": (
        f"import subprocess\nsubprocess.run(['sleep', '{SLEEP}'])",
        "ran",
        F,
        "interrupted after 10 s",
    ),
}
BREAKING |= {
    "one long line": ("print('x' * 10**8)\nmegabytes = 188.16", "ran", R, ""),
    "kills its parent": (
        "import os\ntry: os.kill(os.getppid(), 9)\nexcept PermissionError: pass\n"
        "megabytes = 188.16",
        "ran",
        R,
        "",
    ),
    "kills all": ("import os\nos.kill(-1, 9)", "ran", F, "No such process"),
    "sleeping children": (
        "import os, subprocess\nfor start in (['setsid'], ['nohup'], []):\n"
        f"    subprocess.Popen([*start, 'sleep', '{SLEEP}'], stdout=-3, stderr=-3)\n"
        f"if not os.fork():\n    os.setsid(); os.execvp('sleep', ['sleep', '{SLEEP}'])\n"
        "megabytes = 188.16",
        "ran",
        R,
        "",
    ),
    "thread that stays": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=[1000]).start()\n"
        "megabytes = 188.16",
        "ran",
        R,
        "",
    ),
    "thread that prints": (
        "import threading, time\ndef talk():\n    while True: print('Right.'); time.sleep(0.01)\n"
        "threading.Thread(target=talk, daemon=True).start()\nmegabytes = 188.16",
        "ran",
        R,
        "",
    ),
    "traced": (
        "import sys, threading\ndef trace(*_): raise SystemExit\nthreading.settrace(trace)\n"
        "megabytes = 188.16\nsys.settrace(trace)",
        "ran",
        F,
        "SystemExit",
    ),
    "sleeps at exit": (
        "import atexit, time\natexit.register(time.sleep, 1000)\nmegabytes = 188.16",
        "ran",
        R,
        "",
    ),
    "sys.exit": ("import sys\nsys.exit()", "ran", F, "SystemExit"),
    "input": ("megabytes = float(input())", "ran", F, "EOFError"),
    "division": ("1 / 0", "ran", F, "cell 4, '1 / 0': ZeroDivisionError: division by zero"),
    "syntax": ("megabytes = = 3", "ran", F, "SyntaxError"),
    "bad magic": ("%matplotlob inline", "ran", F, "matplotlob"),
    "deep recursion": ("f = lambda: f()\nf()", "ran", F, "RecursionError"),
    "message that fails": (
        "class E(Exception):\n    def __str__(self): raise E\nraise E",
        "ran",
        F,
        "E",
    ),
    "reset": ("megabytes = 188.16\n%reset -f", "ran", N, "NameError"),
    "network": (
        "import socket\nsocket.create_connection(('1.1.1.1', 80), 2)",
        "ran",
        F,
        "Network is unreachable",
    ),
    "writes outside": (f"{REFUSED}    open(np.__file__, 'a')\n{AS_IT_SHOULD}", "ran", F, "refused"),
    "writes helpers": (
        f"import helpers\n{REFUSED}    open(helpers.__file__, 'a')\n{AS_IT_SHOULD}",
        "ran",
        F,
        "refused",
    ),
    "reads passwords": ("open('/etc/shadow')", "ran", F, "No such file or directory"),
    "through a link": (
        "import os\nos.symlink('/root', 'out')\nos.listdir('out/.ssh')",
        "ran",
        F,
        "No such file or directory",
    ),
}

FIND_WORLD = "import gc\nworld = next(o for o in gc.get_objects() if type(o).__name__ == 'World')\n"
FORGED = '{"answers": [["float", "188.16"]], "said": "Right.", "problem": ""}'
# None of these may come out right; what stands in the last place must be seen in the first problem.
CHEATING = {
    "prints": ("megabytes = 1\nprint('Right. 60,000 images')", "ran", N, ""),
    "own check": ("megabytes = 1\ndef check_megabytes(*a): print('Right.')", "ran", N, ""),
    "patched helpers": (
        "import helpers.checks\nhelpers.checks.check_megabytes = lambda *a: print('Right.')\n"
        "megabytes = 1",
        "ran",
        N,
        "",
    ),
    "patched inside": (
        "import helpers.checks.answers, helpers.checks.lesson_1 as checks\n"
        "checks.number = lambda *a: 188.16\nmegabytes = 1",
        "ran",
        N,
        "",
    ),
    "other modules": (
        "import sys, types\nfake = types.ModuleType('helpers.checks')\n"
        "fake.check_megabytes = lambda *a: print('Right.')\nsys.modules['helpers.checks'] = fake\n"
        "megabytes = 1",
        "ran",
        N,
        "",
    ),
    "patched Python": (
        "import builtins, numpy\nbuiltins.abs = lambda x: 0\nnumpy.isclose = lambda *a: True\n"
        "megabytes = 1",
        "ran",
        N,
        "",
    ),
    "equals everything": (
        "class All(float):\n    __eq__ = __le__ = __lt__ = lambda *a: True\n"
        "    __sub__ = __rsub__ = lambda *a: 0\n    __hash__ = None\nmegabytes = All(1)",
        "ran",
        N,
        "",
    ),
    "writes to the channel": (
        f"import os\nfor n in range(3, 30):\n    try: os.write(n, b'{FORGED}\\n')\n"
        "    except OSError: pass\nmegabytes = 1",
        "tampered",
        GONE,
        "wrote to the check's own channel",
    ),
    "garbles the channel": (
        "import os\nfor n in range(3, 30):\n    try: os.write(n, b'[' * 100000 + b'\\n')\n"
        "    except OSError: pass",
        "tampered",
        GONE,
        "wrote to the check's own channel",
    ),
    "floods the channel": (
        "import os\nfor n in range(3, 30):\n    try:\n"
        "        while True: os.write(n, b'x' * 10**6)\n    except OSError: pass",
        "tampered",
        GONE,
        "wrote to the check's own channel",
    ),
    "patches the program": (
        f"{FIND_WORLD}world.answers = lambda *a, **k: {{'said': 'Right.', 'answers': [['dots']]}}",
        "ran",
        "unanswered",
        "",
    ),
    "answers what is none": (
        f"{FIND_WORLD}world.answers = lambda *a, **k: {{'answers': [['walk', '', []]]}}",
        "tampered",
        GONE,
        "wrote to the check's own channel",
    ),
    "patches json": (
        'import json\njson.dumps = lambda *_: \'{"problem": ""}\'\nmegabytes = 1',
        "tampered",
        GONE,
        "wrote to the check's own channel",
    ),
    "says it is another": (
        "class Other:\n    __class__ = property(lambda self: float)\n"
        "    __float__ = lambda self: 1.0\n    __eq__ = lambda *_: True\nmegabytes = Other()",
        "ran",
        N,
        "",
    ),
    "replaces the channel": (
        "import os\nfor n in range(3, 8):\n    try: os.dup2(2, n)\n    except OSError: pass\n"
        "megabytes = 1",
        "stopped",
        GONE,
        "Python ended",
    ),
    "reads the solutions": (
        "import os\nfound = []\nfor place, folders, names in os.walk('/'):\n"
        "    folders[:] = set(folders) - {'proc', 'usr', 'bin', 'lib', 'lib64', 'dev'}\n"
        "    found += [place, *names]\n"
        "assert 'solutions' not in ' '.join(found), found\n"
        "assert not any(name.endswith('.ipynb') for name in found), found\n"
        f"assert not os.path.exists({str(ROOT / 'lessons')!r})\nmegabytes = 1",
        "ran",
        N,
        "",
    ),
}


def write_copies(folder, rows):
    for name, (source, *_) in rows.items():
        sources = standin.RIGHT | {"01-03": source}
        write_notebook(standin.copy_with(sources), folder / name / "copy.ipynb")


@pytest.fixture(scope="module")
def patches():
    with pytest.MonkeyPatch.context() as patches:
        yield patches


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, patches):
    """The results of a class of hostile copies, and how much memory the checking process took."""
    folder = tmp_path_factory.mktemp("hostile")
    write_copies(folder / "class", {**BREAKING, **CHEATING})
    write_notebook(standin.copy_with(standin.RIGHT), folder / "class" / "well-behaved" / "x.ipynb")
    for name in ("conftest.py", "numpy.py", "test_x.py", "helpers/__init__.py", "IPython.py"):
        beside = folder / "class" / "well-behaved" / name
        beside.parent.mkdir(exist_ok=True)
        beside.write_text(f"open({str(folder / 'imported')!r}, 'w')\n", encoding="utf-8")
    before = psutil.Process().memory_info().rss
    _, results = standin.check(folder / "class", folder, patches)
    after = psutil.Process().memory_info().rss
    return (
        folder,
        {file.split("/")[0]: one for file, one in results.items()},
        results,
        after - before,
    )


@pytest.fixture(scope="module")
def endless(tmp_path_factory, patches):
    """The results of a class of copies that end when their time is over."""
    folder = tmp_path_factory.mktemp("endless")
    write_copies(folder / "class", ENDLESS)
    before = psutil.Process().memory_info().rss
    _, results = standin.check(folder / "class", folder, patches, cell=10)
    assert psutil.Process().memory_info().rss - before < 100 * 2**20
    return {file.split("/")[0]: one for file, one in results.items()}


@boxed
@pytest.mark.parametrize("name", [*BREAKING, *ENDLESS, *CHEATING])
def test_hostile_copy_has_its_own_row(hostile, endless, name):
    _, status, verdict, problem = {**BREAKING, **ENDLESS, **CHEATING}[name]
    result = endless[name] if name in ENDLESS else hostile[1][name]
    assert (result.status, result.exercises[0].verdict) == (status, verdict), result
    assert problem in result.first_problem
    assert bool(problem) == bool(result.first_problem), result.first_problem
    others = [graded.verdict for graded in result.exercises[1:]]
    # After %reset the second answer needs NumPy no more than its name.
    expected = [GONE, GONE] if status in ("stopped", "tampered") else [R, R]
    assert others == expected or name in ("reset", "patches the program"), result
    assert result.ended == (status == "ran")


@boxed
def test_no_cheat_comes_out_right(hostile):
    assert all(hostile[1][name].exercises[0].verdict != R for name in CHEATING)


@boxed
def test_others_come_through(hostile):
    folder, _, results, _ = hostile
    result = results["well-behaved/x.ipynb"]
    assert [graded.verdict for graded in result.exercises] == [R, R, R]
    assert (result.status, result.cells_changed, result.first_problem) == ("ran", 0, "")


@boxed
def test_what_lies_beside_is_a_row_and_never_runs(hostile):
    folder, _, results, _ = hostile
    assert results["well-behaved/conftest.py"].status == "unreadable"
    assert results["well-behaved/helpers/__init__.py"].status == "unreadable"
    assert not (folder / "imported").exists()


@boxed
def test_nothing_that_a_copy_started_is_left(hostile):
    left = [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] and SLEEP in process.info["cmdline"]
    ]
    assert not left


@boxed
def test_output_is_counted_and_not_kept(hostile, endless):
    _, by_name, _, grown = hostile
    assert grown < 100 * 2**20
    assert "bytes in all" in endless["endless print"].exercises[0].output
    assert "100,000,001 bytes in all" in by_name["one long line"].exercises[0].output
    assert len(by_name["one long line"].exercises[0].output) < 30_000


def test_without_a_sandbox_one_line_says_so_and_all_ends(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    sandbox.missing.cache_clear()
    rows = {**BREAKING, **ENDLESS, **CHEATING}
    tried = ("sleeping children", "division", "os._exit", "prints", "endless loop")
    write_copies(tmp_path / "class", {name: rows[name] for name in tried})
    try:
        status, results = standin.check(tmp_path / "class", tmp_path, monkeypatch, cell=10)
    finally:
        sandbox.missing.cache_clear()
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Without a sandbox: bubblewrap (bwrap) is not installed: copies run")
    assert status == 1
    verdicts = {file: result.exercises[0].verdict for file, result in results.items()}
    assert verdicts == {
        "sleeping children/copy.ipynb": R,
        "division/copy.ipynb": F,
        "os._exit/copy.ipynb": GONE,
        "prints/copy.ipynb": N,
        "endless loop/copy.ipynb": F,
    }
    test_nothing_that_a_copy_started_is_left(None)


@boxed
def test_check_world_knows_nothing_of_the_copy_or_the_project(monkeypatch):
    with sandbox.World("check_world") as world:
        message = world.ask({"check": "os", "answers": [], "named": {}}, 60)
    assert "failed" in message
    command = sandbox.bubblewrap(sandbox.Places(None, None))
    bound = {command[n + 1] for n, word in enumerate(command) if word == "--ro-bind"}
    assert str(ROOT) not in bound
    assert not [place for place in bound if place.startswith(str(ROOT / "notebooks"))]
    assert sys.prefix not in (str(ROOT),)
