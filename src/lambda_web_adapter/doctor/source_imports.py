"""Which of an app's own modules its start imports: for sure, perhaps, or not at all."""

from __future__ import annotations

import ast
import posixpath
import re
from enum import Enum
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.source_names import assigned_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambda_web_adapter.doctor.subject import Subject

_MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# A handler or an argument that names an app: `main:app`, `src/main.app`, `app.py`.
_APP_NAME = re.compile(r"(?P<module>[\w./]+?)(\.py|[:.]\w+(\(.*\))?)?")
_USUAL_MODULES = ("main", "app", "application", "wsgi", "asgi", "lambda_function", "handler", "index", "server")
_USUAL_NAMES = {"app", "application", "api", "create_app", "make_app", "handler", "lambda_handler"}
# What starts an app that it finds without a name.
_PROGRAMS = ("bootstrap", "lambda-web-adapter", "lambda_web_adapter", "python", "python3", "-m")
_APP_VARIABLES = ("AWS_LWA_APP", "FLASK_APP", "DJANGO_SETTINGS_MODULE")
# Functions that import modules whose names nobody can see.
_IMPORTERS = {"import_module", "__import__", "import_string", "iter_modules", "walk_packages", "find_modules"}
_IMPORTERS |= {"run_path", "run_module", "spec_from_file_location", "exec_module", "SourceFileLoader", "execfile"}


class Reach(Enum):
    """Whether a start imports a module."""

    SURE = "sure"
    PERHAPS = "perhaps"


def find_reach(subject: Subject) -> dict[str, Reach]:
    """Return the modules that a start imports; those that nothing mentions are left out."""
    trees, names = subject.trees, _Names(subject)
    sure = _sure_modules(subject, names)
    others = [path for path in trees.paths if posixpath.basename(path) == "manage.py"]
    if not sure:
        others += _usual_apps(subject)
    if not sure and (_arguments(subject) or not others):
        return dict.fromkeys(trees.paths, Reach.PERHAPS)  # nobody knows where it starts
    perhaps = _closure([*sure, *others], lambda path: _possible_imports(trees.get(path), path, names))
    if any(map(_imports_unknown, filter(None, map(trees.get, perhaps)))):
        perhaps = dict.fromkeys([*perhaps, *trees.paths])
    return {path: Reach.SURE if path in sure else Reach.PERHAPS for path in perhaps}


def likely_apps(subject: Subject) -> list[str]:
    """Return the modules that may have the app: those that are named, else those that look so, the likeliest first."""
    usual = sorted(_usual_apps(subject), key=lambda path: (path.count("/"), _USUAL_MODULES.index(_stem(path))))
    return _named_modules(subject, _Names(subject)) if _arguments(subject) else usual


def likely_modules(subject: Subject) -> list[str]:
    """Return the names of the modules that may have the app, the likeliest first."""
    paths = likely_apps(subject)
    apps = [path for path in paths if not path.endswith("/__init__.py")] or paths
    return [_module_name(path.removeprefix(subject.root)) for path in dict.fromkeys(apps)]


def imports_of_start(subject: Subject) -> Iterator[tuple[str, str, int]]:
    """Yield file, module and line of all that each start imports and that is not the app's own."""
    names = _Names(subject)
    for path in _sure_modules(subject, names):
        for node in _sure_statements(subject.trees.get(path)):
            for name in _imported_modules(node, path):
                if not any(names.files(name, path)):
                    yield path, name, node.lineno


def _sure_modules(subject: Subject, names: _Names) -> dict[str, None]:
    """Return the modules that each start imports; none if nobody knows where it starts."""
    apps = likely_apps(subject)
    if not _arguments(subject) and len(apps) > 1:
        return {}
    files = [file for path in apps for file in names.files(_module_name(path))]
    trees = subject.trees
    return _closure([*apps, *files], lambda path: _sure_imports(trees.get(path), path, names))


class _Names:
    """The modules of an app by their names."""

    def __init__(self, subject: Subject) -> None:
        self._root = subject.root
        self._paths: dict[str, list[str]] = {}
        self._members: dict[str, list[str]] = {}
        for path in subject.trees.paths:
            self._members.setdefault(posixpath.dirname(path), []).append(path)
            parts = _module_name(path).split(".")
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
                yield from self._members[posixpath.dirname(path)]


def _closure(roots: Iterable[str], follow: Callable[[str], Iterable[str]]) -> dict[str, None]:
    reached = dict.fromkeys(roots)
    waiting = list(reached)
    for path in waiting:  # which grows
        more = [each for each in dict.fromkeys(follow(path)) if each not in reached]
        reached.update(dict.fromkeys(more))
        waiting += more
    return reached


def _arguments(subject: Subject) -> list[str]:
    """Return what templates and images name as the app, or may."""
    image = subject.artifact.image
    environs = [*(each.environ for each in subject.functions), *([image.environ] if image else ())]
    texts = [environ.get(name, "") for environ in environs for name in _APP_VARIABLES]
    texts += [each.handler for each in subject.functions]
    texts += [*image.entrypoint, *image.command] if image else []
    arguments = [argument for text in texts for argument in text.split()]
    return [argument for argument in arguments if posixpath.basename(argument) not in _PROGRAMS]


def _named_modules(subject: Subject, names: _Names) -> list[str]:
    """Return the modules that templates and images name, each after the packages that it is in."""
    modules: list[str] = []
    for text in _arguments(subject):
        match = _APP_NAME.fullmatch(text)
        if match and not text.endswith(".sh"):
            module = match["module"].removeprefix("./").strip("/").removeprefix(subject.root)
            modules += names.files(module.replace("/", "."))
    return modules


def _usual_apps(subject: Subject) -> list[str]:
    """Return the modules in which an app is looked for, and that have a name as apps have."""
    paths = [path for path in subject.trees.paths if path.removeprefix(subject.root).count("/") <= 1]
    trees = {path: subject.trees.get(path) for path in paths if _stem(path) in _USUAL_MODULES}
    return [path for path, tree in trees.items() if tree and _USUAL_NAMES & assigned_names(tree.body)]


def _stem(path: str) -> str:
    return posixpath.basename(path).removesuffix(".py")


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _sure_statements(tree: ast.Module | None) -> Iterator[ast.stmt]:
    """Yield the statements that run whenever a module is imported."""
    waiting: list[ast.stmt] = [*tree.body] if tree else []
    for node in waiting:  # which grows
        yield node
        if isinstance(node, ast.ClassDef):
            waiting += node.body


def _sure_imports(tree: ast.Module | None, path: str, names: _Names) -> Iterator[str]:
    """Yield the modules that a module imports whenever it is imported itself."""
    for node in _sure_statements(tree):
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
    for name in _imported_modules(node, path):
        yield from names.files(name, path)


def _imported_modules(node: ast.AST, path: str) -> list[str]:
    """Return the modules that a statement of a file imports, or may: names in a module may be modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = posixpath.dirname(path).split("/")
    base = package[: len(package) + 1 - node.level] if node.level else []
    module = ".".join([*filter(None, base), *filter(None, [node.module])])
    return [module, *(f"{module}.{alias.name}" for alias in node.names)] if module else []


def _imports_unknown(tree: ast.Module) -> bool:
    """Return whether a module imports others whose names cannot be seen."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_known = bool(node.args) and isinstance(node.args[0], ast.Constant)
            if name in _IMPORTERS and not is_known:
                return True
    return False
