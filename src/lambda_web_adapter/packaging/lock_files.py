"""Which file has a project's requirements, and what it has; uv.lock by `uv export`."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.poetry_lock import read_poetry_lock
from lambda_web_adapter.packaging.pylock import read_pylock
from lambda_web_adapter.packaging.requirements import (
    Requirements,
    check_locked,
    direct_requirements,
    read_project,
    read_toml,
)
from lambda_web_adapter.packaging.requirements_file import parse_requirements, read_requirements_file

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.packaging.target import Target

# `--no-emit-project` leaves out the app, whose files are copied; other members of its workspace are built.
_EXPORT = ("export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-editable", "--no-header")
_EXPORT_QUIETLY = (*_EXPORT, "--no-annotate", "--no-python-downloads", "-q")
# Files of other tools that are not read, and what makes one of them that is.
_NOT_READ = {
    "Pipfile.lock": "pipenv requirements > requirements.txt",
    "pdm.lock": "pdm export -o requirements.txt",
    "environment.yml": "list the packages of PyPI in requirements.txt",
    "requirements.in": "uv pip compile requirements.in -o requirements.txt",
    "setup.py": "echo -e . > requirements.txt",
    "setup.cfg": "echo -e . > requirements.txt",
}


def read_requirements(folder: Path, target: Target, uv: str | None, named: Path | None = None) -> Requirements:
    """Return what a project requires, from the file that is named, or else from the first of its files.

    Args:
        folder: the project's folder.
        target: what it is for.
        uv: the program uv, if there is one.
        named: the file that counts.

    Raises:
        PackagingError: the file cannot be read, or is uv's, and there is no uv.
    """
    file = named or _find(folder)
    if file is None:
        return _read_pyproject(folder, target)
    if file.name == "uv.lock":
        if uv is None:
            raise PackagingError(f"{file} needs uv, which is not installed: pip install uv")
        return export_uv_lock(folder if named is None else file.parent, file, uv, target)
    if is_pylock(file.name):
        return read_pylock(file, folder, target)
    if file.name == "poetry.lock":
        return read_poetry_lock(file, folder if named is None else file.parent, target)
    if file.name == "pyproject.toml":
        return _read_pyproject(file.parent, target)
    requirements = Requirements(file.name)
    read_requirements_file(file, requirements, target)
    return requirements


def is_pylock(name: str) -> bool:
    """Return whether a file's name is one of PEP 751: `pylock.toml` or `pylock.NAME.toml`."""
    return name == "pylock.toml" or re.fullmatch(r"pylock\.[^.]+\.toml", name) is not None


def _find(folder: Path) -> Path | None:
    """Return the first of the files that a project may have, but for pyproject.toml."""
    if lock := find_uv_lock(folder):
        return lock
    named_locks = sorted(file for file in folder.glob("pylock.*.toml") if is_pylock(file.name))
    for file in (folder / "pylock.toml", folder / "poetry.lock", folder / "requirements.txt"):
        if file.is_file():
            return file
    if len(named_locks) > 1:
        names = ", ".join(file.name for file in named_locks)
        raise PackagingError(f"{folder} has several locks: {names}. Name one of them with --requirements.")
    return next(iter(named_locks), None)


def _read_pyproject(folder: Path, target: Target) -> Requirements:
    document = read_project(folder)
    project = document.get("project", {})
    requirements = Requirements("pyproject.toml" if project else "")
    if "dependencies" in project.get("dynamic", ()):
        requirements.add_folder(folder)  # only its build knows them
    elif "dependencies" not in project and document.get("tool", {}).get("poetry", {}).get("dependencies"):
        raise PackagingError(
            "pyproject.toml has Poetry's requirements, but there is no poetry.lock. Run `poetry lock`."
        )
    parse_requirements("\n".join(project.get("dependencies", [])), folder, requirements, target)
    return requirements


def advice_without_requirements(folder: Path) -> str:
    """Return what to do in a project without a file that is read; empty if it has none of another tool either."""
    return next(
        (f"{name} is not read: {advice}" for name, advice in _NOT_READ.items() if (folder / name).is_file()), ""
    )


def export_uv_lock(folder: Path, lock: Path, uv: str, target: Target) -> Requirements:
    """Return what uv.lock has, of the project or of the workspace that it is a member of.

    Raises:
        PackagingError: uv cannot export it, or it lacks a requirement.
    """
    requirements = Requirements("uv.lock", is_complete=True)
    requirements.direct = direct = direct_requirements(read_project(folder), target)
    names = {canonicalize_name(str(each.get("name", ""))) for each in read_toml(lock).get("package", [])}
    check_locked(direct, names, lock, folder, "uv lock")
    done = subprocess.run([uv, *_EXPORT_QUIETLY], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise PackagingError(f"uv cannot export {lock}: {done.stderr.strip()}\nRun `uv lock`, and try again.")
    parse_requirements(done.stdout, lock.parent, requirements, target)  # its paths are relative to the lock
    requirements.direct = direct
    for index in _explicit_indexes(folder, lock.parent):
        requirements.add_index(index)
    return requirements


def _explicit_indexes(*folders: Path) -> list[str]:
    """Return the indexes that uv asks only for the packages that name them, and so not when wheels are installed."""
    tables: list[dict[str, Any]] = []
    for folder in dict.fromkeys(folders):
        tables += read_project(folder).get("tool", {}).get("uv", {}).get("index", [])
    return list(dict.fromkeys(each["url"] for each in tables if each.get("explicit") and "url" in each))


def find_uv_lock(folder: Path) -> Path | None:
    """Return uv.lock of the project, or of the workspace that it is a member of."""
    project = folder.resolve()
    if (folder / "uv.lock").is_file():
        return folder / "uv.lock"
    for root in project.parents:
        if (root / "uv.lock").is_file() and _is_member(project, root):
            return root / "uv.lock"
    return None


def _is_member(project: Path, root: Path) -> bool:
    """Return whether a folder is a member of the workspace of another one."""
    if not (project / "pyproject.toml").is_file():
        return False
    workspace = read_project(root).get("tool", {}).get("uv", {}).get("workspace", {})
    members, excluded = workspace.get("members", []), workspace.get("exclude", [])

    def matches(patterns: list[str]) -> bool:
        return any(project == found.resolve() for pattern in patterns for found in root.glob(pattern))

    return matches(members) and not matches(excluded)
