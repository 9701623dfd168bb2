"""`lambda-web-adapter compile`: write the start file, for faster cold starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from lambda_web_adapter.errors import StartFileError
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.settings import APP_DIR

# Exit code if the app fails, or if the file has to be written anew.
FAILED = 1


@click.command()
@click.argument("app", required=False)
@click.option(
    "--app-dir",
    type=click.Path(exists=True, file_okay=False),
    envvar=APP_DIR,
    metavar="DIR",
    help="Folder of the app, if it is not this one.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path(start_file.NAME),
    show_default=True,
    metavar="FILE",
    help="Start file.",
)
@click.option("--check", is_flag=True, help="Only compare the file with the modules it stands for.")
def command(app: str | None, app_dir: str | None, output: Path, check: bool) -> None:
    """Write the start file, from which a cold start takes its modules.

    This starts the app as on Lambda, sends it requests, and writes the code of all imported modules to one file. Run it
    where the app will run, by the program that will start it. APP is the app's name, such as main:app; without it, the
    app is searched.
    """
    from lambda_web_adapter.local import compilation  # httpx and uvicorn, which `--help` does not need

    try:
        if check:
            changes = compilation.check(output, app_dir or "")
            sys.stdout.write("".join(f"{change}\n" for change in changes) or f"{output} is up to date.\n")
            sys.exit(FAILED if changes else 0)
        sys.stdout.write(f"{compilation.compile_app(app, output, {**os.environ, APP_DIR: app_dir or ''})}\n")
    except (StartFileError, OSError) as error:
        sys.stderr.write(f"lambda-web-adapter compile: {error}\n")
        sys.exit(FAILED)
