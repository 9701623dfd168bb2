"""Where an API of API Gateway is reached: its domain, and what its paths begin with.

On the API's own host a path begins with the stage, on a custom domain with the base path of its mapping. The client's
`Host` stays as it is, so that the links that an app makes lead back to the local run, except for a custom domain's.

Reports differ about a named stage of an HTTP API behind a custom domain: here its paths have no stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways.base import OwnResponse, Response
from lambda_web_adapter.local.gateways.event_rules import REGION

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Pairs, Request
    from lambda_web_adapter.local.gateways.options import GatewayOptions

ID = "local"
API_DOMAIN = f"{ID}.execute-api.{REGION}.amazonaws.com"
CUSTOM_DOMAIN = f"{ID}.example.com"
DEFAULT_STAGE = "$default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAddress:
    """The address of an API.

    Attributes:
        domain: `domainName` of its events.
        stage: its stage.
        prefix: what its paths begin with; empty, or with a leading slash.
        is_stage_in_path: whether the prefix is the stage.
        host: the custom domain, which events have as `Host`; empty if they have the client's.
    """

    domain: str
    stage: str
    prefix: str = ""
    is_stage_in_path: bool = False
    host: str = ""

    @classmethod
    def from_options(cls, options: GatewayOptions, *, domain: str, stage: str) -> ApiAddress:
        """Return the address that the options give an API.

        Args:
            options: the gateway's options.
            domain: the domain without options.
            stage: the stage without options.
        """
        if options.custom_domain or options.base_path:
            return cls(
                domain=options.custom_domain or CUSTOM_DOMAIN,
                stage=options.stage or stage,
                prefix=options.base_path,
                host=options.custom_domain,
            )
        if not options.stage or options.stage == DEFAULT_STAGE:
            return cls(domain=domain, stage=options.stage or stage)
        return cls(domain=API_DOMAIN, stage=options.stage, prefix=f"/{options.stage}", is_stage_in_path=True)

    @property
    def domain_prefix(self) -> str:
        """Return the domain's first label, as events have it."""
        return self.domain.partition(".")[0]

    def without_stage(self, path: str) -> str:
        """Return a path of this API without the stage; that of a custom domain has none."""
        return path.removeprefix(self.prefix) or "/" if self.is_stage_in_path else path

    def with_host(self, lines: Pairs) -> Pairs:
        """Return header lines with the custom domain as `Host`, unless the client has it there already."""
        if not self.host:
            return lines
        return [(name, value if name.lower() != "host" else self._own_host(value)) for name, value in lines]

    def _own_host(self, sent: str) -> str:
        return sent if sent.partition(":")[0].lower() == self.host else self.host

    def refuse(self, request: Request, status: int, message: str) -> OwnResponse | None:
        """Return the response to a request whose path is not below the API's prefix; None if it is."""
        path = request.raw_path
        if not self.prefix or path == self.prefix or path.startswith(f"{self.prefix}/"):
            return None
        body = f'{{"message":"{message}"}}'.encode()
        response = Response(status=status, headers=[("content-type", "application/json")], body=body)
        what = "stage" if self.is_stage_in_path else "base path"
        return OwnResponse(
            response=response, reason=f"URLs begin with the {what} {self.prefix}, as on AWS; call {self.prefix}{path}"
        )
