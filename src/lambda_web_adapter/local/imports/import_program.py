"""Import the app as an environment does, and report how that went: the program whose imports are timed.

`-X importtime` writes to descriptor 2. So do the marker lines here, which say where the app's imports begin and end;
whatever the app writes by Python goes to stdout.

Arguments: the marker, the app's name, and its folder, as the settings have them.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from lambda_web_adapter.app import import_traceback, loader
from lambda_web_adapter.app import server as server  # an app's process has what it imports by then
from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.ipc import start_file


def main(marker: str, name: str, app_dir: str) -> None:
    """Write the marker, import the app, then write the marker with the time, any failure, and the marker again."""
    start_file.install(os.environ)
    sys.stderr, failure, folder = sys.stdout, "", Path(os.path.abspath(app_dir))
    _write(f"\n{marker}\n")
    started_at = time.perf_counter_ns()
    try:
        loader.load_app(name, folder)
    except BaseException as error:  # noqa: BLE001  # all that the app's own code raises, SystemExit included
        elapsed = time.perf_counter_ns() - started_at
        failure = _describe(error, folder)
    else:
        elapsed = time.perf_counter_ns() - started_at
    _write(f"\n{marker} {elapsed // 1000}\n{failure}\n{marker}\n")
    os._exit(0)  # no thread of the app keeps it, and nothing that the app does at its end


def _describe(error: BaseException, folder: Path) -> str:
    if isinstance(error, AppNotFound):
        return str(error)
    import_traceback.shorten(error, folder)
    return "".join(traceback.format_exception(error))


def _write(text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(2, data) :]


if __name__ == "__main__":
    main(*sys.argv[1:])
