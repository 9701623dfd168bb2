"""The Extensions API of the fake Runtime API, as far as extensions inside the runtime go."""

from __future__ import annotations

import json
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

INVOKE = "INVOKE"


class Refused(Exception):
    """A call is answered with 403, an error type and a message."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass
class Extension:
    """One that is registered; `asked` says whether it has ever asked for an event."""

    name: str
    events: list[str]
    pending: deque[bytes] = field(default_factory=deque)
    asked: bool = False


class Extensions:
    """Those of one environment. Init is over only when each of them has asked for its first event."""

    def __init__(self) -> None:
        self._registered: dict[str, Extension] = {}
        self.closed = False

    def register(self, name: str, body: bytes) -> tuple[str, bytes]:
        """Registers one; returns its identifier, and the document that it gets.

        Raises:
            Refused: that cannot be.
        """
        if not name:
            raise Refused("Extension.InvalidExtensionName", "Empty extension name")
        if self.closed:
            raise Refused("Extension.RegistrationClosed", "Extension registration closed already")
        try:
            events = json.loads(body).get("events", [])
        except ValueError as error:
            raise Refused("InvalidRequestFormat", str(error)) from None
        if any(extension.name == name for extension in self._registered.values()):
            raise Refused("Extension.InvalidExtensionState", "Extension with this name already registered")
        for event in events:
            if event != INVOKE:
                raise Refused("Extension.InvalidEventType", f"{event} is not supported for internal extensions")
        identifier = str(uuid.uuid4())
        self._registered[identifier] = Extension(name, events)
        document = {"functionName": "test", "functionVersion": "$LATEST", "handler": ""}
        return identifier, json.dumps(document).encode()

    def asking(self, identifier: str) -> Extension:
        """Finds the one that asks for its next event.

        Raises:
            Refused: there is none.
        """
        if not identifier:
            raise Refused("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            uuid.UUID(identifier)
        except ValueError:
            raise Refused("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier") from None
        if identifier not in self._registered:
            raise Refused("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        self._registered[identifier].asked = True
        return self._registered[identifier]

    @property
    def all_wait(self) -> bool:
        return all(extension.asked for extension in self._registered.values())

    def invoked(self, request_id: str, deadline: Any, arn: Any) -> None:
        """Tells those that want to know that an event is handed out."""
        document = {
            "eventType": INVOKE,
            "deadlineMs": int(deadline or 0),
            "requestId": request_id,
            "invokedFunctionArn": arn,
        }
        for extension in self._registered.values():
            if INVOKE in extension.events:
                extension.pending.append(json.dumps(document).encode())
