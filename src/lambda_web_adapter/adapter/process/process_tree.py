"""The processes that stem from an app, also where those in between have ended: found, and ended.

A process whose parent has ended gets another one: the system's first process, or, on Linux, the nearest ancestor that
has asked for it. So the adapter asks, and finds what an app leaves among its own children. What was the adapter's child
before it started an app, as what a wrapper script has started in the background, is not the app's. Of which of several
apps (AWS_LWA_WORKERS) an orphan is, nobody knows: it ends with the first that does.

Without /proc, as on macOS, which is a laptop, only the app's own process is found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Where the fields of /proc/PID/stat are behind the name, which is in brackets (proc_pid_stat(5)).
_STATE, _PARENT, _FLAGS, _STARTED = 0, 1, 6, 19
_PF_EXITING = 0x4  # linux/sched.h
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02  # seconds between two looks whether what was killed has ended
_KILL_TIMEOUT_SECONDS = 10.0  # a process in the middle of a system call that cannot be interrupted ends after it


def adopt_orphans() -> None:
    """Have descendants of this process become its children when their parents end."""
    if sys.platform != "linux":
        return
    import ctypes  # 2 ms, which the adapter has while the app starts

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def is_exiting(pid: int) -> bool:
    """Return whether a process is about to end, which takes a while where it has much memory; False without /proc."""
    fields = _stat(pid)
    return bool(fields) and bool(int(fields[_FLAGS]) & _PF_EXITING)


def started(pid: int) -> int:
    """Return when a process was started, in ticks since the machine's start; 0 if it has ended, or without /proc."""
    fields = _stat(pid)
    return int(fields[_STARTED]) if fields else 0


def pids() -> Iterator[int]:
    """Yield all processes; none without /proc."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    yield from (int(name) for name in names if name.isdecimal())


def living(app: int, excluded: Collection[int], since: int) -> dict[int, int]:
    """Find the living processes that stem from an app, and their parents; those to be waited for are not among them.

    Args:
        app: the app's own process, or 0 when it has ended and was waited for.
        excluded: other apps' processes; what stems from them is not this app's.
        since: when the first of the apps was started, in ticks. The adapter's children from before that are not theirs.
    """
    return {pid: parent for pid, ended, parent in _processes_of(app, excluded, since) if not ended}


def kill(app: int, excluded: Collection[int], since: int) -> None:
    """End an app's process and all that stem from it, and return when they have ended."""
    pids = living(app, excluded, since)
    if app:
        send(signal.SIGKILL, [app])  # first, so that it starts no others
    deadline = time.monotonic() + _KILL_TIMEOUT_SECONDS
    pause = _FIRST_PAUSE
    while pids and time.monotonic() < deadline:
        send(signal.SIGKILL, pids)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
        pids = living(app, excluded, since)
    collect(app, excluded, since)


def collect(app: int, excluded: Collection[int], since: int) -> None:
    """Let the kernel forget what stemmed from an app, was adopted, and has ended. The app's own end is left alone."""
    for pid, ended, _ in _processes_of(app, excluded, since):
        if ended and pid != app:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def send(number: int, pids: Collection[int]) -> None:
    """Send a signal to processes, some of which may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _processes_of(app: int, excluded: Collection[int], since: int) -> list[tuple[int, bool, int]]:
    """Find an app's process, what was adopted, and what stems from them: id, whether it has ended, and its parent."""
    adapter = os.getpid()
    children: dict[int, list[tuple[int, bool, int]]] = {}
    processes: list[tuple[int, bool, int]] = []
    for pid, parent, ended, started in _processes():
        if parent == adapter and (pid == app or (started >= since and pid not in excluded)):
            processes.append((pid, ended, parent))
        else:
            children.setdefault(parent, []).append((pid, ended, parent))
    for pid, _, _ in processes:
        processes += children.get(pid, ())
    return processes


def _processes() -> Iterator[tuple[int, int, bool, int]]:
    """Read of each process its id, its parent's, whether it has ended, and when it was started in ticks."""
    for pid in pids():
        if fields := _stat(pid):
            yield pid, int(fields[_PARENT]), fields[_STATE] in b"ZX", int(fields[_STARTED])


def _stat(pid: int) -> list[bytes]:
    """Read the fields behind a process's name; none if it has ended, or cannot be looked at."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
