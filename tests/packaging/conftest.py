"""What the tests of `package` share: a folder of wheels, projects, and the command, without a package index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from doctor.elf_files import ARM64, X86_64, make_shared_object
from support.packages import ARCHITECTURE, MakeProject, Package
from support.wheels import make_wheel, wheel_of_installed

APP = """
import greeting
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [greeting.text().encode() + (Path(__file__).parent / "data.txt").read_bytes()]
"""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheels: those that the adapter needs on Lambda and on a laptop, and small ones."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in ("httptools", "orjson", "pybase64", "uvloop", "click", "psutil"):
        wheel_of_installed(folder, name)
    make_wheel(
        folder,
        "greeting",
        {
            "greeting/__init__.py": "def text():\n    return 'hello '\n",
            "greeting/__init__.pyi": "def text() -> str: ...\n",
            "greeting/speed.c": "int x;\n",
            "greeting-1.0.data/data/share/greeting/words.txt": "hello\n",
            "greeting/tests/__init__.py": "",
            "greeting/tests/test_text.py": "assert True\n",
            "greeting-1.0.dist-info/licenses/LICENSE": "free\n",
            "greeting-1.0.dist-info/entry_points.txt": "[console_scripts]\ngreet = greeting:text\n",
        },
    )
    make_wheel(folder, "uses_tests", {"uses_tests/__init__.py": "from .tests.data import x\n"} | _TESTS)
    make_wheel(folder, "foreign", {"foreign.py": ""}, tag="cp311-cp311-win_amd64")
    make_wheel(folder, "wrong_machine", {"wrong_machine.abi3.so": OTHER_MACHINE + b"PyInit_wrong_machine"})
    make_wheel(folder, "needs_click", {"needs_click.py": ""}, requires=["click"])
    return folder


OTHER_MACHINE = make_shared_object(ARM64 if ARCHITECTURE == "x86_64" else X86_64)
_TESTS = {"uses_tests/tests/__init__.py": "", "uses_tests/tests/data.py": "x = 1\n"}


@pytest.fixture
def make_project(tmp_path: Path, wheels: Path) -> MakeProject:
    """Makes a project's folder: an app with a file of data, and what it requires."""

    def make(*requirements: str, **files: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "main.py").write_text(APP)
        (folder / "data.txt").write_text("world")
        lines = ["--no-index", f"--find-links {wheels}", *(requirements or ("greeting",))]
        (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
        for name, content in files.items():
            (folder / name).write_text(content)
        return folder

    return make


@pytest.fixture
def package() -> Package:
    """Runs `lambda-web-adapter package` by uv, for this machine."""

    def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lambda_web_adapter", "package", str(folder), "--installer", "uv"]
        command += ["--arch", ARCHITECTURE, "--glibc", "2.36", *arguments]
        environ = {**os.environ, **variables}
        return subprocess.run(command, env=environ, cwd=folder.parent, capture_output=True, text=True, check=False)

    return run
