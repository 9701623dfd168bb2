"""What an app wrote to stderr before it ended: in the error, and in the log as if nobody had listened."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from adapter.test_app_start import app_in, init_error
from adapter.test_loop import QUEUE, get
from processes import children

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start
    from fake_runtime_api import FakeRuntimeApi
    from processes import Running

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
    tmp_path: Path, api: FakeRuntimeApi, start: Start
) -> None:
    process = start("main:app", cwd=app_in(tmp_path, DIES_IN_IMPORT))
    message = init_error(api, process)["errorMessage"]

    assert "exit code 7" in message
    assert message.endswith("It wrote:\nno licence found\ngiving up: \N{REPLACEMENT CHARACTER}")
    assert "no licence found\ngiving up: " in process.text


def test_only_the_last_of_many_are_in_the_error(tmp_path: Path, api: FakeRuntimeApi, start: Start) -> None:
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
    dying: Running, api: FakeRuntimeApi
) -> None:
    reply = api.invoke(get("/")).json

    assert json.loads(reply["body"]) == {
        "errorType": "Runtime.AppExited",
        "message": "The app ended (exit code 7) before it had answered.",
    }
    dying.wait_for(r"ERROR.*AppExited: The app ended \(exit code 7\) before it had answered\. It wrote:\n.*out of ink")


def test_they_are_in_the_error_of_an_event_in_which_a_command_ends(dying: Running, api: FakeRuntimeApi) -> None:
    assert api.invoke(QUEUE).json["errorMessage"].endswith("It wrote:\nout of ink")


def test_a_command_that_does_not_start_tells_them(tmp_path: Path, api: FakeRuntimeApi, start: Start) -> None:
    process = start("--", "sh", "-c", "echo no such port >&2; exit 3", cwd=tmp_path)

    assert init_error(api, process)["errorMessage"].endswith("(exit code 3). It wrote:\nno such port")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells where stderr leads to")
def test_an_app_that_is_ready_has_the_stderr_of_the_bootstrap(
    tmp_path: Path, api: FakeRuntimeApi, start: Start
) -> None:
    process = start("main:app", cwd=app_in(tmp_path, WRITES))
    api.invoke(get("/"))
    (app,) = children(process.pid)

    of_the_bootstrap = os.readlink(f"/proc/{process.pid}/fd/2")
    assert os.readlink(f"/proc/{app}/fd/2") == of_the_bootstrap
    assert f"imported\nstderr is {of_the_bootstrap}\n" in process.text
