"""Pages that ask for more than one thing: many assets at once, events as they come, and code that changes meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from browser.chromium import Chromium
    from browser.conftest import Serve

ASSETS = 10  # of each kind
PAGE_WITH_ASSETS = f"""
from flask import Flask, Response

app = Flask(__name__)

@app.get("/")
def front():
    numbers = range({ASSETS})
    styles = "".join(f'<link rel="stylesheet" href="/style-{{each}}.css">' for each in numbers)
    scripts = "".join(f'<script src="/script-{{each}}.js" async></script>' for each in numbers)
    images = "".join(f'<img src="/image-{{each}}.svg">' for each in numbers)
    return f"<!doctype html><title>assets</title>{{styles}}{{scripts}}<body>{{images}}</body>"

@app.get("/style-<int:number>.css")
def style(number):
    return Response(f":root {{{{ --style-{{number}}: {{number}}; }}}}", mimetype="text/css")

@app.get("/script-<int:number>.js")
def script(number):
    return Response(f"(window.loaded ??= new Set()).add({{number}})", mimetype="text/javascript")

@app.get("/image-<int:number>.svg")
def image(number):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{{number + 1}}" height="1"></svg>'
    return Response(svg, mimetype="image/svg+xml")
"""
SEEN = """
const style = getComputedStyle(document.documentElement);
return {
    styles: Array.from({length: given[0]}, (_, number) => Number(style.getPropertyValue(`--style-${number}`))),
    scripts: [...loaded].sort(),
    images: [...document.images].map(image => image.naturalWidth - 1),
};
"""


def test_a_page_gets_all_of_its_assets(browser: Chromium, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PAGE_WITH_ASSETS)
    _, url = serve(tmp_path)

    for _ in range(2):  # with a cold environment, and with warm ones
        browser.open(url)
        browser.wait_for("document.readyState === 'complete'")

        numbers = list(range(ASSETS))
        assert browser.run(SEEN, ASSETS) == {"styles": numbers, "scripts": numbers, "images": numbers}


EVENTS = """
import asyncio, os
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse

app = FastAPI()

@app.get("/", response_class=HTMLResponse)
async def front():
    return '''<!doctype html><title>events</title><script>
        const seen = [];
        const source = new EventSource("/events");
        source.onmessage = event => {
            seen.push(event.data);
            if (event.data === "end") source.close();
        };
    </script>'''

@app.get("/events")
async def events():
    async def parts():
        yield f"data: {os.getpid()}\\n\\n"
        for name in ("one", "end"):
            while not os.path.exists(name):
                await asyncio.sleep(0.005)
            yield f"data: {name}\\n\\n"
    return StreamingResponse(parts(), media_type="text/event-stream")

@app.get("/pid")
async def pid():
    return os.getpid()
"""


def test_events_come_one_by_one_while_other_requests_go_on(browser: Chromium, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(EVENTS)
    run, url = serve(tmp_path, AWS_LWA_INVOKE_MODE="response_stream")
    browser.open(url)
    browser.wait_for("seen.length === 1")

    fetched = browser.run("return [await (await fetch('/pid')).json(), await (await fetch('/pid')).json(), ...seen]")
    assert int(fetched[2]) not in fetched[:2]
    assert len(fetched) == 3  # no other event came before its time
    for number, name in enumerate(("one", "end"), 2):
        (tmp_path / name).touch()
        browser.wait_for(f"seen.length === {number}")
        assert browser.run("return seen.at(-1)") == name

    run.wait_for(r"GET /events 200 \d+ ms, first byte after \d+ ms")
    assert "broken off" not in run.text


CHANGING = """
from flask import Flask, render_template

app = Flask(__name__)

@app.get("/")
def front():
    return render_template("page.html", code="CODE")
"""
TEMPLATE = """<!doctype html><title>WORD</title><h1>{{ code }}</h1><a href="/">again</a>"""


def test_the_next_click_shows_the_code_that_changed_meanwhile(browser: Chromium, serve: Serve, tmp_path: Path) -> None:
    code, template = tmp_path / "main.py", tmp_path / "templates" / "page.html"
    template.parent.mkdir()
    template.write_text(TEMPLATE.replace("WORD", "first"))
    code.write_text(CHANGING.replace("CODE", "first"))
    run, url = serve(tmp_path, "--reload")
    browser.open(url)
    browser.wait_for_text("h1", "first")

    code.write_text(CHANGING.replace("CODE", "second"))
    run.wait_for(r"main\.py changed")
    browser.click("a")
    browser.wait_for_text("h1", "second")
    assert browser.run("return document.title") == "first"

    template.write_text(TEMPLATE.replace("WORD", "third"))
    run.wait_for(r"page\.html changed")
    browser.click("a")
    browser.wait_for("document.title === 'third'")

    code.write_text("this is no Python")
    wait_until(lambda: run.text.count("main.py changed") == 2, "the change is seen")
    browser.click("a")
    browser.wait_for("document.body.textContent.includes('SyntaxError')")
    code.write_text(CHANGING.replace("CODE", "fourth"))
    wait_until(lambda: run.text.count("main.py changed") == 3, "the change is seen")
    browser.open(url)
    browser.wait_for_text("h1", "fourth")
