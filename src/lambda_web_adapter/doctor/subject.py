"""What is examined: an artifact, the function it is for, and whose its files are."""

from __future__ import annotations

import platform
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.elf import SharedObject, parse_shared_object
from lambda_web_adapter.artifacts.interpreters import ARCHITECTURES, runs_here
from lambda_web_adapter.doctor.image_app import find_app_folders
from lambda_web_adapter.doctor.packages import Package, read_packages
from lambda_web_adapter.doctor.source_trees import SourceTrees

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_web_adapter.artifacts.artifact import Artifact, Entry
    from lambda_web_adapter.doctor.templates import FunctionTemplate

# What shows that a folder is a project, and not what a build has made of it.
_PROJECT_FILES = (
    "pyproject.toml",
    "requirements.txt",
    "uv.lock",
    "poetry.lock",
    "Pipfile",
    "setup.py",
    "manage.py",
    "template.yaml",
    "template.yml",
    "serverless.yml",
    "zappa_settings.json",
)
# Folders of a project that do not become part of a function.
_NOT_DEPLOYED = {"node_modules", "build", "dist", "tests", "test", "docs", "cdk.out", "venv", "env"}
# Packages that images of Python have before anything is installed, and the adapter, which has no app in it.
_OF_PYTHON = {"pip", "setuptools", "wheel", "lambda-web-adapter"}
_INSTALLED = {"site-packages", "dist-packages"}
_EXTENSION_TAG = re.compile(r"\.cpython-3(\d+)-")
_BYTECODE_TAG = re.compile(r"\.cpython-3(\d+)\.pyc$")
_STANDARD_LIBRARY = re.compile(r"lib/python3\.(\d+)/os\.py$")
_NATIVE_NAME = re.compile(r"\.(so(\.[\d.]+)?|dylib|pyd|dll)$")
_THIS_MACHINE = "this machine, since nothing says another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The function that the artifact is for.

    Attributes:
        python: the version of its Python.
        python_origin: how that is known.
        architecture: `x86_64` or `arm64`.
        architecture_origin: how that is known.
        is_python_guessed: whether nothing says which Python it has, so that it is taken to be this one.
    """

    python: tuple[int, int]
    python_origin: str
    architecture: str
    architecture_origin: str
    is_python_guessed: bool = False

    @property
    def python_name(self) -> str:
        """Return the version as people write it: `3.13`."""
        return ".".join(map(str, self.python))

    @property
    def cache_tag(self) -> str:
        """Return the tag in the names of compiled files: `cpython-313`."""
        return f"cpython-{self.python[0]}{self.python[1]}"

    @property
    def is_this_machine(self) -> bool:
        """Return whether native code of the function runs on this machine."""
        return runs_here(self.architecture)


class Subject:
    """An artifact, and what is known about it.

    Attributes:
        artifact: the artifact.
        functions: what templates say about it.
        app_folders: the folders of an image in which its app may be, each with a slash at the end.
        root: the folder of the app in the artifact, with a slash at the end; empty for all but images.
    """

    def __init__(
        self,
        artifact: Artifact,
        functions: Sequence[FunctionTemplate] = (),
        *,
        python: tuple[int, int] | None = None,
        architecture: str = "",
    ) -> None:
        """Take an artifact.

        Args:
            artifact: an open one.
            functions: what templates say about it.
            python: the version of the function's Python; None to find it out.
            architecture: `x86_64` or `arm64`; empty to find it out.
        """
        self.artifact = artifact
        self.functions = functions
        self.app_folders = find_app_folders(artifact.image, artifact.entries) if artifact.image else []
        self.root = next(filter(self._has_files, self.app_folders), next(iter(self.app_folders), ""))
        self._python = python
        self._architecture = architecture

    @cached_property
    def is_project(self) -> bool:
        """Return whether it is a folder of sources, from which a build has yet to make an artifact."""
        entries = self.artifact.entries
        if self.artifact.kind != "folder" or any(not package.folder for package in self.packages):
            return False
        is_repository = ".git" in entries or ".git/HEAD" in entries
        has_project_file = any(name in entries for name in _PROJECT_FILES)
        return has_project_file and (is_repository or "bootstrap" not in entries)

    @cached_property
    def packages(self) -> list[Package]:
        """Return its installed packages."""
        return read_packages(self.artifact)

    @cached_property
    def deployed(self) -> dict[str, Entry]:
        """Return the files that a function has of it; of images, only those that were added to Python."""
        entries = self.artifact.entries
        if self.is_project:
            environments = {f"{path.removesuffix('pyvenv.cfg')}" for path in entries if path.endswith("/pyvenv.cfg")}
            return {path: entry for path, entry in entries.items() if _is_deployed(path, environments)}
        if self.artifact.image:
            return {path: entry for path, entry in entries.items() if self._is_added(path)}
        return dict(entries)

    @cached_property
    def standard_library(self) -> dict[str, Entry]:
        """Return the files of Python's standard library, which only images have."""
        folders = {path.removesuffix("os.py") for path in self.artifact.entries if _STANDARD_LIBRARY.search(path)}
        return {
            path: entry
            for path, entry in self.artifact.entries.items()
            if path.startswith(tuple(folders) or "\0") and not _INSTALLED & set(path.split("/"))
        }

    @cached_property
    def own_files(self) -> dict[str, Entry]:
        """Return the files that belong to no package."""
        owned = frozenset[str]().union(*(package.files for package in self.packages))
        infos = tuple(f"{package.info}/" for package in self.packages)
        is_layer = self.artifact.kind == "layer"
        return {
            path: entry
            for path, entry in self.deployed.items()
            if path not in owned
            and self._is_of_app(path)
            and not path.startswith(infos or "\0")
            and not _INSTALLED & set(path.split("/"))
            and not path.startswith(f"{self.root}lambda_web_adapter/")
            and not (is_layer and path.startswith("python/"))
        }

    @cached_property
    def own_modules(self) -> dict[str, Entry]:
        """Return the sources of the app itself."""
        return {path: entry for path, entry in self.own_files.items() if path.endswith(".py")}

    @cached_property
    def trees(self) -> SourceTrees:
        """Return the syntax trees of these modules."""
        return SourceTrees(self)

    @property
    def searched_text(self) -> str:
        """Return the folders of an image in which its app was looked for, for people."""
        folders = list(dict.fromkeys([*self.app_folders, "opt/", "var/task/"]))
        return ", ".join(f"/{folder.rstrip('/')}" for folder in folders)

    @property
    def has_app(self) -> bool:
        """Return whether it has files of an app, or packages that may be one; only images may have others instead."""
        if not self.artifact.image:
            return True
        packages = [package for package in self.packages if package.name not in _OF_PYTHON]
        others = [path for path in self.deployed if not _INSTALLED & set(path.split("/"))]
        return bool(packages or others)

    @cached_property
    def native_files(self) -> dict[str, tuple[bytes, SharedObject | None]]:
        """Return shared objects and programs: their first bytes, and what they need if they are ELF."""
        found = {}
        for path, entry in self.deployed.items():
            is_program = entry.is_executable and "." not in PurePosixPath(path).name
            if not entry.target and (_NATIVE_NAME.search(path) or is_program):
                data = self.artifact.read(path)
                found[path] = (data[:4], parse_shared_object(data))
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of all its files, without their folders."""
        return frozenset(path.rpartition("/")[2] for path in self.artifact.entries)

    @cached_property
    def target(self) -> Target:
        """Return the function it is for."""
        python, python_origin = next(self._pythons())
        architecture, architecture_origin = next(self._architectures())
        return Target(
            python=python,
            python_origin=python_origin,
            architecture=architecture,
            architecture_origin=architecture_origin,
            is_python_guessed=python_origin == _THIS_MACHINE,
        )

    @property
    def path_in_function(self) -> str:
        """Return the folder in which a function has the artifact, with a slash at the end."""
        return {"layer": "/opt/", "image": "/"}.get(self.artifact.kind, "/var/task/")

    def text(self, path: str) -> str:
        """Return the text of a file."""
        return self.artifact.read(path).decode("utf-8", "replace")

    def package_of(self, path: str) -> str:
        """Return the name of the package that a file belongs to; without one, the folder or the file."""
        name = next((package.name for package in self.packages if path in package.files), "")
        return name or path.removeprefix(self.root).partition("/")[0]

    def _has_files(self, folder: str) -> bool:
        return any(path.startswith(folder) for path in self.artifact.entries)

    def _is_of_app(self, path: str) -> bool:
        """Return whether a file is in a folder of the app; of an image that has none, at its root."""
        if not self.artifact.image or path.startswith(tuple(self.app_folders) or "\0"):
            return True
        return not self.app_folders and "/" not in path and path.endswith(".py")

    def _is_added(self, path: str) -> bool:
        is_added = path.startswith(("opt/", "var/task/")) or bool(_INSTALLED & set(path.split("/")))
        return is_added or self._is_of_app(path)

    def _pythons(self) -> Iterator[tuple[tuple[int, int], str]]:
        """Yield what the version of Python may be known from, the surest first."""
        if self._python:
            yield self._python, "--python"
        for function in self.functions:
            if match := re.fullmatch(r"python3\.(\d+)", function.runtime):
                yield (3, int(match[1])), f"the runtime in {function.file.name}"
        image = self.artifact.image
        if image and (match := re.match(r"3\.(\d+)", image.environ.get("PYTHON_VERSION", ""))):
            yield (3, int(match[1])), "PYTHON_VERSION in the image"
        libraries = [match for path in self.artifact.entries if (match := _STANDARD_LIBRARY.search(path))]
        if libraries:
            yield (3, int(libraries[0][1])), "the standard library in it"
        for pattern, origin in ((_EXTENSION_TAG, "extension modules"), (_BYTECODE_TAG, "compiled files")):
            versions = Counter(match[1] for path in self.deployed if (match := pattern.search(path)))
            if versions and not self.is_project:
                yield (3, int(versions.most_common(1)[0][0])), f"the names of {origin}"
        yield (sys.version_info[0], sys.version_info[1]), _THIS_MACHINE

    def _architectures(self) -> Iterator[tuple[str, str]]:
        if self._architecture:
            yield self._architecture, "--arch"
        image = self.artifact.image
        if image and image.architecture in ARCHITECTURES:
            yield ARCHITECTURES[image.architecture], "the image"
        for function in self.functions:
            if function.architecture:
                yield function.architecture, function.file.name
        if any(function.runtime for function in self.functions):
            yield "x86_64", "Lambda's default"
        machines = Counter(elf.architecture for _, elf in self.native_files.values() if elf)
        if machines and not self.is_project:
            yield machines.most_common(1)[0][0], "its shared objects"
        yield ARCHITECTURES.get(platform.machine().lower(), "x86_64"), _THIS_MACHINE


def _is_deployed(path: str, environments: set[str]) -> bool:
    folders = path.split("/")[:-1]
    is_hidden = any(folder.startswith(".") or folder in _NOT_DEPLOYED for folder in folders)
    return not is_hidden and not path.startswith(tuple(environments) or "\0")
