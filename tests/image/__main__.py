"""Build each example's image, run it as Lambda would, and compare its replies: `tests/image/run --help`."""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from support.processes import PROJECT
from support.rie import EmulatorMissing, emulator_program

from .base import MACHINES, NATIVE, aws_base, debian_base, install_tools
from .build import Buildah, Config, build, copy_context
from .bytecode import not_compiled
from .exchanges import EXAMPLES, Example, Exchange, Result
from .sandbox import GID, UID, Sandbox, running, serving
from .shell import CommandFailedError, Stopwatch, command, say

NO_CAPABILITIES = "0" * 16
LOG_SHOWN = 60
SHUTDOWN = 0.5  # seconds that Lambda leaves a function with an extension of its own
# What that comes to where QEMU runs the app, and the seconds that a start may take there.
EMULATED_SHUTDOWN, START = 10, 120


class Tally:
    """Prints each check as it ends, and counts."""

    def __init__(self, example: str) -> None:
        self.example = example
        self.passed = self.failed = 0

    def __call__(self, name: str, differences: list[str]) -> None:
        say(f"{'FAIL' if differences else 'ok  '}  {self.example}: {name}")
        for difference in differences:
            say(f"        {difference}")
        self.passed += not differences
        self.failed += bool(differences)


def check(example: str, buildah: Buildah, base: str, program: Path) -> Tally:
    tally = Tally(example)
    copy = copy_context(buildah.cache / "tmp" / example)  # now, as somebody may edit the checkout meanwhile
    try:
        image = build(buildah, example, base)
        digest = buildah.digest(image)
        check_image(tally, image, buildah, program)
        check_artifact(tally, image, buildah)
        again = buildah.digest(build(buildah, example, base, copy))
        tally(f"a copy of the checkout makes the same image, {digest}", [] if again == digest else [again])
    except CommandFailedError as error:
        tally("the Dockerfile builds", [str(error)])
    return tally


def check_artifact(tally: Tally, image: str, buildah: Buildah) -> None:
    """Look at the image's archive, as `docker save` writes it, with our own doctor."""
    archive = buildah.cache / "tmp" / f"{tally.example}.tar"
    buildah("push", "--quiet", image, f"docker-archive:{archive}")
    doctor: list[str | Path] = [sys.executable, "-m", "lambda_web_adapter", "doctor", archive, "--no-import", "--json"]
    try:
        # Notes are of the base as well, such as its pip.
        findings = [
            finding for finding in json.loads(command(doctor, timeout=600))["findings"] if finding["severity"] != "note"
        ]
    except CommandFailedError as error:
        findings = [str(error)]
    archive.unlink()
    tally("doctor has no more than notes", [json.dumps(finding) for finding in findings])


def check_image(tally: Tally, image: str, buildah: Buildah, program: Path) -> None:
    example = tally.example
    config, log = buildah.config(image), buildah.cache / f"{example}.log"
    emulated = buildah.architecture(image) != MACHINES[NATIVE]
    with buildah.root(image) as root:
        say_sizes(example, root)
        check_files(tally, root, config)
        with Stopwatch(f"{example} as a web container"):
            check_web_container(tally, root, config, EXAMPLES[example], buildah.cache / f"{example}-serve.log")
        with Stopwatch(f"{example} under the emulator"):
            try:
                with running(root, config, program, log) as sandbox:
                    check_running(tally, sandbox, EXAMPLES[example], EMULATED_SHUTDOWN if emulated else SHUTDOWN)
            except (OSError, ValueError, AssertionError, httpx.HTTPError) as error:
                tally("the environment runs", [repr(error)])
    if tally.failed and log.exists():
        say(f"      the end of {os.path.relpath(log)}:")
        say("\n".join("      | " + line for line in log.read_text(errors="replace").splitlines()[-LOG_SHOWN:]))


def check_files(tally: Tally, root: Path, config: Config) -> None:
    for kind, lost in not_compiled(root).items():
        tally(f"bytecode of the {kind}", lost[:5])
    tally("it is not run by root", [] if config.user not in ("", "0", "root") else [f"USER is {config.user!r}"])
    relative = [path for path in config.entrypoint[:1] if not path.startswith("/")]
    tally("ENTRYPOINT is an absolute path", relative if config.entrypoint else ["there is none"])


def say_sizes(example: str, root: Path) -> None:
    """Say what each part of the image takes, without what lies on other file systems."""
    parts = {"all": root, "packages": root / "opt" / "venv", "app": root / "var" / "task"}
    sizes = {name: sum(path.lstat().st_size for path in folder.rglob("*")) for name, folder in parts.items()}
    say(f"      {example}: " + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items()))


