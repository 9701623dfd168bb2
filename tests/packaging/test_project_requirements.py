"""What a project requires is read from its lock or requirements, for the target and not for this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_web_adapter.packaging.lock_files import read_requirements
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.target import build_target

TARGET = build_target("3.13", "arm64")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("flask>=3 # web", ["flask>=3"], id="comment"),
        pytest.param("flask==3.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n", None, id="hashes"),
        pytest.param("--require-hashes\nflask==3.1 --hash=sha256:aa --hash=sha256:bb", None, id="require-hashes"),
        pytest.param("# old \\\nflask", ["flask"], id="backslash-after-a-comment"),
        pytest.param("flask \\\n  # web\n", ["flask"], id="comment-in-a-continued-line"),
        pytest.param("flask==3.1 --config-settings='--x=1'", ["flask==3.1"], id="option-of-one"),
        pytest.param("--no-binary flask\nflask", ["flask"], id="no-binary"),
        pytest.param("-c https://x/limits.txt\nflask", ["-c https://x/limits.txt", "flask"], id="constraints-by-url"),
        pytest.param("-i https://x/simple\nflask", ["-i https://x/simple", "flask"], id="index"),
        pytest.param("flask; sys_platform == 'win32'", [], id="other-system"),
        pytest.param("flask; python_version < '3.13'", [], id="other-python"),
        pytest.param("flask; platform_machine == 'aarch64'", ["flask"], id="target-machine"),
        pytest.param(
            "--extra-index-url https://x/simple\nflask", ["--extra-index-url https://x/simple", "flask"], id="o"
        ),
        pytest.param("lambda-web-adapter[compression]>=0.1\nflask", ["flask"], id="adapter"),
        pytest.param("Lambda_Web.Adapter", [], id="adapter-by-another-spelling"),
    ],
)
def test_requirements_txt(text: str, lines: list[str] | None, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(text)

    requirements = read_requirements(tmp_path, TARGET, None)

    assert requirements.lines == (["flask==3.1 --hash=sha256:aa --hash=sha256:bb"] if lines is None else lines)
    assert requirements.has_hashes == (lines is None)


def test_extras_of_the_adapter_are_kept(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("lambda-web-adapter[compression]")

    assert read_requirements(tmp_path, TARGET, None).adapter.extras == {"compression"}


def test_files_that_are_included_count(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r base/all.txt\n-c limits.txt\n")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "all.txt").write_text("flask\n-f links\n")
    (tmp_path / "base" / "links").mkdir()
    (tmp_path / "limits.txt").write_text("flask<4")

    requirements = read_requirements(tmp_path, TARGET, None)

    assert requirements.lines == [
        "flask",
        f"-f {tmp_path / 'base' / 'links'}",
        f"-c {tmp_path / 'limits.txt'}",
    ]


def test_folders_are_built_but_for_a_checkout_of_the_adapter(tmp_path: Path) -> None:
    for name in ("library", "lambda-web-adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    (tmp_path / "requirements.txt").write_text("-e ./library\n./lambda-web-adapter\n")

    assert read_requirements(tmp_path, TARGET, None).local == [str(tmp_path / "library")]


@pytest.mark.parametrize(
    ("text", "direct"),
    [
        pytest.param("flask\nhttpx==1.0", {"flask", "httpx"}, id="by-hand"),
        pytest.param("flask==3\nhttpx==1.0\n    # via flask\n", None, id="by-a-tool"),
        pytest.param("flask==3 --hash=sha256:aa", None, id="hashes"),
    ],
)
def test_what_the_project_requires_itself_is_told_from_the_rest(
    text: str, direct: set[str] | None, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text(text)

    assert read_requirements(tmp_path, TARGET, None).direct == direct


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("flask ===> 3", "line 1 has 'flask ===> 3', which is no requirement", id="syntax"),
        pytest.param("-r missing.txt", r"line 1 names .*missing.txt, which cannot be read", id="include"),
        pytest.param("flask\n\nx ; python_version ~= 'y'", "line 3 has the marker .*cannot be evaluated", id="marker"),
        pytest.param("-c missing.txt", "line 1 names constraints in .*missing.txt, but there", id="constraints"),
        pytest.param("-r https://x/all.txt", "line 1 includes https://x/all.txt. Save that file", id="include-by-url"),
        pytest.param("x @ file:///missing/x.whl", "line 1 names file:///missing/x.whl, which is not there", id="wheel"),
        pytest.param("--require-hashes\nflask==3", "--require-hashes, but flask==3 has no hash", id="no-hash"),
        pytest.param("-r base.txt", "base.txt, line 2 has '!', which is no requirement", id="in-an-included-file"),
        pytest.param("./missing", "line 1 has ./missing, but there is no such folder or file", id="folder"),
    ],
)
def test_a_wrong_line_is_an_error(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    (tmp_path / "base.txt").write_text("flask\n!\n")

    with pytest.raises(PackagingError, match=problem):
        read_requirements(tmp_path, TARGET, None)


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r base.txt\nflask\n")
    (tmp_path / "base.txt").write_text("-r requirements.txt\n--requirement=base.txt\njinja2\n")

    assert read_requirements(tmp_path, TARGET, None).lines == ["jinja2", "flask"]


def test_a_file_that_powershell_has_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n", "utf-16")

    assert read_requirements(tmp_path, TARGET, None).lines == ["flask"]


def test_pyproject_is_read_if_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\ndependencies = ["flask>=3", "lambda-web-adapter"]\n'
    )

    requirements = read_requirements(tmp_path, TARGET, None)

    assert (requirements.source, requirements.lines) == ("pyproject.toml", ["flask>=3"])


def test_a_project_without_any_file_requires_nothing(tmp_path: Path) -> None:
    requirements = read_requirements(tmp_path, TARGET, None)

    assert (requirements.source, requirements.lines) == ("", [])


PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "flask"
version = "3.1"
wheels = [{url = "https://x/flask.whl", hashes = {sha256 = "aa"}}]
sdist = {url = "https://x/flask.tar.gz", hashes = {sha256 = "bb"}}
[[packages]]
name = "colorama"
version = "1.0"
marker = "sys_platform == 'win32'"
wheels = [{url = "https://x/colorama.whl", hashes = {sha256 = "cc"}}]
[[packages]]
name = "tool"
version = "1.0"
marker = "'dev' in dependency_groups"
wheels = [{url = "https://x/tool.whl", hashes = {sha256 = "dd"}}]
[[packages]]
name = "library"
directory = {path = "library"}
"""


