"""Bytecode for the modules of a package, by the target's Python."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.bytecode import compiled_path
from lambda_web_adapter.packaging.contents import Contents, Item

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lambda_web_adapter.packaging.target import Target

# Compiles files in an interpreter that has imported little else, always in the same order: what `marshal` writes
# depends on which strings are used elsewhere (`w_ref` in CPython's Python/marshal.c). Files that are not valid in this
# Python, as packages have some for other ones, get no bytecode. Gets JSON: [source, name in tracebacks, bytecode].
_COMPILER = """
import json, sys
from importlib import _bootstrap_external as files
from importlib.util import source_hash
import warnings
warnings.simplefilter("ignore")
for source, name, result in json.load(sys.stdin):
    with open(source, "rb") as file:
        data = file.read()
    try:
        code = compile(data, name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        continue
    with open(result, "wb") as file:
        file.write(files._code_to_hash_pyc(code, source_hash(data), False))
"""
_ROOT = "/var/task"  # where Lambda unpacks a function
# Files for each run of the compiler: always as many, whatever the number of cores, since the bytes depend on it.
_GROUP = 250


def compile_modules(  # noqa: PLR0913
    contents: Contents,
    python: str,
    target: Target,
    *,
    keeps_sources: bool,
    kept: Collection[str] = (),
    root: str = _ROOT,
) -> int:
    """Add the bytecode of all modules, which Python uses without a look at the source; return how many there are.

    Args:
        contents: gets it.
        python: an interpreter of the target's version.
        target: the target.
        keeps_sources: whether sources stay, for tracebacks; else the bytecode takes their place.
        kept: sources that stay anyway.
        root: where the package is on Lambda, for tracebacks.
    """
    sources = sorted(path for path in contents.items if path.endswith(".py"))
    with tempfile.TemporaryDirectory() as name:
        jobs = list(_jobs(contents, sources, Path(name), root))
        iterator = iter(jobs)
        groups = list(iter(lambda: list(islice(iterator, _GROUP)), []))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda group: _compile(python, group), groups))
        count = 0
        for source, (_, _, result) in zip(sources, jobs, strict=True):
            if not Path(result).is_file():
                continue
            item = Item(owner=contents.items[source].owner, content=Path(result).read_bytes())
            count += 1
            if keeps_sources or source in kept:
                contents.items[compiled_path(source, target.cache_tag)] = item
            else:
                contents.omitted["sources"] += contents.items.pop(source).size
                contents.items[f"{source}c"] = item
    return count


def _jobs(contents: Contents, sources: list[str], folder: Path, root: str) -> Iterator[tuple[str, str, str]]:
    """Yield source, name and result of each module."""
    for number, path in enumerate(sources):
        content = contents.items[path].content
        if isinstance(content, bytes):
            file = folder / f"{number}.py"
            file.write_bytes(content)
            content = file
        yield str(content), f"{root}/{path}", str(folder / f"{number}.pyc")


def _compile(python: str, group: list[tuple[str, str, str]]) -> None:
    command = [python, "-I", "-S", "-B", "-X", "utf8", "-c", _COMPILER]
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run(command, input=json.dumps(group), env=environ, text=True, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
