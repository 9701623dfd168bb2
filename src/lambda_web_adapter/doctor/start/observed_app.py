"""The app process of an observed environment: what it reports of the app."""

from __future__ import annotations

import os
import sys
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

from lambda_web_adapter.app import server
from lambda_web_adapter.doctor.start.own_files import OwnFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from lambda_web_adapter.doctor.start.observation import Observation, Reporter

# Audit events of what changes a file, and which of their arguments are paths (Python, "Audit events table").
_CHANGES = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAX_LINES, _MAX_LINE = 60, 500  # of a traceback
_MOST_OF_INIT = 9  # seconds after which it is reported where the start is: Lambda breaks it off after 10 s
_WRITABLE = ("/tmp/", "/dev/", "/proc/")  # noqa: S108  # Lambda's, and what is no file


def observe_app(observation: Observation, reporter: Reporter) -> None:
    """Report what this process does, which is about to load the app and to serve it."""
    own = OwnFiles(observation.folder)
    if observation.left_out:
        from lambda_web_adapter.doctor.start.left_out import leave_out

        leave_out(observation.left_out, own, lambda name: reporter.report("used", name, *own.place(sys._getframe(2))))
    if observation.watches:
        _report_writes(observation.root, own, reporter)
        report_waiting(_MOST_OF_INIT, own, reporter)
    _report_compilation(reporter)
    _report_load(own, reporter)
    _report_interface(observation, own, reporter)


def report_waiting(seconds: float, own: OwnFiles, reporter: Reporter) -> None:
    """Report after some time where the main thread is, unless the process has ended by then."""
    import threading

    main = threading.get_ident()

    def report() -> None:
        frame = sys._current_frames().get(main)
        reporter.report("waiting", seconds, *own.place(frame))
        reporter.report_each("stack", [line[:_MAX_LINE] for line in own.stack(frame)[-_MAX_LINES:]])

    timer = threading.Timer(seconds, report)
    timer.daemon = True
    timer.start()


def _report_load(own: OwnFiles, reporter: Reporter) -> None:
    load_app = vars(server)["load_app"]

    def load(name: str, folder: Path) -> Any:
        started_at, cpu = time.perf_counter(), time.process_time()
        try:
            app = load_app(name, folder)
        except BaseException as error:
            _report_failure(error, str(folder), own, reporter)
            raise
        reporter.report("imported", time.perf_counter() - started_at, time.process_time() - cpu, len(sys.modules))
        reporter.report_each("own", own.modules())
        return app

    vars(server)["load_app"] = load


def _report_failure(error: BaseException, folder: str, own: OwnFiles, reporter: Reporter) -> None:
    reporter.report("failed", type(error).__name__, str(error)[:1000], *own.place_of(error))
    import traceback

    from lambda_web_adapter.app import import_traceback

    if error.__traceback__:  # without the frame of this module
        error.__traceback__ = error.__traceback__.tb_next
    advice = vars(error).pop("__notes__", [])
    import_traceback.shorten(error, Path(folder))
    lines = "".join(traceback.format_exception(error)).splitlines()
    reporter.report_each("traceback", [line[:_MAX_LINE] for line in lines[-_MAX_LINES:]])
    reporter.report_each("note", [line[:_MAX_LINE] for note in advice for line in str(note).splitlines()])
    for note in advice:
        error.add_note(note)


def _report_interface(observation: Observation, own: OwnFiles, reporter: Reporter) -> None:
    detect_interface = vars(server)["detect_interface"]

    def detect(app: Any, interface: str = "auto") -> str:
        try:
            detected: str = detect_interface(app, interface)
        except BaseException as error:
            _report_failure(error, observation.folder, own, reporter)
            raise
        reporter.report("interface", detected)
        if detected != "wsgi":
            _report_lifespan(reporter)
        if observation.watches:
            from lambda_web_adapter.doctor.start.module_use import watch_modules

            watch_modules(lambda name: reporter.report("ran", name))
        return detected

    vars(server)["detect_interface"] = detect


def _report_lifespan(reporter: Reporter) -> None:
    from lambda_web_adapter.app.asgi import lifespan
    from lambda_web_adapter.app.asgi import server as asgi_server

    class ObservedLifespan(lifespan.ReportedLifespan):
        """Reports what the app sends about its lifespan."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def observed_send(message: Any) -> None:
                if message["type"].startswith("lifespan."):  # some take any scope for a request
                    reporter.report("lifespan", message["type"])
                await send(message)

            await super().__call__(scope, receive, observed_send)

    vars(asgi_server)["ReportedLifespan"] = ObservedLifespan


def _report_compilation(reporter: Reporter) -> None:
    compile_source = SourceFileLoader.source_to_code

    def compile_and_report(loader: SourceFileLoader, *args: Any, **options: Any) -> CodeType:
        cpu = time.thread_time()
        code: CodeType = compile_source(loader, *args, **options)
        reporter.report("compiled", loader.path, time.thread_time() - cpu)
        return code

    SourceFileLoader.source_to_code = compile_and_report  # type: ignore[method-assign, assignment]


def _report_writes(root: str, own: OwnFiles, reporter: Reporter) -> None:
    """Report each attempt to change a file outside of /tmp, with the line of the app that makes it."""
    reported: set[tuple[str, str, int]] = set()

    def see(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            paths = arguments[:1] if (arguments[2] or 0) & _WRITES else ()
        else:
            paths = arguments[: _CHANGES.get(event, 0)]
        for path in paths:
            if not isinstance(path, str | bytes | os.PathLike):  # a descriptor
                continue
            full = os.path.abspath(os.fsdecode(path))
            change = (full, *own.place(sys._getframe(1)))
            may_write = f"{full}/".startswith(_WRITABLE) and not full.startswith(f"{root}/")
            if not may_write and change not in reported:
                reported.add(change)
                reporter.report("wrote", *change)

    sys.addaudithook(see)
