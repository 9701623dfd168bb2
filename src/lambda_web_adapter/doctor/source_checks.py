"""What an app's source does that a function cannot do. The source is read, not run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor import databases
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, count_text
from lambda_web_adapter.doctor.source_functions import runs_forever
from lambda_web_adapter.doctor.source_modules import read_modules
from lambda_web_adapter.doctor.source_values import Function, Items, Text, plain
from lambda_web_adapter.doctor.source_writes import is_late, logged_files, written_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.source_calls import Source, SourceCall
    from lambda_web_adapter.doctor.source_values import Value
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
SYNTAX_ERROR = Rule(
    id="syntax-error",
    group=Group.RUNTIME,
    severity=Severity.WARNING,
    title="A source of the app cannot be parsed, and so not be imported; an error if each start imports it.",
    advice="Correct it, or leave the file out if nothing imports it.",
)
RULES = (
    WRITE_OUTSIDE_TMP,
    SHARED_MEMORY,
    FORK_SERVER,
    SERVER_AT_IMPORT,
    BACKGROUND_WORK,
    TASK_AT_IMPORT,
    LONG_CLIENT_TIMEOUT,
    SYNTAX_ERROR,
    *databases.RULES,
)

_GATEWAY_SECONDS = 29

_SYNCHRONIZERS = {"Queue", "SimpleQueue", "JoinableQueue", "Lock", "RLock", "Semaphore", "BoundedSemaphore", "Event"}
_SYNCHRONIZERS |= {"Condition", "Barrier", "Pool", "Value", "Array", "Manager"}
_SHARING = {
    f"{module}.{name}"
    for module in ("multiprocessing", "multiprocessing.get_context()", "billiard")
    for name in _SYNCHRONIZERS
}
_SHARING |= {"multiprocessing.pool.Pool", "multiprocessing.managers.SyncManager", "billiard.pool.Pool"}
_SHARING |= {"multiprocessing.shared_memory.SharedMemory"}
_SHARING |= {"concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"}

_SERVERS = {"uvicorn.run", "hypercorn.run", "waitress.serve", "werkzeug.serving.run_simple", "aiohttp.web.run_app"}
_SERVERS |= {"bottle.run", "granian.Granian().serve", "uvicorn.Server().run", "eventlet.wsgi.server"}
_SERVERS |= {f"{name}().run" for name in ("flask.Flask", "quart.Quart", "sanic.Sanic", "bottle.Bottle", "robyn.Robyn")}
_SERVERS |= {
    "dash.Dash().run",
    "dash.Dash().run_server",
    "robyn.Robyn().start",
    "gevent.pywsgi.WSGIServer().serve_forever",
}
_SERVERS |= {
    f"{name}().serve_forever"
    for name in ("wsgiref.simple_server.make_server", "http.server.HTTPServer", "http.server.ThreadingHTTPServer")
}
_SERVERS |= {"asyncio.get_event_loop().run_forever", "asyncio.new_event_loop().run_forever"}

_SCHEDULERS = ("BackgroundScheduler", "AsyncIOScheduler", "BlockingScheduler", "GeventScheduler", "TornadoScheduler")
_BACKGROUND = {
    "threading.Timer": "A timer that has not fired when the response is sent waits in a frozen environment.",
    "flask_apscheduler.APScheduler().start": "Its jobs come late or never: the environment is frozen between requests.",
    "aiocron.crontab": "Its jobs come late or never: the environment is frozen between requests.",
}
_BACKGROUND |= {
    f"{package}.{name}": "It repeats nothing while the environment is frozen, between requests."
    for package in ("fastapi_utils", "fastapi_restful", "fastapi_utilities")
    for name in ("repeat_every", "tasks.repeat_every")
}
_METRICS = ("prometheus_client.start_http_server", "prometheus_client.start_wsgi_server")
_TASK_STARTERS = ("asyncio.create_task", "asyncio.ensure_future", ".create_task")

_HTTP_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_WITHOUT_TIMEOUT = {
    f"{owner}.{method}"
    for owner in ("requests", "requests.Session()", "requests.session()")
    for method in _HTTP_METHODS
}
_WITHOUT_TIMEOUT |= {"urllib.request.urlopen"}
_CLIENTS = ("requests.", "httpx.", "aiohttp.", "urllib.request.urlopen", "urllib3.", "boto3.", "botocore.")
# Where the time is the first or a later argument.
_TIMEOUT_POSITIONS = {"httpx.Timeout": 0, "aiohttp.ClientTimeout": 0, "urllib.request.urlopen": 2, "urllib3.Timeout": 0}


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the modules of the app itself do that a function cannot do."""
    modules = read_modules(subject)
    for error in modules.errors:
        yield SYNTAX_ERROR.broken(
            f"Python {subject.target.python_name} cannot parse it: {error.text}.",
            error.path,
            error.line,
            severity=Severity.ERROR if error.is_sure else None,
        )
    for source in modules.sources:
        yield from check_source(source)
    yield from databases.check_files(subject)


