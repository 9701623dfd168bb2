"""What the adapter reports to a local run about each exchange with the app: one datagram with both messages.

The first line is JSON, with all that is small, and with the lengths of the parts that follow: the request's head and
body, the response's head and body.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

# The largest part of each body that is reported, in bytes: the event and the reply have the whole of it anyway.
MAX_BODY = 64 * 1024
_PARTS = ("request_head", "request_body", "response_head", "response_body")


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request to the app, and its response as far as there is one, before the adapter changes anything.

    Attributes:
        request_id: the invocation's id.
        source: the event source's name.
        request_head: request line and headers as they were sent, without the envelope.
        request_body: the first 64 KB of the request's body.
        request_size: the size of the whole body, in bytes.
        requested_at: when the request was sent, by the monotonic clock in seconds, which all processes share.
        response_head: status line and headers of the response; empty if there is no response.
        response_body: the first 64 KB of its body; of a stream, what came along with the head.
        response_size: the size of that body, in bytes, before it is cut.
        responded_at: when the response had come, or the head of a streamed one; 0 if there is no response.
        error_type: the type of the adapter's error, if the exchange or the reply has failed.
    """

    request_id: str = ""
    source: str = ""
    request_head: bytes = b""
    request_body: bytes = b""
    request_size: int = 0
    requested_at: float = 0.0
    response_head: bytes = b""
    response_body: bytes = b""
    response_size: int = 0
    responded_at: float = 0.0
    error_type: str = ""


_DEFAULTS = asdict(Exchange())
_FIELDS = tuple(name for name in Exchange.__slots__ if name not in _PARTS)


def encode(exchange: Exchange) -> bytes:
    """Return the datagram for an exchange."""
    parts = [getattr(exchange, name) for name in _PARTS]
    fields: dict[str, Any] = {name: getattr(exchange, name) for name in _FIELDS}  # `asdict` takes 25 µs
    fields["lengths"] = list(map(len, parts))
    return b"".join([orjson.dumps(fields), b"\n", *parts])


def decode(datagram: bytes) -> Exchange:
    """Return the exchange in a datagram.

    Raises:
        ValueError: it is none; the app could write to the socket, too.
    """
    line, _, rest = datagram.partition(b"\n")
    fields = orjson.loads(line)
    try:
        offset = 0
        for name, length in zip(_PARTS, fields.pop("lengths"), strict=True):
            fields[name] = rest[offset : offset + length]
            offset += length
        exchange = Exchange(**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an exchange: {error!r}") from None
    for name, default in _DEFAULTS.items():
        if not isinstance(getattr(exchange, name), type(default)):
            raise ValueError(f"not an exchange: {name} is {getattr(exchange, name)!r:.100}")
    return exchange
