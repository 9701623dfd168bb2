"""Typed events and replies (pydantic), for the local run, for tests, and for apps that want types.

The models read what they name and ignore the rest, and take null where AWS sends it. Nothing on Lambda imports this
module: the hot path reads plain JSON.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Base: names in Python's spelling here, in AWS's spelling in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def to_json(self) -> bytes:
        """Writes the model as AWS spells it."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class HttpDescription(Model):
    """`requestContext.http` of payload 2.0."""

    method: str
    path: str
    protocol: str = "HTTP/1.1"
    source_ip: str = ""
    user_agent: str | None = None


class PayloadV2Context(Model):
    """`requestContext` of payload 2.0."""

    account_id: str = ""
    api_id: str = ""
    authorizer: dict[str, Any] | None = None
    domain_name: str = ""
    domain_prefix: str = ""
    http: HttpDescription
    request_id: str = ""
    route_key: str = "$default"
    stage: str = "$default"
    time: str = ""
    time_epoch: int = 0


class PayloadV2Event(Model):
    """An event of a function URL, or of an HTTP API with payload format 2.0.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
    """

    version: str = "2.0"
    route_key: str = "$default"
    raw_path: str = "/"
    raw_query_string: str = ""
    cookies: list[str] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    query_string_parameters: dict[str, str] | None = None
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None
    request_context: PayloadV2Context
    body: str | None = None
    is_base64_encoded: bool = False


def _as_text(value: object) -> object:
    """The gateway writes numbers and booleans in a header map as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


class PayloadV2Reply(Model):
    """A reply to a payload 2.0 event.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
    """

    status_code: Annotated[StrictInt, Field(ge=100, le=599)]
    headers: dict[str, Annotated[str, BeforeValidator(_as_text)]] | None = None
    cookies: list[str] | None = None
    body: str | None = None
    is_base64_encoded: StrictBool = False


class InvocationError(Model):
    """What a failed invocation answers (Lambda Runtime API, "Invocation error")."""

    error_message: str = ""
    error_type: str = ""
    stack_trace: list[str] = Field(default_factory=list)
