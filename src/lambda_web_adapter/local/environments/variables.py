"""The environment variables of a local environment."""

from __future__ import annotations

import configparser
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.local.environments.function_options import FunctionOptions

_DEFAULT_REGION = "us-east-1"


def environment_variables(environ: Mapping[str, str], options: FunctionOptions, address: str) -> dict[str, str]:
    """Return the environment variables of a local environment: the caller's and those that Lambda sets.

    Credentials are left as the caller has them.

    Args:
        environ: the caller's variables; they override Lambda's, but for those that options set.
        options: the function's configuration.
        address: `host:port` of the environment's Runtime API.
    """
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{uuid.uuid4().hex}"
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": options.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{options.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": options.region,
        "AWS_DEFAULT_REGION": options.region,
        "LAMBDA_TASK_ROOT": os.getcwd(),
        "TZ": ":UTC",
        LOCAL_RUN_VARIABLE: "1",
        **environ,
        # Options, which have the caller's variables as their defaults.
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(options.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(options.timeout)),
        "AWS_LAMBDA_RUNTIME_API": address,
    }
    if options.concurrency > 1:
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(options.concurrency)
    else:  # the option overrides the variable
        variables.pop("AWS_LAMBDA_MAX_CONCURRENCY", None)
    variables.setdefault("AWS_LAMBDA_INITIALIZATION_TYPE", _init_type(options))
    return variables


def find_region(environ: Mapping[str, str]) -> str:
    """Return the region that the AWS tools of this user have: from the variables, else from their configuration."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environ.get(name):
            return environ[name]
    parser = configparser.ConfigParser()
    profile = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    try:
        parser.read(Path(environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, RuntimeError):
        return _DEFAULT_REGION  # the AWS tools complain about the file better than we could
    section = "default" if profile == "default" else f"profile {profile}"
    return parser.get(section, "region", fallback="") or _DEFAULT_REGION


def _init_type(options: FunctionOptions) -> str:
    if options.concurrency > 1:
        return "lambda-managed-instances"
    return "provisioned-concurrency" if options.provisioned else "on-demand"
