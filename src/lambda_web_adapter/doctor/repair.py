"""Repair what can be repaired safely: compiled files, run bits, line endings, rights. Nothing else changes."""

from __future__ import annotations

import copy
import json
import os
import stat
import subprocess
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.bytecode import Use, compiled_path
from lambda_web_adapter.artifacts.interpreters import find_python
from lambda_web_adapter.artifacts.zip_file import UNREADABLE, entry_path
from lambda_web_adapter.doctor.compiled_files import uses_of
from lambda_web_adapter.doctor.findings import count_text, paths_text
from lambda_web_adapter.doctor.scripts import programs, script_paths, unreadable_paths, writable_paths
from lambda_web_adapter.doctor.unpacking import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_web_adapter.doctor.subject import Subject

_RUN, _READ = 0o755, 0o444
_FILE_MODE = stat.S_IFREG | 0o644
_UNIX = 3  # "version made by" of a zip's entries that have permissions (APPNOTE.TXT)
# Compiles files that are named on stdin: source, compiled file, and the source's path in a function. An interpreter
# that has imported little else writes the same bytes each time.
_COMPILER = """
import json, py_compile, sys
for source, compiled, name in json.load(sys.stdin):
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(source, compiled, name, invalidation_mode=mode, quiet=2)
"""


class RepairError(Exception):
    """Nothing can be repaired; the message says why."""


@dataclass(slots=True, kw_only=True)
class Repair:
    """What is to change.

    Attributes:
        doubled: paths of which only the last entry is kept.
        contents: new bytes of files by path, those that are not there yet as well.
        modes: new permissions by path, of folders with a slash at the end.
        texts: what that means, or why it is not possible, in lines for people.
    """

    doubled: Sequence[str] = ()
    contents: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Return whether anything changes."""
        return bool(self.contents or self.modes or self.doubled)


def plan(subject: Subject) -> Repair:
    """Return what can be repaired.

    Raises:
        RepairError: it is an image, or a project, which a build makes into something to repair.
    """
    if subject.artifact.image:
        raise RepairError("An image cannot be repaired: change its Dockerfile as advised, and build it again.")
    if subject.is_project:
        raise RepairError("A project is not repaired: name what its build has made, a folder or a zip.")
    repair = Repair(doubled=subject.artifact.doubled)
    _plan_bytecode(subject, repair)
    _plan_modes(subject, repair)
    _plan_line_endings(subject, repair)
    if repair.doubled:
        repair.texts.append(f"Left out all but the last entry of {paths_text(list(repair.doubled))}.")
    return repair


def apply_to_folder(repair: Repair, folder: Path) -> None:
    """Change a folder in place.

    Raises:
        RepairError: a link leads out of it.
    """
    for parent in {(folder / path).parent for path in repair.contents}:
        if not parent.resolve().is_relative_to(folder.resolve()):
            raise RepairError(f"{parent} leads out of {folder}. Replace the link by a folder.")
        parent.mkdir(exist_ok=True)
    for path, data in repair.contents.items():
        file = folder / path
        with _replacing(file) as partial:
            partial.write_bytes(data)
            partial.chmod(stat.S_IMODE(file.stat().st_mode) if file.is_file() else stat.S_IMODE(_FILE_MODE))
    for path, mode in repair.modes.items():
        (folder / path).chmod(mode)


def write_zip(repair: Repair, source: Path, output: Path) -> None:
    """Write a zip anew, with the same entries in the same order; compiled files that were not there come last.

    Raises:
        RepairError: an entry cannot be read.
    """
    with _replacing(output) as partial:
        try:
            _write_entries(repair, source, partial)
        except UNREADABLE as error:
            raise RepairError(f"{source} is damaged or encrypted: {error}. Make the zip again.") from None
        partial.chmod(0o644)


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """Provide a file beside another one, which replaces it when it is complete."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    os.close(descriptor)
    partial = Path(name)
    try:
        yield partial
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _write_entries(repair: Repair, source: Path, output: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        infos = {entry_path(info): info for info in old.infolist()}  # of two entries with one path the last one
        for path, info in infos.items():
            entry = copy.copy(info)
            if path in repair.modes:
                entry.external_attr = _attributes(info, repair.modes[path])
                entry.create_system = _UNIX
            data = repair.contents.get(path)
            attributes = entry.external_attr
            new.writestr(entry, old.read(info) if data is None else data)
            entry.external_attr = attributes  # zipfile gives those without any 0o600; the list is written at the end
        dates = {path: info.date_time for path, info in infos.items()}
        for path in sorted(repair.contents.keys() - dates.keys()):
            entry = zipfile.ZipInfo(path, dates.get(_source_of(path), (1980, 1, 1, 0, 0, 0)))
            entry.external_attr, entry.create_system = _FILE_MODE << 16, _UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, repair.contents[path])


