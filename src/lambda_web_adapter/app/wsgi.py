"""WSGI apps: a lean blocking server, one thread for each connection (PEP 3333).

Only the adapter talks to it, over a few kept connections, so it has no limits and time-outs of its own. What costs time
in servers made for the open network, an event loop, a thread pool and the hand-overs between them, is left out.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading

from lambda_web_adapter.app.wsgi_connection import WsgiConnection
from lambda_web_adapter.app.wsgi_response import ConnectionLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from wsgiref.types import WSGIApplication

    from lambda_web_adapter.app.control import Control

logger = logging.getLogger(__name__)


def serve(app: WSGIApplication, listener: socket.socket, control: Control) -> int:
    """Serves the app until SIGTERM.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    control.ready()
    while True:
        connection, (host, port, *_) = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        served = WsgiConnection(app, connection, (host, port), control)
        threading.Thread(target=_run, args=(served, connection), name=f"wsgi-{port}", daemon=True).start()


def _run(served: WsgiConnection, connection: socket.socket) -> None:
    with connection:
        try:
            served.run()
        except (ConnectionLost, OSError) as error:
            logger.warning("A connection broke off: %s", error)


def _exit(number: int, frame: FrameType | None) -> None:
    """Ends the process in order, so that `atexit` functions run; connections do not hold it up.

    Further signals are ignored: the terminal, or Lambda, may signal the whole group, and the adapter passes it on.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)
