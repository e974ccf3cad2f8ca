"""What the system itself keeps a copy from, set by the copy's process before it runs a cell.

The check looks at memory and processes from time to time; this holds between two looks, and for
what no look sees: memory that belongs to no process.
"""

import contextlib
import ctypes
import errno
import os
import platform
import re
import signal
import struct
import sys
from pathlib import Path

LARGEST_FILE = 512 * 2**20  # bytes
MOST_DATA = 4 * 2**30  # bytes of one process; PyTorch's own libraries take one of them
MOST_OPEN = 256  # files of one process, as on macOS; what waits in its sockets is memory, too
MOST_THREADS = 300  # of all its processes; the check ends it with fewer processes than that

# What a lesson never asks of Linux: memory that outlives its process, namespaces, in which there
# would be folders without a limit, and what many holes of the past went through.
FORBIDDEN = {
    "x86_64": {
        **{"shmget": 29, "semget": 64, "msgget": 68, "mount": 165, "mq_open": 240, "add_key": 248},
        **{"request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298},
        **{"setns": 308, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425},
    },
    "aarch64": {
        **{"mount": 40, "unshare": 97, "mq_open": 180, "msgget": 186, "semget": 190},
        **{"shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219},
        **{"perf_event_open": 241, "setns": 268, "bpf": 280, "userfaultfd": 282},
        **{"io_uring_setup": 425},
    },
}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
NEW_USER = 0x10000000  # clone's flag for a namespace of users
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def set_limits() -> None:
    """Set all that this system knows."""
    import resource

    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # where the machine's memory ends, a copy ends first
            Path("/proc/self/oom_score_adj").write_text("1000")
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_NOFILE: MOST_OPEN,
    }
    if sys.platform == "linux":
        limits[resource.RLIMIT_DATA] = MOST_DATA
    user = int(os.environ.pop("BECOME", "0"))
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    # A user of its own, or a Linux that counts for each sandbox by itself. Others would count all
    # that the teacher has running.
    if user or (sys.platform == "linux" and release >= (5, 14) and os.environ.get("BOXED")):
        limits[resource.RLIMIT_NPROC] = MOST_THREADS
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file too large is then an ordinary error
    if sys.platform == "linux" and platform.machine() in MACHINES:
        forbid(platform.machine())


def forbid(machine: str) -> None:
    """Have Linux refuse what is `FORBIDDEN` from now on, also to what this process starts."""
    program = b"".join(struct.pack("HBBI", *line) for line in seccomp(machine))
    kept = ctypes.create_string_buffer(program)
    header = struct.pack("HP", len(program) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS, without which Linux takes no such program
    libc.prctl(22, 2, header)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def seccomp(machine: str) -> list[tuple[int, int, int, int]]:
    """Return the program that Linux asks about each call: operation, jumps and operand a line."""
    load, equal, at_least, has, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    refuse = (answer, 0, 0, 0x50000 | errno.EPERM)
    program = [
        *((load, 0, 0, 4), (equal, 1, 0, MACHINES[machine]), refuse),
        *((load, 0, 0, 0), (at_least, 0, 1, 0x40000000), refuse),  # another set of x86's numbers
    ]
    for number in FORBIDDEN[machine].values():
        program += [(equal, 0, 1, number), refuse]
    # Its flags are out of sight, and libraries take `clone` where it is not there.
    program += [(equal, 0, 1, CLONE3), (answer, 0, 0, 0x50000 | errno.ENOSYS)]
    program += [(equal, 0, 3, CLONE[machine]), (load, 0, 0, 16), (has, 0, 1, NEW_USER), refuse]
    return [*program, (answer, 0, 0, 0x7FFF0000)]
