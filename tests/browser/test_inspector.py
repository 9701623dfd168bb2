"""The inspector's page in a real browser: what a developer does with it, and what a hostile request can do to it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.processes import PROJECT, SECONDS, Running, plain_environment

from browser.chromium import REBOUND

if TYPE_CHECKING:
    from pathlib import Path

    from browser.chromium import Chromium
    from browser.conftest import Serve

APP = """
import json, os, time
from urllib.parse import parse_qs


def app(environ, start_response):
    path, body = environ["PATH_INFO"], environ["wsgi.input"].read()
    query = parse_qs(environ["QUERY_STRING"])
    print("app:", path, query, body.decode())
    if path == "/fail":
        raise LookupError("no such tea")
    if path == "/slow":
        time.sleep(0.6)
    while path == "/wait" and not os.path.exists("go"):
        time.sleep(0.01)
    status = "404 Not Found" if path == "/missing" else "200 OK"
    document = json.dumps({"path": path, "method": environ["REQUEST_METHOD"], "body": body.decode()})
    evil = [("x-evil", value) for value in query.get("evil", [])]
    start_response(status, [("content-type", "application/json"), ("set-cookie", "session=s3cret"), *evil])
    return [document.encode()]
"""
ROWS = "[...document.querySelectorAll('.row:not([hidden]) .target')].map(each => each.textContent)"
# What would run a script if it were HTML: it would set `hacked`.
SCRIPTS = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "javascript:window.hacked=1",
    "\"'><svg onload=window.hacked=1>",
)
HOSTILE_ELEMENTS = (
    "document.querySelectorAll('body script, body img:not(.image img), svg[onload], a[href^=javascript]').length"
)


@dataclass
class Inspected:
    """A local run whose inspector the browser shows."""

    run: Running
    url: str
    page: str
    browser: Chromium

    @property
    def inspector(self) -> str:
        """The inspector's URL without the token."""
        return self.page.partition("/#")[0]

    @property
    def token(self) -> str:
        return self.page.rpartition("=")[2]

    def request(self, target: str, method: str = "GET", **options: Any) -> httpx.Response:
        return httpx.request(method, self.url + target, trust_env=False, timeout=SECONDS, **options)

    def details(self) -> list[dict[str, Any]]:
        """All records, the oldest first, with their secrets."""
        headers = {"authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=f"{self.inspector}/api", headers=headers, trust_env=False) as client:
            listed = client.get("/invocations", params={"last": 1000}).json()["invocations"]
            return [client.get(f"/invocations/{each['number']}", params={"secrets": 1}).json() for each in listed]

    def open(self, number: int, tab: str = "") -> None:
        """Show an invocation as a link to it does."""
        self.browser.run("location.hash = given[0]", f"#/invocations/{number}{tab and '/'}{tab}")
        self.browser.wait_for_text(".facts", f"#{number}")

    def set(self, selector: str, value: str) -> None:
        """Set a field as typing or choosing does."""
        script = (
            "const field = document.querySelector(given[0]); field.value = given[1];"
            "for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, {bubbles: true}))"
        )
        self.browser.run(script, selector, value)

    def wait_for_rows(self, *targets: str) -> None:
        """Wait until the list has these rows, and no others."""
        rows = json.dumps(sorted(targets), separators=(",", ":"))
        self.browser.wait_for(f"JSON.stringify({ROWS}.sort()) === {json.dumps(rows)}")

    def press(self, key: str) -> None:
        script = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: given[0], bubbles: true}))"
        self.browser.run(script, key)


def inspect(browser: Chromium, serve: Serve, folder: Path, *options: str) -> Inspected:
    """Serve an app, and show its inspector."""
    run, url = serve(folder, "--inspector-port", "0", *options)
    page = run.wait_for(r"Inspector: (http://\S+)")[1]
    browser.open(page)
    browser.wait_for("document.querySelector('.connection')?.dataset.state === 'live'")
    return Inspected(run, url, page, browser)


@pytest.fixture
def inspected(browser: Chromium, serve: Serve, tmp_path: Path) -> Inspected:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "main.py").write_text(APP)
    return inspect(browser, serve, folder)


