"""What an HTTP caller has of a reply: one that is posted whole, or as much of a stream as has come."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.streamed_format import SEPARATOR

if TYPE_CHECKING:
    from lambda_web_adapter.testing.runtime_api import ReplyStream

# What is an invocation's own in its marker; it is looked for in megabytes, so that it had better begin with a letter
# that is known.
_OWN = re.compile(rb"-(?:fastapi|flask)-\d{4,}-[0-9a-f]{4}")


def foreign(marker: str, *texts: bytes) -> set[bytes]:
    """Finds what stems from other invocations than the marker's."""
    found = {own for text in texts for own in _OWN.findall(text)}
    return {own for own in found if not marker.encode().endswith(own)}


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        status: 0 while there is none.
        head: headers and cookies, as they stand in the reply.
        body: what there is of the body, without its content coding.
        ended: whether a client could take the body for whole.
    """

    status: int
    head: bytes
    body: bytes
    ended: bool

    def __str__(self) -> str:
        return f"{self.status}, {self.head!r:.300}, {len(self.body)} bytes: {self.body!r:.300}"


def read_whole(document: Any) -> Reply:
    """Reads a reply as the gateways take it."""
    body = document["body"]
    return _read(document, base64.b64decode(body) if document["isBase64Encoded"] else body.encode(), ended=True)


def read_stream(stream: ReplyStream) -> Reply:
    """Reads what has come of a stream, which may be over before its prelude is."""
    head, found, body = stream.body.partition(SEPARATOR)
    return _read(json.loads(head), body, ended=stream.is_complete) if found else Reply(0, b"", b"", ended=False)


def _read(said: Any, body: bytes, *, ended: bool) -> Reply:
    single, several = said.get("headers", {}), said.get("multiValueHeaders", {})
    codings = {str(value) for name, value in [*single.items(), *several.items()] if name.lower() == "content-encoding"}
    if codings:
        assert codings <= {"gzip", "['gzip']"}, codings
        decoder = zlib.decompressobj(31)
        body = decoder.decompress(body)
        ended &= decoder.eof
    head = json.dumps([single, several, said.get("cookies", [])])
    return Reply(said["statusCode"], head.encode(), body, ended)
