"""The invocations of one example, one after the other, in one environment after the other, as Lambda would have it."""

from __future__ import annotations

import random
import signal
import uuid
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos.environment import STOPPED, Environment
from chaos.outcomes import CUT_OFF, ENDED, REFUSED, RIGHT, Outcome, outcome_of
from chaos.runtime_api import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.events import Event
    from chaos.runtime_api import Post
    from lambda_web_adapter.testing.runtime_api import Reading


# The share of environments that compress replies.
COMPRESSING = 0.5


@dataclass
class _Given:
    """An event that was handed out: how often its end has to be posted, and what became of it."""

    posts: int
    outcome: Outcome | None = None


class Lane:
    """What a disturbance works on.

    Attributes:
        example: `fastapi` or `flask`.
        streams: whether replies are streamed, to those that take a stream.
        chance: decides what is left to chance.
        environment: the one that there is now.
        environments: how many there have been.
        late: how many answers came after the function's timeout.
    """

    def __init__(self, example: str, seed: str, *, streams: bool = False) -> None:
        """Starts the first environment."""
        self.example = example
        self.streams = streams
        self.chance = random.Random(f"{seed} {example}")  # noqa: S311  # nothing is kept secret
        self.environments = 0
        self.late = 0
        self._label = f"{example}-{uuid.uuid4()}"
        self._given: dict[str, _Given] = {}
        self._posts: dict[str, list[Post]] = defaultdict(list)
        self._deliveries: Counter[str] = Counter()
        self.environment = self._start()

    def _start(self) -> Environment:
        self.environments += 1
        compresses = self.chance.random() < COMPRESSING
        label = f"{self._label}-{self.environments}"
        return Environment(self.example, label, streams=self.streams, compresses=compresses)

    def give(self, event: Event, seconds: float = 20, faults: Faults | None = None) -> None:
        """Hands an event out, with so many seconds until its deadline.

        Another environment may have had it before, if that one has not read it.
        """
        faults = faults or Faults()
        name = event.marker
        again = 0 if self.streams and event.streamed else sum(fault.asks_again for fault in faults.post)
        self._given[name] = _Given(1 + again)
        self.environment.api.disturb(name, faults)
        headers = {"Lambda-Runtime-Trace-Id": f"Root={name}"}
        if self.chance.random() < 0.5:
            headers["Lambda-Runtime-Invocation-Id"] = f"nonce-{name}"
        self.environment.api.queue_event(event.document, request_id=name, timeout=seconds, headers=headers)

    def outcome(self, event: Event) -> Outcome:
        """Waits for what becomes of an event."""
        given = self._given[event.marker]
        post = self.environment.wait_for_end(event.marker)
        given.outcome = outcome_of(event, post, streams=self.streams, over=self.environment.api.over)
        if post and post.taken and post.call.at > self.environment.api.deadline_of(event.marker):
            self.late += 1
        return given.outcome

    def invoke(self, event: Event, seconds: float = 20, faults: Faults | None = None) -> Outcome:
        """Hands an event out, and waits for what becomes of it."""
        self.give(event, seconds, faults)
        return self.outcome(event)

    def renew(self, *codes: int) -> None:
        """Waits for the end of the environment, with one of these exit codes, and starts another."""
        self.end(*codes)
        self.environment = self._start()

    def end(self, *codes: int) -> None:
        """Waits for the end of the environment, and keeps what was seen of it."""
        code = self.environment.end()
        self.environment.close()
        assert code in codes, f"the bootstrap ended with {code}, not {codes}; its log:\n{self.environment.log[-4000:]}"
        for name, posts in self.environment.api.posts.items():
            self._posts[name] += posts
        self._deliveries += self.environment.api.deliveries

    def stop(self) -> None:
        """Has the last environment end."""
        self.environment.wait_until_idle()
        self.environment.signal(signal.SIGTERM)
        self.end(STOPPED)

    @contextmanager
    def standing_still(self, name: str) -> Iterator[None]:
        """Has the app stand still as soon as it tells of something, until the end of the block."""
        api = self.environment.api
        api.hold(name)
        try:
            yield
        finally:
            api.release(name)

    @contextmanager
    def reading(self, how: Reading) -> Iterator[None]:
        """Has the Runtime API read streams so, until the end of the block."""
        api = self.environment.api
        before, api.reading = api.reading, how
        try:
            yield
        finally:
            api.reading = before

    def assert_each_has_one_end(self) -> None:
        """Looks at all that was posted and delivered: no event twice, none without an end."""
        for name, given in self._given.items():
            posts = self._posts[name]
            taken = sum(post.taken for post in posts)
            said = f"{name} ({given.outcome}): {[(post.call.name, post.status) for post in posts]}"
            assert given.outcome, f"{name} has no outcome"
            if given.outcome.kind in (ENDED, REFUSED) or given.outcome.why == CUT_OFF:
                assert taken == 0, f"there is an answer that nobody expected to {said}"
            else:
                assert taken == 1, f"{taken} answers to {said}"
            if given.outcome.kind != ENDED:
                assert len(posts) == given.posts, f"there should be {given.posts} posts for {said}"
            assert self._deliveries[name] <= 1, f"the app was given {name} {self._deliveries[name]} times"
            if given.outcome.kind == RIGHT:
                assert self._deliveries[name] == 1, f"nobody asked the app about {said}"
        unknown = self._posts.keys() - self._given.keys()
        assert not unknown, f"answers to what nobody asked for: {unknown}"
