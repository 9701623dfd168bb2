"""What variables, templates and an image's command say: settings, timeouts, ports, layers that collide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_web_adapter import setting_notes
from lambda_web_adapter.doctor.findings import Group, Rule, Severity
from lambda_web_adapter.errors import SettingsError
from lambda_web_adapter.settings import Settings, unclear_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject
    from lambda_web_adapter.doctor.templates import FunctionTemplate

INVALID_SETTING = Rule(
    id="invalid-setting",
    group=Group.RUNTIME,
    severity=Severity.ERROR,
    title="A setting has a value that it does not take, so that the function does not start.",
    advice="docs/settings.md lists the settings and their values.",
)
UNKNOWN_SETTING = Rule(
    id="unknown-setting",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="A variable looks like a setting, but is none, or is an old name.",
    advice="docs/settings.md lists the settings.",
)
CONTRADICTING_SETTINGS = Rule(
    id="contradicting-settings",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="Two settings, or a setting and the template, contradict each other.",
    advice="Change one of the two.",
)
EXEC_WRAPPER = Rule(
    id="exec-wrapper",
    group=Group.RUNTIME,
    severity=Severity.ERROR,
    title="AWS_LAMBDA_EXEC_WRAPPER is wanted by two, or leads nowhere.",
    advice="Set it to a script of your own that calls the other wrapper with the bootstrap: docs/tracing.md.",
)
OTHER_ADAPTER = Rule(
    id="other-adapter",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="Another adapter is there as well.",
    advice="Leave out one of the two.",
)
GATEWAY_TIMEOUT = Rule(
    id="gateway-timeout",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The function may take longer than its gateway waits.",
    advice="Set the timeout to 29 s or less, or use a function URL, which waits 15 minutes. Those of regional APIs "
    "are a quota that AWS raises on request.",
)
FIXED_PORT = Rule(
    id="fixed-port",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The image's command listens on another port than the adapter expects.",
    advice="Listen on $PORT, or set AWS_LWA_PORT to that port.",
)
WORKERS_IN_COMMAND = Rule(
    id="workers-in-command",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The image's command starts several workers, of which one gets requests.",
    advice="Name the app instead (lambda-web-adapter main:app), or start one worker.",
)
BUFFERED_OUTPUT = Rule(
    id="buffered-output",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="What the image's command prints waits in a buffer of kilobytes: it comes with a later request, or never.",
    advice="Set PYTHONUNBUFFERED=1, or name the app instead (lambda-web-adapter main:app).",
)
NO_BYTECODE_WRITTEN = Rule(
    id="no-bytecode-variable",
    group=Group.RUNTIME,
    severity=Severity.NOTE,
    title="PYTHONDONTWRITEBYTECODE is set in an image, whose build then compiles nothing by itself.",
    advice="Leave it out; the file system of a function is read-only anyway.",
)
RULES = (
    INVALID_SETTING,
    UNKNOWN_SETTING,
    CONTRADICTING_SETTINGS,
    EXEC_WRAPPER,
    OTHER_ADAPTER,
    GATEWAY_TIMEOUT,
    FIXED_PORT,
    WORKERS_IN_COMMAND,
    BUFFERED_OUTPUT,
    NO_BYTECODE_WRITTEN,
)

_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_BOOTSTRAPS = ("/var/task/bootstrap", "/opt/bootstrap")
_COPY = "Copy lambda_web_adapter/bootstrap to the root of the package, with its run bit."
# Layers that want the variable for a wrapper of their own, by a part of their ARN.
_WRAPPING_LAYERS = {"AWSOpenTelemetryDistro": "/opt/otel-instrument", "aws-otel-python": "/opt/otel-instrument"}
_WRAPPING_LAYERS |= {"opentelemetry-python": "/opt/otel-instrument", "LumigoPython": "/opt/lumigo_wrapper"}
_WRAPPING_LAYERS |= {"Datadog-Python": "/opt/datadog_wrapper", "Dynatrace_OneAgent": "/opt/dynatrace"}
# The layers and the file of the AWS Lambda Web Adapter.
_OTHER_LAYERS = ("LambdaAdapterLayer",)
_OTHER_FILES = ("opt/extensions/lambda-adapter", "extensions/lambda-adapter")
# API Gateway Developer Guide, "Quotas": 29 s for REST APIs, 30 s for HTTP APIs; load balancers have no such limit.
_GATEWAY_SECONDS = {"Api": 29, "HttpApi": 30}
_DEFAULT_PORT = 8080  # of an external command
_PORT = re.compile(r"(?:--port[= ]|-p |--bind[= ]\S*:|-b \S*:)(\d{2,5})\b")
# A command in Python, in place of an app's name; `-u` writes at once.
_PYTHON_COMMAND = re.compile(r" -- (?:\S*/)?(?P<name>python[\d.]*|gunicorn|uvicorn|hypercorn|granian)\b(?! -u)")
_WORKERS = re.compile(r"\b(gunicorn|uvicorn|hypercorn|granian|uwsgi)\b.* (?:--workers[= ]|-w |--processes[= ])(\d+)")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with variables, templates and an image's command."""
    image = subject.artifact.image
    if image:
        yield from check_environ(image.environ, "")
        yield from _check_command(" ".join((*image.entrypoint, *image.command)), image.environ)
        if image.environ.get("PYTHONDONTWRITEBYTECODE"):
            yield NO_BYTECODE_WRITTEN.broken("The image sets PYTHONDONTWRITEBYTECODE.")
    for function in subject.functions:
        yield from check_environ(function.environ, function.file.name)
        yield from _check_function(function, subject)
    if any(path in subject.artifact.entries for path in _OTHER_FILES):
        message = "The AWS Lambda Web Adapter is in it: it starts as an extension, and waits for a port of its own."
        yield OTHER_ADAPTER.broken(message, next(path for path in _OTHER_FILES if path in subject.artifact.entries))


