"""Start the app from the package's files, as far as this machine can."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc.start_file import NAME as START_FILE
from lambda_web_adapter.packaging import trial
from lambda_web_adapter.packaging.contents import Item
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import ADAPTER
from lambda_web_adapter.packaging.writer import clear_folder, write_folder

if TYPE_CHECKING:
    from lambda_web_adapter.packaging.contents import Contents
    from lambda_web_adapter.packaging.package_options import PackageOptions
    from lambda_web_adapter.packaging.report import Report


def start_from_package(
    contents: Contents, options: PackageOptions, report: Report, work: Path, python: str | None
) -> None:
    """Start the app from the package's files, if this machine can; add the start file.

    Args:
        contents: the files; a WSGI app's lose what only ASGI apps need.
        options: what is to be made.
        report: gets how the start went.
        work: a folder for what is started.
        python: the function's Python on this machine; None if it is not here.

    Raises:
        PackagingError: the app does not start, or no start file can be written here.
    """
    if python is None or not options.target.is_this_machine:
        problem = f"this machine has no {options.target}"
        if options.has_start_file:
            raise PackagingError(f"A start file is written by a start, but {problem}.")
        report.notes.append(f"The app was not started from the package: {problem}.")
        return
    result = _start(contents, options, report, work, python)
    if result.is_wsgi and contents.asgi_only:
        report.leave_out(contents.asgi_only, contents)
        if options.has_start_file:  # it names all packages that are there
            result = _start(contents, options, report, work, python)
    report.add_trial(result, contents)
    if result.start_file:
        contents.items[START_FILE] = Item(owner=ADAPTER, content=base64.b64decode(result.start_file))
        report.size, report.files = contents.size, len(contents.items)


def _start(contents: Contents, options: PackageOptions, report: Report, work: Path, python: str) -> trial.Trial:
    """Return how the start from the package's files went; raise PackagingError if it failed."""
    folder = _task_folder(python) if options.has_start_file else work / "trial"
    write_folder(contents, folder, options.date)
    try:
        result = trial.try_package(
            folder, report.handler, options.project, python, has_start_file=options.has_start_file
        )
    finally:
        if options.has_start_file:
            clear_folder(folder)
    if result.problem:
        raise PackagingError(trial.explain(result, report.requirements))
    return result


def _task_folder(python: str) -> Path:
    """Return the folder that the function will have, which a start file names.

    Raises:
        PackagingError: this machine has something there, or another Python makes the package.
    """
    folder = Path("/var/task")
    advice = "Run this in an image of the function's runtime, such as public.ecr.aws/lambda/python."
    if python != sys.executable:
        raise PackagingError(f"A start file is for the Python that writes it, but this one is another. {advice}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_free = os.access(folder, os.W_OK) and not any(folder.iterdir())
    except OSError:
        is_free = False
    if not is_free:
        raise PackagingError(f"A start file is written in {folder}, which has files, or cannot be written to. {advice}")
    return folder
