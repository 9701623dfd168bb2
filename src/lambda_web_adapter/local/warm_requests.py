"""The requests that show what an app imports: `[tool.lambda-web-adapter] warm`, sent to it as on Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.local.environments.function import Function
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.project_options import read_table
from lambda_web_adapter.local.server import serve

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.program import Program

TIMEOUT = 60  # seconds for a request, the start of the app included
_DEFAULT_REQUESTS = ["GET /"]


class WarmRequestsFailed(Exception):
    """The requests are not valid, or the app did not start or failed; the message says which."""


def read_warm_requests(project: Path) -> list[tuple[str, str]]:
    """Return method and path of the requests in `[tool.lambda-web-adapter] warm`; `GET /` if it names none.

    Raises:
        WarmRequestsFailed: they are not valid.
    """
    requests: object = read_table(project).get("warm", _DEFAULT_REQUESTS)
    # An empty list would be an empty file: the app is started for the first request.
    parsed = [str(request).split(" ") for request in requests] if isinstance(requests, list) and requests else [[]]
    for request in parsed:
        if len(request) != 2 or not request[0].isalpha() or not request[1].startswith("/"):
            raise WarmRequestsFailed(f'warm in {project} is {requests!r}, but it takes a list such as ["GET /"].')
    return [(method, path) for method, path in parsed]


async def send_requests(program: Program, options: FunctionOptions, requests: list[tuple[str, str]]) -> None:
    """Start an app behind a gateway of our own, send it requests, and stop it.

    Raises:
        WarmRequestsFailed: the app did not start, or responded with an error of its own.
    """
    function = Function(program, options)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serve(listener, GatewayApp(GATEWAYS["function-url"], function, program.log)):
        function.start()
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=TIMEOUT) as client:
                for method, path in requests:
                    response = await client.request(method, path)
                    if response.is_server_error:
                        raise WarmRequestsFailed(
                            f"The app responded to {method} {path} with {response.status_code}. "
                            "The output above shows the reason."
                        )
        except httpx.HTTPError as error:
            raise WarmRequestsFailed(f"The app did not respond: {error!r}") from None
        finally:
            await function.stop()
