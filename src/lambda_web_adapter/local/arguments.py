"""The program's words, as argparse reads them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from lambda_web_adapter import __version__

_DESCRIPTION = """\
Runs an unchanged WSGI or ASGI app, or any command that listens on a port, as an AWS Lambda function.

With AWS_LAMBDA_RUNTIME_API set this is Lambda's bootstrap. Otherwise it serves the app on a local port, through an
embedded Lambda: each request becomes an event, of a function URL or of what --event-source names, and goes the way it
goes on Lambda.
"""
_EXAMPLES = """\
examples:
  lambda-web-adapter main:app                      the object app in main.py
  lambda-web-adapter --port 9000 main:create_app   a factory, on another port
  lambda-web-adapter -- node server.js             a command, which listens on the port in $PORT
  lambda-web-adapter --event-source alb main:app   the app as behind a load balancer
  lambda-web-adapter invoke event.json             send an event to a local run

event sources:
  function-url, http-api-v2, http-api-v1, rest-api, alb, alb-multi, vpc-lattice-v1, vpc-lattice-v2

Settings are variables that begin with AWS_LWA_; docs/settings.md lists them.
"""

# The names of `local.gateways`, which is not imported here: its pydantic models have no business on Lambda.
EVENT_SOURCES = (
    "function-url",
    "http-api-v2",
    "http-api-v1",
    "rest-api",
    "alb",
    "alb-multi",
    "vpc-lattice-v1",
    "vpc-lattice-v2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the words say.

    Attributes:
        app: the app's name, or nothing.
        host: the address that the local run listens on.
        port: the port that the local run listens on; 0 picks a free one.
        timeout: the function's time-out in the local run, in seconds.
        event_source: whose events the local run makes.
    """

    app: list[str]
    host: str
    port: int
    timeout: int
    event_source: str


def parse(argv: list[str]) -> Arguments:
    """Reads the words in front of `--`; wrong ones end the program with a message, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="lambda-web-adapter",
        usage="%(prog)s [OPTIONS] [APP]\n       %(prog)s [OPTIONS] -- COMMAND [ARGUMENT ...]\n"
        "       %(prog)s invoke [--url URL] EVENT",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("app", nargs="*", metavar="APP", help="main:app, main.app, or a factory; unset: looked for")
    parser.add_argument("--host", default="127.0.0.1", help="address of the local run (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port of the local run (default: %(default)s)")
    parser.add_argument(
        "--timeout", type=int, default=900, metavar="SECONDS", help="the function's time-out (default: %(default)s)"
    )
    parser.add_argument(
        "--event-source",
        choices=EVENT_SOURCES,
        default=EVENT_SOURCES[0],
        metavar="NAME",
        help="what the local run stands for, one of those below (default: %(default)s)",
    )
    parser.add_argument("--version", action="version", version=__version__)
    namespace = parser.parse_args(argv)
    return Arguments(
        app=namespace.app,
        host=namespace.host,
        port=namespace.port,
        timeout=namespace.timeout,
        event_source=namespace.event_source,
    )


def _port(value: str) -> int:
    if value.isdecimal() and int(value) < 65536:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is not a port; 0 picks a free one")
