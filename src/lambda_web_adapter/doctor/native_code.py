"""Shared objects and wheels: of the function's machine, Python and C library, or of another one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.interpreters import ARCHITECTURES
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, count_text, paths_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.packages import Package
    from lambda_web_adapter.doctor.subject import Subject, Target

WRONG_MACHINE = Rule(
    id="wrong-machine",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="Native code is of another machine than the function's.",
    advice="Install the package for the function: lambda-web-adapter package, or pip install --platform "
    "manylinux2014_x86_64 --only-binary=:all: (for arm64 manylinux2014_aarch64).",
)
WRONG_PYTHON = Rule(
    id="wrong-python",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="An extension module or a wheel is of another Python than the function's.",
    advice="Install it with the function's Python version: lambda-web-adapter package --python, or pip install "
    "--python-version --only-binary=:all:. Or give the function the other runtime.",
)
GLIBC_TOO_NEW = Rule(
    id="glibc-too-new",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A shared object needs a newer glibc than the function has.",
    advice="Install a wheel for an older glibc (pip install --platform manylinux_2_17_x86_64), or compile it on the "
    "function's system.",
)
MUSL_LIBRARY = Rule(
    id="musl-library",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A shared object needs musl, the C library of Alpine, but the function has glibc.",
    advice="Install the wheel for glibc (manylinux) instead of the one for musl (musllinux).",
)
MISSING_LIBRARY = Rule(
    id="missing-library",
    group=Group.PACKAGE,
    severity=Severity.WARNING,
    title="A shared object names a library that is neither in the artifact nor in the runtime.",
    advice="Add it to lib/ of the package or of a layer, where Lambda looks, or install a wheel that has it.",
)
RULES = (WRONG_MACHINE, WRONG_PYTHON, GLIBC_TOO_NEW, MUSL_LIBRARY, MISSING_LIBRARY)

# First bytes of native code of other systems: Mach-O (64 bits, and universal) and Windows.
_FOREIGN_MAGIC = {
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS",
    b"MZ\x90\x00": "Windows",
}
# glibc of the managed runtimes: Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 since (AWS Lambda Developer Guide,
# "Lambda runtimes"; release notes of both).
_FIRST_PYTHON_ON_AL2023 = (3, 12)
_GLIBC_OF_AL2, _GLIBC_OF_AL2023 = (2, 26), (2, 34)
_GLIBC_RELEASE = re.compile(rb"GNU C Library [^\n]* release version (\d+)\.(\d+)")
_CPYTHON_SUFFIX = re.compile(r"\.cpython-3(\d+)[a-z]*-[\w-]+\.so$")
# Libraries that are in all managed runtimes, as far as wheels may count on them (PEP 599 and PEP 600).
_IN_RUNTIME = re.compile(
    r"(ld-linux.*|lib(c|m|dl|rt|pthread|util|nsl|resolv|crypt|anl|gcc_s|stdc\+\+|z|expat|python3(\.\d+)?))\.so[.\d]*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """Compares native code with the function; each method returns what is wrong with a file, or nothing."""

    subject: Subject
    glibc: tuple[int, ...]
    system: str

    def wrong_machine(self, path: str) -> str:
        magic, elf = self.subject.native_files[path]
        target = self.subject.target
        machine = _FOREIGN_MAGIC.get(magic) or (elf.architecture if elf else "")
        if not machine or machine == target.architecture:
            return ""
        function = f"{target.architecture} ({target.architecture_origin})"
        return f"It is native code for {machine}, but the function has {function}."

    def wrong_python(self, path: str) -> str:
        match, target = _CPYTHON_SUFFIX.search(path), self.subject.target
        if not match or (3, int(match[1])) == target.python:
            return ""
        module, files = path[: match.start()], self.subject.native_files
        if any(each.startswith(f"{module}.{target.cache_tag}-") or each == f"{module}.abi3.so" for each in files):
            return ""
        return f"It is for Python 3.{match[1]}, but the function has {target.python_name} ({target.python_origin})."

    def glibc_too_new(self, path: str) -> str:
        elf = self.subject.native_files[path][1]
        if not elf or not self.glibc or elf.glibc <= self.glibc:
            return ""
        return f"It needs glibc {_version(elf.glibc)}, but {self.system} has {_version(self.glibc)}."

    def musl_library(self, path: str) -> str:
        elf = self.subject.native_files[path][1]
        needed = [each for each in elf.libraries if each.startswith("libc.musl-")] if elf else []
        return f"It needs {needed[0]}, but {self.system} has glibc." if needed and self.glibc else ""


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the artifact's native code."""
    if subject.is_project:
        return
    yield from _check_image(subject)
    glibc, system = _glibc(subject)
    comparison = _Comparison(subject=subject, glibc=glibc, system=system)
    named = set[str]()
    for rule, compare in (
        (WRONG_MACHINE, comparison.wrong_machine),
        (WRONG_PYTHON, comparison.wrong_python),
        (GLIBC_TOO_NEW, comparison.glibc_too_new),
        (MUSL_LIBRARY, comparison.musl_library),
        (MISSING_LIBRARY, partial(_missing_library, subject)),
    ):
        for reason, paths in _by_reason(subject.native_files, compare).items():
            packages = list(dict.fromkeys(map(subject.package_of, paths)))
            if rule is not MISSING_LIBRARY:
                named.update(packages)
            rest = f" The same is wrong with {count_text(len(paths) - 1, 'more file')}, of {paths_text(packages)}."
            yield rule.broken(f"{reason}{rest if len(paths) > 1 else ''}", paths[0])
    wheels = [each for each in subject.packages if each.name not in named and each.files & subject.deployed.keys()]
    yield from _check_wheels(wheels, subject.target)


