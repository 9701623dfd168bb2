"""Behaviours of a request's headers, and of what is known of the caller."""

from __future__ import annotations

from conformance import reasons
from conformance.cells import Facts, Section, becomes, each
from conformance.columns import ALB, API_GATEWAY, DECODED_QUERY, LATTICE, PAYLOAD_V2
from conformance.rows_of_paths import request

_LINES = becomes("header_repeated", {"x-tag": ["one", "two, three"]})
_JOINED = becomes("header_repeated", {"x-tag": ["one,two, three"]})
_COOKIES = {"cookie": ["session=abc123; theme=dark; lang=de"]}
_SPELLED = becomes("header_mixed_case", {"x-custom-id": ["A1"], "accept-language": ["de"]})
_GARDENER = becomes("header_outside_ascii", {"x-gardener": ["Jürgen ☕"]})
_KEPT = {"x-kept": ["1"], "x-only-here": [], "connection": [], "keep-alive": [], "te": [], "trailer": [], "upgrade": []}
_HOP_BY_HOP = becomes("hop_by_hop", {**_KEPT, "proxy-authorization": [], "proxy-connection": []})
_NOT_FORGED: Facts = {
    "x-amz-tenant-id": [],
    "x_amz_tenant_id": [],
    "x_real_ip": [],
    "x-amzn-request-context": [],
    "x-amzn-lambda-context": [],
    "transfer-encoding": [],
    "expect": [],
}
_NO_MARKS: Facts = {
    "x-amzn-event-source": [],
    "x_amzn_event_source": [],
    "x-amzn-event-type": [],
    "x-amzn-connection-id": [],
    "x-amzn-route-key": [],
    "x-forwarded-prefix": [],
}
_MARKS = {
    "x-amzn-event-source": ["websocket"],
    "x_amzn_event_source": [],
    "x-amzn-event-type": ["CONNECT"],
    "x-amzn-connection-id": ["AbCdEfGhIjKlMnO="],
    "x-amzn-route-key": ["$connect"],
    "x-forwarded-prefix": ["/prod"],
}

HEADERS = Section(
    "Headers",
    (
        request(
            "All values of a repeated header arrive, in order",
            _LINES,
            websocket=_LINES,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
            **each(PAYLOAD_V2, _JOINED),
            alb_single=reasons.LAST_VALUE,
            vpc_lattice_v1=becomes("header_repeated", {"x-tag": ["one, two, three"]}),
        ),
        request(
            "Header names are not case-sensitive",
            _SPELLED,
            websocket=_SPELLED,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "A value outside ASCII is UTF-8",
            _GARDENER,
            websocket=_GARDENER,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "Cookies on several lines are one header",
            becomes("cookies", _COOKIES),
            websocket=becomes("cookies", _COOKIES),
            bedrock_agent=reasons.NO_AGENT_HEADERS,
            **each(("alb_single", "vpc_lattice_v1"), reasons.ONE_COOKIE_LINE),
            function_url=becomes("cookies", {"cookie": ["session=abc123; theme=dark"]}),
        ),
        request(
            "A list of cookies in the event becomes one header, also if there is a cookie header as well",
            reasons.NO_COOKIE_LIST,
            websocket=reasons.NO_COOKIE_LIST,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
            http_api_v2=becomes("cookies", _COOKIES),
            function_url=becomes("cookies", {"cookie": ["session=abc123; theme=dark"]}),
        ),
        request(
            "Hop-by-hop headers, and those that `Connection` names, are dropped",
            _HOP_BY_HOP,
            websocket=_HOP_BY_HOP,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "Clients cannot send reserved headers, not even with underscores",
            becomes("forged_headers", {**_NOT_FORGED, **_NO_MARKS}),
            websocket=becomes("forged_headers", {**_NOT_FORGED, **_MARKS}),
            bedrock_agent=reasons.NO_AGENT_HEADERS,
            rest_api=becomes("forged_headers", {**_NOT_FORGED, **_NO_MARKS, "x-forwarded-prefix": ["/prod"]}),
        ),
        request(
            "`x-amzn-event-source` distinguishes an event from a request",
            reasons.NOT_AN_EVENT,
            websocket=becomes("simple", {"x-amzn-event-source": ["websocket"]}),
            bedrock_agent=becomes("simple", {"x-amzn-event-source": ["bedrock-agent"]}),
            pass_through=becomes("sqs", {"x-amzn-event-source": ["sqs"]}),
        ),
    ),
)

