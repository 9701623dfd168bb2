"""The server's end of a WebSocket connection: uvicorn's, with API Gateway's frame size."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from lambda_web_adapter.local.websocket_api.options import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A connection that ends with the code 1009 after too large a frame or message."""

    def __init__(self, **connection: Any) -> None:
        """Prepare, given what uvicorn passes."""
        super().__init__(**connection)
        self.conn.max_message_size, self.conn.max_fragment_size = MAX_MESSAGE_BYTES, MAX_FRAME_BYTES

    def handle_ping(self) -> None:
        """Answer a ping, and pass it on: a connection with pings is not idle. ASGI has no such message."""
        super().handle_ping()
        ping: Any = {"type": "websocket.ping"}
        self.queue.put_nowait(ping)
