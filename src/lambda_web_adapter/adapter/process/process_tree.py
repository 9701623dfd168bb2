"""The descendants of an app's process, including those whose own parent has ended.

A process whose parent ends gets a new parent: the first process of the system, or, on Linux, the nearest ancestor that
is a subreaper (prctl(2)). The adapter is one, so that an app's orphans become its children. Children that it had before
the first app, such as a wrapper script's background processes, are not the app's. With several apps (AWS_LWA_WORKERS),
nobody knows whose an orphan is: it is killed with the first app that ends.

Without /proc, as on macOS, only the app's own process is known.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from lambda_web_adapter.ipc.parent_process import prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Fields of /proc/PID/stat, counted after the name, which is in brackets (proc_pid_stat(5)).
_STATE, _PARENT, _FLAGS, _STARTED = 0, 1, 6, 19
_PF_EXITING = 0x4  # linux/sched.h
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02  # seconds between two checks whether killed processes have ended
_KILL_TIMEOUT_SECONDS = 10.0  # an uninterruptible system call delays the end of a process


# Children of the adapter's own, such as the command of an event, which belong to no app.
_own_children: set[int] = set()


@contextlib.contextmanager
def own_child(pid: int) -> Iterator[None]:
    """Take a child of the adapter for no app's while the block runs: it is neither killed nor reaped with one."""
    _own_children.add(pid)
    try:
        yield
    finally:
        _own_children.discard(pid)


def adopt_orphans() -> None:
    """Make this process the new parent of descendants whose parents end."""
    if sys.platform == "linux":
        prctl(_PR_SET_CHILD_SUBREAPER, 1)


def reap(child: int) -> int | None:
    """Return the exit code of a child, or minus its signal; None while it runs, 0 if it was reaped elsewhere."""
    try:
        pid, status = os.waitpid(child, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if pid else None


def describe_exit(code: int) -> str:
    """Return how a process ended, as `exit code 3` or `signal SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def is_exiting(pid: int) -> bool:
    """Return whether a process is exiting, which takes a while with much memory; False without /proc."""
    fields = _stat(pid)
    return bool(fields) and bool(int(fields[_FLAGS]) & _PF_EXITING)


def started(pid: int) -> int:
    """Return when a process was started, in ticks since the system's boot; 0 if it has ended, or without /proc."""
    fields = _stat(pid)
    return int(fields[_STARTED]) if fields else 0


def pids() -> Iterator[int]:
    """Yield the ids of all processes; none without /proc."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    yield from (int(name) for name in names if name.isdecimal())


def running_processes(app: int, excluded: Collection[int], since: int) -> dict[int, int]:
    """Return an app's running processes, zombies excluded, each with its parent's pid.

    Args:
        app: the pid of the app's own process; 0 once it is reaped.
        excluded: other apps' own processes; their descendants are not this app's.
        since: when the first app was started, in ticks; earlier children of the adapter are no app's.
    """
    return {pid: parent for pid, ended, parent in _processes_of(app, excluded, since) if not ended}


def kill(app: int, excluded: Collection[int], since: int) -> None:
    """Kill an app's process and its descendants, and wait until they have ended."""
    pids = running_processes(app, excluded, since)
    if app:
        send(signal.SIGKILL, [app])  # first, so that it starts no more processes
    deadline = time.monotonic() + _KILL_TIMEOUT_SECONDS
    pause = _FIRST_PAUSE
    while pids and time.monotonic() < deadline:
        send(signal.SIGKILL, pids)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
        pids = running_processes(app, excluded, since)
    collect(app, excluded, since)


def collect(app: int, excluded: Collection[int], since: int) -> None:
    """Reap an app's adopted processes that have ended, but not the app's own process."""
    for pid, ended, _ in _processes_of(app, excluded, since):
        if ended and pid != app:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def send(number: int, pids: Collection[int]) -> None:
    """Send a signal to processes; those that have ended are skipped."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _processes_of(app: int, excluded: Collection[int], since: int) -> list[tuple[int, bool, int]]:
    """Return an app's process, adopted ones, and their descendants, as pid, whether it has ended, and parent."""
    adapter = os.getpid()
    children: dict[int, list[tuple[int, bool, int]]] = {}
    processes: list[tuple[int, bool, int]] = []
    for pid, parent, ended, started in _processes():
        if pid in _own_children:
            continue
        if parent == adapter and (pid == app or (started >= since and pid not in excluded)):
            processes.append((pid, ended, parent))
        else:
            children.setdefault(parent, []).append((pid, ended, parent))
    for pid, _, _ in processes:
        processes += children.get(pid, ())
    return processes


def _processes() -> Iterator[tuple[int, int, bool, int]]:
    """Yield for each process its pid, its parent's, whether it has ended, and when it was started, in ticks."""
    for pid in pids():
        if fields := _stat(pid):
            yield pid, int(fields[_PARENT]), fields[_STATE] in b"ZX", int(fields[_STARTED])


def _stat(pid: int) -> list[bytes]:
    """Return the fields of a process after its name; none if it has ended, or they cannot be read."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
