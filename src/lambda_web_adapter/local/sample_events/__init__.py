"""Sample events of all sources, as AWS documents them.

To add one, write a function that returns it, and a line in its module's `SAMPLES`. All of them are pure: times and ids
come from an `Occasion`. They are written independently of `lambda_web_adapter.events`, so that each checks the other.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lambda_web_adapter.local.sample_events import (
    brokers,
    deployment,
    dialogs,
    eventbridge,
    http,
    identity,
    queues,
    storage,
    streams,
    websocket,
)
from lambda_web_adapter.local.sample_events.base import ANY_REQUEST, Occasion, SampleEvent, SampleRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANY_REQUEST", "SAMPLES", "SHORT_NAMES", "Occasion", "SampleEvent", "SampleRequest"]

_GROUPS = (http, websocket, queues, streams, brokers, storage, eventbridge, identity, deployment, dialogs)
SAMPLES: Mapping[str, SampleEvent] = MappingProxyType(
    {sample.name: sample for group in _GROUPS for sample in group.SAMPLES}
)
# Other names of the most usual one of several.
SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "authorizer": "authorizer-token",
        "cloudformation": "cloudformation-create",
        "cognito": "cognito-pre-sign-up",
        "http-api": "http-api-v2",
        "mq": "activemq",
        "vpc-lattice": "vpc-lattice-v2",
        "websocket": "websocket-message",
    }
)
