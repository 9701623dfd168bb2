"""The examples' images, built and looked at by Buildah, without Docker."""

import json
import shutil
import sys
from ast import literal_eval
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.processes import PROJECT

from .shell import Stopwatch, command

HERE = Path(__file__).parent
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a build needs; a copy of it has to give the same image.
CONTEXT = (".dockerignore", "LICENSE", "README.md", "bootstrap", "examples", "pyproject.toml", "src")
# The time of all files in a build, as SOURCE_DATE_EPOCH is for Docker's.
SOURCE_DATE_EPOCH = 1_700_000_000


@dataclass(frozen=True)
class Config:
    """The part of an image's configuration that is looked at."""

    entrypoint: list[str]
    cmd: list[str]
    workdir: str
    env: dict[str, str]
    user: str


class Buildah:
    """Buildah with a storage of its own, so that the machine's other images are neither seen nor touched."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.env = {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(cache / "tmp")}

    def __call__(self, *args: str | Path, timeout: float = 600) -> str:
        # vfs is plain folders: no mount that a killed run could leave behind, and it works inside a container as well.
        storage = ("--storage-driver=vfs", "--root", self.cache / "storage", "--runroot", self.cache / "run")
        return command(["buildah", *storage, *args], timeout=timeout, env=self.env)

    def clean(self) -> None:
        """Remove what the run before has left, and every image that has lost its name to a newer one."""
        shutil.rmtree(self.cache / "tmp", ignore_errors=True)
        (self.cache / "tmp").mkdir(parents=True)
        self("rm", "--all")
        self("rmi", "--prune")

    def has(self, image: str) -> bool:
        return bool(self("images", "--quiet", "--filter", f"reference={image}"))

    def architecture(self, image: str) -> str:
        return str(json.loads(self("inspect", "--type", "image", image))["OCIv1"]["architecture"])

    def config(self, image: str) -> Config:
        found = json.loads(self("inspect", "--type", "image", image))["OCIv1"]["config"]
        env = dict(pair.split("=", 1) for pair in found.get("Env") or [])
        return Config(
            found.get("Entrypoint") or [],
            found.get("Cmd") or [],
            found.get("WorkingDir") or "/",
            env,
            found.get("User") or "",
        )

    def digest(self, image: str) -> str:
        """Return the digest of an image: of its layers and its configuration."""
        return str(json.loads(self("inspect", "--type", "image", image))["FromImageDigest"])

    @contextmanager
    def root(self, image: str) -> Iterator[Path]:
        """A copy of the image's file system, removed afterwards."""
        container = self("from", "--pull-never", image)
        try:
            yield Path(self("mount", container))
        finally:
            self("rm", container)


def build(buildah: Buildah, example: str, base: str, context: Path = PROJECT) -> str:
    """Build an example's Dockerfile with the project as context, as its first lines tell the reader to."""
    image = f"localhost/lambda-web-adapter-{example.replace('_', '-')}:{base.partition('base-')[2].partition(':')[0]}"
    with Stopwatch(f"build examples/{example}/Dockerfile"):
        buildah(
            *("bud", "--layers=false", f"--timestamp={SOURCE_DATE_EPOCH}", "--pull-never"),
            *("--arch", buildah.architecture(base), "--build-arg", f"BASE={base}", *pip_mounts(buildah.cache)),
            *("--file", context / "examples" / example / "Dockerfile", "--tag", image, context),
            timeout=1200,
        )
    return image


def copy_context(target: Path) -> Path:
    """Copy what is built to another folder, as somebody else has it: with other times, and for the owner alone."""
    for name in CONTEXT:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, copy_function=shutil.copyfile)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
    for path in target.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.name == "bootstrap" else 0o600)
    return target


def pip_mounts(cache: Path) -> list[str]:
    """Mounts that give pip in a build this machine's settings, wherever they come from, and leave none in the image."""
    settings = pip_settings()
    file = cache / "pip.conf"
    with file.open("w") as stream:
        settings.write(stream)
    # A certificate or a folder of wheels is a path of this machine: show it in the same place.
    values = [value for section in settings.sections() for value in settings[section].values()]
    paths = {value for value in [CERTIFICATES, *values] if value.startswith("/") and Path(value).exists()}
    return [f"--volume={file}:/etc/pip.conf:ro", *(f"--volume={path}:{path}:ro" for path in sorted(paths))]


def pip_settings() -> RawConfigParser:
    """What pip here would use, files and environment alike (`:env:.cert='…'`), but for paths with nothing there."""
    settings = RawConfigParser()
    lines = command([sys.executable, "-m", "pip", "config", "list"]).splitlines()
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):  # the environment has the last word
        name, _, quoted = line.partition("=")
        section, _, option = name.replace(":env:", "global").partition(".")
        value = str(literal_eval(quoted))
        path = Path(value)
        if path.is_absolute() and not (path.is_file() or (path.is_dir() and any(path.iterdir()))):
            continue
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, value)
    return settings
