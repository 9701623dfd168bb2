"""What GetFunction and GetFunctionConfiguration say of the local function: what is true, and what waiters read."""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_web_adapter.local.environments.function_options import FunctionOptions

# `platform.machine()` on Lambda's two architectures, as systems call them.
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def configuration(options: FunctionOptions, started_at: str) -> dict[str, Any]:
    """Return the FunctionConfiguration document.

    Args:
        options: what the function is set to.
        started_at: the time at which the local run started, in Lambda's format of `LastModified`.
    """
    return {
        "FunctionName": options.name,
        "FunctionArn": options.arn,
        "Version": "$LATEST",
        "Runtime": "provided.al2023",
        "PackageType": "Zip",
        "Timeout": math.ceil(options.timeout),
        "MemorySize": options.memory,
        "Architectures": [_ARCHITECTURES.get(platform.machine().lower(), "x86_64")],
        "LastModified": started_at,
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
