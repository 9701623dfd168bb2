"""What a source does is told from what only looks like it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.doctor.source_calls import Source
from lambda_web_adapter.doctor.source_checks import check_source


def rules_of(text: str) -> list[str]:
    return [finding.rule for finding in check_source(Source("main.py", text.encode()))]


@pytest.mark.parametrize(
    "text",
    [
        "open('data.json')",
        "open('data.json', 'rb')",
        "open('/tmp/x', 'w')",
        "import tempfile\nopen(tempfile.gettempdir() + '/x', 'w')",
        "import os\nopen(os.path.join('/tmp', 'x'), 'w')",
        "from pathlib import Path\nPath('/tmp/a/b').parent.mkdir()",
        "from pathlib import Path\nTMP = Path('/tmp')\n(TMP / 'x').write_text('')",
        "def save(path):\n    open(path, 'w')",
        "import os\nopen(os.environ['LOG'], 'a')",
        "import logging\nlogging.basicConfig(filename='/tmp/log')",
        "if __name__ == '__main__':\n    open('x', 'w')",
        "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(port=5000)",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    open('x', 'w')",
        "import queue, threading\nqueue.Queue()\nthreading.Lock()",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor()",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()\nmultiprocessing.Pipe()",
        "class Pool: ...\nPool()",
        "import uvicorn\ndef main():\n    uvicorn.run('main:app')",
        "import asyncio\nasync def f():\n    asyncio.create_task(g())",
        "import threading\ndef f():\n    threading.Thread(target=print).start()",
        "import sqlite3\nsqlite3.connect(':memory:')\nsqlite3.connect('/tmp/x.db')",
        "import sqlite3\nsqlite3.connect('file:app.db?mode=ro&immutable=1', uri=True)",
        "from sqlalchemy import create_engine\ncreate_engine('sqlite://')\ncreate_engine('postgresql://db/x')",
        "from sqlalchemy import create_engine\ncreate_engine('sqlite:////tmp/x.db')",
        "import requests\nrequests.get('/', timeout=10)",
        "x = x\nopen(x, 'w')",
        "open('/dev/null', 'w')\nopen('/proc/self/oom_score_adj', 'w')",
    ],
)
def test_what_a_function_can_do_is_no_finding(text: str) -> None:
    assert rules_of(text) == []


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("open('x', 'w')", "error"),
        ("def f(x=open('x', 'w')):\n    pass", "error"),
        ("class A:\n    x = open('x', 'w')", "error"),
        ("def f():\n    open('x', 'w')", "warning"),
        ("f = lambda: open('x', 'w')", "warning"),
        ("async def f():\n    with open('x', 'w'):\n        pass", "warning"),
    ],
)
def test_what_runs_at_import_is_worse(text: str, severity: str) -> None:
    (finding,) = check_source(Source("main.py", text.encode()))

    assert (finding.rule, finding.severity) == ("write-outside-tmp", severity)


@pytest.mark.parametrize(
    "path",
    [
        "'logs/x'",
        "f'logs/{x}'",
        "f'{LOGS}/x'",
        "LOGS + '/x'",
        "os.path.join(LOGS, 'x')",
        "Path(LOGS) / 'x'",
        "Path(__file__).resolve().parents[1] / 'x'",
        "os.path.join(os.path.dirname(os.path.abspath(__file__)), 'x')",
        "Path.cwd() / 'x'",
        "str(Path('logs').joinpath('x'))",
        "'/var/task/x'",
        "'/home/app/x'",
        "'/dev/shm/x'",
    ],
)
def test_paths_are_followed_to_their_beginning(path: str) -> None:
    assert rules_of(f"import os\nfrom pathlib import Path\nLOGS = 'logs'\nopen({path}, 'w')") == ["write-outside-tmp"]


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4), st.sampled_from(["/tmp/x", "x", "/srv/x"]))  # noqa: S108  # a path in a source
def test_names_may_lead_to_each_other(names: list[str], start: str) -> None:
    """Also in a circle, which has no beginning."""
    chain = [f"{name} = {following}" for name, following in pairwise(names)]
    text = "\n".join(
        [*chain, f"{names[-1]} = {start!r}" if names[-1] not in names[:-1] else "", f"open({names[0]}, 'w')"]
    )

    assert rules_of(text) in ([], ["write-outside-tmp"])
