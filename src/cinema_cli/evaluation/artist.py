"""Who draws in a trial: the keyframe model as the planner uses it, without a film's folder.

Shapes:  frames uint8 (P, H, W, 3)   P pairs
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cinema_cli.context.goldenmem import GoldenMem
from cinema_cli.evaluation.looks import Frames
from cinema_cli.models.weights import KeyframeModels
from cinema_cli.planning.keyframes import DrawingConfig, KeyframeArtist, MemoryFrame
from cinema_cli.storyboard import Shot
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.world import FRAME_SIZE, MovieShot


@dataclass(frozen=True)
class Artist:
    """Draws frames, as the planner does."""

    models: KeyframeModels
    config: DrawingConfig
    memory: GoldenMem

    def draw(
        self, captions: Sequence[str], seed: int, known: Frames | None = None, golden: bool = False
    ) -> Frames:
        """Frames (P, H, W, 3) for captions; ``known`` ones come first, are remembered and come back."""
        known = known if known is not None else np.empty((0, *FRAME_SIZE, 3), np.uint8)
        shots = [
            Shot(id=str(i), caption=caption, duration="2", seed=seed % 10**6 * 100 + i)
            for i, caption in enumerate(captions)
        ]
        artist = KeyframeArtist(self.models, FRAME_SIZE, self.config)
        schedule = self.memory if golden else GoldenMem(schedule="full", groups=1, frames=max(1, len(known)))
        kept = min(len(known), schedule.capacity(artist.grid))
        sizes = schedule.layout(kept, artist.grid)[::-1]
        first = len(known) - kept
        remembered = [
            MemoryFrame(shot, shot.caption, frame, size)
            for shot, frame, size in zip(shots[first:], known[first:], sizes, strict=False)
        ]
        new = shots[len(known) :]
        order = [shot.id for shot in shots[first:]]
        drawn = artist.draw(new, [shot.caption for shot in new], remembered, order)
        return np.concatenate([known, np.stack([drawn[shot.id] for shot in new])])


def true_frames(shots: Sequence[MovieShot]) -> Frames:
    """The first frames of shots as the theatre draws them."""
    return np.stack([draw_frame(shot.staged) for shot in shots])
