"""Packages from the real package index: `make test-package`."""

from __future__ import annotations

import os

# Each test downloads packages, which CI does without.
collect_ignore_glob = [] if os.environ.get("LWA_REGISTRY") else ["test_*.py"]
