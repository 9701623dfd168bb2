"""An execution environment in this process: the app from a cold start to its end, with the adapter before it."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.diagnostics.exchange_report import response_head
from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.invocation import Invoker, NoObserver
from lambda_web_adapter.adapter.process.app_process import AppProcess
from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.adapter.process.process_tree import describe_exit
from lambda_web_adapter.adapter.timeouts import TimeoutPolicy
from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.http.trusted_headers import EVENT_SOURCE_HEADER
from lambda_web_adapter.ipc.exchange_frame import Exchange
from lambda_web_adapter.local.environments.invocation import Outcome
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.gateways.prelude import CONTENT_TYPE
from lambda_web_adapter.models import InvocationError
from lambda_web_adapter.testing.served_app import Call, Channel, ServedApp
from lambda_web_adapter.testing.socket_pair import HOST, SocketPairBackend

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.http.messages import Invocation
    from lambda_web_adapter.settings import Settings
    from lambda_web_adapter.testing.record import InvocationRecord

__tracebackhide__ = True  # pytest leaves this module's frames out


class _Run(AppProcess):
    """A run of the app without a process of its own, as far as the adapter needs to know of one."""

    def __init__(self, settings: Settings, control: socket.socket) -> None:
        super().__init__(settings, [], _serve_nothing)
        self.control = ControlChannel(control, self.is_gone)

    def end(self, status: str) -> None:
        """Have it ended, with this status."""
        self._exit_status = self._exit_status or status

    def is_gone(self) -> bool:
        return bool(self._exit_status)


def _serve_nothing(*_: object) -> int:
    raise AssertionError("This app has no process.")


class _Observer(NoObserver):
    """The observer that fills a record: what passes between adapter and app, and the adapter's error."""

    def __init__(self, record: InvocationRecord) -> None:
        self._record = record

    def set_request(self, *values: Any) -> None:
        source, request, head = values
        source = dict(request.reserved_headers).get(EVENT_SOURCE_HEADER, source)
        self._record.exchange = Exchange(source=source, request_head=head, request_body=request.body)

    def set_response(self, *values: Any) -> None:
        (response,) = values
        if exchange := self._record.exchange:
            exchange.response_head, exchange.response_body = response_head(response), response.body

    def set_error(self, *values: Any) -> None:
        (self._record.error,) = values


