"""`LambdaTransport`: an httpx transport that has an app handle requests as Lambda does, without a port."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from lambda_web_adapter.local.environments.function_options import ONE_VCPU, FunctionOptions
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import GatewayOptions, build_gateway
from lambda_web_adapter.testing.argument_checks import (
    NOTHING_RAISED,
    check_arguments,
    check_has_host,
    check_not_negative,
    check_positive,
)
from lambda_web_adapter.testing.bound_function import BoundFunction, new_function
from lambda_web_adapter.testing.gateway_call import BlockingBody, GatewayCall
from lambda_web_adapter.testing.gateway_values import authorizer_from, cors_from, media_types_from, naming_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from lambda_web_adapter.local.gateways.authorizer import Authorizer
    from lambda_web_adapter.local.gateways.cors import Cors
    from lambda_web_adapter.testing.function import AppFunction
    from lambda_web_adapter.testing.record import InvocationRecord

__tracebackhide__ = True  # pytest leaves this module's frames out

_CLIENT = ("127.0.0.1", 50000)


class LambdaTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Have requests handled as on Lambda: gateway, event, adapter, app, reply, gateway.

    All but Lambda itself is real: the adapter's translation, HTTP between adapter and built-in server, lifespan, hooks.
    With `httpx.AsyncClient` all of it runs in the client's event loop; with `httpx.Client` in an event loop of its own,
    but a WSGI app is called in the client's thread.

    Example:
        ```python
        with httpx.Client(transport=LambdaTransport(app), base_url="https://test") as client:
            assert client.get("/").status_code == 200
        ```
    """

    def __init__(  # noqa: PLR0913  # a function and its gateway have as many options
        self,
        app: Any,
        event_source: str = "http-api-v2",
        *,
        as_process: bool = False,
        environ: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        memory: int = ONE_VCPU,
        function_name: str = "test",
        region: str = "us-east-1",
        stage: str = "",
        base_path: str = "",
        custom_domain: str = "",
        binary_media_types: Iterable[str] | None = None,
        cors: Cors | Mapping[str, Any] | str | None = None,
        authorizer: Authorizer | Mapping[str, Any] | None = None,
        client: tuple[str, int] = _CLIENT,
        raise_app_exceptions: bool = False,
    ) -> None:
        """Prepare; the first request starts the app.

        Args:
            app: an app of WSGI or ASGI, or its name, such as `main:app`, as on Lambda.
            event_source: the gateway: `function-url`, `http-api-v2`, `http-api-v1`, `rest-api`, `alb`, `alb-multi`,
                `vpc-lattice-v1` or `vpc-lattice-v2`.
            as_process: whether the app runs in a process, with a bootstrap, as in a local run.
            environ: environment variables, settings such as `AWS_LWA_REMOVE_BASE_PATH` among them, which the app has
                beside those of the test.
            timeout: the function's timeout in seconds.
            memory: the function's memory in MB.
            function_name: the function's name.
            region: the function's region.
            stage: the stage of an API of API Gateway.
            base_path: the base path of an API's custom domain.
            custom_domain: the custom domain of an API.
            binary_media_types: a REST API's `binaryMediaTypes`; None for all types that are not text.
            cors: a function URL's CORS settings, with the names of Lambda's API; `*` allows everything.
            authorizer: what events say about the caller: claims, or `claims`, `scopes`, `context`, `iam`.
            client: the client's address and port.
            raise_app_exceptions: whether what the app raises is raised to the test, instead of the 500 that a client
                gets.

        Raises:
            ValueError: there is no such event source, or another argument has a value that it cannot have.
            TypeError: an argument has the wrong type.
            OptionError: an option is not valid, or has no effect with this event source.
            SettingsError: a setting is not valid.
        """
        check_arguments(app, environ or {}, timeout=timeout, memory=memory)
        if as_process and raise_app_exceptions:
            raise ValueError(NOTHING_RAISED)
        if event_source not in EVENT_SOURCES:
            raise ValueError(f"The event source is {event_source!r}, but it takes one of {', '.join(EVENT_SOURCES)}.")
        self._source = event_source
        with naming_arguments():
            self._options = GatewayOptions(
                stage=stage,
                base_path=base_path,
                custom_domain=custom_domain,
                binary_media_types=media_types_from(binary_media_types),
                cors=cors_from(cors),
                authorizer=authorizer_from(authorizer),
            )
            self._options.check([event_source])
        self._gateway = build_gateway(event_source, self._options)
        self._client = client
        self._raises = raise_app_exceptions
        self._base: LambdaTransport | None = None
        options = FunctionOptions(
            name=function_name, region=region, timeout=timeout, memory=memory, environments=1, has_fixed_port=False
        )
        self._shared = BoundFunction(new_function(app, options, environ or {}, as_process=as_process))
        self._shared.end_with(self, app if isinstance(app, str) else type(app).__name__, sys._getframe(1))

    # What httpx calls.

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request of `httpx.Client`."""
        check_has_host(request)
        call = self._new_call(request.read())
        response = self._shared.run(self._respond(call, request))
        if response.stream is call and self._shared.thread is not None:
            response.stream = BlockingBody(call, self._shared.thread)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request of `httpx.AsyncClient`."""
        check_has_host(request)
        return await self._shared.join(self._respond(self._new_call(await request.aread()), request))

    def close(self) -> None:
        """End the environment in order: lifespan shutdown, `on_shutdown`. A later request starts another one."""
        if self._base is None:
            self._shared.close()

    async def aclose(self) -> None:
        """Do the same as `close`, for `httpx.AsyncClient`."""
        if self._base is None:
            await self._shared.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    # What a test can have happen.

    def cold(self) -> None:
        """End the environment in order; the next request is a cold start.

        A named app is not imported anew, and what its modules keep stays, unless it runs as a process.
        """
        self._shared.run(self._function.cold())

    async def acold(self) -> None:
        """Do the same as `cold`, for `httpx.AsyncClient`."""
        await self._shared.join(self._function.cold())

    def freeze(self, seconds: float = 0.0) -> None:
        """Freeze the environment for a time, as Lambda does between invocations.

        The event loop of the app stands still; threads that it has started go on, unless it runs as a process.

        Args:
            seconds: for how long, in real seconds.
        """
        check_not_negative("seconds", seconds)
        self._shared.run(self._function.freeze(seconds))

    async def afreeze(self, seconds: float = 0.0) -> None:
        """Do the same as `freeze`, for `httpx.AsyncClient`, whose event loop stands still as well."""
        check_not_negative("seconds", seconds)
        await self._shared.join(self._function.freeze(seconds))

    def crash(self) -> None:
        """Have the app end in the middle of the next request: it has done its work, but its response is lost.

        The caller gets a 502, and the request after it is a cold start.
        """
        self._function.crash()

    @contextmanager
    def timeout_after(self, seconds: float) -> Iterator[None]:
        """Have the function this timeout, in seconds, while the block runs."""
        check_positive("seconds", seconds)
        function = self._function
        previous = function.timeout, function.is_timed
        function.timeout, function.is_timed = seconds, True
        try:
            yield
        finally:
            function.timeout, function.is_timed = previous

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Have replies streamed while the block runs, where the event source can: function URLs and REST APIs."""
        function = self._function
        previous, function.streams = function.streams, True
        try:
            yield
        finally:
            function.streams = previous

    @contextmanager
    def concurrent(self, invocations: int) -> Iterator[None]:
        """Have the app get up to so many requests at once while the block runs, as on Lambda Managed Instances."""
        if invocations < 1:
            raise ValueError(f"Expected the number of invocations at once, 1 or more, got {invocations}.")
        function = self._function
        previous, function.concurrency = function.concurrency, invocations
        try:
            yield
        finally:
            function.concurrency = previous

    def invoke(self, event: Any, *, client_context: str = "", tenant_id: str = "") -> Any:
        """Invoke the function with an event, such as one of a queue, and return its parsed reply.

        Args:
            event: the event: bytes as they are, anything else as JSON.
            client_context: the caller's client context, as JSON.
            tenant_id: the caller's tenant.

        Raises:
            InvocationFailed: the invocation has failed.
        """
        return self._shared.run(self._function.invoke(event, client_context=client_context, tenant_id=tenant_id))

    async def ainvoke(self, event: Any, *, client_context: str = "", tenant_id: str = "") -> Any:
        """Do the same as `invoke`, for tests with an event loop."""
        return await self._shared.join(self._function.invoke(event, client_context=client_context, tenant_id=tenant_id))

    def with_authorizer(self, authorizer: Authorizer | Mapping[str, Any] | None) -> LambdaTransport:
        """Return a transport to the same environment whose events have this caller; closing it does nothing.

        Args:
            authorizer: the same as for the class.
        """
        derived = copy(self)
        with naming_arguments():
            derived._options = replace(self._options, authorizer=authorizer_from(authorizer))
            derived._options.check([self._source])
        derived._gateway = build_gateway(self._source, derived._options)
        derived._base = self  # which ends the environment when it is garbage
        return derived

    # What a test can look at.

    @property
    def history(self) -> list[InvocationRecord]:
        """The last 50 invocations, the oldest first."""
        return list(self._function.history)

    @property
    def last(self) -> InvocationRecord:
        """The last invocation.

        Raises:
            LookupError: there was none.
        """
        if not self._function.history:
            raise LookupError("There was no invocation yet: the gateway may have responded by itself.")
        return self._function.history[-1]

    @property
    def _function(self) -> AppFunction:
        return self._shared.function

    def _new_call(self, body: bytes) -> GatewayCall:
        self._function.load()
        return GatewayCall(body, streams=self._function.streams and self._gateway.head is not None)

    async def _respond(self, call: GatewayCall, request: httpx.Request) -> httpx.Response:
        response = await call.respond(self._gateway, self._function, request, self._client)
        records = [each for each in self._function.history if each.invocation is call.invocation]
        if self._raises and records and records[0].app_error is not None:
            raise records[0].app_error
        return response
