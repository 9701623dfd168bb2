"""Say what to do when an app's import fails: only what is sure, with the exact command or argument."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.names import HINT
from lambda_web_adapter.app.discovery.search import suggestions
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

_MAX_MODULES = 10
_VENV_FOLDERS = (".venv", "venv", "env")
# Distributions by the modules that they install, where both are well known; all others may be anybody's.
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "jwt": "PyJWT",
    "multipart": "python-multipart",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
_SAME_NAMES = (
    "boto3 django fastapi flask httpx jinja2 litestar numpy pandas pydantic quart requests sqlalchemy starlette "
    "uvicorn werkzeug"
)
_DISTRIBUTIONS |= {name: name for name in _SAME_NAMES.split()}
# What a package that is missing on Lambda is added to: the file's name is not known there.
REQUIREMENTS = "the project's requirements"
# The name at the start of a requirement (PEP 508).
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def for_missing_module(name: str, folder: Path) -> str:
    """Return the error for a module that was named as the app's and does not exist."""
    top, _, rest = name.partition(".")
    modules = sorted(path.stem for path in folder.glob("*.py"))
    existing = f"Modules there: {', '.join(modules[:_MAX_MODULES])}." if modules else "There are no modules there."
    text = f"There is no module {name!r} in {folder}. {existing}"
    if rest and folder.name == top and (folder / f"{rest.replace('.', '/')}.py").is_file():
        return (
            f"{text} {folder.name} is this folder itself: name the app with --app-dir .. (AWS_LWA_APP_DIR=..). {HINT}"
        )
    apps = [each for each in suggestions(folder) if not each.startswith(tuple(f"{module}:" for module in modules))]
    return f"{text} Apps there: {', '.join(apps)}. {HINT}" if apps else f"{text} {HINT}"


def for_failed_import(error: ImportError | AttributeError, app: str, folder: Path) -> str:
    """Return what to do about an exception that an app's module has raised; empty if that is not clear.

    Args:
        error: the exception.
        app: the app, as `module:attribute`; empty if that is not known yet.
        folder: the folder of the app.
    """
    if text := _hidden_package(error, folder):
        return text
    if not isinstance(error, ImportError):
        return ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name, app, folder)
    if "relative import" in str(error):
        return _relative(error, app)
    return ""


def _hidden_package(error: ImportError | AttributeError, folder: Path) -> str:
    """Return what to do if a file of the app has the name of a package that is imported, such as `flask.py`."""
    if isinstance(error, AttributeError):
        module: Any = error.obj
        if not issubclass(type(module), ModuleType):  # the attributes of others may run code, as those of a proxy do
            return ""
        name, path = module.__name__, getattr(module, "__file__", None)
    else:
        name = (error.name or "").partition(".")[0]
        path = error.path or getattr(sys.modules.get(name), "__file__", None)
    if not name or not isinstance(path, str) or Path(path) != folder / f"{name}.py":
        return ""
    others = [each for each in sys.path if Path(each or ".").resolve() != folder.resolve()]
    if name not in sys.stdlib_module_names and PathFinder.find_spec(name, others) is None:
        return ""
    return f"{path} hides the module {name} that others import: rename the file."


def _relative(error: ImportError, app: str) -> str:
    """Return what to do if a module was imported without its package."""
    module, file = _innermost_module(error.__traceback__)
    if not file or module != app.partition(":")[0] or "." in module:
        return ""
    package = Path(file).parent
    name = f"{package.name}.{app}"
    return (
        f"{module} was imported without its package {package.name}. Name it as {name} with --app-dir {package.parent} "
        f"(AWS_LWA_APP_DIR), or as the file {file}."
    )


def _innermost_module(traceback: TracebackType | None) -> tuple[str, str]:
    """Return name and file of the module whose code raised."""
    module = file = ""
    while traceback:
        names = traceback.tb_frame.f_globals
        module, file = str(names.get("__name__", "")), str(names.get("__file__") or "")
        traceback = traceback.tb_next
    return module, file


