"""A streamed reply on its way from the Runtime API to whoever asked: one part at a time, none piles up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.models import InvocationError


class StreamFailed(Exception):
    """The function failed in the middle of its reply."""

    def __init__(self, error: InvocationError) -> None:
        """Takes what is known of the reason."""
        super().__init__(str(error))
        self.error = error


class ReplyStream:
    """The parts of a reply, for one who sends and one who reads.

    A part is given up only when the reader asks for the one behind it, so that a slow client slows the app down.
    """

    def __init__(self, content_type: str) -> None:
        """Takes the content type that the bootstrap gave the payload."""
        self.content_type = content_type
        self.ended = asyncio.Event()
        self._error: InvocationError | None = None
        self._abandoned = False
        self._part = b""
        self._can_send = asyncio.Event()
        self._changed = asyncio.Event()
        self._can_send.set()

    async def put(self, part: bytes) -> None:
        """Hands over a part, as soon as the one before it has been dealt with."""
        if not part or self._abandoned:
            return
        await self._can_send.wait()
        if not self._abandoned:
            self._can_send.clear()
            self._part = part
            self._changed.set()

    def end(self, error: InvocationError | None = None) -> None:
        """Says that no more comes, and why, if that is a failure; the first word counts."""
        if not self.ended.is_set():
            self._error = error
            self.ended.set()
            self._changed.set()

    def abandon(self) -> None:
        """Lets the sender go on without a reader, as Lambda does when the client has left."""
        self._abandoned = True
        self._can_send.set()
        self._changed.set()

    def __aiter__(self) -> ReplyStream:
        return self

    async def __anext__(self) -> bytes:
        """Gives the next part.

        Raises:
            StreamFailed: the function failed.
        """
        while not self._abandoned:
            if self._part:
                part, self._part = self._part, b""
                return part
            if self.ended.is_set():
                if self._error is not None:
                    raise StreamFailed(self._error)
                break
            self._can_send.set()
            self._changed.clear()
            await self._changed.wait()
        raise StopAsyncIteration
