"""What `package` says of its result, of a start that failed, and of the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_web_adapter.app.discovery.names import HINT
from lambda_web_adapter.packaging.contents import Contents, Item
from lambda_web_adapter.packaging.deploy_commands import TEMPLATE_DEFAULTS, deploy_commands, sam_command
from lambda_web_adapter.packaging.ignore_rules import SECRETS
from lambda_web_adapter.packaging.report import Report, Share, table_lines, text_lines
from lambda_web_adapter.packaging.target import build_target
from lambda_web_adapter.packaging.trial import Trial, explain

TEMPLATES = Path(__file__).parents[2] / "examples" / "deploy" / "sam"


def make_report(
    *, python: str = "3.14", architecture: str = "x86_64", output: str = "function.zip", handler: str = "main:app"
) -> Report:
    target = build_target(python, architecture)
    return Report(
        target=str(target),
        python=python,
        architecture=architecture,
        cache_tag=target.cache_tag,
        output=output,
        kind="zip",
        handler=handler,
    )


@pytest.mark.parametrize(
    ("requirements", "file"),
    [
        pytest.param("requirements.txt", "requirements.txt", id="requirements"),
        pytest.param("uv.lock", "pyproject.toml and uv.lock", id="lock"),
        pytest.param("", "requirements.txt", id="none"),
    ],
)
def test_a_missing_package_comes_with_the_file_that_counts(requirements: str, file: str) -> None:
    log = (
        "Traceback (most recent call last):\n"
        '  File "/var/task/main.py", line 1, in <module>\n'
        "    import yaml\n"
        "ModuleNotFoundError: No module named 'yaml'\n"
        "Add PyYAML to the project's requirements, and package it again.\n"
    )

    text = explain(Trial(problem="The app responded with 502.", log=log), requirements)

    assert text.splitlines() == [
        "The app does not start from its package.",
        "  Traceback (most recent call last):",
        '    File "/var/task/main.py", line 1, in <module>',
        "      import yaml",
        "  ModuleNotFoundError: No module named 'yaml'",
        f"  Add PyYAML to {file}, and package it again.",
        "The app responded with 502.",
    ]


def test_an_app_that_writes_to_its_folder_is_told_where_it_may_write() -> None:
    log = "OSError: [Errno 30] Read-only file system: '/var/task/instance'\n"

    text = explain(Trial(problem="The app responded with 502.", log=log), "requirements.txt")

    assert text.endswith("with 502.\nA function can write only below /tmp. Keep data in a database or a bucket.")


def test_an_app_is_named_by_the_option_of_this_command() -> None:
    log = f"Runtime.AppNotFound: There is no module 'mian' in /var/task. {HINT}\n"

    text = explain(Trial(problem="The app responded with 502.", log=log), "requirements.txt")

    assert "in /var/task. Name the app by --app, for example main:app" in text


def test_without_a_start_the_table_does_not_say_what_was_imported() -> None:
    report = make_report()
    report.packages = [Share(name="flask", version="3.1", size=2_000_000, modules=24)]

    assert next(iter(table_lines(report))).split() == ["package", "size", "modules"]

    report.packages[0].imported = 12
    assert next(iter(table_lines(report))).split() == ["package", "size", "modules", "imported"]


@pytest.mark.parametrize(
    ("report", "overrides"),
    [
        pytest.param(make_report(), "", id="as-the-templates-have-it"),
        pytest.param(
            make_report(python="3.13", architecture="arm64", handler="shop:app"),
            " --parameter-overrides App=shop:app Runtime=python3.13 Architecture=arm64",
            id="another-machine",
        ),
    ],
)
def test_the_command_for_a_template_has_what_differs_from_its_defaults(report: Report, overrides: str) -> None:
    command = "sam deploy --template function-url.yaml --stack-name my-app --capabilities CAPABILITY_IAM --resolve-s3"
    assert sam_command(report) == f"{command}{overrides}"


def test_a_zip_of_another_name_has_no_command_for_a_template() -> None:
    assert sam_command(make_report(output="other.zip")) == ""


def test_the_defaults_are_those_of_all_templates() -> None:
    for template in TEMPLATES.glob("*.yaml"):
        text = template.read_text()
        if "CodeUri: function.zip" in text:
            for name, value in TEMPLATE_DEFAULTS.items():
                assert f"  {name}:\n    Type: String\n    Default: {value}\n" in text, template.name


def test_a_machine_without_namespaces_is_named() -> None:
    report = make_report()

    report.add_trial(Trial(problem="", log="", not_isolated="this system allows no namespaces"), Contents())

    assert any(line.endswith("this system allows no namespaces.") for line in text_lines(report))


def test_libraries_of_extensions_are_no_modules() -> None:
    files = ("numpy/core.cpython-314-x86_64-linux-gnu.so", "numpy/__init__.py", "numpy.libs/libgfortran.so")
    contents = Contents({path: Item(owner="numpy", content=b"") for path in files})
    report = make_report()

    report.add_contents(contents, {})
    report.add_trial(Trial(problem="", log="", files=files[:2]), contents)

    assert [(each.modules, each.imported) for each in report.packages] == [(2, 2)]


def test_secrets_are_named_however_small_they_are() -> None:
    report = make_report()
    report.omitted = {SECRETS: 20, "tests": 20, "earlier packages": 10**6}

    lines = list(text_lines(report))

    assert any(line.startswith(f"Left out: {SECRETS}. Set the variables") for line in lines)
    assert not any("tests" in line for line in lines)
    assert "Left out: earlier packages 1.0 MB" in lines


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        pytest.param("package", ["COPY package /var/task"], id="beside"),
        pytest.param("my app", ['COPY ["my app", "/var/task"]'], id="space"),
        pytest.param("/work/a/b", ["# docker build -f Dockerfile /work/a", "COPY b /var/task"], id="absolute"),
        pytest.param("../b", ["# docker build -f Dockerfile ..", "COPY b /var/task"], id="above"),
    ],
)
def test_a_dockerfile_copies_from_the_folder_that_is_built(output: str, lines: list[str]) -> None:
    report = make_report(output=output, handler='main:create("x")')
    report.kind = "folder"

    expected = [*lines, 'ENTRYPOINT ["/var/task/bootstrap"]', 'CMD ["main:create(\\"x\\")"]']
    assert list(deploy_commands(report)) == expected


def test_a_layer_comes_with_the_function_that_uses_it() -> None:
    report = make_report(output="layer.zip", handler="")
    report.kind = "layer"

    publish, create = deploy_commands(report)

    assert publish.startswith("aws lambda publish-layer-version")
    assert "--layers LAYER_VERSION_ARN" in create
    assert "AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap" in create
