"""Finds a running local run, and calls its inspector."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.records.run_file import read_runs, runs_folder

if TYPE_CHECKING:
    from lambda_web_adapter.local.records.run_file import RunFile

# Exit codes: something differs, could not be sent or read; there is no such run or file, or it does not respond.
FAILED = 1
UNREACHABLE = 3
# Seconds: the inspector responds at once, but the machine may be busy; and a replay ends when the function has.
TIMEOUT = 10.0
_REPLAY_TIMEOUT = 910.0
PORT_OPTION = SectionOption(
    ["--port"],
    type=click.IntRange(0, 65535),
    envvar=["PORT"],
    metavar="PORT",
    help="Port of the local run, if there are several; 0: any.",
)


class Unreachable(Exception):
    """There is no such run, or it does not respond."""


class Refused(Exception):
    """The inspector does not do what is requested; the message says why."""


def find_run(port: int | None, *, is_chosen: bool) -> RunFile:
    """Return the run on a port, or the only one.

    Args:
        port: the port, if one is set.
        is_chosen: whether it was named on the command line; else it may be that of another project's run.

    Raises:
        Unreachable: there is no such run, or more than one.
    """
    try:
        runs = read_runs(runs_folder(os.environ))
    except OSError as error:
        raise Unreachable(f"The files of local runs cannot be read: {error}") from None
    listed = ", ".join(f"{run.ports[0]} ({run.title})" for run in runs)
    if not runs:
        raise Unreachable("There is no local run of yours. Start one: lambda-web-adapter main:app")
    on_port = [run for run in runs if port in run.ports]
    if on_port or (len(runs) == 1 and not is_chosen):
        return (on_port or runs)[0]
    if port is None:
        raise Unreachable(f"There are {len(runs)} local runs. Choose one with --port: {listed}.")
    raise Unreachable(f"There is no local run of yours on port {port}, but on {listed}.")


def authorization(run: RunFile) -> dict[str, str]:
    """Return the header that requests to the inspector of a run carry."""
    return {"authorization": f"Bearer {run.token}"}


def not_responding(run: RunFile, error: Exception) -> Unreachable:
    """Return the error for a run that does not respond."""
    return Unreachable(f"The local run of process {run.pid} does not respond: {error}")


class RunClient:
    """Calls the API of a run's inspector, while its block runs."""

    def __init__(self, run: RunFile) -> None:
        """Prepare for a run."""
        import httpx  # which `--help` does not need

        self._run = run
        self._client = httpx.Client(base_url=run.url, headers=authorization(run), trust_env=False, timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: str | int) -> Any:
        """Return the document at a path; raise as `post` does."""
        return self._call("GET", path, params=parameters)

    def post(self, path: str, document: Any) -> Any:
        """Return what comes of posting a document.

        Raises:
            Unreachable: the run does not respond.
            Refused: it responds with an error.
        """
        return self._call("POST", path, json=document, timeout=_REPLAY_TIMEOUT)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        import httpx

        try:
            response = self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise not_responding(self._run, error) from None
        try:
            document = response.json()
        except ValueError:
            raise not_responding(self._run, ValueError(f"{response.status_code} without JSON")) from None
        if response.is_success:
            return document
        raise Refused(document.get("message") or f"status {response.status_code}")
