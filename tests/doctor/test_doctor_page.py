"""docs/doctor.md has every rule, as it is declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_web_adapter.doctor.findings import Group, Rule
from lambda_web_adapter.doctor.rules import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()


def row_of(rule: Rule) -> str:
    fix = "yes" if rule.fixable else ""
    return f'| <a id="{rule.id}"></a>`{rule.id}` | {rule.severity} | {fix} | {rule.title} | {rule.advice} |'


@pytest.mark.parametrize("group", list(Group))
def test_the_page_has_the_rules_of_a_group(group: Group) -> None:
    section = PAGE.split(f"\n### {group}\n")[1].split("\n#")[0]
    rows = [line for line in section.splitlines() if line.startswith("| <a")]

    assert rows == [row_of(rule) for rule in RULES if rule.group is group]


def test_no_two_rules_have_one_id() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
