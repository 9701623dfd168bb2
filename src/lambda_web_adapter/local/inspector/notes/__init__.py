"""What gateway and adapter have added, dropped and re-coded on the way from the client to the app and back."""

from __future__ import annotations

from lambda_web_adapter.local.inspector.notes.note import Note
from lambda_web_adapter.local.inspector.notes.steps import explain

__all__ = ["Note", "explain"]
