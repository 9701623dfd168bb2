"""Values of a gateway's options, as a test has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.gateways.authorizer import Authorizer
from lambda_web_adapter.local.gateways.cors import Cors
from lambda_web_adapter.local.gateways.options import parse_binary_media_types
from lambda_web_adapter.local.option_error import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


@contextmanager
def naming_arguments() -> Iterator[None]:
    """Have the errors of options name arguments: `base_path`, not `--base-path`."""
    try:
        yield
    except OptionError as error:
        raise OptionError(_OPTION.sub(lambda match: match[1].replace("-", "_"), str(error))) from None


def media_types_from(value: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return media types as a gateway's options have them; raise OptionError if one is none."""
    if value is None:
        return None
    return parse_binary_media_types(",".join([value] if isinstance(value, str) else value) or "none")


def cors_from(value: Cors | Mapping[str, Any] | str | None) -> Cors | None:
    """Return CORS settings, from a mapping or for `*`; raise OptionError if they are not valid."""
    if value is None or isinstance(value, Cors):
        return value
    if value == "*":
        return Cors.allow_all()
    return Cors.parse(json.dumps(dict(value) if isinstance(value, Mapping) else value), "cors")


def authorizer_from(value: Authorizer | Mapping[str, Any] | None) -> Authorizer:
    """Return the caller of events, from a mapping; raise OptionError if it is not valid."""
    if value is None:
        return Authorizer()
    return value if isinstance(value, Authorizer) else Authorizer.parse(json.dumps(dict(value)).encode(), "authorizer")
