"""The machine that a package is for: Python, processor, and the glibc of Lambda's runtimes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.tags import compatible_tags, cpython_tags
from packaging.version import InvalidVersion

from lambda_web_adapter.artifacts.interpreters import runs_here
from lambda_web_adapter.packaging.packaging_error import PackagingError, WrongOption

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from packaging.markers import Marker
    from packaging.tags import Tag

ARCHITECTURES = ("x86_64", "arm64")
# The glibc of each runtime's system: Amazon Linux 2 until Python 3.11, then Amazon Linux 2023 (Lambda, "Lambda
# runtimes"; AL2023 User Guide, "Comparing AL2 and AL2023").
_AMAZON_LINUX_2, _AMAZON_LINUX_2023 = (2, 26), (2, 34)
_LAST_PYTHON_OF_AMAZON_LINUX_2 = (3, 11)
_OLDEST_PYTHON = (3, 11)
_OLDEST_GLIBC = (2, 17)  # of manylinux2014; wheels for older ones have that tag as well
# The platforms that uv can be told, by glibc; it takes the wheels of older ones, too.
_GLIBC_OF_UV = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}  # as wheels and ELF files call them


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The machine.

    Attributes:
        python: version of Python, such as `(3, 13)`.
        architecture: `x86_64` or `arm64`, as Lambda calls them.
        glibc: version of glibc.
    """

    python: tuple[int, int]
    architecture: str
    glibc: tuple[int, int]

    def __str__(self) -> str:
        return f"Python {self.version} on {self.architecture} with glibc {self.glibc[0]}.{self.glibc[1]}"

    @property
    def version(self) -> str:
        """Return the version of Python as text, such as `3.13`."""
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def cache_tag(self) -> str:
        """Return the tag in the names of its compiled files (PEP 3147)."""
        return f"cpython-{self.python[0]}{self.python[1]}"

    @property
    def uv_platform(self) -> str:
        """Return the platform for uv: the newest one whose wheels run on the target."""
        glibc = max(version for version in _GLIBC_OF_UV if version <= self.glibc)
        name = "manylinux2014" if glibc == _OLDEST_GLIBC else f"manylinux_{glibc[0]}_{glibc[1]}"
        return f"{_MACHINES[self.architecture]}-{name}"

    @property
    def pip_platforms(self) -> Iterator[str]:
        """Yield the platforms for pip, which takes only those that it is told."""
        machine = _MACHINES[self.architecture]
        for minor in range(self.glibc[1], _OLDEST_GLIBC[1] - 1, -1):
            yield f"manylinux_2_{minor}_{machine}"
        yield f"manylinux2014_{machine}"
        if machine == "x86_64":
            yield from ("manylinux_2_12_x86_64", "manylinux2010_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64")
        yield f"linux_{machine}"  # of wheels that a user has built, with whatever glibc: the checks show it

    @property
    def is_this_machine(self) -> bool:
        """Return whether programs for the target run here, if there is its Python."""
        return runs_here(self.architecture)

    @property
    def marker_environment(self) -> dict[str, str]:
        """Return the values of environment markers there (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.version}.0",
            "os_name": "posix",
            "platform_machine": _MACHINES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.version}.0",
            "python_version": self.version,
            "sys_platform": "linux",
        }

    @property
    def wheel_tags(self) -> frozenset[Tag]:
        """Return the tags of wheels that run there."""
        platforms = [*self.pip_platforms, f"linux_{_MACHINES[self.architecture]}"]
        own = cpython_tags(self.python, platforms=platforms)
        interpreter = f"cp{self.python[0]}{self.python[1]}"
        return frozenset([*own, *compatible_tags(self.python, interpreter, platforms)])

    def matches(self, marker: Marker | None, where: str, extras: Collection[str] = ()) -> bool:
        """Return whether an environment marker is true there, for one of the extras or without any.

        Args:
            marker: the marker; None is always true.
            where: the place of it, for messages.
            extras: names of extras.

        Raises:
            PackagingError: it compares what cannot be compared.
        """
        if marker is None:
            return True
        try:
            return any(marker.evaluate({**self.marker_environment, "extra": each}) for each in ("", *extras))
        except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion) as error:
            raise PackagingError(f"{where} has the marker {marker}, which cannot be evaluated: {error}") from None


def build_target(python: str, architecture: str, glibc: str = "") -> Target:
    """Return the target with these versions; without a glibc, it has that of Lambda's runtime.

    Raises:
        WrongOption: a version is none, or too old.
    """
    version = _parse(python, "--python")
    if version < _OLDEST_PYTHON:
        raise WrongOption(f"--python is {python}, but lambda-web-adapter needs Python 3.11 or later.")
    if glibc:
        libc = _parse(glibc, "--glibc")
        if libc < _OLDEST_GLIBC:
            raise WrongOption(f"--glibc is {glibc}, but wheels are made for glibc 2.17 or later.")
    else:
        libc = _AMAZON_LINUX_2 if version <= _LAST_PYTHON_OF_AMAZON_LINUX_2 else _AMAZON_LINUX_2023
    return Target(python=version, architecture=architecture, glibc=libc)


def _parse(text: str, option: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d)\.(\d+)(?:\.\d+)?", text)
    if match is None:
        raise WrongOption(f"{option} is {text}, but it takes a version such as 3.13.")
    return int(match[1]), int(match[2])
