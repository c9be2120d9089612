"""Where one shot ends and the next begins (paper, section 3.1: PySceneDetect).

The paper names the tool and not the detector.  Taken is AdaptiveDetector with the setting that is
best over three public sets in PySceneDetect's own sweep (its ``SWEEP_REPORT.md``: threshold 3.5,
window 3, 0.6 s; F1 at one frame 90.4 on BBC, 62.3 on ClipShots, 76.3 on SHOT).  It misses cuts within
one framing and cuts into much movement, so a second look of our own adds those (``jumps.py``); dissolves
escape both.  Any detector can be first, and ``also`` says which others look at the same frames: their
cuts count where the first found none.  What is found how often: ``docs/ingest.md``.

Only the detectors are used: frames come from our own decode (``ffmpeg.watching``), never from
PySceneDetect's readers.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.ffmpeg import Lens, MediaInfo, Watch, probe
from cinema_cli.footage.jumps import JumpDetector

DetectorName = Literal["adaptive", "content", "histogram", "threshold", "jump"]

LOOK_WIDTH = 256
"""Cuts are found in frames of this width, as PySceneDetect reduces them itself."""

LAG = Fraction(1)
"""Seconds by which a detector may be late in telling a cut."""


class ShotConfig(Config):
    """How cuts are found."""

    detector: DetectorName = "adaptive"
    """adaptive and content see hard cuts, histogram also many dissolves, threshold fades through black,
    jump (our own) cuts within one framing."""
    also: tuple[DetectorName, ...] = ("jump",)
    """Further detectors, whose cuts count where the first found none near; none: []."""
    min_seconds: Annotated[float, Field(ge=0.25, le=60)] = 0.6
    """No shot is shorter than that, the last one neither."""
    adaptive_threshold: Annotated[float, Field(gt=0)] = 3.5
    """By how much a frame must differ more than its neighbours do."""
    adaptive_window: Annotated[int, Field(ge=1, le=60)] = 3
    """Neighbours on either side."""
    adaptive_least: Annotated[float, Field(ge=0)] = 15.0
    """Below that difference, of 255, nothing is a cut."""
    content_threshold: Annotated[float, Field(gt=0)] = 27.0
    """Difference from the frame before, of 255."""
    histogram_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Difference between the histograms of brightness of two frames, of 1."""
    black_threshold: Annotated[float, Field(gt=0, lt=255)] = 12.0
    """Mean brightness below which a film has faded to black, of 255."""


HELD = 0.15
"""Mean difference, of 255, up to which a frame only repeats the last one."""
HOLD = 0.15
"""Seconds for which a picture may be held: animation on twos, threes and fours, of 24 frames a second."""


@dataclass(frozen=True)
class Moment:
    """A frame by its number and its exact time in seconds."""

    number: int
    time: Fraction


class CutFinder:
    """Is fed every frame once and tells, a little later, which ones began a shot."""

    def __init__(self, config: ShotConfig, rate: Fraction) -> None:
        """For one movie; ``rate`` is its frames a second, at least on average."""
        self._rate = rate
        self._first = _detector(config.detector, config)
        self._others = [_detector(name, config) for name in config.also]
        self._least = Fraction(str(config.min_seconds))
        self.late = self._least + LAG
        """Seconds after which a cut is told."""
        self._past: deque[Moment] = deque()
        self._shown: tuple[Fraction, NDArray[np.uint8]] | None = None  # the last picture that was no repeat
        self._certain: list[Moment] = []
        self._possible: list[Moment] = []
        self._last = Fraction(0)  # where the shot in hand began

    def feed(self, moment: Moment, picture: NDArray[np.uint8]) -> list[Moment]:
        """The cuts that are settled by now; the picture is uint8 (h, w, 3), BGR."""
        if not self._past:
            self._last = moment.time
        self._past.append(moment)
        if self._held(moment, picture):
            return []
        tick = _Tick(moment, self._rate)
        self._certain += [self._at(cut) for cut in _told(self._first, tick, picture)]
        for other in self._others:
            self._possible += [self._at(cut) for cut in _told(other, tick, picture)]
        return self._settled(moment.time - self.late) if self._certain or self._possible else []

    def _held(self, moment: Moment, picture: NDArray[np.uint8]) -> bool:
        """Whether a picture is merely shown on, as in animation: no shot begins with it.

        Among frames of which two in three are repeats every movement looks like a cut to a detector that
        compares a frame with its neighbours.
        """
        import cv2

        if self._shown is not None and moment.time - self._shown[0] < HOLD:
            difference = np.asarray(cv2.absdiff(picture, self._shown[1]))
            if sum(cv2.mean(difference)[:3]) / 3 < HELD:
                return True
        self._shown = (moment.time, picture)
        return False

    def finish(self, end: Fraction) -> list[Moment]:
        """The cuts that were still open when the movie ended."""
        return self._settled(end - self._least)

    def _at(self, cut: Any) -> Moment:
        """The frame that a detector means: fades are told between frames, others at one."""
        return min(self._past, key=lambda moment: abs(float(moment.time) - cut.seconds))

    def _settled(self, until: Fraction) -> list[Moment]:
        """Cuts until then, which no later one can overrule."""
        cuts = []
        for moment in sorted({*self._certain, *self._possible}, key=lambda moment: moment.time):
            if moment.time > until:
                break
            certain = moment in self._certain
            near = any(0 < abs(other.time - moment.time) < self._least for other in self._certain)
            if moment.time - self._last >= self._least and (certain or not near):
                cuts.append(moment)
                self._last = moment.time
        self._certain = [moment for moment in self._certain if moment.time > until]
        self._possible = [moment for moment in self._possible if moment.time > until]
        while self._past[0].time < self._last:
            self._past.popleft()
        return cuts


