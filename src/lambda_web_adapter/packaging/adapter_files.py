"""This package's own files, which every package gets: those of the version that makes it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import lambda_web_adapter
from lambda_web_adapter.packaging.contents import Item
from lambda_web_adapter.packaging.package_files import build_record
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import ADAPTER

if TYPE_CHECKING:
    from collections.abc import Collection

    from lambda_web_adapter.packaging.contents import Contents

BOOTSTRAP = "bootstrap"
_PACKAGE = "lambda_web_adapter"
# Folders of the laptop's commands, and of what tests import. Of `local`, `cli` needs the options' names.
_LAPTOP_FOLDERS = ("artifacts", "doctor", "local", "packaging", "testing")
_OF_EVERY_START = frozenset({"local/__init__.py", "local/option_names.py"})


def add_adapter(contents: Contents, prefix: str, keep: Collection[str]) -> None:
    """Add this package's files, and the bootstrap at the top.

    Args:
        contents: gets the files.
        prefix: the folder that they are put into, such as `python/`; empty for the top.
        keep: kinds that are not to be left out; `laptop` keeps the commands.
    """
    root = Path(lambda_web_adapter.__file__).parent
    items: dict[str, Item] = {}
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        if not file.is_file() or "__pycache__" in path or path == BOOTSTRAP:
            continue
        is_laptop_s = path.partition("/")[0] in _LAPTOP_FOLDERS and path not in _OF_EVERY_START
        if is_laptop_s and "laptop" not in keep:
            contents.omitted["laptop"] += file.stat().st_size
        else:
            items[f"{_PACKAGE}/{path}"] = Item(owner=ADAPTER, content=file)
    info = f"{_PACKAGE}-{lambda_web_adapter.__version__}.dist-info"
    metadata_text = metadata.distribution(ADAPTER).read_text("METADATA") or ""
    items[f"{info}/METADATA"] = Item(owner=ADAPTER, content=metadata_text.encode())
    items[f"{info}/RECORD"] = Item(owner=ADAPTER, content=build_record(items, f"{info}/RECORD"))
    contents.items |= {f"{prefix}{path}": item for path, item in items.items()}
    contents.items[BOOTSTRAP] = Item(owner=ADAPTER, content=_bootstrap(root).read_bytes(), is_executable=True)


def _bootstrap(root: Path) -> Path:
    """Return the bootstrap: within the package, or at the top of a checkout that is installed for development."""
    for file in (root / BOOTSTRAP, root.parent.parent / BOOTSTRAP):
        if file.is_file():
            return file
    raise PackagingError(f"{root} has no {BOOTSTRAP}. Install lambda-web-adapter again.")
