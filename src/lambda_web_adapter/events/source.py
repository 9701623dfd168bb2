"""What an event source is: four questions, answered by one class in one file."""

from __future__ import annotations

from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from lambda_web_adapter.http.messages import Request, Response
    from lambda_web_adapter.settings import Settings


# Bytes of a reply that Lambda takes: 6 MiB and 100 (Lambda quotas, "Invocation payload"; the API's own message).
LAMBDA_PAYLOAD_LIMIT = 6 * 1024 * 1024 + 100


class EventSource(ABC):
    """One kind of event: recognise it, make the request it means, make the reply it takes.

    All methods are pure: they read no clock and no environment, log nothing, and leave their arguments as they are.

    Attributes:
        name: what the source is called in logs and headers.
        is_http: whether its callers take an HTTP status, so that a failure can be answered with one.
        streams: whether its callers take a response part by part, behind the `prelude`.
        payload_limit: the most bytes of a reply that are taken, and `limited_by`, by whom.
        prelude_limit: the most bytes that may stand in front of a streamed body.
        setting: the setting that switches the source on; empty for one that is always on.
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
        """Says whether the event is of this source, by positive marks that no other source's events carry."""

    @abstractmethod
    def build_request(self, event: Any, settings: Settings) -> Request:
        """Makes the request that the event means.

        Raises:
            InvalidEvent: the event holds something that no HTTP request can carry.
        """

    @abstractmethod
    def build_reply(self, response: Response, event: Any) -> bytes:
        """Makes the reply, as JSON, holding only the keys that the source allows."""
