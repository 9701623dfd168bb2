"""What each service makes of a client's request, from AWS's descriptions and independently of the package."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

Pairs = list[tuple[str, str]]

ADDRESS = "203.0.113.7"
API_HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
URL_HOST = "a1b2c3d4e5.lambda-url.eu-central-1.on.aws"


@dataclass(frozen=True, kw_only=True)
class Client:
    """A request as a client sends it.

    Attributes:
        method: the method.
        raw_path: the path, percent-encoded as the client likes.
        query: keys and values, percent-encoded.
        headers: names and values, without cookies.
        cookies: the cookies, each `name=value`.
        body: the body.
    """

    method: str
    raw_path: str
    query: Pairs
    headers: Pairs
    cookies: list[str]
    body: bytes

    @property
    def raw_query(self) -> str:
        return "&".join(f"{key}={value}" for key, value in self.query)

    @property
    def decoded_query(self) -> Pairs:
        return [(unquote_plus(key), unquote_plus(value)) for key, value in self.query]


def rest_api(client: Client) -> dict[str, Any]:
    headers = [*client.headers, *(("Cookie", cookie) for cookie in client.cookies)]
    return {
        "resource": "/{proxy+}",
        "path": client.raw_path,
        "httpMethod": client.method,
        "headers": _last(headers),
        "multiValueHeaders": _several(headers),
        "queryStringParameters": _last(client.decoded_query) or None,
        "multiValueQueryStringParameters": _several(client.decoded_query) or None,
        "requestContext": {
            "path": f"/prod{client.raw_path}",
            "stage": "prod",
            "domainName": API_HOST,
            "identity": {"sourceIp": ADDRESS, "userAgent": None},
        },
        **_body(client.body),
    }


def http_api_v1(client: Client) -> dict[str, Any]:
    event = rest_api(client)
    event["requestContext"] |= {"stage": "$default", "path": unquote(client.raw_path)}
    return {"version": "1.0", **event}


def http_api_v2(client: Client) -> dict[str, Any]:
    cookies = {"cookies": client.cookies} if client.cookies else {}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(client.raw_path),
        "rawQueryString": client.raw_query,
        "headers": _joined(client.headers),
        "requestContext": {
            "domainName": API_HOST,
            "stage": "$default",
            "http": {"method": client.method, "path": unquote(client.raw_path).rstrip("/"), "sourceIp": ADDRESS},
        },
        **cookies,
        **_body(client.body),
    }


def function_url(client: Client) -> dict[str, Any]:
    event = http_api_v2(client)
    event["rawPath"] = client.raw_path
    event["requestContext"]["domainName"] = URL_HOST
    if client.cookies:
        event["headers"]["cookie"] = "; ".join(client.cookies)
    return event


def alb_single(client: Client) -> dict[str, Any]:
    cookies = [("cookie", "; ".join(client.cookies))] if client.cookies else []
    return _alb(client) | {
        "headers": _last(_lower(client.headers) + cookies) | {"x-forwarded-for": ADDRESS},
        "queryStringParameters": _last(client.query),
    }


def alb_multi(client: Client) -> dict[str, Any]:
    headers = _lower(client.headers) + [("cookie", cookie) for cookie in client.cookies]
    return _alb(client) | {
        "multiValueHeaders": _several(headers) | {"x-forwarded-for": [ADDRESS]},
        "multiValueQueryStringParameters": _several(client.query),
    }


def _alb(client: Client) -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:x"}},
        "httpMethod": client.method,
        "path": client.raw_path,
        **_body(client.body),
    }


def vpc_lattice_v1(client: Client) -> dict[str, Any]:
    return {
        "raw_path": _target(client),
        "method": client.method,
        "headers": _joined(_with_cookie(client), ", ") | {"x-forwarded-for": ADDRESS},
        "query_string_parameters": _last(client.query),
        **_body(client.body, "is_base64_encoded"),
    }


def vpc_lattice_v2(client: Client) -> dict[str, Any]:
    return {
        "version": "2.0",
        "path": _target(client),
        "method": client.method,
        "headers": _several(_with_cookie(client)) | {"x-forwarded-for": [ADDRESS]},
        "queryStringParameters": _several(client.query),
        "requestContext": {
            "serviceNetworkArn": "arn:aws:vpc-lattice:eu-central-1:123456789012:servicenetwork/sn-0bf3f2882e9cc805a",
            "serviceArn": "arn:aws:vpc-lattice:eu-central-1:123456789012:service/svc-0a40eebed65f8d69c",
            "targetGroupArn": "arn:aws:vpc-lattice:eu-central-1:123456789012:targetgroup/tg-6d0ecf831eec9f09",
            "region": "eu-central-1",
            "timeEpoch": "1696331543569073",
        },
        **_body(client.body),
    }


def vpc_lattice_v1_documented(client: Client) -> dict[str, Any]:
    """As AWS's page shows the event: the path without the query, which is in the map alone."""
    return vpc_lattice_v1(client) | {"raw_path": client.raw_path}


