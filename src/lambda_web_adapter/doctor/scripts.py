"""Programs in an artifact: whether the kernel can execute them, and whether Lambda's user can read the files."""

from __future__ import annotations

import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import parents
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, count_text, paths_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject

NOT_EXECUTABLE = Rule(
    id="not-executable",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="The bootstrap or an image's entry point has no run bit.",
    advice="Run `chmod 755` on it before it is zipped, on a system that has run bits.",
    fixable=True,
)
UNREADABLE = Rule(
    id="unreadable",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="Lambda's user has no permission to read files.",
    advice="Run `chmod -R a+rX` on the folder before it is zipped or copied.",
    fixable=True,
)
WRITABLE = Rule(
    id="writable",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="Everybody may write to files, which is wider than a function needs: it cannot write to them at all.",
    advice="Run `chmod -R o-w` on the folder before it is zipped or copied.",
    fixable=True,
)
CRLF_SCRIPT = Rule(
    id="crlf-script",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A script has Windows line endings, with which the kernel does not find its interpreter.",
    advice="Save it with line endings of Unix; in git: `* text=auto eol=lf` in .gitattributes.",
    fixable=True,
)
FOREIGN_SHEBANG = Rule(
    id="foreign-shebang",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="A script names an interpreter of another machine.",
    advice="Call the program by `python -m`, or leave out the scripts.",
)
RULES = (NOT_EXECUTABLE, UNREADABLE, WRITABLE, CRLF_SCRIPT, FOREIGN_SHEBANG)

_BOOTSTRAP = "bootstrap"
# Where functions and images have interpreters.
_INTERPRETER_FOLDERS = ("/bin/", "/usr/bin/", "/var/lang/bin/", "/var/task/", "/opt/")
_LARGEST_SCRIPT = 1_000_000  # bytes


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what keeps programs from being executed, and files from being read."""
    if subject.is_project:
        return
    yield from _check_run_bits(subject)
    yield from _check_rights(subject)
    yield from _check_scripts(subject)


def unreadable_paths(subject: Subject) -> list[str]:
    """Return the files and folders that not everybody can read."""
    folders = [path for path, mode in _folder_modes(subject).items() if mode and mode & 0o005 != 0o005]
    files = [path for path, entry in subject.deployed.items() if not entry.is_readable and not entry.target]
    return [*(f"{path}/" for path in folders), *files]


def writable_paths(subject: Subject) -> list[str]:
    """Return the files and folders that everybody can write to."""
    folders = [path for path, mode in _folder_modes(subject).items() if mode & stat.S_IWOTH]
    files = [path for path, entry in subject.deployed.items() if entry.mode & stat.S_IWOTH and not entry.target]
    return [*(f"{path}/" for path in folders), *files]


def _folder_modes(subject: Subject) -> dict[str, int]:
    """Return the permissions of the folders in which a function has files."""
    used = {folder for path in subject.deployed for folder in parents(path)}
    return {path: mode for path, mode in subject.artifact.folders.items() if path in used}


def script_paths(subject: Subject) -> Iterator[tuple[str, bytes]]:
    """Yield path and first line of what begins with an interpreter's name, in a place for programs."""
    for path, entry in subject.deployed.items():
        name = PurePosixPath(path).name
        is_own = path in subject.own_files and ("." not in name or name.endswith(".sh"))
        is_program = is_own or path.startswith(("bin/", "python/bin/"))
        if is_program and not entry.target and 2 < entry.size < _LARGEST_SCRIPT:
            data = subject.artifact.read(path)
            if data.startswith(b"#!"):
                yield path, data.split(b"\n")[0]


def programs(subject: Subject) -> list[str]:
    """Return the paths of the bootstrap and of an image's entry point, as far as they are in the artifact."""
    image = subject.artifact.image
    candidates = [f"{subject.root}{_BOOTSTRAP}"]
    if image and image.entrypoint and image.entrypoint[0].startswith("/"):
        candidates = [image.entrypoint[0].strip("/")]
    return [path for path in candidates if path in subject.artifact.entries]


def _check_run_bits(subject: Subject) -> Iterator[Finding]:
    for path in programs(subject):
        entry = subject.artifact.entries[path]
        if entry.is_executable or entry.target:
            continue
        mode = f"mode {stat.S_IMODE(entry.mode):o}" if entry.mode else "no mode, as zips made on Windows"
        yield NOT_EXECUTABLE.broken(f"It has {mode}, but Lambda executes it, for which it takes 755.", path)


def _check_rights(subject: Subject) -> Iterator[Finding]:
    paths = unreadable_paths(subject)
    if paths:
        message = f"{count_text(len(paths), 'path')} cannot be read by everybody: {paths_text(paths)}. "
        yield UNREADABLE.broken(f"{message}Lambda runs the function as another user than their owner.", paths[0])
    if paths := writable_paths(subject):
        verb = "is" if len(paths) == 1 else "are"
        message = f"{count_text(len(paths), 'path')} {verb} writable for everybody: {paths_text(paths)}."
        yield WRITABLE.broken(message, paths[0])


def _check_scripts(subject: Subject) -> Iterator[Finding]:
    foreign: dict[str, list[str]] = {}
    for path, line in script_paths(subject):
        interpreter = line[2:].decode("utf-8", "replace").split(maxsplit=1)[0] if line[2:].strip() else ""
        if line.endswith(b"\r"):
            severity = Severity.ERROR if path in programs(subject) else Severity.WARNING
            message = f"Its first line ends in CR and LF: the kernel looks for {interpreter}\\r and finds no such file."
            yield CRLF_SCRIPT.broken(message, path, 1, severity=severity)
        elif path in programs(subject) and not _has_interpreter(subject, interpreter):
            message = f"It is to be executed by {interpreter}, which the function does not have."
            yield FOREIGN_SHEBANG.broken(
                message, path, 1, severity=Severity.ERROR, advice="Begin it with #!/usr/bin/env python3, or #!/bin/sh."
            )
        elif not _has_interpreter(subject, interpreter):
            foreign.setdefault(interpreter, []).append(path)
    for interpreter, paths in foreign.items():
        message = (
            f"{count_text(len(paths), 'script')} would be executed by {interpreter}, which the function does not have"
        )
        yield FOREIGN_SHEBANG.broken(f"{message}: {paths_text(paths)}.", paths[0], 1)


def _has_interpreter(subject: Subject, interpreter: str) -> bool:
    if subject.artifact.image:
        return interpreter.strip("/") in subject.artifact.entries or (
            interpreter.startswith(("/bin/", "/usr/bin/")) and interpreter.rpartition("/")[2] in subject.names
        )
    return interpreter.startswith(_INTERPRETER_FOLDERS) or interpreter in ("env", "python")
