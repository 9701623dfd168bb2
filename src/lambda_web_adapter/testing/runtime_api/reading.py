"""How the Runtime API for tests reads a streamed reply, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Condition

# Between the prelude and the payload (Lambda, "HTTP response streaming": eight null bytes).
PRELUDE_END = bytes(8)
# Bytes of a response at the Runtime Interface Emulator, streamed or not. Lambda's limits are 6 MB, and 200 MB streamed.
PAYLOAD_LIMIT = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class Reading:
    """How streamed replies are read.

    Attributes:
        limit: the payload limit in bytes; that of the Runtime Interface Emulator by default. Lambda's is 200 MB.
        is_kept: whether the data is kept; otherwise it is counted and hashed, and only the prelude can be read.
        is_hashed: whether it is hashed, which takes a second or so for each 500 MB.
        burst: the bytes that are read as fast as they come.
        per_second: the bytes of each second after that; None reads on as before. Lambda has 6 MiB, then 2 MiB.
        buffer: the bytes that the kernel takes before they are read; None leaves that to it (megabytes, on loopback).
        quick_ack: whether what comes is acknowledged at once (Linux). The kernel may take 40 ms otherwise, for which a
            sender that has left out `TCP_NODELAY` waits before it sends another small chunk.
    """

    limit: int = PAYLOAD_LIMIT
    is_kept: bool = True
    is_hashed: bool = True
    burst: int = 0
    per_second: float | None = None
    buffer: int | None = None
    quick_ack: bool = False


@dataclass(frozen=True)
class Signals:
    """What a stream has to know of its Runtime API.

    Attributes:
        wait_timeout: the time that waiting takes at most, in seconds.
        changed: notified of everything that happens.
        has_ended: returns whether the runtime has ended.
        is_held: returns whether a test has the reading stand still.
        is_closing: returns whether the Runtime API closes.
    """

    wait_timeout: float
    changed: Condition
    has_ended: Callable[[], bool]
    is_held: Callable[[], bool]
    is_closing: Callable[[], bool]


class Chunk(NamedTuple):
    """A chunk, as the chunked coding has it.

    Attributes:
        at: when all of it had come (seconds since the epoch).
        data: its bytes.
    """

    at: float
    data: bytes
