"""Takes the pictures of the inspector in docs/images: `make pictures`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from support.processes import PROJECT, SECONDS, Running, plain_environment

from browser.chromium import Chromium

PICTURES = PROJECT / "docs" / "images"
# The example under another name, and a route that takes its time.
MAIN = """
import asyncio
from seeds import app

@app.get("/harvest-report")
async def report(seconds: float = 1.0):
    await asyncio.sleep(seconds)
    return {"packets": 22}
"""
LISTEN = ("--listen", "function-url:0", "--listen", "alb:0")
OPTIONS = ("--idle", "9", "--environments", "3", "--inspector-port", "0", "--no-reload")
BROWSER_HEADERS = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
    "accept-language": "de, en;q=0.8",
    "cookie": "gardener=No%C3%A9mie; last_loan=brandywine",
}
PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(2000)
LOAN = ("POST", "/varieties/brandywine/loans?note=for%20the%20school%20garden")


@dataclass(frozen=True)
class Gardeners:
    """The clients of a local run with two gateways."""

    function_url: str
    load_balancer: str

    def send(self, method: str, target: str, *, base: str = "", **options: Any) -> None:
        url = (base or self.function_url) + target
        httpx.request(method, url, headers=BROWSER_HEADERS, trust_env=False, timeout=SECONDS, **options)

    def send_at_once(self, *targets: str) -> None:
        with ThreadPoolExecutor(len(targets)) as pool:
            list(pool.map(lambda target: self.send("GET", target), targets))

    def spend_a_day(self) -> None:
        """Send what makes a picture: cold starts, waiting requests, errors, slow ones, environments that end."""
        self.send("GET", "/")
        time.sleep(2)
        self.send_at_once("/harvest-report?seconds=1.5", "/harvest-report?seconds=2", "/harvest-report?seconds=1")
        time.sleep(1)
        self.send("PUT", "/varieties/brandywine/photo", content=PHOTO)
        for target in ("/varieties?species=tomato&month=3", "/varieties/unknown", "/p/brandywine", "/varieties"):
            self.send("GET", target)
            time.sleep(0.5)
        self.send_at_once("/harvest-report?seconds=1.2", "/harvest-report?seconds=0.7", "/varieties/brandywine")
        self.send("POST", "/varieties", json={"slug": "green zebra"})
        self.send("GET", "/varieties/noir%2Dde%2Dcrimee?month=4", base=self.load_balancer)
        time.sleep(1)
        self.send("GET", "/backup")
        self.send("GET", "/request", base=self.load_balancer)
        for _ in range(3):
            time.sleep(3)
            self.send("GET", "/me")
        self.send("GET", "/varieties/crimson-flowered/photo")
        self.send(*LOAN, json={"gardener": "Noémie", "packets": 2})
        time.sleep(0.5)
        self.send("GET", "/packing-list")
        time.sleep(3)


def take_pictures(browser: Chromium, page: str) -> None:
    browser.open(page)
    browser.wait_for("document.querySelector('.connection')?.dataset.state === 'live'")
    browser.wait_for_text(".row .target", "/packing-list")
    find = "[...document.querySelectorAll('.row')].find(row => row.textContent.includes(given[0]))"
    choose_theme(browser, "dark")
    browser.run("location.hash = '#/environments'")
    browser.wait_for("document.querySelector('.lanes-box svg, .lanes-box canvas')")
    browser.run("[...document.querySelectorAll('.segment')].at(-1).click()")
    write(browser, "inspector-environments", 1440, 420)
    browser.run("location.hash = '#/invocations'")
    choose_theme(browser, "light")
    browser.run(f"{find}.click()", LOAN[1].partition("?")[0])
    browser.wait_for_text(".detail h1", LOAN[1])
    browser.wait_for("document.querySelector('.waterfall')")
    write(browser, "inspector-detail", 1440, 900)
    choose_theme(browser, "dark")
    write(browser, "inspector-narrow", 390, 844)


def choose_theme(browser: Chromium, theme: str) -> None:
    browser.run("localStorage.setItem('inspector-theme', given[0]); location.reload()", theme)
    browser.wait_for(f"document.documentElement.dataset.theme === {json.dumps(theme)}")
    browser.wait_for("document.querySelector('.row')")


def write(browser: Chromium, name: str, width: int, height: int) -> None:
    """Write a picture with few colours, which is a third of the size."""
    browser.screenshot(width, height)  # so that the page is laid out for this size
    time.sleep(1)
    png = browser.screenshot(width, height)
    small = subprocess.run(["pngquant", "--speed", "1", "128", "-"], input=png, capture_output=True, check=True).stdout
    (PICTURES / f"{name}.png").write_bytes(small)
    sys.stdout.write(f"docs/images/{name}.png: {len(small)} bytes\n")


def main() -> None:
    missing = [program for program in ("chromium", "chromedriver", "pngquant") if not shutil.which(program)]
    if missing:
        sys.exit(f"{', '.join(missing)} not installed: apt-get install chromium chromium-driver pngquant")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary, "app")
        shutil.copytree(PROJECT / "examples" / "fastapi_app", folder)
        (folder / "main.py").rename(folder / "seeds.py")
        (folder / "main.py").write_text(MAIN)
        program = [sys.executable, "-m", "lambda_web_adapter", "main:app", *LISTEN]
        environ = plain_environment({"XDG_CACHE_HOME": temporary})
        with (
            Chromium(Path(temporary, "profile")) as browser,
            Running([*program, *OPTIONS], cwd=folder, env=environ) as run,
        ):
            page = run.wait_for(r"Inspector: (http://\S+)")[1]
            function_url, load_balancer = re.findall(r"Serving .* on (http://127\.0\.0\.1:\d+)", run.text)
            Gardeners(function_url, load_balancer).spend_a_day()
            take_pictures(browser, page)


if __name__ == "__main__":
    main()
