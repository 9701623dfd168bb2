"""What the apps log, and how: TALKING_CONFIGURES says how they configure logging; what they log is in the path.

Each app is a module of its own, since each framework takes long to import.
"""

from __future__ import annotations

import logging
import logging.config
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = "mine %(name)s %(aws_request_id)s: %(message)s"
logger = logging.getLogger("talking")


def add_handler(name: str = "") -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.getLogger(name).addHandler(handler)


def dict_config() -> None:
    handler = {"class": "logging.StreamHandler", "formatter": "mine", "stream": "ext://sys.stderr"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"mine": {"format": FORMAT}},
            "handlers": {"mine": handler},
            "root": {"handlers": ["mine"], "level": "INFO"},
        }
    )


def set_factory() -> None:
    before = logging.getLogRecordFactory()

    def made(*args: Any, **more: Any) -> logging.LogRecord:
        record = before(*args, **more)
        record.shop = "tea"
        return record

    logging.setLogRecordFactory(made)


CONFIGURES: dict[str, Callable[[], object]] = {
    "": lambda: None,
    "basicConfig": lambda: logging.basicConfig(format=FORMAT, level=logging.INFO),
    "dictConfig": dict_config,
    "root": add_handler,
    "talking": lambda: add_handler("talking"),
    "clear": logging.getLogger().handlers.clear,
    "factory": set_factory,
    "module functions": lambda: logging.info("calls basicConfig, without any options"),
    "null": lambda: logger.addHandler(logging.NullHandler()),
}


def levels() -> None:
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "this is %s", logging.getLevelName(level).lower())


def fail() -> None:
    raise ZeroDivisionError("over the sink")


def log_failure() -> None:
    try:
        raise LookupError("no such tea")
    except LookupError:
        logger.exception("brewing failed", extra={"cups": 3})


def from_a_thread() -> None:
    thread = threading.Thread(target=logger.warning, args=("from a thread",))
    thread.start()
    thread.join()


def hang() -> None:
    threading.Event().wait()


SAYS: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "warning": lambda: logger.warning("tea is out, %s", "coffee too", extra={"cups": 3, "kind": "Grün"}),
    "levels": levels,
    "dict": lambda: logger.error({"tea": ["green", "black"]}),
    "lines": lambda: logger.warning("one\ntwo"),
    "exception": log_failure,
    "raise": fail,
    "extra": lambda: logger.warning("named", extra={"aws_request_id": "the app's own"}),
    "wrong": lambda: logger.warning("%d cups", "many"),
    "thread": from_a_thread,
    "hang": hang,
}


def say(what: str) -> None:
    """Logs what the path says; of a name of the test's, three records."""
    if what in SAYS:
        SAYS[what]()
        return
    for number in range(3):
        logger.warning("%s number %d", what, number)


CONFIGURES[os.environ.get("TALKING_CONFIGURES", "")]()
if os.environ.get("TALKING_RAISES"):
    sys.stderr.write("no licence found\n")
    raise ZeroDivisionError("before it was ready")
