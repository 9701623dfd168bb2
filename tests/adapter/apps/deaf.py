"""A command that listens and takes no connection: the readiness check's fills its queue. It tells of each start."""

from __future__ import annotations

import os
import signal
import socket

from telling import tell

tell("started")
with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ["PORT"])))
    listener.listen(0)
    signal.pause()
