"""What it costs to compile modules at each cold start: measured where the app can be imported, else estimated."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.source_scan import scan
from lambda_web_adapter.artifacts.interpreters import find_python
from lambda_web_adapter.doctor.unpacking import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_web_adapter.doctor.subject import Subject

_REPEATS = 3  # the fastest one counts: the others were disturbed
_TIMEOUT = 60  # seconds for an import
# Prints the CPU seconds of an import to a file, since the app may print.
_IMPORTER = """
import importlib, sys, time
sys.path[:0] = sys.argv[3:]
started_at = time.process_time()
importlib.import_module(sys.argv[1])
with open(sys.argv[2], "w") as file:
    file.write(str(time.process_time() - started_at))
"""
# CPU seconds to compile a megabyte of source: 0.17 with CPython 3.11 and 0.21 with 3.13 on a core of a Xeon, for the
# 890 modules (9.7 MB) of FastAPI, the adapter and what they require. A function has a whole core from 1,769 MB on.
SECONDS_PER_MEGABYTE = 0.2
# AWS bills the init phase since August 2025 (AWS Lambda pricing, x86-64, us-east-1): dollars for a GB and second, and
# the memory in GB that comes with one whole core.
_DOLLARS, _CORE_MEMORY = 0.0000166667, 1.769
_USUAL_MODULES = ("main", "app", "application", "lambda_function", "handler", "wsgi", "asgi", "server", "index")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """CPU seconds of an app's import.

    Attributes:
        module: what was imported.
        now: as the artifact is.
        compiled: the same with valid bytecode for all modules.
    """

    module: str
    now: float
    compiled: float

    @property
    def text(self) -> str:
        """Return what it costs."""
        figures = f"{self.now * 1000:.0f} ms as it is, {self.compiled * 1000:.0f} ms with valid bytecode"
        return f"{_seconds_text(self.now - self.compiled)}; measured: the import of {self.module} takes {figures}"


def estimate(subject: Subject, sources: Iterable[str]) -> str:
    """Return what it costs at most to compile sources, by their size."""
    megabytes = sum(subject.artifact.entries[path].size for path in sources) / 1e6
    origin = f"estimated: {megabytes:.1f} MB of source at {SECONDS_PER_MEGABYTE} s each"
    return f"up to {_seconds_text(megabytes * SECONDS_PER_MEGABYTE)} if the app imports all of it; {origin}"


def measure(subject: Subject) -> ImportCost | None:
    """Import the app of an artifact with and without valid bytecode.

    Returns:
        The CPU times; None if the app cannot be imported here: an image, another machine or Python, or a failure.
    """
    python = find_python(subject.target.python)
    if subject.artifact.image or not python or not subject.target.is_this_machine:
        return None
    with unpacked(subject.artifact) as folder, tempfile.TemporaryDirectory() as cache:
        for module in _app_modules(subject, folder):
            now = _import_seconds(python, module, folder, {"PYTHONDONTWRITEBYTECODE": "1"})
            if now is None:
                continue
            # Python writes compiled files there at the first import, and finds them at the next.
            cached = {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
            _run_import(python, module, folder, cached)
            compiled = _import_seconds(python, module, folder, cached)
            return None if compiled is None else ImportCost(module=module, now=now, compiled=compiled)
    return None


def _app_modules(subject: Subject, folder: Path) -> Iterator[str]:
    """Yield the modules that may be what a start imports, the likeliest first."""
    for function in subject.functions:
        if handler := re.fullmatch(r"([\w./]+)[:.]\w+", function.handler):
            yield handler[1].replace("/", ".").removesuffix(".py")
    modules = [path for path in subject.own_modules if re.fullmatch(r"(\w+/)?\w+\.py", path)]
    apps = {path for path in modules if scan(folder / path).app}
    names = sorted(modules, key=lambda path: (path not in apps, path.count("/"), _usual_rank(path), path))
    for path in names:
        if path in apps or _usual_rank(path) < len(_USUAL_MODULES):
            yield path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _usual_rank(path: str) -> int:
    name = Path(path).stem
    return _USUAL_MODULES.index(name) if name in _USUAL_MODULES else len(_USUAL_MODULES)


def _import_seconds(python: str, module: str, folder: Path, variables: dict[str, str]) -> float | None:
    seconds = [_run_import(python, module, folder, variables) for _ in range(_REPEATS)]
    measured = [each for each in seconds if each is not None]
    return min(measured) if len(measured) == _REPEATS else None


def _run_import(python: str, module: str, folder: Path, variables: dict[str, str]) -> float | None:
    """Return the CPU seconds of one import; None if it fails."""
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch, "seconds")
        arguments = [python, "-c", _IMPORTER, module, str(result), str(folder), str(folder / "python")]
        environ = {**os.environ, "PYTHONPATH": "", **variables}
        try:
            subprocess.run(  # noqa: S603  # the app that is examined
                arguments, cwd=folder, env=environ, capture_output=True, timeout=_TIMEOUT, check=False
            )
            return float(result.read_text())
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return None


def _seconds_text(seconds: float) -> str:
    dollars = seconds * _CORE_MEMORY * _DOLLARS * 1e6
    price = f"${dollars:.2f} per million at {_CORE_MEMORY * 1000:,.0f} MB"
    return f"{seconds * 1000:.0f} ms of CPU in each cold start ({price})"
