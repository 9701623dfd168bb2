"""Run `python -m lambda_web_adapter`: the same program as the console script and the `bootstrap` file."""

import os

from lambda_web_adapter.ipc import start_file

if __name__ == "__main__":
    start_file.install(os.environ)  # before `cli`, so that what it imports comes from the file as well

    from lambda_web_adapter.cli import main

    main()
