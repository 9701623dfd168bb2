"""Contents become the same zip each time, which everybody can unpack."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.writer import check_output, source_date, write_folder, write_zip

_NAMES = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
_FILES = st.dictionaries(_NAMES.filter(lambda name: name not in (".", "..")), st.binary(max_size=50), max_size=8)


def contents_of(files: dict[str, bytes]) -> Contents:
    return Contents({path: Item(owner=APP, content=data) for path, data in files.items()})


@given(_FILES, st.randoms())
def test_the_order_of_files_does_not_count(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], random: object
) -> None:
    folder = tmp_path_factory.mktemp("zips")
    shuffled = list(files.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    write_zip(contents_of(files), folder / "a.zip", source_date({}))
    write_zip(contents_of(dict(shuffled)), folder / "b.zip", source_date({}))

    assert (folder / "a.zip").read_bytes() == (folder / "b.zip").read_bytes()
    with zipfile.ZipFile(folder / "a.zip") as archive:
        assert {info.filename: archive.read(info) for info in archive.infolist()} == files


def test_a_zip_has_room_for_more_files_than_the_old_format(tmp_path: Path) -> None:
    files = {f"{number}": b"" for number in range(66_000)}

    write_zip(contents_of(files), tmp_path / "large.zip", source_date({}))

    with zipfile.ZipFile(tmp_path / "large.zip") as archive:
        assert len(archive.namelist()) == 66_000


def test_the_zip_that_was_there_stays_if_the_new_one_fails(tmp_path: Path) -> None:
    file = tmp_path / "function.zip"
    file.write_text("old")
    contents = Contents({"gone.txt": Item(owner=APP, content=tmp_path / "gone.txt")})

    with pytest.raises(FileNotFoundError):
        write_zip(contents, file, source_date({}))

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_has_permissions_and_times(tmp_path: Path) -> None:
    contents = Contents({"bin/run": Item(owner=APP, content=b"#!/bin/sh\n", is_executable=True)})

    write_folder(contents, tmp_path / "out", 1_700_000_000)

    status = (tmp_path / "out/bin/run").stat()
    assert (status.st_mode & 0o777, status.st_mtime) == (0o755, 1_700_000_000)


def test_a_folder_with_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="has files"):
        write_folder(Contents(), Path(sys.prefix), 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("", 315_532_800, id="none"),
        pytest.param("0", 315_532_800, id="before-zips"),
        pytest.param("1700000000", 1_700_000_000, id="later"),
    ],
)
def test_the_time_is_that_of_source_date_epoch(text: str, seconds: int) -> None:
    assert source_date({"SOURCE_DATE_EPOCH": text}) == seconds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("today", "SOURCE_DATE_EPOCH is 'today'", id="no-number"),
        pytest.param("99999999999", "SOURCE_DATE_EPOCH is 99999999999, but a zip has times until 2107", id="late"),
    ],
)
def test_a_wrong_source_date_epoch_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(PackagingError, match=problem):
        source_date({"SOURCE_DATE_EPOCH": text})


def test_the_last_time_of_a_zip_is_one_that_it_takes(tmp_path: Path) -> None:
    write_zip(contents_of({"x": b""}), tmp_path / "out.zip", source_date({"SOURCE_DATE_EPOCH": "4354819198"}))

    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.infolist()[0].date_time == (2107, 12, 31, 23, 59, 58)


def test_unzip_restores_the_run_bit(tmp_path: Path) -> None:
    contents = Contents({"bootstrap": Item(owner=APP, content=b"#!/bin/sh\necho it runs\n", is_executable=True)})
    write_zip(contents, tmp_path / "function.zip", source_date({}))

    subprocess.run(["unzip", "-q", "function.zip"], cwd=tmp_path, check=True)

    done = subprocess.run([tmp_path / "bootstrap"], capture_output=True, text=True, check=True)
    assert done.stdout == "it runs\n"


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """A umask by which nobody else may read what is written."""
    umask = os.umask(0o077)
    yield
    os.umask(umask)


@pytest.mark.usefixtures("strict_umask")
def test_everybody_may_read_a_folder(tmp_path: Path) -> None:
    write_folder(contents_of({"pkg/inner/x.py": b""}), tmp_path / "out", 1_700_000_000)

    folders = [tmp_path / "out" / path for path in ("", "pkg", "pkg/inner")]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o755}
    assert {folder.stat().st_mtime for folder in folders} == {1_700_000_000}
    assert stat.S_IMODE((folders[-1] / "x.py").stat().st_mode) == 0o644


def test_nothing_stays_of_a_folder_that_fails(tmp_path: Path) -> None:
    contents = contents_of({"a/x.py": b"", "b.py": b""})
    contents.items["gone.txt"] = Item(owner=APP, content=tmp_path / "gone.txt")

    with pytest.raises(FileNotFoundError):
        write_folder(contents, tmp_path / "out", 0)

    assert list((tmp_path / "out").iterdir()) == []


def test_the_folder_of_a_zip_is_made(tmp_path: Path) -> None:
    write_zip(contents_of({"x": b""}), tmp_path / "dist" / "out.zip", source_date({}))

    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["out.zip"]


@pytest.mark.parametrize(
    ("name", "is_folder", "problem"),
    [
        pytest.param("full", True, "has files", id="folder-with-files"),
        pytest.param("file", True, "is a file", id="file-instead-of-a-folder"),
        pytest.param(
            "empty", False, "takes the zip to write, such as .*/empty/function.zip", id="folder-instead-of-a-zip"
        ),
        pytest.param("empty", True, "", id="empty-folder"),
        pytest.param("new", True, "", id="new-folder"),
        pytest.param("file", False, "", id="earlier-zip"),
    ],
)
def test_an_output_that_cannot_be_written_is_an_error(name: str, is_folder: bool, problem: str, tmp_path: Path) -> None:
    for folder in ("full", "empty"):
        (tmp_path / folder).mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "file").touch()

    with pytest.raises(PackagingError, match=problem) if problem else nullcontext():
        check_output(tmp_path / name, is_folder=is_folder)
