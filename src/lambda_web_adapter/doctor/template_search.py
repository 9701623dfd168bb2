"""Which template has the function that runs an artifact, and which of its functions that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import paths_text
from lambda_web_adapter.doctor.templates import FunctionTemplate, TemplateError, content_text, read_functions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMES = ("template.yaml", "template.yml", "template.json", "serverless.yml", "serverless.yaml", "zappa_settings.json")
_PATTERNS = ("*.template.json", "cloudformation-template-update-stack.json")
# Folders of builds, whose templates are beside them or one folder higher.
_BUILD_FOLDERS = (".aws-sam", "build", ".serverless", "cdk.out")
_FIXED = ".fixed.zip"  # what --fix adds to the name of a zip


def find_functions(artifact: Path, name: str = "") -> list[FunctionTemplate]:
    """Return the function that runs an artifact, from the template beside it; none if no template says which.

    A template's only function is taken unless the template names other code for it.

    Args:
        artifact: the artifact.
        name: the function's name; empty to find it by its code.

    Raises:
        TemplateError: a template cannot be read, or none has a function of this name.
    """
    for functions in _functions_nearby(artifact):
        chosen = [each for each in functions if each.name == name] if name else _functions_of(artifact, functions)
        if chosen:
            return chosen[:1]
        if not name and len(functions) == 1 and not _has_other_code(functions[0], artifact):
            return functions
    if name:
        raise TemplateError(f"No template beside {artifact} has a function {name}: name the template with --template.")
    return []


def other_functions(artifact: Path) -> list[FunctionTemplate]:
    """Return the functions of the next template beside an artifact, whatever their code is."""
    return next(filter(None, _functions_nearby(artifact)), [])


def choose_functions(file: Path, artifact: Path, name: str = "") -> list[FunctionTemplate]:
    """Return the function of a template that runs an artifact; all of them if the template does not say which.

    Args:
        file: the template.
        artifact: the artifact.
        name: the function's name; empty to find it by its code.

    Raises:
        TemplateError: it cannot be read, or has no function, or none of this name.
    """
    functions = read_functions(file)
    if not functions:
        raise TemplateError(
            f"{file} has no function, but {content_text(file)}. Name the file that has it with --template: of "
            "SAM, CloudFormation, CDK, Serverless (serverless.yml) or Zappa (zappa_settings.json)."
        )
    if name:
        named = [each for each in functions if each.name == name]
        if not named:
            names = paths_text([each.name for each in functions], 10)
            raise TemplateError(f"{file} has no function {name}, but {names}. Name one of them with --function.")
        return named[:1]
    return _functions_of(artifact, functions)[:1] or functions


def _folders(artifact: Path) -> list[Path]:
    """Return where the template of an artifact may be, the likeliest first."""
    path = artifact.resolve()
    folders = [path] if path.is_dir() else []
    folders.append(path.parent)
    while folders[-1].name in _BUILD_FOLDERS:
        folders.append(folders[-1].parent)
    return folders


def _templates(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _NAMES if (folder / name).is_file())
    yield from (path for pattern in _PATTERNS for path in sorted(folder.glob(pattern)))


def _functions_nearby(artifact: Path) -> Iterator[list[FunctionTemplate]]:
    """Yield the functions of all templates in each folder where the template of an artifact may be."""
    for folder in _folders(artifact):
        yield [function for file in _templates(folder) for function in read_functions(file)]


def _functions_of(artifact: Path, functions: list[FunctionTemplate]) -> list[FunctionTemplate]:
    """Return those of some functions that run an artifact, also one that `--fix` has written."""
    path = artifact.resolve()
    path = path.with_name(path.name.removesuffix(_FIXED) + ".zip") if path.name.endswith(_FIXED) else path
    return [each for each in functions if each.name == artifact.name or _code_path(each) == path]


def _has_other_code(function: FunctionTemplate, artifact: Path) -> bool:
    """Return whether a function's code is elsewhere: neither the artifact, nor in it, nor a folder around it."""
    path, code = artifact.resolve(), _code_path(function)
    return code is not None and not (code.is_relative_to(path) or path.is_relative_to(code))


def _code_path(function: FunctionTemplate) -> Path | None:
    """Return where a function's code is on this machine; None if the template names none, or a place in S3."""
    is_path = bool(function.code) and "://" not in function.code
    return (function.file.parent / function.code).resolve() if is_path else None
