"""Report to the local run that a debugger may stop the app, so that its timeouts do not apply either."""

from __future__ import annotations

import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp

# Below the Runtime API's own paths; only the Runtime API of a local run has it.
DEBUGGER_PATH = "/2018-06-01/runtime/debugger"
_SECONDS = 1.0  # the local run is this machine, and waits for nothing before it responds


def report_debugger(runtime_api: str) -> None:
    """Report it, and log it.

    Args:
        runtime_api: the local run's Runtime API: `host:port/key`.
    """
    log("INFO", "A debugger may stop the app: no timeout applies until this environment ends.")
    address, _, key = runtime_api.partition("/")
    host, _, port = address.rpartition(":")
    client = BlockingClient(host, int(port))
    request = (
        f"POST /{key}{DEBUGGER_PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    try:
        run_blocking(client.connect(_SECONDS))
        response = run_blocking(client.send_request(request.encode(), deadline=time.monotonic() + _SECONDS))
    except (OSError, ConnectionClosed, NotHttp) as error:
        log("WARNING", f"The local run could not be told about the debugger, so that its timeout applies: {error}.")
    else:
        if response.status >= 300:
            log(
                "WARNING",
                f"The local run still applies its timeout: it responded {response.status} about the debugger.",
            )
    finally:
        client.close()
