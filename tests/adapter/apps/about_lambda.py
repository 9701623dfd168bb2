"""Tells what it knows of the invocation: an ASGI and a WSGI app, and what Flask and threads know."""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import lambda_web_adapter as lwa
from lambda_web_adapter import current_context, current_event

ATTRIBUTES = (
    "aws_request_id",
    "function_name",
    "function_version",
    "invoked_function_arn",
    "memory_limit_in_mb",
    "log_group_name",
    "log_stream_name",
    "tenant_id",
    "xray_trace_id",
)


def seen() -> dict[str, Any]:
    """What the functions say here."""
    try:
        context, event = current_context(), current_event()
    except LookupError as error:
        return {"none": type(error).__name__}
    identity, client_context = context.identity, context.client_context
    return {
        "context": {name: getattr(context, name) for name in ATTRIBUTES},
        "identity": [identity.cognito_identity_id, identity.cognito_identity_pool_id],
        "client_context": client_context
        and [client_context.client.app_title, client_context.custom, client_context.env],
        "left": context.get_remaining_time_in_millis(),
        "event": event,
        "same": current_event() is event,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }


def in_thread(target: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(target()))
    thread.start()
    thread.join()
    return found[0]


def told(path: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """What to answer; `own` is what stands in scope or environ."""
    if path.endswith("/afters"):
        return {"afters": afters}
    if path.endswith("/quiet"):
        return {"unread": own["aws.context"]._body is not None}
    if path.endswith("/threads"):
        copied = contextvars.copy_context()
        return {
            "started": in_thread(lambda: seen().get("context", {}).get("aws_request_id")),
            "copied": in_thread(lambda: copied.run(lambda: seen()["context"]["aws_request_id"])),
        }
    context = own["aws.context"]
    event = own.get("aws.event", context.event)
    return {**seen(), "own_event": event, "own_context": context.aws_request_id, "type": type(event).__name__}


before = seen()


@lwa.before_freeze
def last() -> None:
    global after  # it is the app's memory
    after = seen().get("context", {}).get("aws_request_id")
    afters.append(after)


after: str | None = None
afters: list[str | None] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await receive()
    if scope["path"].endswith("/tasks"):
        body = await asyncio.create_task(tasks())
    elif scope["path"].endswith("/wait"):
        first = (await asyncio.to_thread(seen))["context"]["aws_request_id"]
        await asyncio.sleep(0.001)
        body = {"first": first, **told("", scope)}
    else:
        body = {**told(scope["path"], scope), "before": before, "after": after}
    data = json.dumps(body).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": data})


async def tasks() -> dict[str, Any]:
    return {
        "task": seen()["context"]["aws_request_id"],
        "pool": (await asyncio.to_thread(seen))["context"]["aws_request_id"],
    }


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    path = environ["PATH_INFO"]
    first = seen()["context"]["aws_request_id"] if path.endswith("/wait") else None
    body = {"first": first, **told(path, environ), "before": before, "after": after}
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(body).encode()]
