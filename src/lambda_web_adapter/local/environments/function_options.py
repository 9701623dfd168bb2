"""What the local function is set to: its limits, and how many environments it has."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_web_adapter.adapter.process.cpu_share import ONE_VCPU as ONE_VCPU

ACCOUNT = "123456789012"  # made up, as in AWS's examples

MIN_TIMEOUT, MAX_TIMEOUT = 1, 900  # seconds (Lambda quotas, "Function timeout")
# How long an on-demand environment may take until its first request for an event (Lambda, "Init phase"), in seconds.
ON_DEMAND_INIT_SECONDS = 10.0
MIN_MEMORY, MAX_MEMORY = 128, 32768  # MB; 10,240 for a standard function, more on Managed Instances


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOptions:
    """The function's configuration.

    Attributes:
        name: its name.
        region: its region.
        environments: the most environments at once.
        concurrency: how many invocations each environment takes at once (Managed Instances).
        provisioned: how many environments are always there.
        idle_seconds: how long an environment may be idle before it is retired.
        freezes: whether environments are frozen between invocations.
        timeout: the function's timeout in seconds.
        memory: the function's memory in MB.
        init_seconds: how long an init may take before it is broken off, in seconds.
        is_strict: whether another environment is started at once when all are busy, and a failed init is repeated
            within the invocation, as on Lambda.
        has_fixed_port: whether the app listens on the same port in all environments, so that there can be only one.
        throttles: whether events are rejected when all environments are busy; else they wait.
        is_plain: whether Lambda's limits and the end of environments by them are left out.
    """

    name: str = "local"
    region: str = "us-east-1"
    environments: int = 10
    concurrency: int = 1
    provisioned: int = 0
    idle_seconds: float = 300.0
    freezes: bool = True
    timeout: float = 30.0
    memory: int = ONE_VCPU
    init_seconds: float = ON_DEMAND_INIT_SECONDS
    is_strict: bool = False
    has_fixed_port: bool = False
    throttles: bool = False
    is_plain: bool = False

    @property
    def arn(self) -> str:
        """Return the function's ARN."""
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{self.name}"

    @property
    def memory_bytes(self) -> int:
        """Return the memory in bytes."""
        return self.memory * 1024 * 1024
