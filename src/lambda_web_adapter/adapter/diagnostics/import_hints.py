"""Hints at why an import has failed that only the system knows: another Python, processor or system, a missing library.

What the app's own files are to blame for, `app/discovery/advice.py` says.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from glob import glob

_MISSING = re.compile(r"No module named '([\w.]+)'")
# What the dynamic linker says about a file of another system or processor.
_FOREIGN = ("invalid ELF header", "wrong ELF class", "mach-o", "incompatible architecture")
_LIBRARY = re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file")
_REQUIRED = re.compile(r"""^requires-python\s*=\s*["'][^"']*>=\s*(\d+)\.(\d+)""", re.MULTILINE)
_PLATFORM = {"x86_64": "manylinux2014_x86_64", "aarch64": "manylinux2014_aarch64"}


def hint_at_cause(raised: str, message: str, folder: str) -> str:
    """Return what probably made an import fail, and what to do; empty if nothing is known.

    Args:
        raised: the name of the exception.
        message: its message.
        folder: the app's folder.
    """
    if raised == "SyntaxError":
        return _hint_at_version(folder)
    if raised not in ("ModuleNotFoundError", "ImportError", "OSError"):
        return ""
    if match := _LIBRARY.search(message):
        return (
            f"The system has no library {match[1]}. Install it in the image; a zip may bring it in its folder lib, "
            "which is in Lambda's LD_LIBRARY_PATH."
        )
    if "GLIBC" in message or any(sign in message for sign in _FOREIGN):
        return f"That file was built for another system. {_install_advice()}"
    if raised == "ModuleNotFoundError" and (match := _MISSING.search(message)):
        return _hint_at_build(match[1])
    return ""


def _hint_at_build(name: str) -> str:
    """Return a hint if a module is there, but built for another Python or processor."""
    for path in sys.path:
        if built := sorted(glob(os.path.join(path, *name.split(".")) + ".*.so")):
            return f"{built[0]} is for another Python or processor than this {_this_python()}. {_install_advice()}"
    return ""


def _hint_at_version(folder: str) -> str:
    try:
        with open(os.path.join(folder, "pyproject.toml"), encoding="utf-8") as file:
            match = _REQUIRED.search(file.read())
    except OSError:
        return ""
    if match and (int(match[1]), int(match[2])) > sys.version_info[:2]:
        return f"pyproject.toml requires Python {match[1]}.{match[2]} or later, but this is {_this_python()}."
    return ""


def _this_python() -> str:
    return f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.machine()}"


def _install_advice() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    wanted = _PLATFORM.get(platform.machine(), "manylinux2014_x86_64")
    return (
        f"Install for the system that runs it: pip install --platform {wanted} --python-version {version} "
        "--only-binary=:all: --target FOLDER -r requirements.txt (docs/zips.md)."
    )
