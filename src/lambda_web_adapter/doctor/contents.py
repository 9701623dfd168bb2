"""What an artifact has: too much, or twice."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.quotas import MAX_IMAGE, MAX_UNZIPPED, MAX_UPLOAD
from lambda_web_adapter.artifacts.sizes import MB, size_text
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, paths_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.packages import Package
    from lambda_web_adapter.doctor.subject import Subject

TOO_LARGE = Rule(
    id="too-large",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="The artifact is larger than Lambda takes: 250 MB unpacked, or 10 GB as an image.",
    advice="Leave out what the app does not need, or deploy it as an image.",
)
LARGE_UPLOAD = Rule(
    id="large-upload",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="The zip is larger than 50 MB, so that it has to be uploaded to S3 first.",
    advice="Upload it to S3 and name bucket and key, or leave out what the app does not need.",
)
DUPLICATE_PACKAGE = Rule(
    id="duplicate-package",
    group=Group.PACKAGE,
    severity=Severity.WARNING,
    title="A package is there twice.",
    advice="Build into an empty folder, and leave out one of them.",
)
RUNTIME_PACKAGE = Rule(
    id="runtime-package",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="Packages are in Lambda's runtime as well.",
    advice="Leave them out, unless the app needs this version: AWS changes that of the runtime.",
)
BUILD_PACKAGE = Rule(
    id="build-package",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="Packages are only needed to build or to test.",
    advice="Leave them out.",
)
NEEDLESS_FILES = Rule(
    id="needless-files",
    group=Group.PACKAGE,
    severity=Severity.WARNING,
    title="There are files that no function needs: version control, caches, virtual environments, tests.",
    advice="Leave them out of the build: name them in .dockerignore, in .lambdaignore, or in the tool's list.",
)
SHADOWED_MODULE = Rule(
    id="shadowed-module",
    group=Group.PACKAGE,
    severity=Severity.WARNING,
    title="A module of the app has the name of one of the standard library, and is imported instead.",
    advice="Rename it.",
)
RULES = (
    TOO_LARGE,
    LARGE_UPLOAD,
    DUPLICATE_PACKAGE,
    RUNTIME_PACKAGE,
    BUILD_PACKAGE,
    NEEDLESS_FILES,
    SHADOWED_MODULE,
)

# What the managed runtimes have installed (AWS Lambda Developer Guide, "Runtime-included SDK versions").
_IN_RUNTIME = {"boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"}
_FOR_BUILDS = {"pip", "setuptools", "wheel", "pytest", "ruff", "mypy", "black", "coverage", "virtualenv", "uv"}
_NEEDLESS_FOLDERS = {
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    "node_modules",
    ".idea",
    ".vscode",
    ".aws-sam",
    ".serverless",
}
_NEEDLESS_FOLDERS |= {
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".tox",
    ".nox",
    "htmlcov",
    "cdk.out",
}
_TESTS = {"tests", "test"}
_USES_TESTS = re.compile(rb"^\s*(?:from|import)\s+[\w.]*\btests?\b", re.MULTILINE)
_LEAST_TESTS = 5 * MB  # of tests in packages that are worth a line


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what an artifact has too much of, and what has the name of something else."""
    yield from _check_names(subject)
    if subject.is_project:
        return
    yield from _check_sizes(subject)
    yield from _check_packages(subject)
    yield from _check_folders(subject)


def _check_sizes(subject: Subject) -> Iterator[Finding]:
    artifact = subject.artifact
    most = MAX_IMAGE if artifact.image else MAX_UNZIPPED
    if artifact.size > most:
        largest = paths_text([f"{name} {size_text(size)}" for name, size in _largest(subject)], 5)
        message = f"It has {size_text(artifact.size)}, of which Lambda takes {size_text(most)}, layers included. "
        yield TOO_LARGE.broken(f"{message}The largest parts: {largest}.")
    if artifact.kind in ("zip", "layer"):
        size = Path(artifact.name).stat().st_size
        if size > MAX_UPLOAD:
            yield LARGE_UPLOAD.broken(f"The zip has {size_text(size)}.")


