"""The adapter's own log lines, on standard error; standard output belongs to the app.

The logging package would cost more to import than all the rest of this folder.
"""

from __future__ import annotations

import os
import sys
import time

_said: set[str] = set()


def log_once(level: str, message: str, request_id: str = "") -> None:
    """Writes what is enough to read once in an environment's life; see `log`."""
    if message not in _said:
        _said.add(message)
        log(level, message, request_id)


def log(level: str, message: str, request_id: str = "") -> None:
    """Writes one line in the format of Lambda's Python runtime: level, UTC time, request id, message, tab-separated.

    Args:
        level: `INFO`, `WARNING` or `ERROR`.
        message: one fact; further lines of it stay in the same event, as carriage returns (one log event for each).
        request_id: the invocation it is about.
    """
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    text = message.rstrip("\n").replace("\n", "\r" if "AWS_LAMBDA_LOG_GROUP_NAME" in os.environ else "\n")
    sys.stderr.write(f"[{level}]\t{stamp}.{int(now * 1000) % 1000:03d}Z\t{request_id}\t{text}\n")
    sys.stderr.flush()
