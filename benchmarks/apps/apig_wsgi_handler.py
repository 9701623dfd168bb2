"""The Flask app behind apig-wsgi, for AWS's Python runtime interface client."""

from __future__ import annotations

from apig_wsgi import make_lambda_handler
from flask_app import app

handler = make_lambda_handler(app, binary_support=True)
