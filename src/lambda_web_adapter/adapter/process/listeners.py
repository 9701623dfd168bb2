"""Who listens on a port, as Linux tells in /proc: the command that was started, or somebody else.

Where that cannot be read, nothing is known, and whoever listens is taken for the command.
"""

from __future__ import annotations

import os

from lambda_web_adapter.adapter.process.process_tree import pids, started
from lambda_web_adapter.ipc.envelope import COMMAND_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_LISTENING = "0A"  # TCP_LISTEN (include/net/tcp_states.h)


def stranger_on(port: int, family: Collection[int], run: str) -> str:
    """Return who listens on a port besides a command's processes: `process 12 (node)`; empty for nobody.

    A process that is not in the family may still be the command's: it may have left the tree, cleared its environment,
    or be a service's that was asked to listen. It is somebody else's if it was started by another adapter, or ran
    before the command did, since nobody listened on the port then.

    Args:
        port: the port.
        family: the command's process and its children.
        run: its run, which its environment has, and that of all that it starts.
    """
    inodes = set(_listening(port))
    own = {inode for pid in family for inode in _sockets(pid)}
    wanted = inodes - own
    if not wanted:
        return ""
    since = min(map(started, family), default=0)
    for pid in pids():
        if wanted.isdisjoint(_sockets(pid)):
            continue
        found = _run_of(pid)
        if found != run and (found or started(pid) < since):
            return f"process {pid} ({_name(pid)})"
    return ""


def owner_of(port: int) -> str:
    """Return a process that listens on a port: `process 12 (node)`; empty if that cannot be found out."""
    inodes = set(_listening(port))
    found = (pid for pid in pids() if inodes and not inodes.isdisjoint(_sockets(pid)))
    return next((f"process {pid} ({_name(pid)})" for pid in found), "")


def _listening(port: int) -> Iterator[str]:
    """Yield the inodes of the sockets that listen on a port of this machine, IPv4 and IPv6."""
    for table in ("tcp", "tcp6"):
        for line in _read(f"/proc/net/{table}").splitlines()[1:]:
            _, local, _, state, *others = line.split()
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port and _accepts_loopback(local):
                yield others[5]


def _accepts_loopback(local: str) -> bool:
    """Return whether an address of such a table is one on this machine itself, or stands for all addresses."""
    address = local.partition(":")[0]
    return not address.strip("0") or address.endswith("7F") or address == "0" * 24 + "01000000"


def _sockets(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except OSError:  # it has ended, or is not ours to look at
        return
    for descriptor in descriptors:
        try:
            target = os.readlink(f"{folder}/{descriptor}")
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


def _run_of(pid: int) -> str:
    prefix = f"{COMMAND_VARIABLE}="
    lines = _read(f"/proc/{pid}/environ").split("\0")
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), "")


def _name(pid: int) -> str:
    return _read(f"/proc/{pid}/comm").strip() or "unknown"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
