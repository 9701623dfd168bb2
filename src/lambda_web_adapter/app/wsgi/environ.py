"""Build the WSGI environ, which describes the client's request and not the adapter's (PEP 3333)."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from lambda_web_adapter.app.client_info import ClientInfo
from lambda_web_adapter.app.wsgi.underscore_headers import warn_once
from lambda_web_adapter.http.name_cache import NameCache

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.app.request_parser import RawRequest

_CONSTANT = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": FileWrapper,
    "wsgi.input_terminated": True,
}
_WITHOUT_PREFIX = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}  # no `HTTP_`


def build_environ(request: RawRequest, *, underscores: bool = False) -> dict[str, Any]:
    """Return the environ of a request.

    Args:
        request: the request.
        underscores: whether to include headers whose names have an underscore.
    """
    keys = _ALL_KEYS if underscores else _KEYS
    client_info = ClientInfo(request.headers, from_adapter=request.from_adapter)
    path, _, query = request.target.partition(b"?")
    environ: dict[str, Any] = {
        **_CONSTANT,
        "REQUEST_METHOD": request.method.decode("latin-1"),
        "SCRIPT_NAME": unquote_to_bytes(client_info.raw_prefix).decode("latin-1") if client_info.raw_prefix else "",
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "REQUEST_URI": (client_info.raw_prefix + request.target).decode("latin-1"),
        "SERVER_NAME": client_info.host,
        "SERVER_PORT": str(client_info.port),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "wsgi.url_scheme": client_info.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
    }
    if client_info.client:
        environ["REMOTE_ADDR"] = client_info.client
    for name, value in request.headers:
        key = keys[name]
        if not key:
            continue
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    if request.body and "CONTENT_LENGTH" not in environ:  # the body was chunked
        environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


def _environ_key(name: bytes) -> str:
    """Return a header's key in the environ."""
    return _WITHOUT_PREFIX.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")


def _unambiguous_key(name: bytes) -> str:
    """Return a header's key in the environ; empty for a name with `_`, since the name with `-` has the same key."""
    if b"_" in name:
        warn_once()
        return ""
    return _environ_key(name)


_KEYS: NameCache[bytes, str] = NameCache(_unambiguous_key)
_ALL_KEYS: NameCache[bytes, str] = NameCache(_environ_key)