def check_source(source: Source) -> Iterator[Finding]:
    """Yield what one module does that a function cannot do; one finding for each line and rule."""
    seen = set[tuple[str, int]]()
    for finding in _findings(source):
        if (finding.rule, finding.line) not in seen:
            seen.add((finding.rule, finding.line))
            yield finding


def _findings(source: Source) -> Iterator[Finding]:
    for call in source.calls:
        for check_call in _CHECKS:
            if finding := check_call(call, source):
                yield finding
    yield from databases.check_assignments(source)
    yield from _check_logging(source)
    yield from _check_missing_timeouts(source)


def _severity(call: SourceCall, source: Source) -> Severity | None:
    """Return how bad is what fails: an error if each start of the app runs it, or as bad as its rule."""
    return Severity.ERROR if source.is_sure_at_import(call) else None


def _check_write(call: SourceCall, source: Source) -> Finding | None:
    if call.catches("OSError"):
        return None
    path = next(filter(source.surroundings.is_outside, written_paths(call, source.surroundings)), None)
    if not isinstance(path, Text):
        return None
    message = f"{call.shown} writes to {path.text!r}, which a function cannot."
    severity = _severity(call, source) if path.is_sure and not is_late(call) else None
    return WRITE_OUTSIDE_TMP.broken(message, source.path, call.line, severity=severity)


def _check_logging(source: Source) -> Iterator[Finding]:
    """Yield the log files in the settings of Django."""
    for assignment in source.assignments:
        if assignment.name != "LOGGING" or source.names.get("LOGGING") != assignment.value:
            continue
        for path in logged_files(assignment.value):
            if isinstance(path, Text) and source.surroundings.is_outside(path):
                message = f"A handler of logging writes to {path.text!r}, which a function cannot."
                yield WRITE_OUTSIDE_TMP.broken(message, source.path, assignment.line)


def _check_sharing(call: SourceCall, source: Source) -> Finding | None:
    if call.name not in _SHARING or call.catches("OSError"):
        return None
    message = f"{call.shown} needs a semaphore in /dev/shm, which functions do not have: it raises OSError."
    return SHARED_MEMORY.broken(message, source.path, call.line, severity=_severity(call, source))


def _check_fork(call: SourceCall, source: Source) -> Finding | None:
    workers = plain(call.argument(-1, "workers"))
    if call.name in ("os.fork", "os.forkpty"):
        message = f"{call.name}() starts a process that is frozen with the environment as soon as the response is sent."
        advice = "Wait for it in the request, use a thread, or have a queue invoke the function."
        return FORK_SERVER.broken(message, source.path, call.line, advice=advice)
    if call.name in _SERVERS and isinstance(workers, int) and workers > 1:
        message = f"{call.shown} starts {workers} processes, of which one can get requests."
        return FORK_SERVER.broken(message, source.path, call.line)
    return None


