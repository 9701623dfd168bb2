"""What the main group of a Poetry project needs of poetry.lock on the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_web_adapter.packaging.lock_files import read_requirements
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import Requirements
from lambda_web_adapter.packaging.target import build_target

TARGET = build_target("3.13", "arm64")


def poetry_package(name: str, rest: str = "", version: str = "1") -> str:
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\nfiles = [{{hash = "sha256:aa"}}]\n{rest}\n'


def read_poetry(folder: Path, dependencies: str, *packages: str) -> Requirements:
    (folder / "pyproject.toml").write_text(f"[tool.poetry.dependencies]\n{dependencies}\n")
    (folder / "poetry.lock").write_text("".join(packages))
    return read_requirements(folder, TARGET, None)


SERVER = poetry_package(
    "server",
    "[package.dependencies]\nfast = {version = '*', optional = true, markers = \"extra == 'standard'\"}\n"
    "windows = {version = '*', optional = true, markers = \"sys_platform == 'win32' and extra == 'standard'\"}\n"
    "old = {version = '*', optional = true}\n[package.extras]\nlegacy = ['old (>=1)']",
) + "".join(map(poetry_package, ("fast", "windows", "old")))


@pytest.mark.parametrize(
    ("dependencies", "names"),
    [
        pytest.param("server = '*'", {"server"}, id="no-extra"),
        pytest.param("server = {version = '*', extras = ['standard']}", {"server[standard]", "fast"}, id="extra"),
        pytest.param("server = {version = '*', extras = ['legacy']}", {"server[legacy]", "old"}, id="without-markers"),
        pytest.param("server = {version = '*', optional = true}", set(), id="of-an-extra-of-the-project"),
        pytest.param("server = {version = '*', markers = \"sys_platform == 'win32'\"}", set(), id="marker"),
        pytest.param("server = {version = '*', python = '<3.12'}", set(), id="python"),
        pytest.param("server = {version = '*', python = '^3.11'}", {"server"}, id="python-as-only-poetry-reads-it"),
        pytest.param("server = [{version = '1', python = '<3.12'}, {version = '2'}]", {"server"}, id="alternatives"),
    ],
)
def test_what_the_main_group_needs_of_poetry_lock(dependencies: str, names: set[str], tmp_path: Path) -> None:
    requirements = read_poetry(tmp_path, dependencies, SERVER)

    assert {line.partition("==")[0] for line in requirements.lines} == {name.partition("[")[0] for name in names}
    assert requirements.direct == {name for name in names if name.startswith("server")}


@pytest.mark.parametrize(
    ("source", "lines", "local"),
    [
        pytest.param("type = 'directory'\nurl = 'a'", [], ["{folder}/a"], id="folder"),
        pytest.param("type = 'directory'\nurl = '.'", [], [], id="the-project-itself"),
        pytest.param(
            "type = 'git'\nurl = 'git@x.org:me/a.git'\nresolved_reference = 'f00'\nsubdirectory = 'lib'",
            [],
            ["a @ git+ssh://git@x.org/me/a.git@f00#subdirectory=lib"],
            id="repository",
        ),
        pytest.param(
            "type = 'file'\nurl = 'a-1-py3-none-any.whl'",
            ["a @ file://{folder}/a-1-py3-none-any.whl --hash=sha256:aa"],
            [],
            id="wheel",
        ),
        pytest.param("type = 'file'\nurl = 'a-1.tgz'", [], ["a @ file://{folder}/a-1.tgz#sha256=aa"], id="archive"),
        pytest.param(
            "type = 'url'\nurl = 'https://x/a-1-py3-none-any.whl'",
            ["a @ https://x/a-1-py3-none-any.whl --hash=sha256:aa"],
            [],
            id="wheel-by-url",
        ),
        pytest.param(
            "type = 'legacy'\nurl = 'https://own'",
            ["--extra-index-url https://own", "a==1 --hash=sha256:aa"],
            [],
            id="another-index",
        ),
    ],
)
def test_sources_of_poetry_lock(source: str, lines: list[str], local: list[str], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a-1-py3-none-any.whl", "a-1.tgz"):
        (tmp_path / name).touch()

    requirements = read_poetry(tmp_path, "a = '*'", poetry_package("a", f"[package.source]\n{source}"))

    assert requirements.lines == [each.format(folder=tmp_path) for each in lines]
    assert requirements.local == [each.format(folder=tmp_path) for each in local]


def test_packages_of_poetry_lock_are_those_for_the_target(tmp_path: Path) -> None:
    requirements = read_poetry(
        tmp_path,
        "a = '*'\nb = '*'",
        poetry_package("a", "markers = \"python_version < '3.12'\""),
        poetry_package("a", "markers = {main = \"python_version >= '3.12'\", dev = \"os_name == 'x'\"}", version="2"),
        poetry_package("b", "python-versions = '>=3.8,<3.12'"),
        poetry_package("b", "python-versions = '>=3.12 || >=3.13'", version="2"),
    )

    assert sorted(requirements.lines) == ["a==2 --hash=sha256:aa", "b==2 --hash=sha256:aa"]


@pytest.mark.parametrize(
    ("packages", "problem"),
    [
        pytest.param(poetry_package("b"), r"has no a, which the project requires. Run `poetry lock`", id="stale"),
        pytest.param(
            poetry_package("a") + poetry_package("a", version="2"), "several versions of a for .*: 1, 2", id="versions"
        ),
        pytest.param("[[package]]\nversion = '1'", "not as Poetry writes it", id="no-name"),
        pytest.param(poetry_package("a", "markers = 'x'"), "the marker 'x', which is none", id="marker"),
        pytest.param(
            poetry_package("a", "[package.source]\ntype = 'file'\nurl = 'a.whl'"), "a, which is not there", id="file"
        ),
    ],
)
def test_a_poetry_lock_that_cannot_be_used_is_an_error(packages: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=problem):
        read_poetry(tmp_path, "a = '*'", packages)


def test_the_hashes_of_old_poetry_locks_count(tmp_path: Path) -> None:
    lock = "[[package]]\nname = 'a'\nversion = '1'\n[metadata.files]\na = [{file = 'a.whl', hash = 'sha256:aa'}]\n"

    assert read_poetry(tmp_path, "a = '*'", lock).lines == ["a==1 --hash=sha256:aa"]


def test_poetry_s_requirements_without_a_lock_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.poetry.dependencies]\nflask = '*'\n")

    with pytest.raises(PackagingError, match=r"no poetry\.lock. Run `poetry lock`"):
        read_requirements(tmp_path, TARGET, None)
