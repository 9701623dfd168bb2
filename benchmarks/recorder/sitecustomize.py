"""Record every import of a process and its forks, for `benchmarks/start_budget.py`; Python loads this file by its name.

A line is `process kind time …`, with times in nanoseconds of the system-wide monotonic clock: `site` when the
interpreter is ready, `fork` before a fork, `child` after it in the child, and `import end begin cpu name`, where `cpu`
is the processor time without that of the imports within it.
"""

import importlib._bootstrap
import os
import threading
import time

_TARGET = os.environ["START_BUDGET_RECORD"]


class _Recorder:
    def __init__(self) -> None:
        self._descriptor = os.open(_TARGET, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._threads = threading.local()
        self._find_and_load = importlib._bootstrap._find_and_load  # type: ignore[attr-defined]

    def install(self) -> None:
        importlib._bootstrap._find_and_load = self._load  # type: ignore[attr-defined]
        os.register_at_fork(before=lambda: self.write("fork"), after_in_child=lambda: self.write("child"))
        self.write("site")

    def write(self, kind: str, *fields: object) -> None:
        line = " ".join(map(str, (os.getpid(), kind, time.monotonic_ns(), *fields)))
        os.write(self._descriptor, f"{line}\n".encode())

    def _load(self, name: str, import_: object) -> object:
        # Processor time of finished imports, for each import of this thread that is not finished.
        nested: list[int] = self._threads.__dict__.setdefault("nested", [])
        begin, cpu = time.monotonic_ns(), time.thread_time_ns()
        nested.append(0)
        try:
            module = self._find_and_load(name, import_)
            self.write("import", begin, time.thread_time_ns() - cpu - nested[-1], name)
        finally:
            taken = time.thread_time_ns() - cpu
            nested.pop()
            if nested:
                nested[-1] += taken
        return module


_Recorder().install()
