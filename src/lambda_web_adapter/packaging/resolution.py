"""Install what a project requires, what this package requires on Lambda, and what those require on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from lambda_web_adapter.packaging.distributions import adapter_requirements, closure, read_distributions
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import ADAPTER

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.packaging.distributions import Distribution
    from lambda_web_adapter.packaging.installer import Installer
    from lambda_web_adapter.packaging.requirements import Requirements


def install_requirements(requirements: Requirements, installer: Installer, work: Path) -> dict[str, Distribution]:
    """Return what was installed, by name.

    Args:
        requirements: what the project requires.
        installer: installs it for the target.
        work: a folder, which gets folders with what is installed.

    Raises:
        PackagingError: a requirement cannot be installed.
    """
    own = adapter_requirements(requirements.adapter.extras, installer.target)[0]
    lines = list(requirements.lines)
    if not requirements.has_hashes and not requirements.is_complete:
        lines += map(str, own)  # in one go; else hashes would be required of them as well
    sites = [work / "site-0"]
    if any(not line.startswith("-") for line in lines):
        installer.install(lines, sites[0], with_dependencies=not requirements.is_complete)
    if requirements.local:
        sites.append(work / "built")
        installer.build(requirements.local, sites[-1])
    settings = [line for line in requirements.lines if line.startswith("-")]
    while True:  # pip looks at markers as if the package were for this machine, and so misses some
        installed = read_distributions(sites)
        wanted = [*own, *map(Requirement, [*requirements.named, *installed])]
        needed = closure(wanted, installed, installer.target)
        missing = {name: each for name, each in needed.items() if name not in installed and name != ADAPTER}
        if not missing:
            return installed
        for requirement in missing.values():
            requirement.marker = None
        sites.append(work / f"site-{len(sites)}")
        installer.install([*settings, *map(str, missing.values())], sites[-1], with_dependencies=False)
        if not missing.keys() & read_distributions(sites[-1:]).keys():
            raise PackagingError(f"{', '.join(missing)} cannot be installed: the wheels have other names.")
