from flask import Flask


def create_app(config_name: str) -> Flask:
    app = Flask(__name__)
    app.get("/")(lambda: f"flask_wsgi_file {config_name}")
    return app
