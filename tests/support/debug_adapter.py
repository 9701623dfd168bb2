"""What an editor does to debug: a client of debugpy's Debug Adapter Protocol, with a session for each process.

https://microsoft.github.io/debug-adapter-protocol/specification
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from contextlib import suppress
from threading import Condition, Thread
from typing import IO, TYPE_CHECKING, Any, cast

from support.processes import runs, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

SECONDS = 30.0


class Session:
    """One connection: to the program that was started, or to a process that it has started."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes], on_event: Callable[[Session, Any], None]) -> None:
        self._reader, self._writer, self._on_event = reader, writer, on_event
        self._sent = 0
        self._responses: dict[int, dict[str, Any]] = {}
        self._ended = False
        self._changed = Condition()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close a connection whose other end has gone, or is shut down."""
        self._thread.join(SECONDS)
        for stream in (self._reader, self._writer):
            with suppress(OSError):  # what was not sent is of no use any more
                stream.close()

    def _read(self) -> None:
        with suppress(OSError, ValueError):  # the connection was closed
            while header := self._reader.readline():
                self._reader.readline()
                message = json.loads(self._reader.read(int(header.partition(b":")[2])))
                if message["type"] == "event":
                    self._on_event(self, message)
                elif message["type"] == "response":
                    with self._changed:
                        self._responses[message["request_seq"]] = message
                        self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request, and return its number; some are responded to only after later ones."""
        with self._changed:
            self._sent += 1
            message = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
            data = json.dumps(message).encode()
            self._writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
            self._writer.flush()
            return self._sent

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, and return the body of its response."""
        number = self.send(command, **arguments)
        with self._changed:
            self._changed.wait_for(lambda: number in self._responses or self._ended, SECONDS)
            response = self._responses.get(number)
        assert response, f"{command} has no response"
        assert response["success"], response
        return cast("dict[str, Any]", response.get("body", {}))


class Stop:
    """A thread that has stopped at a breakpoint."""

    def __init__(self, session: Session, thread: int) -> None:
        self._session, self._thread = session, thread
        self.frame = session.request("stackTrace", threadId=thread)["stackFrames"][0]

    @property
    def place(self) -> tuple[str, int]:
        """The function and the line."""
        return self.frame["name"], self.frame["line"]

    def evaluate(self, expression: str) -> str:
        result: str = self._session.request("evaluate", expression=expression, frameId=self.frame["id"])["result"]
        return result

    def go_on(self) -> None:
        self._session.request("continue", threadId=self._thread)


class Editor:
    """An editor with one breakpoint, which it sets in every process, as VS Code does."""

    def __init__(self, file: Path, line: int) -> None:
        self._file, self._line = file, line
        self._changed = Condition()
        self._stopped: list[tuple[Session, int]] = []
        self._sockets: list[socket.socket] = []
        self._sessions: list[Session] = []
        self._pids: set[int] = set()
        self._adapter: subprocess.Popen[bytes] | None = None
        self.output = ""

    def launch(self, configuration: Mapping[str, Any]) -> None:
        """Start a program as a configuration of launch.json with `"request": "launch"` has it."""
        self._adapter = subprocess.Popen(
            [sys.executable, "-m", "debugpy.adapter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._adapter.stdin
        assert self._adapter.stdout
        self._open("launch", self._adapter.stdout, self._adapter.stdin, configuration)

    def attach(self, host: str, port: int, configuration: Mapping[str, Any]) -> None:
        """Attach to a program that listens for an editor, or to a process that it has started."""
        wait_until(lambda: self._connect(host, port), "debugpy listens", SECONDS)
        connection = self._sockets[-1]
        self._open("attach", connection.makefile("rb"), connection.makefile("wb"), configuration)

    def _connect(self, host: str, port: int) -> bool:
        """Try to connect; a connection that is closed again would end debugpy's server."""
        try:
            connection = socket.create_connection((host, port), SECONDS)
        except ConnectionRefusedError:
            return False
        connection.settimeout(None)
        self._sockets.append(connection)
        return True

    def _open(self, how: str, reader: IO[bytes], writer: IO[bytes], configuration: Mapping[str, Any]) -> None:
        session = Session(reader, writer, self._on_event)
        self._sessions.append(session)
        session.request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        session.send(how, **configuration)

    def _on_event(self, session: Session, message: Any) -> None:
        """Do in a thread what needs responses, which the caller reads."""
        body = message.get("body", {})
        if message["event"] == "initialized":
            Thread(target=self._configure, args=(session,), daemon=True).start()
        elif message["event"] == "debugpyAttach":
            arguments = (body["connect"]["host"], body["connect"]["port"], body)
            Thread(target=self.attach, args=arguments, daemon=True).start()
        with self._changed:
            if message["event"] == "process":
                self._pids.add(body["systemProcessId"])
            elif message["event"] == "stopped":
                self._stopped.append((session, body["threadId"]))
            elif message["event"] == "output":
                self.output += body.get("output", "")
            self._changed.notify_all()

    def _configure(self, session: Session) -> None:
        breakpoints = [{"line": self._line}]
        session.request("setBreakpoints", source={"path": str(self._file)}, breakpoints=breakpoints)
        session.request("configurationDone")

    def wait_for_stop(self) -> Stop:
        with self._changed:
            assert self._changed.wait_for(lambda: self._stopped, SECONDS), f"nothing has stopped:\n{self.output}"
            session, thread = self._stopped.pop(0)
        return Stop(session, thread)

    def wait_for_output(self, pattern: str) -> re.Match[str]:
        with self._changed:
            self._changed.wait_for(lambda: re.search(pattern, self.output), SECONDS)
            match = re.search(pattern, self.output)
        assert match, f"{pattern!r} was not printed; this was:\n{self.output}"
        return match

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was launched, as the button does, and close the connections; nothing may be left of it."""
        if self._adapter:
            self._sessions[0].request("disconnect", terminateDebuggee=True)
            self._adapter.kill()
            self._adapter.wait(SECONDS)
        for connection in self._sockets:
            with suppress(OSError):  # its other end has gone
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for session in self._sessions:
            session.close()
        if self._adapter:
            for pid in self._pids:
                wait_until(lambda pid=pid: not runs(pid), f"process {pid} has ended")  # type: ignore[misc]
