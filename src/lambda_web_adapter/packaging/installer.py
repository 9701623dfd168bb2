"""Install wheels for the target into a folder, by uv or else by pip."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_web_adapter.packaging.target import Target

# How uv and pip name a package that has no wheel for the target.
_MISSING = (
    re.compile(r"(?<![\w.<>=~!-])(?P<name>(?!\d+\.)[\w.-]+?)(?:[=<>~!]\S+)? has no (?:usable )?wheels"),
    re.compile(r"all versions of (?P<name>[\w.-]+?) have no (?:usable )?wheels"),
    re.compile(r"Wheels are required for `(?P<name>[\w.-]+)`"),
    re.compile(r"No matching distribution found for (?P<name>[\w.-]+)"),
)
_MAX_MISSING = 20  # so many packages without a wheel are named


class WheelsMissing(PackagingError):
    """Packages have no wheel for the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """Installs packages.

    Attributes:
        target: for which machine.
        project: the project's folder, whose settings of uv count.
        uv: the program uv; None uses pip.
        find_links: folders with wheels, besides the package index.
    """

    target: Target
    project: Path
    uv: str | None
    find_links: Sequence[Path] = ()

    def install(self, lines: Sequence[str], folder: Path, *, with_dependencies: bool) -> None:
        """Install wheels of what these lines of a requirements file name.

        Raises:
            WheelsMissing: there are none for the target.
            PackagingError: it failed for another reason.
        """
        file = folder.with_name(f"{folder.name}.txt")
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        dependencies = [] if with_dependencies else ["--no-deps"]
        done = self._run([*self._command(folder), *self._strategy(lines), *dependencies, "-r", str(file)])
        if done.returncode:
            raise self._error(done.stderr, file)

    def build(self, places: Sequence[str], folder: Path) -> None:
        """Build folders and repositories on this machine, and install them without their dependencies.

        Raises:
            PackagingError: one cannot be built.
        """
        if self.uv:
            command = [self.uv, "pip", "install", "-q", "--python-version", self.target.version]
        else:  # it would compare the Python that a project requires with this one
            command = [sys.executable, "-m", "pip", "install", "-q", "--ignore-requires-python"]
        command += ["--target", str(folder), "--no-deps", *self._common()]
        with _without_leftovers([Path(place.partition("[")[0]) for place in places]):
            done = self._run([*command, *map(_expand_variables, places)])
        if done.returncode:
            raise PackagingError(
                f"A package cannot be built on this machine: {', '.join(places)}.\n{done.stderr.strip()}\n"
                "Build a wheel for the target, such as in an image of Lambda's system, and name it instead, or add "
                "--find-links DIR."
            )

    def _command(self, folder: Path) -> list[str]:
        target = self.target
        if self.uv:
            command = [self.uv, "pip", "install", "-q", "--python-platform", target.uv_platform]
            command += ["--no-python-downloads"]
        else:
            command = [sys.executable, "-m", "pip", "install", "-q", "--implementation", "cp"]
            command += [word for platform in target.pip_platforms for word in ("--platform", platform)]
        command += ["--python-version", target.version, "--only-binary", ":all:", "--target", str(folder)]
        return [*command, *self._common()]

    def _strategy(self, lines: Sequence[str]) -> list[str]:
        """Return how uv chooses among several indexes: hashes tell which file is meant, wherever it is."""
        is_safe = any(line.startswith("--extra-index-url") for line in lines) and all(
            "--hash" in line for line in lines if not line.startswith("-")
        )
        return ["--index-strategy", "unsafe-best-match"] if self.uv and is_safe else []

    def _common(self) -> list[str]:
        links = [word for folder in self.find_links for word in ("--find-links", str(folder.resolve()))]
        if self.uv:
            return [*links, "--python", sys.executable]
        return [*links, "--no-compile", "--disable-pip-version-check", "--no-input", "--no-warn-conflicts"]

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.project, capture_output=True, text=True, check=False)  # noqa: S603

    def _error(self, output: str, file: Path) -> PackagingError:
        names = self._names_without_wheel(output, file)
        if not names:
            return PackagingError(f"The packages cannot be installed for {self.target}.\n{output.strip()}")
        name = "" if self.uv else "Check the name, since pip does not tell whether it exists. "
        return WheelsMissing(
            f"No wheel for {self.target}: {', '.join(names)}.\n"
            f"{name}Choose a version that has one, or another --python or --arch. If it is pure Python, build a wheel "
            f"here (pip wheel --no-deps -w wheels {names[0]}) and add --find-links wheels; else build it in an image "
            f"of Lambda's system, such as public.ecr.aws/sam/build-python{self.target.version}."
        )

    def _names_without_wheel(self, output: str, file: Path) -> list[str]:
        """Return all packages without a wheel; uv and pip name the first one, so uv is asked again without that."""
        names = _missing_names(output)
        exclusions = file.with_suffix(".excluded")
        while self.uv and names and len(names) < _MAX_MISSING:
            exclusions.write_text("".join(f"{name}\n" for name in names), "utf-8")
            command = [*self._command(file.with_suffix(".dry")), "--dry-run", "-r", str(file)]
            done = self._run([*command, "--excludes", str(exclusions)])
            further = [name for name in _missing_names(done.stderr) if name not in names] if done.returncode else []
            if not further:
                break
            names += further
        return names


def _missing_names(output: str) -> list[str]:
    text = re.sub(r"\s+", " ", output)
    return list(dict.fromkeys(match["name"] for pattern in _MISSING for match in pattern.finditer(text)))


@contextmanager
def _without_leftovers(folders: Sequence[Path]) -> Iterator[None]:
    """Remove what setuptools leaves in the folders that it builds; else the next package would have it."""

    def leftovers() -> set[Path]:
        patterns = ("build", "*.egg-info", "src/*.egg-info")
        return {path for folder in folders if folder.is_dir() for pattern in patterns for path in folder.glob(pattern)}

    earlier = leftovers()
    try:
        yield
    finally:
        for path in leftovers() - earlier:
            shutil.rmtree(path)


def _expand_variables(place: str) -> str:
    """Return a URL with the values of `${NAME}`, as pip has it in a requirements file."""
    return re.sub(r"\$\{([A-Z0-9_]+)\}", lambda match: os.environ.get(match[1], match[0]), place)


def find_uv() -> str | None:
    """Return the program uv: beside this Python, or in the path."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def choose_installer(name: str | None) -> str | None:
    """Return the program uv, or None for pip.

    Args:
        name: `uv` or `pip`; None takes uv where it is there.

    Raises:
        PackagingError: the one that is named is not installed, or none is.
    """
    uv = find_uv() if name != "pip" else None
    if uv or (name != "uv" and importlib.util.find_spec("pip")):
        return uv
    raise PackagingError(f"{name or 'Neither uv nor pip'} is not installed here: pip install uv")
