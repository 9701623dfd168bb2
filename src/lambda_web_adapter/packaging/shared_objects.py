"""Whether the shared objects of a package run on its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.elf import MAGIC, parse_shared_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.packaging.contents import Contents
    from lambda_web_adapter.packaging.target import Target

# Names of what other systems load, and Linux does not.
_FOREIGN = (".dylib", ".dll", ".pyd")


def find_unusable(contents: Contents, target: Target) -> Iterator[str]:
    """Yield a sentence about each shared object that does not run on the target."""
    for path, item in sorted(contents.items.items()):
        if not (path.endswith((".so", *_FOREIGN)) or ".so." in path or item.is_executable):
            continue
        if problem := _problem(item.read(), target):
            yield f"{path} {problem}"
        elif path.endswith(_FOREIGN):
            yield f"{path} is for another system than Linux"


def _problem(data: bytes, target: Target) -> str:
    """Return what is wrong with a file; empty if it is in order, or no shared object."""
    if not data.startswith(MAGIC):
        return ""
    needed = parse_shared_object(data)
    if needed is None:
        return "is damaged"
    if needed.architecture != target.architecture:
        return f"is for {needed.architecture}, but the function is for {target.architecture}"
    if needed.glibc > target.glibc:
        return f"needs glibc {'.'.join(map(str, needed.glibc))}, but the target has {target.glibc[0]}.{target.glibc[1]}"
    if any(library.startswith("libc.musl") for library in needed.libraries):
        return "is for musl (Alpine), but Lambda's runtimes have glibc"
    return ""
