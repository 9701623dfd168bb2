"""The handler of a function: the app's name, as on the command line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.packaging.contents import Contents

# Each start finds the app itself: with this handler, which Lambda requires, none is named.
FOUND_AT_START = "bootstrap"
_DJANGO = ("manage.py", "src/manage.py")
# How an error of other commands names a folder with an app.
_OTHER_FOLDER = re.compile(r"--app-dir (\S+?)(?=[,.]? )")


def find_handler(folder: Path, named: str) -> str:
    """Return the handler of a project's app.

    Args:
        folder: the project's folder.
        named: the name of the app in options; empty to search the folder.

    Raises:
        PackagingError: there is no app.
    """
    if named:
        return named
    if any((folder / path).is_file() for path in _DJANGO):
        return FOUND_AT_START  # Django's settings name the app, and need Django
    from lambda_web_adapter.app.discovery.search import find
    from lambda_web_adapter.app.discovery.source_scan import scan

    try:
        target, source = find("", folder, dict(os.environ))
    except AppNotFound as error:
        text = _OTHER_FOLDER.sub(lambda match: f"lambda-web-adapter package {folder / match[1]}", str(error))
        raise PackagingError(f"{text} Or --app main:app.") from None
    file = folder / source
    if not file.is_file() or target.attribute:
        return f"{target.module}:{target.attribute}"
    attribute = scan(file).app
    if not attribute:
        return FOUND_AT_START
    is_at_top = set(target.folders) == {str(folder.resolve())}
    return f"{target.module if is_at_top else file.relative_to(folder).as_posix()}:{attribute}"


def sources_of_search(handler: str, contents: Contents) -> list[str]:
    """Return the sources that each start reads to find the app, and that stay when the others do not.

    Raises:
        PackagingError: it may be any source.
    """
    if handler != FOUND_AT_START:
        return []
    if sources := [path for path in _DJANGO if path in contents.items]:
        return sources
    raise PackagingError("--no-sources leaves no source in which a start can search the app. Name it: --app main:app.")
