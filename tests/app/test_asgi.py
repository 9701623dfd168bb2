"""ASGI apps on uvicorn: the scope, the lifespan, and what the adapter hears (ASGI specification)."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from app.client import Broken, Client, request
from app.serving import Served, serving

MEGABYTE = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def bare() -> Iterator[Served]:
    with serving("asgi_bare:app") as served:
        yield served


@pytest.fixture(scope="module")
def fastapi() -> Iterator[Served]:
    with serving("asgi_fastapi:app") as served:
        yield served


@pytest.fixture
def client(bare: Served) -> Iterator[Client]:
    with bare.connect() as client:
        yield client


# The scope.


def scope_of(client: Client, sent: bytes) -> dict[str, Any]:
    client.send(sent)
    found: dict[str, Any] = json.loads(client.response().body)
    return found


def bytes_of(text: str) -> dict[str, str]:
    return {"bytes": text}


def test_the_scope_states_the_request_as_the_event_does(client: Client) -> None:
    scope = scope_of(
        client,
        request(
            "GET",
            "/scope/a%2Fb%20%C3%A9?x=%20&x=2",
            ("Host", "shop.test"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Port", "443"),
            ("X-Real-IP", "198.51.100.7"),
            ("X-Twice", "caf\xe9"),
            ("x-twice", ""),
        ),
    )

    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "server": ["shop.test", 443],
        "client": ["198.51.100.7", 0],
        "root_path": "",
        "path": "/scope/a/b é",
        "raw_path": bytes_of("/scope/a%2Fb%20%C3%A9"),
        "query_string": bytes_of("x=%20&x=2"),
        "headers": [
            [bytes_of("host"), bytes_of("shop.test")],
            [bytes_of("x-forwarded-proto"), bytes_of("https")],
            [bytes_of("x-forwarded-port"), bytes_of("443")],
            [bytes_of("x-real-ip"), bytes_of("198.51.100.7")],
            [bytes_of("x-twice"), bytes_of("caf\xe9")],
            [bytes_of("x-twice"), bytes_of("")],
        ],
        "state": {"opened": "by the lifespan"},
    }


def test_the_path_includes_the_prefix(client: Client) -> None:
    scope = scope_of(client, request("GET", "/scope/%2F", ("X-Forwarded-Prefix", "/st%20age/%C3%A9")))

    assert scope["root_path"] == "/st age/é"
    assert scope["path"] == "/st age/é/scope//"
    assert scope["raw_path"] == bytes_of("/st%20age/%C3%A9/scope/%2F")


def test_without_an_address_the_client_is_the_peer(client: Client) -> None:
    scope = scope_of(client, request("GET", "/scope"))

    assert scope["client"] == ["127.0.0.1", int(client.name)]
    assert (scope["scheme"], scope["server"]) == ("http", ["app.test", 80])
    assert scope["query_string"] == bytes_of("")


def test_an_ipv6_host_stands_without_brackets(client: Client) -> None:
    scope = scope_of(client, request("GET", "/scope", ("Host", "[2001:db8::1]:8443"), ("X-Real-IP", "2001:db8::7")))

    assert scope["server"] == ["2001:db8::1", 8443]
    assert scope["client"] == ["2001:db8::7", 0]


def test_a_host_that_makes_no_sense_is_served(bare: Served, client: Client) -> None:
    answer = client.ask("GET", "/scope", ("Host", "app.test:" + "1" * 5000))

    assert answer.status == 200
    assert bare.word(client.name) == "done"


# Requests and responses.


def test_a_megabyte_goes_both_ways(bare: Served, client: Client) -> None:
    assert client.ask("POST", "/echo", body=MEGABYTE).body == MEGABYTE
    assert bare.word(client.name) == "done"


def test_a_body_that_nobody_reads_does_not_disturb_the_next_request(bare: Served, client: Client) -> None:
    answers = [client.ask("POST", "/unread", body=MEGABYTE).body, client.ask("POST", "/echo", body=b"next").body]

    assert answers == [b"not read", b"next"]
    assert [bare.word(client.name), bare.word(client.name)] == ["done", "done"]


def test_the_first_part_arrives_before_the_second_is_made(bare: Served, client: Client, key: str) -> None:
    client.send(request("GET", f"/streamed/{key}"))
    client.head()
    first = client.chunk()
    open_gate(bare, key)

    assert [first, client.chunk(), client.chunk()] == [b"first", b"second", b""]
    assert bare.word(client.name) == "done"


def test_a_part_that_looks_like_a_head_is_not_held_back(bare: Served, client: Client, key: str) -> None:
    client.send(request("GET", f"/looks_like_a_head/{key}"))
    client.head()
    seen = client.read(21)
    open_gate(bare, key)

    assert (seen, client.read(5)) == (b"seen: HTTP/1.1 200 OK", b" done")


def test_done_is_said_after_the_background_work(bare: Served, client: Client, key: str) -> None:
    answer = client.ask("POST", f"/background/{key}")
    with bare.connect() as other:
        other.ask("GET", "/scope")

        assert (answer.status, answer.body) == (202, b"accepted")
        assert bare.next_word(client.name, other.name) == ("done", other.name)

    open_gate(bare, key)

    assert bare.word(client.name) == "done"
    assert f"background work {key} is finished" in bare.output()


def test_an_exception_is_a_500(bare: Served, client: Client) -> None:
    answer = client.ask("GET", "/raises")

    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert bare.word(client.name) == "done"
    assert client.ask("GET", "/scope").status == 200
    assert "LookupError: the app failed" in bare.output()


def test_an_exception_after_a_large_body_is_a_500(bare: Served, client: Client) -> None:
    answer = client.ask("POST", "/raises_after_reading", body=MEGABYTE)

    assert answer.status == 500
    assert bare.word(client.name) == "done"


def test_an_exception_in_the_body_breaks_it_off(bare: Served, client: Client) -> None:
    client.send(request("GET", "/raises_in_the_body"))

    with pytest.raises(Broken):
        client.response()

    assert bare.word(client.name) == "closing"


def test_an_exception_in_the_background_comes_after_the_response(bare: Served, client: Client) -> None:
    answer = client.ask("POST", "/raises_in_the_background")

    assert (answer.status, answer.body) == (202, b"accepted")
    assert bare.word(client.name) == "done"
    assert client.ask("GET", "/scope").status == 200
    assert "LookupError: the background work failed" in bare.output()


def test_an_app_that_does_not_answer_is_a_500(bare: Served, client: Client) -> None:
    answer = client.ask("GET", "/never_answers")

    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert bare.word(client.name) == "done"
    assert "returned before it sent any of its response's body" in bare.output()


def test_half_an_answer_is_broken_off(bare: Served, client: Client) -> None:
    client.send(request("GET", "/answers_in_part"))

    with pytest.raises(Broken):
        client.response()

    assert bare.word(client.name) == "closing"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(request("FROB", "/scope"), id="unknown method"),
        pytest.param(b"this is not HTTP\r\n\r\n", id="garbage"),
        pytest.param(request("GET", "/scope", ("Content-Length", "-1")), id="length below zero"),
        pytest.param(b"GET /caf\xe9 HTTP/1.1\r\nHost: app.test\r\n\r\n", id="target outside ASCII"),
    ],
)
def test_what_is_not_http_is_said_to_close(bare: Served, client: Client, sent: bytes) -> None:
    client.send(sent)

    assert client.response().status == 400
    assert bare.word(client.name) == "closing"
    assert client.is_closed_by_peer()


def test_what_is_refused_after_a_good_request_is_said_to_close(bare: Served, client: Client) -> None:
    client.ask("GET", "/scope")
    client.send(request("FROB", "/scope"))
    answer = client.response()

    assert answer.status == 400
    assert [bare.word(client.name), bare.word(client.name)] == ["done", "closing"]


# FastAPI.


def test_the_lifespans_state_is_in_each_request(fastapi: Served) -> None:
    with fastapi.connect() as client:
        assert [client.ask("GET", "/state").body for _ in range(2)] == [b'"by the lifespan"'] * 2


def test_addresses_have_the_prefix(fastapi: Served) -> None:
    with fastapi.connect() as client:
        answer = client.ask(
            "GET",
            "/address/a/b?c=d",
            ("Host", "shop.test"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Prefix", "/stage"),
            ("X-Real-IP", "198.51.100.7"),
        )

    assert json.loads(answer.body) == {
        "rest": "a/b",
        "url": "https://shop.test/stage/address/a/b?c=d",
        "base_url": "https://shop.test/stage/",
        "url_for": "https://shop.test/stage/address/there",
        "root_path": "/stage",
        "client": "198.51.100.7",
    }


def test_background_tasks_are_done_before_done_is_said(fastapi: Served, key: str) -> None:
    with fastapi.connect() as client, fastapi.connect() as other:
        answer = client.ask("POST", f"/work/{key}")
        other.ask("GET", "/state")

        assert answer.status == 202
        assert fastapi.next_word(client.name, other.name) == ("done", other.name)

        other.ask("GET", f"/gate/{key}")

        assert fastapi.word(client.name) == "done"
        assert f"work {key} is finished" in fastapi.output()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/fails", 500, id="in the endpoint"),
        pytest.param("POST", "/fails_later", 200, id="in a background task"),
    ],
)
def test_a_failure_is_answered_and_logged(fastapi: Served, method: str, path: str, status: int) -> None:
    with fastapi.connect() as client:
        answer = client.ask(method, path)

        assert answer.status == status
        assert fastapi.word(client.name) == "done"
        assert "LookupError: the app failed" in fastapi.output()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_204_has_no_length_even_if_the_app_says_one(client: Client, method: str) -> None:
    answer = client.ask(method, "/no_content")

    assert (answer.status, answer.values("content-length")) == (204, [])


def test_equal_lengths_go_out_as_one(client: Client) -> None:
    answer = client.ask("GET", "/equal_lengths")

    assert (answer.status, answer.values("content-length"), answer.body) == (200, ["5"], b"hello")


def test_different_lengths_are_the_app_s_failure(client: Client) -> None:
    assert client.ask("GET", "/different_lengths").status == 500


@pytest.mark.parametrize("corrected", ["head", "body"])
def test_a_message_that_was_rejected_leaves_nothing_behind(bare: Served, client: Client, corrected: str) -> None:
    answer = client.ask("GET", f"/corrects_its_{corrected}")

    assert (answer.status, answer.values("content-length"), answer.body) == (200, ["5"], b"hello")
    assert bare.word(client.name) == "done"


def test_a_send_that_the_app_cancels_does_not_cancel_the_next(bare: Served, client: Client, key: str) -> None:
    client.send(request("GET", f"/cancels_a_send/{key}"))
    client.head()
    open_gate(bare, key)
    last = b""
    while part := client.chunk():
        last = part

    assert last == b"the end"
    assert bare.word(client.name) == "done"


@pytest.mark.parametrize(("headers", "word"), [([], "done"), ([("Connection", "close")], "closing")])
def test_what_is_sent_after_the_response_is_the_app_s_error(
    bare: Served, client: Client, headers: list[tuple[str, str]], word: str
) -> None:
    error = "RuntimeError: The app sent ASGI message 'http.response.body', but its response is complete"
    before = bare.output().count(error)
    answer = client.ask("GET", "/sends_too_much", *headers)

    assert answer.body == b"whole"
    assert bare.word(client.name) == word
    assert bare.output().count(error) == before + 1


# The life of the process.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_startup_comes_before_ready_and_shutdown_at_the_end(number: signal.Signals) -> None:
    with serving("asgi_bare:app") as served, served.connect() as kept:
        at_ready = served.output()
        kept.ask("GET", "/scope")
        served.word(kept.name)

        served.process.send_signal(number)

        assert served.end() == 0
        assert at_ready == "lifespan.startup\n"
        assert served.output() == "lifespan.startup\nlifespan.shutdown\nat exit\n"


def test_fastapis_lifespan_runs_once() -> None:
    with serving("asgi_fastapi:app") as served:
        assert served.output() == "startup\n"
        assert served.stop() == 0
        assert served.output() == "startup\nshutdown\n"


def test_work_without_end_does_not_hold_up_the_shutdown(key: str) -> None:
    with serving("asgi_bare:app") as served, served.connect() as client:
        client.ask("POST", f"/background/{key}")

        assert served.stop() == 0
        assert served.output().count("lifespan.shutdown\n") == 1
        assert served.output().endswith("at exit\n")
        assert "is finished" not in served.output()


def open_gate(site: Served, key: str) -> None:
    with site.connect() as other:
        assert other.ask("GET", f"/gate/{key}").body == b"open"
