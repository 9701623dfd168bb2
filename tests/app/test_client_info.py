"""Where a request came from, read from headers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_web_adapter.app.client_info import ClientInfo


def client_info(headers: dict[bytes, bytes]) -> ClientInfo:
    return ClientInfo(list(headers.items()), from_adapter=True)


READ = (b"host", b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-proto", b"x-real-ip")


def test_without_headers_it_is_this_machine() -> None:
    origin = client_info({})

    assert (origin.scheme, origin.host, origin.port) == ("http", "localhost", 80)
    assert (origin.client, origin.prefix, origin.raw_prefix) == ("", "", b"")


@pytest.mark.parametrize(
    ("headers", "host", "port"),
    [
        pytest.param({b"host": b"app.test"}, "app.test", 80, id="name"),
        pytest.param({b"host": b"app.test:8080"}, "app.test", 8080, id="name and port"),
        pytest.param({b"host": b"app.test:"}, "app.test", 80, id="name and empty port"),
        pytest.param({b"host": b"app.test:no"}, "app.test", 80, id="port that is no number"),
        pytest.param({b"host": b"app.test:\xb2"}, "app.test", 80, id="port that is no decimal number"),
        pytest.param({b"host": b"10.0.0.1:81"}, "10.0.0.1", 81, id="IPv4"),
        pytest.param({b"host": b"[2001:db8::1]"}, "2001:db8::1", 80, id="IPv6"),
        pytest.param({b"host": b"[2001:db8::1]:81"}, "2001:db8::1", 81, id="IPv6 and port"),
        pytest.param({b"host": b"[2001:db8::1"}, "2001:db8::1", 80, id="IPv6 without its end"),
        pytest.param({b"host": b""}, "localhost", 80, id="empty"),
        pytest.param({b"host": b":81"}, "localhost", 81, id="port alone"),
        pytest.param({b"host": b"a", b"x-forwarded-proto": b"https"}, "a", 443, id="https"),
        pytest.param({b"host": b"a", b"x-forwarded-port": b"8443"}, "a", 8443, id="forwarded port"),
        pytest.param({b"host": b"a", b"x-forwarded-port": b"-1"}, "a", 80, id="forwarded port that is none"),
        pytest.param({b"host": b"a", b"x-forwarded-port": b"70000"}, "a", 80, id="forwarded port beyond ports"),
        pytest.param({b"host": b"a:1", b"x-forwarded-port": b"2"}, "a", 1, id="the Host header's port comes first"),
        pytest.param({b"host": b"a:no", b"x-forwarded-port": b"2"}, "a", 2, id="where it is one"),
    ],
)
def test_host_and_port(headers: dict[bytes, bytes], host: str, port: int) -> None:
    origin = client_info(headers)

    assert (origin.host, origin.port) == (host, port)


@pytest.mark.parametrize(
    ("sent", "scheme"),
    [
        pytest.param(b"https", "https", id="https"),
        pytest.param(b"http", "http", id="http"),
        pytest.param(b"gopher", "http", id="neither"),
        pytest.param(b"", "http", id="empty"),
    ],
)
def test_scheme(sent: bytes, scheme: str) -> None:
    assert client_info({b"x-forwarded-proto": sent}).scheme == scheme


def test_client() -> None:
    assert client_info({b"x-real-ip": b"2001:db8::7"}).client == "2001:db8::7"


@pytest.mark.parametrize(
    ("sent", "prefix"),
    [
        pytest.param(b"/stage", "/stage", id="plain"),
        pytest.param(b"/a%20b/c", "/a b/c", id="space"),
        pytest.param(b"/a%2Fb", "/a/b", id="encoded slash"),
        pytest.param(b"/%C3%A9%F0%9F%8C%B1", "/é🌱", id="UTF-8"),
        pytest.param(b"/%E9", "/\N{REPLACEMENT CHARACTER}", id="not UTF-8"),
        pytest.param(b"/%2520", "/%20", id="decoded once"),
    ],
)
def test_prefix_is_there_raw_and_decoded(sent: bytes, prefix: str) -> None:
    origin = client_info({b"x-forwarded-prefix": sent})

    assert (origin.prefix, origin.raw_prefix) == (prefix, sent)


@given(st.dictionaries(st.sampled_from(READ), st.binary(max_size=40)))
@example({b"host": b"a:" + b"1" * 5000})
@example({b"x-forwarded-port": b"1" * 5000})
def test_no_header_bytes_are_too_odd(headers: dict[bytes, bytes]) -> None:
    origin = client_info(headers)

    assert origin.scheme in ("http", "https")
    assert 0 < origin.port < 65536
    assert origin.host


@given(name=st.from_regex(r"\A[a-z0-9.-]{1,30}\Z"), port=st.integers(1, 65535))
def test_host_and_port_are_told_apart(name: str, port: int) -> None:
    origin = client_info({b"host": f"{name}:{port}".encode()})

    assert (origin.host, origin.port) == (name, port)


@given(groups=st.lists(st.integers(0, 0xFFFF), min_size=8, max_size=8), port=st.integers(1, 65535))
def test_ipv6_host_and_port_are_told_apart(groups: list[int], port: int) -> None:
    address = ":".join(f"{group:x}" for group in groups)
    origin = client_info({b"host": f"[{address}]:{port}".encode()})

    assert (origin.host, origin.port) == (address, port)
