from flask import Blueprint, current_app

bp = Blueprint("main", __name__)


@bp.get("/")
def index() -> str:
    return str(current_app.config["TEXT"])
