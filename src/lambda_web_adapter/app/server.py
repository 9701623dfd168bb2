"""The app process, from top to bottom: load the app, detect its interface, serve it."""

from __future__ import annotations

import io
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.app import logging_setup
from lambda_web_adapter.app.bytecode import CompilationCount
from lambda_web_adapter.app.control_channel import AdapterChannel
from lambda_web_adapter.app.invocation_tracking import InvocationTracker
from lambda_web_adapter.app.loader import detect_interface, load_app
from lambda_web_adapter.app.stack_dump import show_own_stack_on_signal
from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.ipc.garbage_collection import resume_collection
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE, SERVER_FAILED

if TYPE_CHECKING:
    import socket
    from typing import Any

    from lambda_web_adapter.settings import Settings

# Exit code of an app that could not be imported.
START_FAILED = 1


def serve(
    settings: Settings,
    listener: socket.socket,
    channel: socket.socket | None = None,
    stderr: int | None = None,
    *,
    single: bool = True,
) -> int:
    """Serve the app until SIGTERM.

    Args:
        settings: which app to serve, and how.
        listener: the listening socket.
        channel: the control channel to the adapter, if there is one.
        stderr: the file descriptor to use as stderr once the app is ready; until then the adapter reads stderr.
        single: whether the environment has single invocations.

    Returns:
        The exit code.
    """
    control = AdapterChannel(channel, stderr)
    os.register_at_fork(after_in_child=resume_collection)  # a process that the app forks has no READY
    try:
        return _serve(settings, listener, control, single=single)
    finally:
        control.close()
        listener.close()


def _serve(settings: Settings, listener: socket.socket, control: AdapterChannel, *, single: bool) -> int:
    log = logging_setup.set_up(install=settings.logging == "lambda")
    _set_line_buffering()
    show_own_stack_on_signal()  # the app may hang in its import
    if os.environ.get(LOCAL_RUN_VARIABLE):
        from lambda_web_adapter.app.debugger import install  # nobody debugs on Lambda

        install(control)
    folder = Path(os.path.abspath(settings.app_dir))
    try:
        with CompilationCount() as compiled:
            app = load_app(settings.app, folder)
        interface = detect_interface(app, settings.interface)
    except BaseException as error:  # noqa: BLE001  # all that the app's own code raises, SystemExit included
        _report_failed_start(error, control, log, folder)
        return START_FAILED
    if (note := compiled.note()) and not os.environ.get(LOCAL_RUN_VARIABLE):  # a laptop's start is nobody's cold start
        logging.getLogger(__name__).info(note)
    if doubt := start_file.doubt():
        logging.getLogger(__name__).warning(doubt)
    if os.environ.get(LOCAL_RUN_VARIABLE):
        from lambda_web_adapter.app.debugger import report_loaded  # as above

        report_loaded(control)  # by the app itself, as debugpy.listen() does
    tracker = InvocationTracker(
        control=control,
        single=single,
        freeze_seconds=settings.before_freeze_seconds,
    )
    tracker.underscore_headers = settings.underscore_headers
    with listener.dup() as duplicate:
        try:
            return _serve_app(app, interface, settings, listener, tracker)
        except Exception as error:  # noqa: BLE001  # the app may have patched whatever the server relies on
            log.write_failure("The server has failed", error)
            control.failed(error, is_logged=True)
            duplicate.detach()  # it stays open until the process has ended, so that no connection is refused meanwhile
            return SERVER_FAILED


def _report_failed_start(
    error: BaseException, control: AdapterChannel, log: logging_setup.EventHandler, folder: Path
) -> None:
    if not isinstance(error, AppNotFound):
        from lambda_web_adapter.app import import_traceback  # only failures need it

        import_traceback.shorten(error, folder)
        log.write_failure("The app cannot be imported", error)
    elif control.fileno() < 0:  # no adapter reports it
        sys.stderr.write(f"lambda-web-adapter: {error}\n")
    control.failed(error, is_logged=not isinstance(error, AppNotFound))


def _serve_app(
    app: Any, interface: str, settings: Settings, listener: socket.socket, tracker: InvocationTracker
) -> int:
    # Only the server that is needed is imported: asyncio is a quarter of a cold start.
    if interface == "wsgi":
        app = with_script_name(app, settings)
    if interface == "wsgi" and settings.server == "auto":
        from lambda_web_adapter.app.wsgi import server as wsgi_server

        return wsgi_server.serve(app, listener, tracker)
    from lambda_web_adapter.app.asgi.server import AsgiServer

    server = AsgiServer
    if settings.server == "uvicorn":
        from lambda_web_adapter.app.asgi.uvicorn_server import UvicornServer

        server = UvicornServer
    if interface != "wsgi":  # a2wsgi derives SCRIPT_NAME from the ASGI scope
        from lambda_web_adapter.app.asgi.root_path import root_path_of

        tracker.root_path = root_path_of(app, settings.root_path)
    return server(_as_asgi(app, interface, tracker), tracker, settings).run(listener)


def with_script_name(app: Any, settings: Settings) -> Any:
    """Return a WSGI app that finds the removed part of the path as its framework, or the setting, has it."""
    if settings.root_path != "none" and "microdot" not in sys.modules:
        return app
    from lambda_web_adapter.app.asgi.root_path import without_script_name

    return without_script_name(app, settings.root_path)


def _set_line_buffering() -> None:
    """Flush stdout after each line, as Lambda's own Python runtime does.

    Stdout is a pipe, for which Python buffers kilobytes: what an app prints, such as metrics, would come out with a
    later request, or never if the environment ends first.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def _as_asgi(app: Any, interface: str, tracker: InvocationTracker) -> Any:
    if interface == "wsgi":
        from a2wsgi import WSGIMiddleware

        bridge: Any = WSGIMiddleware(tracker.wrap_wsgi(app))
        if tracker.underscore_headers:
            return bridge
        from lambda_web_adapter.app.wsgi.underscore_headers import without_underscores

        return without_underscores(bridge)
    if interface == "asgi2":
        return from_asgi2(app)
    return app


def from_asgi2(app: Any) -> Any:
    """Return an app of ASGI 3, which is called once, for one of ASGI 2 (ASGI, "Legacy Applications")."""

    async def asgi3(scope: Any, receive: Any, send: Any) -> None:
        await app(scope)(receive, send)

    return asgi3
