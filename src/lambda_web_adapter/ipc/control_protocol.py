"""The messages of the control channel, a socket pair between the adapter process and the app process.

A message is one line: a name, for some messages a space and an argument, and a line end. PORT is the adapter's port of
the connection on which a request came. It names the request, since a connection carries one request at a time.

An external command sends nothing. Its end of the channel closes when the command is executed.
"""

from __future__ import annotations

# From the app process. The built-in server sends them; FAILED is also sent where there is none.
READY = b"ready"  # once, when the app is imported and its lifespan startup is complete
# `failed {json}`: instead of READY, why the app cannot be served, or why the external command cannot be executed;
# instead of COMPLETED, why a hook failed.
FAILED = b"failed"
DONE = b"done"  # `done PORT`: when the app's call for a request has returned, background tasks included
CLOSING = b"closing"  # `closing PORT`: instead of DONE, before the server closes the connection
CANCELLED = b"cancelled"  # `cancelled PORT`: at once after CANCEL; DONE or CLOSING follows when the call has returned
STACKS_DUMPED = b"shown"  # the reply to DUMP_STACKS, when the stacks are written
COMPLETED = b"completed"  # the reply to BEFORE_SNAPSHOT and AFTER_RESTORE, when all hooks have run
# Once, in a local run, when a debugger may stop the app from now on: no timeout applies to this run of it any more.
DEBUGGER = b"debugger"
STOPPING = b"stopping"  # once, when the server takes no more requests; with it, the adapter gets SIGCHLD

# From the adapter, to the built-in server.
CANCEL = b"cancel"  # `cancel PORT`: to cancel a request that has timed out, while others go on
DUMP_STACKS = b"stacks"  # to write to the log what the app is doing, when a request has timed out
BEFORE_SNAPSHOT = b"snapshot"  # to run the hooks before SnapStart's snapshot
AFTER_RESTORE = b"restore"  # to run the hooks after SnapStart's restore


def encode(name: bytes, port: int | None = None) -> bytes:
    """Return a message as the line to send."""
    return b"%b\n" % name if port is None else b"%b %d\n" % (name, port)


def message_for(name: bytes, port: int) -> bytes:
    """Return the message about a request, as the other end reads it: without the line end."""
    return b"%b %d" % (name, port)


def end_messages(port: int) -> tuple[bytes, bytes]:
    """Return the two messages either of which ends a request: DONE and CLOSING."""
    return message_for(DONE, port), message_for(CLOSING, port)


def parse(message: bytes) -> tuple[bytes, int]:
    """Return the name and the port of a message from the adapter; the port is 0 if the message has none."""
    name, _, port = message.partition(b" ")
    return name, int(port or 0)


def encode_failure(text: str, raised: str = "", stack: list[str] | None = None, *, is_logged: bool = False) -> bytes:
    """Return the line to send for a failure.

    Args:
        text: what failed.
        raised: the type of the exception; empty if there was none.
        stack: the lines of its traceback.
        is_logged: whether the log has the exception already.
    """
    import json  # only failures need it

    report = {"message": text, "raised": raised, "stack": stack or [], "logged": is_logged}
    return b"%b %b\n" % (FAILED, json.dumps(report).encode())


def parse_failure(message: bytes) -> tuple[str, str, tuple[str, ...], bool]:
    """Return the four arguments of `encode_failure` from a `failed {json}` message."""
    import orjson  # only failures need it

    report = orjson.loads(message.partition(b" ")[2])
    return report["message"], report["raised"], tuple(report["stack"]), report["logged"]
