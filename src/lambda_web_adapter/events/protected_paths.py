"""Whether a client's request could reach a path that is kept for events or hooks, in whatever way somebody reads it.

Servers, frameworks and apps read paths differently: one resolves `..`, the next takes it for a name; one decodes once,
the next again. So a path is read in all ways at once: each of `_HABITS` may apply or not, again, and in any order. What
is refused needlessly is only what no ordinary client asks for.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from urllib.parse import unquote

from lambda_web_adapter.events import request_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from lambda_web_adapter.http.messages import Request
    from lambda_web_adapter.settings import Settings

    Habit = Callable[[str], str]
    Segments = tuple[str, ...]

# Characters of all readings of a path together, which takes less than 0.1 s. An ordinary path has one to ten readings.
_MAX_READINGS = 128 * 1024
_SLASHES = re.compile(r"/+")
_AUTHORITY = re.compile(r"\A(?:[a-z][-+.a-z0-9]*:)?//+[^/]*")
_PARAMETERS = re.compile(r";[^/]*")
_END = re.compile(r"[?#;\0].*", re.DOTALL)
_SUFFIX = re.compile(r"(?<=[^/.])\.+[^/.]*/*\Z")
_CONTROLS = "".join(map(chr, range(0x21))) + "\x7f"
# What is left out anywhere in a path: urlsplit and JavaScript's URL do so with tabs and line breaks, others with any
# control, and with bytes that are not UTF-8 (which are U+FFFD once they are decoded).
_IGNORED = dict.fromkeys([*range(0x20), 0x7F, 0xFFFD])
# Headers that some frameworks take for the path, since IIS sends them; `_` for `-` as in CGI.
_PATH_HEADERS = frozenset({"x-original-url", "x-rewrite-url"})


def is_for_events(request: Request, event: dict[str, Any], settings: Settings) -> bool:
    """Return whether any app could take a request for one of the paths of events.

    Args:
        request: the client's request, as the app would get it.
        event: what it came as.
        settings: the settings, which say what those paths are.
    """
    requested = _requested(request, event, settings)
    if requested is None:
        return True
    return any(_is_one(segments, requested) for segments in _reserved(settings.pass_through_path)) or (
        bool(settings.websocket_path)
        and any(_is_above_one(segments, requested) for segments in _reserved(settings.websocket_path))
    )


def is_for_hooks(request: Request, event: dict[str, Any], settings: Settings) -> bool:
    """Return whether any app could take a request for one of the paths that the adapter calls around a snapshot."""
    requested = _requested(request, event, settings)
    hooks = [settings.snapstart_before_checkpoint_path, settings.snapstart_after_restore_path]
    return requested is None or any(not requested.isdisjoint(_reserved(hook)) for hook in hooks if hook)


def _requested(request: Request, event: dict[str, Any], settings: Settings) -> set[Segments] | None:
    """Return what a request's path may be read as; None where that is more than anybody means."""
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


@lru_cache(maxsize=8)  # there are four of them
def _reserved(path: str) -> set[Segments]:
    """Read a path of the settings, as they are written: it has no parameters, nor a suffix that is to be left out."""
    return {_segments(reading) for reading in _readings([path], _HABITS_OF_SETTINGS) or [path]}


def _readings(paths: Iterable[str], habits: tuple[Habit, ...]) -> set[str] | None:
    """Return all that paths may be read as; None where that is more than anybody means."""
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
    """Leave out white space and controls around names."""
    return "/".join([segment.strip().strip(_CONTROLS) for segment in path.split("/")])


def _without_ignored(path: str) -> str:
    return path.translate(_IGNORED)


def _in_plain_characters(path: str) -> str:
    """Write characters as what they are a form of (NFKD), such as letters in full width.

    It is done one by one, which takes no longer for any sequence: a normal form of the whole would sort its accents.
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


# What somebody makes of a path.
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
    """Return the path as API Gateway's route has it: without a base path, which an app may take off itself."""
    route = request_rules.to_text_or_empty(event.get("resource")) or request_rules.to_text_or_empty(
        event.get("routeKey")
    )
    path = route[route.find("/") :] if "/" in route else ""
    for name, value in request_rules.to_mapping(event.get("pathParameters")).items():
        for placeholder in (f"{{{name}+}}", f"{{{name}}}"):
            path = path.replace(placeholder, request_rules.to_text_or_empty(value))
    return path
