"""Locks: which one counts, and what the project needs of pylock.toml and uv.lock on the target."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext
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
            'sdist = {name = "a-1.2.tar.gz", url = "https://x/1", hashes = {md5 = "bb", sha512 = "cc"}}',
            ["a==1.2 --hash=sha512:cc"],
            id="another-hash",
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
        pytest.param(f'archive = {{path = "a.zip", {HASHES}}}', "a @ file://{folder}/a.zip#sha256=aa", id="archive"),
        pytest.param('directory = {path = "a", subdirectory = "lib"}', "{folder}/a/lib", id="folder"),
    ],
)
def test_what_pylock_toml_has_sources_of_is_built(package: str, local: str, tmp_path: Path) -> None:
    (tmp_path / "a" / "lib").mkdir(parents=True)
    (tmp_path / "a.zip").touch()

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


@pytest.mark.parametrize(
    ("wheel", "is_for_target"),
    [
        pytest.param("a-1-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", True, id="target"),
        pytest.param("a-1-cp39-abi3-manylinux_2_28_aarch64.whl", True, id="stable-abi"),
        pytest.param("a-1-py3-none-any.whl", True, id="pure"),
        pytest.param("a.whl", True, id="unknown"),
        pytest.param("a-1-cp311-cp311-manylinux_2_17_aarch64.whl", False, id="other-python"),
        pytest.param("a-1-cp313-cp313-manylinux_2_17_x86_64.whl", False, id="other-machine"),
        pytest.param("a-1-cp313-cp313-manylinux_2_39_aarch64.whl", False, id="newer-glibc"),
    ],
)
def test_a_pylock_toml_for_another_machine_is_an_error(wheel: str, is_for_target: bool, tmp_path: Path) -> None:
    package = f'[[packages]]\nname = "a"\nversion = "1"\nwheels = [{{url = "https://x/{wheel}", {HASHES}}}]'

    with (
        nullcontext() if is_for_target else pytest.raises(PackagingError, match=r"no wheel for .* of: a\. If the lock")
    ):
        read_pylock(tmp_path, package)


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


def test_requirements_that_only_a_build_knows_are_those_of_the_built_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'web'\ndynamic = ['version', 'dependencies']\n")

    assert read_requirements(tmp_path, TARGET, None).local == [str(tmp_path)]
