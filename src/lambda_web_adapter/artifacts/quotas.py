"""How much Lambda takes of an artifact (AWS Lambda Developer Guide, "Lambda quotas"), in bytes."""

from __future__ import annotations

MAX_UNZIPPED = 250 * 1024**2  # with all layers
MAX_UPLOAD = 50 * 1024**2  # of a zip that is sent with the request
MAX_IMAGE = 10 * 1024**3  # unpacked
