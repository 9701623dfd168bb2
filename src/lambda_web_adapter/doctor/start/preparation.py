"""What is needed to start an artifact, or the app of a folder, on this machine."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import ArtifactError
from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor.start.artifact_python import artifact_python
from lambda_web_adapter.doctor.start.trial import StartTarget
from lambda_web_adapter.doctor.unpacking import unpacked
from lambda_web_adapter.local.project_options import read_table
from lambda_web_adapter.local.warm_requests import read_warm_requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lambda_web_adapter.local.environments.function_options import FunctionOptions


@contextmanager
def start_target(  # noqa: PLR0913  # what is started, and how
    artifact: Path,
    app: str,
    app_dir: str,
    options: FunctionOptions,
    environ: Mapping[str, str],
    *,
    has_packages: bool,
) -> Iterator[StartTarget]:
    """Return what is started, as long as the artifact is unpacked.

    Args:
        artifact: a folder, a zip or a layer.
        app: the app's name; empty for that in pyproject.toml, or to search it.
        app_dir: the folder of the app within it; empty for all of it.
        options: the function's configuration.
        environ: the caller's environment variables.
        has_packages: whether the artifact has all packages that it needs; else the app has those of this Python.

    Raises:
        ArtifactError: it is an image, which this machine cannot start so.
        SettingsError: pyproject.toml is not valid.
        StartFileError: its warm requests are no list of requests.
    """
    with open_artifact(artifact) as opened:
        if opened.image:
            raise ArtifactError(f"{artifact} is an image: start it in a container; see docs/images.md.")
        with unpacked(opened) as root:
            project = root / "pyproject.toml"
            name = app or read_table(project).get("app", "")
            target = StartTarget(
                app=name if isinstance(name, str) else "",
                root=root,
                folder=root / app_dir,
                requests=read_warm_requests(project),
                options=options,
                environ=environ,
            )
            if not has_packages:
                yield target
                return
            with artifact_python(root, environ) as python:
                yield replace(
                    target,
                    artifact=artifact.resolve().name,
                    kind=opened.kind,
                    environ=python.environ,
                    interpreter=python.interpreter,
                    readable=python.readable,
                    notes=(python.note,) if python.note else (),
                )
