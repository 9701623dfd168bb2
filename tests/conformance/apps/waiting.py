"""A command that serves nothing: it says that it runs, so that somebody else may listen on its port."""

import os
import signal
import socket

host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
with socket.create_connection((host, int(port))) as connection:
    connection.sendall(b"GET /test/waits HTTP/1.1\r\nhost: localhost\r\n\r\n")
    signal.pause()