def test_a_request_appears_and_opens(inspected: Inspected, browser: Chromium) -> None:
    browser.wait_for_text(".list .empty", f"No requests yetOpen {inspected.url}")
    assert browser.run("return location.hash") == "#/invocations"  # the token is not in the address any more

    inspected.request("/tea?cup=2", headers={"x-cup": "green"})

    browser.wait_for_text(".row .target", "/tea?cup=2")
    browser.click(".row")
    browser.wait_for_text(".detail h1", "GET/tea?cup=2")
    assert browser.run("return location.hash") == "#/invocations/1"
    browser.wait_for_text("[data-column=client_request] table", "x-cupgreen")
    browser.wait_for_text(".waterfall", "The caller had the response after")
    browser.click("[data-step=client_response]")
    browser.wait_for_text("[data-column=client_response] .tree", '"/tea"')
    browser.click("[data-tab=log]")
    browser.wait_for_text(".log-lines", "app: /tea {'cup': ['2']}")


def test_a_running_request_is_shown_as_running(inspected: Inspected, browser: Chromium, tmp_path: Path) -> None:
    client = Thread(target=inspected.request, args=["/wait"])
    client.start()
    browser.wait_for("document.querySelector('.row')?.dataset.tone === 'running'")
    browser.click(".row")
    browser.wait_for_text(".detail h1", "/wait")

    (tmp_path / "app" / "go").touch()

    browser.wait_for("document.querySelector('.row')?.dataset.tone === 'ok'")
    browser.wait_for_text(".waterfall", "The caller had the response after")
    client.join()


def test_filters_and_searches(inspected: Inspected, browser: Chromium) -> None:
    for target in ("/", "/missing", "/fail", "/slow"):
        inspected.request(target, "POST", content=f"secret ingredient of {target}")
    browser.wait_for("document.querySelectorAll('.row').length === 4")

    for name, targets in {"errors": ["/fail", "/missing"], "slow": ["/slow"]}.items():
        browser.click(f"[data-filter={name}]")
        inspected.wait_for_rows(*targets)
        browser.click(f"[data-filter={name}]")

    browser.fill(".search input", "404")
    inspected.wait_for_rows("/missing")
    inspected.set(".search input", "ingredient of /fail")
    browser.wait_for_text(".list .empty", "Nothing matches")
    browser.click(".deep")  # searches what the messages and the log have
    inspected.wait_for_rows("/fail")
    browser.run("document.querySelector('.row').click()")
    browser.wait_for_text(".detail h1", "/fail")


