"""Which builds of PyTorch `make` sets up with: the registry's, or the smaller ones for CPUs.

On Linux the registry's builds bring the libraries for NVIDIA's GPUs. Where there is no such GPU,
PyTorch's own index has builds without them. CPU=1 or GPU=1, given to make, decides by hand.

    python tools/torch_builds.py INDEX

prints pip's option on standard output, nothing for the registry's builds, and on standard error
what it takes. It runs before anything is installed.
"""

import os
import re
import shutil
import sys
import threading
import urllib.request
from pathlib import Path

SECONDS = 3  # that the index has to answer in
GPU_SIZE, CPU_SIZE = "about 6 GB", "about 2 GB"
CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"


def has_nvidia_driver() -> bool:
    """Returns whether this machine has NVIDIA's driver, also in a container or in WSL."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def offers(index: str, version: str) -> bool:
    """Returns whether `index` answers within `SECONDS` and has that version of torch for CPUs."""
    pages = []

    def read() -> None:
        try:
            with urllib.request.urlopen(f"{index}/torch/", timeout=SECONDS) as answer:
                pages.append(answer.read().decode("utf-8", "replace"))
        except (OSError, ValueError):  # no network, no such host, no page, no address
            return

    # A thread, as neither looking up a name nor a slow answer keeps to a timeout.
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(SECONDS)
    return any(re.search(rf"torch-{re.escape(version)}(\+|%2B)cpu-", page) for page in pages)


def choose(index: str, version: str, cpu: bool, gpu: bool) -> tuple[str, str]:
    """Chooses the builds.

    Args:
        index: The address of the index with builds for CPUs.
        version: The version of torch that is set up.
        cpu: Whether CPU=1 was given.
        gpu: Whether GPU=1 was given.

    Returns:
        pip's option, "" for the registry's builds, and what to tell.
    """
    from_index = f"--extra-index-url {index}"
    if cpu:
        return from_index, f"PyTorch's builds for CPUs, {CPU_SIZE} in all (CPU=1)"
    if sys.platform != "linux":
        return "", f"the registry's builds of PyTorch, {CPU_SIZE} in all"
    if gpu:
        return "", f"PyTorch with its libraries for GPUs, {GPU_SIZE} in all (GPU=1)"
    if has_nvidia_driver():
        return "", f"PyTorch with its libraries for the GPU here, {GPU_SIZE} in all; CPU=1: less"
    if offers(index, version):
        return from_index, (
            f"PyTorch's builds for CPUs, {CPU_SIZE} in all, as there is no NVIDIA driver here; "
            "GPU=1 takes those for GPUs"
        )
    return "", (
        f"PyTorch with its libraries for GPUs, {GPU_SIZE} in all: {index} did not offer torch "
        f"{version} for CPUs within {SECONDS} s"
    )


def main() -> int:
    """Runs the command line; returns the exit code."""
    cpu, gpu = (bool(os.environ.get(name)) for name in ("CPU", "GPU"))
    if cpu and gpu:
        print("CPU=1 and GPU=1 ask for different builds of PyTorch: give one.", file=sys.stderr)
        return 1
    pinned = re.search(r"(?m)^torch==(\S+)$", CONSTRAINTS.read_text(encoding="utf-8"))
    if pinned is None:
        print("constraints.txt has no line torch==…: put it back.", file=sys.stderr)
        return 1
    option, said = choose(sys.argv[1], pinned[1], cpu, gpu)
    print(option)
    print(f"Setting up with {said}. It takes a few minutes, this once.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
