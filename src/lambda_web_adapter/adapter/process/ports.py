"""The app's port: a listening socket for the built-in server, a reserved port for an external command."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import time

from lambda_web_adapter.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.settings import Settings

# The Rust adapter's default, and so the most likely port of an external command whose port is fixed.
_COMMAND_PORT = 8080
# The ports of other commands: below those that systems give to clients and to servers that ask for any port
# (Linux: net.ipv4.ip_local_port_range, from 32768 on), so that none takes one while the command starts.
_COMMAND_PORTS = range(10_000, 15_000)
# How many of them are tried. The odds that so many are all taken: 1,600 workers have a third of them.
_PORT_ATTEMPTS = 100
# More than an environment has workers (1,600 on Lambda Managed Instances), which may all connect at the same time.
_BACKLOG = 2048
# How long a listening socket may stay open after its process was killed.
_RELEASE_SECONDS = 0.5


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    It is created with its protocol, since asyncio sets TCP_NODELAY on accepted connections only then. Without
    TCP_NODELAY, each response waits 44 ms for a delayed acknowledgement.

    Raises:
        SettingsError: The port is taken.
    """
    try:
        return open_listener(host, port)
    except OSError as error:
        raise _taken(host, port, error) from None


def open_listener(host: str, port: int) -> socket.socket:
    """Return a listening socket, as `listen` does.

    Raises:
        OSError: The port is taken, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _taken(host: str, port: int, error: OSError) -> SettingsError:
    from lambda_web_adapter.adapter.process.listeners import owner_of  # only this error needs it

    owner = owner_of(port) if port and error.errno == errno.EADDRINUSE else ""
    by = f": {owner} listens there" if owner else ""
    return SettingsError(
        f"The app cannot listen on {host} port {port} ({error.strerror}{by}). "
        "Set AWS_LWA_PORT to another port, or unset it to have a free one chosen."
    )


class ReservedPort:
    """A port for an external command. Nobody else can take it until the command starts, and no adapter while it runs.

    Attributes:
        number: the port.
    """

    def __init__(self, host: str, port: int) -> None:
        """Reserve the port.

        Raises:
            OSError: A process listens on it, or another adapter has reserved it.
        """
        self._listener = open_listener(host, port)
        self.number = port
        self._claim = socket.socket(socket.AF_UNIX)
        try:
            if sys.platform == "linux":  # an abstract name, which belongs to a network namespace like a port (unix(7))
                self._claim.bind(f"\0lambda-web-adapter/port/{self.number}")
        except OSError:
            self.release()
            raise

    def hand_over(self) -> None:
        """Let the external command listen on the port."""
        self._listener.close()

    def release(self) -> None:
        """Free the port for everybody, other adapters included."""
        self._listener.close()
        self._claim.close()


def command_port(settings: Settings) -> ReservedPort:
    """Reserve the port of an external command.

    Returns:
        The configured port; else 8080, or a free one if 8080 is taken or each worker needs its own.

    Raises:
        SettingsError: The configured port is taken, or none is free.
    """
    if settings.port:
        return _wait_until_free(settings.host, settings.port)
    if settings.workers == 1:
        with contextlib.suppress(OSError):
            return ReservedPort(settings.host, _COMMAND_PORT)
    return _any_port(settings.host)


def _any_port(host: str) -> ReservedPort:
    reason = None
    for _ in range(_PORT_ATTEMPTS):
        # By chance, since other adapters look at the same time; `random` would be a module more.
        port = _COMMAND_PORTS[int.from_bytes(os.urandom(4), "big") % len(_COMMAND_PORTS)]
        try:
            return ReservedPort(host, port)
        except OSError as error:
            reason = error.strerror
    raise SettingsError(f"No port is free on {host} ({reason}).")


def _wait_until_free(host: str, port: int) -> ReservedPort:
    """Reserve the port; wait a moment first if a process that was just killed still holds it.

    Any other process that listens there would be taken for the external command.
    """
    deadline = time.monotonic() + _RELEASE_SECONDS
    while True:
        try:
            return ReservedPort(host, port)
        except OSError as error:
            if time.monotonic() > deadline:
                raise _taken(host, port, error) from None
        time.sleep(0.005)
