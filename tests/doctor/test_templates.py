"""Templates of SAM, CloudFormation, Serverless and Zappa say the same of a function."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctor.sample_artifacts import write

from lambda_web_adapter.doctor.template_search import choose_functions, find_functions
from lambda_web_adapter.doctor.templates import TemplateError, read_functions

SAM = """\
Globals:
  Function: {Timeout: "20", Environment: {Variables: {A: 1, B: true}}}
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: python3.13
      Architectures: [arm64]
      Handler: main:app
      Layers: [!Ref Layer, !Sub "arn:${AWS::Partition}:layer"]
      Environment: {Variables: {C: !Ref Table, D: d}}
      FunctionUrlConfig: {AuthType: NONE, InvokeMode: RESPONSE_STREAM}
      Events: {Api: {Type: HttpApi}}
"""
CLOUDFORMATION = """\
{"Resources": {
  "Web": {"Type": "AWS::Lambda::Function", "Properties": {
    "Runtime": "python3.13", "Architectures": ["arm64"], "Handler": "main:app", "Timeout": 20,
    "Layers": [{"Ref": "Layer"}, {"Fn::Sub": "arn:${AWS::Partition}:layer"}],
    "Environment": {"Variables": {"A": "1", "B": "true", "C": {"Ref": "Table"}, "D": "d"}}}},
  "Url": {"Type": "AWS::Lambda::Url", "Properties": {
    "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM", "TargetFunctionArn": {"Fn::GetAtt": ["Web", "Arn"]}}}}}
"""
SERVERLESS = """\
provider: {name: aws, runtime: python3.13, architecture: arm64, timeout: 20, environment: {A: 1, B: true}}
functions:
  Web:
    handler: main:app
    layers: [{Ref: Layer}, "arn:${AWS::Partition}:layer"]
    environment: {C: {Ref: Table}, D: d}
    url: {invoke: response_stream}
    events: [{httpApi: "*"}]
"""
ZAPPA = """\
{"Web": {"runtime": "python3.13", "architecture": ["arm64"], "timeout_seconds": 20,
  "environment_variables": {"A": "1", "B": "true"}, "aws_environment_variables": {"D": "d"}}}
"""


@pytest.mark.parametrize(
    ("name", "text", "events", "url"),
    [
        ("template.yaml", SAM, {"HttpApi", "FunctionUrl"}, "RESPONSE_STREAM"),
        ("stack.template.json", CLOUDFORMATION, {"FunctionUrl"}, "RESPONSE_STREAM"),
        ("serverless.yml", SERVERLESS, {"HttpApi", "FunctionUrl"}, "RESPONSE_STREAM"),
        ("zappa_settings.json", ZAPPA, {"Api"}, ""),
    ],
)
def test_a_function_is_read(name: str, text: str, events: set[str], url: str, tmp_path: Path) -> None:
    write(tmp_path / name, text)

    (function,) = read_functions(tmp_path / name)

    assert (function.name, function.runtime, function.architecture) == ("Web", "python3.13", "arm64")
    assert (function.timeout, function.invoke_mode, set(function.events)) == (20.0, url, events)
    assert function.environ == {"A": "1", "B": "true", "D": "d"}
    if name != "zappa_settings.json":
        assert function.handler == "main:app"
        assert function.layers == ("Layer", "arn:${AWS::Partition}:layer")


@pytest.mark.parametrize(
    ("template", "artifact"),
    [
        ("template.yaml", "src"),
        (".aws-sam/build/template.yaml", ".aws-sam/build/Web"),
        ("cdk.out/app.template.json", "cdk.out/asset.1"),
        (".serverless/cloudformation-template-update-stack.json", ".serverless/app.zip"),
        ("serverless.yml", ".serverless/app.zip"),
        ("zappa_settings.json", "function.zip"),
        ("serverless.yml", ""),
    ],
)
def test_the_template_beside_an_artifact_is_found(template: str, artifact: str, tmp_path: Path) -> None:
    texts = {"template.yaml": SAM, "serverless.yml": SERVERLESS, "zappa_settings.json": ZAPPA}
    write(tmp_path / template, texts.get(Path(template).name, CLOUDFORMATION))
    if artifact.endswith(".zip"):
        write(tmp_path / artifact, "")
    else:
        (tmp_path / artifact).mkdir(parents=True, exist_ok=True)

    assert [function.name for function in find_functions(tmp_path / artifact)] == ["Web"]


def test_of_two_functions_the_one_of_the_folder_is_taken(tmp_path: Path) -> None:
    two = SAM + SAM.partition("Resources:\n")[2].replace("Web", "Jobs").replace("src", "jobs")
    write(tmp_path / "template.yaml", two)
    for name in ("src", "jobs", "neither"):
        (tmp_path / name).mkdir()

    names = [[each.name for each in find_functions(tmp_path / name)] for name in ("src", "jobs", "neither")]

    assert names == [["Web"], ["Jobs"], []]


@pytest.mark.parametrize(
    ("code", "artifact", "is_its"),
    [
        ("other/", "function.zip", False),
        ("function.zip", "function.zip", True),
        ("function.zip", "function.fixed.zip", True),
        ("s3://bucket/key", "function.zip", True),
        (".", "function.zip", True),
        ("src", "", True),
        ("src", "other", False),
    ],
)
def test_the_only_function_has_to_have_the_code(code: str, artifact: str, is_its: bool, tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", SAM.replace("CodeUri: src", f"CodeUri: '{code}'"))
    for name in ("src", "other"):
        (tmp_path / name).mkdir()

    assert [each.name for each in find_functions(tmp_path / artifact)] == (["Web"] if is_its else [])
    assert [each.name for each in find_functions(tmp_path / artifact, "Web")] == ["Web"]


def test_a_function_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", SAM)

    with pytest.raises(TemplateError, match="has a function Job: name the template with --template"):
        find_functions(tmp_path / "a.zip", "Job")
    with pytest.raises(TemplateError, match=r"has no function Job, but Web\. Name one of them with --function"):
        choose_functions(tmp_path / "template.yaml", tmp_path / "a.zip", "Job")


APIS = """\
Resources:
  Web: {Type: AWS::Lambda::Function}
  WebJobs: {Type: AWS::Lambda::Function}
  Sockets: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}
  OfSockets:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Sockets, IntegrationUri: !GetAtt WebJobs.Arn}
  Http:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationUri: !Sub "arn:aws:apigateway:path/${Web.Arn}/invocations"}
  Rest:
    Type: AWS::ApiGateway::Method
    Properties:
      Integration: {Uri: !Join ["", ["arn:", !Ref "AWS::Partition", ":path/", !GetAtt [Web, Arn], /invocations]]}
  Stream:
    Type: AWS::ApiGateway::Method
    Properties: {Integration: {Uri: !Sub "arn:path/${WebJobs.Arn}/response-streaming-invocations"}}
