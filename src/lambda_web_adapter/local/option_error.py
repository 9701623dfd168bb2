"""The error for an option of the local run that is not valid."""


class OptionError(Exception):
    """An option is not valid; the message says what was expected, what came, and what to do."""
