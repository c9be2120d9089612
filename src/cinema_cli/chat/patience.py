"""Patience with a chat server: what failed for now is asked again, when the server wants to be asked again.

A server that says when (``Retry-After``) is believed: all callers wait, not only the one that was
told.  A server that wants a longer wait than one is ready for is left alone until the next run.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Annotated

from pydantic import Field, StrictInt

from cinema_cli.chat.model import Answer, ChatError, ChatModel, Request
from cinema_cli.config import Config
from cinema_cli.errors import Interrupted

Seconds = Annotated[float, Field(gt=0, le=3600)]
STEP = 0.1
"""Seconds between two looks at whether a signal asked to stop."""


class Patience(Config):
    """How often and how long one call is tried."""

    tries: Annotated[StrictInt, Field(ge=1, le=100)] = 5
    """In all, the first one included."""
    first_wait: Seconds = 1.0
    """Seconds before the second try; doubled for each further one, and shortened at random by up to half.
    No wait that a server asks for is taken as shorter than this."""
    longest_wait: Seconds = 120.0
    """Seconds; where the server asks for more, the run ends: to ask it sooner would not be honest."""


class PatientChat:
    """A chat model that repeats what failed for now."""

    def __init__(
        self,
        model: ChatModel,
        patience: Patience,
        stopped: Callable[[], bool] = lambda: False,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``stopped`` ends a wait early; ``now`` and ``sleep`` are the clock."""
        self.name = model.name
        self._model, self._patience, self._stopped = model, patience, stopped
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()
        self._not_before = 0.0

    def complete(self, request: Request) -> Answer:
        """The answer of the first try that succeeds.

        Raises:
            ChatError: the last try failed, or repeating is of no use.
            Interrupted: a signal asked to stop during a wait, or the server wants too long a one.
        """
        for attempt in range(1, self._patience.tries + 1):
            self._wait()
            try:
                return self._model.complete(request)
            except ChatError as error:
                if not error.again or attempt == self._patience.tries:
                    raise
                self._postpone(error, attempt)
        raise AssertionError("the last try returns or raises")

    def _postpone(self, error: ChatError, attempt: int) -> None:
        """Decide when the next call may be made."""
        config = self._patience
        backoff = config.first_wait * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
        wait = min(backoff, config.longest_wait) if error.wait is None else max(error.wait, config.first_wait)
        if wait > config.longest_wait:
            raise Interrupted(
                f"{error} It wants to be asked again in {wait:.0f} s, and the longest wait here is "
                f"{config.longest_wait:.0f} s."
            ) from error
        if error.wait is None:
            self._pause(wait)
            return
        with self._lock:  # the server speaks to all of us
            self._not_before = max(self._not_before, self._now() + wait)

    def _wait(self) -> None:
        while (rest := self._not_before - self._now()) > 0:
            self._pause(rest)

    def _pause(self, seconds: float) -> None:
        until = self._now() + seconds
        while (rest := until - self._now()) > 0:
            if self._stopped():
                raise Interrupted("stopped while waiting for the server. The same command goes on.")
            self._sleep(min(STEP, rest))
