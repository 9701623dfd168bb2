"""The options of gateways, read from the values of the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways.authorizer import Authorizer
from lambda_web_adapter.local.gateways.cors import Cors
from lambda_web_adapter.local.option_error import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Names of stages: "CreateStage" of both versions of API Gateway's API.
_STAGE = re.compile(r"[A-Za-z0-9_-]{1,128}")
# "Set up API mappings": letters, numbers and these characters.
_BASE_PATH = re.compile(r"(/[A-Za-z0-9$_.+!*'()-]+)+")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_MEDIA_TYPE = re.compile(r"\*/\*|[a-z0-9!#$&^_.+-]+/([a-z0-9!#$&^_.+-]+|\*)")
_NONE = "none"

_HTTP_APIS = ("rest-api", "http-api-v1", "http-api-v2")
_API_GATEWAY = (*_HTTP_APIS, "websocket")
# The event sources that have each option. A WebSocket API here has no custom domain, since the app finds `@connections`
# at the domain in its events.
_SOURCES = {
    "stage": _API_GATEWAY,
    "base_path": _HTTP_APIS,
    "custom_domain": _HTTP_APIS,
    "binary_media_types": ("rest-api",),
    "cors": ("function-url",),
}
# The event sources that have each section of the authorizer's file.
_SECTIONS = {
    "claims": (*_HTTP_APIS, "alb", "alb-multi"),
    "context": _API_GATEWAY,
    "iam": (*_HTTP_APIS, "function-url", "vpc-lattice-v2"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """The options of a gateway; each gateway uses those that it has on AWS.

    Attributes:
        stage: the stage; empty for the gateway's own default.
        base_path: the base path of a custom domain's mapping, with a leading slash; empty if there is none.
        custom_domain: the custom domain; empty if there is none.
        binary_media_types: a REST API's `binaryMediaTypes`, in lower case; None for all types that are not text.
        cors: a function URL's CORS settings.
        authorizer: what the events say about the caller.
    """

    stage: str = ""
    base_path: str = ""
    custom_domain: str = ""
    binary_media_types: tuple[str, ...] | None = None
    cors: Cors | None = None
    authorizer: Authorizer = field(default_factory=Authorizer)

    def check(self, sources: Iterable[str]) -> None:
        """Check that each option is one of the event sources that are served.

        Raises:
            OptionError: an option has no effect on any of them.
        """
        served = list(sources)
        for name, having in _SOURCES.items():
            if getattr(self, name) not in ("", None) and not set(having) & set(served):
                raise OptionError(f"--{name.replace('_', '-')} is for {_join(having)}, but {_join(served)} is served.")
        if self.stage == "$default" and "rest-api" in served:
            raise OptionError("A REST API has no stage $default: name another one with --stage, such as prod.")
        if self.authorizer != Authorizer():
            _check_sections(self.authorizer, served)


def _check_sections(authorizer: Authorizer, served: list[str]) -> None:
    possible = [section for section, having in _SECTIONS.items() if set(having) & set(served)]
    if authorizer.sections & set(possible):
        return
    if not possible:
        raise OptionError(f"--authorizer has no effect: events of {_join(served)} have no place for the caller.")
    needed, present = _join(map(repr, possible)), _join(map(repr, sorted(authorizer.sections))) or "none of them"
    example = f'{{"{possible[0]}": {{…}}}}'
    raise OptionError(
        f"--authorizer: events of {_join(served)} have only {needed}, but it has {present}. Have it say {example}."
    )


def _join(names: Iterable[str]) -> str:
    *first, last = [*names] or [""]
    return f"{', '.join(first)} or {last}" if first else last


def parsers() -> dict[str, Callable[[str], Any]]:
    """Return the function that parses each option's value, by the option's name in `GatewayOptions`."""
    return {
        "stage": parse_stage,
        "base_path": parse_base_path,
        "custom_domain": parse_custom_domain,
        "binary_media_types": parse_binary_media_types,
        "cors": read_cors,
        "authorizer": read_authorizer,
    }


def parse_stage(value: str) -> str:
    """Return the name of a stage.

    Raises:
        OptionError: it is not one.
    """
    if value != "$default" and not _STAGE.fullmatch(value):
        raise OptionError(
            f"--stage is {value!r}, but a stage has letters, digits, - and _, such as prod, or is $default."
        )
    return value


def parse_base_path(value: str) -> str:
    """Return a base path with a leading slash, and without one at its end.

    Raises:
        OptionError: it is not one.
    """
    path = f"/{value.strip('/')}"
    if not _BASE_PATH.fullmatch(path):
        raise OptionError(
            f"--base-path is {value!r}, but it takes a path such as /shop, without characters like % and ?."
        )
    return path


def parse_custom_domain(value: str) -> str:
    """Return a domain name in lower case.

    Raises:
        OptionError: it is not one.
    """
    if not _DOMAIN.fullmatch(value.lower()):
        raise OptionError(
            f"--custom-domain is {value!r}, but it takes a name such as api.example.com, without scheme, port and path."
        )
    return value.lower()


def parse_binary_media_types(value: str) -> tuple[str, ...]:
    """Return media types in lower case; none of them for `none`.

    Raises:
        OptionError: one of them is not a media type.
    """
    if value == _NONE:
        return ()
    types = tuple(entry.strip().lower() for entry in value.split(","))
    for entry in types:
        if not _MEDIA_TYPE.fullmatch(entry):
            raise OptionError(
                f"--binary-media-types has {entry!r}, but it takes types such as image/*,application/pdf, or none."
            )
    return types


def read_cors(value: str) -> Cors:
    """Return CORS settings from their JSON, from a file with it, or for `*`.

    Raises:
        OptionError: there is no such file, or the settings are not valid.
    """
    if value == "*":
        return Cors.allow_all()
    if value.lstrip().startswith("{"):
        return Cors.parse(value, "--cors")
    return Cors.parse(_read(value, "--cors").decode("utf-8", "replace"), value)


def read_authorizer(path: str) -> Authorizer:
    """Return what a file says about the caller.

    Raises:
        OptionError: there is no such file, or it is not valid.
    """
    return Authorizer.parse(_read(path, "--authorizer"), path)


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise OptionError(f"{option} names the file {path}, which cannot be read: {error.strerror}.") from None
