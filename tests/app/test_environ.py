"""The environ that a WSGI app gets, key by key, from both servers."""

import json
from typing import Any

import pytest
from app.client import request
from app.serving import Served, serving

# Keys whose values may differ, and why.
KEYS_APART = {
    "REMOTE_PORT": "a2wsgi adds it; it is the port of the hop, which says nothing",
    "REQUEST_URI": "the built-in server adds it: the path as it was sent, which PATH_INFO cannot say",
    "asgi.scope": "a2wsgi adds it",
    "wsgi.file_wrapper": "optional (PEP 3333); a2wsgi has none",
    "wsgi.input_terminated": "the built-in server adds it: the input ends where the body does",
    "wsgi.multiprocess": "a2wsgi says yes, though there is one process in each environment",
}

ALWAYS: dict[str, Any] = {
    "HTTP_HOST": "app.test",
    "PATH_INFO": "/environ",
    "QUERY_STRING": "",
    "REMOTE_ADDR": "127.0.0.1",
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "SERVER_NAME": "app.test",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.errors": "<ErrorWrapper>",
    "wsgi.input": "<InputWrapper>",
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
    "wsgi.version": [1, 0],
}
LEAN_ALONE: dict[str, Any] = {
    "REQUEST_URI": "/environ",
    "wsgi.file_wrapper": "<type>",
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
}


def environ_at(site: Served, sent: bytes) -> dict[str, Any]:
    with site.connect() as client:
        client.send(sent)
        answer = client.response()
    assert answer.status == 200, site.output()
    found: dict[str, Any] = json.loads(answer.body)
    return found


