"""What tests of `lambda-web-adapter package` share."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"

Package = Callable[..., subprocess.CompletedProcess[str]]
MakeProject = Callable[..., Path]


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what the command has printed with `--json`."""
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report
