"""The project's files, without what its ignore files name and what no function needs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lambda_web_adapter.packaging.ignore_rules import BY_GIT_IGNORE, BY_LAMBDA_IGNORE, SECRETS, UNUSED
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.project_files import EARLIER_PACKAGE, collect
from lambda_web_adapter.packaging.writer import partial_prefix


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)


def test_what_no_function_needs_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "app/__init__.py", "pyproject.toml", ".well-known/file")
    left_out = (
        ".git/config",
        "app/__pycache__/x.pyc",
        ".env",
        "uv.lock",
        "Dockerfile",
        "node_modules/a/b",
        ".ruff_cache/x",
    )
    write(
        tmp_path, *left_out, "env/pyvenv.cfg", "env/lib/x.py", "tests/test_x.py", "app/tests/test_y.py", "conftest.py"
    )

    assert set(collect(tmp_path).items) == {".well-known/file", "app/__init__.py", "main.py", "pyproject.toml"}
    assert "tests/test_x.py" in collect(tmp_path, keep=["tests"]).items


def test_ignore_files_count_as_in_git_and_the_own_one_comes_last(tmp_path: Path) -> None:
    write(tmp_path, "a.log", "keep.log", "static/dist/x.js", "docs/x.md", "inner/x.tmp", "inner/y.txt", "x.tmp")
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\nstatic/dist/\n")
    (tmp_path / ".lambdaignore").write_text("docs/\n!static/dist/\n")
    (tmp_path / "inner" / ".gitignore").write_text("*.tmp\n")

    assert set(collect(tmp_path).items) == {"keep.log", "static/dist/x.js", "inner/y.txt", "x.tmp"}


def test_a_folder_that_is_kept_does_not_bring_the_secrets_in_it(tmp_path: Path) -> None:
    write(
        tmp_path, "static/dist/a.js", "static/dist/.env", "static/dist/node_modules/b.js", "static/dist/c/__pycache__/x"
    )
    write(tmp_path, "data/keep.txt", "data/other.txt", "deploy/prod.tfvars", "id_rsa", ".aws/credentials")
    (tmp_path / ".gitignore").write_text("/static/dist/\n")
    (tmp_path / ".lambdaignore").write_text("!/static/dist/\ndata/**\n!data/keep.txt\n")

    contents = collect(tmp_path)

    assert set(contents.items) == {"static/dist/a.js", "data/keep.txt"}
    assert SECRETS in contents.omitted


def test_a_list_of_what_belongs_into_the_package_reaches_inner_folders(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "notes.txt", "a/b/c.py", "a/b/c.txt")
    (tmp_path / ".lambdaignore").write_text("*\n!*/\n!*.py\n")

    assert set(collect(tmp_path).items) == {"main.py", "a/b/c.py"}


def test_git_s_rules_above_the_project_count(tmp_path: Path) -> None:
    """Those of the repository, not those of folders around it; inner ones come last."""
    project = tmp_path / "repository" / "services" / "api"
    write(project, "main.py", "a.log", "dump/x.sql", "local.cfg", "keep.tmp", "other.tmp", "a.bak")
    (tmp_path / ".gitignore").write_text("*.bak\n")
    (tmp_path / "repository" / ".git" / "info").mkdir(parents=True)
    (tmp_path / "repository" / ".git" / "info" / "exclude").write_text("local.cfg\n")
    (tmp_path / "repository" / ".gitignore").write_text("*.log\n/services/*/dump/\n*.tmp\n")
    (tmp_path / "repository" / "services" / ".gitignore").write_text("!keep.tmp\n")

    contents = collect(project)

    assert set(contents.items) == {"main.py", "keep.tmp", "a.bak"}
    assert set(contents.omitted) == {BY_GIT_IGNORE}


def test_the_excludes_of_a_worktree_are_its_repository_s(tmp_path: Path) -> None:
    write(tmp_path, "worktree/main.py", "worktree/local.cfg", "repository/info/exclude", "repository/worktrees/w/HEAD")
    (tmp_path / "worktree" / ".git").write_text(f"gitdir: {tmp_path}/repository/worktrees/w\n")
    (tmp_path / "repository" / "worktrees" / "w" / "commondir").write_text("../..\n")
    (tmp_path / "repository" / "info" / "exclude").write_text("local.cfg\n")

    assert set(collect(tmp_path / "worktree").items) == {"main.py"}


def test_a_project_that_git_ignores_has_its_own_rules_only(tmp_path: Path) -> None:
    project = tmp_path / "build" / "api"
    write(project, "main.py", "a.log")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\n")
    (project / ".gitignore").write_text("*.log\n")

    assert set(collect(project).items) == {"main.py"}


@pytest.mark.parametrize(
    ("git_rule", "own_rule", "expected"),
    [
        pytest.param("!data.bin", "data.bin", {"main.py"}, id="leave-out"),
        pytest.param("data.bin", "!data.bin", {"main.py", "inner/data.bin"}, id="keep"),
    ],
)
def test_lambdaignore_wins_over_gitignore_of_inner_folders(
    git_rule: str, own_rule: str, expected: set[str], tmp_path: Path
) -> None:
    write(tmp_path, "main.py", "inner/data.bin")
    (tmp_path / ".lambdaignore").write_text(f"{own_rule}\n")
    (tmp_path / "inner" / ".gitignore").write_text(f"{git_rule}\n")

    assert set(collect(tmp_path).items) == expected


def test_what_git_tracks_need_not_be_for_a_function(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "uv.lock", "tests/test_x.py", "a.log")
    (tmp_path / ".gitignore").write_text("*\n!main.py\n!uv.lock\n!.gitignore\n!tests/\n!tests/**\n")

    assert set(collect(tmp_path).items) == {"main.py"}


def test_earlier_packages_are_left_out_whatever_their_name(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "image/bootstrap", "image/lambda_web_adapter/cli.py", "data.zip", "function.zip")
    for name, prefix in (("api.zip", ""), ("base.zip", "python/"), ("fonts.zip", "fonts/")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("bootstrap", "")
            archive.writestr(f"{prefix}lambda_web_adapter/cli.py", "")

    contents = collect(tmp_path)

    assert set(contents.items) == {"main.py", "data.zip", "fonts.zip"}
    assert contents.omitted[EARLIER_PACKAGE] > 0


@pytest.mark.parametrize(
    "path",
    [
        "environment/pyvenv.cfg",
        "conda/conda-meta/history",
        "a/.aws-sam/x",
        "cdk.out/x",
        "b/.serverless/x",
        "c/node_modules/x",
        ".git/x",
        "d/.terraform/x",
        "terraform.tfstate",
        "e/__pycache__/x.pyc",
        ".envrc",
        ".venv/pyvenv.cfg",
        "build/lib/x.py",
    ],
)
def test_what_tools_leave_is_no_part_of_a_package(path: str, tmp_path: Path) -> None:
    write(tmp_path, "main.py", path)

    assert set(collect(tmp_path).items) == {"main.py"}


def test_the_report_names_what_leaves_files_out(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "data/x.bin", "docs/y.md", ".env", "node_modules/z", "uv.lock", "tests/test_x.py")
    (tmp_path / ".gitignore").write_text("data/\nnode_modules/\n.env\n")
    (tmp_path / ".lambdaignore").write_text("docs/\n")

    omitted = collect(tmp_path).omitted

    assert set(omitted) == {BY_GIT_IGNORE, BY_LAMBDA_IGNORE, SECRETS, UNUSED, "tests"}
    assert omitted[BY_GIT_IGNORE] == len("data/x.bin")


def test_the_output_is_no_part_of_the_next_package(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "out/my.zip", "image/main.py")

    contents = collect(tmp_path, outputs=[tmp_path / "out/my.zip", tmp_path / "image"])

    assert set(contents.items) == {"main.py"}


def test_links_within_the_project_become_files(tmp_path: Path) -> None:
    write(tmp_path, "data/a.txt")
    (tmp_path / "link.txt").symlink_to("data/a.txt")
    (tmp_path / "folder").symlink_to("data")

    contents = collect(tmp_path)

    assert set(contents.items) == {"data/a.txt", "link.txt", "folder/a.txt"}
    assert contents.items["folder/a.txt"].read() == b"data/a.txt"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        pytest.param("../outside.txt", "out of the project", id="outside"),
        pytest.param("missing.txt", "does not exist", id="missing"),
        pytest.param(".", "a folder that it is in", id="endless"),
        pytest.param("link", "does not exist", id="itself"),
    ],
)
def test_a_link_that_leads_elsewhere_is_an_error_unless_it_is_ignored(
    target: str, problem: str, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    write(project, "main.py")
    write(tmp_path, "outside.txt")
    (project / "link").symlink_to(target)

    with pytest.raises(PackagingError, match=problem):
        collect(project)

    (project / ".lambdaignore").write_text("/link\n")
    assert set(collect(project).items) == {"main.py"}


def test_names_in_other_scripts_and_deep_folders_stay(tmp_path: Path) -> None:
    paths = {"データ/größe.txt", "/".join(["deep"] * 50) + "/file.txt"}
    write(tmp_path, *paths)

    assert set(collect(tmp_path).items) == paths


def test_a_name_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / b"\xff.txt".decode("utf-8", "surrogateescape")
    try:
        file.write_text("")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has only names in UTF-8")

    with pytest.raises(PackagingError, match="not UTF-8"):
        collect(tmp_path)


def test_links_that_lead_to_each_other_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a/x.py", "c/y.py")
    (tmp_path / "a" / "b").symlink_to("../c")
    (tmp_path / "c" / "d").symlink_to("../a")

    with pytest.raises(PackagingError, match="a folder that it is in"):
        collect(tmp_path)


def test_what_another_run_writes_is_left_out(tmp_path: Path) -> None:
    output = tmp_path / "out.zip"
    write(tmp_path, "main.py", Path(partial_prefix(output)).name + "x1y2")

    assert set(collect(tmp_path, outputs=[output]).items) == {"main.py"}
