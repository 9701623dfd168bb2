"""What a source does is told from what only looks like it."""

# ruff: noqa: E501, S108  # sources in one line, with paths as Lambda has them

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.doctor.findings import Finding
from lambda_web_adapter.doctor.source_checks import check_source
from lambda_web_adapter.doctor.source_paths import Surroundings
from lambda_web_adapter.doctor.source_walk import read_source

# Healthy sources by what they do; none of them has a finding.
HEALTHY = {
    "reads": "open('data.json')\nopen('data.json', 'rb')\nfrom pathlib import Path\nPath('x').open()\nPath('x').read_text()",
    "/tmp": "open('/tmp/x', 'w')",
    "/tmp by tempfile": "import tempfile\nopen(tempfile.gettempdir() + '/x', 'w')",
    "/tmp by join": "import os\nopen(os.path.join('/tmp', 'x'), 'w')",
    "a folder of /tmp": "from pathlib import Path\nPath('/tmp/a/b').parent.mkdir()",
    "/tmp by a constant": "from pathlib import Path\nTMP = Path('/tmp')\n(TMP / 'x').write_text('')\nTMP.touch()",
    "/tmp by a format": "def f(i):\n    open('/tmp/%s' % i, 'w')\n    open('/tmp/{}'.format(i), 'w')\n    open(f'/tmp/{i}', 'w')",
    "/tmp by a relative path": "open('../../tmp/x', 'w')",
    "devices": "import os\nopen('/dev/null', 'w')\nopen(os.devnull, 'w')\nopen('/proc/self/oom_score_adj', 'w')",
    "EFS": "import os\nos.makedirs('/mnt/data/x', exist_ok=True)\nopen('/mnt/efs/x', 'w')",
    "a URL": "import pandas\npandas.read_csv('x').to_csv('s3://bucket/x.csv')",
    "a parameter": "def save(path):\n    open(path, 'w')",
    "a default": "def save(path='x'):\n    open(path, 'w')",
    "a variable": "import os\nopen(os.environ['LOG'], 'a')\nopen(os.path.join(os.environ.get('D', 'data'), 'x'), 'w')",
    "a variable or a default": "import os\nopen(os.environ.get('LOG') or 'x', 'w')",
    "what % inserts first": "def f(i):\n    open('%s/x' % i, 'w')\n    open('{}/x'.format(i), 'w')\n    open(f'{i}/x', 'w')",
    "a parameter named as a constant": "name = 'x.txt'\ndef f(name):\n    open(name, 'w')",
    "a local name as a constant's": "import tempfile\npath = 'data/x'\ndef f():\n    path = tempfile.mktemp()\n    open(path, 'w')",
    "a name that a loop binds": "path = 'x'\ndef f(paths):\n    for path in paths:\n        open(path, 'w')",
    "a name that is assigned again": "BASE = 'data'\nBASE = '/tmp'\ndef f():\n    open(BASE + '/x', 'w')",
    "a name that is changed by a function": "BASE = 'data'\ndef setup(base):\n    global BASE\n    BASE = base\ndef f():\n    open(BASE + '/x', 'w')",
    "a name that depends": "BASE = 'data'\nif x:\n    BASE = '/tmp'\ndef f():\n    open(BASE + '/x', 'w')",
    "a choice": "import os\nBASE = '/tmp' if os.environ.get('X') else 'data'\ndef f():\n    open(BASE + '/x', 'w')",
    "an attribute that changes": "class A:\n    path = 'x'\n    def __init__(self, path):\n        self.path = path\n    def f(self):\n        open(self.path, 'w')",
    "a field": "class A(BaseSettings):\n    path: str = 'x'\n    def f(self):\n        open(self.path, 'w')",
    "names in a circle": "x = x\nopen(x, 'w')",
    "not on Lambda": "import os\nif not os.environ.get('AWS_LAMBDA_FUNCTION_NAME'):\n    open('app.log', 'a')",
    "not on Lambda, by a name": "import os\nIS_LAMBDA = 'AWS_LAMBDA_FUNCTION_NAME' in os.environ\ndef f():\n    if IS_LAMBDA:\n        return\n    open('x', 'w')",
    "not on Lambda, by else": "import os\nif os.getenv('AWS_LAMBDA_RUNTIME_API') is not None:\n    LOG = '/tmp/log'\nelse:\n    LOG = 'log'\nopen(LOG, 'w')",
    "not on Linux": "import sys\nif sys.platform == 'win32':\n    open('nul', 'w')",
    "an error that is caught": "try:\n    open('app.log', 'a')\nexcept OSError:\n    pass",
    "an error that is caught among others": "try:\n    open('app.log', 'a')\nexcept (ValueError, IOError) as error:\n    print(error)",
    "an error that is suppressed": "from contextlib import suppress\nimport os\nwith suppress(OSError):\n    os.remove('x')",
    "an error that is ignored": "import shutil\nshutil.rmtree('x', ignore_errors=True)",
    "who asks before": "import os\ndef f():\n    if os.access('.', os.W_OK):\n        open('x', 'w')",
    "a script": "def main():\n    open('x', 'w')\nif __name__ == '__main__':\n    main()\n    open('y', 'w')",
    "a script's functions": "def a():\n    open('x', 'w')\ndef main():\n    a()\nif __name__ == '__main__':\n    main()",
    "a command of Click": "import click\n@click.command()\ndef seed():\n    open('x', 'w')",
    "a command of Flask": "from flask import Flask\napp = Flask(__name__)\n@app.cli.command('seed')\ndef seed():\n    open('x', 'w')",
    "a server of a script": "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(port=5000)",
    "types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    open('x', 'w')",
    "after the end": "import sys\nif sys.platform == 'linux':\n    sys.exit(0)\nopen('x', 'w')",
    "a log in /tmp": "import logging\nlogging.basicConfig(filename='/tmp/log')",
    "logging to stdout": "LOGGING = {'handlers': {'a': {'class': 'logging.StreamHandler'}, 'b': {'class': 'logging.FileHandler', 'filename': '/tmp/x'}}}",
    "a zip in memory": "import io, zipfile\nwith zipfile.ZipFile(io.BytesIO(), 'w') as z, z.open('a', 'w') as f:\n    f.write(b'')",
    "other things named alike": "import webbrowser, queue, threading, asyncio\nwebbrowser.open('x', 'w')\nqueue.Queue()\nthreading.Lock()\nasyncio.Lock()",
    "an object that is saved": "def f(form, storage, file):\n    form.save()\n    form.save('commit')\n    storage.save('a/b', file)",
    "a class of its own": "class Pool: ...\nPool()",
    "threads": "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor()",
    "processes": "import multiprocessing\nmultiprocessing.Process(target=print).start()\nmultiprocessing.Pipe()",
    "locks, if there are any": "import multiprocessing\ntry:\n    lock = multiprocessing.Lock()\nexcept OSError:\n    lock = None",
    "a server in a function": "import uvicorn\ndef main():\n    uvicorn.run('main:app')",
    "a server that does not serve yet": "from wsgiref.simple_server import make_server\nserver = make_server('', 8000, None)",
    "a task": "import asyncio\nasync def f():\n    asyncio.create_task(g())",
    "a loop, if there is one": "import asyncio\ntry:\n    loop = asyncio.get_running_loop()\nexcept RuntimeError:\n    loop = None",
    "a thread": "import threading\ndef f():\n    thread = threading.Thread(target=print)\n    thread.start()\n    thread.join()",
    "a task in the lifespan that ends": "import asyncio\nasync def load():\n    pass\nasync def lifespan(app):\n    asyncio.create_task(load())\n    yield",
    "SQLite in memory": "import sqlite3\nsqlite3.connect(':memory:')\nsqlite3.connect('')\nsqlite3.connect('file::memory:?cache=shared', uri=True)",
    "SQLite in memory, by a format": "import sqlite3\ndef f(x):\n    sqlite3.connect('file:memory_%s?mode=memory' % x, uri=True)",
    "SQLite in /tmp": "import sqlite3\nsqlite3.connect('/tmp/x.db')",
    "SQLite to read": "import sqlite3\nsqlite3.connect('file:app.db?mode=ro&immutable=1', uri=True)",
    "SQLAlchemy in memory": "from sqlalchemy import create_engine\ncreate_engine('sqlite://')\ncreate_engine('sqlite:///:memory:')\ncreate_engine('sqlite:///file::memory:?cache=shared&uri=true')",
    "SQLAlchemy elsewhere": "from sqlalchemy import create_engine\ncreate_engine('postgresql://db/x')\ncreate_engine('sqlite:////tmp/x.db')",
    "SQLAlchemy by a variable": "import os\nSQLALCHEMY_DATABASE_URI = os.environ.get('DATABASE_URL', 'sqlite:///app.db')",
    "Django's database by a variable": "import os\nDATABASES = {'default': {'ENGINE': os.environ.get('E', 'x.sqlite3'), 'NAME': 'x'}}",
    "Django's database, changed": "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'x'}}\nDATABASES['default'] = env.db()",
    "timeouts": "import requests, httpx, aiohttp\nrequests.get('/', timeout=10)\nrequests.get('/', timeout=(3, 20))\nhttpx.get('/')\naiohttp.ClientTimeout(total=20)",
    "timeouts that are not seen": "import requests\ndef f(**options):\n    requests.get('/', **options)",
}  # fmt: skip

