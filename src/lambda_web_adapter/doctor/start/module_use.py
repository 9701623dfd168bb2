"""Which modules run: the first time that a function of each begins."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

_MODULE_BODY = "<module>"
_TOOL_NAME = "lambda-web-adapter doctor"


def watch_modules(report: Callable[[str], None]) -> None:
    """Call `report` with the name of each module of which something runs from now on, once for each.

    From Python 3.12 on, this costs nothing after the first time (PEP 669). Before, each call of a function is seen, in
    this thread and in those that begin later.
    """
    names: set[str] = set()

    def take(frame: FrameType) -> None:
        name = frame.f_globals.get("__name__")
        if isinstance(name, str) and name not in names and frame.f_code.co_name != _MODULE_BODY:
            names.add(name)
            report(name)

    if hasattr(sys, "monitoring"):
        _monitor(take)
    else:
        _profile(take)


def _monitor(take: Callable[[FrameType], None]) -> None:
    monitoring: Any = vars(sys)["monitoring"]
    tool = next(number for number in range(6) if monitoring.get_tool(number) is None)

    def begin(_code: CodeType, _offset: int) -> Any:
        take(sys._getframe(1))  # the only way to its globals
        return monitoring.DISABLE

    monitoring.use_tool_id(tool, _TOOL_NAME)
    monitoring.register_callback(tool, monitoring.events.PY_START, begin)
    monitoring.set_events(tool, monitoring.events.PY_START)


def _profile(take: Callable[[FrameType], None]) -> None:
    import threading

    codes: dict[int, CodeType] = {}  # by identity: functions of two modules may have equal code

    def see(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and id(frame.f_code) not in codes:
            codes[id(frame.f_code)] = frame.f_code
            take(frame)

    threading.setprofile(see)
    sys.setprofile(see)