def _check_packages(subject: Subject) -> Iterator[Finding]:
    places: dict[str, list[str]] = {}
    for package in subject.packages:
        if package.info + "/METADATA" in subject.deployed:
            places.setdefault(package.name, []).append(package.info)
    if doubled := {name: infos for name, infos in places.items() if len(infos) > 1}:
        listed = paths_text([f"{name} ({' and '.join(infos)})" for name, infos in doubled.items()], 5)
        yield DUPLICATE_PACKAGE.broken(f"There is more than one {listed}.", next(iter(doubled.values()))[1])
    if not subject.artifact.image:
        yield from _check_needless_packages(subject, RUNTIME_PACKAGE, _IN_RUNTIME, "which the runtime has")
    yield from _check_needless_packages(subject, BUILD_PACKAGE, _FOR_BUILDS, "which no request needs")


def _check_needless_packages(subject: Subject, rule: Rule, names: set[str], reason: str) -> Iterator[Finding]:
    packages = [
        package for package in subject.packages if package.name in names and package.files & subject.deployed.keys()
    ]
    # urllib3 and six alone are most likely those that the app itself asks for.
    if rule is RUNTIME_PACKAGE and not any(package.name in ("boto3", "botocore") for package in packages):
        return
    size = sum(subject.artifact.entries[path].size for package in packages for path in package.files)
    if packages:
        listed = ", ".join(f"{package.name} {package.version}" for package in packages)
        yield rule.broken(f"There is {listed}, {reason}.", packages[0].info, cost=f"{size_text(size)} of the package")


def _check_folders(subject: Subject) -> Iterator[Finding]:
    sizes: dict[str, int] = {}
    owned = frozenset[str]().union(*(package.files for package in subject.packages))
    used = _used_environments(subject)
    for path, entry in subject.deployed.items():
        folders = path.split("/")[:-1]
        needless = next((folder for folder in folders if folder in _NEEDLESS_FOLDERS), "")
        if needless and path not in owned:
            place = path[: path.index(f"{needless}/") + len(needless)]
            if place in used:
                continue
            sizes[place] = sizes.get(place, 0) + entry.size
        elif folders[:1] and path.removeprefix(subject.root).split("/")[0] in _TESTS and path not in owned:
            sizes["tests"] = sizes.get("tests", 0) + entry.size
    if sizes:
        places = ", ".join(f"{place} ({size_text(size)})" for place, size in sorted(sizes.items()))
        yield NEEDLESS_FILES.broken(
            f"There is {places}.", min(sizes), cost=f"{size_text(sum(sizes.values()))} of the package"
        )
    tests = {package.name: size for package in subject.packages if (size := _tests_size(subject, package))}
    if sum(tests.values()) > _LEAST_TESTS:
        names = paths_text(
            [f"{name} ({size_text(size)})" for name, size in sorted(tests.items(), key=lambda each: -each[1])]
        )
        cost = f"{size_text(sum(tests.values()))} of the package"
        yield NEEDLESS_FILES.broken(f"Packages have their tests in them: {names}.", cost=cost, severity=Severity.NOTE)


def _tests_size(subject: Subject, package: Package) -> int:
    """Return how many bytes the tests of a package have; 0 if its other modules import some of them, as numpy's do."""
    files = package.files & subject.deployed.keys()
    tests = {path for path in files if _TESTS & set(path.split("/")[:-1])}
    size = sum(subject.deployed[path].size for path in tests)
    sources = (path for path in files - tests if size and path.endswith(".py"))
    return 0 if any(_USES_TESTS.search(subject.artifact.read(path)) for path in sources) else size


def _used_environments(subject: Subject) -> set[str]:
    """Return the folders of virtual environments that an image runs, such as `opt/venv`."""
    image = subject.artifact.image
    folders = image.environ.get("PATH", "").split(":") if image else []
    return {folder.strip("/").removesuffix("/bin") for folder in folders if folder.endswith("/bin")}


def _check_names(subject: Subject) -> Iterator[Finding]:
    library = sys.stdlib_module_names
    for path in subject.own_modules:
        name = path.removeprefix(subject.root)
        module = re.fullmatch(r"(\w+)(?:\.py|/__init__\.py)", name)
        if module and module[1] in library and not module[1].startswith("_"):
            yield SHADOWED_MODULE.broken(f"`import {module[1]}` imports it, in all packages, too.", path)


def _largest(subject: Subject) -> list[tuple[str, int]]:
    sizes: dict[str, int] = {}
    for path, entry in subject.deployed.items():
        name = path.removeprefix(subject.root).partition("/")[0]
        sizes[name] = sizes.get(name, 0) + entry.size
    return sorted(sizes.items(), key=lambda each: -each[1])
