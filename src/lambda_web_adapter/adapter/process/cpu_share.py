"""How much CPU time adapter and app have together."""

from __future__ import annotations

import os

from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The memory size, in MB, for which a function gets the time of one vCPU (Lambda, "Memory and computing power").
ONE_VCPU = 1769


def read_cpu_share(environ: Mapping[str, str]) -> float:
    """Return the CPU time that adapter and app have together, in cores.

    Lambda gives it in proportion to the memory size. Elsewhere a control group may limit it, as in a container, and
    everywhere the processors that this process may run on do.
    """
    share = lambda_share(environ)
    limit = _read_quota() if share is None else share
    return min(limit, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def lambda_share(environ: Mapping[str, str]) -> float | None:
    """Return the CPU time that Lambda gives for the memory size, in cores; None in a local run, or without a size."""
    memory = "" if environ.get(LOCAL_RUN_VARIABLE) else environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return int(memory) / ONE_VCPU if memory.isdecimal() else None


def _read_quota() -> float:
    """Return the limit of this process's control groups, in cores; infinity without one (Linux, "CPU controller")."""
    quotas = [float("inf")]
    for line in _read("/proc/self/cgroup").splitlines():
        _, _, named = line.partition(":")
        controllers, _, group = named.partition(":")
        is_version_2 = not controllers
        if not is_version_2 and "cpu" not in controllers.split(","):
            continue
        # A limit of a parent holds too, and in a container the path may be one that only its host has.
        while True:
            quotas.append(_read_quota_of(group.rstrip("/"), is_version_2=is_version_2))
            if group in ("", "/"):
                break
            group = os.path.dirname(group)
    return min(quotas)


def _read_quota_of(group: str, *, is_version_2: bool) -> float:
    if is_version_2:
        quota, _, period = _read(f"/sys/fs/cgroup{group}/cpu.max").partition(" ")
    else:
        folder = f"/sys/fs/cgroup/cpu{group}"
        quota, period = _read(f"{folder}/cpu.cfs_quota_us"), _read(f"{folder}/cpu.cfs_period_us")
    if quota.strip().isdecimal() and period.strip().isdecimal():  # else `max`, -1 or no file
        return int(quota) / int(period)
    return float("inf")


def _read(path: str) -> str:
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read()
    except OSError:  # the group, or this controller, is not visible here
        return ""
