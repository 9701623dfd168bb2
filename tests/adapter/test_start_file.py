"""A start with a start file: an app cannot tell it from one without, and what does not fit is not used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from support.processes import BOOTSTRAP, plain_environment

from lambda_web_adapter.events import SOURCES
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.settings import Settings
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapter.conftest import Start

EVENT = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": {}}
# What an app can see of its modules and of the machinery that found them.
MAIN = """
import importlib, importlib.metadata, importlib.resources, importlib.util, inspect, json, linecache, pkgutil, sys
import traceback

import django.template.engine, flask, jinja2, orjson, pydantic.main
import extended.inner, plain.failing, plain.sub.deep, spaces.part, editable_package.inner

NAMES = [
    "main", "plain", "plain.failing", "plain.sub", "plain.sub.deep", "spaces", "spaces.part", "extended",
    "extended.inner", "editable_package", "editable_package.inner", "django", "django.template.engine", "flask",
    "jinja2", "pydantic", "pydantic.main", "pydantic_core._pydantic_core", "orjson", "json", "json.decoder", "decimal",
    "markupsafe._speedups", "lambda_web_adapter.app.server",
]


def seen(module):
    spec, loader = module.__spec__, module.__loader__
    return [
        repr(module).partition(" object at ")[0],
        getattr(module, "__file__", None), getattr(module, "__cached__", None), module.__package__,
        list(getattr(module, "__path__", [])), type(loader).__name__, sorted(getattr(loader, "__dict__", {})),
        spec.loader is loader, [spec.name, spec.origin, spec.cached, spec.has_location, spec.parent],
        spec.submodule_search_locations and list(spec.submodule_search_locations),
    ]


def failure(function):
    try:
        function()
    except Exception:
        return traceback.format_exc()


def spec_of(name):
    spec = importlib.util.find_spec(name)
    return spec and [spec.name, spec.origin, spec.cached, isinstance(spec.loader, importlib.machinery.SourceFileLoader)]


def reloaded():
    before = plain.sub.deep.value
    plain.sub.deep.value = None
    module = importlib.reload(plain.sub.deep)
    return [before, module.value, module is plain.sub.deep, seen(module)]


def imported_again():
    del sys.modules["plain.sub.deep"]
    return seen(importlib.import_module("plain.sub.deep"))


def report():
    return {
        "modules": {name: seen(sys.modules[name]) for name in NAMES},
        "source": [inspect.getsource(plain.failing), inspect.getsource(django.template.engine.Engine)[:300]],
        "files": [inspect.getfile(plain.failing.fail), linecache.getline(plain.failing.__file__, 2)],
        "traceback": failure(plain.failing.fail),
        "import error": failure(lambda: importlib.import_module("plain.broken")),
        "raised in import": failure(lambda: importlib.import_module("plain.raising")),
        "missing": failure(lambda: importlib.import_module("plain.none")),
        "resource": importlib.resources.files("plain").joinpath("data.txt").read_text(),
        "resource below": importlib.resources.files("plain.sub").joinpath("data.txt").read_text(),
        "data": pkgutil.get_data("plain", "data.txt").decode(),
        "walk": [module.name for module in pkgutil.walk_packages(plain.__path__, "plain.")],
        "specs": [spec_of(name) for name in ("plain.unused", "wsgiref.handlers", "spaces.part", "colorsys")],
        "main code": importlib.util.find_spec("plain.unused").loader.get_code("plain.unused").co_filename,
        "reload": reloaded(),
        "again": imported_again(),
        "versions": [importlib.metadata.version(name) for name in ("django", "pydantic", "flask")],
        "distributions": sorted(importlib.metadata.packages_distributions()),
        "template": jinja2.Environment(loader=jinja2.PackageLoader("plain")).get_template("a.txt").render(),
    }


left = [len(finder.modules) for finder in sys.meta_path if type(finder).__name__ == "StartFinder"]


