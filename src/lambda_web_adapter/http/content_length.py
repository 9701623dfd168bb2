"""Repeated `Content-Length` values: equal ones count as one, different ones are an error (RFC 9110 §8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def folded_length(values: Iterable[bytes]) -> int:
    """Return the length on which all `Content-Length` values of a response agree.

    Args:
        values: the header's values, each of which may be a list: `5, 5`.

    Raises:
        ValueError: the values differ, or one is not a number.
    """
    members = [member.strip(b" \t") for value in values for member in value.split(b",")]
    if not all(member.isdigit() for member in members):
        raise ValueError(f"the app's Content-Length is not a number: {_format_values(members)}")
    if len({int(member) for member in members}) > 1:
        raise ValueError(f"the app sent different Content-Lengths: {_format_values(members)}")
    return int(members[0])


def fold_lengths(heads: bytes) -> bytes | None:
    """Return the heads of a response with at most one `Content-Length` each.

    Args:
        heads: the bytes received so far: interim heads, the response's head, and perhaps some of its body.

    Returns:
        The same bytes with one length in each head; None if the last head is not complete yet.

    Raises:
        ValueError: see `folded_length`.
    """
    head, end, rest = heads.partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.split(b"\r\n")
    lengths = [line.partition(b":")[2] for line in lines if _is_length(line)]
    if lengths:
        lines = [line for line in lines if not _is_length(line)]
        head = b"\r\n".join([*lines, b"content-length: %d" % folded_length(lengths)])
    if head.partition(b" ")[2].startswith(b"1"):  # an interim response: another head follows
        following = fold_lengths(rest)
        return None if following is None else head + end + following
    return head + end + rest


def _is_length(line: bytes) -> bool:
    return line[:15].lower() == b"content-length:"


def _format_values(members: list[bytes]) -> str:
    return ", ".join(member.decode("latin-1") for member in members)[:100]
