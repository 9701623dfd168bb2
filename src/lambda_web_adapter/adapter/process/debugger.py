"""Report to the local run that a debugger may stop the app, so that its timeouts do not apply either."""

from __future__ import annotations

import os
from http.client import HTTPConnection, HTTPException

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.settings import RUNTIME_API_PROXY

# Below the Runtime API's own paths; only the Runtime API of a local run has it.
DEBUGGER_PATH = "/2018-06-01/runtime/debugger"
_SECONDS = 1.0  # the local run is on this machine, and waits for nothing before it responds


def report_debugger() -> None:
    """Report it, and log it."""
    log("INFO", "A debugger may stop the app: no timeout applies to this environment any more.")
    address, _, key = os.environ[RUNTIME_API_PROXY].partition("/")
    connection = HTTPConnection(address, timeout=_SECONDS)
    try:
        connection.request("POST", f"/{key}{DEBUGGER_PATH}", body=b"")
        status = connection.getresponse().status
        problem = "" if status == 202 else f"it responded with {status}"
    except (OSError, HTTPException) as error:
        problem = str(error)
    finally:
        connection.close()
    if problem:
        log("WARNING", f"The local run does not know of the debugger, so that its timeout applies: {problem}.")
