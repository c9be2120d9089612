"""Latents of a dataset's clips, made on demand and cached (section 3.3, appendix A).

A clip is shown at the model's frame rate and at a size that the model takes: as near to the wanted area as
whole units allow, the middle of the picture at its own aspect, never stretched.  What a clip has beyond
its bucket is cut off at its end.  Latents are encoded in full precision and kept as float16, a shard for some
clips of one film and one bucket.

Shapes:  n clips   C channels   F latent frames   h, w latent size   H, W pixels
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import decode
from cinema_cli.fields import inside
from cinema_cli.models.encoders import VideoCodec
from cinema_cli.progress import Progress
from cinema_cli.sampling.cache import ShardCache, Tensors
from cinema_cli.sampling.features import module_sha256
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.storyboard import Shot
from cinema_cli.training.clip_facts import ClipFacts
from cinema_cli.training.motion import motion

CODE = 2
"""Version of the reading and encoding below; another one means another cache."""
BLOCK = 8
"""Clips in a shard: two windows of four; at 352 x 704 and 121 frames 21 MB."""
ENLARGED = 1.1
"""A clip of 480 x 480 pixels is made up to 1.05 times larger where its sides are rounded to units."""


@dataclass(frozen=True)
class ClippedShot:
    """A kept shot of a dataset that has a clip."""

    shot: Shot
    facts: ClipFacts
    bucket: int
    """Frames that it is cut to; 0 where it fills no bucket and is only seen."""


@dataclass(frozen=True)
class ClippedFilm:
    """A film with the shots that training may show, in their order."""

    kept: KeptFilm
    caption: str
    """The global one."""
    size: tuple[int, int]
    """Height and width that its clips are shown at."""
    shots: tuple[ClippedShot, ...]


def shown_size(facts: ClipFacts, area: int, unit: int) -> tuple[int, int]:
    """Height and width that a clip is shown at (A): :func:`size_near` for its own aspect.

    Raises:
        InputError: the clip would have to be enlarged.
    """
    size = size_near(facts.aspect, area, unit)
    if size[0] > ENLARGED * facts.height:
        raise InputError(
            f"Clips of about {size[0]} x {size[1]} pixels were wanted, found {facts.height} x {facts.width}. "
            "Ask for less: --set area=PIXELS."
        )
    return size


def size_near(aspect: Fraction, area: int, unit: int) -> tuple[int, int]:
    """Height and width near an area and an aspect (width through height) whose sides ``unit`` divides.

    The short side is rounded first, then the long one to the aspect: 2:1 at 480 x 480 and 32 is 352 x 704.
    """
    long_to_short = float(max(aspect, 1 / aspect))
    short = max(1, round((area / long_to_short) ** 0.5 / unit)) * unit
    long = max(1, round(short * long_to_short / unit)) * unit
    return (short, long) if aspect >= 1 else (long, short)


def middle(facts: ClipFacts, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a clip (top, left, height, width) that has the aspect of ``size``."""
    share = size[1] / size[0] / float(facts.aspect)  # of the width; above 1 its reciprocal is of the height
    height, width = round(facts.height / max(1, share)), round(facts.width * min(1, share))
    return (facts.height - height) // 2, (facts.width - width) // 2, height, width


def read_clip(file: Path, facts: ClipFacts, size: tuple[int, int], frames: int, rate: int) -> Tensor:
    """The first frames of a clip as the model sees them: uint8 (frames, H, W, 3).

    Raises:
        InputError: the file holds fewer.
    """
    places = [facts.frame_at(number, rate) for number in range(frames)]
    read = islice(decode(file, size, crop=middle(facts, size)), places[-1] + 1)
    picked = [frame for place, frame in enumerate(read) for _ in range(places.count(place))]
    if len(picked) < frames:
        raise InputError(
            f"{file}: {places[-1] + 1} frames were wanted, found less. Remove the file and run "
            "`cinema ingest --clips` again."
        )
    return torch.from_numpy(np.stack(picked))


class ClipLatents:
    """The latents of films' clips, by film, place and number of frames."""

    def __init__(
        self, films: Sequence[ClippedFilm], codec: VideoCodec, rate: int, folder: Path, progress: Progress
    ) -> None:
        """``rate``: frames a second that the model makes; ``folder``: of the cache."""
        self.films, self.codec, self.rate = films, codec, rate
        weights = module_sha256(codec.vae)

        def cache(size: tuple[int, int], frames: int) -> ShardCache:
            return ShardCache(folder, made_by(codec, weights, size, frames, rate), progress.say)

        self._caches = lru_cache(maxsize=None)(cache)

    def of(self, film: int, places: Sequence[int], frames: int) -> tuple[Tensor, Tensor]:
        """Clean latents (n, C, F, h, w) of some shots, and what moves in them (n, h, w), ``motion.py``.

        All fill ``frames``, 1 for the first frame alone.
        """
        clipped = self.films[film]
        members = [i for i, shot in enumerate(clipped.shots) if frames in (1, shot.bucket)]
        parts: dict[int, tuple[Tensor, Tensor]] = {}
        for block in sorted({members.index(place) // BLOCK for place in places}):
            own = members[block * BLOCK : (block + 1) * BLOCK]
            rows = [row for row, place in enumerate(own) if place in places]
            shots = [clipped.shots[place] for place in own]
            found = self._caches(clipped.size, frames).rows(
                f"{clipped.kept.sha256[:16]}/{block:04d}",
                [f"{one.shot.id} {one.facts.stamp}" for one in shots],
                rows,
                partial(self._encode, clipped, shots, frames),
            )
            read = zip(found["latents"].float(), found["motion"].float(), strict=True)
            parts |= dict(zip([own[row] for row in rows], read, strict=True))
        latents, moved = zip(*(parts[place] for place in places), strict=True)
        return torch.stack(latents), torch.stack(moved)

    def _encode(self, film: ClippedFilm, shots: Sequence[ClippedShot], frames: int) -> Tensors:
        latents, moved = [], []
        for one in shots:
            file = inside(film.kept.folder, str(one.shot.clip))
            clip = read_clip(file, one.facts, film.size, frames, self.rate)
            latents.append(self.codec.encode(clip[None]).cpu())
            moved.append(motion(clip, (latents[-1].shape[3], latents[-1].shape[4])))
        # Joined before they are halved: under a caller's autocast float16 cannot be joined on a CPU.
        return {
            "latents": torch.cat(latents).to(torch.float16),
            "motion": torch.stack(moved).to(torch.float16),
        }


def made_by(
    codec: VideoCodec, weights: str, size: tuple[int, int], frames: int, rate: int
) -> Mapping[str, Any]:
    """All that a clip's latents depend on, beside its file."""
    return {
        "item": "clip latents",
        "code": CODE,
        "weights_sha256": weights,
        "mean_and_spread": [codec.vae.config.latents_mean, codec.vae.config.latents_std],
        "size": list(size),
        "frames": frames,
        "rate": rate,
        "filter": "lanczos",
    }