def app(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps({"report": report(), "left": left}).encode()]
"""
FILES = {
    "main.py": MAIN,
    "plain/__init__.py": "",
    "plain/failing.py": "def fail():\n    raise ValueError('on purpose')\n",
    "plain/broken.py": "import plain.there_is_none\n",
    "plain/raising.py": "def f():\n    raise KeyError('at import')\nf()\n",
    "plain/unused.py": "",
    "plain/data.txt": "data",
    "plain/sub/__init__.py": "from plain import failing",
    "plain/sub/deep.py": "value = 1",
    "plain/sub/data.txt": "more data",
    "plain/templates/a.txt": "{{ 1 + 1 }}",
    "spaces/part.py": "",
    "extended/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
    "extended/inner.py": "",
    "elsewhere/editable_package/__init__.py": "",
    "elsewhere/editable_package/inner.py": "",
    # As setuptools installs a package of a project for development.
    "sitecustomize.py": """
import importlib.util, sys
from pathlib import Path

HERE = Path(__file__).parent / "elsewhere" / "editable_package"

class Editable:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "editable_package":
            return importlib.util.spec_from_file_location(name, HERE / "__init__.py")

sys.meta_path.append(Editable)
""",
}


def compile_start(folder: Path, *arguments: str, umask: int = -1, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BOOTSTRAP, "compile", "--output", folder / "start", *arguments],
        cwd=folder,
        env=plain_environment({"PYTHONPATH": str(folder), **variables}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        umask=umask,
    )


def write(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its start file, for tests that change neither."""
    folder = tmp_path_factory.mktemp("project")
    write(folder)
    completed = compile_start(folder, "main:app")
    assert completed.returncode == 0, completed.stderr
    return folder


def reply(folder: Path, file: Path | str, **variables: str) -> tuple[Any, str]:
    """Start the app; return what it sees of itself, and what was logged."""
    variables |= {"AWS_LWA_START_FILE": str(file), "PYTHONPATH": str(folder)}
    with RuntimeApi() as api, bootstrap(api, "main:app", cwd=folder, **variables) as process:
        return json.loads(api.invoke(EVENT).json["body"]), process.text


def test_an_app_cannot_tell_it_from_a_start_without(compiled: Path) -> None:
    without, _ = reply(compiled, "off")
    with_file, log = reply(compiled, compiled / "start")

    assert with_file["left"]
    assert not without["left"]
    for name, seen in without["report"].pop("modules").items():
        assert with_file["report"]["modules"].pop(name) == seen
    assert with_file["report"] == {**without["report"], "modules": {}}
    assert "start file" not in log


