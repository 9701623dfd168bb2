"""What is wrong with the entries of an artifact: there are none, or their paths or links lead to the wrong place."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import leads_out, parents
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, count_text, paths_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.artifacts.artifact import Artifact
    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject

EMPTY_ARTIFACT = Rule(
    id="empty-artifact",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="There is no file of an app, so that nothing was examined.",
    advice="Look at what the build has copied, and from where. Of an image, name the app's folder by WORKDIR or "
    "AWS_LWA_APP_DIR.",
)
NESTED_PACKAGE = Rule(
    id="nested-package",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="All files are within one folder, so that no module is found.",
    advice="Zip what is in the folder, and not the folder: cd FOLDER && zip -r ../function.zip .",
)
BACKSLASHES = Rule(
    id="backslashes",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="Names in a zip have backslashes, which make no folders on Linux, so that no module in them is found.",
    advice="Make the zip with a tool that writes slashes: lambda-web-adapter package, 7-Zip, `python -m zipfile -c`.",
)
DOUBLED_ENTRY = Rule(
    id="doubled-entry",
    group=Group.PACKAGE,
    severity=Severity.WARNING,
    title="A zip has several entries of one name, of which the last one counts.",
    advice="Build it into a new file: `zip` and others add to one that is there.",
    fixable=True,
)
OUTSIDE_PATH = Rule(
    id="outside-path",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A path in the artifact leads out of the folder that it is unpacked to: it begins with / or has .. in it.",
    advice="Build it again with relative paths, from within the folder. If it is not yours, do not unpack it: such "
    "paths overwrite files of the machine.",
)
OUTSIDE_LINK = Rule(
    id="outside-link",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A symbolic link leads out of the artifact, to what a function does not have; or to what is not there.",
    advice="Replace it by a copy of what it leads to.",
)
RULES = (
    EMPTY_ARTIFACT,
    NESTED_PACKAGE,
    BACKSLASHES,
    DOUBLED_ENTRY,
    OUTSIDE_PATH,
    OUTSIDE_LINK,
)

# Where a function has files that are not of its artifact.
_OF_FUNCTION = re.compile(r"/(tmp|opt|mnt|var/(task|lang|runtime)|usr|bin|lib|lib64|etc|dev|proc|sys)/")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the entries of an artifact."""
    if subject.is_project:
        return
    yield from _check_presence(subject)
    yield from _check_nesting(subject)
    yield from _check_names(subject.artifact)
    yield from _check_paths(subject)
    yield from _check_links(subject)


def _check_presence(subject: Subject) -> Iterator[Finding]:
    artifact = subject.artifact
    if not artifact.image and not subject.deployed:
        yield EMPTY_ARTIFACT.broken("It has no files.")
    elif not subject.has_app:
        message = f"The image has no files of an app in {subject.searched_text}, nor a package that may be one."
        yield EMPTY_ARTIFACT.broken(message)


def _check_nesting(subject: Subject) -> Iterator[Finding]:
    paths = list(subject.artifact.entries)
    folder = paths[0].partition("/")[0] if paths else ""
    if subject.artifact.kind != "zip" or not folder or not all(path.startswith(f"{folder}/") for path in paths):
        return
    has_root = f"{folder}/bootstrap" in paths or any(package.folder == f"{folder}/" for package in subject.packages)
    if has_root and f"{folder}/__init__.py" not in paths:
        message = (
            f"All files are in {folder}/, so that they will be in /var/task/{folder}/, where Python does not look."
        )
        yield NESTED_PACKAGE.broken(message, f"{folder}/")


def _check_names(artifact: Artifact) -> Iterator[Finding]:
    if paths := [path for path in artifact.entries if "\\" in path]:
        message = f"{count_text(len(paths), 'name')} with backslashes: {paths_text(paths)}."
        yield BACKSLASHES.broken(message, paths[0])
    if artifact.doubled:
        yield DOUBLED_ENTRY.broken(f"There is more than one {paths_text(list(artifact.doubled))}.", artifact.doubled[0])


def _check_paths(subject: Subject) -> Iterator[Finding]:
    artifact = subject.artifact
    paths = [path for path in (*artifact.entries, *artifact.folders) if leads_out(path)]
    if paths:
        has = "path leads" if len(paths) == 1 else "paths lead"
        yield OUTSIDE_PATH.broken(
            f"{len(paths):,} {has} out of {subject.path_in_function}: {paths_text(paths)}.", paths[0]
        )


def _check_links(subject: Subject) -> Iterator[Finding]:
    entries = subject.artifact.entries
    folders = {folder for path in entries for folder in parents(path)}
    for path, entry in subject.deployed.items():
        if not entry.target or subject.artifact.image:
            continue
        place = posixpath.normpath(posixpath.join(subject.path_in_function, posixpath.dirname(path), entry.target))
        inside = f"{place}/".removeprefix(subject.path_in_function).rstrip("/")
        if f"{place}/".startswith(subject.path_in_function):
            if inside and inside not in entries and inside not in folders:
                message = f"It leads to {entry.target}, which is not there."
                yield OUTSIDE_LINK.broken(message, path, severity=Severity.WARNING)
        elif not _OF_FUNCTION.match(f"{place}/"):
            yield OUTSIDE_LINK.broken(f"It leads to {entry.target}, which no function has: out of the artifact.", path)
