"""The options of gateways on the command line: what is accepted, and what the errors say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_web_adapter.local.gateways import GatewayOptions
from lambda_web_adapter.local.gateways.authorizer import Authorizer
from lambda_web_adapter.local.gateways.cors import Cors
from lambda_web_adapter.local.gateways.options import (
    parse_base_path,
    parse_binary_media_types,
    parse_custom_domain,
    parse_stage,
    read_authorizer,
    read_cors,
)
from lambda_web_adapter.local.option_error import OptionError


@pytest.mark.parametrize(
    ("parse", "value", "expected"),
    [
        pytest.param(parse_stage, "prod", "prod", id="a stage"),
        pytest.param(parse_stage, "$default", "$default", id="the default stage"),
        pytest.param(parse_base_path, "/shop", "/shop", id="a base path"),
        pytest.param(parse_base_path, "shop/v1/", "/shop/v1", id="a base path with other slashes"),
        pytest.param(parse_custom_domain, "API.Example.com", "api.example.com", id="a domain"),
        pytest.param(parse_custom_domain, "shop.localhost", "shop.localhost", id="a domain that browsers find"),
        pytest.param(parse_binary_media_types, "image/*, Application/PDF", ("image/*", "application/pdf"), id="types"),
        pytest.param(parse_binary_media_types, "*/*", ("*/*",), id="all types"),
        pytest.param(parse_binary_media_types, "none", (), id="no types"),
    ],
)
def test_a_valid_value_is_read(parse: Callable[[str], object], value: str, expected: object) -> None:
    assert parse(value) == expected


@pytest.mark.parametrize(
    ("parse", "value", "error"),
    [
        pytest.param(parse_stage, "a/b", "--stage is 'a/b', but a stage has letters", id="a stage with a slash"),
        pytest.param(parse_stage, "", "--stage is '', but", id="an empty stage"),
        pytest.param(parse_stage, "a" * 129, "but a stage has", id="a long stage"),
        pytest.param(parse_base_path, "/", "--base-path is '/', but it takes a path such as /shop", id="no base path"),
        pytest.param(parse_base_path, "/a%20b", "without characters like %", id="a base path with an escape"),
        pytest.param(parse_base_path, "/a//b", "--base-path is '/a//b'", id="an empty segment"),
        pytest.param(parse_custom_domain, "https://a.example", "without scheme, port and path", id="a URL"),
        pytest.param(parse_custom_domain, "a.example:443", "--custom-domain is 'a.example:443'", id="a port"),
        pytest.param(parse_custom_domain, "-a.example", "a name such as api.example.com", id="a label with a hyphen"),
        pytest.param(parse_binary_media_types, "image", "--binary-media-types has 'image'", id="half a type"),
        pytest.param(parse_binary_media_types, "image/png,", "--binary-media-types has ''", id="an empty type"),
        pytest.param(parse_binary_media_types, "*/png", "or none", id="a wildcard in front"),
    ],
)
def test_an_invalid_value_is_explained(parse: Callable[[str], object], value: str, error: str) -> None:
    with pytest.raises(OptionError, match=re.escape(error)):
        parse(value)


def test_cors_settings_come_as_json_or_from_a_file(tmp_path: Path) -> None:
    document = '{"AllowOrigins": ["http://localhost:5173"], "AllowCredentials": true, "MaxAge": 300}'
    (tmp_path / "cors.json").write_text(document)
    expected = Cors(allow_origins=["http://localhost:5173"], allow_credentials=True, max_age=300)

    assert read_cors(document) == expected
    assert read_cors(str(tmp_path / "cors.json")) == expected


def test_cors_settings_may_be_what_the_aws_cli_prints(tmp_path: Path) -> None:
    file = tmp_path / "url.json"
    file.write_text('{"FunctionUrl": "https://a.lambda-url", "AuthType": "NONE", "Cors": {"AllowMethods": ["GET"]}}')

    assert read_cors(str(file)) == Cors(allow_methods=["GET"])


def test_a_star_allows_everything_without_credentials() -> None:
    assert read_cors("*") == Cors(allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param("{", "--cors has no valid CORS settings: the JSON: Invalid JSON", id="no JSON"),
        pytest.param('{"AllowOrigin": ["*"]}', "AllowOrigin: Extra inputs are not permitted", id="an unknown key"),
        pytest.param('{"AllowOrigins": "*"}', "AllowOrigins: Input should be a valid array", id="no list"),
        pytest.param('{"AllowMethods": ["OPTIONS"]}', "AllowMethods.0: Input should be 'GET', 'PUT'", id="OPTIONS"),
        pytest.param('{"MaxAge": 86401}', "MaxAge: Input should be less than or equal to 86400", id="more than a day"),
        pytest.param(
            "missing.json", "--cors names the file missing.json, which cannot be read: No such file", id="file"
        ),
    ],
)
def test_invalid_cors_settings_are_explained(value: str, error: str) -> None:
    with pytest.raises(OptionError, match=re.escape(error)):
        read_cors(value)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param('{"sub": "alice"}', Authorizer(claims={"sub": "alice"}), id="claims alone"),
        pytest.param(
            '{"claims": {"sub": "alice"}, "scopes": ["read"]}',
            Authorizer(claims={"sub": "alice"}, scopes=["read"]),
            id="claims and scopes",
        ),
        pytest.param('{"context": {"tenant": 7}}', Authorizer(context={"tenant": 7}), id="a context"),
    ],
)
def test_a_file_says_who_calls(tmp_path: Path, document: str, expected: Authorizer) -> None:
    (tmp_path / "claims.json").write_text(document)

    assert read_authorizer(str(tmp_path / "claims.json")) == expected


@pytest.mark.parametrize(
    ("document", "error"),
    [
        pytest.param("no JSON", "claims.json is not JSON: ", id="no JSON"),
        pytest.param("[]", "claims.json is not valid: the JSON: Input should be a valid dictionary", id="a list"),
        pytest.param('{"claims": {}, "user": 1}', "user: Extra inputs are not permitted", id="an unknown section"),
        pytest.param('{"iam": {"arn": "a"}}', "iam.arn: Extra inputs are not permitted", id="an unknown field"),
        pytest.param('{"scopes": "read"}', "scopes: Input should be a valid list", id="no list"),
    ],
)
def test_an_invalid_file_is_explained(tmp_path: Path, document: str, error: str) -> None:
    (tmp_path / "claims.json").write_text(document)

    with pytest.raises(OptionError, match=re.escape(error)) as raised:
        read_authorizer(str(tmp_path / "claims.json"))
    assert 'any of "claims", "scopes", "context" and "iam"' in str(raised.value)


@pytest.mark.parametrize(
    ("options", "sources"),
    [
        pytest.param(GatewayOptions(), ["alb"], id="no options"),
        pytest.param(GatewayOptions(stage="prod"), ["alb", "rest-api"], id="one of the sources has it"),
        pytest.param(GatewayOptions(stage="$default"), ["http-api-v2"], id="the default stage"),
        pytest.param(GatewayOptions(cors=Cors()), ["function-url"], id="CORS"),
        pytest.param(GatewayOptions(authorizer=Authorizer(claims={})), ["alb-multi"], id="claims"),
        pytest.param(GatewayOptions(authorizer=Authorizer.parse(b'{"iam": {}}', "a")), ["vpc-lattice-v2"], id="IAM"),
    ],
)
def test_options_of_the_served_sources_are_accepted(options: GatewayOptions, sources: list[str]) -> None:
    options.check(sources)


@pytest.mark.parametrize(
    ("options", "sources", "error"),
    [
        pytest.param(
            GatewayOptions(stage="prod"),
            ["alb", "function-url"],
            "--stage is for rest-api, http-api-v1, http-api-v2 or websocket, but alb or function-url is served.",
            id="a stage",
        ),
        pytest.param(
            GatewayOptions(custom_domain="a.example"),
            ["websocket"],
            "--custom-domain is for rest-api, http-api-v1 or http-api-v2, but websocket is served.",
            id="a custom domain",
        ),
        pytest.param(
            GatewayOptions(base_path="/shop"),
            ["websocket"],
            "--base-path is for rest-api, http-api-v1 or http-api-v2, but websocket is served.",
            id="a base path",
        ),
        pytest.param(
            GatewayOptions(authorizer=Authorizer.parse(b'{"iam": {}}', "a")),
            ["websocket"],
            "--authorizer: events of websocket have only 'context', but it has 'iam'. Have it say {\"context\": {…}}.",
            id="IAM of a WebSocket API",
        ),
        pytest.param(
            GatewayOptions(binary_media_types=()),
            ["http-api-v2"],
            "--binary-media-types is for rest-api, but http-api-v2 is served.",
            id="media types",
        ),
        pytest.param(GatewayOptions(cors=Cors()), ["alb"], "--cors is for function-url, but alb is served.", id="CORS"),
        pytest.param(
            GatewayOptions(stage="$default"),
            ["rest-api"],
            "A REST API has no stage $default: name another one with --stage, such as prod.",
            id="the default stage of a REST API",
        ),
        pytest.param(
            GatewayOptions(authorizer=Authorizer(claims={})),
            ["function-url"],
            "--authorizer: events of function-url have only 'iam', but it has 'claims'. Have it say {\"iam\": {…}}.",
            id="claims for IAM",
        ),
        pytest.param(
            GatewayOptions(authorizer=Authorizer(scopes=[])),
            ["http-api-v2"],
            "events of http-api-v2 have only 'claims', 'context' or 'iam', but it has none of them.",
            id="scopes alone",
        ),
        pytest.param(
            GatewayOptions(authorizer=Authorizer(claims={})),
            ["vpc-lattice-v1"],
            "--authorizer has no effect: events of vpc-lattice-v1 have no place for the caller.",
            id="no place",
        ),
    ],
)
def test_an_option_without_effect_is_an_error(options: GatewayOptions, sources: list[str], error: str) -> None:
    with pytest.raises(OptionError, match=re.escape(error)):
        options.check(sources)
