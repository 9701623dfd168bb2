"""An S3 bucket on this machine, into which the SAM CLI uploads what it would deploy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Bucket(ThreadingHTTPServer):
    """Takes objects, whole and in parts (Amazon S3 API Reference, "PutObject", "CreateMultipartUpload").

    Attributes:
        objects: the bytes of the objects by key.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[int, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve_bucket() -> Iterator[Bucket]:
    bucket = Bucket()
    thread = threading.Thread(target=bucket.serve_forever)
    thread.start()
    try:
        yield bucket
    finally:
        bucket.shutdown()
        thread.join()
        bucket.server_close()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def do_HEAD(self) -> None:
        self._respond(404)

    def do_PUT(self) -> None:
        data, url = self._body(), urlsplit(self.path)
        if part := parse_qs(url.query).get("partNumber"):
            self.server.parts[int(part[0])] = data
        else:
            self.server.objects[url.path] = data
        self._respond(200)

    def do_POST(self) -> None:
        self._body()
        url = urlsplit(self.path)
        if url.query.startswith("uploads"):
            name, content = "InitiateMultipartUploadResult", "<UploadId>1</UploadId>"
        else:
            parts = self.server.parts
            self.server.objects[url.path] = b"".join(parts[number] for number in sorted(parts))
            parts.clear()
            name, content = "CompleteMultipartUploadResult", "<ETag>x</ETag>"
        self._respond(200, f"<{name}>{content}</{name}>".encode())

    def _respond(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"x"')
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return _decode(data) if "aws-chunked" in self.headers.get("Content-Encoding", "") else data

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the base class has it
        pass


def _decode(data: bytes) -> bytes:
    """Return the content of a body in AWS's own chunks, which have a checksum at the end."""
    content = b""
    while data:
        head, _, data = data.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        content, data = content + data[:size], data[size + 2 :]
    return content
