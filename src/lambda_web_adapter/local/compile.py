"""`lambda-web-adapter compile`: start the app as on Lambda, and write the start file of what that imports."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.errors import StartFileError, StartFileNotWritten
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.local import start_file_writer
from lambda_web_adapter.local.environment import Environment, variables
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.runtime_api_app import RuntimeApiApp
from lambda_web_adapter.local.server import Dispatch, LocalServer

if TYPE_CHECKING:
    from collections.abc import Mapping

# Exit code if the app fails, or if the file has to be written anew.
FAILED = 1

_TIMEOUT = 60  # seconds for a request, the start of the app included
# MB of memory, for which adapter and app share a core: then the order of imports is always the same.
_MEMORY = "1024"
_DEFAULT_REQUESTS = ["GET /"]


def main(argv: list[str], environ: Mapping[str, str]) -> int:
    """Write the start file, or check it.

    Args:
        argv: the arguments after `compile`.
        environ: the environment variables.

    Returns:
        The exit code.
    """
    options = _parse(argv)
    try:
        return _check(options.output) if options.check else _compile(options.app, options.output, environ)
    except (StartFileError, OSError) as error:
        sys.stderr.write(f"lambda-web-adapter compile: {error}\n")
        return FAILED


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lambda-web-adapter compile",
        description="Start the app as on Lambda, send it requests, and write the code of all imported modules to one "
        "file, from which a cold start takes it. Run this where the app will run, by the program that will start it.",
    )
    parser.add_argument("app", nargs="?", help="such as main:app (default: search)")
    parser.add_argument(
        "--output", type=Path, default=Path(start_file.NAME), metavar="FILE", help="start file (default: %(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="only compare the file with the modules it stands for")
    return parser.parse_args(argv)


def _check(path: Path) -> int:
    start_file.put_in_path(os.getcwd())
    changes = start_file_writer.changes(path)
    sys.stdout.write("".join(f"{change}\n" for change in changes) or f"{path} is up to date.\n")
    return FAILED if changes else 0


def _compile(app: str | None, output: Path, environ: Mapping[str, str]) -> int:
    requests = _warm_requests(Path("pyproject.toml"))
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "modules")
        variables_of_start = {
            **environ,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": _MEMORY,
            start_file.VARIABLE: start_file.OFF,
            start_file.RECORD_VARIABLE: str(record),
        }
        asyncio.run(_record([app] if app else [], variables_of_start, requests))
        if not record.exists():
            raise StartFileNotWritten("The app was not started: no request reached it.")
        modules, folders = start_file_writer.read_record(record)
    data, compared = start_file_writer.build(modules, folders)
    start_file_writer.write(output, data)
    sys.stdout.write(
        f"{output} has {len(modules)} modules and {len(data)} bytes. Each start compares {compared} files with it.\n"
    )
    return 0


def _warm_requests(project: Path) -> list[tuple[str, str]]:
    """Return method and path of the requests in `[tool.lambda-web-adapter] warm`; `GET /` if it names none."""
    try:
        document = tomllib.loads(project.read_text()) if project.exists() else {}
    except ValueError as error:
        raise StartFileNotWritten(f"{project} is not valid: {error}") from None
    requests: object = _DEFAULT_REQUESTS
    tools = document.get("tool")
    table = tools.get("lambda-web-adapter") if isinstance(tools, dict) else None
    if isinstance(table, dict):
        if unknown := table.keys() - {"warm"}:
            raise StartFileNotWritten(f"{project} has {sorted(unknown)[0]} for the adapter, but it takes warm only.")
        requests = table.get("warm", requests)
    # An empty list would be an empty file: the app is started for the first request.
    parsed = [str(request).split(" ") for request in requests] if isinstance(requests, list) and requests else [[]]
    for request in parsed:
        if len(request) != 2 or not request[0].isalpha() or not request[1].startswith("/"):
            raise StartFileNotWritten(f'warm in {project} is {requests!r}, but it takes a list such as ["GET /"].')
    return [(method, path) for method, path in parsed]


async def _record(app: list[str], environ: Mapping[str, str], requests: list[tuple[str, str]]) -> None:
    """Start the app behind a gateway and a Runtime API of our own, and send it the requests."""
    sockets = [listen("127.0.0.1", 0), listen("127.0.0.1", 0)]
    gateway_port, runtime_port = (each.getsockname()[1] for each in sockets)
    service = RuntimeApiApp(_TIMEOUT, f"127.0.0.1:{runtime_port}")
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # this program, as it was called
    # Not on demand: then all event sources are imported, and so recorded, whichever the app's events will be from.
    child_environ = {
        **variables(environ, service.address, _TIMEOUT),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
    }
    environment = Environment(service, app, child_environ, program)
    gateway = GatewayApp(GATEWAYS["function-url"], environment.invoke)
    server = LocalServer(Dispatch(gateway, service, runtime_port), environment.stop)
    serving = asyncio.create_task(server.serve(sockets))
    try:
        url = f"http://127.0.0.1:{gateway_port}"
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
        server.should_exit = True
        await serving
