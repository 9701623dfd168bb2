"""`--fix` repairs what it names, and changes nothing else."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from doctor.sample_artifacts import BOOTSTRAP, TAG, add_to_zip, compile_all, make_function, make_image, make_zip, write

from lambda_web_adapter.artifacts.bytecode import parse_header
from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor.examination import Options, examine, repair
from lambda_web_adapter.doctor.repair import Repair, RepairError, write_zip
from lambda_web_adapter.doctor.unpacking import unpacked

WINDOWS_FILE = 0x20  # the attribute "archive", and no permissions
OPTIONS = Options(python=(sys.version_info[0], sys.version_info[1]), architecture="x86_64", imports_app=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function with every fault that can be repaired."""
    path = make_function(tmp_path / "function")
    write(path / "bootstrap", BOOTSTRAP.replace("\n", "\r\n"))
    compile_all(path, "TIMESTAMP")
    (path / "pkg" / "__pycache__" / f"more.{TAG}.pyc").unlink()
    (path / "main.py").chmod(0o600)
    (path / "pkg").chmod(0o700)
    return path


def rules_of(path: Path) -> set[str]:
    return {finding.rule for finding in examine(path, OPTIONS).findings}


def bytes_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def test_a_zip_is_repaired_in_a_new_file(folder: Path) -> None:
    path = make_zip(folder)
    before = path.read_bytes()

    fixed, texts, _ = repair(path, OPTIONS, None)

    assert rules_of(path) == {"stale-bytecode", "missing-bytecode", "not-executable", "unreadable", "crlf-script"}
    assert rules_of(fixed) == set()
    assert fixed == path.with_name("function.fixed.zip")
    assert path.read_bytes() == before
    assert len(texts) == 5


def test_a_repaired_zip_has_the_same_entries_in_the_same_order(folder: Path) -> None:
    path = make_zip(folder)
    fixed, *_ = repair(path, OPTIONS, path.with_name("new.zip"))

    before, after = bytes_of(path), bytes_of(fixed)
    added = f"pkg/__pycache__/more.{TAG}.pyc"
    assert list(after) == [*before, added]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"bootstrap", f"__pycache__/main.{TAG}.pyc", f"pkg/__pycache__/__init__.{TAG}.pyc"}
    assert after["bootstrap"] == BOOTSTRAP.encode()


def test_a_repaired_zip_keeps_dates_and_rights_of_the_rest(folder: Path) -> None:
    path = make_zip(folder)
    fixed, *_ = repair(path, OPTIONS, None)

    with zipfile.ZipFile(path) as old, zipfile.ZipFile(fixed) as new:
        dates = [(info.filename, info.date_time) for info in old.infolist()]
        assert [(info.filename, info.date_time) for info in new.infolist()][: len(dates)] == dates
        modes = {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in new.infolist()}
        before = {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in old.infolist()}
    assert {name for name, mode in before.items() if modes[name] != mode} == {"bootstrap", "main.py", "pkg/"}
    assert (modes["bootstrap"], modes["main.py"], modes["pkg/"]) == (0o755, 0o644, 0o755)


def test_a_zip_without_permissions_gets_a_run_bit_only(folder: Path) -> None:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as file:
        for name in ("bootstrap", "main.py"):
            info = zipfile.ZipInfo(name)
            info.create_system = 0
            info.external_attr = WINDOWS_FILE
            file.writestr(info, BOOTSTRAP if name == "bootstrap" else "x = 1\n")

    fixed, *_ = repair(path, OPTIONS, None)

    assert rules_of(fixed) == set()
    with zipfile.ZipFile(fixed) as file:
        assert stat.S_IMODE(file.getinfo("bootstrap").external_attr >> 16) == 0o755
        assert file.getinfo("main.py").external_attr == WINDOWS_FILE