def _missing(name: str, app: str, folder: Path) -> str:
    """Return what to do if a module that the app imports is missing."""
    top = name.partition(".")[0]
    if name != top and PathFinder.find_spec(top):
        return ""  # the package is there, and has no such module
    if top in sys.stdlib_module_names:
        return f"{top} is part of Python's standard library, but not of the Python that runs this: {sys.executable}."
    source = folder / "src"
    if app and _has_module(source, top):
        inner = app.removeprefix("src.")
        return f"{top} is in {source}, which is not in the path: name the app as {inner} with --app-dir src."
    if app and (folder.name == top or _has_module(folder.parent, top)):
        parent_app = app if folder.name != top else f"{folder.name}.{app}"
        return f"{top} is in {folder.parent}: name the app as {parent_app} with --app-dir .. (AWS_LWA_APP_DIR=..)."
    for python in _other_pythons(top, folder):
        return (
            f"{top} is installed for {python}, but this runs with {sys.executable}. Install lambda-web-adapter there "
            f"as well, and start it by `{f'{python} -m lambda_web_adapter {app}'.strip()}`."
        )
    return _install(top, folder)


def _has_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


def _other_pythons(module: str, folder: Path) -> Iterator[Path]:
    """Yield the interpreters of virtual environments beside the app that have a module."""
    for place in (folder, folder.parent):
        for venv in (place / name for name in _VENV_FOLDERS):
            if venv.resolve() == Path(sys.prefix).resolve():
                continue
            installed = any(_has_module(packages, module) for packages in venv.glob("lib/python*/site-packages"))
            if installed and (venv / "bin/python").exists():
                yield venv / "bin/python"


def _install(module: str, folder: Path) -> str:
    """Return how to install the distribution of a module, or on Lambda, how to bring it there."""
    if "AWS_LAMBDA_RUNTIME_API" in os.environ and not os.environ.get(LOCAL_RUN_VARIABLE):
        missing = _DISTRIBUTIONS.get(module, "the package that has it")
        return f"{module} is not in the function's package. Add {missing} to {REQUIREMENTS}, and package it again."
    where = f"{module} is not installed for {sys.executable}."
    pip = f"{sys.executable} -m pip install"
    for file, requirement in _requirements(folder):
        if _normalized(requirement) != _normalized(_DISTRIBUTIONS.get(module, module)):
            continue
        name = os.path.relpath(file, folder)
        option = f"-r {name}" if name.endswith(".txt") else requirement
        return f"{where} {name} requires {requirement}: install it where the app runs, by `{pip} {option}`."
    if distribution := _DISTRIBUTIONS.get(module):
        return f"{where} Install it where the app runs, by `{pip} {distribution}`."
    return f"{where} Install the package that has it where the app runs, by `{pip} …`."


def _requirements(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the names of the distributions that the project requires, with the files that say so."""
    for place in (folder, folder.parent):
        for file in [*sorted(place.glob("requirements*.txt")), *sorted(place.glob("requirements/*.txt"))]:
            for line in _read_lines(file):
                if match := _REQUIREMENT.match(line):
                    yield file, match[1]
        for requirement in _project_requirements(place / "pyproject.toml"):
            if match := _REQUIREMENT.match(requirement):
                yield place / "pyproject.toml", match[1]


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError:  # it is a folder, or another user's
        return []


def _project_requirements(path: Path) -> list[str]:
    try:
        project = tomllib.loads(path.read_text("utf-8")).get("project", {})
        required = [*project.get("dependencies", [])]
        for extra in project.get("optional-dependencies", {}).values():
            required += extra
    except (OSError, ValueError, AttributeError, TypeError):  # there is no such file, or it is not as PEP 621 has it
        return []
    return [each for each in required if isinstance(each, str)]


def _normalized(name: str) -> str:
    """Return a distribution's name in the form in which two are the same (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
