"""Which files of the project stay out of the package: by its ignore files, or since no function needs them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pathspec.pattern import RegexPattern

# The group that has the slash behind a folder, in the regular expressions of pathspec.
_FOLDER = "ps_d"
LAMBDA_IGNORE = ".lambdaignore"
_GIT_IGNORE = ".gitignore"
# What no function needs: version control, caches, other tools' folders, lock files, and secrets, which belong into the
# function's variables.
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
.direnv/
.pixi/
.idea/
.vscode/
.DS_Store
.aws-sam/
.serverless/
.terraform/
cdk.out/
node_modules/
.gitignore
.gitattributes
.lambdaignore
.dockerignore
/build/lib/
/build/bdist.*/
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
_CONFIDENTIAL = """
.env
.env.*
.envrc
.netrc
.pypirc
.git-credentials
.aws/
.ssh/
id_rsa
id_ecdsa
id_ed25519
*.tfstate
*.tfstate.*
*.tfvars
*.tfvars.json
"""
_TEST_RULES = """
tests/
conftest.py
"""
UNUSED, SECRETS, BY_GIT_IGNORE, BY_LAMBDA_IGNORE = (
    "files that no function needs",
    "secrets (.env, keys, Terraform's state)",
    f"files that {_GIT_IGNORE} names",
    f"files that {LAMBDA_IGNORE} names",
)
# Why files of the project are left out that a line in `.lambdaignore` brings back.
REASONS = (UNUSED, SECRETS, BY_GIT_IGNORE, BY_LAMBDA_IGNORE)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The lines of an ignore file.

    Attributes:
        place: where the file is, relative to the project, such as `static/`; empty for the project's folder.
        above: the way from the file's folder to the project, such as `services/api/`, if it is above it.
        spec: its lines.
    """

    place: str
    above: str
    spec: GitIgnoreSpec

    def check(self, path: str) -> bool | None:
        """Return whether the last line that matches ignores a path; None if none matches.

        As in git, a line that matches a folder decides about the folder alone: what is in one that is left out is never
        asked for, and of one that stays, other lines may leave out files.
        """
        text = f"{self.above}{path.removeprefix(self.place)}"
        return next((each.include for each in reversed(self.spec.patterns) if _matches(each, text)), None)

    def ignores_project(self) -> bool | None:
        """Return whether the last line that matches the project, or a folder around it, ignores that."""
        return self.spec.check_file(self.above).include


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules for the files of a folder and of those in it.

    `.lambdaignore` decides if it has a rule for a path, whichever `.gitignore` has another one. Else a path is left out
    if a `.gitignore` ignores it, or if no function needs it: what git tracks need not be for a function.

    Attributes:
        defaults: what is left out without an ignore file, by reason.
        git: the rules of git, those of inner folders last.
        own: those of `.lambdaignore`, in the same order.
    """

    defaults: tuple[tuple[str, _Rules], ...]
    git: tuple[_Rules, ...] = ()
    own: tuple[_Rules, ...] = ()

    def with_files_of(self, folder: Path, place: str) -> IgnoreRules:
        """Return the rules with those of the ignore files in a folder of the project."""
        git, own = _read(folder / _GIT_IGNORE, place), _read(folder / LAMBDA_IGNORE, place)
        return replace(self, git=self.git + git, own=self.own + own) if git or own else self

    def reason_to_leave_out(self, path: str) -> str:
        """Return why a path is left out, of which a folder's ends with a slash; empty if it is not."""
        decision = _last_decision(self.own, path)
        if decision is not None:
            return BY_LAMBDA_IGNORE if decision else ""
        if reason := next((reason for reason, rules in self.defaults if rules.check(path)), ""):
            return reason
        return BY_GIT_IGNORE if _last_decision(self.git, path) else ""


def rules_around(project: Path, *, keeps_tests: bool) -> IgnoreRules:
    """Return the rules that count before those of the project's own ignore files.

    They are the defaults, and git's: `.git/info/exclude`, and `.gitignore` of the folders from the top of the
    repository down to the project. If those ignore the project itself, git's rules above it do not count.

    Args:
        project: the project's folder, without links.
        keeps_tests: whether tests are not to be left out.
    """
    defaults = ((SECRETS, _CONFIDENTIAL), (UNUSED, _DEFAULT_RULES), ("tests", "" if keeps_tests else _TEST_RULES))
    rules = tuple((reason, _Rules("", "", GitIgnoreSpec.from_lines(lines.splitlines()))) for reason, lines in defaults)
    return IgnoreRules(rules, _git_rules_above(project))


def _git_rules_above(project: Path) -> tuple[_Rules, ...]:
    top = next((folder for folder in (project, *project.parents) if (folder / ".git").exists()), None)
    if top is None:
        return ()
    rules = _read(_git_folder(top) / "info" / "exclude", "", _way(top, project))
    for folder in reversed(project.parents):
        if folder.is_relative_to(top):
            rules += _read(folder / _GIT_IGNORE, "", _way(folder, project))
    is_ignored = top != project and _last(each.ignores_project() for each in reversed(rules))
    return () if is_ignored else rules


def _way(folder: Path, project: Path) -> str:
    return "".join(f"{name}/" for name in project.relative_to(folder).parts)


def _git_folder(top: Path) -> Path:
    """Return git's folder of a repository; in a worktree or a submodule, `.git` is a file that names it."""
    git = top / ".git"
    if git.is_file():
        git = top / git.read_text("utf-8", "replace").partition("gitdir:")[2].strip()
        common = git / "commondir"  # a worktree has its rules from the repository that it is of
        git = git / common.read_text("utf-8", "replace").strip() if common.is_file() else git
    return git


def _last_decision(rules: tuple[_Rules, ...], path: str) -> bool | None:
    """Return what the last rule that matches says, as git has it; those of inner folders come last."""
    return _last(each.check(path) for each in reversed(rules))


def _last(decisions: Iterable[bool | None]) -> bool | None:
    return next((each for each in decisions if each is not None), None)


def _matches(pattern: RegexPattern, path: str) -> bool:
    """Return whether a line matches a path itself, and not only a folder that it is in."""
    if pattern.regex is None or pattern.include is None:
        return False
    matches = pattern.regex.finditer(path)
    if _FOLDER not in pattern.regex.groupindex:  # `data/**` matches all that is in the folder, and not the folder
        return any(not path.endswith("/") or each.end() < len(path) for each in matches)
    return any(each.end(_FOLDER) in (-1, len(path)) for each in matches)


def _read(file: Path, place: str, above: str = "") -> tuple[_Rules, ...]:
    if not file.is_file():
        return ()
    spec = GitIgnoreSpec.from_lines(file.read_text("utf-8", "replace").splitlines())
    return (_Rules(place, above, spec),)
