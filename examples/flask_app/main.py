"""A recipe box: the family writes down what it cooks, with photos."""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, abort, flash, redirect, render_template, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from lambda_web_adapter.flask import require_event_source

app = Flask(__name__)
app.config.update(
    # Whoever knows the key can sign sessions. Set your own wherever others can reach the site; a random one would not
    # do, since several copies of the app may answer the requests of one visitor.
    SECRET_KEY=os.environ.get("SECRET_KEY", "for local runs only"),
    SESSION_COOKIE_SAMESITE="Lax",
    MAX_CONTENT_LENGTH=4 * 1024 * 1024,
)


@dataclass
class Photo:
    name: str
    media_type: str
    data: bytes


@dataclass
class Recipe:
    title: str
    ingredients: list[str]
    steps: str
    cook: str = ""
    photo: Photo | None = None

    @property
    def slug(self) -> str:
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


class UnusableRecipeError(ValueError):
    """Something is missing; the message says what."""


# In memory: the file system may be read-only, and this is an example.
box: dict[str, Recipe] = {}


def add_recipe(title: str, ingredients: list[str], steps: str, cook: str = "") -> Recipe:
    recipe = Recipe(title.strip(), [line.strip() for line in ingredients if line.strip()], steps.strip(), cook)
    if not recipe.slug:
        raise UnusableRecipeError("A recipe needs a title.")
    if not recipe.ingredients:
        raise UnusableRecipeError("A recipe needs ingredients.")
    if recipe.slug in box:
        raise UnusableRecipeError(f"There is a recipe for {recipe.title} already.")
    box[recipe.slug] = recipe
    return recipe


add_recipe("Shakshuka", ["6 eggs", "800 g tomatoes", "2 peppers"], "Simmer the sauce, poach the eggs in it.", "Noa")
add_recipe("Crème brûlée", ["5 yolks", "500 ml cream", "80 g sugar"], "Bake slowly, chill, burn the top.", "Zoé")


def find(slug: str) -> Recipe:
    return box.get(slug) or abort(404, f"There is no recipe {slug!r} in the box.")


@app.get("/")
def index() -> str:
    query = request.args.get("q", "")
    recipes = [recipe for recipe in box.values() if query.lower() in recipe.title.lower()]
    return render_template("index.html", recipes=recipes, query=query)


@app.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    session["cook"] = request.form["name"]
    flash(f"Welcome to the kitchen, {session['cook']}.")
    return redirect(url_for("index"), 303)


@app.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("index"), 303)


@app.route("/recipes/new", methods=["GET", "POST"])
def new_recipe() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("new.html", form={})
    form = request.form
    try:
        recipe = add_recipe(form["title"], form["ingredients"].splitlines(), form["steps"], session.get("cook", ""))
    except UnusableRecipeError as error:
        flash(str(error))
        return render_template("new.html", form=form), 400
    flash(f"{recipe.title} is in the box.")
    return redirect(url_for("show_recipe", slug=recipe.slug), 303)


@app.get("/recipes/<slug>")
def show_recipe(slug: str) -> str:
    return render_template("recipe.html", recipe=find(slug))


@app.post("/recipes/<slug>/photo")
def upload_photo(slug: str) -> ResponseReturnValue:
    recipe, upload = find(slug), request.files["photo"]
    recipe.photo = Photo(upload.filename or slug, upload.mimetype, upload.read())
    flash(f"{len(recipe.photo.data)} bytes of {recipe.photo.name}: how tasty.")
    return redirect(url_for("show_recipe", slug=slug), 303)


@app.get("/recipes/<slug>/photo")
def download_photo(slug: str) -> Response:
    photo = find(slug).photo or abort(404, "Nobody has taken a photo of it yet.")
    # As an attachment, because a page that a visitor has uploaded must not run as one of ours.
    return send_file(
        io.BytesIO(photo.data),
        mimetype=photo.media_type,
        as_attachment=True,
        download_name=photo.name,
        etag=hashlib.sha256(photo.data).hexdigest(),
    )


@app.get("/recipes.csv")
def export() -> Response:
    """Written while it is being sent, so that a long export needs no memory."""
    headers = {"content-disposition": "attachment; filename=recipes.csv"}
    return Response(csv_lines(list(box.values())), mimetype="text/csv", headers=headers)


def csv_lines(recipes: list[Recipe]) -> Iterator[str]:
    yield csv_line(["title", "cook", "ingredients"])
    for recipe in recipes:
        yield csv_line([recipe.title, recipe.cook, "; ".join(recipe.ingredients)])


def csv_line(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


@app.get("/request")
def show_request() -> dict[str, str | None]:
    """The request as the app sees it; behind a proxy, these are the first things to go wrong."""
    return {"url": request.url, "script_root": request.script_root, "remote_addr": request.remote_addr}


@app.get("/burnt")
def burnt() -> str:
    """Always fails, to show the page that visitors get then."""
    raise RuntimeError("The oven was too hot.")


@app.post("/events")
@require_event_source("sqs")
def take_recipes() -> ResponseReturnValue:
    """Recipes that were sent through a queue (SQS); the queue delivers those named in the reply again."""
    failures = []
    for record in request.get_json()["Records"]:
        try:
            recipe: dict[str, Any] = json.loads(record["body"])
            add_recipe(recipe["title"], recipe["ingredients"], recipe.get("steps", ""), recipe.get("cook", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            app.logger.warning("Message %s is of no use: %r", record["messageId"], error)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


@app.errorhandler(HTTPException)
def show_error(error: HTTPException) -> ResponseReturnValue:
    """Every error that has no page of its own, an exception in our code (500) among them."""
    return render_template("error.html", error=error), error.code or 500
