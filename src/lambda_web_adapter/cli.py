"""The program: read arguments and environment variables, then run on Lambda, run locally, or serve.

    lambda-web-adapter [OPTIONS] [APP]
    lambda-web-adapter [OPTIONS] -- COMMAND [ARGUMENT ...]
    lambda-web-adapter {run|serve|invoke|event|logs|replay|package|compile|completion} ...

With AWS_LAMBDA_RUNTIME_API set this is Lambda's bootstrap; with AWS_LAMBDA_HTTP_ENDPOINT it is a plain server on that
address; otherwise it is the local run. Each imports what it needs only when it is chosen.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from lambda_web_adapter.errors import AppError, SettingsError
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.settings import RUNTIME_API_PROXY, Settings, unclear_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, MutableMapping
    from typing import NoReturn

    from lambda_web_adapter.adapter.process.app_process import AppProcess

_PACKAGE = "lambda_web_adapter"

# An on-demand environment has 10 s until its first /next (Lambda, "Init phase"); 0.2 s are kept for sending that.
_INIT_SECONDS = 9.8

# The commands of a laptop that name an app as well: on Lambda, they mean the same as no command.
_SERVING = ("run", "serve")

# Exit code for wrong arguments or settings, as in argparse.
USAGE = 2
# Exit code for an external command that cannot be executed, as in a shell.
NOT_EXECUTED = 127


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit with its exit code.

    Args:
        arguments: the arguments after the program's name; None takes them from `sys.argv`.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from lambda_web_adapter.ipc.log_output import fill_closed_descriptors  # rarely needed

        fill_closed_descriptors()
    argv = sys.argv[1:] if arguments is None else arguments
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        start_file.install(os.environ)
        sys.exit(_on_lambda(argv, os.environ))
    if "AWS_LAMBDA_HTTP_ENDPOINT" in os.environ:
        sys.exit(_with_usage_errors(_run_server, argv))
    sys.exit(_with_usage_errors(_run_locally, argv))


def _with_usage_errors(run: Callable[[list[str]], int], argv: list[str]) -> int:
    """Call `run`, and write wrong arguments and settings to stderr as one line instead of a traceback."""
    try:
        return run(argv)
    except (SettingsError, AppError) as error:
        sys.stderr.write(f"lambda-web-adapter: {error}\n")
        return USAGE


def _run_locally(argv: list[str]) -> NoReturn:
    # The app may import lazily (PEP 810), as PYTHON_LAZY_IMPORTS says, but httpcore, which httpx imports, may not.
    if hasattr(sys, "set_lazy_imports"):
        sys.set_lazy_imports("normal")
    try:
        from lambda_web_adapter.local import commands  # none of it is needed on Lambda
    except ImportError as error:
        raise SettingsError(
            f"This copy has only what Lambda needs ({error}). On a laptop, run the program of an installed package."
        ) from None
    commands.main(argv, find_target)


def _on_lambda(argv: list[str], environ: MutableMapping[str, str]) -> int:
    """Start the app, and only then import the rest of the adapter, so that both import side by side.

    On one core nothing runs side by side. Then the adapter is imported first, and the app has what both need.
    """
    from lambda_web_adapter.adapter.process import app_process
    from lambda_web_adapter.ipc.garbage_collection import pause_collection

    pause_collection()
    if app_process.DESCRIPTORS_VARIABLE in environ:
        return _run_app(argv, environ, environ.pop(app_process.DESCRIPTORS_VARIABLE))
    # A SIGTERM that comes before the adapter can pass it on would leave the app running; `lifecycle` unblocks it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    apps: list[AppProcess] = []
    try:
        settings, command = _find_target_on_lambda(argv, environ)
        if not command and _has_one_core_s_time(environ):
            _import_adapter(settings)
        for app in _app_processes(settings, command, environ):
            app.start()  # in the app process, this call ends with SystemExit, which nothing here may catch
            apps.append(app)
    except (SettingsError, AppError) as error:
        from lambda_web_adapter.adapter import lifecycle

        address = environ["AWS_LAMBDA_RUNTIME_API"]
        return lifecycle.report_init_error(address, error, _settings_for_report(environ), apps)
    return _run_adapter(settings, apps, environ)


def _app_processes(settings: Settings, command: list[str], environ: Mapping[str, str]) -> Iterator[AppProcess]:
    """Yield the app processes to start: AWS_LWA_WORKERS for concurrent invocations, else one."""
    from lambda_web_adapter.adapter.process.app_process import AppProcess

    concurrency = _max_concurrency(environ)
    if concurrency > 1 and settings.workers > 1 and settings.port:
        raise SettingsError(
            f"AWS_LWA_WORKERS is {settings.workers}, and each process needs its own port. Unset AWS_LWA_PORT and PORT."
        )
    for _ in range(min(settings.workers, concurrency)):
        app = AppProcess(settings, command, _serve)
        app.on_one_core = not command and _is_on_one_core(environ)
        yield app


def _import_adapter(settings: Settings) -> None:
    """Import what the adapter needs until the first reply, so that the app's process has it too."""
    start_file.put_in_path(os.path.abspath(settings.app_dir))
    for name in ("_ctypes", "threading", f"{_PACKAGE}.adapter.lifecycle", f"{_PACKAGE}.adapter.process.process_tree"):
        __import__(name)


