"""What templates say about functions: SAM, CloudFormation (which CDK and Serverless write), Serverless and Zappa."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.doctor.findings import paths_text
from lambda_web_adapter.doctor.function_endpoints import Endpoints
from lambda_web_adapter.doctor.intrinsics import Intrinsics, Unresolved, long_form
from lambda_web_adapter.doctor.serverless_variables import ServerlessVariables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FUNCTION_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTemplate:
    """A function as its template describes it, with the defaults of its parameters.

    What only a deployment knows is left out.

    Attributes:
        name: its name in the template.
        file: the template.
        runtime: such as `python3.13`; empty for images.
        architecture: `x86_64` or `arm64`; empty if it is not said.
        handler: the handler.
        environ: its variables.
        layers: ARNs or names of its layers.
        timeout: seconds; 0 if it has none.
        memory: MB; 0 if it has none.
        events: kinds of its event sources, such as `HttpApi`.
        invoke_mode: that of its URL, or empty.
        code: the folder or file of its code.
        is_image: whether its code is an image.
        unresolved: what the template has for runtime and handler, by name, where only a deployment knows them.
    """

    name: str
    file: Path
    runtime: str = ""
    architecture: str = ""
    handler: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    timeout: float = 0
    memory: int = 0
    events: frozenset[str] = frozenset()
    invoke_mode: str = ""
    code: str = ""
    is_image: bool = False
    unresolved: Mapping[str, str] = field(default_factory=dict)


class TemplateError(Exception):
    """A template cannot be read; the message says why."""


def read_functions(file: Path) -> list[FunctionTemplate]:
    """Return all functions of a template.

    Raises:
        TemplateError: it cannot be read.
    """
    document = _load(file)
    if file.name.startswith("serverless."):
        return list(_of_serverless(file, document))
    if file.name == "zappa_settings.json":
        return list(_of_zappa(file, document))
    return list(_of_cloudformation(file, document))


def _load(file: Path) -> Any:
    try:
        if file.suffix == ".json":
            return json.loads(file.read_bytes())
        return _load_yaml(file)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise TemplateError(f"{file} cannot be read: {reason}.") from None


def _load_yaml(file: Path) -> Any:
    """Return the document, with tags such as `!Ref` in their long form."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def construct(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return long_form(suffix, node.value)
        is_list = isinstance(node, yaml.SequenceNode)
        make = loader.construct_sequence if is_list else loader.construct_mapping
        return long_form(suffix, make(node, deep=True))

    Loader.add_multi_constructor("!", construct)
    try:
        return yaml.load(file.read_bytes(), Loader)  # noqa: S506  # a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _of_cloudformation(file: Path, document: Any) -> Iterator[FunctionTemplate]:
    intrinsics = Intrinsics(_mapping(document))
    defaults = _mapping(intrinsics.resolve(_mapping(_mapping(document).get("Globals")).get("Function")))
    resources = {name: _mapping(each) for name, each in _mapping(_mapping(document).get("Resources")).items()}
    endpoints = Endpoints(intrinsics.resolve(resources))
    for name, resource in resources.items():
        if resource.get("Type") not in _FUNCTION_TYPES:
            continue
        properties = _mapping(intrinsics.resolve(resource.get("Properties")))
        environ = {**_variables(defaults.get("Environment")), **_variables(properties.get("Environment"))}
        both = {**defaults, **properties}
        url = _mapping(both.get("FunctionUrlConfig")) or endpoints.url_of(name)
        events = _mapping(properties.get("Events")).values()
        kinds = {_string(_mapping(event).get("Type")) for event in events} | endpoints.gateways_of(name)
        code = both.get("CodeUri") or both.get("Code") or _mapping(resource.get("Metadata")).get("aws:asset:path")
        yield FunctionTemplate(
            name=name,
            file=file,
            runtime=_string(both.get("Runtime")),
            architecture=_string(next(iter(_list(both.get("Architectures"))), "")),
            handler=_string(both.get("Handler")),
            environ=environ,
            layers=tuple(map(_layer, [*_list(defaults.get("Layers")), *_list(properties.get("Layers"))])),
            timeout=_number(both.get("Timeout")),
            memory=int(_number(both.get("MemorySize"))),
            events=frozenset(kinds | ({"FunctionUrl"} if url else set())),
            invoke_mode=_string(url.get("InvokeMode", "BUFFERED")) if url else "",
            code=_string(code),
            is_image=both.get("PackageType") == "Image" or "ImageUri" in both,
            unresolved=_unresolved(both, "Runtime", "Handler"),
        )


