"""Serve WSGI apps with a lean blocking server: one thread for each connection (PEP 3333).

Only the adapter connects to it, over a few kept connections, so it needs no limits and no timeouts. Nor does it have
what takes time in servers for the open network: an event loop, a thread pool, and the hand-overs between them.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import threading
from typing import TYPE_CHECKING

from lambda_web_adapter.app.hooks.calls import attempt
from lambda_web_adapter.app.shutdown import ENDING, Ending
from lambda_web_adapter.app.stack_dump import dump_stacks, show_own_stack_on_signal
from lambda_web_adapter.app.wsgi.connection import WsgiConnection
from lambda_web_adapter.app.wsgi.response import ConnectionLost
from lambda_web_adapter.app_api.hooks import hooks_on_shutdown
from lambda_web_adapter.ipc.control_protocol import CANCEL, DUMP_STACKS, parse

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app.invocation_tracking import InvocationTracker

logger = logging.getLogger(__name__)


def serve(app: WSGIApplication, listener: socket.socket, tracker: InvocationTracker) -> int:
    """Serve the app until SIGTERM.

    Returns:
        The exit code.
    """
    signals = _open_signal_pipe()
    # gevent and eventlet replace the default selector by one that lets green threads run, and eventlet removes `poll`.
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(signals, selectors.EVENT_READ)
        if tracker.control.fileno() >= 0:
            selector.register(tracker.control, selectors.EVENT_READ)
        show_own_stack_on_signal()  # before READY: without this handler, the signal would end the process
        tracker.control.ready()
        _accept_connections(app, listener, signals, tracker, selector)
    tracker.control.stopping()
    for hook in hooks_on_shutdown():
        attempt(hook, "on_shutdown")
    return 0


def _accept_connections(
    app: WSGIApplication,
    listener: socket.socket,
    signals: int,
    tracker: InvocationTracker,
    selector: selectors.BaseSelector,
) -> None:
    control = tracker.control
    while True:
        readable = {key.fd for key, _ in selector.select()}
        if signals in readable and not set(ENDING).isdisjoint(os.read(signals, 4096)):
            return
        if control.fileno() in readable and not _handle_messages(control):
            return
        if listener.fileno() not in readable:
            continue  # a signal that the app handles itself
        connection, (host, port, *_) = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wsgi_connection = WsgiConnection(app, connection, (host, port), tracker)
        threading.Thread(target=_run, args=(wsgi_connection, connection), name=f"wsgi-{port}", daemon=True).start()


def _handle_messages(control: AdapterChannel) -> bool:
    """Do what the adapter's messages request; return whether the adapter is still running."""
    messages = control.read_messages()
    for message in messages:
        name, port = parse(message)
        if name == CANCEL:  # a thread cannot be cancelled; its next write finds the connection closed
            control.cancelled(port)
        elif name == DUMP_STACKS:
            dump_stacks(control)
        else:
            from lambda_web_adapter.app.hooks import snapstart  # only with SnapStart

            snapstart.run_hooks(name, control)
    return bool(messages)


def _open_signal_pipe() -> int:
    """Return the file descriptor of a pipe from which the numbers of received signals can be read.

    An exception raised in a signal handler would not end the server if the signal comes just before `accept` blocks, or
    reaches another thread, and it could leave a lock acquired. With the pipe, the process ends between two connections,
    so that `atexit` functions run. Further signals do not interrupt them: the terminal, or Lambda, may signal the whole
    process group, and the adapter passes the signal on as well.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    Ending(lambda: None).take_over()  # only signals with a handler are written to the pipe
    return reader


def _run(wsgi_connection: WsgiConnection, connection: socket.socket) -> None:
    with connection:
        try:
            wsgi_connection.run()
        except (ConnectionLost, OSError) as error:
            logger.warning("A connection broke off: %s", error)
