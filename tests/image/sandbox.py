"""One image's file system, running under the Runtime Interface Emulator, cut off as Lambda cuts it off."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from support.processes import SECONDS, accepts, children, free_addresses, runs, wait_until
from support.rie import INVOKE_PATH

from .build import HERE, Config

EMULATOR = "/usr/local/bin/aws-lambda-rie"
UID, GID = 993, 990
# Long enough for a machine that is emulated.
FUNCTION_TIMEOUT = 60
LAMBDA_ENV = {
    "AWS_LAMBDA_FUNCTION_NAME": "image-test",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_TIMEOUT": str(FUNCTION_TIMEOUT),  # read by the emulator only
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "TZ": ":UTC",
}


@dataclass(frozen=True)
class Sandbox:
    """A running emulator: where to send events, and the process that is the first of all those inside."""

    url: str
    first: int
    log: Path

    def invoke(self, event: object) -> httpx.Response:
        return httpx.post(self.url, json=event, timeout=FUNCTION_TIMEOUT + 5, trust_env=False)

    @property
    def root(self) -> Path:
        """The file system as the processes inside see it, mounts and all."""
        return Path(f"/proc/{self.first}/root")

    def processes(self) -> list[int]:
        inside = os.readlink(f"/proc/{self.first}/ns/pid")
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if namespace(pid) == inside]

    def user_of(self, pid: int) -> tuple[int, int, str]:
        """Real user, real group and effective capabilities of a process."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        return int(status["Uid"].split()[0]), int(status["Gid"].split()[0]), status["CapEff"]

    def stop(self) -> float:
        """Tell the adapter that the environment ends; the seconds until it, and the app with it, was gone."""
        began = time.monotonic()
        inside = [pid for pid in self.processes() if pid != self.first]
        for pid in children(self.first):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(map(runs, inside)), "adapter and app end after SIGTERM")
        return time.monotonic() - began


def namespace(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:  # it ended meanwhile
        return None


@contextmanager
def running(root: Path, config: Config, emulator: Path, log: Path) -> Iterator[Sandbox]:
    """Start the image's own ENTRYPOINT and CMD under the emulator; on the way out nothing of it remains."""
    target = root / EMULATOR.lstrip("/")
    target.write_bytes(emulator.read_bytes())
    target.chmod(0o755)
    runtime_api, front = free_addresses(2)
    with log.open("wb") as stream, start(root, config, [runtime_api, front], stream.fileno()) as process:
        try:
            wait_until(lambda: accepts(front) or process.poll() is not None, "the emulator listens")
            # The process that `unshare --fork` has made is the first in its namespace: its end is everybody's end.
            (first,) = children(process.pid)
            yield Sandbox(f"http://{front}{INVOKE_PATH}", first, log)
        finally:
            end(process)


@dataclass(frozen=True)
class Server:
    """An ordinary web container: where it serves, and the process that `unshare` waits for, which is its process 1."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> int:
        """Send the signal that ends a container; return the exit code."""
        (first,) = children(self.process.pid)
        os.kill(first, signal.SIGTERM)
        return self.process.wait(SECONDS)


@contextmanager
def serving(root: Path, config: Config, log: Path, seconds: float) -> Iterator[Server]:
    """Start the image with `serve` in place of its CMD, as an ordinary web container."""
    (address,) = free_addresses(1)
    env = config.env | {"PORT": address.rpartition(":")[2]}
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [*entering(root, config.workdir), *config.entrypoint, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=env,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_until(lambda: accepts(address) or process.poll() is not None, "the web container listens", seconds)
            yield Server(f"http://{address}/", process)
        finally:
            end(process)


def entering(root: Path, workdir: str) -> list[str]:
    """Return the command before a command that is to run in an image's file system."""
    return [
        *("/usr/bin/unshare", "--mount", "--pid", "--fork", "--propagation=private", "--"),
        *(str(HERE / "enter"), str(root), workdir, str(UID), str(GID)),
    ]


def start(root: Path, config: Config, addresses: list[str], output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *entering(root, config.workdir),
            *(EMULATOR, "--runtime-api-address", addresses[0], "--runtime-interface-emulator-address", addresses[1]),
            *(*config.entrypoint, *config.cmd),
        ],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=config.env | LAMBDA_ENV,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process of the namespace, and with it all others, whatever state they are in."""
    for pid in children(process.pid):
        os.kill(pid, signal.SIGKILL)
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
