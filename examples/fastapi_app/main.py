"""A seed library: a village lends seeds to its gardeners and gets a part of the harvest back."""

import csv
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from html import escape
from typing import Annotated, TypedDict
from urllib.parse import quote, unquote

from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, Form, Header, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from models import Batch, BatchResult, Failure, Harvest, Loan, Month, Slug, Variety
from pydantic import ValidationError
from store import SeedError, SeedStore

from lambda_web_adapter.fastapi import require_event_source

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
log = logging.getLogger("seeds")

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp")


class State(TypedDict):
    store: SeedStore


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    with closing(SeedStore()) as store:
        log.info("The seed library is open.")
        yield {"store": store}
    log.info("The seed library is closed.")


async def opened_store(request: Request) -> SeedStore:
    store: SeedStore = request.state.store
    return store


Store = Annotated[SeedStore, Depends(opened_store)]
app = FastAPI(title="Seed library", lifespan=lifespan)


@app.exception_handler(SeedError)
async def explain(_: Request, error: SeedError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, error.status)


@app.get("/", response_class=HTMLResponse)
async def front_page(request: Request, store: Store) -> str:
    items = (
        f'<li><a href="{request.url_for("read_variety", slug=variety.slug).path}">{escape(variety.name)}</a>'
        f" ({escape(variety.species)}), {variety.packets} packets</li>"
        for variety in store.search()
    )
    return f"<!doctype html><title>Seed library</title><h1>Seed library</h1><ul>{''.join(items)}</ul>"


@app.get("/varieties")
async def list_varieties(
    store: Store,
    species: str | None = None,
    month: Month | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> list[Variety]:
    return store.search(species, month, limit)


@app.post("/varieties", status_code=201)
async def add_variety(variety: Variety, request: Request, response: Response, store: Store) -> Variety:
    store.put(variety)
    response.headers["location"] = str(request.url_for("read_variety", slug=variety.slug))
    return variety


@app.post("/varieties/import")
async def import_catalogue(file: UploadFile, donor: Annotated[str, Form()], store: Store) -> str:
    """Take over a catalogue in CSV, all of it or nothing."""
    try:
        rows = csv.DictReader((await file.read()).decode().splitlines())
        varieties = [Variety.model_validate(row) for row in rows]
    except (ValueError, csv.Error) as error:
        raise SeedError(f"{file.filename} is not a catalogue.") from error
    for variety in varieties:
        store.put(variety)
    return f"{len(varieties)} varieties from {donor}"


@app.get("/varieties/{slug}")
async def read_variety(slug: Slug, store: Store) -> Variety:
    return store.get(slug)


@app.put("/varieties/{slug}/photo", status_code=204)
async def put_photo(slug: Slug, request: Request, store: Store, content_type: Annotated[str, Header()]) -> None:
    """The photo is the body itself, so that `curl --upload-file` will do."""
    if content_type not in PHOTO_TYPES:
        raise SeedError(f"A photo is one of {', '.join(PHOTO_TYPES)}.")
    store.put_photo(slug, content_type, await request.body())


@app.get("/varieties/{slug}/photo", response_class=Response)
async def get_photo(slug: Slug, store: Store) -> Response:
    media_type, data = store.get_photo(slug)
    return Response(data, media_type=media_type)


@app.post("/varieties/{slug}/loans", status_code=202)
async def lend(slug: Slug, loan: Loan, response: Response, tasks: BackgroundTasks, store: Store) -> Variety:
    """Take packets off the shelf now, and pack them when the gardener has had the reply."""
    variety = store.move(slug, -loan.packets)
    tasks.add_task(pack, store, f"{loan.packets} x {variety.name} for {loan.gardener}")
    response.set_cookie("gardener", quote(loan.gardener), max_age=365 * 24 * 3600, httponly=True)  # cookies are ASCII
    response.set_cookie("last_loan", slug, httponly=True)
    return variety


async def pack(store: SeedStore, line: str) -> None:
    store.pack(line)
    log.info("Packed %s.", line)


@app.get("/packing-list")
async def packing_list(store: Store) -> list[str]:
    return store.packing_list()


@app.get("/me")
async def who_am_i(gardener: Annotated[str, Cookie()] = "", last_loan: Annotated[str, Cookie()] = "") -> dict[str, str]:
    return {"gardener": unquote(gardener), "last_loan": last_loan}


@app.get("/p/{slug}")
async def packet_link(slug: Slug, request: Request) -> RedirectResponse:
    """The short address that is printed on the packets."""
    return RedirectResponse(request.url_for("read_variety", slug=slug))


@app.get("/backup", response_class=Response)
async def backup(store: Store) -> Response:
    disposition = 'attachment; filename="seed-library.sqlite3"'
    return Response(store.backup(), headers={"content-disposition": disposition}, media_type="application/vnd.sqlite3")


@app.get("/request")
async def show_request(request: Request) -> dict[str, str]:
    """The request as the app sees it; behind a proxy, these are the first things to go wrong."""
    client = request.client.host if request.client else ""
    return {"url": str(request.url), "root_path": request.scope["root_path"], "client": client}


@app.post("/events", dependencies=[Depends(require_event_source("sqs"))])
async def take_harvests(batch: Batch, store: Store) -> BatchResult:
    """Harvests that were reported through a queue (SQS), a batch of messages at a time."""
    failures = []
    for record in batch.records:
        try:
            harvest = Harvest.model_validate_json(record.body)
            store.move(harvest.slug, harvest.packets)
        except (ValidationError, SeedError) as error:
            log.warning("Message %s is of no use: %s", record.id, error)
            failures.append(Failure(id=record.id))
    return BatchResult(failures=failures)
