"""The differences between the headers of two messages: one for each name, with one note each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.local.inspector.notes.note import HEADER_RULES, Note
from lambda_web_adapter.local.records.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_web_adapter.local.inspector.notes.messages import Pairs
    from lambda_web_adapter.local.inspector.notes.note import Kind, Step

# Names that stand for several headers.
_MAX_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderChange:
    """The values of a header that are not the same in two messages.

    Attributes:
        name: the header's name in lower case.
        before: its values before, in order.
        after: its values afterwards.
    """

    name: str
    before: list[str]
    after: list[str]

    @property
    def kind(self) -> Kind:
        """Return what happened, as far as the values show it."""
        if not self.before:
            return "added"
        return "changed" if self.after else "dropped"

    def is_joined_by(self, separator: str) -> bool:
        """Return whether several values have become one; masked ones, which remain masked, count as well."""
        if len(self.before) < 2 or len(self.after) != 1:
            return False
        is_masked = {*self.before, *self.after} == {MASK}
        return is_masked or self.after[0] == separator.join(self.before)

    def is_last(self) -> bool:
        """Return whether of several values only the last is left."""
        return len(self.before) > 1 and self.after == self.before[-1:]

    def is_split(self) -> bool:
        """Return whether the values of a `Cookie` header have become a list."""
        return bool(self.before) and self.after == split_cookies(self.before)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not the same.

    Attributes:
        text: the note's sentence.
        help: the page and section of the documentation.
        kind: what happened, if the values do not show it.
    """

    text: str
    help: str = HEADER_RULES
    kind: Kind | None = None


def explain_headers(
    step: Step, before: Pairs, after: Pairs, reason_for: Callable[[HeaderChange], Reason]
) -> Iterator[Note]:
    """Yield a note for each header whose values differ, and one if names are spelled in another way."""
    values_before, values_after = _values_by_name(before), _values_by_name(after)
    for name in dict.fromkeys([*values_before, *values_after]):
        change = HeaderChange(name=name, before=values_before.get(name, []), after=values_after.get(name, []))
        if change.before != change.after:
            reason = reason_for(change)
            yield Note(
                step=step,
                kind=reason.kind or change.kind,
                name=name,
                text=reason.text,
                before="\n".join(change.before),
                after="\n".join(change.after),
                help=reason.help,
            )
    yield from _explain_spellings(step, before, after)


def _explain_spellings(step: Step, before: Pairs, after: Pairs) -> Iterator[Note]:
    spelled_before, spelled_after = _spellings(before), _spellings(after)
    names = [
        name
        for name, spellings in spelled_before.items()
        if name in spelled_after and spelled_after[name] != spellings and name != "set-cookie"
    ]
    if names:
        yield Note(
            step=step,
            kind="changed",
            name="headers",
            text="Names of headers are spelled in another way, which means the same to all programs (RFC 9110 §5.1).",
            before="\n".join(spelled_before[name][0] for name in names[:_MAX_NAMES]),
            after="\n".join(spelled_after[name][0] for name in names[:_MAX_NAMES]),
        )


def split_cookies(lines: list[str]) -> list[str]:
    """Return the single cookies of a `Cookie` header's lines."""
    return [cookie.strip() for line in lines for cookie in line.split(";") if cookie.strip()]


def _values_by_name(lines: Pairs) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in lines:
        values.setdefault(name.lower(), []).append(value)
    return values


def _spellings(lines: Pairs) -> dict[str, list[str]]:
    """Return the distinct spellings of each name, by the name in lower case."""
    spellings: dict[str, dict[str, None]] = {}
    for name, _ in lines:
        spellings.setdefault(name.lower(), {})[name] = None
    return {name: [*each] for name, each in spellings.items()}
