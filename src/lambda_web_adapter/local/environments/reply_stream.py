"""A streamed reply on its way from the Runtime API to the gateway: only one part at a time is kept in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.models import InvocationError


class StreamFailed(Exception):
    """The function failed in the middle of its reply."""

    def __init__(self, error: InvocationError) -> None:
        """Keep the reason."""
        super().__init__(str(error))
        self.error = error


class ReplyStream:
    """The parts of a reply, from one sender to one reader.

    `put` waits until the reader asks for the next part, so that a slow client slows down the app.

    Attributes:
        content_type: the payload's content type, as the bootstrap sent it.
        ended: set when no more parts come.
        error: why the function failed in the middle of it; None if it did not.
    """

    def __init__(self, content_type: str) -> None:
        """Begin with the payload's content type, as the bootstrap sent it."""
        self.content_type = content_type
        self.ended = asyncio.Event()
        self.error: InvocationError | None = None
        self._abandoned = False
        self._part = b""
        self._can_send = asyncio.Event()
        self._changed = asyncio.Event()
        self._can_send.set()

    async def put(self, part: bytes) -> None:
        """Wait until the previous part has been read, and pass this one on."""
        if not part or self._abandoned:
            return
        await self._can_send.wait()
        if not self._abandoned:
            self._can_send.clear()
            self._part = part
            self._changed.set()

    def end(self, error: InvocationError | None = None) -> None:
        """End the stream, with an error if the function failed; only the first call has an effect."""
        if not self.ended.is_set():
            self.error = error
            self.ended.set()
            self._changed.set()

    def abandon(self) -> None:
        """Discard all further parts, so that the sender can continue without a reader, as on Lambda."""
        self._abandoned = True
        self._can_send.set()
        self._changed.set()

    def __aiter__(self) -> ReplyStream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next part.

        Raises:
            StreamFailed: the function failed.
        """
        while not self._abandoned:
            if self._part:
                part, self._part = self._part, b""
                return part
            if self.ended.is_set():
                if self.error is not None:
                    raise StreamFailed(self.error)
                break
            self._can_send.set()
            self._changed.clear()
            await self._changed.wait()
        raise StopAsyncIteration
