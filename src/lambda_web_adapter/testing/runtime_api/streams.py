"""Streamed replies: visible while they come, and read as fast as a test has it."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.testing.runtime_api.reading import PRELUDE_END, Chunk
from lambda_web_adapter.testing.runtime_api.wait_failed import WaitFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from io import BufferedReader

    from lambda_web_adapter.testing.runtime_api.calls import Answer
    from lambda_web_adapter.testing.runtime_api.reading import Reading, Signals

_PIECE_BYTES = 65536
# What is kept of a stream whose data is not, so that its prelude can be read.
_HEAD_BYTES = 262144


class ReplyStream:
    """A reply that comes in chunks, while it comes and after that.

    Attributes:
        headers: those of the request, names in lower case.
        began: when its head had come (seconds since the epoch).
        size: the bytes read so far, with the prelude and its end.
        trailers: those that were announced and came, names in lower case.
        is_complete: whether the last chunk has come, and the trailers with it.
        is_truncated: whether the runtime has ended the body before its last chunk.
        cut: how a test has ended it before its last chunk, else None.
        reading: how it is read.
    """

    def __init__(self, headers: Mapping[str, str], reading: Reading, signals: Signals) -> None:
        self.headers = headers
        self.began = time.time()
        self.size = 0
        self.trailers: dict[str, str] = {}
        self.is_complete = self.is_truncated = False
        self.cut: Answer | None = None
        self.reading = reading
        self._signals = signals
        self._changed = signals.changed
        self._data = bytearray()
        self._ends: list[tuple[float, int]] = []
        self._payload_from: int | None = None
        self._hash = hashlib.sha256()
        self._connection: socket.socket | None = None

    # For tests.

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be read."""
        return self.is_complete or self.is_truncated or self.cut is not None

    @property
    def has_prelude(self) -> bool:
        """Whether a prelude and its end have come."""
        with self._changed:
            return self._payload_from is not None

    @property
    def body(self) -> bytes:
        """All data so far, also of a chunk that is not whole yet.

        Raises:
            ValueError: The data is not kept (`Reading.is_kept`).
        """
        self._check_kept()
        with self._changed:
            return bytes(self._data)

    @property
    def chunks(self) -> list[Chunk]:
        """The whole chunks so far, the prelude's among them."""
        return self._chunks_from(0)

    @property
    def payload_chunks(self) -> list[Chunk]:
        """The whole chunks so far, without what belongs to the prelude."""
        with self._changed:
            return [] if self._payload_from is None else self._chunks_from(self._payload_from)

    @property
    def times(self) -> list[float]:
        """When the chunks came (seconds since the epoch), also if their data is not kept."""
        with self._changed:
            return [at for at, _ in self._ends]

    @property
    def prelude(self) -> Any:
        """The parsed prelude, for which this waits.

        Raises:
            WaitFailed: There is none.
            ValueError: It is not JSON.
        """
        self.wait_for(lambda: self._payload_from is not None, "a prelude")
        with self._changed:
            return json.loads(self._data[: (self._payload_from or 0) - len(PRELUDE_END)])

    @property
    def payload(self) -> bytes:
        """The data so far that came after the prelude; empty before that.

        Raises:
            ValueError: The data is not kept (`Reading.is_kept`).
        """
        return self.body[self._payload_from :] if self.has_prelude else b""

    @property
    def payload_size(self) -> int:
        """The bytes so far that came after the prelude."""
        with self._changed:
            return 0 if self._payload_from is None else self.size - self._payload_from

    @property
    def payload_sha256(self) -> str:
        """The SHA-256 of the payload so far in hex, also if the data is not kept (`Reading.is_hashed`)."""
        with self._changed:
            return self._hash.hexdigest()

    def wait_for(self, condition: Callable[[], object], description: str, timeout: float | None = None) -> None:
        """Wait for a condition of this stream.

        Args:
            condition: returns whether it is met; called at every change.
            description: what it is, for the error.
            timeout: the time to wait, in seconds; the `wait_timeout` of the Runtime API by default.

        Raises:
            WaitFailed: It is not met in time, or when the stream or the runtime has ended.
        """
        timeout = self._signals.wait_timeout if timeout is None else timeout
        with self._changed:
            self._changed.wait_for(lambda: condition() or self.is_over or self._signals.has_ended(), timeout)
            if not condition():
                raise WaitFailed(f"Expected {description} of a streamed reply within {timeout:g} s; it has {self}.")

    def wait_for_chunks(self, number: int, timeout: float | None = None) -> list[Chunk]:
        """Wait for that many chunks and return them, the prelude's among them.

        Raises:
            WaitFailed: They do not come in time, or before the end.
        """
        self.wait_for(lambda: len(self._ends) >= number, f"{number} chunks", timeout)
        return self.chunks[:number] if self.reading.is_kept else []

    def wait_for_payload(self, size: int, timeout: float | None = None) -> None:
        """Wait for that many bytes of the payload.

        Raises:
            WaitFailed: They do not come in time, or before the end.
        """
        self.wait_for(lambda: self.payload_size >= size, f"{size} bytes of payload", timeout)

    def wait_for_end(self, timeout: float | None = None) -> ReplyStream:
        """Wait until nothing more will be read, complete or not, and return this stream.

        Raises:
            WaitFailed: It has not ended in time.
        """
        self.wait_for(lambda: self.is_over, "the end", timeout)
        return self

    def end_with(self, answer: Answer) -> None:
        """Answer the call now, or break its connection, without reading any further.

        Raises:
            ValueError: The stream is over already.
        """
        with self._changed:
            if self._connection is None or self.is_over:
                raise ValueError(f"A stream that is over cannot be ended: {self}")
            self.cut = answer
            self._changed.notify_all()
            self._connection.shutdown(socket.SHUT_RD)  # wakes up the thread that reads

    def __repr__(self) -> str:
        end = "complete" if self.is_complete else "truncated" if self.is_truncated else "cut" if self.cut else "open"
        return f"<{len(self._ends)} chunks, {self.size} bytes, {end}: {bytes(self._data[:200])!r}>"

    def _check_kept(self) -> None:
        if not self.reading.is_kept and self.size > _HEAD_BYTES:
            raise ValueError("The data of this stream is not kept; read it with Reading(is_kept=True).")

    def _chunks_from(self, start: int) -> list[Chunk]:
        self._check_kept()
        chunks = []
        with self._changed:
            for at, end in self._ends:
                if end > start:
                    chunks.append(Chunk(at, bytes(self._data[start:end])))
                    start = end
        return chunks

    # For the server.

    def read(self, source: BufferedReader, connection: socket.socket, cut: Answer | None) -> None:
        """Read the body until it is complete, truncated, or cut.

        Args:
            source: the file of the connection.
            connection: the socket itself.
            cut: the answer that ends it after so many bytes, if a test has one.
        """
        self._connection = connection
        if self.reading.buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.reading.buffer)
        try:
            while size := self._chunk_size(source):
                self._read_chunk(source, size, cut)
            self._read_trailers(source)
        except (OSError, ValueError, EOFError):
            with self._changed:
                self.is_truncated = self.cut is None
                self._changed.notify_all()

    def _chunk_size(self, source: BufferedReader) -> int:
        if self.reading.quick_ack and self._connection:
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # lasts until the next one
        return int(_read_line(source).split(b";")[0], 16)

    def _read_chunk(self, source: BufferedReader, size: int, cut: Answer | None) -> None:
        while size:
            self._wait_to_read()
            most = _PIECE_BYTES if cut is None else max(0, (cut.after or 0) - self.size)
            if not most:
                self.cut = cut
            piece = b"" if self.cut else source.read1(min(size, most))
            if not piece:
                raise EOFError
            size -= len(piece)
            self._add(piece, last=not size)
        if _read_line(source):
            raise ValueError("A chunk has to end with CRLF.")

    def _wait_to_read(self) -> None:
        """Wait while a test has the reading stand still, and for as long as it is to be slow."""
        is_closing = self._signals.is_closing
        with self._changed:
            self._changed.wait_for(lambda: is_closing() or self.cut or not self._signals.is_held())
            if self.reading.per_second and self.size > self.reading.burst:
                due = self.began + (self.size - self.reading.burst) / self.reading.per_second
                self._changed.wait_for(lambda: is_closing() or self.cut, max(0, due - time.time()))

    def _add(self, piece: bytes, *, last: bool) -> None:
        """Add a piece of a chunk, perhaps its last."""
        with self._changed:
            before, self.size = self.size, self.size + len(piece)
            if self.reading.is_kept or before < _HEAD_BYTES:
                self._data += piece
            if self._payload_from is not None:
                self._hash.update(piece if self.reading.is_hashed else b"")
            elif (end := self._data.find(PRELUDE_END, 0, _HEAD_BYTES)) >= 0:
                self._payload_from = end + len(PRELUDE_END)
                self._hash.update(self._data[self._payload_from :])
            if last:
                self._ends.append((time.time(), self.size))
            self._changed.notify_all()

    def _read_trailers(self, source: BufferedReader) -> None:
        """Read what follows the last chunk; as on the emulator, a trailer that was not announced is none."""
        announced = {name.strip().lower() for name in self.headers.get("trailer", "").split(",")}
        trailers = {}
        while line := _read_line(source):
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() in announced:
                trailers[name.lower()] = value.strip()
        with self._changed:
            self.trailers = trailers
            self.is_complete = True
            self._changed.notify_all()


def _read_line(source: BufferedReader) -> bytes:
    line: bytes = source.readline(_PIECE_BYTES)
    if not line.endswith(b"\r\n"):
        raise EOFError
    return line[:-2]
