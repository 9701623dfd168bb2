"""CORS of the local function URL: preflight requests, and the headers of all other responses."""

from __future__ import annotations

import pytest
from local.asking import request

from lambda_web_adapter.local.gateways import Gateway, GatewayOptions, Response, build_gateway
from lambda_web_adapter.local.gateways.cors import Cors

Pairs = list[tuple[str, str]]
PAGE = "http://localhost:5173"
ASKS = [("origin", PAGE), ("access-control-request-method", "PUT")]


def url(cors: Cors) -> Gateway:
    return build_gateway("function-url", GatewayOptions(cors=cors))


def preflight(cors: Cors, headers: Pairs | None = None) -> tuple[int, Pairs]:
    own = url(cors).own_response(request("OPTIONS", "/a", headers=ASKS if headers is None else headers))
    assert own is not None
    assert own.response.body == b""
    return own.response.status, own.response.headers


def finished(cors: Cors, origin: str | None, headers: Pairs | None = None) -> Pairs:
    sent = request(headers=[] if origin is None else [("Origin", origin)])
    response = Response(status=502, headers=headers or [], body=b"kept")

    found = url(cors).finish(response, sent)

    assert (found.status, found.body) == (502, b"kept")
    return found.headers


def test_a_preflight_request_gets_all_that_is_configured() -> None:
    cors = Cors(
        allow_origins=["http://other.example", PAGE],
        allow_methods=["PUT", "POST"],
        allow_headers=["x-tag", "content-type"],
        expose_headers=["date"],
        allow_credentials=True,
        max_age=300,
    )

    assert preflight(cors) == (
        200,
        [
            ("access-control-allow-origin", PAGE),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "PUT,POST"),
            ("access-control-allow-headers", "x-tag,content-type"),
            ("access-control-max-age", "300"),
            ("vary", "Origin"),
        ],
    )


def test_a_preflight_request_of_another_origin_gets_no_permission() -> None:
    assert preflight(Cors(allow_origins=["http://other.example"])) == (200, [("vary", "Origin")])


def test_a_star_allows_every_origin() -> None:
    assert preflight(Cors.allow_all())[1] == [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "*"),
        ("access-control-allow-headers", "*"),
        ("access-control-max-age", "0"),
    ]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("OPTIONS", [("origin", PAGE)], id="no method is asked for"),
        pytest.param("OPTIONS", [("access-control-request-method", "PUT")], id="no origin"),
        pytest.param("GET", ASKS, id="another method"),
    ],
)
def test_any_other_request_reaches_the_function(method: str, headers: Pairs) -> None:
    assert url(Cors.allow_all()).own_response(request(method, headers=headers)) is None


@pytest.mark.parametrize(
    ("cors", "expected"),
    [
        pytest.param(Cors(allow_origins=["*"]), [("access-control-allow-origin", "*")], id="all origins"),
        pytest.param(
            Cors(allow_origins=["*"], allow_credentials=True),
            [
                ("access-control-allow-origin", PAGE),
                ("access-control-allow-credentials", "true"),
                ("vary", "Origin"),
            ],
            id="all origins with credentials",
        ),
        pytest.param(
            Cors(allow_origins=[PAGE], expose_headers=["date", "x-tag"], allow_methods=["GET"], max_age=5),
            [
                ("access-control-allow-origin", PAGE),
                ("access-control-expose-headers", "date,x-tag"),
                ("vary", "Origin"),
            ],
            id="one origin",
        ),
        pytest.param(Cors(allow_origins=["http://other.example"]), [], id="another origin"),
        pytest.param(Cors(), [], id="no origins"),
    ],
)
def test_a_response_gets_what_its_page_needs(cors: Cors, expected: Pairs) -> None:
    assert finished(cors, PAGE) == expected


def test_a_request_without_an_origin_gets_no_headers() -> None:
    assert finished(Cors.allow_all(), None) == []


def test_headers_of_the_function_stay_beside_those_of_the_url() -> None:
    own = [("access-control-allow-origin", "*")]

    assert finished(Cors(allow_origins=["*"]), PAGE, own) == own * 2


def test_without_the_option_the_function_answers_preflight_requests() -> None:
    gateway = build_gateway("function-url", GatewayOptions())

    assert gateway.own_response(request("OPTIONS", headers=ASKS)) is None
    assert gateway.finish(Response(status=200, headers=[], body=b""), request(headers=ASKS)).headers == []
