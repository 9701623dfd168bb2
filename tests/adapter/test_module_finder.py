"""The finder of a start file beside what apps and their tools do to imports: it finds what Python finds, or nothing.

Each test runs a few lines in a Python whose imports come from a start file, and in one whose imports do not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import bootstrap
from adapter.test_start_file import EVENT, compile_start
from support.processes import plain_environment

from lambda_web_adapter.errors import StartFileRejected
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

# Which modules a start imports.
MAIN = """
import chunk_of.part, colorsys, flask, inner, mimetypes, orjson, wsgiref.handlers, zipapp

def app(environ, start_response):
    start_response("200 OK", [])
    return []
"""
FILES = {
    "main.py": MAIN,
    "inner.py": "value = 'inner'\n",
    "chunk_of/__init__.py": "",
    "chunk_of/part.py": "value = 'part'\n",
    "other/inner.py": "value = 'other'\n",
    "flask/notes.txt": "not a package",  # a folder that only has the name of one
}
INSTALL = """
import sys
from lambda_web_adapter.ipc import start_file

start_file.install({"AWS_LWA_START_FILE": sys.argv[1]})
finder = start_file._finder
served = []
if finder:
    take_code = finder.take_code
    finder.take_code = lambda name: served.append(name) or take_code(name)
"""
# Prints which of the project's modules have come from the file, if it is still used.
NOT_USED = "not used"
REPORT = f"""
modules = {{'chunk_of', 'chunk_of.part', 'flask', 'inner'}} & {{*served}}
print(' '.join(sorted(modules)) if finder and not finder.doubt else {NOT_USED!r})
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    completed = compile_start(folder, "main:app")
    assert completed.returncode == 0, completed.stderr
    return folder


