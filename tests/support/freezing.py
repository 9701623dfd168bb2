"""Freeze and thaw, as Lambda does it to an environment between two events; and clocks that go on meanwhile."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.processes import children, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# Python imports it before anything else, in the bootstrap and in each Python that it starts. Whoever looks at a clock
# reads the file, so that a jump is seen at once, as after a thaw.
_SHIFTED = """
import os, time

def shifted(clock, index):
    def now():
        with open(os.environ["CLOCKS"]) as file:
            return clock() + float(file.read().split()[index])
    return now

time.time, time.monotonic = shifted(time.time, 0), shifted(time.monotonic, 1)
"""


class Clocks:
    """The clocks that a bootstrap sees, which can be set forward and back while it runs."""

    def __init__(self, folder: Path) -> None:
        """Takes an empty folder of its own."""
        (folder / "sitecustomize.py").write_text(_SHIFTED)
        self._file = folder / "clocks"
        self.variables = {"PYTHONPATH": str(folder), "CLOCKS": str(self._file)}
        self.jump(0, 0)

    def jump(self, wall: float, monotonic: float) -> None:
        """Puts both clocks that many seconds away from this machine's."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{wall} {monotonic}")
        new.replace(self._file)  # nobody reads half of it


def family(pid: int) -> list[int]:
    """A process and all that stem from it."""
    found = [pid]
    for each in found:
        found += children(each)
    return found


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Stops processes, one after the other, and lets them go on in the same order."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: all(state(pid) == "T" for pid in pids), "all stand still")
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def state(pid: int) -> str:
    """What a process does, as the kernel puts it: `S` sleeps, `T` is stopped (proc_pid_stat(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def unread(port: int) -> int:
    """The bytes that came on connections to a port and that nobody has read yet (proc_net(5))."""
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, _, state, queues = line.split()[1:5]
        if state in ("01", "08") and int(local.partition(":")[2], 16) == port:
            total += int(queues.partition(":")[2], 16)
    return total
