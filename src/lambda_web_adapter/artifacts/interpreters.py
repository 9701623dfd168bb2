"""What this machine runs: native code, and Python interpreters."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What images, Python and users call the machines of functions.
ARCHITECTURES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"
_TIMEOUT = 20  # seconds for an interpreter to start


def runs_here(architecture: str) -> bool:
    """Return whether native code for functions of an architecture, `x86_64` or `arm64`, runs on this machine."""
    return sys.platform == "linux" and ARCHITECTURES.get(platform.machine().lower()) == architecture


def find_python(version: tuple[int, int]) -> str | None:
    """Return a CPython of a version: this one, one in the path, or one of pyenv or uv.

    Args:
        version: such as `(3, 13)`.

    Returns:
        The program; None if there is none.
    """
    if sys.version_info[:2] == version and sys.implementation.name == "cpython":
        return sys.executable
    name = f"{version[0]}.{version[1]}"
    return next((program for program in _candidates(name) if _is_version(program, name)), None)


def _candidates(version: str) -> Iterator[str]:
    name = f"python{version}"
    if program := shutil.which(name):
        yield program
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    for folder, pattern in ((pyenv / "versions", f"{version}.*"), (uv, f"cpython-{version}*")):
        yield from (str(path / "bin" / name) for path in sorted(folder.glob(pattern), reverse=True))


def _is_version(program: str, version: str) -> bool:
    """Return whether it starts, as a shim of pyenv may not, and is that version."""
    try:
        result = subprocess.run(  # noqa: S603  # an interpreter
            [program, "-I", "-c", _VERSION], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.stdout.split() == [version, "cpython"]
