"""What Lambda itself says of an invocation."""

from __future__ import annotations

from pydantic import Field

from lambda_web_adapter.models.base import EventPart


class InvocationError(EventPart):
    """What a failed invocation answers (Lambda Runtime API, "Invocation error").

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
    """

    error_message: str = ""
    error_type: str = ""
    stack_trace: list[str] = Field(default_factory=list)
