"""What runs on GitHub: nothing but what a commit names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_their_commits(workflow: Path) -> None:
    uses = re.findall(r"uses: *(.+)", workflow.read_text())

    assert uses
    assert [action for action in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action)] == []


def test_whatever_is_locked_is_looked_up_for_known_vulnerabilities() -> None:
    workflow = (PROJECT / ".github" / "workflows" / "audit.yml").read_text()
    (recipe,) = re.findall(r"(?m)^audit:.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text())

    assert "schedule:" in workflow
    assert workflow.count("requirements/*.lock") == 2  # where it is pushed, and where it is asked for
    assert "run: make audit" in workflow
    assert "for lock in requirements/*.lock" in recipe
    assert "--strict" in recipe  # what the database does not have is no success


def test_every_supported_python_is_tested() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    oldest, *others = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    workflows = {path.stem: path.read_text() for path in WORKFLOWS}
    nightly = (PROJECT / ".ci" / "nightly").read_text()

    assert project["requires-python"] == f">={oldest}"
    assert re.findall(r"(?m)^\.ci/on-python (.+)$", nightly) == others
    assert re.findall(r"(?m)^ {12}(3\.\d+)$", workflows["nightly"]) == [*reversed(others), oldest]
    assert re.findall(r"\.ci/on-python ([\d.]+)", workflows["ci"]) == others[-1:]
    assert re.findall(r"(?m)^ {12}(3\.\d+)$", workflows["ci"]) == [others[-1], oldest]
