"""The code of docs/recipes.md: in a local run that boto3 takes for AWS, and with the emulator's Parameter Store."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from support.processes import Running, free_addresses, plain_environment

from lambda_web_adapter.testing import LambdaTransport

from .templates import PROJECT, QUIET

if TYPE_CHECKING:
    from pathlib import Path

    from .emulator import Emulator

pytestmark = pytest.mark.timeout(180)
PAGE = (PROJECT / "docs" / "recipes.md").read_text()
SCHEDULED, BACKGROUND, SECRET = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


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
    with Running(command, env=plain_environment({**QUIET, "AWS_ENDPOINT_URL": url}), cwd=tmp_path) as run:
        run.wait_for("Serving main:app")
        response = httpx.post(f"{url}/orders", json={"order": 7}, trust_env=False, timeout=60)
        run.wait_for("Sending the invoice of order 7")

    assert (response.status_code, response.json()) == (202, {"accepted": True})


def test_a_secret_is_read_at_the_start(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    parameter = "/my-app/secret-key"
    emulator.client("ssm").put_parameter(Name=parameter, Value="hush", Type="SecureString")
    for name, value in {**QUIET, "AWS_ENDPOINT_URL": emulator.url, "SECRET_KEY_PARAMETER": parameter}.items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {}

    exec(SECRET, names)  # noqa: S102  # the page's own code

    assert json.dumps(names["SECRET_KEY"]) == '"hush"'
