"""A git repository, cloned: bounded in time, stopped with its children, and cleaned away."""

import errno
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tqdm.auto import tqdm

from helpers import storage
from helpers.errors import LessonError, printable

# In seconds: for the first byte, or the next, from the other side; for git as a whole.
LONGEST_SILENCE = 60
LONGEST_CLONE = 1800

PREFIX = "clone-"  # of the folders that clones are made in


@contextmanager
def cloned(url: str, work_folder: Path, cure: str) -> Iterator[Path]:
    """Clone a git repository without its history, and lend it; then it is removed.

    A connection over http or https that brings nothing for `LONGEST_SILENCE` seconds is given up
    by git itself, one over ssh by ssh. An https handshake that is never answered ends with curl's
    own bound, five minutes, and all else after `LONGEST_CLONE` seconds.

    Args:
        url: Its address: https, http, ssh, git or file.
        work_folder: The folder to make the clone in, in a folder of its own.
        cure: What the learner can do instead: the last sentence of each message.

    Raises:
        LessonError: git was not found, or the clone failed or took too long.
        OSError: The disk is full, or `work_folder` cannot be written.
    """
    git = shutil.which("git")
    if git is None:
        raise LessonError(f"git was not found, so {url} cannot be cloned. Install git. Or: {cure}")
    clone = Path(tempfile.mkdtemp(prefix=PREFIX, dir=work_folder))
    settings = {
        "core.symlinks": "false",  # a link in the repository becomes a file
        "http.lowSpeedLimit": "1",  # bytes a second
        "http.lowSpeedTime": str(LONGEST_SILENCE),
    }
    command = [git, *(word for item in settings.items() for word in ("-c", "=".join(item)))]
    command += ["clone", "--depth=1", "--progress", "--", url, str(clone / "repository")]
    try:
        returncode, words = _run(command, clone / "messages")
        if returncode != 0:
            if shutil.disk_usage(clone).free < 2**20:  # of which git says nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            complaints = re.findall(r"^(?:fatal|error): (.+?)\.?$", words, re.MULTILINE)
            reason = printable((*complaints, f"git ended with exit status {returncode}")[0])
            if returncode is None:
                reason = f"not done after {LONGEST_CLONE} seconds"
            raise LessonError(f"{url} could not be cloned: {reason}. {cure}")
        yield clone / "repository"
    finally:
        _remove(clone)


def remove_leftovers(work_folder: Path) -> None:
    """Remove the clones of processes that were killed, and nothing that somebody put there."""
    for clone in work_folder.glob(f"{PREFIX}*"):
        with suppress(NotADirectoryError, storage.NotPlainError):
            if storage.is_folder(clone) and set(os.listdir(clone)) <= {"messages", "repository"}:
                _remove(clone)


def _run(command: list[str], messages: Path) -> tuple[int | None, str]:
    """Run git, but not forever; return its exit status (None: it was stopped) and its words."""
    environment = {
        **os.environ,
        "LC_ALL": "C",
        # Nobody is there to answer, in a terminal or in a window.
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GCM_INTERACTIVE": "never",
        "GIT_SSH_COMMAND": f"ssh -o BatchMode=yes -o ConnectTimeout={LONGEST_SILENCE} "
        f"-o ServerAliveInterval={LONGEST_SILENCE} -o ServerAliveCountMax=1",
        # Others run commands that stand in the address.
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    }
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # git sets them in its hooks
        environment.pop(name, None)
    deadline = time.monotonic() + LONGEST_CLONE
    # A file and not a pipe: git's own children would keep a pipe open after git was stopped.
    with messages.open("wb") as stderr, tqdm(total=100, unit="%", leave=False, delay=1) as bar:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
        try:
            while process.poll() is None and time.monotonic() < deadline:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
                words = messages.read_text(errors="replace")
                for phase, percent in re.findall(r"([\w ]+): +(\d+)%", words)[-1:]:
                    bar.set_description(phase, refresh=False)
                    bar.update(int(percent) - bar.n)
            return process.poll(), messages.read_text(errors="replace")
        finally:
            if process.poll() is None:
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.wait()


def _remove(clone: Path) -> None:
    # git writes its own files read-only, and Windows does not delete such files.
    for file in clone.glob("repository/.git/**/*"):
        with suppress(OSError):
            if not file.is_symlink():
                file.chmod(0o700)
    shutil.rmtree(clone, ignore_errors=True)
