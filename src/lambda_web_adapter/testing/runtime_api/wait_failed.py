"""The error of a wait that has failed."""


class WaitFailed(AssertionError):
    """What a test waits for did not come; the message says what the runtime did until then."""
