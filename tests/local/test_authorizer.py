"""The caller in `--authorizer`: where each event source has it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from local.asking import request

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.local.gateways import GatewayOptions, build_gateway
from lambda_web_adapter.local.gateways.authorizer import Authorizer
from lambda_web_adapter.settings import Settings

CLAIMS = {"sub": "alice", "email_verified": True, "iat": 1700000000, "cognito:groups": ["admin", "staff"]}
IAM = {"accessKey": "AKIA", "callerId": "AROA:me", "userArn": "arn:aws:sts::1:assumed-role/Role/me", "userId": "AROA"}
IAM_IN_EVENT = {"accountId": "123456789012", "cognitoIdentity": None, "principalOrgId": None} | IAM


def event(name: str, caller: dict[str, Any], headers: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    authorizer = Authorizer.parse(json.dumps(caller).encode(), "claims.json")
    gateway = build_gateway(name, GatewayOptions(authorizer=authorizer))
    found: dict[str, Any] = json.loads(gateway.event(request(headers=headers or [])).to_json())
    return found


@pytest.mark.parametrize(
    ("name", "caller", "expected"),
    [
        pytest.param(
            "http-api-v2",
            {"claims": CLAIMS, "scopes": ["read"]},
            {
                "jwt": {
                    "claims": {
                        "sub": "alice",
                        "email_verified": "true",
                        "iat": "1700000000",
                        "cognito:groups": "[admin staff]",
                    },
                    "scopes": ["read"],
                }
            },
            id="JWT of an HTTP API 2.0",
        ),
        pytest.param(
            "http-api-v1", {"sub": "a"}, {"claims": {"sub": "a"}, "scopes": None}, id="JWT of an HTTP API 1.0"
        ),
        pytest.param(
            "rest-api",
            {"claims": {"sub": "a", "cognito:groups": ["b", "c"]}},
            {"claims": {"sub": "a", "cognito:groups": "b,c"}},
            id="Cognito of a REST API",
        ),
        pytest.param(
            "http-api-v2",
            {"context": {"principalId": "a", "level": 3}},
            {"lambda": {"level": 3}},
            id="Lambda authorizer of an HTTP API 2.0",
        ),
        pytest.param(
            "http-api-v1",
            {"context": {"principalId": "a", "level": 3}},
            {"principalId": "a", "level": 3},
            id="Lambda authorizer of an HTTP API 1.0",
        ),
        pytest.param(
            "rest-api",
            {"context": {"principalId": "a", "level": 3}},
            {"principalId": "a", "level": "3"},
            id="Lambda authorizer of a REST API",
        ),
        pytest.param("http-api-v2", {"iam": IAM}, {"iam": IAM_IN_EVENT}, id="IAM of an HTTP API 2.0"),
        pytest.param("function-url", {"iam": IAM, "claims": {}}, {"iam": IAM_IN_EVENT}, id="IAM of a function URL"),
    ],
)
def test_the_authorizer_is_in_the_context(name: str, caller: dict[str, Any], expected: dict[str, Any]) -> None:
    assert event(name, caller)["requestContext"]["authorizer"] == expected


def test_a_function_url_with_iam_has_an_account() -> None:
    assert event("function-url", {"iam": IAM})["requestContext"]["accountId"] == "123456789012"


@pytest.mark.parametrize("name", ["rest-api", "http-api-v1"])
def test_iam_is_in_the_identity_of_payload_1(name: str) -> None:
    context = event(name, {"iam": IAM})["requestContext"]

    assert "authorizer" not in context
    assert {key: value for key, value in context["identity"].items() if value is not None} == {
        "accessKey": "AKIA",
        "accountId": "123456789012",
        "caller": "AROA:me",
        "sourceIp": "203.0.113.7",
        "user": "AROA",
        "userArn": "arn:aws:sts::1:assumed-role/Role/me",
    } | ({"userAgent": ""} if name == "http-api-v1" else {})


def test_lattice_has_the_principal_in_its_identity() -> None:
    identity = event("vpc-lattice-v2", {"iam": IAM | {"principalOrgId": "o-1"}})["requestContext"]["identity"]

    assert identity == {
        "sourceVpcArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0123456789abcdef0",
        "type": "AWS_IAM",
        "principal": "arn:aws:sts::1:assumed-role/Role/me",
        "principalOrgID": "o-1",
        "sessionName": "me",
    }


@pytest.mark.parametrize("name", ["alb", "alb-multi"])
def test_a_load_balancer_has_the_claims_in_headers_of_its_own(name: str) -> None:
    found = event(name, {"claims": CLAIMS | {"iss": "https://idp"}}, [("X-Amzn-Oidc-Identity", "forged")])

    headers = (
        found["headers"] if name == "alb" else {key: value[0] for key, value in found["multiValueHeaders"].items()}
    )
    header, payload, signature = [base64.urlsafe_b64decode(part) for part in headers["x-amzn-oidc-data"].split(".")]
    assert headers["x-amzn-oidc-identity"] == "alice"
    assert headers["x-amzn-oidc-accesstoken"]
    assert json.loads(payload) == CLAIMS | {"iss": "https://idp"}
    assert (json.loads(header)["alg"], json.loads(header)["iss"], len(signature)) == ("ES256", "https://idp", 64)
    if name == "alb-multi":
        assert found["multiValueHeaders"]["x-amzn-oidc-identity"] == ["alice"]


@pytest.mark.parametrize("name", ["alb", "alb-multi"])
def test_the_app_gets_the_load_balancers_headers(name: str) -> None:
    found = event(name, {"sub": "alice"}, [("host", "a"), ("x-amzn-oidc-data", "forged")])

    headers = build_request(find_source(found), found, Settings(), b"").headers
    assert [value for key, value in headers if key == "x-amzn-oidc-identity"] == ["alice"]
    assert [value.count(".") for key, value in headers if key == "x-amzn-oidc-data"] == [2]


@pytest.mark.parametrize("name", ["rest-api", "http-api-v1", "http-api-v2", "function-url"])
def test_without_the_option_there_is_no_authorizer(name: str) -> None:
    found = json.loads(build_gateway(name, GatewayOptions()).event(request()).to_json())

    assert "authorizer" not in found["requestContext"]
