"""The errors of this folder."""


class PackagingError(Exception):
    """The package cannot be made; the message says what was expected, what came, and what to do."""


class WrongOption(PackagingError):
    """An option has a value that it does not take."""
