"""The Extensions API of the Runtime API for tests, as far as extensions inside the runtime go."""

from __future__ import annotations

import json
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

INVOKE = "INVOKE"


class ExtensionRefused(Exception):
    """A call to the Extensions API is answered with 403, an error type and a message."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass
class Extension:
    """A registered extension.

    Attributes:
        name: its name.
        events: the events it is told of.
        pending: the documents of events that it has not got yet.
        has_asked: whether it has ever asked for an event.
    """

    name: str
    events: list[str]
    pending: deque[bytes] = field(default_factory=deque)
    has_asked: bool = False


class Extensions:
    """The extensions of one environment. Its init is over only when each of them has asked for its first event."""

    def __init__(self) -> None:
        self._registered: dict[str, Extension] = {}
        self.is_closed = False

    def register(self, name: str, body: bytes) -> tuple[str, bytes]:
        """Register an extension; return its identifier, and the document that it gets.

        Raises:
            ExtensionRefused: Its name or its events are not accepted, or it comes too late.
        """
        if not name:
            raise ExtensionRefused("Extension.InvalidExtensionName", "Empty extension name")
        if self.is_closed:
            raise ExtensionRefused("Extension.RegistrationClosed", "Extension registration closed already")
        try:
            events = json.loads(body).get("events", [])
        except ValueError as error:
            raise ExtensionRefused("InvalidRequestFormat", str(error)) from None
        if any(extension.name == name for extension in self._registered.values()):
            raise ExtensionRefused("Extension.InvalidExtensionState", "Extension with this name already registered")
        for event in events:
            if event != INVOKE:
                raise ExtensionRefused(
                    "Extension.InvalidEventType", f"{event} is not supported for internal extensions"
                )
        identifier = str(uuid.uuid4())
        self._registered[identifier] = Extension(name, events)
        document = {"functionName": "test", "functionVersion": "$LATEST", "handler": ""}
        return identifier, json.dumps(document).encode()

    def find(self, identifier: str) -> Extension:
        """Return the extension that asks for its next event.

        Raises:
            ExtensionRefused: There is none.
        """
        if not identifier:
            raise ExtensionRefused("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            uuid.UUID(identifier)
        except ValueError:
            raise ExtensionRefused(
                "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"
            ) from None
        if identifier not in self._registered:
            raise ExtensionRefused("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        self._registered[identifier].has_asked = True
        return self._registered[identifier]

    @property
    def all_have_asked(self) -> bool:
        """Whether each of them has asked for an event."""
        return all(extension.has_asked for extension in self._registered.values())

    def add_invocation(self, request_id: str, deadline: Any, arn: Any) -> None:
        """Queue the event of an invocation for the extensions that are registered for it."""
        document = {
            "eventType": INVOKE,
            "deadlineMs": int(deadline or 0),
            "requestId": request_id,
            "invokedFunctionArn": arn,
        }
        for extension in self._registered.values():
            if INVOKE in extension.events:
                extension.pending.append(json.dumps(document).encode())
