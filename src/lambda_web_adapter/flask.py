"""The Lambda event and context as proxies, like Flask's own `request` and `g`.

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

# Like Flask's proxies, they are annotated with the type they stand for. Outside of an invocation, `bool` returns False,
# `repr` works, and any other use raises NoInvocation.
lambda_context: LambdaContext = LocalProxy(current_context)  # type: ignore[assignment]
lambda_event: dict[str, Any] = LocalProxy(current_event)  # type: ignore[assignment]


def require_event_source(*sources: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that accepts events only: a client's request gets a 403.

    Put it below the route's decorator, so that the route calls the checked function.

    Args:
        sources: the event sources to accept (`sqs`, `s3`, … of docs/event-sources.md); without any, all of them.
    """

    def for_events_only(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if refusal := event_refusal(current_event_source(request.headers), sources):
                abort(403, refusal)
            return current_app.ensure_sync(view)(*args, **kwargs)

        return checked

    return for_events_only
