"""The signals that end the app process: the server stops, and a handler of the app's own is called before that."""

from __future__ import annotations

import logging
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

logger = logging.getLogger(__name__)

ENDING = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """The handler of the signals that end the process."""

    def __init__(self, stop: Callable[[], object]) -> None:
        """Take what has the server stop; it is called in the signal's handler."""
        self._stop = stop
        self._own: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def take_over(self) -> None:
        """Handle the signals from now on, and keep the handlers that the app has installed so far."""
        for number in ENDING:
            handler = signal.signal(number, self._handle)
            # Python's own handler of SIGINT raises KeyboardInterrupt, and nobody has asked for it.
            if callable(handler) and handler not in (self._handle, signal.default_int_handler):
                self._own[number] = handler

    def ignore(self) -> None:
        """Ignore the signals from now on, so that they do not cut the end short."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        handler = self._own.pop(number, None)  # once, as the signal may come from the terminal and from the adapter
        try:
            if handler is not None:
                handler(number, frame)
        except (SystemExit, KeyboardInterrupt):
            pass  # that is what happens: the process ends, but in order
        except BaseException:  # whatever it raises is its own affair, and logged
            logger.exception("The app's handler of %s failed", signal.Signals(number).name)
        finally:
            self._stop()