def test_most_modules_come_from_the_file(compiled: Path) -> None:
    """Those of the other process remain, and those that the first request needs."""
    modules = len(start_file.read(str(compiled / "start")).modules)

    assert reply(compiled, compiled / "start", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512")[0]["left"][0] < modules / 4


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whatever is different about the machine, the user, and the order in which files were written."""
    write(tmp_path)
    (tmp_path / "main.py").write_text("import plain.sub.deep, flask\n\napp = flask.Flask(__name__)\n")
    first = compile_start(tmp_path, "main:app")
    assert first.returncode == 0, first.stderr
    data = (tmp_path / "start").read_bytes()
    for name in reversed(FILES):
        text = (tmp_path / name).read_text()
        (tmp_path / name).unlink()
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (0, 0))
    for cache in list(tmp_path.rglob("__pycache__")):
        shutil.rmtree(cache)
    environ = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/nonexistent", "USER": "nobody"}
    compile_start(tmp_path, "main:app", umask=0o077, **environ)

    assert (tmp_path / "start").read_bytes() == data


SMALL = """
import colorsys, inner
try:
    import package.part
except ImportError:  # what a test has put there is none
    pass

def app(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [str(inner.value).encode()]
"""


@pytest.fixture(scope="module")
def small_start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A small project's folder, and its start file."""
    folder = tmp_path_factory.mktemp("small")
    write_small(folder)
    completed = compile_start(folder, "main:app")
    assert completed.returncode == 0, completed.stderr
    return folder, (folder / "start").read_bytes()


@pytest.fixture
def small(small_start: tuple[Path, bytes]) -> Path:
    """A small project with its start file, as new."""
    folder, data = small_start
    shutil.rmtree(folder)
    folder.mkdir()
    write_small(folder)
    (folder / "start").write_bytes(data)
    return folder


def write_small(folder: Path) -> None:
    (folder / "main.py").write_text(SMALL)
    (folder / "inner.py").write_text("value = 1\n")
    (folder / "package").mkdir()
    (folder / "package/__init__.py").write_text("")
    (folder / "package/part.py").write_text("")


def change_source(folder: Path) -> None:
    (folder / "inner.py").write_text("value = 2\n")


def make_package_of_source(folder: Path) -> None:
    (folder / "inner.py").unlink()
    (folder / "inner").mkdir()
    (folder / "inner/__init__.py").write_text("value = 2\n")


def shadow(folder: Path) -> None:
    (folder / "colorsys.py").write_text("TWO_THIRD = 2\n")


def shadow_by_package(folder: Path) -> None:
    """Python prefers a package to a module of the same name in the same folder."""
    (folder / "inner").mkdir()
    (folder / "inner/__init__.py").write_text("value = 2\n")


def shadow_by_extension(folder: Path) -> None:
    (folder / f"package/part{EXTENSION_SUFFIXES[0]}").write_bytes(b"")


def install_package(folder: Path) -> None:
    (folder / "tea-1.0.dist-info").mkdir()


def truncate(folder: Path) -> None:
    change_source(folder)
    (folder / "start").write_bytes((folder / "start").read_bytes()[:-1])


def empty(folder: Path) -> None:
    change_source(folder)
    (folder / "start").write_bytes(b"")


def spoil(folder: Path) -> None:
    change_source(folder)
    (folder / "start").write_bytes(b"?" + (folder / "start").read_bytes()[1:])


def spoil_index(folder: Path) -> None:
    change_source(folder)
    head, interpreter, sizes, rest = (folder / "start").read_bytes().split(b"\n", 3)
    (folder / "start").write_bytes(b"\n".join([head, interpreter, sizes, b"?" + rest[1:]]))


def make_fifo(folder: Path) -> None:
    change_source(folder)
    (folder / "start").unlink()
    os.mkfifo(folder / "start")


def make_folder(folder: Path) -> None:
    change_source(folder)
    (folder / "start").unlink()
    (folder / "start").mkdir()


def make_loop(folder: Path) -> None:
    change_source(folder)
    (folder / "start").unlink()
    (folder / "start").symlink_to("start")


def enlarge(folder: Path) -> None:
    change_source(folder)
    os.truncate(folder / "start", 1 << 40)  # which takes up no room


def of_another_python(folder: Path) -> None:
    change_source(folder)
    data = (folder / "start").read_bytes()
    (folder / "start").write_bytes(data.replace(start_file.interpreter(), start_file.interpreter().swapcase(), 1))


def delete(folder: Path) -> None:
    change_source(folder)
    (folder / "start").unlink()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_source, "inner.py has changed"),
        (make_package_of_source, "inner.py has changed"),
        (shadow, r"colorsys is \S+/small0/colorsys.py, and was \S+"),
        (shadow_by_package, "there is another \\S+/inner"),
        (shadow_by_extension, "there is another \\S+/package/part"),
        (install_package, "the packages installed in .* have changed"),
        (truncate, r"it has \d+ bytes of \d+"),
        (empty, "it is not a start file of this version"),
        (spoil, "it is not a start file of this version"),
        (spoil_index, "it is damaged"),
        (of_another_python, "it was written by another Python: "),
        (delete, "No such file or directory"),
        (make_fifo, "it is not a regular file"),
        (make_folder, "it is not a regular file"),
        (make_loop, "Too many levels of symbolic links"),
        (enlarge, r"it has 1099511627776 bytes of \d+"),
    ],
)
def test_a_file_that_does_not_fit_is_not_used(
    small: Path, api: RuntimeApi, start: Start, change: Callable[[Path], None], reason: str
) -> None:
    change(small)
    expected = "1" if change in (shadow, install_package, shadow_by_extension) else "2"
    process = start("main:app", cwd=small, AWS_LWA_START_FILE=str(small / "start"), PYTHONPATH=str(small))

    assert api.invoke(EVENT).json["body"] == expected
    process.wait_for(rf"\[WARNING\].*The start file \S+ is not used: .*({reason}).*lambda-web-adapter compile")
    assert process.text.count("The start file") == 1


