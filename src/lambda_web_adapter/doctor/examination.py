"""Examine an artifact: open it, check it, measure what the findings cost."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.artifacts.bytecode import Use
from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.artifacts.sizes import size_text
from lambda_web_adapter.doctor import import_cost
from lambda_web_adapter.doctor.compiled_files import MISSING_BYTECODE, STALE_BYTECODE, uses_of
from lambda_web_adapter.doctor.findings import count_text, paths_text
from lambda_web_adapter.doctor.repair import Repair, apply_to_folder, plan, write_zip
from lambda_web_adapter.doctor.rules import CHECKS
from lambda_web_adapter.doctor.source_trees import MOST_PARSED
from lambda_web_adapter.doctor.subject import Subject
from lambda_web_adapter.doctor.template_search import choose_functions, find_functions, other_functions

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
        function: the function's name in the template; empty to find it by its code.
        imports_app: whether the app may be imported to measure what its bytecode costs.
        origin: what the artifact was repaired from, beside which its template is; None if it is as it was.
    """

    python: tuple[int, int] | None = None
    architecture: str = ""
    template: Path | None = None
    function: str = ""
    imports_app: bool = True
    origin: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was examined, and what was found.

    Attributes:
        title: one line about it.
        facts: the same for JSON.
        findings: what is wrong.
        notes: what was not examined, and what the template leaves open, a line for each.
        memory: the function's memory in MB, as the template has it; 0 if it has none.
    """

    title: str
    facts: dict[str, Any]
    findings: list[Finding]
    notes: list[str] = field(default_factory=list)
    memory: int = 0


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
        findings = _with_costs(subject, _find(subject), options)
        notes = list(_notes(subject, is_named=options.template is not None))
        notes += _unread_sources(subject)
        notes += _unused_template(subject, options.origin or path)
        memory = next((function.memory for function in subject.functions if function.memory), 0)
        facts = _facts(subject)
        return Examination(title=_title(subject), facts=facts, findings=findings, notes=notes, memory=memory)


def repair(path: Path, options: Options, output: Path | None) -> tuple[Path, list[str], int]:
    """Repair an artifact: a folder in place, a zip in a new file.

    Args:
        path: the artifact.
        options: how to examine it.
        output: the new file; None for one beside the zip.

    Returns:
        What is to be examined now, what was done, in lines for people, and how many findings there were before.

    Raises:
        RepairError: it cannot be repaired.
    """
    with _open(path, options) as subject:
        before = len(_find(subject))
        changes: Repair = plan(subject)
        if path.is_dir():
            apply_to_folder(changes, path)
            return path, changes.texts, before
        if not changes.is_needed and output is None:
            return path, changes.texts, before
        file = output or path.with_name(f"{path.stem}.fixed.zip")
        write_zip(changes, path, file)
        return file, [*changes.texts, f"Wrote {file}."], before


@contextmanager
def _open(path: Path, options: Options) -> Iterator[Subject]:
    built = options.origin or path
    template, name = options.template, options.function
    functions = choose_functions(template, built, name) if template else find_functions(built, name)
    machine = options.architecture or next((each.architecture for each in functions), "")
    with open_artifact(path, machine) as artifact:
        yield Subject(artifact, functions, python=options.python, architecture=options.architecture)


def _find(subject: Subject) -> list[Finding]:
    """Return what is wrong with a subject, without what it costs."""
    findings = [finding for check in CHECKS for finding in check(subject)]
    if subject.artifact.image or subject.is_project:  # which --fix does not change
        return [replace(finding, fixable=False) for finding in findings]
    return findings


def _notes(subject: Subject, *, is_named: bool) -> Iterator[str]:
    """Yield what was not examined, and what the template leaves open of the function, and what to do.

    Args:
        subject: what is examined.
        is_named: whether the user has named the template, and so expects that it says all.
    """
    if subject.artifact.image and subject.has_app and not subject.own_modules:
        yield (
            f"No source of an app was found in {subject.searched_text}, so that only packages were examined: name the "
            "app's folder by WORKDIR or AWS_LWA_APP_DIR, unless the app is one of the packages."
        )
    if not subject.functions:
        return
    function = subject.functions[0]
    file, name = function.file.name, function.name
    if len(subject.functions) > 1:
        names = paths_text([each.name for each in subject.functions])
        yield f"{file} has {names}, none of which has {subject.artifact.name} as its code: {name}'s runtime is taken."
    is_complete = function.is_image or not is_named
    if text := function.unresolved.get("runtime"):
        yield f"{file} leaves the runtime of {name} to the deployment ({text}): say which it is by --python 3.13."
    elif not function.runtime and not is_complete:
        yield f"{file} names no runtime for {name}: add it there, or say which it is by --python 3.13."
    if text := function.unresolved.get("handler"):
        yield f"{file} leaves the handler of {name} to the deployment ({text}): the app is looked for in the sources."
    elif not function.handler and not is_complete and file != "zappa_settings.json":
        yield f"{file} names no handler for {name}: add it there, such as main:app; it is looked for in the sources."


def _unread_sources(subject: Subject) -> Iterator[str]:
    """Yield that some sources were not read, and why."""
    if count := len(subject.trees.left_out):
        yield (
            f"{count:,} of {count_text(len(subject.trees.paths), 'source')} of the app were not read, since the others "
            f"have {size_text(MOST_PARSED)}. Packages without metadata (*.dist-info) count as the app's own."
        )


def _unused_template(subject: Subject, artifact: Path) -> Iterator[str]:
    """Yield which template is beside an artifact, but is not its function's, and what to do."""
    if subject.functions or subject.artifact.kind == "layer" or not (functions := other_functions(artifact)):
        return
    codes = paths_text([f"{each.name} ({each.code})" if each.code else each.name for each in functions])
    yield (
        f"{functions[0].file.name} is not taken into account, since its code is not {artifact.name}: it has {codes}. "
        "Name the function with --function."
    )


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
    size = size_text(sum(entry.size for entry in subject.deployed.values()))
    python = f"Python {target.python_name} ({target.python_origin})"
    machine = f"{target.architecture} ({target.architecture_origin})"
    return f"{artifact.name}: {kind}, {count_text(len(subject.deployed), 'file')}, {size}, {python}, {machine}"


def _facts(subject: Subject) -> dict[str, Any]:
    target = subject.target
    return {
        "kind": "project" if subject.is_project else subject.artifact.kind,
        "python": target.python_name,
        "architecture": target.architecture,
        "bytes": sum(entry.size for entry in subject.deployed.values()),
        "functions": [function.name for function in subject.functions],
    }