_CLIENT = "203.0.113.7"
_ADDRESS = {"x-real-ip": [_CLIENT]}
_FORGED = {"x-real-ip": [_CLIENT], "x-forwarded-for": ["198.51.100.66, 203.0.113.7"]}
_NO_ADDRESS: Facts = {"x-real-ip": []}
_OWN_ADDRESS = each((*API_GATEWAY, "function_url"), reasons.OWN_ADDRESS)
_HOSTS = each(DECODED_QUERY, becomes("host_missing", {"host": ["f6g7h8i9j0.execute-api.eu-central-1.amazonaws.com"]}))
_PLAIN_HTTP = becomes("plain_http", {"x-forwarded-proto": ["http"], "x-forwarded-port": ["80"]})
_HTTPS = {"x-forwarded-proto": ["https"], "x-forwarded-port": ["443"]}

CALLERS = Section(
    "Caller",
    (
        request(
            "The caller's address reaches the app as `x-real-ip`",
            becomes("simple", _ADDRESS),
            websocket=becomes("simple", _ADDRESS),
            bedrock_agent=reasons.NO_AGENT_ADDRESS,
        ),
        request(
            "Clients cannot forge it with `X-Forwarded-For` or `X-Real-IP`",
            becomes("forged_headers", _FORGED),
            websocket=becomes("forged_headers", _FORGED),
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "Nor with `X-Forwarded-For` on several lines",
            reasons.ONE_XFF_LINE,
            websocket=reasons.OWN_ADDRESS,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
            alb_multi=becomes("client_address_in_repeated_lines", _ADDRESS),
            vpc_lattice_v2=becomes("client_address_in_repeated_lines", _ADDRESS),
            **_OWN_ADDRESS,
        ),
        request(
            "Behind several proxies, `AWS_LWA_TRUSTED_HOPS` chooses the address, counted from the end",
            becomes("client_address_behind_two_hops", _ADDRESS),
            websocket=reasons.OWN_ADDRESS,
            bedrock_agent=reasons.NO_AGENT_ADDRESS,
            **_OWN_ADDRESS,
        ),
        request(
            "The client's port is not part of its address",
            reasons.NOT_DOCUMENTED_PORT,
            websocket=reasons.OWN_ADDRESS,
            bedrock_agent=reasons.NO_AGENT_ADDRESS,
            **each(ALB, becomes("client_address_with_a_port", _ADDRESS)),
            **_OWN_ADDRESS,
        ),
        request(
            "Without an address in the event, the app gets none",
            becomes("client_address_without_forwarded_for", _NO_ADDRESS),
            websocket=reasons.OWN_ADDRESS,
            bedrock_agent=becomes("simple", _NO_ADDRESS),
            **_OWN_ADDRESS,
        ),
        request(
            "Scheme and port are the caller's",
            reasons.ONLY_HTTPS,
            websocket=reasons.ONLY_HTTPS,
            bedrock_agent=reasons.NO_AGENT_ADDRESS,
            **each(ALB, _PLAIN_HTTP),
            **each(LATTICE, reasons.UNKNOWN_SCHEME),
        ),
        request(
            "Without them in the event, they are HTTPS and 443",
            becomes("null_maps", _HTTPS),
            websocket=becomes("body_text", _HTTPS),
            bedrock_agent=becomes("simple", _HTTPS),
            rest_api=becomes("null_maps_console_test", _HTTPS),
            alb_multi=becomes("health_check", _HTTPS),
        ),
        request(
            "A `Host` of any form arrives",
            becomes("host_odd", {"host": ["[2001:db8::1]:8443"]}),
            websocket=becomes("host_odd", {"host": ["[2001:db8::1]:8443"]}),
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "Without a `Host`, the app gets the service's name, or `localhost`",
            becomes("host_missing", {"host": ["localhost"]}),
            websocket=becomes("host_missing", {"host": ["w1x2y3z4a5.execute-api.eu-central-1.amazonaws.com"]}),
            bedrock_agent=becomes("simple", {"host": ["localhost"]}),
            **_HOSTS
            | {
                "rest_api": becomes("host_missing", {"host": ["a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"]}),
                "http_api_v2": becomes("host_missing", {"host": ["u5v6w7x8y9.execute-api.eu-central-1.amazonaws.com"]}),
                "function_url": becomes(
                    "host_missing", {"host": ["k3x7yq2mzl5vwp4nd6tr8sh1bj0cgfae.lambda-url.eu-central-1.on.aws"]}
                ),
            },
        ),
        request(
            "A health check, which has no `Host`, is a request like any other",
            reasons.NO_HEALTH_CHECK,
            websocket=reasons.NO_HEALTH_CHECK,
            bedrock_agent=reasons.NO_HEALTH_CHECK,
            **each(ALB, becomes("health_check", {"host": ["localhost"], "user-agent": ["ELB-HealthChecker/2.0"]})),
        ),
    ),
)
