"""The templates of examples/deploy, and commands that check them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TEMPLATES = PROJECT / "examples" / "deploy"
SAM_TEMPLATES = sorted((TEMPLATES / "sam").glob("*.yaml"))
ENVIRONMENT = Path(sys.prefix)
SECONDS = 300.0  # a validator takes two; a busy machine takes its time
QUIET = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",  # an emulator takes any
    "AWS_PAGER": "",
    "SAM_CLI_TELEMETRY": "0",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "1",
}


def run(*command: str | Path, cwd: Path, variables: dict[str, str] | None = None) -> str:
    """Return what a command of the environment prints; raise an AssertionError with its output if it fails."""
    path = os.pathsep.join([str(ENVIRONMENT / "bin"), str(ENVIRONMENT / "node_modules" / ".bin"), os.environ["PATH"]])
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**env, **QUIET, "PATH": path, **(variables or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command} → {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
