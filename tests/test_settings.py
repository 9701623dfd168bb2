"""Every setting: what it takes, what it is when unset, and what somebody reads who got it wrong."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.errors import SettingsError
from lambda_web_adapter.setting_notes import notes
from lambda_web_adapter.settings import OPTIONS, Settings, unclear_variables

VARIABLES = [variable for option in OPTIONS for variable in option.variables]
EVERY_VARIABLE = [pytest.param(variable, id=variable) for variable in VARIABLES]
PATH = "a URL path of printable ASCII characters, without query and fragment"
PORT = "a port number from 1 to 65535"
SECONDS = "a number of seconds above 0"
BOUND = "a number of seconds; 0 or less means no limit"
ZERO_OR_MORE = "a number of seconds, 0 or above"
HOOK = "a URL path below /, such as /snapstart/before, without query, %, ; and dot segments"
INFINITE = float("inf")
BEFORE = "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH"
AFTER = "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH"
PLACEHOLDER = "a URL path in which {source} is the only placeholder"
COUNT = "a number from 1 to 99"
HEADERS = "header names, such as x-powered-by"
ADDRESS = "host:port or http://host:port, such as 127.0.0.1:9009, optionally with a path"
PROXY = "AWS_LWA_LAMBDA_RUNTIME_API_PROXY"
STATUSES = "a comma-separated list of status codes and ranges, such as 200,300-399"


def test_the_defaults() -> None:
    found = Settings.from_environ({})

    assert {option.name: getattr(found, option.name) for option in OPTIONS} == {
        "app": "",
        "app_dir": "",
        "host": "127.0.0.1",
        "port": 0,
        "interface": "auto",
        "server": "auto",
        "loop": "auto",
        "lifespan": "auto",
        "readiness_check_path": "",
        "readiness_check_port": 0,
        "readiness_check_protocol": "",
        "readiness_check_healthy_status": frozenset(range(100, 500)),
        "readiness_check_timeout": 0.0,
        "snapstart_before_checkpoint_path": "",
        "snapstart_after_restore_path": "",
        "pool_idle_timeout": 1.0,
        "remove_base_path": "",
        "root_path": "auto",
        "remove_stage": "auto",
        "pass_through_path": "/events",
        "event_errors": "fail",
        "protect_event_paths": False,
        "commands": (),
        "websocket_path": "",
        "bedrock_agent": False,
        "workers": 1,
        "trusted_hops": 1,
        "authorization_source": "",
        "exclude_response_headers": frozenset(),
        "invoke_mode": "buffered",
        "enable_compression": False,
        "too_large_status": 502,
        "error_status_codes": frozenset(),
        "context_headers": False,
        "logging": "lambda",
        "underscore_headers": False,
        "before_freeze_seconds": 1.0,
        "deadline_margin": 0.3,
        "start_file": "",
        "access_log": False,
        "register_extension": True,
        "runtime_api_proxy": "",
    }


def test_settings_made_without_an_environment_have_the_same_defaults() -> None:
    assert Settings() == Settings.from_environ({})


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError, match="replaced"):
        Settings().port = 1


def test_the_variables() -> None:
    assert {option.name: option.variables for option in OPTIONS} == {
        "app": ("AWS_LWA_APP",),
        "app_dir": ("AWS_LWA_APP_DIR",),
        "host": ("AWS_LWA_HOST",),
        "port": ("AWS_LWA_PORT", "PORT"),
        "interface": ("AWS_LWA_INTERFACE",),
        "server": ("AWS_LWA_SERVER",),
        "loop": ("AWS_LWA_LOOP",),
        "lifespan": ("AWS_LWA_LIFESPAN",),
        "readiness_check_path": ("AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"),
        "readiness_check_port": ("AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"),
        "readiness_check_protocol": ("AWS_LWA_READINESS_CHECK_PROTOCOL", "READINESS_CHECK_PROTOCOL"),
        "readiness_check_healthy_status": ("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",),
        "readiness_check_timeout": ("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS",),
        "snapstart_before_checkpoint_path": ("AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",),
        "snapstart_after_restore_path": ("AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",),
        "pool_idle_timeout": ("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",),
        "remove_base_path": ("AWS_LWA_REMOVE_BASE_PATH", "REMOVE_BASE_PATH"),
        "root_path": ("AWS_LWA_ROOT_PATH",),
        "remove_stage": ("AWS_LWA_REMOVE_STAGE",),
        "pass_through_path": ("AWS_LWA_PASS_THROUGH_PATH",),
        "event_errors": ("AWS_LWA_EVENT_ERRORS",),
        "protect_event_paths": ("AWS_LWA_PROTECT_EVENT_PATHS",),
        "commands": ("AWS_LWA_COMMANDS",),
        "websocket_path": ("AWS_LWA_WEBSOCKET_PATH",),
        "bedrock_agent": ("AWS_LWA_BEDROCK_AGENT",),
        "workers": ("AWS_LWA_WORKERS",),
        "trusted_hops": ("AWS_LWA_TRUSTED_HOPS",),
        "authorization_source": ("AWS_LWA_AUTHORIZATION_SOURCE",),
        "exclude_response_headers": ("AWS_LWA_EXCLUDE_RESPONSE_HEADERS",),
        "invoke_mode": ("AWS_LWA_INVOKE_MODE",),
        "enable_compression": ("AWS_LWA_ENABLE_COMPRESSION",),
        "too_large_status": ("AWS_LWA_TOO_LARGE_STATUS",),
        "error_status_codes": ("AWS_LWA_ERROR_STATUS_CODES",),
        "context_headers": ("AWS_LWA_CONTEXT_HEADERS",),
        "logging": ("AWS_LWA_LOGGING",),
        "underscore_headers": ("AWS_LWA_UNDERSCORE_HEADERS",),
        "before_freeze_seconds": ("AWS_LWA_BEFORE_FREEZE_SECONDS",),
        "deadline_margin": ("AWS_LWA_DEADLINE_MARGIN_SECONDS",),
        "start_file": ("AWS_LWA_START_FILE",),
        "access_log": ("AWS_LWA_ACCESS_LOG",),
        "register_extension": ("AWS_LWA_REGISTER_EXTENSION",),
        "runtime_api_proxy": ("AWS_LWA_LAMBDA_RUNTIME_API_PROXY",),
    }


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        pytest.param("AWS_LWA_APP", "main:app", "app", "main:app", id="app"),
        pytest.param("AWS_LWA_APP_DIR", "backend", "app_dir", "backend", id="the app's folder"),
        pytest.param("AWS_LWA_HOST", "0.0.0.0", "host", "0.0.0.0", id="host"),
        pytest.param("AWS_LWA_PORT", "9000", "port", 9000, id="port"),
        pytest.param("AWS_LWA_PORT", "1", "port", 1, id="lowest port"),
        pytest.param("AWS_LWA_PORT", "65535", "port", 65535, id="highest port"),
        pytest.param("PORT", "9000", "port", 9000, id="PORT"),
        pytest.param("AWS_LWA_INTERFACE", "asgi", "interface", "asgi", id="interface"),
        pytest.param("AWS_LWA_INTERFACE", " WSGI ", "interface", "wsgi", id="interface in capitals"),
        pytest.param("AWS_LWA_SERVER", "Uvicorn", "server", "uvicorn", id="server"),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "/up", "readiness_check_path", "/up", id="check path"),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "up", "readiness_check_path", "/up", id="check path, no slash"),
        pytest.param(
            "READINESS_CHECK_PATH", "/up?a=b", "readiness_check_path", "/up?a=b", id="old check path, a query"
        ),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "?a", "readiness_check_path", "/?a", id="a query alone"),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "/a?b?c", "readiness_check_path", "/a?b?c", id="? in a query"),
        pytest.param("AWS_LWA_READINESS_CHECK_PORT", "81", "readiness_check_port", 81, id="check port"),
        pytest.param("READINESS_CHECK_PORT", "81", "readiness_check_port", 81, id="old check port"),
        pytest.param("AWS_LWA_READINESS_CHECK_PROTOCOL", "TCP", "readiness_check_protocol", "tcp", id="protocol"),
        pytest.param("READINESS_CHECK_PROTOCOL", "http", "readiness_check_protocol", "http", id="old protocol"),
        pytest.param(
            "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",
            "200, 301-303,",
            "readiness_check_healthy_status",
            frozenset({200, 301, 302, 303}),
            id="statuses",
        ),
        pytest.param(
            "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",
            "404-404",
            "readiness_check_healthy_status",
            frozenset({404}),
            id="a range of one",
        ),
        pytest.param("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "0.5", "readiness_check_timeout", 0.5, id="timeout"),
        pytest.param(
            "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "0", "readiness_check_timeout", INFINITE, id="no bound"
        ),
        pytest.param(
            "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "-1", "readiness_check_timeout", INFINITE, id="negative"
        ),
        pytest.param("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "-0.5", "readiness_check_timeout", INFINITE, id="half"),
        pytest.param("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS", "0", "pool_idle_timeout", 0.0, id="no reuse"),
        pytest.param("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS", "4.5", "pool_idle_timeout", 4.5, id="idle time"),
        pytest.param(BEFORE, "snapstart/before/", "snapstart_before_checkpoint_path", "/snapstart/before", id="before"),
        pytest.param(AFTER, "/Snap", "snapstart_after_restore_path", "/Snap", id="after"),
        pytest.param("AWS_LWA_REMOVE_BASE_PATH", "/shop", "remove_base_path", "/shop", id="base path"),
        pytest.param("AWS_LWA_REMOVE_BASE_PATH", "shop/v1/", "remove_base_path", "/shop/v1", id="base path, slashes"),
        pytest.param("REMOVE_BASE_PATH", "/shop", "remove_base_path", "/shop", id="old base path"),
        pytest.param("AWS_LWA_REMOVE_BASE_PATH", "/", "remove_base_path", "", id="no base path"),
        pytest.param("AWS_LWA_REMOVE_STAGE", "ALWAYS", "remove_stage", "always", id="stage always"),
        pytest.param("AWS_LWA_REMOVE_STAGE", "never", "remove_stage", "never", id="stage never"),
        pytest.param("AWS_LWA_PASS_THROUGH_PATH", "jobs/", "pass_through_path", "/jobs/", id="pass-through path"),
        pytest.param(
            "AWS_LWA_PASS_THROUGH_PATH", "/e/{source}", "pass_through_path", "/e/{source}", id="pass-through paths"
        ),
        pytest.param("AWS_LWA_EVENT_ERRORS", "Return", "event_errors", "return", id="event errors"),
        pytest.param("AWS_LWA_PROTECT_EVENT_PATHS", "True", "protect_event_paths", True, id="protected paths"),
        pytest.param(
            "AWS_LWA_COMMANDS",
            "python3 'my manage.py' -v",
            "commands",
            ("python3", "my manage.py", "-v"),
            id="commands",
        ),
        pytest.param("AWS_LWA_WEBSOCKET_PATH", "ws/", "websocket_path", "/ws", id="WebSocket path"),
        pytest.param("AWS_LWA_CONTEXT_HEADERS", "true", "context_headers", True, id="headers for all"),
        pytest.param("AWS_LWA_LOGGING", "app", "logging", "app", id="the app's logging"),
        pytest.param("AWS_LWA_BEDROCK_AGENT", "1", "bedrock_agent", True, id="Bedrock agents"),
        pytest.param("AWS_LWA_BEDROCK_AGENT", " false ", "bedrock_agent", False, id="no Bedrock agents"),
        pytest.param("AWS_LWA_TRUSTED_HOPS", "2", "trusted_hops", 2, id="hops"),
        pytest.param("AWS_LWA_WORKERS", "4", "workers", 4, id="workers"),
        pytest.param("AWS_LWA_ACCESS_LOG", "on", "access_log", True, id="access log"),
        pytest.param("AWS_LWA_REGISTER_EXTENSION", "off", "register_extension", False, id="off"),
        pytest.param("AWS_LWA_PROTECT_EVENT_PATHS", "Yes", "protect_event_paths", True, id="yes"),
        pytest.param(PROXY, "127.0.0.1:9009", "runtime_api_proxy", "127.0.0.1:9009", id="proxy"),
        pytest.param(PROXY, "http://127.0.0.1:9009", "runtime_api_proxy", "127.0.0.1:9009", id="proxy: a URL"),
        pytest.param(PROXY, "HTTP://localhost:80/", "runtime_api_proxy", "localhost:80", id="proxy: a slash"),
        pytest.param(PROXY, "http://[::1]:80/a/b%20/", "runtime_api_proxy", "[::1]:80/a/b%20", id="proxy: a path"),
        pytest.param(PROXY, "sandbox.local_domain:1/a", "runtime_api_proxy", "sandbox.local_domain:1/a", id="a name"),
        pytest.param("AWS_LWA_AUTHORIZATION_SOURCE", "X-Auth", "authorization_source", "x-auth", id="authorization"),
        pytest.param(
            "AWS_LWA_EXCLUDE_RESPONSE_HEADERS",
            "Server, x-powered-by,",
            "exclude_response_headers",
            frozenset({b"server", b"x-powered-by"}),
            id="excluded headers",
        ),
        pytest.param(
            "AWS_LWA_ERROR_STATUS_CODES", "500-502", "error_status_codes", frozenset({500, 501, 502}), id="errors"
        ),
    ],
)
def test_a_variable_sets_its_setting(variable: str, value: str, name: str, expected: Any) -> None:
    assert getattr(Settings.from_environ({variable: value}), name) == expected


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        pytest.param("AWS_LWA_PORT", "http", PORT, id="port: a word"),
        pytest.param("AWS_LWA_PORT", "0", PORT, id="port: 0"),
        pytest.param("AWS_LWA_PORT", "65536", PORT, id="port: too high"),
        pytest.param("AWS_LWA_PORT", "-1", PORT, id="port: negative"),
        pytest.param("AWS_LWA_PORT", "80.0", PORT, id="port: a fraction"),
        pytest.param("AWS_LWA_PORT", "²", PORT, id="port: a raised digit"),
        pytest.param("AWS_LWA_PORT", "٨٠", PORT, id="port: Arabic digits"),
        pytest.param("AWS_LWA_PORT", "9" * 5000, PORT, id="port: thousands of digits"),
        pytest.param("PORT", "x", PORT, id="PORT"),
        pytest.param("READINESS_CHECK_PORT", "x", PORT, id="old check port"),
        pytest.param("AWS_LWA_INTERFACE", "cgi", "one of auto, asgi, wsgi", id="interface"),
        pytest.param("AWS_LWA_SERVER", "gunicorn", "one of auto, uvicorn", id="server"),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "/a b", PATH, id="check path: a space"),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "/a#b", PATH, id="check path: a fragment"),
        pytest.param("AWS_LWA_READINESS_CHECK_PATH", "/a?b\r\n", PATH, id="check path: a line break"),
        pytest.param("AWS_LWA_READINESS_CHECK_PROTOCOL", "udp", "one of , http, tcp", id="protocol"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "ok", STATUSES, id="statuses: a word"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "20", STATUSES, id="statuses: two digits"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "300-200", STATUSES, id="statuses: backwards"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "-200", STATUSES, id="statuses: no beginning"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "200-", STATUSES, id="statuses: no end"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "200-300-400", STATUSES, id="statuses: two ends"),
        pytest.param(
            "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",
            " , ",
            "at least one status code, such as 200 or 200-399",
            id="statuses: none",
        ),
        pytest.param("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "soon", BOUND, id="timeout: a word"),
        pytest.param("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "nan", BOUND, id="timeout: not a number"),
        pytest.param("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "inf", BOUND, id="timeout: without end"),
        pytest.param("AWS_LWA_BEFORE_FREEZE_SECONDS", "soon", SECONDS, id="seconds: a word"),
        pytest.param("AWS_LWA_BEFORE_FREEZE_SECONDS", "0", SECONDS, id="seconds: 0"),
        pytest.param("AWS_LWA_BEFORE_FREEZE_SECONDS", "nan", SECONDS, id="seconds: not a number"),
        pytest.param("AWS_LWA_BEFORE_FREEZE_SECONDS", "inf", SECONDS, id="seconds: without end"),
        pytest.param("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS", "-1", ZERO_OR_MORE, id="idle time: negative"),
        pytest.param("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS", "long", ZERO_OR_MORE, id="idle time: a word"),
        pytest.param("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS", "nan", ZERO_OR_MORE, id="idle time: not a number"),
        pytest.param(BEFORE, "/", HOOK, id="hook: the root"),
        pytest.param(BEFORE, "//", HOOK, id="hook: the root, twice"),
        pytest.param(BEFORE, "/a/..", HOOK, id="hook: the root, by dots"),
        pytest.param(BEFORE, "/a/%2e", HOOK, id="hook: an escape"),
        pytest.param(AFTER, "/a//b", HOOK, id="hook: an empty segment"),
        pytest.param(AFTER, "/a;b", HOOK, id="hook: a parameter"),
        pytest.param(AFTER, "/a?b", PATH, id="hook: a query"),
        pytest.param(
            AFTER,
            "/Events",
            "a path other than that of events (AWS_LWA_PASS_THROUGH_PATH, which is '/events')",
            id="hook: the path of events",
        ),
        pytest.param("AWS_LWA_REMOVE_BASE_PATH", "/ü", PATH, id="base path: outside ASCII"),
        pytest.param("REMOVE_BASE_PATH", "/a?b", PATH, id="old base path: a query"),
        pytest.param("AWS_LWA_REMOVE_STAGE", "yes", "one of auto, always, never", id="stage"),
        pytest.param("AWS_LWA_PASS_THROUGH_PATH", "/e/{sorce}", PLACEHOLDER, id="pass-through path: a misspelling"),
        pytest.param("AWS_LWA_PASS_THROUGH_PATH", "/e/{source", PLACEHOLDER, id="pass-through path: half of one"),
        pytest.param("AWS_LWA_EVENT_ERRORS", "ignore", "one of fail, return", id="event errors"),
        pytest.param("AWS_LWA_PROTECT_EVENT_PATHS", "perhaps", "true or false", id="protected paths"),
        pytest.param("AWS_LWA_WEBSOCKET_PATH", "/a b", PATH, id="WebSocket path: a space"),
        pytest.param("AWS_LWA_TRUSTED_HOPS", "0", COUNT, id="hops: none"),
        pytest.param("AWS_LWA_TRUSTED_HOPS", "100", COUNT, id="hops: too many"),
        pytest.param("AWS_LWA_TRUSTED_HOPS", "²", COUNT, id="hops: a raised digit"),
        pytest.param("AWS_LWA_AUTHORIZATION_SOURCE", "a b", HEADERS, id="authorization: a space"),
        pytest.param("AWS_LWA_AUTHORIZATION_SOURCE", "-", HEADERS, id="authorization: no letter"),
        pytest.param("AWS_LWA_EXCLUDE_RESPONSE_HEADERS", "server,é", HEADERS, id="excluded headers: outside ASCII"),
        pytest.param("AWS_LWA_EXCLUDE_RESPONSE_HEADERS", "a:b", HEADERS, id="excluded headers: a colon"),
        pytest.param("AWS_LWA_ERROR_STATUS_CODES", "5xx", STATUSES, id="errors"),
        pytest.param(PROXY, "127.0.0.1", ADDRESS, id="proxy: no port"),
        pytest.param(PROXY, "127.0.0.1:", ADDRESS, id="proxy: an empty port"),
        pytest.param(PROXY, ":9009", ADDRESS, id="proxy: no host"),
        pytest.param(PROXY, "127.0.0.1:0", ADDRESS, id="proxy: port 0"),
        pytest.param(PROXY, "127.0.0.1:65536", ADDRESS, id="proxy: port too high"),
        pytest.param(PROXY, "127.0.0.1:٨٠", ADDRESS, id="proxy: Arabic digits"),
        pytest.param(PROXY, "https://127.0.0.1:9009", ADDRESS, id="proxy: encrypted"),
        pytest.param(PROXY, "::1:9009", ADDRESS, id="proxy: no brackets"),
        pytest.param(PROXY, "http://a@127.0.0.1:9009", ADDRESS, id="proxy: a user"),
        pytest.param(PROXY, "127.0.0.1:9009?a", ADDRESS, id="proxy: a query"),
        pytest.param(PROXY, "127.0.0.1:9009/a#b", ADDRESS, id="proxy: a fragment"),
        pytest.param(PROXY, "127.0.0.1:9009/a\r\nX: y", ADDRESS, id="proxy: a line break"),
        pytest.param(PROXY, "127.0.0.1:9009/\xfc", ADDRESS, id="proxy: outside ASCII"),
        pytest.param(PROXY, "\N{KELVIN SIGN}:9009", ADDRESS, id="proxy: an odd letter"),
        pytest.param("AWS_LWA_PASS_THROUGH_PATH", "/a\nb", PATH, id="pass-through path: a line break"),
        pytest.param("AWS_LWA_PASS_THROUGH_PATH", "/\x7f", PATH, id="pass-through path: a control character"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable_and_what_is_accepted(
    variable: str, value: str, accepted: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environ({variable: value})

    assert str(raised.value) == f"{variable} is {value!r}, but it takes {accepted}."


@pytest.mark.parametrize("variable", EVERY_VARIABLE)
def test_an_empty_variable_counts_as_unset(variable: str) -> None:
    assert Settings.from_environ({variable: ""}) == Settings()


def test_an_empty_variable_leaves_its_place_to_the_old_name() -> None:
    assert Settings.from_environ({"AWS_LWA_PORT": "", "PORT": "9000"}).port == 9000


def test_the_new_name_wins_and_the_old_one_is_not_even_looked_at() -> None:
    assert Settings.from_environ({"AWS_LWA_PORT": "9000", "PORT": "wrong"}).port == 9000


def test_other_variables_mean_nothing() -> None:
    environment = {"HOME": "/", "aws_lwa_port": "9000", "AWS_LWA_PORT_": "9000", "INTERFACE": "cgi"}

    assert Settings.from_environ(environment) == Settings()


@given(
    st.sampled_from(VARIABLES),
    st.text(st.characters(exclude_categories=()), min_size=1)
    | st.from_regex(r"[\d,./-]+")
    | st.text("/?#ab%", min_size=1),
)
def test_any_value_is_taken_or_refused_by_name(variable: str, value: str) -> None:
    found = outcome({variable: value})

    if isinstance(found, str):
        assert found.startswith(f"{variable} is {value!r}, but it takes ")
    else:
        assert [text for text in _paths(found) if not re.fullmatch(r"(/[!-~]*)?", text)] == []


def outcome(environment: dict[str, str]) -> Settings | str:
    """The settings, or what somebody reads who got them wrong."""
    try:
        return Settings.from_environ(environment)
    except SettingsError as error:
        return str(error)


def _paths(settings: Settings) -> list[str]:
    """The settings that end up in a request line."""
    return [
        settings.readiness_check_path,
        settings.remove_base_path,
        settings.pass_through_path,
        settings.websocket_path,
        *["/" + path for _, slash, path in [settings.runtime_api_proxy.partition("/")] if slash],
    ]


# Warnings


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"AWS_LWA_PORT": "9000", "AWS_LAMBDA_RUNTIME_API": "x", "HOME": "/"}, [], id="nothing wrong"),
        pytest.param({"PORT": "9000"}, [], id="PORT is no old name: everybody sets it"),
        pytest.param(
            {"AWS_LWA_PROT": "9000"},
            ["AWS_LWA_PROT is not a setting of this version, and has no effect. Did you mean AWS_LWA_PORT?"],
            id="a misspelled name",
        ),
        pytest.param(
            {"AWS_LWA_Z": "1", "AWS_LWA_A": "1"},
            [
                "AWS_LWA_A is not a setting of this version, and has no effect. docs/settings.md lists the settings.",
                "AWS_LWA_Z is not a setting of this version, and has no effect. docs/settings.md lists the settings.",
            ],
            id="two unknown names, sorted",
        ),
        pytest.param(
            {"READINESS_CHECK_PATH": "/up"},
            ["READINESS_CHECK_PATH is an old name. Use AWS_LWA_READINESS_CHECK_PATH instead."],
            id="old check path",
        ),
        pytest.param(
            {"READINESS_CHECK_PORT": "81"},
            ["READINESS_CHECK_PORT is an old name. Use AWS_LWA_READINESS_CHECK_PORT instead."],
            id="old check port",
        ),
        pytest.param(
            {"READINESS_CHECK_PROTOCOL": "tcp"},
            ["READINESS_CHECK_PROTOCOL is an old name. Use AWS_LWA_READINESS_CHECK_PROTOCOL instead."],
            id="old protocol",
        ),
        pytest.param(
            {"REMOVE_BASE_PATH": "/shop"},
            ["REMOVE_BASE_PATH is an old name. Use AWS_LWA_REMOVE_BASE_PATH instead."],
            id="old base path",
        ),
        pytest.param({"REMOVE_BASE_PATH": ""}, [], id="an empty old name"),
        pytest.param({"REMOVE_BASE_PATH": "/a", "AWS_LWA_REMOVE_BASE_PATH": "/b"}, [], id="an old and a new name"),
    ],
)
def test_names_without_effect_or_future_are_warned_about(environment: dict[str, str], expected: list[str]) -> None:
    assert said(environment) == [("WARNING", line) for line in expected]


def said(environment: dict[str, str]) -> list[tuple[str, str]]:
    return notes(unclear_variables(environment), environment)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AWS_LWA_PORTT", "AWS_LWA_PORT"),
        ("AWS_LWA_READYNESS_CHECK_PATH", "AWS_LWA_READINESS_CHECK_PATH"),
        ("AWS_LWA_READINESS_PATH", "AWS_LWA_READINESS_CHECK_PATH"),
        ("AWS_LWA_COMPRESSION", "AWS_LWA_ENABLE_COMPRESSION"),
        ("AWS_LWA_INVOKEMODE", "AWS_LWA_INVOKE_MODE"),
        ("AWS_LWA_POOL_IDLE_TIMEOUT", "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS"),
        ("AWS_LWS_INVOKE_MODE", "AWS_LWA_INVOKE_MODE"),
        ("LWA_INVOKE_MODE", "AWS_LWA_INVOKE_MODE"),
        ("aws_lwa_port", "AWS_LWA_PORT"),
        ("READINESS_CHECK_PAHT", "AWS_LWA_READINESS_CHECK_PATH"),
    ],
)
def test_a_misspelled_variable_is_answered_with_the_likely_name(name: str, meant: str) -> None:
    assert said({name: "1"}) == [
        ("WARNING", f"{name} is not a setting of this version, and has no effect. Did you mean {meant}?")
    ]


@pytest.mark.parametrize(
    "name", ["LWA_CHAOS_SEED", "LWA_FUZZ_SECONDS", "READINESS_CHECK_OF_THE_QUEUE", "LAWS_LWA_PORT"]
)
def test_other_variables_are_nobodys_business(name: str) -> None:
    assert said({name: "1"}) == []


@pytest.mark.parametrize("value", ["true", "false", ""])
@pytest.mark.parametrize("name", ["AWS_LWA_ASYNC_INIT", "ASYNC_INIT"])
def test_what_is_always_on_is_no_warning(name: str, value: str) -> None:
    ((level, line),) = said({name: value})

    assert (level, line.startswith(f"{name} is always on in this adapter: ")) == ("INFO", True)


def test_what_is_always_on_is_said_of_a_misspelled_name_too() -> None:
    ((level, line),) = said({"AWS_LWA_ASYNC_INT": "true"})

    assert level == "WARNING"
    assert "Did you mean AWS_LWA_ASYNC_INIT? That setting is always on in this adapter: " in line


# The reference of its documentation, of September 2026, and what its versions have had before.
OF_THE_RUST_ADAPTER = [
    "AWS_LWA_PORT",
    "PORT",
    "AWS_LWA_HOST",
    "AWS_LWA_READINESS_CHECK_PORT",
    "READINESS_CHECK_PORT",
    "AWS_LWA_READINESS_CHECK_PATH",
    "READINESS_CHECK_PATH",
    "AWS_LWA_READINESS_CHECK_PROTOCOL",
    "READINESS_CHECK_PROTOCOL",
    "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",
    "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS",
    "AWS_LWA_ASYNC_INIT",
    "ASYNC_INIT",
    "AWS_LWA_REMOVE_BASE_PATH",
    "REMOVE_BASE_PATH",
    "AWS_LWA_ENABLE_COMPRESSION",
    "AWS_LWA_INVOKE_MODE",
    "AWS_LWA_PASS_THROUGH_PATH",
    "AWS_LWA_AUTHORIZATION_SOURCE",
    "AWS_LWA_ERROR_STATUS_CODES",
    "AWS_LWA_LAMBDA_RUNTIME_API_PROXY",
    "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",
    "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",
    "AWS_LWA_ENABLE_TLS",
    "AWS_LWA_TLS_SERVER_NAME",
    "AWS_LWA_TLS_CERT_FILE",
]


@pytest.mark.parametrize("name", OF_THE_RUST_ADAPTER)
def test_a_moved_templates_variables_are_known(name: str) -> None:
    assert not [line for _, line in said({name: "1"}) if "is not a setting" in line]


@pytest.mark.parametrize(
    "name", ["AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS", "READINESS_CHECK_MIN_UNHEALTHY_STATUS"]
)
def test_what_was_replaced_is_answered_with_what_replaces_it(name: str) -> None:
    ((level, line),) = said({name: "400"})

    assert level == "WARNING"
    assert "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS" in line
