"""A call to the Runtime API, what it is answered with, and the reply that a call may be."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lambda_web_adapter.testing.runtime_api.reading import Chunk
    from lambda_web_adapter.testing.runtime_api.streams import ReplyStream

RUNTIME_PREFIX = "/2018-06-01/runtime/"
EXTENSIONS_PREFIX = "/2020-01-01/"
# Below it are paths for the app under test (`RuntimeApi.hold`).
TEST_PREFIX = "/test/"
ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"


@dataclass(frozen=True)
class Call:
    """A request to the Runtime API.

    Attributes:
        method: `GET` or `POST`.
        path: the whole path.
        headers: names in lower case.
        body: the body; that of a stream whose data is not kept is empty.
        at: when it had come (seconds since the epoch).
        connection: the client's port, which tells connections apart.
        stream: how a body in chunks came, else None.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: int
    stream: ReplyStream | None = None

    @property
    def name(self) -> str:
        """What is called, such as `next`, `response`, `error`, `init/error`, `extension/register`; or else the path."""
        if self.path.startswith(TEST_PREFIX):
            return self.path[1:]
        if self.path.startswith(EXTENSIONS_PREFIX):
            return self.path.removeprefix(EXTENSIONS_PREFIX)
        rest = self.path.removeprefix(RUNTIME_PREFIX)
        if rest in ("init/error", "invocation/next", "restore/next", "restore/error"):
            return rest.removeprefix("invocation/")
        return rest.split("/")[2] if rest.startswith("invocation/") and rest.count("/") == 2 else self.path

    @property
    def request_id(self) -> str:
        """The id of the invocation that a call named `response` or `error` is about."""
        return self.path.removeprefix(RUNTIME_PREFIX).split("/")[1]

    @property
    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.body)

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks of a body that came in chunks, the prelude's among them."""
        return self.stream.chunks if self.stream else []

    @property
    def trailers(self) -> Mapping[str, str]:
        """The trailers that were announced and came, names in lower case."""
        return self.stream.trailers if self.stream else {}

    @property
    def is_truncated(self) -> bool:
        """Whether the body has ended before its last chunk, or before the length that its head has."""
        if self.stream is not None:
            return not self.stream.is_complete
        return len(self.body) < int(self.headers.get("content-length", 0))


class Reply(Call):
    """The call to `/response` or `/error` by which a runtime ends an invocation."""

    @property
    def is_error(self) -> bool:
        """Whether the invocation has failed: by `/error`, by trailers of a stream, or by a body without an end."""
        return self.name == "error" or ERROR_TYPE in self.trailers or self.is_truncated

    @property
    def error_type(self) -> str | None:
        """The error's type as its header or trailer has it, else as its document has it."""
        error_type = self.trailers.get(ERROR_TYPE)
        if self.name == "error":
            error_type = self.headers.get(ERROR_TYPE)
        return error_type or (self.error or {}).get("errorType")

    @property
    def error(self) -> dict[str, Any] | None:
        """The error document: `errorType`, `errorMessage`, `stackTrace`; None if there is none.

        Raises:
            ValueError: It is not JSON.
        """
        document = self.body if self.name == "error" else base64.b64decode(self.trailers.get(ERROR_BODY, ""))
        parsed = json.loads(document) if document else None
        return parsed if isinstance(parsed, dict) else None

    @property
    def prelude(self) -> dict[str, Any] | None:
        """The parsed prelude of a stream for an HTTP gateway; None if there is none."""
        return self.stream.prelude if self.stream and self.stream.has_prelude else None

    @property
    def payload(self) -> bytes:
        """The body, without a prelude if it has one."""
        return self.stream.payload if self.stream and self.stream.has_prelude else self.body

    @property
    def parts(self) -> list[bytes]:
        """The chunks of a streamed reply, without the prelude; a buffered one has a single part."""
        if self.stream is None:
            return [self.body]
        chunks = self.stream.payload_chunks if self.stream.has_prelude else self.stream.chunks
        return [chunk.data for chunk in chunks]

    @property
    def status_code(self) -> int | None:
        """The HTTP status in the reply or its prelude; None for a reply that is none to an HTTP event."""
        if self.name == "error":
            return None
        document = self.prelude if self.stream else _parse_json(self.body)
        status = document.get("statusCode") if isinstance(document, dict) else None
        return status if isinstance(status, int) else None


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


@dataclass(frozen=True)
class Answer:
    """How a call is answered, if not by the rules.

    Attributes:
        status: the HTTP status.
        body: the body.
        headers: more headers, or other values; None leaves one out.
        reset: whether the connection breaks instead (RST).
        closed: whether the connection ends instead, without a byte.
        delay: the time until it is answered, in seconds.
        cut_at: after so many bytes of the body the connection ends, although `Content-Length` promises all.
        after: a call with a body in chunks is answered after so many bytes, without reading further; else at its end.
    """

    status: int = 200
    body: bytes = b'{"errorMessage":"scripted","errorType":"Scripted"}\n'
    headers: Mapping[str, str | None] = field(default_factory=dict)
    reset: bool = False
    closed: bool = False
    delay: float = 0
    cut_at: int | None = None
    after: int | None = None


RESET = Answer(reset=True)
CLOSED = Answer(closed=True)
OK = Answer(202, b'{"status":"OK"}\n')
NOT_FOUND = Answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})

BAD_REQUEST = Answer(400, b"400 Bad Request", {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"})


def build_error(status: int, error_type: str, message: str) -> Answer:
    """Return an answer with the error document that the Runtime API has."""
    return Answer(status, json.dumps({"errorMessage": message, "errorType": error_type}).encode())


def check_name(name: str, names: Collection[str]) -> None:
    """Raise ValueError if no call can have a name: to wait for it would be in vain."""
    if name not in names and not name.startswith(("test/", "extension/", "/")):
        close = get_close_matches(name, names, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It takes one of {', '.join(names)} or test/…."
        raise ValueError(f"No call is named {name!r}. {hint}")
