"""The function of a local run: its environments, from their processes to the events that they get."""
