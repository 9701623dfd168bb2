"""Locks: which one counts, and what the project needs of pylock.toml, poetry.lock and uv.lock on the target."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lambda_web_adapter.packaging.lock_files import find_uv_lock, read_requirements
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import Requirements
from lambda_web_adapter.packaging.target import build_target

TARGET = build_target("3.13", "arm64")
HASHES = 'hashes = {sha256 = "aa"}'


def read_pylock(folder: Path, text: str, name: str = "pylock.toml") -> Requirements:
    (folder / name).write_text(f'lock-version = "1.0"\n{text}')
    return read_requirements(folder, TARGET, None)


@pytest.mark.parametrize(
    ("package", "lines"),
    [
        pytest.param(
            f'wheels = [{{url = "https://x/y%2Dz/a-1.2-py3-none-any.whl", {HASHES}}}]',
            ["a==1.2 --hash=sha256:aa"],
            id="version-of-the-wheel",
        ),
        pytest.param(
            f'sdist = {{name = "a-1.2.tar.gz", url = "https://x/1", {HASHES}}}',
            ["a==1.2 --hash=sha256:aa"],
            id="version-of-the-archive",
        ),
        pytest.param(
            f'archive = {{url = "https://x/a-1-py3-none-any.whl", {HASHES}}}',
            ["a @ https://x/a-1-py3-none-any.whl --hash=sha256:aa"],
            id="wheel-by-url",
        ),
        pytest.param(
            f'archive = {{path = "a-1-py3-none-any.whl", {HASHES}}}',
            ["a @ file://{folder}/a-1-py3-none-any.whl --hash=sha256:aa"],
            id="wheel-by-path",
        ),
        pytest.param(
            f'version = "1"\nwheels = [{{path = "a-1-py3-none-any.whl", {HASHES}}}]',
            ["-f {folder}", "a==1 --hash=sha256:aa"],
            id="wheels-in-a-folder",
        ),
        pytest.param("requires-python = '<3.13'", [], id="for-another-python"),
        pytest.param("marker = \"'x' in extras or 'dev' in dependency_groups\"", [], id="extras-and-groups"),
        pytest.param("directory = {path = '.'}", [], id="the-project-itself"),
    ],
)
def test_packages_of_pylock_toml(package: str, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "a-1-py3-none-any.whl").touch()

    requirements = read_pylock(tmp_path, f'[[packages]]\nname = "a"\n{package}')

    assert requirements.lines == [each.format(folder=tmp_path) for each in lines]
    assert requirements.local == []


@pytest.mark.parametrize(
    ("package", "local"),
    [
        pytest.param(
            'vcs = {type = "git", url = "https://x/a", commit-id = "f00", subdirectory = "lib"}',
            "a @ git+https://x/a@f00#subdirectory=lib",
            id="repository",
        ),
        pytest.param(
            'vcs = {type = "git", path = "a", commit-id = "f00"}',
            "a @ git+file://{folder}/a@f00",
            id="local-repository",
        ),
        pytest.param(f'archive = {{path = "a-1.zip", {HASHES}}}', "a @ file://{folder}/a-1.zip", id="archive"),
        pytest.param('directory = {path = "a", subdirectory = "lib"}', "{folder}/a/lib", id="folder"),
    ],
)
def test_what_pylock_toml_has_sources_of_is_built(package: str, local: str, tmp_path: Path) -> None:
    (tmp_path / "a" / "lib").mkdir(parents=True)
    (tmp_path / "a-1.zip").touch()

    assert read_pylock(tmp_path, f'[[packages]]\nname = "a"\n{package}').local == [local.format(folder=tmp_path)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('[[packages]]\nversion = "1"', "it lacks 'name'", id="no-name"),
        pytest.param('[[packages]]\nname = "a"\nversion = "1"', "names no file of a", id="no-file"),
        pytest.param('[[packages]]\nname = "a"\nmarker = "x"', "not as PEP 751 has it", id="marker"),
        pytest.param('[[packages]]\nname = "a"\nmarker = "python_version ~= \'x\'"', "not as PEP", id="comparison"),
        pytest.param('packages = ["a"]', "not as PEP 751 has it", id="no-table"),
        pytest.param(
            '[[packages]]\nname = "a"\nwheels = [{url = "https://x/1", hashes = {}}]', "no version of a", id="version"
        ),
        pytest.param('requires-python = "<3.13"', r"for Python <3\.13, but the package for 3\.13", id="python"),
        pytest.param('requires-python = "new"', "requires-python is 'new'", id="no-python"),
        pytest.param("environments = [\"sys_platform == 'win32'\"]", "not for Python 3.13 on arm64", id="environment"),
        pytest.param('[[packages]]\nname = "a"\ndirectory = {path = "a"}', "which is not there", id="folder"),
        pytest.param(
            '[[packages]]\nname = "a"\narchive = {path = "a.whl", hashes = {}}', "which is not there", id="archive"
        ),
    ],
)
def test_a_pylock_toml_that_cannot_be_used_is_an_error(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=problem):
        read_pylock(tmp_path, text)


def test_a_newer_format_of_pylock_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text('lock-version = "2.0"')

    with pytest.raises(PackagingError, match=r"lock-version 2\.0, but 1\.0 is read"):
        read_requirements(tmp_path, TARGET, None)


def test_another_index_of_pylock_toml_is_asked_as_well(tmp_path: Path) -> None:
    text = "".join(
        f'[[packages]]\nname = "{name}"\nversion = "1"\nindex = "https://{index}"\n'
        f'wheels = [{{url = "https://x/{name}.whl", {HASHES}}}]\n'
        for name, index in (("a", "all"), ("b", "own"), ("c", "all"))
    )

    assert read_pylock(tmp_path, text).lines[-1] == "--extra-index-url https://own"


def test_a_pylock_with_a_name_counts_if_it_is_the_only_file(tmp_path: Path) -> None:
    package = f'[[packages]]\nname = "a"\nversion = "1"\nwheels = [{{url = "https://x/a.whl", {HASHES}}}]'

    assert read_pylock(tmp_path, package, "pylock.api.toml").source == "pylock.api.toml"

    (tmp_path / "pylock.web.toml").touch()
    with pytest.raises(PackagingError, match=r"several locks: pylock\.api\.toml, pylock\.web\.toml.*--requirements"):
        read_requirements(tmp_path, TARGET, None)
    assert read_requirements(tmp_path, TARGET, None, tmp_path / "pylock.api.toml").named == {"a"}

    (tmp_path / "requirements.txt").write_text("flask")
    assert read_requirements(tmp_path, TARGET, None).source == "requirements.txt"


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
        pytest.param("type = 'file'\nurl = 'a-1.tar.gz'", [], ["a @ file://{folder}/a-1.tar.gz"], id="archive"),
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
    for name in ("a-1-py3-none-any.whl", "a-1.tar.gz"):
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


@pytest.mark.parametrize(
    ("folder", "is_member"),
    [
        pytest.param("libs/one", True, id="member"),
        pytest.param("libs/old", False, id="excluded"),
        pytest.param("functions/api", False, id="elsewhere"),
        pytest.param("libs/plain", False, id="no-project"),
    ],
)
def test_the_lock_of_a_workspace_is_that_of_its_members(folder: str, is_member: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv.workspace]\nmembers = ['libs/*']\nexclude = ['libs/old']\n")
    (tmp_path / "uv.lock").touch()
    (tmp_path / folder).mkdir(parents=True)
    if "plain" not in folder:
        (tmp_path / folder / "pyproject.toml").touch()

    assert find_uv_lock(tmp_path / folder) == (tmp_path / "uv.lock" if is_member else None)


def test_uv_exports_the_locked_packages_without_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its paths are relative to the workspace, and indexes for single packages are asked as well."""
    (tmp_path / "uv.lock").write_text("version = 1\n[[package]]\nname = 'a'\n")
    (tmp_path / "library").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'web'\nversion = '1'\ndependencies = ['a', 'web[x]', 'b; sys_platform == \"win32\"']\n"
        "[[tool.uv.index]]\nname = 'own'\nurl = 'https://own'\nexplicit = true\n[[tool.uv.index]]\nurl = 'https://all'\n"
    )
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "./library\na==1 \\\n    --hash=sha256:aa\n", "")

    monkeypatch.setattr(subprocess, "run", run)

    requirements = read_requirements(tmp_path, TARGET, "uv")

    assert requirements.lines == ["a==1 --hash=sha256:aa", "--extra-index-url https://own"]
    assert requirements.local == [str(tmp_path / "library")]
    assert {"--no-default-groups", "--no-emit-project", "--no-python-downloads"} <= set(commands[0])


def test_a_uv_lock_that_lacks_a_requirement_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("version = 1\n[[package]]\nname = 'a'\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'web'\ndependencies = ['a', 'New_One']\n")

    with pytest.raises(PackagingError, match=r"has no new-one, which the project requires. Run `uv lock`"):
        read_requirements(tmp_path, TARGET, "uv")


@pytest.mark.parametrize("name", ["requirements/prod.txt", "app.in"])
def test_a_file_that_is_named_counts_before_all_others(name: str, tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "uv.lock").touch()
    (tmp_path / name).write_text("flask")

    assert read_requirements(tmp_path, TARGET, None, tmp_path / name).lines == ["flask"]


def test_poetry_s_requirements_without_a_lock_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.poetry.dependencies]\nflask = '*'\n")

    with pytest.raises(PackagingError, match=r"no poetry\.lock. Run `poetry lock`"):
        read_requirements(tmp_path, TARGET, None)


def test_requirements_that_only_a_build_knows_are_those_of_the_built_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'web'\ndynamic = ['version', 'dependencies']\n")

    assert read_requirements(tmp_path, TARGET, None).local == [str(tmp_path)]
