"""Several environments: how many there are, what freezes and ends them, and what is left of them."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest
from support.processes import SECONDS, Running, children, free_port, plain_environment, runs, wait_until

PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "--port", "0"]
APP = """
import atexit, os, signal, subprocess, sys, threading, time
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent


def tick(name):
    count = 0
    while True:
        count += 1
        (HERE / f"{name}.new").write_text(str(count))
        os.replace(HERE / f"{name}.new", HERE / name)
        time.sleep(0.001)


def start_others():
    for _ in range(100):  # in groups of their own
        if os.fork() == 0:
            os.setsid()
            tick_on("ticks")
        time.sleep(0.002)
    os._exit(0)


def tick_on(name):
    while True:
        (HERE / name).write_text(str(time.monotonic_ns()))
        time.sleep(0.02)


def wait_for(path, count):
    while len(list(HERE.glob(path))) < count:
        time.sleep(0.005)


def app(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/together":  # returns when as many requests as asked for are running
        (HERE / f"together-{os.getpid()}").touch()
        wait_for("together-*", int(query))
    elif path == "/wait":
        (HERE / "waits").touch()
        wait_for(query, 1)
    elif path == "/tick":
        threading.Thread(target=tick, args=("ticks",), daemon=True).start()
    elif path == "/tick-apart":
        subprocess.Popen([sys.executable, "-c", "import main; main.tick('ticks')"], start_new_session=True, cwd=HERE)
        wait_for("ticks", 1)
    elif path == "/start-others":
        if os.fork() == 0:
            os.setsid()
            start_others()
        wait_for("ticks", 1)
    elif path == "/hang":
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(600)
    elif path == "/allocate":
        blocks = [bytearray(os.urandom(1024) * 1024) for _ in range(int(query))]
        time.sleep(600)
    elif path == "/region":
        start_response("200 OK", [("content-type", "text/plain")])
        return [os.environ.get(query, "").encode()]
    elif path == "/print":
        print("a line of the app", flush=True)
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(os.getpid()).encode()]
"""

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a local run of the app with these options."""
    (tmp_path / "main.py").write_text(APP)
    started: list[Running] = []

    def run(*options: str, **variables: str) -> Running:
        environment = plain_environment({"HOME": str(tmp_path), **variables})
        started.append(Running([*PROGRAM, *options, "main:app"], cwd=tmp_path, env=environment))
        return started[-1]

    yield run
    for each in started:
        each.close()


def url_of(run: Running) -> str:
    return run.wait_for(r"http://127\.0\.0\.1:\d+")[0]


def get(run: Running, path: str) -> httpx.Response:
    return httpx.get(url_of(run) + path, trust_env=False, timeout=SECONDS * 2)


def has_text(run: Running, text: str) -> bool:
    return get(run, "/").text == text


def tree(pid: int) -> list[int]:
    """The descendants of a process."""
    pids = children(pid)
    return pids + [each for child in pids for each in tree(child)]


def states(pids: list[int]) -> set[str]:
    return {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids}


def environments(run: Running) -> list[int]:
    """The bootstraps: the children of a local run but for its guard, which has no children of its own."""
    return [pid for pid in children(run.pid) if "main:app" in command_line(pid) and tree(pid)]