def run(project: Path, code: str, file: Path | str = "start", *options: str, before: str = "", **variables: str) -> str:
    """Return what the code prints; `before` is run before the start file is in use."""
    completed = subprocess.run(
        [sys.executable, *options, "-c", before + INSTALL + code, file],
        cwd=project,
        env=plain_environment({"PYTHONPATH": str(project), **variables}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


FINDER_BEFORE = """
import importlib.util, sys

class Hook:  # as tracers have them
    busy = False
    def find_spec(self, name, path=None, target=None):
        if name != "inner" or self.busy:
            return None
        self.busy = True
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            module.value = "hooked"
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Hook())
"""
PATH_HOOK = """
import importlib.machinery, sys

class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, name):
        return compile("value = 'hooked'", name, "exec") if name == "inner" else super().get_code(name)

sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook(
    (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES), (Loader, [".py"])
))
sys.path_importer_cache.clear()
"""
SEEN = """
import copy, importlib.machinery, importlib.util, pickle
for name in ("inner", "chunk_of.part", "orjson"):
    spec = importlib.util.find_spec(name)
    same = importlib.machinery.SourceFileLoader(name, spec.origin)
    print(
        spec.loader == same, same == spec.loader, hash(spec.loader) == hash(same),
        type(copy.copy(spec.loader)).__name__,
        type(pickle.loads(pickle.dumps(spec.loader))).__name__, spec.loader.is_package(name), spec.loader.name,
        spec.loader.get_filename(name), spec.loader.get_source(name), type(spec.loader.get_resource_reader(name)),
    )
    try:
        spec.loader.get_code("wsgiref.handlers")
    except ImportError as error:
        print(error)
"""
# Name, lines, and what `REPORT` prints after them.
CASES = {
    "a module": ("import inner; print(inner.value, inner.__spec__.loader.__class__)", "inner"),
    "a loader that has not loaded": (SEEN, "chunk_of"),
    "a finder before": (FINDER_BEFORE + "import inner; print(inner.value)", "inner"),
    "a finder between": (
        FINDER_BEFORE + "from importlib.machinery import PathFinder; hook = sys.meta_path.pop(0)\n"
        "sys.meta_path.insert(sys.meta_path.index(PathFinder), hook); import inner; print(inner.value)",
        NOT_USED,
    ),
    "a hook for folders": (PATH_HOOK + "import inner; print(inner.value)", NOT_USED),
    "a folder of a package's name": ("import flask; print(flask.__file__)", "flask"),
    "no strings in the path": (
        "from pathlib import Path; sys.path[:0] = [Path('other'), b'other', None]; import inner; print(inner.value)",
        "inner",
    ),
    "a relative folder": (
        "import os; sys.path[:0] = ['']; import colorsys; os.chdir('other'); import inner; print(inner.value)",
        NOT_USED,
    ),
    "a folder written in another way": (
        "sys.path[:0] = [f'{sys.path[-1]}/../{sys.argv[1]}/..']; import inner; print(inner.value)",
        "inner",
    ),
    "the current folder": ("sys.path.insert(0, '.'); import inner; print(inner.value)", "inner"),
    "a deleted folder": (
        "import os, tempfile; folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder); sys.path[0:1] = []\n"
        "import inner; print(inner.value)",
        "inner",
    ),
    "a file in the path": ("sys.path[:0] = ['start', 'inner.py']; import inner; print(inner.value)", NOT_USED),
    "a reload": ("import importlib, inner; importlib.reload(inner); print(inner.__spec__.loader.__class__)", "inner"),
    "a module that was written": (
        "import importlib; importlib.invalidate_caches(); import inner; print(inner.value)",
        "",
    ),
    "a package with more folders": (
        "import chunk_of; chunk_of.__path__.insert(0, 'other'); import chunk_of.part; print(chunk_of.part.__file__)",
        "chunk_of",
    ),
    "a package without its folder": (
        "import chunk_of; chunk_of.__path__.clear()\n"
        "try: import chunk_of.part\nexcept ImportError as error: print(error)",
        "chunk_of",
    ),
    "runpy": ("import runpy; print(runpy.run_module('inner')['value'])", "inner"),
    "a lazy loader": (
        "import importlib.util as u; spec = u.find_spec('inner'); spec.loader = u.LazyLoader(spec.loader)\n"
        "module = u.module_from_spec(spec); sys.modules['inner'] = module; spec.loader.exec_module(module)\n"
        "print(module.value, module.__loader__.__class__, module.__spec__.loader.__class__)",
        "inner",
    ),
    "threads": (
        "from threading import Thread; names = ['inner', 'chunk_of.part', 'mimetypes', 'wsgiref.handlers', 'zipapp']\n"
        "threads = [Thread(target=__import__, args=(name,)) for name in names * 4]\n"
        "for each in threads: each.start()\nfor each in threads: each.join()\n"
        "print([sys.modules[name].__spec__.origin for name in names])",
        "chunk_of chunk_of.part inner",
    ),
    "two threads that load the same": (  # the second has begun before the first is done
        "import importlib.util; loader = importlib.util.find_spec('inner').loader; get_code = type(loader).get_code\n"
        "print([get_code(loader, 'inner').co_filename for _ in range(2)])",
        "inner",
    ),
    "a process of its own": (
        "import multiprocessing, inner; pool = multiprocessing.get_context('spawn').Pool(1)\n"
        "print(pool.apply(eval, ('__import__(\"inner\").value',))); pool.terminate()",
        "inner",
    ),
    "closed descriptors": ("import os; os.closerange(3, 100); import inner, flask; print(inner.value)", "flask inner"),
    "another folder": ("import os; os.chdir('/'); import inner; print(inner.value)", "inner"),
}


@pytest.mark.parametrize(("code", "from_file"), CASES.values(), ids=CASES)
def test_imports_find_what_they_find_without_it(project: Path, code: str, from_file: str) -> None:
    without = run(project, code, "off")
    printed = run(project, code + REPORT)

    assert printed == f"{without}{from_file}\n"


NO_PATH_FINDER = (
    "import sys, lambda_web_adapter.ipc.module_finder, lambda_web_adapter.ipc.start_file; sys.meta_path.pop()"
)


@pytest.mark.parametrize(
    ("before", "from_file"),
    [(FINDER_BEFORE, "inner"), (PATH_HOOK, NOT_USED), (NO_PATH_FINDER, NOT_USED)],
    ids=["a finder", "a hook for folders", "no finder for folders"],
)
def test_what_was_there_before_remains_first(project: Path, before: str, from_file: str) -> None:
    code = "\ntry: import inner; print(inner.value)\nexcept ImportError as error: print(error)\n"
    without = run(project, code, "off", before=before)
    printed = run(project, code + REPORT + "print(start_file.rejection())", before=before)

    assert printed.startswith(f"{without}{from_file}\n")
    assert ("something else than Python's own finder" in printed) == (from_file == NOT_USED)


@pytest.mark.parametrize(
    ("options", "variables"),
    [(["-O"], {}), ([], {"PYTHONPYCACHEPREFIX": "cache"})],
    ids=["optimized", "bytecode elsewhere"],
)
def test_a_python_with_other_bytecode_does_not_use_it(
    project: Path, options: list[str], variables: dict[str, str]
) -> None:
    assert "was written by another Python" in run(
        project, "print(start_file.rejection())", "start", *options, **variables
    )


def test_no_byte_can_be_changed_unnoticed(project: Path, tmp_path: Path) -> None:
    """What is noticed is never taken for code, which might crash Python."""
    data = (project / "start").read_bytes()
    file = tmp_path / "start"
    chosen = Random(15)  # noqa: S311  # the same positions each time
    positions = [*range(0, 600, 3), *(chosen.randrange(len(data)) for _ in range(300))]
    for position in positions:
        changed = bytearray(data)
        changed[position] ^= 1 << chosen.randrange(8)
        file.write_bytes(changed)
        try:
            finder = start_file.read(str(file))
            for number, (offset, size, _, _) in enumerate(finder._index["groups"]):
                if 0 <= position - finder._code_start - offset < size:
                    finder.load_group(number)
        except StartFileRejected:
            continue
        pytest.fail(f"The change of byte {position} was not noticed.")


def test_a_file_that_is_replaced_meanwhile(project: Path, tmp_path: Path) -> None:
    data = (project / "start").read_bytes()
    (tmp_path / "start").write_bytes(data)
    code = "open(sys.argv[1], 'w').close(); import inner; print(inner.value, finder.doubt)"

    assert run(project, code, tmp_path / "start") == f"inner {tmp_path / 'start'} is damaged\n"


def test_reading_leaves_no_descriptor(project: Path) -> None:
    before = os.listdir("/dev/fd")
    finder = start_file.read(str(project / "start"))
    finder.load_group(0)

    assert len(os.listdir("/dev/fd")) == len(before)


STARTED = """
import json, os, sys, chunk_of.part

finders = [finder for finder in sys.meta_path if type(finder).__name__ == "StartFinder"]

def app(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os._exit(3)
    start_response("200 OK", [])
    left = ["chunk_of.part" in finder.modules for finder in finders]
    return [json.dumps([chunk_of.part.value, left]).encode()]
"""
AS_FROM_THE_FILE = ["part", [False]]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("started")
    (folder / "chunk_of").mkdir()
    (folder / "chunk_of/__init__.py").write_text("")
    (folder / "chunk_of/part.py").write_text(FILES["chunk_of/part.py"])
    (folder / "main.py").write_text(STARTED)
    completed = compile_start(folder, "main:app")
    assert completed.returncode == 0, completed.stderr
    return folder


def test_an_app_that_is_started_again_uses_it(started: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=started, AWS_LWA_START_FILE=str(started / "start"))
    seen = [json.loads(api.invoke(EVENT).json["body"])]
    assert api.invoke({**EVENT, "path": "/die"}).json["statusCode"] == 502
    seen.append(json.loads(api.invoke(EVENT).json["body"]))

    assert seen == [AS_FROM_THE_FILE] * 2


def test_several_app_processes_use_it(started: Path) -> None:
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "4", "AWS_LWA_WORKERS": "2"}
    variables["AWS_LWA_START_FILE"] = str(started / "start")
    with RuntimeApi(concurrent=True) as api, bootstrap(api, "main:app", cwd=started, **variables) as process:
        requests = [api.queue_event(EVENT) for _ in range(8)]
        seen = [json.loads(api.wait_for_reply(request).json["body"]) for request in requests]

    assert seen == [AS_FROM_THE_FILE] * 8
    assert "start file" not in process.text


def test_it_does_not_depend_on_who_reads_it_and_where(started: Path) -> None:
    """A symbolic link is another name of the file; one to the project is another project, whose paths differ."""
    (started.parent / "other-name").symlink_to(started / "start")
    (started.parent / "other-project").symlink_to(started)
    code = "import chunk_of.part; print(chunk_of.part.__file__, finder and finder.doubt, start_file.rejection())"

    assert run(started, code, started.parent / "other-name").split()[0] == str(started / "chunk_of/part.py")
    elsewhere = started.parent / "other-project"
    printed = run(elsewhere, code, "start", "-P")  # else Python adds the folder under its own name
    assert printed.split()[0] == str(elsewhere / "chunk_of/part.py")
    assert f"chunk_of is {elsewhere}/chunk_of, and was {started}/chunk_of." in printed
