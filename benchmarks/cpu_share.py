"""A share of a processor, as Lambda gives it by the function's memory. Needs root, and cgroups of version 1 or 2."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PERIOD = 20_000  # microseconds: short, so that the throttling is even
FULL_CORE = (
    1769  # MB at which Lambda gives one core: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
)


class Unavailable(Exception):
    """This machine has no control group to offer; the message says why."""


def mount_points() -> tuple[Path | None, Path | None]:
    """Return where the CPU controller of version 1 is mounted, and where version 2 is."""
    first = second = None
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, flags, *_ = line.split(" ")
        if kind == "cgroup" and "cpu" in flags.split(","):
            first = Path(folder)
        if kind == "cgroup2":
            with suppress(OSError):
                if "cpu" in (Path(folder) / "cgroup.controllers").read_text().split():
                    second = Path(folder)
    return first, second


@contextmanager
def cpu_share(memory: int) -> Iterator[Path]:
    """Make a control group with the share of a function of so many MB.

    Raises:
        Unavailable: If this machine does not let us.
    """
    quota = PERIOD * memory // FULL_CORE
    first, second = mount_points()
    root = first or second
    if not root:
        raise Unavailable("no cgroup has a CPU controller")
    group = root / f"benchmark-{os.getpid()}"
    try:
        if not first:
            (root / "cgroup.subtree_control").write_text("+cpu")
        group.mkdir()
    except OSError as error:
        raise Unavailable(f"{error.filename or root}: {error.strerror}; it takes root") from error
    try:
        if first:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        yield group
    finally:
        remove(group)


def remove(group: Path) -> None:
    """Remove a control group, which is busy for a moment after its processes have ended."""
    for _ in range(100):
        try:
            group.rmdir()
            return
        except OSError:
            time.sleep(0.02)
    print(f"{group} could not be removed")
