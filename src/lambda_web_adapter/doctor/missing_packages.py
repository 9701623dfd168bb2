"""What the app imports at its start and an artifact does not have. The source is read, not run.

Only imports that run whenever the app starts count, so that nothing is reported which a healthy artifact does without:
those at the top of the app's module, and of the modules that it imports so, and neither within `if` nor `try`.
"""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.source_scan import scan_source
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, paths_text
from lambda_web_adapter.doctor.module_names import RUNTIME_MODULES, RUNTIMES_OWN, is_standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject

    # The modules that a statement imports, by their full names, and its line.
    Imported = tuple[str, int]

MISSING_PACKAGE = Rule(
    id="missing-package",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="The app imports modules at its start that the artifact does not have; if layers may have them, a warning.",
    advice="Add the package that has it to the requirements, and build the artifact again.",
)
RULES = (MISSING_PACKAGE,)

_ADAPTER = "lambda_web_adapter"
_HANDLER = re.compile(r"([\w./]+)[:.]\w+")
_USUAL_APPS = ("main", "app", "application", "wsgi", "asgi", "lambda_function", "handler", "index", "server")
# Where Python, Lambda and its layers have packages in an image, besides any folder with one of these names.
_IMAGE_FOLDERS = ("opt/python/", "var/runtime/", "var/lang/")
_SITE = re.compile(r"^(.*/)?(site-packages|dist-packages)/")
# Packages that are unpacked, or put into the path, when the app starts.
_ARCHIVE = re.compile(r"\.(zip|egg|whl|pex|pyz|pth)$")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the app imports and the artifact does not have, as one finding."""
    if subject.is_project or subject.artifact.kind == "layer" or any(map(_ARCHIVE.search, subject.own_files)):
        return
    places: dict[str, tuple[str, int]] = {}
    present = _present_modules(subject)
    for path, name, line in _imports_of_start(subject):
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


def _imports_of_start(subject: Subject) -> Iterator[tuple[str, str, int]]:
    """Yield file, module and line of all that is imported whenever the app starts."""
    waiting, seen = list(_app_modules(subject)), set[str]()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        try:
            tree = ast.parse(subject.artifact.read(path))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for name, line in _imports(tree.body, posixpath.dirname(path.removeprefix(subject.root)).split("/")):
            own = list(_own_files(subject, name))
            waiting += own
            if not own:
                yield path, name, line


def _app_modules(subject: Subject) -> list[str]:
    """Return the files of the modules that a start imports, as far as that can be seen."""
    image = subject.artifact.image
    texts = [text for each in subject.functions for text in (each.handler, each.environ.get("AWS_LWA_APP", ""))]
    texts += [*image.command, image.environ.get("AWS_LWA_APP", "")] if image else []
    named = [match[1].replace("/", ".") for text in texts if (match := _HANDLER.fullmatch(text))]
    if paths := [path for name in named for path in _own_files(subject, name)]:
        return paths
    modules = [path for path in subject.own_modules if path.removeprefix(subject.root).count("/") <= 1]
    return [
        path
        for path in modules
        if posixpath.basename(path).removesuffix(".py") in _USUAL_APPS and scan_source(subject.artifact.read(path)).app
    ]


def _own_files(subject: Subject, name: str) -> Iterator[str]:
    """Yield the app's own files that an import of a module runs: its own, and those of the packages that it is in."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        stem = f"{subject.root}{'/'.join(parts[:count])}"
        yield from (path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in subject.own_modules)


def _imports(body: list[ast.stmt], package: list[str]) -> Iterator[Imported]:
    """Yield what statements import whenever they run."""
    for node in body:
        match node:
            case ast.Import():
                yield from ((alias.name, node.lineno) for alias in node.names)
            case ast.ImportFrom():
                base = package[: len(package) + 1 - node.level] if node.level else []
                module = ".".join([*filter(None, base), *filter(None, [node.module])])
                if not node.level or module:
                    yield module, node.lineno
                    # Names that are no modules are in one that is there, or is yielded by the line above.
                    yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
            case ast.ClassDef():
                yield from _imports(node.body, package)
