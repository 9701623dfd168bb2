"""How much processor time adapter and app have together."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The memory size, in MB, for which a function gets the time of one vCPU (Lambda, "Memory and computing power").
_ONE_VCPU = 1769


def cpu_share(environ: Mapping[str, str]) -> float:
    """Return the processor time to share, in cores.

    Lambda gives it in proportion to the memory size. Elsewhere the control group may limit it, as in a container, and
    everywhere the processors that this process may run on do.
    """
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    limit = int(memory) / _ONE_VCPU if memory.isdecimal() else _quota()
    return min(limit, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _quota() -> float:
    """Return the limit of this process's control group, in cores; infinity without one (Linux, "CPU controller")."""
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers:  # version 2
            quota, _, period = _read(f"/sys/fs/cgroup{group}/cpu.max").partition(" ")
        elif "cpu" in controllers.split(","):
            folder = f"/sys/fs/cgroup/cpu{group}"
            quota, period = _read(f"{folder}/cpu.cfs_quota_us"), _read(f"{folder}/cpu.cfs_period_us")
        else:
            continue
        if quota.strip().isdecimal() and period.strip().isdecimal():  # else `max` or -1
            return int(quota) / int(period)
    return float("inf")


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:  # the group, or this controller, is not visible here
        return ""
