"""The environment of the benchmark: this project, its peers, and what draws charts, each installed where it belongs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PEERS = ("apig-wsgi", "awslambdaric", "fastapi", "flask", "gunicorn", "mangum", "uvicorn")
SHOWN = ("lambda-web-adapter", *PEERS, "uvloop", "httptools")  # whose versions are printed
RUST_ADAPTER = "lambda_web_adapter@1.0.0-rc1"  # the crate
VARIABLE = "LWA_RUST_ADAPTER"
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
    versions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def install(folder: Path, *, keep: bool) -> Installation:
    """Make or renew the environment in a folder.

    Args:
        folder: The folder.
        keep: Whether this project stays as it was installed the last time.
    """
    found = Installation(folder / "bin" / "python", folder / "charts")
    if not found.python.exists():
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
    find_rust_adapter(found, folder)
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
    if not program.exists() and shutil.which("cargo"):
        print(f"Building {RUST_ADAPTER}, once; it takes some minutes.", file=sys.stderr)
        run("cargo", "install", "--quiet", "--root", folder, RUST_ADAPTER)
    if program.exists():
        found.rust_adapter = program
        read_rust_version(found)
    else:
        found.notes.append(f"The Rust adapter is left out: there is no cargo, and {VARIABLE} is not set.")


def read_rust_version(found: Installation) -> None:
    """Read which version cargo has installed; the program itself does not say."""
    listed = found.rust_adapter and found.rust_adapter.parent.parent / ".crates.toml"
    version = re.search(r'"lambda_web_adapter (\S+)', listed.read_text()) if listed and listed.exists() else None
    found.versions["Rust adapter"] = version[1] if version else "of unknown version"


def compile_all(python: Path) -> None:
    """Compile all modules, so that no start has to."""
    script = "import site; print(site.getsitepackages()[0])"
    folder = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    apps = Path(__file__).parent / "apps"
    # Some packages contain files for other versions of Python, which cannot be compiled.
    subprocess.run([python, "-m", "compileall", "-q", folder, apps], stdout=subprocess.DEVNULL, check=False)


def read_versions(found: Installation) -> None:
    """Read the versions of Python and the packages."""
    command = [str(found.python), "-c", "import platform; print(platform.python_version())"]
    found.versions["Python"] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    output = subprocess.run([found.python, "-c", VERSIONS, *SHOWN], capture_output=True, text=True, check=True).stdout
    found.versions |= dict(line.split(" ") for line in output.splitlines())


def run(*command: str | Path) -> None:
    """Run a command that has to succeed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run([str(argument) for argument in command], env=environ, check=True)
