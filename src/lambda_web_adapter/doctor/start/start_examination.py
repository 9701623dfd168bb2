"""Examine the start of an app: try it, time it, and see what it could do without."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.doctor.start.cpu_group import CpuGroup, cpu_group
from lambda_web_adapter.doctor.start.failures import attempted_writes, compiled_modules, failures
from lambda_web_adapter.doctor.start.trial import NO_BYTECODE, run_trial
from lambda_web_adapter.doctor.start.unused_modules import Proof, find_candidates, prove
from lambda_web_adapter.doctor.start_rules import NEEDLESS_IMPORT, SLOW_START
from lambda_web_adapter.local.environments.function_options import ONE_VCPU
from lambda_web_adapter.local.imports.import_times import ImportsNotMeasured, measure_imports
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.start.trial import StartTarget, Trial
    from lambda_web_adapter.local.imports.import_times import AppImport


def _ignore(_: str) -> None:
    """Tell nobody."""


# Starts of which the fastest counts: the others were disturbed.
_REPEATS = 3
# What a start has to save in CPU time to be worth a change, in seconds.
_WORTHWHILE = 0.005


@dataclass(slots=True, kw_only=True)
class StartExamination:
    """What a start is like.

    Attributes:
        target: what was started.
        trial: the fastest start.
        observed: the start in which it was seen what runs and what is written; that is slower.
        imports: the app's import, module by module; None if it could not be measured.
        proof: what starts without modules have shown; None if that was not tried.
        notes: what is not as on Lambda, and why.
        findings: what is wrong.
    """

    target: StartTarget
    trial: Trial
    observed: Trial
    imports: AppImport | None = None
    proof: Proof | None = None
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def own(self) -> set[str]:
        """Return the names of the app's own modules."""
        return {name for (name,) in self.observed.all("own")}

    @property
    def ran(self) -> set[str]:
        """Return the names of the modules of which something has run after the import."""
        return {name for (name,) in self.observed.all("ran")}

    def facts(self) -> dict[str, Any]:
        """Return what is known about the start, for JSON; times in milliseconds."""
        imported = self.trial.first("imported")
        return {
            "interface": next(iter(self.trial.first("interface")), None),
            "lifespan": self.lifespan,
            "memory": self.target.options.memory,
            "ready_ms": _milliseconds(self.trial.init_seconds),
            "ready_cpu_ms": _milliseconds(self.trial.cpu_seconds),
            "import_ms": _milliseconds(imported[0]) if imported else None,
            "import_cpu_ms": _milliseconds(imported[1]) if imported else None,
            "used_mb": round(self.trial.memory / 1024**2, 1),
            "requests": [
                {"title": each.title, "status": each.status, "ms": _milliseconds(each.seconds)}
                for each in self.trial.answers
            ],
            "compiled": [path for path, _ in self.trial.all("compiled")],
            "not_as_on_lambda": self.notes,
            "unused": [dataclasses.asdict(each) for each in self.proof.unused] if self.proof else None,
            "needed": self.proof.needed if self.proof else None,
            "saved_cpu_ms": _milliseconds(self.proof.saved_seconds) if self.proof else None,
        }

    @property
    def lifespan(self) -> str:
        """Return how the lifespan startup went: `complete`, `failed`, or `none`."""
        started = [kind for (kind,) in self.trial.all("lifespan") if kind.startswith("lifespan.startup.")]
        return started[0].removeprefix("lifespan.startup.") if started else "none"


def examine_app(target: StartTarget, *, tell: Callable[[str], None] = _ignore) -> StartExamination:
    """Return what the start of an app is like on this machine.

    Args:
        target: what is started.
        tell: gets the name of each step when it begins.
    """
    tell(f"Starting {target.title}")
    observed = run_trial(target, watches=True)
    found = list(failures(target, observed))
    examination = StartExamination(
        target=target, trial=observed, observed=observed, notes=[*target.notes], findings=found
    )
    if not observed.is_ready or _is_slow(found):
        return examination
    examination.findings += attempted_writes(target, observed)
    tell(f"Starting {target.title} {_REPEATS} times, to time it")
    examination.trial = min((run_trial(target) for _ in range(_REPEATS)), key=lambda each: each.cpu_seconds)
    examination.findings += compiled_modules(target, examination.trial)
    _time_imports(examination, tell)
    if examination.imports and observed.has_served:
        tell(f"Starting {target.title} without imports that may wait")
        candidates = find_candidates(examination.imports, examination.own, examination.ran, target.folder)
        examination.proof = prove(target, candidates, examination.trial)
        examination.findings += _needless_imports(examination.proof)
    return examination


