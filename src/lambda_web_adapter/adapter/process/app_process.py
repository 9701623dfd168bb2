"""One run of the app process: started by a fork before anything else is imported, watched through the control channel.

A command cannot speak, and its copy of the channel closes as the command is executed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from _thread import allocate_lock

from lambda_web_adapter.adapter.diagnostics.dump_file import StackDumpFile
from lambda_web_adapter.adapter.diagnostics.stderr_tail import StderrTail
from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.adapter.process.ports import ReservedPort, command_port, listen
from lambda_web_adapter.ipc.control_protocol import encode_failure
from lambda_web_adapter.ipc.envelope import COMMAND_VARIABLE
from lambda_web_adapter.ipc.parent_process import SERVER_FAILED, end_with_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import ClassVar

    from lambda_web_adapter.settings import Settings

    # Serves the app on the listening socket, tells the control channel about it, and takes the stderr given here, if
    # there is one, as its own when it is ready; returns the exit code.
    Serve = Callable[[Settings, socket.socket, socket.socket, int | None], int]

# For the program that `restart` executes: descriptors of the listening socket, the control channel, and its own stderr.
DESCRIPTORS = "_LWA_APP_PROCESS"

# Between the end of the app's server and the end of its process, which may have work to do at its end: as long as
# Lambda leaves a runtime to stop.
LEAVE_SECONDS = 0.3


class AppProcess:
    """One run of the app, as a process of its own.

    Attributes:
        port: the port that the app listens on.
        pid: the process, or 0 while there is none.
        on_one_core: whether the app is to run on the core that the adapter runs on.
        control: what the app says of itself.
        is_managed: whether the app says itself when it is ready and done, as our own server does.
        keeps_connections: whether a connection takes another request; not that of a command that ends some unasked.
        has_responded: whether the built-in server has said of a request that its call has returned.
        started_at: when it was started, on the monotonic clock in seconds; later by what passed while nobody waited.
        run: what tells this run from all others: a command's environment has it.
        lost_at: when it was found to take no requests any more although its process runs; 0 while it does.
        server_failed, ended_by_signal: whether its end was its built-in server's failure, or a signal.
    """

    _all: ClassVar[set[int]] = set()  # the processes of all apps of this environment

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
        self.control = ControlChannel()
        self._reserved: ReservedPort | None = None
        self._stderr_tail: StderrTail | None = None
        self._stack_dump: StackDumpFile | None = None
        self._exit_status = ""
        self.is_managed = not command
        self.keeps_connections = True
        self.has_responded = False
        self.on_one_core = False
        self.port = 0
        self.pid = 0
        self.run = ""
        self.started_at = 0.0
        self.lost_at = 0.0
        self.server_failed = self.ended_by_signal = False
        self._first_started = 0
        self._is_cleared = False
        self._lock = allocate_lock()

    def start(self, *, execute: bool = False) -> None:
        """Starts the process, and returns at once.

        Args:
            execute: whether in this program executed anew, instead of by the fork alone, which is all that a cold start
                should pay for.

        Raises:
            SettingsError: the configured port is taken.
        """
        listener = None if self._command else listen(self._settings.host, self._settings.port)
        self._reserved = None if listener else command_port(self._settings)
        self.port = self._reserved.number if self._reserved else listener.getsockname()[1] if listener else 0
        adapter_end, app_end = socket.socketpair()
        self._stderr_tail = None if os.isatty(2) else StderrTail()  # a person has seen what was said
        self._stack_dump = None if self._command else StackDumpFile.create_if_needed(os.environ)
        self.started_at = time.monotonic()
        self.run = f"{os.getpid()}-{time.monotonic_ns()}"
        self._first_started = self._first_started or _now_in_ticks()
        bootstrap = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            adapter_end.close()
            self._become_app(listener, app_end, bootstrap, execute=execute)
        self._all.add(self.pid)
        app_end.close()
        if listener:
            listener.close()  # or connections to a dead app would queue here for ever
        if self._reserved:
            self._reserved.hand_over()
        if self._stderr_tail:
            self._stderr_tail.start_relay()
        self.control = ControlChannel(adapter_end, self.is_gone)

    def restart(self) -> AppProcess:
        """Starts another run; what a running adapter has open, locked or imported is not for it.

        Raises:
            SettingsError: the configured port is taken.
        """
        restarted = AppProcess(self._settings, self._command, self._serve)
        restarted.on_one_core = self.on_one_core
        restarted._first_started = self._first_started
        restarted.start(execute=True)
        return restarted

    def _become_app(
        self, listener: socket.socket | None, control: socket.socket, bootstrap: int, *, execute: bool
    ) -> None:
        """Goes on as the app process, and never returns."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        stderr = self._stderr_tail.replace_stderr() if self._stderr_tail else None
        if self._stack_dump:
            self._stack_dump.pass_to_child(os.environ, execute=execute)
        if listener and execute:
            descriptors = [listener.fileno(), control.fileno(), *([] if stderr is None else [stderr])]
            for descriptor in descriptors:
                os.set_inheritable(descriptor, True)
            program = [sys.executable, *sys.orig_argv[1:]]
            _execute(program, {DESCRIPTORS: ",".join(map(str, descriptors))}, control)
        if listener:
            sys.exit(self._serve(self._settings, listener, control, stderr))
        end_with_parent(bootstrap)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores them, and exec would keep it so
        port = str(self.port)
        if self._reserved:
            self._reserved.hand_over()
        _execute(self._command, {"PORT": port, "AWS_LWA_PORT": port, COMMAND_VARIABLE: self.run}, control)

    def has_ended(self, timeout: float = 0) -> bool:
        """Says whether the process has ended, waiting up to `timeout` seconds for it to end."""
        deadline = time.monotonic() + timeout
        pause = 0.001
        while True:
            with self._lock:  # a thread may wait for it to be ready
                if self.pid:
                    self._look()
            if not self.pid:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.02)

    def _look(self) -> None:
        pid, status = _wait(self.pid)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            self._exit_status = self._exit_status or _describe_exit(code)
            self.ended_by_signal = code < 0
            self.server_failed |= self.is_managed and code == SERVER_FAILED
            self._all.discard(pid)
            self.pid = 0

    def lose(self) -> None:
        """Take note that it takes no requests any more."""
        self.lost_at = self.lost_at or time.monotonic()

    def is_gone(self) -> bool:
        """Return whether it takes no requests any more, and end what is left of it then.

        Processes that it has started hold its connections, its end of the control channel and its port. A process whose
        server has stopped has a moment to end by itself.
        """
        if not self.has_ended():
            if self.is_managed and not self.lost_at and self.control.has_closed():
                self.lose()
            if not self.lost_at or time.monotonic() < self.lost_at + LEAVE_SECONDS:
                return False
            from lambda_web_adapter.adapter.process import process_tree

            if process_tree.is_exiting(self.pid):  # what has much memory takes longer over it
                return False
            self._exit_status, self.server_failed = "its server had stopped, and it was killed", self.is_managed
        self._clear()
        return True

    def pin_to_one_core(self) -> None:
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

    @property
    def exit_status(self) -> str:
        """How the process ended: `exit code 3`, `signal SIGKILL`; empty while it runs."""
        return self._exit_status

    def stderr_tail(self, excluded: Collection[str] = ()) -> str:
        """Says what it wrote to stderr last, without lines that are known; of our own server, until it was ready."""
        return self._stderr_tail.text(excluded) if self._stderr_tail else ""

    def terminate(self) -> None:
        """Asks the process to end in order; `kill` is for those that do not."""
        if self.pid and not self.has_ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def read_stack_dump(self) -> str:
        """Takes what it has shown; nothing where that goes to stderr at once."""
        return self._stack_dump.read_and_clear() if self._stack_dump else ""

    def kill(self) -> None:
        """End the process, and all that stem from it, at once."""
        self._clear()
        self.control.close()
        if self._reserved:
            self._reserved.release()
        if self._stack_dump:
            self._stack_dump.close()

    def living(self) -> dict[int, int]:
        """Return the processes that stem from it, itself included, and have not ended, and their parents.

        They stay in the bootstrap's own group, which is what Lambda and the Runtime Interface Emulator kill.
        """
        from lambda_web_adapter.adapter.process import process_tree  # not before the fork

        return process_tree.living(self.pid, self._all, self._first_started) if self.started_at else {}

    def collect_orphans(self) -> None:
        """Let the kernel forget processes that stemmed from it, were adopted, and have ended."""
        from lambda_web_adapter.adapter.process import process_tree

        process_tree.collect(self.pid, self._all, self._first_started)

    def _clear(self) -> None:
        if self.started_at and not self._is_cleared:
            from lambda_web_adapter.adapter.process import process_tree

            self._is_cleared = True
            process_tree.kill(self.pid, self._all, self._first_started)
            self.has_ended(timeout=60)


def _execute(argv: list[str], variables: dict[str, str], control: socket.socket) -> None:
    """Executes a program in place of this one; never returns."""
    try:
        os.execvpe(argv[0], argv, {**os.environ, **variables})  # noqa: S606  # this is what a command is for
    except OSError as error:
        control.sendall(encode_failure(f"{argv[0]} cannot be executed: {error.strerror}"))
    os._exit(127)  # what a shell says of a command that it cannot execute


def _wait(pid: int) -> tuple[int, int]:
    """Looks whether a child has ended; one that somebody else has waited for counts as ended well."""
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return pid, 0


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _now_in_ticks() -> int:
    """Return the time as the kernel has it for the start of processes, rounded down; 0 where it has none."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
