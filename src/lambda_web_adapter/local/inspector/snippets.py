"""A recorded invocation as something to paste: curl, httpx, the event, a test for pytest."""

from __future__ import annotations

import base64
import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from lambda_web_adapter.local.inspector.originals import is_masked
from lambda_web_adapter.local.inspector.python_source import call
from lambda_web_adapter.local.inspector.snippet_requests import (
    SnippetContext,
    event_of,
    headers_to_send,
    request_arguments,
    request_of,
    variable_of,
)
from lambda_web_adapter.local.invoke_api.invoke_client import INVOKE_PATH
from lambda_web_adapter.local.records.record_models import HttpRequest

if TYPE_CHECKING:
    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.records.record_models import InvocationDetail

SnippetKind = Literal["curl", "httpx", "event", "pytest"]

# Headers that curl adds, unless it is told not to.
_ADDED_BY_CURL = ("accept", "user-agent")
# A longer argument goes through a pipe: Linux takes 128 KB for one (MAX_ARG_STRLEN), in bytes.
_MAX_ARGUMENT = 64 * 1024
# Control characters that a terminal shows as they are meant.
_HARMLESS = "\t\n\r"


class Snippet(BaseModel):
    """A text to paste."""

    text: str
    language: str = Field(description="`shell`, `python` or `json`.")
    filename: str = Field(description="The name of a file for it.")


def context_of(run: InspectedRun, source: str) -> SnippetContext:
    """Return the context of a record, given its event source."""
    urls = [url for each, url in run.listeners if each == source] or [url for _, url in run.listeners]
    parts = urlsplit(urls[0]) if urls else urlsplit(f"http://127.0.0.1:{run.ports[0]}")
    options, app = run.options.gateway, run.options.title
    gateway: dict[str, Any] = {}
    if options and source in ("rest-api", "http-api-v1", "http-api-v2"):
        names = ("stage", "base_path", "custom_domain")
        gateway = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options and source == "rest-api" and options.binary_media_types is not None:
        gateway["binary_media_types"] = list(options.binary_media_types)
    is_name = re.fullmatch(r"[\w./]+(:[\w.]+)?(\(.*\))?", app)
    return SnippetContext(url=f"{parts.scheme}://{parts.netloc}", app=app if is_name else "", gateway=gateway)


def build_snippet(kind: SnippetKind, detail: InvocationDetail, context: SnippetContext) -> Snippet:
    """Return a snippet of a record; masked values become environment variables.

    Raises:
        ReplayError: the record has too little.
    """
    if kind == "event":
        return Snippet(text=_event_text(detail), language="json", filename="event.json")
    if kind == "pytest":
        from lambda_web_adapter.local.inspector.pytest_snippet import build_test  # imports httpx

        text, filename = build_test(detail, context)
        return Snippet(text=text, language="python", filename=filename)
    request = request_of(detail) or _invoke_request(detail)
    if kind == "curl":
        return Snippet(text=_curl(request, context.url), language="shell", filename="request.sh")
    return Snippet(text=_httpx(request, context.url), language="python", filename="request.py")


def _event_text(detail: InvocationDetail) -> str:
    return json.dumps(event_of(detail), indent=2, ensure_ascii=False) + "\n"


def _invoke_request(detail: InvocationDetail) -> HttpRequest:
    """Return the request to the Invoke API with an event."""
    return HttpRequest(
        method="POST", target=INVOKE_PATH, headers=[("content-type", "application/json")], body=detail.event
    )


def _curl(request: HttpRequest, url: str) -> str:
    body = request.body.to_bytes()
    headers = headers_to_send(request, url)
    parts = ["curl --include", *_curl_method(request.method, body), *map(_curl_header, headers)]
    names = {name.lower() for name, _ in headers}
    added = (*_ADDED_BY_CURL, "content-type") if body else _ADDED_BY_CURL
    parts += [f"--header {shlex.quote(f'{name}:')}" for name in added if name not in names]
    if "accept-encoding" in names:
        parts.append("--compressed")
    pipe = ""
    if body and request.method != "HEAD":
        if _is_readable(body) and len(body) <= _MAX_ARGUMENT:
            parts.append(f"--data-raw {shlex.quote(body.decode())}")
        else:
            # `printf` is part of the shell, so that its argument may be longer than that of a program.
            pipe = f"printf %s {base64.b64encode(body).decode()} | base64 --decode |\n"
            parts.append("--data-binary @-")
    parts += ["--path-as-is --globoff", shlex.quote(f"{url}{request.target}")]
    return pipe + " \\\n  ".join(parts) + "\n"


def _curl_method(method: str, body: bytes) -> list[str]:
    if method == "HEAD":  # with --request HEAD, curl would wait for a body
        return ["--head"]
    return [] if method == ("POST" if body else "GET") else [f"--request {shlex.quote(method)}"]


def _curl_header(header: tuple[str, str]) -> str:
    """Return the option for a header; curl has a semicolon after one without a value."""
    name, value = header
    if is_masked(value):
        return f'--header {shlex.quote(f"{name}: ")}"${{{variable_of(name)}:?}}"'
    return f"--header {shlex.quote(f'{name}: {value}' if value else f'{name};')}"


def _is_readable(body: bytes) -> bool:
    """Return whether a body is text that a shell and a terminal take as it is."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in _HARMLESS for char in text)


def _httpx(request: HttpRequest, url: str) -> str:
    arguments = request_arguments(request, url)
    imports = ["import os", ""] if any("os.environ[" in each for each in arguments) else []
    sent = f"response = {call('httpx.request', arguments)}"
    return "\n".join([*imports, "import httpx", "", sent, "print(response.status_code)", "print(response.text)", ""])
