"""Runs an app of each framework behind each kind of path, and writes the table in docs/frameworks.md.

Each framework has an environment of its own, made by uv: `make test-frameworks`. Words name some of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.processes import BOOTSTRAP, PROJECT, Running, accepts, free_port, plain_environment, wait_until

from frameworks.events import COLUMNS
from frameworks.listing import FRAMEWORKS, Framework
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENTS = PROJECT / ".venv-frameworks"
APPS = Path(__file__).parent / "apps"
PAGE = PROJECT / "docs" / "frameworks.md"
HEADING = "## What was tested\n"
INTRODUCTION = """`make test-frameworks` runs each framework in its own virtual environment. *Alone* means on uvicorn,
on waitress or as a command, without the adapter. A tick in another column: the app's page has the same status and body
as alone.
The apps of Bottle, Django, FastAPI, Flask, Pyramid, Quart and Starlette also show an address that the framework builds,
which has the prefix. Esmerald is tested with a Lilya before 0.23, since with 0.24 and 0.29 its app fails alone too.
Masonite is not in the table, since its apps are projects that its own command downloads.
"""
UV = Path(sys.executable).parent / "uv"
PATH = "/hello/world"
START_SECONDS = 100.0  # an import of Gradio on a busy machine


def python_of(framework: Framework) -> Path:
    """Makes the framework's environment, unless it is there."""
    folder = ENVIRONMENTS / framework.module
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "-q", "--python", sys.executable, folder], check=True)
        subprocess.run(
            [UV, "pip", "install", "-q", "--python", python, "-e", PROJECT, "waitress", *framework.packages], check=True
        )
    return python


def outcomes_of(framework: Framework) -> Iterator[str]:
    """Tries the app in each column, and tells a tick or what came instead."""
    python = python_of(framework)
    with TemporaryDirectory() as folder:  # some frameworks write beside the app
        apps = copytree(APPS, Path(folder) / "apps")
        yield from _outcomes(framework, python, apps)


def _outcomes(framework: Framework, python: Path, apps: Path) -> Iterator[str]:
    words = [f"{framework.module}:app"]
    if framework.server == "command":
        words = ["--", str(python), f"{framework.module}.py"]
    alone = _alone(framework, python, apps)
    yield _difference(framework, alone, alone)
    yield _difference(framework, _through_the_local_run(framework, python, words, apps), alone)
    with RuntimeApi() as api:
        variables = _variables(framework, {"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LWA_REMOVE_BASE_PATH": "/base"})
        with Running([python, BOOTSTRAP, *words], env=variables, cwd=apps, at_end=api.set_runtime_ended):
            api.wait_for_call("next", timeout=START_SECONDS)
            for prefix, event_of in COLUMNS.values():
                pages = [_page(api.invoke(event_of(path), timeout=60).json) for path in _paths(framework)]
                yield _difference(framework, Answers(*pages[0], *pages[1:]), alone, prefix)


class Answers(NamedTuple):
    """What an app answers at its page, and at `/address` if it has that."""

    status: int
    page: str
    address: tuple[int, str] = (200, "")


def _paths(framework: Framework) -> list[str]:
    return [PATH, "/address"] if framework.addresses else [PATH]


def _variables(framework: Framework, variables: dict[str, str]) -> dict[str, str]:
    port = {"AWS_LWA_PORT": free_port()} if framework.server == "command" else {}
    return plain_environment({**variables, **port})


def _alone(framework: Framework, python: Path, apps: Path) -> Answers:
    """Serves the app without the adapter."""
    port = free_port()
    app = f"{framework.module}:app"
    commands: dict[str, list[str | Path]] = {
        "asgi": [python, "-m", "uvicorn", "--interface", "asgi3", "--port", port, app],
        "wsgi": [python, "-m", "waitress", f"--listen=127.0.0.1:{port}", app],
        "command": [python, f"{framework.module}.py"],
    }
    variables = plain_environment({"PORT": port, "PYTHONPATH": str(apps)})
    with Running(commands[framework.server], env=variables, cwd=apps) as run:
        wait_until(lambda: accepts(f"127.0.0.1:{port}"), "the app's own server", START_SECONDS)
        answers = _answers(framework, f"http://127.0.0.1:{port}")
        os.killpg(run.pid, signal.SIGKILL)  # Robyn does not end on SIGTERM
        return answers


def _through_the_local_run(framework: Framework, python: Path, words: list[str], apps: Path) -> Answers:
    command: list[str | Path] = [python, "-m", "lambda_web_adapter", "--port", "0", *words]
    with Running(command, env=_variables(framework, {}), cwd=apps) as run:
        return _answers(framework, run.wait_for(r"http://127\.0\.0\.1:\d+", seconds=START_SECONDS)[0])


def _answers(framework: Framework, url: str) -> Answers:
    with httpx.Client(base_url=url, trust_env=False, timeout=START_SECONDS) as client:
        responses = [client.get(path, params={"x": "1"}) for path in _paths(framework)]
    pages = [(response.status_code, response.text) for response in responses]
    return Answers(*pages[0], *pages[1:])


def _page(reply: dict[str, Any]) -> tuple[int, str]:
    body = str(reply.get("body", reply.get("errorType")))
    if reply.get("isBase64Encoded"):
        body = b64decode(body).decode()
    return int(reply.get("statusCode") or 0), body


def _difference(framework: Framework, answers: Answers, alone: Answers, prefix: str = "") -> str:
    """Return a tick where the answers are right, and those of the app alone, its addresses with the prefix."""
    if answers.status != 200:
        return str(answers.status)
    if framework.page not in answers.page or answers.page != alone.page:
        return "another page"
    status, address = answers.address
    expected = prefix + PATH if framework.addresses else ""
    return "✓" if status == 200 and urlsplit(address).path == expected else f"address {status} {address}"


def main(names: list[str]) -> int:
    """Runs the frameworks that are named, or all, and writes the page if it was all."""
    rows = []
    for framework in FRAMEWORKS:
        if not names or framework.module in names:
            outcomes: list[str] = []
            try:
                outcomes.extend(outcomes_of(framework))
            except (AssertionError, httpx.HTTPError, subprocess.SubprocessError) as error:
                outcomes.append(f"failed: {str(error)[-300:]}".replace("\n", " "))
            rows.append((framework.name, outcomes))
            sys.stdout.write(f"{framework.name}: {' '.join(outcomes)}\n")
            sys.stdout.flush()
    if not names:
        before = PAGE.read_text().partition(HEADING)[0]
        columns = ["alone", "through the local run", *COLUMNS]
        head = f"| framework | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}\n"
        lines = "".join(f"| {name} | {' | '.join(outcomes)} |\n" for name, outcomes in rows)
        PAGE.write_text(f"{before}{HEADING}\n{INTRODUCTION}\n{head}{lines}")
    return int(any(set(outcomes) != {"✓"} for _, outcomes in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
