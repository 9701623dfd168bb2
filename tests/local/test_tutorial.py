"""The tutorial of the local run: its app is written to a file, and its commands are typed into a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.processes import SECONDS, Running, plain_environment

PAGE = (Path(__file__).parents[2] / "docs" / "local-run.md").read_text()
SECTIONS = dict(re.findall(r"^## \d+\. (.*)\n((?:(?!## ).*\n?)*)", PAGE, re.MULTILINE))
PROGRAM = f"{sys.executable} -m lambda_web_adapter"
URL = "http://127.0.0.1:8000"


def snippets(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)


def commands(section: str) -> Iterator[tuple[str, str]]:
    """Return the commands of a section, each with the output that the page shows."""
    for snippet in snippets(section, "console"):
        for part in re.split(r"^\$ ", snippet, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of somebody who has followed the tutorial to its end."""
    (module,) = snippets("Make an app", "python")
    thread, ticks = snippets("See it freeze", "python")
    (queue,) = snippets("An event of a queue", "python")
    made = "app = Flask(__name__)\n"
    module = "import threading\n" + module.replace(made, f"{made}{thread}")
    (tmp_path / "main.py").write_text(f"{module}\n\n{ticks}\n\n{queue}")
    return tmp_path


@pytest.mark.skipif(not shutil.which("curl"), reason="the tutorial types curl")
@pytest.mark.parametrize(
    "section", ["Run it", "Two requests at once", "A timeout", "An event of a queue", "Another gateway"]
)
def test_what_the_tutorial_types_has_the_output_that_it_shows(section: str, folder: Path) -> None:
    typed = list(commands(section))
    if not any(command.startswith("lambda-web-adapter") and "main:app" in command for command, _ in typed):
        typed.insert(0, ("lambda-web-adapter main:app", ""))
    url, ran = URL, 0
    with ExitStack() as stack:
        for command, shown in typed:
            if "main:app" in command:
                arguments = command.removeprefix("lambda-web-adapter ").split()
                program = [*PROGRAM.split(), "--port", "0", *arguments]
                run = stack.enter_context(Running(program, env=plain_environment(), cwd=folder))
                url = run.wait_for(r"on (http://127\.0\.0\.1:\d+)")[1]
                assert shown.replace(URL, url).strip() in run.text
                continue
            line = command.replace("curl ", "curl -s ").replace(
                "lambda-web-adapter invoke", f"{PROGRAM} invoke --url {url}"
            )
            result = subprocess.run(
                ["sh", "-c", line.replace(URL, url)],
                cwd=folder,
                env=plain_environment(),
                stdout=subprocess.PIPE,
                text=True,
                timeout=SECONDS,
            )
            assert result.stdout.split() == shown.replace(URL, url).split(), command
            ran += 1
    assert ran > 0
