"""What the property tests share: translating events, and reading what was made as a server does."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import h11
from support.whole_request import request_bytes

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Invocation, Request
from lambda_web_adapter.settings import Settings
from properties.gateways import GATEWAYS, Client

REQUEST_LINE = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+ /[\x21-\x7e]* HTTP/1\.1")
HEADER_LINE = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+: [^\r\n\0]*")
INVOCATION = Invocation(request_id="1", event=b"")
VERBATIM = b"verbatim"
NOTHING: Mapping[str, str] = MappingProxyType({})


def recognised(event: Any, variables: Mapping[str, str] = NOTHING) -> EventSource:
    """The source of an event under these settings."""
    return find_source(event, Settings.from_environ(variables))


def translated(event: Any, variables: Mapping[str, str] = NOTHING) -> Request:
    """The request that an event becomes under these settings."""
    settings = Settings.from_environ(variables)
    return build_request(find_source(event, settings), event, settings, VERBATIM)


def request_of(gateway: str, client: Client) -> Request:
    return translated(GATEWAYS[gateway](client))


def sent(event: Any, variables: Mapping[str, str] = NOTHING) -> bytes:
    """What the app gets of an event under these settings."""
    return request_bytes(translated(event, variables), INVOCATION)


def headers_read(data: bytes) -> dict[str, list[str]]:
    """The values of each header as h11 reads them, by name in lower case."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.decode(), []).append(value.decode())
    return found


def assert_is_one_request(data: bytes) -> bytes:
    """Sees that the bytes are one request and no other can be read out of them (RFC 9112); gives its body."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert REQUEST_LINE.fullmatch(first), first
    assert [line for line in lines if not HEADER_LINE.fullmatch(line)] == []
    framing = [line for line in lines if line.lower().startswith((b"content-length:", b"transfer-encoding:"))]
    length = f"content-length: {len(body)}".encode()
    assert framing == ([length] if body or length in framing else [])
    return body
