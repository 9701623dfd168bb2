"""What an app's source does that a function cannot do. The source is read, not run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor import databases
from lambda_web_adapter.doctor.findings import Group, Rule, Severity
from lambda_web_adapter.doctor.source_calls import Source
from lambda_web_adapter.doctor.source_paths import is_outside, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.source_calls import SourceCall
    from lambda_web_adapter.doctor.subject import Subject

WRITE_OUTSIDE_TMP = Rule(
    id="write-outside-tmp",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The app writes a file outside of /tmp, but the file system is read-only; at import it is an error.",
    advice="Write below /tmp (tempfile.gettempdir()), which each environment has for itself, or to S3; log to stdout.",
)
SHARED_MEMORY = Rule(
    id="shared-memory",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The app uses locks, queues or pools of multiprocessing, without /dev/shm; at import it is an error.",
    advice="Use threads (concurrent.futures.ThreadPoolExecutor, queue.Queue), or multiprocessing.Process with Pipe.",
)
FORK_SERVER = Rule(
    id="fork-server",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="The app forks, or starts several server processes: an environment gets one request at a time.",
    advice="Name the app instead (lambda-web-adapter main:app), or start one worker.",
)
SERVER_AT_IMPORT = Rule(
    id="server-at-import",
    group=Group.RUNTIME,
    severity=Severity.ERROR,
    title="The module starts a server when it is imported, so that the import never ends.",
    advice='Start it only below `if __name__ == "__main__":`. The adapter serves the app itself.',
)
BACKGROUND_WORK = Rule(
    id="background-work",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="A scheduler, timer or thread is to work between requests, but the environment is frozen then.",
    advice="Have EventBridge Scheduler or a queue invoke the function; what has to end before the freeze goes into "
    "before_freeze.",
)
TASK_AT_IMPORT = Rule(
    id="task-at-import",
    group=Group.RUNTIME,
    severity=Severity.ERROR,
    title="A task of asyncio is created at import, when no event loop runs.",
    advice="Create it in the lifespan of the app.",
)
LONG_CLIENT_TIMEOUT = Rule(
    id="long-client-timeout",
    group=Group.RUNTIME,
    severity=Severity.NOTE,
    title="A request to another service may take longer than the 29 s that a gateway waits.",
    advice="Give it a timeout below 29 s, so that the app can respond when the other service does not.",
)
RULES = (
    WRITE_OUTSIDE_TMP,
    SHARED_MEMORY,
    FORK_SERVER,
    SERVER_AT_IMPORT,
    BACKGROUND_WORK,
    TASK_AT_IMPORT,
    LONG_CLIENT_TIMEOUT,
    *databases.RULES,
)

_GATEWAY_SECONDS = 29

_FILE_HANDLERS = ("FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler")
# Functions that write to the path in their first argument.
_WRITERS = {"os.mkdir", "os.makedirs", "os.remove", "os.unlink", "os.rename", "os.mkfifo", "shutil.rmtree"}
_WRITERS |= {f"logging.{name}" for name in _FILE_HANDLERS} | {f"logging.handlers.{name}" for name in _FILE_HANDLERS}
_WRITING_METHODS = {".write_text", ".write_bytes", ".mkdir", ".touch", ".unlink", ".rmdir"}
_SHARED = {
    "Queue",
    "SimpleQueue",
    "JoinableQueue",
    "Lock",
    "RLock",
    "Semaphore",
    "BoundedSemaphore",
    "Event",
    "Condition",
}
_SHARED |= {"Barrier", "Pool", "Value", "Array", "Manager"}
_SHARING = {f"multiprocessing.{name}" for name in _SHARED}
_SHARING |= {
    "multiprocessing.pool.Pool",
    "multiprocessing.shared_memory.SharedMemory",
    "multiprocessing.managers.SyncManager",
}
_SHARING |= {"concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"}
_SERVERS = {"uvicorn.run", "hypercorn.run", "waitress.serve", "werkzeug.serving.run_simple", "aiohttp.web.run_app"}
_SERVERS |= {"wsgiref.simple_server.make_server", "bottle.run", "granian.Granian"}
_SCHEDULERS = ("BackgroundScheduler", "AsyncIOScheduler", "BlockingScheduler", "GeventScheduler", "TornadoScheduler")
_TASKS = {"asyncio.create_task", "asyncio.ensure_future", "asyncio.get_running_loop"}
_CLIENTS = ("requests.", "httpx.", "aiohttp.ClientTimeout", "urllib.request.urlopen", "urllib3.", "boto3.", "botocore.")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the modules of the app itself do that a function cannot do."""
    for path in subject.own_modules:
        if _is_test(path.removeprefix(subject.root)):
            continue
        try:
            source = Source(path, subject.artifact.read(path))
        except (SyntaxError, ValueError, RecursionError):  # of another Python, or not meant to be imported
            continue
        yield from check_source(source)
    yield from databases.check_files(subject)


def check_source(source: Source) -> Iterator[Finding]:
    """Yield what one module does that a function cannot do; one finding for each line and rule."""
    seen = set[tuple[str, int]]()
    for call in source.calls:
        for check_call in _CHECKS:
            finding = check_call(call, source)
            if finding and (finding.rule, finding.line) not in seen:
                seen.add((finding.rule, finding.line))
                yield finding
    yield from databases.check_django(source)


def _check_write(call: SourceCall, source: Source) -> Finding | None:
    start = _written_path(call, source)
    if not is_outside(start):
        return None
    message = f"{_shown(call)} writes to {start or 'the current folder'!r}, which a function cannot."
    severity = Severity.ERROR if call.at_import else None
    return WRITE_OUTSIDE_TMP.broken(message, source.path, call.line, severity=severity)


