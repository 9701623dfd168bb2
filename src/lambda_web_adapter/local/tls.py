"""The certificate of a local run over TLS: one made here and kept, or one of the user's own.

The made one is for this machine's own names only, and is no authority: whoever trusts it trusts nothing else. Its key
stays in the user's cache folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lambda_web_adapter.local.option_error import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDER = "lambda-web-adapter"
# Browsers take up to 398 days (CA/Browser Forum, Ballot SC31); a new one is made a month before the end.
_DAYS = 365
_RENEW_SECONDS = 30 * 24 * 3600
# What OpenSSL and LibreSSL, as macOS has it, both read. Python 3.13 verifies strictly, which needs the key identifiers.
_CONFIG = """\
[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
[subject]
CN = localhost
O = lambda-web-adapter local run
[extensions]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
"""
_ADVICE = "Install OpenSSL, or name a certificate of your own with --tls-cert and --tls-key."


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate and its key, as PEM files.

    Attributes:
        cert: the certificate, or the chain that begins with it.
        key: its private key.
    """

    cert: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """Return a context for a server with this certificate.

        Raises:
            OptionError: the files cannot be read, or do not belong together.
        """
        for option, path in (("--tls-cert", self.cert), ("--tls-key", self.key)):
            try:
                path.open("rb").close()
            except OSError as error:
                raise OptionError(f"{option} names {path}, which cannot be read: {error.strerror}.") from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key, password=self._refuse_passphrase)
        except (ssl.SSLError, ValueError) as error:
            raise OptionError(
                f"{self.cert} and {self.key} are not a certificate and its key as PEM files: {error}."
            ) from None
        return context

    def _refuse_passphrase(self) -> NoReturn:
        raise OptionError(f"{self.key} has a passphrase. Remove it: openssl pkey -in {self.key} -out key.pem")


def own_certificate(cert: str | None, key: str | None) -> Certificate | None:
    """Return the certificate of `--tls-cert` and `--tls-key`; None if neither is set.

    Raises:
        OptionError: only one of them is set, or the files are not a certificate and its key.
    """
    if not cert and not key:
        return None
    if not cert or not key:
        missing, present = ("--tls-cert", "--tls-key") if not cert else ("--tls-key", "--tls-cert")
        raise OptionError(f"{missing} is missing: {present} needs it, since a server needs a certificate and its key.")
    certificate = Certificate(cert=Path(cert), key=Path(key))
    certificate.server_context()
    return certificate


def made_certificate(folder: Path) -> Certificate:
    """Return the certificate that is kept in a folder; make one if there is none, or if it soon expires.

    Raises:
        OptionError: the folder cannot be written to, or there is no `openssl` program that can make one.
    """
    certificate = kept_certificate(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder / "lock"):
            if not _is_valid(certificate):
                _make(certificate)
    except OSError as error:
        raise OptionError(f"The certificate cannot be kept in {folder}: {error.strerror}. {_ADVICE}") from None
    return certificate


def kept_certificate(folder: Path) -> Certificate:
    """Return the files of the certificate that `made_certificate` keeps in a folder; they may not be there."""
    return Certificate(cert=folder / "localhost.pem", key=folder / "localhost-key.pem")


def client_context(folder: Path) -> ssl.SSLContext:
    """Return a context for a client that trusts the certificate kept in a folder, besides the system's authorities."""
    context = ssl.create_default_context()
    with contextlib.suppress(OSError):  # there is none, so that the server has another
        context.load_verify_locations(kept_certificate(folder).cert)
    return context


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for certificates in the user's cache folder (XDG Base Directory; macOS: Library/Caches)."""
    home = Path(environ.get("HOME") or Path.home())
    default = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    cache = Path(environ.get("XDG_CACHE_HOME") or default)
    return (cache if cache.is_absolute() else default) / _FOLDER / "tls"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other local runs from making a certificate at the same time."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_valid(certificate: Certificate) -> bool:
    """Return whether both files are there, belong together, and are valid for some time."""
    if not (certificate.cert.exists() and certificate.key.exists()):
        return False
    try:
        certificate.server_context()
    except OptionError:
        return False
    return _openssl("x509", "-checkend", str(_RENEW_SECONDS), "-noout", "-in", str(certificate.cert)).returncode == 0


def _make(certificate: Certificate) -> None:
    """Make both files, and put them in place once they are complete."""
    with tempfile.TemporaryDirectory(dir=certificate.cert.parent) as folder:
        config, cert, key = (Path(folder, name) for name in ("config", "cert.pem", "key.pem"))
        config.write_text(_CONFIG)
        os.close(os.open(key, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # openssl writes into it
        arguments = ["-newkey", "rsa:2048", "-nodes", "-days", str(_DAYS), "-config", str(config)]
        result = _openssl("req", "-x509", *arguments, "-keyout", str(key), "-out", str(cert))
        if result.returncode != 0:
            reason = result.stderr.strip().rpartition("\n")[2]
            raise OptionError(f"openssl could not make a certificate: {reason}. {_ADVICE}")
        key.replace(certificate.key)
        cert.replace(certificate.cert)


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise OptionError(
            f"--tls needs the program openssl to make a certificate, but there is none. {_ADVICE}"
        ) from None
