"""Projects whose packages come from the real package index."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"

_DJANGO_SETTINGS = """
SECRET_KEY = "made up"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_project.urls"
WSGI_APPLICATION = "site_project.wsgi.application"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {}
"""
_DJANGO_URLS = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("django"))]
"""
_DJANGO_WSGI = """
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
"""
_DJANGO_MANAGE = """
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_project.settings")
"""
_DATA = """
import pandas
from fastapi import FastAPI
from PIL import Image

app = FastAPI()


@app.get("/")
def home():
    return {"sum": int(pandas.Series([1, 2]).sum()), "size": Image.new("RGB", (2, 2)).size}
"""
_WORKSPACE = {
    "pyproject.toml": '[project]\nname = "whole"\nversion = "1"\nrequires-python = ">=3.11"\n'
    '[tool.uv.workspace]\nmembers = ["library", "api"]\n',
    "library/pyproject.toml": '[project]\nname = "library"\nversion = "1"\nrequires-python = ">=3.11"\n'
    'dependencies = ["itsdangerous"]\n'
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
    "library/src/library/__init__.py": "import itsdangerous\n\nNAME = 'workspace'\n",
    "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\nrequires-python = ">=3.11"\n'
    'dependencies = ["library", "flask"]\n[tool.uv.sources]\nlibrary = { workspace = true }\n',
    "api/main.py": "import library\nfrom flask import Flask\n\napp = Flask(__name__)\n\n\n"
    '@app.get("/")\ndef home():\n    return library.NAME\n',
}


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def _django(folder: Path) -> Path:
    return _write(
        folder,
        {
            "manage.py": _DJANGO_MANAGE,
            "site_project/__init__.py": "",
            "site_project/settings.py": _DJANGO_SETTINGS,
            "site_project/urls.py": _DJANGO_URLS,
            "site_project/wsgi.py": _DJANGO_WSGI,
            "requirements.txt": "django>=5.1\nlambda-web-adapter\n",
        },
    )


def _workspace(folder: Path) -> Path:
    from lambda_web_adapter.packaging.installer import find_uv

    _write(folder, _WORKSPACE)
    subprocess.run([find_uv() or "uv", "lock", "-q"], cwd=folder, check=True)
    return folder / "api"


def _example(name: str) -> Callable[[Path], Path]:
    return lambda folder: Path(shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True))


# Name, what makes the project in a folder, and a part of its response to GET /.
PROJECTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "flask": (_example("flask_app"), "<html"),
    "fastapi": (_example("fastapi_app"), "<title>Seed library"),
    "django": (_django, "django"),
    "data": (
        lambda folder: _write(folder, {"main.py": _DATA, "requirements.txt": "fastapi\npandas\npillow\n"}),
        '"sum":3',
    ),
    "workspace": (_workspace, "workspace"),
}
