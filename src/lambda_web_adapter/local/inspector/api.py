"""The inspector's app: the JSON API, and the files of the page."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

import lambda_web_adapter
from lambda_web_adapter.local.inspector import api_models as models
from lambda_web_adapter.local.inspector.follow import follow
from lambda_web_adapter.local.inspector.openapi import build_document
from lambda_web_adapter.local.inspector.operations import OPERATIONS
from lambda_web_adapter.local.records.conversion import to_detail, to_summary
from lambda_web_adapter.local.records.records import SETTLE_SECONDS
from lambda_web_adapter.local.records.search import matches

if TYPE_CHECKING:
    from starlette.requests import Request

    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.records.records import Record

    _Model = TypeVar("_Model", bound=BaseModel)

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
    if run.options.inspector.has_page and static.is_dir():
        routes.append(Mount("/", StaticFiles(directory=static, html=True)))
    return Starlette(routes=routes, exception_handlers={HTTPException: _send_error})


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
        return _json(to_detail(record, None if query.secrets else self._run.masker))

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
            raise HTTPException(404, f"There is no invocation {number}; the run keeps the last {len(self._records)}.")
        if record.is_complete:
            await asyncio.sleep(record.completed_at + SETTLE_SECONDS - time.monotonic())
        return record


def _parse_query(request: Request, model: type[_Model]) -> _Model:
    """Return the parameters of a request.

    Raises:
        HTTPException: one of them is not valid.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise HTTPException(400, describe_invalid(error)) from None


def describe_invalid(error: ValidationError) -> str:
    """Return what is not valid, in a sentence for each field."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'the body'} is {each['input']!r:.100}: {each['msg']}"
        for each in error.errors(include_url=False)
    )


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


async def _send_error(request: Request, error: Exception) -> Response:
    """Return the response of an error."""
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
    if detail == "Not Found":  # Starlette's own words
        detail = f"There is no {request.method} {request.url.path}."
    return JSONResponse({"message": detail}, status)
