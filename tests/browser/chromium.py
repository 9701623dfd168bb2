"""Chromium without a window, driven over the WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import httpx
from support.processes import SECONDS, Running

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# A name that leads to this machine, as the name of a page does that uses DNS rebinding.
REBOUND = "evil.example"


def is_installed() -> bool:
    """Says whether this machine has Chromium and its driver (Debian: chromium, chromium-driver)."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


class Chromium:
    """One browser with one window, and a profile of its own."""

    def __init__(self, profile: Path) -> None:
        """Starts the driver and the browser."""
        self._driver = Running(["chromedriver", "--port=0"])
        port = self._driver.wait_for(r"started successfully on port (\d+)")[1]
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
        options = {"goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")}}
        capabilities = {"alwaysMatch": {"browserName": "chrome", **options}}
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
