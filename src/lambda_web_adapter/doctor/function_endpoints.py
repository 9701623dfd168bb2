"""Which URL and which gateways call a function, by the resources of a CloudFormation template."""

from __future__ import annotations

import re
from typing import Any

_URL = "AWS::Lambda::Url"
# Resources that name the function that they call, with the kind of event source as SAM calls it.
_GATEWAYS = {
    "AWS::ApiGateway::Method": "Api",
    "AWS::ApiGateway::RestApi": "Api",  # with an OpenAPI document
    "AWS::ApiGatewayV2::Integration": "HttpApi",
    "AWS::ApiGatewayV2::Api": "HttpApi",  # with a document, or made by its target alone
}
# A REST API that streams waits 15 minutes (API Gateway Developer Guide, "Stream the integration response").
_STREAMING = "/response-streaming-invocations"


class Endpoints:
    """The resources of a template that call functions."""

    def __init__(self, resources: dict[str, Any]) -> None:
        """Take resources with all functions in them resolved."""
        self._properties: list[tuple[str, dict[str, Any]]] = []
        web_sockets = set()
        for name, resource in resources.items():
            kind, properties = str(resource.get("Type")), resource.get("Properties")
            if isinstance(properties, dict):
                self._properties.append((kind, properties))
                if properties.get("ProtocolType") == "WEBSOCKET":
                    web_sockets.add(name)
        self._properties = [each for each in self._properties if str(each[1].get("ApiId")) not in web_sockets]

    def url_of(self, name: str) -> dict[str, Any]:
        """Return the properties of a function's URL; empty without one."""
        urls = (properties for kind, properties in self._properties if kind == _URL)
        return next((url for url in urls if _names(url.get("TargetFunctionArn"), name)), {})

    def gateways_of(self, name: str) -> set[str]:
        """Return the kinds of gateways that call a function and wait half a minute for it: `Api`, `HttpApi`."""
        return {
            _GATEWAYS[kind]
            for kind, properties in self._properties
            if kind in _GATEWAYS and _names(properties, name) and _STREAMING not in str(properties)
        }


def _names(value: Any, name: str) -> bool:
    """Return whether a function's name is in a value, such as an ARN."""
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(value)))
