"""The processes of one environment: freeze, thaw, measure and kill all of them.

An environment's first process leads a session and a process group of its own. Nearly all of its descendants stay in
the group, which one system call stops. Those that have left it are found a moment later, by their ancestry.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

# How long an environment is idle before it is frozen, in seconds. To stop and continue all threads takes as long as all
# else that a quick request takes; requests that follow each other at once are spared it.
_FREEZE_DELAY_SECONDS = 0.01
# How long an environment has to be frozen before processes that have left the group are looked for, in seconds. Between
# two requests in a row that would only cost time.
_SEARCH_DELAY_SECONDS = 0.05
# How often to search in a row: whoever is found may have started others before it was stopped. A process that forks and
# ends all the time might be followed forever.
_MAX_SEARCHES = 20
# How often the memory of a busy environment is measured, in seconds.
MEMORY_INTERVAL_SECONDS = 0.1
# From which share of the limit on the memory is measured exactly.
_NEAR_LIMIT = 0.8
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ProcessGroup:
    """The processes of an environment, from its first process on.

    Attributes:
        leader: the pid of the first process, which leads the group.
    """

    def __init__(self, leader: int, on_freeze: Callable[[], None] = lambda: None) -> None:
        """Begin with the pid of the first process, which leads the group; `on_freeze` is called when it is frozen."""
        self.leader = leader
        self._on_freeze = on_freeze
        self._others: set[int] = set()  # stopped processes outside of the group
        self._freezing: asyncio.TimerHandle | None = None
        self._search: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.is_frozen = False

    def freeze(self) -> None:
        """Stop all processes (SIGSTOP) in a moment, unless they are thawed before."""
        if not self.is_frozen and self._freezing is None:
            self._freezing = asyncio.get_running_loop().call_later(_FREEZE_DELAY_SECONDS, self._freeze)

    def _freeze(self) -> None:
        self._freezing, self.is_frozen = None, True
        self._signal_group(signal.SIGSTOP)
        self._on_freeze()
        self._search = asyncio.get_running_loop().call_later(_SEARCH_DELAY_SECONDS, self._start_search)

    def thaw(self) -> None:
        """Continue all processes (SIGCONT), or leave them running."""
        if self._freezing:
            self._freezing.cancel()
            self._freezing = None
        if not self.is_frozen:
            return
        self.is_frozen = False
        if self._search:
            self._search.cancel()
        for pid in self._others:
            _signal(pid, signal.SIGCONT)
        self._others.clear()
        self._signal_group(signal.SIGCONT)

    def kill(self) -> None:
        """Kill all processes: those that have left the group as well."""
        for timer in (self._freezing, self._search, self._watch):
            if timer:
                timer.cancel()
        self._signal_group(signal.SIGSTOP)  # so that nobody starts others, or loses its parent, by which it is found
        for _ in range(_MAX_SEARCHES):
            if not self._stop_others(self._descendants()):
                break
        for pid in self._others:
            _signal(pid, signal.SIGKILL)
        self._signal_group(signal.SIGKILL)

    def watch_memory(self, limit: int, take: Callable[[int], bool]) -> None:
        """Measure the memory from time to time, until `take`, which gets the bytes, returns False, or `kill`."""
        if self._watch is None:
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(MEMORY_INTERVAL_SECONDS, self._measure, limit, take)

    def _measure(self, limit: int, take: Callable[[int], bool]) -> None:
        self._watch = None
        if not self.is_frozen and take(self.memory(limit)):
            self.watch_memory(limit, take)

    def memory(self, limit: int) -> int:
        """Return how much memory all processes have, in bytes.

        Shared memory is counted once if the sum of all processes comes near the limit, and where the system tells how
        much is shared; otherwise it is counted for each process, which takes a tenth of the time.

        Args:
            limit: the limit, in bytes.
        """
        if sys.platform == "linux":
            resident = sum(_resident_pages(pid) for pid in _tree(self.leader)) * _PAGE_BYTES
            if resident < limit * _NEAR_LIMIT:
                return resident
        processes = [*_process(self.leader), *self._descendants()]
        resident = sum(_resident(process) for process in processes)
        return resident if resident < limit * _NEAR_LIMIT else sum(_proportional(process) for process in processes)

    def _start_search(self, searches: int = _MAX_SEARCHES) -> None:
        search = asyncio.get_running_loop().run_in_executor(None, self._descendants)
        search.add_done_callback(partial(self._complete_search, searches - 1))

    def _complete_search(self, searches: int, search: asyncio.Future[list[psutil.Process]]) -> None:
        """Stop what was found, unless the environment was thawed meanwhile; search again if there was anything."""
        if not search.cancelled() and self.is_frozen and self._stop_others(search.result()) and searches:
            self._start_search(searches)

    def _stop_others(self, processes: list[psutil.Process]) -> bool:
        """Stop those processes that are outside of the group; return whether there were any that had not been."""
        count = len(self._others)
        for pid in {process.pid for process in processes} - self._others:
            with suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != self.leader:
                    os.kill(pid, signal.SIGSTOP)
                    self._others.add(pid)
        return len(self._others) > count

    def _descendants(self) -> list[psutil.Process]:
        for leader in _process(self.leader):
            with suppress(psutil.Error):
                return leader.children(recursive=True)
        return []

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS denies it if all that is left are zombies
            os.killpg(self.leader, number)


def _tree(pid: int) -> list[int]:
    """Return a process and its descendants, from what Linux lists for each thread (proc(5)).

    psutil reads the parents of all processes of the system instead, which takes 4 ms where there are 130, 10 times a
    second for each environment.
    """
    pids = [pid]
    for each in pids:
        with suppress(OSError):  # it has ended
            for thread in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{thread}/children") as file:
                    pids += map(int, file.read().split())
    return pids


def _resident_pages(pid: int) -> int:
    with suppress(OSError), open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1])
    return 0


def _process(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.Error:
        return []


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _proportional(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", 0) or memory.uss)
    return 0


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
