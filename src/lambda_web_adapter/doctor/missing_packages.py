"""What the app imports at its start and an artifact does not have. The source is read, not run.

Only imports that run whenever the app starts count, so that nothing is reported which a healthy artifact does without:
those at the top of the app's module, and of the modules that it imports so, and neither within `if` nor `try`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import Group, Rule, Severity, paths_text
from lambda_web_adapter.doctor.module_names import RUNTIME_MODULES, RUNTIMES_OWN, is_standard
from lambda_web_adapter.doctor.source_imports import imports_of_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject

MISSING_PACKAGE = Rule(
    id="missing-package",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="The app imports modules at its start that the artifact does not have; if layers may have them, a warning.",
    advice="Add the package that has it to the requirements, and build the artifact again.",
)
RULES = (MISSING_PACKAGE,)

_ADAPTER = "lambda_web_adapter"
# Where Python, Lambda and its layers have packages in an image, besides any folder with one of these names.
_IMAGE_FOLDERS = ("opt/python/", "var/runtime/", "var/lang/")
_SITE = re.compile(r"^(.*/)?(site-packages|dist-packages)/")
# Packages that are unpacked, or put into the path, when the app starts.
_ARCHIVE = re.compile(r"\.(zip|egg|whl|pex|pyz|pth)$")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the app imports and the artifact does not have, as one finding."""
    if subject.is_project or subject.artifact.kind == "layer" or any(map(_ARCHIVE.search, subject.own_files)):
        return
    if any(_adds_folders(subject, path) for path in subject.artifact.entries if path.endswith(".pth")):
        return  # such as that of an editable install: its packages may be anywhere
    places: dict[str, tuple[str, int]] = {}
    present = _present_modules(subject)
    for path, name, line in imports_of_start(subject):
        top = name.partition(".")[0]
        if top not in present and not _is_of_runtime(top, subject):
            places.setdefault(top, (path, line))
    if not places:
        return
    has_layers = _may_have_layers(subject)
    names = paths_text([f"{name} ({path}:{line})" for name, (path, line) in places.items()], most=10)
    unless = f", unless a layer has {'it' if len(places) == 1 else 'them'}" if has_layers else ""
    message = f"The app imports what is neither in the artifact nor in the runtime{unless}: {names}."
    severity = Severity.WARNING if has_layers else None
    yield MISSING_PACKAGE.broken(message, *next(iter(places.values())), severity=severity)


def _adds_folders(subject: Subject, path: str) -> bool:
    """Return whether a file of paths has others than code to run (`site`)."""
    lines = subject.text(path).splitlines()
    is_editable = "__editable__" in path
    return is_editable or any(line.strip() and not line.startswith(("#", "import ", "import\t")) for line in lines)


def _may_have_layers(subject: Subject) -> bool:
    """Return whether packages may be in layers that nobody has shown."""
    if subject.artifact.image:
        return False
    if subject.functions:
        return any(function.layers for function in subject.functions)
    return not subject.packages or not any(path.startswith(f"{_ADAPTER}/") for path in subject.artifact.entries)


def _is_of_runtime(name: str, subject: Subject) -> bool:
    if is_standard(name, subject.target.python):
        return True
    has_runtime = not subject.artifact.image and not any(
        function.runtime.startswith("provided") for function in subject.functions
    )
    return has_runtime and name in (*RUNTIME_MODULES, *RUNTIMES_OWN)


def _present_modules(subject: Subject) -> set[str]:
    """Return the top-level modules of all folders that may be in the path: the app may add its own ones to it."""
    own = {folder for path in subject.own_files for folder in _folders_of(path)}
    installed = {package.folder for package in subject.packages}
    image = subject.artifact.image
    variable = image.environ.get("PYTHONPATH", "").split(":") if image else []
    named = {f"{folder.strip('/')}/" for folder in variable if folder.startswith("/")}
    folders = {"", subject.root, "python/", *_IMAGE_FOLDERS, *own, *installed, *named}
    names = set()
    for path in subject.artifact.entries:
        site = _SITE.match(path)
        for folder in (*_folders_of(path), *([site[0]] if site else ())):
            if folder in folders or (site and folder == site[0]):
                names.add(path.removeprefix(folder).partition("/")[0].partition(".")[0])
    return names


def _folders_of(path: str) -> Iterator[str]:
    """Yield all folders that a file is in, with a slash at the end; the top is empty."""
    yield ""
    for index, letter in enumerate(path):
        if letter == "/":
            yield path[: index + 1]
