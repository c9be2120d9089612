"""The mid-clip frame of a shot (paper, section 3.1), out of the decode that also finds the cuts.

While a shot goes on its middle moves forward at half the speed of the decode.  So candidates before
that moving middle are let go, later ones wait; when too many wait, every second one goes.  The frame
that is left over is at most one in 64 of the shot's length from its true middle, usually nearer, and
its own exact time is what is recorded.

Each candidate also learns how much it looks like a double exposure: in a dissolve the frame is the
mean of what came a quarter of a second before and after, which moving things are not.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinema_cli.errors import CinemaError
from cinema_cli.ffmpeg.watching import Planes

ROOM = 64
"""Candidates that wait: 31 MB at 400 x 800."""
APART = Fraction(1, 4)
"""Seconds between a frame and those that it is compared with to find a double exposure."""
TINY = 48
"""About the height at which they are compared; made by whole factors, which is quick."""


@dataclass
class Candidate:
    """A frame that may turn out to be the middle."""

    time: Fraction
    planes: Planes
    blend: float | None = None
    """0 to 1: how much it is the mean of its neighbours, who differ; None where there are none."""


class Middle:
    """Holds the candidates of the shot in hand."""

    def __init__(self, late: Fraction, room: int = ROOM) -> None:
        """Nothing waits yet.

        Args:
            late: Seconds by which a cut may be told late.
            room: Most candidates that wait.
        """
        self._late, self._room = late, room
        self._waiting: list[Candidate] = []
        self._start: Fraction | None = None
        self._every = 1  # of the candidates that are offered, one in so many is kept
        self._offered = 0
        self._near: deque[tuple[Candidate, NDArray[np.float32]]] = deque()

    def offer(self, candidate: Candidate) -> None:
        """The next candidate, in the order of showing."""
        if self._start is None:
            self._start = candidate.time
        self._compare(candidate)
        self._offered += 1
        if self._offered % self._every == 0:
            self._waiting.append(candidate)
        earliest = (self._start + candidate.time - self._late) / 2
        while len(self._waiting) > 1 and self._waiting[1].time <= earliest:
            self._waiting.pop(0)
        if len(self._waiting) > self._room:
            self._waiting = self._waiting[::2]
            self._every *= 2

    def take(self, start: Fraction, end: Fraction) -> Candidate:
        """The candidate nearest to the middle of a shot that is over; what lies before its end is let go."""
        inside = [candidate for candidate in self._waiting if start <= candidate.time < end]
        if not inside:
            raise CinemaError(f"no frame was kept of the shot from {float(start):.3f} to {float(end):.3f} s")
        middle = (start + end) / 2
        chosen = min(inside, key=lambda candidate: abs(candidate.time - middle))
        self._waiting = [candidate for candidate in self._waiting if candidate.time >= end]
        self._start, self._every = end, 1
        return chosen

    def _compare(self, candidate: Candidate) -> None:
        import cv2

        height, width = candidate.planes.shape[0] * 2 // 3, candidate.planes.shape[1]
        factor = max(1, height // TINY)
        size = max(1, width // factor), max(1, height // factor)
        whole = candidate.planes[: size[1] * factor, : size[0] * factor]
        tiny = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        self._near.append((candidate, tiny.astype(np.float32)))
        oldest, latest = candidate.time - 3 * APART, candidate.time - APART
        while self._near[0][0].time < oldest:
            self._near.popleft()
        for between, own in self._near:
            if between.time > latest:
                break
            if between.blend is None:
                earlier = between.time - APART
                before = [other for far, other in self._near if far.time <= earlier]
                if before:
                    between.blend = blend(before[-1], own, self._near[-1][1])


def blend(before: NDArray[np.float32], own: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """How much of the change from before to after a frame has half made: 1 in a dissolve, low in motion.

    Where before and after hardly differ, or are one picture that only gets brighter, it is 0.
    """
    change = float(np.abs(after - before).mean())
    if change < LEAST_CHANGE or _likeness(before, after) > SAME_PICTURE:
        return 0.0
    return max(0.0, 1 - 2 * float(np.abs(own - (before + after) / 2).mean()) / change)


LEAST_CHANGE = 6.0
"""Mean difference in brightness, of 255, between before and after."""
SAME_PICTURE = 0.9
"""Correlation above which before and after are one picture, brighter or darker: a fade."""


def _likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size else 1.0
