"""CORS of a function URL: preflight requests are answered without the function, and responses get headers.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html

For a preflight request only the configured headers count. Any other response has them beside those of the function, so
that an app that sets its own sends some of them twice, which browsers reject.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from lambda_web_adapter.local.gateways.base import OwnResponse, Response
from lambda_web_adapter.local.option_error import OptionError

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Pairs, Request

_ALL: Final = "*"
# Limits of the API above.
_Names = Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=100)]
_Origins = Annotated[list[Annotated[str, Field(min_length=1, max_length=253)]], Field(max_length=100)]
_Methods = Annotated[list[Literal["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"]], Field(max_length=6)]


class Cors(BaseModel):
    """The CORS settings of a function URL, with the names of Lambda's API."""

    model_config = ConfigDict(
        alias_generator=to_pascal, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )

    allow_credentials: bool = False
    allow_headers: _Names = Field(default_factory=list)
    allow_methods: _Methods = Field(default_factory=list)
    allow_origins: _Origins = Field(default_factory=list)
    expose_headers: _Names = Field(default_factory=list)
    max_age: Annotated[int, Field(ge=0, le=86400)] = 0

    @classmethod
    def parse(cls, document: str, name: str) -> Cors:
        """Return the settings in a JSON document: `Cors` of the API, or all that `get-function-url-config` prints.

        Raises:
            OptionError: it is not JSON, or not valid; the message begins with `name`.
        """
        try:
            if '"Cors"' in document:
                return _UrlConfig.model_validate_json(document).cors
            return cls.model_validate_json(document)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, item['loc'])) or 'the JSON'}: {item['msg']}" for item in error.errors()]
            raise OptionError(
                f"{name} has no valid CORS settings: {'; '.join(problems)}. It takes a function URL's Cors as JSON, "
                'such as {"AllowOrigins": ["http://localhost:5173"], "AllowMethods": ["GET"]}, a file with it, or *.'
            ) from None

    @classmethod
    def allow_all(cls) -> Cors:
        """Return the settings that allow every origin, method and header, without credentials."""
        return cls(allow_origins=[_ALL], allow_methods=[_ALL], allow_headers=[_ALL])

    def preflight(self, request: Request) -> OwnResponse | None:
        """Return the response to a preflight request (Fetch, "CORS-preflight request"); None for any other."""
        is_preflight = request.method == "OPTIONS" and request.header("access-control-request-method") is not None
        if not is_preflight or request.header("origin") is None:
            return None
        headers = self._origin_lines(request)
        if headers:
            lists = (("allow-methods", self.allow_methods), ("allow-headers", self.allow_headers))
            headers += [(f"access-control-{name}", ",".join(values)) for name, values in lists if values]
            headers.append(("access-control-max-age", str(self.max_age)))
        allowed = "allowed" if headers else "not allowed"
        return OwnResponse(
            response=Response(status=200, headers=[*headers, *self._vary()], body=b""),
            reason=f"a preflight request, which --cors answers: the origin is {allowed}",
        )

    def finish(self, response: Response, request: Request) -> Response:
        """Return a response with the headers that the settings add; a request without `Origin` gets none."""
        lines = self._origin_lines(request)
        if lines and self.expose_headers:
            lines.append(("access-control-expose-headers", ",".join(self.expose_headers)))
        if not lines:
            return response
        return replace(response, headers=[*response.headers, *lines, *self._vary()])

    def _origin_lines(self, request: Request) -> Pairs:
        """Return the lines that allow the request's origin; empty if it is not allowed.

        With `*` the value is `*`, or the origin if credentials are allowed, since browsers reject `*` with them. What
        Lambda sends then was not measured.
        """
        origin = request.header("origin")
        is_for_all = _ALL in self.allow_origins
        if origin is None or not (is_for_all or origin in self.allow_origins):
            return []
        lines = [("access-control-allow-origin", _ALL if is_for_all and not self.allow_credentials else origin)]
        return [*lines, ("access-control-allow-credentials", "true")] if self.allow_credentials else lines

    def _vary(self) -> Pairs:
        return [] if _ALL in self.allow_origins and not self.allow_credentials else [("vary", "Origin")]


class _UrlConfig(BaseModel):
    """What `aws lambda get-function-url-config` prints."""

    cors: Cors = Field(alias="Cors")
