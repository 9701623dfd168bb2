"""Makes artifacts in which nothing is wrong, for tests to seed faults into."""

from __future__ import annotations

import io
import json
import os
import py_compile
import sys
import tarfile
import zipfile
from pathlib import Path

from doctor.elf_files import make_shared_object

TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
EXTENSION = f"pkg/native.{TAG}-x86_64-linux-gnu.so"
# A minute that no zip of a test has by chance.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)

APP = """\
import pkg


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
"""
BOOTSTRAP = "#!/usr/bin/env python3\nimport sys\n"


def make_function(folder: Path) -> Path:
    """Write the folder of a function: an app, a package with native code, the bootstrap, and bytecode for all."""
    write(folder / "main.py", APP)
    write(folder / "bootstrap", BOOTSTRAP, mode=0o755)
    install(folder, "pkg", {"pkg/__init__.py": "x = 1\n", "pkg/more.py": "y = 2\n"})
    write(folder / EXTENSION, make_shared_object())
    add_to_record(folder, "pkg", EXTENSION)
    compile_all(folder)
    return folder


def install(
    folder: Path,
    name: str,
    files: dict[str, str],
    tags: tuple[str, ...] = ("py3-none-any",),
    version: str = "1.0",
) -> None:
    """Write a package as pip installs it."""
    info = f"{name}-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags),
    }
    for path, text in {**files, **metadata}.items():
        write(folder / path, text)
    write(folder / info / "RECORD", "".join(f"{path},,\n" for path in [*files, *metadata, f"{info}/RECORD"]))


def add_to_record(folder: Path, name: str, path: str, version: str = "1.0") -> None:
    """Add a file to the list of those that a package has."""
    record = folder / f"{name}-{version}.dist-info" / "RECORD"
    record.write_text(f"{record.read_text()}{path},,\n")


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write a file, and the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def compile_all(folder: Path, mode: str = "UNCHECKED_HASH") -> None:
    """Compile all sources."""
    for source in folder.rglob("*.py"):
        py_compile.compile(str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode[mode])


def make_layer(function: Path) -> Path:
    """Move the packages of a function to the folder of a layer, with the bootstrap beside them."""
    layer = function.with_name("layer")
    (layer / "python").mkdir(parents=True)
    for path in sorted(function.iterdir()):
        if path.name == "bootstrap":
            path.rename(layer / path.name)
        elif path.name.startswith("pkg"):
            path.rename(layer / "python" / path.name)
    return layer


def make_zip(folder: Path, *, keeps_times: bool = False) -> Path:
    """Zip a folder, with permissions; with the dates that SAM and Serverless write, unless times are kept."""
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                link = zipfile.ZipInfo(name, _LONG_AGO)
                link.external_attr = 0o120777 << 16
                file.writestr(link, os.readlink(path).encode())
                continue
            info = zipfile.ZipInfo.from_file(path, name)
            info.date_time = info.date_time if keeps_times else _LONG_AGO
            info.compress_type = zipfile.ZIP_STORED
            file.writestr(info, b"" if path.is_dir() else path.read_bytes())
    return target


def add_to_zip(file: Path, entries: dict[str, bytes]) -> Path:
    """Add entries to a zip, whatever their paths are; those that end in @ are links to what they have."""
    with zipfile.ZipFile(file, "a") as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name.rstrip("@"), _LONG_AGO)
            info.external_attr = (0o120777 if name.endswith("@") else 0o100644) << 16
            archive.writestr(info, data)
    return file


def make_image(folder: Path, config: dict[str, object], extra: dict[str, bytes] | None = None) -> Path:
    """Write the archive of an image that has a folder at /var/task."""
    config = dict(config)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, f"var/task/{path.relative_to(folder).as_posix()}", recursive=False)
        for name, data in {"usr/bin/env": b"\x7fELF", "usr/bin/python3": b"\x7fELF", **(extra or {})}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    document = {"architecture": config.pop("architecture", "amd64"), "config": {"WorkingDir": "/var/task", **config}}
    manifest = [{"Config": "config.json", "Layers": ["layer.tar"]}]
    files = {"manifest.json": json.dumps(manifest), "config.json": json.dumps(document)}
    target = folder.with_suffix(".tar")
    with tarfile.open(target, "w") as archive:
        for name, data in {
            **{name: text.encode() for name, text in files.items()},
            "layer.tar": layer.getvalue(),
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target
