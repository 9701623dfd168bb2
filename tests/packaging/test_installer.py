"""What the installers say of packages without a wheel."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from lambda_web_adapter.packaging.installer import Installer, WheelsMissing, find_uv
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import with_hash
from lambda_web_adapter.packaging.target import build_target

# As uv prints it.
_OUTPUT = """
Because all of:
    jinja2>2.7.2,<=2.7.3
    markupsafe==3.0
have no usable wheels and jinja2>2.7.2,<=2.7.3 has no wheels with a matching Python ABI tag, and numpy==2.7.3 has no
wheels with a matching Python ABI tag (e.g., `cp399`), versions of flask between 2.7.1 and 2.7.3 has no usable wheels.
"""


def test_what_has_no_wheel_is_named_and_no_version_is_a_name(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{_OUTPUT}END\nexit 1\n")
    uv.chmod(0o755)
    installer = Installer(target=build_target("3.13", "x86_64"), project=tmp_path, uv=str(uv))

    with pytest.raises(WheelsMissing) as error:
        installer.install(["jinja2"], tmp_path / "site", with_dependencies=True)

    assert "No wheel for Python 3.13 on x86_64 with glibc 2.34: jinja2, numpy.\n" in str(error.value)


def test_an_archive_with_another_hash_is_not_built(tmp_path: Path) -> None:
    archive = tmp_path / "x-1.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("x-1/pyproject.toml"))
    installer = Installer(target=build_target("3.13", "x86_64"), project=tmp_path, uv=find_uv())

    with pytest.raises(PackagingError, match=r"(?i)expected:? sha256|hash mismatch"):
        installer.build([with_hash(f"x @ {archive.as_uri()}", [f"sha256:{'0' * 64}"])], tmp_path / "site")
