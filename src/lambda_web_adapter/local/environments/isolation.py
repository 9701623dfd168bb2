"""A file system as Lambda's: read-only but for /tmp, without /dev/shm, and for another user than root.

All of it is done in namespaces of this process alone (user_namespaces(7), mount_namespaces(7)), as any user may where
the system allows it. Files that only their owner may read can be read all the same: the owner is Lambda's user here.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterable

# Lambda's user and group, as a function sees them (`id` in a function on Amazon Linux 2023).
_USER, _GROUP = 993, 990
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000  # linux/sched.h
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18  # linux/mount.h
_MOUNT_SETATTR, _MOUNT_ATTR_RDONLY, _AT_RECURSIVE, _AT_FDCWD = 442, 1, 0x8000, -100  # the number on all machines
_CAPABILITIES_VERSION = 0x20080522  # linux/capability.h
_TMP = "/tmp"  # noqa: S108  # Lambda's
_TMP_SIZE = "512m"  # "Ephemeral storage", unless a function has more
# What /dev of a function has; most of all, it has no shm.
_DEVICES = ("null", "zero", "full", "random", "urandom")


def isolate(folders: Iterable[str]) -> str:
    """Give this process, and what it starts, a file system as Lambda's.

    Args:
        folders: what it needs to read, and might be in a folder that is replaced.

    Returns:
        Why the system does not allow it, or only a part of it; empty if it was done.
    """
    if sys.platform != "linux":
        return "only Linux has namespaces"
    try:
        return _isolate(folders)
    except OSError as error:
        return f"this system allows only a part of it: {error}"


def _isolate(folders: Iterable[str]) -> str:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS):
        return f"this system allows no namespaces here: {os.strerror(ctypes.get_errno())}"
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{_USER} {user} 1")
    _write("/proc/self/gid_map", f"{_GROUP} {group} 1")
    _mount(libc, "none", "/", flags=_MS_REC | _MS_PRIVATE)
    here = os.getcwd()
    needed = {folder: os.open(folder, os.O_RDONLY) for folder in _below_tmp([*folders, here])}
    devices = {name: os.open(f"/dev/{name}", os.O_RDONLY) for name in _DEVICES}
    _mount(libc, "tmpfs", _TMP, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={_TMP_SIZE},mode=1777")
    for folder, descriptor in needed.items():
        os.makedirs(folder, exist_ok=True)
        _bind(libc, descriptor, folder)
    _mount(libc, "tmpfs", "/dev", "tmpfs", _MS_NOSUID, "size=64k,mode=755")
    for name, descriptor in devices.items():
        _write(f"/dev/{name}", "")
        _bind(libc, descriptor, f"/dev/{name}")
    for name, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    _set_attributes(libc, "/", to_set=_MOUNT_ATTR_RDONLY, flags=_AT_RECURSIVE)
    _set_attributes(libc, _TMP, to_clear=_MOUNT_ATTR_RDONLY)
    os.chdir(here)  # what it was may have been replaced
    _drop_capabilities(libc)
    return ""


def _below_tmp(folders: list[str]) -> list[str]:
    """Return the folders below /tmp, without those that are in another one of them."""
    result: list[str] = []
    for folder in sorted({os.path.realpath(each) for each in folders if os.path.isdir(each)}):
        if folder.startswith(f"{_TMP}/") and not any(folder.startswith(f"{each}/") for each in result):
            result.append(folder)
    return result


def _bind(libc: ctypes.CDLL, descriptor: int, target: str) -> None:
    _mount(libc, f"/proc/self/fd/{descriptor}", target, flags=_MS_BIND | _MS_REC)
    os.close(descriptor)


def _mount(  # noqa: PLR0913  # those of mount(2)
    libc: ctypes.CDLL, source: str, target: str, kind: str = "none", flags: int = 0, options: str = ""
) -> None:
    import ctypes

    arguments = (source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _check(libc.mount(*arguments), target)


def _set_attributes(libc: ctypes.CDLL, path: str, *, to_set: int = 0, to_clear: int = 0, flags: int = 0) -> None:
    """Change a mount, by a system call that few C libraries have (mount_setattr(2), Linux 5.12)."""
    import ctypes

    attributes = (ctypes.c_uint64 * 4)(to_set, to_clear, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    _check(libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path.encode(), flags, attributes, size), path)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Leave all rights of the namespace's owner: a function has none (capset(2))."""
    import ctypes

    head = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    _check(libc.capset(head, (ctypes.c_uint32 * 6)()), "capset")


def _check(result: int, what: str) -> None:
    import ctypes

    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
