"""The two headers with the context: the Rust adapter's names and shapes, in ASCII whatever they hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.app_api.current_invocation import Invocation as AppInvocation
from lambda_web_adapter.http.messages import Invocation
from lambda_web_adapter.ipc import envelope
from lambda_web_adapter.ipc.context_headers import (
    LAMBDA_CONTEXT,
    MAX_HEADER_BYTES,
    REQUEST_CONTEXT,
    ContextHeaders,
    build_trace_headers,
)

ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "shop",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/23/[$LATEST]abc",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop",
}
CLIENT_CONTEXT = {
    "client": {
        "installation_id": "i",
        "app_title": "t",
        "app_version_name": "1.2",
        "app_version_code": "12",
        "app_package_name": "p",
    },
    "custom": {"colour": "grün"},
    "env": {"locale": "de"},
}
IDENTITY = {"cognitoIdentityId": "eu-west-1:1", "cognitoIdentityPoolId": "eu-west-1:2"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:shop:live"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def invocation(**more: Any) -> Invocation:
    return Invocation(
        **{"request_id": "id-1", "event": b"{}", "deadline_ms": 1795408523007, "function_arn": ARN.encode(), **more}
    )


def headers(event: Any = None, *, said: list[str] | None = None, **more: Any) -> dict[str, str]:
    writer = ContextHeaders(ENVIRONMENT, (said if said is not None else []).append)
    said_of_it = invocation(**more)
    written = writer.build(said_of_it, event) + build_trace_headers(said_of_it.client_context)
    lines = written.decode("ascii").split("\r\n")
    assert lines.pop() == ""
    found = dict(line.split(": ", 1) for line in lines)
    assert len(found) == len(lines)
    return found


def test_the_lambda_context_of_a_plain_invocation() -> None:
    """Taken from what the Rust adapter sends, key by key."""
    assert json.loads(headers({})[LAMBDA_CONTEXT]) == {
        "request_id": "id-1",
        "deadline": 1795408523007,
        "invoked_function_arn": ARN,
        "xray_trace_id": None,
        "client_context": None,
        "identity": None,
        "tenant_id": None,
        "env_config": {
            "function_name": "shop",
            "memory": 512,
            "version": "$LATEST",
            "log_stream": "2026/11/23/[$LATEST]abc",
            "log_group": "/aws/lambda/shop",
        },
    }


def test_the_lambda_context_of_an_invocation_by_an_sdk() -> None:
    said = json.loads(
        headers(
            {},
            trace_id="Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
            tenant_id="blue",
            client_context=json.dumps(CLIENT_CONTEXT).encode(),
            identity=json.dumps(IDENTITY).encode(),
        )[LAMBDA_CONTEXT]
    )

    assert said["xray_trace_id"] == "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1"
    assert said["tenant_id"] == "blue"
    assert said["identity"] == {"identityId": "eu-west-1:1", "identityPoolId": "eu-west-1:2"}
    assert said["client_context"] == {
        "client": {
            "installationId": "i",
            "appTitle": "t",
            "appVersionName": "1.2",
            "appVersionCode": "12",
            "appPackageName": "p",
        },
        "custom": {"colour": "grün"},
        "environment": {"locale": "de"},
    }


@pytest.mark.parametrize(
    "text", [b"no JSON", b"\xff", b"[1]", b"null", b'"text"', b'{"client": 1, "custom": null}', b"{}"]
)
def test_a_client_context_or_identity_that_is_odd_fails_nothing(text: bytes) -> None:
    said = json.loads(headers({}, client_context=text, identity=text)[LAMBDA_CONTEXT])
    front = envelope.prepend_envelope(b"", invocation(client_context=text, identity=text), b"{}", {})
    of_app = AppInvocation(front[envelope.HEADER_BYTES :], b"")

    assert said["request_id"] == of_app.aws_request_id == "id-1"
    assert of_app.identity.cognito_identity_id is None
    assert of_app.client_context is None or of_app.client_context.client.app_title is None


@pytest.mark.parametrize("event", [{}, {"requestContext": None}, [1], "text", None, 7])
def test_an_event_without_a_request_context_has_null(event: object) -> None:
    assert headers(event)[REQUEST_CONTEXT] == "null"


def test_what_no_header_can_hold_is_escaped() -> None:
    context = {"path": "/a\x7f", "name": "Zoë 世 😀", "line": "a\r\nb\0", "half": "\ud800", "large": 2**70}

    value = headers({"requestContext": context})[REQUEST_CONTEXT]

    assert value.isascii()
    assert value.isprintable()
    assert json.loads(value) == context


@given(JSON)
def test_any_request_context_is_a_header_of_visible_characters(context: object) -> None:
    value = headers({"requestContext": context}).get(REQUEST_CONTEXT)

    if value is not None:  # else it is too large
        assert value.isascii()
        assert value.isprintable()
        assert json.loads(value) == context


def test_what_servers_would_refuse_is_left_out_and_told() -> None:
    said: list[str] = []

    found = headers({"requestContext": {"certificate": "x" * MAX_HEADER_BYTES}}, said=said)

    assert REQUEST_CONTEXT not in found
    assert LAMBDA_CONTEXT in found
    assert REQUEST_CONTEXT in said[0]


def test_a_lambda_context_that_is_too_large_goes_without_what_the_caller_said() -> None:
    said: list[str] = []
    custom = {"custom": {"text": "x" * MAX_HEADER_BYTES}}

    found = headers({}, said=said, client_context=json.dumps(custom).encode())

    assert json.loads(found[LAMBDA_CONTEXT])["client_context"] is None
    assert "client_context" in said[0]


def test_trace_context_in_the_client_context_becomes_headers() -> None:
    """As AWS's own runtimes take it ("w3c" in the client context)."""
    w3c = {
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "tracestate": "k=v",
        "baggage": "a\r\nb: c",
        "x": "y",
    }

    found = headers([], client_context=json.dumps({"w3c": w3c}).encode())

    assert {name: found.get(name) for name in ("traceparent", "tracestate", "baggage", "x")} == {
        "traceparent": w3c["traceparent"],
        "tracestate": "k=v",
        "baggage": None,
        "x": None,
    }
