"""Count the modules that each start compiles, since they have no valid bytecode and cannot keep it (PEP 3147, PEP 552).

On Lambda the file system is read-only. Elsewhere the first start keeps what it compiles, and nothing is reported.
"""

from __future__ import annotations

import os
import sys
import time
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType
    from typing import Any


class CompilationCount:
    """Counts while it is entered; Python compiles a module only in a loader's `source_to_code`.

    Attributes:
        modules: how many modules were compiled.
        seconds: how long that took.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.modules = 0
        self.seconds = 0.0

    def __enter__(self) -> CompilationCount:
        compile_source = self._original = SourceFileLoader.source_to_code

        def counted(loader: SourceFileLoader, *args: Any, **options: Any) -> CodeType:
            started_at = time.perf_counter()
            code: CodeType = compile_source(loader, *args, **options)
            if not _will_be_kept(loader.path):
                self.modules += 1
                self.seconds += time.perf_counter() - started_at
            return code

        self._counted = SourceFileLoader.source_to_code = counted  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        if SourceFileLoader.source_to_code is self._counted:  # else the app has replaced it
            SourceFileLoader.source_to_code = self._original  # type: ignore[method-assign]

    def note(self) -> str:
        """Return what to log about it; empty if nothing was compiled."""
        if not self.modules:
            return ""
        milliseconds = round(self.seconds * 1000)
        return (
            f"Modules compiled by the app's import, for lack of valid bytecode: {self.modules}, in {milliseconds} ms. "
            "Compile them in the build: `python -m compileall -f --invalidation-mode unchecked-hash FOLDER`."
        )


def _will_be_kept(source: str) -> bool:
    """Return whether Python can write the bytecode of a source file."""
    return not sys.dont_write_bytecode and os.access(os.path.dirname(source), os.W_OK)
