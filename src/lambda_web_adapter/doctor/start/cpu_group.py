"""A control group with the CPU time that Lambda gives for a memory size."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_web_adapter.local.environments.function_options import ONE_VCPU

if TYPE_CHECKING:
    from collections.abc import Iterator

# The time within which a group gets its share, in microseconds: that of Lambda's environments, as they see it.
_PERIOD = 20_000
_ROOT = Path("/sys/fs/cgroup")


class CpuGroup(NamedTuple):
    """A control group, or why there is none.

    Attributes:
        members: the file to which a process writes its number to join; empty without a group.
        reason: why there is none.
    """

    members: str
    reason: str = ""


@contextmanager
def cpu_group(memory: int, root: Path = _ROOT) -> Iterator[CpuGroup]:
    """Make a control group for processes that share the time of a memory size, and remove it afterwards.

    Args:
        memory: the memory size, in MB.
        root: where control groups are.
    """
    cores = memory / ONE_VCPU
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores >= available:
        yield CpuGroup("", f"{memory} MB have the time of {cores:.1f} cores, and this machine has {available}")
        return
    quota = str(int(cores * _PERIOD))
    name = f"lambda-web-adapter-{os.getpid()}"
    if (root / "cgroup.controllers").exists():  # version 2
        folder = root / name
        limits = {"cpu.max": f"{quota} {_PERIOD}", "memory.max": str(memory * 1024 * 1024)}
    else:
        folder = root / "cpu" / name
        limits = {"cpu.cfs_period_us": str(_PERIOD), "cpu.cfs_quota_us": quota}
    try:
        folder.mkdir()
    except OSError as error:
        yield CpuGroup("", f"this system allows no control group {folder}: {error.strerror}")
        return
    try:
        yield _limited(folder, limits)
    finally:
        with suppress(OSError):  # a process that does not end keeps it
            folder.rmdir()


def _limited(folder: Path, limits: dict[str, str]) -> CpuGroup:
    try:
        for name, value in limits.items():
            (folder / name).write_text(value)
    except OSError as error:
        return CpuGroup("", f"this system does not limit the control group {folder}: {error.strerror}")
    return CpuGroup(str(folder / "cgroup.procs"))