def command_line(pid: int) -> str:
    """The arguments of a process; empty if it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_eight_requests_run_at_the_same_time(start: Start) -> None:
    """Each of them ends only when all of them have begun."""
    run = start()
    url_of(run)
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: get(run, "/together?8"), range(8)))

    assert [response.status_code for response in responses] == [200] * 8
    assert len({response.text for response in responses}) == 8


def test_with_concurrency_one_environment_has_them_all(start: Start, tmp_path: Path) -> None:
    run = start("--concurrency", "4", "--environments", "1")
    url_of(run)
    with ThreadPoolExecutor(4) as pool:
        waiting = pool.submit(get, run, "/wait?go")
        wait_until(lambda: (tmp_path / "waits").exists(), "the request has begun")
        others = [get(run, "/") for _ in range(3)]
        (tmp_path / "go").touch()

    assert {response.text for response in [waiting.result(), *others]} == {others[0].text}


def test_the_option_for_concurrency_overrides_the_variable(start: Start, tmp_path: Path) -> None:
    """A bootstrap that took several invocations at once would end those that it works on."""
    run = start("--concurrency", "1", "--environments", "1", AWS_LAMBDA_MAX_CONCURRENCY="4")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, run, "/wait?go")
        wait_until(lambda: (tmp_path / "waits").exists(), "the request has begun")
        second = pool.submit(get, run, "/region?AWS_LAMBDA_MAX_CONCURRENCY")
        run.wait_for("1 waiting: ")
        (tmp_path / "go").touch()

    assert (first.result().status_code, second.result().text) == (200, "")


def test_requests_wait_when_all_environments_are_busy_and_the_log_says_for_what(start: Start, tmp_path: Path) -> None:
    run = start("--environments", "1")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, run, "/wait?go")
        wait_until(lambda: (tmp_path / "waits").exists(), "the request has begun")
        second = pool.submit(get, run, "/")
        run.wait_for(r"1 waiting: environment 1 is busy with GET /wait\?go for \d+ s")
        (tmp_path / "go").touch()

    assert first.result().text == second.result().text


def test_throttled_requests_are_rejected(start: Start, tmp_path: Path) -> None:
    run = start("--environments", "1", "--throttle")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(get, run, "/wait?go")
        wait_until(lambda: (tmp_path / "waits").exists(), "the request has begun")
        rejected = get(run, "/")
        (tmp_path / "go").touch()

    assert (first.result().status_code, rejected.status_code) == (200, 429)


@pytest.mark.parametrize("path", ["/tick", "/tick-apart"], ids=["a thread", "a process that has left the group"])
def test_an_environment_is_frozen_between_requests(start: Start, tmp_path: Path, path: str) -> None:
    run = start()
    get(run, path)
    [bootstrap] = environments(run)
    wait_until(
        lambda: (tmp_path / "ticks").exists() and states([bootstrap, *tree(bootstrap)]) == {"T"},
        "it has ticked, and all processes are stopped",
    )
    ticks = (tmp_path / "ticks").read_text()
    # Nothing ticks while the local run works on something else.
    httpx.request("POST", url_of(run), content=b"x" * 10_000_000, trust_env=False)

    assert (tmp_path / "ticks").read_text() == ticks
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(get, run, "/wait?go")
        wait_until(lambda: (tmp_path / "ticks").read_text() != ticks, "it goes on with the next request")
        (tmp_path / "go").touch()
    assert request.result().status_code == 200


def test_processes_that_are_started_while_an_environment_is_frozen_are_frozen_too(start: Start, tmp_path: Path) -> None:
    run = start()
    get(run, "/start-others")

    def is_quiet() -> bool:
        """Whether nothing ticks while the local run works on something else."""
        ticks = (tmp_path / "ticks").read_text()
        httpx.request("POST", url_of(run), content=b"x" * 10_000_000, trust_env=False)
        return (tmp_path / "ticks").read_text() == ticks

    wait_until(is_quiet, "all processes are stopped")


def test_without_freezing_it_goes_on(start: Start, tmp_path: Path) -> None:
    run = start("--no-freeze")
    get(run, "/tick")
    ticks = (tmp_path / "ticks").read_text()

    wait_until(lambda: (tmp_path / "ticks").read_text() != ticks, "it ticks after the request")


def test_the_timeout_ends_the_environment(start: Start) -> None:
    run = start("--timeout", "1")
    before = get(run, "/").text
    response = get(run, "/hang")
    after = get(run, "/").text

    assert response.status_code == 502
    assert "Task timed out after 1.00 seconds" in response.text
    assert re.search(r"Z [0-9a-f-]{36} Task timed out after 1\.00 seconds", run.text)
    assert after != before


def test_too_much_memory_ends_the_environment(start: Start) -> None:
    run = start("--memory", "128")
    response = get(run, "/allocate?300")

    assert response.status_code == 502
    assert "Runtime.OutOfMemory" in response.text
    run.wait_for(r"Out of memory: \d+ MB of 128 MB\. The environment was killed; see --memory\.")
    assert get(run, "/").status_code == 200


def test_idle_environments_are_stopped_but_for_provisioned_ones(start: Start) -> None:
    run = start("--idle", "0.2", "--provisioned", "1")
    url_of(run)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: get(run, "/together?3"), range(3)))

    assert len(environments(run)) >= 1
    wait_until(lambda: len(environments(run)) == 1, "the others are stopped")
    assert get(run, "/").status_code == 200


def test_a_provisioned_environment_that_ends_is_started_anew(start: Start) -> None:
    run = start("--provisioned", "1")
    get(run, "/")
    [bootstrap] = environments(run)
    os.kill(bootstrap, signal.SIGKILL)

    wait_until(lambda: environments(run) not in ([], [bootstrap]), "there is another one")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_after_a_signal(start: Start, number: int) -> None:
    """Also not of frozen environments, nor of processes that have left them."""
    run = start()
    get(run, "/tick-apart")
    pids = tree(run.pid)
    assert len(pids) > 3
    os.kill(run.pid, number)

    wait_until(lambda: not any(map(runs, pids)), "all processes have ended")
    if number != signal.SIGKILL:
        assert run.wait() == 0


def test_an_app_with_a_port_of_its_own_has_one_environment_at_a_time(start: Start, tmp_path: Path) -> None:
    """Also when its code changes, since a second one could not listen."""
    run = start("--reload", AWS_LWA_PORT=free_port())
    run.wait_for("one environment at a time")
    with ThreadPoolExecutor(4) as pool:
        pids = {response.text for response in pool.map(lambda _: get(run, "/"), range(8))}
    assert len(pids) == 1
    (tmp_path / "main.py").write_text(APP.replace("str(os.getpid())", '"new"'))

    wait_until(lambda: get(run, "/").text == "new", "the new code responds")


def test_saves_of_the_same_size_in_the_same_second_are_all_seen(start: Start, tmp_path: Path) -> None:
    """Python takes the cached bytecode of one for the other."""
    run = start("--reload")
    for number in range(5):
        (tmp_path / "main.py").write_text(APP.replace("str(os.getpid())", f'"{number}"'))
        wait_until(partial(has_text, run, str(number)), "the new code responds")


def test_the_log_can_be_that_of_lambda(start: Start) -> None:
    run = start("--log", "lambda", "--memory", "512")
    get(run, "/print")
    text = run.wait_for(r"START(.|\n)*REPORT.*\n")[0]

    identifier = re.search(r"RequestId: (\S+)", text)[1]  # type: ignore[index]
    lines = [
        re.sub(r"\d+\.\d\d ms|\d+ ms|Used: \d+", "…", line) for line in text.replace(identifier, "ID").splitlines()
    ]
    assert lines[:3] == ["START RequestId: ID Version: $LATEST", "a line of the app", "END RequestId: ID"]
    assert re.fullmatch(
        "REPORT RequestId: ID\tDuration: …\tBilled Duration: …\tMemory Size: 512 MB\tMax Memory … MB\t"
        "(Init Duration: …\t)?",
        lines[3],
    )
    assert "GET /print" not in run.text


def test_the_short_log_has_a_line_for_each_request(start: Start) -> None:
    run = start()
    get(run, "/print")

    run.wait_for(r"a line of the app\nGET /print 200 \d+ ms, environment 1(, cold start \d+ ms)?\n")


def test_the_plain_log_does_not_mention_environments(start: Start) -> None:
    run = start("--plain")
    get(run, "/print")

    run.wait_for(r"GET /print 200 \d+ ms\n")


@pytest.mark.parametrize(
    ("variables", "config", "expected"),
    [
        pytest.param({}, "", "us-east-1", id="nothing"),
        pytest.param({"AWS_DEFAULT_REGION": "eu-west-1"}, "", "eu-west-1", id="a variable"),
        pytest.param({}, "[default]\nregion = eu-central-1\n", "eu-central-1", id="the configuration"),
        pytest.param({"AWS_PROFILE": "work"}, "[profile work]\nregion=eu-north-1\n", "eu-north-1", id="a profile"),
        pytest.param({"AWS_PROFILE": "other"}, "[profile work]\nregion=eu-north-1\n", "us-east-1", id="another"),
    ],
)
def test_libraries_find_the_users_own_region(
    start: Start, tmp_path: Path, variables: dict[str, str], config: str, expected: str
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(config)
    run = start(**variables)

    assert get(run, "/region?AWS_REGION").text == expected
    assert get(run, "/region?AWS_DEFAULT_REGION").text == expected
