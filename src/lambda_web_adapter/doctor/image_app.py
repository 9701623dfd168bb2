"""Where an image has its app: what its configuration says of that."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import parents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lambda_web_adapter.artifacts.artifact import ImageConfig

# Paths, also in a script or after an option: python /app/main.py, --chdir=/app, "cd /app && gunicorn main:app".
_WORD = re.compile(r"[^\s\"'=;&|()]+")
_MODULE = re.compile(r"(?P<module>[A-Za-z_][\w.]*):[A-Za-z_][\w.]*(\(\))?")
# Top folders of a system, and what functions have besides: no app is there, but /usr/src/app is usual.
_OF_SYSTEM = re.compile(r"(s?bin|lib(32|64)?|etc|dev|proc|sys|run|tmp|boot|usr(?!/src/)|var/(lang|runtime|lib))/")
_PROGRAMS = ("bin", "sbin")


def find_app_folders(image: ImageConfig, paths: Collection[str]) -> list[str]:
    """Return the folders in which an image has its app, the working folder first, each with a slash at the end.

    Args:
        image: the configuration.
        paths: the paths of all files of the image.
    """
    folders = {f"{folder}/" for path in paths for folder in parents(path)}
    named = dict.fromkeys([image.folder.strip("/"), *_named_folders(image, frozenset(paths), folders)])
    return [f"{folder}/" for folder in named if folder and not _OF_SYSTEM.match(f"{folder}/")]


def _named_folders(image: ImageConfig, paths: frozenset[str], folders: set[str]) -> Iterator[str]:
    yield image.environ.get("AWS_LWA_APP_DIR", "").strip("/")
    modules = _named_modules(image)
    for word in [*_words(image), *modules, *(f"{module}.py" for module in modules)]:
        path = posixpath.normpath(posixpath.join(image.folder, word)).strip("/")
        if f"{path}/" in folders:
            yield path
        elif path in paths and posixpath.basename(posixpath.dirname(path)) not in _PROGRAMS:
            yield posixpath.dirname(path)
    for path in image.environ.get("PYTHONPATH", "").split(":"):
        if f"{path.strip('/')}/" in folders:
            yield path.strip("/")


def _named_modules(image: ImageConfig) -> list[str]:
    """Return the paths without suffix of the modules that the command names as `package.main:app`."""
    matches = (_MODULE.fullmatch(word) for word in _words(image))
    return [match["module"].replace(".", "/") for match in matches if match]


def _words(image: ImageConfig) -> list[str]:
    return _WORD.findall(" ".join((*image.entrypoint, *image.command)))
