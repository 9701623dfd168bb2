"""A WSGI app behind both servers: the built-in one, and a2wsgi on uvicorn (PEP 3333, RFC 9112)."""

import json
import signal

import pytest
from app.cases import CASES, CHUNKED, CLOSE, LENGTH, NONE, Case, Outcome, Refused
from app.client import Broken, Client, Response, request
from app.serving import Served, serving

_ABOUT_FRAMING = {"content-length", "transfer-encoding", "connection"}
EVERY_BYTE = bytes(range(256))
MEGABYTE = EVERY_BYTE * 4096


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_case(case: Case, server: str, site: Served, client: Client) -> None:
    expected = case.expected(server)

    client.send(case.sent)
    seen = see(site, client, case.method)

    if isinstance(expected, Refused):
        assert seen.status in (0, 500)
        assert (seen.word, seen.stays_open) in (("done", True), ("closing", False))
    else:
        assert seen == (expected if expected.framing else without_framing(expected, seen))


def see(site: Served, client: Client, method: str) -> Outcome:
    """Everything that can be seen of the request that was just sent."""
    try:
        response = client.response(method)
    except Broken:
        response = Response(status=0, reason="", headers=[])
    word = site.word(client.name)
    return Outcome(
        status=response.status,
        body=response.body,
        headers=tuple((name.lower(), value) for name, value in response.headers if name.lower() not in _ABOUT_FRAMING),
        framing=framing_of(response) if response.status else "",
        word=word,
        stays_open=takes_another(site, client),
    )


def framing_of(response: Response) -> str:
    if response.values("transfer-encoding"):
        return CHUNKED
    if response.values("content-length"):
        return LENGTH
    return CLOSE if response.values("connection") else NONE


def without_framing(expected: Outcome, seen: Outcome) -> Outcome:
    return Outcome(
        status=expected.status,
        body=expected.body,
        headers=expected.headers,
        framing=seen.framing,
        word=expected.word,
        stays_open=expected.stays_open,
    )


def takes_another(site: Served, client: Client) -> bool:
    try:
        answer = client.ask("GET", "/hello")
    except (Broken, BrokenPipeError, ConnectionResetError):
        return False
    assert answer.body == b"hello"
    assert site.word(client.name) == "done"
    return True


def test_head_says_the_length_that_get_says(site: Served, client: Client) -> None:
    answer = client.ask("HEAD", "/hello")

    assert answer.values("content-length") == ["5"]


def test_head_says_the_length_that_the_server_adds(lean: Served) -> None:
    with lean.connect() as client:
        assert client.ask("HEAD", "/one_part").values("content-length") == ["5"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_204_has_no_length_even_if_the_app_says_one(lean: Served, method: str) -> None:
    with lean.connect() as client:
        answer = client.ask(method, "/no_content_with_length")

    assert (answer.status, answer.values("content-length")) == (204, [])


def test_equal_lengths_go_out_as_one(lean: Served) -> None:
    with lean.connect() as client:
        answer = client.ask("GET", "/equal_lengths")

    assert (answer.status, answer.values("content-length"), answer.body) == (200, ["5"], b"hello")


def test_different_lengths_are_the_app_s_failure(lean: Served) -> None:
    with lean.connect() as client:
        assert client.ask("GET", "/different_lengths").status == 500


def test_a_megabyte_goes_both_ways(site: Served, client: Client) -> None:
    answer = client.ask("POST", "/echo", body=MEGABYTE)

    assert answer.values("x-length") == ["1048576"]
    assert answer.body == MEGABYTE
    assert site.word(client.name) == "done"


def test_a_megabyte_in_chunks_goes_both_ways(site: Served, client: Client) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (65535, MEGABYTE[at : at + 65535]) for at in range(0, 65535 * 16, 65535))
    sent = request("POST", "/echo", ("Transfer-Encoding", "chunked"), body=chunks + b"0\r\n\r\n")

    client.send(sent)

    assert client.response("POST").body == MEGABYTE[: 65535 * 16]


