"""Which of an app's own modules its start imports: for sure, perhaps, or not at all."""

from __future__ import annotations

import ast
import posixpath
import re
from enum import Enum
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.source_names import assigned_names

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from lambda_web_adapter.doctor.subject import Subject

_MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# A handler or an argument that names an app: `main:app`, `src/main.app`, `app.py`.
_APP_NAME = re.compile(r"(?P<module>[\w./]+?)(\.py|[:.]\w+(\(.*\))?)?")
_USUAL_MODULES = ("main", "app", "application", "wsgi", "asgi", "lambda_function", "handler", "index", "server")
_USUAL_NAMES = {"app", "application", "api", "create_app", "make_app", "handler", "lambda_handler"}
# What starts an app that it is not told, but finds.
_PROGRAMS = ("bootstrap", "lambda-web-adapter", "lambda_web_adapter", "python", "python3", "-m")
_APP_VARIABLES = ("AWS_LWA_APP", "FLASK_APP", "DJANGO_SETTINGS_MODULE")
# Functions that import modules whose names nobody can see.
_IMPORTERS = {"import_module", "__import__", "import_string", "iter_modules", "walk_packages", "find_modules"}
_IMPORTERS |= {"run_path", "run_module", "spec_from_file_location", "exec_module", "SourceFileLoader", "execfile"}


class Reach(Enum):
    """Whether a start imports a module."""

    SURE = "sure"
    PERHAPS = "perhaps"


def find_reach(subject: Subject, trees: Mapping[str, ast.Module], broken: Container[str]) -> dict[str, Reach]:
    """Return the modules that a start imports; those that nothing mentions are left out.

    Args:
        subject: what is examined.
        trees: the modules by path.
        broken: the paths of those that cannot be parsed.
    """
    paths = [path for path in subject.own_modules if path in trees or path in broken]
    names = _Names(paths, subject.root)
    arguments, usual = _named_apps(subject), _usual_apps(subject, trees)
    named = [path for argument in arguments for path in _files_of_app(argument, subject.root, names)]
    if not arguments and len(usual) == 1:
        named = usual
    django = [path for path in paths if posixpath.basename(path) == "manage.py"]
    others = django if named else [*usual, *django]
    if not named and (arguments or not others):
        return dict.fromkeys(paths, Reach.PERHAPS)  # nobody knows where it starts
    sure = _closure(named, lambda path: _sure_imports(trees.get(path), path, names))
    roots = [*sure, *others]
    perhaps = _closure(roots, lambda path: _possible_imports(trees.get(path), path, names))
    if any(path in trees and _imports_unknown(trees[path]) for path in perhaps):
        perhaps = dict.fromkeys(paths)
    return {path: Reach.SURE if path in sure else Reach.PERHAPS for path in perhaps}


class _Names:
    """The modules of an app by their names."""

    def __init__(self, paths: Iterable[str], root: str) -> None:
        self._root = root
        self._paths: dict[str, list[str]] = {}
        for path in paths:
            parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
            for start in range(len(parts)):
                self._paths.setdefault(".".join(parts[start:]), []).append(path)

    def files(self, name: str, importer: str = "") -> Iterator[str]:
        """Yield the files that an import of a module may run: its own, and those of the packages that it is in.

        The folders in which modules are looked up are not known: a module of the same name elsewhere counts, unless
        there is one at the top or beside the one that imports it.
        """
        parts = name.split(".")
        folders = {self._root, f"{posixpath.dirname(importer)}/".lstrip("/")}
        for count in range(1, len(parts) + 1):
            stem = "/".join(parts[:count])
            files = self._paths.get(".".join(parts[:count]), [])
            usual = {f"{folder}{stem}{end}" for folder in folders for end in (".py", "/__init__.py")}
            yield from [path for path in files if path in usual] or files

    def members(self, package: str) -> Iterator[str]:
        """Yield the modules in a package, which frameworks import by themselves if they are named as usual."""
        for path in self._paths.get(package, ()):
            if path.endswith("/__init__.py"):
                folder = posixpath.dirname(path)
                files = (file for each in self._paths.values() for file in each)
                yield from {file for file in files if posixpath.dirname(file) == folder}


def _closure(roots: Iterable[str], follow: Callable[[str], Iterable[str]]) -> dict[str, None]:
    reached, waiting = dict[str, None](), list(roots)
    while waiting:
        path = waiting.pop(0)
        if path not in reached:
            reached[path] = None
            waiting += follow(path)
    return reached


def _named_apps(subject: Subject) -> list[str]:
    """Return what templates and images name as the app, or may."""
    image = subject.artifact.image
    environs = [*(each.environ for each in subject.functions), *([image.environ] if image else ())]
    texts = [environ.get(name, "") for environ in environs for name in _APP_VARIABLES]
    texts += [each.handler for each in subject.functions]
    texts += [*image.entrypoint, *image.command] if image else []
    arguments = [argument for text in texts for argument in text.split()]
    return [argument for argument in arguments if posixpath.basename(argument) not in _PROGRAMS]


def _files_of_app(text: str, root: str, names: _Names) -> Iterator[str]:
    match = _APP_NAME.fullmatch(text)
    if match and not text.endswith(".sh"):
        module = match["module"].removeprefix("./").strip("/").removeprefix(root)
        yield from names.files(module.replace("/", "."))


def _usual_apps(subject: Subject, trees: Mapping[str, ast.Module]) -> list[str]:
    """Return the modules in which an app is looked for, and that have a name as apps have."""
    return [
        path
        for path, tree in trees.items()
        if path.removeprefix(subject.root).count("/") <= 1
        and posixpath.basename(path).removesuffix(".py") in _USUAL_MODULES
        and _USUAL_NAMES & assigned_names(tree.body)
    ]


def _sure_imports(tree: ast.Module | None, path: str, names: _Names) -> Iterator[str]:
    """Yield the modules that a module imports whenever it is imported itself."""
    for node in tree.body if tree else ():
        yield from _imported_files(node, path, names)


def _possible_imports(tree: ast.Module | None, path: str, names: _Names) -> Iterator[str]:
    """Yield the modules that a module imports anywhere, or names in a string."""
    for node in ast.walk(tree) if tree else ():
        yield from _imported_files(node, path, names)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            module = node.value.partition(":")[0]
            if _MODULE_NAME.fullmatch(module):
                yield from names.files(module)
                yield from names.members(module)
                yield from names.members(module.rpartition(".")[0].removesuffix(".apps"))


def _imported_files(node: ast.AST, path: str, names: _Names) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from names.files(alias.name, path)
    elif isinstance(node, ast.ImportFrom):
        package = posixpath.dirname(path).split("/")
        base = package[: len(package) + 1 - node.level] if node.level else []
        module = ".".join([*filter(None, base), *filter(None, [node.module])])
        for name in (module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)):
            yield from names.files(name, path) if name else ()


def _imports_unknown(tree: ast.Module) -> bool:
    """Return whether a module imports others whose names cannot be seen."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_known = bool(node.args) and isinstance(node.args[0], ast.Constant)
            if name in _IMPORTERS and not is_known:
                return True
    return False
