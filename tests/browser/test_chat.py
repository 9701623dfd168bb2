"""Two browsers chat through the Flask example, whose messages go through a WebSocket API and boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.chat import page_run, websocket_run

from browser.chromium import Chromium

if TYPE_CHECKING:
    from pathlib import Path

JOIN = """
const [name] = given;
document.querySelector("#join [name=name]").value = name;
document.querySelector("#join button").click();
while (document.getElementById("say").hidden) await new Promise(done => setTimeout(done, 10));
"""
SAY = """
document.querySelector("#say [name=text]").value = given[0];
document.querySelector("#say button").click();
"""
# Waits for a number of lines, or until a script's time is over.
LINES = """
const lines = () => [...document.querySelectorAll("#lines li")].map(line => line.textContent);
while (lines().length < given[0]) await new Promise(done => setTimeout(done, 10));
return lines();
"""


def test_two_browsers_chat(tmp_path: Path) -> None:
    with websocket_run(tmp_path) as (run, url), page_run(url) as page, Chromium(tmp_path / "bob") as bob:
        with Chromium(tmp_path / "ann") as ann:
            for name, browser in (("Ann", ann), ("Bob", bob)):
                browser.open(page)
                browser.run(JOIN, name)
            ann.run(SAY, "hello ☕")
            bob.run(LINES, 1)
            bob.run(SAY, "hi!")

            assert ann.run(LINES, 2) == ["Ann: hello ☕", "Bob: hi!"]
            assert bob.run(LINES, 2) == ["Ann: hello ☕", "Bob: hi!"]
        run.wait_for(r"WebSocket \$disconnect 204")
        bob.run(SAY, "bye")

        assert bob.run(LINES, 3)[-1] == "Bob: bye"


def test_a_run_that_stops_disconnects_the_page(tmp_path: Path) -> None:
    with websocket_run(tmp_path) as (run, url), page_run(url) as page, Chromium(tmp_path / "ann") as ann:
        ann.open(page)
        ann.run(JOIN, "Ann")
        run.terminate()

        assert ann.run(LINES, 1) == ["(disconnected)"]
