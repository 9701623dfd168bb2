"""What a package has: for people, and as JSON."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.artifacts.bytecode import compiled_path
from lambda_web_adapter.artifacts.quotas import MAX_UNZIPPED
from lambda_web_adapter.artifacts.sizes import MB, size_text
from lambda_web_adapter.packaging.contents import APP
from lambda_web_adapter.packaging.deploy_commands import deploy_commands, sam_command
from lambda_web_adapter.packaging.ignore_rules import REASONS, SECRETS
from lambda_web_adapter.packaging.package_files import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from lambda_web_adapter.packaging.contents import Contents
    from lambda_web_adapter.packaging.distributions import Distribution
    from lambda_web_adapter.packaging.trial import Trial

_MAX_ROWS = 12  # packages in the table
_LARGE = 5 * MB  # of a package that nothing has imported, from which on it is worth a note
_ZIPS = "docs/zips.md makes the role before, and a URL after"
_PAGES = {"zip": _ZIPS, "layer": _ZIPS, "folder": "docs/images.md"}


@dataclass(slots=True, kw_only=True)
class Share:
    """A package in the result.

    Attributes:
        name: its name; of the project's own files, `the app`.
        version: its version.
        size: its bytes, unpacked, with bytecode.
        modules: how many modules it has.
        imported: how many of them the warm requests have imported; None if the app was not started.
    """

    name: str
    version: str
    size: int
    modules: int
    imported: int | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """What a package has.

    Attributes:
        target: the machine that it is for, as text.
        python: its version of Python.
        architecture: its processor, as Lambda calls it.
        cache_tag: the tag of its bytecode, such as `cpython-313`.
        output: the zip or folder.
        kind: `zip`, `layer` or `folder`.
        handler: the handler.
        requirements: the file that the packages are from; empty if there is none.
        size: the bytes of all files.
        zip_size: the bytes of the zip; 0 if it is a folder.
        sha256: its hash; empty for a folder.
        files: how many files it has.
        compiled: how many modules have bytecode.
        laptop_only: the packages that were left out since only the local run needs them.
        asgi_only: the packages that were left out since only ASGI apps need them.
        omitted: the bytes that were left out, by reason.
        packages: all packages, the largest first.
        notes: what else there is to know.
        init_ms: how long the init took from the package on this machine; None if it was not started.
        memory_mb: how much memory it then had.
        seconds: how long all took.
    """

    target: str
    python: str
    architecture: str
    cache_tag: str
    output: str
    kind: str
    handler: str = ""
    requirements: str = ""
    size: int = 0
    zip_size: int = 0
    sha256: str = ""
    files: int = 0
    compiled: int = 0
    laptop_only: list[str] = field(default_factory=list)
    asgi_only: list[str] = field(default_factory=list)
    omitted: dict[str, int] = field(default_factory=dict)
    packages: list[Share] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    init_ms: int | None = None
    memory_mb: int | None = None
    seconds: float = 0.0

    def add_contents(self, contents: Contents, installed: Mapping[str, Distribution]) -> None:
        """Add what the package has."""
        from lambda_web_adapter import __version__

        self.size, self.files = contents.size, len(contents.items)
        self.omitted = dict(sorted(contents.omitted.items()))
        sizes: Counter[str] = Counter()
        modules: Counter[str] = Counter()
        for path, item in contents.items.items():
            sizes[item.owner] += item.size
            modules[item.owner] += _is_module(path)
        versions = {name: each.version for name, each in installed.items()} | {"lambda-web-adapter": __version__}
        self.packages = [
            Share(name=name or "the app", version=versions.get(name, ""), size=size, modules=modules[name])
            for name, size in sizes.most_common()
        ]

    def leave_out(self, owners: Collection[str], contents: Contents) -> None:
        """Take the packages that only ASGI apps need from the contents, and from the lists of them."""
        contents.items = {path: item for path, item in contents.items.items() if item.owner not in owners}
        self.asgi_only = sorted(owners)
        self.packages = [share for share in self.packages if share.name not in owners]
        self.size, self.files = contents.size, len(contents.items)
        self.compiled = sum(path.endswith(".pyc") for path in contents.items)

    def note_foreign(self, packages: Contents) -> None:
        """Add which files of packages were left out since they are for other machines."""
        if packages.foreign:
            self.notes.append(
                f"{len(packages.foreign)} files of packages are for other systems or processors, and are left out, "
                f"such as {packages.foreign[0]} (--keep foreign keeps them)."
            )

    def note_untried(self, contents: Contents) -> None:
        """Add what a start from the package would have shown, if there was none."""
        if self.init_ms is None and contents.asgi_only:
            names = sorted(contents.asgi_only)
            options = " ".join(f"--leave-out {name}" for name in names)
            self.notes.append(f"Only ASGI apps need {', '.join(names)}. For a WSGI app, add {options}.")

    def add_trial(self, trial: Trial, contents: Contents) -> None:
        """Add how the start from the package went."""
        self.init_ms, self.memory_mb = trial.init_ms, trial.memory_mb
        if trial.not_isolated:
            self.notes.append(
                "The app was started in this machine's file system, where it may write more than Lambda lets it: "
                f"{trial.not_isolated}."
            )
        imported: Counter[str] = Counter()
        for path in set(trial.files):
            item = contents.items.get(path) or contents.items.get(f"{path}c")
            imported[(item.owner if item else APP) or "the app"] += 1
        for share in self.packages:
            share.imported = imported[share.name]
            if share.size >= _LARGE and not share.imported:
                self.notes.append(
                    f"{share.name} has {size_text(share.size)}, and the warm requests imported none of it: "
                    f"--leave-out {share.name}, if no other request needs it."
                )
        sources = [path for path in trial.files if path.endswith(".py")]
        if missing := [path for path in sources if compiled_path(path, self.cache_tag) not in contents.items]:
            self.notes.append(f"The start has to compile {len(missing)} modules, such as {missing[0]}.")

    def finish(self, output: Path, seconds: float) -> None:
        """Add what the result is."""
        self.seconds = round(seconds, 2)
        if output.is_file():
            with output.open("rb") as file:
                self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            self.zip_size = output.stat().st_size

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**asdict(self), "deploy": list(deploy_commands(self)), "sam": sam_command(self)}


def text_lines(report: Report) -> Iterator[str]:
    """Yield the report for people."""
    zipped = f", {size_text(report.zip_size)} zipped" if report.zip_size else ""
    yield f"{report.output}: {size_text(report.size)}{zipped}, {report.files} files, for {report.target}"
    if report.sha256:
        yield f"sha256 {report.sha256}"
    if report.init_ms is not None:
        yield f"Started from the package here: init {report.init_ms} ms, {report.memory_mb} MB of memory"
    if report.requirements:
        yield f"Packages from {report.requirements}"
    yield ""
    yield from table_lines(report)
    yield ""
    yield from _omitted_lines(report)
    yield from (f"Note: {note}" for note in report.notes)
    yield ""
    yield f"Next step ({_PAGES[report.kind]}):"
    yield from deploy_commands(report)
    if command := sam_command(report):
        yield "or with a template (docs/deploy-sam.md):"
        yield command


def _omitted_lines(report: Report) -> Iterator[str]:
    """Yield what is not in the package, and how it stays."""
    if report.laptop_only:
        yield f"Left out, since only the local run needs it: {', '.join(report.laptop_only)} (--keep NAME keeps one)"
    if report.asgi_only:
        yield f"Left out, since only ASGI apps need it: {', '.join(report.asgi_only)} (--keep NAME keeps one)"
    if report.omitted:
        sizes = {reason: size for reason, size in report.omitted.items() if size >= MB // 20 and reason != SECRETS}
        parts = {reason: f"{reason} {size_text(size)}" for reason, size in sizes.items()}
        if kinds := [part for reason, part in parts.items() if reason in KINDS]:
            yield f"Left out: {', '.join(kinds)} (--keep KIND keeps one)"
        if ignored := [part for reason, part in parts.items() if reason in REASONS]:
            yield f"Left out: {', '.join(ignored)} (a line such as !PATH in .lambdaignore keeps them)"
        if rest := [part for reason, part in parts.items() if reason not in {*KINDS, *REASONS}]:
            yield f"Left out: {', '.join(rest)}"
        if SECRETS in report.omitted:
            yield f"Left out: {SECRETS}. Set the variables that the app needs in the function (docs/zips.md)"


def table_lines(report: Report) -> Iterator[str]:
    """Yield a table of the largest packages, with how many of their modules the warm requests have imported."""
    imported = "" if all(share.imported is None for share in report.packages) else "imported"
    rows = [("package", "size", "modules", imported)]
    for share in report.packages[:_MAX_ROWS]:
        percent = "" if share.imported is None or not share.modules else f"{100 * share.imported // share.modules} %"
        rows.append((f"{share.name} {share.version}".strip(), size_text(share.size), str(share.modules), percent))
    if rest := report.packages[_MAX_ROWS:]:
        others = "1 other" if len(rest) == 1 else f"{len(rest)} others"
        rows.append((others, size_text(sum(share.size for share in rest)), "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "  ".join(
            [row[0].ljust(widths[0]), *(row[column].rjust(widths[column]) for column in range(1, 4))]
        ).rstrip()


def too_large(report: Report) -> str:
    """Return why Lambda would not take the package, with what to do."""
    return (
        f"The package has {size_text(report.size)}, but Lambda takes {size_text(MAX_UNZIPPED)} with all layers.\n"
        + "\n".join(table_lines(report))
        + "\nLeave out what no request needs (--leave-out NAME), or use an image, which takes 10 GB (docs/images.md): "
        "--format folder."
    )


def _is_module(path: str) -> bool:
    """Return whether a file is a module: a source, bytecode in place of one, or an extension, but no library of one."""
    if PurePath(path).parent.name.endswith(".libs"):
        return False
    return path.endswith((".py", ".so")) or (path.endswith(".pyc") and "__pycache__" not in path)
