"""The program's command line, parsed by argparse."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from lambda_web_adapter import __version__

_DESCRIPTION = """\
Run an unchanged WSGI or ASGI app, or any command that listens on a port, as an AWS Lambda function.

On Lambda, where AWS_LAMBDA_RUNTIME_API is set, this program is the function's bootstrap. Elsewhere it serves the app
on a local port through an embedded Lambda: each request becomes an event, as on AWS, and each reply a response.
"""
_EXAMPLES = """\
examples:
  lambda-web-adapter main:app                      serve the object app in main.py
  lambda-web-adapter --port 9000 main:create_app   serve what a factory returns, on port 9000
  lambda-web-adapter -- node server.js             run a command that listens on the port in $PORT
  lambda-web-adapter --event-source alb main:app   serve the app as behind a load balancer
  lambda-web-adapter invoke event.json             send an event to a running local run
  lambda-web-adapter compile main:app              write the start file, for faster cold starts

event sources:
  function-url, http-api-v2, http-api-v1, rest-api, alb, alb-multi, vpc-lattice-v1, vpc-lattice-v2

Settings are environment variables that begin with AWS_LWA_; docs/settings.md lists them.
"""

# The names of `local.gateways`, which is not imported here, since Lambda does not need its pydantic models.
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
    """The parsed command line.

    Attributes:
        app: the app's name, in a list; empty if there is none.
        host: the address that the local run listens on.
        port: the port that the local run listens on; 0 picks a free one.
        timeout: the function's timeout in the local run, in seconds.
        event_source: the gateway whose events the local run makes.
    """

    app: list[str]
    host: str
    port: int
    timeout: int
    event_source: str


def parse(argv: list[str]) -> Arguments:
    """Parse the arguments before `--`; as usual with argparse, wrong ones end the program with a message."""
    parser = argparse.ArgumentParser(
        prog="lambda-web-adapter",
        usage="%(prog)s [OPTIONS] [APP]\n       %(prog)s [OPTIONS] -- COMMAND [ARGUMENT ...]\n"
        "       %(prog)s invoke [--url URL] EVENT\n"
        "       %(prog)s compile [--output FILE] [--check] [APP]",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("app", nargs="*", metavar="APP", help="such as main:app or main:create_app (default: search)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--timeout", type=int, default=900, metavar="SECONDS", help="the function's timeout (default: %(default)s)"
    )
    parser.add_argument(
        "--event-source",
        choices=EVENT_SOURCES,
        default=EVENT_SOURCES[0],
        metavar="NAME",
        help="gateway before the function, from the list below (default: %(default)s)",
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
    raise argparse.ArgumentTypeError(f"{value!r} is not a port: use 1 to 65535, or 0 for a free one")
