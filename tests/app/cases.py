"""What a WSGI server must do with a request, case by case, for both servers; where they differ, why.

Each case is one request on a fresh connection. Its outcome is everything that the client and the adapter can see.
"""

import json
from dataclasses import dataclass, replace

from app.client import request

CHUNKED = "chunked"
LENGTH = "content-length"
CLOSE = "close"
NONE = "none"

BRIDGE_SENDS_HEAD_AT_ONCE = "a2wsgi sends the head when start_response is called, not with the first part of the body"
BRIDGE_KNOWS_NO_LENGTH = "ASGI has no list of parts whose length could be seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is seen from outside.

    Attributes:
        status: the status, or 0 when the connection ended before the response did.
        body: the body.
        headers: all but those about framing, names in lower case.
        framing: how the body's end was said; empty for any correct way.
        word: what the control channel said.
        stays_open: whether the connection takes another request.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    framing: str = ""
    word: str = "done"
    stays_open: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """A 500 or a connection that broke off: anything but a response that looks whole and is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request and its outcome; another outcome on uvicorn has its reason."""

    name: str
    sent: bytes
    method: str = "GET"
    outcome: Outcome | Refused
    on_uvicorn: Outcome | Refused | None = None
    because: str = ""

    def __post_init__(self) -> None:
        if (self.on_uvicorn is None) != (not self.because):
            raise ValueError(f"a difference and its reason go together: {self.name}")

    def expected(self, server: str) -> Outcome | Refused:
        return self.on_uvicorn if self.on_uvicorn and server == "uvicorn" else self.outcome


_TEXT = (("content-type", "text/plain"),)
_HELLO = Outcome(body=b"hello", headers=_TEXT, framing=LENGTH)
_HELLO_IN_CHUNKS = replace(_HELLO, framing=CHUNKED)
_EMPTY = Outcome(headers=_TEXT, framing=LENGTH)
_ERROR = Outcome(
    status=500, body=b"Internal Server Error", headers=(("content-type", "text/plain; charset=utf-8"),), framing=""
)
_BROKEN = Outcome(status=0, word="closing", stays_open=False)
_BAD_REQUEST = Outcome(status=400, framing=LENGTH, word="closing", stays_open=False)


def _get(path: str) -> bytes:
    return request("GET", path)


def _echoed(body: bytes, length: str, framing: str) -> Outcome:
    return Outcome(body=body, headers=(*_TEXT, ("x-length", length)), framing=framing)


def _read(*parts: str) -> Outcome:
    return Outcome(body=json.dumps(parts).encode(), headers=_TEXT, framing=CHUNKED)


def _reading(way: str) -> bytes:
    return request("POST", f"/reading/{way}", body=b"ab\ncd\nef")


