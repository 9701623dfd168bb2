"""Each template is deployed by its own tool, called as a client would, and deleted.

`LWA_TRANSCRIPT=FILE make test-deploy PYTEST_ARGS="-k emulator -p no:randomly"` writes a transcript.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.processes import Running, free_addresses, plain_environment, wait_until

from .checks import check_log, check_site, check_update, functions, get, outputs
from .emulator import RUNTIME, SECONDS, Emulator
from .templates import ENVIRONMENT, PROJECT, TEMPLATES
from .transcript import note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Deploy = Callable[..., dict[str, str]]

pytestmark = pytest.mark.timeout(600)
BUCKET = "packages"


@pytest.fixture(autouse=True)
def title(request: pytest.FixtureRequest) -> None:
    note(f"\n## {request.node.name}\n")


@pytest.fixture
def sam_deploy(emulator: Emulator, package: Path, second_package: Path, tmp_path: Path) -> Any:
    """Deploy a template by `sam deploy` and return its outputs; another time, that is an update with another package.

    At the end the stack is deleted by `sam delete`.
    """
    deployed: dict[str, tuple[str, ...]] = {}

    def deploy(name: str, *parameters: str) -> dict[str, str]:
        shutil.copy(second_package if name in deployed else package, tmp_path)
        deployed.setdefault(name, (f"Runtime={RUNTIME}", *parameters))
        shutil.copy(TEMPLATES / "sam" / f"{name}.yaml", tmp_path)
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        command = ["sam", "deploy", "--template", f"{name}.yaml", "--stack-name", name, "--s3-bucket", BUCKET]
        options = ["--capabilities", "CAPABILITY_IAM", "--no-progressbar", "--parameter-overrides"]
        emulator.run(*command, *options, *deployed[name], cwd=tmp_path)
        return outputs(emulator, name)

    yield deploy
    for name in deployed:
        emulator.run("sam", "delete", "--stack-name", name, "--no-prompts", "--region", "us-east-1", cwd=tmp_path)
        assert functions(emulator, name) == []


def has_update(emulator: Emulator, sam_deploy: Deploy, name: str) -> bool:
    """Return whether a second deployment has changed a function's code."""
    (before,) = functions(emulator, name)
    sam_deploy(name)
    (after,) = functions(emulator, name)
    note(f"code of {name}: {before['CodeSha256']} → {after['CodeSha256']}")
    return bool(before["CodeSha256"] != after["CodeSha256"])


def test_commands_of_the_aws_cli(emulator: Emulator, package: Path, second_package: Path, tmp_path: Path) -> None:
    scripts = TEMPLATES / "aws-cli"
    *_, url = emulator.run(
        scripts / "deploy.sh", "by-cli", package, cwd=tmp_path, variables={"RUNTIME": RUNTIME}
    ).split()

    check_site(emulator, url)
    (function,) = functions(emulator, "by-cli")
    check_log(emulator, function, "/aws/lambda/by-cli")
    update = emulator.run(scripts / "deploy.sh", "by-cli", second_package, cwd=tmp_path)
    assert update.split()[-1] == url
    check_update(emulator, url)
    emulator.run(scripts / "delete.sh", "by-cli", cwd=tmp_path)

    assert functions(emulator, "by-cli") == []
    assert emulator.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/by-cli")["logGroups"] == []
    assert "by-cli" not in [role["RoleName"] for role in emulator.client("iam").list_roles()["Roles"]]


def test_sam_function_url(emulator: Emulator, sam_deploy: Deploy) -> None:
    url = sam_deploy("function-url")["Url"]

    check_site(emulator, url)
    (function,) = functions(emulator, "function-url")
    check_log(emulator, function, "/aws/lambda/function-url")
    sam_deploy("function-url")
    check_update(emulator, url)


