"""`lambda-web-adapter invoke`: sends an event to a local run or a Runtime Interface Emulator, and prints the reply."""

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
    """Sends an event and prints the reply.

    Args:
        argv: the words after `invoke`.

    Returns:
        The exit code: 0, or 1 when the invocation failed, or 3 when nobody answered.
    """
    parser = argparse.ArgumentParser(
        prog="lambda-web-adapter invoke",
        description="Sends an event, as it is, to a local run and prints the reply.",
    )
    parser.add_argument("event", help="a file with the event's JSON; - reads standard input")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where it runs (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        event = sys.stdin.buffer.read() if options.event == "-" else _read(options.event)
        with httpx.Client(trust_env=False, timeout=_TIMEOUT) as client:
            response = client.post(f"{options.url.rstrip('/')}{INVOKE_PATH}", content=event)
    except httpx.ConnectError as error:
        sys.stderr.write(f"lambda-web-adapter invoke: nothing answers at {options.url} ({error}). ")
        sys.stderr.write("Start lambda-web-adapter there, or say with --url where it runs.\n")
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
