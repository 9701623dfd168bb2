"""The app process: started by a fork before anything else is imported, watched through the control channel.

The channel is a socket pair. From our own server come lines: `ready`, `failed {json}`, and after each request
`done PORT` or `closing PORT`, where PORT is this side's port of the connection that the request came on. A command
cannot speak, and its copy of the channel closes as the command is executed.
"""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import socket
import struct
import sys
import time

from lambda_web_adapter.adapter.last_words import LastWords
from lambda_web_adapter.adapter.ports import command_port, listen
from lambda_web_adapter.parent import SHOW_STACKS, end_with_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from lambda_web_adapter.settings import Settings

    # Serves the app on the listening socket, tells the control channel about it, and takes the stderr given here, if
    # there is one, as its own when it is ready; returns the exit code.
    Serve = Callable[[Settings, socket.socket, socket.socket, int | None], int]

# A stop: what Lambda leaves a runtime for SIGTERM is 300 ms when an extension is registered.
_STOP_SECONDS = 0.3
# Asyncio's tasks are shown within this time, or the event loop hangs.
_STACKS_SECONDS = 0.1


class AppProcess:
    """The app, as a process of its own.

    Attributes:
        port: the port that the app listens on.
        pid: the process, or 0 while there is none.
        child_changed: whether a child has ended or stopped since the app was last looked after.
        on_one_core: whether the app is to run on the core that the adapter runs on.
        speaks: whether the app says itself when it is ready and done, as our own server does.
        started_at: when it was started, on the monotonic clock in seconds.
    """

    def __init__(self, settings: Settings, command: list[str], serve: Serve) -> None:
        """Remembers what to start.

        Args:
            settings: the settings.
            command: the program and its arguments, or nothing to have the app served by `serve`.
            serve: what the forked process does when there is no command.
        """
        self._settings = settings
        self._command = command
        self._serve = serve
        self._control: socket.socket | None = None
        self._last_words: LastWords | None = None
        self._lines = b""
        self._end = ""
        self.speaks = not command
        self.child_changed = False
        self.on_one_core = False
        self.port = 0
        self.pid = 0
        self.started_at = 0.0

    def start(self) -> None:
        """Starts the process, and returns at once.

        Raises:
            SettingsError: the configured port is taken.
        """
        listener = None if self._command else listen(self._settings.host, self._settings.port)
        self.port = listener.getsockname()[1] if listener else command_port(self._settings)
        ours, theirs = socket.socketpair()
        self.child_changed = False
        self._lines, self._end = b"", ""
        self._last_words = None if os.isatty(2) else LastWords()  # a person has seen what was said
        self.started_at = time.monotonic()
        bootstrap = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            self._become_app(listener, theirs, bootstrap)
        theirs.close()
        if listener:
            listener.close()  # or connections to a dead app would queue here for ever
        if self._last_words:
            self._last_words.listen()
        self._control = ours

    def _become_app(self, listener: socket.socket | None, control: socket.socket, bootstrap: int) -> None:
        """Goes on as the app process, and never returns."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        stderr = self._last_words.become_stderr() if self._last_words else None
        if listener:
            sys.exit(self._serve(self._settings, listener, control, stderr))
        end_with_parent(bootstrap)
        port = str(self.port)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores them, and exec would keep it so
        try:
            os.execvpe(self._command[0], self._command, os.environ | {"PORT": port, "AWS_LWA_PORT": port})  # noqa: S606  # this is what a command is for
        except OSError as error:
            control.sendall(f"failed {self._command[0]} cannot be executed: {error.strerror}\n".encode())
        os._exit(127)  # what a shell says of a command that it cannot execute

    def read_line(self, timeout: float) -> bytes:
        """Reads the next line of the control channel.

        Args:
            timeout: seconds to wait.

        Returns:
            The line, or nothing when the channel has closed.

        Raises:
            TimeoutError: no line came in time.
        """
        control = self._control
        if control is None:
            return b""
        until = 0.0
        flags = int(socket.MSG_DONTWAIT)  # mostly the line is there already, and one system call is all it takes
        while b"\n" not in self._lines:
            try:
                data = control.recv(65536, flags)
            except BlockingIOError:
                now = time.monotonic()
                until = until or now + timeout
                if now >= until:
                    raise TimeoutError("nothing came on the control channel") from None
                control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(until - now))
                flags = 0
                continue
            except ConnectionError:
                data = b""
            if not data:
                return b""
            self._lines += data
        line, _, self._lines = self._lines.partition(b"\n")
        return line

    def ask(self, word: str) -> None:
        """Asks our own server for something on the control channel; that it has ended is heard by `read_line`."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.sendall(f"{word}\n".encode())

    def has_ended(self, timeout: float = 0) -> bool:
        """Says whether the process has ended, waiting up to `timeout` seconds for it to end."""
        if not self.pid:
            return True
        until = time.monotonic() + timeout
        pause = 0.001
        while True:
            pid, status = _wait(self.pid)
            if pid:
                self.pid = 0
                self._end = _how_it_ended(status)
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.02)

    def share_core(self) -> None:
        """Puts adapter and app on one core, where `on_one_core` says so; what the app starts from now on goes along.

        They take turns: while one works the other waits. Waking up a process on another core takes a virtual machine
        several times as long as switching to it on the same one. Called when the app is ready, so that both have
        imported side by side.
        """
        if self.on_one_core and hasattr(os, "sched_setaffinity"):  # Linux
            core = {max(os.sched_getaffinity(0))}
            with contextlib.suppress(OSError):  # it saves time where it may be done; an app that has died is seen later
                os.sched_setaffinity(0, core)
                os.sched_setaffinity(self.pid, core)

    def watch(self) -> None:
        """Has the kernel say when a child ends, so that nobody need ask before each request. Main thread only."""
        signal.signal(signal.SIGCHLD, self._on_child_changed)

    def _on_child_changed(self, number: int, frame: FrameType | None) -> None:
        self.child_changed = True

    @property
    def end(self) -> str:
        """How the process ended: `exit code 3`, `signal SIGKILL`; empty while it runs."""
        return self._end

    @property
    def last_words(self) -> str:
        """What it wrote to stderr last, if that is known; empty for our own server once it was ready."""
        return self._last_words.text() if self._last_words else ""

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """Ends the process: asks with SIGTERM, and kills what has not ended in time."""
        if self.pid and not self.has_ended():
            _signal(self._family(), signal.SIGTERM)
            if not self.has_ended(timeout):
                self.kill()
        self._close()

    def show_stacks(self) -> None:
        """Has our own server write to the log what it is doing: all threads' stacks, and asyncio's tasks."""
        if not (self.speaks and self.pid):
            return
        _signal([self.pid], SHOW_STACKS)
        until = time.monotonic() + _STACKS_SECONDS
        with contextlib.suppress(TimeoutError):  # threads are shown at once; tasks not by a loop that hangs
            while self.read_line(until - time.monotonic()) not in (b"shown", b""):
                pass  # what it says about requests is of no interest any more

    def kill(self) -> None:
        """Ends the process at once."""
        if self.pid:
            _signal(self._family(), signal.SIGKILL)
            self.has_ended(timeout=60)
        self._close()

    def _family(self) -> list[int]:
        """The process and, for a command, all that stem from it: a script need not hand on signals to its server.

        They stay in the bootstrap's own group, which is what Lambda and the Runtime Interface Emulator kill.
        """
        found = [self.pid]
        for pid in found if self._command else ():
            for tasks in glob.glob(f"/proc/{pid}/task/*/children"):
                with contextlib.suppress(OSError), open(tasks) as file:
                    found += map(int, file.read().split())
        return found

    def _close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def timeval(seconds: float) -> bytes:
    """Writes a time as the kernel takes it for SO_RCVTIMEO and SO_SNDTIMEO (socket(7)); zero would mean no limit."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)


def _wait(pid: int) -> tuple[int, int]:
    """Looks whether a child has ended; one that somebody else has waited for counts as ended well."""
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return pid, 0


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
