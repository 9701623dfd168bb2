"""Check whether a client's request could reach a path reserved for events or hooks, however an app reads paths.

Servers, frameworks and apps read paths differently: one resolves `..`, the next takes it for a name; one decodes once,
the next twice. So a path is read in all ways: each of `_HABITS` may apply or not, repeatedly, and in any order. Only
paths that no ordinary client requests are rejected needlessly.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lambda_web_adapter.events import request_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from lambda_web_adapter.http.messages import Request
    from lambda_web_adapter.settings import Settings

    Habit = Callable[[str], str]
    Segments = tuple[str, ...]

# The most characters that all readings of a request may have: less than 0.1 s. An ordinary path has up to ten readings.
_MAX_READINGS = 128 * 1024
_SLASHES = re.compile(r"/+")
_AUTHORITY = re.compile(r"\A(?:[a-z][-+.a-z0-9]*:)?//+[^/]*")
_PARAMETERS = re.compile(r";[^/]*")
_END = re.compile(r"[?#;\0].*", re.DOTALL)
_SUFFIX = re.compile(r"(?<=[^/.])\.+[^/.]*/*\Z")
_CONTROLS = "".join(map(chr, range(0x21))) + "\x7f"
# Characters that are ignored anywhere in a path: urlsplit and JavaScript's URL ignore tabs and line breaks, others any
# control, and bytes that are not UTF-8 (which are decoded to U+FFFD).
_IGNORED = dict.fromkeys([*range(0x20), 0x7F, 0xFFFD])
# Headers that some frameworks use as the path, since IIS sends them; CGI does not distinguish `_` and `-`.
_PATH_HEADERS = frozenset({"x-original-url", "x-rewrite-url"})


def is_for_events(request: Request, event: dict[str, Any], settings: Settings) -> bool:
    """Return whether an app could take a request's path for one that is reserved for events.

    Args:
        request: the client's request, as the app would get it.
        event: the request's event.
        settings: the settings with the reserved paths.
    """
    requested = _requested(request, event, settings)
    if requested is None:
        return True
    return any(_is_one(segments, requested) for segments in _reserved(settings.pass_through_path)) or (
        bool(settings.websocket_path)
        and any(_is_above_one(segments, requested) for segments in _reserved(settings.websocket_path))
    )


def is_for_hooks(request: Request, event: dict[str, Any], settings: Settings) -> bool:
    """Return whether an app could take a request's path for one of the SnapStart hooks' paths."""
    requested = _requested(request, event, settings)
    hooks = [settings.snapstart_before_checkpoint_path, settings.snapstart_after_restore_path]
    return requested is None or any(not requested.isdisjoint(_reserved(hook)) for hook in hooks if hook)


def _requested(request: Request, event: dict[str, Any], settings: Settings) -> set[Segments] | None:
    """Return all readings of a request's path; None if it has more than any ordinary one."""
    prefixes = (f"/{_stage(event)}", settings.remove_base_path)
    mounted = [partial(_below, prefix.rstrip("/").casefold()) for prefix in prefixes if prefix.strip("/")]
    paths = [request.path, request.prefix + request.path, _path_within_the_api(event)]
    paths += [value for name, value in request.headers if name.lower().replace("_", "-") in _PATH_HEADERS]
    readings = _readings([path for path in paths if path], (*_HABITS, *mounted))
    return None if readings is None else {_segments(reading) for reading in readings}


def _is_one(reserved: Segments, requested: set[Segments]) -> bool:
    if not any("{source}" in segment for segment in reserved):
        return reserved in requested
    return any(len(segments) == len(reserved) and all(map(_matches, segments, reserved)) for segments in requested)


def _matches(requested: str, reserved: str) -> bool:
    before, has_source, after = reserved.partition("{source}")
    if not has_source:
        return requested == reserved
    return len(requested) > len(before + after) and requested.startswith(before) and requested.endswith(after)


