"""Zips that the SAM CLI, Serverless and Zappa have built: what doctor finds in them, and what --fix gains."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from doctor.registry.bucket import serve_bucket

from lambda_web_adapter.artifacts.bytecode import Use
from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor.compiled_files import uses_of
from lambda_web_adapter.doctor.examination import Options, examine, repair
from lambda_web_adapter.doctor.import_cost import measure
from lambda_web_adapter.doctor.subject import Subject
from lambda_web_adapter.doctor.template_search import find_functions

PROJECT = Path(__file__).parents[3]
TOOLS = Path(os.environ["LWA_DOCTOR_TOOLS"]).absolute()
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
ENVIRON = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
    "SAM_CLI_TELEMETRY": "0",
    "SLS_TELEMETRY_DISABLED": "1",
    "SLS_NOTIFICATIONS_MODE": "off",
    # The interpreter of the tests comes first: the tools compile with the python that they find.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
}
SAM_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  App:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: {method}}}
    Properties:
      CodeUri: .
      Runtime: python{python}
      Handler: main.app
      Timeout: 20
"""
MAKEFILE = """\
build-App:
\tpython -m pip install -q -t "$(ARTIFACTS_DIR)" -r requirements.txt
\tcp *.py "$(ARTIFACTS_DIR)"
"""
SERVERLESS = """\
service: app
frameworkVersion: "3"
provider: {{name: aws, runtime: python{python}, region: us-east-1, timeout: 20}}
plugins: [serverless-python-requirements]
custom: {{pythonRequirements: {{dockerizePip: false}}}}
package: {{patterns: ["!node_modules/**"]}}
functions: {{web: {{handler: main.app, url: true}}}}
"""
ZAPPA = """\
{{"dev": {{"app_function": "main.app", "aws_region": "us-east-1", "project_name": "app", "s3_bucket": "bucket",
          "runtime": "python{python}", "timeout_seconds": 29}}}}
"""

pytestmark = pytest.mark.timeout(900)  # the tools download


def run(*arguments: str | Path, cwd: Path, **variables: str) -> None:
    subprocess.run([str(each) for each in arguments], cwd=cwd, env={**ENVIRON, **variables}, check=True)


def build_by_sam(folder: Path, method: str, **variables: str) -> Path:
    (folder / "template.yaml").write_text(SAM_TEMPLATE.format(python=PYTHON, method=method))
    (folder / "Makefile").write_text(MAKEFILE)
    sam = TOOLS / "sam" / "bin" / "sam"
    run(sam, "build", "--beta-features", cwd=folder, **variables)
    with serve_bucket() as bucket:
        run(sam, "package", "--s3-bucket", "bucket", cwd=folder, AWS_ENDPOINT_URL_S3=bucket.url)
        (data,) = bucket.objects.values()
    (folder / "function.zip").write_bytes(data)
    return folder / "function.zip"


def sam(folder: Path) -> Path:
    return build_by_sam(folder, f"python{PYTHON}")


def sam_by_uv(folder: Path) -> Path:
    return build_by_sam(folder, "python-uv", UV_COMPILE_BYTECODE="1")


def sam_by_make(folder: Path) -> Path:
    return build_by_sam(folder, "makefile")


def serverless(folder: Path) -> Path:
    (folder / "serverless.yml").write_text(SERVERLESS.format(python=PYTHON))
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    run(TOOLS / "node_modules" / ".bin" / "serverless", "package", cwd=folder)
    return folder / ".serverless" / "app.zip"


def zappa(folder: Path) -> Path:
    (folder / "zappa_settings.json").write_text(ZAPPA.format(python=PYTHON))
    environment = TOOLS / "zappa"
    run(
        TOOLS / "uv",
        "pip",
        "install",
        "-q",
        "--python",
        environment / "bin" / "python",
        "-r",
        "requirements.txt",
        cwd=folder,
    )
    path = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
    zappa = environment / "bin" / "zappa"
    run(zappa, "package", "dev", "-o", "function.zip", cwd=folder, VIRTUAL_ENV=str(environment), PATH=path)
    return folder / "function.zip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The FastAPI example, as a project of its own."""
    example = PROJECT / "examples" / "fastapi_app"
    for path in example.glob("*.py"):
        shutil.copy(path, tmp_path)
    wheels = tmp_path.parent / f"{tmp_path.name}-wheels"
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        wheels,
        PROJECT,
        cwd=PROJECT,
    )
    (wheel,) = wheels.glob("*.whl")
    requirements = (example / "requirements.txt").read_text().replace("lambda-web-adapter\n", f"{wheel}\n")
    (tmp_path / "requirements.txt").write_text(requirements)
    return tmp_path


@pytest.mark.parametrize(
    ("build", "rule"),
    [
        pytest.param(sam, "missing-bytecode", id="sam"),
        pytest.param(sam_by_uv, "stale-bytecode", id="sam with uv"),
        pytest.param(sam_by_make, "stale-bytecode", id="sam with a makefile"),
        pytest.param(serverless, "stale-bytecode", id="serverless"),
        pytest.param(zappa, "missing-bytecode", id="zappa"),
    ],
)
def test_what_a_tool_has_built_is_repaired(
    build: Callable[[Path], Path], rule: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zipped = build(folder)

    examination = examine(zipped, Options())
    fixed, *_ = repair(zipped, Options(), None)

    before, after = _import_seconds(zipped), _import_seconds(fixed)
    with capsys.disabled():
        rules = ", ".join(f"{finding.severity} {finding.rule}" for finding in examination.findings)
        print(f"\n{examination.title.partition(': ')[2]}\n  {build.__name__}: {rules}")  # noqa: T201
        print(f"  import {before * 1000:.0f} ms, with --fix {after * 1000:.0f} ms: {after / before:.2f}")  # noqa: T201
    costs = {finding.rule: finding.cost for finding in examination.findings}
    assert rule in costs
    # One finding has the cost of all modules that are compiled at each start.
    assert "measured: the import of main" in costs.get("stale-bytecode", "") + costs.get("missing-bytecode", "")
    assert {finding.rule for finding in examine(fixed, Options()).findings} & {
        "stale-bytecode",
        "missing-bytecode",
    } == set()
    with open_artifact(fixed) as artifact:
        assert uses_of(Subject(artifact, find_functions(fixed))).keys() == {Use.UNCHECKED}


def _import_seconds(path: Path) -> float:
    with open_artifact(path) as artifact:
        cost = measure(Subject(artifact, find_functions(path)))
    assert cost is not None
    return cost.now
