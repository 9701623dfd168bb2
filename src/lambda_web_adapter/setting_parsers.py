"""What settings take: each function reads one kind of value, or says in a ValueError what it would have taken."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ADDRESS = re.compile(
    r"(?:http://)?(?P<place>(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):(?P<port>[1-9][0-9]{0,4}))(?P<path>/[!-\"$->@-~]*)?",
    re.ASCII | re.IGNORECASE,
)


def text(value: str) -> str:
    """Takes any text."""
    return value


def port_number(value: str) -> int:
    """Takes a TCP port, 1 to 65535."""
    if value.isascii() and value.isdigit() and len(value) < 10 and 0 < int(value) < 65536:
        return int(value)
    raise ValueError("a port number from 1 to 65535")


def path(value: str) -> str:
    """Takes a URL path; a missing leading slash is added."""
    if any(char <= " " or char > "~" or char in "#?" for char in value):
        raise ValueError("a URL path of printable ASCII characters, without query and fragment")
    return value if value.startswith("/") else f"/{value}"


def event_path(value: str) -> str:
    """Takes a URL path, with or without `{source}`."""
    if set(value.replace("{source}", "")) & set("{}"):
        raise ValueError("a URL path in which {source} is the only placeholder")
    return path(value)


def target(value: str) -> str:
    """Takes what may follow the port in a URL: a path with, perhaps, a query."""
    raw_path, question_mark, query = value.partition("?")
    return path(raw_path) + question_mark + (path(f"/{query.replace('?', '')}") and query)


def base_path(value: str) -> str:
    """Takes a path prefix; slashes at its end are dropped, so that `/` means none."""
    return path(value).rstrip("/")


def hook_path(value: str) -> str:
    """Parse a path that only the adapter may request: one whose spellings are known, and not the app's root."""
    raw_path = path(value)
    segments = raw_path.rstrip("/").split("/")[1:]
    if not segments or set(segments) & {"", ".", ".."} or set(raw_path) & set("%;\\{}"):
        raise ValueError("a URL path below /, such as /snapstart/before, without query, %, ; and dot segments")
    return raw_path.rstrip("/")


def address(value: str) -> str:
    """Takes where an HTTP server listens, with or without `http://`, and a path; slashes at its end are dropped."""
    match = _ADDRESS.fullmatch(value)
    if match and int(match["port"]) < 65536:
        return match["place"] + (match["path"] or "").rstrip("/")
    raise ValueError("host:port or http://host:port, such as 127.0.0.1:9009, and perhaps a path")


def seconds(value: str) -> float:
    """Takes a time in seconds, fractions allowed, above zero."""
    number = _number(value)
    if 0 < number < 1e6:
        return number
    raise ValueError("a number of seconds above 0")


def seconds_or_no_bound(value: str) -> float:
    """Parse a time in seconds, fractions allowed; 0 and less mean without bound, which is infinite."""
    number = _number(value)
    if -1e6 < number < 1e6:
        return number if number > 0 else float("inf")
    raise ValueError("a number of seconds; 0 or less waits without bound")


def seconds_or_zero(value: str) -> float:
    """Parse a time in seconds, fractions allowed, 0 included."""
    number = _number(value)
    if 0 <= number < 1e6:
        return number
    raise ValueError("a number of seconds, 0 or above")


def _number(value: str) -> float:
    """Parse a number; what is none becomes NaN, which is not within any bounds."""
    try:
        return float(value)
    except ValueError:
        return float("nan")


def status_codes(value: str) -> frozenset[int]:
    """Takes a comma-separated list of status codes and ranges, such as `200,300-399`."""
    statuses: set[int] = set()
    for item in filter(None, (part.strip() for part in value.split(","))):
        first, dash, last = (part.strip() for part in item.partition("-"))
        codes = [
            code for code in (first, last if dash else first) if len(code) == 3 and code.isascii() and code.isdigit()
        ]
        if len(codes) < 2 or codes[0] > codes[1]:
            raise ValueError("a comma-separated list of status codes and ranges, such as 200,300-399")
        statuses.update(range(int(codes[0]), int(codes[1]) + 1))
    if not statuses:
        raise ValueError("at least one status code, such as 200 or 200-399")
    return frozenset(statuses)


def error_status(value: str) -> int:
    """Takes a status that says an error (RFC 9110 §15), 400 to 599."""
    if len(value) == 3 and value.isascii() and value.isdigit() and 400 <= int(value) < 600:
        return int(value)
    raise ValueError("a status code from 400 to 599")


def count(value: str) -> int:
    """Takes a number of things, 1 to 99."""
    if value.isascii() and value.isdigit() and len(value) < 3 and int(value) > 0:
        return int(value)
    raise ValueError("a number from 1 to 99")


def switch(value: str) -> bool:
    """Takes `true` or `false`, in any case; `1`, `yes`, `on` and `0`, `no`, `off` as well."""
    normalized = value.strip().lower()
    if normalized in ("true", "1", "yes", "on"):
        return True
    if normalized in ("false", "0", "no", "off"):
        return False
    raise ValueError("true or false")


def header_names(value: str) -> frozenset[bytes]:
    """Takes a comma-separated list of header names, in any case."""
    return frozenset(header_name(part).encode() for part in value.split(",") if part.strip())


def header_name(value: str) -> str:
    """Takes a header's name, in any case (RFC 9110 §5.1)."""
    name = value.strip().lower()
    if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError("names of headers, such as x-powered-by")
    return name


def one_of(*choices: str) -> Callable[[str], str]:
    """Makes a reader that takes one of these words, in any case."""

    def read(value: str) -> str:
        normalized = value.strip().lower()
        if normalized in choices:
            return normalized
        raise ValueError(f"one of {', '.join(choices)}")

    return read