def test_a_request_that_comes_byte_by_byte_is_one_request(site: Served, client: Client) -> None:
    for byte in request("POST", "/echo", ("X-Other", "yes"), body=b"hello"):
        client.send(bytes([byte]))

    assert client.response("POST").body == b"hello"
    assert site.word(client.name) == "done"


def test_a_file_is_downloaded_byte_by_byte(site: Served, client: Client) -> None:
    answer = client.ask("GET", "/download")

    assert answer.body == EVERY_BYTE * 1000
    assert takes_another(site, client)


def test_one_connection_serves_many_requests(site: Served, client: Client) -> None:
    bodies = [client.ask("POST", "/echo", body=str(number).encode()).body for number in range(20)]

    words = [site.word(client.name) for _ in range(20)]

    assert bodies == [str(number).encode() for number in range(20)]
    assert words == ["done"] * 20


def test_two_pipelined_requests_are_answered_in_order(site: Served, client: Client) -> None:
    client.send(request("POST", "/echo", body=b"first") + request("POST", "/echo", body=b"second"))

    answers = [client.response("POST").body, client.response("POST").body]
    words = [site.word(client.name), site.word(client.name)]

    assert answers == [b"first", b"second"]
    assert words == ["done", "done"]


def test_garbage_is_said_to_close_once_and_does_no_harm(site: Served, client: Client) -> None:
    client.send(b"garbage\r\n\r\n")
    answer = client.response()
    word = site.word(client.name)

    assert (answer.status, word) == (400, "closing")
    with site.connect() as other:
        other.ask("GET", "/hello")

        assert site.next_word(client.name, other.name) == ("done", other.name)


def test_a_client_that_leaves_in_the_middle_of_a_request_does_no_harm(site: Served, client: Client) -> None:
    client.send(b"POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nhello")
    client.close()

    with site.connect() as other:
        assert other.ask("GET", "/hello").body == b"hello"


def test_the_body_is_sent_after_100_continue(site: Served, client: Client) -> None:
    sent = request("POST", "/echo", ("Expect", "100-Continue"), ("Content-Length", "5"))

    client.send(sent)
    interim = client.head()
    client.send(b"hello")
    answer = client.response("POST")

    assert (interim.status, interim.headers) == (100, [])
    assert (answer.status, answer.body) == (200, b"hello")
    assert site.word(client.name) == "done"


@pytest.mark.parametrize("app", ["streamed", "written_in_steps"])
def test_the_first_chunk_arrives_before_the_second_is_made(site: Served, client: Client, app: str, key: str) -> None:
    client.send(request("GET", f"/{app}/{key}"))
    client.head()
    first = client.chunk()
    open_gate(site, key)
    rest = [client.chunk(), client.chunk()]

    assert [first, *rest] == [b"first", b"second", b""]
    assert site.word(client.name) == "done"


def test_the_first_part_arrives_before_the_second_is_made(site: Served, client: Client, key: str) -> None:
    client.send(request("GET", f"/streamed_with_length/{key}"))
    client.head()
    first = client.read(5)
    open_gate(site, key)
    second = client.read(6)

    assert (first, second) == (b"first", b"second")
    assert site.word(client.name) == "done"


def test_replies_do_not_wait_for_acknowledgements(client: Client) -> None:
    """Nagle's algorithm holds back all but the first part of a response for 40 ms."""
    assert json.loads(client.ask("GET", "/no_delay").body) == [True]


@pytest.mark.parametrize("app", ["closable", "closable_that_raises", "closable_that_raises_at_once"])
def test_the_body_is_closed_once(site: Served, client: Client, app: str, key: str) -> None:
    client.send(request("GET", f"/{app}/{key}"))
    site.word(client.name)  # by then the app's call is over

    assert times_closed(site, key) == 1


def test_done_is_said_after_the_body_was_closed(site: Served, client: Client, key: str) -> None:
    client.ask("GET", f"/closable_slowly/{key}")
    with site.connect() as other:
        other.ask("GET", "/hello")

        assert site.next_word(client.name, other.name) == ("done", other.name)

    open_gate(site, key)

    assert site.word(client.name) == "done"
    assert times_closed(site, key) == 1


