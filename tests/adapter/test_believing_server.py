"""A command whose server believes headers of its peer, which is the adapter: no client speaks through it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import body, get

if TYPE_CHECKING:
    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        pytest.param({"AWS_LWA_PROTECT_EVENT_PATHS": "true"}, "/events", id="of events"),
        pytest.param({"AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/after"}, "/after", id="of a hook"),
    ],
)
@pytest.mark.parametrize("name", ["SCRIPT_NAME", "script_name", "Script_Name"])
def test_a_client_does_not_move_a_request_to_a_path_that_is_refused(
    api: RuntimeApi, start: Start, variables: dict[str, str], path: str, name: str
) -> None:
    start("--", sys.executable, "believing.py", **variables)
    event = get(f"/moved{path}")
    event["headers"][name] = "/moved"

    assert body(api.invoke(event)) == ["", f"/moved{path}"]
    assert api.invoke(get(path)).json["statusCode"] == 403
