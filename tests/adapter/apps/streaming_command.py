"""A command that sends its responses part by part, in chunks."""

from __future__ import annotations

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streaming import head, parts
from telling import tell


class Handler(BaseHTTPRequestHandler):
    """Sends its heads at once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name that http.server calls
        path, _, query = self.path.partition("?")
        status, headers = head(path, query)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or status in (204, 304)
        if not bodiless:
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        if path.startswith("/late/"):
            tell("head")
        for part in parts(path):
            if not bodiless:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if not bodiless:
            self.wfile.write(b"0\r\n\r\n")

    do_HEAD = do_POST = do_GET  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Nothing is logged."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
