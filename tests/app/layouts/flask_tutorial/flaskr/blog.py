from flask import Blueprint

bp = Blueprint("blog", __name__)


@bp.get("/")
def index() -> str:
    return "flask_tutorial"