def _run_adapter(settings: Settings, apps: list[AppProcess], environ: Mapping[str, str]) -> int:
    from lambda_web_adapter.adapter import lifecycle
    from lambda_web_adapter.adapter.diagnostics.log import log

    if rejection := start_file.rejection():
        log("WARNING", rejection)
    if names := unclear_variables(environ):
        from lambda_web_adapter.setting_notes import notes  # rarely needed

        for level, note in notes(names, environ):
            log(level, note)
    init_type = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    environment = lifecycle.Environment(
        max_concurrency=_max_concurrency(environ),
        init_seconds=_INIT_SECONDS if init_type == "on-demand" else float("inf"),
        snap_start=init_type == "snap-start",
    )
    return lifecycle.run(environ["AWS_LAMBDA_RUNTIME_API"], apps, settings, environment)


def _settings_for_report(environ: Mapping[str, str]) -> Settings:
    """Return what is needed to report a failed start: the Runtime API's address, even if other settings are wrong."""
    with suppress(SettingsError):
        return Settings.from_environ({RUNTIME_API_PROXY: environ.get(RUNTIME_API_PROXY, "")})
    return Settings()


def _run_app(argv: list[str], environ: Mapping[str, str], descriptors: str) -> int:
    """Serve the app in this program, which the adapter has executed as its app process."""
    import socket

    listener, channel, *stderr = map(int, descriptors.split(","))
    for descriptor in (listener, channel, *stderr):
        os.set_inheritable(descriptor, False)
    settings, _ = find_target(argv, environ)
    return _serve(settings, socket.socket(fileno=listener), socket.socket(fileno=channel), *stderr)


def _max_concurrency(environ: Mapping[str, str]) -> int:
    """Return how many concurrent invocations there may be (Lambda Managed Instances); elsewhere 1."""
    concurrency = environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "")
    return max(int(concurrency), 1) if concurrency.isdecimal() else 1


def _is_on_one_core(environ: Mapping[str, str]) -> bool:
    """Return whether adapter and app share a core: neither in local runs nor with concurrent invocations."""
    from lambda_web_adapter.adapter.process.cpu_share import lambda_share

    share = lambda_share(environ)
    return share is not None and share <= 1 and not _is_concurrent(environ)


def _has_one_core_s_time(environ: Mapping[str, str]) -> bool:
    from lambda_web_adapter.adapter.process.cpu_share import read_cpu_share

    return not _is_concurrent(environ) and read_cpu_share(environ) <= 1


def _is_concurrent(environ: Mapping[str, str]) -> bool:
    return "AWS_LAMBDA_MAX_CONCURRENCY" in environ


