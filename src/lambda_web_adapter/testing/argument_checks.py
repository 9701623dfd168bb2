"""Checks of what a test passes to a transport: each error says what was expected, what came, and what to do."""

from __future__ import annotations

import os
import warnings
from numbers import Real
from types import ModuleType
from typing import TYPE_CHECKING

import httpx

from lambda_web_adapter.app.discovery.module_search import find_name
from lambda_web_adapter.app.discovery.names import HINT
from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.setting_notes import notes
from lambda_web_adapter.settings import unclear_variables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HINT = (
    "Pass the app, or its name such as main:app, to LambdaTransport, or name it with lambda_app in pytest's "
    'configuration. With pythonpath = ["."] there, pytest finds the modules of the project\'s folder.'
)


NOTHING_RAISED = (
    "raise_app_exceptions has no effect with as_process: what the app raises stays in its process, and "
    "transport.last.log has the traceback. Leave out one of them."
)


def check_arguments(app: Any, environ: Mapping[str, Any], *, timeout: Any, memory: Any) -> None:
    """Raise TypeError or ValueError if an argument of LambdaTransport cannot be meant so."""
    check_positive("timeout", timeout)
    check_positive("memory", memory)
    _check_environ(environ)
    _check_is_no_module(app)


def check_positive(name: str, value: Any) -> None:
    """Raise ValueError unless a value is a number above 0."""
    if not _is_number(value) or value <= 0:
        raise ValueError(f"{name} is {value!r}, but it takes a number above 0.")


def check_not_negative(name: str, value: Any) -> None:
    """Raise ValueError unless a value is a number of 0 or more."""
    if not _is_number(value) or value < 0:
        raise ValueError(f"{name} is {value!r}, but it takes a number of 0 or more.")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _check_environ(environ: Mapping[str, Any]) -> None:
    """Warn about variables that look like settings, but are none."""
    for _, text in notes(unclear_variables(environ), {**os.environ, **environ}):
        warnings.warn(text, UserWarning, stacklevel=4)


def check_has_host(request: httpx.Request) -> None:
    """Raise UnsupportedProtocol if the URL of a request is only a path."""
    if not request.url.host:
        raise httpx.UnsupportedProtocol(
            f'The URL {str(request.url)!r} has no host: pass base_url="https://test" to the client.', request=request
        )


def _check_is_no_module(app: Any) -> None:
    """Raise TypeError if what is passed as the app is the module that has it."""
    if isinstance(app, ModuleType):
        try:
            advice = f"Did you mean {app.__name__}.{find_name(app)}?"
        except AppNotFound as error:
            advice = in_words_of_tests(error)
        raise TypeError(f"The app is the module {app.__name__!r}. {advice}")


def in_words_of_tests(error: AppNotFound) -> str:
    """Return what an error says, with advice for a test instead of for the command line."""
    return str(error).replace(HINT, _HINT)
