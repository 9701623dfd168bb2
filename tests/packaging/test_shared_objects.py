"""Files for other machines: what a package does without, and what makes it useless."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctor.elf_files import ARM64, X86_64, make_shared_object

from lambda_web_adapter.packaging.contents import Contents
from lambda_web_adapter.packaging.distributions import Distribution
from lambda_web_adapter.packaging.package_files import add_distributions
from lambda_web_adapter.packaging.shared_objects import find_foreign
from lambda_web_adapter.packaging.target import build_target

TARGET = build_target("3.13", "x86_64")
OWN, OTHER = make_shared_object(X86_64), make_shared_object(ARM64)
NEEDS_TOOL = make_shared_object(X86_64, libraries=("libtool.so.1",))


@pytest.mark.parametrize(
    ("files", "foreign"),
    [
        pytest.param(
            {"x/a.dll": b"MZ", "x/b.dylib": b"", "x/c.pyd": b"MZ"}, {"x/a.dll", "x/b.dylib", "x/c.pyd"}, id="os"
        ),
        pytest.param({"x/attach_arm.so": OTHER, "x/attach.so": OWN}, {"x/attach_arm.so"}, id="library-of-all-machines"),
        pytest.param({"x/fast.abi3.so": OTHER + b"PyInit_fast"}, set(), id="module"),
        pytest.param(
            {
                "x/fast.cpython-313-aarch64-linux-gnu.so": OTHER + b"PyInit_fast",
                "x/fast.cpython-313-x86_64-linux-gnu.so": OWN + b"PyInit_fast",
            },
            {"x/fast.cpython-313-aarch64-linux-gnu.so"},
            id="module-for-several-machines",
        ),
        pytest.param({"x.libs/libtool.so.1": OTHER, "x/y.so": NEEDS_TOOL}, set(), id="library-of-a-module"),
        pytest.param({"x/data.so": b"no ELF file", "x/y.so": OWN}, set(), id="nothing"),
    ],
)
def test_what_a_target_never_loads(files: dict[str, bytes], foreign: set[str], tmp_path: Path) -> None:
    write(tmp_path, files)

    assert find_foreign(tmp_path, files, TARGET) == foreign


def test_a_program_for_another_processor(tmp_path: Path) -> None:
    write(tmp_path, {"x/manager": OTHER, "x/data": OTHER})
    (tmp_path / "x" / "manager").chmod(0o755)

    assert find_foreign(tmp_path, ["x/manager", "x/data"], TARGET) == {"x/manager"}


@pytest.mark.parametrize(
    ("keep", "names", "omitted"),
    [
        pytest.param((), {"x.py"}, ["x.dll"], id="left-out"),
        pytest.param(("foreign",), {"x.py", "x.dll"}, [], id="kept"),
    ],
)
def test_files_of_other_systems_have_a_switch(
    keep: tuple[str, ...], names: set[str], omitted: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"x.py": b"", "x.dll": b"MZ", "x-1.dist-info/RECORD": b"x.dll,,\n"})
    files = ("x.py", "x.dll", "x-1.dist-info/RECORD")
    contents = Contents()

    add_distributions(
        {"x": Distribution(name="x", version="1", site=tmp_path, files=files, requirements=())}, keep, contents, TARGET
    )

    assert contents.items.keys() == {*names, "x-1.dist-info/RECORD"}
    assert (b"x.dll" in contents.items["x-1.dist-info/RECORD"].read()) == bool(keep)
    assert contents.foreign == omitted


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
