"""The tree keeps the shape that docs/architecture.md describes."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lambda_web_adapter.events import import_sources

PACKAGE = "lambda_web_adapter"
SOURCE = Path(__file__).parent.parent / "src" / PACKAGE

# What each folder may import, besides itself, from top to bottom: a name stands for a module of the package's own
# folder, "" for the package itself. The table in docs/architecture.md says why.
LAYERS: dict[str, set[str]] = {
    "__main__": {"cli", "ipc"},
    "cli": {"adapter", "adapter/*", "app", "errors", "ipc", "local", "local/commands", "setting_notes", "settings"},
    "testing": {"adapter", "adapter/*", "app", "app/*", "app_api", "errors", "http", "ipc", "local", "local/*"}
    | {"models", "setting_notes", "settings", "testing/*"},
    "testing/runtime_api": set(),
    "local/commands": {"artifacts", "doctor", "doctor/start", "errors", "ipc", "local", "local/*", "packaging"}
    | {"settings"},
    "packaging": {"", "app/discovery", "artifacts", "errors", "ipc", "local", "local/environments", "local/records"},
    "doctor/start": {"", "adapter/process", "app", "app/asgi", "artifacts", "doctor", "ipc", "local"}
    | {"local/environments", "local/gateways", "local/imports", "settings"},
    "local": {"", "adapter/process", "app", "app_api", "app/hooks", "app/wsgi", "errors", "ipc", "local/*", "models"}
    | {"settings"},
    "local/environments": {"", "adapter/process", "ipc", "local", "models", "settings"},
    "local/inspector": {"", "adapter/process", "app", "app/discovery", "errors", "events", "http", "ipc", "local"}
    | {"local/*", "models", "settings"},
    "local/imports": {"app", "errors", "ipc", "local/environments", "settings"},
    "local/invoke_api": {"local", "local/environments", "local/gateways", "models"},
    "local/reload": {"ipc", "local", "local/environments"},
    "local/inspector/notes": {"errors", "events", "http", "local", "local/gateways", "local/records"},
    "local/records": {"local", "local/environments", "models"},
    "local/websocket_api": {"local", "local/environments", "local/gateways", "models"},
    "local/sample_events": {"", "errors", "events", "local", "local/gateways", "models", "models/services", "settings"},
    "local/gateways": {"local", "models"},
    "doctor": {"", "app/discovery", "artifacts", "errors", "setting_notes", "settings"},
    "artifacts": set(),
    "adapter": {"adapter/*", "errors", "events", "http", "ipc", "settings"},
    "adapter/lambda_api": {"", "adapter/diagnostics", "adapter/io", "errors", "http", "ipc"},
    "adapter/process": {"adapter/diagnostics", "adapter/io", "errors", "http", "ipc", "settings"},
    "adapter/io": {"adapter/process", "errors", "http", "ipc"},
    "adapter/diagnostics": {"http", "ipc"},
    "app": {"app/*", "app_api", "errors", "http", "ipc", "settings"},
    "app/asgi": {"app", "app/hooks", "app_api", "errors", "http", "ipc", "settings"},
    "app/wsgi": {"app", "app/hooks", "app_api", "errors", "http", "ipc", "settings"},
    "app/hooks": {"app", "app_api", "ipc"},
    "app/discovery": {"app", "errors", "ipc"},
    "events": {"errors", "http", "ipc", "settings"},
    "fastapi": {"app_api"},
    "flask": {"app_api"},
    "": {"app_api"},
    "app_api": {"errors", "http", "ipc"},
    "ipc": {"errors", "http"},
    "http": {"errors"},
    "models/services": {"models"},
    "models": set(),
    "setting_notes": {"settings"},
    "settings": {"errors", "setting_parsers"},
    "setting_parsers": set(),
    "errors": set(),
}
PURE = {"http", "ipc", "events", "settings", "setting_notes", "setting_parsers", "errors", "models", "models/services"}
PURE |= {"local/inspector/notes"}
# They are in ipc because both processes use them, and need the system for what they do.
NOT_PURE = {"ipc/parent_process.py", "ipc/log_output.py", "ipc/start_file.py"}
NOT_PURE |= {"ipc/module_finder.py", "ipc/module_record.py"}
# What a pure module never imports: each of these leads to the outside.
OUTSIDE = {"asyncio", "http.client", "logging", "os", "pathlib", "random", "select", "socket", "subprocess", "sys"}
OUTSIDE |= {"threading", "time", "urllib.request", "uuid"}


@functools.cache
def _modules() -> dict[str, ast.Module]:
    """The syntax tree of each module, by its path in the package."""
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}


def _folder(module: str) -> str:
    """The row of LAYERS that a module belongs to: its folder, or its own name at the top."""
    folder, _, name = module.rpartition("/")
    return folder or name.removesuffix(".py").replace("__init__", "")


def _imports(tree: ast.AST, for_types: bool) -> Iterator[str]:
    """The modules that are imported anywhere in a tree: at run time, or `for_types` only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            if for_types:
                yield from _imports(node, for_types=False)
        elif isinstance(node, ast.Import):
            yield from () if for_types else (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` names a module, `from package.module import name` does not.
            yield from (
                ()
                if for_types
                else (name if _path(name := f"{node.module}.{alias.name}") else node.module for alias in node.names)
            )
        else:
            yield from _imports(node, for_types)


def _path(name: str) -> str | None:
    """The path of one of the package's own modules; None for any other name."""
    if name.partition(".")[0] != PACKAGE:
        return None
    stem = name.removeprefix(PACKAGE).lstrip(".").replace(".", "/")
    candidates = (f"{stem}.py", f"{stem}/__init__.py".lstrip("/"))
    return next((path for path in candidates if path in _modules()), None)


def _imported_folders(module: str, for_types: bool) -> set[str]:
    paths = map(_path, _imports(_modules()[module], for_types))
    return {_folder(path) for path in paths if path}


def _allowed(folder: str) -> set[str]:
    names = {folder, *LAYERS[folder]}
    inner = {name for name in LAYERS if "/" in name and f"{name.partition('/')[0]}/*" in names}
    return {name for name in names if not name.endswith("*")} | inner


def test_each_folder_imports_only_what_its_row_names() -> None:
    wrong = [
        f"{module} imports {folder or PACKAGE}"
        for module in _modules()
        for folder in sorted(_imported_folders(module, for_types=False) - _allowed(_folder(module)))
    ]

    assert wrong == []


def test_imports_for_types_stay_in_their_process() -> None:
    """They may also name any folder beside their own, since they are not executed."""
    wrong = []
    for module in _modules():
        top = _folder(module).partition("/")[0]
        beside = set().union(*(_allowed(name) for name in LAYERS if name.partition("/")[0] == top))
        wrong += [f"{module} imports {folder}" for folder in _imported_folders(module, for_types=True) - beside]

    assert wrong == []


def test_rows_name_only_what_stands_below_them() -> None:
    """Inside of one folder its parts may name each other; there the next test holds."""
    rows = list(LAYERS)
    wrong = [
        f"{folder} imports {name}, which stands above it"
        for folder in rows
        for name in sorted(_allowed(folder))
        if name.partition("/")[0] != folder.partition("/")[0] and rows.index(name) < rows.index(folder)
    ]

    assert wrong == []
    assert {_folder(module) for module in _modules()} == set(LAYERS), (
        "a folder without a row, or a row without a folder"
    )


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {path for name in _imports(tree, for_types=False) if (path := _path(name)) and path != module}
        for module, tree in _modules().items()
    }
    circle: list[str] = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]

    assert circle == []


def test_pure_modules_import_nothing_that_leads_outside() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in _modules().items()
        if _folder(module) in PURE and module not in NOT_PURE
        for name in sorted({*_imports(tree, for_types=False), *_imports(tree, for_types=True)} & OUTSIDE)
    ]

    assert wrong == []


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for module, tree in _modules().items():
        lines = len((SOURCE / module).read_text().splitlines())
        if lines > (450 if module == "settings.py" else 320):  # that one is a table
            wrong.append(f"{module} has {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0].lineno
                if (node.end_lineno or 0) - first > 40:
                    wrong.append(f"{module}:{node.lineno}: {node.name} does not fit a screen")

    assert wrong == []


def test_nothing_happens_at_import() -> None:
    """At the top of a module there are definitions and constants, and no call whose result nobody takes."""
    wrong = [
        f"{module}:{node.lineno}"
        for module, tree in _modules().items()
        for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]

    assert wrong == []


def test_every_source_has_a_name_of_its_own_and_a_file() -> None:
    names = [source.name for source in import_sources()]

    assert len(set(names)) == len(names)
    assert {f"events/{name.replace('-', '_')}.py" for name in names} <= _modules().keys()


def test_the_entry_point_imports_neither_the_adapter_nor_a_server() -> None:
    """What is imported before the fork delays the app's own imports."""
    program = "import sys; import lambda_web_adapter.cli; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    heavy = {"argparse", "asyncio", "httpx", "logging", "pydantic", "uvicorn", "orjson", "httptools", "subprocess"}
    assert heavy & set(loaded) == set()
    assert {name.removeprefix(f"{PACKAGE}.") for name in loaded if name.startswith(f"{PACKAGE}.")} == {
        "cli",
        "app_api",
        "app_api.current_invocation",
        "app_api.hooks",
        "app_api.lambda_context",
        "errors",
        "ipc",
        "ipc.envelope",
        "ipc.start_file",
        "setting_parsers",
        "settings",
    }


def test_no_two_test_files_have_one_name() -> None:
    """Pytest imports those of folders that are no packages by their names alone."""
    tests = Path(__file__).parent
    names = Counter(path.name for path in tests.rglob("test_*.py") if not (path.parent / "__init__.py").exists())

    assert [name for name, count in names.items() if count > 1] == []
