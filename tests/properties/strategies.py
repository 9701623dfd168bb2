"""All strategies. They build requests, events and responses from the specifications, independently of the package."""

import copy
import string
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from lambda_web_adapter.messages import Response
from properties.gateways import API_HOST, GATEWAYS, URL_HOST, Client

# Any JSON, as a reader that forgives hands it on: NaN and halves of surrogate pairs are among it.
any_text = st.text(st.characters(exclude_categories=()), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)

# Requests as clients send them.
_TOKEN = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
_UNICODE = st.characters(exclude_categories=["Cs"])
_PATH_RAW = string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/"
_QUERY_RAW = string.ascii_letters + string.digits + "-._~!$'()*,;:@/?"
# What a query may hold on the wire, however little sense it makes.
RAW_QUERY = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"#<>')


def _escaped(char: str) -> str:
    return quote(char, safe="") if char not in string.ascii_letters else f"%{ord(char):02X}"


_escapes = _UNICODE.map(_escaped) | _UNICODE.map(_escaped).map(str.lower)
raw_paths = st.lists(st.sampled_from(_PATH_RAW) | _escapes, max_size=12).map(lambda parts: "/" + "".join(parts))
_query_parts = st.lists(st.sampled_from(_QUERY_RAW) | _escapes | st.just("+"), max_size=6).map("".join)
query_pairs = st.lists(st.tuples(_query_parts, _query_parts), max_size=5)
raw_queries = st.text(RAW_QUERY, max_size=20)

methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
bodies = st.binary(max_size=64) | st.text(_UNICODE, max_size=32).map(str.encode)

# Never forwarded, whoever sends them.
LISTED = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "expect",
        "x-amz-tenant-id",
        "x-amzn-lambda-context",
        "x-amzn-request-context",
        "x-forwarded-prefix",
        "x-real-ip",
    }
)
# Forwarded, but by rules of their own.
_OF_THEIR_OWN = {"cookie", "host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}


def _is_free(name: str) -> bool:
    return name.lower().replace("_", "-") not in LISTED | _OF_THEIR_OWN


free_names = (st.sampled_from(["Accept", "accept", "x-tag", "X-Tag", "X-TAG"]) | st.text(_TOKEN, min_size=1)).filter(
    _is_free
)
header_values = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12).map(lambda text: text.strip(" "))
free_headers = st.lists(st.tuples(free_names, header_values), max_size=8)
_listed_names = st.sampled_from(sorted(LISTED - {"connection"}))
listed_headers = st.lists(st.tuples(_listed_names | _listed_names.map(str.upper), header_values), max_size=3)
_cookie_texts = st.text(string.ascii_letters + string.digits + "!#$%&'()*+-./:<>?@[]^_`{|}~", min_size=1, max_size=8)
cookies = st.lists(st.builds("{}={}".format, _cookie_texts, _cookie_texts), max_size=4)

clients = st.builds(
    Client,
    method=methods,
    raw_path=raw_paths,
    query=query_pairs,
    headers=free_headers,
    cookies=cookies,
    body=bodies,
)
gateways = st.sampled_from(sorted(GATEWAYS))

# Events that no service sends.
_KEYS = [
    "body",
    "cookies",
    "domainName",
    "elb",
    "headers",
    "http",
    "httpMethod",
    "identity",
    "isBase64Encoded",
    "method",
    "multiValueHeaders",
    "multiValueQueryStringParameters",
    "path",
    "queryStringParameters",
    "rawPath",
    "rawQueryString",
    "requestContext",
    "sourceIp",
    "stage",
    "version",
]
_VALUES = json_values | st.sampled_from(
    ["GET", "/", "/prod/x", "1.0", "2.0", "$default", "prod", "YQ", "YWJj", API_HOST, URL_HOST, "a\r\nb: c", "\0"]
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value that holds another: the container and the key or index."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    found = [(value, key) for key in keys]
    for key in keys:
        found += _places(value[key])
    return found


@st.composite
def damaged_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of a gateway in which some values are others, or gone, or where they do not belong."""
    event = copy.deepcopy(GATEWAYS[draw(gateways)](draw(clients)))
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(_places(event)))
        match draw(st.sampled_from(["replace", "delete", "null", "add"])):
            case "replace":
                container[key] = draw(_VALUES)
            case "null":
                container[key] = None
            case "delete":
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(st.sampled_from(_KEYS) | any_text)] = draw(_VALUES)
        if not event:
            break
    return event


_contexts = st.fixed_dictionaries(
    {},
    optional={
        "elb": st.just({}) | st.none(),
        "http": st.just({"method": "GET"}) | st.none() | st.just({}),
        "domainName": st.sampled_from([API_HOST, URL_HOST, None]),
        "connectionId": st.just("AbCdEfGhIjKlMnO="),
    },
)
# Events of marks alone, in every combination.
marked_events = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["1.0", "2.0", "3.0", 2.0, None]),
        "httpMethod": st.sampled_from(["GET", "", None]),
        "path": st.sampled_from(["/", "", None]),
        "rawPath": st.just("/"),
        "requestContext": _contexts | st.none(),
        "multiValueHeaders": st.just({}) | st.none(),
    },
)
any_events = json_values | damaged_events() | marked_events

# Responses of apps.
_media_types = st.sampled_from(
    [
        b"text/plain",
        b"text/html; charset=iso-8859-1",
        b"application/json",
        b"APPLICATION/JSON",
        b"application/octet-stream",
        b"image/png",
        b"image/svg+xml",
        b"x/y",
        b"",
        b"\xff",
    ]
)
_response_values = st.binary(max_size=12).map(lambda value: value.translate(None, b"\r\n\0"))
response_headers = st.lists(
    st.tuples(st.sampled_from([b"content-type", b"Content-Type"]), _media_types)
    | st.tuples(st.just(b"content-encoding"), st.sampled_from([b"gzip", b"identity", b"", b"br"]))
    | st.tuples(st.sampled_from([b"set-cookie", b"Set-Cookie"]), _response_values)
    | st.tuples(st.sampled_from([b"vary", b"Vary", b"x-tag"]), _response_values)
    | st.tuples(st.text(_TOKEN, min_size=1, max_size=8).map(str.encode), _response_values),
    max_size=8,
)
responses = st.builds(Response, status=st.integers(200, 599), headers=response_headers, body=bodies)
