"""Which coding a client gets, and the libraries behind them, each one alone."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.decoding import CODINGS, STDLIB_ZSTD, decoder

from lambda_web_adapter.http import content_codings

BROWSER = "gzip, deflate, br, zstd"
OPTIONAL = {"_zstd", "compression.zstd", "backports.zstd", "zstandard", "brotli", "brotlicffi"}
Only = Callable[..., None]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Has the libraries looked for anew, and again by whoever comes next."""
    content_codings._coding.cache_clear()
    yield
    content_codings._coding.cache_clear()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Only:
    """Hides the optional libraries but those that are named."""

    def hide(*names: str) -> None:
        for name in OPTIONAL - set(names):
            monkeypatch.setitem(sys.modules, name, None)

    return hide


# What a client accepts


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        # RFC 9110 §12.5.3
        pytest.param("compress, gzip", ["gzip"], id="RFC: two"),
        pytest.param("", [], id="RFC: empty, which is also no header"),
        pytest.param("*", ["zstd", "br", "gzip"], id="RFC: any"),
        pytest.param("compress;q=0.5, gzip;q=1.0", ["gzip"], id="RFC: with weights"),
        pytest.param("gzip;q=1.0, identity; q=0.5, *;q=0", ["gzip"], id="RFC: gzip, else as it is, and no other"),
        # Clients as they are
        pytest.param("gzip, deflate, br, zstd", ["zstd", "br", "gzip"], id="Chrome"),
        pytest.param("gzip, deflate, br", ["br", "gzip"], id="Safari"),
        pytest.param("gzip, deflate", ["gzip"], id="requests"),
        pytest.param("gzip", ["gzip"], id="Go"),
        pytest.param("identity", [], id="wget"),
        pytest.param("deflate", [], id="only what we do not have"),
        # Weights
        pytest.param("br;q=0.5, gzip;q=0.8, zstd;q=0.1", ["gzip", "br", "zstd"], id="the client's order"),
        pytest.param("gzip;q=0.5, br;q=0.5", ["br", "gzip"], id="ours among equals"),
        pytest.param("gzip;q=0.001", ["gzip"], id="the least weight"),
        pytest.param("gzip;q=1.000, br;q=1.", ["br", "gzip"], id="all ways to write 1"),
        pytest.param("gzip;q=0, br;q=0.0, zstd;q=0.000", [], id="all ways to write 0"),
        pytest.param("gzip;Q=0.5, br", ["br", "gzip"], id="a large Q"),
        pytest.param("gzip \t; \tq=0.5 \t,\tbr", ["br", "gzip"], id="white space"),
        # Any other
        pytest.param("*;q=0.5, gzip", ["gzip", "zstd", "br"], id="the others weigh less"),
        pytest.param("*, zstd;q=0", ["br", "gzip"], id="the others but one"),
        pytest.param("gzip, *;q=0", ["gzip"], id="no others"),
        pytest.param("*;q=0", [], id="none, though as it is not either"),
        # As it is
        pytest.param("identity;q=1, gzip;q=0.5", [], id="rather as it is"),
        pytest.param("identity;q=0.5, gzip;q=0.5", ["gzip"], id="as it is, or as well gzip"),
        pytest.param("identity;q=0.5, gzip;q=0.4, br;q=0.6", ["br"], id="as it is between two"),
        pytest.param("identity;q=0, gzip", ["gzip"], id="not as it is"),
        pytest.param("identity;q=0", [], id="not as it is, and nothing else said"),
        pytest.param("identity;q=0.5, *", ["zstd", "br", "gzip"], id="rather any other"),
        # Names
        pytest.param("GZip, BR, ZSTD", ["zstd", "br", "gzip"], id="any case"),
        pytest.param("x-gzip", ["gzip"], id="the old name of gzip"),
        pytest.param("X-GZIP;q=0, *", ["zstd", "br"], id="the old name refused"),
        pytest.param("x-br, gzipped, gzi, brotli", [], id="similar names"),
        # What cannot be read
        pytest.param(",, gzip ,,", ["gzip"], id="empty items"),
        pytest.param("gzip;q=x, br", ["br"], id="no number"),
        pytest.param("gzip;q=2, br;q=-1, zstd;q=1.001", [], id="weights out of range"),
        pytest.param("gzip;q=0.1234, br;q=.5, zstd;q=1e-1", [], id="numbers of another form"),
        pytest.param("gzip;q=\u0660.\u0665", [], id="other digits"),
        pytest.param("gzip;level=1, br", ["br"], id="another parameter"),
        pytest.param("gzip;q=1;q=0.5, br", ["br"], id="two weights"),
        pytest.param("gzip;, br", ["br"], id="no parameter"),
        pytest.param("gzip;q=x, *", ["zstd", "br"], id="not even as one of the others"),
        pytest.param("gzip br", [], id="no comma"),
        pytest.param("gzip, gzip;q=0", [], id="both accepted and refused"),
        pytest.param("gzip;q=0.1, br;q=0.5, gzip", ["br", "gzip"], id="named twice"),
    ],
)
def test_the_client_says_what_it_accepts(accept_encoding: str, expected: list[str]) -> None:
    assert content_codings.accepted_codings(accept_encoding) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param([("accept", "*/*"), ("Accept-Encoding", "gzip, br")], "gzip, br", id="one"),
        pytest.param([("accept-encoding", "gzip"), ("a", "b"), ("ACCEPT-ENCODING", "br")], "gzip, br", id="two"),
    ],
)
def test_the_lines_of_the_header_are_one_list(headers: list[tuple[str, str]], expected: str) -> None:
    assert content_codings.join_accept_encoding(headers) == expected


