from config import Config
from flask import Flask


def create_app(config_class: type = Config) -> Flask:
    app = Flask(__name__)
    app.config.from_object(config_class)

    from app.main import bp

    app.register_blueprint(bp)
    return app
