"""The example of docs/testing.md works as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from support.processes import PROJECT, plain_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_test_passes(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "testing.md").read_text()
    main, test = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]
    (tmp_path / "main.py").write_text(main)
    (tmp_path / "test_main.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_main.py"]

    run = subprocess.run(command, cwd=tmp_path, env=plain_environment(), capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
