"""Cuts between two pictures of the same place: what no small movement explains.

A detector that compares colours misses a cut after which most of the picture is the same (the same
framing, and only the people stand otherwise), and one into so much movement that it seems to be more.
Here a frame is held against what the frame before could have become by movement: every pixel may take
any brightness that lay within a few pixels of it.  What lies outside that range is new.  Walking,
waving and noise stay inside; a jump does not.  A frame is a cut when it brings much that is new and
its neighbours do not.

Detectors here have the interface of PySceneDetect's.  This one is our own; it is not in the paper.
"""

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

REACH = 6
"""Pixels, of 256 across, that things may move from one frame to the next: 1.7 times the width a second."""
LEAST = 0.5
"""Mean brightness, of 255, that must be new."""
TIMES = 6.0
"""By how much it must be more than in the frames beside it."""
FLOOR = 0.05
"""Brightness taken for new in frames that stand quite still, so that the ratio has a sense."""


class JumpDetector:
    """Tells the frames that bring what no movement explains, one frame late."""

    def __init__(self, min_scene_len: float) -> None:
        """No frame is known yet; ``min_scene_len`` is in seconds."""
        self._shortest = min_scene_len
        self._last: tuple[NDArray[np.uint8], ...] | None = None
        self._news: deque[tuple[Any, float]] = deque(maxlen=3)
        self._cut: Any = None

    def process_frame(self, timecode: Any, frame: NDArray[np.uint8]) -> list[Any]:
        """The time of the frame before, if that was a cut; the frame is (h, w, 3), BGR."""
        if self._cut is None:
            self._cut = timecode
        self._news.append((timecode, self._new(frame)))
        if len(self._news) < 3:
            return []
        (_, before), (middle, own), (_, after) = self._news
        if own < LEAST or own < TIMES * (max(before, after) + FLOOR):
            return []
        if middle - self._cut < self._shortest:
            return []
        self._cut = middle
        return [middle]

    def _new(self, frame: NDArray[np.uint8]) -> float:
        """Mean brightness by which this frame leaves the range of the last one, and the last one of this."""
        import cv2

        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        near = np.ones((2 * REACH + 1, 2 * REACH + 1), dtype=np.uint8)
        most, least = cv2.dilate(grey, near), cv2.erode(grey, near)
        own = (grey, np.asarray(most, dtype=np.uint8), np.asarray(least, dtype=np.uint8))
        last, self._last = self._last or own, own
        return _outside(own[0], last[1], last[2]) + _outside(last[0], own[1], own[2])


def _outside(grey: NDArray[np.uint8], most: NDArray[np.uint8], least: NDArray[np.uint8]) -> float:
    import cv2

    return float(cv2.mean(cv2.subtract(grey, most))[0] + cv2.mean(cv2.subtract(least, grey))[0])
