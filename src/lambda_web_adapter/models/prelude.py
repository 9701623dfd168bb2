"""Preludes: the JSON that precedes a streamed body. Eight NUL bytes separate it from the body."""

from __future__ import annotations

from lambda_web_adapter.models.base import HeaderText, Reply, Status


class FunctionUrlPrelude(Reply):
    """A prelude for a function URL with the invoke mode `RESPONSE_STREAM`.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
    """

    status_code: Status
    headers: dict[str, HeaderText] | None = None
    cookies: list[str] | None = None


class RestApiPrelude(FunctionUrlPrelude):
    """A prelude for a REST API with the response transfer mode `STREAM`; unlike a reply, it has a list of cookies.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
    """

    multi_value_headers: dict[str, list[HeaderText]] | None = None
