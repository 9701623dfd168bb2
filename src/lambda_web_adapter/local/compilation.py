"""Start the app as on Lambda, and write the start file of what that imports."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.errors import StartFileNotWritten
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.local import start_file_writer
from lambda_web_adapter.local.environments.function import Function
from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.environments.program import Program
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.project_options import read_table
from lambda_web_adapter.local.server import serve

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT = 60  # seconds for a request, the start of the app included
# MB of memory, for which adapter and app share a core: then the order of imports is always the same.
_MEMORY = 1024
_DEFAULT_REQUESTS = ["GET /"]


def check(path: Path, app_dir: str) -> list[str]:
    """Return how a start file differs from the modules it stands for.

    Args:
        path: the file.
        app_dir: the folder of the app; empty for the current one.

    Raises:
        StartFileError: it cannot be read.
    """
    start_file.put_in_path(os.path.abspath(app_dir))
    return start_file_writer.changes(path)


def compile_app(app: str | None, output: Path, environ: Mapping[str, str]) -> str:
    """Write the start file of an app; return a line about it.

    Args:
        app: the app's name; None to search it.
        output: the file.
        environ: the environment variables of the app.

    Raises:
        StartFileError: the app did not start, or failed.
    """
    requests = _warm_requests(Path("pyproject.toml"))
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "modules")
        variables_of_start = {
            **environ,
            # Not on demand: then all event sources are imported, and so recorded, whichever events the app will get.
            "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
            LOCAL_RUN_VARIABLE: "",
            start_file.VARIABLE: start_file.OFF,
            start_file.RECORD_VARIABLE: str(record),
        }
        asyncio.run(_record([app] if app else [], variables_of_start, requests))
        if not record.exists():
            raise StartFileNotWritten("The app was not started: no request reached it.")
        modules, folders = start_file_writer.read_record(record)
    data, compared = start_file_writer.build(modules, folders)
    start_file_writer.write(output, data)
    return f"{output} has {len(modules)} modules and {len(data)} bytes. Each start compares {compared} files with it."


def _warm_requests(project: Path) -> list[tuple[str, str]]:
    """Return method and path of the requests in `[tool.lambda-web-adapter] warm`; `GET /` if it names none."""
    requests: object = read_table(project).get("warm", _DEFAULT_REQUESTS)
    # An empty list would be an empty file: the app is started for the first request.
    parsed = [str(request).split(" ") for request in requests] if isinstance(requests, list) and requests else [[]]
    for request in parsed:
        if len(request) != 2 or not request[0].isalpha() or not request[1].startswith("/"):
            raise StartFileNotWritten(f'warm in {project} is {requests!r}, but it takes a list such as ["GET /"].')
    return [(method, path) for method, path in parsed]


async def _record(app: list[str], environ: Mapping[str, str], requests: list[tuple[str, str]]) -> None:
    """Start the app behind a gateway of our own, and send it the requests."""
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # this program, as it was called
    log = Log()
    options = FunctionOptions(
        provisioned=1, environments=1, is_plain=True, freezes=False, timeout=_TIMEOUT, memory=_MEMORY
    )
    function = Function(Program([*program, *app], environ, Guard.start(), log), options)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serve(listener, GatewayApp(GATEWAYS["function-url"], function, log)):
        function.start()
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_TIMEOUT) as client:
                for method, path in requests:
                    response = await client.request(method, path)
                    if response.is_server_error:
                        raise StartFileNotWritten(
                            f"The app responded to {method} {path} with {response.status_code}. "
                            "The output above shows the reason."
                        )
        except httpx.HTTPError as error:
            raise StartFileNotWritten(f"The app did not respond: {error!r}") from None
        finally:
            await function.stop()