def test_the_app_may_change_the_search_path(small: Path, api: RuntimeApi, start: Start) -> None:
    """A folder that is put before the others, and has what comes from elsewhere, ends the use of the file."""
    vendored = small / "vendored"
    vendored.mkdir()
    (small / "main.py").write_text(
        "import os, sys\nif os.environ.get('VENDORED'): sys.path.insert(0, os.environ['VENDORED'])\n" + SMALL
    )
    assert compile_start(small, "main:app").returncode == 0
    (vendored / "inner.py").write_text("value = 3\n")
    process = start(
        "main:app",
        cwd=small,
        AWS_LWA_START_FILE=str(small / "start"),
        PYTHONPATH=str(small),
        VENDORED=str(vendored),
    )

    assert api.invoke(EVENT).json["body"] == "3"
    process.wait_for(r"\[WARNING\].*The start file is no longer used: inner is \S*vendored/inner.py, and was ")


@pytest.mark.parametrize(
    ("memory", "position"),
    [("512", 0), ("512", 1), ("2048", 1)],
    ids=["before the fork", "in the app", "in one of two processes that import at once"],
)
def test_damaged_code_is_loaded_in_the_usual_way(
    small: Path, api: RuntimeApi, start: Start, memory: str, position: int
) -> None:
    finder = start_file.read(str(small / "start"))
    size = 200_000  # bytes of the first modules, or of the last
    begin = (finder._code_start, (small / "start").stat().st_size - size)[position]
    with (small / "start").open("r+b") as file:
        file.seek(begin)
        file.write(b"\x00" * size)
    variables = {"AWS_LWA_START_FILE": str(small / "start"), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}
    process = start("main:app", cwd=small, PYTHONPATH=str(small), **variables)

    assert api.invoke(EVENT).json["body"] == "1"
    process.wait_for(r"\[WARNING\].*The start file is no longer used: \S+/start is damaged")
    assert process.text.count("no longer used") == 1


@pytest.mark.parametrize(
    ("program", "root"),
    [
        pytest.param("bin/bootstrap", ".", id="in the app's folder"),
        pytest.param("bootstrap", "elsewhere", id="beside the bootstrap"),
    ],
)
def test_a_file_that_is_not_named_is_found(small: Path, program: str, root: str) -> None:
    (small / "start").rename(small / start_file.NAME)
    code = f"import sys; sys.argv[0] = {program!r}; from lambda_web_adapter.ipc import start_file as s"
    code += f"; s.install({{'LAMBDA_TASK_ROOT': {root!r}}})"
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}; print(type(sys.meta_path[-2]).__name__, s.rejection())"],
        cwd=small,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout == "StartFinder \n"


def test_the_variable_is_a_setting() -> None:
    assert Settings.from_environ({start_file.VARIABLE: "/a"}).start_file == "/a"


def test_check_looks_in_the_app_s_folder_first(small: Path) -> None:
    """As a start does; a console script has its own folder in `sys.path` instead."""
    (small / "colorsys").mkdir()
    (small / "colorsys" / "__init__.py").write_text("")
    script = Path(sys.executable).with_name("lambda-web-adapter")
    command: list[str | Path] = [script, "compile", "--output", "start", "--check"]

    completed = subprocess.run(command, cwd=small, env=plain_environment(), capture_output=True, text=True, check=False)

    assert completed.returncode == 1
    assert f"colorsys is {small}/colorsys" in completed.stdout


def test_check_names_what_has_changed(small: Path) -> None:
    assert "is up to date" in compile_start(small, "--check").stdout
    (small / "inner.py").write_text("value = 1 + 2\n")

    completed = compile_start(small, "--check")

    assert completed.returncode == 1
    assert completed.stdout == f"{small / 'inner.py'} has changed\n"


@pytest.mark.parametrize(
    ("project", "code", "message"),
    [
        ('warm = "GET /"', 1, "it takes a list such as"),
        ('warm = ["/"]', 1, "it takes a list such as"),
        ("warm = []", 1, "it takes a list such as"),
        ('warn = ["GET /"]', 2, "has warn, which is no option. Did you mean warm?"),
        ('warm = ["FROB /"]', 1, "The app was not started: no request reached it"),
        ("warm = [", 2, "cannot be read"),
        ('warm = ["GET /fails"]', 1, "responded to GET /fails with 500"),
    ],
)
def test_a_start_that_fails_writes_nothing(tmp_path: Path, project: str, code: int, message: str) -> None:
    (tmp_path / "main.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('500 Oops' if environ['PATH_INFO'] == '/fails' else '200 OK', [])\n    return []\n"
    )
    (tmp_path / "pyproject.toml").write_text(f"[tool.lambda-web-adapter]\n{project}\n")
    completed = compile_start(tmp_path, "main:app")

    assert completed.returncode == code
    assert message in completed.stderr
    assert not (tmp_path / "start").exists()


