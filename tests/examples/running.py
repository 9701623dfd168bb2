"""Real servers in processes of their own: the example alone, and the example behind the adapter."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from typing import IO, Any

from lambda_web_adapter.app.loader import load_app

SECONDS = 20.0
EXAMPLES = Path(__file__).parents[2] / "examples"

# What anybody would type to try the app without Lambda; both print their address.
ALONE = {
    "fastapi_app": ["uvicorn", "main:app", "--port", "0"],
    "flask_app": ["flask", "--app", "main", "run", "--port", "0"],
}
THROUGH_THE_ADAPTER = ["lambda_web_adapter", "main:app", "--port", "0"]


class Output:
    """What a process has printed so far; a thread reads it, so that the process never waits for a reader."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._ended = False
        self._changed = Condition()
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with self._stream:
            for line in self._stream:
                with self._changed:
                    self._text += line
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or re.search(pattern, self._text), SECONDS)
            found = re.search(pattern, self._text)
        if found is None:
            raise AssertionError(f"{pattern!r} was not printed; this was:\n{self._text}")
        return found

    def to_the_end(self) -> str:
        self._thread.join(SECONDS)
        return self._text


@dataclass(frozen=True)
class Site:
    url: str
    output: Output


@contextmanager
def running(example: str, *, adapter: bool, **settings: str) -> Iterator[Site]:
    """Serve an example on a free port until the block ends, and then let it shut down in its own time."""
    command = THROUGH_THE_ADAPTER if adapter else ALONE[example]
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=EXAMPLES / example,
        env=plain_environment() | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = Output(process.stdout)
    try:
        yield Site(output.wait_for(r"http://127\.0\.0\.1:\d+")[0], output)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            output.to_the_end()


def load_example(example: str) -> Any:
    """Return an example's app. All have a module `main`: what this imports is forgotten."""
    modules, path = set(sys.modules), list(sys.path)
    try:
        return load_app("main:app", EXAMPLES / example)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if str(EXAMPLES) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def plain_environment() -> dict[str, str]:
    """This environment without what steers the app or the adapter.

    Output is not held back in a buffer, and sets have one order in every process: `Allow` is made of one.
    """
    steering = ("AWS_", "FLASK_", "UVICORN_", "PORT", "SECRET_KEY", "_HANDLER", "LAMBDA_", "READINESS_CHECK_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**plain, "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}
