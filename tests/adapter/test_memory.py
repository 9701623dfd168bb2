"""Whether freed memory is kept, by what a process of its own has afterwards."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from support.processes import plain_environment

# It frees sixteen megabytes, twice, and says how many of them it has then.
SCRIPT = """
import os
from lambda_web_adapter.adapter import memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

kept = memory.keep_freed_memory()
before = resident()
for _ in range(2):
    held = [b"x" * 4_000_000 for _ in range(4)]
    del held
print(kept, round((resident() - before) / 1_000_000))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has nothing to be set")
@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [
        pytest.param("1769", "True 16", id="enough"),
        pytest.param("128", "False 0", id="little"),
        pytest.param("", "False 0", id="not said"),
        pytest.param("much", "False 0", id="no number"),
    ],
)
def test_memory_is_kept_where_there_is_enough(megabytes: str, expected: str) -> None:
    env = plain_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": megabytes})

    found = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == expected