def test_it_has_all_event_sources(small: Path) -> None:
    modules = start_file.read(str(small / "start")).modules

    assert {f"lambda_web_adapter.events.{name.partition('.')[0]}" for name in SOURCES} <= modules.keys()


def test_requests_of_the_project_are_sent(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "def app(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/late':\n        import late\n"
        "    start_response('200 OK', [])\n    return []\n"
    )
    (tmp_path / "late.py").write_text("")
    assert compile_start(tmp_path, "main:app").returncode == 0
    assert "late" not in start_file.read(str(tmp_path / "start")).modules
    (tmp_path / "pyproject.toml").write_text('[tool.lambda-web-adapter]\nwarm = ["GET /", "GET /late"]\n')
    assert compile_start(tmp_path, "main:app").returncode == 0

    assert "late" in start_file.read(str(tmp_path / "start")).modules


INSTALLED = {
    "installed/__init__.py": "value = 1\n",
    "installed-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: installed\nVersion: 1.0\n",
    "installed-1.0.dist-info/RECORD": "installed/__init__.py,sha256=a,1\ninstalled-1.0.dist-info/RECORD,,\n",
}


@pytest.mark.parametrize(
    ("direct_url", "is_used"),
    [('{"url": "file:///project", "dir_info": {}}', False), (None, True)],
    ids=["from a folder", "from an index"],
)
def test_a_package_of_the_same_version_is_installed_anew(
    tmp_path: Path, api: RuntimeApi, start: Start, direct_url: str | None, is_used: bool
) -> None:
    """Versions of an index do not change (PyPI); those of a project do, as the app's own."""
    write_small(tmp_path)
    for name, text in INSTALLED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    if direct_url:
        (tmp_path / "installed-1.0.dist-info/direct_url.json").write_text(direct_url)
    (tmp_path / "main.py").write_text(SMALL.replace("import colorsys", "import installed as inner, colorsys"))
    (tmp_path / "main.py").write_text((tmp_path / "main.py").read_text().replace("colorsys, inner", "colorsys"))
    assert compile_start(tmp_path, "main:app").returncode == 0
    (tmp_path / "installed/__init__.py").write_text("value = 2\n")
    record = tmp_path / "installed-1.0.dist-info/RECORD"
    record.write_text(record.read_text().replace("sha256=a", "sha256=b"))
    process = start("main:app", cwd=tmp_path, AWS_LWA_START_FILE=str(tmp_path / "start"), PYTHONPATH=str(tmp_path))

    assert api.invoke(EVENT).json["body"] == ("1" if is_used else "2")
    if not is_used:
        process.wait_for(r"is not used: \S+/RECORD has changed")


def test_a_zip_in_the_path_is_an_error(tmp_path: Path) -> None:
    write_small(tmp_path)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as file:
        file.writestr("more.py", "")
    completed = compile_start(tmp_path, "main:app", PYTHONPATH=f"{tmp_path / 'more.zip'}:{tmp_path}")

    assert completed.returncode == 1
    assert f"from folders only, and sys.path has {tmp_path / 'more.zip'}" in completed.stderr


def test_odd_modules_do_not_disturb_the_recording(tmp_path: Path) -> None:
    """Anything may be in `sys.modules`, and in `sys.path`."""
    write_small(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, sys\nsys.modules |= {'odd': object(), 'none': None}\nsys.path.append(pathlib.Path('/'))"
    )
    completed = compile_start(tmp_path, "main:app")

    assert completed.returncode == 0, completed.stderr
    assert "inner" in start_file.read(str(tmp_path / "start")).modules


def test_lazy_imports_stay_lazy(small: Path) -> None:
    completed = compile_start(small, "main:app", PYTHON_LAZY_IMPORTS="all")

    assert completed.returncode == 0, completed.stderr
    modules = start_file.read(str(small / "start")).modules
    assert "inner" in modules
    assert ("colorsys" in modules) is not hasattr(sys, "set_lazy_imports")  # the app does not use it
