"""Start an app from its package as on Lambda, and send it the project's warm requests.

`python -m lambda_web_adapter.packaging.trial` does it in a process of its own, in the package's folder: it gets a
`_Job` as JSON, and prints a `Trial` as JSON. All that it starts has a file system as Lambda's.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import errno
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.advice import REQUIREMENTS
from lambda_web_adapter.app.discovery.names import HINT
from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_web_adapter.local.log import Log

_WITHOUT_SITE = ("-S", "-s", "-B")  # nothing that is installed on this machine, and no new bytecode
_WSGI_SERVER = "lambda_web_adapter/app/wsgi/server.py"
_TASK_ROOT = "/var/task"  # where Lambda unpacks a function
_MAX_LINES = 60  # of the output of an app that does not start
# Variables that lead to packages of this machine, or to a temporary folder that Lambda does not have.
_LEFT_OUT = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "TMPDIR", "TEMP", "TMP"})
_OF_THE_RUNTIME = re.compile(r"No module named '(boto3|botocore)'")
_READ_ONLY = f"[Errno {errno.EROFS}] "
_NAME_THE_APP = "Name the app by --app, for example main:app for `app` in main.py."  # in place of the adapter's hint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is started.

    Attributes:
        folder: the package's folder.
        app: the handler.
        project: the project's folder, whose `pyproject.toml` has the requests to send.
        python: the interpreter.
        has_start_file: whether to make a start file of what the app imports.
        is_isolated: whether the process gets a file system as Lambda's first; if that fails, nothing is started.
    """

    folder: str
    app: str
    project: str
    python: str
    has_start_file: bool
    is_isolated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a start from the package went.

    Attributes:
        problem: why it failed; empty if it did not.
        log: what app and adapter wrote.
        not_isolated: why the file system was not as Lambda's; empty if it was.
        init_ms: how long the init took on this machine, in milliseconds.
        memory_mb: how much memory the environment had.
        files: the files that were imported, relative to the package's folder.
        start_file: the start file of what was imported, in base64; empty unless it was asked for.
    """

    problem: str
    log: str
    not_isolated: str = ""
    init_ms: int = 0
    memory_mb: int = 0
    files: Sequence[str] = ()
    start_file: str = ""

    @property
    def is_wsgi(self) -> bool:
        """Return whether the built-in server has served a WSGI app."""
        return any(path.startswith(_WSGI_SERVER) for path in self.files)


def try_package(folder: Path, app: str, project: Path, python: str, *, has_start_file: bool = False) -> Trial:
    """Start the app from a folder with a package's files, which is read-only meanwhile.

    Args:
        folder: the folder.
        app: the handler.
        project: the project's folder, whose `pyproject.toml` has the requests to send.
        python: the interpreter.
        has_start_file: whether to make a start file of what the app imports.

    Raises:
        PackagingError: the trial itself failed.
    """
    job = _Job(
        folder=str(folder), app=app, project=str(project.resolve()), python=python, has_start_file=has_start_file
    )
    result = _run(job)
    if result.not_isolated:
        with _read_only(folder):
            return replace(_run(replace(job, is_isolated=False)), not_isolated=result.not_isolated)
    return result


def _run(job: _Job) -> Trial:
    folder = Path(job.folder)
    command = [sys.executable, "-P", "-m", f"{__package__}.trial"]
    done = subprocess.run(  # noqa: S603
        command,
        cwd=folder,
        input=json.dumps(asdict(job)),
        env=_environ(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingError(f"The app could not be started from its package:\n{done.stderr.strip()}")
    return Trial(**json.loads(done.stdout))


def _environ(folder: Path) -> dict[str, str]:
    """Return the environ of the trial: the user's, without what adds folders to Python's path, or is not Lambda's."""
    environ = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT}
    # This program may be found by PYTHONPATH alone, which only its own process needs.
    source = str(Path(__file__).parents[2])
    return {**environ, "PYTHONPATH": os.pathsep.join([source, *filter(None, sys.path)]), "PWD": str(folder)}


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Take the right to write from all folders, as far as that binds this user, and give it back."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for each in folders:
        each.chmod(0o555)
    try:
        yield
    finally:
        for each in folders:
            each.chmod(0o755)


