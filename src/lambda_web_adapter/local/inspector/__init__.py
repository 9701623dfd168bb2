"""The inspector: shows what happened in a local run, and why."""
