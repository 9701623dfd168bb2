"""Parsers of settings: each function parses one kind of value, or raises a ValueError that says what is accepted."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Not compiled yet, which would take 0.5 ms of each cold start.
_ADDRESS = (
    r"(?ai)(?:http://)?(?P<host_port>(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):(?P<port>[1-9][0-9]{0,4}))"
    r"(?P<path>/[!-\"$->@-~]*)?"
)


def text(value: str) -> str:
    """Return the value unchanged."""
    return value


def port_number(value: str) -> int:
    """Parse a TCP port, 1 to 65535."""
    if value.isascii() and value.isdigit() and len(value) < 10 and 0 < int(value) < 65536:
        return int(value)
    raise ValueError("a port number from 1 to 65535")


def path(value: str) -> str:
    """Parse a URL path; a missing leading slash is added."""
    if any(char <= " " or char > "~" or char in "#?" for char in value):
        raise ValueError("a URL path of printable ASCII characters, without query and fragment")
    return value if value.startswith("/") else f"/{value}"


def event_path(value: str) -> str:
    """Parse a URL path with or without `{source}`."""
    if set(value.replace("{source}", "")) & set("{}"):
        raise ValueError("a URL path in which {source} is the only placeholder")
    return path(value)


def target(value: str) -> str:
    """Parse a path with an optional query."""
    raw_path, question_mark, query = value.partition("?")
    return path(raw_path) + question_mark + (path(f"/{query.replace('?', '')}") and query)


def base_path(value: str) -> str:
    """Parse a path prefix; trailing slashes are removed, so that `/` means none."""
    return path(value).rstrip("/")


def hook_path(value: str) -> str:
    """Parse a path that only the adapter may request; it has one spelling, so that others can be blocked."""
    raw_path = path(value)
    segments = raw_path.rstrip("/").split("/")[1:]
    if not segments or set(segments) & {"", ".", ".."} or set(raw_path) & set("%;\\{}"):
        raise ValueError("a URL path below /, such as /snapstart/before, without query, %, ; and dot segments")
    return raw_path.rstrip("/")


def address(value: str) -> str:
    """Parse an HTTP server's `host:port`, with an optional `http://` and path; trailing slashes are removed."""
    match = re.fullmatch(_ADDRESS, value)
    if match and int(match["port"]) < 65536:
        return match["host_port"] + (match["path"] or "").rstrip("/")
    raise ValueError("host:port or http://host:port, such as 127.0.0.1:9009, optionally with a path")


def seconds(value: str) -> float:
    """Parse a time in seconds above 0, fractions allowed."""
    number = _number(value)
    if 0 < number < 1e6:
        return number
    raise ValueError("a number of seconds above 0")


def seconds_or_no_bound(value: str) -> float:
    """Parse a time in seconds, fractions allowed; 0 or less means no limit and returns infinity."""
    number = _number(value)
    if -1e6 < number < 1e6:
        return number if number > 0 else float("inf")
    raise ValueError("a number of seconds; 0 or less means no limit")


def seconds_or_zero(value: str) -> float:
    """Parse a time in seconds, fractions allowed, 0 included."""
    number = _number(value)
    if 0 <= number < 1e6:
        return number
    raise ValueError("a number of seconds, 0 or above")


def _number(value: str) -> float:
    """Parse a number; anything else becomes NaN, which fails every comparison."""
    try:
        return float(value)
    except ValueError:
        return float("nan")


def status_codes(value: str) -> frozenset[int]:
    """Parse a comma-separated list of status codes and ranges, such as `200,300-399`."""
    statuses: set[int] = set()
    for item in filter(None, (part.strip() for part in value.split(","))):
        first, dash, last = (part.strip() for part in item.partition("-"))
        last = last if dash else first
        if not (_is_status(first) and _is_status(last) and first <= last):
            raise ValueError("a comma-separated list of status codes and ranges, such as 200,300-399")
        statuses.update(range(int(first), int(last) + 1))
    if not statuses:
        raise ValueError("at least one status code, such as 200 or 200-399")
    return frozenset(statuses)


def _is_status(code: str) -> bool:
    return len(code) == 3 and code.isascii() and code.isdigit()


def error_status(value: str) -> int:
    """Parse a status that is an error, 400 to 599 (RFC 9110 §15)."""
    if _is_status(value) and 400 <= int(value) < 600:
        return int(value)
    raise ValueError("a status code from 400 to 599")


def count(value: str) -> int:
    """Parse a number from 1 to 99."""
    if value.isascii() and value.isdigit() and len(value) < 3 and int(value) > 0:
        return int(value)
    raise ValueError("a number from 1 to 99")


def switch(value: str) -> bool:
    """Parse `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`, in any case."""
    normalized = value.strip().lower()
    if normalized in ("true", "1", "yes", "on"):
        return True
    if normalized in ("false", "0", "no", "off"):
        return False
    raise ValueError("true or false")


def header_names(value: str) -> frozenset[bytes]:
    """Parse a comma-separated list of header names, in any case."""
    return frozenset(header_name(part).encode() for part in value.split(",") if part.strip())


def header_name(value: str) -> str:
    """Parse a header name, in any case (RFC 9110 §5.1)."""
    name = value.strip().lower()
    if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError("header names, such as x-powered-by")
    return name


def command_line(value: str) -> tuple[str, ...]:
    """Return the program and the arguments of a command line."""
    import shlex  # few functions have the setting

    try:
        arguments = tuple(shlex.split(value))
    except ValueError:
        arguments = ()
    if not arguments:
        raise ValueError("a program with its first arguments, as in a shell, such as 'python3 manage.py'")
    return arguments


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts the given choices, in any case."""

    def parse(value: str) -> str:
        normalized = value.strip().lower()
        if normalized in choices:
            return normalized
        raise ValueError(f"one of {', '.join(choices)}")

    return parse
