"""`lambda-web-adapter invoke`: send an event to a local run or a Runtime Interface Emulator, and print the reply."""

from __future__ import annotations

import sys

import click
import httpx

from lambda_web_adapter.local.gateway_app import INVOKE_PATH

# Exit codes.
FAILED = 1
UNREACHABLE = 3

# Seconds: a function may take fifteen minutes (Lambda quotas, "Function timeout").
_TIMEOUT = httpx.Timeout(10, read=910)


@click.command()
@click.argument("event")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="URL of the local run.")
def command(event: str, url: str) -> None:
    """Send an event, unchanged, to a local run and print the reply.

    EVENT is a file with the event's JSON; - reads standard input.
    """
    sys.exit(_invoke(event, url))


def _invoke(name: str, url: str) -> int:
    """Return the exit code: 0, 1 if the invocation failed, or 3 if there was no event or no response."""
    try:
        event = sys.stdin.buffer.read() if name == "-" else _read(name)
        with httpx.Client(trust_env=False, timeout=_TIMEOUT) as client:
            response = client.post(f"{url.rstrip('/')}{INVOKE_PATH}", content=event)
    except httpx.ConnectError as error:
        sys.stderr.write(f"lambda-web-adapter invoke: Cannot connect to {url} ({error}). ")
        sys.stderr.write("Start lambda-web-adapter there, or name its URL with --url.\n")
        return UNREACHABLE
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        sys.stderr.write(f"lambda-web-adapter invoke: {error}\n")
        return UNREACHABLE
    sys.stdout.buffer.write(response.content + b"\n")  # a streamed payload need not be text
    sys.stdout.flush()
    return FAILED if response.is_error or "x-amz-function-error" in response.headers else 0


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
