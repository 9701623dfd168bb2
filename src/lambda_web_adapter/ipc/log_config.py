"""The format and level of a function's log, from Lambda's variables ("Configuring advanced logging controls")."""

from __future__ import annotations

from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Lambda's names and Python's, with `logging`'s numbers. Python has no TRACE; Lambda's own runtime treats it as DEBUG.
LEVELS = {"TRACE": 10, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}
_FORMAT = "AWS_LAMBDA_LOG_FORMAT"
_LEVEL = "AWS_LAMBDA_LOG_LEVEL"
# Set on Lambda, and by a local run, whose log is read by people.
_ON_LAMBDA = "AWS_LAMBDA_LOG_GROUP_NAME"


class LogConfig:
    """Lambda's log settings. Not a dataclass, which would add half a millisecond to each cold start.

    Attributes:
        json: whether each log event is a JSON object.
        level: the lowest level to log, as a number of `logging`; 0 if none is set.
        one_line: whether a log event has to be one line, since each line becomes an event of its own.
    """

    __slots__ = ("json", "level", "one_line")

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the settings from the variables."""
        self.json = environ.get(_FORMAT, "").upper() == "JSON"
        self.level = LEVELS.get(environ.get(_LEVEL, "").upper(), 0)
        self.one_line = self.json or (_ON_LAMBDA in environ and not environ.get(LOCAL_RUN_VARIABLE))


def json_level(level: int) -> str:
    """Return a level's name as Lambda's filter knows it; the filter takes other names, such as WARNING, for INFO."""
    for minimum, name in ((50, "FATAL"), (40, "ERROR"), (30, "WARN"), (20, "INFO"), (10, "DEBUG")):
        if level >= minimum:
            return name
    return "TRACE"
