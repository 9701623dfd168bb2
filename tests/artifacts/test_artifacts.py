"""Folders, zips, layers and images are read as Lambda sees them."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from artifacts.same_artifacts import (
    LAYERS,
    encoded,
    make_docker_archive,
    make_folder,
    make_oci_archive,
    make_oci_folder,
    make_zip,
    write_tar,
)

from lambda_web_adapter.artifacts.artifact import Artifact, ArtifactError
from lambda_web_adapter.artifacts.elf import parse_shared_object
from lambda_web_adapter.artifacts.opening import open_artifact

MAKERS = [
    pytest.param(lambda path: make_folder(path / "folder"), id="folder"),
    pytest.param(make_zip, id="zip"),
    pytest.param(make_docker_archive, id="docker archive"),
    pytest.param(make_oci_archive, id="OCI archive"),
    pytest.param(make_oci_folder, id="OCI folder"),
]


@pytest.mark.parametrize("make", MAKERS)
def test_entries_have_size_rights_and_target(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with open_artifact(make(tmp_path)) as artifact:
        assert sorted(artifact.entries) == ["bootstrap", "link", "pkg/__init__.py"]
        assert artifact.read("pkg/__init__.py") == b"x = 1\n"
        assert artifact.entries["bootstrap"].is_executable
        assert not artifact.entries["pkg/__init__.py"].is_executable
        assert artifact.entries["pkg/__init__.py"].is_readable
        assert artifact.entries["link"].target == "pkg/__init__.py"
        assert stat.S_ISLNK(artifact.entries["link"].mode)
        assert artifact.size == len(b"x = 1\n#!/bin/sh\n")


@pytest.mark.parametrize("make", MAKERS)
def test_an_unknown_path_is_an_error(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with open_artifact(make(tmp_path)) as artifact, pytest.raises(KeyError):
        artifact.read("missing")


@pytest.mark.parametrize("make", MAKERS[2:])
def test_an_image_has_a_configuration(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with open_artifact(make(tmp_path)) as artifact:
        assert artifact.image is not None
        assert artifact.image.architecture == "arm64"
        assert artifact.image.entrypoint == ("/bootstrap",)
        assert artifact.image.command == ("main:app",)
        assert artifact.image.environ == {"A": "b=c"}
        assert artifact.image.user == "993"


def _index(*platforms: str) -> dict[str, Any]:
    """Return an index with a manifest for each platform; those of attestations are unknown/unknown."""
    systems = ["unknown" if platform == "unknown" else "linux" for platform in platforms]
    return {
        "manifests": [
            {"digest": f"sha256:{platform}", "platform": {"os": system, "architecture": platform}}
            for system, platform in zip(systems, platforms, strict=True)
        ]
    }


def make_index(path: Path, *platforms: str) -> Path:
    """Write an archive as `docker buildx build --output type=oci` does: an index that leads to one of platforms."""
    files: dict[str, Any] = {
        "oci-layout": {},
        "index.json": {"manifests": [{"digest": "sha256:index"}]},
        "blobs/sha256/index": _index(*platforms),
    }
    for platform in platforms:
        layers = [{"digest": "sha256:0"}]
        files[f"blobs/sha256/{platform}"] = {"config": {"digest": f"sha256:{platform}-config"}, "layers": layers}
        files[f"blobs/sha256/{platform}-config"] = {"architecture": platform, "config": {}}
    return write_tar(path / "image.tar", {**encoded(files), "blobs/sha256/0": LAYERS[0]})


@pytest.mark.parametrize(
    ("platforms", "asked", "read"),
    [
        (["unknown", "arm64"], "", "arm64"),
        (["arm64", "amd64", "unknown"], "", "amd64"),
        (["amd64", "unknown", "arm64", "unknown"], "arm64", "arm64"),
        (["amd64", "unknown"], "arm64", "amd64"),  # which the examination reports
    ],
)
def test_of_several_images_the_function_s_is_read(platforms: list[str], asked: str, read: str, tmp_path: Path) -> None:
    with open_artifact(make_index(tmp_path, *platforms), asked) as artifact:
        assert artifact.image is not None
        assert artifact.image.architecture == read


@pytest.mark.parametrize(
    ("platforms", "message"),
    [
        (["amd64", "riscv64"], "has no image for linux/arm64, but for linux/amd64, linux/riscv64"),
        (["unknown"], "has no image, but attestations"),
    ],
)
def test_an_image_that_is_not_there_is_an_error(platforms: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=message):
        open_artifact(make_index(tmp_path, *platforms), "arm64")


def test_of_several_saved_images_the_function_s_is_read(tmp_path: Path) -> None:
    saved = [{"Config": f"{name}.json", "Layers": ["0.tar"]} for name in ("amd64", "arm64")]
    configs = {f"{name}.json": {"architecture": name} for name in ("amd64", "arm64")}
    path = write_tar(tmp_path / "image.tar", {**encoded({"manifest.json": saved, **configs}), "0.tar": LAYERS[0]})

    with open_artifact(path, "arm64") as artifact:
        assert artifact.image is not None
        assert artifact.image.architecture == "arm64"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        pytest.param(["python/a.py", "bootstrap"], "layer", id="a layer"),
        pytest.param(["python/a.py", "main.py"], "zip", id="a function with a folder of this name"),
        pytest.param([], "zip", id="nothing"),
    ],
)
def test_a_layer_has_nothing_but_its_folders(names: list[str], kind: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in names:
            file.writestr(name, "")

    with open_artifact(tmp_path / "a.zip") as artifact:
        assert artifact.kind == kind


def test_a_path_begins_with_no_dot(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("./", "./pkg/", "././/pkg/a.py", "./main.py"):
            file.writestr(name, "x" if name.endswith(".py") else "")

    with open_artifact(tmp_path / "a.zip") as artifact:
        assert (list(artifact.entries), list(artifact.folders)) == (["pkg/a.py", "main.py"], ["pkg"])
        assert artifact.read("main.py") == b"x"


def test_the_time_of_info_zip_counts_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.py", (2020, 1, 1, 0, 0, 0))
    info.extra = b"UT\x05\x00\x03" + (1_700_000_001).to_bytes(4, "little")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "")

    with open_artifact(tmp_path / "a.zip") as artifact:
        assert artifact.entries["a.py"].mtime == 1_700_000_001


def test_a_zip_without_permissions_is_readable(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.py")
    info.create_system, info.external_attr = 0, 0x20  # as Windows does
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "")

    with open_artifact(tmp_path / "a.zip") as artifact:
        assert artifact.entries["a.py"].is_readable


def _not_an_image(path: Path) -> Path:
    return write_tar(path / "a.tar", {"readme": b""})


def _text(path: Path) -> Path:
    (path / "a.txt").write_text("nothing")
    return path / "a.txt"


@pytest.mark.parametrize(
    ("make", "message"),
    [pytest.param(_text, "neither", id="text"), pytest.param(_not_an_image, "not an image", id="another tar")],
)
def test_what_is_no_artifact_is_an_error(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=message):
        open_artifact(make(tmp_path))


def test_a_shared_object_names_its_machine_and_its_glibc() -> None:
    shared = parse_shared_object(Path(orjson.__file__).with_name(_orjson_library()).read_bytes())

    assert shared is not None
    assert shared.architecture in ("x86_64", "arm64")
    assert shared.glibc >= (2, 5)
    assert "libc.so.6" in shared.libraries


def _orjson_library() -> str:
    [library] = Path(orjson.__file__).parent.glob("orjson*.so")
    return library.name


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"text", id="text"),
        pytest.param(b"\x7fELF" + b"\0" * 8, id="damaged"),
        pytest.param(b"", id="none"),
    ],
)
def test_what_is_no_shared_object_is_none(data: bytes) -> None:
    assert parse_shared_object(data) is None


def test_another_machine_is_named() -> None:
    data = bytearray(Path(sys.executable).resolve().read_bytes())
    data[18:20] = (183).to_bytes(2, "little")  # e_machine: EM_AARCH64

    shared = parse_shared_object(bytes(data))

    assert shared is not None
    assert shared.architecture == "arm64"


def test_an_artifact_needs_no_block(tmp_path: Path) -> None:
    artifact: Artifact = open_artifact(make_folder(tmp_path / "folder"))

    assert artifact.entries


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "folder")
    (tmp_path / "outside.py").write_text("secret")
    (folder / "out.py").symlink_to("../outside.py")
    (folder / "gone.py").symlink_to("nowhere")

    with open_artifact(folder) as artifact:
        texts = [artifact.read(path) for path in ("out.py", "gone.py", "link")]

    assert texts == [b"../outside.py", b"nowhere", b"x = 1\n"]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "folder")
    os.mkfifo(folder / "pipe.py")

    with open_artifact(folder) as artifact:
        assert "pipe.py" not in artifact.entries


def _damage(data: bytearray) -> None:
    data[data.index(b"x = 1")] += 1


def _mark_as_encrypted(data: bytearray) -> None:
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1


@pytest.mark.parametrize("change", [_damage, _mark_as_encrypted], ids=["damaged", "encrypted"])
def test_a_file_of_a_zip_that_cannot_be_read_is_named(change: Callable[[bytearray], None], tmp_path: Path) -> None:
    path = make_zip(tmp_path)
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)

    with (
        open_artifact(path) as artifact,
        pytest.raises(ArtifactError, match=r"pkg/__init__\.py in .* cannot be read: .*[^.]\. Make the zip again\.$"),
    ):
        artifact.read("pkg/__init__.py")
