"""An AWS on this machine, MiniStack, and the package that is deployed to it.

MiniStack runs the `bootstrap` of functions with the runtime `provided.al2023` as a process, against its own Runtime
API. So the templates get that runtime as their parameter; the managed runtime has the variable
`AWS_LAMBDA_EXEC_WRAPPER`, which MiniStack ignores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from support.processes import free_addresses, wait_until

from .templates import PROJECT, QUIET, run
from .transcript import note_command

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIME = "provided.al2023"
FIRST, SECOND = "1", "2"  # versions of the package
SECONDS = 60.0  # until it listens, on a busy machine


def build_package(folder: Path, version: str) -> Path:
    """Return function.zip with the Flask example: the app and the bootstrap; packages come from this environment.

    Args:
        folder: where to write it.
        version: what the site has as `static/version.txt`.
    """
    package = folder / "function.zip"
    example = PROJECT / "examples" / "flask_app"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(PROJECT / "bootstrap", "bootstrap")
        archive.write(Path(__file__).parent / "jobs.py", "jobs.py")
        archive.writestr("static/version.txt", version)
        for part in ("main.py", "templates", "static"):
            files = [example / part] if (example / part).is_file() else sorted((example / part).rglob("*"))
            for file in files:
                archive.write(file, file.relative_to(example))
    return package


@dataclass(frozen=True)
class Emulator:
    """A running MiniStack: clients for it, and requests to what is deployed there."""

    url: str
    folder: Path

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator[Emulator]:
        """Start one for the length of a block; its log is in the folder."""
        (address,) = free_addresses(1)
        host, _, port = address.rpartition(":")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAMBDA_"))}
        variables = {
            "GATEWAY_PORT": port,
            "BIND_HOST": host,
            "TMPDIR": str(folder),
            "MINISTACK_HOST": "us-east-1.amazonaws.com",  # so that it serves the hosts that AWS has
            "SERVICES": "lambda,iam,sts,logs,s3,sqs,cloudformation,cloudfront,apigateway,elbv2,scheduler,ssm,ec2,ecr",
            "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{plain['PATH']}",
        }
        program = shutil.which("ministack", path=variables["PATH"])
        assert program
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program], env={**plain, **variables}, stdout=log, stderr=log)
        try:
            wait_until(lambda: responds(f"http://{address}/_ministack/health"), "MiniStack listens", SECONDS)
            yield cls(f"http://{address}", folder)
        finally:
            process.terminate()
            process.wait(SECONDS)

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        import boto3  # here, so that the other tests' environment can collect this folder

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def run(self, *command: str | Path, cwd: Path, variables: dict[str, str] | None = None) -> str:
        """Return what a command prints that calls this AWS."""
        output = run(*command, cwd=cwd, variables={**QUIET, "AWS_ENDPOINT_URL": self.url, **(variables or {})})
        note_command(command, output)
        return output

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request to what AWS would serve at a URL of its own: the host goes into the header."""
        asked = httpx.URL(url)
        headers = {"host": asked.host, **options.pop("headers", {})}
        here = asked.copy_with(scheme="http", netloc=self.url.removeprefix("http://").encode())
        return httpx.request(method, here, headers=headers, timeout=SECONDS, trust_env=False, **options)


def responds(url: str) -> bool:
    """Return whether a server responds at a URL."""
    try:
        return httpx.get(url, trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False
