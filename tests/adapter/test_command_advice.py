"""What to do about an external command that listens elsewhere."""

from __future__ import annotations

import os
import socket

import pytest

from lambda_web_adapter.adapter.process.command_advice import describe_listeners
from lambda_web_adapter.adapter.process.listeners import addresses_of

ELSEWHERE = [("127.0.0.1", 5000)]


def describe(command: str, addresses: list[tuple[str, int]], host: str = "127.0.0.1") -> str:
    return describe_listeners(command.split(), addresses, host, 8080)


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("flask run", "pass `--port $PORT`"),
        ("python -m flask run", "pass `--port $PORT`"),
        ("/venv/bin/uvicorn main:app", "pass `--port $PORT`"),
        ("gunicorn -b 127.0.0.1:5000 main:app", "pass `-b 127.0.0.1:$PORT`"),
        ("python manage.py runserver", "pass `127.0.0.1:$PORT`"),
        ("streamlit run app.py", "pass `--server.port $PORT`"),
        ("node server.js", "let it listen on the port in `process.env.PORT`"),
        ("python3.12 server.py", 'let it listen on the port in `os.environ["PORT"]`'),
        ("./server", "let it listen on the port in the variable PORT"),
    ],
)
def test_a_command_on_another_port_is_told_how_to_take_the_right_one(command: str, advice: str) -> None:
    assert describe(command, ELSEWHERE).startswith(f"it listens on port 5000 instead of 8080; {advice}")


def test_a_command_without_a_shell_is_told_of_it() -> None:
    assert "sh -c" in describe("flask run", ELSEWHERE)
    assert "sh -c" not in describe_listeners(["sh", "-c", "flask run --port 5$PORT"], ELSEWHERE, "127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("command", "address", "text"),
    [
        ("flask run", "127.0.0.2", "it listens on 127.0.0.2:8080 only; pass `--host 127.0.0.1`"),
        ("./server", "::1", "it listens on [::1]:8080 only; let it listen on 127.0.0.1"),
        ("gunicorn main:app", "::1", "it listens on [::1]:8080 only; pass `-b 127.0.0.1:$PORT`"),
    ],
)
def test_a_command_on_another_address_is_told_the_right_one(command: str, address: str, text: str) -> None:
    assert describe(command, [(address, 8080)]) == text


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_command_that_listens_where_it_should_is_told_nothing(address: str) -> None:
    assert describe("flask run", [(address, 8080), ("127.0.0.1", 9090)]) == ""


def test_either_address_of_localhost_will_do() -> None:
    assert describe("flask run", [("::1", 8080)], host="localhost") == ""


def test_a_command_that_listens_nowhere_is_told_nothing() -> None:
    assert describe("flask run", []) == ""


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="lsof is asked there")
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"])
def test_the_addresses_of_a_process_are_read_from_the_system(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        address = (host, listening.getsockname()[1])
        assert address in addresses_of([os.getpid()])
        assert address not in addresses_of([os.getppid()])
    assert address not in addresses_of([os.getpid()])
