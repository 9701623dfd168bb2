"""Options from the project's files: `[tool.lambda-web-adapter]` of pyproject.toml, and variables in `.env`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lambda_web_adapter.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TABLE = "lambda-web-adapter"
# What other commands read from the table; `package` has a table of its own in it.
_OTHER_KEYS = frozenset({"warm", "package"})


def options_from_pyproject(project: Path, parameters: Sequence[click.Parameter], table: str = "") -> dict[str, Any]:
    """Return the options in pyproject.toml, by their parameters' names; none if there is no such file or table.

    Args:
        project: the file.
        parameters: the command's parameters; `--event-source` is `event-source` in the table, the argument APP `app`.
        table: the table within the table that is read; empty for none.

    Raises:
        SettingsError: the file is not valid, has an option that there is not, or a value that it does not take.
    """
    by_key = {_key(each): each for each in parameters}
    other_keys = frozenset() if table else _OTHER_KEYS
    name = f"{TABLE}.{table}" if table else TABLE
    document = read_table(project)
    values: dict[str, Any] = {}
    for key, value in (document.get(table, {}) if table else document).items():
        if parameter := by_key.get(key):
            values[parameter.name or ""] = _check(value, parameter, f"[tool.{name}] of {project} has {key} = ")
        elif key not in other_keys:
            raise SettingsError(f"[tool.{name}] of {project} has {key}, {_hint(key, [*by_key, *other_keys])}")
    return values


def read_env_file(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a `.env` file that are not in the environ, which comes first; none without a file.

    Raises:
        SettingsError: the file cannot be read, or has what no variable can have.
    """
    if not file.is_file():
        return {}
    from dotenv import dotenv_values  # only projects with such a file need it

    try:
        values = dotenv_values(file, interpolate=True)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}. Save it as UTF-8.") from None
    for name, value in values.items():
        if "=" in name or "\0" in f"{name}{value}":
            raise SettingsError(f"{file} has {name!r}, but no variable has an equals sign in its name, or a NUL.")
    return {name: value for name, value in values.items() if value is not None and name not in environ}


def read_table(project: Path) -> dict[str, Any]:
    """Return the table of pyproject.toml; empty if there is none.

    Raises:
        SettingsError: the file is not valid.
    """
    if not project.exists():
        return {}
    import tomllib  # only projects with such a file need it

    try:
        document = tomllib.loads(project.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise SettingsError(f"{project} cannot be read: {error}") from None
    tools = document.get("tool")
    table = tools.get(TABLE, {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"[tool.{TABLE}] of {project} is no table.")
    return table


def _key(parameter: click.Parameter) -> str:
    """Return the key of a parameter: an option's name without dashes, an argument's name."""
    names = [name for name in parameter.opts if name.startswith("--")]
    return names[0].strip("-") if names else parameter.name or ""


def _check(value: Any, parameter: click.Parameter, place: str) -> Any:
    """Return the value, if the parameter takes it: click checks it only when the option is used."""
    is_flag = isinstance(parameter, click.Option) and parameter.is_flag
    is_list = parameter.multiple if isinstance(parameter, click.Option) else False
    expected = "true or false" if is_flag else "a list" if is_list else "a number or a text"
    types: tuple[type, ...] = (bool,) if is_flag else (list,) if is_list else (str, int, float)
    is_expected = isinstance(value, types) and (is_flag or not isinstance(value, bool))  # a bool is an int, too
    if not is_expected:
        raise SettingsError(f"{place}{_as_toml(value)}, but it takes {expected}.")
    try:
        for each in value if is_list else [value]:
            parameter.type.convert(each, parameter, None)
    except click.BadParameter as error:
        raise SettingsError(f"{place}{_as_toml(value)}: {error.message}") from None
    return value


def _as_toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _hint(key: str, keys: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(key, keys, 1)
    hint = f"Did you mean {close[0]}?" if close else f"It takes: {', '.join(sorted(keys))}."
    return f"which is no option. {hint}"
