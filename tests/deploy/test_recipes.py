"""The code of docs/recipes.md and docs/commands-on-lambda.md.

It runs in environments of the adapter, in a local run that boto3 takes for AWS, and with the emulator's Parameter
Store.
"""

from __future__ import annotations

import json
import os
import re
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import httpx
import pytest
from support.processes import Running, free_addresses, plain_environment

from lambda_web_adapter.testing import LambdaTransport

from .templates import ENVIRONMENT, PROJECT, QUIET, run

if TYPE_CHECKING:
    from pathlib import Path

    from .emulator import Emulator

pytestmark = pytest.mark.timeout(180)
PAGE = (PROJECT / "docs" / "recipes.md").read_text()
COMMANDS_PAGE = (PROJECT / "docs" / "commands-on-lambda.md").read_text()
SCHEDULED, BACKGROUND, STATIC, DATABASE, SECRET = map(dedent, re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))


def test_a_scheduled_task_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.py").write_text(SCHEDULED)
    monkeypatch.chdir(tmp_path)
    event = {"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}, "resources": []}

    with LambdaTransport("main:app", as_process=True) as transport:
        assert transport.invoke(event) == {"done": "Scheduled Event"}


def test_a_background_task_is_an_invocation_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(BACKGROUND)
    (address,) = free_addresses(1)
    url = f"http://{address}"
    command = [sys.executable, "-m", "lambda_web_adapter", "main:app", "--port", address.rpartition(":")[2]]
    with Running(command, env=plain_environment({**QUIET, "AWS_ENDPOINT_URL": url}), cwd=tmp_path) as local_run:
        local_run.wait_for("Serving main:app")
        response = httpx.post(f"{url}/orders", json={"order": 7}, trust_env=False, timeout=60)
        local_run.wait_for("Sending the invoice of order 7")

    assert (response.status_code, response.json()) == (202, {"accepted": True})


def test_a_static_file_s_link_has_its_version_and_is_kept_by_a_cdn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = '@app.get("/")\ndef link():\n    return url_for("static", filename="style.css")\n'
    (tmp_path / "main.py").write_text(f"{STATIC}\nfrom flask import url_for\n\n\n{link}")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "style.css").write_text("body {}")
    monkeypatch.chdir(tmp_path)

    with LambdaTransport("main:app", as_process=True) as transport, httpx.Client(transport=transport) as client:
        versioned = client.get("http://test/").text
        kept = client.get(f"http://test{versioned}")
        checked = client.get("http://test/static/style.css")

    assert re.fullmatch(r"/static/style\.css\?v=[0-9a-f]{16}", versioned)
    assert (kept.text, kept.headers["cache-control"]) == ("body {}", "public, max-age=31536000, immutable")
    assert checked.headers["cache-control"] == "no-cache"


def test_a_pool_has_one_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = '@app.get("/size")\ndef size():\n    return {"size": engine.pool.size()}\n'
    (tmp_path / "main.py").write_text(f"{DATABASE}\n\n{size}")
    monkeypatch.chdir(tmp_path)
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/database"}

    with (
        LambdaTransport("main:app", as_process=True, environ=database) as transport,
        httpx.Client(transport=transport) as client,
    ):
        assert client.get("http://test/health").json() == {"one": 1}
        assert client.get("http://test/size").json() == {"size": 1}


@pytest.mark.parametrize("line", re.findall(r"\| (?:Django|Flask) \| `(.*?)` \|", COMMANDS_PAGE))
def test_django_s_and_flask_s_commands_run(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("python3", "-m", "django", "startproject", "my_site", ".", cwd=tmp_path)
    (tmp_path / "main.py").write_text("from flask import Flask\n\napp = Flask(__name__)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}")
    app, command, expected = (
        ("my_site.wsgi:application", ["migrate", "--noinput"], "Applying auth.0001_initial... OK")
        if "manage.py" in line
        else ("main:app", ["routes"], "/static/<path:filename>")
    )

    with LambdaTransport(app, as_process=True, environ={"AWS_LWA_COMMANDS": line}) as transport:
        assert expected in transport.invoke({"command": command})["output"]


def test_a_secret_is_read_at_the_start(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    parameter = "/my-app/secret-key"
    emulator.client("ssm").put_parameter(Name=parameter, Value="hush", Type="SecureString")
    for name, value in {**QUIET, "AWS_ENDPOINT_URL": emulator.url, "SECRET_KEY_PARAMETER": parameter}.items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {}

    exec(SECRET, names)  # noqa: S102  # the page's own code

    assert json.dumps(names["SECRET_KEY"]) == '"hush"'
