"""A WSGI app with a small app for each case, by the first segment of the path.

Each is checked by `wsgiref.validate`, except where the case itself is what the validator forbids.
"""

import atexit
import io
import json
import os
import signal
import socket
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

SECONDS = 20.0
TEXT = ("Content-Type", "text/plain")
DOWNLOAD = bytes(range(256)) * 1000

atexit.register(sys.stdout.write, "at exit\n")

_APPS: dict[str, WSGIApplication] = {}
_gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)
_closed: Counter[str] = Counter()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return _APPS[environ["PATH_INFO"].split("/")[1]](environ, start_response)


def valid(served: WSGIApplication) -> WSGIApplication:
    _APPS[served.__name__] = validator(served)
    return served


def unchecked(served: WSGIApplication) -> WSGIApplication:
    _APPS[served.__name__] = served
    return served


def _rest(environ: WSGIEnvironment) -> str:
    """What stands in the path behind the case's name."""
    return str(environ["PATH_INFO"]).split("/", 2)[2]


# Requests.


@valid
def environ(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({key: _plain(value) for key, value in environ.items()}).encode()]


def _plain(value: Any) -> Any:
    if isinstance(value, (str, bool, tuple)):
        return value
    return f"<{type(value).__name__}>"


_APPS["what"] = environ


