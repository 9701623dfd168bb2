"""Edit a running app again and again, and measure how long its new answer takes."""

from __future__ import annotations

import os
import statistics
import threading
import time
from typing import TYPE_CHECKING

from http_load import Client

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = 5  # edits that are no Python
SECONDS = 30


class Visitor(threading.Thread):
    """A client that requests a page again and again, and counts what it did not get."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.answered = self.lost = self.refused = 0
        self._port = port
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send requests until `stop`."""
        client: Client | None = None
        while not self._stopping.wait(0.01):
            try:
                client = client or Client(self._port)
                client.get("/varieties")
                self.answered += 1
                self.refused += client.status != 200
            except OSError:
                self.lost += 1
                client = None

    def stop(self) -> None:
        """Stop sending."""
        self._stopping.set()
        self.join()


def measure_edits(port: int, file: Path, number: int) -> dict[str, float]:
    """Edit a file so many times; return the times to the new answer in milliseconds, and the requests that failed."""
    original = file.read_bytes()
    visitor = Visitor(port)
    visitor.start()
    times = []
    for edit in range(number):
        save(file, original.replace(b"<h1>Seed library", f"<h1>Edit {edit}".encode()))
        times.append(wait_for(port, f"<h1>Edit {edit}<".encode(), 200))
    visitor.stop()
    pages = fixed = 0
    for edit in range(BROKEN):
        save(file, original + f"\ndef broken_{edit}(\n".encode())
        pages += wait_for(port, b"SyntaxError", None) < SECONDS * 1000
        save(file, original.replace(b"<h1>Seed library", f"<h1>Fixed {edit}".encode()))
        fixed += wait_for(port, f"<h1>Fixed {edit}<".encode(), 200) < SECONDS * 1000
    return {
        "p50 ms": statistics.median(times),
        "p95 ms": sorted(times)[int(len(times) * 0.95)],
        "max ms": max(times),
        "answered": visitor.answered,
        "lost": visitor.lost,
        "not 200": visitor.refused,
        f"pages of {BROKEN} broken edits": pages,
        "fixed": fixed,
    }


def save(file: Path, content: bytes) -> None:
    """Write a file as editors do: the new one takes the place of the old."""
    temporary = file.with_name(f"{file.name}~")
    temporary.write_bytes(content)
    os.replace(temporary, file)


def wait_for(port: int, text: bytes, status: int | None) -> float:
    """Return the milliseconds until the page has this text, or those that were too long."""
    saved_at = time.perf_counter()
    while time.perf_counter() < saved_at + SECONDS:
        try:
            client = Client(port)
            body = client.get("/")
            client.close()
        except OSError:
            time.sleep(0.005)
            continue
        if text in body and client.status == (status or client.status):
            return (time.perf_counter() - saved_at) * 1000
        time.sleep(0.005)
    return SECONDS * 1000
