"""The certificate of a local run over TLS, with real TLS clients that verify it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from support.processes import SECONDS

from lambda_web_adapter.local.option_error import OptionError
from lambda_web_adapter.local.tls import Certificate, cache_folder, made_certificate, own_certificate


@pytest.fixture
def made(tmp_path: Path) -> Certificate:
    return made_certificate(tmp_path / "tls")


def handshake(certificate: Certificate, name: str, trusted: Path) -> str | None:
    """Connects to a server with the certificate as a client that trusts a file and expects a name."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            certificate.server_context().wrap_socket(connection, server_side=True).close()
        except (ssl.SSLError, ConnectionError):  # the client has refused
            connection.close()

    server = Thread(target=serve)
    server.start()
    try:
        context = ssl.create_default_context(cafile=trusted)
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does
        with (
            socket.create_connection(listener.getsockname(), SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=name) as client,
        ):
            return client.version()
    finally:
        server.join(SECONDS)
        listener.close()


def remake_with_days(certificate: Certificate, days: int) -> bytes:
    """Puts a certificate in place that is valid for some days only, with the key that there is."""
    arguments = ["-x509", "-key", str(certificate.key), "-days", str(days), "-subj", "/CN=localhost"]
    subprocess.run(["openssl", "req", *arguments, "-out", str(certificate.cert)], check=True, capture_output=True)
    return certificate.cert.read_bytes()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_certificate_connects_by_each_local_name(made: Certificate, name: str) -> None:
    assert handshake(made, name, made.cert) == "TLSv1.3"


def test_it_is_valid_for_no_other_name(made: Certificate) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"example\.com"):
        handshake(made, "example.com", made.cert)


def test_it_is_no_authority(made: Certificate, tmp_path: Path) -> None:
    """Whoever trusts it trusts no certificate that was signed with its key."""
    signed, request = Certificate(cert=tmp_path / "cert.pem", key=tmp_path / "key.pem"), tmp_path / "request.pem"
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(signed.key), "-subj", "/CN=localhost"]
    extension = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", "req", *key, *extension, "-out", str(request)], check=True, capture_output=True)
    signer = ["-CA", str(made.cert), "-CAkey", str(made.key), "-CAcreateserial", "-copy_extensions", "copy"]
    command = ["openssl", "x509", "-req", "-in", str(request), *signer, "-out", str(signed.cert)]
    subprocess.run(command, check=True, capture_output=True)

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(signed, "localhost", made.cert)


def test_only_its_user_can_read_the_key(made: Certificate) -> None:
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.key.parent.stat().st_mode) == 0o700


def test_it_is_made_once(made: Certificate) -> None:
    before = made.cert.read_bytes(), made.key.read_bytes()

    assert made_certificate(made.cert.parent) == made
    assert (made.cert.read_bytes(), made.key.read_bytes()) == before


@pytest.mark.parametrize(("days", "is_kept"), [(29, False), (31, True)])
def test_it_is_renewed_a_month_before_its_end(made: Certificate, days: int, is_kept: bool) -> None:
    before = remake_with_days(made, days)

    made_certificate(made.cert.parent)

    assert (made.cert.read_bytes() == before) is is_kept


@pytest.mark.parametrize("damage", ["no key", "another key", "no certificate", "half a certificate"])
def test_a_damaged_pair_is_replaced(made: Certificate, tmp_path: Path, damage: str) -> None:
    if damage == "no key":
        made.key.unlink()
    elif damage == "another key":
        shutil.copy(made_certificate(tmp_path / "other").key, made.key)
    elif damage == "no certificate":
        made.cert.unlink()
    else:
        made.cert.write_text("-----BEGIN CERTIFICATE-----\n")

    assert handshake(made_certificate(made.cert.parent), "localhost", made.cert) == "TLSv1.3"


def test_runs_that_begin_together_have_one_certificate(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        contents = set(pool.map(lambda _: made_certificate(tmp_path).cert.read_bytes(), range(4)))

    assert len(contents) == 1
    assert sorted(os.listdir(tmp_path)) == ["localhost-key.pem", "localhost.pem", "lock"]


def test_without_openssl_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(OptionError, match=r"^--tls needs the program openssl .* with --tls-cert and --tls-key\.$"):
        made_certificate(tmp_path / "tls")


def test_an_openssl_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "openssl"
    program.write_text("#!/bin/sh\necho first >&2\necho no entropy >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(OptionError, match=r"^openssl could not make a certificate: no entropy\. Install OpenSSL"):
        made_certificate(tmp_path / "tls")
    assert os.listdir(tmp_path / "tls") == ["lock"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OptionError, match=r"^The certificate cannot be kept in .*/file/tls: Not a directory\."):
        made_certificate(tmp_path / "file" / "tls")


def test_a_certificate_of_ones_own_is_used(made: Certificate) -> None:
    assert own_certificate(str(made.cert), str(made.key)) == made
    assert own_certificate(None, None) is None


def test_half_a_pair_is_explained(made: Certificate) -> None:
    with pytest.raises(OptionError, match=r"^--tls-key is missing: --tls-cert needs it"):
        own_certificate(str(made.cert), None)
    with pytest.raises(OptionError, match=r"^--tls-cert is missing: --tls-key needs it"):
        own_certificate(None, str(made.key))


def test_files_that_do_not_fit_are_explained(made: Certificate, tmp_path: Path) -> None:
    other = made_certificate(tmp_path / "other")

    with pytest.raises(OptionError, match=r"are not a certificate and its key as PEM files: .*KEY_VALUES_MISMATCH"):
        own_certificate(str(made.cert), str(other.key))
    with pytest.raises(OptionError, match=r"^--tls-cert names .*missing\.pem, which cannot be read: No such file"):
        own_certificate(str(tmp_path / "missing.pem"), str(made.key))


def test_a_key_with_a_passphrase_is_explained(made: Certificate, tmp_path: Path) -> None:
    secret = tmp_path / "secret.pem"
    command = ["openssl", "pkey", "-in", str(made.key), "-aes256", "-passout", "pass:abc", "-out", str(secret)]
    subprocess.run(command, check=True, capture_output=True)

    with pytest.raises(OptionError, match=re.escape(f"{secret} has a passphrase. Remove it: openssl pkey")):
        own_certificate(str(made.cert), str(secret))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has another cache folder")
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"HOME": "/home/a"}, "/home/a/.cache/lambda-web-adapter/tls", id="default"),
        pytest.param({"HOME": "/a", "XDG_CACHE_HOME": "/b"}, "/b/lambda-web-adapter/tls", id="set"),
        pytest.param({"HOME": "/a", "XDG_CACHE_HOME": "b"}, "/a/.cache/lambda-web-adapter/tls", id="relative: ignored"),
    ],
)
def test_certificates_are_in_the_users_cache_folder(environ: dict[str, str], expected: str) -> None:
    assert cache_folder(environ) == Path(expected)
