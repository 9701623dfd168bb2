"""All rules, in the order of docs/doctor.md."""

from __future__ import annotations

from lambda_web_adapter.doctor import (
    compiled_files,
    configuration,
    contents,
    entries,
    missing_packages,
    native_code,
    scripts,
    secret_files,
    source_checks,
    start_rules,
)

RULES = (
    *start_rules.RULES,
    *missing_packages.RULES,
    *native_code.RULES,
    *compiled_files.RULES,
    *scripts.RULES,
    *entries.RULES,
    *contents.RULES,
    *secret_files.RULES,
    *source_checks.RULES,
    *configuration.RULES,
)
# The checks of artifacts, in the same order; `start` has those of what happens when one is started.
CHECKS = (
    missing_packages.check,
    native_code.check,
    compiled_files.check,
    scripts.check,
    entries.check,
    contents.check,
    secret_files.check,
    source_checks.check,
    configuration.check,
)
