"""Runs an app of each framework behind each kind of path, and writes the table in docs/frameworks.md.

Each framework has an environment of its own, made by uv: `make test-frameworks`. Words name some of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_runtime_api import FakeRuntimeApi
from processes import BOOTSTRAP, PROJECT, Running, free_port, plain_environment

from frameworks.events import COLUMNS
from frameworks.listing import FRAMEWORKS, Framework

ENVIRONMENTS = PROJECT / ".venv-frameworks"
APPS = Path(__file__).parent / "apps"
PAGE = PROJECT / "docs" / "frameworks.md"
HEADING = "## What was tried\n"
UV = Path(sys.executable).parent / "uv"
START_SECONDS = 100.0  # an import of Gradio on a busy machine


def python_of(framework: Framework) -> Path:
    """Makes the framework's environment, unless it is there."""
    folder = ENVIRONMENTS / framework.module
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "-q", "--python", sys.executable, folder], check=True)
        subprocess.run([UV, "pip", "install", "-q", "--python", python, "-e", PROJECT, *framework.packages], check=True)
    return python


def outcomes_of(framework: Framework) -> list[str]:
    """What the app answers in each column: a tick, or what came instead."""
    python = python_of(framework)
    words = ["--", str(python), f"{framework.module}.py"] if framework.command else [f"{framework.module}:app"]
    with FakeRuntimeApi() as api:
        variables = {"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LWA_REMOVE_BASE_PATH": "/base"}
        if framework.command:
            variables["AWS_LWA_PORT"] = free_port()
        command: list[str | Path] = [python, BOOTSTRAP, *words]
        with Running(command, env=plain_environment(variables), cwd=APPS, at_end=api.client_has_ended):
            api.wait_for_call("next", seconds=START_SECONDS)
            return [_outcome(api.invoke(event, seconds=60).json) for event in COLUMNS.values()]


def _outcome(reply: dict[str, object]) -> str:
    return "✓" if reply.get("body") == "hello world 1" else f"{reply.get('statusCode') or reply.get('errorType')}"


def main(names: list[str]) -> int:
    """Runs the frameworks that are named, or all, and writes the page if it was all."""
    rows = []
    for framework in FRAMEWORKS:
        if not names or framework.module in names:
            try:
                outcomes = outcomes_of(framework)
            except (AssertionError, subprocess.CalledProcessError) as error:
                outcomes = [f"failed: {str(error)[:60]}"]
            rows.append((framework.name, outcomes))
            sys.stdout.write(f"{framework.name}: {' '.join(outcomes)}\n")
    if not names:
        before = PAGE.read_text().partition(HEADING)[0]
        head = f"| framework | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
        lines = "".join(f"| {name} | {' | '.join(outcomes)} |\n" for name, outcomes in rows)
        PAGE.write_text(
            f"{before}{HEADING}\nBy `make test-frameworks`, each in an environment of its own.\n\n{head}{lines}"
        )
    return int(any(set(outcomes) != {"✓"} for _, outcomes in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