# Libraries


def available() -> list[str]:
    """The codings that there is a library for, best first."""
    return [coding.name for name in ("zstd", "br", "gzip") if (coding := content_codings.choose_coding(name))]


@pytest.mark.parametrize(
    ("libraries", "expected"),
    [
        pytest.param([], ["gzip"], id="none"),
        pytest.param(["brotli"], ["br", "gzip"], id="brotli"),
        pytest.param(["zstandard"], ["zstd", "gzip"], id="zstandard"),
        pytest.param(["zstandard", "brotli"], ["zstd", "br", "gzip"], id="both"),
    ],
)
def test_a_coding_is_chosen_only_if_there_is_a_library(only: Only, libraries: list[str], expected: list[str]) -> None:
    only(*libraries)

    chosen = content_codings.choose_coding(BROWSER)

    assert chosen
    assert chosen.name == expected[0]
    assert available() == expected


def test_a_client_of_a_coding_without_a_library_gets_none(only: Only) -> None:
    only()

    assert content_codings.choose_coding("br, zstd") is None
    assert content_codings.choose_coding("") is None


@pytest.mark.parametrize("module", [pytest.param(None, id="broken"), pytest.param(object(), id="of another make")])
def test_a_library_that_is_of_no_use_is_passed_over(
    only: Only, monkeypatch: pytest.MonkeyPatch, module: object
) -> None:
    only("zstandard", "brotli")
    monkeypatch.setitem(sys.modules, "zstandard", module)

    assert available() == ["br", "gzip"]


@pytest.mark.parametrize(
    ("coding", "stand_ins"),
    [
        pytest.param("zstd", {"_zstd": STDLIB_ZSTD, "compression.zstd": STDLIB_ZSTD}, id="compression.zstd"),
        pytest.param("zstd", {"backports.zstd": STDLIB_ZSTD}, id="backports.zstd"),
        pytest.param("zstd", {"zstandard": "zstandard"}, id="zstandard"),
        pytest.param("br", {"brotli": "brotli"}, id="brotli"),
        pytest.param("br", {"brotlicffi": "brotli"}, id="brotlicffi"),
        pytest.param("gzip", {}, id="zlib"),
    ],
)
def test_every_library_writes_what_others_can_read(
    only: Only, monkeypatch: pytest.MonkeyPatch, coding: str, stand_ins: dict[str, str]
) -> None:
    """Python 3.14's zstd and its backport have one interface, brotli and brotlicffi too: one stands in for both."""
    modules = {name: importlib.import_module(stand_in) for name, stand_in in stand_ins.items()}
    only()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    chosen = content_codings.choose_coding(coding)
    assert chosen

    read, compressor = decoder(coding), chosen.stream()
    parts = [b"a seed, ", b"", b"a seed, " * 1000, b"\x00\xff"]

    assert chosen.name == coding
    assert decoder(coding)(chosen.whole(b"a seed, " * 1000)) == b"a seed, " * 1000
    assert [read(compressor.feed(part)) for part in parts] == parts
    assert read(compressor.end()) == b""


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_without_parts_is_an_empty_body(coding: str) -> None:
    chosen = content_codings.choose_coding(coding)
    assert chosen

    compressor = chosen.stream()

    assert compressor.feed(b"") == b""
    assert decoder(coding)(compressor.end()) == b""


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_of_many_blocks_is_read_back(coding: str) -> None:
    body = b"".join(b"%d a seed, " % (number * number) for number in range(100_000))
    chosen = content_codings.choose_coding(coding)
    assert chosen
    compressor, read = chosen.stream(), decoder(coding)
    half = len(body) // 2

    assert decoder(coding)(chosen.whole(body)) == body
    assert read(compressor.feed(body[:half])) == body[:half]
    assert read(compressor.feed(body[half:]) + compressor.end()) == body[half:]


@pytest.mark.parametrize("coding", CODINGS)
def test_two_streams_do_not_mix(coding: str) -> None:
    chosen = content_codings.choose_coding(coding)
    assert chosen
    one, other = chosen.stream(), chosen.stream()

    mixed = [(one.feed(b"a"), other.feed(b"b")), (one.feed(b"c"), other.feed(b"d")), (one.end(), other.end())]

    assert decoder(coding)(b"".join(part for part, _ in mixed)) == b"ac"
    assert decoder(coding)(b"".join(part for _, part in mixed)) == b"bd"


def test_a_module_of_the_apps_that_is_called_compression_is_left_alone(
    only: Only, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before Python 3.14 that name is free."""
    (tmp_path / "compression.py").write_text("raise RuntimeError('the adapter has run the app')")
    only("compression.zstd")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("compression", "compression.zstd"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert available() == ["gzip"]


def test_a_library_is_imported_when_it_is_needed() -> None:
    program = """if True:
        import sys
        from lambda_web_adapter.http import compression
        from lambda_web_adapter.http.content_codings import choose_coding
        libraries = {"brotli", "zstandard", "backports.zstd", "compression.zstd"}
        before = libraries & set(sys.modules)
        choose_coding("")
        choose_coding("br")
        print(*sorted(before), "then", *sorted(libraries & set(sys.modules)))
    """
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert found == "then brotli\n"
