"""The event and Lambda's context as proxies, as Flask's own `request` and `g` are.

Example:
    ```python
    from lambda_web_adapter.flask import lambda_context, lambda_event, require_event_source

    @app.get("/who")
    def who() -> dict[str, str]:
        caller = lambda_event["requestContext"]["http"]["sourceIp"]
        return {"invocation": lambda_context.aws_request_id, "caller": caller}

    @app.post("/events")
    @require_event_source("sqs")
    def records() -> None: ...
    ```
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from flask import abort, current_app, request
from werkzeug.local import LocalProxy

from lambda_web_adapter.app_api.current_invocation import (
    current_context,
    current_event,
    current_event_source,
    event_refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_web_adapter.app_api.lambda_context import LambdaContext

# They are declared as what they stand for, as Flask does it. Where no invocation is handled, to use one raises
# NoInvocation; only `bool`, which is False, and `repr` do not.
lambda_context: LambdaContext = LocalProxy(current_context)  # type: ignore[assignment]
lambda_event: dict[str, Any] = LocalProxy(current_event)  # type: ignore[assignment]


def require_event_source(*sources: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that lets events in, and no client's request, which is answered with a 403.

    It stands below the route's own: what the route is given is what is called.

    Args:
        sources: the sources whose events are taken (`sqs`, `s3`, … of docs/event-sources.md); any if none is named.
    """

    def for_events_only(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if refusal := event_refusal(current_event_source(request.headers), sources):
                abort(403, refusal)
            return current_app.ensure_sync(view)(*args, **kwargs)

        return checked

    return for_events_only
