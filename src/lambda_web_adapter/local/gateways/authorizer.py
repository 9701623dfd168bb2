"""What an authorizer has found out about the caller, in the place where each event source has it.

Nobody is checked: every request is from the caller in the file.
"""

from __future__ import annotations

import base64
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import from_json, to_json

from lambda_web_adapter.local.gateways.event_rules import ACCOUNT, REGION
from lambda_web_adapter.local.option_error import OptionError
from lambda_web_adapter.models import LatticeIdentity, PayloadV1Identity

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Pairs

_ADVICE = (
    'It takes a JSON object: a token\'s claims, such as {"sub": "alice"}, or any of "claims", "scopes", "context" and '
    '"iam", each with an object ("scopes" with a list).'
)
# How similar, from 0 to 1, a name must be to that of a section to count as misspelled.
_SIMILAR = 0.8
_LOAD_BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/local/0123456789abcdef"


class IamCaller(BaseModel):
    """The caller of a request signed with SigV4, with the names of payload 2.0's `authorizer.iam`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    access_key: str | None = None
    account_id: str | None = ACCOUNT
    caller_id: str | None = None
    cognito_identity: dict[str, JsonValue] | None = None
    principal_org_id: str | None = None
    user_arn: str | None = None
    user_id: str | None = None


class Authorizer(BaseModel):
    """What is known about the caller; each event source takes the first that it can have.

    Attributes:
        claims: the claims of a token: JWT, Cognito user pool, or OpenID Connect of a load balancer.
        scopes: the scopes of a JWT.
        context: what a Lambda authorizer has returned, `principalId` included.
        iam: the caller that IAM has found.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claims: dict[str, JsonValue] | None = None
    scopes: list[str] | None = None
    context: dict[str, JsonValue] | None = None
    iam: IamCaller | None = None

    @classmethod
    def parse(cls, document: bytes, name: str) -> Authorizer:
        """Return what a JSON document says; an object with none of our keys has a token's claims.

        Raises:
            OptionError: it is not JSON, or not valid; the message begins with `name`.
        """
        misspelled = ""
        try:
            parsed = from_json(document)
            if isinstance(parsed, dict) and parsed and not parsed.keys() & cls.model_fields.keys():
                misspelled = _misspelled_section(parsed)
                parsed = parsed if misspelled else {"claims": parsed}
            return cls.model_validate(parsed)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, item['loc'])) or 'the JSON'}: {item['msg']}" for item in error.errors()]
            hint = f"Did you mean {misspelled!r}? " if misspelled else ""
            raise OptionError(f"{name} is not valid: {'; '.join(problems)}. {hint}{_ADVICE}") from None
        except ValueError as error:
            raise OptionError(f"{name} is not JSON: {error}. {_ADVICE}") from None

    @property
    def sections(self) -> set[str]:
        """Return which of the sections there are that a source needs one of."""
        return {name for name in ("claims", "context", "iam") if getattr(self, name) is not None}

    def for_payload_v2(self) -> dict[str, Any] | None:
        """Return `requestContext.authorizer` of an HTTP API with payload 2.0.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
        """
        if self.claims is not None:
            return {"jwt": {"claims": _texts(self.claims, _list_of_http_api), "scopes": self.scopes}}
        if self.context is not None:
            return {"lambda": {name: value for name, value in self.context.items() if name != "principalId"}}
        return self.for_function_url()

    def for_http_api_v1(self) -> dict[str, Any] | None:
        """Return `requestContext.authorizer` of an HTTP API with payload 1.0."""
        if self.claims is not None:
            return {"claims": _texts(self.claims, _list_of_http_api), "scopes": self.scopes}
        return self.context

    def for_rest_api(self) -> dict[str, Any] | None:
        """Return `requestContext.authorizer` of a REST API: a Lambda authorizer's context comes as text.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
        """
        if self.claims is not None:
            return {"claims": _texts(self.claims, ",".join)}
        return self.for_websocket_api()

    def for_websocket_api(self) -> dict[str, Any] | None:
        """Return `requestContext.authorizer` of a WebSocket API, which has only Lambda authorizers besides IAM."""
        return None if self.context is None else _texts(self.context, _list_of_http_api)

    def for_function_url(self) -> dict[str, Any] | None:
        """Return `requestContext.authorizer` of a function URL with the auth type AWS_IAM."""
        return None if self.iam is None else {"iam": self.iam.model_dump(by_alias=True)}

    def identity_v1(self, source_ip: str, user_agent: str | None) -> PayloadV1Identity:
        """Return payload 1.0's `requestContext.identity`, which has the caller that IAM has found."""
        if self.iam is None or self.claims is not None or self.context is not None:
            return PayloadV1Identity(source_ip=source_ip, user_agent=user_agent)
        return PayloadV1Identity(
            access_key=self.iam.access_key,
            account_id=self.iam.account_id,
            caller=self.iam.caller_id,
            principal_org_id=self.iam.principal_org_id,
            source_ip=source_ip,
            user=self.iam.user_id,
            user_agent=user_agent,
            user_arn=self.iam.user_arn,
        )

    def lattice_identity(self, source_vpc_arn: str) -> LatticeIdentity:
        """Return `requestContext.identity` of VPC Lattice, version 2, for a request that an auth policy admits."""
        if self.iam is None:
            return LatticeIdentity(source_vpc_arn=source_vpc_arn)
        arn = self.iam.user_arn or ""
        return LatticeIdentity(
            source_vpc_arn=source_vpc_arn,
            type="AWS_IAM",
            principal=self.iam.user_arn,
            principalOrgID=self.iam.principal_org_id,
            session_name=arn.rpartition("/")[2] if ":assumed-role/" in arn else None,
        )

    def with_oidc_lines(self, lines: Pairs) -> Pairs:
        """Return a request's header lines with those that a load balancer adds after a login.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
        """
        if self.claims is None:
            return lines
        added = [
            ("x-amzn-oidc-accesstoken", "local-access-token"),
            ("x-amzn-oidc-identity", str(self.claims.get("sub", ""))),
            ("x-amzn-oidc-data", _load_balancer_token(self.claims)),
        ]
        return [*(line for line in lines if not line[0].lower().startswith("x-amzn-oidc-")), *added]


def _misspelled_section(claims: dict[str, Any]) -> str:
    """Return the section that a name stands for, such as `claims` for `claim`; empty if there is none."""
    sections = list(Authorizer.model_fields)
    for name, value in claims.items():
        if isinstance(value, (dict, list)) and (matches := get_close_matches(name.lower(), sections, 1, _SIMILAR)):
            return matches[0]
    return ""


def _texts(values: dict[str, JsonValue], list_to_text: Any) -> dict[str, str]:
    """Return values as API Gateway's text."""
    return {name: _text(value, list_to_text) for name, value in values.items()}


def _text(value: JsonValue, list_to_text: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return str(list_to_text([_text(item, list_to_text) for item in value]))
    return to_json(value).decode()


def _list_of_http_api(items: list[str]) -> str:
    """Return a list such as `cognito:groups` as HTTP APIs write it."""
    return f"[{' '.join(items)}]"


def _load_balancer_token(claims: dict[str, JsonValue]) -> str:
    """Return the claims as a load balancer's JWT, with padding as there; its signature is made of zeros."""
    header = {"typ": "JWT", "alg": "ES256", "kid": "local", "signer": _LOAD_BALANCER, "iss": str(claims.get("iss", ""))}
    parts = (to_json(header), to_json(claims), bytes(64))
    return ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
