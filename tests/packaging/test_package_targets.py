"""The target: what installers and markers are told, and which packages it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.distributions import (
    Distribution,
    adapter_requirements,
    distributions_of,
    find_unneeded,
    imported_modules,
    read_distributions,
)
from lambda_web_adapter.packaging.installer import Installer
from lambda_web_adapter.packaging.package_files import check_names
from lambda_web_adapter.packaging.packaging_error import PackagingError, WrongOption
from lambda_web_adapter.packaging.target import build_target

TARGET = build_target("3.13", "x86_64")


@pytest.mark.parametrize(
    ("python", "architecture", "glibc", "platform"),
    [
        pytest.param("3.13", "x86_64", "", "x86_64-manylinux_2_34", id="al2023"),
        pytest.param("3.12", "arm64", "", "aarch64-manylinux_2_34", id="al2023-arm"),
        pytest.param("3.11", "x86_64", "", "x86_64-manylinux2014", id="al2"),
        pytest.param("3.13.5", "x86_64", "2.41", "x86_64-manylinux_2_40", id="image"),
    ],
)
def test_uv_gets_the_newest_platform_that_runs_there(python: str, architecture: str, glibc: str, platform: str) -> None:
    assert build_target(python, architecture, glibc).uv_platform == platform


def test_pip_gets_all_platforms_that_run_there() -> None:
    platforms = list(build_target("3.11", "x86_64").pip_platforms)

    assert platforms[0] == "manylinux_2_26_x86_64"
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"} <= set(platforms)
    assert platforms[-1] == "linux_x86_64"  # as `pip wheel` tags what it compiles


@pytest.mark.parametrize(
    ("python", "glibc", "problem"),
    [
        pytest.param("3.10", "", "3.11 or later", id="old"),
        pytest.param("latest", "", "such as 3.13", id="word"),
        pytest.param("3.13", "2.5", "2.17 or later", id="glibc"),
    ],
)
def test_a_wrong_version_is_an_error(python: str, glibc: str, problem: str) -> None:
    with pytest.raises(PackagingError, match=problem):
        build_target(python, "x86_64", glibc)


def distribution(name: str, *requirements: str, files: tuple[str, ...] = ()) -> Distribution:
    return Distribution(
        name=name, version="1", site=Path(), files=files, requirements=tuple(map(Requirement, requirements))
    )


INSTALLED = {
    each.name: each
    for each in (
        distribution("orjson"),
        distribution("httpx", "anyio", files=("httpx/__init__.py",)),
        distribution("anyio"),
        distribution("click"),
        distribution("flask", "click"),
        distribution("pydantic", files=("pydantic/__init__.py",)),
    )
}


@pytest.mark.parametrize(
    ("wanted", "omitted"),
    [
        pytest.param([], {"httpx", "anyio", "pydantic"}, id="nothing"),
        pytest.param(["httpx"], {"pydantic"}, id="with-its-own"),
        pytest.param(["anyio"], {"httpx", "pydantic"}, id="a-part"),
    ],
)
def test_what_only_the_laptop_needs(wanted: list[str], omitted: set[str]) -> None:
    """Click stays for Flask."""
    assert find_unneeded(INSTALLED, list(map(Requirement, wanted)), [], set(), TARGET).laptop == omitted


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        pytest.param(["server[standard]"], [], id="direct"),
        pytest.param([], ["server[standard]"], id="in-a-compiled-file"),
        pytest.param(["asks-for-extra"], [], id="of-another-package"),
    ],
)
def test_what_an_extra_needs_stays(wanted: list[str], named: list[str]) -> None:
    server = distribution("server", 'httpx; extra == "standard"')
    asks = {"asks-for-extra": distribution("asks-for-extra", "server[standard]")} if "asks-for-extra" in wanted else {}
    installed = {**INSTALLED, "server": server, **asks}

    unneeded = find_unneeded(installed, list(map(Requirement, wanted)), list(map(Requirement, named)), set(), TARGET)

    assert unneeded.laptop == {"pydantic"}


@pytest.mark.parametrize(
    ("wanted", "asgi"),
    [
        pytest.param([], {"uvloop"}, id="adapter-alone"),
        pytest.param(["uvloop"], set(), id="app"),
        pytest.param(["server[standard]"], set(), id="another-package"),
        pytest.param(["server"], {"uvloop"}, id="another-package-without-the-extra"),
    ],
)
def test_what_only_asgi_apps_need(wanted: list[str], asgi: set[str]) -> None:
    server = distribution("server", 'uvloop; extra == "standard"')
    installed = {**INSTALLED, "server": server, "uvloop": distribution("uvloop")}

    assert find_unneeded(installed, list(map(Requirement, wanted)), [], set(), TARGET).asgi == asgi


@pytest.mark.parametrize(
    ("keep", "leave_out", "problem"),
    [
        pytest.param(["test"], [], "--keep is test, but .* no kind .tests, .* Did you mean tests?", id="kind"),
        pytest.param(["httpq"], [], "--keep is httpq, but .* Did you mean httpx?", id="package"),
        pytest.param(
            [], ["boto3"], "--leave-out is boto3, but there is no package of that name. Installed:", id="none"
        ),
        pytest.param([], ["tests"], "--leave-out is tests, but there is no package", id="kind-is-no-package"),
    ],
)
def test_a_name_that_nothing_has_is_an_error(keep: list[str], leave_out: list[str], problem: str) -> None:
    check_names(["tests", "httpx"], ["click"], INSTALLED)

    with pytest.raises(WrongOption, match=problem):
        check_names(keep, leave_out, INSTALLED)


def test_what_the_app_imports_stays() -> None:
    sources = {
        "main.py": b"def lazy():\n    from lambda_web_adapter.models import Event\n",
        "old.py": b"print 'Python 2'",
        "client.py": b"import httpx",
    }
    contents = Contents({path: Item(owner=APP, content=data) for path, data in sources.items()})

    modules = imported_modules(contents)

    assert distributions_of(modules, INSTALLED) == {"pydantic", "httpx"}


def test_a_requirement_of_before_pep_440_counts_without_its_version(tmp_path: Path) -> None:
    """PyPI's celery 4.4.7 has such a one."""
    info = tmp_path / "celery-4.4.7.dist-info"
    info.mkdir()
    requirements = ("pytz (>dev)", "zope (>dev) ; extra == 'z'", "vine (==1.3.0)", "?")
    lines = [
        "Metadata-Version: 2.1",
        "Name: celery",
        "Version: 4.4.7",
        *(f"Requires-Dist: {each}" for each in requirements),
    ]
    (info / "METADATA").write_text("\n".join(lines))

    [celery] = read_distributions([tmp_path]).values()

    assert list(map(str, celery.requirements)) == ["pytz", 'zope; extra == "z"', "vine==1.3.0"]


