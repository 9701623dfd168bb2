"""Say what to do when an external command does not listen where the adapter connects to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY = ("0.0.0.0", "::")
# What to add to a command so that it listens on the right port, by a program in it.
_OPTIONS = {
    "flask": "--port $PORT",
    "uvicorn": "--port $PORT",
    "fastapi": "--port $PORT",
    "granian": "--port $PORT",
    "gunicorn": "-b {host}:$PORT",
    "hypercorn": "--bind {host}:$PORT",
    "daphne": "-p $PORT",
    "waitress-serve": "--listen {host}:$PORT",
    "streamlit": "--server.port $PORT",
    "manage.py": "{host}:$PORT",
    "django-admin": "{host}:$PORT",
    "http.server": "$PORT",
    "datasette": "--port $PORT",
    "next": "--port $PORT",
    "vite": "--port $PORT",
    "php": "-S {host}:$PORT",
}
_HOST_OPTIONS = {"gunicorn": "", "hypercorn": "", "daphne": "-b {host}", "manage.py": "", "django-admin": "", "php": ""}
_HOST_OPTIONS |= {"streamlit": "--server.address {host}", "http.server": "--bind {host}", "next": "--hostname {host}"}
_SHELL_NOTE = " (in `sh -c '…'`, which puts the number in place of $PORT)"
_IN_CODE = {
    "node": "process.env.PORT",
    "bun": "process.env.PORT",
    "deno": 'Deno.env.get("PORT")',
    "npm": "process.env.PORT",
    "ruby": 'ENV["PORT"]',
    "python": 'os.environ["PORT"]',
}


def describe_listeners(command: Sequence[str], addresses: Sequence[tuple[str, int]], host: str, port: int) -> str:
    """Return where a command listens instead, and what to do; empty if it listens nowhere.

    Args:
        command: the external command and its arguments.
        addresses: the hosts and ports that it listens on.
        host: the host that the adapter connects to.
        port: the port that the adapter connects to, which is in the variable PORT.
    """
    if not addresses:
        return ""
    here = [address for address in addresses if address[1] == port]
    if here:
        own = ("127.0.0.1", "::1") if host == "localhost" else (host,)
        if any(address in (*_ANY, *own) for address, _ in here):
            return ""
        return f"it listens on {_join(here)} only; {_host_advice(command, host)}"
    return f"it listens on {_join(addresses)} instead of {port}; {_port_advice(command, host)}"


def _port_advice(command: Sequence[str], host: str) -> str:
    program = _program(command, _OPTIONS)
    if program:
        shell = "" if any("$" in argument for argument in command) else _SHELL_NOTE
        return f"pass `{_OPTIONS[program].format(host=host)}`{shell}"
    variable = _IN_CODE.get(_program(command, _IN_CODE))
    return f"let it listen on the port in {f'`{variable}`' if variable else 'the variable PORT'}"


def _host_advice(command: Sequence[str], host: str) -> str:
    program = _program(command, _OPTIONS)
    if not program:
        return f"let it listen on {host}"
    option = _HOST_OPTIONS.get(program, "--host {host}") or _OPTIONS[program]
    return f"pass `{option.format(host=host)}`"


def _program(command: Sequence[str], programs: dict[str, str]) -> str:
    """Return the first of some programs in a command: `flask` also in `python -m flask run` and `sh -c "flask run"`."""
    for argument in command:
        for part in argument.split():
            name = os.path.basename(part)
            if name in programs:
                return name
            if "python" in programs and name.startswith("python"):
                return "python"
    return ""


def _join(addresses: Sequence[tuple[str, int]]) -> str:
    hosts = [
        f"port {port}" if host in (*_ANY, "127.0.0.1") else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        for host, port in addresses
    ]
    return " and ".join(dict.fromkeys(hosts))
