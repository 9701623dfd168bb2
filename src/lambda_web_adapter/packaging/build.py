"""Makes a package of a project: requirements, files, bytecode, checks, a start from it, and the result."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambda_web_adapter.artifacts.interpreters import find_python
from lambda_web_adapter.artifacts.quotas import MAX_UNZIPPED
from lambda_web_adapter.ipc.start_file import NAME as START_FILE
from lambda_web_adapter.packaging import compiled_modules, distributions, lock_files, trial
from lambda_web_adapter.packaging.adapter_files import BOOTSTRAP, add_adapter
from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.handler import find_handler, sources_of_search
from lambda_web_adapter.packaging.installer import Installer
from lambda_web_adapter.packaging.package_files import add_distributions, check_names
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.project_files import collect
from lambda_web_adapter.packaging.report import Report, too_large
from lambda_web_adapter.packaging.requirements import ADAPTER, Requirements
from lambda_web_adapter.packaging.shared_objects import find_unusable
from lambda_web_adapter.packaging.writer import check_output, source_date, write_folder, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lambda_web_adapter.packaging.distributions import Distribution
    from lambda_web_adapter.packaging.target import Target

LAYER_FOLDER = "python/"
_MAX_ROUNDS = 5  # of installing what is missing: pip looks at markers as if the package were for this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOptions:
    """What is to be made.

    Attributes:
        project: the project's folder.
        output: the zip or folder.
        kind: `zip`, `layer` or `folder`.
        target: the machine that it is for.
        uv: the program uv; None uses pip.
        app: the app's name; empty to search it.
        keep: kinds of files and names of packages that are not to be left out.
        leave_out: names of packages that are to be left out.
        find_links: folders with wheels.
        requirements: the file with the project's requirements; None takes the first of those that it may have.
        keeps_sources: whether sources stay.
        is_tried: whether the app is started from the result.
        has_start_file: whether the result has a start file.
    """

    project: Path
    output: Path
    kind: str
    target: Target
    uv: str | None
    app: str = ""
    keep: Collection[str] = ()
    leave_out: Collection[str] = ()
    find_links: Sequence[Path] = ()
    requirements: Path | None = None
    keeps_sources: bool = True
    is_tried: bool = True
    has_start_file: bool = False


def build(options: PackageOptions, tell: Callable[[str], None]) -> Report:
    """Make a package; return what it has.

    Args:
        options: what is to be made.
        tell: gets the name of each step when it begins.

    Raises:
        PackagingError: it cannot be made, or the app does not start from it.
    """
    started_at = time.monotonic()
    date = source_date(os.environ)
    check_output(options.output, is_folder=options.kind == "folder")
    report = Report(
        target=str(options.target),
        cache_tag=options.target.cache_tag,
        output=str(options.output),
        kind=options.kind,
    )
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        tell("Reading the project")
        app = collect(options.project, keep=options.keep, outputs=[options.output])
        report.handler = "" if options.kind == "layer" else find_handler(options.project, options.app)
        requirements = lock_files.read_requirements(options.project, options.target, options.uv, options.requirements)
        report.requirements = requirements.source
        tell(f"Installing packages for {options.target}")
        installed = _install(requirements, options, work)
        check_names(options.keep, options.leave_out, installed)
        contents = _assemble(app, requirements, installed, options, report)
        tell("Checking shared objects")
        _check(contents, options, report)
        tell("Compiling modules")
        _compile(contents, options, report)
        report.add_contents(contents, installed)
        if options.kind != "layer" and options.is_tried:
            tell("Starting the app from the package")
            _try(contents, options, report, work, date)
        report.note_untried(contents)
        if options.kind != "folder" and contents.size > MAX_UNZIPPED:
            raise PackagingError(too_large(report))
        tell(f"Writing {options.output}")
        write = write_folder if options.kind == "folder" else write_zip
        write(contents, options.output, date)
    report.finish(options.output, time.monotonic() - started_at)
    return report


def _install(requirements: Requirements, options: PackageOptions, work: Path) -> dict[str, Distribution]:
    """Return what was installed: the project's requirements, this package's on Lambda, and all that they require."""
    target = options.target
    installer = Installer(target=target, project=options.project, uv=options.uv, find_links=options.find_links)
    own = distributions.adapter_requirements(requirements.adapter.extras, target)[0]
    lines = list(requirements.lines)
    if not requirements.has_hashes and not requirements.is_complete:
        lines += map(str, own)  # in one go; else hashes would be required of them as well
    sites = [work / "site-0"]
    if any(not line.startswith("-") for line in lines):
        installer.install(lines, sites[0], with_dependencies=not requirements.is_complete)
    if requirements.local:
        sites.append(work / "built")
        installer.build(requirements.local, sites[-1])
    settings = [line for line in requirements.lines if line.startswith("-")]
    for number in range(1, _MAX_ROUNDS):
        installed = distributions.read_distributions(sites)
        needed = distributions.closure([*own, *map(Requirement, [*requirements.named, *installed])], installed, target)
        missing = {name: each for name, each in needed.items() if name not in installed and name != ADAPTER}
        if not missing:
            break
        for requirement in missing.values():
            requirement.marker = None
        sites.append(work / f"site-{number}")
        installer.install([*settings, *map(str, missing.values())], sites[-1], with_dependencies=False)
    return distributions.read_distributions(sites)


def _assemble(
    app: Contents,
    requirements: Requirements,
    installed: dict[str, Distribution],
    options: PackageOptions,
    report: Report,
) -> Contents:
    """Return the files of the package, without what only a laptop needs."""
    target, extras = options.target, requirements.adapter.extras
    keep = {canonicalize_name(name) for name in options.keep}
    left_out = {ADAPTER, *(canonicalize_name(name) for name in options.leave_out)}
    asgi_only: frozenset[str] = frozenset()
    if "laptop" not in keep:
        names = distributions.distributions_of(distributions.imported_modules(app), installed)
        names |= (requirements.direct or set()) | (keep & installed.keys())
        wanted, named = (list(map(Requirement, sorted(each))) for each in (names, requirements.named))
        unneeded = distributions.find_unneeded(installed, wanted, named, extras, target)
        report.laptop_only, asgi_only = sorted(unneeded.laptop), unneeded.asgi - left_out
        installed = {name: each for name, each in installed.items() if name not in unneeded.laptop}
    installed = {name: each for name, each in installed.items() if name not in left_out}
    packages = Contents()
    add_distributions(installed, keep, packages, target)
    report.note_foreign(packages)
    prefix = LAYER_FOLDER if options.kind == "layer" else ""
    contents = Contents() if options.kind == "layer" else app
    contents.asgi_only = asgi_only
    if overlap := sorted(packages.items.keys() & contents.items.keys()):
        report.notes.append(f"The project's own files stay instead of a package's: {', '.join(overlap[:5])}.")
    moved = {f"{prefix}{path}": item for path, item in packages.items.items()}
    contents.items = moved | contents.items
    contents.omitted += packages.omitted
    own_bootstrap = contents.items.get(BOOTSTRAP)
    add_adapter(contents, prefix, keep)
    if own_bootstrap and own_bootstrap.read() != contents.items[BOOTSTRAP].read():
        report.notes.append(f"The project's own {BOOTSTRAP} is not in the package: the adapter's takes its place.")
    _note_versions(requirements, options.project, report)
    return contents


def _note_versions(requirements: Requirements, project: Path, report: Report) -> None:
    """Add what may differ another day."""
    if not requirements.source:
        advice = lock_files.advice_without_requirements(project)
        report.notes.append(f"No requirements: only the project's files and the adapter are packaged. {advice}".strip())
    elif not requirements.is_complete and not requirements.has_hashes:
        report.notes.append(
            f"{requirements.source} does not fix all versions: the same command may bring others another day. "
            "A lock file (uv.lock, pylock.toml) does."
        )


def _check(contents: Contents, options: PackageOptions, report: Report) -> None:
    problems = dict(find_unusable(contents, options.target))
    if not problems:
        return
    text = f"{len(problems)} files do not run on {options.target}"
    if "foreign" in options.keep:
        report.notes.append(f"{text}, such as {next(iter(problems))}, but --keep foreign has them in the package.")
        return
    lines = [f"{text}:", *(f"  {path} {problem}" for path, problem in list(problems.items())[:20])]
    lines.append("Choose another --arch, --python or --glibc.")
    owners = {contents.items[path].owner for path in problems}
    if APP in owners:
        lines.append("What the project has: remove it, or name it in .lambdaignore.")
    if packages := sorted(owners - {APP}):
        names = " ".join(f"--leave-out {name}" for name in packages)
        lines.append(f"What packages have: leave them out ({names}), or keep what no request needs (--keep foreign).")
    raise PackagingError("\n".join(lines))


def _compile(contents: Contents, options: PackageOptions, report: Report) -> None:
    python = find_python(options.target.python)
    if python:
        root = "/opt" if options.kind == "layer" else "/var/task"
        kept = [] if options.keeps_sources else sources_of_search(report.handler, contents)
        report.compiled = compiled_modules.compile_modules(
            contents, python, options.target, keeps_sources=options.keeps_sources, kept=kept, root=root
        )
        return
    advice = f"Install it (uv python install {options.target.version}) and repeat this."
    if not options.keeps_sources:
        raise PackagingError(f"--no-sources needs Python {options.target.version}, which is not here. {advice}")
    report.notes.append(
        f"No bytecode: there is no Python {options.target.version} here. A cold start takes about twice as long "
        f"without it. {advice}"
    )


def _try(contents: Contents, options: PackageOptions, report: Report, work: Path, date: int) -> None:
    """Start the app from the package's files, if this machine can; add the start file."""
    python = find_python(options.target.python)
    if python is None or not options.target.is_this_machine:
        problem = f"this machine has no {options.target}"
        if options.has_start_file:
            raise PackagingError(f"A start file is written by a start, but {problem}.")
        report.notes.append(f"The app was not started from the package: {problem}.")
        return
    result = _start(contents, options, report, work, date, python)
    if result.is_wsgi and contents.asgi_only:
        report.leave_out(contents.asgi_only, contents)
        if options.has_start_file:  # it names all packages that are there
            result = _start(contents, options, report, work, date, python)
    report.add_trial(result, contents)
    if result.start_file:
        contents.items[START_FILE] = Item(owner=ADAPTER, content=base64.b64decode(result.start_file))
        report.size, report.files = contents.size, len(contents.items)


def _start(  # noqa: PLR0913
    contents: Contents, options: PackageOptions, report: Report, work: Path, date: int, python: str
) -> trial.Trial:
    """Return how the start from the package's files went.

    Raises:
        PackagingError: it failed.
    """
    folder = _task_folder(python) if options.has_start_file else work / "trial"
    write_folder(contents, folder, date)
    try:
        result = trial.try_package(
            folder, report.handler, options.project, python, has_start_file=options.has_start_file
        )
    finally:
        if options.has_start_file:
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    if result.problem:
        raise PackagingError(trial.explain(result, report.requirements))
    return result


def _task_folder(python: str) -> Path:
    """Return the folder that the function will have, which a start file names.

    Raises:
        PackagingError: this machine has something there, or another Python makes the package.
    """
    folder = Path("/var/task")
    advice = "Run this in an image of the function's runtime, such as public.ecr.aws/lambda/python."
    if python != sys.executable:
        raise PackagingError(f"A start file is for the Python that writes it, but this one is another. {advice}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_free = os.access(folder, os.W_OK) and not any(folder.iterdir())
    except OSError:
        is_free = False
    if not is_free:
        raise PackagingError(f"A start file is written in {folder}, which has files, or cannot be written to. {advice}")
    return folder
