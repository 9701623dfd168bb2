"""VPC Lattice, both versions of the event structure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from lambda_web_adapter.models.base import EventPart, Flag, Reply, Status


def _as_list(value: Any) -> Any:
    """Return a list for a string, which older events of version 2 have instead."""
    return [value] if isinstance(value, str) else value


TextList = Annotated[list[str], BeforeValidator(_as_list)]


class LatticeV1Event(EventPart):
    """An event of VPC Lattice, version 1: flat, in snake case, each name with one value.

    https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
    """

    model_config = ConfigDict(alias_generator=None)

    raw_path: str
    method: str
    headers: dict[str, str] = Field(default_factory=dict)
    query_string_parameters: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    is_base64_encoded: bool = False


class LatticeIdentity(EventPart):
    """`requestContext.identity` of version 2: the caller, as far as the service's auth policy identifies it."""

    source_vpc_arn: str | None = None
    type: str | None = None
    principal: str | None = None
    principal_org_id: str | None = Field(default=None, alias="principalOrgID")
    session_name: str | None = None
    x509_issuer_ou: str | None = None
    x509_san_dns: str | None = None
    x509_san_name_cn: str | None = None
    x509_san_uri: str | None = None
    x509_subject_cn: str | None = None


class LatticeContext(EventPart):
    """`requestContext` of version 2; the time is in microseconds, as a string."""

    service_network_arn: str = ""
    service_arn: str = ""
    target_group_arn: str = ""
    identity: LatticeIdentity | None = None
    region: str = ""
    time_epoch: str = ""


class LatticeV2Event(EventPart):
    """An event of VPC Lattice, version 2.

    https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
    """

    version: Literal["2.0"] = "2.0"
    path: str
    method: str
    headers: dict[str, TextList] = Field(default_factory=dict)
    query_string_parameters: dict[str, TextList] = Field(default_factory=dict)
    request_context: LatticeContext
    body: str | None = None
    is_base64_encoded: bool = False


class LatticeReply(Reply):
    """A reply to VPC Lattice, the same for both versions.

    https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
    """

    status_code: Status
    status_description: str | None = None
    headers: dict[str, str] | None = None
    body: str | None = None
    is_base64_encoded: Flag = False
