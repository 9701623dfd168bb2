"""The bootstrap of an observed environment: as Lambda's, but it reports how its start went.

Arguments: the observation, then those of the bootstrap.
"""

from __future__ import annotations

import os
import runpy
import sys
import time

from lambda_web_adapter.doctor.start.observation import Observation, Reporter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_BOOTSTRAP = "lambda_web_adapter"


def main(observation: Observation, arguments: list[str]) -> NoReturn:
    """Prepare the environment, and run the bootstrap in it."""
    started_at, cpu = time.perf_counter(), time.process_time()
    reporter = Reporter(observation.marker)
    os.chdir(observation.root)
    if observation.group:
        with open(observation.group, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    if observation.is_isolated:
        from lambda_web_adapter.local.environments.isolation import isolate

        folders = [
            observation.root,
            observation.folder,
            sys.prefix,
            sys.base_prefix,
            os.path.dirname(__file__),
            *sys.path,
            *observation.readable,
        ]
        reporter.report("isolated", isolate(folders))
    has_forked = False

    def prepare_app() -> None:
        nonlocal has_forked
        if not has_forked:  # processes that the app forks are nothing new
            has_forked = True
            from lambda_web_adapter.doctor.start.observed_app import observe_app

            observe_app(observation, reporter)

    os.register_at_fork(after_in_child=prepare_app)
    reporter.report("prepared", time.perf_counter() - started_at, time.process_time() - cpu)
    sys.argv[1:] = arguments
    runpy.run_module(_BOOTSTRAP, run_name="__main__", alter_sys=True)  # `python -m` has imported runpy
    sys.exit()  # the line above never returns


if __name__ == "__main__":
    main(Observation.of_argument(sys.argv[1]), sys.argv[2:])
