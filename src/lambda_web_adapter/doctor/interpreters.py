"""Python interpreters on this machine that are those of functions."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.doctor.subject import Target

_TIMEOUT = 20  # seconds to look, or to start an interpreter


def find_python(version: tuple[int, int]) -> str:
    """Return an interpreter of a version, which compiles as that of a function does; empty if there is none."""
    if sys.version_info[:2] == version:
        return sys.executable
    name = f"python{version[0]}.{version[1]}"
    # A shim of pyenv has the name, but may have no interpreter to start.
    return next((path for path in (shutil.which(name), _find_by_uv(name)) if path and _is_version(path, version)), "")


def runs_here(target: Target) -> bool:
    """Return whether native code of a function runs on this machine."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return sys.platform == "linux" and machine == target.architecture


def _find_by_uv(name: str) -> str:
    uv = shutil.which("uv")
    return _output(uv, "python", "find", "--no-project", "--no-python-downloads", name) if uv else ""


def _is_version(python: str, version: tuple[int, int]) -> bool:
    return _output(python, "-I", "-c", "import sys; print(*sys.version_info[:2])") == f"{version[0]} {version[1]}"


def _output(*arguments: str) -> str:
    """Return what a program prints; empty if it fails."""
    try:
        result = subprocess.run(  # noqa: S603  # interpreters, and uv
            arguments, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if result.returncode else result.stdout.strip()
