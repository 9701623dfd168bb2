"""The syntax trees of an app's own modules, each parsed when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.sizes import MB
from lambda_web_adapter.doctor.syntax import parse

if TYPE_CHECKING:
    import ast

    from lambda_web_adapter.doctor.subject import Subject

# Hardly an app has more; packages without metadata, which count as the app's, take minutes.
MOST_PARSED = 3 * MB


class SourceTrees:
    """The modules of an app, without tests.

    Attributes:
        paths: where they are in the artifact, those at the top first.
        errors: what is wrong with those that were asked for and cannot be parsed.
        left_out: those that were asked for and not parsed, since it would take too long.
    """

    def __init__(self, subject: Subject) -> None:
        """List the modules of an app."""
        own = [path for path in subject.own_modules if not _is_test(path.removeprefix(subject.root))]
        self.paths = sorted(own, key=lambda path: path.count("/"))
        self.errors: dict[str, SyntaxError] = {}
        self.left_out: set[str] = set()
        self._artifact = subject.artifact
        self._python = subject.target.python
        self._rest = MOST_PARSED
        self._trees: dict[str, ast.Module | None] = {}

    def get(self, path: str) -> ast.Module | None:
        """Return the tree of a module; None if it cannot be parsed, or is left out."""
        if path not in self._trees:
            self._trees[path] = self._parse(path)
        return self._trees[path]

    def _parse(self, path: str) -> ast.Module | None:
        size = self._artifact.entries[path].size
        if size > self._rest:
            self.left_out.add(path)
            return None
        self._rest -= size
        try:
            return parse(self._artifact.read(path), self._python)
        except SyntaxError as error:
            self.errors[path] = error
        except (ValueError, RecursionError):  # null bytes, or nothing that anybody has written
            pass
        return None


def _is_test(path: str) -> bool:
    folders, _, name = path.rpartition("/")
    is_file = name.startswith(("test_", "conftest.")) or name == "tests.py" or name.endswith("_test.py")
    return is_file or bool({"tests", "test"} & set(folders.split("/")))
