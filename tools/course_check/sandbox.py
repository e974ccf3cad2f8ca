"""Where a copy's cells run: a process of its own, with nothing to break and nothing to reach.

With bubblewrap it sees Python, the helpers and an empty folder; it has no network, its own list of
processes, and all of them end with it. Where bubblewrap does not work, what is left is a process
with a time, a memory and a number of children that are watched, and `missing` says so.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil

from tools import ROOT

HERE = Path(__file__).resolve().parent

MEMORY = 2 * 2**30  # bytes of a copy's own memory, all its processes together
PROCESSES = 100
FIRST_USER = 2_000_000  # no system gives its users such numbers
DISK = 512 * 2**20  # bytes in the copy's folder
FILES = 100_000  # in the copy's folders; also an empty one takes memory
OUTPUT_KEPT = 10**6  # bytes of a cell's output; what comes after is only counted
LARGEST_REPLY = 4 * 2**20
GRACE = 10  # seconds that a cell has, after it was interrupted, until its process is ended
START = 120  # seconds until a new process must have answered
WATCH = 0.25  # seconds between two looks at memory and processes
TOKEN = "COURSE_CHECK_COPY"  # in the environment of everything that a copy starts

PROGRAMS = ("limits.py", "wire.py", "copy_world.py", "check_world.py")
# The part of the system that Python needs; everything else of the disk is not there.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SETTINGS = ("ld.so.cache", "localtime", "hosts", "nsswitch.conf", "fonts", "alternatives")
HOME, COURSE = "/home/learner", "/course"
# The folders that a copy may write to, in memory, and the bytes that each holds.
OWN = {"/dev/shm": DISK // 2, "/tmp": DISK // 2, HOME: DISK}


_running: set[World] = set()


def end_all() -> None:
    """End all worlds at once, as when the teacher stops the check."""
    for world in list(_running):
        world.kill()


class EndedError(Exception):
    """A world is no more; says why, for the teacher."""


class TamperedError(EndedError):
    """A world said something that the check's own programs never say."""


@functools.cache
def missing() -> str:
    """Return "" where copies run inside bubblewrap, and else the line that says what is missing."""
    if shutil.which("bwrap") is None:
        why = "bubblewrap (bwrap) is not installed"
    else:
        command = [*bubblewrap(Places(None, None)), sys.executable, "-c", "import json"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=60, errors="replace")
        except (OSError, subprocess.TimeoutExpired) as error:
            why = f"bubblewrap does not start ({error})"
        else:
            if done.returncode == 0:
                return ""
            why = f"bubblewrap does not work here ({done.stderr.strip().splitlines()[-1:]})"
    return (
        f"{why}: copies run with your own rights, and can read your files, write where you can, "
        "and use the network. Check only copies of people whom you trust, or install it."
    )


class Places(NamedTuple):
    """What a copy is provided with.

    Attributes:
        files: A folder whose files it gets copies of, or None.
        digits: The folder of PNG files, which it may read, or None.
    """

    files: Path | None
    digits: Path | None


