"""A command that leaves bodies unread, as many servers do under GET, and where they refuse a request.

What stands in such a body is its next request. It answers that when more has come, as a slow route would.
"""

from __future__ import annotations

import http.server
import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Callable[[], None]:
        """All methods are handled alike."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self) -> None:
        if self.path == "/events":
            select.select([self.connection], [], [])  # the next request, or the connection's end
        status = int(self.path.removeprefix("/status/")) if self.path.startswith("/status/") else 200
        content = f"{self.command} {self.path}".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        server.serve_forever()