def _is_above_one(reserved: Segments, requested: set[Segments]) -> bool:
    return any(segments[: len(reserved)] == reserved for segments in requested)


@lru_cache(maxsize=8)  # the settings have four paths
def _reserved(path: str) -> set[Segments]:
    """Return all readings of a path of the settings, which has no parameters and no suffix to remove."""
    return {_segments(reading) for reading in _readings([path], _HABITS_OF_SETTINGS) or [path]}


def _readings(paths: Iterable[str], habits: tuple[Habit, ...]) -> set[str] | None:
    """Return all readings of paths; None if there are more than any ordinary path has."""
    readings = {path.casefold() for path in paths}
    unread = [*readings]
    characters = 0
    while unread:
        path = unread.pop()
        characters += len(path)
        if characters > _MAX_READINGS:
            return None
        for habit in habits:
            reading = habit(path)
            if reading not in readings:
                readings.add(reading)
                unread.append(reading)
    return readings


def _segments(path: str) -> Segments:
    names = path.strip("/")
    return tuple(names.split("/")) if names else ()


def _decoded(path: str) -> str:
    return unquote(path).casefold()


def _without_blanks(path: str) -> str:
    """Remove white space and controls around names."""
    return "/".join([segment.strip().strip(_CONTROLS) for segment in path.split("/")])


def _without_ignored(path: str) -> str:
    return path.translate(_IGNORED)


def _in_plain_characters(path: str) -> str:
    """Replace characters by the plain ones that they are a form of (NFKD), such as letters in full width.

    Each character is normalized alone: in a whole path, long sequences of accents would be sorted, which takes time.
    """
    if path.isascii():
        return path
    from unicodedata import normalize  # few paths need it

    return "".join([normalize("NFKD", char) for char in path]).casefold()


def _without_dots(path: str) -> str:
    return "/".join([segment for segment in path.split("/") if segment not in (".", "..")])


def _resolved(path: str) -> str:
    """Resolve dot segments (RFC 3986 §5.2.4)."""
    root, *segments = path.split("/")
    resolved: list[str] = []
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    return "/".join([root, *resolved])


def _below(prefix: str, path: str) -> str:
    return request_rules.remove_prefix(path, prefix)[1]


# What servers, frameworks and apps do with a path.
_HABITS_OF_SETTINGS: tuple[Habit, ...] = (
    _decoded,
    _in_plain_characters,
    _resolved,
    lambda path: path.replace("\\", "/"),  # as on Windows
    lambda path: _SLASHES.sub("/", path),
)
_HABITS: tuple[Habit, ...] = (
    *_HABITS_OF_SETTINGS,
    _without_blanks,
    _without_ignored,
    _without_dots,
    lambda path: path.replace("+", " "),  # as in forms
    lambda path: _AUTHORITY.sub("", path),  # a reference with a host (RFC 3986 §4.2): urlsplit, JavaScript's URL
    lambda path: _PARAMETERS.sub("", path),  # of a segment (RFC 3986 §3.3)
    lambda path: _END.sub("", path),  # once it is decoded
    lambda path: _SUFFIX.sub("", path),  # a format: `.json`
    lambda path: path.replace("..", ""),  # as filters against `..` do
)


def _stage(event: dict[str, Any]) -> str:
    return request_rules.to_text_or_empty(request_rules.to_mapping(event.get("requestContext")).get("stage"))


def _path_within_the_api(event: dict[str, Any]) -> str:
    """Return the path that API Gateway's route gives: without the base path, which an app may remove itself."""
    route = request_rules.to_text_or_empty(event.get("resource")) or request_rules.to_text_or_empty(
        event.get("routeKey")
    )
    path = route[route.find("/") :] if "/" in route else ""
    for name, value in request_rules.to_mapping(event.get("pathParameters")).items():
        for placeholder in (f"{{{name}+}}", f"{{{name}}}"):
            path = path.replace(placeholder, request_rules.to_text_or_empty(value))
    return path
