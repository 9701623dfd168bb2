"""Handle the signals that end the app process: call the app's own handler, if it has one, then stop the server."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

logger = logging.getLogger(__name__)

ENDING = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """The handler of the signals that end the process."""

    def __init__(self, stop: Callable[[], object]) -> None:
        """Keep the function that stops the server; the signal handler calls it."""
        self._stop = stop
        self._app_handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def take_over(self) -> None:
        """Handle the signals from now on; remember the handlers that the app has installed, to call them first."""
        for number in ENDING:
            handler = signal.signal(number, self._handle)
            # Python's default handler of SIGINT, which raises KeyboardInterrupt, is not the app's.
            if callable(handler) and handler not in (self._handle, signal.default_int_handler):
                self._app_handlers[number] = handler

    def ignore(self) -> None:
        """Ignore the signals from now on, so that they do not interrupt the shutdown."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Only once: the terminal and the adapter may both send the signal.
        handler = self._app_handlers.pop(number, None)
        try:
            if handler is not None:
                handler(number, frame)
        except (SystemExit, KeyboardInterrupt):
            pass  # the process ends anyway, in an orderly way
        except BaseException:  # an error of the app's must not keep the server from stopping
            logger.exception("The app's handler of %s failed", signal.Signals(number).name)
        finally:
            self._stop()
