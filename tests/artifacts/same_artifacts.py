"""Makes the same function as a folder, a zip and images of all kinds."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any


def make_folder(path: Path) -> Path:
    (path / "pkg").mkdir(parents=True)
    (path / "pkg" / "__init__.py").write_text("x = 1\n")
    bootstrap = path / "bootstrap"
    bootstrap.write_text("#!/bin/sh\n")
    bootstrap.chmod(0o755)
    (path / "link").symlink_to("pkg/__init__.py")
    return path


def make_zip(path: Path) -> Path:
    with zipfile.ZipFile(path / "function.zip", "w") as file:
        file.writestr(_info("pkg/__init__.py", 0o100644), "x = 1\n")
        file.writestr(_info("bootstrap", 0o100755), "#!/bin/sh\n")
        file.writestr(_info("link", 0o120777), "pkg/__init__.py")
    return path / "function.zip"


def _info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = mode << 16
    return info


def make_layer(files: dict[str, bytes], modes: dict[str, int], links: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), modes.get(name, 0o644)
            layer.addfile(member, io.BytesIO(data))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            layer.addfile(member)
    return buffer.getvalue()


LAYERS = [
    make_layer({"old.txt": b"old", "data/a": b"a", "data/b": b"b", "pkg/__init__.py": b"x = 0\n"}, {}, {}),
    make_layer(
        {".wh.old.txt": b"", "data/.wh..wh..opq": b"", "pkg/__init__.py": b"x = 1\n", "bootstrap": b"#!/bin/sh\n"},
        {"bootstrap": 0o755},
        {"link": "pkg/__init__.py"},
    ),
]
CONFIG = {
    "architecture": "arm64",
    "config": {"Entrypoint": ["/bootstrap"], "Cmd": ["main:app"], "Env": ["A=b=c"], "User": "993"},
}


def make_docker_archive(path: Path) -> Path:
    manifest = [{"Config": "config.json", "Layers": ["0.tar", "1.tar"]}]
    files = {"manifest.json": manifest, "config.json": CONFIG}
    return write_tar(path / "image.tar", {**encoded(files), "0.tar": LAYERS[0], "1.tar": LAYERS[1]})


def make_oci_archive(path: Path) -> Path:
    return write_tar(path / "image.tar", _oci_files())


def make_oci_folder(path: Path) -> Path:
    for name, data in _oci_files().items():
        (path / "image" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "image" / name).write_bytes(data)
    return path / "image"


def _oci_files() -> dict[str, bytes]:
    def descriptor(name: str) -> dict[str, str]:
        return {"digest": f"sha256:{name}"}

    index = {"manifests": [descriptor("index")]}
    inner = {"manifests": [descriptor("manifest")]}
    manifest = {"config": descriptor("config"), "layers": [descriptor("0"), descriptor("1")]}
    files = {"index.json": index, "blobs/sha256/index": inner, "blobs/sha256/manifest": manifest}
    blobs = {f"blobs/sha256/{number}": layer for number, layer in enumerate(LAYERS)}
    return {**encoded({**files, "blobs/sha256/config": CONFIG, "oci-layout": {}}), **blobs}


def encoded(documents: dict[str, Any]) -> dict[str, bytes]:
    return {name: json.dumps(document).encode() for name, document in documents.items()}


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(make_layer(files, {}, {}))
    return path
