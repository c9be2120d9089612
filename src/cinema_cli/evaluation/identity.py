"""Whether a character looks the same in every shot, by whole keyframes (4.1, *Identity* of Table 2).

The paper measures VBench-2.0's ``Human_Identity``: faces are found by RetinaFace and compared by ArcFace, and
a frame counts where its cosine with the first one is 0.4 or more.  Neither network is here, so what is
compared is the whole keyframe of shots that tag one character and nobody else.  Place, light and framing
count too, and of whole pictures most pass 0.4; so the cosine between different characters stands beside it.

Shapes:  K shots of a character   D numbers of a vector
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from cinema_cli.evaluation.encoders import Vectors
from cinema_cli.evaluation.report import Score
from cinema_cli.evaluation.vbench import SAME_FACE, mean_between, mean_pairwise, share_same, to_first
from cinema_cli.storyboard import Shot, tags

WHOLE = "whole keyframes that tag this character alone: place and light count too"
FORM = (
    f"share of a character's later shots whose cosine with the first is {SAME_FACE:g} or more: the form of "
    "VBench-2.0's Human_Identity, but of whole keyframes, not of faces"
)
APART = "a cosine of the same character above this one is what identity adds"
NOT_TWICE = "no character is alone in two shots"


@dataclass(frozen=True)
class Identity:
    """Keyframes by who is in them, where that is one character alone."""

    alone: dict[str, list[str]]
    """By character, ids of the shots that tag nobody else."""
    vectors: dict[str, Vectors]
    """By character, (K, D), in the order of the film."""

    @classmethod
    def of(cls, shots: Sequence[Shot], keyframes: Mapping[str, Vectors]) -> "Identity":
        """Sort shots by who is in them; ``keyframes`` are vectors (1, D) by shot."""
        alone: dict[str, list[str]] = {}
        for shot in shots:
            names = tags(shot.caption)
            if len(names) == 1 and shot.id in keyframes:
                alone.setdefault(names[0], []).append(shot.id)
        vectors = {name: np.concatenate([keyframes[id] for id in ids]) for name, ids in alone.items()}
        return cls(alone, vectors)

    def by_shot(self) -> dict[str, float]:
        """The cosine of each shot of a character, but the first, with that first one."""
        return {
            id: float(cosine)
            for name, ids in self.alone.items()
            for id, cosine in zip(ids[1:], to_first(self.vectors[name]), strict=True)
        }

    def scores(self) -> list[Score]:
        """Of the film: means over characters, so that a leading role counts no more than another."""
        again = [found for found in self.vectors.values() if len(found) > 1]
        shares = [share for found in again if (share := share_same(to_first(found))) is not None]
        pairs = [mean for found in again if (mean := mean_pairwise(found)) is not None]
        between = mean_between(list(self.vectors.values()))
        shots = sum(map(len, again))
        return [
            Score(
                key="identity_consistency",
                text="Identity consistency",
                value=fmean(shares) if shares else None,
                unit="0 to 1",
                n=shots - len(again),
                better="higher",
                note=FORM if shares else NOT_TWICE,
            ),
            Score(
                key="identity_cosine",
                text="Same character, mean cosine",
                value=fmean(pairs) if pairs else None,
                n=shots,
                better="higher",
                note=WHOLE if pairs else NOT_TWICE,
            ),
            Score(
                key="identity_between",
                text="Different characters, mean cosine",
                value=between,
                n=sum(map(len, self.vectors.values())) if between is not None else 0,
                note=APART if between is not None else "fewer than two characters are alone in a shot",
            ),
        ]
