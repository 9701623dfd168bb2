"""The Lambda event and context as FastAPI dependencies.

Example:
    ```python
    from lambda_web_adapter.fastapi import Context, Event, require_event_source

    @app.get("/who")
    def who(context: Context, event: Event) -> dict[str, str]:
        return {"invocation": context.aws_request_id, "caller": event["requestContext"]["http"]["sourceIp"]}

    @app.post("/events", dependencies=[Depends(require_event_source("sqs"))])
    def records(event: Event) -> None: ...
    ```
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel

from lambda_web_adapter.app_api.current_invocation import (
    current_context,
    current_event,
    current_event_source,
    event_refusal,
)
from lambda_web_adapter.app_api.lambda_context import LambdaContext

Model = TypeVar("Model", bound=BaseModel)


# The dependencies are async: FastAPI would call others in a thread, which takes longer than they do.


async def get_context() -> LambdaContext:
    """Return the context of the current invocation; tests may override this dependency.

    Raises:
        NoInvocation: no invocation is in progress.
    """
    return current_context()


async def get_event() -> Any:
    """Return the event of the current invocation; tests may override this dependency.

    Raises:
        NoInvocation: no invocation is in progress.
    """
    return current_event()


Context = Annotated[LambdaContext, Depends(get_context)]
Event = Annotated[dict[str, Any], Depends(get_event)]


def event_as(model: type[Model]) -> Callable[[Any], Coroutine[Any, Any, Model]]:
    """Return a dependency that validates the event and returns it as a pydantic model.

    Args:
        model: a pydantic model, such as those in `lambda_web_adapter.models`.

    Returns:
        A function for `Depends`: `Annotated[PayloadV2Event, Depends(event_as(PayloadV2Event))]`. It raises
        `pydantic.ValidationError`, which FastAPI turns into a 500, if the event does not match the model.
    """

    async def typed_event(event: Event) -> Model:
        return model.model_validate(event)

    return typed_event


def require_event_source(*sources: str) -> Callable[[Request], Coroutine[Any, Any, str]]:
    """Return a dependency that accepts events only: a client's request gets a 403.

    Args:
        sources: the event sources to accept (`sqs`, `s3`, … of docs/event-sources.md); without any, all of them.

    Returns:
        A function for `Depends`, for a route, a router or the app; as a parameter, its value is the source's name.
    """

    async def event_source(request: Request) -> str:
        source = current_event_source(request.headers)
        if refusal := event_refusal(source, sources):
            raise HTTPException(403, refusal)
        return source

    return event_source
