"""The memory of an environment: when it is measured besides every moment of work, and the most of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.process_group import MEMORY_INTERVAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.local.environments.process_group import ProcessGroup


class MemoryGauge:
    """Measures the memory of an environment, and reports it.

    Attributes:
        most: the most that was measured, in bytes; 0 if nothing was.
    """

    def __init__(self, limit: int, report: Callable[[int], None]) -> None:
        """Begin without measurements, given the environment's limit in bytes, and what gets each measurement."""
        self.most = 0
        self._limit = limit
        self._report = report
        self._has_served = False
        self._measured_at = 0.0

    def add(self, memory: int) -> None:
        """Add a measurement during an invocation, in bytes."""
        self._has_served = True
        self._take(memory)

    def measure_init(self, group: ProcessGroup | None) -> None:
        """Measure what the init has left: an environment that dies in its first invocation has at least that."""
        if group:
            self._take(group.memory(self._limit))

    def measure_end(self, group: ProcessGroup | None) -> None:
        """Measure at the end of an invocation, unless there was a measurement in this one or an earlier one."""
        if group and not self._has_served:
            self.add(group.memory(self._limit))

    def measure_frozen(self, group: ProcessGroup | None) -> None:
        """Measure an environment that was frozen: nobody waits meanwhile, and it stays the same from now on."""
        if group and time.monotonic() - self._measured_at >= MEMORY_INTERVAL_SECONDS:
            self._take(group.memory(self._limit))

    def _take(self, memory: int) -> None:
        self.most, self._measured_at = max(self.most, memory), time.monotonic()
        self._report(memory)
