"""The file by which other commands find a running local run: where its API is, and the token for it."""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDER = "lambda-web-adapter"
_OWNER_ONLY_FOLDER, _OWNER_ONLY_FILE = 0o700, 0o600
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """What the file of a run says.

    Attributes:
        url: the URL of its inspector, with the API below `/api`.
        token: what requests to it carry.
        pid: the process of the run.
        ports: the ports that the app is served on.
        title: what is served.
    """

    url: str
    token: str
    pid: int
    ports: list[int]
    title: str = ""


def runs_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the files: in the user's folder for runtime files, else in the cache.

    Raises:
        OSError: the user has neither.
    """
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / _FOLDER
    try:
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:  # how Path says that there is no home
        raise OSError(str(error)) from None
    return cache / _FOLDER / "runs"


@contextmanager
def written(run: RunFile, folder: Path) -> Iterator[None]:
    """Write the file of a run while the block runs; only the user can read it.

    Raises:
        OSError: it cannot be written, or the folder belongs to somebody else.
    """
    _make_private(folder)
    path = folder / f"{run.pid}.json"
    _write(path, json.dumps(asdict(run)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def user_token(folder: Path) -> str:
    """Return the token of all runs of this user, from its file, which is written if there is none.

    It stays the same, so that a page that is open goes on with the next run.

    Raises:
        OSError: it cannot be written, or the folder belongs to somebody else.
    """
    _make_private(folder)
    path = folder / "token"
    with suppress(FileNotFoundError, UnicodeDecodeError):
        token = path.read_text(encoding="ascii")
        if _TOKEN.fullmatch(token) and stat.S_IMODE(path.stat().st_mode) == _OWNER_ONLY_FILE:
            return token
    token = new_token()
    _write(path, token)
    return token


def new_token() -> str:
    """Return a random token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def read_runs(folder: Path) -> list[RunFile]:
    """Return the runs that are there, by their ports; files of processes that have ended are removed."""
    runs = []
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):  # the run has just ended
            run = _parse(path)
            if run is not None and _is_running(run.pid):
                runs.append(run)
            else:
                path.unlink()
    return sorted(runs, key=lambda run: run.ports)


def _write(path: Path, text: str) -> None:
    """Write a file that only the user can read, so that nobody reads half of it."""
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY_FILE)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _parse(path: Path) -> RunFile | None:
    """Return what a file says; None if it is no such file."""
    try:
        return RunFile(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        return None


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user.")
    if stat.S_IMODE(status.st_mode) != _OWNER_ONLY_FOLDER:
        folder.chmod(_OWNER_ONLY_FOLDER)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the number now belongs to another user's process
        return False
    return True
