"""The files of the project that belong into a package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.writer import partial_prefix

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

IGNORE_FILES = (".gitignore", ".lambdaignore")  # the later one comes first
# What no function needs: version control, caches, other tools' folders, lock files, and secrets, which belong into the
# function's variables. A line with `!` in an ignore file includes it.
_DEFAULT_RULES = """
.git
.hg/
.svn/
__pycache__/
*.py[cod]
*.egg-info/
.*_cache/
.hypothesis/
.tox/
.nox/
.idea/
.vscode/
.DS_Store
.aws-sam/
.serverless/
.terraform/
cdk.out/
node_modules/
.env
.env.*
.gitignore
.gitattributes
.lambdaignore
.dockerignore
/.github/
/.ci/
/.coverage*
/.pre-commit-config.yaml
/.python-version
/Dockerfile*
/Makefile
/uv.lock
/poetry.lock
/pylock*.toml
/requirements*.txt
/lambda-web-adapter.start
/function.zip
/layer.zip
"""
_TEST_RULES = """
tests/
conftest.py
"""
_VENV_FILE = "pyvenv.cfg"
_EXECUTABLE = 0o111


def collect(folder: Path, *, keep: Collection[str] = (), outputs: Sequence[Path] = ()) -> Contents:
    """Return the files of a project, without those that its ignore files name.

    Args:
        folder: the project's folder.
        keep: what is not to be left out: `tests`.
        outputs: files and folders that this command writes, which are left out.

    Raises:
        PackagingError: a symbolic link leads out of the project, or nowhere, or a name is not UTF-8.
    """
    rules = _DEFAULT_RULES + ("" if "tests" in keep else _TEST_RULES)
    walk = _Walk(folder.resolve(), {path.resolve() for path in outputs})
    walk.add_folder(folder.resolve(), "", [("", GitIgnoreSpec.from_lines(rules.splitlines()))])
    return walk.contents


class _Walk:
    """A walk through the project, which follows links as far as they stay in it."""

    def __init__(self, root: Path, outputs: Collection[Path]) -> None:
        self._root = root
        self._outputs = outputs
        self._partial = tuple(partial_prefix(path) for path in outputs)
        self._around: list[Path] = []  # the folders that the walk is in, without links
        self.contents = Contents()

    def add_folder(self, folder: Path, place: str, rules: list[tuple[str, GitIgnoreSpec]]) -> None:
        """Add what is in a folder, which is at a place in the package such as `static/`."""
        self._around.append(folder)
        for name in IGNORE_FILES:
            if (file := folder / name).is_file():
                spec = GitIgnoreSpec.from_lines(file.read_text("utf-8", "replace").splitlines())
                rules = [*rules, (place, spec)]
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = f"{place}{entry.name}"
            if self._is_left_out(entry, path, rules):
                continue
            real = self._real_path(entry, path) if entry.is_symlink() else Path(entry)
            if real.is_dir():
                self.add_folder(real, f"{path}/", rules)
            elif real.is_file():
                self._add_file(real, path)
        self._around.pop()

    def _is_left_out(self, entry: os.DirEntry[str], path: str, rules: list[tuple[str, GitIgnoreSpec]]) -> bool:
        file = Path(entry)
        if file.resolve() in self._outputs or (file / _VENV_FILE).is_file():
            return True
        if str(file).startswith(self._partial):
            return True
        if not _is_ignored(f"{path}/" if entry.is_dir() else path, rules):
            return False
        if entry.is_file():
            reason = "secrets (.env)" if entry.name.startswith(".env") else "ignored files of the project"
            self.contents.omitted[reason] += entry.stat().st_size
        return True

    def _add_file(self, file: Path, path: str) -> None:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise PackagingError(f"The name {path!r} is not UTF-8, as zips need it. Rename the file.") from None
        self.contents.items[path] = Item(owner=APP, content=file, is_executable=bool(file.stat().st_mode & _EXECUTABLE))

    def _real_path(self, link: os.DirEntry[str], path: str) -> Path:
        """Return where a link leads; Lambda gets what is there instead of the link."""
        real = Path(link).resolve()
        if not real.is_relative_to(self._root):
            problem = f"{real}, out of the project. Copy what is there"
        elif not real.exists():
            problem = f"{real}, which does not exist. Remove it"
        elif real in self._around:
            problem = f"{real}, a folder that it is in. Remove it"
        else:
            return real
        raise PackagingError(f"The link {path} leads to {problem}, or name the link in {IGNORE_FILES[-1]}.")


def _is_ignored(path: str, rules: list[tuple[str, GitIgnoreSpec]]) -> bool:
    """Return whether the last rule that matches ignores the path, as git has it; those of inner folders come last."""
    for place, spec in reversed(rules):
        result = spec.check_file(path.removeprefix(place))
        if result.include is not None:
            return result.include
    return False
