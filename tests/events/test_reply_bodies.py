"""How a body travels in a reply: as text where that is lossless, as base64 otherwise, for every source alike."""

import pytest
from fixtures.loading import CLIENT_FOLDERS

from events.replies import Headers, reply_of, response

EVERY_FOLDER = [pytest.param(folder, id=folder) for folder in [*CLIENT_FOLDERS, "websocket"]]
PNG = b"\x89PNG\r\n\x1a\n"


def typed(media_type: str) -> Headers:
    return [(b"content-type", media_type.encode())]


@pytest.mark.parametrize("folder", EVERY_FOLDER)
@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        pytest.param(typed("text/plain"), b"good morning", "good morning", id="text without a charset"),
        pytest.param(typed("text/plain; charset=utf-8"), "Möhre 🥕".encode(), "Möhre 🥕", id="text with a charset"),
        pytest.param(typed("text/html;charset=ISO-8859-1"), b"plain", "plain", id="ASCII under a foreign charset"),
        pytest.param(typed("application/json"), b'{"a":"b"}\n', '{"a":"b"}\n', id="JSON"),
        pytest.param(typed("APPLICATION/JSON"), b"{}", "{}", id="an upper-case media type"),
        pytest.param(typed("application/problem+json"), b"{}", "{}", id="a suffix"),
        pytest.param(typed("application/x-ndjson"), b"{}\n{}\n", "{}\n{}\n", id="lines of JSON"),
        pytest.param(typed("application/x-www-form-urlencoded"), b"a=b", "a=b", id="a form"),
        pytest.param(typed("image/svg+xml"), b"<svg/>", "<svg/>", id="SVG"),
        pytest.param(typed("IMAGE/SVG+XML; charset=utf-8"), b"<svg/>", "<svg/>", id="SVG in upper case"),
        pytest.param([], b"good morning", "good morning", id="text of no type"),
        pytest.param([], b"\xef\xbb\xbfname", "\ufeffname", id="a byte order mark"),
        pytest.param(typed("text/csv"), b"\xef\xbb\xbfname\r\n", "\ufeffname\r\n", id="a byte order mark in a CSV"),
        pytest.param([], b"a\tb\r\nc", "a\tb\r\nc", id="tab and line breaks of no type"),
        pytest.param(typed("text/plain"), b"a\x00\x1b[0m", "a\x00\x1b[0m", id="control characters in text"),
        pytest.param([(b"content-encoding", b"identity")], b"same", "same", id="identity coding"),
        pytest.param([(b"Content-Encoding", b" Identity ")], b"same", "same", id="identity coding in capitals"),
        pytest.param([(b"content-encoding", b"")], b"same", "same", id="an empty coding"),
        pytest.param([], "\u2028\u0085\x7f".encode(), "\u2028\u0085\x7f", id="what Unicode calls a line break"),
    ],
)
def test_a_lossless_text_travels_as_text(folder: str, headers: Headers, body: bytes, text: str) -> None:
    reply = reply_of(folder, response(headers=headers, body=body))

    assert (reply["body"], reply["isBase64Encoded"]) == (text, False)


@pytest.mark.parametrize("folder", EVERY_FOLDER)
@pytest.mark.parametrize(
    ("headers", "body", "base64"),
    [
        pytest.param(typed("image/png"), PNG, "iVBORw0KGgo=", id="an image"),
        pytest.param(typed("Image/PNG"), PNG, "iVBORw0KGgo=", id="an image in upper case"),
        pytest.param(typed("image/png"), b"ascii", "YXNjaWk=", id="an image that could be text"),
        pytest.param(typed("application/octet-stream"), b"ascii", "YXNjaWk=", id="octets that could be text"),
        pytest.param(typed("application/pdf; x=y"), b"%PDF-1.7", "JVBERi0xLjc=", id="a PDF with a parameter"),
        pytest.param(typed("application/zip"), b"PK", "UEs=", id="an archive"),
        pytest.param(typed("font/woff2"), b"wOF2", "d09GMg==", id="a font"),
        pytest.param(typed("audio/ogg"), b"OggS", "T2dnUw==", id="sound"),
        pytest.param(typed("video/mp4"), b"ftyp", "ZnR5cA==", id="film"),
        pytest.param(typed("application/wasm"), b"\x00asm", "AGFzbQ==", id="WebAssembly"),
        pytest.param(typed("application/x-protobuf"), b"\n\x03abc", "CgNhYmM=", id="protocol buffers"),
        pytest.param(typed("application/grpc+proto"), b"abc", "YWJj", id="gRPC"),
        pytest.param(typed("application/vnd.msgpack"), b"abc", "YWJj", id="MessagePack"),
        pytest.param(
            typed("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), b"PK", "UEs=", id="a sheet"
        ),
        pytest.param(typed("text/plain"), b"M\xf6hre", "TfZocmU=", id="latin-1 that is called text"),
        pytest.param(typed("text/plain; charset=iso-8859-1"), b"M\xf6hre", "TfZocmU=", id="latin-1 that says so"),
        pytest.param(typed("application/json"), b'"\xff"', "Iv8i", id="JSON that is not UTF-8"),
        pytest.param(typed("text/plain"), b"\xed\xa0\x80", "7aCA", id="an encoded surrogate"),
        pytest.param(typed("text/plain"), b"\xc0\x80", "wIA=", id="an overlong NUL"),
        pytest.param([], b"\x00\x01\x02", "AAEC", id="control characters of no type"),
        pytest.param(typed("application/x-unknown"), b"a\x00b", "YQBi", id="control characters of an unknown type"),
        pytest.param([], b"\x89PNG", "iVBORw==", id="bytes of no type"),
        pytest.param(
            [*typed("text/plain"), (b"content-encoding", b"gzip")], b"\x1f\x8b\x08", "H4sI", id="compressed text"
        ),
        pytest.param([(b"Content-Encoding", b"BR")], b"ascii", "YXNjaWk=", id="compressed, and text by chance"),
        pytest.param([(b"content-encoding", b"identity, gzip")], b"ascii", "YXNjaWk=", id="two codings in a line"),
    ],
)
def test_anything_else_travels_as_base64(folder: str, headers: Headers, body: bytes, base64: str) -> None:
    reply = reply_of(folder, response(headers=headers, body=body))

    assert (reply["body"], reply["isBase64Encoded"]) == (base64, True)


@pytest.mark.parametrize("folder", EVERY_FOLDER)
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(200, typed("text/plain"), id="text"),
        pytest.param(200, typed("image/png"), id="an image"),
        pytest.param(200, [(b"content-encoding", b"gzip")], id="compressed"),
        pytest.param(204, [], id="204"),
        pytest.param(304, [(b"etag", b'"1"')], id="304"),
    ],
)
def test_an_empty_body_is_empty_text(folder: str, status: int, headers: Headers) -> None:
    reply = reply_of(folder, response(status, headers))

    assert (reply["statusCode"], reply["body"], reply["isBase64Encoded"]) == (status, "", False)