def vpc_lattice_v2_documented(client: Client) -> dict[str, Any]:
    """As AWS's page shows the event: the path without the query, which is in the map alone."""
    return vpc_lattice_v2(client) | {"path": client.raw_path}


def _target(client: Client) -> str:
    return f"{client.raw_path}?{client.raw_query}" if client.query else client.raw_path


def _with_cookie(client: Client) -> Pairs:
    return _lower(client.headers) + ([("cookie", "; ".join(client.cookies))] if client.cookies else [])


GATEWAYS: dict[str, Callable[[Client], dict[str, Any]]] = {
    "rest-api": rest_api,
    "http-api-v1": http_api_v1,
    "http-api-v2": http_api_v2,
    "function-url": function_url,
    "alb-single": alb_single,
    "alb-multi": alb_multi,
    "vpc-lattice-v1": vpc_lattice_v1,
    "vpc-lattice-v1-documented": vpc_lattice_v1_documented,
    "vpc-lattice-v2": vpc_lattice_v2,
    "vpc-lattice-v2-documented": vpc_lattice_v2_documented,
}

# What gateways do to a request on its way; those that a line does not name leave it as it is.
LAST_PARAMETER_ONLY = {"alb-single", "vpc-lattice-v1-documented"}
LAST_HEADER_ONLY = {"alb-single"}
JOINED_HEADERS = {"http-api-v2": ",", "function-url": ",", "vpc-lattice-v1": ", ", "vpc-lattice-v1-documented": ", "}
DECODED_PATH = {"http-api-v2"}
DECODED_PARAMETERS = {"rest-api", "http-api-v1"}
# What they do with parameters that go on as they came.
RAW_QUERY = {"http-api-v2", "function-url", "vpc-lattice-v1", "vpc-lattice-v2"}
RAW_PAIRS = {"alb-single", "alb-multi", "vpc-lattice-v1-documented", "vpc-lattice-v2-documented"}
# Those whose events name the caller in X-Forwarded-For alone.
CLIENT_BY_FORWARDED_FOR = {name for name in GATEWAYS if name.startswith(("alb", "vpc-lattice"))}


def source_name(gateway: str) -> str:
    """What the package calls the source of a gateway's events."""
    return gateway.removesuffix("-single").removesuffix("-multi").removesuffix("-documented")


def headers_that_arrive(gateway: str, headers: Pairs) -> dict[str, list[str]]:
    """What is left of header lines behind a gateway, by name in lower case."""
    if gateway in LAST_HEADER_ONLY:
        return {name: [value] for name, value in _last(_lower(headers)).items()}
    if joint := JOINED_HEADERS.get(gateway):
        # Spaces around a value are no part of it (RFC 9110 §5.5); joining an empty one leaves some there.
        return {name: [value.strip(" ")] for name, value in _joined(headers, joint).items()}
    return _several(_lower(headers))


def query_that_arrives(gateway: str, query: Pairs) -> dict[str, list[str]]:
    """What is left of query pairs behind a gateway."""
    if gateway in LAST_PARAMETER_ONLY:
        return {key: [value] for key, value in _last(query).items()}
    return _several(query)


def _body(body: bytes, flag: str = "isBase64Encoded") -> dict[str, Any]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), flag: True}
    return {"body": text or None, flag: False}


def _last(pairs: Pairs) -> dict[str, str]:
    return dict(pairs)


def _several(pairs: Pairs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _joined(pairs: Pairs, joint: str = ",") -> dict[str, str]:
    return {name: joint.join(values) for name, values in _several(_lower(pairs)).items()}


def _lower(pairs: Pairs) -> Pairs:
    return [(name.lower(), value) for name, value in pairs]
