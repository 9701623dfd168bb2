"""Each template is deployed by its own tool, called as a client would, and deleted.

What is printed is a transcript: `make test-deploy PYTEST_ARGS="-k emulator -rP"` shows it.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import Running, free_addresses, plain_environment, wait_until

from .emulator import RUNTIME, SECONDS, Emulator
from .templates import ENVIRONMENT, PROJECT, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    Deploy = Callable[..., dict[str, str]]

pytestmark = pytest.mark.timeout(600)
BUCKET = "packages"


def note(text: str) -> None:
    print(text)  # noqa: T201  # the transcript


@pytest.fixture
def sam_deploy(emulator: Emulator, package: Path, tmp_path: Path) -> Any:
    """Deploy a template by `sam deploy` and return its outputs; at the end the stack is deleted by `sam delete`."""
    stacks = []
    shutil.copy(package, tmp_path)

    def deploy(name: str, *parameters: str) -> dict[str, str]:
        stacks.append(name)
        shutil.copy(TEMPLATES / "sam" / f"{name}.yaml", tmp_path)
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        command = ["sam", "deploy", "--template", f"{name}.yaml", "--stack-name", name, "--s3-bucket", BUCKET]
        options = [
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-progressbar",
            "--parameter-overrides",
            f"Runtime={RUNTIME}",
        ]
        emulator.run(*command, *options, *parameters, cwd=tmp_path)
        note(f"$ {' '.join(command)} --capabilities CAPABILITY_IAM")
        return outputs(emulator, name)

    yield deploy
    for name in stacks:
        emulator.run("sam", "delete", "--stack-name", name, "--no-prompts", "--region", "us-east-1", cwd=tmp_path)
        note(f"$ sam delete --stack-name {name} --no-prompts")
        assert functions(emulator, name) == []


def outputs(emulator: Emulator, stack: str) -> dict[str, str]:
    (described,) = emulator.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    assert described["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def functions(emulator: Emulator, prefix: str) -> list[dict[str, Any]]:
    listed = emulator.client("lambda").list_functions()["Functions"]
    return [function for function in listed if function["FunctionName"].startswith(prefix)]


def get(emulator: Emulator, url: str) -> httpx.Response:
    response = emulator.request("GET", url)
    note(f"$ curl {url}\n{response.status_code} {response.headers.get('content-type')} {response.text[:70]!r}")
    return response


def check_site(emulator: Emulator, url: str) -> None:
    """The example's page, its links, and a form that redirects and sets a cookie."""
    page = get(emulator, url)
    assert (page.status_code, "Recipe box" in page.text) == (200, True)
    assert get(emulator, f"{url}static/style.css").headers["content-type"].startswith("text/css")
    assert get(emulator, f"{url}request?a=1&a=2").json()["url"].endswith("/request?a=1&a=2")
    recipe = {"title": "Soup", "ingredients": "water", "steps": "Boil."}
    added = emulator.request("POST", f"{url}recipes/new", data=recipe)
    note(f"$ curl --data title=Soup … {url}recipes/new\n{added.status_code} → {added.headers.get('location')}")
    assert (added.status_code, added.headers["location"]) == (303, "/recipes/soup")
    assert "session=" in added.headers["set-cookie"]


def check_log(emulator: Emulator, function: dict[str, Any], group: str) -> None:
    logs = emulator.client("logs")
    (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    note(f"log group {group}: {described['retentionInDays']} days")
    assert described["retentionInDays"] == 30
    assert function["LoggingConfig"]["LogGroup"] == group


def test_commands_of_the_aws_cli(emulator: Emulator, package: Path, tmp_path: Path) -> None:
    scripts = TEMPLATES / "aws-cli"
    *_, url = emulator.run(
        scripts / "deploy.sh", "by-cli", package, cwd=tmp_path, variables={"RUNTIME": RUNTIME}
    ).split()
    note(f"$ ./deploy.sh by-cli function.zip\n{url}")

    check_site(emulator, url)
    (function,) = functions(emulator, "by-cli")
    check_log(emulator, function, "/aws/lambda/by-cli")
    note(emulator.run(scripts / "deploy.sh", "by-cli", package, cwd=tmp_path).strip())  # an update
    assert get(emulator, url).status_code == 200
    emulator.run(scripts / "delete.sh", "by-cli", cwd=tmp_path)
    note("$ ./delete.sh by-cli")

    assert functions(emulator, "by-cli") == []
    assert emulator.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/by-cli")["logGroups"] == []
    assert "by-cli" not in [role["RoleName"] for role in emulator.client("iam").list_roles()["Roles"]]


def test_sam_function_url(emulator: Emulator, sam_deploy: Deploy) -> None:
    url = sam_deploy("function-url")["Url"]

    check_site(emulator, url)
    (function,) = functions(emulator, "function-url")
    check_log(emulator, function, "/aws/lambda/function-url")


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
    stacks.delete_stack(StackName="image")
    stacks.get_waiter("stack_delete_complete").wait(StackName="image", WaiterConfig={"Delay": 1})
    note("$ aws cloudformation delete-stack --stack-name image")

    assert function["PackageType"] == "Image"
    assert functions(emulator, "image") == []


@pytest.mark.parametrize("language", ["cdk-python", "cdk-typescript"])
def test_cdk(emulator: Emulator, package: Path, tmp_path: Path, language: str) -> None:
    project = tmp_path / language
    shutil.copytree(TEMPLATES / language, project, ignore=shutil.ignore_patterns("node_modules", "cdk.out"))
    (project / "node_modules").symlink_to(ENVIRONMENT / "node_modules")
    shutil.copy(package, project)
    emulator.run("cdk", "bootstrap", "aws://000000000000/us-east-1", cwd=project)
    emulator.run(*("cdk", "deploy", "--require-approval", "never", "--context", f"runtime={RUNTIME}"), cwd=project)
    note("$ cdk deploy")

    check_site(emulator, outputs(emulator, "my-app")["Url"])
    (function,) = functions(emulator, "my-app")
    check_log(emulator, function, "/aws/lambda/my-app")
    emulator.run("cdk", "destroy", "--force", cwd=project)
    note("$ cdk destroy")

    assert functions(emulator, "my-app") == []
