"""A process that kills the environments if the local run ends without stopping them, by SIGKILL for one.

A frozen environment does not notice that, and would stay for ever.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


class Guard:
    """The local run's end of a pipe to the guard, which acts when the pipe ends."""

    def __init__(self, pipe: int) -> None:
        """Begin with the pipe's descriptor."""
        self._pipe = pipe
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, *listeners: socket.socket) -> Guard:
        """Fork the guard. Call this early: it stays as small as the process is now.

        Args:
            listeners: sockets that the guard must not keep open.
        """
        read_end, write_end = os.pipe()
        if os.fork():
            os.close(read_end)
            return cls(write_end)
        try:
            os.close(write_end)
            for listener in listeners:
                listener.close()
            _watch(read_end)
        finally:
            os._exit(0)

    @classmethod
    def start_program(cls) -> Guard:
        """Start the guard as a program, in a process that has threads, where a fork is not safe; end it by `close`."""
        read_end, write_end = os.pipe()
        # The current folder may have another adapter, as that of a package does.
        folder = __file__.removesuffix(f"{__name__.replace('.', os.sep)}.py")
        program = f"import sys; sys.path.append({folder!r}); from {__name__} import _watch; _watch({read_end})"
        guard = cls(write_end)
        guard._process = subprocess.Popen([sys.executable, "-P", "-c", program], pass_fds=(read_end,))  # noqa: S603  # ours
        os.close(read_end)
        return guard

    def close(self) -> None:
        """End the guard, which kills what is left, and wait for it, if it is a program."""
        os.close(self._pipe)
        if self._process:
            self._process.wait()

    def add(self, leader: int) -> None:
        """Have the process group of this leader, and its descendants, killed at the end."""
        self._write(f"+{leader}\n")

    def remove(self, leader: int) -> None:
        """Forget a process group that has ended."""
        self._write(f"-{leader}\n")

    def _write(self, line: str) -> None:
        with suppress(BrokenPipeError):  # somebody has killed the guard
            os.write(self._pipe, line.encode())


def _watch(pipe: int) -> None:
    """Read which groups there are, until the local run has ended; then kill those that are left."""
    os.setsid()  # Ctrl-C, and the end of the terminal, do not reach the guard
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    leaders: set[int] = set()
    with open(pipe, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("+"):
                leaders.add(int(line[1:]))
            else:
                leaders.discard(int(line[1:]))
    for leader in leaders:
        _kill(leader)


def _kill(leader: int) -> None:
    from lambda_web_adapter.local.environments.process_group import ProcessGroup  # psutil, which the guard seldom needs

    ProcessGroup(leader).kill()
