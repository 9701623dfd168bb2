"""Start the app as on Lambda, and write the start file of what that imports."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import StartFileNotWritten
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.local import start_file_writer
from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.environments.program import Program
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.warm_requests import TIMEOUT, WarmRequestsFailed, read_warm_requests, send_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

# MB of memory, for which adapter and app share a core: then the order of imports is always the same.
_MEMORY = 1024


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
        try:
            _record([app] if app else [], variables_of_start)
        except WarmRequestsFailed as error:
            raise StartFileNotWritten(str(error)) from None
        if not record.exists():
            raise StartFileNotWritten("The app was not started: no request reached it.")
        modules, folders = start_file_writer.read_record(record)
    data, compared = start_file_writer.build(modules, folders)
    start_file_writer.write(output, data)
    return f"{output} has {len(modules)} modules and {len(data)} bytes. Each start compares {compared} files with it."


def _record(app: list[str], environ: Mapping[str, str]) -> None:
    """Start the app, and send it the project's requests."""
    requests = read_warm_requests(Path("pyproject.toml"))
    arguments = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # this program, as it was called
    program = Program([*arguments, *app], environ, Guard.start(), Log())
    options = FunctionOptions(
        provisioned=1, environments=1, is_plain=True, freezes=False, timeout=TIMEOUT, memory=_MEMORY
    )
    asyncio.run(send_requests(program, options, requests))
