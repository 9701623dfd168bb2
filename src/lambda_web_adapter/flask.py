"""The event and Lambda's context as proxies, as Flask's own `request` and `g` are.

Example:
    ```python
    from lambda_web_adapter.flask import lambda_context, lambda_event

    @app.get("/who")
    def who() -> dict[str, str]:
        caller = lambda_event["requestContext"]["http"]["sourceIp"]
        return {"invocation": lambda_context.aws_request_id, "caller": caller}
    ```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.local import LocalProxy

from lambda_web_adapter.context import current_context, current_event

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.lambda_context import LambdaContext

# They are declared as what they stand for, as Flask does it. Where no invocation is handled, to use one raises
# NoInvocation; only `bool`, which is False, and `repr` do not.
lambda_context: LambdaContext = LocalProxy(current_context)  # type: ignore[assignment]
lambda_event: dict[str, Any] = LocalProxy(current_event)  # type: ignore[assignment]
