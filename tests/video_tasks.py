"""Tasks of the video model on one film of random latents, tiny and with random weights."""

import torch

from cinema_cli.models.encoders import VideoCodec
from cinema_cli.models.video import InterleavedWan
from cinema_cli.training.films import Clips, Films
from cinema_cli.training.video import VideoTask
from clipped_films import tiny_video
from tiny_models import TEXT, video_autoencoder


class OneFilm:
    """A window of one shot of two latent frames and two of three, with one other shot between them."""

    facts: dict[str, object] = {}  # noqa: RUF012 - it is never changed

    def __init__(self) -> None:
        g = torch.Generator().manual_seed(1)

        def clips(shots: int, frames: int, places: tuple[int, ...]) -> Clips:
            latents = torch.randn(1, shots, 4, frames, 4, 4, generator=g)
            moved = torch.rand(1, shots, 4, 4, generator=g)
            return Clips(latents, torch.randn(1, shots, 6, TEXT, generator=g), moved, places)

        self.film = Films((clips(1, 2, (2,)), clips(2, 3, (0, 3))), clips(1, 1, (1,)))

    def batch(self, seed: int) -> list[Films]:
        return [self.film]

    def preview(self) -> Films:
        return self.film


def film_task(model: InterleavedWan, *changes: str) -> VideoTask:
    return VideoTask(model, VideoCodec(video_autoencoder().eval()), OneFilm(), tiny_video(*changes))
