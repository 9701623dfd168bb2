"""Lambda's Runtime API and Extensions API for tests of a runtime, in any language."""

from lambda_web_adapter.testing.runtime_api.api import RuntimeApi
from lambda_web_adapter.testing.runtime_api.calls import CLOSED, OK, RESET, Answer, Call, Reply
from lambda_web_adapter.testing.runtime_api.events import EventOptions
from lambda_web_adapter.testing.runtime_api.reading import Chunk, Reading
from lambda_web_adapter.testing.runtime_api.streams import ReplyStream
from lambda_web_adapter.testing.runtime_api.wait_failed import WaitFailed

__all__ = [
    "CLOSED",
    "OK",
    "RESET",
    "Answer",
    "Call",
    "Chunk",
    "EventOptions",
    "Reading",
    "Reply",
    "ReplyStream",
    "RuntimeApi",
    "WaitFailed",
]
