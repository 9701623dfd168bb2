"""One request sent to two servers, and what has to be the same in their replies."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

# Headers of the server, or of the connection to it, and not of the app.
NOT_OF_THE_APP = frozenset(
    {
        "connection",  # each hop has its own
        "date",  # the time at which the server began its reply
        "keep-alive",  # each hop has its own
        "server",  # the name of the server
        "transfer-encoding",  # each hop has its own; the body is compared without its chunks
    }
)

# The session of a visitor, and then the second in which it was signed, and the signature.
SIGNED_SESSION = re.compile(r"^(session=\.?[\w-]+)\.[\w-]+\.[\w-]+;")


@dataclass(frozen=True)
class Ask:
    """A request, as the arguments that httpx makes it of."""

    method: str
    path: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def ask(method: str, path: str, **arguments: Any) -> Ask:
    return Ask(method, path, arguments)


def send(client: httpx.Client, asked: Ask) -> httpx.Response:
    return client.request(asked.method, asked.path, **asked.arguments)


def comparable(response: httpx.Response, *, with_length: bool) -> Reply:
    """What must not depend on the server; headers of one name keep their order.

    A body that the app streams has no length until something on the way has collected it: `with_length` is false for
    these.
    """
    left_out = NOT_OF_THE_APP if with_length else NOT_OF_THE_APP | {"content-length"}
    headers = [
        (name.lower(), SIGNED_SESSION.sub(r"\1.<second>.<signature>;", value))
        for name, value in response.headers.multi_items()
        if name.lower() not in left_out
    ]
    return Reply(response.status_code, sorted(headers, key=lambda header: header[0]), response.content)
