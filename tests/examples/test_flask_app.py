"""What the Flask example does, said in literals: once served by Flask's own server, once through the adapter."""

from collections.abc import Callable

import httpx
import pytest
from examples.running import EXAMPLES

EVERY_BYTE = bytes(range(256))


def recipe(title: str, **changes: str) -> dict[str, str]:
    return {"title": title, "ingredients": "1 kg flour\r\n\r\n  salt \r\n", "steps": "Knead.", **changes}


def test_the_front_page_lists_the_recipes_in_the_base_layout(recipes: httpx.Client) -> None:
    page = recipes.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<a href="/recipes/shakshuka">Shakshuka</a> by Noa' in page.text
    assert '<link rel="stylesheet" href="/static/style.css">' in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("SHAK", "Shakshuka", id="in capitals"),
        pytest.param("br%C3%BBl", "Crème brûlée", id="with an accent"),
        pytest.param("%22%3E%3Cb%3E", '<input type="search" name="q" value="&#34;&gt;&lt;b&gt;">', id="with markup"),
        pytest.param("haggis", "Nothing of the kind in the box.", id="in vain"),
    ],
)
def test_recipes_are_searched_by_title(recipes: httpx.Client, query: str, found: str) -> None:
    assert found in recipes.get(f"/?q={query}").text


def test_an_address_may_have_letters_beyond_ascii(recipes: httpx.Client) -> None:
    assert "<h1>Crème brûlée</h1>" in recipes.get("/recipes/cr%C3%A8me-br%C3%BBl%C3%A9e").text


