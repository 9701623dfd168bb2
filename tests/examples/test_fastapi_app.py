"""What the FastAPI example does, said in literals: once served by uvicorn alone, once through the adapter."""

import json
import sqlite3
import time
from typing import Any

import httpx
import pytest
from examples.running import SECONDS, running

EVERY_BYTE = bytes(range(256))
BEAN = {"slug": "crimson-flowered", "name": "Crimson Flowered", "species": "broad bean", "sow_in": 11, "packets": 7}


def variety(slug: str, **changes: object) -> dict[str, Any]:
    return {"slug": slug, "name": slug.title(), "species": "lettuce", "sow_in": 4, "packets": 10, **changes}


def test_the_front_page_links_to_each_variety(seeds: httpx.Client) -> None:
    page = seeds.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<li><a href="/varieties/noir-de-crimee">Noir de Crimée</a> (tomato), 3 packets</li>' in page.text


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        pytest.param("species=broad%20bean", ["crimson-flowered"], id="a species, its space as %20"),
        pytest.param("species=broad+bean", ["crimson-flowered"], id="a species, its space as a plus sign"),
        pytest.param("species=tomato&month=3", ["brandywine", "noir-de-crimee"], id="a species and a month"),
        pytest.param("species=tomato&month=11", [], id="nothing to sow in that month"),
        pytest.param("species=tomato&limit=1", ["brandywine"], id="one at most"),
    ],
)
def test_the_query_filters_the_varieties(seeds: httpx.Client, query: str, slugs: list[str]) -> None:
    assert [found["slug"] for found in seeds.get(f"/varieties?{query}").json()] == slugs


@pytest.mark.parametrize(
    ("path", "where"),
    [
        pytest.param("/varieties?month=13", ["query", "month"], id="a thirteenth month"),
        pytest.param("/varieties?limit=many", ["query", "limit"], id="a limit in words"),
        pytest.param("/varieties/Not%20a%20slug", ["path", "slug"], id="a name in place of a slug"),
    ],
)
def test_a_wrong_address_is_explained(seeds: httpx.Client, path: str, where: list[str]) -> None:
    reply = seeds.get(path)

    assert reply.status_code == 422
    assert [problem["loc"] for problem in reply.json()["detail"]] == [where]


def test_a_variety_is_added_and_found_where_the_location_says(seeds: httpx.Client) -> None:
    lettuce = variety("forellenschluss", name="Forellenschluß 🥬")

    added = seeds.post("/varieties", json=lettuce)

    assert (added.status_code, added.json()) == (201, lettuce)
    assert added.headers["location"] == f"{seeds.base_url}/varieties/forellenschluss"
    assert seeds.get(added.headers["location"]).json() == lettuce


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param(b'{"slug": "a"', ["body", 12], id="half a JSON"),
        pytest.param(
            json.dumps(variety("oak-leaf", sow_in=0)).encode(), ["body", "sow_in"], id="a month before January"
        ),
        pytest.param(b"", ["body"], id="nothing"),
    ],
)
def test_a_wrong_body_is_explained(seeds: httpx.Client, body: bytes, where: list[str | int]) -> None:
    reply = seeds.post("/varieties", content=body, headers={"content-type": "application/json"})

    assert reply.status_code == 422
    assert [problem["loc"] for problem in reply.json()["detail"]] == [where]


def test_an_error_of_the_domain_has_its_status_and_its_words(seeds: httpx.Client) -> None:
    reply = seeds.get("/varieties/triffid")

    assert (reply.status_code, reply.json()) == (404, {"detail": "There is no variety 'triffid'."})


def test_a_photo_comes_back_byte_by_byte(seeds: httpx.Client) -> None:
    headers = {"content-type": "image/webp"}

    assert seeds.put("/varieties/brandywine/photo", content=EVERY_BYTE, headers=headers).status_code == 204

    photo = seeds.get("/varieties/brandywine/photo")
    assert (photo.headers["content-type"], photo.content) == ("image/webp", EVERY_BYTE)


def test_a_page_is_not_a_photo(seeds: httpx.Client) -> None:
    reply = seeds.put("/varieties/brandywine/photo", content=b"<b>", headers={"content-type": "text/html"})

    assert reply.status_code == 400
    assert reply.json() == {"detail": "A photo is one of image/jpeg, image/png, image/webp."}


def test_a_catalogue_is_imported_from_an_uploaded_file(seeds: httpx.Client) -> None:
    catalogue = "slug,name,species,sow_in,packets\r\nred-baron,Red Baron,onion,2,5\r\nroscoff,Rosé,onion,8,1\r\n"

    reply = seeds.post("/varieties/import", files={"file": ("onions.csv", catalogue)}, data={"donor": "Jérôme"})

    assert reply.json() == "2 varieties from Jérôme"
    onion = variety("roscoff", name="Rosé", species="onion", sow_in=8, packets=1)
    assert seeds.get("/varieties/roscoff").json() == onion


