"""All strategies. They build requests, events and responses from the specifications, independently of the package."""

import re
import string
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from lambda_web_adapter.http.messages import Response
from properties.gateways import GATEWAYS, Client
from properties.other_services import AgentCall, Parameter, SocketMessage

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
# Whoever decodes twice, or not at all, is found by these.
_TWICE = st.sampled_from(["%25", "%2541", "%252F", "%25zz", "%2F", "%2e%2E", "..", "//"])
raw_paths = st.lists(st.sampled_from(_PATH_RAW) | _escapes | _TWICE, max_size=12).map(
    lambda parts: "/" + "".join(parts)
)
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
        "x-amzn-connection-id",
        "x-amzn-event-source",
        "x-amzn-event-type",
        "x-amzn-lambda-context",
        "x-amzn-request-context",
        "x-amzn-route-key",
        "x-forwarded-prefix",
        "x-real-ip",
    }
)
# What servers take for variables of their own (RFC 3875 §4.1), or for the word of a proxy in front of them.
SERVER_VARIABLES = frozenset(
    {
        "auth-type",
        "document-root",
        "document-uri",
        "gateway-interface",
        "https",
        "path-info",
        "path-translated",
        "query-string",
        "raw-uri",
        "remote-addr",
        "remote-host",
        "remote-ident",
        "remote-port",
        "remote-user",
        "request-method",
        "request-scheme",
        "request-uri",
        "script-filename",
        "script-name",
        "server-addr",
        "server-name",
        "server-port",
        "server-protocol",
        "server-software",
        "proxy",  # HTTP_PROXY, which HTTP clients take for their proxy
        "redirect-status",  # HTTP_REDIRECT_STATUS, which lets php-cgi run what it is asked for
        "daphne-root-path",
        "x-script-name",  # SCRIPT_NAME by a middleware
        "x-sendfile-type",  # Rack's way to send a file
        "x-accel-mapping",  # Rack's places of files
    }
)
# What gateways set, and the content type: another spelling could pass for it where all but letters and digits is alike.
_SPELLED_ONE_WAY = re.compile(
    r"(cf|cloudfront|x-amzn?|x-forwarded)-"
    r"|(content-type|forwarded|true-client-ip|via|x-client-ip|x-original-forwarded-for)\Z"
)
# Forwarded, but by rules of their own.
_OF_THEIR_OWN = {"cookie", "host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}


def _is_free(name: str) -> bool:
    lower = name.lower()
    variable = re.sub("[^0-9a-z]", "-", lower)
    return variable not in LISTED | SERVER_VARIABLES | _OF_THEIR_OWN and (
        variable == lower or not _SPELLED_ONE_WAY.match(variable)
    )


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

# Calls of other services.
_name_letters = string.ascii_letters + string.digits + "_-"
_names = st.text(_name_letters, min_size=1, max_size=6)
_agent_texts = st.text(_UNICODE, max_size=8)
_agent_values: dict[str, st.SearchStrategy[Any]] = {
    "string": _agent_texts,
    "integer": st.integers(),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "array": st.lists(st.integers() | _agent_texts, max_size=3),
    "object": st.dictionaries(_agent_texts, st.integers() | _agent_texts, max_size=3),
}
_parameters = st.sampled_from(sorted(_agent_values)).flatmap(
    lambda declared: st.builds(Parameter, name=_names, declared=st.just(declared), value=_agent_values[declared])
)
# A placeholder takes a single value: how a list would stand in a path is not said by the event.
_in_path = _parameters.filter(lambda parameter: parameter.declared not in ("array", "object"))


def _have_names_of_their_own(call: AgentCall) -> bool:
    in_path = [segment for segment in call.segments if isinstance(segment, Parameter)]
    for parameters in ([*in_path, *call.query], call.properties):
        if len({parameter.name for parameter in parameters}) < len(parameters):
            return False
    return True


agent_calls = st.builds(
    AgentCall,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=st.lists(st.text(_name_letters + "äß %", max_size=4) | _in_path, max_size=4),
    query=st.lists(_parameters, max_size=3),
    content_type=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded"]),
    properties=st.lists(_parameters, max_size=3),
).filter(_have_names_of_their_own)

_route_keys = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
_own_routes = {"CONNECT": st.just("$connect"), "DISCONNECT": st.just("$disconnect")}
socket_messages = st.sampled_from(["CONNECT", "MESSAGE", "DISCONNECT"]).flatmap(
    lambda event_type: st.builds(
        SocketMessage,
        event_type=st.just(event_type),
        route_key=_own_routes.get(event_type, st.just("$default") | _route_keys),
        connection_id=st.text(string.ascii_letters + string.digits + "=-_", min_size=1, max_size=16),
        text=st.text(_UNICODE, max_size=16),
        query=st.lists(st.tuples(_agent_texts, _agent_texts), max_size=3),
        headers=free_headers | listed_headers,
    )
)

# Settings, as variables: none, those that switch everything on, and mixtures.
EVERYTHING_ON = {
    "AWS_LWA_WEBSOCKET_PATH": "/ws",
    "AWS_LWA_BEDROCK_AGENT": "true",
    "AWS_LWA_PROTECT_EVENT_PATHS": "true",
    "AWS_LWA_PASS_THROUGH_PATH": "/events/{source}",
    "AWS_LWA_TRUSTED_HOPS": "2",
    "AWS_LWA_REMOVE_STAGE": "always",
    "AWS_LWA_REMOVE_BASE_PATH": "/shop",
}
settings = (
    st.just(dict[str, str]())
    | st.just(EVERYTHING_ON)
    | st.fixed_dictionaries(
        {},
        optional={
            "AWS_LWA_WEBSOCKET_PATH": st.just("/ws"),
            "AWS_LWA_BEDROCK_AGENT": st.just("true"),
            "AWS_LWA_PROTECT_EVENT_PATHS": st.just("true"),
            "AWS_LWA_PASS_THROUGH_PATH": st.sampled_from(["/{source}", "/a/{source}/b"]),
            "AWS_LWA_TRUSTED_HOPS": st.integers(1, 99).map(str),
            "AWS_LWA_REMOVE_STAGE": st.sampled_from(["always", "never"]),
            "AWS_LWA_REMOVE_BASE_PATH": st.just("/shop"),
        },
    )
)

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
