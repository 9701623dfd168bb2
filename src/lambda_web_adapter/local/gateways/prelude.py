"""Where the prelude of a streamed reply ends: it comes in parts, split anywhere."""

from __future__ import annotations

from lambda_web_adapter.local.gateways.base import MalformedReply

# The content type that has a gateway look for a prelude at all; with any other all of the payload is body.
CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
# Stands between prelude and body. JSON has no NUL, so the first eight are these.
SEPARATOR = bytes(8)


class PreludeParser:
    """Collects a prelude, until the separator has come whole."""

    def __init__(self, max_bytes: int) -> None:
        """Takes how many bytes prelude and separator may have together."""
        self._max_bytes = max_bytes
        self._collected = bytearray()

    def feed(self, part: bytes) -> tuple[bytes, bytes] | None:
        """Takes the next part.

        Returns:
            The prelude, and what has come of the body; None while the prelude is not whole.

        Raises:
            MalformedReply: it is longer than it may be.
        """
        seen = len(self._collected)
        self._collected += part
        position = self._collected.find(SEPARATOR, max(0, seen - len(SEPARATOR) + 1))
        if (position + len(SEPARATOR) if position >= 0 else len(self._collected)) > self._max_bytes:
            raise MalformedReply(f"the prelude: There are no eight NUL bytes behind it within {self._max_bytes} bytes")
        if position < 0:
            return None
        return bytes(self._collected[:position]), bytes(self._collected[position + len(SEPARATOR) :])

    def missing(self) -> MalformedReply:
        """Says what is wrong with a stream that has ended in the prelude."""
        seen = len(self._collected)
        return MalformedReply(
            f"the prelude: The stream ended after {seen} bytes, without the eight NUL bytes behind it"
        )
