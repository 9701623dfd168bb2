"""The manifest of an image: which configuration and which layers it has, of an archive with several of them too."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    Open = Callable[[str], IO[bytes]]

_DOCKER, _OCI = "manifest.json", "index.json"
# What images call the machines of functions (Go's GOARCH, as OCI's image index has it).
_PLATFORMS = {"x86_64": "amd64", "arm64": "arm64"}
_UNKNOWN = "unknown"  # the platform of attestations, which buildx puts beside the images
_DEFAULT = "amd64"  # of functions


class PlatformNotFound(Exception):
    """An archive has no image for a machine; the message says for which it has some."""


def read_manifest(open_file: Open, architecture: str) -> tuple[Any, list[str]]:
    """Return the configuration of an image, and the names of its layers, the lowest first.

    Args:
        open_file: opens a file of the archive.
        architecture: `x86_64` or `arm64`, of which the image is taken where there are several; empty for x86_64 if
            there is one, else the first.

    Raises:
        PlatformNotFound: there are several, and none for this machine; or only attestations.
    """
    with suppress(KeyError, FileNotFoundError):
        saved = json.load(open_file(_DOCKER))
        images = [(json.load(open_file(each["Config"])), list(each["Layers"])) for each in saved]
        config, layers = _choose([(each[0].get("architecture", ""), each) for each in images], architecture)
        return config, layers
    manifest = _choose(list(_manifests(open_file, json.load(open_file(_OCI)))), architecture)
    return json.load(open_file(_blob(manifest["config"]))), [_blob(layer) for layer in manifest["layers"]]


def _manifests(open_file: Open, index: Any) -> Iterator[tuple[str, Any]]:
    """Yield all manifests of images in an index, and their architectures; an index may lead to another one."""
    for descriptor in index["manifests"]:
        platform = descriptor.get("platform") or {}
        if platform.get("architecture") == _UNKNOWN:
            continue
        try:
            document = json.load(open_file(_blob(descriptor)))
        except (KeyError, FileNotFoundError):
            if len(index["manifests"]) == 1:
                raise
            continue  # of a machine whose image was not pulled
        if "manifests" in document:
            yield from _manifests(open_file, document)
        else:
            yield platform.get("architecture") or _architecture(open_file, document), document


def _architecture(open_file: Open, manifest: Any) -> str:
    """Return what the configuration of an image says of its machine."""
    return str(json.load(open_file(_blob(manifest["config"]))).get("architecture", ""))


def _choose(images: list[tuple[str, Any]], architecture: str) -> Any:
    """Return the image of a machine; the only one whatever it is for, since the examination compares it."""
    if not images:
        raise PlatformNotFound("has no image, but attestations at most. Save the image: docker save -o FILE NAME.")
    if len(images) == 1:
        return images[0][1]
    by_platform = dict(reversed(images))  # the first of each
    wanted = _PLATFORMS.get(architecture, architecture)
    if wanted and wanted not in by_platform:
        available = ", ".join(f"linux/{each}" for each in dict(images))
        raise PlatformNotFound(
            f"has no image for linux/{wanted}, but for {available}. Build it "
            f"with --platform linux/{wanted}, or name the function's machine by --arch."
        )
    return by_platform.get(wanted or _DEFAULT, images[0][1])


def _blob(descriptor: dict[str, str]) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")
