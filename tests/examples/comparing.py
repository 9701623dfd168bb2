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
        "x-amzn-remapped-date",  # what a REST API makes of it
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


def comparable(response: httpx.Response, alone: httpx.Response) -> Reply:
    """What must not depend on the server; headers of one name keep their order.

    Args:
        response: the reply to look at.
        alone: the reply of the app alone to the same request.
    """
    headers = [
        (name.lower(), SIGNED_SESSION.sub(r"\1.<second>.<signature>;", value))
        for name, value in response.headers.multi_items()
        if name.lower() not in NOT_OF_THE_APP and not is_added_on_the_way(name.lower(), value, alone)
    ]
    return Reply(response.status_code, sorted(headers, key=lambda header: header[0]), response.content)


def is_added_on_the_way(name: str, value: str, alone: httpx.Response) -> bool:
    """A body that the app streams has a length once it is collected; a function URL calls JSON what has no type."""
    if name in alone.headers:
        return False
    return name == "content-length" or (name, value) == ("content-type", "application/json")
