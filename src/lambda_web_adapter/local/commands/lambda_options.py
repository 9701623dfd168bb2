"""The options of the function and its environments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.environments.function_options import (
    MAX_MEMORY,
    MAX_TIMEOUT,
    MIN_MEMORY,
    MIN_TIMEOUT,
    ON_DEMAND_INIT_SECONDS,
    ONE_VCPU,
    FunctionOptions,
)
from lambda_web_adapter.local.environments.variables import find_region

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


_SECTION = "Lambda"
PARAMETERS: list[click.Parameter] = [
    SectionOption(
        ["--environments"],
        section=_SECTION,
        type=click.IntRange(1, 1000),
        default=10,
        show_default=True,
        metavar="N",
        help="Most environments at once. Each handles one request at a time.",
    ),
    SectionOption(
        ["--concurrency"],
        section=_SECTION,
        type=click.IntRange(1, 1600),
        envvar=["AWS_LAMBDA_MAX_CONCURRENCY"],
        default=1,
        show_default=True,
        metavar="K",
        help="Requests that each environment handles at once, as on Managed Instances.",
    ),
    SectionOption(
        ["--provisioned"],
        section=_SECTION,
        type=click.IntRange(0, 1000),
        default=0,
        show_default=True,
        metavar="P",
        help="Environments that are always there.",
    ),
    SectionOption(
        ["--idle"],
        section=_SECTION,
        type=click.FloatRange(0.1, 86400),
        default=300,
        show_default=True,
        metavar="SECONDS",
        help="How long an environment may be idle before it is stopped.",
    ),
    SectionOption(
        ["--freeze/--no-freeze"],
        section=_SECTION,
        default=True,
        help="Freeze environments between requests, as Lambda does (default).",
    ),
    SectionOption(
        ["--timeout"],
        section=_SECTION,
        type=click.FloatRange(MIN_TIMEOUT, MAX_TIMEOUT),
        envvar=["AWS_LAMBDA_FUNCTION_TIMEOUT"],
        default=30,
        show_default=True,
        metavar="SECONDS",
        help="The function's timeout.",
    ),
    SectionOption(
        ["--memory"],
        section=_SECTION,
        type=click.IntRange(MIN_MEMORY, MAX_MEMORY),
        envvar=["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        default=ONE_VCPU,
        show_default=True,
        metavar="MB",
        help="The function's memory.",
    ),
    SectionOption(
        ["--throttle"],
        section=_SECTION,
        is_flag=True,
        help="Reject requests when all environments are busy; else they wait.",
    ),
    SectionOption(
        ["--strict"],
        section=_SECTION,
        is_flag=True,
        help="Start an environment at once when all are busy, as Lambda does.",
    ),
    SectionOption(
        ["--plain"], section=_SECTION, is_flag=True, help="Leave out what imitates Lambda: freezing, limits, timeouts."
    ),
    SectionOption(
        ["--dead-letter-dir"],
        section=_SECTION,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Folder for asynchronous events that were given up after their retries.",
    ),
]


def parse(values: Mapping[str, Any], environ: Mapping[str, str]) -> FunctionOptions:
    """Return the function's configuration, given the values of the options and the app's environ."""
    plain, concurrency = values["plain"], values["concurrency"]
    is_on_demand = concurrency == 1 and not values["provisioned"]
    return FunctionOptions(
        name=environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"),
        region=find_region(environ),
        environments=max(values["environments"], values["provisioned"]),
        concurrency=concurrency,
        provisioned=values["provisioned"],
        idle_seconds=values["idle"],
        freezes=values["freeze"] and not plain and concurrency == 1,
        timeout=MAX_TIMEOUT if plain else values["timeout"],
        memory=values["memory"],
        init_seconds=ON_DEMAND_INIT_SECONDS if is_on_demand and not plain else MAX_TIMEOUT,
        is_strict=values["strict"],
        has_fixed_port=bool(environ.get("AWS_LWA_PORT") or environ.get("PORT")),
        throttles=values["throttle"],
        is_plain=plain,
    )
