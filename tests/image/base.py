"""Base images made from this machine's own Debian mirror, for either of Lambda's machines; one is laid out as AWS's."""

import hashlib
import platform
import shutil
import sys
from pathlib import Path

from .build import PATH, Buildah
from .shell import CommandFailedError, Stopwatch, command, say

# Lambda's names of machines, and those of Debian and of OCI.
MACHINES = {"x86_64": "amd64", "arm64": "arm64"}
NATIVE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())

_TOOLS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "unshare": "util-linux"}
_EMULATION_TOOLS = {
    "qemu-aarch64-static": "qemu-user-static",
    "update-binfmts": "binfmt-support",
    "arch-test": "arch-test",
}
_INTERPRETERS = {"x86_64": "qemu-x86_64", "arm64": "qemu-aarch64"}
_BINFMT = Path("/proc/sys/fs/binfmt_misc")

_PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
# An official Python image has a `python`, and lets pip install into the system; Debian's own Python does neither.
_LIKE_A_PYTHON_IMAGE = 'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED && ln -s python3 "$1/usr/bin/python"'
_LEFT_OUT = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")]
# A minute and a half, but for a busy machine, and for one that is emulated.
_BASE_SECONDS = 1200

# What AWS's image for Python sets, as far as a program may trip over it.
_AWS_ENV = {
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
_UNUSED = ("site-packages", "test", "idlelib", "tkinter", "turtledemo", "config-*", "*.a", "__pycache__")


def install_tools(machine: str) -> None:
    """Install what builds images for a machine, and have the kernel run its programs by QEMU if it is another one."""
    tools = _TOOLS if machine == NATIVE else {**_TOOLS, **_EMULATION_TOOLS}
    missing = [package for tool, package in tools.items() if not shutil.which(tool)]
    if missing:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        with Stopwatch("install " + " ".join(missing)):
            _apt_update()
            command(["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing], timeout=600, env=quiet)
    if machine != NATIVE:
        if not (_BINFMT / "register").exists():
            command(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT])
        if not (_BINFMT / _INTERPRETERS[machine]).exists():
            command(["update-binfmts", "--enable", _INTERPRETERS[machine]])


def debian_base(buildah: Buildah, machine: str) -> str:
    """Return the name of the base image; it is made when this recipe, or the distribution, is new to the cache."""
    release = Path("/etc/os-release").read_text()
    recipe = [machine, _PACKAGES, _LIKE_A_PYTHON_IMAGE, *_LEFT_OUT, PATH, release]
    digest = hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:12]
    image = f"localhost/lambda-web-adapter-base-{MACHINES[machine]}:{digest}"
    if not buildah.has(image):
        with Stopwatch(f"make the base image for {machine}"):
            _make_debian_base(buildah, image, MACHINES[machine])
    return image


def aws_base(buildah: Buildah, debian: str) -> str:
    """Return the name of an image whose only Python is this one, in /var/lang, with the variables of AWS's image.

    AWS's own is in a registry that a test cannot count on.

    Raises:
        CommandFailedError: this Python is the distribution's, which works in its own place only.
    """
    prefix = Path(sys.base_prefix)
    if prefix == Path("/usr"):
        raise CommandFailedError("A Python of its own prefix is needed, such as pyenv's: VENV=… made from it.")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    container = buildah("from", "--pull-never", debian)
    root = Path(buildah("mount", container))
    for program in (root / "usr/bin").glob("py*"):
        program.unlink()
    for folder in (root / "usr/lib").glob("python3*"):
        shutil.rmtree(folder)
    lang = root / "var/lang"
    library = Path("lib", f"python{version}")
    shutil.copytree(prefix / library, lang / library, symlinks=True, ignore=shutil.ignore_patterns(*_UNUSED))
    pip = library / "site-packages" / "pip"
    shutil.copytree(prefix / pip, lang / pip)
    for shared in prefix.glob("lib/libpython*.so*"):
        shutil.copy2(shared, lang / "lib", follow_symlinks=False)
    (lang / "bin").mkdir()
    shutil.copy2(prefix / "bin" / f"python{version}", lang / "bin")
    for name in ("python", "python3"):
        (lang / "bin" / name).symlink_to(f"python{version}")
    (root / "var/task").mkdir()
    env = [f"--env={name}={value}" for name, value in _AWS_ENV.items()]
    buildah("config", *env, "--workingdir=/var/task", '--entrypoint=["/lambda-entrypoint.sh"]', container)
    image = "localhost/lambda-web-adapter-base-aws:latest"
    buildah("commit", "--quiet", "--rm", container, image)
    return image


def _make_debian_base(buildah: Buildah, image: str, architecture: str) -> None:
    _apt_update()
    sources = buildah.cache / "sources.list"
    sources.write_text(_apt_sources())
    # Proxies, certificates and time checks that this machine's apt was given hold for its mirror here, too.
    options = buildah.cache / "apt.conf"
    options.write_text(command(["apt-config", "dump", "Acquire"]))
    container = buildah("from", "--platform", f"linux/{architecture}", "scratch")
    root = buildah("mount", container)
    command(
        [
            # What it mounts ends with its processes, also if they are killed.
            *("unshare", "--mount", "--propagation=private", "--", "mmdebstrap", "--mode=root", "--variant=essential"),
            *(f"--architectures={architecture}", f"--include={_PACKAGES}", *_LEFT_OUT, "--keyring=/usr/share/keyrings"),
            *(f"--aptopt={options}", f"--customize-hook={_LIKE_A_PYTHON_IMAGE}", "", root, str(sources)),
        ],
        timeout=_BASE_SECONDS,
    )
    buildah("config", f"--arch={architecture}", "--env", f"PATH={PATH}", container)
    buildah("commit", "--quiet", "--rm", container, image)


def _apt_update() -> None:
    try:
        command(["apt-get", "update", "-q"], timeout=300)
    except CommandFailedError as error:
        # Perhaps only some other vendor's archive is down; what is needed and missing, the next command will say.
        say(f"      {error}")


def _apt_sources() -> str:
    """Return this machine's mirrors of its own distribution as a sources.list; others' archives are left out."""
    names = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    form = "$(ORIGIN) deb $(SITE) $(RELEASE) $(COMPONENT)"
    lines = command(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()
    origin = names["ID"].strip('"') + " "
    return "".join(line[len(origin) :] + "\n" for line in lines if line.lower().startswith(origin))
