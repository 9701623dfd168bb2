"""Every setting, declared once: field, variables, accepted values, default, meaning.

The names are those of the AWS Lambda Web Adapter where it has the setting, so that templates move over unchanged.
`docs/settings.md` holds the same table; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from lambda_web_adapter.errors import SettingsError
from lambda_web_adapter.setting_parsers import (
    address,
    base_path,
    count,
    error_status,
    event_path,
    header_name,
    header_names,
    hook_path,
    one_of,
    port_number,
    seconds,
    seconds_or_no_bound,
    seconds_or_zero,
    status_codes,
    switch,
    target,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

PREFIX = "AWS_LWA_"
# Needed by itself: to report a start that failed since other settings cannot be used, and by a local run.
RUNTIME_API_PROXY = "AWS_LWA_LAMBDA_RUNTIME_API_PROXY"
# What the names of settings begin with, those that have been, and those that were mistyped.
_LIKE_SETTINGS = ("AWS_LW", "LWA_", "READINESS_CHECK_", "REMOVE_BASE_PATH", "ASYNC_INIT")


def _option(variables: str, read: Callable[[str], Any], default: Any, meaning: str) -> Any:
    """Declares a setting; the first of its variables that is set wins."""
    return field(default=default, metadata={"variables": tuple(variables.split()), "read": read, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked. An object that exists is valid."""

    app: str = _option(
        "AWS_LWA_APP",
        text,
        "",
        "The app to run when the command line names none: `main:app`, `main.app`, or an executable.",
    )
    host: str = _option("AWS_LWA_HOST", text, "127.0.0.1", "The address that the app listens on.")
    port: int = _option(
        "AWS_LWA_PORT PORT",
        port_number,
        0,
        "The port that the app listens on. Unset: a free one for a Python app, 8080 for a command "
        "(a free one if 8080 is taken). A command finds it in `PORT`.",
    )
    interface: str = _option(
        "AWS_LWA_INTERFACE",
        one_of("auto", "asgi", "wsgi"),
        "auto",
        "What kind of app the object is, when looking at it gives the wrong answer.",
    )
    server: str = _option(
        "AWS_LWA_SERVER",
        one_of("auto", "uvicorn"),
        "auto",
        "`uvicorn` serves a WSGI app by a2wsgi on uvicorn instead of the built-in WSGI server.",
    )
    loop: str = _option(
        "AWS_LWA_LOOP",
        one_of("auto", "uvloop", "asyncio"),
        "auto",
        "The event loop of an ASGI app. `auto`: uvloop, or asyncio's own after `gevent.patch_all()` and "
        "`eventlet.monkey_patch()`. `asyncio`: for libraries that patch asyncio's loop, such as nest_asyncio.",
    )
    lifespan: str = _option(
        "AWS_LWA_LIFESPAN",
        one_of("auto", "on", "off"),
        "auto",
        "Whether an ASGI app is called for its lifespan. `auto`: yes, and one that raises instead of answering is "
        "served anyway, with a warning in the log unless it says that it has no lifespan. `on`: yes, and that is an "
        "error of the start. `off`: no.",
    )
    one_core: str = _option(
        "AWS_LWA_ONE_CORE",
        one_of("auto", "always", "never"),
        "auto",
        "Whether a Python app and the adapter, which take turns, run on one core. `auto`: on Lambda up to 1,769 MB, "
        "where there is one core's worth of time anyway.",
    )
    workers: int = _option(
        "AWS_LWA_WORKERS",
        count,
        1,
        "In how many processes, up to 99, the app runs where there are several invocations at once (Lambda Managed "
        "Instances). Each takes a port of its own, so that none can be set.",
    )
    readiness_check_path: str = _option(
        "AWS_LWA_READINESS_CHECK_PATH READINESS_CHECK_PATH",
        target,
        "",
        "A command is ready when a GET of this path has a healthy status. Unset: when its port takes a connection. "
        "A Python app says itself when it is ready.",
    )
    readiness_check_port: int = _option(
        "AWS_LWA_READINESS_CHECK_PORT READINESS_CHECK_PORT",
        port_number,
        0,
        "The port to check, when it is not the app's port.",
    )
    readiness_check_protocol: str = _option(
        "AWS_LWA_READINESS_CHECK_PROTOCOL READINESS_CHECK_PROTOCOL",
        one_of("", "http", "tcp"),
        "",
        "`tcp` checks the port even if a path is set; `http` without a path checks `/`.",
    )
    readiness_check_healthy_status: frozenset[int] = _option(
        "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",
        status_codes,
        frozenset(range(100, 500)),
        "The statuses that count as healthy: codes and ranges, such as `200,300-399`.",
    )
    readiness_check_timeout: float = _option(
        "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS",
        seconds_or_no_bound,
        0.0,
        "How long to wait for the app to be ready before the start counts as failed; 0 or less: without bound. Unset: "
        "as long as Lambda gives it, and an app that is not ready when an invocation's time is up, 130 s or more after "
        "its start, is started again.",
    )
    snapstart_before_checkpoint_path: str = _option(
        "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",
        hook_path,
        "",
        "With SnapStart, the app gets an empty POST of this path before the snapshot, which has to be answered with a "
        "2xx; clients that ask for it get a 403. See [lifecycle.md](lifecycle.md#snapstart).",
    )
    snapstart_after_restore_path: str = _option(
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",
        hook_path,
        "",
        "The same after each restore, before the first event.",
    )
    pool_idle_timeout: float = _option(
        "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",
        seconds_or_zero,
        1.0,
        "How long the connection to a command may have been idle to be used for another request; 0: each request gets "
        "one of its own. A Python app says itself when it closes one.",
    )
    remove_base_path: str = _option(
        "AWS_LWA_REMOVE_BASE_PATH REMOVE_BASE_PATH",
        base_path,
        "",
        "A path prefix to take off, by whole segments. The app gets it back as `root_path` or `SCRIPT_NAME`, "
        "a command as `X-Forwarded-Prefix`.",
    )
    root_path: str = _option(
        "AWS_LWA_ROOT_PATH",
        one_of("auto", "in-path", "apart", "none"),
        "auto",
        "Where an ASGI app finds the removed stage or base path. `in-path`: in `root_path`, and in front of `path`, as "
        "ASGI has it. `apart`: in `root_path` only. `none`: the app does not get it, and a WSGI app's `SCRIPT_NAME` "
        "is empty. `auto`: as the framework needs it; see "
        "[frameworks.md](frameworks.md#stages-and-base-paths).",
    )
    remove_stage: str = _option(
        "AWS_LWA_REMOVE_STAGE",
        one_of("auto", "always", "never"),
        "auto",
        "Whether an HTTP API's stage is taken off the path. `auto`: on the API's own host, not on a custom domain.",
    )
    pass_through_path: str = _option(
        "AWS_LWA_PASS_THROUGH_PATH",
        event_path,
        "/events",
        "Where the app gets events that are not HTTP requests, as a POST. `{source}` stands for the event's source: "
        "`/events/{source}` gives `/events/sqs`.",
    )
    event_errors: str = _option(
        "AWS_LWA_EVENT_ERRORS",
        one_of("fail", "return"),
        "fail",
        "What a status that is not 2xx means for an event that is not an HTTP request. `fail`: the invocation fails, "
        "and a queue delivers again. `return`: the body is the result all the same.",
    )
    protect_event_paths: bool = _option(
        "AWS_LWA_PROTECT_EVENT_PATHS",
        switch,
        False,
        "Whether HTTP requests to the paths of events are refused with a 403: to `AWS_LWA_PASS_THROUGH_PATH`, with any "
        "one segment for `{source}`, and to `AWS_LWA_WEBSOCKET_PATH` and all below it, however they are spelled.",
    )
    websocket_path: str = _option(
        "AWS_LWA_WEBSOCKET_PATH",
        base_path,
        "",
        "Where the app gets the events of a WebSocket API: POSTs to `/connect`, `/disconnect` and the route's name "
        "below this path. Unset: they go to the pass-through path.",
    )
    bedrock_agent: bool = _option(
        "AWS_LWA_BEDROCK_AGENT",
        switch,
        False,
        "Whether a Bedrock agent's calls of an OpenAPI action group become requests of that API. `false`: they go to "
        "the pass-through path.",
    )
    trusted_hops: int = _option(
        "AWS_LWA_TRUSTED_HOPS",
        count,
        1,
        "How many proxies in front of the app add themselves to `X-Forwarded-For`, the load balancer included: 2 with "
        "CloudFront before it. For load balancers and VPC Lattice, whose events have no address of their own.",
    )
    authorization_source: str = _option(
        "AWS_LWA_AUTHORIZATION_SOURCE",
        header_name,
        "",
        "A header whose value the app gets as `Authorization`, for functions behind IAM: SigV4 takes that header.",
    )
    exclude_response_headers: frozenset[bytes] = _option(
        "AWS_LWA_EXCLUDE_RESPONSE_HEADERS",
        header_names,
        frozenset(),
        "Headers that the client does not get, such as `server,x-powered-by`.",
    )
    invoke_mode: str = _option(
        "AWS_LWA_INVOKE_MODE",
        one_of("buffered", "response_stream"),
        "buffered",
        "`response_stream`: responses to function URLs and REST APIs go out as the app makes them; the URL's invoke "
        "mode has to be RESPONSE_STREAM, the API's integration STREAM. All other events are answered whole. "
        "See [streaming.md](streaming.md).",
    )
    enable_compression: bool = _option(
        "AWS_LWA_ENABLE_COMPRESSION",
        switch,
        False,
        "Whether responses are compressed for clients that accept it, where the app has not done so: by gzip, and by "
        "brotli and zstd if the extra `compression` is installed.",
    )
    too_large_status: int = _option(
        "AWS_LWA_TOO_LARGE_STATUS",
        error_status,
        502,
        "What the caller gets instead of a reply that is larger than Lambda takes: a status from 400 to 599, "
        "such as 413. Below 500 it is a warning in the log, else an error.",
    )
    error_status_codes: frozenset[int] = _option(
        "AWS_LWA_ERROR_STATUS_CODES",
        status_codes,
        frozenset(),
        "Statuses of the app that fail the invocation, for alarms and retries; an HTTP caller gets the gateway's 502.",
    )

    context_headers: str = _option(
        "AWS_LWA_CONTEXT_HEADERS",
        one_of("auto", "always", "never"),
        "auto",
        "Which apps get the headers `x-amzn-request-context` and `x-amzn-lambda-context`. `auto`: commands; a Python "
        "app has `current_event()` and `current_context()` instead. See [context.md](context.md).",
    )
    event_in_environ: bool = _option(
        "AWS_LWA_EVENT_IN_ENVIRON",
        switch,
        False,
        'Whether a WSGI app finds the event as `environ["aws.event"]`; it is read with each request for that. '
        "`current_event()` reads it when it is called, and ASGI's `scope` when asked. See [context.md](context.md).",
    )
    underscore_headers: bool = _option(
        "AWS_LWA_UNDERSCORE_HEADERS",
        switch,
        False,
        "Whether a WSGI app gets headers whose names have an underscore. It cannot tell `x_user` from `x-user`, so "
        "that a client could speak for a gateway.",
    )
    before_freeze_seconds: float = _option(
        "AWS_LWA_BEFORE_FREEZE_SECONDS",
        seconds,
        1.0,
        "How long the app's `before_freeze` functions may take after each request.",
    )
    deadline_margin: float = _option(
        "AWS_LWA_DEADLINE_MARGIN_SECONDS",
        seconds,
        0.3,
        "How long before the function's time-out the adapter gives up on the app: it answers 504 or fails the "
        "invocation, logs what the app was doing, and ends it, so that the next event meets a clean one; of several "
        "invocations at once it gives up this one only.",
    )
    access_log: bool = _option(
        "AWS_LWA_ACCESS_LOG",
        switch,
        False,
        "Whether there is a line in the log for each invocation: method, path, status, times and sizes. "
        "See [logs.md](logs.md).",
    )
    register_extension: bool = _option(
        "AWS_LWA_REGISTER_EXTENSION",
        switch,
        True,
        "Whether to register an extension without events. Lambda sends SIGTERM, for lifespan shutdown and `atexit`, "
        "only where there is an extension; it counts as one of the ten that a function may have.",
    )
    runtime_api_proxy: str = _option(
        RUNTIME_API_PROXY,
        address,
        "",
        "Where an extension listens that intercepts the Runtime API: `host:port` or `http://host:port`, and perhaps a "
        "path, which goes before the API's own. It has 5 s to listen. See "
        "[lifecycle.md](lifecycle.md#extensions-in-front-of-the-runtime-api).",
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Reads the settings; a variable that is set but empty counts as not set.

        Args:
            environ: the variables, as in `os.environ`.

        Raises:
            SettingsError: a value cannot be used; the text names variable, value and what is accepted.
        """
        values: dict[str, Any] = {}
        for option in fields(cls):
            for variable in option.metadata["variables"]:
                value = environ.get(variable)
                if not value:
                    continue
                try:
                    values[option.name] = option.metadata["read"](value)
                except ValueError as error:
                    raise SettingsError(f"{variable} is {value!r}, but it takes {error}.") from None
                break
        settings = cls(**values)
        for name in ("snapstart_before_checkpoint_path", "snapstart_after_restore_path"):
            hook = getattr(settings, name)
            if hook and hook.lower() == settings.pass_through_path.rstrip("/").lower():
                raise SettingsError(
                    f"{PREFIX}{name.upper()} is {hook!r}, but it takes another path than events have "
                    f"(AWS_LWA_PASS_THROUGH_PATH, which is {settings.pass_through_path!r})."
                )
        return settings


def unclear_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings but are none, or old names; `setting_notes` says what they are."""
    names = {option.metadata["variables"][0] for option in fields(Settings)}
    return sorted(name for name in environment if name.upper().startswith(_LIKE_SETTINGS) and name not in names)
