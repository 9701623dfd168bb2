"""Sizes as people read them, in the units of Lambda's quotas."""

from __future__ import annotations

import pytest

from lambda_web_adapter.artifacts.quotas import MAX_IMAGE, MAX_UNZIPPED
from lambda_web_adapter.artifacts.sizes import KB, MB, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.0 kB"),
        (400, "0.4 kB"),
        (12 * KB, "12.0 kB"),
        (MB // 2, "0.5 MB"),
        (48_339_353, "46.1 MB"),
        (MAX_UNZIPPED, "250 MB"),
        (MAX_UNZIPPED + 300_000, "250.3 MB"),
        (MAX_IMAGE, "10 GB"),
        (MAX_IMAGE + 200 * MB, "10.2 GB"),
    ],
)
def test_a_size_has_the_unit_of_the_quotas(size: int, text: str) -> None:
    assert size_text(size) == text
