"""The adapter's own log lines, on standard error; standard output belongs to the app.

The logging package would cost more to import than all the rest of this folder.
"""

from __future__ import annotations

import os
import time

from lambda_web_adapter.ipc.log_config import LEVELS, LogConfig, json_level
from lambda_web_adapter.ipc.log_output import LogOutput

# For a slow reader of the log: less than the margin before a time-out, since the reply may come behind the line.
_SECONDS = 0.1
_RELAY_SECONDS = 1.0
_logged_once: set[str] = set()


def log_once(level: str, message: str, request_id: str = "") -> None:
    """Writes what is enough to read once in an environment's life; see `log`."""
    if message not in _logged_once:
        _logged_once.add(message)
        log(level, message, request_id)


def log(level: str, message: str, request_id: str = "", **fields: object) -> None:
    """Writes one event, as Lambda's Python runtime does it: a line of text, or of JSON where the function asks for it.

    Args:
        level: `INFO`, `WARNING` or `ERROR`; what is below the function's log level is left out.
        message: one fact; further lines of it stay in the same event.
        request_id: the invocation it is about.
        fields: more of it, for JSON only.
    """
    controls = LogConfig(os.environ)
    if LEVELS[level] >= controls.level:
        _output.write(_line(controls, level, message, request_id, fields))


def _line(controls: LogConfig, level: str, message: str, request_id: str, fields: dict[str, object]) -> bytes:
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    text = message.rstrip("\n")
    if controls.json:
        request_field = {"requestId": request_id} if request_id else {}
        line = _json(
            {"timestamp": f"{stamp}Z", "level": json_level(LEVELS[level]), "message": text, **request_field, **fields}
        )
    else:
        text = text.replace("\n", "\r") if controls.one_line else text
        line = f"[{level}]\t{stamp}.{int(now * 1000) % 1000:03d}Z\t{request_id}\t{text}"
    return f"{line}\n".encode("utf-8", "backslashreplace")


def _notice(dropped: int) -> bytes:
    return _line(LogConfig(os.environ), "WARNING", f"{dropped} lines before this one could not be written.", "", {})


def relay() -> LogOutput:
    """Return a way to stderr for what another process has written, which waits longer for a slow reader."""
    return LogOutput(_RELAY_SECONDS, _notice)


def _json(record: dict[str, object]) -> str:
    import orjson  # a start that fails has no use for it elsewhere

    try:
        return orjson.dumps(record).decode("utf-8")
    except TypeError:  # half of a surrogate pair, in what others have said
        import json

        return json.dumps(record)


_output = LogOutput(_SECONDS, _notice)