def _written_path(call: SourceCall, source: Source) -> str | None:
    """Return how the path begins that a call writes to; None if it writes to none, or nobody can see to which."""
    if call.name in ("open", "io.open", "gzip.open"):
        return start_of(call.argument(0, "file"), source) if _is_writing(call.constant(1, "mode")) else None
    if call.name == ".open" and call.owner is not None:
        return start_of(call.owner, source) if _is_writing(call.constant(0, "mode")) else None
    if call.name in _WRITERS:
        return start_of(call.node.args[0] if call.node.args else call.argument(-1, "filename"), source)
    if call.name == "logging.basicConfig":
        return start_of(call.argument(-1, "filename"), source)
    if call.name in _WRITING_METHODS and call.owner is not None:
        return start_of(call.owner, source)
    return None


def _is_writing(mode: object) -> bool:
    return isinstance(mode, str) and bool(set(mode) & set("wax+"))


def _check_sharing(call: SourceCall, source: Source) -> Finding | None:
    is_context = call.name.startswith(".") and isinstance(call.owner, ast.Call)
    if is_context and isinstance(call.owner, ast.Call):
        is_context = source.name_of(call.owner.func) == "multiprocessing.get_context" and call.name[1:] in _SHARED
    if call.name not in _SHARING and not is_context:
        return None
    message = f"{_shown(call)} needs a semaphore in /dev/shm, which functions do not have: it raises OSError."
    severity = Severity.ERROR if call.at_import else None
    return SHARED_MEMORY.broken(message, source.path, call.line, severity=severity)


def _check_fork(call: SourceCall, source: Source) -> Finding | None:
    workers = call.constant(-1, "workers")
    if call.name == "os.fork":
        message = "os.fork() starts a process that is frozen with the environment as soon as the response is sent."
        advice = "Wait for it in the request, use a thread, or have a queue invoke the function."
        return FORK_SERVER.broken(message, source.path, call.line, advice=advice)
    if call.name in _SERVERS and isinstance(workers, int) and workers > 1:
        message = f"{_shown(call)} starts {workers} processes, of which one can get requests."
        return FORK_SERVER.broken(message, source.path, call.line)
    return None


def _check_server(call: SourceCall, source: Source) -> Finding | None:
    is_run = call.name == ".run" and isinstance(call.owner, ast.Name) and _is_app(source, call.owner.id)
    if not call.at_import or not (call.name in _SERVERS or is_run):
        return None
    port = call.constant(-1, "port")
    where = f" on port {port}" if isinstance(port, int) else ""
    return SERVER_AT_IMPORT.broken(f"{_shown(call)} serves{where} as soon as it is imported.", source.path, call.line)


def _is_app(source: Source, name: str) -> bool:
    value = source.constants.get(name)
    if not isinstance(value, ast.Call):
        return False
    return source.name_of(value.func).rpartition(".")[2] in ("Flask", "Quart", "Sanic", "Bottle", "Robyn", "Dash")


def _check_background(call: SourceCall, source: Source) -> Finding | None:
    name = call.name.rpartition(".")[2]
    message = ""
    if name in _SCHEDULERS and "apscheduler" in call.name:
        message = f"{name} works between requests, when the environment is frozen: its jobs come late or never."
    elif call.name == "threading.Timer":
        message = "A timer that has not fired when the response is sent waits in a frozen environment."
    elif call.name == ".do" and _has_origin(call.owner, source, "schedule."):
        message = "schedule runs its jobs in a loop, which is frozen between requests."
    elif call.at_import and call.name == ".start" and _is_thread(call.owner, source):
        message = "The thread works only while a request is handled, and is frozen in between."
    return BACKGROUND_WORK.broken(message, source.path, call.line) if message else None


def _is_thread(owner: ast.expr | None, source: Source) -> bool:
    if isinstance(owner, ast.Name):
        owner = source.constants.get(owner.id)
    return isinstance(owner, ast.Call) and source.name_of(owner.func) == "threading.Thread"


def _has_origin(node: ast.expr | None, source: Source, prefix: str) -> bool:
    while isinstance(node, ast.Attribute | ast.Call):
        name = source.name_of(node.func if isinstance(node, ast.Call) else node)
        if name.startswith(prefix):
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    return False


def _check_task(call: SourceCall, source: Source) -> Finding | None:
    if not call.at_import or call.name not in _TASKS:
        return None
    return TASK_AT_IMPORT.broken(f"{_shown(call)} raises RuntimeError: no running event loop.", source.path, call.line)


def _check_timeout(call: SourceCall, source: Source) -> Finding | None:
    if not call.name.startswith(_CLIENTS):
        return None
    seconds = [call.constant(-1, name) for name in ("timeout", "total", "read_timeout")]
    longest = max((each for each in seconds if isinstance(each, int | float)), default=0)
    if longest <= _GATEWAY_SECONDS:
        return None
    message = f"{_shown(call)} waits up to {longest:g} s, API Gateway {_GATEWAY_SECONDS} s."
    return LONG_CLIENT_TIMEOUT.broken(message, source.path, call.line)


def _is_test(path: str) -> bool:
    folders, _, name = path.rpartition("/")
    return name.startswith(("test_", "conftest")) or bool({"tests", "test"} & set(folders.split("/")))


def _shown(call: SourceCall) -> str:
    return f"{ast.unparse(call.node.func)}()"


_CHECKS = (
    _check_write,
    _check_sharing,
    _check_fork,
    _check_server,
    _check_background,
    _check_task,
    databases.check_call,
    _check_timeout,
)
