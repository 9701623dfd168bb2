"""What the inspector of a local run is set to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.local.records.records import MAX_BYTES, MAX_RECORDS

if TYPE_CHECKING:
    from typing import BinaryIO

DEFAULT_PORT = 8001
MAX_KEPT = 100_000
# What a record of a request with small bodies takes, in bytes, twice as much as measured with FastAPI.
_BYTES_PER_RECORD = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectorOptions:
    """The inspector's configuration.

    Attributes:
        has_page: whether there is a page; without it, records have no exchanges with the app.
        port: the port of the page; another one if it is taken.
        keep: how many records are kept.
        record_file: the file that records are appended to, if any.
        masked_headers: further headers with secrets.
    """

    has_page: bool = True
    port: int = DEFAULT_PORT
    keep: int = MAX_RECORDS
    record_file: BinaryIO | None = None
    masked_headers: tuple[str, ...] = ()

    @property
    def max_bytes(self) -> int:
        """Return how many bytes of memory all records may take together."""
        return max(MAX_BYTES, self.keep * _BYTES_PER_RECORD)
