"""The event and Lambda's context as FastAPI's dependencies.

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


# Asynchronous, since FastAPI calls any other dependency in a thread, which takes longer than all that these do.


async def get_context() -> LambdaContext:
    """Gives the context of the invocation that is being handled; a test may override it.

    Raises:
        NoInvocation: none is being handled.
    """
    return current_context()


async def get_event() -> Any:
    """Gives the event of the invocation that is being handled; a test may override it.

    Raises:
        NoInvocation: none is being handled.
    """
    return current_event()


Context = Annotated[LambdaContext, Depends(get_context)]
Event = Annotated[dict[str, Any], Depends(get_event)]


def event_as(model: type[Model]) -> Callable[[Any], Coroutine[Any, Any, Model]]:
    """Makes a dependency that gives the event with types.

    Args:
        model: a pydantic model, such as those in `lambda_web_adapter.models`.

    Returns:
        What `Depends` takes: `Annotated[PayloadV2Event, Depends(event_as(PayloadV2Event))]`. It raises
        `pydantic.ValidationError`, which FastAPI answers with a 500, if the event is not what the model says.
    """

    async def typed_event(event: Event) -> Model:
        return model.model_validate(event)

    return typed_event


def require_event_source(*sources: str) -> Callable[[Request], Coroutine[Any, Any, str]]:
    """Make a dependency that lets events in, and no client's request, which is answered with a 403.

    Args:
        sources: the sources whose events are taken (`sqs`, `s3`, … of docs/event-sources.md); any if none is named.

    Returns:
        What `Depends` takes, for a route, a router or the app; as a parameter it is the source's name.
    """

    async def event_source(request: Request) -> str:
        source = current_event_source(request.headers)
        if refusal := event_refusal(source, sources):
            raise HTTPException(403, refusal)
        return source

    return event_source