def test_pylock_toml(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(PYLOCK)
    (tmp_path / "requirements.txt").write_text("other")
    (tmp_path / "library").mkdir()

    requirements = read_requirements(tmp_path, TARGET, None)

    assert requirements.lines == ["flask==3.1 --hash=sha256:aa --hash=sha256:bb"]
    assert requirements.local == [str(tmp_path / "library")]
    assert requirements.is_complete


POETRY_LOCK = """
[[package]]
name = "Flask"
version = "3.1"
files = [{file = "flask.whl", hash = "sha256:aa"}]
[package.dependencies]
colorama = {version = "*", markers = "sys_platform == 'win32'"}
click = ">=8"
importlib-metadata = {version = "*", markers = "python_version < '3.10'"}
[[package]]
name = "click"
version = "8.1"
files = [{file = "click.whl", hash = "sha256:bb"}]
[[package]]
name = "colorama"
version = "1.0"
files = [{file = "colorama.whl", hash = "sha256:cc"}]
[[package]]
name = "importlib-metadata"
version = "1.0"
files = [{file = "i.whl", hash = "sha256:dd"}]
[[package]]
name = "pytest"
version = "8"
groups = ["dev"]
files = [{file = "pytest.whl", hash = "sha256:ee"}]
"""


@pytest.mark.parametrize(
    "project",
    [
        pytest.param('[project]\nname = "x"\ndependencies = ["flask>=3"]', id="project"),
        pytest.param('[tool.poetry.dependencies]\npython = "^3.11"\nFlask = "^3"', id="poetry"),
    ],
)
def test_poetry_lock_has_the_main_group_and_what_that_requires(project: str, tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK)
    (tmp_path / "pyproject.toml").write_text(project)

    requirements = read_requirements(tmp_path, TARGET, None)

    assert sorted(requirements.lines) == ["Flask==3.1 --hash=sha256:aa", "click==8.1 --hash=sha256:bb"]


def test_uv_lock_needs_uv_also_from_a_member_of_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("version = 1")
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["api"]')
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "pyproject.toml").touch()

    with pytest.raises(PackagingError, match=r"uv\.lock needs uv"):
        read_requirements(tmp_path / "api", TARGET, None)


