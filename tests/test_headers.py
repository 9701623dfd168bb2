"""What is added and removed between event and app. The bytes are read by h11, so that what they mean counts."""

from collections.abc import Callable
from dataclasses import dataclass, field

import h11
import pytest
from fixtures.loading import every_fixture, fixture
from properties.strategies import SERVER_VARIABLES
from support.whole_request import request_bytes

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.headers import end_to_end
from lambda_web_adapter.http.messages import Invocation, Request, Response
from lambda_web_adapter.settings import Settings

Pairs = list[tuple[str, str]]
INVOCATION = Invocation(request_id="11111111-2222-4333-8444-555555555555", event=b"{}")


@dataclass(frozen=True)
class Read:
    """A request as a server reads it, header names in lower case."""

    method: str
    target: str
    headers: Pairs = field(default_factory=list)
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]


def read(data: bytes) -> Read:
    """Reads bytes that are one request and nothing more, as a server does."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert server.trailing_data == (b"", False)
    headers = [(name.decode(), value.decode("utf-8", "surrogatepass")) for name, value in request.headers]
    return Read(request.method.decode(), request.target.decode(), headers, body)


def request(
    method: str = "GET",
    path: str = "/",
    query: str = "",
    headers: Pairs | None = None,
    body: bytes = b"",
    client: str = "",
    prefix: str = "",
    host: str = "",
) -> Request:
    return Request(
        method=method,
        path=path,
        query=query,
        headers=headers or [],
        body=body,
        client=client,
        prefix=prefix,
        host=host,
    )


def sent(given: Request, invocation: Invocation = INVOCATION) -> Read:
    return read(request_bytes(given, invocation))


# The whole


def test_a_request_is_written_line_by_line() -> None:
    given = request(
        "POST",
        "/seeds/7",
        "a=b",
        [("Host", "example.com"), ("Accept", "*/*"), ("Cookie", "a=1"), ("Content-Length", "999")],
        b'{"a":1}',
        client="203.0.113.7",
        prefix="/prod",
    )
    invocation = Invocation(request_id="1", event=b"", trace_id="Root=1-2-3", tenant_id="acme")

    assert request_bytes(given, invocation) == (
        b"POST /seeds/7?a=b HTTP/1.1\r\n"
        b"host: example.com\r\n"
        b"x-forwarded-proto: https\r\n"
        b"x-forwarded-port: 443\r\n"
        b"Accept: */*\r\n"
        b"x-real-ip: 203.0.113.7\r\n"
        b"x-forwarded-prefix: /prod\r\n"
        b"cookie: a=1\r\n"
        b"x-amzn-trace-id: Root=1-2-3\r\n"
        b"x-amz-tenant-id: acme\r\n"
        b"content-length: 7\r\n"
        b"\r\n"
        b'{"a":1}'
    )


def test_the_least_request_has_a_host_a_scheme_and_a_port() -> None:
    assert sent(request()) == Read(
        "GET", "/", [("host", "localhost"), ("x-forwarded-proto", "https"), ("x-forwarded-port", "443")]
    )


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        pytest.param("/", "", "/", id="root"),
        pytest.param("/a%2Fb//c/../d", "", "/a%2Fb//c/../d", id="nothing is normalised"),
        pytest.param("/a", "b&c=&=d&%zz", "/a?b&c=&=d&%zz", id="an odd query"),
        pytest.param("//example.com/a", "", "//example.com/a", id="two slashes"),
    ],
)
def test_path_and_query_make_the_target(path: str, query: str, target: str) -> None:
    assert sent(request(path=path, query=query)).target == target


@pytest.mark.parametrize(("folder", "aspect"), every_fixture())
def test_a_server_reads_from_the_bytes_what_the_event_means(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)
    event = found.event
    expected = found.request
    made = build_request(find_source(event), event, Settings.from_environ(found.environment), found.verbatim)

    read_back = sent(made)

    target = f"{expected.path}?{expected.query}" if expected.query else expected.path
    assert (read_back.method, read_back.target, read_back.body) == (expected.method, target, expected.body)
    assert read_back.values("x-real-ip") == ([expected.client] if expected.client else [])
    assert read_back.values("x-forwarded-prefix") == ([expected.prefix] if expected.prefix else [])


# What is removed


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Connection", id="connection"),
        pytest.param("Keep-Alive", id="keep-alive"),
        pytest.param("Proxy-Authenticate", id="proxy-authenticate"),
        pytest.param("Proxy-Authorization", id="proxy-authorization"),
        pytest.param("Proxy-Connection", id="proxy-connection"),
        pytest.param("TE", id="te"),
        pytest.param("Trailer", id="trailer"),
        pytest.param("Transfer-Encoding", id="transfer-encoding"),
        pytest.param("Upgrade", id="upgrade"),
        pytest.param("Content-Length", id="content-length"),
        pytest.param("Expect", id="expect"),
        pytest.param("X-Amz-Tenant-Id", id="x-amz-tenant-id"),
        pytest.param("X-Amzn-Lambda-Context", id="x-amzn-lambda-context"),
        pytest.param("X-Amzn-Request-Context", id="x-amzn-request-context"),
        pytest.param("X-Forwarded-Prefix", id="x-forwarded-prefix"),
        pytest.param("X-Real-IP", id="x-real-ip"),
    ],
)
@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(str.lower, id="lower"),
        pytest.param(str.upper, id="upper"),
        pytest.param(str, id="mixed"),
    ],
)
def test_a_listed_header_never_comes_from_the_client(name: str, spelled: type[str]) -> None:
    found = sent(request(headers=[("a", "1"), (spelled(name), "forged"), ("b", "2")]))

    assert found.headers == [
        ("host", "localhost"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "443"),
        ("a", "1"),
        ("b", "2"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("x_amz_tenant_id", id="tenant"),
        pytest.param("X_Amzn_Lambda_Context", id="Lambda context"),
        pytest.param("x_amzn-request_context", id="request context"),
        pytest.param("X_FORWARDED_PREFIX", id="prefix"),
        pytest.param("x-real_ip", id="client"),
        pytest.param("x_forwarded_for", id="chain of proxies"),
        pytest.param("X_Forwarded-Proto", id="scheme"),
        pytest.param("x_forwarded_port", id="port"),
        pytest.param("x_amzn_trace_id", id="trace"),
        pytest.param("x_amzn_oidc_identity", id="identity"),
        pytest.param("X_AMZN-OIDC_DATA", id="claims"),
        pytest.param("x-amzn-mtls_clientcert", id="certificate"),
        pytest.param("x_amz_cf_id", id="CloudFront"),
        pytest.param("CloudFront_Viewer_Address", id="CloudFront's viewer"),
        pytest.param("true_client_ip", id="CDN"),
    ],
)
def test_what_the_gateway_or_the_adapter_says_is_not_forged_by_an_underscore(name: str) -> None:
    """WSGI knows one key for both spellings, such as HTTP_X_REAL_IP (RFC 3875 §4.1.18)."""
    found = sent(request(headers=[("x-forwarded-for", "203.0.113.7"), (name, "forged")]))

    assert "forged" not in [value for _, value in found.headers]


@pytest.mark.parametrize("name", sorted(map(str.title, SERVER_VARIABLES)))
@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(str, id="as it is"),
        pytest.param(lambda name: name.upper().replace("-", "_"), id="as a variable"),
        pytest.param(lambda name: name.lower().replace("-", "_"), id="as a variable in lower case"),
        pytest.param(lambda name: name.replace("-", "_", 1), id="half"),
        pytest.param(lambda name: name.replace("-", "."), id="with dots, which lighttpd writes as `_` too"),
    ],
)
def test_no_client_sets_what_servers_take_for_their_own(name: str, spelled: Callable[[str], str]) -> None:
    found = sent(request(headers=[("a", "1"), (spelled(name), "forged"), ("b", "2")]))

    assert [pair for pair in found.headers if pair[0] in ("a", "b") or "forged" in pair] == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("name", ["content_type", "CONTENT_TYPE", "Content_Length", "x.real.ip", "X_Real.IP"])
def test_another_spelling_of_a_variable_of_the_server_s_is_left_out(name: str) -> None:
    found = sent(request("POST", headers=[("content-type", "text/plain"), (name, "forged")], client="203.0.113.7"))

    assert "forged" not in [value for _, value in found.headers]
    assert found.values("content-type") == ["text/plain"]


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Request-Id", "Version", "server", "range"]
)
def test_what_only_an_app_can_choose_to_believe_is_left_to_it(name: str) -> None:
    assert sent(request(headers=[(name, "1")])).values(name.lower()) == ["1"]


CLAIMS = {
    "expect",
    "transfer-encoding",
    "x-amz-tenant-id",
    "x-amzn-lambda-context",
    "x-amzn-request-context",
    "x-forwarded-prefix",
    "x-real-ip",
}


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        pytest.param("rest_api", [("x-real-ip", "203.0.113.7"), ("x-forwarded-prefix", "/prod")], id="REST API"),
        pytest.param("http_api_v1", [("x-real-ip", "203.0.113.7")], id="HTTP API 1.0"),
        pytest.param("http_api_v2", [("x-real-ip", "203.0.113.7")], id="HTTP API 2.0"),
        pytest.param("function_url", [("x-real-ip", "203.0.113.7")], id="function URL"),
        pytest.param("alb_single", [("x-real-ip", "203.0.113.7")], id="load balancer, single value"),
        pytest.param("alb_multi", [("x-real-ip", "203.0.113.7")], id="load balancer, multi value"),
    ],
)
def test_of_what_a_client_forged_the_app_hears_nothing(folder: str, told: Pairs) -> None:
    found = fixture(folder, "forged_headers")
    event = found.event

    heard = sent(build_request(find_source(event), event, Settings(), found.verbatim))

    assert [(name, value) for name, value in heard.headers if name.replace("_", "-") in CLAIMS] == told


def test_other_names_may_have_underscores() -> None:
    assert sent(request(headers=[("x_api_key", "secret")])).values("x_api_key") == ["secret"]


@pytest.mark.parametrize(
    ("connection", "left"),
    [
        pytest.param(["close"], ["x-a", "x-b", "x-c"], id="nothing named"),
        pytest.param(["X-A"], ["x-b", "x-c"], id="one named"),
        pytest.param(["close, x-a ,X-B"], ["x-c"], id="two named"),
        pytest.param([",,"], ["x-a", "x-b", "x-c"], id="empty names"),
        pytest.param(["x-a", "x-b"], ["x-c"], id="named in two lines"),
    ],
)
def test_headers_that_connection_names_are_removed(connection: list[str], left: list[str]) -> None:
    headers = [("X-A", "1"), ("x-b", "2"), ("x-c", "3"), *(("Connection", value) for value in connection)]

    found = sent(request(headers=headers))

    assert [name for name, _ in found.headers if name in ("x-a", "x-b", "x-c", "connection")] == left


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("host", id="host"),
        pytest.param("x-forwarded-proto", id="scheme"),
        pytest.param("x-forwarded-port", id="port"),
        pytest.param("x-real-ip", id="client"),
        pytest.param("content-length", id="length"),
        pytest.param("x-amz-tenant-id", id="tenant"),
    ],
)
def test_connection_does_not_remove_what_the_adapter_adds(name: str) -> None:
    given = request("POST", headers=[("connection", name)], client="203.0.113.7", body=b"a")
    invocation = Invocation(request_id="1", event=b"", tenant_id="acme")

    assert len(sent(given, invocation).values(name)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "x-amzn-oidc-identity",
        "X-Amzn-Oidc-Data",
        "x-amzn-mtls-clientcert-subject",
        "x-amzn-tls-version",
        "x-amzn-lattice-identity",
        "x-amz-cf-id",
        "X-Amz-Date",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-amzn-trace-id",
        "Forwarded",
        "Via",
        "CloudFront-Viewer-Address",
        "cloudfront-is-mobile-viewer",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Host",
        "Cookie",
    ],
)
@pytest.mark.parametrize("option", ["{}", "close, {}", "{},", " {} "])
def test_what_a_gateway_has_set_is_not_the_client_s_to_take_away(name: str, option: str) -> None:
    headers = [(name, "the gateway's"), ("x-own", "1"), ("Connection", option.format(name)), ("connection", "X-OWN")]

    found = sent(request(headers=headers))

    assert found.values(name.lower()) == ["the gateway's"]
    assert found.values("x-own") == []


# What is kept


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("x-a", "1"), ("x-b", "2"), ("x-a", "3")], id="repeated"),
        pytest.param([("x-a", "")], id="empty"),
        pytest.param([("authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=b")], id="a signature"),
        pytest.param([("x-forwarded-for", "198.51.100.66, 203.0.113.7")], id="the chain of proxies"),
        pytest.param([("forwarded", "for=198.51.100.66")], id="what the client claims in Forwarded"),
        pytest.param([("accept-encoding", "gzip, br")], id="codings"),
        pytest.param([("content-type", "multipart/form-data; boundary=x")], id="a type"),
        pytest.param([("range", "bytes=0-1")], id="a range"),
        pytest.param([("via", "1.1 cloudfront")], id="via"),
        pytest.param([("x-name", "Möhre ☕")], id="outside ASCII"),
        pytest.param([("x-name", "a\ud800b")], id="half of a surrogate pair"),
        pytest.param([("x-name", "a\tb")], id="a tab"),
        pytest.param([("x-name", "a\x85b\u2028c")], id="what Unicode calls a line break"),
    ],
)
def test_other_headers_arrive_as_they_are(headers: Pairs) -> None:
    assert sent(request(headers=headers)).headers[3:] == headers


def test_names_keep_their_spelling() -> None:
    assert b"\r\nX-CuStOm: 1\r\n" in request_bytes(request(headers=[("X-CuStOm", "1")]), INVOCATION)


def test_a_name_is_treated_alike_every_time() -> None:
    given = request(headers=[("x-met-before", "1"), ("TRAILER", "x"), ("x-met-before", "2")])

    assert request_bytes(given, INVOCATION) == request_bytes(given, INVOCATION)


def test_more_names_than_are_remembered_are_sent() -> None:
    headers = [(f"x-made-up-{number}", str(number)) for number in range(2500)]

    found = sent_anyway(request_bytes(request(headers=headers), INVOCATION))

    assert found[-2500:] == [f"x-made-up-{number}: {number}".encode() for number in range(2500)]


def sent_anyway(data: bytes) -> list[bytes]:
    """The lines of a head that is longer than h11 takes."""
    return data.removesuffix(b"\r\n\r\n").split(b"\r\n")


# Host, scheme and port


@pytest.mark.parametrize(
    ("headers", "host", "expected"),
    [
        pytest.param([("Host", "example.com")], "api.example.com", "example.com", id="the client's"),
        pytest.param([("HOST", "[::1]:8080")], "", "[::1]:8080", id="an address and a port"),
        pytest.param([], "api.example.com", "api.example.com", id="the event's domain"),
        pytest.param([("host", "")], "api.example.com", "api.example.com", id="an empty one counts as none"),
        pytest.param([], "", "localhost", id="none"),
    ],
)
def test_there_is_always_one_host(headers: Pairs, host: str, expected: str) -> None:
    assert sent(request(headers=headers, host=host)).values("host") == [expected]


@pytest.mark.parametrize(
    ("headers", "proto", "port"),
    [
        pytest.param([("X-Forwarded-Proto", "http"), ("X-Forwarded-Port", "80")], "http", "80", id="as given"),
        pytest.param([("X-Forwarded-Proto", "http")], "http", "443", id="only the scheme"),
        pytest.param([("x-forwarded-proto", ""), ("x-forwarded-port", "")], "https", "443", id="empty"),
        pytest.param([], "https", "443", id="none"),
    ],
)
def test_there_is_always_one_scheme_and_port(headers: Pairs, proto: str, port: str) -> None:
    found = sent(request(headers=headers))

    assert (found.values("x-forwarded-proto"), found.values("x-forwarded-port")) == ([proto], [port])


# What the adapter adds


@pytest.mark.parametrize(
    ("headers", "trace_id", "expected"),
    [
        pytest.param([], "", [], id="none"),
        pytest.param([("X-Amzn-Trace-Id", "Root=1-client")], "", ["Root=1-client"], id="the event's"),
        pytest.param([], "Root=1-lambda", ["Root=1-lambda"], id="Lambda's"),
        pytest.param([("X-Amzn-Trace-Id", "Root=1-client")], "Root=1-lambda", ["Root=1-lambda"], id="Lambda's wins"),
    ],
)
def test_there_is_one_trace_at_most(headers: Pairs, trace_id: str, expected: list[str]) -> None:
    invocation = Invocation(request_id="1", event=b"", trace_id=trace_id)

    assert sent(request(headers=headers), invocation).values("x-amzn-trace-id") == expected


@pytest.mark.parametrize(
    ("headers", "tenant_id", "expected"),
    [
        pytest.param([], "", [], id="none"),
        pytest.param([], "acme", ["acme"], id="Lambda's"),
        pytest.param([("X-Amz-Tenant-Id", "evil")], "acme", ["acme"], id="Lambda's instead of a forged one"),
        pytest.param([("X-Amz-Tenant-Id", "evil")], "", [], id="no forged one"),
    ],
)
def test_the_tenant_is_the_one_lambda_names(headers: Pairs, tenant_id: str, expected: list[str]) -> None:
    invocation = Invocation(request_id="1", event=b"", tenant_id=tenant_id)

    assert sent(request(headers=headers), invocation).values("x-amz-tenant-id") == expected


def test_client_and_prefix_are_told_in_headers() -> None:
    found = sent(request(headers=[("x-real-ip", "198.51.100.66")], client="203.0.113.7", prefix="/prod"))

    assert (found.values("x-real-ip"), found.values("x-forwarded-prefix")) == (["203.0.113.7"], ["/prod"])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([("cookie", "")], [], id="an empty one"),
        pytest.param([("Cookie", "a=1; b=2")], ["a=1; b=2"], id="one line"),
        pytest.param([("Cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2; c=3")], ["a=1; b=2; c=3"], id="two lines"),
    ],
)
def test_cookies_are_joined_into_one_line(headers: Pairs, expected: list[str]) -> None:
    assert sent(request(headers=headers)).values("cookie") == expected


# The body


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        pytest.param("GET", b"", [], id="GET without a body"),
        pytest.param("HEAD", b"", [], id="HEAD without a body"),
        pytest.param("DELETE", b"", [], id="DELETE without a body"),
        pytest.param("OPTIONS", b"", [], id="OPTIONS without a body"),
        pytest.param("POST", b"", ["0"], id="POST without a body"),
        pytest.param("PUT", b"", ["0"], id="PUT without a body"),
        pytest.param("PATCH", b"", ["0"], id="PATCH without a body"),
        pytest.param("GET", b"abc", ["3"], id="GET with a body"),
        pytest.param("DELETE", b"abc", ["3"], id="DELETE with a body"),
        pytest.param("POST", "ö".encode(), ["2"], id="bytes are counted"),
    ],
)
def test_the_length_is_counted(method: str, body: bytes, expected: list[str]) -> None:
    given = request(method, headers=[("content-length", "999"), ("transfer-encoding", "chunked")], body=body)

    found = sent(given)

    assert (found.values("content-length"), found.body) == (expected, body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(bytes(range(256)), id="every byte"),
        pytest.param(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", id="what looks like another request"),
        pytest.param(b"\n" * 300_000, id="many bytes"),
    ],
)
def test_a_body_is_sent_as_it_is(body: bytes) -> None:
    assert sent(request("POST", body=body)).body == body


# What is refused


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(request(headers=[("x-a", "1\r\nx-b: 2")]), id="a line break in a value"),
        pytest.param(request(headers=[("x-a", "1\x0bx-b: 2")]), id="what some take for a line break"),
        pytest.param(request(headers=[("x-a", "1\x0cx-b: 2")]), id="a form feed"),
        pytest.param(request(headers=[("x-a", "1\x1cx-b: 2")]), id="a separator of files"),
        pytest.param(request(headers=[("x-a", "chunked\x08")]), id="a backspace"),
        pytest.param(request(headers=[("x-a", "\x7f")]), id="delete"),
        pytest.param(request(headers=[("x-a", "1\nx-b: 2")]), id="a line feed in a value"),
        pytest.param(request(headers=[("x-a", "1\rx-b: 2")]), id="a carriage return in a value"),
        pytest.param(request(headers=[("x-a", "1\r\n\r\nGET / HTTP/1.1")]), id="another request in a value"),
        pytest.param(request(headers=[("x-a", "1\0")]), id="NUL in a value"),
        pytest.param(request(headers=[("x-a\r\nx-b", "1")]), id="a line break in a name"),
        pytest.param(request(headers=[("x-a ", "1")]), id="a space after a name"),
        pytest.param(request(headers=[("x-a:", "1")]), id="a colon in a name"),
        pytest.param(request(headers=[("", "1")]), id="no name"),
        pytest.param(request(headers=[("ü", "1")]), id="a name outside ASCII"),
        pytest.param(request(headers=[("\ud800", "1")]), id="half of a surrogate pair for a name"),
        pytest.param(request(headers=[("coo\u212aie", "1")]), id="a name that only Unicode takes for cookie"),
        pytest.param(request(headers=[("host", "a\r\nx-b: 2")]), id="a line break in a host"),
        pytest.param(request(headers=[("cookie", "a\nb")]), id="a line break in a cookie"),
        pytest.param(request(headers=[("x-forwarded-proto", "http\r\n")]), id="a line break in a scheme"),
        pytest.param(request(host="a\r\nx-b: 2"), id="a line break in the event's domain"),
        pytest.param(request(client="a\r\nx-b: 2"), id="a line break in the client"),
        pytest.param(request(prefix="/a\nb"), id="a line break in the prefix"),
        pytest.param(request(path="/a\r\nb"), id="a line break in a path"),
        pytest.param(request(query="a\nb"), id="a line break in a query"),
        pytest.param(request(query="a\0b"), id="NUL in a query"),
        pytest.param(request(""), id="no method"),
        pytest.param(request("GET /admin"), id="a path in a method"),
        pytest.param(request("GET\r\n"), id="a line break in a method"),
        pytest.param(request("GÉT"), id="a method outside ASCII"),
        pytest.param(request("\ud800"), id="half of a surrogate pair for a method"),
    ],
)
def test_what_no_http_request_can_carry_is_refused(given: Request) -> None:
    with pytest.raises(InvalidEvent):
        request_bytes(given, INVOCATION)


def test_a_name_that_was_refused_once_is_refused_again() -> None:
    given = request(headers=[("not a name", "1")])
    with pytest.raises(InvalidEvent):
        request_bytes(given, INVOCATION)

    with pytest.raises(InvalidEvent, match=r"^The event has an invalid header name .*: 'not a name'\.$"):
        request_bytes(given, INVOCATION)


@pytest.mark.parametrize(
    "invocation",
    [
        pytest.param(Invocation(request_id="1", event=b"", trace_id="a\r\nb"), id="a trace"),
        pytest.param(Invocation(request_id="1", event=b"", tenant_id="a\nb"), id="a tenant"),
    ],
)
def test_a_line_break_from_the_runtime_api_is_refused(invocation: Invocation) -> None:
    with pytest.raises(InvalidEvent):
        request_bytes(request(), invocation)


def test_a_method_of_any_token_is_sent() -> None:
    assert sent(request("M-SEARCH")).method == "M-SEARCH"


# Responses


def cleaned(headers: list[tuple[bytes, bytes]], method: str = "GET") -> list[tuple[bytes, bytes]]:
    return end_to_end(Response(status=200, headers=headers, body=b"body"), method).headers


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"Connection", id="connection"),
        pytest.param(b"Keep-Alive", id="keep-alive"),
        pytest.param(b"Proxy-Authenticate", id="proxy-authenticate"),
        pytest.param(b"Proxy-Authorization", id="proxy-authorization"),
        pytest.param(b"Proxy-Connection", id="proxy-connection"),
        pytest.param(b"TE", id="te"),
        pytest.param(b"Trailer", id="trailer"),
        pytest.param(b"Transfer-Encoding", id="transfer-encoding"),
        pytest.param(b"Upgrade", id="upgrade"),
        pytest.param(b"Content-Length", id="content-length"),
    ],
)
@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(bytes.lower, id="lower"),
        pytest.param(bytes.upper, id="upper"),
        pytest.param(bytes, id="mixed"),
    ],
)
def test_a_listed_header_does_not_leave_the_app(name: bytes, spelled: type[bytes]) -> None:
    assert cleaned([(b"a", b"1"), (spelled(name), b"x"), (b"b", b"2")]) == [(b"a", b"1"), (b"b", b"2")]


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        pytest.param(
            [(b"connection", b"close, X-A"), (b"x-a", b"1"), (b"x-b", b"2")], [(b"x-b", b"2")], id="named after it"
        ),
        pytest.param([(b"X-A", b"1"), (b"x-b", b"2"), (b"Connection", b"x-a")], [(b"x-b", b"2")], id="named before it"),
        pytest.param(
            [(b"connection", b"x-a"), (b"x-a", b"1"), (b"x-b", b"2"), (b"connection", b"x-b")], [], id="in two lines"
        ),
        pytest.param([(b"connection", b""), (b"x-a", b"1")], [(b"x-a", b"1")], id="nothing named"),
    ],
)
def test_headers_that_a_response_names_in_connection_are_removed(
    headers: list[tuple[bytes, bytes]], left: list[tuple[bytes, bytes]]
) -> None:
    assert cleaned(headers) == left


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([(b"set-cookie", b"a=1"), (b"x-a", b"1"), (b"set-cookie", b"b=2")], id="repeated"),
        pytest.param([(b"Content-Type", b"text/plain"), (b"ETag", b'"1"')], id="as spelled"),
        pytest.param([(b"server", b"uvicorn"), (b"date", b"Thu, 01 Jan 2026 00:00:00 GMT")], id="server and date"),
        pytest.param([(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")], id="a coding"),
        pytest.param([(b"x-name", b"M\xf6hre")], id="bytes outside ASCII"),
    ],
)
def test_other_headers_of_a_response_are_kept_in_order(headers: list[tuple[bytes, bytes]]) -> None:
    assert cleaned(headers) == headers


def test_the_response_to_head_keeps_its_length() -> None:
    assert cleaned([(b"Content-Length", b"1234")], "HEAD") == [(b"Content-Length", b"1234")]


def test_the_response_to_head_without_content_has_no_length() -> None:
    assert end_to_end(Response(204, [(b"Content-Length", b"0"), (b"etag", b"1")]), "HEAD").headers == [(b"etag", b"1")]


def test_status_and_body_are_kept_and_the_response_is_left_as_it_was() -> None:
    given = Response(status=206, headers=[(b"connection", b"close"), (b"a", b"1")], body=b"\x00body")

    found = end_to_end(given, "GET")

    assert found == Response(status=206, headers=[(b"a", b"1")], body=b"\x00body")
    assert given.headers == [(b"connection", b"close"), (b"a", b"1")]
