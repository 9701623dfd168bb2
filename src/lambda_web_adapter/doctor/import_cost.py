"""What it costs to compile modules at each cold start: measured where the app can be imported, else estimated."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.interpreters import find_python
from lambda_web_adapter.artifacts.quotas import ONE_VCPU
from lambda_web_adapter.artifacts.sizes import MB, size_text
from lambda_web_adapter.doctor.source_imports import likely_modules
from lambda_web_adapter.doctor.unpacking import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_web_adapter.doctor.subject import Subject

_REPEATS = 3  # the fastest one counts: the others were disturbed
_TIMEOUT = 60  # seconds for an import
_LONG = 5  # seconds of imports after which no more are started, since a fraction does not matter then
# Prints the CPU seconds of an import to a file, since the app may print.
_IMPORTER = """
import importlib, sys, time
sys.path[:0] = sys.argv[3:]
started_at = time.process_time()
importlib.import_module(sys.argv[1])
with open(sys.argv[2], "w") as file:
    file.write(str(time.process_time() - started_at))
"""
# CPU seconds to compile 1 MB of source: 0.18 with CPython 3.11 and 0.22 with 3.13 on a core of a Xeon, for the
# 890 modules (9.3 MB) of FastAPI, the adapter and what they require. A function has a whole core from 1,769 MB on.
SECONDS_PER_MEGABYTE = 0.2
# AWS bills the init phase since August 2025 (AWS Lambda pricing, us-east-1): dollars for a GB and second, and the
# memory in GB that comes with one whole core.
_DOLLARS = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
_CORE_MEMORY = ONE_VCPU / 1024
_LEAST_SECONDS = 0.001  # that are worth a price


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """CPU seconds of an app's import.

    Attributes:
        module: what was imported.
        now: as the artifact is.
        compiled: the same with valid bytecode for all modules.
        architecture: the function's, by which CPU time has a price.
    """

    module: str
    now: float
    compiled: float
    architecture: str = "x86_64"

    @property
    def text(self) -> str:
        """Return what it costs."""
        figures = f"{time_text(self.now)} as it is, {time_text(self.compiled)} with valid bytecode"
        cost = _cost_text(self.now - self.compiled, self.architecture)
        return f"{cost}; measured: the import of {self.module} takes {figures}"


def estimate(subject: Subject, sources: Iterable[str]) -> str:
    """Return what it costs at most to compile sources, by their size."""
    size = sum(subject.artifact.entries[path].size for path in sources)
    cost = _cost_text(size / MB * SECONDS_PER_MEGABYTE, subject.target.architecture)
    origin = f"estimated: {size_text(size)} of source at {SECONDS_PER_MEGABYTE} s for each MB"
    return f"{cost} if the app imports all of it; {origin}"


def measure(subject: Subject) -> ImportCost | None:
    """Import the app of an artifact with and without valid bytecode.

    Returns:
        The CPU times; None if the app cannot be imported here: an image, another machine or Python, packages that only
        layers or the runtime have, or a failure.
    """
    python = find_python(subject.target.python)
    if subject.artifact.image or not python or not subject.target.is_this_machine:
        return None
    with unpacked(subject.artifact) as folder, tempfile.TemporaryDirectory() as cache:
        for module in likely_modules(subject):
            try:
                now = _import_seconds(python, module, folder, {"PYTHONDONTWRITEBYTECODE": "1"})
                if now is None:
                    continue
                # Python writes compiled files there at the first import, and finds them at the next.
                cached = {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
                _run_import(python, module, folder, cached)
                compiled = _import_seconds(python, module, folder, cached)
            except subprocess.TimeoutExpired:
                return None  # it serves, or waits: others would most likely, too
            if compiled is None:
                return None
            architecture = subject.target.architecture
            return ImportCost(module=module, now=now, compiled=compiled, architecture=architecture)
    return None


def _import_seconds(python: str, module: str, folder: Path, variables: dict[str, str]) -> float | None:
    """Return the CPU seconds of the fastest import; None if one fails. One that takes long is not repeated."""
    measured: list[float] = []
    started_at = time.monotonic()
    while len(measured) < _REPEATS and (not measured or time.monotonic() - started_at < _LONG):
        seconds = _run_import(python, module, folder, variables)
        if seconds is None:
            return None
        measured.append(seconds)
    return min(measured)


def _run_import(python: str, module: str, folder: Path, variables: dict[str, str]) -> float | None:
    """Return the CPU seconds of one import; None if it fails."""
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch, "seconds")
        # Without the packages that are installed here: the artifact has its own.
        arguments = [python, "-S", "-s", "-c", _IMPORTER, module, str(result), str(folder), str(folder / "python")]
        environ = {**os.environ, "PYTHONPATH": "", **variables}
        try:
            subprocess.run(  # noqa: S603  # the app that is examined
                arguments, cwd=folder, env=environ, capture_output=True, timeout=_TIMEOUT, check=False
            )
            return float(result.read_text())
        except (OSError, ValueError):
            return None


def _cost_text(seconds: float, architecture: str) -> str:
    """Return what CPU time costs in each cold start, with the price of a whole core."""
    if seconds < _LEAST_SECONDS:
        return "less than 1 ms of CPU in each cold start"
    dollars = seconds * _CORE_MEMORY * _DOLLARS.get(architecture, _DOLLARS["x86_64"]) * 1e6
    price = f"${_round(dollars)} per million cold starts with {_CORE_MEMORY * 1024:,.0f} MB of memory"
    return f"{time_text(seconds)} of CPU in each cold start ({price})"


def time_text(seconds: float) -> str:
    """Return a time of at most three digits: `426 ms`, `1.24 s`."""
    return f"{_round(seconds)} s" if seconds >= 0.9995 else f"{max(seconds, 0) * 1000:.0f} ms"


def _round(value: float) -> str:
    """Return a number with at most three digits that count, as prices have them: `0.03`, `1.26`, `12.6`, `1,260`."""
    value = max(value, 0)
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
