"""Log lines about variables that look like settings: old names, settings of other adapters, misspelled ones.

The module, and difflib with it, is imported only if there is such a variable.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lambda_web_adapter.settings import OPTIONS, PREFIX, Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ASYNC_INIT = (
    "is always on in this adapter: if an app is not ready after 9.8 s of an on-demand init phase, the first "
    "invocation waits for it; where Lambda gives the init phase more time, that time is used."
)
_TLS = "is not needed: adapter and app use plain HTTP within one environment."
# Settings of the AWS Lambda Web Adapter that this adapter does not need.
_NEEDLESS = {
    "AWS_LWA_ASYNC_INIT": _ASYNC_INIT,
    "ASYNC_INIT": _ASYNC_INIT,
    "AWS_LWA_ENABLE_TLS": _TLS,
    "AWS_LWA_TLS_SERVER_NAME": _TLS,
    "AWS_LWA_TLS_CERT_FILE": _TLS,
    "AWS_LWA_EXTENSION_REGISTER_BASE_MS": "is not needed: the function also works without an extension.",
}
# Settings of the AWS Lambda Web Adapter that a setting with another meaning has replaced.
_HEALTHY = (
    "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS lists the statuses that count as healthy; for 500 as the lowest unhealthy "
    "one, set it to 100-499."
)
_REPLACED = {
    "AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS": _HEALTHY,
    "READINESS_CHECK_MIN_UNHEALTHY_STATUS": _HEALTHY,
}
# How similar, from 0 to 1, a name must be to a setting's to count as misspelled: the part after the prefix AWS_LWA_, or
# the whole name if it lacks the prefix, since then it may be another program's.
_SIMILAR = 0.6
_VERY_SIMILAR = 0.85


def notes(names: Iterable[str], environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the level and text of each log line.

    Args:
        names: the variables to explain, from `settings.unclear_variables`.
        environ: all environment variables.
    """
    messages = [(name, *_note(name, environ)) for name in names]
    return [(level, f"{name} {text}") for name, level, text in messages if text]


def _note(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    if name in _NEEDLESS:
        return "INFO", _NEEDLESS[name]
    new_names = {old: option.variables[0] for option in OPTIONS for old in _old_names(option)}
    if name in new_names:
        applies = environ[name] and not environ.get(new_names[name])
        return "WARNING", f"is an old name. Use {new_names[name]} instead." if applies else ""
    if advice := _REPLACED.get(name) or _advice(name):
        return "WARNING", f"is not a setting of this version, and has no effect. {advice}"
    return "", ""


def _old_names(option: Option) -> tuple[str, ...]:
    return option.variables[1:]


def _advice(name: str) -> str:
    """Return advice about a misspelled name; empty if the variable is probably another program's."""
    likely = _closest_setting(name.upper())
    if likely in _NEEDLESS:
        return f"Did you mean {likely}? That setting {_NEEDLESS[likely]}"
    if likely:
        return f"Did you mean {likely}?"
    return "docs/settings.md lists the settings." if name.startswith(PREFIX) else ""


def _closest_setting(name: str) -> str:
    names: list[str] = [*(option.variables[0] for option in OPTIONS), *_NEEDLESS]
    if name.startswith(PREFIX):  # all share it, so that it would make all similar
        suffixes = [variable.removeprefix(PREFIX) for variable in names if variable.startswith(PREFIX)]
        matches = get_close_matches(name.removeprefix(PREFIX), suffixes, 1, _SIMILAR)
        return PREFIX + matches[0] if matches else ""
    for candidate in (name, PREFIX + name):
        if matches := get_close_matches(candidate, names, 1, _VERY_SIMILAR):
            return matches[0]
    return ""
