"""The app process as the adapter starts it: a listening socket, a control channel, and a real process that serves."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from app.client import SECONDS, Client

from lambda_web_adapter.adapter.process.ports import listen

APPS = Path(__file__).parent / "apps"
NOTHING: Mapping[str, str] = MappingProxyType({})

# What cli.py does in the forked process.
_CHILD = """
import os, socket, sys
from lambda_web_adapter.app.server import serve
from lambda_web_adapter.settings import Settings

sys.exit(serve(Settings.from_environ(os.environ), *(socket.socket(fileno=int(number)) for number in sys.argv[1:])))
"""
# A warning is an error there too; but the sockets are left for the kernel to close, as they are in the adapter's fork.
_WARNINGS = ("-W", "error", "-W", "ignore:unclosed:ResourceWarning")


class Served:
    """A running app process, seen from where the adapter stands."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, channel: socket.socket, output: IO[bytes]) -> None:
        self.process = process
        self._port = port
        self._channel = channel
        self._received = b""
        self._output = output

    def connect(self) -> Client:
        client = Client(self._port)
        self._forget(client.name)
        return client

    def line(self) -> str:
        """The next line of the control channel; empty when the channel has closed."""
        while b"\n" not in self._received:
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                raise AssertionError(f"nothing came on the channel; the app printed:\n{self.output()}") from None
            except ConnectionResetError:
                data = b""
            if not data:
                return ""
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def ask(self, line: str) -> None:
        """Asks for something, as the adapter does."""
        self._channel.sendall(f"{line}\n".encode())

    def word(self, name: str) -> str:
        """What the next line says that is about the connection of this name."""
        return self.next_word(name)[0]

    def next_word(self, *names: str) -> tuple[str, str]:
        """The next line that is about a connection of one of these names: its word, and which name."""
        while line := self.line():
            word, _, name = line.partition(" ")
            if name in names:
                return word, name
        raise AssertionError(f"the control channel has closed; the app printed:\n{self.output()}")

    def _forget(self, name: str) -> None:
        """Drop what was said about an earlier connection of the same name, and never read."""
        self._channel.settimeout(0)
        with suppress(BlockingIOError, ConnectionResetError):
            while data := self._channel.recv(65536):
                self._received += data
        self._channel.settimeout(SECONDS)
        about_it = f" {name}\n".encode()
        lines = self._received.splitlines(keepends=True)
        self._received = b"".join(line for line in lines if not line.endswith(about_it))

    def failure(self) -> dict[str, Any]:
        """What the next line says of a failed start."""
        word, _, report = self.line().partition(" ")
        assert word == "failed", f"{word} {report}\n{self.output()}"
        found = json.loads(report)
        assert isinstance(found, dict)
        return found

    def output(self) -> str:
        """Everything the process has printed so far, on both streams."""
        return os.pread(self._output.fileno(), 1 << 24, 0).decode("utf-8", "replace")

    def printed(self) -> int:
        """How many bytes the process has printed so far."""
        return os.fstat(self._output.fileno()).st_size

    def end(self) -> int:
        """The exit code, when the process ends by itself."""
        return self.process.wait(SECONDS)

    def stop(self) -> int:
        """Ask the process to end, as Lambda does; the exit code."""
        self.process.terminate()
        return self.end()


@contextmanager
def starting(
    app: str, settings: Mapping[str, str] = NOTHING, *, folder: Path = APPS, channel: bool = True
) -> Iterator[Served]:
    """Start the process, and see that it is gone at the end; whether it gets ready is the caller's business.

    Args:
        app: what to serve, as in AWS_LWA_APP.
        settings: further variables.
        folder: the process's working directory, where the app is looked for.
        channel: whether the process gets a control channel.
    """
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    with (
        listen("127.0.0.1", 0) as listener,
        theirs,
        tempfile.TemporaryFile() as output,
    ):
        descriptors = [listener.fileno(), *([theirs.fileno()] if channel else [])]
        process = subprocess.Popen(
            [sys.executable, *_WARNINGS, "-c", _CHILD, *map(str, descriptors)],
            pass_fds=descriptors,
            cwd=folder,
            env={**_plain_environment(), "AWS_LWA_APP": app, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        theirs.close()
        served = Served(process, listener.getsockname()[1], ours, output)
        listener.close()
        try:
            yield served
        finally:
            ours.close()
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(SECONDS)
            finally:
                process.kill()
                process.wait()


@contextmanager
def serving(app: str, settings: Mapping[str, str] = NOTHING, *, folder: Path = APPS) -> Iterator[Served]:
    """Start the process and wait until it says that it is ready."""
    with starting(app, settings, folder=folder) as served:
        line = served.line()
        assert line == "ready", f"{line}\n{served.output()}"
        yield served


def _plain_environment() -> dict[str, str]:
    """This environment without what steers the adapter or a framework."""
    steering = (
        "AWS_",
        "LAMBDA_",
        "PORT",
        "READINESS_CHECK_",
        "REMOVE_BASE_PATH",
        "SCRIPT_NAME",
        "UVICORN_",
        "_HANDLER",
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**plain, "PYTHONUNBUFFERED": "1"}