def check_web_container(tally: Tally, root: Path, config: Config, example: Example, log: Path) -> None:
    """Run the image as any other place does: no Lambda, a port from the environment, a signal at the end."""
    name = "it serves without Lambda, on $PORT"
    try:
        with serving(root, config, log, START) as server:
            response = httpx.get(server.url, timeout=START, trust_env=False)
            right = response.status_code == 200 and example.title in response.text
            tally(name, [] if right else [f"{response.status_code} {response.text!r:.300}"])
            code, text = server.stop(), log.read_text(errors="replace")
    except (AssertionError, httpx.HTTPError, subprocess.TimeoutExpired) as error:
        tally(name, [repr(error), log.read_text(errors="replace")[-2000:]])
        return
    in_order = code == 0 and example.last_words in text
    tally("as process 1, it ends in order on SIGTERM", [] if in_order else [f"exit code {code}, log: {text}"])


def check_running(tally: Tally, sandbox: Sandbox, example: Example, shutdown: float) -> None:
    jar: dict[str, str] = {}
    for exchange in example.exchanges:
        tally(exchange.name, ask(sandbox, exchange, jar))
    processes = {pid: sandbox.user_of(pid) for pid in sandbox.processes()}
    strangers = [f"{pid} is {user}" for pid, user in processes.items() if user != (UID, GID, NO_CAPABILITIES)]
    too_few = [] if len(processes) > 2 else [f"only {len(processes)} processes: the adapter or the app is gone"]
    tally("emulator, adapter and app have no rights", strangers + too_few)
    tally("the file system is read-only, and nothing is written to /tmp", written(sandbox.root))
    seconds = sandbox.stop()
    tally(
        f"adapter and app end within {shutdown} s of SIGTERM",
        [] if seconds < shutdown else [f"it took {seconds:.3f} s"],
    )
    if example.last_words:
        said = example.last_words in sandbox.log.read_text(errors="replace")
        tally("the app has shut down in order", [] if said else [f"the log lacks {example.last_words!r}"])


def ask(sandbox: Sandbox, exchange: Exchange | Result, jar: dict[str, str]) -> list[str]:
    cookies = [f"{name}={value}" for name, value in jar.items()] if exchange.event.get("version") == "2.0" else []
    response = sandbox.invoke({**exchange.event, **({"cookies": cookies} if cookies else {})})
    try:
        reply = response.json()
        jar.update(cookie.partition(";")[0].split("=", 1) for cookie in reply.get("cookies", ()))
        return exchange.differences(reply)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{error!r} in the reply, status {response.status_code}: {response.text!r:.600}"]


def written(root: Path) -> list[str]:
    read_only = {path: os.statvfs(root / path).f_flag & os.ST_RDONLY for path in ("", "dev", "var/task")}
    writable = [f"/{path} is writable" for path, flag in read_only.items() if not flag]
    return writable + [f"there is /tmp/{path.name}" for path in (root / "tmp").iterdir()]


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Wait until no other run uses the cache, as they would remove each other's containers."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)  # addresses of indexes and proxies may hold passwords
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(examples: list[str], machine: str, aws: bool) -> int:
    cache = Path(os.environ.get("TEST_CACHE") or PROJECT / ".cache").absolute()
    with alone(cache / "image"):
        install_tools(machine)
        with Stopwatch("find or fetch the Runtime Interface Emulator"):
            program = emulator_program(cache / "rie")
        buildah = Buildah(cache / "image")
        buildah.clean()
        base = debian_base(buildah, machine)
        if aws:
            base = aws_base(buildah, base)
        tallies = [check(example, buildah, base, program) for example in examples]
    failed = sum(tally.failed for tally in tallies)
    say(f"{sum(tally.passed for tally in tallies)} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/image/run", description=__doc__)
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help=f"of {', '.join(EXAMPLES)}; both by default")
    parser.add_argument(
        "--machine", choices=MACHINES, default=NATIVE, help="for which machine; QEMU runs another one's"
    )
    parser.add_argument("--aws", action="store_true", help="on a base that is laid out as AWS's own")
    options = parser.parse_args()
    # As an exception, so that everything that was begun is ended and removed.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    if os.getuid() != 0:
        say("The images' file systems are mounted read-only, which takes root.")
        return 2
    try:
        return run(options.examples or list(EXAMPLES), options.machine, options.aws)
    except (CommandFailedError, EmulatorMissing) as error:
        say(f"FAIL  {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