def _find_target_on_lambda(argv: list[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Find the target; raise SettingsError if argparse would exit, since Lambda shows only reported errors."""
    try:
        return find_target(argv, environ)
    except SystemExit:
        raise SettingsError(f"The arguments are not valid: {' '.join(argv)}") from None


def _serve(settings: Settings, listener: socket.socket, channel: socket.socket, stderr: int | None = None) -> int:
    from lambda_web_adapter.app import server  # needed only in the app process

    return server.serve(settings, listener, channel, stderr, single=_max_concurrency(os.environ) == 1)


def _run_server(argv: list[str]) -> int:
    """Serve on the address in AWS_LAMBDA_HTTP_ENDPOINT, as Lambda's web functions require of a program."""
    from lambda_web_adapter.adapter.process.ports import listen
    from lambda_web_adapter.app import server

    settings, command = find_target(argv, os.environ)
    endpoint = os.environ["AWS_LAMBDA_HTTP_ENDPOINT"]
    host, _, port = endpoint.rpartition(":")
    if not port.isdecimal():
        raise SettingsError(f"AWS_LAMBDA_HTTP_ENDPOINT is {endpoint!r}, but it takes host:port.")
    if command:
        return _execute(command, {**os.environ, "PORT": port})
    return server.serve(settings, listen(host.strip("[]"), int(port)))


def _execute(command: list[str], environ: Mapping[str, str]) -> int:
    """Replace this program by an external command; return an exit code if it cannot be executed."""
    try:
        os.execvpe(command[0], command, environ)  # noqa: S606  # its purpose
    except OSError as error:
        sys.stderr.write(f"lambda-web-adapter: {command[0]} cannot be executed: {error.strerror}.\n")
    return NOT_EXECUTED


def find_target(argv: list[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Return what to run, from the first of: the arguments, AWS_LWA_APP, the function's handler, discovery.

    Args:
        argv: the program's arguments.
        environ: the environment variables.

    Returns:
        The settings, whose `app` is the app to import (empty for discovery), and the external command (or empty).

    Raises:
        SettingsError: a setting or an argument is not valid.
        AppNotFound: the target is a file that cannot be run.
    """
    settings = Settings.from_environ(environ)
    options, separator, command = _split(argv)
    if separator and not command:
        raise SettingsError("There is no command after --. Add one, such as: lambda-web-adapter -- node server.js")
    if command:
        return settings, command
    options, app_dir = _without_options(options)
    if len(options) == 2 and options[0] in _SERVING:
        del options[0]
    if app_dir:
        settings = settings.replaced(app_dir=app_dir)
    if len(options) > 1:
        raise SettingsError(f"Only one app can be named, but there are {len(options)}: {' '.join(options)}")
    return _resolve_target(settings, options[0] if options else settings.app, environ)


def _without_options(arguments: list[str]) -> tuple[list[str], str]:
    """Return the arguments without the local run's options, and the value of the one that counts on Lambda, too.

    Raises:
        SettingsError: there is no such option.
    """
    if not any(argument.startswith("-") for argument in arguments):
        return arguments, ""
    from lambda_web_adapter.local.option_names import FLAGS, WITH_VALUE  # most functions have no options

    names, app_dir, values = [], "", iter(arguments)
    for argument in values:
        option, separator, value = argument.partition("=")
        if not argument.startswith("-"):
            names.append(argument)
        elif option in WITH_VALUE:
            value = value if separator else next(values, "")
            app_dir = value if option == "--app-dir" else app_dir
        elif argument not in FLAGS:
            raise SettingsError(f"There is no option {argument}: `lambda-web-adapter run --help` lists them.")
    return names, app_dir


def _split(argv: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in argv:
        return argv, False, []
    index = argv.index("--")
    return argv[:index], True, argv[index + 1 :]


def _resolve_target(settings: Settings, name: str, environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Return an app to import or a file to execute; a handler that is our own file or a placeholder counts as unset."""
    from lambda_web_adapter.errors import AppNotFound

    target = name or environ.get("_HANDLER", "")
    root = environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    path = os.path.join(root, target)
    if not target or not os.path.isfile(path) or target.endswith(".py"):
        return settings.replaced(app=target if name or _is_app_name(target) else ""), []
    if os.path.basename(path) == "bootstrap" and not name:
        return settings, []
    if os.access(path, os.X_OK):
        return settings, [path]
    raise AppNotFound(f"{path} is not executable. Run chmod +x {target}, or name an app, such as main:app.")


def _is_app_name(handler: str) -> bool:
    return ":" in handler or "." in handler