def _of_serverless(file: Path, document: Any) -> Iterator[FunctionTemplate]:
    document = ServerlessVariables(_mapping(document)).resolve(_mapping(document))
    provider = _mapping(document.get("provider"))
    for name, function in _merged(document.get("functions")).items():
        both = {**provider, **_mapping(function)}
        url = both.get("url") or ()
        kinds = {kind for event in _list(_mapping(function).get("events")) for kind in _event_kinds(event)}
        streams = isinstance(url, dict) and "STREAM" in _string(url.get("invoke") or url.get("invokeMode")).upper()
        yield FunctionTemplate(
            name=name,
            file=file,
            runtime=_string(both.get("runtime")),
            architecture=_string(both.get("architecture")),
            handler=_string(both.get("handler")),
            environ={**_strings(provider.get("environment")), **_strings(_mapping(function).get("environment"))},
            layers=tuple(map(_layer, _list(both.get("layers")))),
            timeout=_number(both.get("timeout")),
            memory=int(_number(both.get("memorySize"))),
            events=frozenset(kinds | ({"FunctionUrl"} if url else set())),
            invoke_mode=("RESPONSE_STREAM" if streams else "BUFFERED") if url else "",
            code=_string(_mapping(both.get("package")).get("artifact")),
            is_image="image" in both,
            unresolved=_unresolved(both, "runtime", "handler"),
        )


def _event_kinds(event: Any) -> list[str]:
    names = {"httpApi": "HttpApi", "http": "Api", "alb": "Alb"}
    keys = list(event) if isinstance(event, dict) else [_string(event)]
    return [names.get(key, key) for key in keys]


def _of_zappa(file: Path, document: Any) -> Iterator[FunctionTemplate]:
    for name, stage in _mapping(document).items():
        stage = _mapping(stage)
        yield FunctionTemplate(
            name=name,
            file=file,
            runtime=_string(stage.get("runtime")),
            architecture=_string(next(iter(_list(stage.get("architecture"))), "")),
            environ={
                **_strings(stage.get("aws_environment_variables")),
                **_strings(stage.get("environment_variables")),
            },
            layers=tuple(map(_layer, _list(stage.get("layers")))),
            timeout=_number(stage.get("timeout_seconds")),
            memory=int(_number(stage.get("memory_size"))),
            events=frozenset() if stage.get("apigateway_enabled") is False else frozenset(["Api"]),
        )


def _variables(environment: Any) -> dict[str, str]:
    return _strings(_mapping(environment).get("Variables"))


def _strings(values: Any) -> dict[str, str]:
    """Return the variables whose values are said; numbers and switches as CloudFormation passes them on."""
    scalars = {name: value for name, value in _mapping(values).items() if isinstance(value, str | int | float)}
    return {str(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in scalars.items()}


def _unresolved(properties: dict[str, Any], *names: str) -> dict[str, str]:
    values = {name.lower(): properties.get(name) for name in names}
    return {name: value.text for name, value in values.items() if isinstance(value, Unresolved)}


def content_text(file: Path) -> str:
    """Return what a template without functions has instead, for people."""
    document = _load(file)
    resources = _mapping(_mapping(document).get("Resources"))
    kinds = [f"{name} ({_mapping(resource).get('Type')})" for name, resource in resources.items()]
    if kinds:
        return f"the resources {paths_text(kinds)}"
    keys = list(map(str, _mapping(document)))
    return f"only {paths_text(keys)}" if keys else "no resources at all"


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _merged(value: Any) -> dict[Any, Any]:
    """Return a mapping, also of one in parts, as Serverless has those that come from several files."""
    return {
        key: each for part in (value if isinstance(value, list) else [value]) for key, each in _mapping(part).items()
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    """Return a number, also one that is written as a text, as defaults of parameters are."""
    try:
        number = 0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return 0
    return number if math.isfinite(number) else 0


def _layer(value: Any) -> str:
    """Return the ARN of a layer as the template has it, also one with placeholders or the name of a resource."""
    if isinstance(value, dict):  # as Serverless has them, which passes on what CloudFormation resolves
        value = next((each for each in value.values() if isinstance(each, str | Unresolved)), "")
    return value.text if isinstance(value, Unresolved) else _string(value)
