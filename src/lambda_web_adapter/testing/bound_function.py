"""A function and the event loop that it lives in: the client's, or one in a thread."""

from __future__ import annotations

import asyncio
import atexit
import threading
import warnings
import weakref
from typing import TYPE_CHECKING

from lambda_web_adapter.testing.event_loop_thread import EventLoopThread
from lambda_web_adapter.testing.surroundings import own_environ

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from types import FrameType
    from typing import Any, TypeVar

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.testing.function import AppFunction

    Result = TypeVar("Result")

__tracebackhide__ = True  # pytest leaves this module's frames out

_OTHER_LOOP = (
    "This LambdaTransport is in use in another event loop: that of an httpx.AsyncClient, or its own if it was used "
    "without one. Close it first, or make one for each."
)
_WRONG_METHOD = (
    "This LambdaTransport lives in the running event loop, since an httpx.AsyncClient uses it: await acold, afreeze or "
    "ainvoke instead of cold, freeze or invoke, and send requests with the AsyncClient."
)
_BLOCKS = (
    "An httpx.Client blocks the running event loop: a request that needs this loop hangs. Use httpx.AsyncClient, or "
    "the fixture async_lambda_client, in async tests."
)
# How long the end of the process waits for environments that nobody has closed, in seconds.
_EXIT_SECONDS = 2.0
# Those that have an event loop. An environment is no garbage before its end: to collect its tasks would run the app's
# `finally` blocks wherever the garbage collector happens to run.
_bound: set[BoundFunction] = set()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _close_all() -> None:
    """End all environments that are left when the process ends."""
    threads = [function.close_soon() for function in list(_bound)]
    for thread in filter(None, threads):
        thread.join(_EXIT_SECONDS)


def new_function(app: Any, options: FunctionOptions, environ: Mapping[str, str], *, as_process: bool) -> AppFunction:
    """Return the function for an app: in a process of its own, or in this one.

    Args:
        app: the app, or its name.
        options: the function's configuration.
        environ: environment variables in addition to those of this process.
        as_process: whether the app runs as a process.

    Raises:
        TypeError: a variable is no string.
    """
    for name, value in environ.items():
        if not isinstance(value, str):
            raise TypeError(f"Expected a string for the variable {name} in environ, got {value!r}.")
    if as_process:
        from lambda_web_adapter.testing.process import ProcessFunction

        return ProcessFunction(app, options, {**own_environ(), **environ})
    from lambda_web_adapter.testing.in_process import InProcessFunction

    return InProcessFunction(app, options, environ)


class BoundFunction:
    """A function with its event loop, which derived transports share.

    Attributes:
        function: the function.
    """

    def __init__(self, function: AppFunction) -> None:
        """Prepare, without an event loop."""
        self.function = function
        self._thread: EventLoopThread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Task[None] | None = None
        self._lock = threading.Lock()  # a client may be used in several threads

    @property
    def thread(self) -> EventLoopThread | None:
        """The thread of the event loop, if `run` has started one."""
        return self._thread

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Return a coroutine's result, in the event loop of the thread."""
        with self._lock:
            if self._thread is None:
                if self._loop is None and _running_loop() is not None:
                    warnings.warn(_BLOCKS, RuntimeWarning, stacklevel=2)
                self._enter(None, coroutine)
                self._thread = EventLoopThread()
                self._loop = self._thread.loop
            thread = self._thread
        return thread.run(coroutine)

    async def join(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Return a coroutine's result, in the running event loop."""
        self._enter(asyncio.get_running_loop(), coroutine)
        return await coroutine

    def _enter(self, loop: asyncio.AbstractEventLoop | None, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Live in this event loop from now on, unless another one is in use."""
        if loop is not None and loop is self._loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            coroutine.close()
            raise RuntimeError(_WRONG_METHOD if self._loop is _running_loop() else _OTHER_LOOP)
        if self._loop is not None:
            self.function.forget()
        self._loop = loop
        if not _bound:
            atexit.unregister(_close_all)
            atexit.register(_close_all)
        _bound.add(self)

    def close(self) -> None:
        """End the environment, and the thread if there is one.

        Raises:
            RuntimeError: the environment lives in an event loop that is running.
        """
        thread, self._thread = self._thread, None
        loop = self._loop
        if thread is None and loop is not None and loop.is_running():
            raise RuntimeError(
                "This LambdaTransport is in use in a running event loop, where close() cannot wait for the app's "
                "shutdown: use `async with`, or `await transport.aclose()`."
            )
        try:
            if thread is not None:
                thread.run(self.function.close())
            elif loop is not None and not loop.is_closed():
                loop.run_until_complete(self.function.close())
        finally:
            if thread is not None:
                thread.stop()
            self._leave()

    async def aclose(self) -> None:
        """End the environment in the running event loop, and the thread if there is one."""
        if self._loop is not asyncio.get_running_loop():
            self.close()
            return
        try:
            await self.function.close()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Let go of the event loop, whether or not it has ended."""
        if self._loop is not None:
            self.function.forget()
            self._loop = None
        _bound.discard(self)

    def end_with(self, transport: object, name: str, maker: FrameType) -> None:
        """Have the environment ended with a warning once a transport is garbage, unless it has been closed.

        Args:
            transport: the transport; all others that share the environment keep it.
            name: the app's name, for the warning.
            maker: the frame that has made the transport, which the warning shows.
        """
        finalizer = weakref.finalize(transport, self._forsake, name, maker.f_code.co_filename, maker.f_lineno)
        finalizer.atexit = False  # `_close_all` ends what is left then

    def _forsake(self, name: str, file: str, line: int) -> None:
        if self._loop is None:
            return
        self.close_soon()
        message = (
            f'LambdaTransport({name}) was not closed; use it in "with httpx.Client(…)" or '
            '"async with httpx.AsyncClient(…)", which close it.'
        )
        warnings.warn_explicit(message, ResourceWarning, file, line)

    def close_soon(self) -> EventLoopThread | None:
        """Have the environment ended without waiting for that, and return the thread that does it, if there is one.

        The garbage collector may call this, in any thread that may hold any lock.
        """
        thread, self._thread = self._thread, None
        loop, self._loop = self._loop, None
        if loop is None or loop.is_closed():
            self.function.forget()
            _bound.discard(self)
        elif thread is not None:
            thread.finish(self._end())
        else:
            loop.call_soon_threadsafe(self._begin_to_end, loop)
        return thread

    def _begin_to_end(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ending = loop.create_task(self._end())

    async def _end(self) -> None:
        try:
            await self.function.close()
        finally:
            _bound.discard(self)
