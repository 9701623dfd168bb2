"""A note, and the pages of the documentation that notes point to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Step = Literal["event", "request", "response", "reply"]
Kind = Literal["added", "dropped", "changed", "recoded", "lost"]

# Pages below `docs/`, with the section.
HEADER_RULES = "event-sources.md#event-sources"
STAGES = "event-sources.md#stages-and-base-paths"
REPLY_RULES = "event-sources.md#replies"
NO_REQUESTS = "event-sources.md#events-that-are-not-http"
WEBSOCKETS = "event-sources.md#websocket-apis"
AGENTS = "event-sources.md#bedrock-agents"
LOSSES = "gateways.md#how-each-gateway-makes-an-event"
REPLY_READING = "gateways.md#how-each-gateway-reads-a-reply"
BINARY_TYPES = "gateways.md#binary-bodies-of-a-rest-api"
CUSTOM_DOMAINS = "gateways.md#a-custom-domain"
CORS = "gateways.md#cors-of-a-function-url"
CALLERS = "gateways.md#who-calls"
SCHEMES = "gateways.md#https"
TRACE_IDS = "gateways.md#trace-ids"
COMPRESSION = "streaming.md#compression"
CONTEXT_HEADERS = "context.md#in-any-language-headers"
SETTINGS = "settings.md#settings"
ERRORS = "lifecycle.md#what-lambda-gets-of-an-error"


class Note(BaseModel):
    """One difference between a message and the one before it, and why it is there."""

    step: Step = Field(
        description="Where the difference arrives: in the event, in the app's request, in the reply, or in the "
        "`response` that the client gets."
    )
    kind: Kind = Field(description="`recoded` loses nothing; `lost` cannot be undone.")
    name: str = Field(
        description="A header in lower case, or `method`, `path`, `query`, `body`, `status`, `headers` (all of them)."
    )
    text: str = Field(description="One sentence about what happened, and why.")
    before: str = Field(default="", description="What there was, each value on a line of its own.")
    after: str = Field(default="", description="What there is, each value on a line of its own.")
    help: str = Field(default="", description="The page and section of the documentation, such as `gateways.md#https`.")