class _Tick:
    """What a detector asks of the time of a frame.  PySceneDetect's own costs more than the detectors do."""

    def __init__(self, moment: Moment, rate: Fraction) -> None:
        self.frame_num, self.seconds, self.frame_rate = moment.number, float(moment.time), rate
        self.moment = moment

    def __sub__(self, other: "_Tick") -> float:
        return round(self.seconds - other.seconds, 6)


def _told(detector: Any, tick: _Tick, picture: NDArray[np.uint8]) -> list[Any]:
    """The cuts that a detector tells at a frame, as something that has ``seconds``."""
    from scenedetect import detectors
    from scenedetect.common import FrameTimecode, Timecode

    if not isinstance(detector, detectors.ThresholdDetector):
        return list(detector.process_frame(tick, picture))
    # This one reckons with times, to find the middle between a fade out and a fade in.
    time = tick.moment.time
    code = FrameTimecode(Timecode(time.numerator, Fraction(1, time.denominator)), fps=tick.frame_rate)
    return list(detector.process_frame(code, picture))


def look_size(height: Fraction, width: Fraction) -> tuple[int, int]:
    """Size of the frames that cuts are found in, of a picture with such sides."""
    return max(16, round(LOOK_WIDTH * height / width)), LOOK_WIDTH


def end_of(info: MediaInfo, last: Fraction, shift: Fraction = Fraction(0)) -> Fraction:
    """Seconds at which the last frame that was read is over; all times are later by ``shift``."""
    stated = info.end_tick * info.time_base + shift
    return stated if stated > last else last + 1 / info.rate


def find_shots(path: Path, config: ShotConfig | None = None) -> list[tuple[Moment, Fraction]]:
    """First frame and end in seconds of every shot of a movie: the cuts alone, in the whole frame."""
    info = probe(path)
    whole = (0, 0, info.height, info.width)
    small = look_size(Fraction(info.height), info.width * info.pixel_aspect)
    finder = CutFinder(config or ShotConfig(), info.rate)
    starts: list[Moment] = []
    last = Fraction(0)
    for glance in Watch(path, info, Lens(whole, small, large=(2, 2), every=info.frames)):
        moment, last = Moment(glance.number, glance.time), glance.time
        starts += [moment] if not starts else []
        starts += finder.feed(moment, glance.small)
    end = end_of(info, last)
    starts += finder.finish(end)
    return list(zip(starts, [*(start.time for start in starts[1:]), end], strict=True))


def _detector(name: DetectorName, config: ShotConfig) -> Any:
    from scenedetect import detectors

    shortest = float(config.min_seconds)  # a float is seconds; a whole number would be frames
    if name == "adaptive":
        return detectors.AdaptiveDetector(
            adaptive_threshold=config.adaptive_threshold,
            window_width=config.adaptive_window,
            min_content_val=config.adaptive_least,
            min_scene_len=shortest,
        )
    if name == "content":
        return detectors.ContentDetector(config.content_threshold, min_scene_len=shortest)
    if name == "jump":
        return JumpDetector(min_scene_len=shortest)
    if name == "histogram":
        return detectors.HistogramDetector(config.histogram_threshold, min_scene_len=shortest)
    return detectors.ThresholdDetector(config.black_threshold, min_scene_len=shortest)
