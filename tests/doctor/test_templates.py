"""Templates of SAM, CloudFormation, Serverless and Zappa say the same of a function."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctor.sample_artifacts import write

from lambda_web_adapter.doctor.templates import TemplateError, find_functions, read_functions

SAM = """\
Globals:
  Function: {Timeout: 20, Environment: {Variables: {A: 1, B: true}}}
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


@pytest.mark.parametrize("text", ["", "[]", "Resources: []", "Resources: {A: 1, B: {Type: x}}", "a: !Unknown {b: 1}"])
def test_other_documents_have_no_functions(text: str, tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", text)

    assert read_functions(tmp_path / "template.yaml") == []


def test_a_broken_template_is_named(tmp_path: Path) -> None:
    write(tmp_path / "template.yaml", "a: [")

    with pytest.raises(TemplateError, match=r"template\.yaml cannot be read"):
        find_functions(tmp_path)
