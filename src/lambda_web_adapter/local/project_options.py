"""Options from the project's files: `[tool.lambda-web-adapter]` of pyproject.toml, and variables in `.env`."""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

TABLE = "lambda-web-adapter"
# What other commands read from the table.
_OTHER_KEYS = frozenset({"warm"})


def options_from_pyproject(project: Path, names: Collection[str]) -> dict[str, Any]:
    """Return the options in pyproject.toml, by their parameters' names; none if there is no such file or table.

    Args:
        project: the file.
        names: the parameters' names, such as `event_source`, for which the table has `event-source`.

    Raises:
        SettingsError: the file is not valid, or has an option that there is not.
    """
    try:
        document = tomllib.loads(project.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise SettingsError(f"{project} cannot be read: {error}") from None
    tools = document.get("tool")
    table = tools.get(TABLE, {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"[tool.{TABLE}] of {project} is no table.")
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in names:
            values[name] = value
        elif key not in _OTHER_KEYS:
            raise SettingsError(
                _describe_unknown(key, project, [*(each.replace("_", "-") for each in names), *_OTHER_KEYS])
            )
    return values


def read_env_file(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a `.env` file that are not in the environ, which comes first; none without a file."""
    from dotenv import dotenv_values  # only projects with such a file need it

    if not file.is_file():
        return {}
    values = dotenv_values(file, interpolate=True)
    return {name: value for name, value in values.items() if value is not None and name not in environ}


def _describe_unknown(key: str, project: Path, names: list[str]) -> str:
    close = difflib.get_close_matches(key, names, 1)
    hint = f" Did you mean {close[0]}?" if close else f" It takes: {', '.join(sorted(names))}."
    return f"[tool.{TABLE}] of {project} has {key}, which is no option.{hint}"