"""


def test_gateways_of_cloudformation_are_event_sources(tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", APIS)

    events = {each.name: set(each.events) for each in read_functions(tmp_path / "template.yaml")}

    assert events == {"Web": {"HttpApi", "Api"}, "WebJobs": set()}


@pytest.mark.parametrize(
    "value", ["!Ref [a]", "!Sub [1, 2, 3]", "!FindInMap [[a], {b: c}, d]", "!Join [a]", "!If a", "{Fn::If: 1}", "[a]"]
)
def test_wrong_functions_are_left_out(value: str, tmp_path: Path) -> None:
    properties = f"{{Runtime: {value}, Layers: {value}, Environment: {value}, Events: {value}, Timeout: {value}}}"
    write(tmp_path / "template.yaml", f"Resources: {{A: {{Type: AWS::Lambda::Function, Properties: {properties}}}}}")

    (function,) = read_functions(tmp_path / "template.yaml")

    assert (function.runtime, function.environ, function.timeout) == ("", {}, 0)


def test_functions_of_serverless_may_come_in_parts(tmp_path: Path) -> None:
    write(tmp_path / "serverless.yml", "functions: [{a: {handler: main.a}}, '${file(b.yml)}', {c: {handler: main.c}}]")

    assert [each.handler for each in read_functions(tmp_path / "serverless.yml")] == ["main.a", "main.c"]


@pytest.mark.parametrize("text", ["", "[]", "Resources: []", "Resources: {A: 1, B: {Type: x}}", "a: !Unknown {b: 1}"])
def test_other_documents_have_no_functions(text: str, tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", text)

    assert read_functions(tmp_path / "template.yaml") == []


PARAMETERS = """\
Parameters:
  Version: {Type: String, Default: "3.13"}
  Machines: {Type: CommaDelimitedList, Default: "arm64, x86_64"}
  Seconds: {Type: Number, Default: 20}
  Stage: {Type: String}
  Secret: {Type: "AWS::SSM::Parameter::Value<String>", Default: /name/of/it}
Mappings: {Handlers: {of: {"3.13": "main:app"}}}
Globals:
  Function:
    Runtime: !Sub python${Version}
    Timeout: !Ref Seconds
    Environment: {Variables: {PORT: !Sub "90${Seconds}", SECRET: !Ref Secret, STAGE: !Ref Stage}}
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      Architectures: !Ref Machines
      Handler: !FindInMap [Handlers, of, !Ref Version]
      FunctionUrlConfig: {AuthType: NONE, InvokeMode: !If [IsFast, RESPONSE_STREAM, RESPONSE_STREAM]}
      Layers: [!Sub ["arn:${A}:${AWS::Region}", {A: !Ref Seconds}], !If [IsFast, one, !Ref "AWS::NoValue"]]
      Environment: {Variables: {JOINED: !Join ["-", [a, !Ref Version]], OTHER: !If [IsFast, a, b]}}
