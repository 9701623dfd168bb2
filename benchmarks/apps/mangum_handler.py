"""The FastAPI app behind Mangum, for AWS's Python runtime interface client."""

from __future__ import annotations

from fastapi_app import app
from mangum import Mangum

handler = Mangum(app)
