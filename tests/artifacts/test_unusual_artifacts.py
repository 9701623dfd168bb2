"""Artifacts that other tools write, and damaged ones: compressed, with links, without dates."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from artifacts.same_artifacts import CONFIG, LAYERS, encoded, make_docker_archive, make_layer, make_zip, write_tar

from lambda_web_adapter.artifacts.artifact import ArtifactError
from lambda_web_adapter.artifacts.image import ImageArtifact
from lambda_web_adapter.artifacts.opening import open_artifact


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_compressed_is_read_once(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """Reads that go back in a compressed file begin at its start: with thousands of files, an image took hours."""
    manifest = [{"Config": "config.json", "Layers": ["0.tar", "1.tar"]}]
    documents = encoded({"manifest.json": manifest, "config.json": CONFIG})
    archive = write_tar(tmp_path / "image.tar", {**documents, "0.tar": LAYERS[0], "1.tar": compress(LAYERS[1])})
    archive.write_bytes(compress(archive.read_bytes()))

    with open_artifact(archive) as artifact:
        assert isinstance(artifact, ImageArtifact)
        assert artifact.read("bootstrap") == b"#!/bin/sh\n"
        assert all(type(layer.fileobj).__name__ != "GzipFile" for layer, _ in artifact._members.values())


def test_a_compressed_image_that_is_cut_off(tmp_path: Path) -> None:
    archive = make_docker_archive(tmp_path)
    archive.write_bytes(gzip.compress(archive.read_bytes())[:-20])

    with pytest.raises(ArtifactError, match="not an image that can be read"):
        open_artifact(archive)


@pytest.mark.parametrize("document", [{"name": "x"}, [1], None, [{"Config": "config.json", "Layers": None}]])
def test_a_manifest_of_something_else(tmp_path: Path, document: object) -> None:
    archive = write_tar(tmp_path / "x.tar", encoded({"manifest.json": document, "config.json": {}}))

    with pytest.raises(ArtifactError, match="not an image that can be read"):
        open_artifact(archive)


def test_links_of_an_image_lead_where_they_would_in_it(tmp_path: Path) -> None:
    links = {"app/absolute": "/data/a", "app/relative": "../data/a", "app/gone": "/root/.cache/a", "app/self": "self"}
    manifest = [{"Config": "config.json", "Layers": ["0.tar", "1.tar"]}]
    documents = encoded({"manifest.json": manifest, "config.json": CONFIG})
    layers = {"0.tar": LAYERS[0], "1.tar": make_layer({}, {}, links)}

    with open_artifact(write_tar(tmp_path / "image.tar", {**documents, **layers})) as artifact:
        read = [artifact.read(path) for path in links]

    assert read == [b"a", b"a", b"/root/.cache/a", b"self"]


def test_an_image_whose_last_layer_has_a_zip_is_an_image(tmp_path: Path) -> None:
    layer = make_layer({"function.zip": make_zip(tmp_path).read_bytes()}, {}, {})
    documents = encoded({"manifest.json": [{"Config": "config.json", "Layers": ["0.tar"]}], "config.json": CONFIG})

    with open_artifact(write_tar(tmp_path / "image.tar", {**documents, "0.tar": layer})) as artifact:
        assert artifact.kind == "image"


def test_a_zip_without_dates(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("main.py")
    info.date_time = (1980, 0, 0, 0, 0, 0)  # as Go writes it
    with zipfile.ZipFile(tmp_path / "function.zip", "w") as file:
        file.writestr(info, "x = 1\n")

    with open_artifact(tmp_path / "function.zip") as artifact:
        assert artifact.entries["main.py"].mtime == 312_768_000  # 1979-11-30, as C and Go count


def test_a_zip_with_a_damaged_link(tmp_path: Path) -> None:
    file = make_zip(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"pkg/__init__.py", b"pkg/__init__.PY").replace(b".PYx", b".pyx"))

    with pytest.raises(ArtifactError, match=r"link in .* cannot be read"):
        open_artifact(file)


def test_a_hard_link_is_what_it_leads_to(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name, target in (("a/new", "data/a"), ("a/gone", "nowhere")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.LNKTYPE, target
            layer.addfile(member)
    manifest = [{"Config": "config.json", "Layers": ["0.tar", "1.tar"]}]
    documents = encoded({"manifest.json": manifest, "config.json": CONFIG})
    files = {**documents, "0.tar": LAYERS[0], "1.tar": buffer.getvalue()}

    with open_artifact(write_tar(tmp_path / "image.tar", files)) as artifact:
        assert (artifact.read("a/new"), artifact.entries["a/new"].size) == (b"a", 1)
        assert "a/gone" not in artifact.entries
