"""Make a package of a project: requirements, files, bytecode, checks, a start from it, and the result."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from lambda_web_adapter.artifacts.interpreters import find_python
from lambda_web_adapter.artifacts.quotas import MAX_UNZIPPED
from lambda_web_adapter.packaging import compiled_modules, distributions, lock_files
from lambda_web_adapter.packaging.adapter_files import BOOTSTRAP, add_adapter
from lambda_web_adapter.packaging.app_start import start_from_package
from lambda_web_adapter.packaging.contents import APP, Contents
from lambda_web_adapter.packaging.handler import find_handler, sources_of_search
from lambda_web_adapter.packaging.installer import Installer
from lambda_web_adapter.packaging.package_files import add_distributions, check_names
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.project_files import collect
from lambda_web_adapter.packaging.report import Report, too_large
from lambda_web_adapter.packaging.requirements import ADAPTER, Requirements
from lambda_web_adapter.packaging.resolution import install_requirements
from lambda_web_adapter.packaging.shared_objects import find_unusable
from lambda_web_adapter.packaging.writer import check_output, write_folder, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.packaging.distributions import Distribution
    from lambda_web_adapter.packaging.package_options import PackageOptions

LAYER_FOLDER = "python/"


def build(options: PackageOptions, tell: Callable[[str], None]) -> Report:
    """Make a package; return what it has.

    Args:
        options: what is to be made.
        tell: gets the name of each step when it begins.

    Raises:
        PackagingError: it cannot be made, or the app does not start from it.
    """
    started_at = time.monotonic()
    check_output(options.output, is_folder=options.kind == "folder")
    target = options.target
    report = Report(
        target=str(target),
        python=target.version,
        architecture=target.architecture,
        cache_tag=target.cache_tag,
        output=str(options.output),
        kind=options.kind,
    )
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        tell("Reading the project")
        app = collect(options.project, keep=options.keep, outputs=[options.output])
        report.handler = "" if options.kind == "layer" else find_handler(options.project, options.app)
        requirements = lock_files.read_requirements(options.project, target, options.uv, options.requirements)
        report.requirements = requirements.source
        tell(f"Installing packages for {target}")
        installer = Installer(target=target, project=options.project, uv=options.uv, find_links=options.find_links)
        installed = install_requirements(requirements, installer, work)
        check_names(options.keep, options.leave_out, installed)
        contents = _assemble(app, requirements, installed, options, report)
        tell("Checking shared objects")
        _check(contents, options, report)
        tell("Compiling modules")
        python = find_python(target.python)
        _compile(contents, options, report, python)
        report.add_contents(contents, installed)
        if options.kind != "layer" and options.is_tried:
            tell("Starting the app from the package")
            start_from_package(contents, options, report, work, python)
        report.note_untried(contents)
        if options.kind != "folder" and contents.size > MAX_UNZIPPED:
            raise PackagingError(too_large(report))
        tell(f"Writing {options.output}")
        write = write_folder if options.kind == "folder" else write_zip
        write(contents, options.output, options.date)
    report.finish(options.output, time.monotonic() - started_at)
    return report


def _assemble(
    app: Contents,
    requirements: Requirements,
    installed: dict[str, Distribution],
    options: PackageOptions,
    report: Report,
) -> Contents:
    """Return the files of the package, without what only a laptop needs."""
    target, extras = options.target, requirements.adapter.extras
    keep, left_out = options.keep, {ADAPTER, *options.leave_out}
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
    contents.check_paths()
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


def _compile(contents: Contents, options: PackageOptions, report: Report, python: str | None) -> None:
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
