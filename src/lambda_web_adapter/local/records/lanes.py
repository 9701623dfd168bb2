"""What the environments of a run did over time, bounded in number."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from lambda_web_adapter.local.environments.environment_states import Activity

# How many environments are kept, and of each, how many changes and measurements.
_MAX_LANES, _MAX_CHANGES, _MAX_MEASUREMENTS = 100, 2000, 1000


@dataclass(slots=True, kw_only=True)
class Lane:
    """What one environment did.

    Attributes:
        number: the environment's number.
        changes: moment in seconds since the epoch, what it does from then on (`init`, `idle`, `busy`, `frozen`,
            `stopping`, `ended`), and why, where there is a reason: `crashed`, out of memory, the code has changed, …
        memory: moment, and the memory in bytes.
    """

    number: int
    changes: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=_MAX_CHANGES))
    memory: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_MAX_MEASUREMENTS))

    @property
    def has_ended(self) -> bool:
        """Return whether the environment has ended, so that no more follows."""
        return bool(self.changes) and self.changes[-1][1] == Activity.ENDED


class Lanes:
    """The lanes of the last environments."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lanes: dict[int, Lane] = {}

    def change(self, number: int, moment: float, state: str, reason: str = "") -> bool:
        """Add what an environment does from now on, unless it does so already; return whether that is new."""
        changes = self._lane(number).changes
        is_new = not changes or changes[-1][1] != state
        if is_new:
            changes.append((moment, state, reason))
        return is_new

    def state(self, number: int) -> str:
        """Return what an environment does; empty if nothing is known of it."""
        lane = self._lanes.get(number)
        return lane.changes[-1][1] if lane and lane.changes else ""

    def measure(self, number: int, moment: float, memory: int) -> None:
        """Add how much memory an environment has, in bytes."""
        self._lane(number).memory.append((moment, memory))

    def last(self) -> list[Lane]:
        """Return the lanes, by number."""
        return [self._lanes[number] for number in sorted(self._lanes)]

    def _lane(self, number: int) -> Lane:
        if number not in self._lanes:
            self._lanes[number] = Lane(number=number)
            if len(self._lanes) > _MAX_LANES:
                self._drop_one(number)
        return self._lanes[number]

    def _drop_one(self, kept: int) -> None:
        """Drop the oldest lane of an environment that has ended, or the oldest of all if none has."""
        others = sorted(set(self._lanes) - {kept})
        del self._lanes[next((each for each in others if self._lanes[each].has_ended), others[0])]
