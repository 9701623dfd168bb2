"""The inspector's app: the JSON API, and the files of the page."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

import lambda_web_adapter
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.imports.import_times import ImportsNotMeasured, measure_imports
from lambda_web_adapter.local.inspector import api_models as models
from lambda_web_adapter.local.inspector.cost import estimate
from lambda_web_adapter.local.inspector.field_errors import describe_invalid
from lambda_web_adapter.local.inspector.follow import follow
from lambda_web_adapter.local.inspector.notes import explain
from lambda_web_adapter.local.inspector.openapi import build_document
from lambda_web_adapter.local.inspector.operations import OPERATIONS
from lambda_web_adapter.local.inspector.preview import preview
from lambda_web_adapter.local.inspector.prices import REGIONS
from lambda_web_adapter.local.inspector.replay import replay, send
from lambda_web_adapter.local.inspector.replay_models import ReplayError, ReplayOptions
from lambda_web_adapter.local.inspector.snippets import SnippetKind, build_snippet, context_of
from lambda_web_adapter.local.records.conversion import to_detail, to_summary
from lambda_web_adapter.local.records.records import SETTLE_SECONDS
from lambda_web_adapter.local.records.search import matches

if TYPE_CHECKING:
    from starlette.requests import Request

    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.records.records import Record, Records

    _Model = TypeVar("_Model", bound=BaseModel)

SNIPPET_KINDS = get_args(SnippetKind)
# How long to wait for the end of an invocation whose caller has the response, in seconds.
_END_SECONDS = 1.0
STATIC = Path(__file__).parent / "static"


def build_app(run: InspectedRun, static: Path = STATIC) -> Starlette:
    """Return the ASGI app.

    Args:
        run: the run.
        static: the folder with the files of the page.
    """
    api = Api(run)
    routes: list[BaseRoute] = [
        Route(each.path, getattr(api, each.name), methods=[each.method], name=each.name) for each in OPERATIONS
    ]
    if run.options.inspector.has_page:
        routes.append(Mount("/", StaticFiles(directory=static, html=True)))
    failures = (HTTPException, ReplayError, ImportsNotMeasured, ClientDisconnect)
    return Starlette(routes=routes, exception_handlers=dict.fromkeys(failures, _send_error))


class Api:
    """The handlers of `OPERATIONS`."""

    def __init__(self, run: InspectedRun) -> None:
        """Prepare, given the run."""
        self._run = run
        self._records = run.recorder.records

    async def read_run(self, request: Request) -> Response:
        """Return what is served."""
        _parse_query(request, models.NoQuery)
        run, function = self._run, self._run.options.function
        return _json(
            models.RunInfo(
                title=run.options.title,
                ports=run.ports,
                listeners=[models.Listener(source=source, url=url) for source, url in run.listeners],
                memory_mb=function.memory,
                timeout=function.timeout,
                region=function.region,
                keep=self._records.max_count,
                version=lambda_web_adapter.__version__,
                started=run.started,
            )
        )

    async def list_invocations(self, request: Request) -> Response:
        """Return the records that the query wants, or a stream."""
        query = _parse_query(request, models.ListQuery)
        if query.follow:
            events = follow(self._run.recorder, query.last, with_log=query.log)
            return StreamingResponse(events, media_type="text/event-stream")
        records: list[Record] = []
        for record in self._records.newest_first():
            if len(records) >= query.last:
                break
            if (query.before is None or record.number < query.before) and matches(record, query.search):
                records.append(record)
        document = models.Invocations.model_construct(invocations=[to_summary(each) for each in reversed(records)])
        without_log = {"invocations": {"__all__": {"log"}}}
        return Response(
            document.model_dump_json(exclude=None if query.log else without_log), media_type="application/json"
        )

    async def read_invocation(self, request: Request) -> Response:
        """Return all of a record."""
        query = _parse_query(request, models.DetailQuery)
        record = await self._find(request)
        detail = to_detail(record, None if query.secrets else self._run.masker)
        explained = models.ExplainedInvocation.model_construct(**dict(detail), notes=explain(detail))
        return _json(explained)

    async def preview_invocation(self, request: Request) -> Response:
        """Return what another gateway would make of a request."""
        query, source = _parse_query(request, models.DetailQuery), request.path_params["source"]
        if source not in EVENT_SOURCES:
            raise HTTPException(404, f"There is no event source {source!r}. There are {', '.join(EVENT_SOURCES)}.")
        masker = None if query.secrets else self._run.masker
        return _json(preview(await self._find(request), source, self._run, masker))

    async def write_snippet(self, request: Request) -> Response:
        """Return a record as a text to paste."""
        query, kind = _parse_query(request, models.DetailQuery), request.path_params["kind"]
        if kind not in SNIPPET_KINDS:
            raise HTTPException(404, f"There is no snippet {kind!r}. There are {', '.join(SNIPPET_KINDS)}.")
        detail = to_detail(await self._find(request), None if query.secrets else self._run.masker)
        return _json(build_snippet(kind, detail, context_of(self._run, detail.source)))

    async def replay_invocation(self, request: Request) -> Response:
        """Send what a record has once more."""
        _parse_query(request, models.NoQuery)
        options = _parse_body(await request.body(), ReplayOptions)
        numbers = await replay(await self._find(request), options, self._run)
        return _json(models.Replayed(numbers=numbers))

    async def send_invocation(self, request: Request) -> Response:
        """Send a request or an event."""
        _parse_query(request, models.NoQuery)
        numbers = await send(_parse_body(await request.body(), ReplayOptions), self._run)
        return _json(models.Replayed(numbers=numbers))

    async def estimate_cost(self, request: Request) -> Response:
        """Return what a month would cost."""
        query, function = _parse_query(request, models.CostQuery), self._run.options.function
        region = function.region if function.region in REGIONS else next(iter(REGIONS))
        sources = [source for source, _ in self._run.listeners]
        try:
            result = estimate(
                [to_summary(record) for record in self._records.last(self._records.max_count)],
                memory_mb=query.memory_mb or function.memory,
                architecture=query.architecture,
                region=query.region or region,
                currency=query.currency,
                requests_per_month=query.requests_per_month,
                event_source=query.event_source or (sources[0] if sources else EVENT_SOURCES[0]),
                is_free_tier=query.free_tier,
            )
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        return _json(result)

    async def measure_imports(self, request: Request) -> Response:
        """Return how long the app's imports take."""
        _parse_query(request, models.NoQuery)
        options = self._run.options
        return _json(await measure_imports(options.settings, options.command, self._run.environ, options.function))

    async def list_environments(self, request: Request) -> Response:
        """Return the lanes."""
        _parse_query(request, models.NoQuery)
        lanes = [
            models.EnvironmentLane(
                number=lane.number,
                changes=[
                    models.EnvironmentChange(at=at, state=state, reason=reason) for at, state, reason in lane.changes
                ],
                memory=[models.MemoryMeasurement(at=at, bytes=size) for at, size in lane.memory],
            )
            for lane in self._run.recorder.lanes.last()
        ]
        return _json(models.Environments(environments=lanes))

    async def read_openapi(self, request: Request) -> Response:
        """Return the description of the API."""
        _parse_query(request, models.NoQuery)
        return JSONResponse(build_document())

    async def _find(self, request: Request) -> Record:
        """Return the record that a path names, when nothing more will come to it.

        Raises:
            HTTPException: there is none.
        """
        number: int = request.path_params["number"]
        record = self._records.get(number)
        if record is None:
            raise HTTPException(404, _describe_missing(number, self._records))
        if record.response_ms is not None:
            with suppress(TimeoutError):  # background work takes longer: then the record is incomplete
                await asyncio.wait_for(self._completion(record), _END_SECONDS)
        if record.is_complete:
            await asyncio.sleep(record.completed_at + SETTLE_SECONDS - time.monotonic())
        return record

    async def _completion(self, record: Record) -> None:
        """Wait until a record is complete."""
        with self._run.recorder.follow() as queue:
            while not record.is_complete:
                await queue.get()


