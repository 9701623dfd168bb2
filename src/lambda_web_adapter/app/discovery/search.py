"""Search a folder for its app, in the places where the tools of FastAPI, Flask and Django look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.names import HINT, Target, parse_name, target_of_file
from lambda_web_adapter.app.discovery.source_scan import scan
from lambda_web_adapter.errors import AppNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path
    from typing import Any

STEMS = ("main", "app", "api", "wsgi", "asgi", "server", "application")
_SOURCE_FOLDER = "src"
# Folders below which no app is looked for, besides hidden ones.
_OTHER_FOLDERS = frozenset(
    ("__pycache__", "build", "dist", "docs", "env", "examples", "migrations", "node_modules", "static", "templates")
) | {"test", "tests", "venv"}
_MAX_SUGGESTIONS = 5
# The variables by which the command lines of Flask, Quart and Litestar find the app.
_VARIABLES = ("FLASK_APP", "QUART_APP", "LITESTAR_APP")
# The files from which those tools read variables, by python-dotenv; the first comes before the second.
_VARIABLE_FILES = (".env", ".flaskenv")
# A line in such a file. Not compiled yet: few projects have one.
_VARIABLE_LINE = r"""(?m)^\s*(?:export\s+)?%s\s*=\s*(["']?)(.+?)\1\s*(?:#.*)?$"""


def find(name: str, folder: Path, environ: MutableMapping[str, str]) -> tuple[Target, str]:
    """Return where the app is.

    Args:
        name: the app's name; empty to search the folder.
        folder: the folder.
        environ: the environment variables; for a Django project, DJANGO_SETTINGS_MODULE is set.

    Returns:
        The target, and what named it, for the log; that is empty if the caller did.

    Raises:
        AppNotFound: there is no app, or there are several; the message says what to do.
    """
    if name:
        return parse_name(name, folder), ""
    project = _read_project(folder)
    for value, source in (_fastapi_entrypoint(project), _variable(folder, environ)):
        if value:
            try:
                return parse_name(value, folder, may_be_handler=False), source
            except AppNotFound as error:
                raise AppNotFound(f"{source} is {value!r}. {error}") from None
    for place in (folder, folder / _SOURCE_FOLDER):
        manage = place / "manage.py"
        if manage.is_file():
            from lambda_web_adapter.app.discovery import django_project  # most apps are of other frameworks

            if target := django_project.find(manage, environ):
                return target, str(manage.relative_to(folder))
    path, root = _find_file(folder, _package_names(project))
    return target_of_file(path, root), str(path.relative_to(folder))


def _read_project(folder: Path) -> dict[str, Any]:
    path = folder / "pyproject.toml"
    if not path.exists():
        return {}
    import tomllib  # on Lambda there is seldom such a file

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AppNotFound(f"{path} cannot be read: {error}. Correct it, or name the app. {HINT}") from None


def _table(document: Any, *keys: str) -> dict[str, Any]:
    """Return a table within a document; empty if it is missing or something else."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _fastapi_entrypoint(project: dict[str, Any]) -> tuple[str, str]:
    """Return the entry point that FastAPI's command line reads, and where it is set."""
    entrypoint = _table(project, "tool", "fastapi").get("entrypoint", "")
    return entrypoint if isinstance(entrypoint, str) else "", "entrypoint in pyproject.toml"


def _variable(folder: Path, environ: MutableMapping[str, str]) -> tuple[str, str]:
    """Return the app in a framework's variable, and where it is set: in the environment, or in a file."""
    for name in _VARIABLES:
        if value := environ.get(name):
            return value, name
    for file in _VARIABLE_FILES:
        path = folder / file
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        for name in _VARIABLES:
            if match := re.search(_VARIABLE_LINE % name, text):
                return match[2], f"{name} in {file}"
    return "", ""


def _package_names(project: dict[str, Any]) -> list[str]:
    """Return the name of the project's package; Poetry's own table comes second."""
    tables = _table(project, "project"), _table(project, "tool", "poetry")
    return [re.sub(r"[-.]+", "_", name) for table in tables if isinstance(name := table.get("name"), str)]


def _find_file(folder: Path, packages: list[str]) -> tuple[Path, Path]:
    """Return the file of the app's module, and the folder whose modules are top-level modules.

    The first file wins that has an app for sure; else the first that may have one. Else, unless there are apps in other
    places, it is the first that exists and is named as if it had one, so that its import shows what it has.
    """
    source = folder / _SOURCE_FOLDER
    files = [(path, root) for root in (folder, source) for path in _usual_files(root, packages)]
    if first := _first_with_app(files):
        return first
    others = [_first_with_app([(path, source) for path in _package_files(package)]) for package in _folders(source)]
    apps = [each for each in others if each is not None]
    if len(apps) == 1:
        return apps[0]
    if apps:
        choices = ", ".join(_argument(path, folder) for path, _ in apps)
        raise AppNotFound(f"{source} has {len(apps)} apps. Name one of them: {choices}.")
    for each in files:
        if scan(each[0]).doubtful:
            return each
    elsewhere = suggestions(folder)
    if elsewhere or not files:
        raise AppNotFound(_nothing_found(folder, elsewhere))
    return next((each for each in files if scan(each[0]).factories), files[0])


def _usual_files(root: Path, packages: list[str]) -> Iterator[Path]:
    for stem in STEMS:
        if (path := root / f"{stem}.py").is_file():
            yield path
    if (root / "app").is_dir():
        yield from _package_files(root / "app")
    for stem in STEMS:
        if stem != "app" and (path := root / stem / "__init__.py").is_file():
            yield path
    for name in packages:
        yield from _package_files(root / name)


def _package_files(package: Path) -> Iterator[Path]:
    for stem in (*STEMS, "__init__"):
        if (path := package / f"{stem}.py").is_file():
            yield path


def _first_with_app(files: list[tuple[Path, Path]]) -> tuple[Path, Path] | None:
    for path, root in files:
        source = scan(path)
        if source.app or source.is_broken:
            return path, root
    return None


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder that may be packages with an app."""
    if not folder.is_dir():
        return []
    children = (each for each in sorted(folder.iterdir()) if each.name.isidentifier() and each.is_dir())
    return [each for each in children if each.name not in _OTHER_FOLDERS]


def _argument(path: Path, folder: Path) -> str:
    """Return the argument that names the app of a file: as a module if the folder is enough to import it."""
    target = target_of_file(path, folder)
    module = target.module if target.folders == (str(folder.resolve()),) else str(path.relative_to(folder))
    return f"{module}:{scan(path).app}"


def suggestions(folder: Path) -> list[str]:
    """Return arguments that name apps in a folder and the folders in it, the most likely first."""
    files = [path for path in sorted(folder.glob("*.py")) if scan(path).app]
    for package in _folders(folder):
        files += [path for path in _package_files(package) if scan(path).app]
    arguments = [_argument(path, folder) for path in files]
    for project in _folders(folder):
        nested = [*_folders(project), *_folders(project / _SOURCE_FOLDER)]
        apps = [path for package in nested for path in _package_files(package) if scan(path).app]
        if apps and (project / "__init__.py").is_file():
            arguments.append(_argument(apps[0], folder))
        elif apps:
            arguments.append(f"--app-dir {project.name}")
    return arguments[:_MAX_SUGGESTIONS]


def _nothing_found(folder: Path, elsewhere: list[str]) -> str:
    files = ", ".join(f"{stem}.py" for stem in STEMS)
    text = f"No app was named, and {folder} has none in {files}, in it or in app/ or {_SOURCE_FOLDER}/."
    return f"{text} Apps there: {', '.join(elsewhere)}. {HINT}" if elsewhere else f"{text} {HINT}"
