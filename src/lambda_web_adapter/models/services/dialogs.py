"""AppSync, Bedrock agents with a function schema, Lex and Connect."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.bedrock_agent import BedrockAgent, BedrockParameter
from lambda_web_adapter.models.services.base import JsonObject, PascalPart


class AppSyncInfo(EventPart):
    """The field that is resolved."""

    field_name: str
    parent_type_name: str
    variables: JsonObject = Field(default_factory=dict)
    selection_set_list: list[str] = Field(default_factory=list)
    selection_set_graphql: str = Field(default="", alias="selectionSetGraphQL")


class AppSyncEvent(EventPart):
    """A direct resolver's context.

    https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
    """

    arguments: JsonObject
    identity: JsonObject | None = None
    source: JsonObject | None = None
    request: JsonObject = Field(default_factory=dict)
    prev: JsonObject | None = None
    info: AppSyncInfo
    stash: JsonObject = Field(default_factory=dict)


class BedrockFunctionEvent(EventPart):
    """An event of an agent whose action group is defined by function details.

    https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
    """

    message_version: str = "1.0"
    agent: BedrockAgent = Field(default_factory=BedrockAgent)
    input_text: str = ""
    session_id: str = ""
    action_group: str
    function: str
    parameters: list[BedrockParameter] = Field(default_factory=list)
    session_attributes: dict[str, str] = Field(default_factory=dict)
    prompt_session_attributes: dict[str, str] = Field(default_factory=dict)


class LexEvent(EventPart):
    """A turn of a conversation, Lex V2.

    https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html
    """

    message_version: str = "1.0"
    invocation_source: Literal["DialogCodeHook", "FulfillmentCodeHook"]
    input_mode: str = ""
    input_transcript: str = ""
    session_id: str = ""
    bot: dict[str, str]
    session_state: JsonObject
    interpretations: list[JsonObject] = Field(default_factory=list)
    request_attributes: dict[str, Any] = Field(default_factory=dict)


class ConnectDetails(PascalPart):
    """The contact, and the parameters that the flow's block passes."""

    contact_data: JsonObject
    parameters: dict[str, str] = Field(default_factory=dict)


class ConnectEvent(PascalPart):
    """A block of a contact flow that invokes the function.

    https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html
    """

    name: str
    details: ConnectDetails
