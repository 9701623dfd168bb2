"""Secrets that got into an artifact by mistake. No finding shows one."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import Group, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject

SECRET_FILE = Rule(
    id="secret-file",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A file holds secrets: .env, private keys, credentials.",
    advice="Leave it out of the build and renew the secret if the artifact has left your machine. Read secrets from "
    "Secrets Manager, Parameter Store or the function's variables.",
)
SECRET_IN_FILE = Rule(
    id="secret-in-file",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="A source or a text has an AWS access key or a private key in it.",
    advice="Remove it and renew the key. A function gets its permissions from its role.",
)
SECRET_IN_VARIABLE = Rule(
    id="secret-in-variable",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="An image or a template has an AWS access key or a private key in a variable.",
    advice="Remove it and renew the key. A function gets its permissions from its role.",
)
RULES = (SECRET_FILE, SECRET_IN_FILE, SECRET_IN_VARIABLE)

_NAMES = (
    ".env",
    ".env.*",
    "id_rsa",
    "id_ecdsa",
    "id_ed25519",
    ".netrc",
    ".pypirc",
    ".git-credentials",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    ".htpasswd",
)
_PATHS = (".aws/credentials", ".aws/config", ".docker/config.json", ".ssh/*", ".kube/config")
_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub")
# Names of files that hold secrets only if they say so: certificates of authorities are *.pem as well.
_CHECKED_NAMES = ("*.pem", "*.key", "credentials.json", "service-account*.json", ".npmrc")
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\"private_key\"|_authToken\s*=")
# Access keys (AWS IAM User Guide, "Unique identifiers"); AWS's documentation has some that end in EXAMPLE.
_ACCESS_KEY = re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])")
_TEXTS = {".py", ".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".txt", ".sh", ".env", ".js", ".html", ""}
_LARGEST_TEXT = 1_000_000  # bytes
_SECRET_VARIABLES = {"AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"}


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the secrets among the files that belong to no package, and in variables."""
    for path, entry in subject.own_files.items():
        if entry.target or not entry.size:
            continue
        if not subject.is_project and _is_secret_file(subject, path):
            yield SECRET_FILE.broken(
                "Files of this name hold secrets, and who can download the function can read it.", path
            )
        elif PurePosixPath(path).suffix in _TEXTS and entry.size < _LARGEST_TEXT:
            yield from _check_text(path, subject.artifact.read(path))
    yield from _check_variables(subject)


def _check_variables(subject: Subject) -> Iterator[Finding]:
    image = subject.artifact.image
    places = [("the image", image.environ)] if image else []
    places += [(function.file.name, function.environ) for function in subject.functions]
    for place, environ in places:
        path = "" if place == "the image" else place
        for name, value in sorted(environ.items()):
            if name in _SECRET_VARIABLES:
                yield SECRET_IN_VARIABLE.broken(f"{place} sets {name}.", path)
            elif kind := _kind_of_secret(value.encode()):
                yield SECRET_IN_VARIABLE.broken(f"{place} has {kind} in {name}.", path)


def _is_secret_file(subject: Subject, path: str) -> bool:
    name = PurePosixPath(path).name
    if any(fnmatch(name, pattern) for pattern in _EXAMPLES):
        return False
    if any(fnmatch(name, pattern) for pattern in _NAMES) or any(fnmatch(path, f"*{end}") for end in _PATHS):
        return True
    is_candidate = any(fnmatch(name, pattern) for pattern in _CHECKED_NAMES)
    return is_candidate and bool(_PRIVATE_KEY.search(subject.artifact.read(path)))


def _check_text(path: str, data: bytes) -> Iterator[Finding]:
    if b"KEY-----" not in data and not _ACCESS_KEY.search(data):
        return  # most files have nothing; their lines need not be looked at
    for number, line in enumerate(data.split(b"\n"), 1):
        if kind := _kind_of_secret(line):
            yield SECRET_IN_FILE.broken(f"This line has {kind}.", path, number)


def _kind_of_secret(text: bytes) -> str:
    """Return what secret a line or a value has, with its article; empty without one."""
    if b"KEY-----" in text and _PRIVATE_KEY.search(text):
        return "a private key"
    match = _ACCESS_KEY.search(text)
    return "an AWS access key" if match and not match[0].endswith(b"EXAMPLE") else ""
