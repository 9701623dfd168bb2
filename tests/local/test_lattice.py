"""The local VPC Lattice, both versions: what a request becomes, and what a reply becomes."""

from __future__ import annotations

import json

import pytest
from local.asking import FULL, TIME_MS, event, request

from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply, Response

both = pytest.mark.parametrize("name", [pytest.param("vpc-lattice-v1", id="1"), pytest.param("vpc-lattice-v2", id="2")])


def test_a_request_becomes_an_event_of_version_1() -> None:
    assert event("vpc-lattice-v1", FULL) == {
        "raw_path": "/caf%C3%A9/a%2Fb/?tag=red&page=2&tag=a%2Bb+c&empty=&bare",
        "method": "POST",
        "headers": {
            "host": "localhost:8000",
            "user-agent": "curl/8",
            "x-tag": "one, two",
            "cookie": "a=1; b=2; c=3",
            "content-type": "application/json",
            "content-length": "7",
            "x-forwarded-for": "198.51.100.66, 203.0.113.7",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
        },
        "query_string_parameters": {"tag": "a%2Bb+c", "page": "2", "empty": "", "bare": ""},
        "body": '{"a":1}',
        "is_base64_encoded": False,
    }


def test_a_request_becomes_an_event_of_version_2() -> None:
    assert event("vpc-lattice-v2", FULL) == {
        "version": "2.0",
        "path": "/caf%C3%A9/a%2Fb/?tag=red&page=2&tag=a%2Bb+c&empty=&bare",
        "method": "POST",
        "headers": {
            "host": ["localhost:8000"],
            "user-agent": ["curl/8"],
            "x-tag": ["one", "two"],
            "cookie": ["a=1; b=2", "c=3"],
            "content-type": ["application/json"],
            "content-length": ["7"],
            "x-forwarded-for": ["198.51.100.66, 203.0.113.7"],
            "x-forwarded-port": ["8000"],
            "x-forwarded-proto": ["http"],
        },
        "queryStringParameters": {"tag": ["red", "a%2Bb+c"], "page": ["2"], "empty": [""], "bare": [""]},
        "requestContext": {
            "serviceNetworkArn": "arn:aws:vpc-lattice:us-east-1:123456789012:servicenetwork/sn-0123456789abcdef0",
            "serviceArn": "arn:aws:vpc-lattice:us-east-1:123456789012:service/svc-0123456789abcdef0",
            "targetGroupArn": "arn:aws:vpc-lattice:us-east-1:123456789012:targetgroup/tg-0123456789abcdef0",
            "identity": {"sourceVpcArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0123456789abcdef0"},
            "region": "us-east-1",
            "timeEpoch": f"{TIME_MS}000",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_a_path_without_a_query_has_no_question_mark() -> None:
    assert event("vpc-lattice-v1", request(raw_path="/a"))["raw_path"] == "/a"
    assert event("vpc-lattice-v2", request(raw_path="/a"))["path"] == "/a"


@both
def test_a_reply_becomes_a_response(name: str) -> None:
    reply = {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "headers": {"Content-Type": "image/png", "set-cookie": "a=1", "Set-cookie": "b=2"},
        "body": "iVBO",
        "isBase64Encoded": True,
    }

    assert GATEWAYS[name].response(json.dumps(reply).encode()) == Response(
        status=201,
        headers=[("Content-Type", "image/png"), ("set-cookie", "a=1"), ("Set-cookie", "b=2")],
        body=b"\x89PN",
    )


@both
def test_a_header_that_is_a_list_is_malformed(name: str) -> None:
    with pytest.raises(MalformedReply, match=r"^headers\.a: Input should be a valid string$"):
        GATEWAYS[name].response(b'{"statusCode":200,"headers":{"a":["b"]}}')
