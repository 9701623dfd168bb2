"""How long the app's imports take, module by module: imported once more, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import Field

from lambda_web_adapter.local.environments.interpreter import THIS_PYTHON, Interpreter
from lambda_web_adapter.local.environments.variables import environment_variables
from lambda_web_adapter.local.imports.import_tree import MIN_US, ImportTime, parse, sort_and_prune

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.settings import Settings

_PROGRAM = "lambda_web_adapter.local.imports.import_program"
_TIMEOUT_SECONDS = 30.0
# How much is read of what is printed, in bytes: 10,000 modules have 1 MB of lines.
_MAX_TIMES, _MAX_OUTPUT = 16 * 1024 * 1024, 64 * 1024
# How long what the app has written last may take to be read after its end, in seconds.
_LAST_OUTPUT_SECONDS = 1.0
_CHUNK = 64 * 1024
# Where no Runtime API is: the port of the discard service.
_NO_ADDRESS = "127.0.0.1:9"


class AppImport(ImportTime):
    """The app's import as a whole: `self_us` is that of its own module, and of a factory."""

    output: str = Field(default="", description="What the app wrote meanwhile, up to 64 KB.")


class ImportsNotMeasured(Exception):
    """The app cannot be imported, or not in this way; the message is written for people."""


async def measure_imports(  # noqa: PLR0913  # which app, how and how long
    settings: Settings,
    command: Sequence[str],
    environ: Mapping[str, str],
    options: FunctionOptions,
    *,
    interpreter: Interpreter = THIS_PYTHON,
    seconds: float = _TIMEOUT_SECONDS,
    min_us: int = MIN_US,
) -> AppImport:
    """Import the app as an environment does, and return how long each module took, the slowest first.

    Args:
        settings: which app, and in which folder.
        command: the external command; empty for an app that the built-in server imports.
        environ: the caller's environment variables.
        options: the function's configuration, of which environments have variables.
        interpreter: the Python of the environments.
        seconds: how long it may take.
        min_us: modules that take less are summed up, in microseconds; 0 to have them all.

    Raises:
        ImportsNotMeasured: the app is an external command, its import has failed, or it takes too long.
    """
    if command:
        raise ImportsNotMeasured(
            f"{command[0]} is an external command, whose imports are its own. "
            "If it is a Python program, start it with: python -X importtime"
        )
    marker = f"lambda-web-adapter-{secrets.token_hex(16)}"
    process = await asyncio.create_subprocess_exec(
        *(interpreter.python, "-u", "-X", "importtime", *interpreter.launcher, _PROGRAM),
        *(marker, settings.app, settings.app_dir),
        env=environment_variables(environ, options, _NO_ADDRESS),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    output = bytearray()
    reader = asyncio.create_task(_read_output(process.stdout, output))
    try:
        async with asyncio.timeout(seconds):
            times = await _read_times(process.stderr, marker.encode())
    except TimeoutError:
        raise ImportsNotMeasured(f"The import has not ended within {seconds:g} s.{_quote(output)}") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.wait([reader], timeout=_LAST_OUTPUT_SECONDS)
        reader.cancel()
        await process.wait()
    return _evaluate(times.decode("utf-8", "replace").split(marker), settings.app, output, min_us)


async def _read_times(stream: asyncio.StreamReader | None, marker: bytes) -> bytes:
    """Return what is written until the marker has come three times, or until the end."""
    data = bytearray()
    while stream and (chunk := await stream.read(_CHUNK)):
        data += chunk
        if data.count(marker) == 3:
            break
        if len(data) > _MAX_TIMES:
            raise ImportsNotMeasured(f"The import has written more than {_MAX_TIMES // 1024 // 1024} MB to stderr.")
    return bytes(data)


async def _read_output(stream: asyncio.StreamReader | None, output: bytearray) -> None:
    while stream and (chunk := await stream.read(_CHUNK)):
        output += chunk[: max(_MAX_OUTPUT - len(output), 0)]


def _evaluate(parts: list[str], app: str, output: bytearray, min_us: int) -> AppImport:
    """Return the tree, of what was written between the markers."""
    if len(parts) < 4:
        raise ImportsNotMeasured(f"The process ended while it imported the app.{_quote(output)}")
    elapsed, _, failure = parts[2].strip().partition("\n")
    if failure:
        raise ImportsNotMeasured(failure)
    modules = parse(parts[1])
    imported = sum(module.cumulative_us for module in modules)
    return AppImport(
        name=app or "the app",
        self_us=max(int(elapsed) - imported, 0),
        cumulative_us=max(int(elapsed), imported),
        children=sort_and_prune(modules, min_us),
        output=output.decode("utf-8", "replace"),
    )


def _quote(output: bytearray) -> str:
    return f" It wrote:\n{output.decode('utf-8', 'replace')}" if output else ""