class _EndRequest(TimeoutPolicy):
    """Cancel the request, and, with single invocations, end the app, as Lambda's environment would restart it."""

    def __init__(self, environment: Environment, call: Call, *, ends_app: bool) -> None:
        self._environment = environment
        self._call = call
        self._ends_app = ends_app

    async def handle(self, app: AppProcess, port: int, request_id: str) -> None:
        end = "the app ends, and the next event restarts it" if self._ends_app else "the request is cancelled"
        log("ERROR", f"The app did not respond in time; {end}.", request_id)
        self._environment.served.dump_stacks(self._call)
        await self._environment.served.cancel(self._call)
        if self._ends_app:
            await self._environment.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How an invocation is handled.

    Attributes:
        settings: the settings.
        is_single: whether the environment has single invocations.
        own_thread: whether a WSGI app gets a thread of its own.
        crashes: whether the app ends in the middle of the request.
    """

    settings: Settings
    is_single: bool
    own_thread: bool
    crashes: bool


class Environment:
    """One environment.

    Attributes:
        served: the app.
        loop: the event loop that it lives in.
    """

    def __init__(self, app: Any, interface: str, settings: Settings) -> None:
        """Prepare for `start`; the control channel is open from now on."""
        self.loop = asyncio.get_running_loop()
        adapter_end, app_end = socket.socketpair()
        self._app_end = app_end
        self._control = Channel(app_end)
        self._settings = settings
        self._run = _Run(settings, adapter_end)
        self.served = ServedApp(app, interface, settings, self._control)
        self._backend = SocketPairBackend()
        self._backend.watch(self._run)

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more events."""
        return self._run.is_gone()

    async def start(self) -> None:
        """Start the app.

        Raises:
            AppStartFailed: its lifespan startup has failed.
        """
        try:
            await self.served.start()
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End in order."""
        if not self.has_ended:
            await self.served.shut_down()
        self.close("shut down")

    async def kill(self) -> None:
        """End the app without a shutdown."""
        self.close(describe_exit(-signal.SIGKILL))
        await self.served.kill()

    def _crash(self) -> None:
        """End as a killed process does; this may be called in any thread."""
        self._run.end(describe_exit(-signal.SIGKILL))
        self._control.close()

    def close(self, status: str) -> None:
        """Take no more events; the adapter sees an app that has ended with this status."""
        self._run.end(status)
        self._control.close()
        self._app_end.close()
        self._backend.stop_watching()
        self._run.control.close()

    async def handle(self, invocation: Invocation, record: InvocationRecord, deadline: float, how: Handling) -> None:
        """Have the app handle an invocation, and wait until it is done.

        Args:
            invocation: the event.
            record: gets the reply, and all that passes.
            deadline: on the monotonic clock, in seconds.
            how: how to handle it.
        """
        call = self.served.new_call(self._crash if how.crashes else None, is_single=how.is_single)
        backend = self._backend.accepting(partial(self.served.accept, call=call, own_thread=how.own_thread))
        policy = _EndRequest(self, call, ends_app=how.is_single)
        client = AppClient(self._run, HOST, backend, policy)
        client.deadline_margin = how.settings.deadline_margin
        client.hints_at_streams = how.settings.invoke_mode != "response_stream"
        try:
            await self._reply(Invoker(how.settings, client, _Observer(record)), client, invocation, record, deadline)
            await client.wait_until_done(deadline, invocation.request_id)
        except asyncio.CancelledError:  # the transport is closed
            call.abandon()
            raise
        finally:
            client.close()
            call.close()
            await asyncio.sleep(0)  # so that the event loop closes both ends
            record.error = call.error or record.error
        if how.crashes:
            await self.kill()

    async def _reply(
        self,
        invoker: Invoker,
        client: AppClient,
        invocation: Invocation,
        record: InvocationRecord,
        deadline: float,
    ) -> None:
        try:
            reply = await invoker.reply_to(invocation, deadline)
        except AdapterError as error:
            log("ERROR", f"{error.error_type}: {error.log_text}{error.details}", invocation.request_id)
            record.error, record.raw_reply = error, error.document()
            record.invocation.end(Outcome(payload=record.raw_reply, failed=True))
            return
        if isinstance(reply, bytes):
            record.raw_reply = reply
            record.invocation.end(Outcome(payload=reply))
            return
        record.raw_reply = reply.prelude
        await _stream(reply, record)


class _WatchedStream(ReplyStream):
    """A streamed reply that ends when nobody reads it any more."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        super().__init__(CONTENT_TYPE)
        self._cancel = cancel
        self.is_abandoned = False

    def abandon(self) -> None:
        super().abandon()
        if not self.ended.is_set():
            self.is_abandoned = True
            self._cancel()


async def _stream(reply: StreamedReply, record: InvocationRecord) -> None:
    """Pass a streamed reply on, each part as soon as it has come and the client wants it."""
    stream = _WatchedStream(reply.cancel)
    error: InvocationError | None = None
    record.invocation.outcome.set_result(stream)
    try:
        await stream.put(reply.prelude)
        await stream.put(reply.first_chunk)
        while not reply.complete:
            await stream.put(await reply.read_chunk())
    except AdapterError as failure:
        if not stream.is_abandoned:
            record.error = failure
            error = InvocationError(error_type=failure.error_type, error_message=str(failure))
            log("ERROR", f"{failure.error_type}: {reply.route} breaks off. {failure}{failure.details}")
    except asyncio.CancelledError:
        error = InvocationError(error_type="Runtime.Stopped", error_message="The transport has been closed.")
        raise
    finally:
        reply.cancel()
        stream.end(error)
        record.invocation.responded_at = time.monotonic()
        record.invocation.replied.set()
