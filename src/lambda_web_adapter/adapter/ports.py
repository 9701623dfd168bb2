"""The port that the app listens on: opened here for our own server, picked for a command."""

from __future__ import annotations

import socket
import time

from lambda_web_adapter.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.settings import Settings

# What the Rust adapter expects when nothing is set; a command that hard-codes a port most likely hard-codes this one.
_COMMAND_PORT = 8080
# As many as there can be slots (Lambda Managed Instances: 1,600 of an environment), since they connect at once.
_BACKLOG = 2048
# Between the end of a server and the end of its listening socket.
_RELEASE_SECONDS = 0.5


def listen(host: str, port: int) -> socket.socket:
    """Opens the listening socket.

    The protocol is named, since asyncio sets TCP_NODELAY on accepted connections only where the listening socket says
    that it is TCP; without, each reply waits 44 ms for a delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"The app cannot listen on {host} port {port} ({error.strerror}). "
            "Set AWS_LWA_PORT to another port, or unset it to have a free one chosen."
        ) from None
    listener.listen(_BACKLOG)
    return listener


def command_port(settings: Settings) -> int:
    """Picks the port for a command: the configured one, 8080, or a free one where 8080 is taken, or too few."""
    if settings.port:
        _await_free(settings.host, settings.port)
        return settings.port
    for port in (_COMMAND_PORT, 0) if settings.workers == 1 else (0,):
        try:
            probe = listen(settings.host, port)
        except SettingsError:
            continue
        with probe:
            return int(probe.getsockname()[1])
    raise SettingsError(f"No port is free on {settings.host}.")


def _await_free(host: str, port: int) -> None:
    """Checks that the port is free: whoever listens there would be taken for the command.

    One that was just killed may need a moment to let go of it.

    Raises:
        SettingsError: the port is taken.
    """
    until = time.monotonic() + _RELEASE_SECONDS
    while True:
        try:
            return listen(host, port).close()
        except SettingsError:
            if time.monotonic() > until:
                raise
        time.sleep(0.005)