def test_pauses_and_clears(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/one")
    browser.wait_for_text(".row .target", "/one")
    browser.click(".tools button:nth-of-type(1)")
    inspected.request("/two")
    browser.wait_for_text(".tools", "Resume, 1 new")
    assert browser.run(f"return {ROWS}") == ["/one"]
    browser.click(".tools button:nth-of-type(1)")
    browser.wait_for("document.querySelectorAll('.row').length === 2")

    browser.click(".tools button:nth-of-type(2)")
    browser.wait_for_text(".list .empty", "Cleared")
    inspected.request("/three")
    inspected.wait_for_rows("/three")


@pytest.mark.parametrize("script", SCRIPTS, ids=["script", "image", "javascript", "svg"])
def test_a_hostile_request_shows_as_text(script: str, inspected: Inspected, browser: Chromium) -> None:
    headers = {"x-evil": script, "cookie": f"a={script}", "content-type": "text/html"}
    inspected.request(f"/{script}", "POST", params={"evil": script}, content=script, headers=headers)
    for tab in ("flow", "log", "replay"):
        inspected.open(1, tab)
        if tab == "flow":
            for step in ("client_request", "event", "request", "response", "reply", "client_response"):
                browser.click(f"[data-step={step}]")
                browser.wait_for(f"document.querySelector('[data-column={step}]')")
        for kind in ("request", "event") if tab == "replay" else ():
            browser.click(f".replay [data-kind={kind}]")
            browser.wait_for(f"document.querySelector('.editor textarea')?.value.includes({script[:8]!r})")
        assert browser.run(f"return {HOSTILE_ELEMENTS}") == 0
    inspected.open(1)
    browser.click("[data-step=client_request]")
    browser.wait_for_text("[data-column=client_request]", script)
    browser.run("location.hash = '#/environments'")
    browser.wait_for("document.querySelector('.lane a')")
    assert browser.run(f"return [window.hacked === undefined, {HOSTILE_ELEMENTS}]") == [True, 0]


def test_secrets_are_masked_until_they_are_asked_for(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/", headers={"authorization": "Bearer s3cret"})
    inspected.open(1)
    browser.wait_for_text("[data-column=client_request] table", "authorization***")
    assert "s3cret" not in browser.run("return document.body.textContent")

    browser.click(".secrets")

    browser.wait_for_text("[data-column=client_request] table", "authorizationBearer s3cret")
    browser.click(".secrets")
    browser.wait_for_text("[data-column=client_request] table", "authorization***")


def test_replays_as_a_load_balancer(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/tea?cup=2")
    inspected.open(1, "replay")
    inspected.set("[name=event_source]", "alb")
    browser.wait_for_text(".preview", "What changes as ALB")
    browser.wait_for_text(".preview .differences", "requestContext")

    browser.click(".replay [type=submit]")

    browser.wait_for_text(".facts", "replay of #1")
    browser.wait_for_text(".compare .facts-table", "Function URLALB")
    assert [each["source"] for each in inspected.details()] == ["function-url", "alb"]


def test_replays_an_edited_request(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/tea", "POST", content="black", headers={"authorization": "Bearer s3cret"})
    inspected.open(1, "replay")
    browser.click(".replay [data-kind=request]")
    browser.wait_for("document.querySelector('[name=headers]')?.value.includes('s3cret')")
    inspected.set("[name=method]", "PUT")
    inspected.set("[name=target]", "/coffee?cup=1")
    inspected.set("[name=body]", "strong ☕")
    browser.run("const field = document.querySelector('[name=headers]'); field.value += '\\nx-new: yes'")

    browser.click(".replay [type=submit]")

    browser.wait_for_text(".compare", "The response differs in body.")
    request = inspected.details()[1]["request"]
    assert (request["method"], request["target"], request["body"]["data"]) == ("PUT", "/coffee?cup=1", "strong ☕")
    assert {("x-new", "yes"), ("authorization", "Bearer s3cret")} <= {tuple(each) for each in request["headers"]}


def test_replays_an_edited_event(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/tea")
    inspected.open(1, "replay")
    browser.click(".replay [data-kind=event]")
    browser.wait_for("document.querySelector('[name=event]')")
    browser.run("const field = document.querySelector('[name=event]'); field.value = '{'")
    browser.click(".replay [type=submit]")
    browser.wait_for("document.querySelector('.replay-result [role=alert]')")
    browser.run(
        "document.querySelector('.replay [data-kind=event]').click(); document.querySelector('[name=event]').remove()"
    )
    browser.wait_for("document.querySelector('[name=event]')")
    event = browser.run("return document.querySelector('[name=event]').value")
    inspected.set("[name=event]", event.replace("/tea", "/milk"))

    browser.click(".replay [type=submit]")

    browser.wait_for_text(".compare", "The response differs in body.")
    assert inspected.details()[1]["request"]["target"] == "/milk"


def test_replays_several_times_at_once_after_cold_starts(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/tea")
    inspected.open(1, "replay")
    inspected.set("[name=times]", "2")
    browser.click("[name=cold]")

    browser.click(".replay [type=submit]")

    browser.wait_for("document.querySelectorAll('.results tr').length === 2")
    browser.wait_for_text(".results", "cold start")
    assert [each["is_cold"] for each in inspected.details()[1:]] == [True, True]


@pytest.mark.parametrize("kind", ["curl", "httpx", "event", "pytest"])
def test_copies_a_snippet(kind: str, inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/tea?cup=2", headers={"authorization": "Bearer s3cret"})
    inspected.open(1)

    text = copied_snippet(browser, kind)

    assert "/tea" in text
    assert "s3cret" not in text


def copied_snippet(browser: Chromium, kind: str) -> str:
    """Choose an entry of `Copy as`; return what the dialog shows."""
    browser.click(".menu-box > button")
    position = ["curl", "httpx", "event", "pytest"].index(kind) + 1
    browser.click(f".menu button:nth-child({position})")
    text: str = browser.wait_for(f"document.querySelector('[data-snippet={kind}]')?.textContent")
    return text


def test_a_copied_test_passes(inspected: Inspected, browser: Chromium, tmp_path: Path) -> None:
    inspected.request("/tea?cup=2", "POST", json={"sugar": 2})
    inspected.open(1)
    (tmp_path / "app" / "test_tea.py").write_text(copied_snippet(browser, "pytest"))

    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "test_tea.py"]
    with Running(program, cwd=tmp_path / "app", env=plain_environment()) as tests:
        assert tests.wait(4 * SECONDS) == 0, tests.text  # pytest imports the plugins of all that is installed


def test_keys(inspected: Inspected, browser: Chromium) -> None:
    for target in ("/one", "/two"):
        inspected.request(target)
    browser.wait_for("document.querySelectorAll('.row').length === 2")
    inspected.press("j")
    browser.wait_for_text(".detail h1", "/two")
    inspected.press("j")
    browser.wait_for_text(".detail h1", "/one")
    inspected.press("ArrowUp")
    browser.wait_for_text(".detail h1", "/two")
    inspected.press("r")
    browser.wait_for("document.querySelector('form.replay')")
    inspected.press("Escape")
    browser.wait_for("location.hash === '#/invocations'")
    inspected.press("/")
    browser.wait_for("document.activeElement === document.querySelector('.search input')")
    inspected.press("j")  # a letter in the field
    assert browser.run("return location.hash") == "#/invocations"
    inspected.press("Escape")
    inspected.press("?")
    browser.wait_for_text("dialog[open]", "Next invocation")
    browser.run("document.querySelector('dialog').close()")
    inspected.press("2")
    browser.wait_for("document.querySelector('.environments')")


def test_environments_lead_to_their_invocations(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/slow")
    browser.run("location.hash = '#/environments'")
    browser.wait_for_text(".lane", "Environment 1")
    tip = browser.wait_for("document.querySelector('.lane a')?.getAttribute('aria-label')")
    assert re.match(r"Busy: \d+ ms, from [\d:.]+\nGET /slow$", tip)

    browser.run("document.querySelector('.lane a').dispatchEvent(new MouseEvent('click', {bubbles: true}))")

    browser.wait_for_text(".detail h1", "/slow")


def test_estimates_the_cost(inspected: Inspected, browser: Chromium) -> None:
    inspected.request("/slow")
    browser.run("location.hash = '#/cost'")
    browser.wait_for_text(".total", "Estimate for a month")
    amount = browser.run("return document.querySelector('.total-amount').textContent")

    inspected.set("[name=memory_mb]", "10240")

    browser.wait_for(f"document.querySelector('.total-amount').textContent !== {amount!r}")
    inspected.set("[name=currency]", "EUR")
    browser.wait_for_text(".total", "€")
    browser.wait_for_text(".cost-notes", "This is an estimate")


def test_measures_imports_of_a_cold_start(browser: Chromium, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import decimal\nfrom flask import Flask\napp = Flask(__name__)\n")
    inspected = inspect(browser, serve, tmp_path)
    inspected.request("/")
    inspected.open(1, "replay")
    browser.click("[name=cold]")
    browser.click(".replay [type=submit]")
    browser.wait_for_text(".facts", "cold start")

    browser.click("[data-tab=imports]")
    browser.wait_for("document.querySelector('.imports .button')")
    browser.click(".imports .button")

    browser.wait_for_text(".import-tree", "flask")


def test_thousand_rows_are_few_elements(inspected: Inspected, browser: Chromium) -> None:
    with httpx.Client(base_url=inspected.url, trust_env=False) as client:
        for number in range(1000):
            client.get(f"/tea/{number}")
    browser.wait_for_text(".count", "1,000 requests")
    assert browser.run("return document.querySelectorAll('.row').length") < 100

    browser.run("document.querySelector('.rows').scrollTop = 1e9")

    browser.wait_for(f"{ROWS}.includes('/tea/0')")
    browser.run("location.hash = '#/invocations/1'")
    browser.wait_for_text(".detail h1", "/tea/0")


def test_the_selected_row_is_in_sight(inspected: Inspected, browser: Chromium) -> None:
    with httpx.Client(base_url=inspected.url, trust_env=False) as client:
        for number in range(60):
            client.get(f"/tea/{number}")
    browser.wait_for_text(".count", "60 requests")
    is_in_sight = (
        "(() => { const row = document.querySelector('.row[aria-selected=true]')?.getBoundingClientRect();"
        "const rows = document.querySelector('.rows').getBoundingClientRect();"
        "return row && row.top >= rows.top - 1 && row.bottom <= rows.bottom + 1; })()"
    )

    browser.resize(1400, 700)

    inspected.open(42)  # which makes the list narrow, and its rows high

    browser.wait_for(is_in_sight)
    browser.run("location.hash = '#/invocations/3'")
    browser.run("location.reload()")
    browser.wait_for_text(".detail h1", "/tea/2")
    browser.wait_for(is_in_sight)
    browser.wait_for_text(".row[aria-selected=true] .number", "#3")


def test_an_event_of_a_service_begins_with_the_event(inspected: Inspected, browser: Chromium) -> None:
    httpx.post(
        f"{inspected.inspector}/api/invocations",
        headers={"authorization": f"Bearer {inspected.token}"},
        json={"event": {"Records": [{"eventSource": "aws:sqs", "body": "hello"}]}},
        trust_env=False,
        timeout=SECONDS,
    ).raise_for_status()
    inspected.open(1)

    browser.wait_for("document.querySelector('.column')?.dataset.column === 'event'")


def test_finds_the_run_again(inspected: Inspected, browser: Chromium, serve: Serve, tmp_path: Path) -> None:
    for target in ("/tea", "/cup"):
        inspected.request(target)
    browser.wait_for("document.querySelectorAll('.row').length === 2")
    inspected.open(1)
    browser.run("location.hash = '#/invocations'")
    port = inspected.inspector.rpartition(":")[2]

    inspected.run.close()

    browser.wait_for_text(".banner", "The run has ended. The list stays; details that were not opened are gone.")
    browser.run("location.hash = '#/invocations/1'")
    browser.wait_for_text(".detail h1", "/tea")
    browser.run("location.hash = '#/invocations/2'")
    browser.wait_for_text(".detail .problem", "The run has ended. This invocation was not opened")
    assert "Traceback" not in inspected.run.text  # of the page's stream, which was cut off
    _, url = serve(tmp_path / "app", "--inspector-port", port)
    browser.wait_for("document.querySelector('.connection').dataset.state === 'live'")
    httpx.get(f"{url}/coffee", trust_env=False)
    inspected.wait_for_rows("/coffee")  # what the other run had is gone


@pytest.mark.parametrize("token", ["", "#token=wrong"], ids=["none", "wrong"])
def test_no_token_no_page(token: str, inspected: Inspected, browser: Chromium) -> None:
    browser.run("sessionStorage.clear()")
    browser.open("about:blank")
    browser.open(f"{inspected.inspector}/{token}")
    browser.wait_for_text(".no-token", "Open the URL that the local run printed")
    browser.wait_for(f"document.body.innerText.includes('The token is wrong') === {json.dumps(bool(token))}")

    browser.run("location.hash = given[0]", f"#token={inspected.token}")

    browser.wait_for("document.querySelector('.connection')?.dataset.state === 'live'")


def test_another_origin_reads_nothing(inspected: Inspected, browser: Chromium) -> None:
    """Not even one that knows the token."""
    inspected.request("/tea")
    browser.open(inspected.url)
    address = f"{inspected.inspector}/api/invocations?token={inspected.token}"
    script = "try { return await (await fetch(given[0])).text(); } catch (error) { return String(error); }"
    assert "TypeError" in browser.run(script, address)
    without_cors = "const response = await fetch(given[0], {mode: 'no-cors'}); return [response.type, response.status]"
    assert browser.run(without_cors, address) in (["opaque", 0], "TypeError: Failed to fetch")

    rebound = inspected.inspector.replace("127.0.0.1", REBOUND)
    browser.open(f"{rebound}/#token={inspected.token}")
    browser.wait_for_text("body", "which is not a name of this local run")
    assert "tea" not in browser.run(script, f"{rebound}/api/invocations?token={inspected.token}")


@pytest.mark.parametrize("example", ["fastapi_app", "flask_app"])
def test_shows_an_example(example: str, browser: Chromium, serve: Serve) -> None:
    inspected = inspect(browser, serve, PROJECT / "examples" / example)
    inspected.request("/")
    inspected.open(1)
    for step, text in {"event": "requestContext", "request": "host", "reply": "statusCode"}.items():
        browser.click(f"[data-step={step}]")
        browser.wait_for_text(f"[data-column={step}]", text)
    errors = browser.run("return performance.getEntriesByType('resource').filter(each => each.responseStatus >= 400)")
    assert errors == []