def test_sam_http_api(emulator: Emulator, sam_deploy: Deploy) -> None:
    url = sam_deploy("http-api")["Url"]
    (function,) = functions(emulator, "http-api")
    # The emulator does not read the routes in an API's body, which SAM writes: they are added as AWS makes them of it.
    api = emulator.client("apigatewayv2")
    (api_id,) = [each["ApiId"] for each in api.get_apis()["Items"] if each["ApiId"] in url]
    integration = api.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function["FunctionArn"],
        PayloadFormatVersion="2.0",
    )
    api.create_route(ApiId=api_id, RouteKey="$default", Target=f"integrations/{integration['IntegrationId']}")

    check_site(emulator, url)
    assert has_update(emulator, sam_deploy, "http-api")


def test_sam_rest_api(emulator: Emulator, sam_deploy: Deploy) -> None:
    url = sam_deploy("rest-api")["Url"]
    (function,) = functions(emulator, "rest-api")
    # The emulator's REST APIs do not stream, but its functions do: the stream as one JSON string.
    host = url.split("/")[2]
    event = {
        "resource": "/{proxy+}",
        "path": "/request",
        "httpMethod": "GET",
        "headers": {"Host": host},
        "multiValueHeaders": {"Host": [host]},
        "requestContext": {"path": "/live/request", "stage": "live", "domainName": host, "identity": {}},
    }
    stream = emulator.client("lambda").invoke_with_response_stream(
        FunctionName=function["FunctionName"], Payload=json.dumps(event)
    )["EventStream"]
    parts = [part["PayloadChunk"]["Payload"] for part in stream if "PayloadChunk" in part]
    prelude, _, body = json.loads(b"".join(parts)).partition("\0" * 8)
    note(f"$ aws lambda invoke-with-response-stream …\n{prelude!r}\n{body!r}")

    assert json.loads(prelude)["statusCode"] == 200
    assert json.loads(body)["url"] == f"{url}request"
    assert has_update(emulator, sam_deploy, "rest-api")


def test_sam_load_balancer(emulator: Emulator, sam_deploy: Deploy) -> None:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(["us-east-1a", "us-east-1b"])
    ]
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    parameters = [f"VpcId={vpc}", f"SubnetIds={','.join(subnets)}", f"CertificateArn={certificate}"]
    address = sam_deploy("load-balancer", *parameters)["Address"]
    (function,) = functions(emulator, "load-balancer")
    balancers = emulator.client("elbv2")
    (group,) = balancers.describe_target_groups()["TargetGroups"]
    # The emulator does not register the targets that a template has.
    balancers.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": function["FunctionArn"]}])

    check_site(emulator, f"https://{address}/")
    sam_deploy("load-balancer")
    check_update(emulator, f"https://{address}/")


def test_sam_cdn(emulator: Emulator, sam_deploy: Deploy) -> None:
    url = sam_deploy("cdn")["Url"]
    (distribution,) = emulator.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    (origin,) = distribution["Origins"]["Items"]
    # The emulator has distributions, but serves none: these are requests to the URL behind it.
    address = f"https://{origin['DomainName']}/"
    refused = get(emulator, address)
    request = AWSRequest("GET", address)
    SigV4Auth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    signed = emulator.request("GET", address, headers=dict(request.headers.items()))
    note(f"the same, signed as CloudFront does: {signed.status_code} {signed.text[:70]!r}")

    assert refused.status_code == 403
    assert (signed.status_code, "Recipe box" in signed.text) == (200, True)

    assert url == f"https://{distribution['DomainName']}/"
    assert has_update(emulator, sam_deploy, "cdn")


def test_sam_queue(emulator: Emulator, sam_deploy: Deploy) -> None:
    url = sam_deploy("queue")["QueueUrl"]
    queue = emulator.client("sqs")
    good = json.dumps({"title": "Soup", "ingredients": ["water"]})
    for body in (good, "not a recipe"):
        queue.send_message(QueueUrl=url, MessageBody=body)
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> dict[str, str]:
        attributes: dict[str, str] = queue.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
        return attributes

    # The one that the app named in its reply waits for its next delivery; the other is gone.
    wait_until(lambda: list(left().values()) == ["0", "1"], "one of two messages is left", SECONDS)
    note(f"$ aws sqs send-message … twice\n{left()}")
    assert has_update(emulator, sam_deploy, "queue")


