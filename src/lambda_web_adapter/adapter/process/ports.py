"""The port that the app listens on: opened here for our own server, picked for a command."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
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
    try:
        return _listening(host, port)
    except OSError as error:
        raise _taken(host, port, error) from None


def _listening(host: str, port: int) -> socket.socket:
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
    from lambda_web_adapter.adapter.process.listeners import owner_of  # only this needs it

    owner = owner_of(port) if port and error.errno == errno.EADDRINUSE else ""
    by = f": {owner} listens there" if owner else ""
    return SettingsError(
        f"The app cannot listen on {host} port {port} ({error.strerror}{by}). "
        "Set AWS_LWA_PORT to another port, or unset it to have a free one chosen."
    )


class ReservedPort:
    """A port that is kept for a command: for everybody until it starts, and from other adapters as long as it runs.

    Attributes:
        number: the port.
    """

    def __init__(self, host: str, port: int) -> None:
        """Take the port, or a free one for 0.

        Raises:
            OSError: it is taken, by who listens on it or by another adapter's command that is about to.
        """
        self._listener = _listening(host, port)
        self.number = int(self._listener.getsockname()[1])
        self._claim = socket.socket(socket.AF_UNIX)
        try:
            if sys.platform == "linux":  # a name without a file, in the network that the port is in (unix(7))
                self._claim.bind(f"\0lambda-web-adapter/port/{self.number}")
        except OSError:
            self.release()
            raise

    def hand_over(self) -> None:
        """Give up the port so that the command can listen on it."""
        self._listener.close()

    def release(self) -> None:
        """Give up the port, and the claim on it against other adapters."""
        self._listener.close()
        self._claim.close()


def command_port(settings: Settings) -> ReservedPort:
    """Return the port for a command: the configured one, 8080, or a free one where 8080 is taken, or too few.

    Raises:
        SettingsError: it is taken.
    """
    if settings.port:
        return _wait_until_free(settings.host, settings.port)
    if settings.workers == 1:
        with contextlib.suppress(OSError):
            return ReservedPort(settings.host, _COMMAND_PORT)
    try:
        return ReservedPort(settings.host, 0)
    except OSError as error:
        raise SettingsError(f"No port is free on {settings.host} ({error.strerror}).") from None


def _wait_until_free(host: str, port: int) -> ReservedPort:
    """Return the port when it is free: whoever listens there would be taken for the command.

    One that was just killed may need a moment to let go of it.
    """
    deadline = time.monotonic() + _RELEASE_SECONDS
    while True:
        try:
            return ReservedPort(host, port)
        except OSError as error:
            if time.monotonic() > deadline:
                raise _taken(host, port, error) from None
        time.sleep(0.005)
