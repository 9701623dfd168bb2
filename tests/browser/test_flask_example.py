"""A visitor of the Flask example in a real browser, behind several gateways."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from support.processes import PROJECT, children, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from browser.chromium import Chromium
    from browser.conftest import Serve

EXAMPLE = PROJECT / "examples" / "flask_app"
WIDTH, HEIGHT = 90, 60
STREAM = {"AWS_LWA_INVOKE_MODE": "response_stream"}
IS_PHOTO_SHOWN = f"document.querySelector('main img')?.naturalWidth === {WIDTH}"


def make_photo() -> bytes:
    """A PNG file with noise in it, so that every byte has to arrive (https://www.w3.org/TR/png-3/)."""
    noise = hashlib.shake_256(b"pan").digest(WIDTH * 3 * HEIGHT)
    rows = b"".join(b"\0" + noise[start : start + WIDTH * 3] for start in range(0, len(noise), WIDTH * 3))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    framed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        pytest.param(["--event-source", "function-url"], {}, id="function URL"),
        pytest.param(["--event-source", "function-url"], STREAM, id="function URL, streamed"),
        pytest.param(["--event-source", "function-url", "--tls"], {}, id="function URL over TLS"),
        pytest.param(["--event-source", "rest-api"], {}, id="REST API"),
        pytest.param(["--event-source", "rest-api"], STREAM, id="REST API, streamed"),
        pytest.param(["--event-source", "alb-multi"], {}, id="load balancer"),
    ],
)
def test_a_visitor_writes_down_a_recipe_with_a_photo(
    options: list[str], variables: dict[str, str], browser: Chromium, serve: Serve, tmp_path: Path
) -> None:
    photo = tmp_path / "pan.png"
    photo.write_bytes(make_photo())
    # The example keeps its recipes in memory, which other environments do not see, as on Lambda.
    _, url = serve(EXAMPLE, "--environments", "1", *options, **variables)
    assert url.startswith("https:") == ("--tls" in options)
    browser.open(url)

    browser.fill("form[action$=sign-in] [name=name]", "Noémie")
    browser.click("form[action$=sign-in] button")
    browser.wait_for_text(".flash", "Welcome to the kitchen, Noémie.")
    browser.wait_for_text("form[action$=sign-out] button", "Sign out, Noémie")

    browser.click("a[href$='/recipes/new']")
    browser.wait_for("location.pathname === '/recipes/new' && document.querySelector('main button')")
    browser.click("main button")
    browser.wait_for_text(".flash", "A recipe needs a title.")
    browser.fill("[name=title]", "Käsespätzle")
    browser.fill("[name=ingredients]", "400 g flour\n4 eggs\n200 g cheese")
    browser.fill("[name=steps]", "Scrape, boil, layer.")
    browser.click("main button")
    browser.wait_for_text(".flash", "Käsespätzle is in the box.")
    browser.wait_for("document.querySelectorAll('main li').length === 3")

    browser.fill("input[type=file]", str(photo))
    browser.click("main form button")
    browser.wait_for_text(".flash", f"{photo.stat().st_size} bytes of pan.png: how tasty.")
    browser.wait_for(IS_PHOTO_SHOWN)

    browser.click("header a[href$='/recipes.csv']")
    download = browser.downloads / "recipes.csv"
    wait_until(download.exists, "the download is complete")
    assert download.read_bytes().endswith("Käsespätzle,Noémie,400 g flour; 4 eggs; 200 g cheese\r\n".encode())

    browser.click("header a[href='/']")
    browser.wait_for_text("main ul", "Käsespätzle by Noémie")
    browser.back()
    browser.wait_for(IS_PHOTO_SHOWN)
    browser.forward()
    browser.wait_for_text("main ul", "Käsespätzle by Noémie")

    browser.click("form[action$=sign-out] button")
    browser.wait_for("document.querySelector('form[action$=sign-in]')")
    assert browser.run("return document.cookie") == ""  # the session's is for the server only


def test_a_session_outlives_the_environment_that_began_it(browser: Chromium, serve: Serve) -> None:
    """The cookie is all there is of it, and each environment signs with the same key."""
    run, url = serve(EXAMPLE, "--idle", "0.1")
    browser.open(url)
    browser.fill("[name=name]", "Noa")
    browser.click("form[action$=sign-in] button")
    browser.wait_for_text("form[action$=sign-out] button", "Sign out, Noa")
    (number,) = re.findall(r"POST /sign-in 303 .*environment (\d+)", run.text)
    wait_until(lambda: len(children(run.pid)) == 1, "the idle environment is stopped, and the guard is left")

    browser.open(url)

    browser.wait_for_text("form[action$=sign-out] button", "Sign out, Noa")
    run.wait_for(rf"POST /sign-in (.|\n)*GET / 200 .*environment (?!{number}\b)\d+, cold start")
