"""What processes cost, and where they run."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Placement:
    """Where a contender's processes run: on some of the processors, in a control group."""

    cpus: frozenset[int] | None = None
    group: Path | None = None

    def apply(self) -> None:
        """Move the calling process there."""
        if self.cpus:
            os.sched_setaffinity(0, self.cpus)
        if self.group:
            (self.group / "cgroup.procs").write_text(str(os.getpid()))


class Process:
    """A process and its descendants, all of which end with it. They do not get this program's Ctrl-C."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], cwd: Path, placement: Placement) -> None:
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # it is open as long as the process runs
        self._process = subprocess.Popen(
            command,
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            process_group=0,
            # This program has one thread, so that Python code may run between fork and exec.
            preexec_fn=placement.apply,
        )
        self.pid = self._process.pid

    def stop(self) -> None:
        """Kill all of them, and wait until they have ended."""
        ended = []
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGSTOP)  # so that none of them starts another one meanwhile
        for pid in process_tree(self.pid):
            with suppress(ProcessLookupError):
                ended.append(os.pidfd_open(pid))
                signal.pidfd_send_signal(ended[-1], signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # those whose parent has ended before
        self._process.wait()
        for descriptor in ended:
            select.select([descriptor], [], [])
            os.close(descriptor)
        self._output.close()

    def output(self) -> str:
        """Return the end of what they have written."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")[-3000:]


def process_tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    pids = [pid]
    for process in pids:
        for path in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):  # it has ended
                pids += map(int, path.read_text().split())
    return pids


def cpu_microseconds(pid: int) -> float:
    """Return the CPU time of all threads that a process and its descendants have now."""
    nanoseconds = 0
    for process in process_tree(pid):
        for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with suppress(OSError):
                nanoseconds += int(path.read_text().split()[0])
    return nanoseconds / 1000


def memory_megabytes(pid: int) -> float:
    """Return the memory of a process and its descendants, with a shared page's size divided by those who share it."""
    kilobytes = 0
    for process in process_tree(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024
