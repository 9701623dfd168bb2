"""The states of an environment, and what the records say of it."""

from __future__ import annotations

from enum import Enum, StrEnum, auto

# Why an environment is stopped.
IDLE_TOO_LONG, CODE_CHANGED, RUN_ENDS = "idle for too long", "the code has changed", "the run ends"
MAKES_ROOM = "a cold start was requested"


class Activity(StrEnum):
    """What an environment does, for records: one after the other, from `INIT` to `ENDED`."""

    INIT = "init"
    IDLE = "idle"
    BUSY = "busy"
    FROZEN = "frozen"
    STOPPING = "stopping"
    ENDED = "ended"


class State(Enum):
    """The states of an environment."""

    STARTING = auto()
    READY = auto()
    STOPPING = auto()
    ENDED = auto()
