"""What speaks against a keyframe, measured (paper, section 3.1: frames of low quality are discarded).

The paper leaves the judgement to a vision-language model; what can be measured is measured here first,
and told as a ``Flag`` with its value and limit.  Nothing is dropped: a flagged shot stays in the
storyboard with its picture, and training leaves it out.

Shapes:  a keyframe is uint8 (H, W, 3), RGB
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.ffmpeg import Frame
from cinema_cli.storyboard import Flag

THUMB = (16, 32)
"""Height and width at which keyframes are compared with each other."""

Byte = Annotated[float, Field(ge=0, le=255)]
Share = Annotated[float, Field(ge=0, le=1)]


class QualityConfig(Config):
    """From where on a keyframe is flagged."""

    black: Byte = 16.0
    """Brightness below which 95 of 100 pixels lie in a near-black frame."""
    white: Byte = 240.0
    """Brightness above which 95 of 100 pixels lie in a near-white frame."""
    blurred: Share = 0.62
    """Crete's measure of blur, 0 sharp to 1 blurred (Crete-Roffet and others, 2007)."""
    double: Share = 0.7
    """How much of the change around it a frame has half made (``middle.blend``)."""
    near_duplicate: Byte = 2.0
    """Mean difference between the thumbnails of two keyframes."""


class Judge:
    """Flags the keyframes of one movie, one after the other."""

    def __init__(self, config: QualityConfig) -> None:
        """No keyframe is known yet."""
        self._config = config
        self._ids: list[str] = []
        self._thumbs = np.empty((0, THUMB[0] * THUMB[1] * 3), dtype=np.float32)

    def flags(self, shot: str, keyframe: Frame, blend: float | None) -> tuple[Flag, ...]:
        """What speaks against the keyframe of the next shot."""
        import cv2

        limits = self._config
        grey = np.asarray(cv2.cvtColor(keyframe, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        spread = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
        dark, bright = (float(np.searchsorted(spread, share)) for share in (0.95, 0.05))
        found: list[Flag] = []
        if dark < limits.black:
            found.append(Flag(reason="near-black", value=_short(dark), limit=limits.black))
        elif bright > limits.white:
            found.append(Flag(reason="near-white", value=_short(bright), limit=limits.white))
        elif (blur := blurredness(grey)) > limits.blurred:
            found.append(Flag(reason="blurred", value=_short(blur), limit=limits.blurred))
        if blend is not None and blend > limits.double:
            found.append(Flag(reason="double-exposure", value=_short(blend), limit=limits.double))
        if not found:
            found += self._twin(shot, keyframe)
        return tuple(found)

    def _twin(self, shot: str, keyframe: Frame) -> list[Flag]:
        """An earlier keyframe, itself not flagged, that shows the same; this one is remembered otherwise."""
        import cv2

        thumb = (
            cv2.resize(keyframe, THUMB[::-1], interpolation=cv2.INTER_AREA).astype(np.float32).reshape(1, -1)
        )
        apart = np.abs(self._thumbs - thumb).mean(axis=1)
        if len(apart) and apart.min() < self._config.near_duplicate:
            nearest = int(apart.argmin())
            value, limit = _short(float(apart[nearest])), self._config.near_duplicate
            return [Flag(reason="near-duplicate", value=value, limit=limit, shot=self._ids[nearest])]
        self._ids.append(shot)
        self._thumbs = np.concatenate([self._thumbs, thumb])
        return []


def blurredness(grey: NDArray[np.uint8]) -> float:
    """Crete's measure: how little of the differences between neighbours a further blur takes away."""
    sharp = grey.astype(np.float32)
    return max(
        _kept_by_blur(sharp, (9, 1), (np.s_[:, 1:], np.s_[:, :-1])),  # OpenCV's kernel is (width, height)
        _kept_by_blur(sharp, (1, 9), (np.s_[1:, :], np.s_[:-1, :])),
    )


def _kept_by_blur(sharp: NDArray[np.float32], kernel: tuple[int, int], sides: tuple[Any, Any]) -> float:
    import cv2

    soft = np.asarray(cv2.blur(sharp, kernel), dtype=np.float32)
    before = np.abs(sharp[sides[0]] - sharp[sides[1]])
    after = np.abs(soft[sides[0]] - soft[sides[1]])
    total, lost = float(before.sum()), float(np.maximum(before - after, 0).sum())
    return 1 - lost / total if total else 1.0


def _short(value: float) -> float:
    return round(value, 3)
