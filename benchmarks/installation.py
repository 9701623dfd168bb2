"""The environment of the benchmark: this project, its peers, and what draws charts, each installed where it belongs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import APPS, TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent.parent
PEERS = ("apig-wsgi", "awslambdaric", "fastapi", "flask", "gunicorn", "mangum", "uvicorn")
SHOWN = ("lambda-web-adapter", *PEERS, "uvloop", "httptools")  # whose versions are printed
RUST_ADAPTER = "lambda_web_adapter@1.0.0-rc1"  # the crate
VARIABLE = "LWA_RUST_ADAPTER"
FOREIGN = ("AWS_", "PYTHON", "PORT", "GUNICORN_", "UVICORN_", "WEB_CONCURRENCY", "SOURCE_DATE_EPOCH")
VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        pass
"""


@dataclass
class Installation:
    """What can be measured."""

    python: Path
    charts: Path | None = None  # the folder that matplotlib is in
    rust_adapter: Path | None = None
    start_files: dict[str, Path] = field(default_factory=dict)  # by app
    versions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def install(folder: Path, *, keep: bool) -> Installation:
    """Make or renew the environment in a folder, and find the AWS Lambda Web Adapter.

    Args:
        folder: The folder.
        keep: Whether this project stays as it was installed the last time.
    """
    found = install_packages(folder, keep=keep)
    find_rust_adapter(found, folder)
    return found


def install_packages(folder: Path, *, keep: bool) -> Installation:
    """Make or renew the environment in a folder.

    Args:
        folder: The folder.
        keep: Whether this project stays as it was installed the last time.
    """
    found = Installation(folder / "bin" / "python", folder / "charts")
    if not found.python.exists():
        print(f"Making {folder}, once; it takes a minute or two.", file=sys.stderr)
        run(sys.executable, "-m", "venv", folder)
    pip = (found.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    ready = folder / ".ready"
    if not ready.exists():
        run(*pip, PROJECT, *PEERS)
        # Apart, so that what contenders search for modules stays as small as a function's package.
        run(*pip, "--target", folder / "charts", "matplotlib")
        ready.touch()
    elif not keep:
        run(*pip, "--force-reinstall", "--no-deps", PROJECT)
    compile_all(found.python)
    read_versions(found)
    return found


def use_installed() -> Installation:
    """Return what the Python that runs this program has, for a measurement without network."""
    found = Installation(Path(sys.executable))
    if os.environ.get(VARIABLE):
        find_rust_adapter(found, Path())
    read_versions(found)
    return found


def find_rust_adapter(found: Installation, folder: Path) -> None:
    """Find the AWS Lambda Web Adapter, or build it; without cargo, note that its rows are missing."""
    if path := os.environ.get(VARIABLE):
        if not os.access(path, os.X_OK):
            raise SystemExit(f"{VARIABLE} should be the path of the AWS Lambda Web Adapter's program, but is {path!r}.")
        found.rust_adapter = Path(path).resolve()
        read_rust_version(found)
        return
    program = folder / "bin" / "lambda-adapter"
    reason = "there is no cargo"
    if not program.exists() and shutil.which("cargo"):
        print(f"Building {RUST_ADAPTER}, once; it takes some minutes.", file=sys.stderr)
        built = subprocess.run(["cargo", "install", "--quiet", "--root", folder, RUST_ADAPTER], check=False)
        reason = f"cargo failed with exit code {built.returncode}"
    if program.exists():
        found.rust_adapter = program
        read_rust_version(found)
    else:
        note(found, f"The Rust adapter is left out: {reason}, and {VARIABLE} is not set.")


@contextmanager
def start_files(found: Installation, apps: list[str]) -> Iterator[None]:
    """Write a start file for each app, as long as they are measured."""
    with tempfile.TemporaryDirectory() as folder:
        for app in apps:
            file = Path(folder, f"{app}.start")
            arguments = ("-m", "lambda_web_adapter", "compile", f"{app}_app:app", "--output", str(file))
            command = (str(found.python), *arguments)
            environ = function_environ(str(APPS))
            result = subprocess.run(command, cwd=APPS, env=environ, capture_output=True, text=True, check=False)
            if result.returncode:
                sys.exit(f"The start file of {TITLES[app]} could not be written:\n{result.stdout}{result.stderr}")
            found.start_files[app] = file
        yield
    found.start_files.clear()


def function_environ(path: str) -> dict[str, str]:
    """Return the environment variables of this program without those that change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | {"LAMBDA_TASK_ROOT": path, "PYTHONPATH": path}


def note(found: Installation, line: str) -> None:
    """Print what is left out, and keep it for the tables."""
    print(line, file=sys.stderr)
    found.notes.append(line)


def read_rust_version(found: Installation) -> None:
    """Read which version cargo has installed; the program itself does not say."""
    listed = found.rust_adapter and found.rust_adapter.parent.parent / ".crates.toml"
    version = re.search(r'"lambda_web_adapter (\S+)', listed.read_text()) if listed and listed.exists() else None
    found.versions["Rust adapter"] = version[1] if version else "of unknown version"


def compile_all(python: Path) -> None:
    """Compile all modules, so that no start has to."""
    script = "import site; print(site.getsitepackages()[0])"
    folder = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    command = [str(python), "-m", "compileall", "-q", folder, str(APPS)]
    # Some packages contain files for other versions of Python, which cannot be compiled.
    subprocess.run(command, env=function_environ(str(APPS)), stdout=subprocess.DEVNULL, check=False)


def read_versions(found: Installation) -> None:
    """Read the versions of Python and the packages."""
    command = [str(found.python), "-c", "import platform; print(platform.python_version())"]
    found.versions["Python"] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    output = subprocess.run([found.python, "-c", VERSIONS, *SHOWN], capture_output=True, text=True, check=True).stdout
    found.versions |= dict(line.split(" ") for line in output.splitlines())


def run(*command: str | Path) -> None:
    """Run a command that has to succeed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    arguments = [str(argument) for argument in command]
    result = subprocess.run(arguments, env=environ, check=False)
    if result.returncode:
        sys.exit(f"This command failed with exit code {result.returncode}: {' '.join(arguments)}")
