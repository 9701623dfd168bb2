"""The code on the pages about tracers and Powertools: each block has a name, by which a test runs it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

from support.processes import PROJECT

PAGES = [PROJECT / "docs" / "tracing.md", PROJECT / "docs" / "powertools.md"]
BIN = Path(sys.executable).parent
# What the pages name `lambda-web-adapter main:app`, where no tracer goes before it.
ADAPTER = [str(BIN / "lambda-web-adapter"), "main:app"]

_BLOCK = re.compile(r"^```(?P<said>.*)\n(?P<text>(?:(?!```).*\n)*)```$", re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """All blocks with what stands after their fence: a language and a name."""
    return [(found["said"], found["text"]) for page in PAGES for found in _BLOCK.finditer(page.read_text())]


def snippet(name: str) -> str:
    """The text of a block."""
    (text,) = (text for said, text in blocks() if said.split()[1:] == [name])
    return text


def instructions(*names: str) -> tuple[list[str], dict[str, str]]:
    """The entry point and the variables of a Dockerfile in parts, with programs that are installed here."""
    words: list[str] = []
    variables: dict[str, str] = {}
    for line in "".join(map(snippet, names)).replace("\\\n", "").splitlines():
        instruction, _, rest = line.partition(" ")
        if instruction == "ENTRYPOINT":
            words = [word.replace("/usr/local/bin", str(BIN)) for word in json.loads(rest)]
        elif instruction == "ENV":
            variables.update(pair.split("=", 1) for pair in shlex.split(rest))  # type: ignore[misc]  # two by two
    return words, variables
