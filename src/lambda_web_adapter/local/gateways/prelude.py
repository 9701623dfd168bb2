"""Parse the prelude of a streamed reply, whose parts may be split anywhere."""

from __future__ import annotations

from lambda_web_adapter.local.gateways.base import MalformedReply

# The content type of a stream that begins with a prelude; with any other, the whole payload is the body.
CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
# Ends the prelude. JSON has no NUL, so that the first eight are the separator.
SEPARATOR = bytes(8)


class PreludeParser:
    """Collects a prelude until its separator is complete."""

    def __init__(self, max_bytes: int) -> None:
        """Set the limit of prelude and separator together, in bytes."""
        self._max_bytes = max_bytes
        self._collected = bytearray()

    def feed(self, part: bytes) -> tuple[bytes, bytes] | None:
        """Add the next part.

        Returns:
            The prelude and the start of the body; None while the prelude is incomplete.

        Raises:
            MalformedReply: the prelude exceeds the limit.
        """
        size_before = len(self._collected)
        self._collected += part
        position = self._collected.find(SEPARATOR, max(0, size_before - len(SEPARATOR) + 1))
        if (position + len(SEPARATOR) if position >= 0 else len(self._collected)) > self._max_bytes:
            raise MalformedReply(f"the prelude: There are no eight NUL bytes behind it within {self._max_bytes} bytes")
        if position < 0:
            return None
        return bytes(self._collected[:position]), bytes(self._collected[position + len(SEPARATOR) :])

    def missing(self) -> MalformedReply:
        """Return the error for a stream that has ended in the prelude."""
        size = len(self._collected)
        return MalformedReply(
            f"the prelude: The stream ended after {size} bytes, without the eight NUL bytes behind it"
        )
