from typing import Any

from flask import Flask


def create_app(test_config: dict[str, Any] | None = None) -> Flask:
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(test_config or {})

    from . import blog

    app.register_blueprint(blog.bp)
    return app
