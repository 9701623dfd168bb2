"""What the inspector sees of a local run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.records.masking import Masker
    from lambda_web_adapter.local.records.recorder import Recorder
    from lambda_web_adapter.local.run import RunOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedRun:
    """A local run.

    Attributes:
        options: what it is to do.
        environ: the environment variables of the app.
        function: the function, which takes further events.
        recorder: the records of what happened.
        log: the log.
        masker: masks secrets.
        ports: the ports that the app is served on.
        started: when it started, in seconds since the epoch.
        listeners: event source and URL of each listener that is served.
    """

    options: RunOptions
    environ: Mapping[str, str]
    function: Function
    recorder: Recorder
    log: Log
    masker: Masker
    ports: list[int]
    started: float
    listeners: list[tuple[str, str]] = field(default_factory=list)
