"""Every setting, declared once: field, variables, accepted values, default, meaning.

The names are those of the AWS Lambda Web Adapter where it has the setting, so that templates move over unchanged.
`docs/settings.md` holds the same table; a test compares the two.
"""

from __future__ import annotations

from lambda_web_adapter.errors import SettingsError
from lambda_web_adapter.setting_parsers import (
    address,
    base_path,
    command_line,
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
# It is also read without the others: to report a start that failed because of them, and by a local run.
RUNTIME_API_PROXY = "AWS_LWA_LAMBDA_RUNTIME_API_PROXY"
# A local run sets it for `--app-dir`.
APP_DIR = "AWS_LWA_APP_DIR"
# Prefixes of current, former and mistyped names of settings.
_SETTING_PREFIXES = ("AWS_LW", "LWA_", "READINESS_CHECK_", "REMOVE_BASE_PATH", "ASYNC_INIT")


class Option:
    """What is declared about a setting.

    Attributes:
        name: the attribute of `Settings`.
        variables: its environment variables; the first one that is set wins.
        read: returns a variable's value as the setting's; raises ValueError with what is accepted.
        default: the value if no variable is set.
        meaning: the text of docs/settings.md.
    """

    def __init__(self, variables: str, read: Callable[[str], Any], default: Any, meaning: str) -> None:
        """Declare a setting."""
        self.name = ""
        self.variables = tuple(variables.split())
        self.read = read
        self.default = default
        self.meaning = meaning

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


def _option(variables: str, read: Callable[[str], Any], default: Any, meaning: str) -> Any:
    """Declare a setting as an attribute of `Settings`, which has the value's type."""
    return Option(variables, read, default, meaning)


class Settings:
    """All settings, validated.

    Not a dataclass: that would add 2 ms to each cold start.
    """

    app: str = _option(
        "AWS_LWA_APP",
        text,
        "",
        "The app to run when the command line names none: `main:app`, `main.app`, `app/main.py`, "
        '`main:create_app("dev")`, or an executable. See [finding-the-app.md](finding-the-app.md).',
    )
    app_dir: str = _option(
        APP_DIR,
        text,
        "",
        "The folder of the app, if it is not the current one: it is searched for the app, and put first in `sys.path`. "
        "The same as `--app-dir`.",
    )
    host: str = _option("AWS_LWA_HOST", text, "127.0.0.1", "The address that the app listens on.")
    port: int = _option(
        "AWS_LWA_PORT PORT",
        port_number,
        0,
        "The port that the app listens on. Unset: a free one for a Python app; for an external command, which finds it "
        "in `PORT`, 8080, or one from 10000 to 14999 if 8080 is taken or there are several workers.",
    )
    interface: str = _option(
        "AWS_LWA_INTERFACE",
        one_of("auto", "asgi", "wsgi"),
        "auto",
        "The interface of the app, if it is not detected correctly.",
    )
    server: str = _option(
        "AWS_LWA_SERVER",
        one_of("auto", "uvicorn"),
        "auto",
        "`uvicorn`: uvicorn starts the server and calls the lifespan of an ASGI app; a WSGI app runs through a2wsgi.",
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
        "Whether an ASGI app's lifespan is called. `auto`: yes; if the app raises during startup, it is served "
        "anyway, with a warning in the log unless the error says that lifespan is not supported. `on`: yes, and such "
        "an error fails the start. `off`: no.",
    )
    workers: int = _option(
        "AWS_LWA_WORKERS",
        count,
        1,
        "The number of app processes, 1 to 99, for concurrent invocations (Lambda Managed Instances). Each process "
        "needs its own port, so that no port can be set.",
    )
    readiness_check_path: str = _option(
        "AWS_LWA_READINESS_CHECK_PATH READINESS_CHECK_PATH",
        target,
        "",
        "An external command is ready when a GET of this path returns a healthy status. Unset: when its port accepts "
        "a connection. A Python app reports readiness itself.",
    )
    readiness_check_port: int = _option(
        "AWS_LWA_READINESS_CHECK_PORT READINESS_CHECK_PORT",
        port_number,
        0,
        "The port to check, if it is not the app's port.",
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
        "How long to wait for readiness before the start counts as failed; 0 or less: no limit. Unset: as long as "
        "Lambda allows; an app that is not ready at the end of an invocation, 130 s or more after its start, is "
        "restarted.",
    )
    snapstart_before_checkpoint_path: str = _option(
        "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",
        hook_path,
        "",
        "With SnapStart, the app gets an empty POST to this path before the snapshot, and has to respond with a 2xx "
        "status; clients that request it get a 403. See [lifecycle.md](lifecycle.md#snapstart).",
    )
    snapstart_after_restore_path: str = _option(
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",
        hook_path,
        "",
        "The same, after each restore and before the first event.",
    )
    pool_idle_timeout: float = _option(
        "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",
        seconds_or_zero,
        1.0,
        "How long a connection to an external command may be idle and still be used again; 0: each request gets a new "
        "one. A Python app announces when it closes one.",
    )
    remove_base_path: str = _option(
        "AWS_LWA_REMOVE_BASE_PATH REMOVE_BASE_PATH",
        base_path,
        "",
        "A path prefix to remove, by whole segments. The app gets it as `root_path` or `SCRIPT_NAME`, an external "
        "command as `X-Forwarded-Prefix`.",
    )
    root_path: str = _option(
        "AWS_LWA_ROOT_PATH",
        one_of("auto", "in-path", "apart", "none"),
        "auto",
        "Where an ASGI app finds the removed stage or base path. `in-path`: in `root_path`, and at the start of "
        "`path`, as ASGI specifies. `apart`: in `root_path` only. `none`: nowhere, and a WSGI app's `SCRIPT_NAME` is "
        "empty. `auto`: as the framework needs it; see [frameworks.md](frameworks.md#stages-and-base-paths).",
    )
    remove_stage: str = _option(
        "AWS_LWA_REMOVE_STAGE",
        one_of("auto", "always", "never"),
        "auto",
        "Whether an HTTP API's stage is removed from the path. `auto`: on the API's own host, not on a custom domain.",
    )
    pass_through_path: str = _option(
        "AWS_LWA_PASS_THROUGH_PATH",
        event_path,
        "/events",
        "The path to which events that are not HTTP requests are sent, as a POST. `{source}` stands for the event "
        "source: `/events/{source}` gives `/events/sqs`.",
    )
    event_errors: str = _option(
        "AWS_LWA_EVENT_ERRORS",
        one_of("fail", "return"),
        "fail",
        "What a status other than 2xx means for an event that is not an HTTP request. `fail`: the invocation fails, "
        "and a queue redelivers the event. `return`: the response body is the reply anyway.",
    )
    protect_event_paths: bool = _option(
        "AWS_LWA_PROTECT_EVENT_PATHS",
        switch,
        False,
        "Whether HTTP requests to the paths of events get a 403: to `AWS_LWA_PASS_THROUGH_PATH`, with any one segment "
        "for `{source}`, and to `AWS_LWA_WEBSOCKET_PATH` and all below it, in any spelling.",
    )
    commands: tuple[str, ...] = _option(
        "AWS_LWA_COMMANDS",
        command_line,
        (),
        'The program that runs commands of the app on an event such as `{"command": ["migrate"]}`: '
        "`python3 manage.py`. Unset: no event does. See [commands-on-lambda.md](commands-on-lambda.md).",
    )
    websocket_path: str = _option(
        "AWS_LWA_WEBSOCKET_PATH",
        base_path,
        "",
        "The path below which the app gets the events of a WebSocket API: POSTs to `/connect`, `/disconnect` and the "
        "route's name. Unset: they go to the pass-through path.",
    )
    bedrock_agent: bool = _option(
        "AWS_LWA_BEDROCK_AGENT",
        switch,
        False,
        "Whether a Bedrock agent's calls of an OpenAPI action group become requests to that API. `false`: they go to "
        "the pass-through path.",
    )
    trusted_hops: int = _option(
        "AWS_LWA_TRUSTED_HOPS",
        count,
        1,
        "How many proxies between client and app append to `X-Forwarded-For`, including the load balancer: 2 with "
        "CloudFront before it. For load balancers and VPC Lattice, whose events have no client address of their own.",
    )
    authorization_source: str = _option(
        "AWS_LWA_AUTHORIZATION_SOURCE",
        header_name,
        "",
        "A header whose value the app gets as `Authorization`, for functions with IAM authorization, where SigV4 uses "
        "that header.",
    )
    exclude_response_headers: frozenset[bytes] = _option(
        "AWS_LWA_EXCLUDE_RESPONSE_HEADERS",
        header_names,
        frozenset(),
        "Headers to remove from responses, such as `server,x-powered-by`.",
    )
    invoke_mode: str = _option(
        "AWS_LWA_INVOKE_MODE",
        one_of("buffered", "response_stream"),
        "buffered",
        "`response_stream`: responses to function URLs and REST APIs are streamed; the URL's invoke mode has to be "
        "RESPONSE_STREAM, the API's integration STREAM. All other replies are buffered. See "
        "[streaming.md](streaming.md).",
    )
    enable_compression: bool = _option(
        "AWS_LWA_ENABLE_COMPRESSION",
        switch,
        False,
        "Whether to compress responses that the app has not compressed, for clients that accept it: with gzip, and "
        "with brotli and zstd if the extra `compression` is installed.",
    )
    too_large_status: int = _option(
        "AWS_LWA_TOO_LARGE_STATUS",
        error_status,
        502,
        "The status that the caller gets if the reply exceeds Lambda's payload limit: 400 to 599, such as 413. Below "
        "500 it is logged as a warning, otherwise as an error.",
    )
    error_status_codes: frozenset[int] = _option(
        "AWS_LWA_ERROR_STATUS_CODES",
        status_codes,
        frozenset(),
        "Response statuses that fail the invocation, for alarms and retries; an HTTP caller gets the gateway's 502.",
    )

    context_headers: bool = _option(
        "AWS_LWA_CONTEXT_HEADERS",
        switch,
        False,
        "External commands always get `x-amzn-request-context` and `x-amzn-lambda-context`. `true`: a Python app gets "
        "them, too; it can call `current_event()` and `current_context()` instead. See [context.md](context.md).",
    )
    logging: str = _option(
        "AWS_LWA_LOGGING",
        one_of("lambda", "app"),
        "lambda",
        "`lambda`: records of Python's `logging` are written as on Lambda's own Python runtime, unless the app "
        "configures them. `app`: nothing about `logging` is changed. See [logs.md](logs.md).",
    )
    underscore_headers: bool = _option(
        "AWS_LWA_UNDERSCORE_HEADERS",
        switch,
        False,
        "Whether a WSGI app gets headers whose names have an underscore. It cannot distinguish `x_user` from "
        "`x-user`, so that a client could forge a gateway's header.",
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
        "How long before the function's timeout the adapter stops waiting for the app: it replies with 504 or fails "
        "the invocation, logs a stack dump, and kills the app, so that the next event gets a new process. With "
        "concurrent invocations only this one is cancelled.",
    )
    start_file: str = _option(
        "AWS_LWA_START_FILE",
        text,
        "",
        "The start file that `lambda-web-adapter compile` has written; `off`: none. Unset: `lambda-web-adapter.start` "
        "in the app's folder or beside the bootstrap, if there is one. See "
        "[cold-start.md](cold-start.md#the-start-file).",
    )
    access_log: bool = _option(
        "AWS_LWA_ACCESS_LOG",
        switch,
        False,
        "Whether to log a line for each invocation: method, path, status, times and sizes. See [logs.md](logs.md).",
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
        "The address of an extension that intercepts the Runtime API: `host:port` or `http://host:port`, optionally "
        "with a path, which is put before the API's own. It has 5 s to start listening. See "
        "[lifecycle.md](lifecycle.md#extensions-in-front-of-the-runtime-api).",
    )

    def __init__(self, **values: Any) -> None:
        """Set attributes; those that are not given have their defaults.

        Raises:
            TypeError: there is no such setting.
        """
        if unknown := values.keys() - _DEFAULTS.keys():
            raise TypeError(f"There is no setting {', '.join(sorted(unknown))}; see docs/settings.md.")
        vars(self).update(_DEFAULTS | values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Settings do not change: use `replaced` to get others with {name}={value!r}.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Settings do not change: {name} cannot be deleted.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # some values are lists

    def __repr__(self) -> str:
        changed = {name: value for name, value in vars(self).items() if value != _DEFAULTS[name]}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def replaced(self, **values: Any) -> Settings:
        """Return the same settings but for the given ones."""
        return Settings(**vars(self) | values)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings from environment variables; an empty variable counts as unset.

        Args:
            environ: the environment variables, as in `os.environ`.

        Raises:
            SettingsError: a value is not valid; the message names variable, value and what is accepted.
        """
        values: dict[str, Any] = {}
        for option in OPTIONS:
            for variable in option.variables:
                value = environ.get(variable)
                if not value:
                    continue
                try:
                    values[option.name] = option.read(value)
                except ValueError as error:
                    raise SettingsError(f"{variable} is {value!r}, but it takes {error}.") from None
                break
        settings = cls(**values)
        for name in ("snapstart_before_checkpoint_path", "snapstart_after_restore_path"):
            hook = getattr(settings, name)
            if hook and hook.lower() == settings.pass_through_path.rstrip("/").lower():
                raise SettingsError(
                    f"{PREFIX}{name.upper()} is {hook!r}, but it takes a path other than that of events "
                    f"(AWS_LWA_PASS_THROUGH_PATH, which is {settings.pass_through_path!r})."
                )
        return settings


OPTIONS: tuple[Option, ...] = tuple(option for option in vars(Settings).values() if isinstance(option, Option))
_DEFAULTS = {option.name: option.default for option in OPTIONS}


def unclear_variables(environ: Mapping[str, str]) -> list[str]:
    """Return variables that look like settings but are not, or are old names; `setting_notes` explains them."""
    names = {option.variables[0] for option in OPTIONS}
    return sorted(name for name in environ if name.upper().startswith(_SETTING_PREFIXES) and name not in names)