# Faulty sources by what they do: the rule, and the severity if they are errors.
FAULTY = {
    "a file": ("write-outside-tmp error", "open('x', 'w')"),
    "a default": ("write-outside-tmp error", "def f(x=open('x', 'w')):\n    pass"),
    "a class": ("write-outside-tmp error", "class A:\n    x = open('x', 'w')"),
    "a loop over constants": ("write-outside-tmp error", "import os\nfor name in ('a', 'b'):\n    os.makedirs(name)"),
    "an error of another kind": ("write-outside-tmp error", "try:\n    open('x', 'w')\nexcept FileExistsError:\n    pass"),
    "an error that is raised again": ("write-outside-tmp error", "try:\n    open('x', 'w')\nexcept OSError as e:\n    raise RuntimeError() from e"),
    "on Lambda": ("write-outside-tmp error", "import os\nif os.environ.get('AWS_LAMBDA_FUNCTION_NAME'):\n    open('x', 'w')"),
    "a folder that is not there": ("write-outside-tmp error", "import os\nif not os.path.exists('logs'):\n    os.mkdir('logs')"),
    "another name than __main__": ("write-outside-tmp error", "if __name__ != '__main__':\n    open('x', 'w')"),
    "a function": ("write-outside-tmp", "def f():\n    open('x', 'w')"),
    "a lambda": ("write-outside-tmp", "f = lambda: open('x', 'w')"),
    "a coroutine": ("write-outside-tmp", "async def f():\n    with open('x', 'w'):\n        pass"),
    "a condition": ("write-outside-tmp", "if x:\n    open('x', 'w')"),
    "a condition in an expression": ("write-outside-tmp", "x and open('x', 'w')"),
    "after a condition that may end": ("write-outside-tmp", "import sys\nif x:\n    sys.exit()\nopen('x', 'w')"),
    "what is joined to the unknown": ("write-outside-tmp", "import os\nopen(os.path.join('x', y), 'w')"),
    "a handler that opens late": ("write-outside-tmp", "import logging\nlogging.FileHandler('x', delay=True)"),
    "a script's function that others call": ("write-outside-tmp", "def f():\n    open('x', 'w')\ndef g():\n    f()\nif __name__ == '__main__':\n    f()"),
    "a local path": ("write-outside-tmp", "from pathlib import Path\ndef f():\n    path = Path('out') / 'x'\n    path.write_text('')"),
    "a local name": ("write-outside-tmp", "def f():\n    path = 'out.txt'\n    with open(path, 'w'):\n        pass"),
    "an annotated constant": ("write-outside-tmp", "P: str = 'out.txt'\ndef f():\n    open(P, 'w')"),
    "an attribute": ("write-outside-tmp", "class A:\n    path = 'out'\n    def f(self):\n        open(self.path, 'w')"),
    "an attribute of a class": ("write-outside-tmp", "class A:\n    path = 'out'\ndef f():\n    open(A.path, 'w')"),
    "a copy": ("write-outside-tmp", "import shutil\ndef f():\n    shutil.copy('/tmp/a', 'b')"),
    "aiofiles": ("write-outside-tmp", "import aiofiles\nasync def f():\n    async with aiofiles.open('x', 'w'):\n        pass"),
    "an upload": ("write-outside-tmp", "def f(file):\n    file.save('uploads/' + file.filename)"),
    "a data frame": ("write-outside-tmp", "def f(frame):\n    frame.to_csv('x.csv')"),
    "dictConfig": ("write-outside-tmp error", "import logging.config\nLOG = {'handlers': {'f': {'class': 'logging.FileHandler', 'filename': 'app.log'}}}\nlogging.config.dictConfig(LOG)"),
    "Django's LOGGING": ("write-outside-tmp", "LOGGING = {'handlers': {'f': {'class': 'logging.handlers.RotatingFileHandler', 'filename': 'app.log'}}}"),
    "a lock": ("shared-memory error", "from multiprocessing import Lock\nlock = Lock()"),
    "a star": ("shared-memory", "from multiprocessing import *\ndef f():\n    Pool()"),
    "a context": ("shared-memory", "import multiprocessing\ncontext = multiprocessing.get_context('fork')\ndef f():\n    context.Queue()"),
    "billiard": ("shared-memory", "from billiard import Pool\ndef f():\n    Pool()"),
    "shared memory": ("shared-memory", "from multiprocessing import shared_memory\ndef f():\n    shared_memory.SharedMemory(create=True, size=10)"),
    "a fork": ("fork-server", "import os\nos.fork()"),
    "workers": ("fork-server", "import uvicorn\ndef f():\n    uvicorn.run('main:app', workers=4)"),
    "a server": ("server-at-import error", "import uvicorn\nuvicorn.run('main:app', port=8000)"),
    "a server of Flask": ("server-at-import error", "from flask import Flask\napp = Flask(__name__)\napp.run()"),
    "a server of uvicorn": ("server-at-import error", "import uvicorn\nuvicorn.Server(uvicorn.Config('main:app')).run()"),
    "a server of wsgiref": ("server-at-import error", "from wsgiref.simple_server import make_server\nmake_server('', 8000, None).serve_forever()"),
    "a server on a condition": ("server-at-import", "from flask import Flask\napp = Flask(__name__)\nif x:\n    app.run()"),
    "a thread": ("background-work", "from threading import Thread\nthread = Thread(target=print)\nthread.start()"),
    "a scheduler of Flask": ("background-work", "from flask_apscheduler import APScheduler\nscheduler = APScheduler()\nscheduler.start()"),
    "repeat_every": ("background-work", "from fastapi_utils.tasks import repeat_every\n@repeat_every(seconds=60)\nasync def f():\n    pass"),
    "metrics": ("background-work", "from prometheus_client import start_http_server\nstart_http_server(8000)"),
    "a loop in the lifespan": ("background-work", "import asyncio\nasync def poll():\n    while True:\n        await asyncio.sleep(60)\nasync def lifespan(app):\n    asyncio.create_task(poll())\n    yield"),
    "a thread at startup": ("background-work", "import threading, time\ndef poll():\n    while True:\n        time.sleep(60)\n@app.on_event('startup')\ndef start():\n    threading.Thread(target=poll, daemon=True).start()"),
    "a task": ("task-at-import error", "import asyncio\nasyncio.create_task(f())"),
    "SQLite": ("sqlite-write", "import sqlite3\nsqlite3.connect('data/app.db')"),
    "SQLite of asyncio": ("sqlite-write", "import aiosqlite\nasync def f():\n    await aiosqlite.connect('x.db')"),
    "SQLAlchemy": ("sqlite-write", "from sqlalchemy import create_engine\nURL = 'sqlite:///./test.db'\ncreate_engine(URL)"),
    "SQLAlchemy of asyncio": ("sqlite-write", "from sqlalchemy.ext.asyncio import create_async_engine\ncreate_async_engine('sqlite+aiosqlite:///x.db')"),
    "SQLAlchemy beside the source": ("sqlite-write", "import os\nfrom sqlalchemy import create_engine\nBASE = os.path.dirname(__file__)\ncreate_engine(f'sqlite:///{BASE}/x.db')"),
    "Flask-SQLAlchemy": ("sqlite-write", "app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///app.db'"),
    "Flask-SQLAlchemy in a class": ("sqlite-write", "class Config:\n    SQLALCHEMY_DATABASE_URI = 'sqlite:///app.db'"),
    "Flask-SQLAlchemy by a call": ("sqlite-write", "app.config.update(SQLALCHEMY_DATABASE_URI='sqlite:///app.db')"),
    "Peewee": ("sqlite-write", "from peewee import SqliteDatabase\ndatabase = SqliteDatabase('x.db')"),
    "Tortoise": ("sqlite-write", "from tortoise import Tortoise\nasync def f():\n    await Tortoise.init(db_url='sqlite://db.sqlite3')"),
    "a long timeout": ("long-client-timeout", "import httpx\nhttpx.get('/', timeout=60)"),
    "a long timeout of a session": ("long-client-timeout", "import requests\nsession = requests.Session()\ndef f():\n    session.get('/', timeout=(3, 60))"),
    "a long timeout of a client": ("long-client-timeout", "import httpx\nclient = httpx.Client(timeout=httpx.Timeout(60))"),
    "a long timeout in a with": ("long-client-timeout", "import httpx\nasync def f():\n    async with httpx.AsyncClient() as client:\n        await client.get('/', timeout=60)"),
    "no timeout": ("long-client-timeout", "import requests\ndef f():\n    requests.get('/')\n    requests.get('/')"),
}  # fmt: skip


