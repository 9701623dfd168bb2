"""What the tests of deployments did and saw: printed, and appended to the file that `LWA_TRANSCRIPT` names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_LINES = 16
_MAX_CHARACTERS = 160  # of a line
_BORDER = re.compile(r"[-+=|*\s]*")  # lines of tables, and empty ones


def note(text: str) -> None:
    """Add lines to the transcript."""
    print(text)  # noqa: T201
    if file := os.environ.get("LWA_TRANSCRIPT"):
        with Path(file).open("a") as transcript:
            transcript.write(f"{text}\n")


def note_command(command: Sequence[str | Path], output: str) -> None:
    """Add a command and the end of what it has printed."""
    words = " ".join(part.name if isinstance(part, Path) else part for part in command)
    lines = [line[:_MAX_CHARACTERS].rstrip() for line in output.splitlines() if not _BORDER.fullmatch(line)]
    left_out = ["…"] if len(lines) > _MAX_LINES else []
    note("\n".join([f"$ {words}", *left_out, *lines[-_MAX_LINES:]]))
