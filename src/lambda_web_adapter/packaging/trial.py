"""Starts an app from its package as on Lambda, and sends it the project's warm requests.

`python -m lambda_web_adapter.packaging.trial` does it in a process of its own, in the package's folder: it gets the
arguments of `run_trial` as JSON, and prints a `Trial` as JSON.
"""

from __future__ import annotations

import ast
import asyncio
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.local.log import Log

_MEMORY = 1769  # MB, with which a function has one core
_WITHOUT_SITE = ("-S", "-s", "-B")  # nothing that is installed on this machine, and no new bytecode
_OF_THE_RUNTIME = re.compile(r"No module named '(boto3|botocore)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a start from the package went.

    Attributes:
        problem: why it failed; empty if it did not.
        log: what app and adapter wrote.
        init_ms: how long the init took on this machine, in milliseconds.
        memory_mb: how much memory the environment had.
        files: the files that were imported, relative to the package's folder.
    """

    problem: str
    log: str
    init_ms: int = 0
    memory_mb: int = 0
    files: tuple[str, ...] = ()


def try_package(folder: Path, app: str, project: Path, python: str, start_file: Path | None = None) -> Trial:
    """Start the app from a folder with a package's files, which is read-only meanwhile.

    Args:
        folder: the folder.
        app: the handler.
        project: the project's folder, whose `pyproject.toml` has the requests to send.
        python: the interpreter.
        start_file: the start file to write of what the app imports, if any.

    Raises:
        PackagingError: the trial itself failed.
    """
    command = [sys.executable, "-P", "-m", f"{__package__}.trial"]
    job = json.dumps(
        {
            "folder": str(folder),
            "app": app,
            "project": str(project.resolve()),
            "python": python,
            "start_file": str(start_file or ""),
        }
    )
    with _read_only(folder):
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, input=job, env=_environ(folder), capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise PackagingError(f"The app could not be started from its package:\n{done.stderr.strip()}")
    result = json.loads(done.stdout)
    return Trial(**{**result, "files": tuple(result["files"])})


def _environ(folder: Path) -> dict[str, str]:
    """Return the environ of the trial: the user's, without what adds folders to Python's path."""
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    # This program may be found by PYTHONPATH alone, which only its own process needs.
    source = str(Path(__file__).parents[2])
    return {**environ, "PYTHONPATH": os.pathsep.join([source, *filter(None, sys.path)]), "PWD": str(folder)}


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Take the right to write from all folders, as on Lambda (which does not bind root), and give it back."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for each in folders:
        each.chmod(0o555)
    try:
        yield
    finally:
        for each in folders:
            each.chmod(0o755)


def run_trial(folder: str, app: str, project: str, python: str, start_file: str) -> Trial:
    """Start the app in the current folder, send it requests, and stop it; write a start file if one is named."""
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.records.recorder import Recorder
    from lambda_web_adapter.local.warm_requests import WarmRequestsFailed

    output, recorder = io.StringIO(), Recorder()
    problem, files = "", set[str]()
    with tempfile.TemporaryDirectory() as name:
        record = Path(name, "modules")
        try:
            _start(folder, app, project, python, Log(stream=output, recorder=recorder), record, bool(start_file))
            files = _imported_files(record, folder)
            if start_file:
                _write_start_file(record, Path(start_file))
        except WarmRequestsFailed as error:
            problem = str(error)
    records = recorder.records.last(len(recorder.records))
    return Trial(
        problem=problem,
        log=output.getvalue(),
        init_ms=round(max((each.init_ms for each in records), default=0)),
        memory_mb=max((each.memory_bytes for each in records), default=0) // 1024 // 1024,
        files=tuple(sorted(files)),
    )


def _start(  # noqa: PLR0913
    folder: str, app: str, project: str, python: str, log: Log, record: Path, is_for_start_file: bool
) -> None:
    from lambda_web_adapter.ipc import start_file
    from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.guard import Guard
    from lambda_web_adapter.local.environments.program import Program
    from lambda_web_adapter.local.warm_requests import TIMEOUT, read_warm_requests, send_requests

    environ = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "LAMBDA_TASK_ROOT": folder,
        "_HANDLER": app,
        LOCAL_RUN_VARIABLE: "",
        start_file.VARIABLE: start_file.OFF,
        start_file.RECORD_VARIABLE: str(record),
    }
    if is_for_start_file:  # as for `compile`: then all event sources are imported, whichever events the app will get
        environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = "provisioned-concurrency"
    program = Program([*_WITHOUT_SITE, f"{folder}/bootstrap"], environ, Guard.start(), log)
    program.python = python
    options = FunctionOptions(environments=1, is_plain=True, freezes=False, timeout=TIMEOUT, memory=_MEMORY)
    asyncio.run(send_requests(program, options, read_warm_requests(Path(project, "pyproject.toml"))))


def _write_start_file(record: Path, file: Path) -> None:
    from lambda_web_adapter.local import start_file_writer

    file.write_bytes(start_file_writer.build(*start_file_writer.read_record(record))[0])


def _imported_files(record: Path, folder: str) -> set[str]:
    """Return the files within a folder that a record of imports (`ipc.module_record`) has, relative to it."""
    paths = {ast.literal_eval(line)[4] for line in record.read_text("utf-8").splitlines()}
    return {os.path.relpath(path, folder) for path in paths if path and path.startswith(f"{folder}/")}


def explain(trial: Trial) -> str:
    """Return why a trial failed, with the app's output and a hint if one is known."""
    hint = ""
    if match := _OF_THE_RUNTIME.search(trial.log):
        hint = f"\nLambda's runtime has {match[1]}, but of a version that changes. Add boto3 to the requirements."
    output = "".join(f"  {line}\n" for line in trial.log.strip().splitlines()[-40:])
    return f"The app does not start from its package.\n{output}{trial.problem}{hint}"


if __name__ == "__main__":
    json.dump(asdict(run_trial(**json.load(sys.stdin))), sys.stdout)