def bubblewrap(places: Places) -> list[str]:
    """Return the command that runs another one in a sandbox."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    own = {"HOME": HOME, "BOXED": "1"}
    if os.getuid():
        command += ["--unshare-user", "--disable-userns"]
    else:
        # The system counts no processes of root's. So a copy becomes a user whom nobody else is.
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        own["BECOME"] = str(FIRST_USER + secrets.randbelow(10**6))
    command += ["--hostname", "localhost", "--proc", "/proc", "--dev", "/dev"]
    for place, most in OWN.items():
        command += ["--perms", "0777", "--size", str(most), "--tmpfs", place]
    command += ["--remount-ro", "/dev"]
    for place in (f"{HOME}/lessons", f"{HOME}/.cache", f"{HOME}/.cache/matplotlib"):
        command += ["--perms", "0777", "--dir", place]
    for place in SYSTEM:
        if os.path.islink(place):
            command += ["--symlink", os.readlink(place), place]
    for place, source in _readable(places).items():
        for folder in reversed(Path(place).parents[:-1]):
            command += ["--perms", "0755", "--dir", str(folder)]
        command += ["--ro-bind", source, place]
    provided = f"{COURSE}/provided" if places.files else ""
    for name, value in (environment(COURSE, provided) | own).items():
        command += ["--setenv", name, value]
    return [*command, "--remount-ro", "/", "--chdir", f"{HOME}/lessons"]


def _readable(places: Places) -> dict[str, str]:
    """Return what of this machine a sandbox has, and may only read: where it is there, and here."""
    found = [place for place in SYSTEM if not os.path.islink(place)]
    found += [f"/etc/{name}" for name in SETTINGS]
    readable = {place: place for place in found if os.path.exists(place)}
    # The way by which the environment's Python finds its own files may lead over links.
    for prefix in (sys.base_prefix, sys.prefix):
        for place in (prefix, os.path.realpath(prefix)):
            if not place.startswith(tuple(f"{other}/" for other in SYSTEM)):
                readable[place] = os.path.realpath(prefix)
    readable[f"{COURSE}/helpers"] = str(ROOT / "helpers")
    for name in PROGRAMS:
        readable[f"{COURSE}/world/{name}"] = str(HERE / name)
    if fonts := font_list():
        readable[f"{HOME}/.cache/matplotlib/{fonts.name}"] = str(fonts)
    if places.files:
        readable[f"{COURSE}/provided"] = str(places.files)
    if places.digits:
        readable[f"{HOME}/lessons/MNIST_dataset"] = str(places.digits)
    return readable


@functools.cache
def font_list() -> Path | None:
    """Return matplotlib's list of this machine's fonts, which takes seconds to make anew."""
    import matplotlib
    from matplotlib import font_manager

    lists = Path(matplotlib.get_cachedir()).glob(
        f"fontlist-v{font_manager.FontManager.__version__}.json"
    )
    return next(lists, None)


def environment(course: str, provided: str) -> dict[str, str]:
    """Return the environment of a world; nothing of the teacher's own is in it."""
    bin_folder = os.path.dirname(sys.executable)
    return {
        "PATH": f"{bin_folder}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": f"{course}{os.pathsep}{course}/world",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "OMP_NUM_THREADS": "1",
        "LANG": "C.UTF-8",
        "PROVIDED": provided,
    }


