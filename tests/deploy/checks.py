"""What a deployment is like: its site over HTTP, its log, its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .emulator import SECOND
from .transcript import note

if TYPE_CHECKING:
    import httpx

    from .emulator import Emulator


def outputs(emulator: Emulator, stack: str) -> dict[str, str]:
    """Return the outputs of a stack by their names."""
    (described,) = emulator.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    assert described["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def functions(emulator: Emulator, name: str) -> list[dict[str, Any]]:
    """Return the function of a name, if there is one."""
    listed = emulator.client("lambda").list_functions()["Functions"]
    return [function for function in listed if function["FunctionName"] == name]


def get(emulator: Emulator, url: str) -> httpx.Response:
    """Return the response to a GET request."""
    response = emulator.request("GET", url)
    note(f"$ curl {url}\n{response.status_code} {response.headers.get('content-type')} {response.text[:70]!r}")
    return response


def check_site(emulator: Emulator, url: str) -> None:
    """Check the example's page, its links, and a form that redirects and sets a cookie."""
    page = get(emulator, url)
    assert (page.status_code, "Recipe box" in page.text) == (200, True)
    assert get(emulator, f"{url}static/style.css").headers["content-type"].startswith("text/css")
    assert get(emulator, f"{url}request?a=1&a=2").json()["url"].endswith("/request?a=1&a=2")
    recipe = {"title": "Soup", "ingredients": "water", "steps": "Boil."}
    added = emulator.request("POST", f"{url}recipes/new", data=recipe)
    note(f"$ curl --data title=Soup … {url}recipes/new\n{added.status_code} → {added.headers.get('location')}")
    assert (added.status_code, added.headers["location"]) == (303, "/recipes/soup")
    assert "session=" in added.headers["set-cookie"]


def check_update(emulator: Emulator, url: str) -> None:
    """Check that the second version of the package is served."""
    assert get(emulator, f"{url}static/version.txt").text == SECOND


def check_log(emulator: Emulator, function: dict[str, Any], group: str) -> None:
    """Check that the function writes to a log of that name, which expires."""
    logs = emulator.client("logs")
    (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    note(f"log group {group}: {described['retentionInDays']} days")
    assert described["retentionInDays"] == 30
    assert function["LoggingConfig"]["LogGroup"] == group
