"""Find the app of a Django project: `manage.py` names the settings, and the settings name the app."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.app.discovery.names import Target
from lambda_web_adapter.app.discovery.source_scan import environ_default
from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.ipc import start_file

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from typing import Any

VARIABLE = "DJANGO_SETTINGS_MODULE"
# What Django's own server takes if the settings name no app.
_DEFAULT = Target("django.core.wsgi", "get_wsgi_application")
# Packages whose `runserver` serves ASGI_APPLICATION.
_ASGI_SERVERS = ("channels", "daphne")


def find(manage: Path, environ: MutableMapping[str, str]) -> Target | None:
    """Return the app of a Django project; None if its `manage.py` is of something else.

    Args:
        manage: the project's `manage.py`.
        environ: the environment variables; the name of the settings is put there, unless it is there.

    Raises:
        AppNotFound: the name of the settings is not clear.
        BaseException: anything that the project's settings raise.
    """
    named = environ_default(manage, VARIABLE)
    if named is None:
        return None
    folder = str(manage.parent)
    start_file.put_in_path(folder)
    is_named_by_user = bool(environ.get(VARIABLE))
    if not is_named_by_user:
        if not named:
            raise AppNotFound(f"{manage} computes {VARIABLE}. Set that variable to the name of the settings.")
        environ[VARIABLE] = named
    target = _app_of_settings(environ[VARIABLE])
    if not is_named_by_user:
        _check_other_default(target, named)
    return Target(target.module, target.attribute, target.call, (folder,))


def _app_of_settings(settings_module: str) -> Target:
    settings: Any = import_module("django.conf").settings
    names = [getattr(settings, f"{interface}_APPLICATION", None) for interface in ("WSGI", "ASGI")]
    if any(app.split(".")[0] in _ASGI_SERVERS for app in settings.INSTALLED_APPS):
        names.reverse()
    for name in filter(None, names):
        module, _, attribute = name.rpartition(".")
        return Target(module, attribute)
    return next(_beside_settings(settings_module), _DEFAULT)


def _beside_settings(settings_module: str) -> Iterator[Target]:
    """Yield `wsgi` and `asgi` in the packages that the settings are in, the innermost first."""
    package = settings_module
    while package:
        package = package.rpartition(".")[0]
        for name in ("wsgi", "asgi"):
            if (module := f"{package}.{name}".lstrip(".")) and find_spec(module):
                yield Target(module, "application")


def _check_other_default(target: Target, named: str) -> None:
    """Raise AppNotFound if the app's module, as other servers run it, is for other settings than `manage.py`."""
    spec: Any = find_spec(target.module)
    if spec is None or not spec.origin:
        return
    other = environ_default(Path(spec.origin), VARIABLE)
    if other and other != named:
        raise AppNotFound(
            f"manage.py is for the settings {named}, {Path(spec.origin).name} for {other}. "
            f"Set {VARIABLE} to one of them."
        )