def _check_server(call: SourceCall, source: Source) -> Finding | None:
    if not call.context.at_import or call.name not in _SERVERS:
        return None
    port = plain(call.argument(-1, "port"))
    where = f" on port {port}" if isinstance(port, int) else ""
    severity = None if source.is_sure_at_import(call) else Severity.WARNING
    message = f"{call.shown} serves{where} as soon as it is imported."
    return SERVER_AT_IMPORT.broken(message, source.path, call.line, severity=severity)


def _check_background(call: SourceCall, source: Source) -> Finding | None:
    message = _BACKGROUND.get(call.name, "")
    name = call.name.rpartition(".")[2]
    if name in _SCHEDULERS and call.name.startswith("apscheduler."):
        message = f"{name} works between requests, when the environment is frozen: its jobs come late or never."
    elif call.name.startswith("schedule.every") and name == "do":
        message = "schedule runs its jobs in a loop, which is frozen between requests."
    elif call.name in _METRICS:
        message = "Nothing outside of the environment reaches its port, and nothing answers there between requests."
    elif call.name == "threading.Thread().start" and call.context.at_import:
        message = "The thread works only while a request is handled, and is frozen in between."
    elif call.context.is_startup and _starts_loop(call, source):
        message = "Its loop runs only while a request is handled, and is frozen in between."
    return BACKGROUND_WORK.broken(message, source.path, call.line) if message else None


def _starts_loop(call: SourceCall, source: Source) -> bool:
    """Return whether a call starts a function of the module that never ends, as a task or a thread."""
    target: Value = None
    if call.name == "threading.Thread":
        target = call.argument(1, "target")
    elif call.name in _TASK_STARTERS and call.node.args:
        target = source.names.get(_called_name(call.node.args[0]))
    return isinstance(target, Function) and runs_forever(target.node)


def _called_name(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _check_task(call: SourceCall, source: Source) -> Finding | None:
    is_task = call.name in ("asyncio.create_task", "asyncio.get_running_loop")
    if not is_task or not call.context.at_import or call.catches("RuntimeError"):
        return None
    severity = None if source.is_sure_at_import(call) else Severity.WARNING
    message = f"{call.shown} raises RuntimeError: no running event loop."
    return TASK_AT_IMPORT.broken(message, source.path, call.line, severity=severity)


def _check_timeout(call: SourceCall, source: Source) -> Finding | None:
    if not call.name.startswith(_CLIENTS):
        return None
    values = [call.argument(_TIMEOUT_POSITIONS.get(call.name, -1), "timeout"), *map(call.keywords.get, _TIMEOUT_NAMES)]
    longest = max(map(_seconds, values))
    if longest <= _GATEWAY_SECONDS:
        return None
    message = f"{call.shown} waits up to {longest:g} s, API Gateway {_GATEWAY_SECONDS} s."
    return LONG_CLIENT_TIMEOUT.broken(message, source.path, call.line)


def _check_missing_timeouts(source: Source) -> Iterator[Finding]:
    """Yield the first of the requests that wait for ever, with how many there are."""
    calls = [call for call in source.calls if call.name in _WITHOUT_TIMEOUT and not _has_timeout(call)]
    if calls:
        others = f", and {count_text(len(calls) - 1, 'other call')} of the module have none" if len(calls) > 1 else ""
        message = f"{calls[0].shown} has no timeout: it waits as long as the other service does not respond{others}."
        yield LONG_CLIENT_TIMEOUT.broken(message, source.path, calls[0].line)


def _has_timeout(call: SourceCall) -> bool:
    return call.is_open or "timeout" in call.keywords or len(call.arguments) > _TIMEOUT_POSITIONS.get(call.name, 99)


def _seconds(value: Value) -> float:
    """Return the longest of the times in an argument; 0 if it has none that can be seen."""
    if isinstance(value, Items):
        return max(map(_seconds, value.values), default=0)
    seconds = plain(value)
    return seconds if isinstance(seconds, int | float) else 0


_TIMEOUT_NAMES = ("total", "read", "read_timeout", "sock_read")
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
