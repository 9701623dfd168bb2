"""The start file with packages that do what is unusual at import, and under tracers: modules are as without it."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import BOOTSTRAP, plain_environment

from side_by_side.conftest import BEGINNINGS, Start, Trace
from side_by_side.receivers import Agent, Collector
from side_by_side.snippets import instructions, snippet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What an app can see of each module. Addresses differ, and so does what a loader's class is called if a hook wraps it.
PACKAGES = """
import importlib.resources, importlib.util, inspect, json, pkgutil, sys

import babel.dates, babel.numbers, boto3, django, jinja2, numpy, orjson, pydantic, sqlalchemy.orm
from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()

from django.contrib.auth.models import User
from sqlalchemy.dialects import sqlite


class Model(pydantic.BaseModel):
    number: int


def seen(module):
    spec = module.__dict__.get("__spec__")
    fields = [
        type(module).__name__, *(module.__dict__.get(name) for name in ("__file__", "__cached__", "__package__")),
        [*module.__dict__["__path__"]] if "__path__" in module.__dict__ else None, sorted(module.__dict__),
    ]
    if spec is None:
        return fields
    loader = spec.loader
    return fields + [
        spec.name, spec.origin, spec.cached, spec.has_location, spec.parent, spec.loader_state,
        spec.submodule_search_locations and [*spec.submodule_search_locations],
        type(loader).__name__, sorted(getattr(loader, "__dict__", {})), loader is module.__dict__.get("__loader__"),
        getattr(loader, "path", None), sorted(spec.__dict__),
    ]


def uses():
    return [
        Model(number="1").number, jinja2.Template("{{ 1 + 1 }}").render(), numpy.arange(3).sum().item(),
        str(sqlalchemy.select(sqlalchemy.literal(1)).compile(dialect=sqlite.dialect())), User._meta.label,
        babel.numbers.format_decimal(1.5, locale="de"),
        sorted(boto3.client("s3", region_name="eu-west-1").meta.method_to_api_mapping)[:3],
        babel.dates.format_date(__import__("datetime").date(2026, 11, 29), locale="fr"),
        importlib.resources.files("babel").joinpath("global.dat").is_file(),
        len(pkgutil.get_data("botocore", "data/endpoints.json")),
        [each.name for each in pkgutil.iter_modules(django.__path__)], inspect.getsource(sqlalchemy.orm.Session)[:200],
        [importlib.util.find_spec(name).origin for name in ("numpy.linalg", "django.db.models", "sqlalchemy.sql")],
        numpy.linalg.__name__, numpy.random.default_rng(1).integers(100).item(),
    ]


def app(environ, start_response):
    used = uses()
    start_response("200 OK", [("content-type", "application/json")])
    left = [len(finder.modules) for finder in sys.meta_path if type(finder).__name__ == "StartFinder"]
    modules = {name: seen(module) for name, module in sorted(sys.modules.items()) if hasattr(module, "__dict__")}
    return [json.dumps({"modules": modules, "used": used, "left": left}, default=str).encode()]
"""
# Only with the file, or in another process only.
OURS = "lambda_web_adapter"
ROUTE = """
import sys

@app.get("/hello")
def hello():
    return {"left": [len(finder.modules) for finder in sys.meta_path if type(finder).__name__ == "StartFinder"]}
