"""What to tell of variables that look like settings but are none: old names, those of other adapters, misspelled ones.

Nobody pays for this module, or for difflib, who has none of them.
"""

from __future__ import annotations

from dataclasses import Field, fields
from difflib import get_close_matches

from lambda_web_adapter.settings import PREFIX, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ASYNC_INIT = (
    "is always on in this adapter: an app that is not ready after 9.8 s of an init phase on demand is waited for "
    "within the first invocation, and where Lambda gives the init phase more time, that is used."
)
_TLS = "is not needed: adapter and app talk by plain HTTP within one environment."
# Settings of the AWS Lambda Web Adapter that there is nothing to set for here.
_NEEDLESS = {
    "AWS_LWA_ASYNC_INIT": _ASYNC_INIT,
    "ASYNC_INIT": _ASYNC_INIT,
    "AWS_LWA_ENABLE_TLS": _TLS,
    "AWS_LWA_TLS_SERVER_NAME": _TLS,
    "AWS_LWA_TLS_CERT_FILE": _TLS,
    "AWS_LWA_EXTENSION_REGISTER_BASE_MS": "is not needed: without an extension the function works as well.",
}
# Those that had another meaning than what there is now.
_HEALTHY = (
    "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS lists the statuses that count as healthy; for 500 as the lowest unhealthy "
    "one, set it to 100-499."
)
_REPLACED = {
    "AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS": _HEALTHY,
    "READINESS_CHECK_MIN_UNHEALTHY_STATUS": _HEALTHY,
}
# How alike two names are, from 0 to 1, so that one is taken for the other misspelled: behind the prefix, and as wholes
# where it may be somebody else's variable.
_ALIKE = 0.6
_MISTAKABLE = 0.85


def notes(names: Iterable[str], environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what to tell: levels and lines for the log.

    Args:
        names: the variables that it is about, of `settings.unclear_variables`.
        environment: the values of all variables.
    """
    messages = [(name, *_note(name, environment)) for name in names]
    return [(level, f"{name} {text}") for name, level, text in messages if text]


def _note(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    if name in _NEEDLESS:
        return "INFO", _NEEDLESS[name]
    old = {variable: option.metadata["variables"][0] for option in fields(Settings) for variable in _old(option)}
    if name in old:
        applies = environment[name] and not environment.get(old[name])
        return "WARNING", f"is an old name; call it {old[name]}." if applies else ""
    if advice := _REPLACED.get(name) or _advice(name):
        return "WARNING", f"is not a setting of this version, and has no effect. {advice}"
    return "", ""


def _old(option: Field[object]) -> tuple[str, ...]:
    variables: tuple[str, ...] = option.metadata["variables"]
    return variables[1:]


def _advice(name: str) -> str:
    """Return what may be meant by a name; nothing if it is more likely not one of ours."""
    likely = _likely(name.upper())
    if likely in _NEEDLESS:
        return f"Did you mean {likely}? That setting {_NEEDLESS[likely]}"
    if likely:
        return f"Did you mean {likely}?"
    return "docs/settings.md lists the settings." if name.startswith(PREFIX) else ""


def _likely(name: str) -> str:
    names = [option.metadata["variables"][0] for option in fields(Settings)] + [*_NEEDLESS]
    if name.startswith(PREFIX):  # what all have in common makes no two of them alike
        rests = [variable.removeprefix(PREFIX) for variable in names if variable.startswith(PREFIX)]
        return "".join(PREFIX + matches for matches in get_close_matches(name.removeprefix(PREFIX), rests, 1, _ALIKE))
    matches = get_close_matches(name, names, 1, _MISTAKABLE) or get_close_matches(PREFIX + name, names, 1, _MISTAKABLE)
    return matches[0] if matches else ""
