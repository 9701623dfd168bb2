"""What an app wrote to stderr before it ended: in the error, and in the log as if nobody had listened."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

import pytest
from adapter.test_app_start import app_in, init_error
from adapter.test_loop import QUEUE, get
from support.processes import children, runs

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start
    from support.processes import Running

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

DIES_IN_IMPORT = """
import os, sys
print("no licence found", file=sys.stderr)
os.write(2, b"giving up: \\xff\\n")
os._exit(7)
"""

DIES_IN_A_REQUEST = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.die()
    do_POST = do_GET
    def die(self):
        os.write(2, b"out of ink\\n")
        os._exit(7)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

WRITES = """
import os, sys
os.write(2, b"imported\\n")

def app(environ, start_response):
    os.write(2, f"stderr is {os.readlink('/proc/self/fd/2')}\\n".encode())
    start_response("200 OK", [])
    return [b""]
"""


def test_they_are_in_the_error_of_an_app_that_ends_without_an_exception(
    tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start("main:app", cwd=app_in(tmp_path, DIES_IN_IMPORT))
    message = init_error(api, process)["errorMessage"]

    assert "exit code 7" in message
    assert message.endswith("It wrote to stderr:\nno licence found\ngiving up: \N{REPLACEMENT CHARACTER}")
    assert "no licence found\ngiving up: " in process.text


SAYS = """
import os, sys
print("no licence found", file=sys.stderr)

async def app(scope, receive, send):
    await receive()
    print("no database found", file=sys.stderr)
    WHAT

"""
FAILED = "await send({'type': 'lifespan.startup.failed', 'message': 'gives up'})"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        pytest.param("import no_such_module", "ModuleNotFoundError", "No module named 'no_such_module'", id="import"),
        pytest.param("raise LookupError('gives up')", "LookupError", "gives up", id="exception"),
        pytest.param("sys.exit(3)", "SystemExit", "3", id="sys.exit"),
        pytest.param("sys.exit('gives up')", "SystemExit", "gives up", id="sys.exit with words"),
    ],
)
def test_they_are_in_the_error_of_an_app_that_raises_and_its_traceback_is_not_told_twice(
    text: str, kind: str, said: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start("main:app", cwd=app_in(tmp_path, f"{SAYS}{text}\n")))

    assert document["errorType"] == kind
    assert document["errorMessage"] == f"{said}\nIt wrote to stderr:\nno licence found"
    assert f'{tmp_path}/main.py", line 10' in "".join(document["stackTrace"])
    assert text.partition("(")[0] in "".join(document["stackTrace"])


@pytest.mark.parametrize(
    ("what", "kind", "message", "more"),
    [
        pytest.param(FAILED, "StartupFailed", "gives up", [], id="failed"),
        pytest.param(f"{FAILED}; raise OSError('gone')", "OSError", "gone", ["gives up"], id="failed and raised"),
    ],
)
def test_they_are_in_the_error_of_a_lifespan_startup_that_fails(
    what: str, kind: str, message: str, more: list[str], tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start("main:app", cwd=app_in(tmp_path, SAYS.replace("WHAT", what))))

    assert document["errorType"].endswith(kind)
    said, _, words = document["errorMessage"].partition("\nIt wrote to stderr:\n")
    assert said == message
    assert words.splitlines() == ["no licence found", "no database found", *more]
    assert "main.py" in "".join(document["stackTrace"]) or kind == "StartupFailed"


def test_they_are_in_the_error_of_an_app_that_is_killed(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    """As the kernel does when memory runs out."""
    text = SAYS + "os.kill(os.getpid(), 9)\n"
    message = init_error(api, start("main:app", cwd=app_in(tmp_path, text)))["errorMessage"]

    assert message.endswith("(signal SIGKILL). It wrote to stderr:\nno licence found")


LEAVES_A_CHILD = """
import os, subprocess, sys
print("no licence found", file=sys.stderr)
with open("child", "w") as file:
    file.write(str(subprocess.Popen(["sleep", "60"], stdin=-3, stdout=-3).pid))
os._exit(7)
"""


def test_they_do_not_wait_for_a_child_that_goes_on_writing(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    process = start("main:app", cwd=app_in(tmp_path, LEAVES_A_CHILD))
    call = api.wait_for_call("init/error")
    code = process.wait()

    assert call.json["errorMessage"].endswith("(exit code 7). It wrote to stderr:\nno licence found")
    assert code != 0
    assert not runs(int((tmp_path / "child").read_text()))  # the adapter ends what an app leaves


A_THREAD_GOES_ON = """
import threading
threading.Thread(target=threading.Event().wait).start()
raise LookupError("no licence")
"""


def test_an_app_that_raises_is_told_while_a_thread_of_its_goes_on(
    tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start("main:app", cwd=app_in(tmp_path, A_THREAD_GOES_ON)))

    assert (document["errorType"], document["errorMessage"]) == ("LookupError", "no licence")


def test_only_the_last_of_many_are_in_the_error(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    lines = "import os\nfor number in range(10_000):\n    os.write(2, b'line %d\\n' % number)\nos._exit(7)\n"
    process = start("main:app", cwd=app_in(tmp_path, lines))
    message = init_error(api, process)["errorMessage"]

    assert message.splitlines()[1:] == [f"line {number}" for number in range(9_980, 10_000)]
    assert [line for line in process.text.splitlines() if line.startswith("line ")][:10_000] == [
        f"line {number}" for number in range(10_000)
    ]


@pytest.fixture
def dying(tmp_path: Path, start: Start) -> Running:
    """A command that ends in a request."""
    (tmp_path / "server.py").write_text(DIES_IN_A_REQUEST)
    return start("--", sys.executable, "server.py", cwd=tmp_path)


def test_they_are_in_the_log_of_a_request_in_which_a_command_ends_but_not_for_its_caller(
    dying: Running, api: RuntimeApi
) -> None:
    reply = api.invoke(get("/")).json

    assert json.loads(reply["body"]) == {
        "errorType": "Runtime.AppExited",
        "message": "The app ended (exit code 7) before it responded.",
    }
    dying.wait_for(
        r"ERROR.*AppExited: The app ended \(exit code 7\) before it responded\. It wrote to stderr:\s.*out of ink"
    )


def test_they_are_in_the_error_of_an_event_in_which_a_command_ends(dying: Running, api: RuntimeApi) -> None:
    assert api.invoke(QUEUE).json["errorMessage"].endswith("It wrote to stderr:\nout of ink")


def test_a_command_that_does_not_start_tells_them(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    process = start("--", "sh", "-c", "echo no such port >&2; exit 3", cwd=tmp_path)

    assert init_error(api, process)["errorMessage"].endswith("(exit code 3). It wrote to stderr:\nno such port")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells where stderr leads to")
def test_an_app_that_is_ready_has_the_stderr_of_the_bootstrap(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    process = start("main:app", cwd=app_in(tmp_path, WRITES))
    api.invoke(get("/"))
    (app,) = children(process.pid)

    of_the_bootstrap = os.readlink(f"/proc/{process.pid}/fd/2")
    assert os.readlink(f"/proc/{app}/fd/2") == of_the_bootstrap
    process.wait_for(re.escape(f"imported\nstderr is {of_the_bootstrap}\n"))
