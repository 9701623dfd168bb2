"""The tree keeps the shape that docs/architecture.md describes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_web_adapter.events import SOURCES

PACKAGE = "lambda_web_adapter"
SOURCE = Path(__file__).parent.parent / "src" / PACKAGE
MODULES = sorted(SOURCE.rglob("*.py"))

# Which parts of the package a part may import, besides itself.
LAYERS: dict[str, set[str]] = {
    "cli": {"adapter", "app", "errors", "ipc", "local", "setting_notes", "settings"},
    "local": {"", "adapter", "errors", "models", "settings"},
    "adapter": {"", "errors", "events", "http", "ipc", "settings"},
    "app": {"app_api", "errors", "http", "ipc", "settings"},
    "events": {"errors", "http", "ipc", "settings"},
    "http": {"errors"},
    "ipc": {"http"},
    "settings": {"errors", "setting_parsers"},
    "setting_parsers": set(),
    "setting_notes": {"settings"},
    "errors": set(),
    "models": set(),
    "__main__": {"cli"},
    "": {"app_api"},
    "app_api": {"", "errors", "ipc"},
    "fastapi": {"app_api"},
    "flask": {"app_api"},
    "testing": {"app_api"},
}
PURE = ("http", "ipc", "events", "settings", "setting_notes", "setting_parsers", "errors", "models")
# What a pure module never imports: each of these is a door to the outside.
DOORS = {
    "asyncio",
    "http.client",
    "logging",
    "os",
    "pathlib",
    "random",
    "select",
    "socket",
    "subprocess",
    "sys",
} | {
    "threading",
    "time",
    "urllib.request",
    "uuid",
}


def _part(module: Path) -> str:
    """The part that a file belongs to: its folder, or its own name at the top."""
    relative = module.relative_to(SOURCE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem.replace("__init__", "")


def _imports(module: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import part` names a module, `from package.module import name` does not.
            found |= {f"{node.module}.{name.name}" if node.module == PACKAGE else node.module for name in node.names}
    return found


def _own(name: str) -> str:
    part = name.removeprefix(PACKAGE).lstrip(".").partition(".")[0]
    return "" if part.startswith("__") else part


all_modules = pytest.mark.parametrize(
    "module", [pytest.param(path, id=str(path.relative_to(SOURCE))) for path in MODULES]
)


@all_modules
def test_imports_point_down(module: Path) -> None:
    part = _part(module)
    imported = {_own(name) for name in _imports(module) if name.split(".")[0] == PACKAGE}

    assert imported - {part} <= LAYERS[part]


@all_modules
def test_pure_modules_have_no_door_to_the_outside(module: Path) -> None:
    if _part(module) in PURE and module.name not in ("parent_process.py", "log_output.py"):
        assert _imports(module) & DOORS == set()


@all_modules
def test_files_stay_small(module: Path) -> None:
    longest = 450 if module.name == "settings.py" else 320  # that one is a table

    assert len(module.read_text().splitlines()) <= longest


@all_modules
def test_functions_fit_a_screen(module: Path) -> None:
    long = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.body[0].lineno
            if (node.end_lineno or 0) - first > 40:
                long.append(node.name)

    assert long == []


@all_modules
def test_nothing_happens_at_import(module: Path) -> None:
    """At the top there are definitions and constants; calls that do something (starting with a bare name) are not."""
    calls = [
        node.lineno
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]

    assert calls == []


def test_every_source_has_a_name_of_its_own_and_a_file() -> None:
    names = [source.name for source in SOURCES]

    assert len(set(names)) == len(names)
    assert {(SOURCE / "events" / f"{name.replace('-', '_')}.py").exists() for name in names} == {True}


def test_the_entry_point_imports_neither_the_adapter_nor_a_server() -> None:
    """What stands before the fork is paid before the app begins to be imported."""
    program = "import sys; import lambda_web_adapter.cli; print('\\n'.join(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    heavy = {"argparse", "asyncio", "httpx", "logging", "pydantic", "uvicorn", "orjson", "httptools", "subprocess"}
    assert heavy & set(found) == set()
    assert {name for name in found if name.startswith(f"{PACKAGE}.")} == {
        f"{PACKAGE}.cli",
        f"{PACKAGE}.app_api",
        f"{PACKAGE}.ipc",
        f"{PACKAGE}.app_api.current_invocation",
        f"{PACKAGE}.errors",
        f"{PACKAGE}.app_api.hooks",
        f"{PACKAGE}.app_api.lambda_context",
        f"{PACKAGE}.ipc.envelope",
        f"{PACKAGE}.setting_parsers",
        f"{PACKAGE}.settings",
    }