def _plan_bytecode(subject: Subject, repair: Repair) -> None:
    uses = uses_of(subject)
    repaired = [Use.STALE, Use.BROKEN, Use.CHECKED, Use.FOREIGN, None]
    if subject.artifact.kind == "folder":
        repaired.append(Use.VALID)
    sources = sorted(path for use in repaired for path in uses.get(use, ()))
    if not sources:
        return
    python = find_python(subject.target.python)
    if not python:
        version = subject.target.python_name
        repair.texts.append(
            f"Not compiled: this machine has no python{version}, which has to do it (uv python install {version})."
        )
        return
    compiled = compile_sources(subject, sources, python)
    repair.contents.update(compiled)
    repair.texts.append(f"Compiled {count_text(len(compiled), 'module')} with unchecked-hash by {python}.")


def compile_sources(subject: Subject, sources: Iterable[str], python: str) -> dict[str, bytes]:
    """Return the compiled files of sources by path; without those that have syntax errors."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as results:
        unpack(subject.artifact, sources, Path(folder))
        paths = {source: compiled_path(source, subject.target.cache_tag) for source in sources}
        jobs = [
            (str(Path(folder, source)), str(Path(results, compiled)), f"{subject.path_in_function}{source}")
            for source, compiled in paths.items()
        ]
        subprocess.run(  # noqa: S603  # an interpreter that was looked for
            [python, "-I", "-c", _COMPILER], input=json.dumps(jobs), text=True, check=True, capture_output=True
        )
        files = {compiled: Path(results, compiled) for compiled in paths.values()}
        return {path: file.read_bytes() for path, file in files.items() if file.is_file()}


def _plan_modes(subject: Subject, repair: Repair) -> None:
    entries, folders = subject.artifact.entries, subject.artifact.folders
    modes = {f"{path}/": mode for path, mode in folders.items()} | {path: each.mode for path, each in entries.items()}
    for path in unreadable_paths(subject):
        runs = 0o111 if path.endswith("/") or modes[path] & stat.S_IXUSR else 0
        modes[path] = repair.modes[path] = stat.S_IMODE(modes[path]) | _READ | runs
    if repair.modes:
        repair.texts.append(f"Made {count_text(len(repair.modes), 'path')} readable.")
    if writable := writable_paths(subject):
        for path in writable:
            modes[path] = repair.modes[path] = stat.S_IMODE(modes[path]) & ~stat.S_IWOTH
        repair.texts.append(f"Made {count_text(len(writable), 'path')} writable for their owner and group only.")
    for path in programs(subject):
        if not entries[path].is_executable and not entries[path].target:
            repair.modes[path] = stat.S_IMODE(modes[path]) | _RUN
            repair.texts.append(f"Set the run bit of {path}.")


def _plan_line_endings(subject: Subject, repair: Repair) -> None:
    for path, line in script_paths(subject):
        data = subject.artifact.read(path)
        if line.endswith(b"\r") and b"\0" not in data:  # a zip may follow, whose bytes are no lines
            repair.contents[path] = data.replace(b"\r\n", b"\n")
            repair.texts.append(f"Wrote line endings of Unix to {path}.")


def _attributes(info: zipfile.ZipInfo, mode: int) -> int:
    """Return the attributes of a zip's entry with other permissions."""
    kind = stat.S_IFMT(info.external_attr >> 16) or (stat.S_IFDIR if info.is_dir() else stat.S_IFREG)
    return ((kind | mode) << 16) | (info.external_attr & 0xFFFF)


def _source_of(compiled: str) -> str:
    """Return the source of a compiled file."""
    folder, _, name = compiled.partition("__pycache__/")
    return f"{folder}{name.partition('.')[0]}.py"
