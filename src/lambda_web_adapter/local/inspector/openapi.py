"""The description of the inspector's API, generated from its operations and models (OpenAPI 3.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

import lambda_web_adapter
from lambda_web_adapter.local.inspector.api_models import ErrorMessage, NoQuery
from lambda_web_adapter.local.inspector.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from lambda_web_adapter.local.inspector.operations import Operation

_REFERENCE = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_DESCRIPTIONS = {
    200: "The result.",
    400: "A parameter or the body is not valid.",
    403: "The token is missing, or a page of another origin has called.",
    404: "There is no such record, or it was dropped.",
    409: "What is there does not allow it; the message says why.",
}


def build_document() -> dict[str, Any]:
    """Return the description."""
    taken: set[type[BaseModel]] = {each.body for each in OPERATIONS if each.body}
    returned: set[type[BaseModel]] = {each.response for each in OPERATIONS if each.response} | {ErrorMessage}
    by_name = sorted(
        [(model, "validation") for model in taken] + [(model, "serialization") for model in returned],
        key=lambda pair: (pair[0].__name__, pair[1]),
    )
    references, definitions = models_json_schema(by_name, ref_template=_REFERENCE)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = _PATH_PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inspector of lambda-web-adapter",
            "version": lambda_web_adapter.__version__,
            "description": "What happened in a local run, and how to repeat it.",
        },
        "security": [{"token": []}, {"query": []}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token", "description": "For GET only."},
            },
        },
    }


def _describe(operation: Operation, references: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the description of one operation."""
    description: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
        "responses": _responses(operation, references),
    }
    if operation.body:
        content = {"application/json": {"schema": references[operation.body, "validation"]}}
        description["requestBody"] = {"required": False, "content": content}
    return description


def _path_parameters(path: str) -> list[dict[str, Any]]:
    types = {"int": {"type": "integer"}}
    return [
        {"name": name, "in": "path", "required": True, "schema": types.get(kind, {"type": "string"})}
        for name, kind in _PATH_PARAMETER.findall(path)
    ]


def _query_parameters(query: type[NoQuery | BaseModel]) -> list[dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = query.model_json_schema().get("properties", {})
    return [
        {
            "name": name,
            "in": "query",
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key not in ("title", "description")},
        }
        for name, schema in properties.items()
        if name != "token"  # a security scheme
    ]


def _responses(operation: Operation, references: Mapping[Any, Any]) -> dict[str, Any]:
    schema = references[operation.response, "serialization"] if operation.response else {"type": "object"}
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if operation.is_stream:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    error = {"application/json": {"schema": references[ErrorMessage, "serialization"]}}
    failures = {
        str(status): {"description": _DESCRIPTIONS[status], "content": error}
        for status in sorted({400, 403, *operation.errors})
    }
    return {"200": {"description": _DESCRIPTIONS[200], "content": content}, **failures}
