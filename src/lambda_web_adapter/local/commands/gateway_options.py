"""The options of gateways, and where they listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.event_sources import EVENT_SOURCES, WEBSOCKET
from lambda_web_adapter.local.listeners import Listener, parse_listeners
from lambda_web_adapter.local.option_error import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambda_web_adapter.local.gateways import GatewayOptions
    from lambda_web_adapter.local.tls import Certificate

_SECTION = "Gateway options"


def _option(name: str, metavar: str, text: str) -> SectionOption:
    return SectionOption([name], section=_SECTION, metavar=metavar, help=text)


PARAMETERS: list[click.Parameter] = [
    SectionOption(
        ["--listen"],
        section="Gateway",
        multiple=True,
        metavar="NAME:PORT",
        help="Serve this gateway on this port; several of them at once.",
    ),
    _option("--stage", "NAME", "Stage of an API, with which URLs then begin."),
    _option("--base-path", "PATH", "Base path of a custom domain's mapping, such as /shop."),
    _option("--custom-domain", "DOMAIN", "Custom domain of an API, such as shop.localhost."),
    _option("--binary-media-types", "TYPES", "Binary types of a REST API, such as image/*, or none."),
    _option("--cors", "JSON", "CORS of a function URL: JSON, a file with it, or *."),
    _option("--authorizer", "FILE", "JSON file that says who calls."),
    SectionOption(
        ["--tls"], section=_SECTION, is_flag=True, help="Serve https, with a certificate made for this machine."
    ),
    _option("--tls-cert", "FILE", "Certificate of your own for https."),
    _option("--tls-key", "FILE", "Its key."),
]


# Options that have no effect beside `--listen`, and what to do.
_WITHOUT_LISTEN = {
    "event_source": "Name all gateways by --listen, or one by --event-source.",
    "port": "Name each gateway's port in --listen, or one gateway by --event-source and --port.",
}


def parse_listen(values: Mapping[str, Any]) -> tuple[Listener, ...]:
    """Return the listeners of `--listen`, or the one of `--event-source`, `--host` and `--port`.

    Raises:
        click.UsageError: a listener is not valid, or `--event-source` names another gateway.
    """
    if not values["listen"]:
        return (Listener(source=values["event_source"], host=values["host"], port=values["port"]),)
    context = click.get_current_context()
    for name, advice in _WITHOUT_LISTEN.items():
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise click.UsageError(advice)
    try:
        return parse_listeners(values["listen"], values["host"], (*EVENT_SOURCES, WEBSOCKET))
    except OptionError as error:
        raise click.UsageError(str(error)) from None


def parse_gateway_options(values: Mapping[str, Any], listeners: tuple[Listener, ...]) -> GatewayOptions | None:
    """Return the options of the gateways; None if there are none, so that the gateways' models are not imported yet.

    Raises:
        click.UsageError: an option is not valid, or none of the gateways has it.
    """
    names = ("stage", "base_path", "custom_domain", "binary_media_types", "cors", "authorizer")
    present: dict[str, str] = {name: values[name] for name in names if values[name] is not None}
    if not present:
        return None
    from lambda_web_adapter.local.gateways.options import GatewayOptions, parsers

    try:
        options = GatewayOptions(**{name: parsers()[name](value) for name, value in present.items()})
        options.check(listener.source for listener in listeners)
    except OptionError as error:
        raise click.UsageError(str(error)) from None
    return options


def find_certificate(values: Mapping[str, Any], environ: Mapping[str, str]) -> Certificate | None:
    """Return the certificate to serve with, which may be made for it; None without TLS.

    Raises:
        click.UsageError: there is no usable certificate.
    """
    if not (values["tls"] or values["tls_cert"] or values["tls_key"]):
        return None
    from lambda_web_adapter.local.tls import cache_folder, made_certificate, own_certificate

    try:
        return own_certificate(values["tls_cert"], values["tls_key"]) or made_certificate(cache_folder(environ))
    except OptionError as error:
        raise click.UsageError(str(error)) from None
