"""`lambda-web-adapter package`: make a zip, a layer, or the folder of an image from a project."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lambda_web_adapter.local.commands.progress import progress

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.packaging.package_options import PackageOptions

_OUTPUTS = {"zip": "function.zip", "layer": "layer.zip", "folder": "package"}
_ONLY_ON_COMMAND_LINE = ("folder", "--layer", "--json")
FAILED, WRONG_OPTION = 1, 2


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option(
    "-o", "--output", metavar="PATH", help="Zip to write; with --format folder, or a slash at the end, new folder."
)
@click.option("--format", "kind", type=click.Choice(list(_OUTPUTS)), help="What to make.  [default: zip]")
@click.option("--layer", "kind", flag_value="layer", help="The same as --format layer: the packages without the app.")
@click.option("--python", metavar="VERSION", help="Python of the function, such as 3.13.  [default: the project's]")
@click.option(
    "--arch", type=click.Choice(["x86_64", "arm64"]), default="x86_64", show_default=True, help="Processor of it."
)
@click.option("--glibc", default="", metavar="VERSION", help="glibc of an image.  [default: that of the runtime]")
@click.option("--app", default="", metavar="APP", help="App, such as main:app.  [default: searched]")
@click.option("--keep", multiple=True, metavar="NAME", help="Kind of files, or package, that is not to be left out.")
@click.option("--leave-out", multiple=True, metavar="NAME", help="Package that is to be left out.")
@click.option(
    "--requirements",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with what the project requires.  [default: searched]",
)
@click.option(
    "--find-links",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder with wheels, besides the package index.",
)
@click.option("--installer", type=click.Choice(["uv", "pip"]), help="What installs.  [default: uv if it is there]")
@click.option("--no-sources", is_flag=True, help="Take bytecode only: smaller, but tracebacks show no code.")
@click.option("--start-file", is_flag=True, help="Add the start file; in an image of the function's runtime.")
@click.option("--no-start", is_flag=True, help="Do not start the app from the package.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **values: Any) -> None:
    """Make a zip, a layer, or the folder of an image from the project in FOLDER.

    It has the app, its packages for the function's machine, their bytecode, and the bootstrap. The packages are those
    of the first of uv.lock, pylock.toml, poetry.lock, requirements.txt, pylock.NAME.toml and pyproject.toml. The same
    project gives the same bytes. Then the app is started from it, and gets the requests in `warm` of
    [tool.lambda-web-adapter].

    Kinds of files that are left out: tests, stubs, headers, licenses, scripts, laptop, foreign.
    """
    from lambda_web_adapter.local.project_options import read_env_file
    from lambda_web_adapter.packaging.build import build
    from lambda_web_adapter.packaging.packaging_error import PackagingError, WrongOption
    from lambda_web_adapter.packaging.report import text_lines

    os.environ.update(read_env_file(values["folder"] / ".env", os.environ))  # the app is started
    try:
        options = _options(**{**values, **_project_options(ctx, values["folder"])})
        with progress() as show_step:
            report = build(options, show_step)
    except (PackagingError, OSError) as error:
        sys.stderr.write(f"lambda-web-adapter package: {error}\n")
        sys.exit(WRONG_OPTION if isinstance(error, WrongOption) else FAILED)
    lines = [json.dumps(report.as_dict(), indent=2)] if as_json else text_lines(report)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _project_options(ctx: click.Context, folder: Path) -> dict[str, Any]:
    """Return the options in `[tool.lambda-web-adapter.package]` of the project that the command line does not have.

    Raises:
        SettingsError: one is no option, or has a wrong value.
    """
    from lambda_web_adapter.local.project_options import options_from_pyproject

    file = folder / "pyproject.toml"
    parameters = {each.name or "": each for each in ctx.command.params if each.opts[0] not in _ONLY_ON_COMMAND_LINE}
    values = options_from_pyproject(file, list(parameters.values()), "package")
    return {
        name: parameters[name].process_value(ctx, value)
        for name, value in values.items()
        if ctx.get_parameter_source(name) is ParameterSource.DEFAULT
    }


def _options(  # noqa: PLR0913  # the command's
    *,
    folder: Path,
    output: str | None,
    kind: str | None,
    python: str | None,
    arch: str,
    glibc: str,
    app: str,
    keep: tuple[str, ...],
    leave_out: tuple[str, ...],
    requirements: Path | None,
    find_links: tuple[Path, ...],
    installer: str | None,
    no_sources: bool,
    start_file: bool,
    no_start: bool,
) -> PackageOptions:
    """Return what is to be made.

    Raises:
        PackagingError: an option, or the project's pyproject.toml, has a wrong value.
    """
    from packaging.utils import canonicalize_name

    from lambda_web_adapter.local.project_options import read_table
    from lambda_web_adapter.packaging.default_python import check_python, choose_python
    from lambda_web_adapter.packaging.installer import choose_installer
    from lambda_web_adapter.packaging.package_options import PackageOptions
    from lambda_web_adapter.packaging.packaging_error import WrongOption
    from lambda_web_adapter.packaging.target import build_target
    from lambda_web_adapter.packaging.writer import source_date

    named_app = app or read_table(folder / "pyproject.toml").get("app", "")
    kind = kind or ("folder" if output and output.endswith("/") else "zip")
    if output and output.endswith("/") and kind != "folder":
        raise WrongOption(
            f"--output is {output}, a folder by its slash, but --format {kind} takes the zip to write, such as "
            f"{output}{_OUTPUTS[kind]}."
        )
    target = build_target(python or choose_python(folder), arch, glibc)
    check_python(folder, target.version)
    return PackageOptions(
        project=folder,
        output=Path(output or _OUTPUTS[kind]),
        kind=kind,
        target=target,
        uv=choose_installer(installer),
        app=str(named_app),
        keep=frozenset(map(canonicalize_name, keep)),
        leave_out=frozenset(map(canonicalize_name, leave_out)),
        find_links=find_links,
        requirements=_requirements_file(requirements, folder) if requirements else None,
        keeps_sources=not no_sources,
        is_tried=start_file or not no_start,
        has_start_file=start_file,
        date=source_date(os.environ),
    )


def _requirements_file(file: Path, project: Path) -> Path:
    """Return a file with requirements, here or, as in pyproject.toml, in the project.

    Raises:
        WrongOption: there is none.
    """
    from lambda_web_adapter.packaging.packaging_error import WrongOption

    places = (file, project / file)
    if found := next((place for place in places if place.is_file()), None):
        return found
    raise WrongOption(
        f"--requirements is {file}, but there is no such file. It takes uv.lock, pylock.toml, poetry.lock, "
        "pyproject.toml, or a file as pip reads it."
    )
