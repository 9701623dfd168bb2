"""Lengths that are said more than once: equal ones count as one, different ones are a fault (RFC 9110 §8.6)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def folded_length(values: Iterable[bytes]) -> int:
    """Return the length that all of a message's `Content-Length` values agree on.

    Args:
        values: the header's values, each of which may be a list: `5, 5`.

    Raises:
        ValueError: they do not, or one is no length; the text says so of the app.
    """
    members = [member.strip(b" \t") for value in values for member in value.split(b",")]
    if not all(member.isdigit() for member in members):
        raise ValueError(f"the app's Content-Length is not a number: {_format_values(members)}")
    if len({int(member) for member in members}) > 1:
        raise ValueError(f"the app says different Content-Lengths: {_format_values(members)}")
    return int(members[0])


def fold_lengths(heads: bytes) -> bytes | None:
    """Rewrite the heads of responses so that each has one `Content-Length` at most.

    Args:
        heads: what has come of a response: interim heads, its head, and perhaps what follows.

    Returns:
        The same with one length each; None if the last head is not whole yet.

    Raises:
        ValueError: see `folded_length`.
    """
    head, end, rest = heads.partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.split(b"\r\n")
    lengths = [line.partition(b":")[2] for line in lines if _is_length(line)]
    if lengths:
        others = [line for line in lines if not _is_length(line)]
        head = b"\r\n".join([*others, b"content-length: %d" % folded_length(lengths)])
    if head.partition(b" ")[2].startswith(b"1"):  # an interim response: another head follows
        following = fold_lengths(rest)
        return None if following is None else head + end + following
    return head + end + rest


def _is_length(line: bytes) -> bool:
    return line[:15].lower() == b"content-length:"


def _format_values(members: list[bytes]) -> str:
    return ", ".join(member.decode("latin-1") for member in members)[:100]
