"""What sample events have in common: where ids and times come from, and names that are made up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# Made up, like the ids in AWS's own examples.
ACCOUNT = "123456789012"
REGION = "us-east-1"
FUNCTION = "local"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
# From the range for documentation (RFC 5737).
CLIENT_ADDRESS = "203.0.113.7"
USER = "jane@example.com"


# Parts of a request that some events can be given.
ANY_REQUEST = frozenset({"method", "path", "query", "header", "body"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """The request that an event is about.

    Attributes:
        method: the method.
        path: the path, percent-encoded.
        query: the query, percent-encoded, without the question mark.
        headers: name and value in order, besides `host` and the like, which they replace.
        body: the body's bytes.
    """

    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When an event is sent, what it is about, and what its ids come from.

    Attributes:
        time_ms: the time, in milliseconds since the epoch.
        random: the ids.
        count: the number of records, of messages or the like.
        request: the request, for events that are about one.
    """

    time_ms: int
    random: Random
    count: int = 1
    request: SampleRequest = field(default_factory=SampleRequest)

    def uuid(self) -> str:
        """Return a new id in the form of a random UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        """Return a new id of hexadecimal digits."""
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def decimal(self, digits: int) -> str:
        """Return a new id of decimal digits, which does not begin with a zero."""
        return str(self.random.randrange(10 ** (digits - 1), 10**digits))

    def iso(self, timespec: str = "milliseconds") -> str:
        """Return the time as ISO 8601 has it, in UTC."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.time_ms)
        return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEvent:
    """An event that can be made up.

    Attributes:
        name: its name on the command line.
        title: a line about it.
        build: returns the event.
        source: the source or service that the adapter takes it for.
        repeats: whether it holds as many records as one wants.
        parts: the parts of a request that it can be given.
    """

    name: str
    title: str
    build: Callable[[Occasion], Any]
    source: str
    repeats: bool = False
    parts: frozenset[str] = frozenset()


def arn(service: str, resource: str) -> str:
    """Return a resource's ARN in the account and region of all samples."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