def findings_of(text: str, surroundings: Surroundings | None = None) -> list[Finding]:
    return list(
        check_source(read_source("main.py", ast.parse(text), surroundings or Surroundings(exists=lambda _: False)))
    )


def names_of(findings: list[Finding]) -> Iterator[str]:
    """Yield the rules of findings, and that they are errors."""
    for finding in findings:
        yield f"{finding.rule}{' error' if finding.severity == 'error' else ''}"


@pytest.mark.parametrize("name", HEALTHY)
def test_what_a_function_can_do_is_no_finding(name: str) -> None:
    assert findings_of(HEALTHY[name]) == []


@pytest.mark.parametrize("name", FAULTY)
def test_what_a_function_cannot_do_is_a_finding(name: str) -> None:
    expected, text = FAULTY[name]

    assert list(names_of(findings_of(text))) == [expected]


def test_what_only_some_starts_import_is_no_error() -> None:
    (finding,) = findings_of("open('x', 'w')", Surroundings(is_started=False))

    assert finding.severity == "warning"


def test_a_folder_that_is_there_needs_not_be_made() -> None:
    text = """\
        import os
        from pathlib import Path
        Path("static").mkdir(exist_ok=True)
        os.makedirs("static", exist_ok=True)
        if not os.path.isdir("static"):
            os.mkdir("static")
    """
    surroundings = Surroundings(exists=lambda path: path == "/var/task/static")

    assert findings_of(dedent(text), surroundings) == []
    assert findings_of("import os\nos.makedirs('other', exist_ok=True)", surroundings) != []


