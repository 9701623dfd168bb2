"""What a Runtime API may answer to /next: events and what is nearly one, headers that are there, odd, or missing."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from properties.odd_events import any_events, damage
from properties.strategies import bodies, response_headers

from lambda_web_adapter.errors import AppExited, AppTimeout, AppUnreachable, InvalidResponse
from lambda_web_adapter.http.messages import Response

FIXTURES = Path(__file__).parents[1] / "fixtures"
Headers = list[tuple[bytes, bytes]]

REQUEST_ID = b"Lambda-Runtime-Aws-Request-Id"
DEADLINE = b"Lambda-Runtime-Deadline-Ms"
NONCE = b"Lambda-Runtime-Invocation-Id"
AN_ID = b"8476a536-e9f4-11e8-9739-2dfe598c3fcd"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer to /next that is HTTP; its length is right."""

    body: bytes
    headers: Headers
    status: int = 200

    @property
    def raw(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} -".encode()]
        lines += [name + b": " + value for name, value in self.headers]
        lines += [f"content-length: {len(self.body)}".encode()]
        return b"\r\n".join([*lines, b"", b""]) + self.body

    def said(self, name: bytes) -> bytes:
        """A header's value; the last one, where it is there several times, and without the spaces around it."""
        return next(
            (value.strip(b" \t") for found, value in reversed(self.headers) if found.lower() == name.lower()), b""
        )


# Bodies.

_fixtures = st.sampled_from(sorted(path for path in FIXTURES.glob("*/*.json") if ".request." not in path.name))
_fixture_events = _fixtures.map(lambda path: json.loads(path.read_bytes()))


# Events of those who take a stream.
_streamed_events = _fixtures.filter(lambda path: path.parent.name in ("function_url", "rest_api")).map(
    lambda path: json.loads(path.read_bytes())
)


@st.composite
def _damaged(draw: st.DrawFn, events: st.SearchStrategy[Any]) -> Any:
    event = copy.deepcopy(draw(events))
    if isinstance(event, dict):
        damage(draw, event)
    return event


_values = _fixture_events | _damaged(_fixture_events) | any_events
_documents = st.builds(lambda value, ascii_only: _written(value, ascii_only), _values, st.booleans())
# What JSON is made of, and what it is nearly made of.
_TOKENS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b'"a"', b'"a":', b'""', b"null", b"true", b"NaN", b"-Infinity"]
_TOKENS += [b"0", b"-0", b"1e999", b"1E400", b"1" * 40, b"1" * 5000, b"0x1", b"'a'", b"\\", b'"\\ud800"', b'"\\u0000"']
_TOKENS += [b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xfe\xff", b"\0", b"//", b"\x1e", b"\n", b" ", b"[" * 2000]
_TOKENS += [b"[" * 1000 + b"]" * 1000, b'{"a":' * 300 + b"1" + b"}" * 300, b'{"warmer":true}', b'{"statusCode":1}']
_near_json = st.lists(st.sampled_from(_TOKENS), max_size=8).map(b"".join)


def _written(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@st.composite
def _broken_documents(draw: st.DrawFn) -> bytes:
    """A document with some bytes changed, cut out, or put in."""
    data = bytearray(draw(_documents))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 16)))
        data[start:end] = draw(st.binary(max_size=4) | st.sampled_from(_TOKENS))
    return bytes(data)


_recoded = st.tuples(_documents, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])).map(
    lambda found: found[0].decode("utf-8", "replace").encode(found[1], "replace")
)
event_bodies = _documents | _broken_documents() | _near_json | _recoded | st.binary(max_size=32)

# Headers.

# All that may stand in a header's value (RFC 9110 §5.5); the rest is for raw answers.
_VISIBLE = bytes(code for code in range(256) if code >= 0x20 and code != 0x7F)
_odd_values = st.one_of(
    st.just(b""),
    st.just(b" \t"),
    st.binary(max_size=8).map(lambda value: bytes(byte for byte in value if byte in _VISIBLE)),
    st.sampled_from(
        [b"\xff\xfe", "å".encode(), "å".encode("latin-1"), b"x" * 70_000, b"a b", b"../x", b"?a=b#c", b"%00"]
    ),
)
_deadlines = _odd_values | st.sampled_from(
    [
        b"0",
        b"1",
        b"-1",
        b"1e3",
        b"0x10",
        b"1.5",
        b"9" * 15,
        b"9" * 16,
        b"9" * 30,
        b"9" * 400,
        b"9" * 5000,
        b"00012",
        b"+5",
    ]
)
_ids = st.just(AN_ID) | _odd_values
_names = st.sampled_from(
    [
        REQUEST_ID,
        DEADLINE,
        NONCE,
        b"Lambda-Runtime-Trace-Id",
        b"Lambda-Runtime-Aws-Tenant-Id",
        b"Lambda-Runtime-Client-Context",
    ]
)
_spelled = _names | _names.map(bytes.lower) | _names.map(bytes.upper)
_more = st.lists(st.tuples(_spelled, _odd_values), max_size=3)
answer_headers: st.SearchStrategy[Headers] = st.builds(
    lambda ids, deadlines, nonces, more: [
        *((REQUEST_ID, value) for value in ids),
        *((DEADLINE, value) for value in deadlines),
        *((NONCE, value) for value in nonces),
        *more,
    ],
    st.lists(_ids, min_size=1, max_size=1) | st.lists(_ids, max_size=2),
    st.lists(_deadlines, max_size=1),
    st.lists(_ids, max_size=1),
    st.just(Headers()) | _more,
)
answers = st.builds(
    Answer, body=event_bodies, headers=answer_headers, status=st.just(200) | st.sampled_from([200, 201, 202, 403, 500])
)
streamed_answers = st.builds(
    lambda event: Answer(body=json.dumps(event).encode(), headers=[(REQUEST_ID, AN_ID)]),
    _streamed_events | _damaged(_streamed_events),
)

# What the app makes of a request.

app_responses = st.builds(
    Response,
    status=st.sampled_from([200, 204, 400, 503]) | st.integers(200, 999),
    headers=response_headers,
    body=bodies
    | st.sampled_from([b'{"errorType":"A","errorMessage":"b"}', b'{"errorType":1}', b"NaN", b'"\\ud800"', b"\0"]),
)
app_failures = st.sampled_from([AppExited("a"), AppTimeout("b"), AppUnreachable("c"), InvalidResponse("d\r\n")])
