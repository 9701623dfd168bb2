"""Hints at why an import has failed: a missing module, another Python, another system, a file with a package's name."""

from __future__ import annotations

import os
import platform
import re
import sys
from glob import glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MISSING = re.compile(r"No module named '([\w.]+)'")
_FROM = re.compile(r"cannot import name '\w+' from (?:partially initialized module )?'([\w.]+)'(?:.*\((/[^)]+)\))?")
_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '\w+'")
_FRAME = re.compile(r'  File "(.+)", line \d+')
# What the dynamic linker says about a file of another system or processor.
_FOREIGN = ("invalid ELF header", "wrong ELF class", "mach-o", "incompatible architecture")
_LIBRARY = re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file")
_REQUIRED = re.compile(r"""^requires-python\s*=\s*["'][^"']*>=\s*(\d+)\.(\d+)""", re.MULTILINE)
# Where people have virtual environments, beside the app.
_ENVIRONMENTS = (".venv", "venv", "env")
_PLATFORM = {"x86_64": "manylinux2014_x86_64", "aarch64": "manylinux2014_aarch64"}


def hint_at_cause(raised: str, message: str, stack: Sequence[str], folder: str) -> str:
    """Return what probably made an import fail, and what to do; empty if nothing is known.

    Args:
        raised: the name of the exception.
        message: its message.
        stack: the lines of its traceback.
        folder: the app's folder.
    """
    if raised == "SyntaxError":
        return _hint_at_version(folder)
    if raised not in ("ModuleNotFoundError", "ImportError", "AttributeError", "OSError"):
        return ""
    if shadow := _hint_at_shadow(message, stack, folder):
        return shadow
    if match := _LIBRARY.search(message):
        return (
            f"The system has no library {match[1]}. Install it in the image; a zip may bring it in its folder lib, "
            "which is in Lambda's LD_LIBRARY_PATH."
        )
    if "GLIBC" in message or any(sign in message for sign in _FOREIGN):
        return f"That file was built for another system. {_install_advice()}"
    if raised == "ModuleNotFoundError" and (match := _MISSING.search(message)):
        return _hint_at_missing(match[1], folder)
    return ""


def _hint_at_missing(name: str, folder: str) -> str:
    top, _, rest = name.partition(".")
    for path in sys.path:
        built = sorted(glob(os.path.join(path, *name.split(".")) + ".*.so")) if rest else []
        if built:
            return f"{built[0]} is for another Python or processor than this {_this_python()}. {_install_advice()}"
    for environment in _ENVIRONMENTS:
        (found, *_) = [*glob(os.path.join(folder, environment, "lib", "python*", "site-packages", top)), ""]
        if found and not _is_in_path(found):
            program = os.path.join(environment, "bin", "python")
            return (
                f"{environment} has {top}, but this is {_this_python()} ({sys.executable}). "
                f"Install lambda-web-adapter there, and run {program} -m lambda_web_adapter."
            )
    return (
        f"{_this_python()} ({sys.executable}) has no {top}. If it is a package, install it for this Python; on Lambda "
        "it has to be in the image or in the zip (docs/images.md, docs/zips.md). If it is a module of the app, start "
        f"in the folder that holds it, which is {folder} now."
    )


def _hint_at_shadow(message: str, stack: Sequence[str], folder: str) -> str:
    """Return a hint at a file of the app's that has the name of a package or of a standard module."""
    match = _FROM.search(message) or _ATTRIBUTE.search(message)
    if not match:
        return ""
    top = match[1].partition(".")[0]
    file = os.path.join(folder, f"{top}.py")
    is_imported = any(frame and frame[1] == file for line in stack for frame in [_FRAME.match(line)]) or file in message
    if is_imported and (top in sys.stdlib_module_names or _is_installed(top, folder)):
        return f"{top}.py in {folder} hides the module {top} of the same name. Rename the file."
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


def _is_installed(top: str, folder: str) -> bool:
    others = [path for path in sys.path if path and os.path.realpath(path) != os.path.realpath(folder)]
    return any(os.path.exists(os.path.join(path, name)) for path in others for name in (top, f"{top}.py"))


def _is_in_path(package: str) -> bool:
    return os.path.realpath(os.path.dirname(package)) in map(os.path.realpath, sys.path)


def _this_python() -> str:
    return f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.machine()}"


def _install_advice() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    wanted = _PLATFORM.get(platform.machine(), "manylinux2014_x86_64")
    return (
        f"Install for the system that runs it: pip install --platform {wanted} --python-version {version} "
        "--only-binary=:all: --target FOLDER -r requirements.txt (docs/zips.md)."
    )
