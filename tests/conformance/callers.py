"""What a caller gets of a reply, as its service reads it: written from AWS's pages, apart from the package."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.columns import ALB, LATTICE, PAYLOAD_V2

if TYPE_CHECKING:
    from conformance.cells import Facts

_V1 = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_V2 = {"statusCode", "headers", "cookies", "body", "isBase64Encoded"}
_DESCRIBED = {"statusCode", "statusDescription", "headers", "body", "isBase64Encoded"}
# The keys that each service's page has; API Gateway answers 502 to a REST API's reply with any other.
ALLOWED = {
    "rest_api": _V1,
    "http_api_v1": _V1,
    "http_api_v2": _V2,
    "function_url": _V2,
    "alb_single": _DESCRIBED,
    "alb_multi": _DESCRIBED - {"headers"} | {"multiValueHeaders"},
    "vpc_lattice_v1": _DESCRIBED,
    "vpc_lattice_v2": _DESCRIBED,
    "websocket": {"statusCode", "headers", "body", "isBase64Encoded"},
    "bedrock_agent": {"messageVersion", "response"},
}
_ALLOWED_IN_AGENT_RESPONSE = {"actionGroup", "apiPath", "httpMethod", "httpStatusCode", "responseBody"}
_DESCRIBED_COLUMNS = {*ALB, *LATTICE}


@dataclass(frozen=True, kw_only=True)
class Got:
    """What a caller gets: header names in lower case, their values in order.

    Attributes:
        status: the status.
        headers: the headers.
        body: the body's bytes.
        base64: whether they came as base64.
        description: the status with its reason, from a service that shows it.
    """

    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes
    base64: bool = False
    description: str = ""

    def fact(self, name: str) -> Any:
        """One fact: an attribute, or a header's values, by its name in lower case."""
        known = ("status", "body", "base64", "description")
        return getattr(self, name) if name in known else self.headers.get(name, [])

    def facts(self, wanted: Facts) -> dict[str, Any]:
        """Those facts that are wanted."""
        return {name: self.fact(name) for name in wanted}


def got(column: str, reply: Any) -> Got:
    """Reads a reply as its service does; what the service does not know is an error."""
    assert reply.keys() - ALLOWED[column] == set()
    if column == "bedrock_agent":
        return _got_by_agent(reply["response"])
    assert type(reply["statusCode"]) is int
    assert type(reply["isBase64Encoded"]) is bool
    headers: dict[str, list[str]] = {}
    several = [(name, [value]) for name, value in reply.get("headers", {}).items()]
    for name, values in [*several, *reply.get("multiValueHeaders", {}).items()]:
        headers.setdefault(name.lower(), []).extend(values)
    if "cookies" in reply:
        assert column in PAYLOAD_V2
        headers["set-cookie"] = reply["cookies"]
    is_base64 = reply["isBase64Encoded"]
    return Got(
        status=reply["statusCode"],
        headers=headers,
        body=base64.b64decode(reply["body"], validate=True) if is_base64 else reply["body"].encode(),
        base64=is_base64,
        description=reply["statusDescription"] if column in _DESCRIBED_COLUMNS else "",
    )


def _got_by_agent(response: Any) -> Got:
    """A Bedrock agent reads text: of base64 it makes nothing."""
    assert response.keys() == _ALLOWED_IN_AGENT_RESPONSE
    [(media_type, content)] = response["responseBody"].items()
    return Got(
        status=response["httpStatusCode"],
        headers={"content-type": [media_type]},
        body=content["body"].encode(),
    )
