"""A base image made from this machine's own Debian mirror, and the examples' images on top of it, without Docker."""

import hashlib
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

from .shell import CommandFailedError, Stopwatch, command, say

HERE = Path(__file__).parent
TOOLS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "unshare": "util-linux"}
PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
# An official Python image has a `python`, and lets pip install into the system; Debian's own Python does neither.
LIKE_A_PYTHON_IMAGE = 'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED && ln -s python3 "$1/usr/bin/python"'
LEFT_OUT = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")]
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
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


def install_tools() -> None:
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if not missing:
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with Stopwatch("install " + " ".join(missing)):
        apt_update()
        command(["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing], timeout=300, env=quiet)


def apt_update() -> None:
    try:
        command(["apt-get", "update", "-q"], timeout=120)
    except CommandFailedError as error:
        # Perhaps only some other vendor's archive is down; what is needed and missing, the next command will say.
        say(f"      {error}")


class Buildah:
    """Buildah with a storage of its own, so that the machine's other images are neither seen nor touched."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.env = {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(cache / "tmp")}

    def __call__(self, *args: str | Path, timeout: float = 120) -> str:
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

    def layers(self, image: str) -> list[str]:
        """Return the digests of an image's layers."""
        digests: list[str] = json.loads(self("inspect", "--type", "image", image))["OCIv1"]["rootfs"]["diff_ids"]
        return digests

    @contextmanager
    def root(self, image: str) -> Iterator[Path]:
        """A copy of the image's file system, removed afterwards."""
        container = self("from", "--pull-never", image)
        try:
            yield Path(self("mount", container))
        finally:
            self("rm", container)


def apt_sources() -> str:
    """This machine's mirrors of its own distribution, in the form of a sources.list; others' archives are left out."""
    names = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    form = "$(ORIGIN) deb $(SITE) $(RELEASE) $(COMPONENT)"
    lines = command(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()
    origin = names["ID"].strip('"') + " "
    return "".join(line[len(origin) :] + "\n" for line in lines if line.lower().startswith(origin))


def base_image(buildah: Buildah) -> str:
    """The name of the base image; it is made when this recipe, or the distribution, is new to the cache."""
    recipe = [PACKAGES, LIKE_A_PYTHON_IMAGE, *LEFT_OUT, PATH, Path("/etc/os-release").read_text()]
    image = "localhost/lambda-web-adapter-base:" + hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:12]
    if not buildah.has(image):
        with Stopwatch("make the base image"):
            make_base_image(buildah, image)
    return image


def make_base_image(buildah: Buildah, image: str) -> None:
    apt_update()
    sources = buildah.cache / "sources.list"
    sources.write_text(apt_sources())
    # Proxies, certificates and time checks that this machine's apt was given hold for its mirror here, too.
    options = buildah.cache / "apt.conf"
    options.write_text(command(["apt-config", "dump", "Acquire"]))
    buildah("rmi", "--all", "--force")
    container = buildah("from", "scratch")
    root = buildah("mount", container)
    command(
        [
            *("mmdebstrap", "--mode=root", "--variant=essential", f"--include={PACKAGES}", *LEFT_OUT),
            *("--keyring=/usr/share/keyrings", f"--aptopt={options}", f"--customize-hook={LIKE_A_PYTHON_IMAGE}"),
            *("", root, str(sources)),
        ],
        timeout=300,
    )
    buildah("config", "--env", f"PATH={PATH}", container)
    buildah("commit", "--quiet", "--rm", container, image)


def build(buildah: Buildah, example: str, base: str, tag: str = "latest") -> str:
    """Build an example's Dockerfile with the project as context, as its first lines tell the reader to."""
    image = f"localhost/lambda-web-adapter-{example.replace('_', '-')}:{tag}"
    with Stopwatch(f"build examples/{example}/Dockerfile"):
        buildah(
            *(
                "bud",
                "--layers=false",
                f"--timestamp={SOURCE_DATE_EPOCH}",
                "--pull-never",
                "--build-arg",
                f"BASE={base}",
                *pip_mounts(buildah.cache),
            ),
            *("--file", PROJECT / "examples" / example / "Dockerfile"),
            *("--tag", image, PROJECT),
            timeout=240,
        )
    return image


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
