"""The documentation says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lambda_web_adapter.events import services
from lambda_web_adapter.settings import OPTIONS

PROJECT = Path(__file__).parent.parent
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("examples/*/README.md")])


def _shown(default: object) -> str:
    if default == frozenset(range(100, 500)):
        return "`100-499`"
    if isinstance(default, float):
        return f"`{default:g}`" if default else ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default else ""


def _rows() -> list[str]:
    """The settings table, as it follows from the declarations."""
    rows = []
    for option in OPTIONS:
        names = " or ".join(f"`{variable}`" for variable in option.variables)
        rows.append(f"| {names} | {_shown(option.default)} | {option.meaning} |")
    return rows


def test_the_settings_page_has_the_table_that_follows_from_the_declarations() -> None:
    page = (PROJECT / "docs" / "settings.md").read_text()

    assert [line for line in page.splitlines() if line.startswith("| `AWS_LWA_")] == _rows()


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(PROJECT))) for page in PAGES])
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"(?:\]\(|src=\"|srcset=\")(?!https?:|#)([^)#\"]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_event_sources_page_has_every_source_s_name_and_no_other() -> None:
    page = (PROJECT / "docs" / "event-sources.md").read_text()
    table = page.split("\n| source | events |\n|---|---|\n")[1].split("\n\n")[0]
    shown = [name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])]

    names = {
        *services._SERVICES.values(),
        *(name for name, _ in services._DISTINCTIVE_KEYS),
        "authorizer",
        "websocket",
        "direct",
    }
    assert sorted(shown) == sorted(names)


def _snippets() -> list[str]:
    return [
        snippet for page in PAGES for snippet in re.findall(r"```python[^\n]*\n(.*?)```", page.read_text(), re.DOTALL)
    ]


def test_every_route_for_events_that_is_shown_refuses_clients() -> None:
    modules = [path.read_text() for folder in ("src", "examples") for path in (PROJECT / folder).rglob("*.py")]
    routes = [
        route
        for text in [*_snippets(), *modules]
        for route in re.findall(r"""^ *@\w+\.(?:post|route)\(['"]/(?:events|ws)\b.*\n.*\n""", text, re.MULTILINE)
    ]

    assert len(routes) >= 8
    assert [route for route in routes if "require_event_source(" not in route] == []


def test_every_dependency_is_justified() -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    names = [re.match(r"[\w-]+", requirement) for requirement in project["dependencies"]]
    page = (PROJECT / "docs" / "dependencies.md").read_text()

    assert [name[0] for name in names if name and f"| {name[0]} |" not in page] == []