def _run_job(job: _Job) -> Trial:
    """Start the app in the current folder, send it requests, and stop it; return how that went."""
    if job.is_isolated and (reason := _isolate([job.folder, job.project], job.python)):
        return Trial(problem="", log="", not_isolated=reason)
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.records.recorder import Recorder
    from lambda_web_adapter.local.warm_requests import WarmRequestsFailed

    output, recorder = io.StringIO(), Recorder()
    problem, start_file, files = "", b"", set[str]()
    with tempfile.TemporaryDirectory() as name:
        record = Path(name, "modules")
        try:
            _start(job, Log(stream=output, recorder=recorder), record)
            files = _imported_files(record, job.folder)
            if job.has_start_file:
                start_file = _build_start_file(record)
        except WarmRequestsFailed as error:
            problem = str(error)
    records = recorder.records.last(len(recorder.records))
    return Trial(
        problem=problem,
        log=output.getvalue().replace(job.folder, _TASK_ROOT),
        init_ms=round(max((each.init_ms for each in records), default=0)),
        memory_mb=max((each.memory_bytes for each in records), default=0) // 1024 // 1024,
        files=sorted(files),
        start_file=base64.b64encode(start_file).decode(),
    )


def _isolate(folders: Iterable[str], python: str) -> str:
    """Give this process a file system as Lambda's; return why that is not possible, empty if it was done.

    Args:
        folders: what the trial reads besides this Python and its packages.
        python: the interpreter that it starts.
    """
    from lambda_web_adapter.local.environments.isolation import isolate

    prefixes = [os.path.dirname(os.path.dirname(path)) for path in (python, os.path.realpath(python))]
    needed = [*folders, *prefixes, sys.prefix, sys.base_prefix, *filter(None, sys.path)]
    if reason := isolate(needed):
        return reason
    # Whoever is root may read all folders, but Lambda's user only those that root owns, or everybody may read.
    unreadable = [path for path in needed if os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK)]
    return f"another user than root cannot read {unreadable[0]}" if unreadable else ""


def _start(job: _Job, log: Log, record: Path) -> None:
    from lambda_web_adapter.ipc import start_file
    from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
    from lambda_web_adapter.local.environments.function_options import ONE_VCPU, FunctionOptions
    from lambda_web_adapter.local.environments.guard import Guard
    from lambda_web_adapter.local.environments.program import Program
    from lambda_web_adapter.local.warm_requests import TIMEOUT, read_warm_requests, send_requests

    environ = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "LAMBDA_TASK_ROOT": job.folder,
        "_HANDLER": job.app,
        "AWS_LAMBDA_LOG_FORMAT": "Text",  # a traceback in JSON is one long line
        LOCAL_RUN_VARIABLE: "",
        start_file.VARIABLE: start_file.OFF,
        start_file.RECORD_VARIABLE: str(record),
    }
    if job.has_start_file:  # as for `compile`: then all event sources are imported, whichever events the app will get
        environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = "provisioned-concurrency"
    program = Program([*_WITHOUT_SITE, f"{job.folder}/bootstrap"], environ, Guard.start(), log)
    program.python = job.python
    options = FunctionOptions(environments=1, is_plain=True, freezes=False, timeout=TIMEOUT, memory=ONE_VCPU)
    asyncio.run(send_requests(program, options, read_warm_requests(Path(job.project, "pyproject.toml"))))


def _build_start_file(record: Path) -> bytes:
    from lambda_web_adapter.local import start_file_writer

    return start_file_writer.build(*start_file_writer.read_record(record))[0]


def _imported_files(record: Path, folder: str) -> set[str]:
    """Return the files within a folder that a record of imports (`ipc.module_record`) has, relative to it."""
    paths = {ast.literal_eval(line)[4] for line in record.read_text("utf-8").splitlines()}
    return {os.path.relpath(path, folder) for path in paths if path and path.startswith(f"{folder}/")}


def explain(trial: Trial, requirements: str) -> str:
    """Return why a trial failed, with the app's output and what to do if that is known.

    Args:
        trial: the trial.
        requirements: the project's file with requirements; empty if it has none.
    """
    is_lock = requirements.endswith(".lock") or requirements.startswith("pylock.")
    file = f"pyproject.toml and {requirements}" if is_lock else requirements or "requirements.txt"
    hint = ""
    if match := _OF_THE_RUNTIME.search(trial.log):
        hint = f"\nLambda's runtime has {match[1]}, but of a version that changes. Add boto3 to {file}."
    elif _READ_ONLY in trial.log:
        hint = "\nA function can write only below /tmp. Keep data in a database or a bucket."
    lines = trial.log.strip().replace(REQUIREMENTS, file).replace(HINT, _NAME_THE_APP).splitlines()
    output = "".join(f"  {line}\n" for line in lines[-_MAX_LINES:])
    return f"The app does not start from its package.\n{output}{trial.problem}{hint}"


if __name__ == "__main__":
    json.dump(asdict(_run_job(_Job(**json.load(sys.stdin)))), sys.stdout)