def test_the_session_remembers_who_cooks_until_they_sign_out(recipes: httpx.Client) -> None:
    answer = recipes.post("/sign-in", data={"name": "Zoé"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"].endswith("; HttpOnly; Path=/; SameSite=Lax")
    assert "Sign out, Zoé" in recipes.get("/").text

    recipes.post("/sign-out")
    assert "Sign out" not in recipes.get("/").text


def test_a_session_that_somebody_has_tampered_with_is_empty(
    recipes: httpx.Client, new_flask_client: Callable[[], httpx.Client]
) -> None:
    recipes.post("/sign-in", data={"name": "Zoé"})
    forged = recipes.cookies["session"][:-4] + "AAAA"

    with new_flask_client() as somebody:
        somebody.cookies.set("session", forged)
        assert "Sign out" not in somebody.get("/").text


def test_a_new_recipe_leads_to_its_page_and_a_message_that_is_shown_once(recipes: httpx.Client) -> None:
    recipes.post("/sign-in", data={"name": "Ida"})
    recipes.get("/")

    answer = recipes.post("/recipes/new", data=recipe("Rye & wheat bread"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/recipes/rye-wheat-bread")
    page = recipes.get("/recipes/rye-wheat-bread").text
    assert '<p class="flash">Rye &amp; wheat bread is in the box.</p>' in page
    assert "<li>1 kg flour</li>" in page
    assert "<li>salt</li>" in page
    assert "flash" not in recipes.get("/recipes/rye-wheat-bread").text
    assert "Rye &amp; wheat bread</a> by Ida" in recipes.get("/?q=rye").text


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        pytest.param(recipe(" ?! "), "A recipe needs a title.", id="without a title"),
        pytest.param(recipe("Air", ingredients="\r\n"), "A recipe needs ingredients.", id="without ingredients"),
        pytest.param(recipe("Shakshuka"), "There is a recipe for Shakshuka already.", id="for the second time"),
    ],
)
def test_the_form_comes_back_with_a_complaint(recipes: httpx.Client, form: dict[str, str], complaint: str) -> None:
    answer = recipes.post("/recipes/new", data=form)

    assert answer.status_code == 400
    assert f'<p class="flash">{complaint}</p>' in answer.text
    assert '<textarea name="steps">Knead.</textarea>' in answer.text


def test_a_photo_is_uploaded_and_downloaded_byte_by_byte(recipes: httpx.Client) -> None:
    recipes.post("/recipes/new", data=recipe("Scones"))

    answer = recipes.post("/recipes/scones/photo", files={"photo": ("thé.png", EVERY_BYTE, "image/png")})

    assert (answer.status_code, answer.headers["location"]) == (303, "/recipes/scones")
    assert "256 bytes of thé.png: how tasty." in recipes.get("/recipes/scones").text
    photo = recipes.get("/recipes/scones/photo")
    assert (photo.headers["content-type"], photo.content) == ("image/png", EVERY_BYTE)
    assert photo.headers["content-disposition"] == "attachment; filename=the.png; filename*=UTF-8''th%C3%A9.png"


def test_a_photo_that_is_too_large_is_refused_unread(recipes: httpx.Client) -> None:
    photo = EVERY_BYTE * (17 * 1024)

    answer = recipes.post("/recipes/shakshuka/photo", files={"photo": ("wall.png", photo, "image/png")})

    assert answer.status_code == 413
    assert "413 Request Entity Too Large" in answer.text


def test_a_photo_that_the_browser_has_is_not_sent_again(recipes: httpx.Client) -> None:
    recipes.post("/recipes/new", data=recipe("Muffins"))
    recipes.post("/recipes/muffins/photo", files={"photo": ("muffin.png", b"PNG", "image/png")})
    etag = recipes.get("/recipes/muffins/photo").headers["etag"]

    again = recipes.get("/recipes/muffins/photo", headers={"if-none-match": etag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


def test_the_export_is_streamed_line_by_line(recipes: httpx.Client) -> None:
    export = recipes.get("/recipes.csv")

    assert export.headers["content-type"] == "text/csv; charset=utf-8"
    assert export.headers["content-disposition"] == "attachment; filename=recipes.csv"
    assert export.text.startswith("title,cook,ingredients\r\nShakshuka,Noa,6 eggs; 800 g tomatoes; 2 peppers\r\n")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        pytest.param("style.css", "text/css; charset=utf-8", id="text"),
        pytest.param("favicon.png", "image/png", id="binary"),
    ],
)
def test_a_static_file_arrives_as_it_is(recipes: httpx.Client, name: str, media_type: str) -> None:
    answer = recipes.get(f"/static/{name}")

    assert answer.headers["content-type"] == media_type
    assert answer.content == (EXAMPLES / "flask_app" / "static" / name).read_bytes()


def test_a_part_of_a_static_file_arrives_on_its_own(recipes: httpx.Client) -> None:
    answer = recipes.get("/static/favicon.png", headers={"range": "bytes=1-3"})

    assert (answer.status_code, answer.content) == (206, b"PNG")
    assert answer.headers["content-range"].startswith("bytes 1-3/")


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        pytest.param("GET", "/recipes/haggis", 404, "There is no recipe &#39;haggis&#39; in the box.", id="no recipe"),
        pytest.param("GET", "/recipes/shakshuka/photo", 404, "Nobody has taken a photo of it yet.", id="no photo"),
        pytest.param("GET", "/nowhere", 404, "404 Not Found", id="no page"),
        pytest.param("DELETE", "/recipes.csv", 405, "405 Method Not Allowed", id="a method that is not offered"),
        pytest.param("POST", "/sign-in", 400, "400 Bad Request", id="an incomplete form"),
        pytest.param("GET", "/burnt", 500, "500 Internal Server Error", id="an exception in the app"),
    ],
)
def test_an_error_has_a_page_in_the_base_layout(
    recipes: httpx.Client, method: str, path: str, status: int, words: str
) -> None:
    answer = recipes.request(method, path)

    assert answer.status_code == status
    assert words in answer.text
    assert '<a href="/">Recipe box</a>' in answer.text


def test_the_app_sees_the_address_and_the_client(recipes: httpx.Client) -> None:
    assert recipes.get("/request?q=a%20b&q=c").json() == {
        "url": f"{recipes.base_url}/request?q=a%20b&q=c",
        "script_root": "",
        "remote_addr": "127.0.0.1",
    }


@pytest.mark.parametrize("name", ["accept", "x-amzn-event-source", "X_Amzn_Event_Source"])
def test_a_client_does_not_pass_for_a_queue(name: str, recipes: httpx.Client) -> None:
    record = {"messageId": "m0", "body": '{"title": "Spam", "ingredients": ["ham"]}', "eventSource": "aws:sqs"}

    reply = recipes.post("/events", json={"Records": [record]}, headers={name: "sqs"})

    assert reply.status_code == 403
    assert "Only events of sqs are accepted here, not requests." in reply.text
    assert recipes.get("/recipes/spam").status_code == 404
