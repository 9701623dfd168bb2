from flask import Flask

from shop import public


def create_app(config_object: str = "shop.settings") -> Flask:
    app = Flask(__name__.split(".")[0])
    app.config.from_object(config_object)
    app.register_blueprint(public.blueprint)
    return app
