"""Find out from /proc who listens on a port, and where the external command listens.

Without /proc, whichever process listens counts as the external command, and `lsof` shows where that listens.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.process.process_tree import pids, started
from lambda_web_adapter.ipc.envelope import COMMAND_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_LISTENING = "0A"  # TCP_LISTEN (include/net/tcp_states.h)
_LSOF_SECONDS = 2.0


def unrelated_listener(port: int, family: Collection[int], run_id: str) -> str:
    """Return a listener on a port that is not the external command's, as `process 12 (node)`; empty if there is none.

    A process outside of the family may still belong to the command: it may have left the tree, cleared its environ, or
    be a service that listens on the command's behalf. It is unrelated if another adapter has started it, or if it ran
    before the command, when nobody listened on the port.

    Args:
        port: the port.
        family: the process of the external command, and its descendants.
        run_id: the id of its run, which it and all that it starts have in their environ.
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
        other_run = _run_of(pid)
        if other_run != run_id and (other_run or started(pid) < since):
            return f"process {pid} ({_name(pid)})"
    return ""


def owner_of(port: int) -> str:
    """Return a process that listens on a port, as `process 12 (node)`; empty if it is not known."""
    inodes = set(_listening(port))
    owners = (pid for pid in pids() if inodes and not inodes.isdisjoint(_sockets(pid)))
    return next((f"process {pid} ({_name(pid)})" for pid in owners), "")


def addresses_of(family: Collection[int]) -> list[tuple[str, int]]:
    """Return the hosts and ports that the processes of the external command listen on; none if they are not known.

    Args:
        family: its processes.
    """
    if not os.path.exists("/proc/net/tcp"):
        return _addresses_by_lsof()
    own = {inode for pid in family for inode in _sockets(pid)}
    return sorted({_address(local) for local, inode in _listeners() if inode in own})


def _addresses_by_lsof() -> list[tuple[str, int]]:
    """Return what the processes of this one's group listen on, the external command's among them (macOS)."""
    import subprocess

    command = ["lsof", "-nP", "-a", "-iTCP", "-sTCP:LISTEN", "-g", str(os.getpgrp()), "-Fn"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=_LSOF_SECONDS, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):  # it is not installed, or the machine is busy
        return []
    names = (line[1:].rpartition(":") for line in output.splitlines() if line.startswith("n"))
    return sorted(
        {(host.strip("[]").replace("*", "0.0.0.0"), int(port)) for host, _, port in names if port.isdecimal()}
    )


def _listening(port: int) -> Iterator[str]:
    """Yield the inodes of the sockets that listen on a port of this machine, IPv4 and IPv6."""
    for local, inode in _listeners():
        if int(local.rpartition(":")[2], 16) == port and _accepts_loopback(local):
            yield inode


def _listeners() -> Iterator[tuple[str, str]]:
    """Yield the address of each socket that listens, as in /proc/net, and its inode."""
    for table in ("tcp", "tcp6"):
        for line in _read(f"/proc/net/{table}").splitlines()[1:]:
            _, local, _, state, *fields = line.split()
            if state == _LISTENING:
                yield local, fields[5]


def _address(local: str) -> tuple[str, int]:
    """Return an address in /proc/net as host and port; each four of its bytes are in the machine's byte order."""
    address, _, port = local.partition(":")
    packed = b"".join(int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), int(port, 16)


def _accepts_loopback(local: str) -> bool:
    """Return whether an address in /proc/net is a loopback address, or stands for all addresses."""
    address = local.partition(":")[0]
    return not address.strip("0") or address.endswith("7F") or address == "0" * 24 + "01000000"


def _sockets(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except OSError:  # the process has ended, or is another user's
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
