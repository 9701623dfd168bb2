"""Bedrock agents, action groups with an OpenAPI schema."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from lambda_web_adapter.models.base import EventPart, Reply, Status


class BedrockAgent(EventPart):
    """The agent that invokes the function."""

    name: str = ""
    id: str = ""
    alias: str = ""
    version: str = ""


class BedrockParameter(EventPart):
    """A parameter, or a property of the body; the value is a string, whatever the type."""

    name: str
    type: str = "string"
    value: str = ""


class BedrockContent(EventPart):
    """The body's properties for one media type."""

    properties: list[BedrockParameter] = Field(default_factory=list)


class BedrockRequestBody(EventPart):
    """The body, by media type."""

    content: dict[str, BedrockContent] = Field(default_factory=dict)


class BedrockAgentEvent(EventPart):
    """An event of an agent whose action group has an OpenAPI schema.

    https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
    """

    message_version: str = "1.0"
    agent: BedrockAgent = Field(default_factory=BedrockAgent)
    input_text: str = ""
    session_id: str = ""
    action_group: str
    api_path: str
    http_method: str
    parameters: list[BedrockParameter] = Field(default_factory=list)
    request_body: BedrockRequestBody | None = None
    session_attributes: dict[str, str] = Field(default_factory=dict)
    prompt_session_attributes: dict[str, str] = Field(default_factory=dict)


class BedrockResponseBody(Reply):
    """The response's body for one media type, as a string, which is JSON for `application/json`."""

    body: str


class BedrockAgentResponse(Reply):
    """`response` of a reply; action group, path and method are the event's."""

    action_group: str
    api_path: str
    http_method: str
    http_status_code: Status
    response_body: dict[str, BedrockResponseBody]


class BedrockAgentReply(Reply):
    """A reply to an agent whose action group has an OpenAPI schema.

    https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
    """

    message_version: str = "1.0"
    response: BedrockAgentResponse
    session_attributes: dict[str, str] | None = None
    prompt_session_attributes: dict[str, str] | None = None
    knowledge_bases_configuration: list[dict[str, Any]] | None = None
