"""One run of the app process: start, end, and what the adapter knows of it in between.

The first run is forked before the adapter imports its own modules. A managed app reports on the control channel; for an
external command, the app's end of the channel closes when the command is executed.
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
from lambda_web_adapter.ipc.parent_process import SERVER_FAILED, drop_exchanges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import ClassVar, NoReturn

    from lambda_web_adapter.settings import Settings

    # The built-in server: takes settings, listening socket, control channel, and the descriptor to use for stderr once
    # it is ready, if any; returns the exit code.
    Serve = Callable[[Settings, socket.socket, socket.socket, int | None], int]

# The variable with the descriptors of listening socket, control channel and stderr, for every run but the first.
DESCRIPTORS_VARIABLE = "_LWA_APP_PROCESS"

# How long a process may take to exit after its server has stopped: the time that Lambda gives a runtime to stop.
LEAVE_SECONDS = 0.3
_NOT_EXECUTED = 127  # the exit code of shells for a program that cannot be executed


class AppProcess:
    """One run of the app, as a process of its own.

    Attributes:
        command: the external command and its arguments; empty for a managed app.
        port: the port that the app listens on.
        pid: the process id; 0 while there is no process.
        on_one_core: whether app and adapter share a core.
        control: the control channel.
        is_managed: whether the built-in server runs the app; else it is an external command.
        keeps_connections: whether connections are used again; false once an external command has broken one.
        has_responded: whether the built-in server has sent DONE for a request.
        stacks_logged: whether the log has shown what the app does while it starts.
        started_at: when the run began (monotonic seconds), moved forward by time that must not count, such as a freeze.
        run_id: the unique id of the run; an external command has it in its environ.
        unreachable_since: when the app, still running, was found to take no more requests; 0 if it takes them.
        server_failed: whether the run ended because the built-in server failed.
        ended_by_signal: whether a signal ended the process.
    """

    _all_pids: ClassVar[set[int]] = set()  # the processes of all apps of this environment

    def __init__(self, settings: Settings, command: list[str], serve: Serve) -> None:
        """Prepare a run without starting it.

        Args:
            settings: the settings.
            command: the external command and its arguments; empty to serve the app by `serve`.
            serve: the built-in server.
        """
        self._settings = settings
        self.command = command
        self._serve = serve
        self.control = ControlChannel()
        self._reserved: ReservedPort | None = None
        self._stderr_tail: StderrTail | None = None
        self._stack_dump: StackDumpFile | None = None
        self._exit_status = ""
        self.is_managed = not command
        self.keeps_connections = True
        self.has_responded = self.stacks_logged = False
        self.on_one_core = False
        self.port = 0
        self.pid = 0
        self.run_id = ""
        self.started_at = self.unreachable_since = 0.0
        self.server_failed = self.ended_by_signal = False
        self._first_started = 0
        self._is_cleared = self._has_broken_off = False
        self._lock = allocate_lock()

    def start(self, *, execute: bool = False) -> None:
        """Start the process, and return at once.

        Args:
            execute: whether the process executes this program anew; a cold start does without, as a fork is faster.

        Raises:
            SettingsError: The configured port is taken.
        """
        listener = None if self.command else listen(self._settings.host, self._settings.port)
        self._reserved = None if listener else command_port(self._settings)
        self.port = self._reserved.number if self._reserved else listener.getsockname()[1] if listener else 0
        adapter_end, app_end = socket.socketpair()
        self._stderr_tail = None if os.isatty(2) else StderrTail()  # on a terminal, a person has read it
        self._stack_dump = None if self.command else StackDumpFile.create()
        self.started_at = time.monotonic()
        self.run_id = f"{os.getpid()}-{time.monotonic_ns()}"
        self._first_started = self._first_started or _now_in_ticks()
        adapter = os.getpid()
        if self.command:
            _adopt_orphans()  # before the fork: a command may leave orphans at once
        self._fork()
        if self.pid == 0:
            adapter_end.close()
            self._become_app(listener, app_end, adapter, execute=execute)
        if not self.command:
            _adopt_orphans()  # after the fork: the app imports meanwhile
        app_end.close()
        if listener:
            listener.close()  # else this copy would keep accepting connections to a dead app
        if self._reserved:
            self._reserved.hand_over()
        if self._stderr_tail:
            self._stderr_tail.start_relay()
        self.control = ControlChannel(adapter_end, self.is_gone)

    def next_run(self) -> AppProcess:
        """Return the app's next run, which the caller has to start."""
        run = AppProcess(self._settings, self.command, self._serve)
        run.on_one_core = self.on_one_core
        run._first_started = self._first_started
        return run

    def _fork(self) -> None:
        """Fork with SIGTERM blocked, so that its handler runs when the process's id is known.

        If another thread gets the signal, the handler may run earlier: then the process is found as an orphan.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            self.pid = os.fork()
            if self.pid:
                self._all_pids.add(self.pid)
            else:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _become_app(
        self, listener: socket.socket | None, control: socket.socket, adapter: int, *, execute: bool
    ) -> NoReturn:
        """Become the app in the forked process, and never return."""
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            drop_exchanges()  # only the adapter reports them
            stderr = self._stderr_tail.replace_stderr() if self._stderr_tail else None
            if self._stack_dump:
                self._stack_dump.pass_to_child(os.environ, execute=execute)
            if not listener:
                self._execute_command(adapter)
            if execute:
                from lambda_web_adapter.adapter.process.execution import execute_again

                descriptors = [listener.fileno(), control.fileno(), *([] if stderr is None else [stderr])]
                execute_again(DESCRIPTORS_VARIABLE, descriptors)
        except BaseException as error:  # noqa: BLE001  # else the process would go on as a second adapter
            program = self.command[0] if self.command else sys.executable
            reason = getattr(error, "strerror", "") or repr(error)
            try:
                what = "executed" if execute or self.command else "started"
                control.sendall(encode_failure(f"{program} cannot be {what}: {reason}"))
            finally:  # even if the adapter has ended, and `sendall` fails
                os._exit(_NOT_EXECUTED)
        sys.exit(self._serve(self._settings, listener, control, stderr))

    def _execute_command(self, adapter: int) -> NoReturn:
        from lambda_web_adapter.adapter.process.execution import execute_command  # only this process needs it

        if self._reserved:
            self._reserved.hand_over()
        port = str(self.port)
        execute_command(self.command, {"PORT": port, "AWS_LWA_PORT": port, COMMAND_VARIABLE: self.run_id}, adapter)

    def has_ended(self, timeout: float = 0) -> bool:
        """Return whether the process has ended, after waiting up to `timeout` seconds for it."""
        deadline = time.monotonic() + timeout
        pause = 0.001
        while True:
            with self._lock:  # another thread may wait for the app to be ready
                if self.pid:
                    self._reap()
            if not self.pid:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.02)

    def _reap(self) -> None:
        from lambda_web_adapter.adapter.process import process_tree

        code = process_tree.reap(self.pid)
        if code is not None:
            self._exit_status = self._exit_status or process_tree.describe_exit(code)
            self.ended_by_signal = code < 0
            self.server_failed |= self.is_managed and code == SERVER_FAILED
            self._all_pids.discard(self.pid)
            self.pid = 0

    def mark_unreachable(self) -> None:
        """Record that the app takes no more requests although its process runs."""
        self.unreachable_since = self.unreachable_since or time.monotonic()

    def is_gone(self) -> bool:
        """Return whether the app takes no more requests; if so, kill what is left of it.

        Processes that it has started may hold its connections, its end of the control channel and its port. A process
        whose server has stopped gets `LEAVE_SECONDS` to exit by itself.
        """
        if not self.has_ended():
            if self.is_managed and not self.unreachable_since:
                self._check_server()
            if not self.unreachable_since or time.monotonic() < self.unreachable_since + LEAVE_SECONDS:
                return False
            from lambda_web_adapter.adapter.process import process_tree

            if process_tree.is_exiting(self.pid):  # with much memory, the exit takes longer
                return False
            self._exit_status, self.server_failed = "its server had stopped, and it was killed", self._has_broken_off
        self._clear()
        return True

    def _check_server(self) -> None:
        """Record whether the built-in server has stopped; if the channel ends without STOPPING, it has failed."""
        has_closed = self.control.has_closed()  # first: what was sent before the end has arrived then
        is_stopping = self.control.is_stopping()
        if is_stopping or has_closed:
            self._has_broken_off = not is_stopping
            self.mark_unreachable()

    def pin_to_one_core(self) -> None:
        """Run adapter and app on one core if `on_one_core` is set; processes that the app starts later inherit it.

        They take turns anyway, and a virtual machine takes several times as long to wake a process on another core as
        to switch to it on the same core. Call this once the app is ready: until then, both import side by side.
        """
        if self.on_one_core and hasattr(os, "sched_setaffinity"):  # Linux
            core = {max(os.sched_getaffinity(0))}
            with contextlib.suppress(OSError):  # pinning only saves time; that an app has died is noticed elsewhere
                os.sched_setaffinity(0, core)
                os.sched_setaffinity(self.pid, core)

    @property
    def exit_status(self) -> str:
        """Return how the process ended, such as `exit code 3`, for messages; empty while it runs."""
        return self._exit_status

    def stderr_tail(self, excluded: Collection[str] = ()) -> str:
        """Return the last stderr lines but the excluded ones; of a managed app, only those from before it was ready."""
        return self._stderr_tail.text(excluded) if self._stderr_tail else ""

    def terminate(self) -> None:
        """Send SIGTERM to the process."""
        with self._lock, contextlib.suppress(ProcessLookupError):  # with the lock, no other thread reaps the process
            if self.pid:
                os.kill(self.pid, signal.SIGTERM)

    def read_stack_dump(self, *, clear: bool = True) -> str:
        """Return and clear the stack dump; empty if the app writes it to stderr."""
        return self._stack_dump.read(clear=clear) if self._stack_dump else ""

    def kill(self) -> None:
        """Kill the process and its descendants; close the control channel, the port and the stack dump file."""
        self._clear()
        self.control.close()
        if self._reserved:
            self._reserved.release()
        if self._stack_dump:
            self._stack_dump.close()

    def running_processes(self) -> dict[int, int]:
        """Return the app's running processes, its own included, each with its parent's pid.

        They stay in the bootstrap's process group, which Lambda and the Runtime Interface Emulator kill.
        """
        from lambda_web_adapter.adapter.process import process_tree  # imported only after the first fork

        return process_tree.running_processes(self.pid, self._all_pids, self._first_started) if self.started_at else {}

    def collect_orphans(self) -> None:
        """Reap the ended processes that the app has left and the adapter has adopted."""
        from lambda_web_adapter.adapter.process import process_tree

        process_tree.collect(self.pid, self._all_pids, self._first_started)

    def _clear(self) -> None:
        if self.started_at and not self._is_cleared:
            from lambda_web_adapter.adapter.process import process_tree

            self._is_cleared = True
            process_tree.kill(self.pid, self._all_pids, self._first_started)
            self.has_ended(timeout=60)


def _adopt_orphans() -> None:
    from lambda_web_adapter.adapter.process import process_tree  # behind the fork on more than one core

    process_tree.adopt_orphans()


def _now_in_ticks() -> int:
    """Return the time in ticks, the unit of process start times, rounded down; 0 if the system has no such clock."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
