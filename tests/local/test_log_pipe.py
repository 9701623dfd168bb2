"""The pipe of an environment's output."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys

from support.processes import SECONDS

from lambda_web_adapter.local.environments.log_pipe import LogPipe

ENDLESS_LINES = "import os\nwhile True: os.write(1, b'line\\n' * 1_000_000)"
ENDLESS_LINE = "import os\nwhile True: os.write(1, b'x' * 1_000_000)"


def start(code: str, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=output)


def test_draining_ends_although_a_process_goes_on_writing() -> None:
    async def scenario() -> None:
        calls = 0

        def take(_: bytes) -> None:
            """Take so long that the pipe is full again."""
            nonlocal calls
            calls += 1
            assert calls < 10, "it goes on reading"
            if process.poll() is None:
                wait_until_full()

        def wait_until_full() -> None:
            while select.select([], [writable], [], 0)[1]:
                pass

        pipe = LogPipe(take)
        with pipe.writer() as output:
            writable = os.dup(output)
            process = start(ENDLESS_LINES, output)
        try:
            wait_until_full()
            pipe.drain()
            assert calls > 0
        finally:
            process.kill()
            process.wait()
            os.close(writable)
            pipe.close()

    asyncio.run(scenario())


def test_a_line_without_end_is_passed_on_in_parts() -> None:
    """It would grow for ever while a process writes so fast that no moment passes without a part of it."""

    async def scenario() -> None:
        parts: asyncio.Queue[bytes] = asyncio.Queue()
        pipe = LogPipe(parts.put_nowait)
        with pipe.writer() as output:
            process = start(ENDLESS_LINE, output)
        try:
            for _ in range(10):
                assert len(await asyncio.wait_for(parts.get(), SECONDS)) <= 200_000
        finally:
            process.kill()
            process.wait()
            pipe.close()

    asyncio.run(scenario())