def check_environ(environ: Mapping[str, str], path: str) -> Iterator[Finding]:
    """Yield what is wrong with the settings among variables.

    Args:
        environ: the variables.
        path: the file that sets them.
    """
    try:
        settings = Settings.from_environ(environ)
    except SettingsError as error:
        yield INVALID_SETTING.broken(str(error), path)
        return
    for level, text in setting_notes.notes(unclear_variables(environ), environ):
        severity = Severity.NOTE if level == "INFO" else None
        yield UNKNOWN_SETTING.broken(text, path, severity=severity)
    for message in _contradictions(settings, environ):
        yield CONTRADICTING_SETTINGS.broken(message, path)


def _contradictions(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    if settings.workers > 1 and settings.port and "AWS_LWA_PORT" in environ:
        yield f"AWS_LWA_WORKERS is {settings.workers}, each with its own port, but AWS_LWA_PORT is {settings.port}."
    if settings.readiness_check_protocol == "tcp" and settings.readiness_check_path:
        yield "AWS_LWA_READINESS_CHECK_PROTOCOL is tcp, so that AWS_LWA_READINESS_CHECK_PATH is never requested."
    if settings.lifespan == "on" and settings.interface == "wsgi":
        yield "AWS_LWA_LIFESPAN is on, but a WSGI app (AWS_LWA_INTERFACE) has no lifespan."
    if settings.websocket_path == settings.pass_through_path:
        yield "AWS_LWA_WEBSOCKET_PATH and AWS_LWA_PASS_THROUGH_PATH are the same path."


def _check_function(function: FunctionTemplate, subject: Subject) -> Iterator[Finding]:
    place = function.file.name
    for kind, seconds in _GATEWAY_SECONDS.items():
        if kind in function.events and function.timeout > seconds:
            end = (
                f"but its gateway ({kind}) responds with an error after {seconds} s; the function goes on, and is paid."
            )
            yield GATEWAY_TIMEOUT.broken(f"{function.name} has a timeout of {function.timeout:g} s, {end}", place)
    mode = function.environ.get("AWS_LWA_INVOKE_MODE", "buffered").upper()
    if function.invoke_mode and mode != function.invoke_mode:
        end = f"but its URL's invoke mode is {function.invoke_mode}."
        yield CONTRADICTING_SETTINGS.broken(f"AWS_LWA_INVOKE_MODE of {function.name} is {mode.lower()}, {end}", place)
    yield from _check_wrapper(function, subject)
    for layer in function.layers:
        if any(name in layer for name in _OTHER_LAYERS):
            message = f"{function.name} has the layer of the AWS Lambda Web Adapter, {layer.rpartition(':layer:')[2]}."
            yield OTHER_ADAPTER.broken(message, place)


def _check_wrapper(function: FunctionTemplate, subject: Subject) -> Iterator[Finding]:
    name, place, wrapper = function.name, function.file.name, function.environ.get(_WRAPPER, "")
    wrapping = [(layer, path) for layer in function.layers for part, path in _WRAPPING_LAYERS.items() if part in layer]
    has_bootstrap = "bootstrap" in subject.artifact.entries
    if wrapper in _BOOTSTRAPS and wrapping:
        layer, path = wrapping[0]
        reason = f"{path} of the layer {layer.rpartition(':layer:')[2]} is not run."
        yield EXEC_WRAPPER.broken(f"{name} sets it to {wrapper}, so that {reason}", place)
    elif wrapper.startswith("/opt/") and wrapper not in _BOOTSTRAPS and has_bootstrap:
        message = f"{name} sets it to {wrapper}, so that the bootstrap in the artifact is not run."
        yield EXEC_WRAPPER.broken(message, place)
    elif has_bootstrap and not wrapper and function.runtime.startswith("python"):
        message = f"{name} does not set it, so that {function.runtime} starts its own bootstrap, not the artifact's."
        yield EXEC_WRAPPER.broken(message, place, advice=f"Set {_WRAPPER}={_BOOTSTRAPS[0]}.")
    elif function.handler and not wrapper and not function.layers and _has_adapter(subject) and not has_bootstrap:
        message = f"{name} has the adapter, but nothing starts it: the runtime calls {function.handler} with events."
        yield EXEC_WRAPPER.broken(message, place, advice=f"{_COPY} Then set {_WRAPPER}={_BOOTSTRAPS[0]}.")
    elif wrapper == _BOOTSTRAPS[0] and not has_bootstrap and not subject.is_project:
        yield EXEC_WRAPPER.broken(f"{name} sets it to {wrapper}, but there is no such file.", place, advice=_COPY)


def _has_adapter(subject: Subject) -> bool:
    return any(package.name == "lambda-web-adapter" for package in subject.packages) and not subject.is_project


def _check_command(command: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    port = _PORT.search(command)
    expected = environ.get("AWS_LWA_PORT") or environ.get("PORT") or str(_DEFAULT_PORT)
    if port and " -- " in command and port[1] != expected:
        yield FIXED_PORT.broken(f"The command listens on {port[1]}, but the adapter expects {expected}: {command}")
    python = _PYTHON_COMMAND.search(command)
    if python and not environ.get("PYTHONUNBUFFERED"):
        yield BUFFERED_OUTPUT.broken(f"{python['name']} is started, and PYTHONUNBUFFERED is not set.")
    workers = _WORKERS.search(command)
    if workers and int(workers[2]) > 1:
        yield WORKERS_IN_COMMAND.broken(
            f"{workers[1]} starts {workers[2]} workers, which all cost start time and memory."
        )
