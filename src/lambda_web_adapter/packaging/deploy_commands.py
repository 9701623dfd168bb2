"""The next step after a package: the commands that deploy it, or the lines of a Dockerfile."""

from __future__ import annotations

import json
import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.quotas import MAX_UPLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.packaging.report import Report

# As in docs/zips.md, whose first step sets the variable.
_ROLE = "arn:aws:iam::$ACCOUNT:role/my-app"
# The zip that the templates in examples/deploy/sam deploy, and their parameters that depend on it, with the defaults.
_TEMPLATE_ZIP = "function.zip"
TEMPLATE_DEFAULTS = {"App": "main:app", "Runtime": "python3.14", "Architecture": "x86_64"}


def deploy_commands(report: Report) -> Iterator[str]:
    """Yield the commands that deploy a package; of a folder, the lines of a Dockerfile."""
    if report.kind == "folder":
        yield from _dockerfile_lines(report)
        return
    file, runtime = shlex.quote(report.output), f"python{report.python}"
    content = f"--zip-file fileb://{file}"
    if report.zip_size > MAX_UPLOAD:
        name = shlex.quote(PurePath(report.output).name)
        yield f"aws s3 cp {file} s3://BUCKET/{name}"
        key = f"S3Bucket=BUCKET,S3Key={name}"
        content = f"--content {key}" if report.kind == "layer" else f"--code {key}"
    handler, wrapper = shlex.quote(report.handler), "/var/task/bootstrap"
    if report.kind == "layer":
        yield (
            f"aws lambda publish-layer-version --layer-name lambda-web-adapter {content} "
            f"--compatible-runtimes {runtime} --compatible-architectures {report.architecture}"
        )
        content, handler, wrapper = "--zip-file fileb://APP.zip --layers LAYER_VERSION_ARN", "APP", "/opt/bootstrap"
    yield (
        f"aws lambda create-function --function-name my-app {content} --runtime {runtime} "
        f"--architectures {report.architecture} --handler {handler} --role {_ROLE} "
        f"--environment 'Variables={{AWS_LAMBDA_EXEC_WRAPPER={wrapper}}}' --memory-size 1024 --timeout 30"
    )


def _dockerfile_lines(report: Report) -> Iterator[str]:
    """Yield the lines of a Dockerfile, whose paths are relative to the folder that is built."""
    output = PurePath(report.output)
    if output.is_absolute() or ".." in output.parts:
        yield f"# docker build -f Dockerfile {shlex.quote(str(output.parent))}"
        output = PurePath(output.name)
    yield f"COPY {output} /var/task" if " " not in str(output) else f'COPY ["{output}", "/var/task"]'
    yield 'ENTRYPOINT ["/var/task/bootstrap"]'
    yield f"CMD {json.dumps([report.handler])}"


def sam_command(report: Report) -> str:
    """Return the command that deploys it by a template of examples/deploy/sam; empty if they deploy another file."""
    if report.kind != "zip" or PurePath(report.output).name != _TEMPLATE_ZIP:
        return ""
    values = {"App": report.handler, "Runtime": f"python{report.python}", "Architecture": report.architecture}
    changed = [shlex.quote(f"{key}={value}") for key, value in values.items() if value != TEMPLATE_DEFAULTS[key]]
    return " ".join(
        [
            "sam deploy --template function-url.yaml --stack-name my-app --capabilities CAPABILITY_IAM --resolve-s3",
            *(["--parameter-overrides", *changed] if changed else []),
        ]
    )
