"""Run the app locally: gateway and Runtime API on one server, with one environment, until Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.local import arguments
from lambda_web_adapter.local.caller_checks import is_loopback
from lambda_web_adapter.local.environment import Environment, variables
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.runtime_api_app import RuntimeApiApp
from lambda_web_adapter.local.server import Dispatch, LocalServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

USAGE = 2


def main(argv: list[str], command: list[str], environ: Mapping[str, str]) -> int:
    """Serve the app on a local port.

    Args:
        argv: the program's arguments before `--`.
        command: the external command after it; empty if there is none.
        environ: the environment variables.

    Returns:
        The exit code.
    """
    options = arguments.parse(argv)
    try:
        gateway_socket = listen(options.host, options.port)
    except AdapterError:
        sys.stderr.write(
            f"lambda-web-adapter: Port {options.port} of {options.host} is taken, or {options.host} is not an address "
            "of this machine. Choose another with --port or --host.\n"
        )
        return USAGE
    run = _Run(options, command, gateway_socket, environ)
    return asyncio.run(run.serve())


class _Run:
    """The parts of one local run, connected."""

    def __init__(
        self, options: arguments.Arguments, command: list[str], listener: socket.socket, environ: Mapping[str, str]
    ) -> None:
        self._sockets = [listener, listen("127.0.0.1", 0)]
        runtime_port = self._sockets[1].getsockname()[1]
        address = f"127.0.0.1:{runtime_port}"
        service = RuntimeApiApp(options.timeout, address)
        argv = [*options.app, *(["--", *command] if command else [])]
        child_environ = variables(environ, address, options.timeout)
        if child_environ.get("PORT") == str(options.port):
            del child_environ["PORT"]  # as `make run PORT=…` exports it; the app needs another port
        self._environment = Environment(service, argv, child_environ)
        gateway = GATEWAYS[options.event_source]
        self._dispatch = Dispatch(GatewayApp(gateway, self._environment.invoke, options.host), service, runtime_port)
        self._title = " ".join([*options.app, *command]) or "the app"
        self._lambda_title = "an embedded Lambda"
        if options.event_source != arguments.EVENT_SOURCES[0]:
            self._lambda_title += f" behind {gateway.title}"

    async def serve(self) -> int:
        host, port = self._sockets[0].getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        await self._environment.start()
        sys.stderr.write(f"Serving {self._title} on http://{address} through {self._lambda_title}. Ctrl-C stops.\n")
        if not is_loopback(host):
            sys.stderr.write("Anyone who can reach this address can call the app, and send it events of any source.\n")
        sys.stderr.flush()
        await LocalServer(self._dispatch, self._environment.stop).serve(self._sockets)
        return 0
