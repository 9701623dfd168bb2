"""Modules that a start imports and of which nothing runs later, and what a start without them saves."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.start.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from lambda_web_adapter.doctor.start.trial import StartTarget, Trial
    from lambda_web_adapter.local.imports.import_tree import ImportTime

# What takes less is not worth a line in somebody's code, in microseconds.
_MIN_US = 3000
_MAX_CANDIDATES = 8  # the slowest ones; each may need a start of its own
# Starts of which the fastest counts: the others were disturbed.
_REPEATS = 5
# To leave out a module takes a little time at each import: with this name, no module is left out, but it takes that.
_NO_MODULE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A module that may be left for later.

    Attributes:
        name: its name.
        importers: the app's own modules one of which imports it.
        import_us: how long its import took, with all that it imported first, in microseconds.
        path: the file that imports it; empty if that was not looked for.
        line: the line of the import.
    """

    name: str
    importers: tuple[str, ...]
    import_us: int
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What starts without modules have shown.

    Attributes:
        unused: those without which the app starts, and responds to the warm requests in the same way.
        needed: the others, with the line of the app that needs them, or why it fails.
        cpu_seconds: the CPU time of the app's import as it is.
        cpu_seconds_without: that of its import without the unused ones.
    """

    unused: tuple[Candidate, ...]
    needed: dict[str, str]
    cpu_seconds: float
    cpu_seconds_without: float

    @property
    def saved_seconds(self) -> float:
        """Return the CPU time that is saved."""
        return max(self.cpu_seconds - self.cpu_seconds_without, 0.0)


def find_candidates(root: ImportTime, own: Collection[str], ran: Collection[str], folder: Path) -> list[Candidate]:
    """Return what the app's own modules import, and of which nothing has run after the import; the slowest first.

    Args:
        root: the app's import, with all modules.
        own: the app's own modules.
        ran: the modules of which something has run.
        folder: the folder of the app.
    """
    busy = {name[:index] for name in ran for index, letter in enumerate(f"{name}.") if letter == "."}
    # Python tells no times of the modules that the loader names itself: what they import is below the root.
    named = tuple(sorted(name for name in own if not root.includes([name])))
    found = [located for each in _candidates_below(root, named, own, busy) if (located := _located(each, folder))]
    return sorted(found, key=lambda each: -each.import_us)[:_MAX_CANDIDATES]


def _candidates_below(
    node: ImportTime, importers: tuple[str, ...], own: Collection[str], busy: Collection[str]
) -> Iterator[Candidate]:
    """Yield the modules of which nothing has run, whatever they import: a start shows whether others need that."""
    for child in node.children:
        if child.cumulative_us < _MIN_US:
            continue
        if child.name not in busy:
            yield Candidate(name=child.name, importers=importers, import_us=child.cumulative_us)
        elif child.name in own:
            yield from _candidates_below(child, (child.name,), own, busy)


def _located(candidate: Candidate, folder: Path) -> Candidate | None:
    """Return a candidate with the place of its import; None if no module of the app imports it at the top."""
    for importer in candidate.importers:
        path, line = find_import(folder, importer, candidate.name)
        if line:
            return replace(candidate, path=path, line=line)
    return None


def prove(target: StartTarget, candidates: Sequence[Candidate], before: Trial) -> Proof:
    """Start the app without the candidates, and return which ones it does not need, and what that saves.

    Args:
        target: what is started.
        candidates: what may be left out.
        before: a start with all of them.
    """
    left = list(candidates)
    needed: dict[str, str] = {}
    while left:
        trial = run_trial(target, left_out=tuple(each.name for each in left))
        blamed = _blamed(trial, left)
        if not blamed and _is_same(before, trial):
            break
        if not blamed:  # it fails in another way: which one is it?
            blamed = {each.name: reason for each in left if (reason := _try_without(target, each, before))}
        if not blamed:
            blamed = {each.name: "the app fails without all of these together" for each in left}
        needed |= blamed
        left = [each for each in left if each.name not in blamed]
    if not left:
        return Proof(unused=(), needed=needed, cpu_seconds=0.0, cpu_seconds_without=0.0)
    names = tuple(each.name for each in left)
    pairs = [(run_trial(target, left_out=(_NO_MODULE,)), run_trial(target, left_out=names)) for _ in range(_REPEATS)]
    as_is, without = zip(*pairs, strict=True)
    return Proof(
        unused=tuple(left),
        needed=needed,
        cpu_seconds=min(each.import_cpu_seconds for each in as_is),
        cpu_seconds_without=min(each.import_cpu_seconds for each in without),
    )


def _try_without(target: StartTarget, candidate: Candidate, before: Trial) -> str:
    """Return why the app fails without a module; empty if it does not."""
    trial = run_trial(target, left_out=(candidate.name,))
    if reasons := _blamed(trial, [candidate]):
        return reasons[candidate.name]
    if _is_same(before, trial):
        return ""
    failure = trial.first("failed")
    return f"the app fails without it: {failure[0]}: {failure[1]}" if failure else "the app fails without it"


def _blamed(trial: Trial, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return the candidates of which something was used, with the line that does so."""
    return {
        candidate.name: f"{name} is used at {file}:{line}"
        for name, file, line in trial.all("used")
        for candidate in candidates
        if name == candidate.name or name.startswith(f"{candidate.name}.") or candidate.name.startswith(f"{name}.")
    }


def _is_same(before: Trial, trial: Trial) -> bool:
    statuses = [[answer.status for answer in each.answers] for each in (before, trial)]
    return trial.is_ready and statuses[0] == statuses[1]


def find_import(folder: Path, importer: str, name: str) -> tuple[str, int]:
    """Return file and line of an import in one of the app's own modules; line 0 if it has none."""
    stem = importer.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        if (folder / path).is_file():
            tree = ast.parse((folder / path).read_bytes())
            lines = [node.lineno for node in _imports_at_top(tree) if name in _imported_names(node, importer)]
            return path, min(lines, default=0)
    return "", 0


def _imports_at_top(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run with the module itself: those of functions run later."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports_at_top(child)


def _imported_names(node: ast.Import | ast.ImportFrom, importer: str) -> set[str]:
    """Return the modules that a statement imports, with the packages that they are in."""
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    else:
        package = ".".join(importer.split(".")[: -node.level]) if node.level else ""
        module = ".".join(filter(None, (package, node.module)))
        names = {module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)}
    return names | {name[:index] for name in names for index, letter in enumerate(name) if letter == "."}
