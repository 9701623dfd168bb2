"""The options of `doctor` about the start of an app, and what they ask for."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lambda_web_adapter.local.commands.progress import progress
from lambda_web_adapter.local.environments.function_options import MAX_MEMORY, MIN_MEMORY, ONE_VCPU, FunctionOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.doctor.examination import Examination
    from lambda_web_adapter.doctor.start.start_examination import StartExamination

_PARAMETERS = (
    click.option("--app", metavar="NAME", help="App to start, such as main:app; without it, the app is searched."),
    click.option("--app-dir", metavar="DIR", default="", help="Folder of the app in the artifact."),
    click.option(
        "--start",
        "is_isolated",
        is_flag=True,
        help="Start the app as on Lambda: in a read-only file system, as another user, with the function's CPU time.",
    ),
    click.option(
        "--memory",
        type=click.IntRange(MIN_MEMORY, MAX_MEMORY),
        metavar="MB",
        help="Memory of the function, by which it has CPU time; without it, that in the template, or 1,769 MB, which "
        "have the time of one vCPU.",
    ),
    click.option(
        "--flame",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.svg",
        help="Also write the app's import as a flame graph.",
    ),
)


def start_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about the start."""
    for parameter in reversed(_PARAMETERS):
        function = parameter(function)
    return function


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """What to examine of a start.

    Attributes:
        app: the app's name; None to search it.
        app_dir: the folder of the app in the artifact; empty for all of it.
        is_isolated: whether the environment is to be as on Lambda.
        memory: the function's memory in MB; None for that in the template.
        flame: where to write the flame graph, if anywhere.
        is_asked: whether the user has named the app; else a project without one is in order.
    """

    app: str | None
    app_dir: str
    is_isolated: bool
    memory: int | None
    flame: Path | None
    is_asked: bool = False


@dataclass(slots=True, kw_only=True)
class StartReport:
    """What is known about a start: lines for people, and facts for JSON."""

    lines: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def split_app(argument: Path, options: StartOptions) -> tuple[Path, StartOptions]:
    """Return the artifact that an argument names, and the options: it may name an app of this folder instead."""
    module = str(argument).partition(":")[0].replace(".", "/")
    folder = Path(options.app_dir)
    is_module = (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file()
    if argument.exists() or not (":" in str(argument) or is_module):
        return argument, options
    return Path(), replace(options, app=str(argument), is_asked=True)


def examine_start(
    artifact: Path, options: StartOptions, examination: Examination, *, may_import: bool, is_quiet: bool
) -> StartReport:
    """Return what the start of an app is like, and add what is wrong with it to the findings.

    Only projects are started without being asked for; an app that is named is asked for.

    Args:
        artifact: a folder, a zip or a layer.
        options: what to examine.
        examination: what is known about the artifact.
        may_import: whether the app of a project may be started without being asked for.
        is_quiet: whether to show no progress.

    Raises:
        ArtifactError: it cannot be started, although that was asked for.
        AdapterError: pyproject.toml has a wrong value.
        OSError: the flame graph cannot be written.
    """
    is_asked = bool(options.is_asked or options.app or options.is_isolated or options.flame)
    if not is_asked and not (may_import and examination.facts["kind"] == "project"):
        return StartReport()
    has_packages = not options.is_asked and examination.facts["kind"] != "project"
    from lambda_web_adapter.artifacts.artifact import ArtifactError

    if reason := _why_not_here(examination, has_packages=has_packages):
        if is_asked:
            raise ArtifactError(
                f"{artifact} cannot be started here: {reason} Without --app, --start and --flame, the "
                "rest of it is examined."
            )
        return StartReport(lines=["", f"Not started: {reason}"])
    from lambda_web_adapter.doctor.start.preparation import start_target
    from lambda_web_adapter.doctor.start.start_examination import describe, examine_app, examine_isolated_start
    from lambda_web_adapter.doctor.start_rules import APP_NOT_FOUND

    examine = examine_isolated_start if options.is_isolated else examine_app
    memory = options.memory or examination.memory or ONE_VCPU
    function = FunctionOptions(memory=min(max(memory, MIN_MEMORY), MAX_MEMORY))
    with (
        progress(is_quiet=is_quiet) as tell,
        start_target(
            artifact, options.app or "", options.app_dir, function, os.environ, has_packages=has_packages
        ) as target,
    ):
        start = examine(target, tell=tell)
    is_named = is_asked or bool(start.target.app)  # in pyproject.toml
    if not is_named and any(finding.rule == APP_NOT_FOUND.id for finding in start.findings):
        return StartReport(lines=["", f"Not started: {start.findings[0].message}"])
    examination.findings.extend(start.findings)
    lines = ["", *describe(start), *_write_flame_graph(options.flame, start)]
    return StartReport(lines=lines, facts={"start": start.facts()})


def _write_flame_graph(file: Path | None, start: StartExamination) -> list[str]:
    """Write the flame graph, if it is asked for; return a line about it if it could not be made."""
    if not file:
        return []
    if not start.imports:
        return [f"  {file} was not written, since the app's import was not timed: the start failed, or took too long."]
    from lambda_web_adapter.doctor.start.flame_graph import flame_graph

    file.write_text(flame_graph(start.imports, start.own, start.ran), encoding="utf-8")
    return []


def _why_not_here(examination: Examination, *, has_packages: bool) -> str:
    """Return why this machine cannot start the app; empty if it can."""
    own_python = ".".join(platform.python_version_tuple()[:2])
    if (python := examination.facts["python"]) != own_python:
        return f"the function has Python {python}, and this is {own_python}."
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if has_packages and (architecture := examination.facts["architecture"]) != machine:
        return f"the function is for {architecture}, and this machine is {machine}."
    return ""
