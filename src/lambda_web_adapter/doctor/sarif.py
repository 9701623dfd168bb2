"""Findings as SARIF 2.1.0, which GitHub's code scanning and editors read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_web_adapter import __version__
from lambda_web_adapter.doctor.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_web_adapter.doctor.findings import Finding, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SITE = "https://github.com/lambda-web-adapter/lambda-web-adapter"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def build_sarif(artifact: str, findings: Iterable[Finding], rules: Sequence[Rule]) -> dict[str, Any]:
    """Return the SARIF document of an examination.

    Args:
        artifact: what was examined; the place of findings that are about all of it.
        findings: what was found.
        rules: all rules, those that are not broken as well.
    """
    driver = {
        "name": "lambda-web-adapter doctor",
        "version": __version__,
        "informationUri": _SITE,
        "rules": [_rule(rule) for rule in rules],
    }
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    results = [_result(artifact, finding, numbers[finding.rule]) for finding in findings]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.advice},
        "helpUri": f"{_SITE}/blob/main/docs/doctor.md#{rule.id}",
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(artifact: str, finding: Finding, number: int) -> dict[str, Any]:
    cost = f" It costs {finding.cost}." if finding.cost else ""
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path or artifact)}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}{cost} {finding.advice}"},
        "locations": [{"physicalLocation": location}],
    }


def _uri(path: str) -> str:
    """Return a path as a relative URI."""
    from urllib.parse import quote

    return quote(path.replace("\\", "/"), errors="surrogateescape")
