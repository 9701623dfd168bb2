"""Read pylock.toml, and pylock.NAME.toml (PEP 751)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import (
    Requirements,
    direct_requirements,
    pinned,
    read_project,
    read_toml,
)

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.tags import Tag

    from lambda_web_adapter.packaging.target import Target

# Those that pip and uv check; a lock may have others as well.
_ALGORITHMS = ("sha256", "sha384", "sha512")


def read_pylock(file: Path, project: Path, target: Target) -> Requirements:
    """Return what the file has for the target, without extras, and with its default groups.

    Raises:
        PackagingError: it cannot be read, is not for the target, or is not as PEP 751 has it.
    """
    document = read_toml(file)
    requirements = Requirements(file.name, is_complete=True)
    try:
        _check_target(document, file, target)
        packages = [each for each in document.get("packages", []) if _is_for_target(each, document, target)]
        indexes = [each["index"] for each in packages if "index" in each]
        _check_wheels(packages, file, target)
        for package in packages:
            _add(package, requirements, file.parent, project)
    except (KeyError, TypeError, AttributeError, InvalidMarker, UndefinedComparison) as error:
        problem = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise PackagingError(f"{file} is not as PEP 751 has it: {problem}. Write it again.") from None
    # The index of most packages is the one that the installer asks anyway.
    for index in sorted({*indexes} - {max(indexes, key=indexes.count, default="")}):
        requirements.add_index(index)
    document_of_project = read_project(project)
    requirements.direct = direct_requirements(document_of_project, target) if document_of_project else None
    return requirements


def _check_target(document: dict[str, Any], file: Path, target: Target) -> None:
    version = str(document["lock-version"])
    if version.partition(".")[0] != "1":
        raise PackagingError(f"{file} has lock-version {version}, but 1.0 is read. Write it with another tool.")
    if not _is_python(document.get("requires-python", ""), target):
        raise PackagingError(
            f"{file} is for Python {document['requires-python']}, but the package for {target.version}. "
            "Choose another --python, or write the file for that one."
        )
    environments = document.get("environments", [])
    if environments and not any(_evaluate(each, document, target) for each in environments):
        raise PackagingError(
            f"{file} is not for {target}, but for: {'; '.join(environments)}. Write it for the function's machine."
        )


def _check_wheels(packages: list[dict[str, Any]], file: Path, target: Target) -> None:
    """Raise PackagingError if packages have wheels, but none for the target: `pip lock` writes its own Python's."""
    tags = target.wheel_tags
    unusable = [
        package["name"]
        for package in packages
        if package.get("wheels") and not any(_runs_on(_file_name(each), tags) for each in package["wheels"])
    ]
    if unusable:
        raise PackagingError(
            f"{file} has no wheel for {target} of: {', '.join(unusable)}. If the lock is for another machine or "
            "Python, as `pip lock` writes it, write one for all (uv export --format pylock.toml -o pylock.toml)."
        )


def _runs_on(wheel: str, tags: frozenset[Tag]) -> bool:
    try:
        return not tags.isdisjoint(parse_wheel_filename(wheel)[3])
    except InvalidWheelFilename:
        return True  # the installer shows whether it does


def _is_python(versions: str, target: Target) -> bool:
    try:
        return SpecifierSet(versions).contains(f"{target.version}.99")  # the newest one, whichever that is
    except InvalidSpecifier:
        raise TypeError(f"requires-python is {versions!r}") from None


def _is_for_target(package: dict[str, Any], document: dict[str, Any], target: Target) -> bool:
    is_for_python = _is_python(package.get("requires-python", ""), target)
    return is_for_python and ("marker" not in package or _evaluate(package["marker"], document, target))


def _evaluate(marker: str, document: dict[str, Any], target: Target) -> bool:
    environment: Any = {
        **target.marker_environment,
        "extras": frozenset(),
        "dependency_groups": frozenset(document.get("default-groups", [])),
    }
    try:
        return Marker(marker).evaluate(environment, context="lock_file")
    except UndefinedEnvironmentName as error:
        raise TypeError(f"the marker {marker!r} has {error}") from None


def _add(package: dict[str, Any], requirements: Requirements, folder: Path, project: Path) -> None:
    name = package["name"]
    if "directory" in package:
        place = package["directory"]
        requirements.add_folder_of_lock(folder / place["path"] / place.get("subdirectory", ""), project)
    elif "vcs" in package:
        vcs = package["vcs"]
        address = vcs.get("url") or (folder / vcs["path"]).resolve().as_uri()
        requirements.add(f"{name} @ {vcs['type']}+{address}@{vcs['commit-id']}{_subdirectory(vcs)}")
    elif "archive" in package:
        archive = package["archive"]
        if "url" in archive:
            requirements.add(pinned(f"{name} @ {archive['url']}{_subdirectory(archive)}", _hashes([archive])))
        else:
            requirements.add_file(name, folder / archive["path"], _hashes([archive]), _subdirectory(archive))
    else:
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        if not files:
            raise PackagingError(f"{requirements.source} names no file of {name}. Write it again.")
        for each in files:
            if "url" not in each and "path" in each:
                requirements.add_links((folder / each["path"]).parent)
        version = package.get("version") or _version_of(files, name, requirements.source)
        requirements.add(pinned(f"{name}=={version}", _hashes(files)))


def _subdirectory(place: dict[str, Any]) -> str:
    return f"#subdirectory={place['subdirectory']}" if place.get("subdirectory") else ""


def _hashes(files: list[dict[str, Any]]) -> list[str]:
    """Return a hash of each file; any of them will do for what is installed."""
    names = [next((name for name in _ALGORITHMS if name in each["hashes"]), "") for each in files]
    return sorted({f"{name}:{each['hashes'][name]}" for name, each in zip(names, files, strict=True) if name})


def _file_name(file: dict[str, Any]) -> str:
    return str(file.get("name") or unquote(urlsplit(file.get("url") or file["path"]).path).rpartition("/")[2])


def _version_of(files: list[dict[str, Any]], name: str, source: str) -> str:
    """Return the version that the name of a file has, since the lock may leave it out."""
    for each in files:
        file = _file_name(each)
        try:
            parsed = parse_wheel_filename(file) if file.endswith(".whl") else parse_sdist_filename(file)
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
        return str(parsed[1])
    raise PackagingError(f"{source} has no version of {name}, nor a file whose name has one. Add version = …")
