"""Streamed responses, as the fake Runtime API takes them: visible while they come, and read as a test says."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from support.processes import SECONDS
from support.streamed_format import SEPARATOR, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from io import BufferedReader
    from threading import Condition

    from support.fake_calls import Answer

PIECE = 65536
HEAD = 262144


@dataclass(frozen=True)
class Reading:
    """How streamed responses are read.

    Attributes:
        limit: the most bytes that are taken, as on the emulator unless a test says more; Lambda takes 200 MB.
        kept: whether the data is kept; otherwise it is counted and hashed, and only the prelude can be looked at.
        hashed: whether it is hashed; that takes a second or so for each 500 MB.
        burst: the bytes that are read as fast as they come.
        per_second: the bytes of a second after that; None reads on as before. Lambda's are 6 MiB, and 2 MiB a second.
        buffer: the bytes that the kernel takes before they are read; None leaves that to it (megabytes, on loopback).
        quick_ack: whether what comes is acknowledged at once. The kernel may take 40 ms otherwise, for which a sender
            that has left out TCP_NODELAY waits before it sends another small chunk.
    """

    limit: int = 6 * 1024 * 1024 + 100
    kept: bool = True
    hashed: bool = True
    burst: int = 0
    per_second: float | None = None
    buffer: int | None = None
    quick_ack: bool = False


@dataclass(frozen=True)
class Signals:
    """What a streamed response has to know of its Runtime API.

    Attributes:
        news: notified of everything that happens.
        gone: says whether the client has ended.
        held: says whether a test has the reading stand still.
        closing: says whether all is over.
    """

    news: Condition
    gone: Callable[[], bool]
    held: Callable[[], bool]
    closing: Callable[[], bool]


class Chunk(NamedTuple):
    """A chunk, as the chunked coding has it, and when all of it was there (seconds since the epoch)."""

    at: float
    data: bytes


class Streamed:
    """A response that comes in chunks, while it comes and after that.

    Attributes:
        headers: those of the request, names in lower case.
        began: when its head had come (seconds since the epoch).
        size: the bytes that were read so far, prelude and zero bytes included.
        trailers: those that were announced and came, names in lower case.
        complete: whether the last chunk has come, and the trailers with it.
        truncated: whether the client has ended the body before its last chunk.
        cut: how this API has ended it before its last chunk, if it has.
        over: whether nothing more will be read.
    """

    def __init__(self, headers: Mapping[str, str], reading: Reading, signals: Signals) -> None:
        self.headers = headers
        self.began = time.time()
        self.size = 0
        self.trailers: dict[str, str] = {}
        self.complete = self.truncated = False
        self.cut: Answer | None = None
        self.reading = reading
        self._signals = signals
        self._news = signals.news
        self._data = bytearray()
        self._ends: list[tuple[float, int]] = []
        self._payload_from: int | None = None
        self._hash = hashlib.sha256()
        self._connection: socket.socket | None = None

    # What a test looks at.

    @property
    def over(self) -> bool:
        return self.complete or self.truncated or self.cut is not None

    @property
    def body(self) -> bytes:
        """All data so far, also of a chunk that is not whole yet."""
        assert self.reading.kept or self.size <= HEAD, "the data was not kept"
        with self._news:
            return bytes(self._data)

    @property
    def chunks(self) -> list[Chunk]:
        """The whole chunks so far, the prelude's among them."""
        return self._chunks_from(0)

    @property
    def payload_chunks(self) -> list[Chunk]:
        """The whole chunks so far, without what belongs to the prelude."""
        with self._news:
            return [] if self._payload_from is None else self._chunks_from(self._payload_from)

    @property
    def times(self) -> list[float]:
        """When the chunks came, also where their data is not kept."""
        with self._news:
            return [at for at, _ in self._ends]

    @property
    def prelude(self) -> Any:
        """Waits for the prelude, and returns what it says."""
        self.wait_for(lambda: self._payload_from is not None, "a prelude")
        with self._news:
            return json.loads(split(bytes(self._data[: self._payload_from]))[0])

    @property
    def payload(self) -> bytes:
        """The data so far that came after the prelude."""
        return split(self.body)[1]

    @property
    def payload_size(self) -> int:
        with self._news:
            return 0 if self._payload_from is None else self.size - self._payload_from

    @property
    def payload_sha256(self) -> str:
        """The hash of the payload so far, which is there also if the data is not kept."""
        with self._news:
            return self._hash.hexdigest()

    def wait_for(self, condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Waits for something about this response; fails at once if it is over without that, or the client is."""
        with self._news:
            self._news.wait_for(lambda: condition() or self.over or self._signals.gone(), seconds)
            if not condition():
                raise AssertionError(f"{what}: not within {seconds:g} seconds, nor before the end; {self}")

    def wait_for_chunks(self, number: int, seconds: float = SECONDS) -> list[Chunk]:
        """Waits until so many chunks are there, the prelude's among them; returns those."""
        self.wait_for(lambda: len(self._ends) >= number, f"{number} chunks", seconds)
        return self.chunks[:number] if self.reading.kept else []

    def wait_for_payload(self, size: int, seconds: float = SECONDS) -> None:
        """Waits until so many bytes of the payload are there."""
        self.wait_for(lambda: self.payload_size >= size, f"{size} bytes of payload", seconds)

    def wait_for_end(self, seconds: float = SECONDS) -> Streamed:
        """Waits until nothing more will be read; that it is complete is another matter."""
        self.wait_for(lambda: self.over, "the end", seconds)
        return self

    def end_with(self, answer: Answer) -> None:
        """Answers now, or breaks the connection, without reading any further."""
        with self._news:
            assert self._connection is not None
            assert not self.over, self
            self.cut = answer
            self._news.notify_all()
            self._connection.shutdown(socket.SHUT_RD)  # has who reads look up

    def __repr__(self) -> str:
        end = "complete" if self.complete else "truncated" if self.truncated else "cut" if self.cut else "goes on"
        return f"<{len(self._ends)} chunks, {self.size} bytes, {end}: {bytes(self._data[:200])!r}>"

    def _chunks_from(self, start: int) -> list[Chunk]:
        assert self.reading.kept or self.size <= HEAD, "the data was not kept"
        found = []
        with self._news:
            for at, end in self._ends:
                if end > start:
                    found.append(Chunk(at, bytes(self._data[start:end])))
                    start = end
        return found

    # What the server does.

    def read(self, source: BufferedReader, connection: socket.socket, cut: Answer | None) -> None:
        """Reads the body, until it is complete, truncated, or cut.

        Args:
            source: where it comes from.
            connection: the same.
            cut: what ends it after so many bytes, if anything does.
        """
        self._connection = connection
        if self.reading.buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.reading.buffer)
        try:
            while size := self._chunk_size(source):
                self._read_chunk(source, size, cut)
            self._read_trailers(source)
        except (OSError, ValueError, EOFError):
            with self._news:
                self.truncated = self.cut is None
                self._news.notify_all()

    def _chunk_size(self, source: BufferedReader) -> int:
        if self.reading.quick_ack and self._connection:
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # lasts until the next one
        return int(_line(source).split(b";")[0], 16)

    def _read_chunk(self, source: BufferedReader, size: int, cut: Answer | None) -> None:
        while size:
            self._wait_to_read()
            most = PIECE if cut is None else max(0, (cut.after or 0) - self.size)
            if not most:
                self.cut = cut
            piece = b"" if self.cut else source.read1(min(size, most))
            if not piece:
                raise EOFError
            size -= len(piece)
            self._add(piece, last=not size)
        if _line(source):
            raise ValueError("a chunk without an end")

    def _wait_to_read(self) -> None:
        """Waits while a test has the reading stand still, and for as long as it is to be slow."""
        over = self._signals.closing
        with self._news:
            self._news.wait_for(lambda: over() or self.cut or not self._signals.held())
            if self.reading.per_second and self.size > self.reading.burst:
                due = self.began + (self.size - self.reading.burst) / self.reading.per_second
                self._news.wait_for(lambda: over() or self.cut, max(0, due - time.time()))

    def _add(self, piece: bytes, *, last: bool) -> None:
        """Takes a piece of a chunk, perhaps its last."""
        with self._news:
            before, self.size = self.size, self.size + len(piece)
            if self.reading.kept or before < HEAD:
                self._data += piece
            if self._payload_from is not None:
                self._hash.update(piece if self.reading.hashed else b"")
            elif (found := self._data.find(SEPARATOR, 0, HEAD)) >= 0:
                self._payload_from = found + len(SEPARATOR)
                self._hash.update(self._data[self._payload_from :])
            if last:
                self._ends.append((time.time(), self.size))
            self._news.notify_all()

    def _read_trailers(self, source: BufferedReader) -> None:
        """Reads what follows the last chunk; as on the emulator, a trailer that was not announced is none."""
        announced = {name.strip().lower() for name in self.headers.get("trailer", "").split(",")}
        found = {}
        while line := _line(source):
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() in announced:
                found[name.lower()] = value.strip()
        with self._news:
            self.trailers = found
            self.complete = True
            self._news.notify_all()


def _line(source: BufferedReader) -> bytes:
    line: bytes = source.readline(PIECE)
    if not line.endswith(b"\r\n"):
        raise EOFError
    return line[:-2]
