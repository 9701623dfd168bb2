"""Chromium without a window, driven over the WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import httpx
from support.processes import SECONDS, Running, wait_until

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# How WebDriver marks the reference of an element.
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# A name that leads to this machine, as the name of a page does that uses DNS rebinding.
REBOUND = "evil.example"


def is_installed() -> bool:
    """Says whether this machine has Chromium and its driver (Debian: chromium, chromium-driver)."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def _start_driver() -> tuple[Running, str]:
    """Starts the driver; returns it and its port.

    It takes a free port for IPv6, and then the same for IPv4, which somebody else may have.
    """
    while True:
        driver = Running(["chromedriver", "--port=0"])
        if port := driver.wait_for(r"started successfully on port (\d+)|port not available")[1]:
            return driver, port
        driver.close()


class Chromium:
    """One browser with one window, and a profile of its own."""

    def __init__(self, profile: Path) -> None:
        """Starts the driver and the browser."""
        self._driver, port = _start_driver()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
        arguments = [
            "--headless",
            "--no-sandbox",  # the tests may run as root
            "--disable-dev-shm-usage",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--no-proxy-server",
            f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
        ]
        self.downloads = profile / "downloads"
        options = {
            "args": arguments,
            "binary": shutil.which("chromium"),
            "prefs": {"download.default_directory": str(self.downloads)},
        }
        # The certificate of a local run is one that no browser trusts by itself.
        chrome = {"browserName": "chrome", "goog:chromeOptions": options, "acceptInsecureCerts": True}
        capabilities = {"alwaysMatch": chrome}
        session = self._post("/session", {"capabilities": capabilities})
        self._session = f"/session/{session['sessionId']}"
        self._post(f"{self._session}/timeouts", {"script": int(SECONDS * 1000)})

    def open(self, url: str) -> None:
        """Shows a page, and waits until it has loaded."""
        self._post(f"{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """Runs the body of an asynchronous function in the page; returns its value, or the text of its exception."""
        call = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {script} }})(...[].slice.call(arguments, 0, -1))"
            ".then(done, error => done(String(error)));"
        )
        return self._post(f"{self._session}/execute/async", {"script": call, "args": list(arguments)})

    def click(self, selector: str) -> None:
        """Clicks what a CSS selector selects."""
        self._post(f"{self._find(selector)}/click", {})

    def fill(self, selector: str, text: str) -> None:
        """Types into a field, or chooses the file of this name for an upload."""
        self._post(f"{self._find(selector)}/value", {"text": text})

    def back(self) -> None:
        """Goes back to the page before."""
        self._post(f"{self._session}/back", {})

    def forward(self) -> None:
        """Goes forward again."""
        self._post(f"{self._session}/forward", {})

    def wait_for(self, expression: str) -> Any:
        """Waits until an expression is true in the page, whichever page that is by then; returns its value."""
        values: list[Any] = []

        def is_true() -> bool:
            values.append(self._post(f"{self._session}/execute/sync", {"script": f"return {expression}", "args": []}))
            return bool(values[-1])

        wait_until(is_true, expression)
        return values[-1]

    def resize(self, width: int, height: int) -> None:
        """Sets the size of the window, in pixels."""
        self._post(f"{self._session}/window/rect", {"width": width, "height": height})

    def screenshot(self, width: int, height: int) -> bytes:
        """Returns a picture of the page in a view of this size, as PNG."""
        view = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._post(f"{self._session}/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": view})
        self.wait_for(f"innerWidth === {width}")
        return b64decode(self._client.get(f"{self._session}/screenshot").json()["value"])

    def wait_for_text(self, selector: str, text: str) -> None:
        """Waits until what a CSS selector selects has a text."""
        self.wait_for(f"document.querySelector({json.dumps(selector)})?.textContent.includes({json.dumps(text)})")

    def _find(self, selector: str) -> str:
        found = self._post(f"{self._session}/element", {"using": "css selector", "value": selector})
        return f"{self._session}/element/{found[_ELEMENT]}"

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = self._client.post(path, json=body)
        value = response.json()["value"]
        assert response.is_success, value
        return value

    def close(self) -> None:
        """Ends the browser and the driver."""
        self._client.delete(self._session)
        self._client.close()
        self._driver.close()

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
