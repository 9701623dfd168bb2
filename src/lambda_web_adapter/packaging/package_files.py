"""The files of installed distributions that belong into a package."""

from __future__ import annotations

import base64
import hashlib
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.contents import Item
from lambda_web_adapter.packaging.packaging_error import WrongOption
from lambda_web_adapter.packaging.shared_objects import find_foreign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lambda_web_adapter.packaging.contents import Contents
    from lambda_web_adapter.packaging.distributions import Distribution
    from lambda_web_adapter.packaging.target import Target

# What is left out unless `--keep` names it, and why nobody misses it.
KINDS = {
    "tests": "folders `tests` that no other module of the package imports",
    "stubs": "type stubs (`*.pyi`)",
    "headers": "sources and headers of C, C++ and Cython",
    "licenses": "licence texts and lists of components in `*.dist-info`",
    "scripts": "`bin/`: programs that start this machine's Python",
    "laptop": "what only the local run needs",
    "foreign": "programs and libraries of other systems and processors, as wheels for all machines have them",
}
_HEADERS = (".c", ".cc", ".cpp", ".h", ".hpp", ".pxd", ".pxi", ".pyx")
_DIST_INFO = re.compile(r"(?P<folder>[^/]+\.dist-info)/(?P<name>.+)")
_LICENSES = re.compile(r"(licenses|sboms)/|(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
# Who installed it, and from where on this machine: that would make each package another one.
_INSTALLATION_RECORDS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})
_RECORD = "RECORD"
# In sources: an import of a module in a folder `tests`, and what reads type stubs at run time (PyPI: lazy-loader).
_USES_TESTS = re.compile(rb"^\s*(?:from|import)\s+[\w.]*\btests\b", re.MULTILINE)
_USES_STUBS = b"attach_stub"


def check_names(keep: Collection[str], leave_out: Collection[str], installed: Collection[str]) -> None:
    """Raise WrongOption if `--keep` or `--leave-out` has what is neither a kind nor an installed distribution.

    Names are normalized.
    """
    for option, names, kinds in (("--keep", keep, tuple(KINDS)), ("--leave-out", leave_out, ())):
        for name in sorted(names):
            if name not in {*kinds, *installed}:
                close = get_close_matches(name, [*kinds, *installed], 1)
                advice = f"Did you mean {close[0]}?" if close else f"Installed: {', '.join(sorted(installed))}."
                what = f"no kind ({', '.join(kinds)}), and no package" if kinds else "no package"
                raise WrongOption(f"{option} is {name}, but there is {what} of that name. {advice}")


def add_distributions(
    distributions: Mapping[str, Distribution], keep: Collection[str], contents: Contents, target: Target
) -> None:
    """Add the files of distributions; what the project has under the same path stays.

    Args:
        distributions: what to add.
        keep: the kinds (`KINDS`) that are not to be left out.
        contents: gets the files.
        target: what the package is for.
    """
    for distribution in distributions.values():
        kept = {*keep, *_used_kinds(distribution)}
        items: dict[str, Item] = {}
        files = dict(_files(distribution))
        foreign = set() if "foreign" in keep else find_foreign(distribution.site, files, target)
        for path, size in files.items():
            if reason := _omission(path, kept):
                contents.omitted[reason] += size
            elif path in foreign:
                contents.omitted["foreign"] += size
                contents.foreign.append(path)
            else:
                file = distribution.site / path
                is_executable = bool(file.stat().st_mode & 0o111) and not path.endswith((".py", ".so"))
                items[path] = Item(owner=distribution.name, content=file, is_executable=is_executable)
        _write_record(distribution, items)
        contents.items |= {path: item for path, item in items.items() if path not in contents.items}


def _files(distribution: Distribution) -> Iterator[tuple[str, int]]:
    """Yield the files that exist within the folder, with their sizes."""
    for path in distribution.files:
        file = distribution.site / path
        if ".." not in path.split("/") and file.is_file():
            yield path, file.stat().st_size


def _used_kinds(distribution: Distribution) -> Iterator[str]:
    """Yield the kinds that a distribution uses itself when it runs."""
    uses_tests = uses_stubs = False
    has_tests = any("/tests/" in path for path in distribution.files)
    for path in distribution.files:
        if path.endswith(".py") and "/tests/" not in path and (distribution.site / path).is_file():
            source = (distribution.site / path).read_bytes()
            uses_tests = uses_tests or (has_tests and bool(_USES_TESTS.search(source)))
            uses_stubs = uses_stubs or _USES_STUBS in source
    if uses_tests:
        yield "tests"
    if uses_stubs:
        yield "stubs"


def _omission(path: str, keep: Collection[str]) -> str:
    """Return why a file is left out; empty if it is not."""
    folders = path.split("/")[:-1]
    info = _DIST_INFO.fullmatch(path)
    kinds = {
        "tests": "tests" in folders,
        "stubs": path.endswith(".pyi"),
        "headers": path.endswith(_HEADERS),
        "licenses": bool(info and _LICENSES.match(info["name"])),
        "scripts": folders[:1] == ["bin"],
    }
    if "__pycache__" in folders or path.endswith(".pyc"):
        return "bytecode of another Python"
    if info and info["name"] in _INSTALLATION_RECORDS:
        return "records of the installation"
    return next((kind for kind, matches in kinds.items() if matches and kind not in keep), "")


def _write_record(distribution: Distribution, items: dict[str, Item]) -> None:
    """Have RECORD list the files that are there: `importlib.metadata` and the start file read it."""
    record = next((path for path in items if path.endswith(f".dist-info/{_RECORD}")), "")
    if record:
        items[record] = Item(owner=distribution.name, content=build_record(items, record))


def build_record(items: Mapping[str, Item], record: str) -> bytes:
    """Return the list of a distribution's files, with hashes and sizes (PyPA, "Recording installed projects")."""
    lines = [f"{path},{_hash(item.read())},{item.size}\n" for path, item in items.items() if path != record]
    return "".join([*sorted(lines), f"{record},,\n"]).encode()


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
