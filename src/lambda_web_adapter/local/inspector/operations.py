"""The operations of the inspector's API: what each takes and returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.local.imports.import_times import AppImport
from lambda_web_adapter.local.inspector import api_models as models
from lambda_web_adapter.local.inspector.cost import CostEstimate
from lambda_web_adapter.local.inspector.replay_models import Preview, ReplayOptions
from lambda_web_adapter.local.inspector.snippets import Snippet

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path.

    Attributes:
        name: the method of `Api` that handles it.
        method: the HTTP method.
        path: the path; `{number:int}` is the number of a record.
        summary: what it does, in a sentence.
        response: what it returns; None for another document.
        query: the parameters that it takes.
        body: the JSON that it takes.
        errors: the statuses that it fails with, besides 400 and 403.
        is_stream: whether it can return server-sent events as well.
    """

    name: str
    method: str
    path: str
    summary: str
    response: type[BaseModel] | None
    query: type[BaseModel] = models.NoQuery
    body: type[BaseModel] | None = None
    errors: tuple[int, ...] = field(default=())
    is_stream: bool = False


_INVOCATION = "/api/invocations/{number:int}"
OPERATIONS = (
    Operation(
        name="read_run",
        method="GET",
        path="/api/run",
        summary="Return what is served, where, and with which settings.",
        response=models.RunInfo,
    ),
    Operation(
        name="list_invocations",
        method="GET",
        path="/api/invocations",
        summary="Return the last invocations and rejected requests, or follow them.",
        response=models.Invocations,
        query=models.ListQuery,
        is_stream=True,
    ),
    Operation(
        name="read_invocation",
        method="GET",
        path=_INVOCATION,
        summary="Return everything that went from the client to the app and back.",
        response=models.ExplainedInvocation,
        query=models.DetailQuery,
        errors=(404,),
    ),
    Operation(
        name="preview_invocation",
        method="GET",
        path=f"{_INVOCATION}/as/{{source}}",
        summary="Return what another gateway would make of the request, without sending it.",
        response=Preview,
        query=models.DetailQuery,
        errors=(404, 409),
    ),
    Operation(
        name="write_snippet",
        method="GET",
        path=f"{_INVOCATION}/snippet/{{kind}}",
        summary="Return a text to paste: `curl`, `httpx`, the `event`, or a test for `pytest`.",
        response=Snippet,
        query=models.DetailQuery,
        errors=(404, 409),
    ),
    Operation(
        name="replay_invocation",
        method="POST",
        path=f"{_INVOCATION}/replay",
        summary="Send an invocation's request or event once more, and wait until that has ended.",
        response=models.Replayed,
        body=ReplayOptions,
        errors=(404, 409),
    ),
    Operation(
        name="send_invocation",
        method="POST",
        path="/api/invocations",
        summary="Send a request or an event, and wait until that has ended.",
        response=models.Replayed,
        body=ReplayOptions,
        errors=(409,),
    ),
    Operation(
        name="list_environments",
        method="GET",
        path="/api/environments",
        summary="Return what the environments did over time.",
        response=models.Environments,
    ),
    Operation(
        name="estimate_cost",
        method="GET",
        path="/api/cost",
        summary="Return what a month of such traffic would cost on AWS.",
        response=CostEstimate,
        query=models.CostQuery,
    ),
    Operation(
        name="measure_imports",
        method="POST",
        path="/api/import-times",
        summary="Import the app in a process of its own, and return how long each module took.",
        response=AppImport,
        errors=(409,),
    ),
    Operation(
        name="read_openapi",
        method="GET",
        path="/api/openapi.json",
        summary="Return the description of this API.",
        response=None,
    ),
)