def test_a_repair_takes_away_only_the_right_to_write(folder: Path) -> None:
    (folder / "main.py").chmod(0o602)
    (folder / "pkg" / "more.py").chmod(0o666)

    fixed, *_ = repair(make_zip(folder), OPTIONS, None)

    with zipfile.ZipFile(fixed) as file:
        modes = [stat.S_IMODE(file.getinfo(name).external_attr >> 16) for name in ("main.py", "pkg/more.py")]
    assert modes == [0o644, 0o664]
    assert rules_of(fixed) == set()


def test_of_two_entries_of_one_path_the_last_one_is_kept(tmp_path: Path) -> None:
    path = make_zip(make_function(tmp_path / "function"))
    add_to_zip(path, {"./pkg/more.py": b"y = 2\n", "./pkg/last.txt": b"last"})

    fixed, texts, _ = repair(path, OPTIONS, None)

    assert (rules_of(path), rules_of(fixed)) == ({"doubled-entry"}, set())
    assert texts == ["Left out all but the last entry of pkg/more.py.", f"Wrote {fixed}."]
    after = bytes_of(fixed)
    assert (after["./pkg/more.py"], after["./pkg/last.txt"], "pkg/more.py" in after) == (b"y = 2\n", b"last", False)


def test_two_repairs_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    path = make_zip(folder)

    first, *_ = repair(path, OPTIONS, tmp_path / "first.zip")
    second, *_ = repair(path, OPTIONS, tmp_path / "second.zip")

    assert first.read_bytes() == second.read_bytes()


def test_a_folder_is_repaired_in_place(folder: Path) -> None:
    source = (folder / "pkg" / "more.py").stat().st_mtime_ns

    assert repair(folder, OPTIONS, None)[0] == folder

    assert rules_of(folder) == set()
    assert (folder / "bootstrap").read_text() == BOOTSTRAP
    assert stat.S_IMODE((folder / "bootstrap").stat().st_mode) == 0o755
    assert (folder / "pkg" / "more.py").stat().st_mtime_ns == source


