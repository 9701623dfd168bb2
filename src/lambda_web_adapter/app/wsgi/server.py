"""WSGI apps: a lean blocking server, one thread for each connection (PEP 3333).

Only the adapter talks to it, over a few kept connections, so it has no limits and time-outs of its own. What costs time
in servers made for the open network, an event loop, a thread pool and the hand-overs between them, is left out.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import threading

from lambda_web_adapter.app.hooks.calls import attempt
from lambda_web_adapter.app.shutdown import ENDING, Ending
from lambda_web_adapter.app.stack_dump import dump_stacks, show_own_stack_on_signal
from lambda_web_adapter.app.wsgi.connection import WsgiConnection
from lambda_web_adapter.app.wsgi.response import ConnectionLost
from lambda_web_adapter.app_api.hooks import hooks_on_shutdown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app.invocation_tracking import InvocationTracker

logger = logging.getLogger(__name__)


def serve(app: WSGIApplication, listener: socket.socket, handling: InvocationTracker) -> int:
    """Serves the app until SIGTERM.

    Returns:
        The exit code.
    """
    signals = _open_signal_pipe()
    # Eventlet takes `select.poll` away, and gevent and it have a selector of their own, which lets green threads run.
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(signals, selectors.EVENT_READ)
        if handling.control.fileno() >= 0:
            selector.register(handling.control, selectors.EVENT_READ)
        show_own_stack_on_signal()  # the signal may come at once, and would end a process without this
        handling.control.ready()
        _serve_until_stopped(app, listener, signals, handling, selector)
    handling.control.stopping()
    for hook in hooks_on_shutdown():
        attempt(hook, "on_shutdown")
    return 0


def _serve_until_stopped(
    app: WSGIApplication,
    listener: socket.socket,
    signals: int,
    handling: InvocationTracker,
    selector: selectors.BaseSelector,
) -> None:
    control = handling.control
    while True:
        readable = {key.fd for key, _ in selector.select()}
        if signals in readable and not set(ENDING).isdisjoint(os.read(signals, 4096)):
            return
        if control.fileno() in readable and not _handle_messages(control):
            return
        if listener.fileno() not in readable:
            continue  # a signal that the app handles
        connection, (host, port, *_) = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        served = WsgiConnection(app, connection, (host, port), handling)
        threading.Thread(target=_run, args=(served, connection), name=f"wsgi-{port}", daemon=True).start()


def _handle_messages(control: AdapterChannel) -> bool:
    """Does what the adapter asks for; returns whether there is still an adapter."""
    messages = control.read_messages()
    for message in messages:
        name, _, port = message.partition(" ")
        if name == "cancel":  # no thread can be: its next write finds the connection closed
            control.cancelled(port)
        elif name == "stacks":
            dump_stacks(control)
        else:
            from lambda_web_adapter.app.hooks import snapstart  # only with SnapStart

            snapstart.run_hooks(name, control)
    return bool(messages)


def _open_signal_pipe() -> int:
    """Opens a pipe from which the numbers of the signals that come can be read.

    An exception out of a signal handler would miss a signal that comes just before `accept` blocks, or that another
    thread takes, and could leave any lock taken. This way the process ends between two connections, so that `atexit`
    functions run, and further signals do not cut them short: the terminal, or Lambda, may signal the whole group, and
    the adapter passes it on.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    Ending(lambda: None).take_over()  # because there is a handler, the signal's number is written to the pipe
    return reader


def _run(served: WsgiConnection, connection: socket.socket) -> None:
    with connection:
        try:
            served.run()
        except (ConnectionLost, OSError) as error:
            logger.warning("A connection broke off: %s", error)
