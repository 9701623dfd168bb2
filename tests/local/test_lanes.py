"""What the environments of a real run did: their lanes, and how many of these are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from local.recorded_run import RecordedRun, recorded_run, until, within_run

from lambda_web_adapter.local.environments.environment_states import CODE_CHANGED, IDLE_TOO_LONG, RUN_ENDS
from lambda_web_adapter.local.records.lanes import Lanes

APP = """
import os, signal, time, uuid
from pathlib import Path

HERE = Path(__file__).parent


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/wait":
        (HERE / f"waits-{uuid.uuid4()}").touch()
        while not (HERE / "go").exists():
            time.sleep(0.005)
    elif path == "/kill":
        os.kill(os.getppid(), signal.SIGKILL)
    elif path == "/exit":
        os._exit(3)
    elif path == "/hang":
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(600)
    elif path == "/allocate":
        kept = bytearray(os.urandom(1024) * 300 * 1024)
        time.sleep(600)
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"ok"]
"""
CYCLE = ["idle", "frozen"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APP)
    return tmp_path


def test_an_environment_goes_from_init_to_frozen_and_back(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await until(lambda: run.states() == ["init", *CYCLE])
        await run.record()
        await run.record()
        assert run.states() == ["init", *CYCLE, "busy", *CYCLE, "busy", *CYCLE]
        (lane,) = run.recorder.lanes.last()
        moments = [at for at, _, _ in lane.changes]
        assert moments == sorted(moments)
        assert {reason for _, _, reason in lane.changes} == {""}

    within_run(folder, test)


def test_without_freezing_it_is_idle(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await run.record(is_frozen=False)
        await until(lambda: run.states() in (["init", "idle", "busy", "idle"], ["init", "busy", "idle"]))

    within_run(folder, test, freezes=False)


def test_the_memory_of_an_environment_is_measured_however_quick_its_requests(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        (record, lane) = await run.record(), run.recorder.lanes.last()[0]
        measured = len(lane.memory)
        assert measured >= 2  # after the init, and after the first request
        assert record.memory_bytes >= max(size for _, size in lane.memory)
        while len(lane.memory) == measured:  # a tenth of a second is between two measurements
            await run.record()
        assert all(size > 1_000_000 for _, size in lane.memory)

    within_run(folder, test)


def test_an_environment_that_dies_in_its_first_request_was_measured(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        record = await run.record("/kill", is_frozen=False)
        (lane, *_) = run.recorder.lanes.last()
        assert record.memory_bytes > 1_000_000
        assert all(size > 1_000_000 for _, size in lane.memory)
        assert max(at for at, _ in lane.memory) <= lane.changes[-1][0]

    within_run(folder, test)


@pytest.mark.parametrize(
    ("path", "options", "reason"),
    [
        pytest.param("/kill", {}, "Runtime.ExitError: The bootstrap ended with signal SIGKILL", id="crashed"),
        pytest.param("/hang", {"timeout": 1.0}, "Sandbox.Timedout: ", id="timed out"),
        pytest.param("/allocate", {"memory": 128}, "Runtime.OutOfMemory: ", id="out of memory"),
    ],
)
def test_the_end_of_an_environment_has_its_reason(
    folder: Path, path: str, options: dict[str, Any], reason: str
) -> None:
    async def test(run: RecordedRun) -> None:
        record = await run.record(path, is_frozen=False)
        assert record.error_type == reason.partition(":")[0]
        assert run.states()[-2:] == ["busy", "ended"]
        assert run.reason("ended").startswith(reason)
        second = await run.record()
        assert second.environment == 2
        assert run.states()[-1] == "ended"

    within_run(folder, test, **options)


def test_an_app_that_exits_does_not_end_its_environment(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await run.record("/exit")
        record = await run.record()
        assert (record.environment, record.status) == (1, 200)
        assert "ended" not in run.states()

    within_run(folder, test)


def test_a_retired_environment_was_idle_for_too_long(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await run.record(is_frozen=False)
        await until(lambda: "ended" in run.states())
        assert run.states()[-2:] == ["stopping", "ended"]
        assert (run.reason("stopping"), run.reason("ended")) == (IDLE_TOO_LONG, "")

    within_run(folder, test, idle_seconds=0.1)


def test_outdated_environments_are_stopped_once_they_are_free(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        waiting = asyncio.create_task(run.record("/wait", is_frozen=False))
        await until(lambda: list(folder.glob("waits-*")))
        run.function.replace_environments()
        await until(lambda: run.states(2)[-1:] == ["frozen"])
        assert run.states()[-1] == "busy"
        (folder / "go").touch()
        await waiting
        await until(lambda: "ended" in run.states())
        assert run.states()[-4:] == ["busy", "idle", "stopping", "ended"]
        assert run.reason("stopping") == CODE_CHANGED
        assert run.states(2) == ["init", *CYCLE]

    within_run(folder, test)


def test_a_replaced_environment_that_is_frozen_is_stopped(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await until(lambda: run.states()[-1:] == ["frozen"])
        run.function.replace_environments()
        await until(lambda: "ended" in run.states())
        assert run.states() == ["init", *CYCLE, "stopping", "ended"]

    within_run(folder, test)


def test_the_end_of_the_run_ends_all(folder: Path) -> None:
    async def run() -> None:
        async with recorded_run(["main:app"], {"AWS_LWA_APP_DIR": str(folder)}) as recorded:
            await recorded.record()
        assert recorded.states() == ["init", *_first(recorded.states()), "busy", *CYCLE, "stopping", "ended"]
        assert (recorded.reason("stopping"), recorded.reason("ended")) == (RUN_ENDS, "")

    asyncio.run(run())


def _first(states: list[str]) -> list[str]:
    """Return what was before the first request: nothing if it waited for the init."""
    return states[1 : states.index("busy")]


def test_several_invocations_at_once_are_one_time_of_work(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await until(lambda: run.states()[-1:] == ["frozen"])
        waiting = [asyncio.create_task(run.client.get("/wait")) for _ in range(3)]
        await until(lambda: len(list(folder.glob("waits-*"))) == 3)
        await run.client.get("/")
        assert run.states() == ["init", *CYCLE, "busy"]
        assert {record.source for record in run.recorder.records.last(10)} == {"function-url"}  # also of those that run
        (folder / "go").touch()
        await asyncio.gather(*waiting)
        await until(lambda: run.states()[-1:] == ["frozen"])
        assert run.states() == ["init", *CYCLE, "busy", *CYCLE]
        assert [record.frozen_at > record.ended_at for record in run.recorder.records.last(10)] == [True] * 4

    within_run(folder, test, concurrency=4, environments=1)


def test_an_init_within_an_invocation_is_followed_by_its_work(folder: Path) -> None:
    """The first init ends, the second one takes until a file is there."""
    (folder / "main.py").write_text(
        "import os, signal\nfrom pathlib import Path\nHERE = Path(__file__).parent\n"
        "if not (HERE / 'failed').exists():\n"
        "    (HERE / 'failed').touch()\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n" + APP
    )

    async def test(run: RecordedRun) -> None:
        await until(lambda: run.states() == ["init", "ended"])
        waiting = asyncio.create_task(run.record("/wait"))
        await until(lambda: list(folder.glob("waits-*")))
        number = run.recorder.records.last(1)[0].environment
        assert run.states(number)[-1] == "busy"
        (folder / "go").touch()
        await waiting
        assert run.states(number)[-3:] == ["busy", *CYCLE]
        assert "Runtime.ExitError" in run.reason("ended")

    within_run(folder, test)


def test_a_start_that_fails_is_an_end_with_a_reason(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await until(lambda: run.states()[-1:] == ["ended"])
        assert run.states() == ["init", "ended"]
        assert "cannot be started" in run.reason("ended")

    within_run(folder, test, environ={"LARGE": "x" * 10_000_000})


# How many lanes are kept.


def filled(lanes: Lanes, count: int) -> Lanes:
    for number in range(1, count + 1):
        lanes.change(number, float(number), "init")
    return lanes


def test_lanes_of_ended_environments_are_dropped_first() -> None:
    lanes = filled(Lanes(), 100)
    lanes.change(50, 200.0, "ended")
    lanes.change(101, 201.0, "init")

    numbers = [lane.number for lane in lanes.last()]
    assert 50 not in numbers
    assert (numbers[0], numbers[-1], len(numbers)) == (1, 101, 100)


def test_an_environment_whose_lane_was_dropped_goes_on_with_a_new_one() -> None:
    lanes = filled(Lanes(), 101)
    assert lanes.last()[0].number == 2

    lanes.measure(1, 300.0, 1_000_000)
    lanes.change(1, 301.0, "busy")

    assert lanes.last()[0].number == 1
    assert [state for _, state, _ in lanes.last()[0].changes] == ["busy"]
    assert len(lanes.last()) == 100


def test_the_same_state_twice_is_one_change() -> None:
    lanes = Lanes()
    lanes.change(1, 1.0, "idle", "a reason")
    lanes.change(1, 2.0, "idle")

    assert list(lanes.last()[0].changes) == [(1.0, "idle", "a reason")]
