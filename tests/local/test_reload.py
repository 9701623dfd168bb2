"""Watching files: real ones, in a folder of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from support.processes import SECONDS

from lambda_web_adapter.local.reload.watched_files import WatchedFiles
from lambda_web_adapter.local.reload.watcher import remove_bytecode, watch

Next = Callable[[], Awaitable[set[Path]]]
WATCH_ONE = """
import asyncio, sys
from pathlib import Path
from lambda_web_adapter.local.reload.watcher import CannotWatch, watch
from lambda_web_adapter.local.reload.watched_files import WatchedFiles

try:
    asyncio.run(asyncio.wait_for(watch(WatchedFiles([Path(sys.argv[1])]), print), 1))
except CannotWatch as error:
    print(error)
"""


@asynccontextmanager
async def watching(*folders: Path, include: tuple[str, ...] = ()) -> AsyncIterator[Next]:
    """Watch folders; the function that it returns waits for the files that changed next."""
    reports: asyncio.Queue[set[Path]] = asyncio.Queue()
    first = folders[0] / "first.py"
    task = asyncio.create_task(watch(WatchedFiles(folders, include), reports.put_nowait))

    async def next_report() -> set[Path]:
        getting = asyncio.create_task(reports.get())
        await asyncio.wait({getting, task}, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert getting.done(), "nothing was reported"
        return getting.result()

    try:
        first.touch()  # before the watch, or after
        assert first in await next_report()  # with what a test has just made
        yield next_report
        assert reports.empty(), f"{reports.get_nowait()} was reported besides"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_a_save_is_reported_at_once(tmp_path: Path) -> None:
    async def scenario() -> list[float]:
        times = []
        async with watching(tmp_path) as next_report:
            for number in range(20):
                (tmp_path / "main.py").write_text(str(number))
                saved_at = time.perf_counter()
                assert await next_report() == {tmp_path / "main.py"}
                times.append(time.perf_counter() - saved_at)
        return times

    assert min(asyncio.run(scenario())) < 0.08  # the fastest, as this machine may be busy


def test_a_file_that_replaces_another_is_reported_and_its_temporary_name_is_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            (tmp_path / "4913").touch()
            (tmp_path / "main.py~").write_text("new")
            (tmp_path / "main.py~").replace(tmp_path / "main.py")
            assert await next_report() == {tmp_path / "main.py"}

    asyncio.run(scenario())


def test_a_deleted_file_is_reported(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            (tmp_path / "first.py").unlink()
            assert await next_report() == {tmp_path / "first.py"}

    asyncio.run(scenario())


def test_hundreds_of_files_are_one_report(tmp_path: Path) -> None:
    files = {tmp_path / f"module_{number}.py" for number in range(500)}

    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            for file in files:
                file.touch()
            assert await next_report() == files

    asyncio.run(scenario())


def test_what_does_not_count_is_not_reported(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "lib").mkdir(parents=True)

    async def scenario() -> None:
        async with watching(tmp_path, include=("*.css",)) as next_report:
            for name in (".venv/lib/module.py", "app.db", "app.db-journal", "data.json", "lambda-web-adapter.start"):
                (tmp_path / name).touch()
            (tmp_path / "site.css").touch()
            assert await next_report() == {tmp_path / "site.css"}

    asyncio.run(scenario())


def test_files_in_a_new_folder_are_reported_whenever_they_come(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            package = tmp_path / "package" / "inner"
            package.mkdir(parents=True)
            (package / "early.py").touch()
            assert package / "early.py" in await next_report()
            (package / "late.py").touch()
            assert await next_report() == {package / "late.py"}

    asyncio.run(scenario())


def test_a_link_to_nothing_does_not_hide_other_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            package = tmp_path / ".package"
            package.mkdir()
            (package / "broken.py").symlink_to("nothing")
            (package / "early.py").touch()
            package.rename(tmp_path / "package")  # whose files are only found by a search
            assert tmp_path / "package" / "early.py" in await next_report()

    asyncio.run(scenario())


def test_a_folder_may_go_and_come_back(tmp_path: Path) -> None:
    package, aside = tmp_path / "package", tmp_path / ".aside"
    package.mkdir()
    (package / "module.py").touch()

    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            package.rename(aside)
            (tmp_path / "main.py").touch()
            assert await next_report() == {tmp_path / "main.py"}
            aside.rename(package)
            (package / "module.py").write_text("new")
            assert await next_report() == {package / "module.py"}

    asyncio.run(scenario())


def test_further_folders_and_linked_packages_are_watched(tmp_path: Path) -> None:
    app, library, shared = tmp_path / "app", tmp_path / "library" / "src", tmp_path / "shared"
    for folder in (app, library, shared):
        folder.mkdir(parents=True)
    (app / "shared").symlink_to(shared)

    async def scenario() -> None:
        async with watching(app, library) as next_report:
            (library / "module.py").touch()
            assert await next_report() == {library / "module.py"}
            (shared / "module.py").touch()
            assert await next_report() == {app / "shared" / "module.py"}

    asyncio.run(scenario())


def test_polling_reports_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It compares whole seconds, so that new files are what it surely sees, once it has begun."""
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "true")

    async def scenario() -> None:
        async with watching(tmp_path) as next_report:
            report = asyncio.ensure_future(next_report())
            files: set[Path] = set()
            while not report.done():
                files.add(tmp_path / f"module_{len(files)}.py")
                (tmp_path / f"module_{len(files) - 1}.py").touch()
                await asyncio.wait([report], timeout=0.1)
            assert await report <= files

    asyncio.run(scenario())


def test_the_systems_limit_is_an_error_with_ways_out(tmp_path: Path) -> None:
    limit = Path("/proc/sys/user/max_inotify_watches")
    for number in range(3):
        (tmp_path / str(number)).mkdir()
    script = f'echo 2 > {limit} && exec "$0" -c "$1" "$2"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", script, sys.executable, WATCH_ONE, str(tmp_path)]
    if not limit.exists() or subprocess.run([*command[:3], "true"], check=False).returncode:
        pytest.skip("a limit of its own takes a user namespace")

    result = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False)

    assert "4 folders cannot be watched" in result.stdout
    assert "fs.inotify.max_user_watches=" in result.stdout
    assert "WATCHFILES_FORCE_POLLING=true" in result.stdout
    assert result.stderr == ""


def test_a_save_within_the_same_second_is_what_python_loads(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    command = [sys.executable, "-c", "import module; print(module.text)"]
    loaded = []
    for text in ("first", "other"):  # of the same size
        file.write_text(f"text = {text!r}\n")
        os.utime(file, (1_800_000_000, 1_800_000_000))
        remove_bytecode([file])
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        result = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
        loaded.append(result.stdout.strip())

    assert loaded == ["first", "other"]


def test_bytecode_that_cannot_be_removed_is_no_error(tmp_path: Path) -> None:
    """It may belong to somebody else, such as root in a container."""
    cached = Path(cache_from_source(str(tmp_path / "module.py")))
    cached.mkdir(parents=True)  # which `unlink` cannot remove, even as root

    remove_bytecode([tmp_path / "module.py"])
