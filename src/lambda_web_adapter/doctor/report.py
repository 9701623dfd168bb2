"""An examination as text, and as JSON."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.doctor.findings import Group, Severity, count_text, sort_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_web_adapter.doctor.findings import Finding, Rule

    # Returns a text with the colour of a severity.
    Paint = Callable[[str, Severity], str]

_INDENT = "  "


def text_lines(
    title: str, findings: Sequence[Finding], rules: Sequence[Rule], paint: Paint | None, width: int
) -> list[str]:
    """Return the lines of a report.

    Args:
        title: what was examined, and for which function.
        findings: what was found.
        rules: all rules, which say what each finding is about.
        paint: colours the severity; None for plain text.
        width: columns of the terminal.
    """
    lines = [title]
    groups = {rule.id: rule.group for rule in rules}
    for group in Group:
        members = [finding for finding in findings if groups[finding.rule] is group]
        if members:
            lines += ["", group.value]
        for finding in sort_findings(members):
            lines += ["", *_finding_lines(finding, paint or _no_paint, width)]
    return [*lines, "", summary(findings)]


def summary(findings: Sequence[Finding]) -> str:
    """Return the numbers of errors, warnings and notes, and what `--fix` would do."""
    if not findings:
        return "In order: nothing was found."
    fixable = sum(finding.fixable for finding in findings)
    repaired = "all of them" if fixable == len(findings) else f"{fixable} of them"
    offer = f" --fix repairs {'it' if len(findings) == 1 else repaired}." if fixable else ""
    return f"{_counts_text(findings)}.{offer}"


def repair_text(before: int, findings: Sequence[Finding]) -> str:
    """Return how many findings `--fix` has repaired, and how many remain.

    Args:
        before: how many there were.
        findings: those that there are now.
    """
    if not before and not findings:
        return "Nothing had to be repaired."
    repaired = max(before - len(findings), 0)
    if not findings:
        return f"Repaired {'it' if repaired == 1 else f'all {repaired} findings'}: nothing remains."
    done = f"Repaired {repaired} of {count_text(before, 'finding')}" if repaired else "Nothing could be repaired"
    verb = "remains, which has" if len(findings) == 1 else "remain, which have"
    return f"{done}: {_counts_text(findings)} {verb} to be changed in the build."


def document(title: str, findings: Sequence[Finding], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON document of an examination.

    Args:
        title: what was examined.
        findings: what was found.
        facts: what was found out about it besides.
    """
    return {"examined": title, **facts, "findings": [asdict(finding) for finding in sort_findings(list(findings))]}


def rule_lines(rules: Sequence[Rule]) -> list[str]:
    """Return a line for each rule."""
    longest = max(len(rule.id) for rule in rules)
    return [f"{rule.id:<{longest}}  {rule.severity:<7}  {rule.title}" for rule in rules]


def _counts_text(findings: Sequence[Finding]) -> str:
    """Return the numbers of errors, warnings and notes."""
    counts = [(severity, sum(each.severity is severity for each in findings)) for severity in Severity]
    return ", ".join(count_text(count, severity) for severity, count in counts if count)


def _finding_lines(finding: Finding, paint: Paint, width: int) -> list[str]:
    place = f"  {_printable(finding.place)}" if finding.path else ""
    lines = [f"{_INDENT}{paint(finding.severity, finding.severity)}  {finding.rule}{place}"]
    lines += _wrap(_printable(finding.message), width)
    lines += [f"{_INDENT * 3}{_printable(line)}" for line in finding.detail.splitlines()]
    texts = [f"Cost: {finding.cost}." if finding.cost else "", f"→ {finding.advice}"]
    return [*lines, *(line for text in texts for line in _wrap(text, width))]


def _wrap(text: str, width: int) -> list[str]:
    indent = _INDENT * 2
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _printable(text: str) -> str:
    """Return a text in which what no terminal shows, such as a control character in a file's name, is escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _no_paint(text: str, severity: Severity) -> str:
    return text