def examine_isolated_start(target: StartTarget, *, tell: Callable[[str], None] = _ignore) -> StartExamination:
    """Return what the start of an app is like in an environment as Lambda's, as far as this system allows that.

    Args:
        target: what is started.
        tell: gets the name of each step when it begins.
    """
    tell(f"Starting {target.title} as on Lambda")
    with ExitStack() as stack:
        group = stack.enter_context(cpu_group(target.options.memory))
        # Its time is that of Lambda's CPU share; what is seen of it costs some of that.
        observed = run_trial(target, group=group.members, is_isolated=True, watches=True)
        found = list(failures(target, observed))
        trial = observed
        goes_on = observed.is_ready and not _is_slow(found)
        if goes_on:
            tell(f"Starting {target.title} as on Lambda, to time it")
            trial = run_trial(target, group=group.members, is_isolated=True)
            found += [*attempted_writes(target, observed), *compiled_modules(target, trial)]
    examination = StartExamination(target=target, trial=trial, observed=observed, findings=found)
    examination.notes += [*target.notes, *_differences(trial, group)]
    if goes_on:
        _time_imports(examination, tell)
    return examination


def _is_slow(findings: list[Finding]) -> bool:
    """Return whether a start takes so long that more of them would only take time."""
    return any(finding.rule == SLOW_START.id for finding in findings)


def _time_imports(examination: StartExamination, tell: Callable[[str], None]) -> None:
    """Import the app once more, without limits, to time each module."""
    target = examination.target
    tell(f"Timing the imports of {target.title}")
    settings = Settings.from_environ(target.environ).replaced(app=target.app, app_dir=str(target.folder))
    environ = {**target.environ, **NO_BYTECODE}
    measuring = measure_imports(settings, [], environ, target.options, interpreter=target.interpreter, min_us=0)
    try:
        examination.imports = asyncio.run(measuring)
    except ImportsNotMeasured as error:
        examination.notes.append(f"The import was not timed module by module: {error}")


def _differences(trial: Trial, group: CpuGroup) -> list[str]:
    reason = next(iter(trial.first("isolated")), "it has ended before")
    notes = [f"The file system and the user are this machine's: {reason}."] if reason else []
    return [*notes, f"The CPU time is not limited: {group.reason}."] if group.reason else notes


def _needless_imports(proof: Proof) -> list[Finding]:
    if proof.saved_seconds < _WORTHWHILE:
        return []
    total = f"{_milliseconds(proof.cpu_seconds_without):g} ms of CPU instead of {_milliseconds(proof.cpu_seconds):g}"
    whole = f"without {'it' if len(proof.unused) == 1 else 'all of these'}, the app's import takes {total}"
    findings = []
    for each in proof.unused:
        message = f"{each.path} imports {each.name}, of which nothing runs in the warm requests."
        cost = f"its import takes {each.import_us / 1000:.0f} ms; {whole}, as starts without have shown"
        findings.append(NEEDLESS_IMPORT.broken(message, each.path, each.line, cost=cost))
    return findings


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def describe(examination: StartExamination) -> list[str]:
    """Return the lines of a report about a start, without its findings."""
    from lambda_web_adapter.doctor.start.import_text import tree_lines

    trial, target = examination.trial, examination.target
    kind = str(next(iter(trial.first("interface")), "")).upper()
    lifespan = f", lifespan startup {examination.lifespan}" if kind.startswith("ASGI") else ""
    if not trial.is_ready:
        return [f"Start of {target.title}: failed", *(f"  {note}" for note in examination.notes)]
    lines = [f"Start of {target.title}" + (f": {kind}{lifespan}" if kind else "")]
    rows = [("ready after", _times(trial.init_seconds, trial.cpu_seconds))]
    if imported := trial.first("imported"):
        rows.append(("the app's import", f"{_times(imported[0], imported[1])}, {imported[2]} modules are loaded"))
    memory = target.options.memory
    share = ", with which a function has one vCPU" if memory == ONE_VCPU else ""
    rows.append(("memory", f"{trial.memory / 1024**2:.0f} MB of {memory:,} MB{share}"))
    half = len(target.requests)
    for number, answer in enumerate(trial.answers):
        turn = "first" if number < half else "second"
        rows.append((f"{turn} {answer.title}", f"{answer.seconds * 1000:.1f} ms, status {answer.status}"))
    width = max(len(name) for name, _ in rows)
    lines += [f"  {name:<{width}}  {text}" for name, text in rows]
    lines += [f"  {note}" for note in examination.notes]
    if examination.imports:
        lines += ["", *(f"  {line}" for line in tree_lines(examination.imports, examination.ran))]
    if examination.proof and examination.proof.needed:
        lines += ["", "  Nothing ran of these in the warm requests, but the start needs them:"]
        lines += [f"    {name}: {_shorten(reason)}" for name, reason in examination.proof.needed.items()]
    return lines


def _times(seconds: float, cpu: float) -> str:
    return f"{seconds * 1000:.0f} ms" + (f", {cpu * 1000:.0f} ms of CPU" if cpu else "")


def _shorten(reason: str) -> str:
    return reason.replace(f"{os.getcwd()}{os.sep}", "")
