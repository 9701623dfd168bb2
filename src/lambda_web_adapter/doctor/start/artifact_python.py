"""A Python that has what an artifact has, and what Lambda's runtime adds to it: nothing that is installed here.

It is that of an empty virtual environment, so that the processes that an app starts have nothing else either.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

import lambda_web_adapter
from lambda_web_adapter.doctor.module_names import RUNTIME_MODULES
from lambda_web_adapter.doctor.start import artifact_program
from lambda_web_adapter.local.environments.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PACKAGE = lambda_web_adapter.__name__
_PACKAGE_FOLDER = Path(lambda_web_adapter.__file__).parent
# What the doctor starts within an environment; packages for Lambda are made without it.
_DOCTORS_MODULES = {
    f"{_PACKAGE}.doctor": _PACKAGE_FOLDER,
    f"{_PACKAGE}.local.environments": _PACKAGE_FOLDER / "local",
    f"{_PACKAGE}.local.imports": _PACKAGE_FOLDER / "local",
}
# What the adapter imports on Lambda (docs/dependencies.md).
_ADAPTERS_PACKAGES = ("httptools", "orjson", "pybase64", "uvloop")
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_DROPPED = ("PYTHONPATH", "PYTHONHOME")  # they would add to the path


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPython:
    """The Python of an artifact.

    Attributes:
        interpreter: how it runs a module.
        environ: the variables that it runs with.
        readable: the folders that it reads besides the artifact.
        note: whose adapter it runs, if that is not the artifact's.
    """

    interpreter: Interpreter
    environ: Mapping[str, str]
    readable: tuple[str, ...]
    note: str


@contextmanager
def artifact_python(root: Path, environ: Mapping[str, str]) -> Iterator[ArtifactPython]:
    """Provide the Python of an artifact.

    The adapter is the artifact's own if it is of this version; the doctor could not observe another one.

    Args:
        root: the artifact's files.
        environ: the caller's environment variables.
    """
    root = root.resolve()
    folders = [str(folder) for folder in _path_folders(root) if folder.is_dir()]
    version = _adapter_version(folders)
    is_own = version == lambda_web_adapter.__version__
    first = _DOCTORS_MODULES if is_own else {_PACKAGE: _PACKAGE_FOLDER.parent}
    last = _installed_here(RUNTIME_MODULES if is_own else (*RUNTIME_MODULES, *_ADAPTERS_PACKAGES))
    orders = ascii((folders, {name: str(folder) for name, folder in first.items()}, last))
    with tempfile.TemporaryDirectory(prefix="lambda-web-adapter-python-") as name:
        folder = Path(name).resolve()
        venv.EnvBuilder(symlinks=True).create(folder)
        yield ArtifactPython(
            interpreter=Interpreter(
                python=str(folder / "bin" / "python"), launcher=("-P", str(artifact_program.__file__), orders)
            ),
            environ=_environ(environ, folder),
            readable=(str(_PACKAGE_FOLDER), *last.values()),
            note=_note(version, is_own=is_own),
        )


def _path_folders(root: Path) -> Iterator[Path]:
    """Yield where Lambda looks for the modules of a function, and of a layer."""
    yield root
    yield root / "python"
    yield root / "python" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def _adapter_version(folders: Iterable[str]) -> str:
    """Return the version of the adapter in an artifact; empty if it has none."""
    for folder in folders:
        file = Path(folder, _PACKAGE, "__init__.py")
        if file.is_file():
            match = _VERSION.search(file.read_text("utf-8", "replace"))
            return match[1] if match else "of an unknown version"
        if file.with_suffix(".pyc").is_file():  # without sources, as `package --no-sources` makes it
            infos = sorted(Path(folder).glob(f"{_PACKAGE}-*.dist-info"))
            return infos[0].name.removesuffix(".dist-info").rpartition("-")[2] if infos else "of an unknown version"
    return ""


def _installed_here(names: Iterable[str]) -> dict[str, str]:
    """Return the folders of modules that are installed beside the doctor."""
    origins = {name: spec.origin for name in names if (spec := PathFinder.find_spec(name)) and spec.origin}
    return {
        name: str(Path(origin).parents[1] if Path(origin).stem == "__init__" else Path(origin).parent)
        for name, origin in origins.items()
    }


def _environ(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return a caller's variables, without those that lead to what is installed here."""
    own = {os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin")} if sys.prefix != sys.base_prefix else set()
    places = [place for place in environ.get("PATH", os.defpath).split(os.pathsep) if place not in own]
    kept = {name: value for name, value in environ.items() if name not in _DROPPED}
    return {**kept, "PATH": os.pathsep.join([str(folder / "bin"), *places]), "VIRTUAL_ENV": str(folder)}


def _note(version: str, *, is_own: bool) -> str:
    if is_own:
        return ""
    own = f"was started with that of the doctor ({lambda_web_adapter.__version__})"
    if version:
        return f"The artifact has the adapter {version}, but {own}."
    return f"The artifact has no lambda_web_adapter, as if a layer had it, and {own}."
