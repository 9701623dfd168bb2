"""What is installed beyond what the installer itself finds: pip misses what only the target needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement as ParsedRequirement

from lambda_web_adapter.packaging.installer import Installer
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import Requirements
from lambda_web_adapter.packaging.resolution import install_requirements
from lambda_web_adapter.packaging.target import build_target

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallerOfNames(Installer):
    """Installs only the requirements themselves: `a`, which requires `b`, and so on to `h`."""

    suffix: str = ""

    def install(self, lines: Sequence[str], folder: Path, *, with_dependencies: bool) -> None:
        del with_dependencies
        for line in lines:
            name = ParsedRequirement(line).name
            info = folder / f"{name}-1.dist-info"
            info.mkdir(parents=True)
            following = f"Requires-Dist: {chr(ord(name) + 1)}\n" if len(name) == 1 and name < "h" else ""
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}{self.suffix}\nVersion: 1\n{following}")


def make_installer(tmp_path: Path, suffix: str = "") -> InstallerOfNames:
    return InstallerOfNames(target=build_target("3.13", "arm64"), project=tmp_path, uv=None, suffix=suffix)


def test_all_that_is_missing_is_installed_however_deep_it_is(tmp_path: Path) -> None:
    installed = install_requirements(Requirements(lines=["a"]), make_installer(tmp_path), tmp_path)

    assert set("abcdefgh") <= installed.keys()


def test_a_wheel_of_another_name_ends_it(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="cannot be installed: the wheels have other names"):
        install_requirements(Requirements(lines=["h"]), make_installer(tmp_path, "-fork"), tmp_path)
