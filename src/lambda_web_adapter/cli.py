"""The program: words and environment become settings, and settings a run on Lambda, a local run, or a plain server.

    lambda-web-adapter [OPTIONS] [APP]
    lambda-web-adapter [OPTIONS] -- COMMAND [ARGUMENT ...]

With AWS_LAMBDA_RUNTIME_API set this is Lambda's bootstrap; with AWS_LAMBDA_HTTP_ENDPOINT a plain server on that
address; otherwise the local run. What each of them needs is imported once it is known which one it is.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace

from lambda_web_adapter.errors import AppError, SettingsError
from lambda_web_adapter.settings import RUNTIME_API_PROXY, Settings, unclear_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, MutableMapping

    from lambda_web_adapter.adapter.process.app_process import AppProcess

# Up to this size in MB a function gets one vCPU's worth of time (Lambda, "Memory and computing power").
_ONE_VCPU = 1769

# An environment on demand has 10 s to ask for its first event (Lambda, "Init phase"); the request needs its part of it.
_INIT_SECONDS = 9.8

# Exit code for words or settings that make no sense, as argparse has it.
USAGE = 2
# For a command that cannot be executed, as a shell has it.
NOT_EXECUTED = 127


def main(arguments: list[str] | None = None) -> None:
    """Runs the program and exits.

    Args:
        arguments: the words after the program's name; None takes them from `sys.argv`.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from lambda_web_adapter.ipc.log_output import fill_closed_descriptors  # few starts need it

        fill_closed_descriptors()
    argv = sys.argv[1:] if arguments is None else arguments
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        sys.exit(_on_lambda(argv, os.environ))
    if "AWS_LAMBDA_HTTP_ENDPOINT" in os.environ:
        sys.exit(_usage_checked(_as_server, argv))
    sys.exit(_usage_checked(_locally, argv))


def _usage_checked(run: Callable[[list[str]], int], argv: list[str]) -> int:
    """Runs, and says to a person what is wrong with words or settings."""
    try:
        return run(argv)
    except (SettingsError, AppError) as error:
        sys.stderr.write(f"lambda-web-adapter: {error}\n")
        return USAGE


def _locally(argv: list[str]) -> int:
    from lambda_web_adapter.local import invoke, run  # nothing of it is wanted on Lambda

    if argv[:1] == ["invoke"]:
        return invoke.main(argv[1:])
    find_target(argv, os.environ)  # what it finds wrong should not wait for the first request
    options, _, command = _split(argv)
    return run.main(options, command, os.environ)


def _on_lambda(argv: list[str], environ: MutableMapping[str, str]) -> int:
    """Starts the app, and only then imports the rest of the adapter, so that both import side by side."""
    from lambda_web_adapter.adapter.process import app_process

    if app_process.DESCRIPTORS in environ:
        return _as_app(argv, environ, environ.pop(app_process.DESCRIPTORS))
    # Whoever is told to stop before it can pass that on would leave the app behind; `lifecycle` unblocks it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    problem: SettingsError | AppError | None = None
    apps: list[AppProcess] = []
    settings = Settings()
    concurrency = _max_concurrency(environ)
    try:
        settings, command = _find_target_on_lambda(argv, environ)
        if concurrency > 1 and settings.workers > 1 and settings.port:
            raise SettingsError(
                f"AWS_LWA_WORKERS is {settings.workers}, which takes as many ports: unset AWS_LWA_PORT and PORT."
            )
        for _ in range(min(settings.workers, concurrency)):
            app = app_process.AppProcess(settings, command, _serve)
            app.on_one_core = not command and _on_one_core(settings, environ)
            app.start()  # the app process ends by a SystemExit out of this call, which nothing here may catch
            apps.append(app)
    except (SettingsError, AppError) as error:
        problem = error
        settings = _settings_for_report(environ)

    from lambda_web_adapter.adapter import lifecycle
    from lambda_web_adapter.adapter.diagnostics.log import log

    address = environ["AWS_LAMBDA_RUNTIME_API"]
    if problem:
        return lifecycle.report_init_error(address, problem, settings, apps)
    if names := unclear_variables(environ):
        from lambda_web_adapter.setting_notes import notes  # mostly nobody needs them

        for level, note in notes(names, environ):
            log(level, note)
    by = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    init_seconds = _INIT_SECONDS if by == "on-demand" else float("inf")
    kind = lifecycle.Environment(max_concurrency=concurrency, init_seconds=init_seconds, snap_start=by == "snap-start")
    return lifecycle.run(address, apps, settings, kind)


