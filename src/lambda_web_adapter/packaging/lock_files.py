"""Reads pylock.toml (PEP 751) and poetry.lock, and has uv export uv.lock."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import Requirements, direct_requirements, read_project, read_toml
from lambda_web_adapter.packaging.requirements_file import parse_requirements, read_requirements_file

if TYPE_CHECKING:
    from lambda_web_adapter.packaging.target import Target

# `--no-emit-project` leaves out the app, whose files are copied; other members of its workspace are built.
_EXPORT = ("export", "--frozen", "--no-dev", "--no-emit-project", "--no-editable", "--no-header", "--no-annotate", "-q")


def export_uv_lock(folder: Path, lock: Path, uv: str, target: Target) -> Requirements:
    """Return what uv.lock has, of the project or of the workspace that it is a member of.

    Raises:
        PackagingError: uv cannot export it.
    """
    done = subprocess.run([uv, *_EXPORT], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise PackagingError(f"uv cannot export uv.lock: {done.stderr.strip()}\nRun `uv lock`, and try again.")
    requirements = Requirements("uv.lock", is_complete=True)
    parse_requirements(done.stdout, lock.parent, requirements, target)  # its paths are relative to the lock
    requirements.direct = direct_requirements(read_project(folder))
    return requirements


def read_pylock(file: Path, target: Target) -> Requirements:
    """Return what pylock.toml has for the target."""
    document = read_toml(file)
    requirements = Requirements(file.name, is_complete=True)
    environment: Any = {
        **target.marker_environment,
        "extras": frozenset(),
        "dependency_groups": frozenset(document.get("default-groups", [])),
    }
    for package in document.get("packages", []):
        if "marker" in package and not Marker(package["marker"]).evaluate(environment, context="lock_file"):
            continue
        name = package["name"]
        if "directory" in package:
            requirements.add_folder(file.parent / package["directory"]["path"])
        elif "vcs" in package:
            vcs = package["vcs"]
            requirements.add(f"{name} @ {vcs['type']}+{vcs['url']}@{vcs['commit-id']}")
        elif "archive" in package:
            requirements.add(f"{name} @ {package['archive']['url']}")
        else:
            files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
            hashes = sorted({f"sha256:{each['hashes']['sha256']}" for each in files if "sha256" in each["hashes"]})
            requirements.add(_pinned(name, package["version"], hashes))
    project = read_project(file.parent)
    requirements.direct = direct_requirements(project) if project else None
    return requirements


def read_poetry_lock(file: Path, target: Target) -> Requirements:
    """Return what the project needs of what poetry.lock has: its main group, and what that requires."""
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in read_toml(file).get("package", []):
        packages.setdefault(canonicalize_name(package["name"]), []).append(package)
    requirements = Requirements(file.name, is_complete=True)
    requirements.direct = direct_requirements(read_project(file.parent))
    waiting, names = [each.partition("[")[0] for each in sorted(requirements.direct)], set()
    while waiting:
        if (name := waiting.pop()) in names:
            continue
        names.add(name)
        for package in packages.get(name, []):
            if _is_for(target, package.get("markers", {})):
                _add_of_poetry(package, requirements, file.parent)
                waiting += [
                    canonicalize_name(each)
                    for each, constraint in package.get("dependencies", {}).items()
                    if canonicalize_name(each) in packages and _is_needed(constraint, target)
                ]
    return requirements


def _add_of_poetry(package: dict[str, Any], requirements: Requirements, folder: Path) -> None:
    source = package.get("source", {})
    if source.get("type") == "directory":
        requirements.add_folder(folder / source["url"])
    elif source.get("type") == "git":
        requirements.add(f"{package['name']} @ git+{source['url']}@{source['resolved_reference']}")
    elif source.get("type") in ("url", "file"):
        requirements.add(f"{package['name']} @ {source['url']}")
    else:
        requirements.add(_pinned(package["name"], package["version"], [each["hash"] for each in package["files"]]))


def _is_needed(constraint: Any, target: Target) -> bool:
    """Return whether a dependency, as poetry.lock describes it, exists on the target; optional ones are kept if locked.

    The lock has what an extra needs only if something requires the extra.
    """
    choices = constraint if isinstance(constraint, list) else [constraint]
    return any(_is_for(target, choice.get("markers", "") if isinstance(choice, dict) else "") for choice in choices)


def _is_for(target: Target, markers: Any) -> bool:
    """Return whether markers, one or one for each group, are true on the target."""
    text = markers.get("main", "") if isinstance(markers, dict) else markers
    if not text or "extra ==" in text:
        return True
    return Marker(text).evaluate(dict(target.marker_environment))


def _pinned(name: str, version: str, hashes: list[str]) -> str:
    return " ".join([f"{name}=={version}", *(f"--hash={each}" for each in hashes)])


def find_uv_lock(folder: Path) -> Path | None:
    """Return uv.lock of the project, or of the workspace around it."""
    for each in (folder, *folder.resolve().parents):
        if (each / "uv.lock").is_file() and (each == folder or _is_workspace(each)):
            return each / "uv.lock"
    return None


def _is_workspace(folder: Path) -> bool:
    return "workspace" in read_project(folder).get("tool", {}).get("uv", {})


def read_requirements(folder: Path, target: Target, uv: str | None) -> Requirements:
    """Return what a project requires, from the first of its files.

    Args:
        folder: the project's folder.
        target: what it is for.
        uv: the program uv, if there is one.

    Raises:
        PackagingError: the file cannot be read, or is uv's, and there is no uv.
    """
    if lock := find_uv_lock(folder):
        if uv is None:
            raise PackagingError(f"{lock} needs uv, which is not installed: pip install uv")
        return export_uv_lock(folder, lock, uv, target)
    if (file := folder / "pylock.toml").is_file():
        return read_pylock(file, target)
    if (file := folder / "poetry.lock").is_file():
        return read_poetry_lock(file, target)
    if (file := folder / "requirements.txt").is_file():
        requirements = Requirements(file.name)
        read_requirements_file(file, requirements, target)
        return requirements
    project = read_project(folder).get("project", {})
    requirements = Requirements("pyproject.toml" if project else "")
    parse_requirements("\n".join(project.get("dependencies", [])), folder, requirements, target)
    return requirements
