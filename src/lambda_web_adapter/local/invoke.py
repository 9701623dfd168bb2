"""`lambda-web-adapter invoke`: send an event to a local run or a Runtime Interface Emulator, and print the reply."""

from __future__ import annotations

import argparse
import sys

import httpx

from lambda_web_adapter.local.gateway_app import INVOKE_PATH

# Exit codes.
FAILED = 1
UNREACHABLE = 3

# Seconds: a function may take fifteen minutes (Lambda quotas, "Function timeout").
_TIMEOUT = httpx.Timeout(10, read=910)


def main(argv: list[str]) -> int:
    """Send an event and print the reply.

    Args:
        argv: the arguments after `invoke`.

    Returns:
        The exit code: 0, 1 if the invocation failed, or 3 if there was no event or no response.
    """
    parser = argparse.ArgumentParser(
        prog="lambda-web-adapter invoke",
        description="Send an event, unchanged, to a local run and print the reply.",
    )
    parser.add_argument("event", help="file with the event's JSON; - reads standard input")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="URL of the local run (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        event = sys.stdin.buffer.read() if options.event == "-" else _read(options.event)
        with httpx.Client(trust_env=False, timeout=_TIMEOUT) as client:
            response = client.post(f"{options.url.rstrip('/')}{INVOKE_PATH}", content=event)
    except httpx.ConnectError as error:
        sys.stderr.write(f"lambda-web-adapter invoke: Cannot connect to {options.url} ({error}). ")
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
