"""Examine an artifact: open it, check it, measure what the findings cost."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.artifacts.bytecode import Use
from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor import import_cost
from lambda_web_adapter.doctor.compiled_files import MISSING_BYTECODE, STALE_BYTECODE, uses_of
from lambda_web_adapter.doctor.findings import count_text
from lambda_web_adapter.doctor.repair import Repair, apply_to_folder, plan, write_zip
from lambda_web_adapter.doctor.rules import CHECKS
from lambda_web_adapter.doctor.subject import Subject
from lambda_web_adapter.doctor.templates import find_functions, read_functions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_web_adapter.doctor.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to examine.

    Attributes:
        python: the version of the function's Python; None to find it out.
        architecture: `x86_64` or `arm64`; empty to find it out.
        template: the template of the function; None to look for one beside the artifact.
        imports_app: whether the app may be imported to measure what its bytecode costs.
    """

    python: tuple[int, int] | None = None
    architecture: str = ""
    template: Path | None = None
    imports_app: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was examined, and what was found.

    Attributes:
        title: one line about it.
        facts: the same for JSON.
        findings: what is wrong.
    """

    title: str
    facts: dict[str, Any]
    findings: list[Finding]


def examine(path: Path, options: Options) -> Examination:
    """Return what is wrong with an artifact.

    Args:
        path: a folder, a zip, a layer or an image.
        options: how to examine it.

    Raises:
        ArtifactError: it is none of them, or damaged.
        TemplateError: a template cannot be read.
        OSError: it cannot be read.
    """
    with _open(path, options) as subject:
        findings = [finding for check in CHECKS for finding in check(subject)]
        findings = _with_costs(subject, findings, options)
        return Examination(title=_title(subject), facts=_facts(subject), findings=findings)


def repair(path: Path, options: Options, output: Path | None) -> tuple[Path, list[str]]:
    """Repair an artifact: a folder in place, a zip in a new file.

    Args:
        path: the artifact.
        options: how to examine it.
        output: the new file; None for one beside the zip.

    Returns:
        What is repaired, and what was done, in lines for people.

    Raises:
        RepairError: it cannot be repaired.
    """
    with _open(path, options) as subject:
        changes: Repair = plan(subject)
        if path.is_dir():
            apply_to_folder(changes, path)
            return path, changes.texts
        file = output or path.with_name(f"{path.stem}.fixed.zip")
        write_zip(changes, path, file)
        return file, [*changes.texts, f"Wrote {file}."]


@contextmanager
def _open(path: Path, options: Options) -> Iterator[Subject]:
    functions = read_functions(options.template) if options.template else find_functions(path)
    with open_artifact(path) as artifact:
        yield Subject(artifact, functions, python=options.python, architecture=options.architecture)


def _with_costs(subject: Subject, findings: list[Finding], options: Options) -> list[Finding]:
    """Return the findings, those about bytecode with what it costs."""
    rules = {STALE_BYTECODE.id: (Use.STALE, Use.BROKEN), MISSING_BYTECODE.id: (None, Use.FOREIGN)}
    if not any(finding.rule in rules for finding in findings):
        return findings
    uses = uses_of(subject)
    cost = import_cost.measure(subject) if options.imports_app else None
    # One import cannot say which part of the time is whose: the first finding about it has all.
    measured = next(finding.rule for finding in findings if finding.rule in rules)
    result = []
    for finding in findings:
        if finding.rule not in rules:
            text = finding.cost
        elif cost:
            text = cost.text if finding.rule == measured else ""
        else:
            text = import_cost.estimate(subject, [path for use in rules[finding.rule] for path in uses.get(use, ())])
        result.append(replace(finding, cost=text))
    return result


def _title(subject: Subject) -> str:
    target, artifact = subject.target, subject.artifact
    kind = "project" if subject.is_project else artifact.kind
    size = sum(entry.size for entry in subject.deployed.values()) / 1024**2
    python = f"Python {target.python_name} ({target.python_origin})"
    machine = f"{target.architecture} ({target.architecture_origin})"
    return f"{artifact.name}: {kind}, {count_text(len(subject.deployed), 'file')}, {size:.1f} MB, {python}, {machine}"


def _facts(subject: Subject) -> dict[str, Any]:
    target = subject.target
    return {
        "kind": "project" if subject.is_project else subject.artifact.kind,
        "python": target.python_name,
        "architecture": target.architecture,
        "bytes": sum(entry.size for entry in subject.deployed.values()),
        "functions": [function.name for function in subject.functions],
    }
