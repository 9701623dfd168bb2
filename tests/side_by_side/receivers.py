"""What tracers send to, on free ports: an OpenTelemetry collector, Datadog's agent and X-Ray's daemon."""

from __future__ import annotations

import json
import socket
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

import msgpack
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support.processes import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self


class Receiver:
    """Collects spans, as dicts, from a thread until it is closed."""

    def __init__(self) -> None:
        """Begins with nothing."""
        self._changed = Condition()
        self._spans: deque[dict[str, Any]] = deque()
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        raise NotImplementedError

    def _stop(self) -> None:
        raise NotImplementedError

    def _take(self, spans: Iterator[dict[str, Any]]) -> None:
        found = list(spans)
        with self._changed:
            self._spans.extend(found)
            self._changed.notify_all()

    @property
    def spans(self) -> list[dict[str, Any]]:
        with self._changed:
            return list(self._spans)

    def wait_for(self, matches: Callable[[dict[str, Any]], object], number: int = 1) -> list[dict[str, Any]]:
        """Waits for so many spans of a kind, and returns all of that kind."""

        def found() -> list[dict[str, Any]]:
            return [span for span in self._spans if matches(span)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= number, SECONDS), f"only these came: {self._spans}"
            return found()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._thread.join()


class _HttpReceiver(Receiver):
    def __init__(self) -> None:
        received = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"{}")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received._take(received._read(self.path, body))
                self._answer(b"" if "protobuf" in self.headers["Content-Type"] else b"{}")

            def do_PUT(self) -> None:
                self.do_POST()

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", self.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
                """Leaves the test's output as it is."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        super().__init__()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def _stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _read(self, path: str, body: bytes) -> Iterator[dict[str, Any]]:
        raise NotImplementedError


class Collector(_HttpReceiver):
    """An OpenTelemetry collector with OTLP over HTTP; ids are in hexadecimal."""

    def _read(self, path: str, body: bytes) -> Iterator[dict[str, Any]]:
        if path != "/v1/traces":
            return
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            said = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    yield {
                        "service": said["service.name"],
                        "name": span.name,
                        "server": span.kind == span.SPAN_KIND_SERVER,
                        "trace_id": span.trace_id.hex(),
                        "parent_id": span.parent_span_id.hex(),
                    }


class Agent(_HttpReceiver):
    """Datadog's agent, which says of itself that it is an old one; spans as its API has them."""

    def _read(self, path: str, body: bytes) -> Iterator[dict[str, Any]]:
        if path == "/v0.4/traces":
            for trace in msgpack.unpackb(body):
                yield from trace
        elif path == "/v0.5/traces":  # names and other strings stand in a table
            texts, traces = msgpack.unpackb(body, strict_map_key=False)
            for trace in traces:
                for service, name, resource, trace_id, span_id, parent_id, *_ in trace:
                    yield {
                        "service": texts[service],
                        "name": texts[name],
                        "resource": texts[resource],
                        "trace_id": trace_id,
                        "span_id": span_id,
                        "parent_id": parent_id,
                    }


class Daemon(Receiver):
    """X-Ray's daemon: a UDP socket that segments and subsegments are sent to, as they are."""

    def __init__(self) -> None:
        """Takes a free port."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)  # a burst is not to be lost
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"
        super().__init__()

    def _serve(self) -> None:
        while message := self._socket.recv(65536):
            _, _, segment = message.partition(b"\n")
            self._take(iter([json.loads(segment)]))

    def _stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()