"""


def test_parameters_have_their_defaults(tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", PARAMETERS)

    (function,) = read_functions(tmp_path / "template.yaml")

    assert (function.runtime, function.architecture, function.handler) == ("python3.13", "arm64", "main:app")
    assert (function.timeout, function.invoke_mode) == (20.0, "RESPONSE_STREAM")
    assert function.environ == {"PORT": "9020", "JOINED": "a-3.13"}
    assert function.layers[0] == "arn:20:${AWS::Region}"


def test_variables_of_serverless_have_their_values(tmp_path: Path) -> None:
    text = """\
custom:
  python: {dev: "3.13", prod: "3.12"}
  loop: ${self:custom.loop}
provider:
  name: aws
  runtime: python${self:custom.python.${opt:stage, self:provider.stage, 'dev'}}
  timeout: ${opt:timeout, 20}
  environment: {A: "${sls:stage}", B: "${env:B, 'b'}", C: "${ssm:/c}", D: "${self:custom.loop}"}
functions: {web: {handler: "${file(x.yml):handler}", url: true}}
"""
    write(tmp_path / "serverless.yml", text)

    (function,) = read_functions(tmp_path / "serverless.yml")

    assert (function.runtime, function.timeout, function.handler) == ("python3.13", 20.0, "")
    assert function.environ == {"A": "dev", "B": "b"}
    assert function.unresolved == {"handler": "${file(x.yml):handler}"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("!Ref Version", "Version"),
        ("!Sub 'python${Version}'", "python${Version}"),
        ("!If [IsNew, python3.13, python3.12]", 'Fn::If ["IsNew", "python3.13", "python3.12"]'),
        ("!FindInMap [A, !Ref B, c]", 'Fn::FindInMap ["A", {"Ref": "B"}, "c"]'),
        ("!ImportValue python", "python"),
    ],
)
def test_what_only_a_deployment_knows_is_left_out(value: str, text: str, tmp_path: Path) -> None:
    function = f"{{Type: AWS::Lambda::Function, Properties: {{Runtime: {value}}}}}"
    write(tmp_path / "template.yaml", f"Parameters: {{Version: {{Type: String}}}}\nResources:\n  Web: {function}\n")

    (function_template,) = read_functions(tmp_path / "template.yaml")

    assert function_template.runtime == ""
    assert function_template.unresolved == {"runtime": text}


def test_the_url_of_another_function_is_not_taken(tmp_path: Path) -> None:
    both = CLOUDFORMATION.replace('"Url":', '"WebJobs": {"Type": "AWS::Lambda::Function"}, "Url":')
    write(tmp_path / "stack.template.json", both.replace('["Web", "Arn"]', '["WebJobs", "Arn"]'))

    modes = {each.name: each.invoke_mode for each in read_functions(tmp_path / "stack.template.json")}

    assert modes == {"Web": "", "WebJobs": "RESPONSE_STREAM"}


def test_of_two_functions_of_cdk_the_one_of_the_asset_is_taken(tmp_path: Path) -> None:
    function = '{"Type": "AWS::Lambda::Function", "Metadata": {"aws:asset:path": "asset.%s"}}'
    write(tmp_path / "app.template.json", f'{{"Resources": {{"A": {function % 1}, "B": {function % 2}}}}}')
    (tmp_path / "asset.2").mkdir()

    assert [each.name for each in find_functions(tmp_path / "asset.2")] == ["B"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no resources at all"),
        ("openapi: 3.1.0", "only openapi"),
        ("Resources: {Files: {Type: AWS::S3::Bucket}}", r"the resources Files \(AWS::S3::Bucket\)"),
    ],
)
def test_a_named_template_without_functions_is_an_error(text: str, found: str, tmp_path: Path) -> None:
    write(tmp_path / "other.yaml", text)

    with pytest.raises(TemplateError, match=f"has no function, but {found}.*--template"):
        choose_functions(tmp_path / "other.yaml", tmp_path)


def test_a_broken_template_is_named(tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", "a: [")

    with pytest.raises(TemplateError, match=r"template\.yaml cannot be read"):
        find_functions(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("template.yaml", "Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {MemorySize: 512}}}"),
        ("serverless.yml", "provider: {memorySize: 512}\nfunctions: {f: {}}"),
        ("zappa_settings.json", '{"dev": {"memory_size": 512}}'),
    ],
)
def test_the_memory_of_a_function(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    (function,) = read_functions(tmp_path / name)

    assert function.memory == 512


def test_a_number_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {MemorySize: .inf, Timeout: .nan}}}"
    )

    (function,) = read_functions(tmp_path / "template.yaml")

    assert (function.memory, function.timeout) == (0, 0)