def _settings_for_report(environ: Mapping[str, str]) -> Settings:
    """Return what the report of a failed start needs, where the Runtime API is, whatever is wrong with the rest."""
    with suppress(SettingsError):
        return Settings.from_environ({RUNTIME_API_PROXY: environ.get(RUNTIME_API_PROXY, "")})
    return Settings()


def _as_app(argv: list[str], environ: Mapping[str, str], descriptors: str) -> int:
    """Goes on as the app process of an adapter that has executed this program for it."""
    import socket

    listener, channel, *stderr = map(int, descriptors.split(","))
    for descriptor in (listener, channel, *stderr):
        os.set_inheritable(descriptor, False)
    settings, _ = find_target(argv, environ)
    return _serve(settings, socket.socket(fileno=listener), socket.socket(fileno=channel), *stderr)


def _max_concurrency(environ: Mapping[str, str]) -> int:
    """Says how many invocations there may be at once (Lambda Managed Instances); elsewhere there is one at a time."""
    number = environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "")
    return max(int(number), 1) if number.isdecimal() else 1


def _on_one_core(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Decides whether adapter and app share a core; local runs and those of several invocations at once do not."""
    if settings.one_core != "auto":
        return settings.one_core == "always"
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    is_concurrent = "AWS_LAMBDA_MAX_CONCURRENCY" in environ
    return memory.isdecimal() and int(memory) <= _ONE_VCPU and not is_concurrent


def _find_target_on_lambda(argv: list[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Finds out what to run, where nobody reads what argparse prints before it ends the process."""
    try:
        return find_target(argv, environ)
    except SystemExit:
        raise SettingsError(f"These words make no sense: {' '.join(argv)}") from None


def _serve(settings: Settings, listener: socket.socket, channel: socket.socket, stderr: int | None = None) -> int:
    from lambda_web_adapter.app import server  # only the app process needs it

    return server.serve(settings, listener, channel, stderr, single=_max_concurrency(os.environ) == 1)


def _as_server(argv: list[str]) -> int:
    """Binds the address in AWS_LAMBDA_HTTP_ENDPOINT and serves, as Lambda's web functions ask of a program."""
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


def _execute(command: list[str], environment: Mapping[str, str]) -> int:
    """Executes a command in place of this program; returns the exit code if it cannot be."""
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606  # that is what it is for
    except OSError as error:
        sys.stderr.write(f"lambda-web-adapter: {command[0]} cannot be executed: {error.strerror}.\n")
    return NOT_EXECUTED


def find_target(argv: list[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Finds out what to run, in this order: the words, AWS_LWA_APP, the function's handler, discovery.

    Args:
        argv: the program's words.
        environ: the variables.

    Returns:
        The settings, whose `app` is what to import (or empty for discovery), and the command, if it is one.

    Raises:
        SettingsError: a setting, or the words, make no sense.
        AppNotFound: the handler names a file that cannot be run.
    """
    settings = Settings.from_environ(environ)
    options, separator, command = _split(argv)
    if separator and not command:
        raise SettingsError("After -- a command was expected, such as: lambda-web-adapter -- node server.js")
    if command:
        return settings, command
    if any(argument.startswith("-") for argument in options):
        from lambda_web_adapter.local import arguments  # argparse is left out where it can be

        options = arguments.parse(options).app
    if len(options) > 1:
        raise SettingsError(f"One app was expected, but there are {len(options)}: {' '.join(options)}")
    return _resolve_target(settings, options[0] if options else settings.app, environ)


def _split(argv: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in argv:
        return argv, False, []
    index = argv.index("--")
    return argv[:index], True, argv[index + 1 :]


def _resolve_target(settings: Settings, name: str, environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Tells an app's name from an executable's; a handler that is our own file, or a placeholder, names nothing."""
    from lambda_web_adapter.errors import AppNotFound

    target = name or environ.get("_HANDLER", "")
    root = environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    path = os.path.join(root, target)
    if not target or not os.path.isfile(path):
        return replace(settings, app=target if name or _is_app_name(target) else ""), []
    if target.endswith(".py"):
        raise AppNotFound(f"{target} is a file; name the app in it, such as {target.removesuffix('.py')}:app.")
    if os.path.basename(path) == "bootstrap" and not name:
        return settings, []
    if os.access(path, os.X_OK):
        return settings, [path]
    raise AppNotFound(
        f"{path} is to be run, but is not executable: chmod +x {target}, or name an app such as main:app."
    )


def _is_app_name(handler: str) -> bool:
    return ":" in handler or "." in handler