def _describe_missing(number: int, records: Records) -> str:
    """Return why there is no record with a number."""
    numbers = records.numbers
    if not numbers:
        return f"There is no invocation {number}: the run has none yet."
    span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"only {numbers[0]}"
    if not 0 < number < numbers[0]:
        return f"There is no invocation {number}: the run has {span}."
    reason = f"the run keeps {records.max_count} (--keep)"
    if len(records) < records.max_count:  # they were larger than most
        reason = "the run keeps as many as fit in memory (--record FILE writes all of them)"
    return f"Invocation {number} was dropped: {reason}, and has {span}."


def _parse_query(request: Request, model: type[_Model]) -> _Model:
    """Return the parameters of a request.

    Raises:
        HTTPException: one of them is not valid.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise HTTPException(400, describe_invalid(error, model)) from None


def _parse_body(body: bytes, model: type[_Model]) -> _Model:
    """Return the JSON of a request; without a body, what the model has without anything.

    Raises:
        HTTPException: it is not valid.
    """
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise HTTPException(400, describe_invalid(error, model)) from None


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


async def _send_error(request: Request, error: Exception) -> Response:
    """Return the response of an error."""
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (409, str(error))
    if detail == "Not Found":  # Starlette's own words
        detail = f"There is no {request.method} {request.url.path}."
    return JSONResponse({"message": detail}, status)