class World:
    """A program of the check, running in a sandbox, that is asked and answers line by line.

    Args:
        program: "copy_world" or "check_world".
        places: What a copy is provided with.
    """

    def __init__(self, program: str, places: Places = Places(None, None)) -> None:  # noqa: B008
        self.output = bytearray()  # since `take_output`, cut off
        self.printed = 0  # bytes since `take_output`
        self.seen = bytearray()  # of a reply that is not whole yet
        self._token = secrets.token_hex(16)
        self._folder: str | None = None
        self._looked = 0.0
        if missing():
            command, options = self._without(program, places)
        else:
            path = f"{COURSE}/world/{program}.py"
            command, options = [*bubblewrap(places), sys.executable, path], {}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the check alone
            **options,
        )
        _running.add(self)
        process = self._process
        # They are pipes, as asked for.
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._open = [self._stdout, self._stderr]
        for stream in (self._stdin, *self._open):
            os.set_blocking(stream.fileno(), False)

    def _without(self, program: str, places: Places) -> tuple[list[str], dict[str, Any]]:
        """Return the command and the options of a process that no sandbox holds."""
        self._folder = tempfile.mkdtemp(prefix="copy-")
        course = Path(self._folder, "course")
        work = Path(self._folder, "lessons")
        for folder in (course / "world", work):
            folder.mkdir(parents=True)
        (course / "helpers").symlink_to(ROOT / "helpers")
        for name in PROGRAMS:
            shutil.copy(HERE / name, course / "world" / name)
        if places.digits:
            (work / "MNIST_dataset").symlink_to(places.digits)
        own = {"HOME": str(work), TOKEN: self._token}
        options = {"cwd": work, "env": environment(str(course), str(places.files or "")) | own}
        return [sys.executable, str(course / "world" / f"{program}.py")], options

    def send(self, message: dict[str, Any], seconds: float) -> None:
        """Send a line.

        Raises:
            EndedError: It was not taken within some seconds, or the world has ended.
        """
        data = memoryview(json.dumps(message).encode() + b"\n")
        end = time.monotonic() + seconds
        stdin = self._stdin.fileno()
        while data:
            self._look(end)
            try:
                data = data[os.write(stdin, data[:65536]) :]
            except BlockingIOError:
                self._wait(0.05)
            except OSError as error:
                raise EndedError(self._end_reason()) from error

    def receive(self, seconds: float) -> dict[str, Any]:
        """Return the next line that the world says, while counting what it prints.

        Raises:
            EndedError: It said nothing for some seconds, has ended, or took too much of something.
            TamperedError: It said what the check's own programs do not say.
        """
        end = time.monotonic() + seconds
        while b"\n" not in self.seen:
            self._look(end)
            self._wait(0.1)
        line, _, rest = self.seen.partition(b"\n")
        self.seen = bytearray(rest)
        if self._stderr in self._open:  # what was printed before the line was said
            self._drain(self._stderr)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise TamperedError("something in it wrote to the check's own channel")
        return message

    def ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a line and return the answer; errors as `send` and `receive`."""
        if self.seen:
            raise TamperedError("something in it wrote to the check's own channel")
        self.send(message, seconds)
        return self.receive(seconds)

    def take_output(self) -> tuple[str, int]:
        """Return what was printed since the last call, cut off, and how many bytes it was."""
        text, printed = self.output.decode("utf-8", "replace"), self.printed
        self.output, self.printed = bytearray(), 0
        return text, printed

    def _wait(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            for stream in self._open:
                selector.register(stream, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        # What was printed before the end comes first.
        for stream in (self._stderr, self._stdout):
            if stream in ready:
                self._drain(stream)

    def _drain(self, stream: IO[bytes], limit: int = 16) -> None:
        """Read what is there, at most some pieces of it, as there may be no end."""
        for _ in range(limit):
            try:
                data = os.read(stream.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                self._open.remove(stream)
                if stream is self._stdout:
                    raise EndedError(self._end_reason())
                return
            if stream is self._stderr:
                self.printed += len(data)
                self.output += data[: max(0, OUTPUT_KEPT - len(self.output))]
            else:
                self.seen += data
                if len(self.seen) > LARGEST_REPLY:
                    raise TamperedError("something in it wrote to the check's own channel")

    def _gone(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def _look(self, end: float) -> None:
        """Make sure that there is time left, and that the world does not take too much."""
        now = time.monotonic()
        if now > end:
            raise EndedError("it could not be interrupted, and was ended")
        if now - self._looked < WATCH:
            return
        self._looked = now
        processes = list(self._all())
        if len(processes) > PROCESSES:
            raise EndedError(f"it started more than {PROCESSES} processes")
        if sum(map(memory, processes)) > MEMORY:
            raise EndedError(f"it took more than {MEMORY // 2**30} GiB of memory")
        if self._folder and size(Path(self._folder)) > DISK:
            raise EndedError(f"it wrote more than {DISK // 2**20} MB")
        if not self._folder and processes and files(processes[-1]) > FILES:
            raise EndedError(f"it made more than {FILES:,} files")

    def _all(self) -> Iterator[int]:
        """Yield the processes of this world, as they are now."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                yield process.pid
        if self._folder:  # without a sandbox the world is the process itself
            yield self._process.pid

    def _end_reason(self) -> str:
        """Say how the world's process ended."""
        if not self._gone(GRACE):
            return "it closed the check's own channel"
        code = self._process.returncode
        # bubblewrap ends with 128 and the signal's number, like a shell.
        number = -code if code < 0 else code - 128 if code > 128 else 0
        with contextlib.suppress(ValueError):
            if number:
                import signal

                return f"Python was ended by the signal {signal.Signals(number).name}"
        return f"Python ended, with exit status {code}"

    def kill(self) -> None:
        """End the world; who waits for an answer of it is told."""
        # bubblewrap's end is the end of all that is in it: its first process dies with it.
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """End all that the world started, and remove its folder."""
        self.kill()
        self._process.wait()
        _running.discard(self)
        if self._folder:
            self._end_marked()
            shutil.rmtree(self._folder, ignore_errors=True)
        for stream in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(OSError):
                stream.close()

    def _end_marked(self) -> None:
        """End the processes that carry this world's mark, until none is left."""
        end = time.monotonic() + GRACE
        while time.monotonic() < end:
            marked = []
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    if process.environ().get(TOKEN) == self._token:
                        marked.append(process)
            if not marked:
                return
            for process in marked:
                with contextlib.suppress(psutil.Error):
                    process.kill()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def memory(pid: int) -> int:
    """Return the bytes that a process has for itself, what it shares counted in part."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                total += int(line.split()[1]) * 1024
        for file in Path(f"/proc/{pid}/fd").iterdir():  # memory with a file's face
            with contextlib.suppress(OSError):
                if os.readlink(file).startswith("/memfd:"):
                    total += file.stat().st_blocks * 512
    except OSError:
        with contextlib.suppress(psutil.Error):
            return total or psutil.Process(pid).memory_info().rss
    return total


def files(pid: int) -> int:
    """Return how many files are in the folders that a sandboxed process may write to."""
    found, root = 0, f"/proc/{pid}/root"
    with contextlib.suppress(OSError):
        if not os.path.samefile(root, "/"):  # as it is until the sandbox is closed
            for room in (os.statvfs(f"{root}{place}") for place in OWN):
                found += room.f_files - room.f_ffree
    return found


def size(folder: Path) -> int:
    """Return the bytes that the files below a folder take."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
