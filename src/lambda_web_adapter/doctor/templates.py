"""What templates say about functions: SAM, CloudFormation (which CDK and Serverless write), Serverless and Zappa."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMES = ("template.yaml", "template.yml", "template.json", "serverless.yml", "serverless.yaml", "zappa_settings.json")
_PATTERNS = ("*.template.json", "cloudformation-template-update-stack.json")
# Folders of builds, whose templates are beside them or one folder higher.
_BUILD_FOLDERS = (".aws-sam", "build", ".serverless", "cdk.out")
_FUNCTION_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTemplate:
    """A function as its template describes it; what is computed there, such as by `!Ref`, is left out.

    Attributes:
        name: its name in the template.
        file: the template.
        runtime: such as `python3.13`; empty for images.
        architecture: `x86_64` or `arm64`; empty if it is not said.
        handler: the handler.
        environ: its variables.
        layers: ARNs or names of its layers.
        timeout: seconds; 0 if it is not said.
        events: kinds of its event sources, such as `HttpApi`.
        invoke_mode: that of its URL, or empty.
        code: the folder or file of its code.
    """

    name: str
    file: Path
    runtime: str = ""
    architecture: str = ""
    handler: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    timeout: float = 0
    events: frozenset[str] = frozenset()
    invoke_mode: str = ""
    code: str = ""


class TemplateError(Exception):
    """A template cannot be read; the message says why."""


def find_functions(artifact: Path) -> list[FunctionTemplate]:
    """Return the function that runs an artifact, from the template beside it; none if no template says which.

    Raises:
        TemplateError: a template cannot be read.
    """
    for folder in _folders(artifact):
        functions = [function for file in _templates(folder) for function in read_functions(file)]
        exact = [each for each in functions if each.name == artifact.name or _is_code_of(each, artifact)]
        if exact or len(functions) == 1:
            return exact[:1] or functions
    return []


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


def _folders(artifact: Path) -> list[Path]:
    """Return where the template of an artifact may be, the likeliest first."""
    path = artifact.resolve()
    folders = [path] if path.is_dir() else []
    folders.append(path.parent)
    while folders[-1].name in _BUILD_FOLDERS:
        folders.append(folders[-1].parent)
    return folders


def _templates(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _NAMES if (folder / name).is_file())
    yield from (path for pattern in _PATTERNS for path in sorted(folder.glob(pattern)))


def _is_code_of(function: FunctionTemplate, artifact: Path) -> bool:
    return bool(function.code) and (function.file.parent / function.code).resolve() == artifact.resolve()


def _load(file: Path) -> Any:
    try:
        if file.suffix == ".json":
            return json.loads(file.read_bytes())
        return _load_yaml(file)
    except (OSError, ValueError) as error:
        raise TemplateError(f"{file} cannot be read: {error}") from None


def _load_yaml(file: Path) -> Any:
    """Return the document; tags such as `!Ref` are kept as a mapping, which no field of a function takes."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def construct(loader: Any, suffix: str, node: Any) -> Any:
        return {suffix: node.value if isinstance(node, yaml.ScalarNode) else None}

    Loader.add_multi_constructor("!", construct)
    try:
        return yaml.load(file.read_bytes(), Loader)  # noqa: S506  # a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _of_cloudformation(file: Path, document: Any) -> Iterator[FunctionTemplate]:
    defaults = _mapping(_mapping(_mapping(document).get("Globals")).get("Function"))
    resources = _mapping(_mapping(document).get("Resources"))
    urls = [each for each in map(_mapping, resources.values()) if each.get("Type") == "AWS::Lambda::Url"]
    for name, resource in resources.items():
        if not isinstance(resource, dict) or resource.get("Type") not in _FUNCTION_TYPES:
            continue
        properties = _mapping(resource.get("Properties"))
        environ = {**_variables(defaults.get("Environment")), **_variables(properties.get("Environment"))}
        both = {**defaults, **properties}
        url = _mapping(both.get("FunctionUrlConfig")) or _url_of(name, urls)
        events = _mapping(properties.get("Events")).values()
        kinds = {_string(_mapping(event).get("Type")) for event in events} | ({"FunctionUrl"} if url else set())
        yield FunctionTemplate(
            name=name,
            file=file,
            runtime=_string(both.get("Runtime")),
            architecture=_string(next(iter(both.get("Architectures") or ()), "")),
            handler=_string(both.get("Handler")),
            environ=environ,
            layers=tuple(map(_layer, [*(defaults.get("Layers") or ()), *(properties.get("Layers") or ())])),
            timeout=_number(both.get("Timeout")),
            events=frozenset(kinds),
            invoke_mode=_string(url.get("InvokeMode")) or ("BUFFERED" if url else ""),
            code=_string(both.get("CodeUri")),
        )


def _url_of(name: str, urls: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the properties of the URL of a function, if the template has one."""
    properties = [_mapping(url.get("Properties")) for url in urls]
    return next((each for each in properties if name in json.dumps(each.get("TargetFunctionArn"), default=str)), {})


def _of_serverless(file: Path, document: Any) -> Iterator[FunctionTemplate]:
    provider = _mapping(_mapping(document).get("provider"))
    for name, function in _mapping(_mapping(document).get("functions")).items():
        both = {**provider, **_mapping(function)}
        url = both.get("url") or ()
        kinds = {kind for event in _mapping(function).get("events") or () for kind in _event_kinds(event)}
        streams = isinstance(url, dict) and "STREAM" in _string(url.get("invoke") or url.get("invokeMode")).upper()
        yield FunctionTemplate(
            name=name,
            file=file,
            runtime=_string(both.get("runtime")),
            architecture=_string(both.get("architecture")),
            handler=_string(both.get("handler")),
            environ={**_strings(provider.get("environment")), **_strings(_mapping(function).get("environment"))},
            layers=tuple(map(_layer, both.get("layers") or ())),
            timeout=_number(both.get("timeout")),
            events=frozenset(kinds | ({"FunctionUrl"} if url else set())),
            invoke_mode=("RESPONSE_STREAM" if streams else "BUFFERED") if url else "",
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
            architecture=_string(next(iter(stage.get("architecture") or ()), "")),
            environ={
                **_strings(stage.get("aws_environment_variables")),
                **_strings(stage.get("environment_variables")),
            },
            layers=tuple(map(_layer, stage.get("layers") or ())),
            timeout=_number(stage.get("timeout_seconds")),
            events=frozenset() if stage.get("apigateway_enabled") is False else frozenset(["Api"]),
        )


def _variables(environment: Any) -> dict[str, str]:
    return _strings(_mapping(environment).get("Variables"))


def _strings(values: Any) -> dict[str, str]:
    """Return the variables whose values are said; numbers and switches as CloudFormation passes them on."""
    scalars = {name: value for name, value in _mapping(values).items() if isinstance(value, str | int | float)}
    return {str(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in scalars.items()}


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _layer(value: Any) -> str:
    """Return the ARN of a layer, also of one with placeholders (`!Sub`, `Fn::Sub`)."""
    if isinstance(value, dict):
        value = next((each for each in value.values() if isinstance(each, str)), "")
    return _string(value)
