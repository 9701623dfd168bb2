"""The files of runs: who can read them, and which ones count."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_web_adapter.local.records.run_file import RunFile, read_runs, runs_folder, written


def run_file(port: int = 8000, pid: int = os.getpid()) -> RunFile:
    return RunFile(url="http://127.0.0.1:1", token="secret", pid=pid, ports=[port], title="main:app")


def ended_pid() -> int:
    """Return the pid of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        pytest.param({"XDG_RUNTIME_DIR": "/run/user/1"}, "/run/user/1/lambda-web-adapter", id="for runtime files"),
        pytest.param({"XDG_CACHE_HOME": "/c"}, "/c/lambda-web-adapter/runs", id="the cache"),
        pytest.param({}, str(Path.home() / ".cache/lambda-web-adapter/runs"), id="the home"),
    ],
)
def test_the_folder_is_the_user_s(environ: dict[str, str], folder: str) -> None:
    assert str(runs_folder(environ)) == folder


def test_only_the_user_reads_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "runs"
    with written(run_file(), folder):
        (path,) = folder.iterdir()

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with written(run_file(), tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to another user"), written(run_file(), tmp_path):
        pass


def test_the_file_is_read_as_it_was_written_and_goes_at_the_end(tmp_path: Path) -> None:
    with written(run_file(), tmp_path):
        assert read_runs(tmp_path) == [run_file()]

    assert list(tmp_path.iterdir()) == []


def test_runs_come_by_their_ports(tmp_path: Path) -> None:
    with written(run_file(9000), tmp_path), written(run_file(8000, os.getppid()), tmp_path):
        assert [run.ports[0] for run in read_runs(tmp_path)] == [8000, 9000]


@pytest.mark.parametrize("text", ["{", "[]", '{"ports": [1]}', None], ids=["no JSON", "no object", "half", "ended"])
def test_files_that_mean_no_run_are_removed(text: str | None, tmp_path: Path) -> None:
    stale = json.dumps({"url": "", "token": "", "pid": ended_pid(), "ports": [1]})
    (tmp_path / "1.json").write_text(stale if text is None else text)

    assert read_runs(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_there_are_no_runs(tmp_path: Path) -> None:
    assert read_runs(tmp_path / "nothing") == []
