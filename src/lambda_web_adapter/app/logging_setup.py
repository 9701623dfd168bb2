"""Set up the app's log: records that no handler of the app's receives are written as by Lambda's own Python runtime.

An app that configures `logging` gets exactly that, as anywhere else; the only addition is `aws_request_id` in each
record.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.ipc.log_config import LogConfig, json_level
from lambda_web_adapter.ipc.log_output import LogOutput

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STDERR = 2  # the file descriptor: the app may have replaced `sys.stderr`
_WRITE_TIMEOUT = 0.5  # seconds: how long to wait for a slow reader of the log
_REQUEST_ID = "aws_request_id"  # as in Lambda's own runtime
_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
_TERMINAL_FORMAT = "%(levelname)s %(name)s: %(message)s"
_SECONDS = "%Y-%m-%dT%H:%M:%S"
# Attributes that a record has without the app's `extra`.
_STANDARD_ATTRIBUTES = {
    *vars(logging.LogRecord("", 0, "", 0, "", None, None)),
    *("asctime", "message", "taskName", _REQUEST_ID),
}


def set_up(*, install: bool = True) -> EventHandler:
    """Install the handler of the app's log; call this before the app is imported.

    This is the only place that changes `logging`: `lastResort`, the root logger's handlers and level, `basicConfig`,
    and `Logger.makeRecord`.

    Args:
        install: whether to change `logging` (`AWS_LWA_LOGGING`).

    Returns:
        The handler, for records that must be written without `logging`.
    """
    config = LogConfig(os.environ)
    handler = EventHandler(_formatter(config))
    if not install:
        return handler
    logging.lastResort = handler
    # Flask, for one, adds a handler of its own unless the root logger has one.
    logging.root.addHandler(handler)
    if config.level:
        logging.root.setLevel(config.level)
    logging.basicConfig = _without_handler(handler, logging.basicConfig)
    # Not with a record factory: after it, `logging` rejects an `extra` that has the request id too.
    logging.Logger.makeRecord = _with_request_id(logging.Logger.makeRecord)  # type: ignore[method-assign]
    return handler


class EventHandler(logging.Handler):
    """Writes each record that no handler of the app's has received to stderr, as one event."""

    def __init__(self, formatter: logging.Formatter) -> None:
        """Write events in the format of a formatter."""
        super().__init__()
        self.setFormatter(formatter)
        self.output = LogOutput(_WRITE_TIMEOUT, self._dropped_notice)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless a handler of the app's has received it."""
        try:
            if not self._has_app_handler(record.name):
                self.write(record)
        except Exception:  # noqa: BLE001  # a bad record must not fail a request; the error is logged
            self.handleError(record)

    def write(self, record: logging.LogRecord) -> None:
        """Write a record, whatever handlers the app has."""
        self.output.write(self._line(record))

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")

    def _dropped_notice(self, dropped: int) -> bytes:
        message = f"{dropped} lines of the app's log before this one could not be written."
        return self._line(logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None))

    def write_failure(self, message: str, error: BaseException) -> None:
        """Write an exception that ends the process; the app's own handlers may not work yet."""
        exc_info = (type(error), error, error.__traceback__)
        self.write(logging.LogRecord(__name__, logging.ERROR, __file__, 0, message, None, exc_info))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Write why a record cannot be written, as one event."""
        error = sys.exception()
        if error is None or not logging.raiseExceptions:
            return
        try:
            self.write_failure(f"A record from {record.pathname}:{record.lineno} cannot be written", error)
        except Exception:  # noqa: BLE001  # logging's own way may still work
            super().handleError(record)

    def _has_app_handler(self, name: str) -> bool:
        """Return whether another handler receives a logger's records; a NullHandler does not count."""
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            for handler in logger.handlers:
                if handler is not self and not isinstance(handler, logging.NullHandler):
                    return True
            logger = logger.parent if logger.propagate else None
        return False


class TextFormatter(logging.Formatter):
    """Formats a record as a line of text: level, UTC time, request id, message, tab-separated."""

    converter = staticmethod(time.gmtime)

    def __init__(self, *, one_line: bool) -> None:
        """Set whether line feeds become carriage returns, so that a traceback stays in one log event."""
        super().__init__(_TEXT_FORMAT, _SECONDS, defaults={_REQUEST_ID: ""})
        self._one_line = one_line

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text."""
        text = super().format(record).rstrip("\n")
        return text.replace("\n", "\r") if self._one_line else text


class JsonFormatter(logging.Formatter):
    """Formats a record as a line of JSON, with the names of Lambda's Python runtime and the values of `extra`."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        fields = {
            "timestamp": f"{self.formatTime(record, _SECONDS)}Z",
            "level": json_level(record.levelno),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            **self._exception_fields(record),
            "stackInfo": record.stack_info.split("\n") if record.stack_info else None,
            "requestId": getattr(record, _REQUEST_ID, None) or None,
            "tenantId": _invocation_attribute("tenant_id") or None,
        }
        present = {name: value for name, value in fields.items() if value is not None}
        for name, value in vars(record).items():
            if name not in _STANDARD_ATTRIBUTES and value is not None:
                present.setdefault(name, value)
        return _encode_json(present)

    def _exception_fields(self, record: logging.LogRecord) -> dict[str, Any]:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)  # type: ignore[arg-type]  # it is one
        return {
            "stackTrace": record.exc_text.split("\n") if record.exc_text else None,
            "errorType": type(error).__name__ if error else None,
            "errorMessage": _safe_str(error) if error else None,
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if error and record.funcName else None,
        }


def _formatter(config: LogConfig) -> logging.Formatter:
    if config.json:
        return JsonFormatter()
    if os.isatty(_STDERR):
        return logging.Formatter(_TERMINAL_FORMAT)
    return TextFormatter(one_line=config.one_line)


def _without_handler(handler: logging.Handler, basic_config: Callable[..., None]) -> Callable[..., None]:
    """Return a `basicConfig` that removes the handler first, unless it has no options, as from `logging.info`."""

    @functools.wraps(basic_config)
    def configured(**options: Any) -> None:
        if options:
            logging.root.removeHandler(handler)
        basic_config(**options)

    return configured


def _with_request_id(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Return a `makeRecord` whose records have the request id, for formats with `%(aws_request_id)s`."""

    @functools.wraps(make)
    def make_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.__dict__.setdefault(_REQUEST_ID, _invocation_attribute(_REQUEST_ID))
        return record

    return make_record


def _invocation_attribute(name: str) -> str:
    """Return an attribute of the current invocation; empty without one."""
    invocation = CURRENT.get()
    return getattr(invocation, name) or "" if invocation else ""


def _safe_str(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as problem:  # noqa: BLE001  # even without its message, the exception has a traceback
        return f"<{type(problem).__name__} in str()>"


def _encode_json(fields: dict[str, Any]) -> str:
    """Return fields as JSON; values that JSON does not have, such as NaN or a circular reference, become text."""
    try:
        return _dump_json(fields)
    except (TypeError, ValueError, RecursionError):
        return _dump_json({str(name): _encodable(value) for name, value in fields.items()})


def _encodable(value: Any) -> Any:
    try:
        _dump_json(value)
    except (TypeError, ValueError, RecursionError):
        return str(value)
    return value


def _dump_json(value: Any) -> str:
    import json  # most cold starts log nothing

    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
