"""Which files restart the environments, and which folders are watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_web_adapter.local.reload.watched_files import WatchedFiles

APP = Path("/home/me/.work/templates/app")  # names above the app's folder do not matter


def has(name: str, *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> bool:
    return WatchedFiles([APP], include, exclude).has(f"{APP}/{name}")


@pytest.mark.parametrize(
    "name",
    [
        *("main.py", "pkg/views.py", "pyproject.toml", "config.yaml", "alembic.ini"),
        *(".env", ".env.local", ".flaskenv", "templates/index.html", "pkg/templates/mail.txt", "card.jinja2"),
        *("locale/de/LC_MESSAGES/django.mo", "native.cpython-314-x86_64-linux-gnu.so"),
    ],
)
def test_what_an_app_reads_once_restarts_it(name: str) -> None:
    assert has(name)


@pytest.mark.parametrize(
    "name", ["static/site.css", "static/site.js", "logo.png", "todos.json", "notes.txt", "README.md"]
)
def test_what_an_app_reads_from_disk_or_writes_does_not(name: str) -> None:
    assert not has(name)


@pytest.mark.parametrize(
    "name",
    [
        *(".main.py.swp", "main.py~", ".#main.py", "#main.py#", "4913", "flycheck_main.py", "main.py___jb_tmp___"),
        *(".goutputstream-X1Y2Z3", "app.db", "app.db-wal", "app.sqlite3", "app.sqlite3-journal", "app.log", "main.pyc"),
        "lambda-web-adapter.start",
    ],
)
def test_editors_files_and_databases_never_do(name: str) -> None:
    assert not has(name)
    assert not has(name, include=("*",))


def test_a_pattern_adds_files() -> None:
    assert has("static/site.css", include=("*.css",))
    assert has("data/cities.json", include=("data/*.json",))
    assert not has("other/cities.json", include=("data/*.json",))


def test_a_pattern_leaves_files_out() -> None:
    assert not has("tests/test_main.py", exclude=("tests/*",))
    assert not has("pkg/tests/unit/test_main.py", exclude=("./tests/*",))
    assert not has("pkg/conftest.py", exclude=("conftest.py",))
    assert has("contests/main.py", exclude=("tests/*",))


def test_folders_of_others_are_not_watched(tmp_path: Path) -> None:
    for name in (".git", ".venv", "__pycache__", "node_modules", "lib/site-packages", "htmlcov", "src/pkg", "tests"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "my-environment").mkdir()
    (tmp_path / "my-environment" / "pyvenv.cfg").touch()

    folders = WatchedFiles([tmp_path], exclude=["tests/"]).folders()

    assert sorted(folders) == [str(tmp_path), *(f"{tmp_path}/{name}" for name in ("lib", "src", "src/pkg"))]


def test_links_are_followed_and_a_folder_is_watched_once(tmp_path: Path) -> None:
    app, package = tmp_path / "app", tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    app.mkdir()
    (app / "package").symlink_to(package)
    (package / "loop").symlink_to(app)

    assert set(WatchedFiles([app, package]).folders()) == {str(app), f"{app}/package", f"{app}/package/inner"}


def test_a_folder_may_itself_have_a_name_that_is_left_out_below(tmp_path: Path) -> None:
    folder = tmp_path / ".config"
    folder.mkdir()

    assert list(WatchedFiles([folder]).folders()) == [str(folder)]
