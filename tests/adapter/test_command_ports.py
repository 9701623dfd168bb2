"""The port of a command: its own, even where several start at once, and ready only when the command listens on it."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import get
from support.processes import accepts, free_port

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from adapter.conftest import Start


def command(name: str, how: str = "plain") -> list[str]:
    return ["--", sys.executable, "named.py", name, how]


def test_two_commands_that_start_at_once_serve_each_their_own() -> None:
    with ExitStack() as stack:
        apis = {name: stack.enter_context(RuntimeApi()) for name in ("one", "other")}
        for name, api in apis.items():
            api.hold(name)
            stack.enter_context(bootstrap(api, *command(name), AWS_LWA_PORT=""))
        for name, api in apis.items():
            api.wait_for_call(f"test/{name}")
        for name, api in apis.items():
            api.release(name)

        assert {name: api.invoke(get("/")).json["body"] for name, api in apis.items()} == {
            "one": "one",
            "other": "other",
        }


PRINT_PORT = "import os, signal; print('listens on port', os.environ['PORT'], flush=True); signal.pause()"
# Each has a port of its own, so none has the default.
TWO_WORKERS = {"AWS_LAMBDA_MAX_CONCURRENCY": "2", "AWS_LWA_WORKERS": "2"}


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which ports clients are given")
def test_no_client_is_given_the_port_that_is_chosen_for_a_command_before_it_listens(
    api: RuntimeApi, start: Start
) -> None:
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first_of_clients < 15_000:
        pytest.skip("this system gives nearly all ports to clients")

    process = start("--", sys.executable, "-c", PRINT_PORT, AWS_LWA_PORT="", **TWO_WORKERS)

    port = int(process.wait_for(r"listens on port (\d+)")[1])
    assert 1024 < port < first_of_clients


def test_a_stranger_on_the_port_is_not_taken_for_the_command(api: RuntimeApi, start: Start) -> None:
    port = free_port()
    api.hold("one")
    start(*command("one"), AWS_LWA_PORT=port, AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="2")
    api.wait_for_call("test/one")

    with socket.create_server(("127.0.0.1", int(port))):
        failed = api.wait_for_call("init/error").json

    assert failed["errorType"] == "Runtime.AppNotReady"
    assert f"process {os.getpid()} (" in failed["errorMessage"]
    assert f"has not started, listens on port {port}" in failed["errorMessage"]


def test_a_command_that_listens_in_place_of_a_stranger_is_ready(api: RuntimeApi, start: Start) -> None:
    port = free_port()
    api.hold("one")
    log = start(*command("one"), AWS_LWA_PORT=port)
    api.wait_for_call("test/one")
    with socket.create_server(("127.0.0.1", int(port))):
        log.wait_for(f"process {os.getpid()} ")
    api.release("one")

    assert api.invoke(get("/")).json["body"] == "one"


def test_the_port_that_readiness_is_checked_on_may_be_anybody_s(api: RuntimeApi, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        start(*command("one"), AWS_LWA_READINESS_CHECK_PORT=str(server.getsockname()[1]))
        api.wait_for_call("next")


@pytest.mark.parametrize("how", ["daemon", "bare", "ipv6"])
def test_a_command_may_listen_by_another_process_and_on_all_addresses(how: str, api: RuntimeApi, start: Start) -> None:
    start(*command("one", how))

    assert api.invoke(get("/")).json["body"] == "one"


# Holds the adapter up right behind its fork, until the daemon serves: by then its parent has ended.
SLOW_IMPORT = """
import os, socket, sys, time

class Hold:
    def find_spec(self, name, path=None, target=None):
        if name == "lambda_web_adapter.adapter.lifecycle":
            while socket.socket().connect_ex(("127.0.0.1", int(os.environ["AWS_LWA_PORT"]))):
                time.sleep(0.001)

sys.meta_path.insert(0, Hold())
"""


def test_a_daemon_that_a_command_leaves_at_once_ends_with_it(api: RuntimeApi, start: Start, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "sitecustomize.py").write_text(SLOW_IMPORT)
    process = start(*command("one", "daemon"), AWS_LWA_PORT=port, PYTHONPATH=str(tmp_path))
    assert api.invoke(get("/")).json["body"] == "one"

    assert process.terminate() == 0

    assert not accepts(f"127.0.0.1:{port}")


def test_a_port_that_is_taken_is_an_error_that_names_who_has_it(api: RuntimeApi, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        start(*command("one"), AWS_LWA_PORT=str(port))
        failed = api.wait_for_call("init/error").json

    assert f"port {port} (Address already in use: process {os.getpid()} (" in failed["errorMessage"]


def test_a_port_is_not_given_to_another_command_before_the_first_one_listens() -> None:
    port = free_port()
    with ExitStack() as stack:
        first, second = (stack.enter_context(RuntimeApi()) for _ in range(2))
        first.hold("one")
        stack.enter_context(bootstrap(first, *command("one"), AWS_LWA_PORT=port))
        first.wait_for_call("test/one")
        stack.enter_context(bootstrap(second, *command("other"), AWS_LWA_PORT=port))
        failed = second.wait_for_call("init/error").json
        first.release("one")

        assert f"port {port} (Address already in use" in failed["errorMessage"]
        assert first.invoke(get("/")).json["body"] == "one"