"""


def compile_start(folder: Path, code: str) -> Path:
    """Write the start file of an app, without any tracer."""
    (folder / "main.py").write_text(code)
    command = [sys.executable, str(BOOTSTRAP), "compile", "main:app"]
    completed = subprocess.run(
        command, cwd=folder, env=plain_environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert completed.returncode == 0, completed.stderr
    return folder / "lambda-web-adapter.start"


def report(start: Start, folder: Path, file: Path | str, **variables: str) -> tuple[Any, str]:
    arguments = [sys.executable, str(BOOTSTRAP), "main:app"]
    served = start(arguments, PACKAGES, {"AWS_LWA_START_FILE": str(file), **variables}, folder=folder)
    body = json.loads(served.get("/").json["body"])
    return body, served.process.text


def test_all_modules_of_large_packages_are_as_without_it(start: Start, tmp_path: Path) -> None:
    file = compile_start(tmp_path, PACKAGES)
    without, _ = report(start, tmp_path, "off")
    with_file, log = report(start, tmp_path, file)

    assert "start file" not in log
    assert with_file["used"] == without["used"]
    assert not without["left"]
    packages = {name: module for name, module in without["modules"].items() if not name.startswith(OURS)}
    assert len(packages) > 900
    for name, module in packages.items():
        assert with_file["modules"].get(name) == module, name
    extra = with_file["modules"].keys() - without["modules"].keys()
    assert extra <= {"lambda_web_adapter.ipc.module_finder"}, extra
    assert with_file["left"][0] < len(packages) / 10


def traced(start: Start, tmp_path: Path, arguments: list[str], code: str, variables: Mapping[str, str]) -> Trace:
    """Send a request to an app whose modules come from a file that was written without a tracer."""
    file = compile_start(tmp_path, code)
    served = start(arguments, code, {**variables, "AWS_LWA_START_FILE": str(file)}, folder=tmp_path)
    trace = Trace()
    reply = served.get("/hello", traceparent=trace.traceparent).json
    assert json.loads(reply["body"])["left"], served.process.text
    return trace


def test_ddtrace_patches_what_comes_from_the_file(start: Start, tmp_path: Path, framework: str) -> None:
    agent = start.stack.enter_context(Agent())
    arguments, variables = instructions("datadog-image")
    code = BEGINNINGS[framework] + snippet("datadog-flush") + ROUTE
    variables |= {"AWS_LAMBDA_FUNCTION_NAME": "hello", "DD_TRACE_AGENT_URL": agent.url}

    trace = traced(start, tmp_path, arguments, code, variables)

    assert "GET /hello" in [span["resource"] for span in agent.spans if span["trace_id"] == trace.number]


def test_opentelemetry_patches_what_comes_from_the_file(start: Start, tmp_path: Path, framework: str) -> None:
    collector = start.stack.enter_context(Collector())
    arguments, variables = instructions("opentelemetry-image")
    flush = indent(snippet("opentelemetry-flush"), "    ")
    code = f"{BEGINNINGS[framework]}\nimport os\nif 'OTEL_EXPORTER_OTLP_ENDPOINT' in os.environ:\n{flush}\n{ROUTE}"

    trace = traced(start, tmp_path, arguments, code, {**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})

    assert [span for span in collector.spans if span["server"] and span["trace_id"] == trace.id]


# wrapt's post-import hooks, as a tool has them that a wrapper script has started before the app.
POST_IMPORT = """
import wrapt

@wrapt.when_imported("flask")
def change(module):
    module.Flask.__hash__ = lambda self: 0
    module.changed_by_hook = True
"""


@pytest.mark.parametrize("where", ["sitecustomize", "main"])
def test_hooks_of_wrapt_run_once_a_module_is_imported(start: Start, tmp_path: Path, where: str) -> None:
    code = BEGINNINGS["flask"] + "import flask\n\n@app.get('/hello')\ndef hello():\n"
    code += "    return {'changed': getattr(flask, 'changed_by_hook', False)}\n"
    if where == "main":
        code = POST_IMPORT + code
    file = compile_start(tmp_path, code)
    if where == "sitecustomize":
        (tmp_path / "hook").mkdir()
        (tmp_path / "hook/sitecustomize.py").write_text(POST_IMPORT)
    variables = {"AWS_LWA_START_FILE": str(file), "PYTHONPATH": str(tmp_path / "hook")}
    served = start([sys.executable, str(BOOTSTRAP), "main:app"], code, variables, folder=tmp_path)

    assert json.loads(served.get("/hello").json["body"]) == {"changed": True}
    assert "start file" not in served.process.text
