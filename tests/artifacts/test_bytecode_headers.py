"""Whether Python will use a compiled file: decided as the real Python does."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_web_adapter.artifacts.bytecode import Use, compiled_path, parse_header, python_of_magic, use_of
from lambda_web_adapter.artifacts.folder import FolderArtifact

TAG = sys.implementation.cache_tag
MODES = py_compile.PycInvalidationMode
# Prints whether the module comes from the compiled file, which holds other code than the source.
RUN = "import module; print(module.origin)"


def compiled(folder: Path, mode: MODES, change: str) -> Path:
    """Return a folder with a module whose compiled file says that it was used; then the source is changed."""
    source = folder / "module.py"
    source.write_text("origin = 'compiled'\n")
    os.utime(source, (1_600_000_000, 1_600_000_000))
    py_compile.compile(str(source), invalidation_mode=mode)
    if change == "time":
        os.utime(source, (315_532_800, 315_532_800))  # 1980, as in zips
    elif change == "content":
        source.write_text("origin = 'sourced!'\n")
        os.utime(source, (1_600_000_000, 1_600_000_000))
    elif change == "size":
        source.write_text("origin = 'the source'\n")
        os.utime(source, (1_600_000_000, 1_600_000_000))
    return folder


@pytest.mark.parametrize(
    ("mode", "change", "use"),
    [
        pytest.param(MODES.TIMESTAMP, "", Use.VALID, id="time and size agree"),
        pytest.param(MODES.TIMESTAMP, "time", Use.STALE, id="another time"),
        pytest.param(MODES.TIMESTAMP, "size", Use.STALE, id="another size"),
        pytest.param(MODES.TIMESTAMP, "content", Use.VALID, id="the same size"),
        pytest.param(MODES.UNCHECKED_HASH, "time", Use.UNCHECKED, id="unchecked, another time"),
        pytest.param(MODES.UNCHECKED_HASH, "size", Use.UNCHECKED, id="unchecked, another source"),
        pytest.param(MODES.CHECKED_HASH, "time", Use.CHECKED, id="checked, another time"),
        pytest.param(MODES.CHECKED_HASH, "size", Use.STALE, id="checked, another source"),
    ],
)
def test_it_is_what_python_does(mode: MODES, change: str, use: Use, tmp_path: Path) -> None:
    folder = compiled(tmp_path, mode, change)

    assert use_of(FolderArtifact(folder), "module.py", TAG) is use

    changed = folder / "module.py"
    if change in ("", "time"):  # then only a mark in the compiled file shows which one was used
        status = changed.stat()
        data = compiled_file(folder).read_bytes().replace(b"compiled", b"from_pyc")
        compiled_file(folder).write_bytes(data)
        os.utime(changed, (status.st_atime, status.st_mtime))
    result = subprocess.run(
        [sys.executable, "-B", "-c", RUN], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    is_used = use in (Use.VALID, Use.UNCHECKED, Use.CHECKED)
    assert (result.stdout.strip() in ("from_pyc", "compiled") and "sourced" not in result.stdout) is is_used or (
        not is_used and result.stdout.strip() in ("compiled", "the source")
    )


def compiled_file(folder: Path) -> Path:
    return folder / compiled_path("module.py", TAG)


@pytest.mark.parametrize(
    ("data", "use"),
    [
        pytest.param(b"", Use.BROKEN, id="empty"),
        pytest.param(b"\x00" * 20, Use.BROKEN, id="no magic number"),
        pytest.param((3413).to_bytes(2, "little") + b"\r\n" + b"\0" * 12, Use.FOREIGN, id="another Python's"),
    ],
)
def test_a_file_that_python_rejects(data: bytes, use: Use, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("")
    compiled_file(tmp_path).parent.mkdir()
    compiled_file(tmp_path).write_bytes(data)

    assert use_of(FolderArtifact(tmp_path), "module.py", TAG) is use


def test_a_module_without_a_compiled_file_has_none(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("")

    assert use_of(FolderArtifact(tmp_path), "module.py", TAG) is None


def test_the_running_python_is_known_by_its_magic_number() -> None:
    assert python_of_magic(int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")) == sys.version_info[:2]


@pytest.mark.parametrize(
    ("magic", "version"),
    [
        pytest.param(3439, (3, 10), id="3.10"),
        pytest.param(3495, (3, 11), id="3.11"),
        pytest.param(3531, (3, 12), id="3.12"),
        pytest.param(3571, (3, 13), id="3.13"),
        pytest.param(3413, (), id="3.8, which is not in use"),
        pytest.param(60000, (), id="none"),
    ],
)
def test_versions_of_magic_numbers(magic: int, version: tuple[int, ...]) -> None:
    assert python_of_magic(magic) == version


def test_a_header_of_a_real_file_is_parsed(tmp_path: Path) -> None:
    data = compiled_file(compiled(tmp_path, MODES.CHECKED_HASH, "")).read_bytes()

    header = parse_header(data)

    assert header is not None
    assert header.is_hash_based
    assert header.checks_source
    assert header.source_hash == importlib.util.source_hash((tmp_path / "module.py").read_bytes())


@pytest.mark.parametrize(
    ("source", "path"),
    [
        pytest.param("a.py", "__pycache__/a.cpython-313.pyc", id="at the top"),
        pytest.param("b/c/a.py", "b/c/__pycache__/a.cpython-313.pyc", id="in a package"),
    ],
)
def test_where_a_compiled_file_is(source: str, path: str) -> None:
    assert compiled_path(source, "cpython-313") == path