def test_repaired_bytecode_is_what_python_runs(folder: Path) -> None:
    """A module whose source is changed afterwards still is what was compiled."""
    repair(folder, OPTIONS, None)
    compiled = folder / "pkg" / "__pycache__" / f"more.{TAG}.pyc"
    header = parse_header(compiled.read_bytes())
    (folder / "pkg" / "more.py").write_text("y = 3\n")

    output = subprocess.run(
        [sys.executable, "-c", "from pkg.more import y; print(y)"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )

    assert header is not None
    assert (header.is_hash_based, header.checks_source) == (True, False)
    assert output.stdout == "2\n"


def test_tracebacks_name_the_path_in_the_function(folder: Path) -> None:
    repair(folder, OPTIONS, None)

    data = (folder / "__pycache__" / f"main.{TAG}.pyc").read_bytes()

    assert b"/var/task/main.py" in data
    assert str(folder).encode() not in data


def test_a_module_with_a_syntax_error_is_left_alone(folder: Path) -> None:
    write(folder / "pkg" / "template.py", "def {{ name }}():\n")

    repair(folder, OPTIONS, None)

    assert not (folder / "pkg" / "__pycache__" / f"template.{TAG}.pyc").exists()
    assert (folder / "pkg" / "__pycache__" / f"more.{TAG}.pyc").exists()


def test_without_the_function_s_python_the_rest_is_repaired(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    path, texts, _ = repair(folder, Options(python=(3, 99), architecture="x86_64", imports_app=False), None)

    assert any("no python3.99" in text for text in texts)
    assert (path / "bootstrap").read_text() == BOOTSTRAP


def test_an_image_is_not_repaired(folder: Path) -> None:
    with pytest.raises(RepairError, match="Dockerfile"):
        repair(make_image(folder, {}), OPTIONS, None)


def test_a_project_is_not_repaired(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "")

    with pytest.raises(RepairError, match="name what its build has made"):
        repair(tmp_path, OPTIONS, None)


def test_nothing_is_written_outside_by_a_hostile_zip(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside / "mod.py", "x = 1\n")
    entries = {f"{outside}/mod.py": b"x = 2\n", "../up.py": b"x = 2\n", "pkg/../../up.py": b"x = 2\n"}
    entries |= {"link@": str(outside).encode(), "link/mod.py": b"x = 2\n", "link/new.py": b"x = 2\n"}
    path = add_to_zip(make_zip(folder), entries)
    before = sorted(tmp_path.iterdir())

    fixed, *_ = repair(path, OPTIONS, None)
    with open_artifact(path) as artifact, unpacked(artifact) as root:
        inside = {file.relative_to(root).as_posix() for file in root.rglob("*")}

    assert sorted(tmp_path.iterdir()) == sorted([*before, fixed])
    assert [(file.name, file.read_text()) for file in outside.iterdir()] == [("mod.py", "x = 1\n")]
    assert {"main.py", "link/mod.py", "link/new.py"} <= inside
    assert rules_of(fixed) == {"outside-path"}  # the link leads to /tmp, which functions have


def test_of_what_is_in_order_no_new_zip_is_written(tmp_path: Path) -> None:
    path = make_zip(make_function(tmp_path / "function"))

    assert repair(path, OPTIONS, None) == (path, [], 0)
    assert repair(path, OPTIONS, tmp_path / "new.zip")[0].is_file()


def test_a_repaired_zip_has_the_template_of_the_zip(folder: Path, tmp_path: Path) -> None:
    """Although the template names the zip, and another function besides."""
    function = "{Type: AWS::Serverless::Function, Properties: {CodeUri: %s, Runtime: python%s}}"
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    template = f"Resources:\n  App: {function % ('function.zip', python)}\n  Other: {function % ('other', '3.99')}\n"
    (tmp_path / "template.yaml").write_text(template)
    path = make_zip(folder)

    fixed, *_ = repair(path, OPTIONS, None)

    assert examine(fixed, replace(OPTIONS, origin=path)).facts["functions"] == ["App"]


def test_no_link_is_followed_out_of_a_folder(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "pkg" / "__pycache__")
    (tmp_path / "outside").mkdir()
    (folder / "pkg" / "__pycache__").symlink_to(tmp_path / "outside")

    with pytest.raises(RepairError, match="leads out of"):
        repair(folder, OPTIONS, None)

    assert list((tmp_path / "outside").iterdir()) == []


def test_a_link_instead_of_a_file_is_replaced(folder: Path, tmp_path: Path) -> None:
    compiled = folder / "pkg" / "__pycache__" / f"__init__.{TAG}.pyc"
    outside = tmp_path / "outside.pyc"
    outside.write_bytes(b"")
    compiled.unlink()
    compiled.symlink_to(outside)

    repair(folder, OPTIONS, None)

    assert outside.read_bytes() == b""
    assert not compiled.is_symlink()


def test_no_half_zip_stays_if_a_repair_fails(folder: Path, tmp_path: Path) -> None:
    path = make_zip(folder)
    (tmp_path / "out.zip").write_text("before")

    with pytest.raises(FileNotFoundError):
        write_zip(Repair(), tmp_path / "gone.zip", tmp_path / "out.zip")

    assert (tmp_path / "out.zip").read_text() == "before"
    assert {each.name for each in tmp_path.iterdir()} == {"function", path.name, "out.zip"}


def test_a_zip_with_a_damaged_entry_is_not_repaired(folder: Path) -> None:
    write(folder / "data.bin", b"payload")
    path = make_zip(folder)
    path.write_bytes(path.read_bytes().replace(b"payload", b"PAYLOAD"))

    with pytest.raises(RepairError, match=r"damaged or encrypted: .*data\.bin"):
        repair(path, OPTIONS, None)

    assert sorted(each.name for each in path.parent.iterdir()) == ["function", "function.zip"]


def test_a_program_with_a_zip_in_it_keeps_its_bytes(folder: Path) -> None:
    write(folder / "bootstrap", b"#!/usr/bin/env python3\r\nPK\0\r\n", mode=0o755)

    fixed, _, _ = repair(make_zip(folder), OPTIONS, None)

    assert bytes_of(fixed)["bootstrap"] == b"#!/usr/bin/env python3\r\nPK\0\r\n"
