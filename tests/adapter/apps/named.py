"""A command that answers with its name, and listens when the test lets it, in the way that its second argument says.

`plain`; `daemon`: in a process that has left its tree and its session; `bare`: that too, without its environment;
`ipv6`: on all addresses, by a socket of IPv6.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name that http.server calls
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Nothing is logged."""


class OnAll(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def leave(how: str, port: str) -> None:
    """Goes on in a process without a parent; the first one stays, as a command has to."""
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        environ = {"PATH": os.environ["PATH"]} if how == "bare" else dict(os.environ)
        os.execve(sys.executable, [sys.executable, __file__, sys.argv[1], "plain", port], environ)  # noqa: S606  # it leaves its tree
    os.wait()
    signal.pause()


name, how, *given = sys.argv[1:]
port = given[0] if given else os.environ["PORT"]
if not given:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request("GET", f"/test/{name}")
    api.getresponse().read()
    api.close()
if how in ("daemon", "bare"):
    leave(how, port)
address, kind = ("::", OnAll) if how == "ipv6" else ("127.0.0.1", ThreadingHTTPServer)
kind((address, int(port)), Handler).serve_forever()