def test_paths_lead_elsewhere_in_another_folder() -> None:
    assert findings_of("open('x', 'w')", Surroundings(changes_folder=True)) == []
    assert findings_of("open('x', 'w')", Surroundings(folder="/tmp")) == []
    assert findings_of("open('/srv/x', 'w')", Surroundings(changes_folder=True)) != []


def test_variables_of_the_function_have_their_values() -> None:
    text = "import os\nopen(os.environ.get('LOGS', 'logs') + '/x', 'w')"

    assert findings_of(text, Surroundings(variables={"LOGS": "/tmp"})) == []
    assert findings_of(text, Surroundings(variables={"LOGS": "/srv"})) != []


@pytest.mark.parametrize(
    "path",
    [
        "'logs/x'",
        "f'logs/{x}'",
        "'logs/%s' % x",
        "'logs/{}'.format(x)",
        "f'{LOGS}/x'",
        "LOGS + '/x'",
        "os.path.join(LOGS, 'x')",
        "Path(LOGS) / 'x'",
        "Path(__file__).resolve().parents[1] / 'x'",
        "Path(__file__).parent / 'data' / 'x'",
        "Path('logs/x').with_suffix('.txt')",
        "os.path.join(os.path.dirname(os.path.abspath(__file__)), 'x')",
        "Path.cwd() / 'x'",
        "str(Path('logs').joinpath('x'))",
        "'/var/task/x'",
        "'/home/app/x'",
        "'/dev/shm/x'",
    ],
)
def test_paths_are_followed_to_their_beginning(path: str) -> None:
    findings = findings_of(f"import os\nfrom pathlib import Path\nLOGS = 'logs'\nopen({path}, 'w')")

    assert [finding.rule for finding in findings] == ["write-outside-tmp"]


def test_long_chains_are_evaluated_once() -> None:
    assert findings_of(f"import a\na{'.b()' * 100}.write_text('')\n{' + '.join(['x'] * 100)}") == []


def test_texts_do_not_grow_without_end() -> None:
    doubled = "x += x\n" * 40

    assert [finding.rule for finding in findings_of(f"x = 'data'\n{doubled}open(x, 'w')")] == ["write-outside-tmp"]


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4), st.sampled_from(["/tmp/x", "x", "/srv/x"]))
def test_names_may_lead_to_each_other(names: list[str], start: str) -> None:
    """Also in a circle, which has no beginning."""
    chain = [f"{name} = {following}" for name, following in pairwise(names)]
    text = "\n".join(
        [*chain, f"{names[-1]} = {start!r}" if names[-1] not in names[:-1] else "", f"open({names[0]}, 'w')"]
    )

    assert [finding.rule for finding in findings_of(text)] in ([], ["write-outside-tmp"])
