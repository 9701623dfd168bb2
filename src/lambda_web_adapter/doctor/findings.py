"""What an examination finds: rules, and what breaks them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is; from the worst on."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Group(StrEnum):
    """What a rule is about; findings are printed by group, in this order."""

    START = "Start"
    PACKAGE = "Package"
    RUNTIME = "Runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong.

    Attributes:
        rule: the id of the rule, such as `stale-bytecode`.
        severity: how bad it is.
        message: what was expected and what is there.
        advice: what to do.
        path: where, as the artifact has it; empty for all of it.
        line: the line of that file; 0 for all of it.
        cost: what it costs, such as `400 ms of CPU in each cold start`; empty if that is not known.
        detail: lines to show as they are, such as a traceback; empty if there are none.
        fixable: whether `--fix` does it.
    """

    rule: str
    severity: Severity
    message: str
    advice: str
    path: str = ""
    line: int = 0
    cost: str = ""
    detail: str = ""
    fixable: bool = False

    @property
    def place(self) -> str:
        """Return path and line as compilers write them; empty for all of the artifact."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is examined.

    Attributes:
        id: its name in output and SARIF, and its heading in docs/doctor.md.
        group: what it is about.
        severity: how bad it is, unless a finding says otherwise.
        title: what is wrong when it is broken, in one line.
        advice: what to do, unless a finding says otherwise.
        fixable: whether `--fix` may do it.
    """

    id: str
    group: Group
    severity: Severity
    title: str
    advice: str
    fixable: bool = False

    def broken(  # noqa: PLR0913  # each is a field of the finding
        self,
        message: str,
        path: str = "",
        line: int = 0,
        *,
        cost: str = "",
        detail: str = "",
        advice: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """Return the finding that the rule is broken.

        Args:
            message: what was expected and what is there.
            path: where.
            line: the line, if it is one.
            cost: what it costs.
            detail: lines to show as they are.
            advice: what to do, instead of the rule's advice.
            severity: how bad it is, if not as bad as the rule says.
        """
        return Finding(
            rule=self.id,
            severity=severity or self.severity,
            message=message,
            advice=advice or self.advice,
            path=path,
            line=line,
            cost=cost,
            detail=detail,
            fixable=self.fixable,
        )


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """Return findings with the worst first; then by rule and place."""
    order = list(Severity)
    return sorted(findings, key=lambda each: (order.index(each.severity), each.rule, each.path, each.line))


def count_text(count: int, noun: str) -> str:
    """Return a number and its noun, in the plural if it needs one: `1 file`, `2 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def paths_text(paths: list[str], most: int = 3) -> str:
    """Return the first paths of a list, and how many there are besides."""
    rest = f" and {len(paths) - most:,} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + rest
