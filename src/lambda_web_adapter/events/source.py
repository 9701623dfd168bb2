"""The interface of event sources, each of which is one class in one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, ClassVar

    from lambda_web_adapter.http.messages import Request, Response
    from lambda_web_adapter.settings import Settings


# The payload limit for a reply, in bytes: 6 MiB and 100 (Lambda quotas, "Invocation payload"; the API's error message).
LAMBDA_PAYLOAD_LIMIT = 6 * 1024 * 1024 + 100


class EventSource(ABC):
    """A source of events: it recognises them, builds their requests, and builds the replies that it takes.

    All methods are pure: they read no clock and no environ, log nothing, and do not change their arguments.

    Attributes:
        name: the source's name in logs and headers.
        is_http: whether its callers get an HTTP status; then an error becomes a response.
        streams: whether it takes a streamed reply, which begins with the `prelude`.
        payload_limit: the payload limit for a reply, in bytes.
        prelude_limit: the limit for the prelude of a streamed reply, in bytes.
        limited_by: what imposes the payload limit, for error messages.
        setting: the setting that switches the source on; empty if it is always on.
    """

    name: ClassVar[str]
    is_http: ClassVar[bool] = True
    streams: ClassVar[bool] = False
    payload_limit: ClassVar[int] = LAMBDA_PAYLOAD_LIMIT
    prelude_limit: ClassVar[int] = LAMBDA_PAYLOAD_LIMIT
    limited_by: ClassVar[str] = "Lambda"
    setting: ClassVar[str] = ""

    @abstractmethod
    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the event is of this source, by fields that no other source's events have."""

    @abstractmethod
    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request for the event.

        Raises:
            InvalidEvent: the event holds something that no HTTP request can carry.
        """

    @abstractmethod
    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply as JSON, with only the keys that the source allows."""
