"""The listeners of a local run: which gateway serves which address.

The gateways themselves are not imported: their pydantic models take long, and the command line does not need them.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.option_error import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_FORMAT = re.compile(r"(?P<source>[^:]+)(?::(?P<host>\[[^\]]+\]|[^:\[\]]+))?:(?P<port>[0-9]{1,5})", re.ASCII)
_EXAMPLES = "alb:8001, alb:0.0.0.0:8001 or alb:[::1]:8001"
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An address, and the event source that is served on it.

    Attributes:
        source: the event source, such as `alb`.
        host: the address, without brackets.
        port: the port; 0 picks a free one.
    """

    source: str
    host: str
    port: int


def parse_listeners(values: Iterable[str], host: str, sources: Sequence[str] = EVENT_SOURCES) -> tuple[Listener, ...]:
    """Return the listeners of `--listen`, each `NAME:PORT` or `NAME:HOST:PORT`.

    Args:
        values: the option's values, in order.
        host: the host of those that name none.
        sources: the names of event sources that there are.

    Raises:
        OptionError: a value is not a listener, or two have the same address.
    """
    listeners: list[Listener] = []
    for value in values:
        listener = _parse(value, host, sources)
        for other in listeners:
            if listener.port and (other.host, other.port) == (listener.host, listener.port):
                raise OptionError(
                    f"--listen has port {listener.port} of {listener.host} for both {other.source} and "
                    f"{listener.source}. Give each listener a port of its own."
                )
        listeners.append(listener)
    return tuple(listeners)


def _parse(value: str, host: str, sources: Sequence[str]) -> Listener:
    match = _FORMAT.fullmatch(value)
    if match is None or int(match["port"]) > _MAX_PORT:
        raise OptionError(f"--listen is {value!r}, but it takes NAME:PORT or NAME:HOST:PORT, such as {_EXAMPLES}.")
    if match["source"] not in sources:
        similar = difflib.get_close_matches(match["source"].lower(), sources, 1)
        hint = f"Did you mean {similar[0]}? " if similar else ""
        names = ", ".join(sources)
        raise OptionError(f"--listen: There is no event source {match['source']!r}. {hint}There are {names}.")
    named = (match["host"] or host).removeprefix("[").removesuffix("]")
    return Listener(source=match["source"], host=named, port=int(match["port"]))


def format_url(scheme: str, host: str, port: int, prefix: str = "") -> str:
    """Return the URL of a listener, whose paths begin with a gateway's prefix."""
    default = {"http": 80, "ws": 80, "https": 443, "wss": 443}[scheme]
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}{'' if port == default else f':{port}'}{prefix}"
