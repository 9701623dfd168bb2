"""A call to the fake Runtime API, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.fake_streams import Chunk, Streamed

PREFIX = "/2018-06-01/runtime/"
EXTENSIONS = "/2020-01-01/"


@dataclass(frozen=True)
class Call:
    """A request to the Runtime API, with the time it came at (seconds since the epoch), and on which connection.

    A body in chunks has come as `stream` says; one whose data is not kept is empty here.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: int
    stream: Streamed | None = None

    @property
    def name(self) -> str:
        """What is called, such as `next`, `response`, `init/error`, `extension/register`; or else the path."""
        if self.path.startswith("/test/"):
            return self.path[1:]
        if self.path.startswith(EXTENSIONS):
            return self.path.removeprefix(EXTENSIONS)
        rest = self.path.removeprefix(PREFIX)
        if rest in ("init/error", "invocation/next", "restore/next", "restore/error"):
            return rest.removeprefix("invocation/")
        return rest.split("/")[2] if rest.startswith("invocation/") and rest.count("/") == 2 else self.path

    @property
    def request_id(self) -> str:
        return self.path.removeprefix(PREFIX).split("/")[1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def chunks(self) -> list[Chunk]:
        return self.stream.chunks if self.stream else []

    @property
    def trailers(self) -> Mapping[str, str]:
        return self.stream.trailers if self.stream else {}

    @property
    def truncated(self) -> bool:
        """Whether the body has ended before its last chunk."""
        return self.stream is not None and not self.stream.complete


@dataclass(frozen=True)
class Answer:
    """How a call is answered, when not as usual; `reset` breaks the connection instead, and `closed` ends it.

    A body in chunks is answered `after` so many bytes, without reading any further, or else when all of it has come.
    """

    status: int = 200
    body: bytes = b'{"errorMessage":"scripted","errorType":"Scripted"}\n'
    headers: Mapping[str, str | None] = field(default_factory=dict)
    reset: bool = False
    closed: bool = False
    after: int | None = None


RESET = Answer(reset=True)
CLOSED = Answer(closed=True)
OK = Answer(202, b'{"status":"OK"}\n')
NOT_FOUND = Answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})


def problem(status: int, kind: str, message: str) -> Answer:
    return Answer(status, json.dumps({"errorMessage": message, "errorType": kind}).encode())