def test_a_client_that_leaves_in_the_middle_of_a_response_ends_it(lean: Served, key: str) -> None:
    """On uvicorn nobody tells the app: a2wsgi goes on to the end of the body."""
    with lean.connect() as client:
        client.send(request("GET", f"/endless/{key}"))
        client.head()
        client.chunk()
        name = client.name

    assert lean.word(name) == "closing"
    assert times_closed(lean, key) == 1


def test_an_exception_is_in_the_log_with_its_traceback(site: Served, client: Client, key: str) -> None:
    client.ask("GET", f"/raises_before_the_start/{key}")

    log = site.output()

    assert f"LookupError: the app failed at /raises_before_the_start/{key}" in log
    assert "wsgi_cases.py" in log


@pytest.mark.parametrize("app", ["too_long", "too_short"])
def test_a_wrong_length_is_in_the_log(app: str) -> None:
    with serving("wsgi_cases:app") as served, served.connect() as client:
        client.send(request("GET", f"/{app}"))
        see(served, client, "GET")

        assert {"too_long": "6 bytes more", "too_short": "95 bytes less"}[app] in served.output()


def test_an_error_after_output_is_raised_where_the_app_starts_again() -> None:
    """On uvicorn it is raised at the end, and the rest of the body goes out."""
    with serving("wsgi_cases:app") as served, served.connect() as client:
        client.send(request("GET", "/starts_again_after_output"))
        client.head()
        first = client.chunk()

        with pytest.raises(Broken, match="the connection ended"):
            client.chunk()

        assert first == b"hello"
        assert "LookupError: the app failed" in served.output()


def test_system_exit_is_in_the_log_and_ends_nothing(site: Served, client: Client, key: str) -> None:
    client.send(request("GET", f"/raises_system_exit/{key}"))
    see(site, client, "GET")

    assert f"the app wants to end at /raises_system_exit/{key}" in site.output()
    assert site.process.poll() is None


def test_what_is_written_to_wsgi_errors_is_in_the_log(site: Served, client: Client, key: str) -> None:
    client.ask("GET", f"/errors/{key}")

    assert f"said to wsgi.errors: {key}\n" in site.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_order(server: str, number: signal.Signals) -> None:
    with (
        serving("wsgi_cases:app", {"AWS_LWA_SERVER": "uvicorn" if server == "uvicorn" else "auto"}) as served,
        served.connect() as kept,
    ):
        kept.ask("GET", "/hello")
        served.word(kept.name)

        served.process.send_signal(number)

        assert served.end() == 0
        assert served.output() == "at exit\n"


def test_a_signal_that_another_thread_takes_ends_the_process_too(server: str) -> None:
    """So does one that comes between two system calls of the main thread: there, nothing interrupts the next one."""
    with (
        serving("wsgi_cases:app", {"AWS_LWA_SERVER": "uvicorn" if server == "uvicorn" else "auto"}) as served,
        served.connect() as client,
    ):
        for _ in range(50):  # by then the main thread waits for connections
            client.ask("GET", "/hello")
        client.send(request("GET", "/terminated"))

        assert served.end() == 0
        assert served.output() == "at exit\n"


def test_a_request_does_not_hold_up_the_end(key: str) -> None:
    """On uvicorn it does; the adapter ends what has not ended in time."""
    with serving("wsgi_cases:app") as served, served.connect() as client:
        client.send(request("GET", f"/streamed/{key}"))
        client.head()

        assert served.stop() == 0
        assert served.output() == "at exit\n"


def open_gate(site: Served, key: str) -> None:
    with site.connect() as other:
        assert other.ask("GET", f"/gate/{key}").body == b"open"


def times_closed(site: Served, key: str) -> int:
    with site.connect() as other:
        return int(other.ask("GET", f"/closed/{key}").body)