_REQUESTS = (
    Case(name="GET", sent=_get("/hello"), outcome=_HELLO),
    Case(
        name="HEAD keeps the headers and has no body",
        sent=request("HEAD", "/hello"),
        method="HEAD",
        outcome=replace(_HELLO, body=b""),
    ),
    Case(
        name="HEAD of a body of unknown length",
        sent=request("HEAD", "/generated"),
        method="HEAD",
        outcome=replace(_EMPTY, framing=NONE),
    ),
    Case(
        name="HEAD of a body in one part",
        sent=request("HEAD", "/one_part"),
        method="HEAD",
        outcome=_EMPTY,
        on_uvicorn=replace(_EMPTY, framing=NONE),
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(
        name="HEAD of a failure",
        sent=request("HEAD", "/raises_before_the_start"),
        method="HEAD",
        outcome=replace(_ERROR, body=b""),
    ),
    Case(
        name="POST with a body",
        sent=request("POST", "/echo", body=b"\x00\xffbody"),
        method="POST",
        outcome=_echoed(b"\x00\xffbody", "6", CHUNKED),
    ),
    Case(
        name="POST with an empty body",
        sent=request("POST", "/echo", ("Content-Length", "0")),
        method="POST",
        outcome=_echoed(b"", "0", LENGTH),
        on_uvicorn=_echoed(b"", "0", CHUNKED),
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(
        name="POST without a body",
        sent=request("POST", "/echo"),
        method="POST",
        outcome=_echoed(b"", "none", LENGTH),
        on_uvicorn=_echoed(b"", "none", CHUNKED),
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(
        name="a body in chunks",
        sent=request(
            "POST", "/echo", ("Transfer-Encoding", "chunked"), body=b"3\r\nhel\r\n2;extension\r\nlo\r\n0\r\n\r\n"
        ),
        method="POST",
        outcome=_echoed(b"hello", "5", CHUNKED),
        on_uvicorn=_echoed(b"hello", "none", CHUNKED),
        because="a2wsgi starts the app before the body has come, so its length is not known",
    ),
    Case(
        name="a body in no chunks",
        sent=request("POST", "/echo", ("Transfer-Encoding", "chunked"), body=b"0\r\n\r\n"),
        method="POST",
        outcome=_echoed(b"", "none", LENGTH),
        on_uvicorn=_echoed(b"", "none", CHUNKED),
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(
        name="the client wants to close",
        sent=request("GET", "/hello", ("Connection", "close")),
        outcome=replace(_HELLO, word="closing", stays_open=False),
    ),
    Case(
        name="an HTTP/1.0 client",
        sent=b"GET /hello HTTP/1.0\r\n\r\n",
        outcome=replace(_HELLO, word="closing", stays_open=False),
    ),
    Case(
        name="an HTTP/1.0 client, a body of unknown length",
        sent=b"GET /generated HTTP/1.0\r\n\r\n",
        outcome=replace(_HELLO, framing=CLOSE, word="closing", stays_open=False),
    ),
    Case(
        name="an offer to upgrade is passed over",
        sent=request("GET", "/hello", ("Connection", "Upgrade"), ("Upgrade", "h2c")),
        outcome=_HELLO,
    ),
    Case(
        name="garbage",
        sent=b"this is not HTTP\r\n\r\n",
        outcome=_BAD_REQUEST,
    ),
    Case(
        name="an unknown method",
        sent=request("FROB", "/hello"),
        outcome=_BAD_REQUEST,
    ),
    Case(
        name="two lengths",
        sent=request("POST", "/echo", ("Content-Length", "5"), ("Content-Length", "6"), body=b"hello!"),
        outcome=_BAD_REQUEST,
    ),
    Case(
        name="a length and chunks",
        sent=request("POST", "/echo", ("Content-Length", "5"), ("Transfer-Encoding", "chunked"), body=b"0\r\n\r\n"),
        outcome=_BAD_REQUEST,
    ),
)

_INPUT = (
    Case(name="wsgi.input.read", sent=_reading("read"), outcome=_read("ab\n", "", "cd\nef", "", "")),
    Case(name="wsgi.input.readline", sent=_reading("readline"), outcome=_read("ab\n", "cd\n", "ef", "", "")),
    Case(
        name="wsgi.input.readline with a limit",
        sent=_reading("readline_limit"),
        outcome=_read("ab", "\n", "cd\n"),
        on_uvicorn=_read("", "", "ab\n"),
        because="a2wsgi's readline(limit) does not wait for the body",
    ),
    Case(
        name="wsgi.input.readlines",
        sent=_reading("readlines"),
        outcome=_read("ab\n", "cd\n", "ef"),
        on_uvicorn=_read("ab\n", "cd\n", "ef\n"),
        because="a2wsgi ends the last line with a newline that was not sent",
    ),
    Case(
        name="wsgi.input.readlines with a hint",
        sent=_reading("readlines_hint"),
        outcome=_read("ab\n", "cd\n"),
        on_uvicorn=_read("ab\n", "cd\n", "ef", ""),
        because="a2wsgi takes the hint for a number of lines",
    ),
    Case(name="wsgi.input, iterated over", sent=_reading("iteration"), outcome=_read("ab\n", "cd\n", "ef")),
    Case(name="wsgi.input, read in all ways", sent=_reading("mixed"), outcome=_read("a", "b\n", "cd\n", "ef")),
)

_RESPONSES = (
    Case(
        name="204",
        sent=_get("/status/204"),
        outcome=Outcome(status=204, headers=(("etag", '"7"'),), framing=NONE),
    ),
    Case(
        name="304",
        sent=_get("/status/304"),
        outcome=Outcome(status=304, headers=(("etag", '"7"'),), framing=NONE),
    ),
    Case(
        name="204 with a body",
        sent=_get("/no_content_with_body"),
        outcome=Outcome(status=204, framing=NONE),
    ),
    Case(
        name="headers keep their order and bytes",
        sent=_get("/headers"),
        outcome=Outcome(
            status=418,
            headers=(
                ("set-cookie", "a=1; Path=/"),
                ("content-type", "text/plain"),
                ("set-cookie", "b=2, c=3"),
                ("x-latin", "caf\xe9 \xff"),
                ("x-utf8", "\xf0\x9f\x8c\xb1"),
                ("x-empty", ""),
            ),
            framing=LENGTH,
        ),
    ),
    Case(
        name="one part without a length",
        sent=_get("/one_part"),
        outcome=_HELLO,
        on_uvicorn=_HELLO_IN_CHUNKS,
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(
        name="one part in a tuple",
        sent=_get("/one_part_in_a_tuple"),
        outcome=_HELLO,
        on_uvicorn=_HELLO_IN_CHUNKS,
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(name="two parts without a length", sent=_get("/two_parts"), outcome=_HELLO_IN_CHUNKS),
    Case(
        name="no parts",
        sent=_get("/no_parts"),
        outcome=_EMPTY,
        on_uvicorn=replace(_EMPTY, framing=CHUNKED),
        because=BRIDGE_KNOWS_NO_LENGTH,
    ),
    Case(name="a generator", sent=_get("/generated"), outcome=_HELLO_IN_CHUNKS),
    Case(
        name="a generator of nothing",
        sent=_get("/generated_nothing"),
        outcome=_EMPTY,
        on_uvicorn=replace(_EMPTY, framing=CHUNKED),
        because=BRIDGE_SENDS_HEAD_AT_ONCE,
    ),
    Case(name="write()", sent=_get("/written"), outcome=replace(_HELLO, body=b"hello world")),
    Case(
        name="write() without a length",
        sent=_get("/written_without_length"),
        outcome=replace(_HELLO_IN_CHUNKS, body=b"hello world"),
    ),
    Case(
        name="hop-by-hop headers are left out",
        sent=_get("/hop_by_hop"),
        outcome=replace(_HELLO, headers=(*_TEXT, ("x-stays", "yes"))),
    ),
)

_FAILURES = (
    Case(
        name="an exception before the start",
        sent=_get("/raises_before_the_start"),
        outcome=_ERROR,
    ),
    Case(
        name="an exception after the start",
        sent=_get("/raises_after_the_start"),
        outcome=_ERROR,
    ),
    Case(name="an exception in the body", sent=_get("/raises_in_the_body"), outcome=_BROKEN),
    Case(
        name="an exception that looks like a lost connection",
        sent=_get("/raises_connection_refused"),
        outcome=_ERROR,
    ),
    Case(name="SystemExit", sent=_get("/raises_system_exit"), outcome=_ERROR),
    Case(
        name="a second start with an error, before output",
        sent=_get("/starts_again_with_error"),
        outcome=Outcome(status=503, body=b"sorry", headers=_TEXT, framing=LENGTH),
        on_uvicorn=_BROKEN,
        because=BRIDGE_SENDS_HEAD_AT_ONCE,
    ),
    Case(
        name="a second start with an error, after a write that failed",
        sent=_get("/starts_again_after_a_bad_write"),
        outcome=Outcome(status=503, body=b"sorry", headers=_TEXT, framing=LENGTH),
        on_uvicorn=_ERROR,
        because=BRIDGE_SENDS_HEAD_AT_ONCE,
    ),
    Case(
        name="a second start with an error, after output",
        sent=_get("/starts_again_after_output"),
        outcome=_BROKEN,
        on_uvicorn=replace(_HELLO_IN_CHUNKS, body=b"hellothis must not go out"),
        because="a2wsgi raises the error only at the end, not when start_response is called",
    ),
    Case(
        name="a second start without an error",
        sent=_get("/starts_again_without_error"),
        outcome=_ERROR,
        on_uvicorn=replace(_HELLO_IN_CHUNKS, body=b"this must not go out"),
        because="a2wsgi passes over the second call",
    ),
    Case(
        name="no start",
        sent=_get("/never_starts"),
        outcome=_ERROR,
    ),
    Case(
        name="no start and no body",
        sent=_get("/never_starts_and_sends_nothing"),
        outcome=_ERROR,
    ),
    Case(name="a body that is longer than its length", sent=_get("/too_long"), outcome=Refused()),
    Case(name="a second part beyond the length", sent=_get("/too_long_in_parts"), outcome=Refused()),
    Case(name="a body that is shorter than its length", sent=_get("/too_short"), outcome=Refused()),
    Case(name="no body though it has a length", sent=_get("/too_short_by_all"), outcome=Refused()),
    Case(name="a length that is no number", sent=_get("/length_is_no_number"), outcome=Refused()),
    Case(
        name="a line break in a header",
        sent=_get("/line_break_in_a_header"),
        outcome=_ERROR,
    ),
    Case(
        name="a line break in the status",
        sent=_get("/line_break_in_the_status"),
        outcome=_ERROR,
        on_uvicorn=_HELLO_IN_CHUNKS,
        because="ASGI's status is a number; the text behind it is dropped",
    ),
    Case(
        name="a header outside latin-1",
        sent=_get("/header_outside_latin_1"),
        outcome=_ERROR,
    ),
    Case(
        name="text instead of bytes",
        sent=_get("/text_instead_of_bytes"),
        outcome=_ERROR,
    ),
    Case(
        name="nothing returned",
        sent=_get("/nothing_returned"),
        outcome=_ERROR,
    ),
)

CASES = (*_REQUESTS, *_INPUT, *_RESPONSES, *_FAILURES)