def test_sam_schedule(emulator: Emulator, sam_deploy: Deploy) -> None:
    name = sam_deploy("schedule", "App=jobs:app")["FunctionName"]
    (schedule,) = emulator.client("scheduler").list_schedules()["Schedules"]
    # The emulator's clock is this machine's, so that six o'clock is too far away: the schedule's event is sent by hand.
    event = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}, "resources": []}
    reply = emulator.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    result = json.loads(reply["Payload"].read())
    note(f"schedule {schedule['Name']} → {schedule['Target']['Arn']}\n$ aws lambda invoke … → {result}")

    assert schedule["Target"]["Arn"].endswith(name)
    assert result == {"done": "Scheduled Event"}
    assert has_update(emulator, sam_deploy, "schedule")


def test_sam_image(emulator: Emulator, tmp_path: Path) -> None:
    # The emulator runs images by Docker alone; without it, it hands events to a URL: here to a local run of the app.
    (address,) = free_addresses(1)
    command = [sys.executable, "-m", "lambda_web_adapter", "main:app", "--port", address.rpartition(":")[2]]
    template = (TEMPLATES / "sam" / "image.yaml").read_text()
    kind = "      PackageType: Image\n"
    image = "      ImageUri: 000000000000.dkr.ecr.us-east-1.amazonaws.com/image:1\n"
    local_run = f"http://{address}/2015-03-31/functions/image/invocations"
    variables = f"      Environment: {{Variables: {{MINISTACK_LAMBDA_PROXY_URL: '{local_run}'}}}}\n"
    stacks = emulator.client("cloudformation")
    with Running(command, env=plain_environment(), cwd=PROJECT / "examples" / "flask_app") as run:
        run.wait_for("Serving main:app")
        stacks.create_stack(
            StackName="image",
            TemplateBody=template.replace(kind, kind + image + variables),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        stacks.get_waiter("stack_create_complete").wait(StackName="image", WaiterConfig={"Delay": 1})
        note("$ aws cloudformation create-stack --stack-name image …")
        check_site(emulator, outputs(emulator, "image")["Url"])
        (function,) = functions(emulator, "image")
        second = image.replace("image:1", "image:2")
        stacks.update_stack(
            StackName="image",
            TemplateBody=template.replace(kind, kind + second + variables),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        stacks.get_waiter("stack_update_complete").wait(StackName="image", WaiterConfig={"Delay": 1})
        updated = emulator.client("lambda").get_function(FunctionName="image")["Code"]["ImageUri"]
        note(f"$ aws cloudformation update-stack --stack-name image …\n{updated}")
    stacks.delete_stack(StackName="image")
    stacks.get_waiter("stack_delete_complete").wait(StackName="image", WaiterConfig={"Delay": 1})
    note("$ aws cloudformation delete-stack --stack-name image")

    assert function["PackageType"] == "Image"
    assert updated.endswith("/image:2")
    assert functions(emulator, "image") == []


@pytest.mark.parametrize("language", ["cdk-python", "cdk-typescript"])
def test_cdk(emulator: Emulator, package: Path, second_package: Path, tmp_path: Path, language: str) -> None:
    project = tmp_path / language
    shutil.copytree(TEMPLATES / language, project, ignore=shutil.ignore_patterns("node_modules", "cdk.out"))
    (project / "node_modules").symlink_to(ENVIRONMENT / "node_modules")
    shutil.copy(package, project)
    deploy = ("cdk", "deploy", "--require-approval", "never", "--context", f"runtime={RUNTIME}")
    emulator.run("cdk", "bootstrap", "aws://000000000000/us-east-1", cwd=project)
    emulator.run(*deploy, cwd=project)

    url = outputs(emulator, "my-app")["Url"]
    check_site(emulator, url)
    (function,) = functions(emulator, "my-app")
    check_log(emulator, function, "/aws/lambda/my-app")
    shutil.copy(second_package, project)
    emulator.run(*deploy, cwd=project)
    check_update(emulator, url)
    emulator.run("cdk", "destroy", "--force", cwd=project)

    assert functions(emulator, "my-app") == []
