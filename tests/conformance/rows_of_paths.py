"""Behaviours of the request line: method, path, stage, base path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance import reasons
from conformance.cells import Row, Section, becomes, each
from conformance.columns import ALB, API_GATEWAY, CLIENTS, LATTICE

if TYPE_CHECKING:
    from conformance.cells import Cell


def request(title: str, clients: Cell, *, websocket: Cell, bedrock_agent: Cell, **others: Cell) -> Row:
    """Makes a row about requests: a cell for all columns of clients, and those that differ from it."""
    cells = each(CLIENTS, clients) | {"websocket": websocket, "bedrock_agent": bedrock_agent}
    return Row(title, cells | {"lambda_edge": reasons.EDGE, "pass_through": reasons.NO_REQUEST} | others)


_LATTICE_ILLEGAL = '/a b"c<d>e\\f^g`h{i|j}k#l'

METHODS = Section(
    "Method",
    (
        request(
            "A plain request arrives",
            becomes("simple", method="GET", target="/seeds", body=b""),
            websocket=becomes("simple", method="POST", target="/ws/connect", body=b""),
            bedrock_agent=becomes("simple", method="GET", target="/seeds", body=b""),
        ),
        request(
            "HEAD stays HEAD",
            becomes("head", method="HEAD"),
            websocket=reasons.MADE_PATH,
            bedrock_agent=becomes("head", method="HEAD"),
        ),
        request(
            "A method that HTTP itself does not define arrives",
            becomes("method_of_webdav", method="PROPFIND"),
            websocket=reasons.MADE_PATH,
            bedrock_agent=reasons.MADE_METHOD,
        ),
    ),
)

PATHS = Section(
    "Path",
    (
        request(
            "A path is decoded exactly once, by the app's server",
            becomes("path_encoded", path="/café/green tea/100%25"),
            websocket=becomes("route_with_reserved_characters", path="/ws/water now/100%?#"),
            bedrock_agent=becomes("path_encoded", path="/drinks/green tea/100%25"),
        ),
        request(
            "The app can see the path as the client wrote it",
            becomes("path_lower_case_escapes", raw_path="/caf%c3%a9/%7Etilde"),
            websocket=reasons.MADE_PATH,
            bedrock_agent=reasons.AGENT_VALUES,
            http_api_v2=reasons.DECODED_PATH,
        ),
        request(
            "A percent sign that is no escape is a percent sign",
            becomes("path_stray_percent", path="/100%/50%2/25%zz/A"),
            websocket=becomes("route_with_reserved_characters", raw_path="/ws/water%20now%2F100%25%3F%23"),
            bedrock_agent=becomes("path_encoded", raw_path="/drinks/green%20tea/100%2525"),
            http_api_v2=becomes("path_with_percent", path="/100%/%41/%zz"),
        ),
        request(
            "A path outside ASCII is UTF-8",
            becomes("path_non_ascii", path="/café/☕", raw_path="/caf%C3%A9/%E2%98%95"),
            websocket=becomes("route_outside_ascii", path="/ws/gießen", raw_path="/ws/gie%C3%9Fen"),
            bedrock_agent=becomes("path_non_ascii", path="/café/☕", raw_path="/caf%C3%A9/%E2%98%95"),
        ),
        request(
            "A trailing slash stays",
            becomes("path_trailing_slash", target="/seeds/"),
            websocket=reasons.MADE_PATH,
            bedrock_agent=becomes("path_trailing_slash", target="/seeds/"),
        ),
        request(
            "An encoded slash reaches the app's router as one",
            becomes("path_with_encoded_slash", target="/files/a%2Fb%3Fc%23d"),
            websocket=becomes("route_with_reserved_characters", target="/ws/water%20now%2F100%25%3F%23"),
            bedrock_agent=becomes("path_with_encoded_slash", target="/files/a%2Fb%3Fc%23d"),
            http_api_v2=reasons.DECODED_PATH,
        ),
        request(
            "Double slashes stay",
            becomes("path_double_slash", target="//seeds//tomato/"),
            websocket=reasons.MADE_PATH,
            bedrock_agent=becomes("path_double_slash", target="//seeds//tomato/"),
        ),
        request(
            "Dot segments stay",
            becomes("path_dot_segments", target="/a/../b/./c/.."),
            websocket=becomes("route_of_dots", target="/ws/%2E%2E"),
            bedrock_agent=becomes("path_dot_segments", target="/files/%2E%2E/size"),
        ),
        request(
            "Characters that a path can contain are not encoded",
            becomes("path_allowed_characters", target="/-._~!$&'()*+,;=:@"),
            websocket=reasons.MADE_PATH,
            bedrock_agent=reasons.AGENT_VALUES,
        ),
        request(
            "Characters that a path cannot contain are encoded",
            becomes("path_illegal_characters", path='/a b"c<d>e\\f^g`h{i|j}k#l?m'),
            websocket=becomes("route_with_reserved_characters", path="/ws/water now/100%?#"),
            bedrock_agent=becomes("path_parameter_missing", path="/seeds/{month}", raw_path="/seeds/%7Bmonth%7D"),
            **each(LATTICE, becomes("path_illegal_characters", path=_LATTICE_ILLEGAL)),
        ),
    ),
)

_STAGE = "x-forwarded-prefix"
_NO_STAGE = each(("function_url", *ALB, *LATTICE), reasons.NO_STAGE)

STAGES = Section(
    "Stage and base path",
    (
        request(
            "On the API's own host the stage is removed, and given to the app",
            becomes("stage_on_own_host", {_STAGE: ["/dev"]}, target="/orders"),
            websocket=becomes("simple", {_STAGE: ["/prod"]}, target="/ws/connect"),
            bedrock_agent=reasons.NO_STAGE,
            rest_api=becomes("stage_on_own_host", {_STAGE: ["/prod"]}, target="/orders/7"),
            **_NO_STAGE,
        ),
        request(
            "On a custom domain nothing is removed",
            becomes("stage_on_custom_domain", {_STAGE: []}, target="/dev/orders"),
            websocket=becomes("stage_on_custom_domain", {_STAGE: []}, target="/ws/connect"),
            bedrock_agent=reasons.NO_STAGE,
            rest_api=becomes("stage_on_custom_domain", {_STAGE: []}, target="/shop/orders"),
            **_NO_STAGE,
        ),
        request(
            "A path that is only the stage becomes the root",
            becomes("stage_alone", {_STAGE: ["/dev"]}, target="/"),
            websocket=reasons.STAGE_APART,
            bedrock_agent=reasons.NO_STAGE,
            rest_api=becomes("stage_and_root_without_slash", {_STAGE: ["/prod"]}, target="/"),
            **_NO_STAGE,
        ),
        request(
            "A segment that begins like the stage stays",
            becomes("stage_inside_a_word", {_STAGE: []}, target="/developers"),
            websocket=reasons.STAGE_APART,
            bedrock_agent=reasons.NO_STAGE,
            rest_api=reasons.STAGE_APART,
            **_NO_STAGE,
        ),
        request(
            "A route with the name of the stage stays",
            becomes("stage_removed_once", {_STAGE: ["/dev"]}, target="/dev/orders"),
            websocket=reasons.STAGE_APART,
            bedrock_agent=reasons.NO_STAGE,
            rest_api=becomes("stage_same_as_the_route", {_STAGE: ["/prod"]}, target="/prod/orders"),
            **_NO_STAGE,
        ),
        request(
            "`$default` is not removed",
            becomes("stage_default", {_STAGE: []}, target="/$default/orders"),
            websocket=reasons.STAGE_APART,
            bedrock_agent=reasons.NO_STAGE,
            rest_api=reasons.STAGE_APART,
            **_NO_STAGE,
        ),
        request(
            "`AWS_LWA_REMOVE_STAGE=always` removes the stage on a custom domain",
            becomes("stage_removed_always", {_STAGE: ["/dev"]}, target="/orders"),
            websocket=reasons.STAGE_APART,
            bedrock_agent=reasons.NO_STAGE,
            rest_api=reasons.STAGE_APART,
            **_NO_STAGE,
        ),
        request(
            "`AWS_LWA_REMOVE_STAGE=never` keeps the stage",
            becomes("stage_removed_never", {_STAGE: []}, target="/dev/orders"),
            websocket=reasons.STAGE_APART,
            bedrock_agent=reasons.NO_STAGE,
            rest_api=reasons.STAGE_APART,
            **_NO_STAGE,
        ),
        request(
            "A base path is removed, and given to the app",
            becomes("base_path_at_segment", {_STAGE: ["/shop"]}, target="/orders"),
            websocket=reasons.NO_BASE_PATH,
            bedrock_agent=reasons.NO_BASE_PATH,
        ),
        request(
            "A base path is not removed from a path that the adapter has made",
            reasons.CLIENTS_PATH,
            websocket=becomes("base_path_not_removed", {_STAGE: ["/prod"]}, target="/ws/connect"),
            bedrock_agent=reasons.NO_BASE_PATH,
            pass_through=becomes("sqs_with_a_base_path", {_STAGE: []}, target="/events"),
        ),
        request(
            "A path that is only the base path becomes the root",
            becomes("base_path_alone", {_STAGE: ["/shop"]}, target="/"),
            websocket=reasons.NO_BASE_PATH,
            bedrock_agent=reasons.NO_BASE_PATH,
        ),
        request(
            "A segment that begins like the base path stays",
            becomes("base_path_inside_a_word", {_STAGE: []}, target="/shopping/orders"),
            websocket=reasons.NO_BASE_PATH,
            bedrock_agent=reasons.NO_BASE_PATH,
        ),
        request(
            "Stage and base path are given to the app together",
            reasons.NO_STAGE,
            websocket=reasons.NO_BASE_PATH,
            bedrock_agent=reasons.NO_STAGE,
            **each(API_GATEWAY, becomes("base_path_after_stage", {_STAGE: ["/dev/shop"]}, target="/orders"))
            | {"rest_api": becomes("base_path_after_stage", {_STAGE: ["/prod/shop"]}, target="/orders")},
        ),
    ),
)