def test_extras_of_the_adapter_are_for_lambda() -> None:
    on_lambda, on_laptop = adapter_requirements({"compression"}, TARGET)

    assert {each.name for each in on_lambda} == {
        "httptools",
        "orjson",
        "pybase64",
        "uvloop",
        "brotli",
        "backports-zstd",
    }
    assert {"click", "httpx", "pydantic"} <= {each.name for each in on_laptop}


def test_what_a_build_leaves_in_a_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before stays; the target's Python is passed on, and variables in URLs have their values."""
    (tmp_path / "earlier.egg-info").mkdir()
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        (tmp_path / "build" / "lib").mkdir(parents=True)
        (tmp_path / "src" / "x.egg-info").mkdir(parents=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("TOKEN", "secret")
    installer = Installer(target=TARGET, project=tmp_path, uv="uv")

    installer.build([f"{tmp_path}[extra]", "git+https://${TOKEN}@x/y"], tmp_path / "site")

    assert {path.name for path in tmp_path.rglob("*")} == {"earlier.egg-info", "src"}
    assert commands[0][-2:] == [f"{tmp_path}[extra]", "git+https://secret@x/y"]
    assert commands[0][commands[0].index("--python-version") + 1] == "3.13"


@pytest.mark.parametrize(
    ("lines", "is_told"),
    [
        pytest.param(["--extra-index-url https://own", "a==1 --hash=sha256:aa"], True, id="hashes"),
        pytest.param(["--extra-index-url https://own", "a==1"], False, id="no-hashes"),
        pytest.param(["a==1 --hash=sha256:aa"], False, id="one-index"),
    ],
)
def test_uv_asks_all_indexes_only_if_hashes_tell_the_files(
    lines: list[str], is_told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)

    Installer(target=TARGET, project=tmp_path, uv="uv").install(lines, tmp_path / "site", with_dependencies=False)

    assert ("--index-strategy" in commands[0]) == is_told