CASES = [
    pytest.param(request("GET", "/environ"), {}, id="plain"),
    pytest.param(request("GET", "/environ/a%20b%25+c"), {"PATH_INFO": "/environ/a b%+c"}, id="percent-encoded path"),
    pytest.param(request("GET", "/environ/a%2Fb%3Fc"), {"PATH_INFO": "/environ/a/b?c"}, id="encoded slash"),
    pytest.param(request("GET", "/environ/a//b/../c;d=1"), {"PATH_INFO": "/environ/a//b/../c;d=1"}, id="odd path"),
    pytest.param(
        request("GET", "/environ/%C3%A9%F0%9F%8C%B1"), {"PATH_INFO": "/environ/Ã©ð\x9f\x8c±"}, id="UTF-8 path"
    ),
    pytest.param(request("GET", "/environ/%zz%4"), {"PATH_INFO": "/environ/%zz%4"}, id="path with broken escapes"),
    pytest.param(
        request("GET", "/environ?a=1&a=%20+&b=%zz?&=;"), {"QUERY_STRING": "a=1&a=%20+&b=%zz?&=;"}, id="raw query"
    ),
    pytest.param(request("GET", "/environ?"), {}, id="empty query"),
    pytest.param(
        request("GET", "/environ", ("X-One", "a"), ("x-one", "b, c"), ("X-ONE", "d")),
        {"HTTP_X_ONE": "a,b, c,d"},
        id="repeated header",
    ),
    pytest.param(
        request("GET", "/environ", ("X-Latin", "caf\xe9"), ("X-Utf8", "\xc3\xa9"), ("X-Empty", ""), ("X-After", "1")),
        {"HTTP_X_LATIN": "caf\xe9", "HTTP_X_UTF8": "\xc3\xa9", "HTTP_X_EMPTY": "", "HTTP_X_AFTER": "1"},
        id="header bytes",
    ),
    pytest.param(
        request("POST", "/environ", ("Content-Type", "text/x; charset=utf-8"), body=b"hello"),
        {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "text/x; charset=utf-8", "CONTENT_LENGTH": "5"},
        id="body",
    ),
    pytest.param(
        request("DELETE", "/environ", ("Content-Length", "0")),
        {"REQUEST_METHOD": "DELETE", "CONTENT_LENGTH": "0"},
        id="empty body",
    ),
    pytest.param(
        request("GET", "/environ", ("X-Forwarded-Prefix", "/api/v1")),
        {"SCRIPT_NAME": "/api/v1", "HTTP_X_FORWARDED_PREFIX": "/api/v1"},
        id="prefix",
    ),
    pytest.param(
        request("GET", "/environ/x", ("X-Forwarded-Prefix", "/a%20b%C3%A9")),
        {"SCRIPT_NAME": "/a bÃ©", "PATH_INFO": "/environ/x", "HTTP_X_FORWARDED_PREFIX": "/a%20b%C3%A9"},
        id="encoded prefix",
    ),
    pytest.param(
        request("GET", "/environ", ("X-Real-IP", "2001:db8::7")),
        {"REMOTE_ADDR": "2001:db8::7", "HTTP_X_REAL_IP": "2001:db8::7"},
        id="the client's address",
    ),
    pytest.param(
        request("GET", "/environ", ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443")),
        {
            "wsgi.url_scheme": "https",
            "SERVER_PORT": "443",
            "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_X_FORWARDED_PORT": "443",
        },
        id="https",
    ),
    pytest.param(
        request("GET", "/environ", ("Host", "shop.test:8443"), ("X-Forwarded-Port", "443")),
        {
            "HTTP_HOST": "shop.test:8443",
            "SERVER_NAME": "shop.test",
            "SERVER_PORT": "8443",
            "HTTP_X_FORWARDED_PORT": "443",
        },
        id="host with a port",
    ),
    pytest.param(
        request("GET", "/environ", ("Host", "[2001:db8::1]:81")),
        {"HTTP_HOST": "[2001:db8::1]:81", "SERVER_NAME": "2001:db8::1", "SERVER_PORT": "81"},
        id="IPv6 host",
    ),
]


@pytest.mark.parametrize(("sent", "expected"), CASES)
def test_the_environ(lean: Served, sent: bytes, expected: dict[str, Any]) -> None:
    environ = environ_at(lean, sent)
    uri = environ.pop("REQUEST_URI")

    assert environ == {key: value for key, value in (ALWAYS | LEAN_ALONE | expected).items() if key != "REQUEST_URI"}
    assert uri.endswith(sent.split(b" ")[1].decode())


@pytest.mark.parametrize(("sent", "expected"), CASES)
def test_both_servers_give_the_same_environ(lean: Served, bridged: Served, sent: bytes, expected: object) -> None:
    ours, theirs = environ_at(lean, sent), environ_at(bridged, sent)

    assert without(KEYS_APART, ours) == without(KEYS_APART, theirs)


def test_the_keys_apart_are_all_there_is(lean: Served, bridged: Served) -> None:
    ours, theirs = environ_at(lean, request("GET", "/environ")), environ_at(bridged, request("GET", "/environ"))

    assert {key for key in ours | theirs if ours.get(key) != theirs.get(key)} == KEYS_APART.keys()


def without(keys: dict[str, str], environ: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in environ.items() if key not in keys}


def test_bytes_that_are_no_utf_8_reach_the_app(lean: Served, bridged: Served) -> None:
    """On uvicorn they are lost: an ASGI path is text, and these bytes are none."""
    sent = request("GET", "/environ/%E9%FF")

    assert environ_at(lean, sent)["PATH_INFO"] == "/environ/\xe9\xff"
    assert (
        environ_at(bridged, sent)["PATH_INFO"]
        == "/environ/" + "\N{REPLACEMENT CHARACTER}".encode().decode("latin-1") * 2
    )


def test_the_length_of_a_body_in_chunks_is_known(lean: Served, bridged: Served) -> None:
    """On uvicorn the app begins before the body is there."""
    sent = request("POST", "/environ", ("Transfer-Encoding", "chunked"), body=b"5\r\nhello\r\n0\r\n\r\n")

    assert environ_at(lean, sent)["CONTENT_LENGTH"] == "5"
    assert "CONTENT_LENGTH" not in environ_at(bridged, sent)


def test_request_uri_is_what_was_sent_with_the_prefix(lean: Served) -> None:
    sent = request("GET", "/environ/a%2Fb?c=%20", ("X-Forwarded-Prefix", "/p%20q"))

    assert environ_at(lean, sent)["REQUEST_URI"] == "/p%20q/environ/a%2Fb?c=%20"


def test_a_request_without_a_host_has_a_server_name(site: Served) -> None:
    environ = environ_at(site, b"GET /environ HTTP/1.0\r\n\r\n")

    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"


def test_an_empty_host_still_has_a_server_name(site: Served) -> None:
    """SERVER_NAME can never be an empty string (PEP 3333)."""
    assert environ_at(site, request("GET", "/environ", ("Host", "")))["SERVER_NAME"] == "localhost"


def test_thousands_of_header_names_all_arrive(lean: Served) -> None:
    """More than the server remembers the keys of."""
    with lean.connect() as client:
        for hundred in range(25):
            names = [f"X-Made-Up-{hundred * 100 + number}" for number in range(100)]
            answer = client.ask("GET", "/environ", *((name, "1") for name in names))

            assert {f"HTTP_{name.upper().replace('-', '_')}" for name in names} <= json.loads(answer.body).keys()


UNDERSCORED = [
    pytest.param([("x_amzn_oidc_identity", "admin")], {}, id="alone"),
    pytest.param(
        [("x-amzn-oidc-identity", "me"), ("x_amzn_oidc_identity", "admin")],
        {"HTTP_X_AMZN_OIDC_IDENTITY": "me"},
        id="behind the real one",
    ),
    pytest.param(
        [("x_amzn-oidc_identity", "admin"), ("x-amzn-oidc-identity", "me")],
        {"HTTP_X_AMZN_OIDC_IDENTITY": "me"},
        id="before the real one",
    ),
    pytest.param([("X_User", "admin"), ("X-User-", "1"), ("_", "2")], {"HTTP_X_USER_": "1"}, id="any name"),
    pytest.param([("content_length", "7"), ("Content_Type", "a/b"), ("host_", "c")], {}, id="of the body"),
]


@pytest.mark.parametrize(("headers", "expected"), UNDERSCORED)
def test_a_name_with_an_underscore_is_not_one_with_a_hyphen(
    site: Served, headers: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    environ = environ_at(site, request("GET", "/environ", *headers))

    found = {key: value for key, value in environ.items() if key.startswith(("HTTP_", "CONTENT_"))}
    assert found == {"HTTP_HOST": "app.test", **expected}


SETTINGS = [
    pytest.param({}, id="built-in"),
    pytest.param({"AWS_LWA_SERVER": "uvicorn"}, id="uvicorn"),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_that_a_header_was_left_out_is_in_the_log_once(settings: dict[str, str]) -> None:
    with serving("wsgi_cases:app", settings) as served:
        for number in range(3):
            environ_at(served, request("GET", "/environ", (f"x_made_up_{number}", "1")))

        assert served.output().count("AWS_LWA_UNDERSCORE_HEADERS") == 1


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_setting_lets_names_with_underscores_in(settings: dict[str, str]) -> None:
    with serving("wsgi_cases:app", {**settings, "AWS_LWA_UNDERSCORE_HEADERS": "true"}) as served:
        environ = environ_at(served, request("GET", "/environ", ("X_Api_Key", "secret")))

        assert environ["HTTP_X_API_KEY"] == "secret"
        assert "AWS_LWA_UNDERSCORE_HEADERS" not in served.output()
