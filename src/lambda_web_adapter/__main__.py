"""Run `python -m lambda_web_adapter`: the same program as the console script and the `bootstrap` file."""

from lambda_web_adapter.cli import main

if __name__ == "__main__":
    main()
