"""Typed events and replies (pydantic), for the local run, for tests, and for apps that want types.

Events are parsed as AWS sends them: unknown keys are ignored, and null is the same as a missing key. Replies are
validated as strictly as the service that gets them does it. The adapter does not import this package on Lambda, since
that would add 100 ms to each cold start.
"""

from lambda_web_adapter.models.base import ClientCertificate, ClientCertificateValidity, Model
from lambda_web_adapter.models.bedrock_agent import (
    BedrockAgent,
    BedrockAgentEvent,
    BedrockAgentReply,
    BedrockAgentResponse,
    BedrockContent,
    BedrockParameter,
    BedrockRequestBody,
    BedrockResponseBody,
)
from lambda_web_adapter.models.invocation import InvocationError
from lambda_web_adapter.models.lattice import (
    LatticeContext,
    LatticeIdentity,
    LatticeReply,
    LatticeV1Event,
    LatticeV2Event,
)
from lambda_web_adapter.models.load_balancer import AlbContext, AlbEvent, AlbReply, AlbTarget
from lambda_web_adapter.models.payload_v1 import (
    HttpApiV1Event,
    HttpApiV1Reply,
    PayloadV1Context,
    PayloadV1Event,
    PayloadV1Identity,
    PayloadV1Reply,
    RestApiEvent,
    RestApiReply,
)
from lambda_web_adapter.models.payload_v2 import (
    HttpDescription,
    PayloadV2Authentication,
    PayloadV2Context,
    PayloadV2Event,
    PayloadV2Reply,
)
from lambda_web_adapter.models.prelude import FunctionUrlPrelude, RestApiPrelude
from lambda_web_adapter.models.websocket import WebSocketContext, WebSocketEvent, WebSocketReply

__all__ = [
    "AlbContext",
    "AlbEvent",
    "AlbReply",
    "AlbTarget",
    "BedrockAgent",
    "BedrockAgentEvent",
    "BedrockAgentReply",
    "BedrockAgentResponse",
    "BedrockContent",
    "BedrockParameter",
    "BedrockRequestBody",
    "BedrockResponseBody",
    "ClientCertificate",
    "ClientCertificateValidity",
    "FunctionUrlPrelude",
    "HttpApiV1Event",
    "HttpApiV1Reply",
    "HttpDescription",
    "InvocationError",
    "LatticeContext",
    "LatticeIdentity",
    "LatticeReply",
    "LatticeV1Event",
    "LatticeV2Event",
    "Model",
    "PayloadV1Context",
    "PayloadV1Event",
    "PayloadV1Identity",
    "PayloadV1Reply",
    "PayloadV2Authentication",
    "PayloadV2Context",
    "PayloadV2Event",
    "PayloadV2Reply",
    "RestApiEvent",
    "RestApiPrelude",
    "RestApiReply",
    "WebSocketContext",
    "WebSocketEvent",
    "WebSocketReply",
]
