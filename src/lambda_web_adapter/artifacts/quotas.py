"""How much Lambda takes of an artifact, in bytes (AWS Lambda Developer Guide, "Lambda quotas")."""

from __future__ import annotations

from lambda_web_adapter.artifacts.sizes import GB, MB

MAX_UNZIPPED = 250 * MB  # with all layers
MAX_UPLOAD = 50 * MB  # of a zip that is sent with the request
MAX_IMAGE = 10 * GB  # unpacked
# The memory size in MB that comes with the time of one vCPU.
ONE_VCPU = 1769