def test_a_file_that_is_no_catalogue_is_refused(seeds: httpx.Client) -> None:
    reply = seeds.post("/varieties/import", files={"file": ("cat.jpg", EVERY_BYTE)}, data={"donor": "Tom"})

    assert (reply.status_code, reply.json()) == (400, {"detail": "cat.jpg is not a catalogue."})


def test_a_loan_takes_packets_and_sets_cookies_that_come_back(seeds: httpx.Client) -> None:
    seeds.post("/varieties", json=variety("winter-density")).raise_for_status()
    assert seeds.get("/me").json() == {"gardener": "", "last_loan": ""}

    loan = seeds.post("/varieties/winter-density/loans", json={"gardener": "Zoë, Ljubljana", "packets": 4})

    assert (loan.status_code, loan.json()["packets"]) == (202, 6)
    assert loan.headers.get_list("set-cookie") == [
        "gardener=Zo%C3%AB%2C%20Ljubljana; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax",
        "last_loan=winter-density; HttpOnly; Path=/; SameSite=lax",
    ]
    assert seeds.get("/me").json() == {"gardener": "Zoë, Ljubljana", "last_loan": "winter-density"}


def test_the_background_task_packs_what_was_lent(seeds: httpx.Client) -> None:
    seeds.post("/varieties", json=variety("little-gem", name="Little Gem")).raise_for_status()
    seeds.post("/varieties/little-gem/loans", json={"gardener": "Ida"}).raise_for_status()

    deadline = time.monotonic() + SECONDS
    while "1 x Little Gem for Ida" not in seeds.get("/packing-list").json():
        assert time.monotonic() < deadline, "nobody packed it"


def test_nobody_is_lent_more_than_there_is(seeds: httpx.Client) -> None:
    seeds.post("/varieties", json=variety("lollo", name="Lollo", packets=2)).raise_for_status()

    loan = seeds.post("/varieties/lollo/loans", json={"gardener": "Ida", "packets": 3})

    assert (loan.status_code, loan.json()) == (409, {"detail": "There are only 2 packets of Lollo."})
    assert "set-cookie" not in loan.headers


def test_the_address_on_a_packet_leads_to_its_variety(seeds: httpx.Client) -> None:
    reply = seeds.get("/p/crimson-flowered")

    assert (reply.status_code, reply.content) == (307, b"")
    assert seeds.get(reply.headers["location"]).json() == BEAN


def test_the_backup_is_a_database_to_download(seeds: httpx.Client) -> None:
    reply = seeds.get("/backup")

    assert reply.headers["content-disposition"] == 'attachment; filename="seed-library.sqlite3"'
    assert reply.headers["content-type"] == "application/vnd.sqlite3"
    backup = sqlite3.connect(":memory:")
    backup.deserialize(reply.content)
    assert backup.execute("SELECT name FROM variety WHERE slug = 'noir-de-crimee'").fetchall() == [("Noir de Crimée",)]
    backup.close()


def test_the_app_sees_the_address_and_the_client(seeds: httpx.Client) -> None:
    reply = seeds.get("/request?q=a%20b&q=%C3%A9&empty=")

    assert reply.json() == {
        "url": f"{seeds.base_url}/request?q=a%20b&q=%C3%A9&empty=",
        "root_path": "",
        "client": "127.0.0.1",
    }


@pytest.mark.parametrize("name", ["accept", "x-amzn-event-source", "X_Amzn_Event_Source"])
def test_a_client_does_not_pass_for_a_queue(name: str, seeds: httpx.Client) -> None:
    before = seeds.get("/varieties/brandywine").json()
    record = {"messageId": "m0", "body": '{"slug": "brandywine", "packets": 900}', "eventSource": "aws:sqs"}

    reply = seeds.post("/events", json={"Records": [record]}, headers={name: "sqs"})

    assert (reply.status_code, reply.json()) == (403, {"detail": "Only events of sqs are accepted here, not requests."})
    assert seeds.get("/varieties/brandywine").json() == before


@pytest.mark.parametrize("adapter", [pytest.param(False, id="alone"), pytest.param(True, id="through the adapter")])
def test_the_store_is_opened_at_the_start_and_closed_at_the_end(adapter: bool) -> None:
    with running("fastapi_app", adapter=adapter) as site:
        site.output.wait_for("The seed library is open")

    output = site.output.to_the_end()
    assert output.count("The seed library is open.") == output.count("The seed library is closed.") == 1
