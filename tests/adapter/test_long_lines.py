"""Long lines in the log: they stay whole beside others of the same process, and cost no more time than was set."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from adapter.test_log_output import Reader, full_pipe
from support.processes import SECONDS, wait_until

from lambda_web_adapter.adapter.diagnostics import stderr_tail
from lambda_web_adapter.adapter.diagnostics.stderr_tail import StderrTail
from lambda_web_adapter.ipc import log_output
from lambda_web_adapter.ipc.log_output import LogOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRACEBACK = b"A" * 12_000 + b"\n"
LARGER_THAN_A_PIPE = b"B" * 200_000 + b"\n"

# A process that is forked while another thread writes, and waits for a reader. The child has a log of its own.
FORKING = """
import os, sys, threading
from lambda_web_adapter.ipc import log_output
reader, writer = os.pipe()
log_output._STDERR = writer
output = log_output.LogOutput(1000, lambda dropped: b"")
threading.Thread(target=output.write, args=(b"." * 200_000,), daemon=True).start()
os.read(reader, 1)
pid = os.fork()
if not pid:
    log_output._STDERR = 1
    output.write(b"the child's line\\n")
    os._exit(0)
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """A pipe in place of stderr."""
    reader, writer = os.pipe()
    monkeypatch.setattr(log_output, "_STDERR", writer)
    yield reader, writer
    os.close(writer)  # which also ends a thread that reads


@pytest.fixture(autouse=True)
def _nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test has left half written is no matter here."""
    monkeypatch.setattr(log_output, "_turns", log_output._Turns())


def output(seconds: float = SECONDS) -> LogOutput:
    return LogOutput(seconds, lambda dropped: b"%d dropped\n" % dropped)


def read_until(log: Reader, end: bytes) -> list[bytes]:
    wait_until(lambda: log.text.endswith(end), "the last line")
    return log.text.splitlines(keepends=True)


@pytest.mark.parametrize("line", [TRACEBACK, LARGER_THAN_A_PIPE], ids=["traceback", "larger than a pipe"])
def test_lines_of_two_threads_do_not_mix(line: bytes, pipe: tuple[int, int]) -> None:
    log = Reader(pipe[0])
    relay, own = output(), output()

    def write_long_lines() -> None:
        for _ in range(100):
            relay.write(line)

    writing = Thread(target=write_long_lines)
    writing.start()
    while writing.is_alive():
        own.write(b"short\n")
    own.write(b"end\n")

    lines = read_until(log, b"end\n")
    assert set(lines) <= {line, b"short\n", b"end\n"}
    assert lines.count(line) == 100


def test_a_long_line_goes_out_at_once_where_the_pipe_has_room(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no other process gets in between."""
    sizes = on_write(monkeypatch, lambda: None)
    output().write(TRACEBACK)

    assert sizes == [len(TRACEBACK)]
    assert os.read(pipe[0], 65536) == TRACEBACK
    assert os.get_blocking(pipe[1])  # which the app shares


def test_a_line_of_a_signal_handler_does_not_wait_for_the_one_that_it_interrupts(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = output(), output(1000)
    lines = [b"from the handler\n"]

    def interrupt() -> None:
        if lines:
            second.write(lines.pop())

    on_write(monkeypatch, interrupt)
    first.write(b"interrupted\n")

    assert set(os.read(pipe[0], 65536).splitlines()) == {b"interrupted", b"from the handler"}


def test_a_forked_process_writes_though_a_thread_of_its_parent_was_writing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING], stdout=subprocess.PIPE, timeout=SECONDS, check=False
    )

    assert (done.returncode, done.stdout) == (0, b"the child's line\n")


def test_a_line_that_has_to_wait_too_long_for_another_is_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = full_pipe()
    monkeypatch.setattr(log_output, "_STDERR", writer)
    relay, own = output(), output(0.01)
    writing = Thread(target=relay.write, args=(TRACEBACK,))
    writing.start()
    own.write(b"too early\n")
    log = Reader(reader)
    writing.join(SECONDS)
    wait_until(lambda: log.text.endswith(TRACEBACK), "room in the pipe")
    own.write(b"end\n")

    lines = read_until(log, b"end\n")
    os.close(writer)
    assert lines[-2:] == [b"1 dropped\n", b"end\n"]
    assert b"too early\n" not in log.text


def test_what_is_taken_slowly_is_given_up_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def take_a_while() -> None:
        nonlocal now
        now += 0.03

    null = os.open(os.devnull, os.O_WRONLY)
    monkeypatch.setattr(log_output, "_STDERR", null)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    sizes = on_write(monkeypatch, take_a_while)
    output(0.1).write(b"x" * 1024 * 1024)
    os.close(null)

    assert len(sizes) == 4


def test_writing_much_does_not_copy_the_rest_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"x" * 1024 * 1024
    written: list[object] = []

    def write(descriptor: int, part: bytes | memoryview) -> int:
        written.append(memoryview(part).obj)
        return len(part)

    null = os.open(os.devnull, os.O_WRONLY)
    monkeypatch.setattr(log_output, "_STDERR", null)
    monkeypatch.setattr(os, "write", write)
    output().write(data)
    monkeypatch.undo()
    os.close(null)

    assert all(part is data for part in written)


def on_write(monkeypatch: pytest.MonkeyPatch, function: Callable[[], None]) -> list[int]:
    """Has a function run before each write; returns their sizes."""
    sizes: list[int] = []
    write = os.write

    def before(descriptor: int, data: bytes) -> int:
        function()
        sizes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", before)
    return sizes


def test_a_line_that_comes_in_parts_is_passed_on_whole(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stderr_tail, "_LINE_SECONDS", SECONDS, raising=False)
    sizes = on_write(monkeypatch, lambda: None)
    heard = StderrTail()
    poll = select.poll()
    poll.register(heard._reader, select.POLLIN)
    with os.fdopen(os.dup(heard._writer), "wb", buffering=0) as stderr:
        heard.start_relay()
        stderr.write(TRACEBACK[:100])
        wait_until(lambda: not poll.poll(0), "the first part is read")
        stderr.write(TRACEBACK[100:])
        log = Reader(pipe[0])
        read_until(log, TRACEBACK)
    assert heard._thread is not None
    heard._thread.join(SECONDS)

    assert sizes == [len(TRACEBACK)]