@pytest.mark.parametrize(
    ("line", "lines", "local"),
    [
        pytest.param("-e .[server]", [], ["[server]"], id="editable-with-extras"),
        pytest.param("./library[fast,small]", [], ["/library[fast,small]"], id="folder-with-extras"),
        pytest.param("./library ; sys_platform == 'win32'", [], [], id="folder-for-another-system"),
        pytest.param("-e ./library; python_version < '3.13'", [], [], id="editable-for-another-python"),
        pytest.param("./x-1-py3-none-any.whl ; sys_platform == 'win32'", [], [], id="wheel-for-another-system"),
        pytest.param("./x-1.tar.gz --hash=sha256:aa", [], ["/x-1.tar.gz"], id="archive"),
        pytest.param("x @ ./library ; python_version > '3'", [], ["/library"], id="folder-with-its-name"),
        pytest.param("x-1-py3-none-any.whl", ["/x-1-py3-none-any.whl"], [], id="wheel-by-its-name"),
        pytest.param("./x-1-py3-none-any.whl[a]", ["/x-1-py3-none-any.whl[a]"], [], id="wheel-with-extras"),
        pytest.param(
            "./x-1-py3-none-any.whl --hash=sha256:aa", ["/x-1-py3-none-any.whl --hash=sha256:aa"], [], id="hash"
        ),
    ],
)
def test_a_line_may_name_a_place(line: str, lines: list[str], local: list[str], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(line)
    (tmp_path / "x-1-py3-none-any.whl").touch()
    (tmp_path / "x-1.tar.gz").touch()
    (tmp_path / "library").mkdir()

    requirements = read_requirements(tmp_path, TARGET, None)

    assert requirements.lines == [f"{tmp_path}{each}" for each in lines]
    assert requirements.local == [f"{tmp_path}{each}" for each in local]


@pytest.mark.parametrize(
    ("line", "lines", "local"),
    [
        pytest.param("https://x/y-1-py3-none-any.whl", ["https://x/y-1-py3-none-any.whl"], [], id="wheel"),
        pytest.param("git+https://x/y@v1", [], ["git+https://x/y@v1"], id="repository"),
        pytest.param(
            "https://x/y-1.tar.gz --hash=sha256:aa", [], ["https://x/y-1.tar.gz#sha256=aa"], id="archive-with-a-hash"
        ),
        pytest.param(
            "y @ https://x/y.zip#subdirectory=y --hash=sha256:aa",
            [],
            ["y @ https://x/y.zip#subdirectory=y&sha256=aa"],
            id="folder-in-an-archive-with-a-hash",
        ),
        pytest.param("https://x/y-1.tar.gz ; sys_platform == 'win32'", [], [], id="for-another-system"),
    ],
)
def test_a_line_may_be_a_url(line: str, lines: list[str], local: list[str], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(line)

    requirements = read_requirements(tmp_path, TARGET, None)

    assert (requirements.lines, requirements.local) == (lines, local)


def test_what_the_extras_of_a_folder_need_is_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-e .[server]")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "My_App"\nversion = "1"\n')

    assert read_requirements(tmp_path, TARGET, None).named == {"my-app[server]"}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask", "utf-8-sig")

    assert read_requirements(tmp_path, TARGET, None).lines == ["flask"]
