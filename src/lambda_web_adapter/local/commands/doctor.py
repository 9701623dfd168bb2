"""`lambda-web-adapter doctor`: examine an artifact before Lambda does."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.local.commands.start_options import (
    StartOptions,
    examine_start,
    split_app,
    start_options,
)

if TYPE_CHECKING:
    from lambda_web_adapter.doctor.examination import Examination
    from lambda_web_adapter.doctor.findings import Severity

# Exit codes: there is an error among the findings; the artifact cannot be examined.
FAULTY, WRONG = 1, 2
_WIDTH = 100  # columns where the output is no terminal


def _parse_python(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Parse a version such as 3.13."""
    if value is None:
        return None
    match = re.fullmatch(r"3\.(\d{1,2})", value)
    if not match:
        raise click.BadParameter(f"{value!r} is no version such as 3.13.")
    return 3, int(match[1])


@click.command()
@click.argument("artifact", metavar="[ARTIFACT|APP]", required=False, type=click.Path(path_type=Path), default=Path())
@click.option(
    "--python", callback=_parse_python, metavar="VERSION", help="Python version of the function, if it cannot be seen."
)
@click.option("--arch", type=click.Choice(["x86_64", "arm64"]), help="Machine of the function, if it cannot be seen.")
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Template of the function, if it is not beside the artifact: SAM, CloudFormation, Serverless or Zappa.",
)
@click.option(
    "--function",
    default="",
    metavar="NAME",
    help="Function of the template, if the artifact is not what the template names as its code.",
)
@click.option(
    "--no-import",
    is_flag=True,
    help="Run the app only if it is named, or for --start and --flame: do not start a project's, nor import one to "
    "measure what its bytecode costs.",
)
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely: a folder in place, a zip in a new file.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="New file of --fix; without it, NAME.fixed.zip.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--sarif", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write the findings as SARIF."
)
@click.option("--rules", "lists_rules", is_flag=True, help="List the rules.")
@start_options
def command(  # noqa: PLR0913  # one for each option
    artifact: Path,
    python: tuple[int, int] | None,
    arch: str | None,
    template: Path | None,
    function: str,
    no_import: bool,
    fix: bool,
    output: Path | None,
    as_json: bool,
    sarif: Path | None,
    lists_rules: bool,
    **start: Any,
) -> None:
    """Examine what will run on Lambda: a folder, a zip, a layer or an image, and the start of its app.

    ARTIFACT is a project's folder, or what any tool has built of it: a folder such as .aws-sam/build/Function, a zip of
    a function or a layer, an image's archive (docker save, buildah push) or OCI folder. Without it, this folder.

    The app of a project, or the one that is named, such as main:app, is started several times, with the packages that
    are installed here, to time it and to see what it imports, compiles and writes. --start starts any artifact but an
    image, as Lambda does: with what is in the artifact, and no other package.

    The exit code is 0; 1 if there is an error among the findings; 2 if it cannot be examined.
    """
    from lambda_web_adapter.artifacts.artifact import ArtifactError
    from lambda_web_adapter.doctor import report
    from lambda_web_adapter.doctor.examination import Options, examine, repair
    from lambda_web_adapter.doctor.findings import Severity
    from lambda_web_adapter.doctor.repair import RepairError
    from lambda_web_adapter.doctor.rules import RULES
    from lambda_web_adapter.doctor.sarif import build_sarif
    from lambda_web_adapter.doctor.templates import TemplateError
    from lambda_web_adapter.local.warm_requests import WarmRequestsFailed

    if lists_rules:
        sys.stdout.write("".join(f"{line}\n" for line in report.rule_lines(RULES)))
        return
    gc.disable()  # the trees of sources stay, and each collection would look at all of them
    artifact, starting = split_app(artifact, StartOptions(**start))
    _check_arguments(artifact, {"--output": output, "--sarif": sarif, "--flame": starting.flame}, fix=fix)
    imports_app, arch = not no_import, arch or ""
    options = Options(python=python, architecture=arch, template=template, function=function, imports_app=imports_app)
    try:
        before = None
        if fix:
            options = replace(options, origin=artifact)
            artifact, changes, before = repair(artifact, options, output)
            sys.stderr.write("".join(f"{change}\n" for change in changes))
        examination = examine(artifact, options)
        if before is not None:
            sys.stderr.write(f"{report.repair_text(before, examination.findings)}\n")
        about_start = examine_start(artifact, starting, examination, may_import=imports_app, is_quiet=as_json)
        if sarif:
            sarif.write_text(_json(build_sarif(str(artifact), examination.findings, RULES)))
    except (ArtifactError, AdapterError, RepairError, TemplateError, WarmRequestsFailed, OSError) as error:
        sys.stderr.write(f"lambda-web-adapter doctor: {error}\n")
        sys.exit(WRONG)
    facts = {**examination.facts, "notes": examination.notes, **about_start.facts}
    document = report.document(str(artifact), examination.findings, facts)
    sys.stdout.write(_json(document) if as_json else _text(examination, about_start.lines))
    sys.exit(FAULTY if any(each.severity is Severity.ERROR for each in examination.findings) else 0)


def _check_arguments(artifact: Path, files: dict[str, Path | None], *, fix: bool) -> None:
    """Raise an error for what cannot work, before anything is examined.

    Args:
        artifact: what is examined.
        files: the files to write, by option.
        fix: whether `--fix` is there.
    """
    if not artifact.exists():
        raise click.UsageError(f"There is no file or folder {artifact}.")
    if files["--output"] and not fix:
        raise click.UsageError("--output names the new file of --fix, which is missing.")
    for option, file in files.items():
        if file and not file.parent.is_dir():
            raise click.UsageError(f"{option} {file} cannot be written: there is no folder {file.parent}.")


def _text(examination: Examination, about_start: list[str]) -> str:
    """Return the report for people."""
    from lambda_web_adapter.doctor.report import text_lines
    from lambda_web_adapter.doctor.rules import RULES

    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH
    paint = _paint if is_terminal and "NO_COLOR" not in os.environ else None
    title, *lines = text_lines(examination.title, examination.findings, RULES, paint, width)
    return "\n".join([title, *examination.notes, *about_start, *lines]) + "\n"


def _json(document: object) -> str:
    return f"{json.dumps(document, indent=2)}\n"


def _paint(text: str, severity: Severity) -> str:
    colors = {"error": "red", "warning": "yellow", "note": "cyan"}
    return click.style(text, fg=colors[severity], bold=True)