def _check_image(subject: Subject) -> Iterator[Finding]:
    """Yield that an image is for another machine than the function, whatever is in it."""
    image, target = subject.artifact.image, subject.target
    machine = ARCHITECTURES.get(image.architecture) if image else None
    wanted = {target.architecture: target.architecture_origin}
    wanted |= {each.architecture: each.file.name for each in subject.functions if each.architecture}
    for architecture, origin in wanted.items():
        if machine and architecture != machine:
            message = f"The image is for {machine}, but the function has {architecture} ({origin})."
            advice = f"Build it with --platform linux/{'amd64' if architecture == 'x86_64' else architecture}."
            yield WRONG_MACHINE.broken(message, advice=advice)


def _by_reason(paths: Iterable[str], compare: Callable[[str], str]) -> dict[str, list[str]]:
    """Return the files with which something is wrong, by what it is."""
    reasons: dict[str, list[str]] = {}
    for path in paths:
        if reason := compare(path):
            reasons.setdefault(reason, []).append(path)
    return reasons


def _check_wheels(packages: Iterable[Package], target: Target) -> Iterator[Finding]:
    """Yield what the tags of wheels say, where their files say nothing (PEP 425)."""
    wrong: dict[tuple[Rule, str], list[Package]] = {}
    for package in packages:
        for rule, reason in _check_tags(package, target):
            wrong.setdefault((rule, reason), []).append(package)
    for (rule, reason), members in wrong.items():
        first, *others = [f"{package.name} {package.version}" for package in members]
        rest = f" The same is wrong with {paths_text(others)}." if others else ""
        yield rule.broken(f"The wheel of {first} is {reason}.{rest}", f"{members[0].info}/WHEEL")


def _check_tags(package: Package, target: Target) -> Iterator[tuple[Rule, str]]:
    """Yield the rules that a wheel breaks by its tags, and why."""
    if not package.tags:
        return
    platforms = [tag.split("-")[2] for tag in package.tags if tag.count("-") == 2]
    if not any(_is_platform_of(platform, target) for platform in platforms):
        function = f"Linux on {target.architecture} ({target.architecture_origin})"
        yield WRONG_MACHINE, f"for {paths_text(sorted(set(platforms)))}, but the function is {function}"
    pythons = [tag.rpartition("-")[0] for tag in package.tags]
    if not any(_is_python_of(tag, target) for tag in pythons):
        function = f"Python {target.python_name} ({target.python_origin})"
        yield WRONG_PYTHON, f"for {paths_text(sorted(set(pythons)))}, but the function has {function}"


def _is_platform_of(platform: str, target: Target) -> bool:
    machine = "aarch64" if target.architecture == "arm64" else target.architecture
    return platform == "any" or ("linux" in platform and platform.endswith(f"_{machine}"))


def _is_python_of(tag: str, target: Target) -> bool:
    """Return whether a Python can import what has a tag of Python and ABI, such as `cp313-cp313`."""
    interpreters, _, abi = tag.partition("-")
    own = f"cp{target.python[0]}{target.python[1]}"
    if abi == "abi3":
        minors = [int(each[3:]) for each in interpreters.split(".") if re.fullmatch(r"cp3\d+", each)]
        return any(minor <= target.python[1] for minor in minors)
    if abi != "none":
        return own in abi.split(".")
    return any(each in ("py3", own) or re.fullmatch(r"py3\d+", each) for each in interpreters.split("."))


def _missing_library(subject: Subject, path: str) -> str:
    elf = subject.native_files[path][1]
    missing = [
        library
        for library in (elf.libraries if elf else ())
        if library not in subject.names and not _IN_RUNTIME.fullmatch(library) and not library.startswith("libc.musl-")
    ]
    return f"It needs {paths_text(missing)}, which no layer named here has either." if missing else ""


def _glibc(subject: Subject) -> tuple[tuple[int, ...], str]:
    """Return the version of the function's glibc, empty if that is unknown, and the name of its system."""
    if not subject.artifact.image:
        is_new = subject.target.python >= _FIRST_PYTHON_ON_AL2023
        version = _GLIBC_OF_AL2023 if is_new else _GLIBC_OF_AL2
        return version, f"Lambda's runtime for Python {subject.target.python_name}"
    for path, entry in subject.artifact.entries.items():
        if path.endswith("/libc.so.6") and not entry.target:
            match = _GLIBC_RELEASE.search(subject.artifact.read(path))
            return ((int(match[1]), int(match[2])) if match else ()), "the image"
    return (), "the image"


def _version(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
