"""These tests need what `make test-doctor` installs: the SAM CLI, Serverless, Zappa and uv."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("LWA_DOCTOR_TOOLS") else ["test_*.py"]
