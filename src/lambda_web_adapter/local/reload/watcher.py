"""Watch an app's files, and report those that changed: at once after a save, once after a checkout of hundreds.

This module imports watchfiles, so import it only if files are to be watched.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing, suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import Change, awatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.reload.watched_files import WatchedFiles

# watchfiles reports changes when none has come for one step, which it looks at once a step: within 20 to 40 ms.
_STEP_MS = 20
_MAX_WAIT_MS = 200
# When several files change at once, more may follow: how long it has to be quiet before they are reported.
_QUIET_SECONDS = 0.1
# How far a file's time may be behind the clock: the kernel takes it from the last tick, which is up to 10 ms old.
_TICK_SECONDS = 0.02
# What watchfiles says at the limits of inotify(7). Its errors have no errno.
_LIMITS = {"watch limit reached": "max_user_watches", "Too many open files": "max_user_instances"}


class CannotWatch(Exception):
    """The files cannot be watched; the message says why, and what to do."""


async def watch(files: WatchedFiles, changed: Callable[[set[Path]], object]) -> None:
    """Call a function with the files that changed, each time they did, until this is cancelled.

    Only folders that may have such files are watched: a virtual environment or node_modules alone can have more folders
    than a system lets a user watch. A new folder is therefore the reason to start again.

    Args:
        files: the files that count.
        changed: the function; files that are deleted are also changed.

    Raises:
        CannotWatch: the system does not let so many folders be watched.
    """
    burst = _Burst(changed)
    since = time.time()
    while True:
        folders = await asyncio.to_thread(lambda: list(files.folders()))
        # It runs when `awatch` waits for the first time, so that it finds what came before the watch.
        missed = asyncio.create_task(asyncio.to_thread(_changed_since, since - _TICK_SECONDS, folders, files))
        missed.add_done_callback(lambda task: None if task.cancelled() else burst.add(task.result()))
        try:
            since = await _watch_folders(folders, files, burst)
        except FileNotFoundError:  # a folder was deleted before it could be watched
            continue
        except (OSError, RuntimeError) as error:  # both come from watchfiles' own code, in Rust
            raise _cannot_watch(error, len(folders)) from error
        finally:
            missed.cancel()


async def _watch_folders(folders: list[str], files: WatchedFiles, burst: _Burst) -> float:
    """Add changed files to the burst until there is a new folder; return since when it may have had files."""
    since = time.time()
    async with aclosing(
        awatch(*folders, watch_filter=None, debounce=_MAX_WAIT_MS, step=_STEP_MS, recursive=False)
    ) as batches:
        async for batch in batches:
            burst.add(Path(path) for _, path in batch if files.has(path))
            if any(change is Change.added and files.is_folder(path) for change, path in batch):
                break
            since = time.time()
    return since


async def reload_environments(files: WatchedFiles, function: Function, log: Log) -> None:
    """Replace the function's environments whenever files have changed, until this is cancelled."""

    def changed(paths: set[Path]) -> None:
        names = sorted(os.path.relpath(path) for path in paths)
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        log.line(f"{names[0]}{others} changed: starting anew.", fg="cyan")
        remove_bytecode(paths)
        function.replace_environments()

    try:
        await watch(files, changed)
    except CannotWatch as error:
        log.line(f"Reload is off. {error}", fg="yellow")


def remove_bytecode(paths: Iterable[Path]) -> None:
    """Remove the bytecode of Python files that have changed.

    Python takes a file's bytecode for current if it has the same size and the same time in whole seconds (PEP 552), so
    that of two saves within a second it may not see the second one.
    """
    for path in paths:
        if path.suffix == ".py":
            with suppress(OSError):  # there is none, or it belongs to somebody else
                Path(cache_from_source(str(path))).unlink()


class _Burst:
    """The files that changed together: a single one is reported at once, several when no more have come for a while."""

    def __init__(self, changed: Callable[[set[Path]], object]) -> None:
        self._changed = changed
        self._files: set[Path] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, files: Iterable[Path]) -> None:
        """Add changed files."""
        before = len(self._files)
        self._files.update(files)
        if len(self._files) == before:
            return
        if self._timer is not None:
            self._timer.cancel()
        wait = _QUIET_SECONDS if len(self._files) > 1 else 0
        self._timer = asyncio.get_running_loop().call_later(wait, self._report)

    def _report(self) -> None:
        files, self._files = self._files, set()
        self._changed(files)


def _changed_since(since: float, folders: list[str], files: WatchedFiles) -> list[Path]:
    """Return the files that were written, made, or moved here since a moment, in seconds since the epoch."""
    changed = []
    for folder in folders:
        try:
            entries = [entry for entry in os.scandir(folder) if files.has(entry.path)]
        except FileNotFoundError:  # it was deleted meanwhile
            continue
        for entry in entries:
            with suppress(OSError):  # it was deleted meanwhile, or is a link to nothing
                if entry.stat().st_ctime >= since:
                    changed.append(Path(entry.path))
    return changed


def _cannot_watch(error: Exception, folders: int) -> CannotWatch:
    limit = next((limit for text, limit in _LIMITS.items() if text in str(error)), None)
    if limit is None:
        return CannotWatch(f"The app's files cannot be watched: {error}.")
    return CannotWatch(
        f"The app's {folders} folders cannot be watched, since a limit of this system is reached. Raise it by "
        f'"sudo sysctl fs.inotify.{limit}=524288", leave out folders (--reload-exclude NAME), or set '
        "WATCHFILES_FORCE_POLLING=true."
    )
