"""The adapter's own log lines, on standard error; standard output belongs to the app.

Importing the `logging` package would take longer than all other imports of this folder.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc.log_config import LEVELS, LogConfig, json_level
from lambda_web_adapter.ipc.log_output import LogOutput

if TYPE_CHECKING:
    from collections.abc import Callable

# They get the invocation and the text of each line that is written, for tests with the adapter in their own process.
listeners: list[Callable[[str, str], None]] = []
# How long to wait for a slow reader of the log: less than the margin before the deadline, as a reply may come after it.
_WRITE_SECONDS = 0.1
_RELAY_SECONDS = 1.0
_logged_once: set[str] = set()


def log_once(level: str, message: str, request_id: str = "") -> None:
    """Log a message unless this environment has logged it before; see `log`."""
    if message not in _logged_once:
        _logged_once.add(message)
        log(level, message, request_id)


def log(level: str, message: str, request_id: str = "", **fields: object) -> None:
    """Log one event as Lambda's Python runtime does, as a line of text, or of JSON if that is the log format.

    Args:
        level: `INFO`, `WARNING` or `ERROR`; an event below the function's log level is not written.
        message: what happened; if it has several lines, they stay in one log event.
        request_id: the invocation that it is about.
        fields: further fields, for JSON only.
    """
    config = LogConfig(os.environ)
    if LEVELS[level] >= config.level:
        _output.write(_line(config, level, message, request_id, fields))
        for listen in listeners:
            listen(request_id, f"[{level}] {message}")


def _line(config: LogConfig, level: str, message: str, request_id: str, fields: dict[str, object]) -> bytes:
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    text = message.rstrip("\n")
    if config.json:
        request_field = {"requestId": request_id} if request_id else {}
        line = _json(
            {"timestamp": f"{stamp}Z", "level": json_level(LEVELS[level]), "message": text, **request_field, **fields}
        )
    else:
        text = text.replace("\n", "\r") if config.one_line else text
        line = f"[{level}]\t{stamp}.{int(now * 1000) % 1000:03d}Z\t{request_id}\t{text}"
    return f"{line}\n".encode("utf-8", "backslashreplace")


def _notice(dropped: int) -> bytes:
    return _line(LogConfig(os.environ), "WARNING", f"{dropped} lines before this one could not be written.", "", {})


def relay() -> LogOutput:
    """Return an output for what another process has written; it waits longer for a slow reader than `log`."""
    return LogOutput(_RELAY_SECONDS, _notice)


def _json(record: dict[str, object]) -> str:
    import orjson  # only when it is needed: a failed start may have no other use for it

    try:
        return orjson.dumps(record).decode("utf-8")
    except TypeError:  # half of a surrogate pair, in a string from the app
        import json

        return json.dumps(record)


_output = LogOutput(_WRITE_SECONDS, _notice)
