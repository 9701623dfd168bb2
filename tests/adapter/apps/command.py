"""A command: an HTTP server of the standard library on PORT, which replies with what it has seen.

UNHEALTHY lists the statuses of its first responses; `garbage` is no response at all. It makes itself heard by a call of
/test/listen of the Runtime API for tests, which can hold it there.
"""

from __future__ import annotations

import http.client
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

# Before anything is opened here.
descriptors = [int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]
unhealthy = os.environ.get("UNHEALTHY", "").split()
requests: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        requests.append(self.path)
        status = unhealthy.pop(0) if unhealthy else "200"
        if status == "garbage":
            self.wfile.write(b"garbage\r\n\r\n")
            self.close_connection = True
            return
        seen = {
            "requests": requests,
            "PORT": os.environ["PORT"],
            "AWS_LWA_PORT": os.environ["AWS_LWA_PORT"],
            "listening": self.server.server_port,
            "IGNORED": os.environ.get("IGNORED", ""),
            "descriptors": descriptors,
            "headers": self.headers.items(),
        }
        body = json.dumps(seen).encode()
        self.send_response(int(status))
        if status == "101":
            self.send_header("Connection", "upgrade")
            self.send_header("Upgrade", "x")
            self.close_connection = True
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Nothing is logged."""

    server: HTTPServer


if __name__ == "__main__":
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request("GET", "/test/listen")
    connection.getresponse().read()
    connection.close()
    HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
