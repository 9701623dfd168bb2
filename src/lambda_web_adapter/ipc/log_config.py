"""How a function's log is to look, by Lambda's settings for it ("Configuring advanced logging controls")."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Lambda's names and Python's, as `logging` counts; Python has no TRACE, and Lambda's own runtime takes it for DEBUG.
LEVELS = {"TRACE": 10, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}
_FORMAT = "AWS_LAMBDA_LOG_FORMAT"
_LEVEL = "AWS_LAMBDA_LOG_LEVEL"
# Lambda sets it, and nobody else has a use for it.
_ON_LAMBDA = "AWS_LAMBDA_LOG_GROUP_NAME"


class LogConfig:
    """What the variables say. No dataclass, which takes half a millisecond to make, in each cold start.

    Attributes:
        json: whether each event is a JSON object.
        level: the lowest level that is wanted, as `logging` counts; 0 where none is named.
        one_line: whether an event has to be one line, since each line becomes an event of its own.
    """

    __slots__ = ("json", "level", "one_line")

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Reads the variables."""
        self.json = environ.get(_FORMAT, "").upper() == "JSON"
        self.level = LEVELS.get(environ.get(_LEVEL, "").upper(), 0)
        self.one_line = self.json or _ON_LAMBDA in environ


def json_level(level: int) -> str:
    """Names a level for JSON, as Lambda's filter has it: a name that it does not know, WARNING too, counts as INFO."""
    for least, name in ((50, "FATAL"), (40, "ERROR"), (30, "WARN"), (20, "INFO"), (10, "DEBUG")):
        if level >= least:
            return name
    return "TRACE"
