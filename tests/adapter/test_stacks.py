"""A stack dump in one sentence: the innermost line of the user's own code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_web_adapter.adapter.diagnostics import stacks
from lambda_web_adapter.adapter.diagnostics.stacks import describe_server, find_position, without_importing

STANDARD = os.path.dirname(os.__file__)
INSTALLED = f"{STANDARD}/site-packages"
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(stacks.__file__)))
MAIN = "import flask\n\napp = flask.Flask('main')\napp.run()\n"


def dump(*frames: tuple[str, int, str], heading: str = "Stack (most recent call first):") -> str:
    return "\n".join([heading, *(f'  File "{path}", line {line} in {name}' for path, line, name in frames), ""])


def test_the_innermost_frame_of_the_users_code_is_named_with_its_source(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import db\ndb.connect()\n")
    (tmp_path / "db.py").write_text("def connect():\n    socket.connect(address)\n")
    text = dump(
        (f"{STANDARD}/socket.py", 800, "create_connection"),
        (f"{INSTALLED}/redis/connection.py", 5, "connect"),
        (f"{tmp_path}/db.py", 2, "connect"),
        (f"{tmp_path}/main.py", 2, "<module>"),
        ("<frozen importlib._bootstrap>", 241, "_call"),
        (f"{PACKAGE}/app/loader.py", 105, "_import"),
    )

    position = find_position(text, str(tmp_path))

    assert str(position) == "`socket.connect(address)` at db.py:2"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{INSTALLED}/flask/app.py", "run"),
        (f"{INSTALLED}/uvicorn/main.py", "run"),
        (f"{INSTALLED}/waitress/__init__.py", "serve"),
        (f"{STANDARD}/socketserver.py", "serve_forever"),
    ],
)
def test_a_server_of_the_apps_own_is_recognised_by_its_frames(path: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)

    position = find_position(dump((path, 1, name), (f"{tmp_path}/main.py", 4, "<module>")), str(tmp_path))

    assert position
    assert position.serves
    assert describe_server(position) == (
        "main.py:4 starts a server of its own while it is imported (`app.run()`); "
        'put it under `if __name__ == "__main__":`.'
    )


def test_a_function_called_run_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)

    position = find_position(
        dump((f"{STANDARD}/subprocess.py", 1, "run"), (f"{tmp_path}/main.py", 4, "<module>")), str(tmp_path)
    )

    assert position
    assert not position.serves


def test_packages_beside_the_app_are_not_the_users_code(tmp_path: Path) -> None:
    record = tmp_path / "redis-5.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("redis/__init__.py,sha256=x,1\nredis/client.py,sha256=x,1\n")
    (tmp_path / "main.py").write_text("import redis\n")

    position = find_position(
        dump((f"{tmp_path}/redis/client.py", 1, "get"), (f"{tmp_path}/main.py", 1, "<module>")), str(tmp_path)
    )

    assert str(position) == "`import redis` at main.py:1"


def test_a_tasks_frames_are_read_from_its_end_and_come_before_threads(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("async def lifespan():\n    await connect()\nasync def connect(): ...\n")
    threads = dump((f"{tmp_path}/main.py", 1, "poll"), heading="Thread 0x1 worker (most recent call first):")
    task = dump((f"{tmp_path}/main.py", 2, "lifespan"), (f"{STANDARD}/asyncio/tasks.py", 9, "sleep"), heading="Task 2:")

    assert str(find_position(threads + task, str(tmp_path))) == "`await connect()` at main.py:2"


def test_without_the_users_code_there_is_no_position(tmp_path: Path) -> None:
    assert find_position(dump((f"{STANDARD}/selectors.py", 1, "select")), str(tmp_path)) is None
    assert find_position("", str(tmp_path)) is None


def test_a_file_that_cannot_be_read_is_named_alone(tmp_path: Path) -> None:
    assert str(find_position(dump((f"{tmp_path}/gone.py", 7, "f")), str(tmp_path))) == "gone.py:7"


def test_the_log_shows_no_frames_of_the_import_system() -> None:
    text = dump(
        ("/app/main.py", 1, "<module>"),
        ("<frozen importlib._bootstrap>", 241, "_call"),
        (f"{STANDARD}/importlib/__init__.py", 126, "import_module"),
        (f"{PACKAGE}/app/loader.py", 105, "_import"),
        ("<frozen runpy>", 88, "_run_code"),
    )

    assert without_importing(text) == 'Stack (most recent call first):\n  File "/app/main.py", line 1 in <module>'