@valid
def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(-1)
    start_response("200 OK", [TEXT, ("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [body]


@valid
def reading(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    stream = environ["wsgi.input"]
    ways: dict[str, Callable[[], list[bytes]]] = {
        "read": lambda: [stream.read(3), stream.read(0), stream.read(-1), stream.read(5), stream.read(-1)],
        "readline": lambda: [stream.readline() for _ in range(5)],
        "readline_limit": lambda: [stream.readline(2), stream.readline(100), stream.readline(-1)],
        "readlines": lambda: list(stream.readlines()),
        "readlines_hint": lambda: list(stream.readlines(4)),
        "iteration": lambda: list(stream),
        "mixed": lambda: [stream.read(1), stream.readline(), *stream],
    }
    found = ways[_rest(environ)]()
    start_response("200 OK", [TEXT])
    return [json.dumps([part.decode("latin-1") for part in found]).encode()]


@valid
def errors(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.errors"].write(f"said to wsgi.errors: {_rest(environ)}\n")
    environ["wsgi.errors"].flush()
    start_response("200 OK", [TEXT])
    return [b"said"]


# Responses.


@valid
def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    return [b"hello"]


@valid
def status(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(f"{_rest(environ)} It", [("ETag", '"7"')])
    return []


@unchecked
def no_content_with_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return [b"a body that must not go out"]


@unchecked
def no_content_with_length(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [("Content-Length", "0")])
    return []


@valid
def headers(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(
        "418 I'm a teapot",
        [
            ("Set-Cookie", "a=1; Path=/"),
            TEXT,
            ("Set-Cookie", "b=2, c=3"),
            ("X-Latin", "caf\xe9 \xff"),
            ("X-Utf8", "🌱".encode().decode("latin-1")),
            ("X-Empty", ""),
            ("Content-Length", "0"),
        ],
    )
    return []


@unchecked
def one_part(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return [b"hello"]


@unchecked
def one_part_in_a_tuple(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return (b"hello",)


@unchecked
def two_parts(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return [b"he", b"", b"llo"]


@unchecked
def no_parts(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return []


@valid
def generated(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    yield b""
    yield b"he"
    yield b""
    yield b"llo"


@valid
def generated_nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    yield b""


@valid
def written(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT, ("Content-Length", "11")])
    write(b"hello")
    write(b" ")
    return [b"world"]


@valid
def written_without_length(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT])
    write(b"hello")
    write(b"")
    write(b" ")
    return [b"world"]


@unchecked
def download(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    opened: IO[bytes] = io.BytesIO(DOWNLOAD)
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(DOWNLOAD)))])
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(opened, 4096) if wrapper else iter(lambda: opened.read(4096), b"")


@unchecked
def hop_by_hop(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response(
        "200 OK",
        [
            TEXT,
            ("Connection", "close"),
            ("Keep-Alive", "timeout=5"),
            ("Transfer-Encoding", "chunked"),
            ("X-Stays", "yes"),
            ("Content-Length", "5"),
        ],
    )
    return [b"hello"]


# Step by step.


@valid
def streamed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    yield b"first"
    yield b"second" if _gates[_rest(environ)].wait(SECONDS) else b"nobody opened the gate"


@valid
def streamed_with_length(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "11")])
    yield b"first"
    yield b"second" if _gates[_rest(environ)].wait(SECONDS) else b"nobody opened the gate"


@valid
def written_in_steps(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT])
    write(b"first")
    write(b"second" if _gates[_rest(environ)].wait(SECONDS) else b"nobody opened the gate")
    return []


@valid
def no_delay(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Whether each connection of this process sends at once, without waiting for acknowledgements."""
    found = set()
    for number in os.listdir("/dev/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(number))) as connection:
            connection.getpeername()
            if connection.family == socket.AF_INET:
                found.add(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
    start_response("200 OK", [TEXT])
    return [json.dumps(sorted(found)).encode()]


@valid
def terminated(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Has SIGTERM come to this thread, as the kernel may choose (signal(7)), while the main thread waits."""
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    start_response("200 OK", [TEXT])
    return [b"terminated"]


@valid
def endless(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Sends until the client is gone, and counts its close."""
    start_response("200 OK", [TEXT])
    return Closable(_rest(environ), iter(lambda: b"x" * 65536, b""))


@valid
def gate(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Lets a response that waits in the middle go on."""
    _gates[_rest(environ)].set()
    start_response("200 OK", [TEXT])
    return [b"open"]


class Closable:
    """A body that counts how often it is closed, once its gate is open if it is to wait for that."""

    def __init__(self, name: str, parts: Iterator[bytes], gate: threading.Event | None = None) -> None:
        self._name = name
        self._parts = parts
        self._gate = gate

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        if self._gate:
            self._gate.wait(SECONDS)
        _closed[self._name] += 1


@valid
def closable(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return Closable(_rest(environ), iter([b"hello"]))


@valid
def closable_slowly(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    return Closable(_rest(environ), iter([b"hello"]), _gates[_rest(environ)])


@valid
def closable_that_raises(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return Closable(_rest(environ), _raising([b"hello"]))


@valid
def closable_that_raises_at_once(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return Closable(_rest(environ), _raising([]))


@valid
def closed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """How often a body has been closed so far."""
    start_response("200 OK", [TEXT])
    return [str(_closed[_rest(environ)]).encode()]


# Failures.


def _raising(parts: list[bytes]) -> Iterator[bytes]:
    yield from parts
    raise LookupError("the app failed")


@unchecked
def raises_before_the_start(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise LookupError(f"the app failed at {environ['PATH_INFO']}")


@unchecked
def raises_after_the_start(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    raise LookupError("the app failed")


@valid
def raises_in_the_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return _raising([b"hello"])


@unchecked
def raises_connection_refused(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Fails as an app does whose database is down."""
    raise ConnectionRefusedError("the database is down")


@unchecked
def raises_system_exit(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    sys.exit(f"the app wants to end at {environ['PATH_INFO']}")


@unchecked
def starts_again_with_error(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "100"), ("X-First", "yes")])
    try:
        raise LookupError("the app failed")
    except LookupError:
        start_response("503 Unavailable", [TEXT], sys.exc_info())
    return [b"sorry"]


@unchecked
def starts_again_after_a_bad_write(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT])
    text: Any = "hello"
    try:
        write(text)
    except TypeError:
        start_response("503 Unavailable", [TEXT, ("Content-Length", "5")], sys.exc_info())
    return [b"sorry"]


@unchecked
def starts_again_after_output(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT])
    write(b"hello")
    try:
        raise LookupError("the app failed")
    except LookupError:
        start_response("503 Unavailable", [TEXT], sys.exc_info())
    return [b"this must not go out"]


@unchecked
def starts_again_without_error(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    start_response("202 Accepted", [TEXT])
    return [b"this must not go out"]


@unchecked
def never_starts(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return [b"a body without a head"]


@unchecked
def never_starts_and_sends_nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


@unchecked
def too_long(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    return [b"hello world"]


@unchecked
def too_long_in_parts(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "7")])
    return [b"hello", b" world"]


@unchecked
def too_short(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "100")])
    return [b"hello"]


@unchecked
def too_short_by_all(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "100")])
    return []


@unchecked
def equal_lengths(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "5, 5"), ("content-length", "5")])
    return [b"hello"]


@unchecked
def different_lengths(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "5"), ("Content-Length", "6")])
    return [b"hello"]


@unchecked
def length_is_no_number(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "five")])
    return [b"hello"]


@unchecked
def line_break_in_a_header(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("X-Evil", "a\r\nSet-Cookie: admin=1")])
    return [b"hello"]


@unchecked
def line_break_in_the_status(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK\nSet-Cookie: admin=1", [TEXT])
    return [b"hello"]


@unchecked
def header_outside_latin_1(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("X-Wide", "🌱")])
    return [b"hello"]


@unchecked
def text_instead_of_bytes(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    text: Any = "hello"
    return [text]


@unchecked
def nothing_returned(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    nothing: Any = None
    return nothing  # type: ignore[no-any-return]  # what the case is about
