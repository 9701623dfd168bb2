"""The app's log: what nobody in the app takes care of is written as Lambda's own Python runtime writes it.

An app that configures `logging` gets what it asks for, as anywhere else. All that it gets besides is `aws_request_id`
in each record.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import time

from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.ipc.log_config import LogConfig, json_level
from lambda_web_adapter.ipc.log_output import LogOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STDERR = 2  # the file descriptor: the app may have put something else in place of `sys.stderr`
_WRITE_TIMEOUT = 0.5  # seconds, for a reader of the log that is slow
_REQUEST_ID = "aws_request_id"  # as Lambda's own runtime calls it
_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
_TERMINAL_FORMAT = "%(levelname)s %(name)s: %(message)s"
_SECONDS = "%Y-%m-%dT%H:%M:%S"
# What a record has without the app's `extra`.
_STANDARD_ATTRIBUTES = {
    *vars(logging.LogRecord("", 0, "", 0, "", None, None)),
    *("asctime", "message", "taskName", _REQUEST_ID),
}


def set_up() -> EventHandler:
    """Has the app's log written so; to be called before the app is imported.

    Returns:
        What writes it, for what does not go by way of `logging`.
    """
    controls = LogConfig(os.environ)
    handler = EventHandler(_formatter(controls))
    logging.lastResort = handler
    # A handler of the root's also tells those who ask, Flask for one, that the log is seen to.
    logging.root.addHandler(handler)
    if controls.level:
        logging.root.setLevel(controls.level)
    logging.basicConfig = _without_handler(handler, logging.basicConfig)
    # A record factory would not do: `extra` may not name what a new record has already.
    logging.Logger.makeRecord = _with_request_id(logging.Logger.makeRecord)  # type: ignore[method-assign]
    return handler


class EventHandler(logging.Handler):
    """Writes each record that no handler of the app takes as one event, to standard error."""

    def __init__(self, formatter: logging.Formatter) -> None:
        """Takes what an event looks like."""
        super().__init__()
        self.setFormatter(formatter)
        self.output = LogOutput(_WRITE_TIMEOUT, self._notice)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, unless it has gone to a handler of the app's."""
        try:
            if not self._is_taken(record.name):
                self.write(record)
        except Exception:  # noqa: BLE001  # a record is not worth a request; what is wrong with it is logged
            self.handleError(record)

    def write(self, record: logging.LogRecord) -> None:
        """Writes a record whatever handlers there are."""
        self.output.write(self._line(record))

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")

    def _notice(self, dropped: int) -> bytes:
        message = f"{dropped} lines of the app's log before this one could not be written."
        return self._line(logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None))

    def write_failure(self, message: str, error: BaseException) -> None:
        """Writes an exception that ends the process; the app's own handlers may not work yet."""
        exc_info = (type(error), error, error.__traceback__)
        self.write(logging.LogRecord(__name__, logging.ERROR, __file__, 0, message, None, exc_info))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Writes why a record cannot be written, as one event too."""
        error = sys.exception()
        if error is None or not logging.raiseExceptions:
            return
        try:
            self.write_failure(f"A record from {record.pathname}:{record.lineno} cannot be written", error)
        except Exception:  # noqa: BLE001  # then Python tries in its way
            super().handleError(record)

    def _is_taken(self, name: str) -> bool:
        """Says whether another handler has had a record of this logger's; one that does nothing does not count."""
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            for handler in logger.handlers:
                if handler is not self and not isinstance(handler, logging.NullHandler):
                    return True
            logger = logger.parent if logger.propagate else None
        return False


class TextFormatter(logging.Formatter):
    """Writes a record as a line of text: level, UTC time, request id, message, tab-separated."""

    converter = staticmethod(time.gmtime)

    def __init__(self, *, one_line: bool) -> None:
        """Takes whether line feeds become carriage returns, so that a traceback stays in its event."""
        super().__init__(_TEXT_FORMAT, _SECONDS, defaults={_REQUEST_ID: ""})
        self._one_line = one_line

    def format(self, record: logging.LogRecord) -> str:
        """Writes a record."""
        text = super().format(record).rstrip("\n")
        return text.replace("\n", "\r") if self._one_line else text


class JsonFormatter(logging.Formatter):
    """Writes a record as a line of JSON, with the names that Lambda's Python runtime has, and what `extra` holds."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Writes a record."""
        fields = {
            "timestamp": f"{self.formatTime(record, _SECONDS)}Z",
            "level": json_level(record.levelno),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            **self._exception(record),
            "stackInfo": record.stack_info.split("\n") if record.stack_info else None,
            "requestId": getattr(record, _REQUEST_ID, None) or None,
            "tenantId": _invocation_attribute("tenant_id") or None,
        }
        said = {name: value for name, value in fields.items() if value is not None}
        for name, value in vars(record).items():
            if name not in _STANDARD_ATTRIBUTES and value is not None:
                said.setdefault(name, value)
        return _encode_json(said)

    def _exception(self, record: logging.LogRecord) -> dict[str, Any]:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)  # type: ignore[arg-type]  # it is one
        return {
            "stackTrace": record.exc_text.split("\n") if record.exc_text else None,
            "errorType": type(error).__name__ if error else None,
            "errorMessage": _text(error) if error else None,
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if error and record.funcName else None,
        }


def _formatter(controls: LogConfig) -> logging.Formatter:
    if controls.json:
        return JsonFormatter()
    if os.isatty(_STDERR):
        return logging.Formatter(_TERMINAL_FORMAT)
    return TextFormatter(one_line=controls.one_line)


def _without_handler(handler: logging.Handler, basic_config: Callable[..., None]) -> Callable[..., None]:
    """Makes a `basicConfig` that finds the root without our handler; without options, `logging.info` calls it."""

    @functools.wraps(basic_config)
    def configured(**options: Any) -> None:
        if options:
            logging.root.removeHandler(handler)
        basic_config(**options)

    return configured


def _with_request_id(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Makes a `makeRecord` whose records have the request id, for formats with `%(aws_request_id)s`."""

    @functools.wraps(make)
    def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.__dict__.setdefault(_REQUEST_ID, _invocation_attribute(_REQUEST_ID))
        return record

    return made


def _invocation_attribute(name: str) -> str:
    """Says something of the invocation that is handled here; nothing where there is none."""
    invocation = CURRENT.get()
    return getattr(invocation, name) or "" if invocation else ""


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as problem:  # noqa: BLE001  # an exception that cannot say what it is has a traceback still
        return f"<{type(problem).__name__} in str()>"


def _encode_json(fields: dict[str, Any]) -> str:
    """Writes JSON; what JSON has no word for, such as a NaN or a circle, as text."""
    try:
        return _json(fields)
    except (TypeError, ValueError, RecursionError):
        return _json({str(name): _plain(value) for name, value in fields.items()})


def _plain(value: Any) -> Any:
    try:
        _json(value)
    except (TypeError, ValueError, RecursionError):
        return str(value)
    return value


def _json(value: Any) -> str:
    import json  # most cold starts have nothing to say

    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
