"""Masks secrets in what is written to files or shown: the values of certain headers and cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

# Headers with secrets, in lower case; the last ones are what a load balancer adds ("Authenticate users").
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-amz-security-token",
        "x-amzn-oidc-accesstoken",
        "x-amzn-oidc-data",
    }
)
# Keys of events and replies with the same values under other names.
_SECRET_KEYS = frozenset({"cookies", "apikey"})
_COOKIES = frozenset({"cookie", "set-cookie", "cookies"})
# Attributes of Set-Cookie (RFC 6265 §4.1.1 and its successors), which a reply's `cookies` have as well.
_ATTRIBUTES = frozenset(
    {"domain", "expires", "httponly", "max-age", "partitioned", "path", "priority", "samesite", "secure"}
)
MASK = "***"
# Deeper documents are not masked: Python's stack, and orjson's limit of 254 levels, would not take all of them.
_MAX_DEPTH = 200
# What ends the prelude of a streamed reply (Lambda, "Response streaming").
_PRELUDE_END = b"\0" * 8


class TooDeep(Exception):
    """A document has too many levels to be masked."""


class Masker:
    """Masks the values of secret headers, wherever they are in a message, an event or a reply."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Mask the usual headers, and those of further names."""
        self._headers = SECRET_HEADERS | {name.lower() for name in names}
        self._keys = self._headers | _SECRET_KEYS

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return headers with masked values."""
        return [
            (name, _mask(name.lower(), value) if name.lower() in self._headers else value) for name, value in headers
        ]

    def document(self, document: bytes) -> bytes:
        """Return an event or a reply, JSON, with masked values; of a streamed reply, those of its prelude.

        What is no JSON is returned as it is, since it has no headers.

        Raises:
            TooDeep: it has too many levels.
        """
        head, separator, rest = document.partition(_PRELUDE_END)
        try:
            parsed = orjson.loads(head)
        except ValueError:
            return document
        if is_too_deep(parsed):
            raise TooDeep
        masked = self._value(parsed)
        return document if masked == parsed else orjson.dumps(masked) + separator + rest

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if isinstance(value, dict):
            return {
                key: _mask_all(key.lower(), each) if key.lower() in self._keys else self._value(each)
                for key, each in value.items()
            }
        return value


def is_too_deep(document: Any) -> bool:
    """Return whether a document has more than 200 levels."""
    level = [document]
    for _ in range(_MAX_DEPTH):
        containers = [each.values() if isinstance(each, dict) else each for each in level if _is_container(each)]
        level = [child for each in containers for child in each]
    return any(map(_is_container, level))


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _mask_all(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_mask_all(name, each) for each in value]
    if isinstance(value, dict):  # `Set-Cookie: {…}` of Lambda@Edge and the like
        return {key: _mask_all(name, each) for key, each in value.items()}
    return _mask(name, value) if isinstance(value, str) and value else value


def _mask(name: str, value: str) -> str:
    """Return the mask; of cookies, their names and attributes stay."""
    if name not in _COOKIES:
        return MASK
    first, *rest = value.split(";")
    return ";".join(
        [_mask_cookie(first), *(part if _is_attribute(name, part) else _mask_cookie(part) for part in rest)]
    )


def _is_attribute(name: str, part: str) -> bool:
    """Return whether a part of a cookie header's value is an attribute; the list `cookies` may have either."""
    return name == "set-cookie" or (name == "cookies" and part.partition("=")[0].strip().lower() in _ATTRIBUTES)


def _mask_cookie(part: str) -> str:
    name, equals, _ = part.partition("=")
    return f"{name}={MASK}" if equals else MASK
